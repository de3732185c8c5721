"""What the generator makes of a description that would break a page, or an example."""

from __future__ import annotations

from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import talon_one
from codegen import ir
from codegen.builder import build
from codegen.docs import render_docs
from codegen.loader import SpecError, load
from codegen.samples import Sampler, examples
from docs.pages import ROOT, Page
from support.spec import MODELS

THING = "docs/reference/models/Thing.md"

Schemas = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def sdk() -> ir.Sdk:
    """The whole SDK."""
    return build(load(ROOT / "spec"), "talon_one")


def test_the_sample_of_every_model_may_be_sent(sdk: ir.Sdk) -> None:
    sampler = Sampler(sdk)
    for name in MODELS:
        assert _evaluated(sampler.model(name)).validate() is None


def test_examples_are_the_same_each_time(sdk: ir.Sdk) -> None:
    assert examples(sdk) == examples(build(load(ROOT / "spec"), "talon_one"))


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 7}, 7),
        ({"type": "integer", "minimum": 3, "exclusiveMinimum": True, "maximum": 4}, 4),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, 1),
        ({"type": "number", "maximum": 0}, 0),
        ({"type": "integer", "maximum": -5, "exclusiveMaximum": True}, -6),
        ({"type": "string"}, "text"),
        ({"type": "string", "minLength": 6}, "textxx"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "string", "format": "email"}, "mina.osei@example.com"),
        ({"type": "string", "format": "uuid"}, "0c6e2f84-7b19-4d35-8a42-f5d1936b0e7c"),
        ({"type": "string", "enum": ["b", "a"]}, "b"),
        ({"type": "string", "enum": ["b", "a"], "example": "a"}, "a"),
        ({"type": "boolean"}, False),
        ({"type": "boolean", "example": True}, True),
        ({"type": "array", "items": {"type": "integer", "minimum": 100}}, [100]),
        ({"type": "array", "items": {}}, []),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"1": "text"}),
        ({"type": "object"}, {}),
        ({"type": "object", "example": {"a": [1]}}, {"a": [1]}),
        ({"oneOf": [{"type": "number"}, {"type": "string"}]}, 1),
        ({"oneOf": [{"type": "number"}, {"type": "string"}], "example": "{{a}}"}, "{{a}}"),
    ],
)
def test_a_sample_is_the_example_or_the_plainest_value_within_the_limits(
    schema: dict[str, Any], expected: Any
) -> None:
    sampler = Sampler(_sdk({"Thing": _object(name=schema)}))
    assert sampler.model("Thing") == f"talon_one.Thing(name={expected!r})"


def test_limits_that_no_plain_value_keeps_need_an_example() -> None:
    schema = {"type": "string", "pattern": "^[A-Z]{3}$"}
    with pytest.raises(SpecError, match=r"^Thing\.name: needs an example"):
        _sdk({"Thing": _object(name=schema)})
    sdk = _sdk({"Thing": _object(name={**schema, "example": "ABC"})})
    assert Sampler(sdk).model("Thing") == "talon_one.Thing(name='ABC')"


@pytest.mark.parametrize(
    ("name", "schema", "expected"),
    [
        ("startDate", {}, "datetime(2027, 1, 1, tzinfo=timezone.utc)"),
        ("createdBefore", {}, "datetime(2027, 3, 31, tzinfo=timezone.utc)"),
        ("endDay", {"format": "date"}, "date(2027, 1, 1)"),
        ("endDate", {"format": "date"}, "date(2027, 3, 31)"),
        ("endDate", {"format": "date", "example": "2027-05-01"}, "date(2027, 5, 1)"),
        (
            "endDate",
            {"example": "2027-05-01T09:30:00+02:00"},
            "datetime(2027, 5, 1, 7, 30, 0, tzinfo=timezone.utc)",
        ),
        (
            "endDate",
            {"example": "2027-05-01T09:30:00Z"},
            "datetime(2027, 5, 1, 9, 30, 0, tzinfo=timezone.utc)",
        ),
    ],
)
def test_a_period_ends_after_it_begins(name: str, schema: dict[str, Any], expected: str) -> None:
    moment = {"type": "string", "format": "date-time", **schema}
    (given,) = _sdk({"Thing": _object(**{name: moment})}).models[0].properties
    sampler = Sampler(_sdk({"Thing": _object(**{name: moment})}))
    assert sampler.model("Thing") == f"talon_one.Thing({given.name}={expected})"


