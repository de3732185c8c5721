"""Lines of any kind become cart items, and positions lead back to the lines."""

from __future__ import annotations

import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from checkout.lines import MAPPER, Row, rows
from support.hostile import assert_ours
from talon_one import NULL, ApiTypeError, ApiValueError, CartItem, NewCustomerSessionV2
from talon_one.checkout import Cart, CartMapper

HUGE = {"sku": "A", "quantity": 10**5000, "price": 1}
"""A line with more units than Python writes digits."""


def wire(session: NewCustomerSessionV2) -> Any:
    return json.loads(session.to_json())


def test_lines_are_read_by_attribute_by_key_or_by_function() -> None:
    expected = [{"sku": "MUG", "quantity": 2, "price": 9.5}]
    assert wire(MAPPER.cart([Row("MUG", 2, 9.5)]).session())["cartItems"] == expected
    as_dict = {"sku": "MUG", "quantity": 2, "price": Decimal("9.5")}
    model = CartItem(sku="MUG", quantity=2, price=9.5)
    assert wire(CartMapper().cart([as_dict]).session())["cartItems"] == expected
    assert wire(CartMapper().cart([model]).session())["cartItems"] == expected
    by_function = CartMapper(sku=lambda line: line[0], quantity=lambda line: line[1], price=None)
    expected = [{"sku": "MUG", "quantity": 2}]
    assert wire(by_function.cart([("MUG", 2)]).session())["cartItems"] == expected


def test_everything_that_an_item_may_have_is_mapped() -> None:
    line = {
        "sku": "MUG",
        "quantity": np.int64(2),
        "price": np.float64(9.5),
        "name": "Mug",
        "category": "cups",
        "product": "Mug family",
        "weight": 300,
        "height": 90,
        "width": 80,
        "length": 80,
        "attributes": {"color": "red", "gift": None},
        "additional_costs": {"wrap": Decimal("1.5"), "engraving": None},
        "selected_price_type": "member",
    }
    mapper = CartMapper(**{name: name for name in line})
    cart = mapper.cart([line])
    (item,) = wire(cart.session())["cartItems"]
    assert item == {
        "sku": "MUG",
        "quantity": 2,
        "price": 9.5,
        "name": "Mug",
        "category": "cups",
        "product": {"name": "Mug family"},
        "weight": 300,
        "height": 90,
        "width": 80,
        "length": 80,
        "attributes": {"color": "red", "gift": None},
        "additionalCosts": {"wrap": {"price": 1.5}},
        "selectedPriceType": "member",
    }
    cart.session().validate()


def test_attributes_that_are_none_are_cleared_and_costs_that_are_none_left_out() -> None:
    cart: Cart[Row] = MAPPER.cart(
        [],
        additional_costs={"shipping": 4.9, "express": None, "box": {"price": 1}},
        attributes={"gift": None, "note": NULL, "city": "Berlin"},
    )
    assert wire(cart.session(profile_id="anna", coupon_codes=[])) == {
        "profileId": "anna",
        "couponCodes": [],
        "cartItems": [],
        "additionalCosts": {"shipping": {"price": 4.9}, "box": {"price": 1}},
        "attributes": {"gift": None, "note": None, "city": "Berlin"},
    }
    assert wire(MAPPER.cart([]).session()) == {"cartItems": []}
    # Costs that are gone have to be replaced by none.
    none: Cart[Row] = MAPPER.cart([], additional_costs={"shipping": None}, attributes={})
    assert wire(none.session()) == {"cartItems": [], "additionalCosts": {}, "attributes": {}}


def test_sessions_of_a_cart_share_nothing() -> None:
    cart = CartMapper(attributes="attributes").cart(
        [{"sku": "A", "quantity": 1, "price": 1, "attributes": {"a": {"b": 1}}}],
        attributes={"c": [1]},
    )
    changed = cart.session()
    (item,) = changed.cart_items or []
    assert item.attributes
    item.attributes["a"]["b"] = 2
    assert changed.attributes
    changed.attributes["c"].append(2)
    assert wire(cart.session())["cartItems"][0]["attributes"] == {"a": {"b": 1}}
    assert wire(cart.session())["attributes"] == {"c": [1]}


