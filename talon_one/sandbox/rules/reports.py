"""What responses say about rules that failed and campaigns that a customer qualifies for."""

from __future__ import annotations

from typing import Any, Final

from talon_one.sandbox.rules.campaign_run import CampaignOutcome, RuleOutcome
from talon_one.sandbox.rules.shop import CampaignEntry
from talon_one.sandbox.rules.situation import Json, Situation

_CAMPAIGN_PROPERTIES: Final = ("description", "startTime", "endTime", "attributes")

# Reports to customers know fewer features than a campaign may have.
_FEATURES: Final = frozenset(
    {"coupons", "referrals", "loyalty", "giveaways", "strikethrough", "achievements"}
)


def shown_features(campaign: Json) -> list[str]:
    """Return the features of a campaign that the Integration API knows."""
    return [each for each in campaign.get("features") or () if each in _FEATURES]


def failures_of(entry: CampaignEntry, outcome: CampaignOutcome) -> list[dict[str, Any]]:
    """Return the entries of `ruleFailureReasons` of a campaign."""
    campaign = entry.campaign
    failures: list[dict[str, Any]] = []
    for each in outcome.rules:
        if each.failure is None:
            continue
        failure: dict[str, Any] = {
            "campaignID": campaign["id"],
            "campaignName": campaign.get("name") or "",
            "rulesetID": entry.ruleset.id,
            "ruleIndex": each.rule.index,
            "ruleName": each.rule.title,
            **_failure_details(each),
        }
        if each.group.id:
            failure["evaluationGroupID"] = each.group.id
            failure["evaluationGroupMode"] = each.group.mode
        failures.append(failure)
    return failures


def _failure_details(outcome: RuleOutcome) -> dict[str, Any]:
    details: dict[str, Any] = {}
    failure = outcome.failure
    if failure is None:
        return details
    if outcome.coupon is not None:
        details["couponID"] = outcome.coupon["id"]
        details["couponValue"] = outcome.coupon["value"]
    if outcome.referral is not None:
        details["referralID"] = outcome.referral["id"]
        details["referralValue"] = outcome.referral["code"]
    if failure.condition_index is not None:
        details["conditionIndex"] = failure.condition_index
    if failure.effect_index is not None:
        details["effectIndex"] = failure.effect_index
    if failure.details:
        details["details"] = failure.details
    return details


def eligibility_of(
    situation: Situation, entry: CampaignEntry, outcome: CampaignOutcome
) -> dict[str, Any]:
    """Return the entry of `campaignEligibility` of a campaign."""
    campaign = entry.campaign
    report: dict[str, Any] = {
        "applicationId": campaign.get("applicationId", situation.application.get("id")),
        "id": campaign["id"],
        "name": campaign.get("name") or "",
        "state": "enabled",
        "tags": list(campaign.get("tags") or ()),
        "features": shown_features(campaign),
    }
    for name in _CAMPAIGN_PROPERTIES:
        if campaign.get(name) is not None:
            report[name] = campaign[name]
    report["eligibility"] = _campaign_eligibility(outcome)
    report["rules"] = _rules_eligibility(outcome)
    return report


def _campaign_eligibility(outcome: CampaignOutcome) -> list[dict[str, Any]]:
    """Return one entry per coupon code, and one without if a rule ran without."""
    if outcome.exclusion:
        return [{"passed": False, "details": {"failureCode": "SKIPPED"}}]
    passed: dict[str | None, bool] = {}
    if not outcome.rules:
        # A campaign without rules gives nothing to anybody.
        passed[None] = False
    for each in outcome.rules:
        code = None if each.coupon is None else each.coupon["value"]
        passed[code] = passed.get(code, False) or each.failure is None
    return [
        {
            "passed": success,
            **({} if code is None else {"couponCode": code}),
            **({} if success else {"details": {"failureCode": "ALL_RULES_FAILED"}}),
        }
        for code, success in passed.items()
    ]


def _rules_eligibility(outcome: CampaignOutcome) -> list[dict[str, Any]]:
    rules: dict[int, dict[str, Any]] = {}
    for each in outcome.rules:
        rule = rules.setdefault(each.rule.index, {"title": each.rule.title, "eligibility": []})
        entry: dict[str, Any] = {"passed": each.failure is None}
        if each.coupon is not None:
            entry["couponCode"] = each.coupon["value"]
        if each.failure is not None:
            is_condition = each.failure.effect_index is None
            entry["details"] = {
                "failureCode": "CONDITION_NOT_MET" if is_condition else "EFFECT_FAILED",
                "details": each.failure.details,
                **_failure_details(each),
            }
        rule["eligibility"].append(entry)
    return list(rules.values())
