"""From the body of a webhook to its class: by `NotificationType`, then by the items in `Data`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import groupby
from typing import Any

from talon_one import models
from talon_one._core.secret import plain_str
from talon_one._schema import json_codec
from talon_one._schema.access import data_of, wrap
from talon_one._schema.model import Model
from talon_one._schema.object_view import JsonObject
from talon_one._utils.quoting import message_of
from talon_one.exceptions import ApiTypeError
from talon_one.webhooks._shapes import SHAPES
from talon_one.webhooks.errors import MalformedBodyError
from talon_one.webhooks.shape import Shape

TYPE = "NotificationType"
"""Property that names the type of a notification."""
_ITEMS = "Data"


def notification_of(body: bytes | str | Mapping[str, Any]) -> Model:
    """Return the notification in a body as an object of its class.

    Raises:
        ApiTypeError: *body* is neither bytes, text nor a mapping.
        MalformedBodyError: The body is not a JSON object.
    """
    data = _decode(body)
    shapes = _shapes_of(data)
    if not shapes:
        return wrap(Model, data)
    items = data.get(_ITEMS)
    if shapes[-1].items is None or not isinstance(items, list) or not items:
        return wrap(_class(shapes[-1].model), data)
    found = [next((shape for shape in shapes if shape.fits(item)), None) for item in items]
    for index, (item, shape) in enumerate(zip(items, found, strict=True)):
        if shape is not None and shape.items is not None and isinstance(item, dict):
            items[index] = wrap(_class(shape.items), item)
    # Only the last shape describes a mixed batch. Null items fit any shape.
    kinds = [shape for item, shape in zip(items, found, strict=True) if item is not None]
    first = (kinds[0] if kinds else None) or shapes[-1]
    is_pure = all(shape == first for shape in kinds)
    return wrap(_class((first if is_pure else shapes[-1]).model), data)


def parts(notification: Model) -> list[Model]:
    """Split a notification with several kinds of events into one notification per kind.

    Campaign notifications arrive in batches that may mix kinds of events. The parts keep the order
    of the batch: a kind that occurs again after another one gets a second part. Parts share their
    items with the batch, and have its `TotalResultSize`.

    Returns:
        The parts. A notification that is not mixed is its own only part.
    """
    data = data_of(notification)
    shapes = _shapes_of(data)
    items = data.get(_ITEMS)
    is_mixed = len(shapes) > 1 and type(notification).__name__ == shapes[-1].model
    if not is_mixed or not isinstance(items, list) or not items:
        return [notification]
    model_by_items = {shape.items: shape.model for shape in shapes}
    # Null items are no events, so they form no part.
    events = [item for item in items if item is not None] or items
    runs = groupby(events, lambda item: model_by_items.get(type(item).__name__, shapes[-1].model))
    return [wrap(_class(model), {**data, _ITEMS: list(run)}) for model, run in runs]


def notification_types() -> Collection[str]:
    """Return every `NotificationType` that this release knows."""
    return SHAPES.keys()


def is_class_of_notification(kind: type[Model]) -> bool:
    """Return whether notifications may have a class. Unknown ones are a plain `Model`."""
    names = {shape.model for shapes in SHAPES.values() for shape in shapes}
    return kind is Model or (kind.__name__ in names and kind is _class(kind.__name__))


def _shapes_of(data: Mapping[str, Any]) -> tuple[Shape, ...]:
    """Return the shapes that a body may have; none if its type is unknown."""
    type_name: Any = data.get(TYPE)
    return SHAPES.get(plain_str(type_name), ()) if issubclass(type(type_name), str) else ()


def _decode(body: bytes | str | Mapping[str, Any]) -> JsonObject:
    data: Any
    try:
        if isinstance(body, Mapping):
            # Wrapping replaces nested objects, so work on a copy of the caller's dict.
            data = json_codec.plain(body)
        elif isinstance(body, (str, bytes, bytearray, memoryview)):
            data = json_codec.decode(body if isinstance(body, str) else bytes(body))
        else:
            kind = type(body).__name__
            raise ApiTypeError(f"a body is bytes, text or a decoded JSON object, not {kind}")
    except ApiTypeError:
        raise
    except Exception as cause:  # A mapping of foreign code may raise anything.
        reason = message_of(cause)
        raise MalformedBodyError(f"the body of the webhook is not JSON: {reason}") from cause
    if not isinstance(data, dict):
        # Numbers have several classes, such as one for those beyond the range of float.
        kind = _JSON_NAMES.get(type(data), "number")
        raise MalformedBodyError(f"the body of the webhook is a JSON {kind}, not an object")
    return data


def _class(name: str) -> type[Model]:
    found: type[Model] = getattr(models, name)
    return found


_JSON_NAMES = {
    list: "array",
    str: "string",
    bool: "boolean",
    type(None): "null",
}
