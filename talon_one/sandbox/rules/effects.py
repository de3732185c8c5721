"""Compile effect blocks: each gives effects, and what they change once they are carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.codes import has_feature
from talon_one.sandbox.rules.compiled import Action, EffectFailed
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.discount_blocks import compile_discount
from talon_one.sandbox.rules.payloads import compile_custom_effect
from talon_one.sandbox.rules.points import compile_award, compile_redemption
from talon_one.sandbox.rules.progress import compile_progress
from talon_one.sandbox.rules.rewards import (
    compile_create_coupon,
    compile_create_referral,
    compile_free_items,
    compile_giveaway,
    compile_notification,
    compile_reserve_coupon,
    compile_webhook,
)
from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.rules.updates import compile_membership, compile_update

Json: TypeAlias = Mapping[str, Any]

_COMPILERS: Final[Mapping[str, Callable[[Json, Context], Action]]] = {
    "awardDiscount": compile_discount,
    "awardGiveaway": compile_giveaway,
    "awardItem": compile_free_items,
    "awardLoyaltyPoints": compile_award,
    "createCoupon": compile_create_coupon,
    "createReferral": compile_create_referral,
    "redeemLoyaltyPoints": compile_redemption,
    "reserveCoupon": compile_reserve_coupon,
    "showNotification": compile_notification,
    "triggerCustomEffect": compile_custom_effect,
    "triggerWebhook": compile_webhook,
    "updateAchievementProgress": compile_progress,
    "updateAttributeValue": compile_update,
    "updateAudienceMembership": compile_membership,
}

FEATURES: Final = {
    "awardGiveaway": "giveaways",
    "awardLoyaltyPoints": "loyalty",
    "createCoupon": "coupons",
    "createReferral": "referrals",
    "redeemLoyaltyPoints": "loyalty",
    "reserveCoupon": "coupons",
    "updateAchievementProgress": "achievements",
}
"""Features of a campaign without which an effect cannot be applied."""


def compile_effect(block: Json, context: Context) -> Action:
    """Compile an effect block.

    Args:
        block: The block, of a type in `compile.EFFECTS`.
        context: Its place.
    """
    kind = block["type"]
    action = _COMPILERS[kind](block, context)
    feature = FEATURES.get(kind)
    return action if feature is None else with_feature(action, feature)


def with_feature(action: Action, feature: str) -> Action:
    """Return an effect that fails in campaigns without a feature."""

    def apply(run: Run, scope: Scope) -> None:
        if not has_feature(scope.campaign, feature):
            raise EffectFailed(f"the campaign does not have the feature {feature}")
        action(run, scope)

    return apply