def test_what_comes_from_the_cart_is_not_given_twice() -> None:
    with pytest.raises(ApiTypeError, match="cart_items comes from the cart"):
        MAPPER.cart([]).session(cart_items=[])
    with pytest.raises(ApiTypeError, match="profile_id"):
        MAPPER.cart([]).session(profil_id="anna")


def test_positions_lead_back_to_the_lines() -> None:
    lines = rows("A", "B", "C", "D", count=2)
    lines[1].count = 0  # Removed.
    lines[2].gift = True
    cart = MAPPER.cart(lines)
    assert [each.position for each in cart.lines] == [0, None, None, 1]
    assert [each.sku for each in cart.items] == ["A", "D"]
    assert [each.line for each in cart.lines] == lines
    found = cart.unit_at(1, 1)
    assert (found.line.line, found.line.index, found.line.key, found.unit) == (lines[3], 3, 4, 1)


def test_lines_that_differ_in_their_quantities_only_are_merged_if_asked() -> None:
    lines = [Row("A", 2, id=1), Row("B", 1, id=2), Row("A", 3, id=3), Row("A", 1, 9, id=4)]
    assert len(MAPPER.cart(lines).items) == 4
    cart = MAPPER.cart(lines, merge=True)
    assert [(each.sku, each.quantity, each.price) for each in cart.items] == [
        ("A", 5, 10),
        ("B", 1, 10),
        ("A", 1, 9),
    ]
    places = [(cart.unit_at(0, unit).line.key, cart.unit_at(0, unit).unit) for unit in range(5)]
    assert places == [(1, 0), (1, 1), (3, 0), (3, 1), (3, 2)]
    assert [each.key for each in cart.lines_at(0)] == [1, 3]


@pytest.mark.parametrize("place", [(3, 0), (0, 1), (-1, 0), (0, -1)])
def test_a_place_that_the_cart_does_not_have_is_refused(place: tuple[int, int]) -> None:
    with pytest.raises(ApiValueError, match="it is the response to another cart"):
        MAPPER.cart(rows("A", "B")).unit_at(*place)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"sku": "A", "quantity": 1}, "line 0: price: the dict has no 'price'"),
        ({"sku": "A", "qty": 1, "price": 1}, "line 0: quantity: the dict has no 'quantity'"),
        ({"sku": "A", "quantitty": 1}, "the dict has no 'quantity'. Did you mean 'quantitty'?"),
        (SimpleNamespace(sku="A"), "line 0: quantity: the SimpleNamespace has no 'quantity'"),
        ({"sku": "", "quantity": 1, "price": 1}, "line 0: sku is '', not a text with characters"),
        ({"sku": 5, "quantity": 1, "price": 1}, "line 0: sku is 5, not a text"),
        ({"sku": "A", "quantity": 1.5, "price": 1}, "line 0: quantity is 1.5, not a whole number"),
        ({"sku": "A", "quantity": True, "price": 1}, "line 0: quantity is True, not a whole"),
        ({"sku": "A", "quantity": "2", "price": 1}, "line 0: quantity is '2', not a whole number"),
        (HUGE, "line 0: quantity is <int object at"),
        ({"sku": "A", "quantity": -1, "price": 1}, "line 0: quantity is -1, which is negative"),
        ({"sku": "A", "quantity": 1, "price": "9,50"}, "line 0: price is '9,50', not a number"),
        ({"sku": "A", "quantity": 1, "price": float("nan")}, "line 0: price is nan, not a finite"),
    ],
)
def test_a_line_that_is_no_cart_item_is_refused(line: Any, message: str) -> None:
    with pytest.raises((ApiValueError, ApiTypeError)) as caught:
        CartMapper().cart([line])
    assert message in str(caught.value)


