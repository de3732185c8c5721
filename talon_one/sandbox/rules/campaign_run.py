"""Run the rules of one campaign, and accept or reject the codes that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.rules.budgets import ONE, counted
from talon_one.sandbox.rules.codes import (
    EFFECT_FAILED,
    REJECTED_BY_CONDITION,
    Rejection,
    check_coupon,
    check_referral,
    rejection_of,
)
from talon_one.sandbox.rules.compiled import Rule
from talon_one.sandbox.rules.rule_run import Failure, RuleRun
from talon_one.sandbox.rules.run import Mark, Run
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.rules.shop import CampaignEntry, Group
from talon_one.sandbox.rules.situation import CouponEntry, Json, ReferralEntry, Situation

ACTIONS: Final = {"coupon": "redeemCoupon", "referral": "redeemReferral"}


@dataclass(slots=True)
class RuleOutcome:
    """How one run of a rule went.

    Attributes:
        rule: The rule.
        failure: Why it failed, None if it succeeded.
        coupon: The coupon at hand, if the rule ran for one.
        referral: The referral at hand, if the rule checks it.
        group: The evaluation group.
    """

    rule: Rule
    failure: Failure | None
    coupon: Json | None
    referral: Json | None
    group: Group


@dataclass(slots=True)
class CampaignOutcome:
    """How a campaign went.

    Attributes:
        triggered: Whether a rule succeeded.
        exclusion: Why the campaign lost in its group, empty if it did not.
        rules: The runs of its rules.
    """

    triggered: bool = False
    exclusion: str = ""
    rules: list[RuleOutcome] = field(default_factory=list)


def envelope_of(entry: CampaignEntry, group: Group) -> dict[str, Any]:
    """Return the properties that all effects of a campaign have."""
    envelope: dict[str, Any] = {
        "campaignId": entry.campaign["id"],
        "rulesetId": entry.ruleset.id,
        "ruleIndex": 0,
        "ruleName": "",
    }
    if group.id:
        envelope["evaluationGroupID"] = group.id
        envelope["evaluationGroupMode"] = group.mode
    return envelope


def reject(
    run: Run,
    envelope: Mapping[str, Any],
    kind: str,
    code: str,
    rejection: Rejection,
    failure: Failure | None = None,
) -> None:
    """Collect the rejection of a code.

    Args:
        run: The evaluation.
        envelope: Properties of the effect.
        kind: `coupon` or `referral`.
        code: The code.
        rejection: Why.
        failure: The failure of the rule that rejects it, if one does.
    """
    props: dict[str, Any] = {"value": code, "rejectionReason": rejection.reason}
    details = rejection.details
    if failure is not None:
        if failure.condition_index is not None:
            props["conditionIndex"] = failure.condition_index
        if failure.effect_index is not None:
            props["effectIndex"] = failure.effect_index
        details = details or failure.details
    if details:
        props["details"] = details
    if rejection.exclusion:
        props["campaignExclusionReason"] = rejection.exclusion
    run.envelope = envelope
    run.emit(f"reject{kind.capitalize()}", props)


class CampaignRun:
    """Runs the rules of a campaign.

    Args:
        run: The evaluation.
        situation: Its input.
        units: The units of the cart.
        entry: The campaign.
        group: Its evaluation group.
        coupons: Entries of the coupons that belong to the campaign.
        referral: Entry of the referral if it belongs to the campaign.
    """

    def __init__(
        self,
        run: Run,
        situation: Situation,
        units: tuple[Unit, ...],
        entry: CampaignEntry,
        group: Group,
        coupons: list[CouponEntry],
        referral: ReferralEntry | None,
    ) -> None:
        self._run = run
        self._entry = entry
        self._group = group
        self._coupons = coupons
        self._referral = referral
        self._outcome = CampaignOutcome()
        self._envelope = envelope_of(entry, group)
        self._rejections: dict[str, tuple[Mapping[str, Any], Rejection, Failure | None]] = {}
        self._scope = Scope(
            situation,
            units,
            entry.ruleset.names,
            campaign=entry.campaign,
            referral=None if referral is None else referral.referral,
            tentative=run.tentative,
            progress=run.progress,
            used=run.used,
        )

    def execute(self) -> CampaignOutcome:
        """Run all rules."""
        run, scope = self._run, self._scope
        run.campaign_id = self._entry.campaign["id"]
        scopes = [
            (coupon, replace(scope, coupon=coupon.coupon, values={})) for coupon in self._coupons
        ]
        for rule in self._entry.ruleset.rules:
            if rule.coupon and scopes:
                for coupon, coupon_scope in scopes:
                    self._run_rule(rule, coupon_scope, coupon)
            else:
                self._run_rule(rule, scope, None)
        for coupon in self._coupons:
            self._reject("coupon", coupon.code, coupon.coupon or {})
        if self._referral is not None:
            self._reject("referral", self._referral.code, self._referral.referral or {})
        return self._outcome

    def _run_rule(self, rule: Rule, scope: Scope, coupon: CouponEntry | None) -> None:
        run = self._run
        if rule.bindings:
            names = {**scope.names, **rule.bindings}
            scope = replace(scope, names=names, values=dict(scope.values))
        envelope = {**self._envelope, "ruleIndex": rule.index, "ruleName": rule.title}
        if scope.coupon is not None:
            envelope["triggeredByCoupon"] = scope.coupon["id"]
        run.envelope = envelope
        run.rule_title = rule.title
        coupon_rejection = referral_rejection = None
        if rule.coupon:
            coupon_rejection = self._check_coupon(scope)
            scope.coupon_valid = coupon_rejection is None
        if rule.referral:
            referral_rejection = self._check_referral(scope)
            scope.referral_valid = referral_rejection is None
        mark = run.mark()
        failure = RuleRun(run, scope, rule).execute()
        if failure is None:
            self._outcome.triggered = True
            if rule.referral and scope.referral_valid:
                self._accept("referral", scope, rule.redeems_referral, mark)
            if rule.coupon and scope.coupon_valid:
                self._accept("coupon", scope, rule.redeems_coupon, mark)
        if coupon is not None:
            self._note_rejection(coupon.code, "coupon", envelope, coupon_rejection, failure)
        if rule.referral and self._referral is not None:
            code = self._referral.code
            self._note_rejection(code, "referral", envelope, referral_rejection, failure)
        referral = scope.referral if rule.referral else None
        self._outcome.rules.append(RuleOutcome(rule, failure, scope.coupon, referral, self._group))

    def _check_coupon(self, scope: Scope) -> Rejection | None:
        if scope.coupon is not None and ("coupon", scope.coupon["id"]) in self._run.accepted:
            return None
        return check_coupon(scope)

    def _check_referral(self, scope: Scope) -> Rejection | None:
        if self._referral is None or scope.referral is None:
            return rejection_of("referral", "NotFound")
        if ("referral", scope.referral["id"]) in self._run.accepted:
            return None
        return check_referral(scope, self._referral)

    def _accept(self, kind: str, scope: Scope, redeems: bool, mark: Mark) -> None:
        """Accept a code, and redeem it once; its effect stands before those of the rule."""
        run = self._run
        code = scope.coupon if kind == "coupon" else scope.referral
        if code is None:
            return
        key = (kind, code["id"])
        redeemed = run.accepted.get(key)
        if redeemed is None:
            value = code["value"] if kind == "coupon" else code["code"]
            effect = run.emit(f"accept{kind.capitalize()}", {"value": value})
            run.effects.insert(mark.effects, run.effects.pop())
        else:
            effect = next(
                each
                for each in run.effects
                if each["effectType"] == f"accept{kind.capitalize()}"
                and each["props"]["value"] == code["value" if kind == "coupon" else "code"]
            )
        if redeems and not redeemed:
            action = ACTIONS[kind]
            counters: dict[str, Decimal] = counted(scope, action, ONE)
            run.record(action, str(code["id"]), ONE, effect, counters)
            run.consequences.insert(mark.consequences, run.consequences.pop())
        run.set(run.accepted, key, bool(redeems or redeemed))

    def _note_rejection(
        self,
        code: str,
        kind: str,
        envelope: Mapping[str, Any],
        rejection: Rejection | None,
        failure: Failure | None,
    ) -> None:
        """Keep the first reason for which a code is rejected, should no rule accept it."""
        key = f"{kind}:{code}"
        if key in self._rejections:
            return
        if rejection is None:
            if failure is None:
                return
            reason = REJECTED_BY_CONDITION if failure.effect_index is None else EFFECT_FAILED
            rejection = rejection_of(kind, reason)
        self._rejections[key] = (envelope, rejection, failure)

    def _reject(self, kind: str, code: str, entity: Json) -> None:
        if (kind, entity.get("id")) in self._run.accepted:
            return
        found = self._rejections.get(f"{kind}:{code}")
        if found is None:
            envelope = dict(self._envelope)
            if kind == "coupon":
                envelope["triggeredByCoupon"] = entity.get("id")
            found = (envelope, self._unchecked(kind, entity), None)
        envelope_found, rejection, failure = found
        reject(self._run, envelope_found, kind, code, rejection, failure)

    def _unchecked(self, kind: str, entity: Json) -> Rejection:
        """Return why a code is rejected that no rule checks."""
        scope = self._scope
        if kind == "coupon":
            found = check_coupon(replace(scope, coupon=entity))
        else:
            found = None if self._referral is None else check_referral(scope, self._referral)
        details = f"no rule of the campaign checks {kind}s"
        return found or rejection_of(kind, REJECTED_BY_CONDITION, details=details)
