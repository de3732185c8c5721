"""Management operations on collections, of the account and of campaigns, and on value maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import Problem, invalid, not_found
from talon_one.sandbox.operations.entities import Kind, of_campaign
from talon_one.sandbox.operations.lists import contains, respond
from talon_one.sandbox.operations.transfers import export_rows, import_items_of
from talon_one.sandbox.state.documents import Document


def _of_account(call: Call) -> dict[str, Any]:
    return {"applicationId": None}


def _passes(call: Call, collection: Document) -> bool:
    return contains(call, "name", collection["name"])


def _prepare(call: Call, old: Document | None) -> Document:
    for index, application_id in enumerate(call.body.get("subscribedApplicationsIds") or ()):
        if call.state.applications.get(application_id) is None:
            details = f"there is no Application {application_id}"
            raise invalid(Problem("Unknown", details, f"/subscribedApplicationsIds/{index}"))
    sent: Document = call.body
    return sent


def _removed(call: Call, collection: Document) -> None:
    call.state.collection_items.delete(collectionId=collection["id"])


OF_ACCOUNT: Final = Kind(
    table="collections",
    label="Collection",
    path_id="collectionId",
    owner=_of_account,
    passes=_passes,
    prepare=_prepare,
    removed=_removed,
    unique=("name",),
)
OF_CAMPAIGN: Final = replace(OF_ACCOUNT, owner=of_campaign)


def list_in_application(call: Call) -> Result:
    """Handle listCollectionsInApplication: of its campaigns, and those it subscribes to."""
    own = call.state.collections.each(applicationId=call.application_id)
    shared = (
        each
        for each in call.state.collections.each(applicationId=None)
        if call.application_id in (each.get("subscribedApplicationsIds") or ())
    )
    return respond(call, (each for each in (*own, *shared) if _passes(call, each)))


def get_items(call: Call) -> Result:
    """Handle getCollectionItems, of a collection of the account or of any campaign."""
    collection = call.state.collections.get(call.ids["collectionId"])
    if collection is None:
        raise not_found("Collection")
    return respond(call, call.state.collection_items.each(collectionId=collection["id"]))


def _importer(kind: Kind) -> Callable[[Call], Result]:
    def import_items(call: Call) -> Result:
        """Handle the import of a collection: its items are those of the file."""
        collection = kind.known(call)
        kind.documents(call).save({**collection, "modified": call.now})
        owner = {"collectionId": collection["id"]}
        return import_items_of(call, call.state.collection_items, owner, "Collection")

    return import_items


def _exporter(kind: Kind) -> Callable[[Call], Result]:
    def export_items(call: Call) -> Result:
        """Handle the export of a collection."""
        found = call.state.collection_items.each(collectionId=kind.known(call)["id"])
        return export_rows(call, found, entity="Collection")

    return export_items


VALUE_MAPS: Final = Kind("value_maps", "Value map", "valueMapId", owner=of_campaign)


def export_value_map(call: Call) -> Result:
    """Handle exportCampaignValueMap."""
    values = VALUE_MAPS.known(call).get("_values") or {}
    return export_rows(call, ({"identifier": key, "value": each} for key, each in values.items()))


OPERATIONS: Final = {
    "listAccountCollections": OF_ACCOUNT.list,
    "createAccountCollection": OF_ACCOUNT.create,
    "getAccountCollection": OF_ACCOUNT.read,
    "updateAccountCollection": OF_ACCOUNT.update,
    "deleteAccountCollection": OF_ACCOUNT.delete,
    "importAccountCollection": _importer(OF_ACCOUNT),
    "exportAccountCollectionItems": _exporter(OF_ACCOUNT),
    "listCollections": OF_CAMPAIGN.list,
    "createCollection": OF_CAMPAIGN.create,
    "getCollection": OF_CAMPAIGN.read,
    "updateCollection": OF_CAMPAIGN.update,
    "deleteCollection": OF_CAMPAIGN.delete,
    "importCollection": _importer(OF_CAMPAIGN),
    "exportCollectionItems": _exporter(OF_CAMPAIGN),
    "listCollectionsInApplication": list_in_application,
    "getCollectionItems": get_items,
    "exportCampaignValueMap": export_value_map,
}
