"""Parameters of webhooks and custom effects, and payloads that are filled with them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.budgets import ONE, claim
from talon_one.sandbox.rules.compiled import Action, EffectFailed, EvaluationError, WrongType
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.expressions import text_of
from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.rules.targets import ITEMS, compile_target
from talon_one.sandbox.values import format_time, json_number

Json: TypeAlias = Mapping[str, Any]
Params: TypeAlias = Callable[[Scope], dict[str, Any]]

_PLACEHOLDER: Final = re.compile(r"\$\{([^{}]*)\}")


def json_of(value: Any) -> Any:
    """Return a value of an expression as JSON.

    Raises:
        WrongType: If it has no form in JSON.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise WrongType("an infinite number has no form in JSON")
        return json_number(value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Unit):
        return dict(value.item)
    if isinstance(value, (list, tuple)):
        return [json_of(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): json_of(value[name]) for name in value}
    raise WrongType(f"{type(value).__name__} has no form in JSON")


def compile_params(block: Json, context: Context) -> Params:
    """Compile the `params` of a block; absent ones are none."""
    raw = context.mapping(block, "params", required=False)
    place = context.at("params")
    params = {name: place.optional(raw, name) for name in raw}

    def evaluate(scope: Scope) -> dict[str, Any]:
        return {
            name: None if value is None else json_of(value(scope)) for name, value in params.items()
        }

    return evaluate


def param_key(title: str, index: int) -> str:
    """Return the key of a parameter: its title in lower case with `_` for spaces.

    A blank title gives `param_` and its place among the parameters.
    """
    return title.strip().lower().replace(" ", "_") or f"param_{index}"


def fill(payload: str, values: Mapping[str, Any]) -> Any:
    """Fill the placeholders `${name}` of a payload, and return it as JSON.

    A text that is one placeholder becomes the value itself; inside a longer text the value is
    written as text.

    Raises:
        EvaluationError: If the payload is not JSON, or names a parameter that it does not have.
    """
    try:
        return _fill(json.loads(payload or "{}"), values)
    except ValueError:
        # Placeholders of numbers and lists may stand in the payload without quotes.
        text = _PLACEHOLDER.sub(lambda match: json.dumps(_value(match, values)), payload)
    try:
        return json.loads(text)
    except ValueError as cause:
        raise EvaluationError("the payload of the custom effect is not JSON") from cause


def _fill(part: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(part, dict):
        return {name: _fill(member, values) for name, member in part.items()}
    if isinstance(part, list):
        return [_fill(each, values) for each in part]
    if not isinstance(part, str):
        return part
    whole = _PLACEHOLDER.fullmatch(part)
    if whole is not None:
        return _value(whole, values)
    return _PLACEHOLDER.sub(lambda match: _text(_value(match, values)), part)


def _value(match: re.Match[str], values: Mapping[str, Any]) -> Any:
    name = match.group(1).strip()
    if name not in values:
        raise EvaluationError(f"the payload of the custom effect has no parameter {name!r}")
    return values[name]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return text_of(Decimal(str(value)))
    return json.dumps(value)


def compile_custom_effect(block: Json, context: Context) -> Action:
    """Compile a `triggerCustomEffect` block."""
    effect_id = context.reference(block, "customEffect")
    params = compile_params(block, context)
    raw = context.mapping(block, "target")
    target = compile_target(raw, context.at("target"), ("cart", *ITEMS, "bundle"))
    units, bundles = target.units, target.bundles

    def trigger(run: Run, scope: Scope) -> None:
        if bundles is not None:
            for index, bundle in enumerate(bundles(scope)):
                where = {"bundleIndex": index, "bundleName": target.name}
                for unit in bundle:
                    trigger_custom_effect(run, scope.at(unit), effect_id, params, where)
        elif units is not None:
            for unit in units(scope):
                trigger_custom_effect(run, scope.at(unit), effect_id, params, {})
        else:
            trigger_custom_effect(run, scope, effect_id, params, {})

    return trigger


def trigger_custom_effect(
    run: Run, scope: Scope, effect_id: int, params: Params, where: Mapping[str, Any]
) -> None:
    """Trigger a custom effect, for the unit at hand if there is one.

    Raises:
        EffectFailed: If its budget is used up, or it is switched off.
        EvaluationError: If there is no such custom effect, or its payload cannot be filled.
    """
    unit = scope.unit
    if unit is not None and not run.allows(unit.position):
        return
    definition = scope.situation.facts.custom_effect(effect_id)
    if definition is None:
        raise EvaluationError(f"there is no custom effect {effect_id}")
    if definition.get("enabled") is False:
        raise EffectFailed(f"the custom effect {effect_id} is switched off")
    grant = claim(scope, "customEffect", ONE)
    values = params(scope)
    for index, parameter in enumerate(definition.get("params") or ()):
        title = str(parameter.get("title") or "")
        key = param_key(title, index)
        if key in values:
            values.setdefault(title, values[key])
    props: dict[str, Any] = {
        "effectId": effect_id,
        "name": definition.get("name") or "",
        "payload": fill(definition.get("payload") or "{}", values),
    }
    if unit is not None:
        props["cartItemPosition"] = unit.position
        props["cartItemSubPosition"] = unit.sub_position
    props |= where
    effect = run.emit("customEffect", props)
    run.record(
        "customEffect",
        str(effect_id),
        ONE,
        effect,
        grant.counters,
        position=None if unit is None else unit.position,
        sub_position=None if unit is None else unit.sub_position,
    )
