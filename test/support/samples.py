"""Values made from the API description: valid ones, forbidden ones, and hostile JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from typing import Any

from hypothesis import strategies as st

from support.spec import (
    SCHEMAS,
    Node,
    choices,
    is_model,
    is_nullable,
    is_union,
    model_of,
    properties,
    required,
    resolved,
)

Json = Any
JsonObject = dict[str, Any]

# What has no example in the document.
_PLAIN = "text"
_MOMENTS = {"date-time": "2026-01-02T03:04:05.678Z", "date": "2026-01-02"}


def sample(node: Node, everything: bool = True, variant: int = 0) -> Json:
    """Return a JSON value that a node allows: its example, if it has one.

    Args:
        node: A schema, or a reference to one.
        everything: Give all properties rather than only the required ones.
        variant: A different number makes a different value, where the node allows it.
    """
    name = model_of(node)
    if name is not None:
        return sample_object(name, everything)
    if "example" in node and not variant:
        return deepcopy(node["example"])
    node = resolved(node)
    if "oneOf" in node:
        return sample(node["oneOf"][variant % len(node["oneOf"])], everything)
    kind = node.get("type")
    if "enum" in node:
        return node["enum"][variant % len(node["enum"])]
    if kind == "array":
        count = max(node.get("minItems", 0), min(2, node.get("maxItems", 2)) if everything else 1)
        return [sample(node["items"], everything, index) for index in range(count)]
    if kind == "string":
        return _text(node, variant)
    if kind in ("integer", "number"):
        return _number(node, kind) + variant
    if kind == "boolean":
        return variant % 2 == 0
    values = node.get("additionalProperties")
    if isinstance(values, dict) and values:
        return {"a key": sample(values, everything)}
    return {"any": ["thing", 1, 2.5, True, None, {"deep": []}], "n": variant}


def sample_object(name: str, everything: bool = True) -> JsonObject:
    """Return a valid JSON object for a model, or for one of several."""
    if is_union(name):
        return sample_object(_member(name), everything)
    wanted = list(properties(name)) if everything else required(name)
    found = {wire: sample(properties(name)[wire], everything) for wire in wanted}
    for wire in wanted:
        chosen = choices(resolved(properties(name)[wire]))
        if chosen and "x-variants" in resolved(properties(name)[wire]):
            by, classes = chosen
            if found.get(by) in classes:
                found[wire] = sample_object(classes[found[by]], everything)
    rules = choices(SCHEMAS[name])
    if rules:
        by, classes = rules
        found = {**sample_object(classes[found[by]], everything), **found}
    return found


def _member(name: str) -> str:
    """Return the first of several schemas that does not need another object of them."""
    members = choices(SCHEMAS[name])
    assert members is not None
    for each in members[1].values():
        inside = {model_of(properties(each)[wire].get("items", {})) for wire in required(each)}
        if name not in inside:
            return each
    raise AssertionError(f"{name} contains itself without end")


def sample_of(name: str, everything: bool = True) -> Json:
    """Return a valid JSON value for any schema."""
    is_class = is_model(name) or is_union(name)
    return sample_object(name, everything) if is_class else sample(SCHEMAS[name], everything)


def _item(node: Node, variant: int = 0) -> Json:
    """Return an item of a list."""
    examples = node.get("example", [])
    if variant < len(examples):
        return deepcopy(examples[variant])
    first = examples[0] if examples else None
    return f"{first}{variant}" if isinstance(first, str) else sample(node["items"], variant=variant)


def _text(node: Node, variant: int) -> str:
    if node.get("format") in _MOMENTS:
        return _MOMENTS[node["format"]]
    text = _PLAIN.ljust(node.get("minLength", 0), "x")[: node.get("maxLength")]
    return f"{text}{variant}" if variant else text


def _number(node: Node, kind: str) -> int | float:
    bounds = [node[bound] for bound in ("minimum", "maximum") if bound in node]
    number: float = bounds[0] if bounds else 7
    if node.get("exclusiveMinimum"):
        number += 1
    if node.get("exclusiveMaximum") and "minimum" not in node:
        number -= 1
    return number if kind == "integer" else number + 0.5 * ("maximum" not in node)


def forbidden(node: Node) -> Iterator[tuple[str, Json, tuple[Any, ...]]]:
    """Yield values that a node does not allow, one for each of its constraints.

    Each comes with the name of the constraint, and with the path from the value to the violation.
    """
    name = model_of(node)
    if name is not None:
        yield from _forbidden_objects(name)
        return
    node = resolved(node)
    kind = node.get("type")
    if "oneOf" in node:
        yield "type", ["neither"], ()
    elif "enum" in node:
        yield "enum", "no such value", ()
        yield "type", 42, ()
    elif kind == "array":
        yield from _forbidden_lists(node)
    elif kind == "string":
        yield from _forbidden_texts(node)
    elif kind in ("integer", "number"):
        yield from _forbidden_numbers(node, kind)
    elif kind == "boolean":
        yield "type", "true", ()
        yield "type", 1, ()
    elif kind == "object":
        yield "type", [1], ()
        yield "type", "text", ()
        values = node.get("additionalProperties")
        if isinstance(values, dict):
            for constraint, value, path in forbidden(values):
                yield constraint, {"a key": value}, ("a key", *path)


def _forbidden_objects(name: str) -> Iterator[tuple[str, Json, tuple[Any, ...]]]:
    yield "type", 42, ()
    yield "type", [], ()
    valid = sample_object(name, everything=False)
    if is_union(name):
        by, _ = choices(SCHEMAS[name]) or ("", {})
        yield "required", {key: valid[key] for key in valid if key != by}, (by,)
        yield "enum", {**valid, by: "no such class"}, (by,)
        for constraint, value, path in islice(_forbidden_objects(_member(name)), 2, None):
            if path != (by,):
                yield constraint, value, path
        return
    for wire in required(name):
        yield "required", {key: valid[key] for key in valid if key != wire}, (wire,)
        if not is_nullable(properties(name)[wire]):
            yield "required", {**valid, wire: None}, (wire,)
    # One property shows that those of inner objects are checked; each has its own test.
    wire, node = next(iter(properties(name).items()))
    for constraint, value, path in islice(forbidden(node), 1):
        yield constraint, {**valid, wire: value}, (wire, *path)


def _forbidden_lists(node: Node) -> Iterator[tuple[str, Json, tuple[Any, ...]]]:
    yield "type", {"not": "a list"}, ()
    yield "type", "text", ()
    items = node["items"]
    if node.get("minItems"):
        yield "minItems", [_item(node) for _ in range(node["minItems"] - 1)], ()
    if "maxItems" in node:
        yield "maxItems", [_item(node, n) for n in range(node["maxItems"] + 1)], ()
    if node.get("uniqueItems"):
        yield "uniqueItems", [_item(node)] * 2, ()
    # Behind a good one, unless that would be one too many.
    good = [] if "maxItems" in node else [_item(node)]
    for constraint, value, path in forbidden(items):
        yield constraint, [*good, value], (len(good), *path)


def _forbidden_texts(node: Node) -> Iterator[tuple[str, Json, tuple[Any, ...]]]:
    yield "type", 42, ()
    yield "type", True, ()
    if node.get("format") in ("date-time", "date"):
        yield "format", "tomorrow", ()
        return
    if node.get("minLength"):
        yield "minLength", sample(node)[: node["minLength"] - 1], ()
    if "maxLength" in node:
        yield "maxLength", "x" * (node["maxLength"] + 1), ()
    if "pattern" in node:
        # Line breaks at the end are what `$` alone would let through.
        matching = re.compile(node["pattern"].replace("$", r"\Z"))
        wrong = [text for text in ("\x00\n", f"{sample(node)}\n") if not matching.search(text)]
        yield from (("pattern", text, ()) for text in wrong)


def _forbidden_numbers(node: Node, kind: str) -> Iterator[tuple[str, Json, tuple[Any, ...]]]:
    yield "type", "7", ()
    yield "type", True, ()
    if kind == "integer":
        yield "type", 7.5, ()
    if "minimum" in node:
        yield "minimum", node["minimum"] - 1, ()
    if node.get("exclusiveMinimum"):
        yield "exclusiveMinimum", node["minimum"], ()
    if "maximum" in node:
        yield "maximum", node["maximum"] + 1, ()
    if node.get("exclusiveMaximum"):
        yield "exclusiveMaximum", node["maximum"], ()


def nested(depth: int) -> Json:
    """Return lists and objects inside one another."""
    value: Json = {}
    for level in range(depth):
        value = [value, level] if level % 2 else {"id": value}
    return value


HOSTILE: list[Json] = [
    None,
    True,
    -1,
    2**70,
    1.5e300,
    "",
    "unlimited",
    "2026-13-45",
    "2026-02-30T25:61:61+99:99",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999999-12:00",
    "\ud800 lone, \x00 and \U0001f600",
    [],
    [None, 1, "a", {"id": None}, [{"x": [{}]}]],
    {},
    {"id": None, "": {"": []}, "\udfff": "a", "self": 1, "_data": 2},
    {"a": {"b": {}}, "c": [{}]},
    nested(12),
]
"""JSON that no property expects, beside some that it may."""

_TEXT = st.text(st.characters(), max_size=12) | st.sampled_from(
    ["2026-01-02T03:04:05Z", "2026-01-02", "id", "name", "_data", "to_dict", "\udc80"]
)
_DATES = st.from_regex(r"\A\d{4}-\d\d-\d\d([Tt ][0-9:.,+-]*[Zz]?[A-Z]*)?.?\Z", fullmatch=True)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
"""Any JSON value."""


def _classes(name: str) -> set[str]:
    members = choices(SCHEMAS[name]) if is_union(name) else None
    return set(members[1].values()) if members else {name}


@st.composite
def hostile_objects(draw: st.DrawFn, name: str) -> JsonObject:
    """Return any JSON object under some of the wire names of a model, and under other names.

    Where a model is expected, another such object is likely.
    """
    name = draw(st.sampled_from(sorted(_classes(name))))
    nodes = properties(name)
    keys = draw(st.lists(st.sampled_from(list(nodes)) | _TEXT, max_size=6, unique=True))
    return {key: draw(_hostile_values(nodes.get(key, {}))) for key in keys}


@st.composite
def _hostile_values(draw: st.DrawFn, node: Node) -> Json:
    if draw(st.integers(0, 3)) == 0:
        return draw(JSON)
    name = model_of(node)
    if name is not None:
        return draw(hostile_objects(name))
    node = resolved(node)
    values = node.get("additionalProperties")
    if node.get("type") == "array":
        return draw(st.lists(_hostile_values(node["items"]), max_size=2))
    if isinstance(values, dict):
        return draw(st.dictionaries(_TEXT, _hostile_values(values), max_size=2))
    return draw(_DATES if node.get("format") == "date-time" else JSON)


def written(value: Json) -> str:
    """Return JSON text that differs wherever JSON differs, as in 1 and 1.0."""
    return json.dumps(value)
