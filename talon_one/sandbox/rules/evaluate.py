"""Evaluate the campaigns of a situation, in the order and the groups of the evaluation tree."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.campaign_run import (
    CampaignOutcome,
    CampaignRun,
    envelope_of,
    reject,
)
from talon_one.sandbox.rules.cart import flatten
from talon_one.sandbox.rules.codes import (
    LOWER_DISCOUNT,
    NOT_FIRST,
    NOT_FOUND,
    NOT_TRIGGERED,
    campaign_rejection,
    rejection_of,
    takes_part,
)
from talon_one.sandbox.rules.outcome import NO_CAMPAIGN, Evaluation
from talon_one.sandbox.rules.reports import eligibility_of, failures_of
from talon_one.sandbox.rules.run import Mark, Run, Taken
from talon_one.sandbox.rules.shop import Group, ShopSituation
from talon_one.sandbox.rules.situation import CouponEntry, ReferralEntry
from talon_one.sandbox.rules.traces import traces_of
from talon_one.sandbox.values import ZERO

Member: TypeAlias = "int | Group"

_NOWHERE: Final = {"campaignId": NO_CAMPAIGN, "rulesetId": 0, "ruleIndex": 0, "ruleName": ""}


def evaluate(situation: ShopSituation) -> Evaluation:
    """Evaluate a situation. The same situation always gives the same evaluation.

    Args:
        situation: The input; it is not changed.

    Returns:
        Effects, their consequences, and reports about rules and campaigns.
    """
    return _Evaluator(situation).evaluate()


class _Evaluator:
    def __init__(self, situation: ShopSituation) -> None:
        self._situation = situation
        self._run = Run(situation)
        self._units = flatten(situation.session, self._run.settings.flattened)
        self._outcomes: dict[int, CampaignOutcome] = {}
        self._coupons: dict[int, list[CouponEntry]] = {}
        for coupon in situation.coupons:
            if coupon.coupon is not None:
                self._coupons.setdefault(coupon.coupon["campaignId"], []).append(coupon)

    def evaluate(self) -> Evaluation:
        situation, run = self._situation, self._run
        self._run_group(self._tree())
        self._reject_the_rest()
        campaigns = situation.campaigns
        evaluation = Evaluation(effects=run.effects, consequences=run.consequences)
        evaluation.traces = traces_of(campaigns, self._outcomes)
        for campaign_id, outcome in self._outcomes.items():
            if outcome.triggered and not outcome.exclusion:
                evaluation.triggered.append(campaign_id)
            evaluation.failures += failures_of(campaigns[campaign_id], outcome)
            if situation.eligibility:
                evaluation.eligibility.append(
                    eligibility_of(situation, campaigns[campaign_id], outcome)
                )
        return evaluation

    def _tree(self) -> Group:
        """Return the tree with the campaigns that it does not name behind the others."""
        situation = self._situation
        tree = situation.tree
        named = list(_campaigns(tree))
        seen = set(named)
        others = [each for each in sorted(situation.campaigns) if each not in seen]
        if situation.ignore_groups:
            return Group(members=(*named, *others))
        if not others:
            return tree
        return Group(tree.id, tree.mode, tree.scope, (*tree.members, *others), tree.locked)

    def _run_member(self, member: Member, group: Group) -> bool:
        """Run a campaign or a group, and return whether it was triggered."""
        if isinstance(member, Group):
            return self._run_group(member)
        entry = self._situation.campaigns.get(member)
        if entry is None or not takes_part(self._situation, entry.campaign):
            return False
        outcome = CampaignRun(
            self._run,
            self._situation,
            self._units,
            entry,
            group,
            self._coupons.get(member, []),
            self._referral_of(member),
        ).execute()
        self._outcomes[member] = outcome
        return outcome.triggered

    def _referral_of(self, campaign_id: int) -> ReferralEntry | None:
        entry = self._situation.referral
        if entry is None or entry.referral is None:
            return None
        return entry if entry.referral["campaignId"] == campaign_id else None

    def _run_group(self, group: Group) -> bool:
        if group.mode == "stackable":
            triggered = [self._run_member(member, group) for member in group.members]
            return any(triggered)
        if group.scope == "cartItem":
            return self._run_per_item(group)
        if group.mode == "listOrder":
            return self._run_first(group)
        return self._run_by_discount(group)

    def _run_first(self, group: Group) -> bool:
        winner = False
        for member in group.members:
            if winner:
                self._exclude(member, group, NOT_FIRST)
            else:
                winner = self._run_member(member, group)
        return winner

    def _run_by_discount(self, group: Group) -> bool:
        run = self._run
        mark = run.mark()
        failed: list[tuple[Member, Taken]] = []
        tried: list[tuple[Decimal, Member, Taken]] = []
        for member in group.members:
            triggered = self._run_member(member, group)
            discount = self._discount(mark)
            taken = run.take(mark)
            if triggered:
                tried.append((discount, member, taken))
            else:
                failed.append((member, taken))
        if tried:
            choose = max if group.mode == "highestDiscount" else min
            # The first of equal ones, in the order of the group.
            best = choose(tried, key=lambda each: each[0])
            run.put(best[2])
            for candidate in tried:
                if candidate is not best:
                    self._exclude(candidate[1], group, LOWER_DISCOUNT)
        for member, taken in failed:
            if taken.changes:
                # It has counted something, such as a custom effect: count again behind the winner.
                self._run_member(member, group)
            else:
                run.put(taken)
        return bool(tried)

    def _discount(self, mark: Mark) -> Decimal:
        found = self._run.consequences[mark.consequences :]
        return sum((each.amount for each in found if each.kind == "setDiscount"), ZERO)

    def _run_per_item(self, group: Group) -> bool:
        """Decide for each cart item which member may touch it, then run them so restricted."""
        run = self._run
        mark = run.mark()
        offers: list[dict[int, Decimal]] = []
        triggered: list[bool] = []
        for member in group.members:
            triggered.append(self._run_member(member, group))
            offers.append(self._offers(mark))
            run.rewind(mark)
        won = _winners(group.mode, offers)
        outer = run.positions
        reason = NOT_FIRST if group.mode == "listOrder" else LOWER_DISCOUNT
        for index, member in enumerate(group.members):
            if triggered[index] and offers[index]:
                if not won[index]:
                    self._exclude(member, group, reason)
                    continue
                run.positions = frozenset(won[index])
            self._run_member(member, group)
            run.positions = outer
        return any(triggered)

    def _offers(self, mark: Mark) -> dict[int, Decimal]:
        """Return the discount that was collected for each cart item that has effects."""
        offers: dict[int, Decimal] = {}
        for each in self._run.consequences[mark.consequences :]:
            if each.position is not None:
                discount = each.amount if each.kind == "setDiscount" else ZERO
                offers[each.position] = offers.get(each.position, ZERO) + discount
        return offers

    def _exclude(self, member: Member, group: Group, reason: str) -> None:
        """Reject the codes of campaigns that lost, and remember that they lost."""
        if isinstance(member, Group):
            for each in member.members:
                self._exclude(each, member, reason)
            return
        entry = self._situation.campaigns.get(member)
        if entry is None or not takes_part(self._situation, entry.campaign):
            return
        outcome = self._outcomes.setdefault(member, CampaignOutcome())
        outcome.exclusion = reason
        envelope = envelope_of(entry, group)
        for coupon in self._coupons.get(member, ()):
            self._reject_coupon(coupon, envelope, reason)
        referral = self._referral_of(member)
        if referral is not None:
            rejection = rejection_of("referral", NOT_TRIGGERED, reason)
            reject(self._run, envelope, "referral", referral.code, rejection)

    def _reject_coupon(self, coupon: CouponEntry, envelope: dict[str, Any], reason: str) -> None:
        rejection = rejection_of("coupon", NOT_TRIGGERED, reason)
        if coupon.coupon is not None:
            envelope = {**envelope, "triggeredByCoupon": coupon.coupon["id"]}
        reject(self._run, envelope, "coupon", coupon.code, rejection)

    def _reject_the_rest(self) -> None:
        """Reject codes that nobody knows, and those of campaigns that do not take part."""
        for coupon in self._situation.coupons:
            self._reject_unless_evaluated("coupon", coupon.code, coupon.coupon)
        referral = self._situation.referral
        if referral is not None:
            self._reject_unless_evaluated("referral", referral.code, referral.referral)

    def _reject_unless_evaluated(self, kind: str, code: str, entity: Any) -> None:
        situation = self._situation
        entry = None if entity is None else situation.campaigns.get(entity["campaignId"])
        if entry is None:
            reject(self._run, _NOWHERE, kind, code, rejection_of(kind, NOT_FOUND))
            return
        if entry.campaign["id"] in self._outcomes:
            return
        envelope = envelope_of(entry, Group())
        if kind == "coupon":
            envelope["triggeredByCoupon"] = entity["id"]
        rejection = campaign_rejection(situation, entry.campaign, kind)
        reject(self._run, envelope, kind, code, rejection)


def _campaigns(group: Group) -> Iterator[int]:
    for member in group.members:
        if isinstance(member, Group):
            yield from _campaigns(member)
        else:
            yield member


def _winners(mode: str, offers: list[dict[int, Decimal]]) -> list[set[int]]:
    """Return the cart items that each member won; ties go to the first."""
    won: list[set[int]] = [set() for _ in offers]
    positions = {position for offer in offers for position in offer}
    for position in sorted(positions):
        rivals = [index for index, offer in enumerate(offers) if position in offer]
        if mode == "listOrder":
            best = rivals[0]
        else:
            choose = max if mode == "highestDiscount" else min
            best = choose(rivals, key=lambda index: offers[index][position])
        won[best].add(position)
    return won
