"""What a customer pays adds up, to the minor unit, whatever the discounts are."""

from __future__ import annotations

import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkout.lines import MAPPER, cost_off, off, rows, session_off
from effects.sample_effects import effect_json, response_with
from support.hostile import assert_ours
from talon_one import ApiValueError, CustomerSessionV2, NewCustomerSessionV2
from talon_one.checkout import CartMapper, Currency, Cut, PayableCart, payable
from talon_one.effects import ItemUnit, summary

WRAPPED = CartMapper(additional_costs="costs")
"""Lines that are dicts, with additional costs."""


def line(price: Any, quantity: int = 1, **costs: Any) -> dict[str, Any]:
    return {"sku": "A", "quantity": quantity, "price": price, "costs": costs}


def of_lines(found: PayableCart) -> list[int]:
    return [each.payable for each in found.lines]


def test_discounts_on_units_costs_and_the_session_are_subtracted() -> None:
    cart = WRAPPED.cart(
        [line(10, 2, wrap=2), line(Decimal("20.5"))], additional_costs={"shipping": 4.9}
    )
    effects = [off(3, 0, 1), cost_off(0.5, "wrap", 0, 0), cost_off(4.9, "shipping"), session_off(1)]
    found = payable(cart, response_with(*effects), "EUR", session_scope="cartItems")
    assert (found.before, found.discount, found.payable) == (4740, 940, 3800)
    assert found.amount == Decimal("38.00")
    first, second = found.lines
    assert (first.position, first.sku, first.before) == (0, "A", 2200)
    # The discount on the session is spread over 10, 7 and 20.50.
    assert [(each.sub_position, each.payable) for each in first.units] == [(0, 974), (1, 681)]
    assert [(each.name, each.before, each.payable) for each in first.costs] == [("wrap", 200, 150)]
    assert (first.payable, second.payable) == (1805, 1995)
    assert [(each.name, each.payable, each.discount) for each in found.costs] == [
        ("shipping", 0, 490)
    ]
    assert found.cut == ()


def test_lines_units_and_total_add_up_where_each_alone_would_not() -> None:
    cart = MAPPER.cart(rows("A", "B", "C"))
    found = payable(cart, [session_off(10)], "EUR")
    assert of_lines(found) == [667, 667, 666]
    assert [each.discount for each in found.lines] == [333, 333, 334]
    assert of_lines(payable(cart, [session_off(10)], "JPY")) == [7, 7, 6]
    assert of_lines(payable(cart, [session_off(10)], Currency("KWD"))) == [6667, 6667, 6666]
    one = payable(MAPPER.cart(rows("A", count=3)), [session_off(10)], "EUR")
    assert [each.payable for each in one.lines[0].units] == [667, 667, 666]


def test_the_total_is_rounded_as_asked() -> None:
    cart = MAPPER.cart(rows("A", unit_price=Decimal("0.125")))
    ways: Any = ("half-even", "half-up", "down")
    assert [payable(cart, [], "EUR", rounding=way).payable for way in ways] == [12, 13, 12]


def test_what_exceeds_a_line_is_cut_and_reported() -> None:
    cart = MAPPER.cart(rows("A", "B"), additional_costs={"shipping": 5})
    effects = [off(12.5, 0, 0), off(1, 1, 0), cost_off(6, "shipping")]
    found = payable(cart, effects, "EUR")
    assert of_lines(found) == [0, 900]
    assert found.costs[0].payable == 0
    assert found.cut == (
        Cut(Decimal("2.5"), ItemUnit(0, 0), None, "itemTotal"),
        Cut(Decimal(1), None, "shipping", None),
    )
    more = payable(cart, [*effects, session_off(100, scope="cartItems")], "EUR")
    assert more.payable == 0
    assert more.cut[2:] == (Cut(Decimal(91), None, None, "cartItems"),)


def test_a_discount_on_an_item_as_a_whole_is_spread_over_its_units() -> None:
    found = payable(MAPPER.cart(rows("A", count=3)), [off(25, 0)], "EUR")
    assert [each.payable for each in found.lines[0].units] == [167, 167, 166]
    assert found.cut == ()


