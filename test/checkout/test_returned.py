"""Returned units of your own lines become positions of the session."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkout.lines import MAPPER, Row, rows
from support.hostile import assert_ours
from talon_one import ApiTypeError, ApiValueError, IntegrationApi
from talon_one.checkout import Cart, CartMapper, apply, close


def items(cart: Cart[Any], quantities: Mapping[Any, Any]) -> list[dict[str, int]]:
    """Return what would be sent of a return."""
    found: list[dict[str, int]] = json.loads(cart.returned(quantities).to_json())[
        "returnedCartItems"
    ]
    return found


def test_lines_are_named_by_their_keys() -> None:
    cart = MAPPER.cart([Row("A", 0, id=7), Row("B", 3, id=8), Row("A", 2, id=9)])
    assert items(cart, {9: 1, 8: 2}) == [
        {"position": 0, "quantity": 2},
        {"position": 1, "quantity": 1},
    ]


def test_lines_without_a_key_of_yours_are_named_by_their_sku() -> None:
    lines = [{"sku": sku, "quantity": 2, "price": 5} for sku in ("A", "B", "A")]
    cart = CartMapper().cart(lines)
    assert items(cart, {"B": 1}) == [{"position": 1, "quantity": 1}]
    assert items(cart, {("A", 1): 1}) == [{"position": 2, "quantity": 1}]
    with pytest.raises(ApiValueError) as caught:
        cart.returned({"A": 1})
    assert str(caught.value) == "2 lines have the SKU 'A': say which by ('A', 0), ('A', 1)"
    # One line may be named in both ways, and has its units only once.
    with pytest.raises(ApiValueError, match=r"3 units of line .+ are returned, and it has 2"):
        cart.returned({"B": 1, ("B", 0): 2})


def test_units_of_merged_lines_are_returned_together() -> None:
    cart = MAPPER.cart([Row("A", 2, id=1), Row("A", 3, id=2)], merge=True)
    assert items(cart, {1: 1, 2: 3}) == [{"position": 0, "quantity": 4}]


def test_a_quantity_of_zero_is_left_out() -> None:
    assert items(MAPPER.cart(rows("A", "B")), {1: 0, 2: 1.0}) == [{"position": 1, "quantity": 1}]


@pytest.mark.parametrize(
    ("quantities", "message"),
    [
        ({1: 2}, "2 units of line 1 are returned, and it has 1"),
        ({1: -1}, "line 1: quantity is -1, which is negative"),
        ({1: 0.5}, "line 1: quantity is 0.5, not a whole number"),
        ({1: None}, "line 1: quantity is None, not a whole number"),
        ({3: 1}, "the cart has no line 3: its keys are 1, 2, 4, 5"),
        ({"A": 1}, "the cart has no line 'A': its keys are 1, 2, 4, 5"),
        ({4: 1}, "line 4 is free and was not sent, so it cannot be returned: leave it out"),
        ({5: 0, 2: 0}, "the return has no units"),
        ({}, "the return has no units"),
    ],
)
def test_a_return_that_the_order_does_not_allow_is_refused(quantities: Any, message: str) -> None:
    lines = [*rows("A", "B"), Row("GIFT", id=4, gift=True), Row("NONE", 0, id=5)]
    with pytest.raises(ApiValueError) as caught:
        MAPPER.cart(lines).returned(quantities)
    assert str(caught.value) == message


def test_a_list_is_no_mapping_of_lines() -> None:
    cart: Any = MAPPER.cart(rows("A"))
    with pytest.raises(ApiTypeError) as caught:
        cart.returned([1])
    assert str(caught.value) == (
        "the returned units are [1], not a mapping of keys of lines and numbers of units"
    )


def test_many_keys_are_not_all_listed() -> None:
    with pytest.raises(ApiValueError) as caught:
        MAPPER.cart(rows(*"ABCDEFGHIJKLMNOP")).returned({0: 1})
    assert str(caught.value) == "the cart has no line 0: its keys are 1, 2, 3, 4, 5, 6, 7, 8, ..."


def test_whatever_is_returned_only_our_own_exceptions_come_of_it() -> None:
    cart: Any = MAPPER.cart(rows("A", "B"))
    assert_ours(
        {
            "quantities": cart.returned,
            "a quantity": lambda value: cart.returned({1: value}),
            "a key": lambda value: cart.returned(_Pairs([(value, 1)])),
            "a key of a line": lambda value: (
                CartMapper(key=lambda _: value)
                .cart([{"sku": "A", "quantity": 1, "price": 1}])
                .returned({value: 1})
            ),
        },
        count=80,
    )


class _Pairs(Mapping[Any, Any]):
    """A mapping whose keys need no hash."""

    def __init__(self, pairs: list[tuple[Any, Any]]) -> None:
        self._pairs = pairs

    def __getitem__(self, key: Any) -> Any:
        return next(value for found, value in self._pairs if found is key)

    def __iter__(self) -> Any:
        return iter([key for key, _ in self._pairs])

    def __len__(self) -> int:
        return len(self._pairs)


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 4), st.integers(0, 4)), min_size=1),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_each_position_returns_the_units_of_its_lines(
    lines: list[tuple[str, int, int]], merge: bool
) -> None:
    cart = MAPPER.cart(
        [Row(sku, count, id=n) for n, (sku, count, _) in enumerate(lines)], merge=merge
    )
    wanted = {n: min(count, back) for n, (_, count, back) in enumerate(lines)}
    if not any(wanted.values()):
        return
    sent = {each["position"]: each["quantity"] for each in items(cart, wanted)}
    assert sum(sent.values()) == sum(wanted.values())
    for position, item in enumerate(cart.items):
        back = sum(wanted[line.index] for line in cart.lines_at(position))
        assert sent.get(position, 0) == back
        assert back <= (item.quantity or 0)


def test_the_sandbox_returns_the_units_of_the_line(api: IntegrationApi) -> None:
    cart = MAPPER.cart([Row("A", 0, id=1), Row("B", 2, id=2), Row("C", 3, id=3)])
    close(api, "returned-1", cart.session())
    response = api.return_cart_items(
        "returned-1",
        {"return": cart.returned({3: 2}), "responseContent": ["customerSession"]},
    )
    session = response.customer_session
    assert session
    assert [(each.sku, each.returned_quantity) for each in session.cart_items or []] == [
        ("B", None),
        ("C", 2),
    ]
    assert [each.line.key for each in apply(cart, response).lines] == [1, 2, 3]
