"""Paths of rules: entities, their attributes, custom attributes, and names."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from sandbox.rules.facts_double import FactsDouble, make_scope
from talon_one.sandbox.rules.compiled import EvaluationError, MissingValue, WrongType
from talon_one.sandbox.rules.expressions import ExpressionError, Names, read_path
from talon_one.sandbox.rules.programs import compile_program
from talon_one.sandbox.rules.scope import Scope

SESSION = {
    "integrationId": "order-1",
    "created": "2026-11-01T10:00:00.000000Z",
    "total": 120.5,
    "cartItemTotal": 120,
    "couponCodes": ["ONE", "TWO"],
    "cartItems": [
        {
            "name": "Lamp",
            "sku": "L-1",
            "quantity": 2,
            "price": 40.25,
            "product": {"name": "Lux"},
            "attributes": {"Brand": "Lux", "color": "red", "Since": "2026-05-01T10:00:00+02:00"},
        },
        {"name": "Bulb", "sku": "B-1", "quantity": 3, "returnedQuantity": 1, "price": 10},
    ],
    "additionalCosts": {"shipping": {"price": 5}},
    "attributes": {"IsGift": True, "Total": 7, "deep": {"Inner": {"n": 1}}, "Nothing": None},
    "profileId": None,
}


def scope_of_all() -> Scope:
    facts = FactsDouble(
        profiles={
            "Current": {"integrationId": "anna", "attributes": {"Limit": 30}, "totalSales": 9},
            "Advocate": {"integrationId": "bob"},
        }
    )
    scope = make_scope(
        SESSION,
        facts=facts,
        event={"type": "newsletterJoined", "attributes": {"Channel": "shop"}},
        store={"integrationId": "berlin"},
        names={"lampCount": lambda scope: Decimal(2), "all": lambda scope: scope.units},
        coupon={"value": "SUMMER", "discountLimit": 50},
        referral={"code": "FRIEND"},
        campaign={"id": 77, "name": "Lamps"},
        application={"id": 3, "timezone": "UTC"},
    )
    return scope.at(scope.units[1])


def read(path: str, scope: Scope | None = None) -> Any:
    names = Names({"lampCount", "all", "selfish"})
    return read_path(path, names)(scope or scope_of_all())


VALUES: dict[str, Any] = {
    "$Session.Total": Decimal("120.5"),
    "$Session.CartItemTotal": Decimal(120),
    "$Session.IntegrationId": "order-1",
    "$Session.Created": datetime(2026, 11, 1, 10, tzinfo=timezone.utc),
    "$Session.CouponCodes": ["ONE", "TWO"],
    "$Session.IsGift": True,
    "$Session.Attributes.IsGift": True,
    "$Session.Attributes.Total": Decimal(7),
    "$Session.deep.Inner.n": Decimal(1),
    "$Session.Attributes.deep.Inner.n": Decimal(1),
    "$Session.AdditionalCosts.shipping.Price": Decimal(5),
    "$Session.CartItems.Count": Decimal(4),
    "$Profile.IntegrationId": "anna",
    "$Profile.TotalSales": Decimal(9),
    "$Profile.Limit": Decimal(30),
    "$Advocate.IntegrationId": "bob",
    "$Event.Type": "newsletterJoined",
    "$Event.Channel": "shop",
    "$Store.IntegrationId": "berlin",
    "$Coupon.Value": "SUMMER",
    "$Coupon.DiscountLimit": Decimal(50),
    "$Referral.Code": "FRIEND",
    "$Campaign.Id": Decimal(77),
    "$Application.Timezone": "UTC",
    "$Item.SKU": "L-1",
    "$Item.Price": Decimal("40.25"),
    "$Item.Quantity": Decimal(1),
    "$Item.Position": Decimal(0),
    "$Item.SubPosition": Decimal(1),
    "$Item.Product.Name": "Lux",
    "$Item.Brand": "Lux",
    "$Item.color": "red",
    "$Item.Attributes.color": "red",
    "$lampCount": Decimal(2),
    "$all.Count": Decimal(4),
}


def test_paths_read_properties_of_entities_custom_attributes_and_names() -> None:
    wrong = {path: read(path) for path, value in VALUES.items() if read(path) != value}
    assert wrong == {}


def test_a_talang_lookup_reads_what_the_path_reads() -> None:
    names = Names({"lampCount", "all"})
    wrong = {}
    for path, value in VALUES.items():
        if path.endswith(".Count"):
            continue
        program = [".", *path[1:].split(".")]
        found = compile_program(program, names)(scope_of_all())
        if found != value:
            wrong[path] = found
    assert wrong == {}


def test_cart_items_are_the_units_that_have_not_been_returned() -> None:
    places = [(unit.position, unit.sub_position) for unit in read("$Session.CartItems")]
    assert places == [(0, 0), (0, 1), (1, 1), (1, 2)]


def test_a_talang_program_gives_units_for_the_cart_items_in_its_result() -> None:
    scope = scope_of_all()
    dear = ["filter", [".", "Session", "CartItems"], [["x"], [">", [".", "x", "Price"], 20]]]
    assert compile_program(dear, Names())(scope) == list(scope.units[:2])
    assert compile_program([".", "Item"], Names())(scope) == scope.units[1]


def test_a_talang_program_can_give_a_whole_entity() -> None:
    scope = scope_of_all()
    costs = compile_program([".", "Session", "AdditionalCosts"], Names())(scope)
    assert costs == {"shipping": {"price": 5}}
    assert compile_program([".", "Coupon"], Names())(scope) == {
        "Value": "SUMMER",
        "DiscountLimit": 50,
    }


def test_the_offset_of_a_time_is_kept() -> None:
    since = read("$Item.Since")
    assert since == datetime(2026, 5, 1, 8, tzinfo=timezone.utc)
    assert since.utcoffset() == timedelta(hours=2)


def test_what_has_no_value_is_missing() -> None:
    bare = make_scope()
    missing = [
        ("$Session.Nothing", scope_of_all()),
        ("$Session.total", scope_of_all()),
        ("$Session.ProfileId", scope_of_all()),
        ("$Session.Attributes.isGift", scope_of_all()),
        ("$Session.Attributes.IntegrationId", scope_of_all()),
        ("$Session.AdditionalCosts.handling", scope_of_all()),
        ("$Item.Weight", scope_of_all()),
        ("$Session", bare),
        ("$Session.Total", bare),
        ("$Session.CartItems", bare),
        ("$Session.Attributes.X", bare),
        ("$Profile.IntegrationId", bare),
        ("$Advocate.IntegrationId", bare),
        ("$Coupon.Value", bare),
        ("$Referral.Code", bare),
        ("$Campaign.Id", bare),
        ("$Store.Name", bare),
        ("$Item", bare),
        ("$Item.Price", bare),
        ("$lampCount", bare),
    ]
    found = []
    for path, scope in missing:
        with suppress(MissingValue):
            found.append((path, read(path, scope)))
    assert found == []


def test_attributes_of_what_has_none_are_a_wrong_type() -> None:
    for path in ("$Session.Total.Cents", "$Session.CartItems.Price", "$lampCount.Count"):
        with pytest.raises(WrongType):
            read(path)


def test_a_name_is_evaluated_once_and_without_the_unit_at_hand() -> None:
    seen = []

    def evaluate(scope: Scope) -> Decimal:
        seen.append(scope.unit)
        return Decimal(5)

    scope = make_scope(SESSION, names={"all": evaluate})
    at_unit = scope.at(scope.units[0])
    assert [read("$all", at_unit), read("$all", scope), read("$all", at_unit)] == [5, 5, 5]
    assert seen == [None]


def test_a_name_that_needs_itself_fails_instead_of_recursing() -> None:
    scope = make_scope(names={"selfish": read_path("$selfish", Names({"selfish"}))})
    for _ in range(2):
        with pytest.raises(EvaluationError, match="needs its own value"):
            read("$selfish", scope)


def test_a_name_whose_evaluation_fails_fails_alike_each_time() -> None:
    scope = make_scope(names={"all": read_path("$Session.Total", Names())})
    for _ in range(2):
        with pytest.raises(MissingValue, match=r"\$Session.Total has no value"):
            read("$all", scope)


def test_catch_works_on_a_name_whose_evaluation_fails() -> None:
    scope = make_scope(names={"broken": read_path("$Session.Total", Names())})
    program = ["catch", 7, [".", "broken"]]
    assert compile_program(program, Names({"broken"}))(scope) == 7


def test_what_is_not_a_path_or_has_an_unknown_root_is_refused() -> None:
    accepted = []
    texts = ["", "$", "Session.Total", "$Session.", "$.Total", "$Session..Total", "$1.a"]
    for text in [*texts, "$Session.Total ", "$Sessions.Total", "$session.Total", "$lamps", "$Ä"]:
        with suppress(ExpressionError):
            read_path(text, Names())
            accepted.append(text)
    assert accepted == []