@pytest.mark.parametrize(
    ("scope", "default", "goods", "wrap"),
    [
        ("price", "itemTotal", 0, 500),
        ("additionalCosts", "itemTotal", 1000, 0),
        ("itemTotal", "price", 0, 300),
        (None, "itemTotal", 0, 300),
        (None, "price", 0, 500),
        ("somethingNew", "price", 0, 300),
    ],
)
def test_a_discount_on_an_item_reduces_what_its_scope_says(
    scope: Any, default: Any, goods: int, wrap: int
) -> None:
    cart = WRAPPED.cart([line(10, wrap=5)])
    found = payable(cart, [off(12, 0, 0, scope=scope)], "EUR", item_scope=default)
    assert found.lines[0].units[0].payable == goods
    assert found.lines[0].costs[0].payable == wrap


def test_discounts_on_a_part_of_an_item_come_before_those_on_all_of_it() -> None:
    cart = WRAPPED.cart([line(10, wrap=5)])
    effects = [off(8, 0, 0, scope="itemTotal"), off(6, 0, 0, scope="price")]
    found = payable(cart, effects, "EUR")
    assert (found.payable, found.cut) == (100, ())


@pytest.mark.parametrize(
    ("scope", "default", "expected"),
    [
        ("cartItems", "sessionTotal", (750, 500, 500)),
        ("additionalCosts", "sessionTotal", (1000, 500, 250)),
        ("sessionTotal", "cartItems", (875, 437, 438)),
        (None, "sessionTotal", (875, 437, 438)),
        (None, "additionalCosts", (1000, 500, 250)),
        ("somethingNew", "cartItems", (875, 437, 438)),
    ],
)
def test_a_discount_on_the_session_reduces_what_its_scope_says(
    scope: Any, default: Any, expected: tuple[int, ...]
) -> None:
    cart = WRAPPED.cart([line(10, wrap=5)], additional_costs={"shipping": 5})
    found = payable(cart, [session_off(2.5, scope=scope)], "EUR", session_scope=default)
    first = found.lines[0]
    parts = (first.units[0].payable, first.costs[0].payable, found.costs[0].payable)
    assert sum(parts) == 1750
    assert all(abs(part - each) <= 1 for part, each in zip(parts, expected, strict=True))


def test_a_discount_on_all_costs_goes_on_to_those_of_items() -> None:
    cart = WRAPPED.cart([line(10, wrap=5)], additional_costs={"shipping": 5})
    found = payable(cart, [session_off(7, scope="additionalCosts")], "EUR")
    assert (found.costs[0].payable, found.lines[0].costs[0].payable) == (0, 300)


def test_a_cost_of_an_item_is_charged_for_the_line_or_for_each_unit() -> None:
    cart = WRAPPED.cart([line(10, 3, wrap=2)])
    free = [cost_off(2, "wrap", 0, unit) for unit in range(3)]
    assert payable(cart, [], "EUR").payable == 3200
    assert payable(cart, [], "EUR", item_costs="unit").payable == 3600
    assert payable(cart, free, "EUR", item_costs="unit").cut == ()
    found = payable(cart, free, "EUR")
    assert found.payable == 3000
    assert [each.amount for each in found.cut] == [2, 2]


def test_returned_units_are_not_paid() -> None:
    session = CustomerSessionV2.from_dict(
        {
            "cartItems": [
                {"sku": "A", "quantity": 3, "price": 10, "returnedQuantity": 1},
                {
                    "sku": "B",
                    "quantity": 1,
                    "price": 7,
                    "returnedQuantity": 1,
                    "additionalCosts": {"wrap": {"price": 3}},
                },
            ],
            "additionalCosts": None,
        }
    )
    found = payable(session, [off(1, 0, 1), off(2, 0, 2)], "EUR")
    assert [(each.sub_position, each.payable) for each in found.lines[0].units] == [
        (1, 900),
        (2, 800),
    ]
    assert (found.lines[1].units, found.payable) == ((), 1700)
    with pytest.raises(ApiValueError, match="unit 0 of cart item 0, which has the units 1 to 2"):
        payable(session, [off(1, 0, 0)], "EUR")


