"""Arguments for every parameter of the description, and what they are on the wire."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from support.samples import sample
from support.spec import Node, Operation, Parameter

FILE = b"id,name\r\n1,\xc3\xa4\r\n"

# Everything that means something in a URL, and what is no ASCII.
_AWKWARD = "a/b c?d=e&f#g%2Fh+i;j,k@l:m~\u00e4\U0001f600"
_MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=timezone.utc)


def value_for(schema: Node, variant: int = 0) -> Any:
    """Return a valid argument, as hard to write into a URL as the schema allows."""
    kind = schema.get("type")
    if kind == "array":
        items = schema["items"]
        return items["enum"][:2] if "enum" in items else ["a,b", "c&d=e f"]
    if "enum" in schema or kind in ("integer", "boolean"):
        return sample(schema, variant=variant)
    if schema.get("format") == "date-time":
        return _MOMENT.replace(minute=variant)
    return f"{_AWKWARD}{variant}"


def written(value: Any) -> str:
    """Return an argument as it stands in a URL, before percent-encoding."""
    if isinstance(value, datetime):
        return f"2026-01-02T03:{value.minute:02}:05.678000Z"
    return str(value).lower() if isinstance(value, bool) else str(value)


def arguments(operation: Operation, everything: bool = True) -> dict[str, Any]:
    """Return keyword arguments for the parameters of an operation, without body and file."""
    wanted = operation.parameters if everything else operation.required
    return {
        each.name: "key-0123" if each.location == "header" else value_for(each.schema, variant)
        for variant, each in enumerate(wanted)
    }


def payload(operation: Operation, everything: bool = False) -> dict[str, Any]:
    """Return the keyword argument for the body or file of an operation, if it has one."""
    if operation.body:
        body = sample({"$ref": f"#/components/schemas/{operation.body}"}, everything)
        return {"body": body}
    return {"up_file": FILE} if operation.upload else {}


def expected_segments(operation: Operation, given: dict[str, Any]) -> list[str]:
    """Return the segments that the path of a request must have, decoded."""
    values = {
        f"{{{each.wire}}}": written(given[each.name])
        for each in operation.parameters
        if each.location == "path"
    }
    return [values.get(segment, segment) for segment in operation.path.split("/")]


def expected_pairs(operation: Operation, given: dict[str, Any]) -> list[tuple[str, str]]:
    """Return names and values that the query must have; arrays with commas stay in one piece."""
    return [
        (each.wire, text)
        for each in operation.parameters
        if each.location == "query" and each.name in given
        for text in _texts(each, given[each.name])
    ]


def _texts(parameter: Parameter, value: Any) -> list[str]:
    if not isinstance(value, list):
        return [written(value)]
    return [written(each) for each in value] if parameter.explode else [",".join(value)]
