"""The rule engine: campaigns, a session and its codes in, effects out. No I/O.

A rule is data (see `campaign`): a list of conditions and a list of effects, each with a `type`
and its parameters. This module implements the types.

Conditions: `couponIsValid`, `referralIsValid`, `cartItemTotalAtLeast` (amount),
`hasAdditionalCost` (additionalCost).
Effects: `percentOffSession` (name, percent), `amountOffSession` (name, amount),
`freeAdditionalCost` (name, additionalCost, additionalCostId).

Codes are checked in this order: unknown, campaign not running, campaign not evaluated, not yet
valid, expired, recipient, reservation, usage limit; then the conditions of the rule decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from talon_one.sandbox.effects import Effect, effect
from talon_one.sandbox.records import Campaign, Coupon, Referral, Rule, Session
from talon_one.sandbox.values import ZERO, amount, cents, json_number


@dataclass(frozen=True, slots=True)
class CouponEntry:
    """A coupon code of the session, and the coupon if there is one."""

    code: str
    coupon: Coupon | None = None
    reserved: bool = False


@dataclass(frozen=True, slots=True)
class ReferralEntry:
    """The referral code of the session, and the referral if there is one."""

    code: str
    referral: Referral | None = None
    already_referred: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """The input of an evaluation.

    Attributes:
        session: The session, merged and in its new state.
        now: Moment at which codes have to be valid.
        campaigns: Campaigns of the Application.
        coupons: One entry per distinct coupon code, in the order sent.
        referral: The referral code, if the session has one.
        evaluable: Ids of the only campaigns to evaluate, disabled ones included; None for all
            running ones.
    """

    session: Session
    now: str
    campaigns: Sequence[Campaign]
    coupons: Sequence[CouponEntry] = ()
    referral: ReferralEntry | None = None
    evaluable: frozenset[int] | None = None

    def takes_part(self, campaign: Campaign) -> bool:
        """Return whether the rules of a campaign are evaluated."""
        if self.evaluable is not None:
            return campaign.id in self.evaluable and campaign.state != "archived"
        return campaign.running


@dataclass(slots=True)
class Evaluation:
    """The output of an evaluation.

    Attributes:
        effects: All effects that hold for the session now, rejections included.
        failures: Entries of `ruleFailureReasons`.
        coupons: Coupons accepted, which closing the session redeems.
        referrals: The referral accepted, if any.
    """

    effects: list[Effect] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    coupons: list[Coupon] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)

    @property
    def triggered(self) -> set[int]:
        """Ids of the campaigns with an effect other than a rejection."""
        return {
            made["campaignId"]
            for made in self.effects
            if not made["effectType"].startswith("reject")
        }


def evaluate(situation: Situation) -> Evaluation:
    """Run all rules of all campaigns that take part."""
    engine = _Engine(situation)
    for entry in situation.coupons:
        engine.check_coupon(entry)
    if situation.referral is not None:
        engine.check_referral(situation.referral)
    for campaign in situation.campaigns:
        if situation.takes_part(campaign):
            for index, rule in enumerate(campaign.rules):
                engine.run(campaign, index, rule)
    engine.reject_the_rest()
    return engine.result


class _Engine:
    """One evaluation in progress."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.result = Evaluation()
        self.campaigns = {campaign.id: campaign for campaign in situation.campaigns}
        self.totals = situation.session.totals()
        self.worth = situation.session.worth()
        # The sum of all discounts never exceeds the total of the session.
        self.left = max(self.worth, ZERO)
        self.valid_coupons: list[Coupon] = []
        self.valid_referral: Referral | None = None
        # Index of the condition that failed for a valid code, by code.
        self.failed_condition: dict[str, int] = {}

    def check_coupon(self, entry: CouponEntry) -> None:
        coupon = entry.coupon
        reason = "CouponNotFound" if coupon is None else self._coupon_fault(coupon, entry.reserved)
        if coupon is not None and not reason:
            self.valid_coupons.append(coupon)
        else:
            self._reject("Coupon", entry.code, reason, coupon)

    def _coupon_fault(self, coupon: Coupon, reserved: bool) -> str:
        profile = self.situation.session.profile_id
        if fault := self._validity_fault("Coupon", coupon):
            return fault
        if coupon.recipient is not None and coupon.recipient != profile:
            return "CouponRecipientDoesNotMatch"
        if coupon.reservation_mandatory and not profile:
            return "ProfileRequired"
        if coupon.reservation_mandatory and not reserved:
            return "CouponReservationRequired"
        return "CouponLimitReached" if coupon.used_up else ""

    def check_referral(self, entry: ReferralEntry) -> None:
        referral = entry.referral
        if referral is None:
            reason = "ReferralNotFound"
        else:
            reason = self._referral_fault(referral, entry.already_referred)
        if referral is not None and not reason:
            self.valid_referral = referral
        else:
            self._reject("Referral", entry.code, reason, referral)

    def _referral_fault(self, referral: Referral, already_referred: bool) -> str:
        profile = self.situation.session.profile_id
        if fault := self._validity_fault("Referral", referral):
            return fault
        if referral.advocate == profile:
            return "ReferralRecipientIdSameAsAdvocate"
        if referral.friend is not None and referral.friend != profile:
            return "ReferralRecipientDoesNotMatch"
        if already_referred:
            return "ReferralCustomerAlreadyReferred"
        return "ReferralLimitReached" if referral.used_up else ""

    def _validity_fault(self, kind: str, code: Coupon | Referral) -> str:
        campaign = self.campaigns[code.campaign_id]
        if self.situation.evaluable is None and not campaign.running:
            return f"{kind}PartOfNotRunningCampaign"
        if not self.situation.takes_part(campaign):
            return f"{kind}PartOfNotTriggeredCampaign"
        now = self.situation.now
        if code.start_date is not None and now < code.start_date:
            return f"{kind}StartDateInFuture"
        if code.expiry_date is not None and now >= code.expiry_date:
            return f"{kind}Expired"
        return ""

    def _reject(self, kind: str, code: str, reason: str, found: Coupon | Referral | None) -> None:
        campaign = self.campaigns[found.campaign_id] if found else None
        condition = "couponIsValid" if kind == "Coupon" else "referralIsValid"
        excluded = reason.endswith("NotTriggeredCampaign")
        props = {
            "value": code,
            "rejectionReason": reason,
            "conditionIndex": self.failed_condition.get(code),
            "campaignExclusionReason": "CampaignNotInEvaluationSet" if excluded else None,
        }
        self.result.effects.append(
            effect(
                f"reject{kind}",
                props,
                campaign=campaign,
                rule_index=_first_rule(campaign, condition),
                coupon_id=found.id if isinstance(found, Coupon) else None,
            )
        )

    def reject_the_rest(self) -> None:
        """Reject the valid codes that no rule accepted."""
        for coupon in self.valid_coupons:
            if coupon not in self.result.coupons:
                self._reject("Coupon", coupon.value, "CouponRejectedByCondition", coupon)
        referral = self.valid_referral
        if referral is not None and referral not in self.result.referrals:
            self._reject("Referral", referral.code, "ReferralRejectedByCondition", referral)

    def run(self, campaign: Campaign, index: int, rule: Rule) -> None:
        """Run a rule once, or once for each valid code if it has a condition about codes."""
        if rule.needs("couponIsValid"):
            coupons = [one for one in self.valid_coupons if one.campaign_id == campaign.id]
            for coupon in coupons:
                self._run_once(campaign, index, rule, coupon)
        elif rule.needs("referralIsValid"):
            referral = self.valid_referral
            if referral is not None and referral.campaign_id == campaign.id:
                self._run_once(campaign, index, rule, referral)
        else:
            self._run_once(campaign, index, rule, None)

    def _run_once(
        self, campaign: Campaign, index: int, rule: Rule, code: Coupon | Referral | None
    ) -> None:
        for position, condition in enumerate(rule.conditions):
            if not self._holds(condition):
                self._note_failure(campaign, index, rule, code, position)
                return
        coupon_id = code.id if isinstance(code, Coupon) else None
        made = [
            (kind, props)
            for kind, props in (
                self._acceptance(code),
                *(self._discount(template) for template in rule.effects),
            )
            if kind
        ]
        self.result.effects += [
            effect(kind, props, campaign=campaign, rule_index=index, coupon_id=coupon_id)
            for kind, props in made
        ]

    def _note_failure(
        self,
        campaign: Campaign,
        index: int,
        rule: Rule,
        code: Coupon | Referral | None,
        position: int,
    ) -> None:
        entry: dict[str, Any] = {
            "campaignID": campaign.id,
            "campaignName": campaign.name,
            "rulesetID": campaign.ruleset_id,
            "ruleIndex": index,
            "ruleName": rule.name,
            "conditionIndex": position,
        }
        if isinstance(code, Coupon):
            entry |= {"couponID": code.id, "couponValue": code.value}
            self.failed_condition[code.value] = position
        elif isinstance(code, Referral):
            entry |= {"referralID": code.id, "referralValue": code.code}
            self.failed_condition[code.code] = position
        self.result.failures.append(entry)

    def _holds(self, condition: Mapping[str, Any]) -> bool:
        match condition["type"]:
            case "couponIsValid" | "referralIsValid":
                # Rules about codes only run for codes that passed their checks.
                return True
            case "cartItemTotalAtLeast":
                return self.totals.cart_items >= amount(condition["amount"])
            case "hasAdditionalCost":
                return self._cost(condition["additionalCost"]) is not None
            case unknown:
                raise ValueError(f"unknown condition {unknown!r}")

    def _acceptance(self, code: Coupon | Referral | None) -> tuple[str, dict[str, Any]]:
        if isinstance(code, Coupon):
            if code in self.result.coupons:
                return "", {}
            self.result.coupons.append(code)
            return "acceptCoupon", {"value": code.value}
        if isinstance(code, Referral):
            if code in self.result.referrals:
                return "", {}
            self.result.referrals.append(code)
            return "acceptReferral", {"value": code.code}
        return "", {}

    def _discount(self, template: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        props: dict[str, Any] = {"name": template["name"]}
        match template["type"]:
            case "percentOffSession":
                kind, wanted = "setDiscount", self.worth * amount(template["percent"]) / 100
            case "amountOffSession":
                kind, wanted = "setDiscount", amount(template["amount"])
            case "freeAdditionalCost":
                kind, wanted = (
                    "setDiscountPerAdditionalCost",
                    self._cost(template["additionalCost"]) or ZERO,
                )
                props |= {
                    "additionalCostId": template["additionalCostId"],
                    "additionalCost": template["additionalCost"],
                }
            case unknown:
                raise ValueError(f"unknown effect {unknown!r}")
        given = min(cents(wanted), self.left)
        if given <= 0:
            return "", {}
        self.left -= given
        return kind, {**props, "value": json_number(given)}

    def _cost(self, name: str) -> Decimal | None:
        costs = self.situation.session.content.get("additionalCosts", {})
        return amount(costs[name]["price"]) if name in costs else None


def _first_rule(campaign: Campaign | None, condition: str) -> int:
    """Return the index of the first rule with this condition, 0 if there is none."""
    rules = campaign.rules if campaign else ()
    return next((index for index, rule in enumerate(rules) if rule.needs(condition)), 0)