def test_whole_floats_and_decimals_are_quantities() -> None:
    for quantity in (2.0, Decimal("2.00"), np.float64(2)):
        (item,) = CartMapper().cart([{"sku": "A", "quantity": quantity, "price": 1}]).items
        assert type(item.quantity) is int
        assert item.quantity == 2


def test_an_error_of_a_function_says_which_line_and_value() -> None:
    mapper = CartMapper(price=lambda line: line["missing"])
    with pytest.raises(ApiValueError, match="line 0: price cannot be read: KeyError") as caught:
        mapper.cart([{"sku": "A", "quantity": 1}])
    assert isinstance(caught.value.__cause__, KeyError)


class Order:
    """A line with a property that fails."""

    sku = "A"
    quantity = 1

    @property
    def price(self) -> Any:
        return self.missing  # type: ignore[attr-defined]


def test_a_property_that_fails_is_not_taken_for_a_missing_one() -> None:
    with pytest.raises(ApiValueError, match="line 0: price cannot be read: AttributeError"):
        CartMapper().cart([Order()])


def test_two_lines_with_one_key_are_refused() -> None:
    with pytest.raises(ApiValueError, match="line 1: key is 7, as that of an earlier line"):
        MAPPER.cart([Row("A", id=7), Row("B", id=7)])
    keys = [
        each.key
        for each in CartMapper(sku="article", quantity="count", price=None)
        .cart([Row("A"), Row("B"), Row("A")])
        .lines
    ]
    assert keys == [("A", 0), ("B", 0), ("A", 1)]


def test_limits_of_a_session_are_checked_before_sending() -> None:
    exactly = [{"sku": "A", "quantity": 10, "price": 1}] * 1000
    assert len(CartMapper().cart(exactly).items) == 1000
    with pytest.raises(ApiValueError, match="has 1,001 items, and a session takes at most 1,000"):
        CartMapper().cart([*exactly, {"sku": "A", "quantity": 1, "price": 1}])
    with pytest.raises(ApiValueError, match=r"add up to 10,001, and a session .* 10,000 units"):
        CartMapper().cart([*exactly[1:], {"sku": "A", "quantity": 11, "price": 1}])


def test_merging_may_keep_a_cart_within_the_limits() -> None:
    many = [{"sku": "A", "quantity": 1, "price": 1}] * 2000
    (item,) = CartMapper().cart(many, merge=True).items
    assert item.quantity == 2000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sku": None}, "sku is None, not the name of an attribute or a function"),
        ({"price": 5}, "price is 5, not the name of an attribute or a function"),
        ({"prise": "p"}, "has no argument 'prise'. Did you mean 'price'?"),
    ],
)
def test_a_wrong_mapper_is_explained(arguments: Any, message: str) -> None:
    with pytest.raises(ApiTypeError) as caught:
        CartMapper(**arguments)
    assert message in str(caught.value)


def test_whatever_the_lines_are_only_our_own_exceptions_come_of_it() -> None:
    mapper: Any = CartMapper
    everything = mapper(attributes="a", additional_costs="c", key="k", free="f", name="n")
    good = {"sku": "A", "quantity": 1, "price": 1, "a": {}, "c": {}, "k": 1, "f": False, "n": "n"}

    def of_line(name: str) -> Any:
        return lambda value: everything.cart([{**good, name: value}]).session()

    assert_ours(
        {
            "lines": everything.cart,
            "a line": lambda v: everything.cart([v]),
            "source": lambda v: mapper(price=v).cart([good]),
            "merge": lambda v: everything.cart([good, {**good, "k": 2}], merge=v),
            "costs": lambda v: everything.cart([], additional_costs=v).session(),
            "a cost": lambda v: everything.cart([], additional_costs={"a": v}).session(),
            "attributes": lambda v: everything.cart([], attributes=v).session(),
            **{name: of_line(name) for name in good},
        },
        count=300,
    )
