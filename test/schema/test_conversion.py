"""Types written as text, and what a hand-made operation does with the rarer of them."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import pytest

from support.every import for_every
from support.server import RecordingServer
from talon_one import NULL, ApiClient, CartItem, Configuration, Model
from talon_one._core.operation import Operation, header, path
from talon_one._core.request import Request
from talon_one._schema.annotations import Shape, parse
from talon_one._schema.conversion import convert
from talon_one._schema.fields import field
from talon_one._schema.validation import value_violations, violations
from talon_one._vendor import model as vendor


@for_every(
    "written, shape",
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
        ("None", Shape("Any")),
        ("list", Shape("Any")),
        ("dict", Shape("Any")),
        ("string", Shape("str")),
        ("integer", Shape("int")),
        ("number", Shape("float")),
        ("boolean", Shape("bool")),
        ("datetime.datetime", Shape("datetime")),
        ("datetime.date", Shape("date")),
        ("models.Coupon", Shape("Coupon")),
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
    assert vendor.type_string(annotation) == type_string


def test_the_items_of_a_list_in_the_query_have_limits_of_their_own() -> None:
    (violation,) = value_violations("list[int]", {"items": {"minimum": 1}}, [1, 0])
    assert str(violation) == "$[1] must be at least 1, not 0"


def test_values_of_a_map_may_be_null() -> None:
    assert value_violations("dict[str, int]", {}, {"a": None, "b": 1}) == []
    (violation,) = value_violations("dict[str, int]", {}, {"a": None, "b": "1"})
    assert str(violation) == "$.b must be an integer, not str"


def test_limits_hold_for_lists_in_lists() -> None:
    constraints = {"max_items": 2, "items": {"items": {"max_length": 2}}}
    (violation,) = value_violations("list[list[str]]", constraints, [["ab"], ["abc"]])
    assert str(violation) == "$[1][0] must have at most 2 characters, not 3"


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


class Login(Model):
    """An object with a secret of a certain form."""

    __slots__ = ()

    key: str = field(secret=True, pattern="^a")


def test_a_secret_of_the_wrong_form_is_not_quoted() -> None:
    (violation,) = violations(Login(key="hush"))
    assert str(violation) == "$.key must match ^a, which the secret does not"


def test_a_required_property_of_any_type_may_be_null_but_not_missing() -> None:
    assert violations(Settings(value=NULL)) == []
    assert [str(each) for each in violations(Settings.from_dict({}))] == ["$.value is required"]


@pytest.mark.parametrize(
    ("written", "data", "expected"),
    [
        (list[CartItem], [{"sku": "A"}, 7], [CartItem.from_dict({"sku": "A"}), 7]),
        (list[CartItem], {"sku": "A"}, {"sku": "A"}),
        (dict[str, CartItem], {"a": {"sku": "A"}}, {"a": CartItem.from_dict({"sku": "A"})}),
        (dict[str, CartItem], [{"sku": "A"}], [{"sku": "A"}]),
        (dict[str, list[date]], {"a": ["2026-01-31", 1]}, {"a": [date(2026, 1, 31), 1]}),
        (list[datetime], ["2026-01-31T00:00:00Z"], [datetime(2026, 1, 31, tzinfo=timezone.utc)]),
        (list["CartItem"], [{"sku": "A"}], [CartItem.from_dict({"sku": "A"})]),
        (CartItem, {"sku": "A"}, CartItem.from_dict({"sku": "A"})),
        (CartItem, ["sku"], ["sku"]),
        (int, "1", "1"),
    ],
)
def test_a_type_may_be_given_as_itself(written: Any, data: Any, expected: Any) -> None:
    found = convert(data, written)
    assert found == expected
    assert repr(found) == repr(expected), "of the same classes"


@pytest.mark.parametrize(
    ("target", "shown"), [("/v1/a?b=c?d&e=f", "/v1/a"), ("/v1/a", "/v1/a"), ("/v1/a?", "/v1/a")]
)
def test_the_query_of_a_request_is_not_shown(target: str, shown: str) -> None:
    request = Request("getA", "GET", "https://a.talon.one", target, {}, None)
    assert request.url == f"https://a.talon.one{target}"
    assert request.url_without_query == f"https://a.talon.one{shown}"
    assert repr(request) == f"<Request getA: GET https://a.talon.one{shown}>"
