"""Shares add up to what is shared, and rounded lines to the rounded whole."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.hostile import assert_ours
from talon_one import ApiTypeError, ApiValueError
from talon_one.checkout import Currency, allocate, round_lines

weights = st.lists(
    st.one_of(st.integers(0, 10**6), st.decimals(0, 1000, places=3), st.floats(0, 1e6)), max_size=20
)
amounts = st.lists(
    st.one_of(st.decimals(0, 1000, places=4), st.fractions(0, 1000, max_denominator=50)),
    max_size=20,
)
ways = st.sampled_from(["half-even", "half-up", "down"])


def exact(value: Any) -> Fraction:
    return Fraction(Decimal(str(value))) if isinstance(value, float) else Fraction(value)


def test_what_is_left_goes_to_the_largest_fractions_and_then_to_the_first() -> None:
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(101, [1, 1, 1]) == [34, 34, 33]
    assert allocate(10, [0.55, 0.27, 0.18]) == [5, 3, 2]
    assert allocate(-100, [1, 1, 1]) == [-34, -33, -33]
    assert allocate(5, [0, Decimal("0.1"), 0]) == [0, 5, 0]
    assert allocate(2, (each for each in [1, 1])) == [1, 1]


def test_lines_are_rounded_so_that_they_add_up() -> None:
    third = Decimal("3.333")
    assert round_lines([third, third, third], "EUR") == [334, 333, 333]
    assert round_lines([third] * 3, "JPY", "down") == [3, 3, 3]
    assert round_lines([Decimal("0.005")] * 2, Currency("EUR")) == [1, 0]
    assert round_lines([Decimal("0.005")], "EUR", "half-up") == [1]
    assert round_lines([Decimal("0.005")], "EUR", "half-even") == [0]
    assert round_lines([], "EUR") == []


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: allocate(5, [0, 0]), ApiValueError, "no weight is above 0, .* how to split 5"),
        (lambda: allocate(5, []), ApiValueError, "no weight is above 0"),
        (lambda: allocate(5, [1, -1]), ApiValueError, "weight 1 is -1, which is negative"),
        (lambda: allocate(5, [float("nan")]), ApiValueError, "weight 0 is nan, not a finite"),
        (lambda: allocate(5.0, [1]), ApiTypeError, "the total is of type float, not an int"),  # type: ignore[arg-type]
        (lambda: allocate(True, [1]), ApiTypeError, "the total is of type bool, not an int"),
        (lambda: allocate(5, [True]), ApiTypeError, "weight 0 is True, not a number"),
        (lambda: allocate(5, "12"), ApiTypeError, "the weights are a list of numbers, not str"),  # type: ignore[arg-type]
        (lambda: round_lines([-1], "EUR"), ApiValueError, "amount 0 is -1, which is negative"),
        (lambda: round_lines([1], "EURO"), ApiValueError, "Did you mean 'EUR'?"),
    ],
)
def test_what_cannot_be_shared_or_rounded_is_refused(
    call: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


def test_nothing_can_be_shared_among_nobody() -> None:
    assert allocate(0, []) == []
    assert allocate(0, [0, 0]) == [0, 0]


@given(st.integers(-(10**12), 10**12), weights)
def test_shares_add_up_and_are_near_their_exact_values(total: int, given_weights: Any) -> None:
    whole = sum(map(exact, given_weights))
    if not whole:
        return
    shares = allocate(total, given_weights)
    assert sum(shares) == total
    assert all(share * total >= 0 for share in shares)
    for share, weight in zip(shares, map(exact, given_weights), strict=True):
        assert abs(share - total * weight / whole) < 1
    # A larger weight never gets less, and of equal weights the first one gets the rest.
    pairs = list(zip(map(exact, given_weights), map(abs, shares), strict=True))
    ranked = sorted(pairs, key=lambda pair: pair[0], reverse=True)
    assert [share for _, share in ranked] == sorted(map(abs, shares), reverse=True)
    assert allocate(total, given_weights) == shares


@given(amounts, ways)
def test_rounded_lines_add_up_and_are_near_their_amounts(given_amounts: Any, way: Any) -> None:
    currency = Currency("EUR")
    lines = round_lines(given_amounts, currency, way)
    assert sum(lines) == currency.minor(sum(map(exact, given_amounts), Fraction(0)), way)
    for line, amount in zip(lines, map(exact, given_amounts), strict=True):
        assert line >= 0
        assert abs(line - amount * 100) < 1


def test_whatever_is_given_only_our_own_exceptions_come_of_it() -> None:
    split: Any = allocate
    lines: Any = round_lines
    assert_ours(
        {
            "total": lambda v: split(v, [1, 2]),
            "weights": lambda v: split(5, v),
            "a weight": lambda v: split(5, [v, 1]),
            "amounts": lambda v: lines(v, "EUR"),
            "currency": lambda v: lines([1], v),
        },
        count=200,
    )
