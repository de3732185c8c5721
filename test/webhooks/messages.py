"""Notifications made from their schemas, as the description says that they look."""

from __future__ import annotations

from typing import Any

from support.samples import sample_object
from support.spec import SCHEMAS, model_of, properties

JsonObject = dict[str, Any]

NOTIFICATIONS = [
    (name, type)
    for name, schema in SCHEMAS.items()
    if schema.get("x-notification")
    for type in properties(name)["NotificationType"]["enum"]
]
"""Each class of notifications, with each `NotificationType` that it has."""


def rule(name: str) -> JsonObject:
    """Return what the description says of how a class is told from others of its type."""
    said = SCHEMAS[name]["x-notification"]
    return said if isinstance(said, dict) else {}


def item(items: str, key: str | None, value: str | None, everything: bool = True) -> JsonObject:
    """Return an item of a notification, with the property that it is known by."""
    found = sample_object(items, everything)
    if key is not None and value is not None:
        found[key] = value
    return found


def message(name: str, type: str, everything: bool = True) -> JsonObject:
    """Return a notification of a class and a type."""
    found = {**sample_object(name, everything), "NotificationType": type}
    said = rule(name)
    if "property" in said:
        each = item(said["items"], said["property"], said.get("value"), everything)
        found["Data"] = [each, dict(each)]
    return found


def campaign_event(event: str) -> JsonObject:
    """Return an item of a campaign notification."""
    (name,) = (name for name, _ in NOTIFICATIONS if rule(name).get("value") == event)
    return item(rule(name)["items"], "Event", event)


def batch(*items: object) -> JsonObject:
    """Return a campaign notification with certain items."""
    return {"NotificationType": "CampaignNotification", "TotalResultSize": 9, "Data": list(items)}


def item_class(name: str) -> str | None:
    """Return the class of the items in the list of a notification, if it has one."""
    said = rule(name)
    if said:
        return str(said["items"])
    node = properties(name).get("Data") or properties(name).get("data")
    return model_of(node["items"]) if node else None
