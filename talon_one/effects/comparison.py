"""Difference: what changes from one list of effects to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from talon_one.effects.extraction import effects_of
from talon_one.exceptions import ApiValueError

if TYPE_CHECKING:
    from talon_one.effects.extraction import EffectSource
    from talon_one.models import Effect

_IDENTITY = ("effectType", "campaignId", "rulesetId", "ruleIndex", "props")


@dataclass(frozen=True)
class Difference:
    """What a response changes. It is false if nothing changes."""

    undo: list[Effect]
    """Effects of the old response that no longer apply."""
    apply: list[Effect]
    """Effects of the new response that did not apply before."""
    unchanged: list[Effect]
    """Effects of the new response that applied before."""

    def __bool__(self) -> bool:
        return bool(self.undo or self.apply)


def difference(old: EffectSource, new: EffectSource) -> Difference:
    """Return what to undo and what to apply when one response follows another.

    Two effects are equal if their type, props, campaign, ruleset and rule are. A null property
    equals a missing one, and timestamps are equal if they are written the same way. The order of
    effects does not matter, and an effect that is listed twice counts twice. A discount whose value
    changed is one effect to undo and one to apply.

    Responses to a cancellation, a return or the reopening of a session cannot be compared. Their
    rollback effects say what to undo, and they do not list effects that remain.

    Args:
        old: The previous response, or an empty list.
        new: The current response.

    Raises:
        ApiValueError: One of them has rollback effects.
        ApiTypeError: One of them has no effects.
    """
    before, now = effects_of(old), effects_of(new)
    for effect in (*before, *now):
        if str(effect.effect_type).startswith("rollback"):
            raise ApiValueError(
                f"{effect.effect_type} says itself what to undo: handle the effects of this"
                " response as they are, and compare the next response with an empty list"
            )
    remaining = Counter(map(_key, before))
    apply: list[Effect] = []
    unchanged: list[Effect] = []
    for effect in now:
        key = _key(effect)
        (unchanged if remaining[key] else apply).append(effect)
        remaining[key] -= remaining[key] > 0
    undo: list[Effect] = []
    # Undo the last of several equal effects, which keeps the order of the list.
    for effect in reversed(before):
        key = _key(effect)
        if remaining[key]:
            undo.append(effect)
            remaining[key] -= 1
    return Difference(undo[::-1], apply, unchanged)


def _key(effect: Effect) -> Hashable:
    """Return a value that equal effects share."""
    data = effect.to_wire()
    return tuple(_frozen(data.get(name)) for name in _IDENTITY)


def _frozen(value: Any) -> Hashable:
    """Return JSON data as a hashable value. 1 equals 1.0, but not true."""
    if isinstance(value, dict):
        # Servers send null, or nothing, for a property without a value.
        return frozenset((key, _frozen(each)) for key, each in value.items() if each is not None)
    if isinstance(value, list):
        return ("list", *map(_frozen, value))
    return ("bool", value) if isinstance(value, bool) else value
