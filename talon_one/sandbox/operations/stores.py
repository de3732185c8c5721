"""Management operations on stores, and on the stores of campaigns."""

from __future__ import annotations

from typing import Any, Final

from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.operations.entities import Kind, campaign_of, of_application
from talon_one.sandbox.operations.lists import contains
from talon_one.sandbox.operations.transfers import export_rows, import_rows
from talon_one.sandbox.state.documents import Document


def _linked(call: Call, store: Document) -> list[int]:
    """Return the campaigns of a store; each request reads them once per definition of them."""
    application_id = store["applicationId"]

    def find() -> dict[int, list[int]]:
        linked: dict[int, list[int]] = {}
        for campaign in call.state.campaigns.each(applicationId=application_id):
            for store_id in campaign.get("linkedStoreIds") or ():
                linked.setdefault(store_id, []).append(campaign["id"])
        return linked

    return call.state.cached(("stores", application_id), find).get(store["id"], [])


def _passes(call: Call, store: Document) -> bool:
    query = (call.query.get("query") or "").casefold()
    campaign_id = call.query.get("campaignId")
    return (
        contains(call, "name", store["name"])
        and call.query.get("integrationId") in (None, "", store["integrationId"])
        and (query in store["name"].casefold() or query in store["integrationId"].casefold())
        and (campaign_id is None or campaign_id in _linked(call, store))
    )


def _view(call: Call, store: Document) -> Document:
    return {**store, "linkedCampaignIds": _linked(call, store)}


def _prepare(call: Call, old: Document | None) -> Document:
    sent: Document = call.body
    if old is not None and sent["integrationId"] != old["integrationId"]:
        details = "the integration ID of a store cannot be changed"
        raise invalid(Problem("Invalid", details, "/integrationId"))
    return sent


def _removed(call: Call, store: Document) -> None:
    for campaign in call.state.campaigns.each(applicationId=store["applicationId"]):
        linked = campaign.get("linkedStoreIds") or []
        if store["id"] in linked:
            linked.remove(store["id"])
            call.state.campaigns.save(campaign)


STORES: Final = Kind(
    table="stores",
    label="Store",
    path_id="storeId",
    owner=of_application,
    passes=_passes,
    view=_view,
    prepare=_prepare,
    removed=_removed,
    unique=("integrationId",),
    attributes="Store",
)


def import_stores(call: Call) -> Result:
    """Handle importCampaignStores: the stores of the file are the only ones of the campaign."""
    campaign = {**campaign_of(call), "linkedStoreIds": [], "storesImported": True}

    def take(values: dict[str, Any], done: Document) -> bool | Problem:
        integration_id = values["store_integration_id"]
        store = call.state.stores.first(
            applicationId=call.application_id, integrationId=integration_id
        )
        if store is None:
            details = f"store_integration_id: there is no store {integration_id!r}"
            return Problem("Unknown", details)
        if store["id"] in campaign["linkedStoreIds"]:
            return False
        campaign["linkedStoreIds"].append(store["id"])
        return True

    result = import_rows(call, "CampaignStore", take)
    call.state.campaigns.save(campaign)
    return result


def export_stores(call: Call) -> Result:
    """Handle exportCampaignStores."""
    linked = campaign_of(call).get("linkedStoreIds") or []
    stores = {each["id"]: each for each in call.state.stores.each(id=linked)}
    rows = [{"store_integration_id": stores[each]["integrationId"]} for each in linked]
    return export_rows(call, rows)


def disconnect_stores(call: Call) -> Result:
    """Handle disconnectCampaignStores: the campaign holds everywhere again."""
    call.state.campaigns.save({**campaign_of(call), "linkedStoreIds": [], "storesImported": False})
    return NO_CONTENT


OPERATIONS: Final = {
    "listStores": STORES.list,
    "createStore": STORES.create,
    "getStore": STORES.read,
    "updateStore": STORES.update,
    "deleteStore": STORES.delete,
    "importCampaignStores": import_stores,
    "exportCampaignStores": export_stores,
    "disconnectCampaignStores": disconnect_stores,
}
