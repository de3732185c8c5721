"""What a change breaks depends on whether the value is sent or received."""

from __future__ import annotations

from typing import Any

import pytest

from codegen.drift.compare import compare
from codegen.drift.compatibility import Directions, breaks
from support.every import for_every
from support.releases import Edit, Node, edited, form, operation, release, schemas


def _sent(document: Node) -> Node:
    found: Node = schemas(document)["NewCoupon"]["properties"]
    return found


def _received(document: Node) -> Node:
    found: Node = schemas(document)["Coupon"]["properties"]
    return found


def _silent(document: Node) -> Node:
    found: Node = operation(document)["parameters"][1]
    return found


def _breaks(edit: Edit) -> dict[str, str]:
    old, new = form(release()), form(edited(edit))
    directions = Directions(old, new)
    return {item.place: breaks(item, directions)[0] for item in compare(old, new)}


ORPHAN: Node = {"type": "object", "properties": {"a": {"type": "string", "enum": ["b", "c"]}}}
CASES: dict[str, tuple[Edit, str]] = {
    "an operation is gone": (lambda each: each["paths"].clear(), "yes"),
    "an operation has another name": (
        lambda each: operation(each).update(operationId="changeCoupon"),
        "yes",
    ),
    "an operation is deprecated": (lambda each: operation(each).update(deprecated=True), "no"),
    "a parameter is gone": (lambda each: operation(each)["parameters"].pop(), "yes"),
    "a parameter is required": (lambda each: _silent(each).update(required=True), "yes"),
    "a property that is received is gone": (lambda each: _received(each).pop("state"), "yes"),
    "a property that is received is new": (
        lambda each: _received(each).update(a={"type": "string"}),
        "no",
    ),
    "a property that is sent is required": (
        lambda each: schemas(each)["NewCoupon"]["required"].append("tags"),
        "yes",
    ),
    "a property that is received is required": (
        lambda each: schemas(each)["Coupon"]["required"].append("state"),
        "no",
    ),
    "a property that is sent is optional": (
        lambda each: schemas(each)["NewCoupon"]["required"].remove("value"),
        "no",
    ),
    "a property that is received is optional": (
        lambda each: schemas(each)["Coupon"]["required"].remove("value"),
        "types",
    ),
    "a value that is sent is gone": (
        lambda each: _sent(each)["tags"]["items"]["enum"].remove("b"),
        "yes",
    ),
    "a value that is sent is new": (
        lambda each: _sent(each)["tags"]["items"]["enum"].append("c"),
        "no",
    ),
    "a value that is received is gone": (
        lambda each: _received(each)["state"]["enum"].remove("used"),
        "types",
    ),
    "a value that is received is new": (
        lambda each: _received(each)["state"]["enum"].append("lost"),
        "types",
    ),
    "a limit of what is sent is tighter": (
        lambda each: _sent(each)["value"].update(maxLength=9),
        "yes",
    ),
    "a limit of what is sent is new": (lambda each: _sent(each)["tags"].update(maxItems=9), "yes"),
    "a limit of what is sent is looser": (
        lambda each: _sent(each)["value"].update(minLength=1),
        "no",
    ),
    "a limit of what is sent is gone": (lambda each: _sent(each)["value"].pop("maxLength"), "no"),
    "a limit of what is received is tighter": (
        lambda each: _received(each)["id"].update(minimum=1),
        "no",
    ),
    "null may no longer be received": (lambda each: _received(each)["value"].pop("nullable"), "no"),
    "null may be received": (lambda each: _received(each)["state"].update(nullable=True), "types"),
    "null may be sent": (lambda each: _sent(each)["value"].update(nullable=True), "no"),
    "what is sent is wider": (
        lambda each: _sent(each)["limit"].update(type="number"),
        "no",
    ),
    "what is received is wider": (
        lambda each: _received(each)["id"].update(type="number"),
        "types",
    ),
    "what is received is narrower": (
        lambda each: _received(each).update(
            attributes={"description": "Free form.", "$ref": "#/components/schemas/Owner"}
        ),
        "yes",
    ),
    "what is received is something else": (
        lambda each: _received(each)["id"].update(type="string"),
        "yes",
    ),
    "a day becomes a timestamp": (
        lambda each: schemas(each)["Owner"]["properties"]["since"].update(format="date-time"),
        "yes",
    ),
    "a text becomes a secret": (
        lambda each: _received(each)["value"].update(format="password"),
        "no",
    ),
    "a response of success is gone": (lambda each: operation(each)["responses"].pop("200"), "yes"),
    "an error is gone": (lambda each: operation(each)["responses"].pop("404"), "types"),
    "a text is another": (lambda each: schemas(each)["Coupon"].update(description="Other."), "no"),
}


@for_every("case", CASES)
def test_a_change_breaks(case: str) -> None:
    edit, expected = CASES[case]
    found = _breaks(edit)
    # What goes with an operation is not counted again.
    assert set(found.values()) == {expected}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda each: each["enum"].remove("b"), "yes"),
        (lambda each: each["enum"].append("d"), "types"),
        (lambda each: each.update(maxLength=1), "yes"),
    ],
)
def test_a_schema_that_no_operation_uses_may_be_sent_and_received(edit: Any, expected: str) -> None:
    old = edited(lambda each: schemas(each).update(Orphan=ORPHAN))
    new = edited(lambda each: edit(schemas(each)["Orphan"]["properties"]["a"]), old)
    forms = form(old), form(new)
    (item,) = compare(*forms)
    assert breaks(item, Directions(*forms))[0] == expected


def test_a_parameter_that_becomes_optional_breaks_positional_calls() -> None:
    old = edited(lambda each: _silent(each).update(required=True))
    forms = form(old), form(release())
    (item,) = compare(*forms)
    assert breaks(item, Directions(*forms)) == ("yes", "is no longer a positional argument")
