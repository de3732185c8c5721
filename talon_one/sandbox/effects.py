"""Effects as JSON: building them, rolling them back, and translating them for V1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from talon_one.sandbox.records import Campaign

Effect: TypeAlias = dict[str, Any]

NO_CAMPAIGN: Final = -1

# The arguments of V1 effects, in order. Rejections carry the code alone: V1 has the reason in
# the `meta` of the event.
_V1_ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "acceptCoupon": ("value",),
        "rejectCoupon": ("value",),
        "rollbackCoupon": ("value",),
        "acceptReferral": ("value",),
        "rejectReferral": ("value",),
        "rollbackReferral": ("value",),
        "setDiscount": ("name", "value"),
        "setDiscountPerAdditionalCost": ("name", "additionalCostId", "additionalCost", "value"),
        "rollbackDiscount": ("name", "value"),
    }
)

_ROLLBACKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "acceptCoupon": "rollbackCoupon",
        "acceptReferral": "rollbackReferral",
        "setDiscount": "rollbackDiscount",
        "setDiscountPerAdditionalCost": "rollbackDiscount",
    }
)


def effect(
    effect_type: str,
    props: Mapping[str, Any],
    *,
    campaign: Campaign | None = None,
    rule_index: int = 0,
    coupon_id: int | None = None,
) -> Effect:
    """Return one effect.

    Args:
        effect_type: Name of the effect.
        props: Its properties; None values are left out.
        campaign: Campaign that produced the effect. None if no campaign is involved, as for an
            unknown code; the campaign id is then -1.
        rule_index: Position of the rule in the campaign's ruleset.
        coupon_id: Internal id of the coupon that triggered the effect, if any.
    """
    rules = campaign.rules if campaign else ()
    made: Effect = {
        "campaignId": campaign.id if campaign else NO_CAMPAIGN,
        "rulesetId": campaign.ruleset_id if campaign else 0,
        "ruleIndex": rule_index,
        "ruleName": rules[rule_index].name if rule_index < len(rules) else "",
        "effectType": effect_type,
        "props": {name: value for name, value in props.items() if value is not None},
    }
    if coupon_id is not None:
        made["triggeredByCoupon"] = coupon_id
    return made


def rollbacks(effects: Iterable[Mapping[str, Any]]) -> list[Effect]:
    """Return the effects that roll back the given ones, for those that can be rolled back."""
    return [
        {**done, "effectType": _ROLLBACKS[done["effectType"]]}
        for done in effects
        if done["effectType"] in _ROLLBACKS
    ]


def v1_tuples(effects: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """Translate effects for V1: `[campaignId, rulesetId, ruleIndex, [name, argument, ...]]`."""
    return [
        [
            made["campaignId"],
            made["rulesetId"],
            made["ruleIndex"],
            [
                made["effectType"],
                *(made["props"][name] for name in _V1_ARGUMENTS[made["effectType"]]),
            ],
        ]
        for made in effects
    ]


def v1_discounts(effects: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the discounts among the effects as V1 sessions list them: amounts by label."""
    return {
        made["props"]["name"]: made["props"]["value"]
        for made in effects
        if made["effectType"].startswith("setDiscount")
    }
