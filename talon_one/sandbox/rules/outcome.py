"""What an evaluation returns: effects, and what they change once they are carried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

Effect: TypeAlias = dict[str, Any]
"""An `Effect` of the API. The one who carries it out adds the properties that only it knows."""

NO_CAMPAIGN = -1
"""Campaign ID of effects that no campaign has, such as the rejection of an unknown code."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """One change of the state that an effect asks for.

    What `target` and `details` hold, and what the effect still lacks:

    - `redeemCoupon`, `redeemReferral`: ID of the code.
    - `setDiscount`: name of the discount; its place and its cost stand in the effect.
    - `addFreeItemEffect`: SKU. `customEffect`: ID. `callApi`: ID of the webhook; `params`.
    - `awardGiveaway`: ID of the pool; `recipientIntegrationId`. The effect of a closed session
      lacks `giveawayId` and `code`.
    - `createCoupon`, `createReferral`: ID of the campaign; what the block says about the code.
      The effect lacks its `value`.
    - `reserveCoupon`: ID of the coupon; `profileIntegrationId`.
    - `createLoyaltyPoints`, `redeemLoyaltyPoints`: `<program>:<subledger>`;
      `recipientIntegrationId`, `cardIdentifier`, and the dates and durations of points that are
      awarded. The effect lacks `transactionUUID`.
    - `increaseProgress`: ID of the achievement; `value` that is reached, `starts` for the first
      progress of an iteration, `completes`. This effect, and `startAchievementProgress` before
      it, lack `progressTrackerId`.
    - `updateAttribute`: path; `entity`, `id`, `name` and `value`.
    - `addToAudience`, `removeFromAudience`: ID of the audience; `profileIntegrationId`.

    Attributes:
        kind: Action of `LimitConfig` that names the change, such as `redeemCoupon`, or one of the
            others above.
        target: What changes.
        amount: How much: money, points, or 1 for things that are counted.
        campaign_id: Campaign that had the effect.
        counters: Amounts by the key of the counter they move. The keys are those that
            `budgets` made, and belong to the limits that were in force.
        effect: The effect in the list of effects, to be completed when it is carried out.
        details: What carrying it out needs, by property names of the API.
        position: Index of the cart item, if the effect is about one.
        sub_position: Index of the unit of that item.
        early: Whether it is carried out while the session is open, and not only on closing.
        reversible: Whether cancelling or reopening the session takes the counters back. What was
            given may stay: free items, giveaways, custom effects and webhooks.
    """

    kind: str
    target: str
    amount: Decimal
    campaign_id: int
    counters: Mapping[str, Decimal]
    effect: Effect
    details: Mapping[str, Any] = field(default_factory=dict)
    position: int | None = None
    sub_position: int | None = None
    early: bool = False
    reversible: bool = True


@dataclass(slots=True)
class Evaluation:
    """The output of an evaluation.

    Attributes:
        effects: All effects that hold now, rejections included.
        consequences: Changes of the state, in the order of their effects.
        failures: Entries of `ruleFailureReasons`.
        eligibility: Entries of `campaignEligibility`.
        triggered: IDs of the campaigns that had at least one rule succeed and were not excluded.
        traces: How the rules went, see `traces.Trace`.
    """

    effects: list[Effect] = field(default_factory=list)
    consequences: list[Consequence] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    eligibility: list[dict[str, Any]] = field(default_factory=list)
    triggered: list[int] = field(default_factory=list)
    traces: list[dict[str, Any]] = field(default_factory=list)
