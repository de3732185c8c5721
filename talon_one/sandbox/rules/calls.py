"""Functions of rules in Talang: `couponValid` and its like for conditions, and effects.

An effect that cannot be applied raises `EffectRefused` inside Talang, so that `catch` makes it
silent, and leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from talon_one.sandbox.rules.checks import coupon_valid, referral_valid
from talon_one.sandbox.rules.compiled import EffectFailed, EvaluationError, Value
from talon_one.sandbox.rules.discounts import (
    Discount,
    discount_bundles,
    discount_session,
    discount_units,
)
from talon_one.sandbox.rules.entities import ITEM, for_talang, restore_units
from talon_one.sandbox.rules.points import Award, award_points, redeem_points
from talon_one.sandbox.rules.rewards import NOTIFICATIONS, award_items
from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.rules.updates import set_entity_attribute
from talon_one.sandbox.talang import (
    ANY,
    BOOLEAN,
    DECIMAL,
    NULL,
    STRING,
    Declaration,
    Expression,
    Function,
    Lazy,
    Overload,
    TalangError,
)
from talon_one.sandbox.talang import Run as TalangRun

ONE: Final = Decimal(1)
_MAXIMUM_ID: Final = Decimal(2) ** 63


class Applying(NamedTuple):
    """Context of a program that is an effect."""

    run: Run
    scope: Scope


class EffectRefused(TalangError):
    """An effect cannot be applied."""


def _scope(run: TalangRun) -> Scope:
    context = run.context
    scope: Scope = context.scope if isinstance(context, Applying) else context
    return scope


def _coupon_valid(run: TalangRun) -> bool:
    return coupon_valid(_scope(run))


def _referral_valid(run: TalangRun) -> bool:
    return referral_valid(_scope(run))


def _id(value: Decimal) -> int:
    if not 0 <= value < _MAXIMUM_ID or value != value.to_integral_value():
        raise TalangError(f"{value} is not the ID of a loyalty program")
    return int(value)


def _subledger_balance(run: TalangRun, program_id: Decimal, subledger: str) -> Decimal:
    return _scope(run).situation.facts.balance(_id(program_id), subledger, "current")


CONDITION_CALLS: Final[Mapping[str, Declaration]] = {
    "couponvalid": Function(Overload((), _coupon_valid, BOOLEAN)),
    "referralvalid": Function(Overload((), _referral_valid, BOOLEAN)),
    "subledgerbalance": Function(Overload((DECIMAL, STRING), _subledger_balance, DECIMAL)),
}
"""Functions that every program of a rule may call, by their names in lower case."""


def _applied(run: TalangRun, apply: Callable[[Run, Scope], None]) -> None:
    """Apply an effect as a whole or not at all.

    Raises:
        EffectRefused: If it cannot be applied.
        TalangError: If it cannot be computed.
    """
    applying: Applying = run.context
    mark = applying.run.mark()
    try:
        apply(applying.run, applying.scope)
    except EffectFailed as cause:
        applying.run.rewind(mark)
        raise EffectRefused(str(cause)) from cause
    except EvaluationError as cause:
        applying.run.rewind(mark)
        raise TalangError(str(cause)) from cause
    except TalangError:
        applying.run.rewind(mark)
        raise


def _constant(value: Any) -> Value:
    return lambda scope: value


def _at_unit(run: TalangRun, expression: Expression) -> Value:
    """Return a value that is computed by Talang with the cart item at hand as `Item`."""

    def compute(scope: Scope) -> Any:
        if scope.unit is None:
            return expression.evaluate(run)
        outside = run.names
        run.names = {**outside, ITEM: for_talang(scope.unit)}
        try:
            return expression.evaluate(run)
        finally:
            run.names = outside

    return compute


def _text(run: TalangRun, expression: Expression) -> str:
    found = expression.evaluate(run)
    if not isinstance(found, str):
        raise TalangError("the name of an effect must be a text", expression.path)
    return found


def _set_discount(run: TalangRun, arguments: tuple[Expression, ...]) -> None:
    name, value = arguments
    discount = Discount(_text(run, name), _at_unit(run, value))
    _applied(run, lambda own, scope: discount_session(own, scope, discount))


def _set_discount_per_item(run: TalangRun, arguments: tuple[Expression, ...]) -> None:
    """Discount all cart items, those of a list, or those of bundles: lists of lists."""
    name, value = arguments[:2]
    discount = Discount(_text(run, name), _at_unit(run, value))
    scope = _scope(run)
    if len(arguments) == 2:
        _applied(run, lambda own, at: discount_units(own, at, discount, at.units))
        return
    items = arguments[2]
    found = items.evaluate(run)
    found = restore_units(scope, found if isinstance(found, list) else [found])
    if found and all(isinstance(each, list) for each in found):
        label = items.source[-1] if isinstance(items.source, (list, tuple)) else ""
        bundles = [tuple(_units(each)) for each in found]
        _applied(
            run,
            lambda own, at: discount_bundles(
                own, at, discount, str(label), bundles, None, prorated=False
            ),
        )
        return
    units = _units(found)
    _applied(run, lambda own, at: discount_units(own, at, discount, units))


def _units(found: Sequence[Any]) -> Sequence[Unit]:
    if all(isinstance(each, Unit) for each in found):
        return found
    raise TalangError("the third argument of setDiscountPerItem must be cart items")


def _add_free_item(run: TalangRun, *texts: str) -> None:
    # The form of 2017 has the profile in front.
    sku, name = texts[-2:]
    _applied(
        run,
        lambda own, scope: award_items(own, scope, sku, name, ONE, partial=own.settings.partial),
    )


def _add_points(
    run: TalangRun, name: str, program_id: Decimal, subledger: str, value: Decimal
) -> None:
    award = Award(
        _constant(name), _id(program_id), subledger, "Current", _constant(value), None, {}
    )
    _applied(run, lambda own, scope: award_points(own, scope, award, {}))


def _deduct_points(
    run: TalangRun, name: str, program_id: Decimal, subledger: str, value: Decimal
) -> None:
    _applied(
        run,
        lambda own, scope: redeem_points(own, scope, _id(program_id), subledger, value, name),
    )


def _show_notification(run: TalangRun, kind: str, title: str, body: str = "") -> None:
    if kind not in NOTIFICATIONS:
        raise TalangError(f"{kind!r} is none of {', '.join(NOTIFICATIONS)}")
    props = {"notificationType": kind, "title": title, "body": body}

    def show(own: Run, scope: Scope) -> None:
        own.emit("showNotification", props)

    _applied(run, show)


def _update_attribute(run: TalangRun, path: str, value: Any) -> None:
    _applied(run, lambda own, scope: set_entity_attribute(own, scope, path, value))


def _check_notification(arguments: Sequence[Expression]) -> int:
    kind = arguments[0]
    if kind.literal and kind.source not in NOTIFICATIONS:
        raise TalangError(f"{kind.source!r} is none of {', '.join(NOTIFICATIONS)}", kind.path)
    return 0


_POINTS: Final = (STRING, DECIMAL, STRING, DECIMAL)

EFFECT_CALLS: Final[Mapping[str, Declaration]] = {
    "setdiscount": Lazy(_set_discount, 2, 2, returns=NULL),
    "setdiscountperitem": Lazy(_set_discount_per_item, 2, 3, returns=NULL),
    "addfreeitem": Function(
        Overload((STRING, STRING), _add_free_item, NULL),
        Overload((STRING, STRING, STRING), _add_free_item, NULL),
    ),
    "addloyaltypoints": Function(Overload(_POINTS, _add_points, NULL)),
    "deductloyaltypoints": Function(Overload(_POINTS, _deduct_points, NULL)),
    "shownotification": Function(
        Overload(
            (STRING, STRING, STRING),
            _show_notification,
            NULL,
            optional=1,
            check=_check_notification,
        )
    ),
    "updateattribute": Function(Overload((STRING, ANY), _update_attribute, NULL)),
}
"""Functions that are effects, by their names in lower case."""

FEATURES: Final = {"addloyaltypoints": "loyalty", "deductloyaltypoints": "loyalty"}
"""Features of a campaign without which an effect cannot be applied."""


def calls_effect(expression: Any) -> bool:
    """Return whether a program calls an effect anywhere."""
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        if isinstance(part, (list, tuple)) and part:
            if isinstance(part[0], str) and part[0].lower() in EFFECT_CALLS:
                return True
            waiting.extend(part)
    return False
