"""The body of a webhook to its class: by `NotificationType`, and among several by its items."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import groupby
from typing import Any

from talon_one import models
from talon_one._core.secret import exact
from talon_one._schema import json_codec
from talon_one._schema.model import JsonObject, Model
from talon_one._utils.quoting import message_of
from talon_one.exceptions import ApiTypeError
from talon_one.webhooks.errors import MalformedBodyError
from talon_one.webhooks.shape import Shape

TYPE = "NotificationType"
"""Property that names the type of a notification."""
_ITEMS = "Data"


def read(body: bytes | str | Mapping[str, Any]) -> Model:
    """Return the notification that a body holds, in its class.

    Raises:
        MalformedBodyError: The body is not a JSON object.
    """
    data = _object(body)
    shapes = shapes_of(data)
    if not shapes:
        return Model._wrap(data)
    items = data.get(_ITEMS)
    if shapes[-1].items is None or not isinstance(items, list) or not items:
        return _class(shapes[-1].model)._wrap(data)
    found = [next((shape for shape in shapes if shape.fits(item)), None) for item in items]
    for index, (item, shape) in enumerate(zip(items, found, strict=True)):
        if shape is not None and shape.items is not None and isinstance(item, dict):
            items[index] = _class(shape.items)._wrap(item)
    # Several kinds in one batch have in common only what the last shape tells. A null is of any.
    kinds = [shape for item, shape in zip(items, found, strict=True) if item is not None]
    first = (kinds[0] if kinds else None) or shapes[-1]
    is_pure = all(shape == first for shape in kinds)
    return _class((first if is_pure else shapes[-1]).model)._wrap(data)


def parts(notification: Model) -> list[Model]:
    """Return a notification of several kinds of events as one notification for each kind.

    Campaign notifications come in batches, in which events of different kinds may be mixed. The
    parts are in the order of the batch, so a kind that comes back after another has two parts.
    They share their items with the batch, and their `TotalResultSize` is that of the batch. Any
    other notification is its own only part.
    """
    data = notification.__wire__()
    shapes = shapes_of(data)
    items = data.get(_ITEMS)
    is_mixed = len(shapes) > 1 and type(notification).__name__ == shapes[-1].model
    if not is_mixed or not isinstance(items, list) or not items:
        return [notification]
    by_items = {shape.items: shape.model for shape in shapes}
    # A null is no event: no part consists of it, and nothing is to be done for it.
    events = [item for item in items if item is not None] or items
    runs = groupby(events, lambda item: by_items.get(type(item).__name__, shapes[-1].model))
    return [_class(model)._wrap({**data, _ITEMS: list(run)}) for model, run in runs]


def shapes_of(data: Mapping[str, Any]) -> tuple[Shape, ...]:
    """Return the classes that the body of a webhook may have; none if its type is not known."""
    named: Any = data.get(TYPE)
    return _shapes().get(exact(named), ()) if issubclass(type(named), str) else ()


def types() -> Collection[str]:
    """Return each `NotificationType` that this release knows."""
    return _shapes().keys()


def is_class_of_notification(kind: type[Model]) -> bool:
    """Say whether there are notifications of a class; `Model` itself is that of unknown ones."""
    names = {shape.model for shapes in _shapes().values() for shape in shapes}
    return kind is Model or (kind.__name__ in names and kind is _class(kind.__name__))


def _object(body: bytes | str | Mapping[str, Any]) -> JsonObject:
    data: Any
    try:
        if isinstance(body, Mapping):
            # The objects inside become models in place, and the caller's dict must stay plain.
            data = json_codec.plain(body)
        elif isinstance(body, (str, bytes, bytearray, memoryview)):
            data = json_codec.decode(body if isinstance(body, str) else bytes(body))
        else:
            kind = type(body).__name__
            raise ApiTypeError(f"a body is bytes, text or a decoded JSON object, not {kind}")
    except ApiTypeError:
        raise
    except Exception as cause:  # A mapping may be of any kind, and raise anything.
        reason = message_of(cause)
        raise MalformedBodyError(f"the body of the webhook is not JSON: {reason}") from cause
    if not isinstance(data, dict):
        # A number that Python cannot hold has a class of its own.
        kind = _JSON_NAMES.get(type(data), "number")
        raise MalformedBodyError(f"the body of the webhook is a JSON {kind}, not an object")
    return data


def _shapes() -> dict[str, tuple[Shape, ...]]:
    from talon_one.webhooks._shapes import SHAPES

    return SHAPES


def _class(name: str) -> type[Model]:
    found: type[Model] = getattr(models, name)
    return found


_JSON_NAMES = {
    list: "array",
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
