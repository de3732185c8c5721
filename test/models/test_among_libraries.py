"""Models among data frames, web frameworks and `match`, and the scalars of numpy and pandas."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any

import fastapi
import httpx
import numpy as np
import pandas as pd
import polars as pl
import pytest

import talon_one
from support.every import for_every
from support.server import RecordingServer
from support.shells import Shell
from talon_one import (
    ApiAttributeError,
    ApiTypeError,
    ApiValueError,
    CartItem,
    Configuration,
    Coupon,
    CustomerSessionV2,
    IntegrationApi,
    ManagementApi,
    Model,
    ModelValidationError,
    NewCustomerSessionV2,
    Picklist,
    UpdateCoupon,
)
from talon_one._core.operation import Column
from talon_one._schema import json_codec
from talon_one._schema.scalars import native
from talon_one._schema.validation import value_violations, violations
from talon_one.tables.cells import to_cell

MOMENT = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def client(server: RecordingServer, shell: Shell) -> Iterator[Any]:
    keys = {"api_key_v1": "i", "management_key": "m"}
    with shell.new_client(Configuration(host=server.url, api_key=keys)) as made:
        yield made


@pytest.fixture(params=["orjson", "json"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "json":
        monkeypatch.setattr(json_codec, "orjson", None)


# Type checkers know nothing of what is taken in the place of Python's own types.
ITEM: Any = CartItem
UPDATE: Any = UpdateCoupon

# -- Mappings ----------------------------------------------------------------------------------


def test_a_model_is_a_mapping_of_what_it_holds() -> None:
    item = CartItem(sku="A", quantity=2)
    assert isinstance(item, Mapping)
    assert issubclass(CartItem, Mapping)
    assert dict(item) == {**item} == {"sku": "A", "quantity": 2}
    match item:
        case {"sku": sku, "quantity": 2, **rest}:
            assert (sku, rest) == ("A", {})
        case _:
            pytest.fail("the pattern does not match")


def test_a_property_that_hides_a_method_of_mappings_does_no_harm() -> None:
    data = {"id": 1, "type": "string", "values": ["a"], "items": 3}
    picklist = Picklist.from_json(json.dumps(data))
    assert picklist.values == ["a"]
    assert isinstance(picklist, Mapping)
    session = NewCustomerSessionV2(attributes={"list": picklist})
    assert session.to_wire() == {"attributes": {"list": data}}
    assert json.loads(session.to_json()) == {"attributes": {"list": data}}
    assert session.to_dict()["attributes"]["list"]["values"] == ["a"]
    assert session.copy() == session == NewCustomerSessionV2(attributes={"list": picklist.copy()})
    assert dict(picklist) == data
    NewCustomerSessionV2(attributes=picklist).validate()
    prices: Any = NewCustomerSessionV2
    (found,) = violations(prices(additional_costs=Picklist.from_json('{"items": 3}')))
    assert str(found) == "$.additionalCosts.items must be AdditionalCost or a dict, not int"
    assert json_codec.plain({"a": [picklist]}) == {"a": [data]}


def test_data_frames_show_values_not_names() -> None:
    items = [CartItem(sku="A", quantity=1), CartItem(sku="B", quantity=2)]
    wanted = [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 2}]
    assert pd.DataFrame(items).to_dict("records") == wanted
    assert pl.DataFrame(items).to_dicts() == wanted
    assert pl.from_dicts(items).to_dicts() == wanted


def test_a_model_of_another_class_is_still_no_dict() -> None:
    request = talon_one.IntegrationRequest(customer_session=CartItem(sku="A", quantity=1))  # type: ignore[arg-type]
    with pytest.raises(ModelValidationError, match="must be NewCustomerSessionV2 or a dict, not"):
        request.validate()


def test_fastapi_takes_a_model_as_the_body_of_a_request() -> None:
    app = fastapi.FastAPI()

    @app.post("/items")
    def create(item: CartItem) -> Any:
        assert type(item) is CartItem
        return {"sku": item.sku, "rest": item.additional_properties}

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as to:
            return await to.post("/items", json={"sku": "A", "quantity": 1, "new": [1]})

    response = asyncio.run(post())
    assert response.status_code == 200, response.text
    assert response.json() == {"sku": "A", "rest": {"new": [1]}}


def test_a_mapping_of_any_kind_is_read_by_from_dict() -> None:
    class Row(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            return {"sku": "A", "quantity": 1}[key]

        def __iter__(self) -> Iterator[str]:
            return iter(("sku", "quantity"))

        def __len__(self) -> int:
            return 2

    assert CartItem.from_dict(Row()) == CartItem(sku="A", quantity=1)


def test_json_of_the_standard_library_writes_models_by_the_one_convention() -> None:
    session = NewCustomerSessionV2(cart_items=[CartItem(sku="A", quantity=1)])
    text = json.dumps({"session": session, "n": [session]}, default=Model.to_wire)
    assert json.loads(text)["n"][0] == {"cartItems": [{"sku": "A", "quantity": 1}]}


# -- Scalars of other libraries ----------------------------------------------------------------

TWINS = [
    ("quantity", np.int64(2), 2),
    ("quantity", np.uint8(2), 2),
    ("quantity", np.array(2), 2),
    ("quantity", Decimal("2"), 2),
    ("quantity", Decimal("2.00"), 2),
    ("quantity", Decimal("2E+1"), 20),
    ("price", np.float64(1.5), 1.5),
    ("price", np.float32(1.5), 1.5),
    ("price", np.float16(1.5), 1.5),
    ("price", np.longdouble(1.5), 1.5),
    ("price", np.int32(3), 3),
    ("price", Decimal("1.50"), 1.5),
    ("name", np.str_("Mug"), "Mug"),
]


@pytest.mark.usefixtures("library")
@for_every("name, scalar, twin", TWINS)
def test_a_scalar_is_taken_where_its_python_twin_is(name: str, scalar: Any, twin: Any) -> None:
    item = ITEM(**{"sku": "A", "quantity": 1, name: scalar})
    item.validate()
    assert json.loads(item.to_json())[name] == twin
    assert json.loads(json.dumps(item.to_wire()))[name] == twin
    free = NewCustomerSessionV2(attributes={"x": [scalar], "y": scalar})
    free.validate()
    assert json.loads(free.to_json()) == {"attributes": {"x": [twin], "y": twin}}
    assert ITEM(**{"sku": "A", "quantity": 1, name: twin}) == item


def test_moments_of_numpy_are_those_of_python_in_any_unit() -> None:
    for unit in ("s", "ms", "us", "ns"):
        moment = np.datetime64("2026-01-31T10:00:00", unit)
        assert native(moment) == datetime(2026, 1, 31, 10), unit
    assert native(np.datetime64("2026-01-31", "D")) == datetime(2026, 1, 31)
    beyond = np.datetime64("30000-01-01", "D")  # No datetime reaches it.
    assert native(beyond) is beyond


def test_whole_numbers_of_any_size_and_type_are_integers() -> None:
    whole: tuple[Any, ...] = (2, Decimal("2"), Decimal("2.00"), np.int64(2), 10**400)
    for number in whole:
        assert not value_violations("int", {}, number), number
    for number in (2.5, Decimal("2.5"), float("inf"), "2", True, None):
        assert value_violations("int", {}, number), number


@pytest.mark.parametrize("number", [2.0, np.float64(2), Decimal("2.5"), "2", True, np.bool_(True)])
def test_a_number_with_a_fraction_is_not_accepted_as_an_integer(number: Any) -> None:
    item = CartItem(sku="A", quantity=number)
    assert [each.message.partition(",")[0] for each in violations(item)] == ["must be an integer"]


@pytest.mark.usefixtures("library")
def test_a_truth_and_a_moment_of_other_libraries_are_taken() -> None:
    moment = pd.Timestamp("2026-01-01T10:00:00.123456789", tz="Europe/Berlin")
    coupon = Coupon.from_dict({"startDate": moment, "isReservationMandatory": np.bool_(True)})
    found = {each.path[0] for each in violations(coupon)}
    assert not found & {"startDate", "isReservationMandatory"}
    assert json.loads(coupon.to_json()) == {
        "startDate": "2026-01-01T10:00:00.123456789+01:00",
        "isReservationMandatory": True,
    }
    assert value_violations("bool", {}, np.bool_(False)) == []
    for naive in (np.datetime64("2026-01-01T10:00"), np.datetime64("2026-01-01", "ns")):
        (found_one,) = violations(UPDATE(start_date=naive))
        assert found_one.message.startswith("must have a time zone")


class Member(Enum):
    NAN = float("nan")
    NAIVE = datetime(2026, 1, 1)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.datetime64("2026-01-01T10:00"), "must have a time zone"),
        (Member.NAIVE, "must have a time zone"),
        (datetime(2026, 1, 1), "must have a time zone"),
        (np.float32("inf"), "must be a finite number"),
        (Member.NAN, "must be a finite number"),
    ],
    ids=repr,
)
def test_a_free_value_is_checked_as_its_python_twin(value: Any, message: str) -> None:
    (found,) = violations(NewCustomerSessionV2(attributes={"a": value}))
    assert (tuple(found.path), found.message.startswith(message)) == (("attributes", "a"), True)


MISSING = [
    pd.NaT,
    pd.NA,
    np.datetime64("NaT", "s"),
    np.float64("nan"),
    float("nan"),
    Decimal("NaN"),
]


@pytest.mark.usefixtures("library")
@for_every("missing", [*MISSING, Decimal("sNaN")], label=repr)
def test_a_missing_value_is_a_violation_at_its_path(missing: Any) -> None:
    item = CartItem(
        sku=missing,
        name=missing,
        quantity=missing,
        price=missing,
        attributes={"a": [missing]},
    )
    paths = {tuple(each.path) for each in violations(item)}
    assert paths == {("sku",), ("name",), ("quantity",), ("price",), ("attributes", "a", 0)}
    coupon = UPDATE(start_date=missing, limits=[{"action": missing}])
    assert ("startDate",) in {tuple(each.path) for each in violations(coupon)}
    for kind in ("datetime", "date", "bool", "int", "float", "str", 'Literal["a"]', "list[int]"):
        assert value_violations(kind, {}, missing), kind
        assert value_violations(kind, {}, [missing]), kind
    with pytest.raises((ApiTypeError, ApiValueError), match=r"at \$\.attributes\.a\[0\]"):
        NewCustomerSessionV2(attributes={"a": [missing]}).to_json()


def test_scalars_are_taken_in_queries_and_paths(client: Any, server: RecordingServer) -> None:
    management: Any = (
        client.api("ManagementApi") if hasattr(client, "api") else ManagementApi(client)
    )
    management.get_campaigns(np.int64(7), page_size=Decimal("50.00"), skip=np.int32(3))
    assert server.last.target == "/v1/applications/7/campaigns?pageSize=50&skip=3"
    management.get_campaigns(Decimal("7.0"), page_size=np.array(50))
    assert server.last.target == "/v1/applications/7/campaigns?pageSize=50"
    integration: Any = (
        client.api("IntegrationApi") if hasattr(client, "api") else IntegrationApi(client)
    )
    integration.update_customer_session_v2(
        np.str_("a b"), {"customerSession": {}}, dry=np.bool_(True), now=pd.Timestamp(MOMENT)
    )
    assert server.last.target == (
        "/v2/customer_sessions/a%20b?dry=true&now=2026-01-01T00%3A00%3A00Z"
    )
    for value in (Decimal("7.5"), np.float64(7.5), pd.NA, pd.NaT, float("nan")):
        with pytest.raises(ApiValueError):
            management.get_campaigns(value)
        with pytest.raises(ApiValueError):
            management.get_campaigns(7, page_size=value)


def test_whole_decimals_are_integers_in_tables_too() -> None:
    for value in (Decimal("5.00"), Decimal("5"), np.int64(5), 5):
        assert to_cell(_column("int"), value) == "5"
    assert to_cell(_column("int"), Decimal("5.50")) == "5.50", "which its check refuses"
    assert to_cell(_column("float"), Decimal("5.00")) == "5.00"
    for missing in MISSING[:2]:
        assert to_cell(_column("int"), missing) == to_cell(_column("datetime"), missing) == ""


def _column(kind: str) -> Column:
    return Column("n", kind, False, (), "", {})


# -- Subclasses --------------------------------------------------------------------------------


class Converting:
    """A data descriptor of its own."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else instance.quantity

    def __set__(self, instance: Any, value: str) -> None:
        instance.quantity = int(value)


