"""Examples of properties, parameters and bodies: those of the description, and stand-ins."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from codegen import ir
from codegen.checks import located
from codegen.loader import Document, SpecError
from codegen.type_refs import TypeReader
from talon_one._schema.validation import value_violations

# Texts without an example, by their format, and the length up to which one is filled.
_TEXT = "text"
_LONGEST = 1000
_TEXTS = {
    "byte": "dGV4dA==",
    "date": "2027-01-01",
    "date-time": "2027-01-01T00:00:00Z",
    "email": "mina.osei@example.com",
    "uri": "https://example.com",
    "uuid": "0c6e2f84-7b19-4d35-8a42-f5d1936b0e7c",
}


class ExampleReader:
    """Reads examples, and checks them against the schemas that *types* reads."""

    def __init__(self, types: TypeReader) -> None:
        self._types = types

    def read(self, node: Document, schema: Document, type: ir.TypeRef) -> ir.Example:
        """Return an example, or a value that stands in for one.

        Args:
            node: The property, parameter or body, which may have an ``example``.
            schema: Its schema, which is the node itself if it is a property.
            type: Its type.

        Raises:
            SpecError: The schema does not allow the example, or needs one that is missing.
        """
        if "example" in node:
            with located("example", node, "example"):
                return ir.Example(self._checked(node["example"], schema, type), is_given=True)
        if _has_classes(type):
            return ir.Example(None)
        value = self._stand_in(schema)
        if any(self._violations(schema, value)):
            raise SpecError("needs an example, because its limits allow no plain value")
        return ir.Example(value)

    def _checked(self, value: Any, schema: Document, type: ir.TypeRef) -> Any:
        if _has_classes(type):
            raise SpecError("the properties of a class have examples, objects of it have none")
        if value is None:
            raise SpecError("null is no example")
        value = _plain(value)
        for violation in self._violations(schema, value):
            raise SpecError(violation)
        return value

    def _violations(self, schema: Document, value: Any, path: str = "") -> Iterator[str]:
        """Yield what is wrong with a value."""
        type = self._types.type_of(schema)
        # Those of items are checked with the items.
        constraints = {key: each for key, each in type.constraints.items() if key != "items"}
        found = value_violations(type.text, constraints, value)
        if found:
            for each in found:
                steps = "".join(f"[{step!r}]" for step in each.path)
                yield f"{path}{steps} {each.message}".strip()
            return
        node = self._types.described(schema)
        if isinstance(value, str) and not _has_format(value, node.get("format", "")):
            yield f"{path} must be text of the format {node['format']}".strip()
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._violations(node.get("items", {}), item, f"{path}[{index}]")
        elif isinstance(value, dict):
            yield from self._violations_inside(node, value, path)

    def _violations_inside(
        self, node: Document, values: dict[str, Any], path: str
    ) -> Iterator[str]:
        for key in node.get("required", ()):
            if key not in values:
                yield f"{path}[{key!r}] is required"
        declared, others = node.get("properties", {}), node.get("additionalProperties")
        for key, value in values.items():
            schema = declared.get(key, others)
            if isinstance(schema, dict) and value is not None:
                yield from self._violations(schema, value, f"{path}[{key!r}]")

    def _stand_in(self, schema: Document) -> Any:
        """Return the plainest value that a schema may allow, in which no class is involved."""
        node = self._types.described(schema)
        kind = node.get("type")
        if "oneOf" in node:
            return self._stand_in(node["oneOf"][0])
        if "enum" in node:
            return next(value for value in node["enum"] if value is not None)
        if kind == "array":
            return [self._stand_in(node["items"])] if node["items"] else []
        if kind == "string":
            text = _TEXTS.get(node.get("format", ""), _TEXT)
            length = min(node.get("minLength", 0), _LONGEST)
            return text.ljust(length, "x")[: node.get("maxLength")]
        if kind in ("integer", "number"):
            return self._number(node)
        if kind == "boolean":
            return False
        values = node.get("additionalProperties")
        return {"1": self._stand_in(values)} if isinstance(values, dict) and values else {}

    def _number(self, node: Document) -> Any:
        limits = [node[key] for key in ("minimum", "maximum") if key in node]
        candidates = [1, *limits, *(limit + step for limit in limits for step in (1, -1))]
        return next((each for each in candidates if not any(self._violations(node, each))), 1)


def _has_classes(type: ir.TypeRef) -> bool:
    return bool(type.models or type.variants)


def _plain(value: Any) -> Any:
    """Return a value of plain dicts and lists, as JSON has them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value is not None and not isinstance(value, (str, int, float)):
        raise SpecError(f"{value} is read as a {type(value).__name__}; quote it")
    return value


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _is_uri(text: str) -> bool:
    return bool(urlsplit(text).scheme and text.isascii() and " " not in text)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


_CHECKS: dict[str, Callable[[str], Any]] = {
    "byte": _is_base64,
    "date": lambda text: not value_violations("date", {}, text),
    "date-time": lambda text: not value_violations("datetime", {}, text),
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+").fullmatch,
    "uri": _is_uri,
    "uuid": _is_uuid,
}


def _has_format(text: str, format: str) -> bool:
    return format not in _CHECKS or bool(_CHECKS[format](text))
