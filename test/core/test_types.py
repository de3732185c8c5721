"""Types written as text, and what a hand-made operation does with the rarer of them."""

from __future__ import annotations

from typing import Any

import pytest

from support.server import RecordingServer
from talon_one import NULL, ApiClient, Configuration, Model
from talon_one.fields import field
from talon_one.operation import Operation, header, path
from talon_one.type_names import Shape, parse, type_name
from talon_one.validation import value_violations, violations


@pytest.mark.parametrize(
    ("written", "shape"),
    [
        ("str", Shape("str")),
        ("str | None", Shape("str")),
        ("Optional[str]", Shape("str")),
        ("list[Coupon] | None", Shape("list", Shape("Coupon"))),
        ("List[Coupon]", Shape("list", Shape("Coupon"))),
        ("dict(str, Coupon)", Shape("dict", Shape("Coupon"))),
        ("Dict[str, List[int]]", Shape("dict", Shape("list", Shape("int")))),
        ("dict(str, dict(str, float))", Shape("dict", Shape("dict", Shape("float")))),
        ("object", Shape("Any")),
        ("Literal['a, b', 'c]']", Shape("Literal", values=("a, b", "c]"))),
        ("list[Literal[1, 2]]", Shape("list", Shape("Literal", values=(1, 2)))),
    ],
)
def test_a_written_type_is_understood_in_every_spelling(written: str, shape: Shape) -> None:
    assert parse(written) == shape


@pytest.mark.parametrize(
    ("annotation", "type_string"),
    [
        ("dict[str, Any]", "object"),
        ("dict[str, float] | None", "dict(str, float)"),
        ("list[list[Coupon]]", "list[list[Coupon]]"),
        ("Literal['a', 'b']", "str"),
        ("Literal[1, 2]", "int"),
        ("Any", "object"),
    ],
)
def test_an_annotation_has_the_type_string_of_the_vendors_packages(
    annotation: str, type_string: str
) -> None:
    assert type_name(annotation) == type_string


def test_the_items_of_a_list_in_the_query_have_limits_of_their_own() -> None:
    (violation,) = value_violations("list[int]", {"items": {"minimum": 1}}, [1, 0])
    assert str(violation) == "$[1] must be at least 1, not 0"


def test_every_kind_of_parameter_has_further_names_and_the_spelling_of_json() -> None:
    operation = Operation(
        "probe",
        "GET",
        "/v1/{flag}",
        path("flag", "flag", "bool", aliases=("switch",)),
        header("mode", "X-Mode", "bool", aliases=("x_mode",)),
        results={200: "Any"},
    )
    with RecordingServer() as server, ApiClient(Configuration(host=server.url)) as client:
        assert client.call(operation, (), {"switch": True, "x_mode": False}) == {}
        assert server.last.path == "/v1/true"
        assert server.last.headers["X-Mode"] == "false"


class Settings(Model):
    """A class whose required property may be any JSON, null included."""

    __slots__ = ()

    value: Any = field()


def test_a_required_property_of_any_type_may_be_null_but_not_missing() -> None:
    assert violations(Settings(value=NULL)) == []
    assert [str(each) for each in violations(Settings.from_dict({}))] == ["$.value is required"]
