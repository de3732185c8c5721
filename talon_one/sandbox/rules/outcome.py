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

    Attributes:
        kind: Action of `LimitConfig` that names the change, such as `redeemCoupon`; further ones
            are `updateAttribute`, `addToAudience`, `removeFromAudience` and `increaseProgress`.
        target: What changes: ID of a coupon, `<program>:<subledger>`, name of a discount, ...
        amount: How much: money, points, or 1 for things that are counted.
        campaign_id: Campaign that had the effect.
        counters: Amounts by the key of the counter they move. The keys are those that
            `budgets` made, and belong to the limits that were in force.
        effect: The effect in the list of effects, to be completed when it is carried out.
        details: What carrying it out needs, by property names of the API.
        position: Index of the cart item, if the effect is about one.
        sub_position: Index of the unit of that item.
        early: Whether it is carried out while the session is open, and not only on closing.
        reversible: Whether cancelling or reopening the session reverses the counters.
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
    """

    effects: list[Effect] = field(default_factory=list)
    consequences: list[Consequence] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    eligibility: list[dict[str, Any]] = field(default_factory=list)
    triggered: list[int] = field(default_factory=list)