def test_a_session_can_take_the_place_of_the_cart() -> None:
    cart = MAPPER.cart(rows("A", "B"), additional_costs={"shipping": 3})
    effects = summary([session_off(5)])
    assert payable(cart.session(), effects, "EUR") == payable(cart, effects, "EUR")
    assert payable(NewCustomerSessionV2(), [], "EUR").payable == 0


def test_prices_with_more_digits_than_the_currency_lead_to_no_negative_discount() -> None:
    prices = [Decimal("0.014")] * 3
    cart = WRAPPED.cart([line(price) for price in prices])
    found = payable(cart, [off(0.004, 0, 0)], "EUR")
    assert found.payable == 4
    assert all(each.discount >= 0 for each in found.lines)
    assert sum(each.before for each in found.lines) == found.before


@pytest.mark.parametrize(
    ("lines", "effects", "message"),
    [
        ([line(None)], [], "cart item 0 ('A') has no price. If prices come from a catalog"),
        ([line(-1)], [], "cart item 0 ('A'): price is -1, which is negative"),
        ([line(1, wrap=-1)], [], "additional cost 'wrap' is -1, which is negative"),
        ([line(1)], [off(1, 1, 0)], "a discount is on cart item 1, and the cart has 1"),
        ([line(1)], [off(1, 0, 1)], "on unit 1 of cart item 0, which has the units 0 to 0"),
        ([line(1)], [cost_off(1, "wrap", 0, 0)], "the additional cost 'wrap' of cart item 0"),
        ([line(1)], [cost_off(1, "wrap")], "the additional cost 'wrap' of the session"),
        ([line(1)], [session_off(-1)], "discount 'Session' is negative: -1"),
        ([line(1)], [session_off(1e300)], "which is too large"),
        ([line(1)], [session_off("1")], "value is '1', not a number"),
        ([line(1)], [effect_json("rollbackCoupon", {"value": "A"})], "get_customer_session"),
    ],
)
def test_a_cart_that_has_no_sure_total_is_refused(lines: Any, effects: Any, message: str) -> None:
    with pytest.raises(ApiValueError) as caught:
        payable(WRAPPED.cart(lines), effects, "EUR")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"rounding": "up"}, "rounding is 'up', not one of 'half-even', 'half-up', 'down'"),
        ({"session_scope": "price"}, "session_scope is 'price', not one of 'cartItems'"),
        ({"item_scope": "cartItems"}, "item_scope is 'cartItems', not one of 'price'"),
        ({"item_costs": "units"}, "item_costs is 'units', not one of 'line', 'unit'"),
        ({"currency": "EURO"}, "Did you mean 'EUR'?"),
    ],
)
def test_an_argument_that_is_not_one_of_its_values_is_refused(more: Any, message: str) -> None:
    with pytest.raises(ApiValueError) as caught:
        payable(MAPPER.cart(rows("A")), [], **{"currency": "EUR", **more})
    assert message in str(caught.value)


def test_a_cost_may_have_an_empty_name() -> None:
    cart = MAPPER.cart(rows("A"), additional_costs={"": 5})
    found = payable(cart, [cost_off(2, "")], "EUR")
    assert (found.lines[0].payable, found.costs[0].payable) == (1000, 300)


def test_discounts_of_unknown_types_are_reported() -> None:
    parcel = effect_json("setDiscountPerParcel", {"value": 1})
    found = payable(MAPPER.cart(rows("A")), [parcel], "EUR")
    assert found.payable == 1000
    assert [each.effect_type for each in found.unknown] == ["setDiscountPerParcel"]
    assert pickle.loads(pickle.dumps(found)) == found


# --- Laws -------------------------------------------------------------------------------------

money = st.one_of(st.integers(0, 50), st.decimals(0, 50, places=2), st.decimals(0, 5, places=4))


