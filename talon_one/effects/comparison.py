"""Which effects an answer lists, and what has changed from one answer to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from talon_one._core.hooks import logger
from talon_one._schema.model import Model
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.models import Effect

if TYPE_CHECKING:
    from typing import Protocol, TypeAlias

    class HasEffects(Protocol):
        """An answer that lists effects."""

        @property
        def effects(self) -> Sequence[Effect] | None:
            """The effects; null where a server has none to list."""

    RawResponse: TypeAlias = HasEffects | Iterable[Effect | dict[str, Any]]

_NOT_V1 = "effects of V1 answers are lists, to be read from answer.event.effects"
_SAYS = ("effectType", "campaignId", "rulesetId", "ruleIndex", "props")


def effects_of(answer: RawResponse | None) -> list[Effect]:
    """Return the effects of an answer, or of a list.

    What is no object among them, such as a null, is passed over; the log (``talon_one``) says so.

    Raises:
        ApiTypeError: *answer* is something else, ``None``, or an answer of a V1 operation.
    """
    listed: Any = answer
    if isinstance(answer, Model):
        if "effects" not in answer._by_name:
            hint = f"; {_NOT_V1}" if "event" in answer._by_name else ""
            raise ApiTypeError(f"{type(answer).__name__} has no effects{hint}")
        # Servers write an empty list as null, or not at all.
        listed = [] if answer.get("effects") is None else answer["effects"]
    elif answer is None:
        raise ApiTypeError("there is no answer; for one to an event, track it with silent='no'")
    if isinstance(listed, (str, bytes, Mapping)) or not isinstance(listed, Iterable):
        raise ApiTypeError(f"effects are those of an answer or a list, not {type(listed).__name__}")
    with guarded("the list of effects"):
        entries = list(listed)
    found = [_effect(entry) for entry in entries if isinstance(entry, (Effect, dict))]
    if len(found) < len(entries):
        others = [entry for entry in entries if not isinstance(entry, (Effect, dict))]
        _pass_over(others, alone=not found, sent=isinstance(answer, Model))
    return found


def _effect(entry: Effect | dict[str, Any]) -> Effect:
    return entry if isinstance(entry, Effect) else Effect.from_dict(entry)


def _pass_over(others: list[Any], alone: bool, sent: bool) -> None:
    """Report entries that are no effects, or refuse a list that was never one of effects.

    Args:
        others: The entries.
        alone: Whether there are no effects beside them.
        sent: Whether a server sent them, rather than the caller.
    """
    for other in others if alone else ():
        hint = f"; {_NOT_V1}" if isinstance(other, (list, tuple)) else ""
        if hint or not (sent or other is None):
            raise ApiTypeError(
                f"an effect is an Effect or a dict, not {type(other).__name__}{hint}"
            )
    logger.warning("passed over what is no effect: %s", quoted(others))


def place(effect: Effect) -> str:
    """Return what leads people to the rule behind an effect."""
    return f"{effect.effect_type} of campaign {effect.campaign_id}, rule {quoted(effect.rule_name)}"


def props_of(effect: Effect) -> Any:
    """Return the props of an effect, in the class that its type names.

    Raises:
        ApiValueError: They are missing, or no object.
    """
    props: object = effect.props
    if not isinstance(props, Model):
        raise ApiValueError(f"{place(effect)}: props is {quoted(props)}, no object")
    return props


@dataclass(frozen=True)
class Difference:
    """What an answer changes; false if it changes nothing."""

    undo: list[Effect]
    """Effects of the old answer that hold no more."""
    apply: list[Effect]
    """Effects of the new answer that did not hold before."""
    unchanged: list[Effect]
    """Effects of the new answer that held before."""

    def __bool__(self) -> bool:
        return bool(self.undo or self.apply)


def difference(old: RawResponse, new: RawResponse) -> Difference:
    """Return what to undo and what to apply when one answer follows another.

    Effects are the same if type, props, campaign, ruleset and rule are. A property that is null is
    as one that is missing; timestamps are the same if they are written the same. The order of
    effects means nothing, and an effect that is listed twice counts twice. A discount with another
    value is one to undo and one to apply.

    Answers to a cancellation, a return or the reopening of a session cannot be compared with
    others. Their rollback effects say what to undo, and effects that are kept are not listed.

    Args:
        old: The answer before, or an empty list.
        new: The answer now.

    Raises:
        ApiValueError: One of them has rollback effects.
        ApiTypeError: One of them has no effects.
    """
    before, now = effects_of(old), effects_of(new)
    for effect in (*before, *now):
        if str(effect.effect_type).startswith("rollback"):
            raise ApiValueError(
                f"{effect.effect_type} says itself what to undo: handle the effects of this answer "
                "as they are, and compare the next answer with an empty list"
            )
    left = Counter(map(_said, before))
    apply: list[Effect] = []
    unchanged: list[Effect] = []
    for effect in now:
        said = _said(effect)
        (unchanged if left[said] else apply).append(effect)
        left[said] -= left[said] > 0
    undo: list[Effect] = []
    # Of equal ones the last go: it makes no difference, and the list keeps its order.
    for effect in reversed(before):
        said = _said(effect)
        if left[said]:
            undo.append(effect)
            left[said] -= 1
    return Difference(undo[::-1], apply, unchanged)


def _said(effect: Effect) -> Hashable:
    """Return what makes two effects the same."""
    data = effect.to_wire()
    return tuple(_frozen(data.get(name)) for name in _SAYS)


def _frozen(value: Any) -> Hashable:
    """Return JSON data as a key: 1 and 1.0 are the same number, but true is none."""
    if isinstance(value, dict):
        # Servers write what there is not as null, or not at all.
        return frozenset((key, _frozen(each)) for key, each in value.items() if each is not None)
    if isinstance(value, list):
        return ("list", *map(_frozen, value))
    return ("bool", value) if isinstance(value, bool) else value