class Mixin:
    @property
    def label(self) -> str:
        return self.name or ""

    @label.setter
    def label(self, value: str) -> None:
        self.name = value.upper()


class Line(Mixin, CartItem):  # type: ignore[misc]  # its name is that of the field
    __slots__ = ("__dict__", "note")

    count = Converting()

    @property
    def total(self) -> float:
        return (self.price or 0) * self.quantity

    @total.setter
    def total(self, value: float) -> None:
        self.price = value / self.quantity

    @property
    def code(self) -> str:
        return self.sku

    @cached_property  # type: ignore[misc]  # type checkers know fields only
    def weight(self) -> int:  # type: ignore[override]  # likewise
        return self.quantity * 10

    @property
    def broken(self) -> int:
        return 1

    @broken.setter
    def broken(self, value: int) -> None:
        raise KeyError("an error of its own")


class Discounted(Line):
    @property  # type: ignore[misc]  # likewise
    def price(self) -> float:
        return float(self._data.get("price", 0)) / 2

    @price.setter
    def price(self, value: float) -> None:
        self["price"] = value * 2


def test_a_subclass_may_define_properties_with_setters() -> None:
    line: Any = Line(sku="A", quantity=2)
    line.total, line.label, line.note = 9, "mug", "fragile"
    assert line.to_wire() == {"sku": "A", "quantity": 2, "price": 4.5, "name": "MUG"}
    assert (line.label, line.note) == ("MUG", "fragile")
    line.count = "3"
    assert (line.quantity, line.weight, line.weight) == (3, 30, 30)
    with pytest.raises(ApiAttributeError, match="no attribute 'totl'"):
        line.totl = 1
    with pytest.raises(AttributeError):
        line.code = "B"
    with pytest.raises(KeyError, match="an error of its own"):
        line.broken = 2
    with pytest.raises(ApiAttributeError):
        line._data = {}
    with pytest.raises(ApiAttributeError):
        line.__class__ = CartItem


