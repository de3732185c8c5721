"""Management operations on Applications and campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from talon_one.sandbox.attributes import check_attributes
from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.operations.entities import Kind, anywhere, campaign_of, of_application
from talon_one.sandbox.operations.lists import contains, has_attributes, within
from talon_one.sandbox.profiles import USER_ID
from talon_one.sandbox.shapes import campaign_facts, frontend_state
from talon_one.sandbox.state.documents import Document

_COPY_PREFIX: Final = "Copy of "
_COPIED_NEVER: Final = ("id", "created", "updated", "activeRulesetId", "linkedStoreIds")


def in_state(call: Call, campaign: Mapping[str, Any] | None) -> bool:
    """Return whether a campaign passes the filter `campaignState`."""
    wanted = call.query.get("campaignState")
    if not wanted:
        return True
    return campaign is not None and wanted in (
        campaign["state"],
        frontend_state(campaign, call.now),
    )


def _passes(call: Call, campaign: Mapping[str, Any]) -> bool:
    query = call.query
    groups = campaign.get("campaignGroups") or ()
    wanted = (call.body or {}).get("attributes")
    return (
        in_state(call, campaign)
        and contains(call, "name", campaign["name"])
        and all(tag in campaign["tags"] for tag in query.get("tags") or () if tag)
        and within(call, "created", campaign["created"])
        and within(call, "start", campaign.get("startTime"))
        and within(call, "end", campaign.get("endTime"))
        and query.get("campaignGroupId") in (None, *groups)
        and query.get("templateId") in (None, campaign.get("templateId"))
        and query.get("storeId") in (None, *(campaign.get("linkedStoreIds") or ()))
        and has_attributes(campaign, wanted)
    )


def _view(call: Call, campaign: Document) -> Document:
    return campaign_facts(call.state, campaign, call.now)


def _prepare(call: Call, old: Document | None) -> Document:
    given: Document = dict(call.body)
    _check_references(call, given, old)
    if old is not None:
        # A PUT overwrites: a schedule that it leaves out is gone.
        given = {"startTime": None, "endTime": None, "updatedBy": "sandbox", **given}
    return given


def _check_references(call: Call, given: Mapping[str, Any], old: Document | None) -> None:
    """Refuse a campaign that names what does not exist, or has an end before its start."""
    state, problems = call.state, []
    ruleset_id = given.get("activeRulesetId")
    if ruleset_id is not None:
        found = state.rulesets.get(ruleset_id)
        if found is None or old is None or found["campaignId"] != old["id"]:
            details = f"the campaign has no ruleset {ruleset_id}"
            problems.append(Problem("Unknown", details, "/activeRulesetId"))
    for index, store_id in enumerate(given.get("linkedStoreIds") or ()):
        if state.stores.first(id=store_id, applicationId=call.application_id) is None:
            details = f"the Application has no store {store_id}"
            problems.append(Problem("Unknown", details, f"/linkedStoreIds/{index}"))
    for index, group_id in enumerate(given.get("campaignGroups") or ()):
        if state.campaign_groups.get(group_id) is None:
            details = f"there is no campaign group {group_id}"
            problems.append(Problem("Unknown", details, f"/campaignGroups/{index}"))
    if given.get("evaluationGroupId") is not None:
        details = "the sandbox takes evaluation groups from its seed alone"
        problems.append(Problem("Unsupported", details, "/evaluationGroupId"))
    start, end = given.get("startTime"), given.get("endTime")
    if start is not None and end is not None and end <= start:
        problems.append(Problem("Invalid", "endTime must be after startTime", "/endTime"))
    if problems:
        raise invalid(*problems)


def remove_contents(call: Call, campaign: Document) -> None:
    """Delete everything that a campaign owns."""
    state, owner = call.state, {"campaignId": campaign["id"]}
    coupons = [each["id"] for each in state.coupons.each(**owner)]
    collections = [each["id"] for each in state.collections.each(**owner)]
    achievements = [each["id"] for each in state.achievements.each(**owner)]
    state.reservations.delete(couponId=coupons)
    state.collection_items.delete(collectionId=collections)
    state.progress.delete(achievementId=achievements)
    for table in ("coupons", "referrals", "collections", "achievements", "rulesets", "value_maps"):
        getattr(state, table).delete(**owner)


CAMPAIGNS: Final = Kind(
    table="campaigns",
    label="Campaign",
    path_id="campaignId",
    owner=of_application,
    passes=_passes,
    view=_view,
    prepare=_prepare,
    removed=remove_contents,
    attributes="Campaign",
)
APPLICATIONS: Final = Kind("applications", "Application", "applicationId", owner=anywhere)


def copy_campaign(call: Call) -> Result:
    """Handle copyCampaignToApplications: settings, the active ruleset, and collections."""
    campaign, sent = campaign_of(call), dict(call.body)
    targets = sent.pop("applicationIds")
    for index, target in enumerate(targets):
        if call.state.applications.get(target) is None:
            details = f"there is no Application {target}"
            raise invalid(Problem("Unknown", details, f"/applicationIds/{index}"))
    _check_references(call, sent, None)
    made = [_copy(call, campaign, sent, target) for target in targets]
    shown = [_view(call, each) for each in made]
    return Result(200, {"totalResultSize": len(shown), "data": shown})


def _copy(call: Call, campaign: Document, sent: Document, target: int) -> Document:
    state = call.state
    kept = {name: value for name, value in campaign.items() if name not in _COPIED_NEVER}
    copy = state.campaigns.add(
        {
            **kept,
            "name": f"{_COPY_PREFIX}{campaign['name']}",
            **sent,
            "applicationId": target,
            "created": call.now,
            "updated": call.now,
            "userId": USER_ID,
            # A copy begins when somebody has looked at it.
            "state": "disabled",
            "linkedStoreIds": [],
        }
    )
    owner = {"applicationId": target, "campaignId": copy["id"]}
    ruleset = state.rulesets.get(campaign.get("activeRulesetId") or 0)
    if ruleset is not None:
        added = state.rulesets.add({**_anew(ruleset, call), "campaignId": copy["id"]})
        copy["activeRulesetId"] = added["id"]
        state.campaigns.save(copy)
    for collection in state.collections.each(campaignId=campaign["id"]):
        added = state.collections.add({**_anew(collection, call), **owner})
        for each in state.collection_items.each(collectionId=collection["id"]):
            state.collection_items.add({"collectionId": added["id"], "item": each["item"]})
    return copy


def _anew(document: Document, call: Call) -> Document:
    return {**document, "id": None, "created": call.now}


def search_campaigns(call: Call) -> Result:
    """Handle getCampaignByAttributes."""
    check_attributes(call, "Campaign", call.body.get("attributes"))
    return CAMPAIGNS.list(call)


def get_application(call: Call) -> Result:
    """Handle getApplication."""
    return Result(200, call.application)


def _group_campaigns(call: Call, group: Document) -> Document:
    members = [
        each["id"]
        for each in call.state.campaigns.each()
        if group["id"] in (each.get("campaignGroups") or ())
    ]
    listed = group.get("campaignIds") or []
    return {**group, "campaignIds": sorted({*members, *listed})}


GROUPS: Final = Kind(
    "campaign_groups", "Campaign group", "campaignGroupId", owner=anywhere, view=_group_campaigns
)


def _item_filter_passes(call: Call, item_filter: Mapping[str, Any]) -> bool:
    return contains(call, "name", item_filter["name"])


ITEM_FILTERS: Final = Kind(
    "item_filters",
    "Cart item filter",
    "cartItemFilterId",
    owner=of_application,
    passes=_item_filter_passes,
)


OPERATIONS: Final = {
    "getApplications": APPLICATIONS.list,
    "getApplication": get_application,
    "getCampaigns": CAMPAIGNS.list,
    "getCampaign": CAMPAIGNS.read,
    "createCampaign": CAMPAIGNS.create,
    "updateCampaign": CAMPAIGNS.update,
    "deleteCampaign": CAMPAIGNS.delete,
    "getCampaignByAttributes": search_campaigns,
    "copyCampaignToApplications": copy_campaign,
    "getCampaignGroups": GROUPS.list,
    "getCampaignGroup": GROUPS.read,
    "listApplicationCartItemFilters": ITEM_FILTERS.list,
}
