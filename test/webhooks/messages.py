"""Sample notifications, built from their schemas."""

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
"""Every class of notifications with each of its types."""


def rule(name: str) -> JsonObject:
    """Return how the description distinguishes a class from others of its type."""
    found = SCHEMAS[name]["x-notification"]
    return found if isinstance(found, dict) else {}


def item(items: str, key: str | None, value: str | None, everything: bool = True) -> JsonObject:
    """Return an item of a notification, with the property that identifies it."""
    found = sample_object(items, everything)
    if key is not None and value is not None:
        found[key] = value
    return found


def message(name: str, type: str, everything: bool = True) -> JsonObject:
    """Return a notification of a class and a type."""
    found = {**sample_object(name, everything), "NotificationType": type}
    identity = rule(name)
    if "property" in identity:
        each = item(identity["items"], identity["property"], identity.get("value"), everything)
        found["Data"] = [each, dict(each)]
    elif identity:
        # The class for the items that no other class of the type is for.
        others = [rule(name) for name, other in NOTIFICATIONS if other == type]
        unknown = {each["property"]: "unknown" for each in others if "value" in each}
        each = {**item(identity["items"], None, None, everything), **unknown}
        found["Data"] = [each, dict(each)]
    return found


def campaign_event(event: str) -> JsonObject:
    """Return an item of a campaign notification."""
    (name,) = (name for name, _ in NOTIFICATIONS if rule(name).get("value") == event)
    return item(rule(name)["items"], "Event", event)


def batch(*items: object) -> JsonObject:
    """Return a campaign notification with these items."""
    return {"NotificationType": "CampaignNotification", "TotalResultSize": 9, "Data": list(items)}


def item_class(name: str) -> str | None:
    """Return the class of the items in the list of a notification, if it has one."""
    identity = rule(name)
    if identity:
        return str(identity["items"])
    node = properties(name).get("Data") or properties(name).get("data")
    return model_of(node["items"]) if node else None