def test_a_property_in_the_place_of_a_field_is_the_one_that_is_assigned_to() -> None:
    line: Any = Discounted(sku="A", quantity=1)
    line.price = 5
    assert line.to_wire()["price"] == 10
    assert line.price == 5
    line.total = 4
    assert line.to_wire()["price"] == 8


# -- Objects of the caller that fail -----------------------------------------------------------


class Failing:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no eq")

    def __hash__(self) -> int:
        raise RuntimeError("no hash")

    def __deepcopy__(self, memo: Any) -> Any:
        raise RuntimeError("no copy")


class FailingDict(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("no items")

    def keys(self) -> Any:
        raise RuntimeError("no keys")

    def __iter__(self) -> Any:
        raise RuntimeError("no iter")


class FailingList(list[Any]):
    def __len__(self) -> int:
        raise RuntimeError("no len")

    def __iter__(self) -> Any:
        raise RuntimeError("no iter")


@pytest.mark.parametrize("value", [Failing(), FailingDict(a=1), FailingList([1])], ids=type)
@pytest.mark.parametrize("name", ["sku", "attributes", "additional_costs", "quantity"])
def test_exceptions_of_an_object_become_exceptions_of_this_package(value: Any, name: str) -> None:
    item: Any = ITEM(**{"sku": "A", "quantity": 1, name: value})
    other: Any = ITEM(**{"sku": "A", "quantity": 1, name: {"b": 2}})
    assert "CartItem(" in repr(item)
    assert "CartItem" in item.to_str()
    for method in (
        item.validate,
        item.to_json,
        item.to_wire,
        item.to_dict,
        item.copy,
        lambda: item == other,
        lambda: item == ITEM(**{"sku": "A", "quantity": 1, name: type(value)()}),
        lambda: CartItem.from_dict({"sku": "A", name: value}),
    ):
        with suppress(talon_one.OpenApiException):
            method()


@dataclass
class Array:
    """What compares like an array of numpy."""

    def __eq__(self, other: object) -> Any:
        return np.array([True, False])


def test_a_comparison_that_returns_an_array_is_read_or_refused() -> None:
    one = NewCustomerSessionV2(attributes={"a": np.array([1, 2])})
    two = NewCustomerSessionV2(attributes={"a": np.array([1, 3])})
    with pytest.raises(ApiValueError, match="NewCustomerSessionV2 cannot be compared"):
        assert one == two
    assert one == NewCustomerSessionV2(attributes=one.attributes)


def test_the_day_of_a_moment_is_no_moment() -> None:
    (found,) = violations(UpdateCoupon(start_date=date(2026, 1, 2)))  # type: ignore[arg-type]
    assert found.message == (
        "must be a datetime, not date; a day has no time, give"
        " datetime(2026, 1, 2, tzinfo=timezone.utc)"
    )
    session = CustomerSessionV2.from_dict({})
    assert isinstance(session, Mapping)


class Annotated(CartItem):
    """A subclass with an annotation of its own, as subclasses have."""

    __slots__ = ("note",)

    note: str


def test_a_subclass_with_annotations_of_its_own_is_checked_like_its_class() -> None:
    annotated: Any = Annotated  # Type checkers take the annotation for a property.
    line = annotated(sku="A", quantity=1)
    line.note = "fragile"
    line.validate()
    assert line.to_wire() == {"sku": "A", "quantity": 1}
    assert [str(each) for each in violations(ITEM())] == [
        str(each) for each in violations(Annotated.from_dict({}))
    ]