def test_trees_end_and_an_object_that_requires_itself_is_an_error() -> None:
    tree = _sdk({"Tree": _object(branches={"type": "array", "items": _ref("Tree")})})
    assert Sampler(tree).model("Tree") == "talon_one.Tree(branches=[])"
    ring = _sdk({"Ring": _object(next=_ref("Ring"))})
    with pytest.raises(SpecError, match="Ring requires itself"):
        Sampler(ring).model("Ring")


def test_two_pages_that_would_be_one_where_case_is_ignored_are_an_error() -> None:
    with pytest.raises(SpecError, match=r"Couponurl\.md and CouponUrl\.md would be one file"):
        render_docs(_sdk({"Couponurl": _object(), "CouponUrl": _object()}))
    with pytest.raises(SpecError, match=r"Index\.md and index\.md would be one file"):
        render_docs(_sdk({"Index": _object()}))


def test_descriptions_break_neither_tables_nor_the_page(tmp_path: Path) -> None:
    description = "One | two\n\n| three <b>four</b> `<five|six>` see `getThing`."
    schemas = {"Thing": _object(name={"type": "string", "description": description})}
    page = tmp_path / "Thing.md"
    page.write_text(render_docs(_sdk(schemas))[THING], encoding="utf-8")
    ((_, row),) = Page(page).tables
    assert row[2] == "One | two | three &lt;b&gt;four&lt;/b&gt; `<five|six>` see `getThing`."


@pytest.mark.parametrize(
    ("schema", "notes"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 1000}, "required; 1 to 1,000 characters"),
        ({"type": "string", "minLength": 1}, "required; at least 1 character"),
        ({"type": "string", "minLength": 2, "maxLength": 2}, "required; exactly 2 characters"),
        ({"type": "string", "pattern": "^t|b$"}, r"required; matches `^t|b\Z`"),
        ({"type": "string", "enum": ["a", "b"]}, 'required; one of `"a"`, `"b"`'),
        ({"type": "string", "format": "password"}, "required; a secret, masked in `repr`"),
        ({"type": "string", "nullable": True}, "required, may be null"),
        ({"type": "string", "readOnly": True}, "required; set by the server"),
        ({"type": "string", "deprecated": True}, "deprecated; required"),
        ({"type": "boolean", "default": False}, "required; by default `False`"),
        ({"type": "integer", "minimum": 0}, "required; at least 0"),
        ({"type": "integer", "example": 0}, "required; for example `0`"),
        ({"type": "boolean", "example": False}, "required; for example `False`"),
        ({"type": "string", "example": "a|`b`"}, 'required; for example `` "a|`b`" ``'),
        ({"type": "string", "example": 'say "a"\n'}, r'required; for example `"say \"a\"\n"`'),
        (
            {"type": "object", "example": {"a": ["b", None]}},
            "required; for example `{'a': ['b', None]}`",
        ),
        (
            {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 9},
            "required; above 0 and at most 9",
        ),
        (
            {"type": "array", "maxItems": 1, "items": {"type": "string", "maxLength": 9}},
            "required; at most 1 item; each at most 9 characters",
        ),
    ],
)
def test_notes_state_the_limits_of_a_value(
    schema: dict[str, Any], notes: str, tmp_path: Path
) -> None:
    page = tmp_path / "Thing.md"
    page.write_text(render_docs(_sdk({"Thing": _object(name=schema)}))[THING])
    ((_, row),) = Page(page).tables
    assert row[3] == notes


def test_notes_list_other_names() -> None:
    schema = {"type": "string", "x-python-name": "ids", "x-python-aliases": ["_ids"]}
    page = render_docs(_sdk({"Thing": _object(thingIDs=schema)}))[THING]
    assert "| `ids` | `str` | Something. | required; wire name `thingIDs`; also `_ids` |" in page


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that requires all of its properties."""
    properties = properties or {"id": {"type": "integer"}}
    described = {
        name: node if "$ref" in node else {"description": "Something.", **node}
        for name, node in properties.items()
    }
    return {
        "description": "An object.",
        "type": "object",
        "properties": described,
        "required": list(properties),
        "x-kept": "compatibility",
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _sdk(schemas: Schemas) -> ir.Sdk:
    document = {
        "info": {"title": "A small API", "version": "1"},
        "tags": [],
        "paths": {},
        "components": {"schemas": schemas},
    }
    return build(document, "talon_one")


def _evaluated(source: str) -> Any:
    names = {"talon_one": talon_one, "date": date, "datetime": datetime, "timezone": timezone}
    return eval(source, names)