@st.composite
def orders(draw: Any) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    """Return lines, additional costs of the session, and discounts."""
    lines = [
        line(draw(money), draw(st.integers(1, 3)), **({"wrap": draw(money)} if wrapped else {}))
        for wrapped in draw(st.lists(st.booleans(), max_size=4))
    ]
    costs = {"shipping": draw(money)} if draw(st.booleans()) else {}
    effects = []
    for position, each in enumerate(lines):
        scope = st.sampled_from([None, "price", "additionalCosts", "itemTotal"])
        for unit in draw(st.lists(st.integers(0, each["quantity"] - 1), max_size=2)):
            effects.append(off(float(draw(money)), position, unit, scope=draw(scope)))
        if draw(st.booleans()):
            effects.append(off(float(draw(money)), position, scope=draw(scope)))
        if each["costs"] and draw(st.booleans()):
            effects.append(cost_off(float(draw(money)), "wrap", position, 0))
    if costs and draw(st.booleans()):
        effects.append(cost_off(float(draw(money)), "shipping"))
    scope = st.sampled_from([None, "cartItems", "additionalCosts", "sessionTotal"])
    for value in draw(st.lists(money, max_size=3)):
        effects.append(session_off(float(value), scope=draw(scope)))
    return lines, costs, effects


@settings(max_examples=100)
@given(
    orders(),
    st.sampled_from(["EUR", "JPY", "KWD", "UYW"]),
    st.sampled_from(["half-even", "half-up", "down"]),
    st.randoms(use_true_random=False),
)
def test_everything_adds_up_and_nothing_is_negative(
    order: Any, code: str, rounding: Any, chance: Any
) -> None:
    lines, costs, effects = order
    currency = Currency(code)
    cart = WRAPPED.cart(lines, additional_costs=costs)
    found = payable(cart, effects, currency, rounding=rounding)
    parts = [*found.lines, *found.costs]
    assert found.payable == sum(each.payable for each in parts)
    assert found.before == sum(each.before for each in parts)
    for each in found.lines:
        inner = [*each.units, *each.costs]
        assert each.payable == sum(part.payable for part in inner)
        assert each.before == sum(part.before for part in inner)
        assert all(0 <= part.payable <= part.before for part in inner)
    assert all(0 <= each.payable <= each.before for each in parts)
    # The total is that of the cart less the discounts, but for what was cut.
    exact = sum((Fraction(each["price"]) * each["quantity"] for each in lines), Fraction(0))
    exact += sum((Fraction(each) for row in lines for each in row["costs"].values()), Fraction(0))
    exact += sum(map(Fraction, costs.values()), Fraction(0))
    exact -= Fraction(summary(effects).total) - Fraction(sum(each.amount for each in found.cut))
    assert exact >= 0
    assert found.payable == currency.minor(exact, rounding)
    assert payable(cart, chance.sample(effects, len(effects)), currency, rounding=rounding) == found


def test_whatever_is_to_be_paid_only_our_own_exceptions_come_of_it() -> None:
    cart = MAPPER.cart(rows("A"))
    anything: Any = payable
    item = {"sku": "A", "quantity": 1, "price": 1}

    def with_item(**more: Any) -> CustomerSessionV2:
        return CustomerSessionV2.from_dict({"cartItems": [{**item, **more}]})

    assert_ours(
        {
            "cart": lambda v: anything(v, [], "EUR"),
            "response": lambda v: anything(cart, v, "EUR"),
            "currency": lambda v: anything(cart, [], v),
            "rounding": lambda v: anything(cart, [], "EUR", rounding=v),
            "session_scope": lambda v: anything(cart, [], "EUR", session_scope=v),
            "items": lambda v: anything(CustomerSessionV2.from_dict({"cartItems": v}), [], "EUR"),
            "price": lambda v: anything(with_item(price=v), [], "EUR"),
            "quantity": lambda v: anything(with_item(quantity=v), [], "EUR"),
            "returned": lambda v: anything(with_item(returnedQuantity=v), [], "EUR"),
            "costs": lambda v: anything(with_item(additionalCosts=v), [], "EUR"),
            "amount": lambda v: anything(cart, [session_off(v)], "EUR"),
            "scope": lambda v: anything(cart, [session_off(1, scope=v)], "EUR"),
        },
        count=60,
    )
