"""Undo redeemed codes and discounts: the counters are the journal's, the effects are made here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one.sandbox.consequences.occasion import Occasion
from talon_one.sandbox.rules.outcome import Effect
from talon_one.sandbox.state.journal import Entry


def rolled_back(entry: Entry, effect_type: str, props: Mapping[str, Any]) -> Effect:
    """Return the effect that says that the one of a row was rolled back."""
    done = dict(entry.effect or {})
    done.pop("conditionIndex", None)
    present = {name: value for name, value in props.items() if value is not None}
    return {**done, "effectType": effect_type, "props": present}


def undo_coupon(occasion: Occasion, entry: Entry) -> list[Effect]:
    """Return `rollbackCoupon` for an accepted coupon."""
    return [rolled_back(entry, "rollbackCoupon", {"value": _props(entry).get("value")})]


def undo_referral(occasion: Occasion, entry: Entry) -> list[Effect]:
    """Return `rollbackReferral` for an accepted referral."""
    return [rolled_back(entry, "rollbackReferral", {"value": _props(entry).get("value")})]


def undo_discount(occasion: Occasion, entry: Entry) -> list[Effect]:
    """Return `rollbackDiscount` for a discount of any scope."""
    props = _props(entry)
    names = ("name", "value", "additionalCostId", "additionalCost", "scope")
    return [
        rolled_back(
            entry,
            "rollbackDiscount",
            {
                **{name: props.get(name) for name in names},
                "cartItemPosition": props.get("position"),
                "cartItemSubPosition": props.get("subPosition"),
            },
        )
    ]


def _props(entry: Entry) -> Mapping[str, Any]:
    props: Mapping[str, Any] = (entry.effect or {}).get("props", {})
    return props
