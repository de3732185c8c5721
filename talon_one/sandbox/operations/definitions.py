"""Management operations on what an account defines: attributes, costs, webhooks, giveaways."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import Problem, invalid, not_found
from talon_one.sandbox.operations.entities import Kind, anywhere
from talon_one.sandbox.operations.lists import contains, numbers, within
from talon_one.sandbox.operations.transfers import export_rows, import_items_of, import_rows
from talon_one.sandbox.state.documents import Document


def _attribute_passes(call: Call, attribute: Document) -> bool:
    query = call.query
    kinds = [part.strip() for part in (query.get("type") or "").split(",") if part.strip()]
    applications = numbers(query.get("applicationIds"))
    return (
        query.get("entity") in (None, "", attribute["entity"])
        and (not kinds or attribute["type"] in kinds)
        and (not query.get("applicationIds") or _subscribed(attribute, applications))
        # The attributes of the sandbox are custom ones, and no loyalty program has any.
        and query.get("kind") != "builtin"
        and not query.get("loyaltyProgramIds")
        and (
            contains(call, "search", attribute["name"])
            or contains(call, "search", _title(attribute))
        )
    )


def _title(attribute: Document) -> str:
    return str(attribute.get("title") or "")


def _subscribed(attribute: Document, applications: set[int]) -> bool:
    own = attribute.get("subscribedApplicationsIds")
    return not own or not applications.isdisjoint(own)


def _attribute_prepare(call: Call, old: Document | None) -> Document:
    sent: Document = call.body
    if old is not None:
        # Nothing else of an attribute can be changed.
        return {"description": sent["description"]}
    for name in ("subscribedApplicationsIds",):
        for index, application_id in enumerate(sent.get(name) or ()):
            if call.state.applications.get(application_id) is None:
                details = f"there is no Application {application_id}"
                raise invalid(Problem("Unknown", details, f"/{name}/{index}"))
    same = call.state.attributes.find(entity=sent["entity"], name=sent["name"])
    if any(each.get("eventType") == sent.get("eventType") for each in same):
        details = f"{sent['entity']} has an attribute {sent['name']!r} already"
        raise invalid(Problem("Duplicate", details, "/name"))
    return sent


ATTRIBUTES: Final = Kind(
    table="attributes",
    label="Attribute",
    path_id="attributeId",
    owner=anywhere,
    passes=_attribute_passes,
    prepare=_attribute_prepare,
)


def import_allowed(call: Call) -> Result:
    """Handle importAllowedList: values that a restricted attribute accepts."""
    attribute = ATTRIBUTES.known(call)
    call.state.attributes.save({**attribute, "hasAllowedList": True})
    owner = {"attributeId": attribute["id"]}
    return import_items_of(call, call.state.allowed_values, owner, "AttributeAllowedList")


def _cost_prepare(call: Call, old: Document | None) -> Document:
    sent: Document = call.body
    if old is not None and sent["name"] != old["name"]:
        raise invalid(Problem("Invalid", "the name of a cost cannot be changed", "/name"))
    return sent


COSTS: Final = Kind(
    table="additional_costs",
    label="Additional cost",
    path_id="additionalCostId",
    owner=anywhere,
    prepare=_cost_prepare,
    unique=("name",),
)


def _webhook_passes(call: Call, webhook: Document) -> bool:
    query = call.query
    wanted = numbers(query.get("applicationIds"))
    return (
        (not query.get("applicationIds") or not wanted.isdisjoint(webhook["applicationIds"]))
        and contains(call, "title", webhook.get("title"))
        and query.get("creationType") in (None, "webhooks")
        and query.get("visibility") in (None, "visible")
        and query.get("outgoingIntegrationsTypeId") is None
    )


def _webhook_view(call: Call, webhook: Document) -> Document:
    return {"modified": webhook["created"], **webhook}


WEBHOOKS: Final = Kind(
    table="webhooks",
    label="Webhook",
    path_id="webhookId",
    owner=anywhere,
    passes=_webhook_passes,
    view=_webhook_view,
)

_GIVEAWAY: Final[Mapping[str, str]] = MappingProxyType(
    {"code": "code", "startdate": "startDate", "enddate": "endDate", "attributes": "attributes"}
)
_GIVEAWAY_EXPORTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "id": "id",
        "poolid": "poolId",
        **_GIVEAWAY,
        "used": "used",
        "importid": "importId",
        "created": "created",
        "profileintegrationid": "profileIntegrationId",
        "profileid": "profileId",
    }
)


def _pool(call: Call) -> Document:
    pool = call.state.giveaway_pools.get(call.ids["poolId"])
    if pool is None:
        raise not_found("Giveaway pool")
    return pool


def import_giveaways(call: Call) -> Result:
    """Handle importPoolGiveaways; a code that is imported twice counts as two."""
    pool = _pool(call)

    def take(values: dict[str, Any], done: Document) -> bool | Problem:
        settings = {_GIVEAWAY[column]: value for column, value in values.items()}
        start, end = settings.get("startDate"), settings.get("endDate")
        if start is not None and end is not None and end < start:
            return Problem("Invalid", "enddate: must not be before startdate")
        call.state.giveaways.add(
            {
                "created": call.now,
                "poolId": pool["id"],
                "used": False,
                "importId": done["id"],
                "attributes": {},
                **settings,
            }
        )
        return True

    return import_rows(call, "Giveaway", take)


def export_giveaways(call: Call) -> Result:
    """Handle exportPoolGiveaways with its filters."""
    rows = [
        {column: each.get(name) for column, name in _GIVEAWAY_EXPORTED.items()}
        for each in call.state.giveaways.each(poolId=_pool(call)["id"])
        if within(call, "created", each["created"])
    ]
    return export_rows(call, rows)


OPERATIONS: Final = {
    "getAttributes": ATTRIBUTES.list,
    "getAttribute": ATTRIBUTES.read,
    "createAttribute": ATTRIBUTES.create,
    "updateAttribute": ATTRIBUTES.update,
    "importAllowedList": import_allowed,
    "getAdditionalCosts": COSTS.list,
    "getAdditionalCost": COSTS.read,
    "createAdditionalCost": COSTS.create,
    "updateAdditionalCost": COSTS.update,
    "getWebhooks": WEBHOOKS.list,
    "getWebhook": WEBHOOKS.read,
    "importPoolGiveaways": import_giveaways,
    "exportPoolGiveaways": export_giveaways,
}
