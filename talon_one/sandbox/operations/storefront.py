"""The running campaigns of an Application with the texts of their rules (Integration API)."""

from __future__ import annotations

from typing import Any, Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.operations.lists import with_more, within
from talon_one.sandbox.rules.reports import shown_features
from talon_one.sandbox.shapes import frontend_state
from talon_one.sandbox.state.documents import Document

PAGE_SIZE: Final = 50


def get_campaigns(call: Call) -> Result:
    """Handle integrationGetAllCampaigns."""
    query = call.query
    ids, store, audience = query.get("campaignIds"), query.get("storeId"), query.get("audienceId")
    found = [
        {**campaign, "features": shown_features(campaign), "rules": _rules(call, campaign)}
        for campaign in call.state.campaigns.each(applicationId=call.application_id)
        if frontend_state(campaign, call.now) == "running"
        and (not ids or str(campaign["id"]) in ids)
        and within(call, "start", campaign.get("startTime"))
        and within(call, "end", campaign.get("endTime"))
        and (store is None or store in (campaign.get("linkedStoreIds") or ()))
        and (audience is None or audience in (campaign.get("linkedAudienceIds") or ()))
    ]
    return with_more(call, found, PAGE_SIZE)


def _rules(call: Call, campaign: Document) -> list[dict[str, Any]]:
    """Return the `RuleMetadata` of the active ruleset."""
    ruleset = call.state.rulesets.get(campaign.get("activeRulesetId") or 0) or {}
    rules = ruleset.get("promotionRules") or ruleset.get("rules") or ()
    return [
        {"title": rule["title"], "displayDescription": rule.get("description")} for rule in rules
    ]


OPERATIONS: Final = {"integrationGetAllCampaigns": get_campaigns}
