"""How the rules of an evaluation went, as JSON of a limited size that is kept with the session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.campaign_run import CampaignOutcome, RuleOutcome
from talon_one.sandbox.rules.shop import CampaignEntry
from talon_one.sandbox.rules.wording import MAX_TEXT, cut

Trace: TypeAlias = dict[str, Any]
"""The trace of a campaign.

- `id`, `name`, `rulesetId`: the campaign and its ruleset at that time.
- `excluded`: why it lost in its evaluation group, if it did.
- `rules`: the runs of its rules: `index`, `title`, `passed`, the `coupon` or `referral` at hand
  and, of those that failed, `details` and the `finding`.
- `omitted`: how many runs are left out.
"""

MAX_RUNS: Final = 500
"""Runs of rules in the traces of an evaluation. A rule runs once per coupon of its campaign."""


def traces_of(
    campaigns: Mapping[int, CampaignEntry], outcomes: Mapping[int, CampaignOutcome]
) -> list[Trace]:
    """Return the traces of the campaigns that were evaluated, in the order of evaluation."""
    left = MAX_RUNS
    traces = []
    for campaign_id, outcome in outcomes.items():
        entry = campaigns[campaign_id]
        trace: Trace = {
            "id": campaign_id,
            "name": entry.campaign.get("name") or "",
            "rulesetId": entry.ruleset.id,
            "rules": [_rule(each) for each in outcome.rules[:left]],
        }
        if outcome.exclusion:
            trace["excluded"] = outcome.exclusion
        if len(outcome.rules) > left:
            trace["omitted"] = len(outcome.rules) - left
        left -= len(trace["rules"])
        traces.append(trace)
    return traces


def _rule(outcome: RuleOutcome) -> dict[str, Any]:
    rule, failure = outcome.rule, outcome.failure
    run: dict[str, Any] = {
        "index": rule.index,
        "title": rule.title if len(rule.title) <= MAX_TEXT else cut(rule.title),
        "passed": failure is None,
    }
    if outcome.coupon is not None:
        run["coupon"] = outcome.coupon["value"]
    if outcome.referral is not None:
        run["referral"] = outcome.referral["code"]
    if failure is not None:
        if failure.details:
            run["details"] = cut(failure.details)
        if failure.finding is not None:
            run["finding"] = failure.finding
    return run
