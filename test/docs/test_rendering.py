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
        source = sampler.expression(ir.TypeRef(name, "nested", (name,)), name)
        assert _evaluated(source).validate() is None


def test_examples_are_the_same_each_time(sdk: ir.Sdk) -> None:
    assert examples(sdk) == examples(build(load(ROOT / "spec"), "talon_one"))


@pytest.mark.parametrize(
    ("text", "constraints", "expected"),
    [
        ("int", {}, 1),
        ("int", {"minimum": 7}, 10),
        ("int", {"minimum": 3, "maximum": 4}, 3),
        ("float", {"minimum": 0, "exclusive_minimum": True}, 1),
        ("float", {"maximum": 0}, 0),
        ("str", {"pattern": "^[a-f0-9]{16}$"}, "0123456789abcdef"),
        ("Literal['b', 'a']", {}, "b"),
        ("bool", {}, False),
        ("list[int]", {"items": {"minimum": 100}}, [100]),
        ("dict[str, str]", {}, {"1": "example"}),
        ("dict[str, Any]", {}, {}),
    ],
)
def test_a_sample_keeps_within_the_limits(
    sdk: ir.Sdk, text: str, constraints: dict[str, Any], expected: Any
) -> None:
    type = ir.TypeRef(text, constraints=constraints)
    assert _evaluated(Sampler(sdk).expression(type, "anything")) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("start_date", datetime(2026, 1, 1, tzinfo=timezone.utc)),
        ("created_before", datetime(2026, 12, 31, tzinfo=timezone.utc)),
    ],
)
def test_a_period_ends_after_it_begins(sdk: ir.Sdk, name: str, expected: datetime) -> None:
    assert _evaluated(Sampler(sdk).expression(ir.TypeRef("datetime", "datetime"), name)) == expected


def test_the_longest_known_ending_of_a_name_decides(sdk: ir.Sdk) -> None:
    sampler, text = Sampler(sdk), ir.TypeRef("str")
    assert _evaluated(sampler.expression(text, "integration_id")) == "customer-1001"
    assert _evaluated(sampler.expression(text, "new_store_integration_id")) == "store-berlin"


def test_limits_that_no_known_value_keeps_are_an_error(sdk: ir.Sdk) -> None:
    with pytest.raises(SpecError, match="no sample of 'code' fits"):
        Sampler(sdk).expression(ir.TypeRef("str", constraints={"pattern": "^[A-Z]{3}$"}), "code")


def test_trees_end_and_an_object_that_requires_itself_is_an_error() -> None:
    tree = _sdk({"Tree": _object(branches={"type": "array", "items": _ref("Tree")})})
    assert Sampler(tree).expression(ir.TypeRef("Tree"), "tree") == "talon_one.Tree(branches=[])"
    ring = _sdk({"Ring": _object(next=_ref("Ring"))})
    with pytest.raises(SpecError, match="Ring requires itself"):
        Sampler(ring).expression(ir.TypeRef("Ring"), "ring")


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
        ({"type": "string", "pattern": "^a|b$"}, r"required; matches `^a|b\Z`"),
        ({"type": "string", "enum": ["a", "b"]}, 'required; one of `"a"`, `"b"`'),
        ({"type": "string", "format": "password"}, "required; a secret, masked in `repr`"),
        ({"type": "string", "nullable": True}, "required, may be null"),
        ({"type": "string", "readOnly": True}, "required; set by the server"),
        ({"type": "string", "deprecated": True}, "deprecated; required"),
        ({"type": "boolean", "default": False}, "required; by default `False`"),
        ({"type": "integer", "minimum": 0}, "required; at least 0"),
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
