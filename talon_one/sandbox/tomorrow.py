"""Responses as a later version of the platform may send them, made from those of today."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from talon_one._schema.access import cases_of, members_of
from talon_one._schema.model import Model
from talon_one.sandbox import json_text
from talon_one.sandbox.call import JSON
from talon_one.sandbox.contract.shapes import Property, Shape, properties_of, shape_of
from talon_one.sandbox.dispatch import Response

PROPERTY: Final = "futureProperty"
"""Name of the property that each object has."""
VALUE: Final = "futureValue"
"""Value in place of one that the API lists."""
EFFECT: Final = "futureEffect"
"""Type of the entry in each list of effects."""
_CONTENT: Final = {"text": "from tomorrow", "list": [1, None]}
_DEFAULTS: Final = {"int": 0, "float": 0, "bool": False, "list": [], "map": {}, "object": {}}


def of_tomorrow(response: Response, sent: bytes) -> Response:
    """Return a response as a later version may send it; an error or a table stays as it is.

    Args:
        response: The response of today.
        sent: Body of the request. Values that it has itself are not replaced.
    """
    operation = response.operation
    written = operation.results.get(response.status) if operation else None
    if written is None or not response.body or response.content_type != JSON:
        return response
    document = json.loads(response.body)
    changed = _Tomorrow(frozenset(_texts(sent))).value(shape_of(written), document)
    return replace(response, body=json_text.write(changed))


def _texts(sent: bytes) -> Iterator[str]:
    """Yield each text in a JSON body."""
    try:
        pending = [json.loads(sent)] if sent else []
    except (ValueError, RecursionError):
        return
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, str):
            yield value


class _Tomorrow:
    """The way through a response, along the classes of the SDK."""

    def __init__(self, kept: frozenset[str]) -> None:
        self._kept = kept

    def value(self, shape: Shape, value: Any) -> Any:
        if shape.kind == "Literal":
            listed = isinstance(value, str) and value not in self._kept
            return VALUE if listed else value
        if shape.kind == "object" and isinstance(value, dict):
            return self._object(shape.target(), value)
        if shape.kind == "map" and isinstance(value, dict):
            return {key: self.value(shape.parts[0], each) for key, each in value.items()}
        if shape.kind == "list" and isinstance(value, list):
            items = [self.value(shape.parts[0], each) for each in value]
            return items + _unknown_effects(shape.parts[0], value)
        return value

    def _object(self, cls: type[Model], value: dict[str, Any]) -> dict[str, Any]:
        declared = _declared(cls, value)
        changed = {}
        for name, inner in value.items():
            known = declared.get(name)
            if known is None:
                changed[name] = inner
            elif known.variant is None:
                changed[name] = self.value(known.shape, inner)
            elif isinstance(inner, dict):
                chosen = known.variant.class_for(value.get(known.variant.by))
                changed[name] = self._object(chosen, inner)
            else:
                changed[name] = inner
        # An object of no class has properties of the shop, such as attributes.
        return {**changed, PROPERTY: _CONTENT} if declared else changed


def _declared(cls: type[Model], value: dict[str, Any]) -> dict[str, Property]:
    if cls is Model:
        return {}
    members = members_of(cls)
    if members is not None:
        return _declared(members.class_for(value.get(members.by)), value)
    cases = cases_of(cls)
    more = {} if cases is None else _declared(cases.class_for(value.get(cases.by)), value)
    return {**{each.wire: each for each in properties_of(cls)}, **more}


def _unknown_effects(shape: Shape, known: list[Any]) -> list[Any]:
    """Return an entry of an unknown type for a list whose entries have types; else nothing."""
    cls = shape.target() if shape.kind == "object" else Model
    properties = () if cls is Model else properties_of(cls)
    for declared in properties:
        if declared.variant is not None:
            last = known[-1] if known and isinstance(known[-1], dict) else {}
            made = {
                each.wire: last.get(each.wire, _DEFAULTS.get(each.shape.kind, ""))
                for each in properties
                if each.required
            }
            made |= {declared.variant.by: EFFECT, declared.wire: _CONTENT}
            return [{**made, PROPERTY: _CONTENT}]
    return []
