"""Currencies know their digits, and amounts in minor units are exact."""

from __future__ import annotations

import pickle
from decimal import Context, Decimal, Inexact, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.hostile import assert_ours
from talon_one import ApiTypeError, ApiValueError
from talon_one.checkout import DIGITS, Currency

EUR, JPY, KWD = map(Currency, ("EUR", "JPY", "KWD"))


def test_currencies_have_the_digits_of_iso_4217() -> None:
    assert [each.digits for each in (JPY, EUR, KWD, Currency("UYW"))] == [0, 2, 3, 4]
    assert sorted(set(DIGITS.values())) == [0, 2, 3, 4]
    assert all(len(code) == 3 and code.isupper() for code in DIGITS)
    assert str(EUR) == "EUR"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("EURO",), "'EURO' is no currency of ISO 4217: .* Did you mean 'EUR'?"),
        (("eur",), "Did you mean 'EUR'?"),
        (("XAU",), "pass the digits of its amounts"),
        (("",), "'' is no currency"),
        (("X" * 10**6,), "is no currency"),
        (("EUR", -1), "digits is -1, not between 0 and 20"),
        (("EUR", 21), "digits is 21, not between 0 and 20"),
    ],
)
def test_an_unknown_currency_is_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ApiValueError, match=message):
        Currency(*arguments)


def test_a_currency_of_your_own_has_the_digits_that_you_say() -> None:
    assert Currency("POINTS", digits=0).minor(Decimal("2.5")) == 2
    assert Currency("ISK", digits=2).minor(7) == 700
    assert Currency("EUR", digits=2) == EUR
    assert len({Currency("EUR"), EUR}) == 1
    assert pickle.loads(pickle.dumps(KWD)) == KWD


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (12, (1200, 1200, 1200)),
        (0.125, (12, 13, 12)),
        (Decimal("0.135"), (14, 14, 13)),
        (0.1 + 0.2, (30, 30, 30)),
        (1.005, (100, 101, 100)),  # The binary value is less.
        (Fraction(1, 3), (33, 33, 33)),
        (Decimal("-0.125"), (-12, -13, -12)),
        (Decimal("-0.129"), (-13, -13, -12)),
        (np.float64(0.29), (29, 29, 29)),
        (Decimal("0E+999999999"), (0, 0, 0)),
        (5e-324, (0, 0, 0)),
    ],
)
def test_amounts_become_minor_units(amount: Any, expected: tuple[int, int, int]) -> None:
    found = tuple(EUR.minor(amount, how) for how in ("half-even", "half-up", "down"))
    assert found == expected
    assert all(type(each) is int for each in found)


def test_a_rounded_amount_has_all_digits() -> None:
    with localcontext(Context(prec=2, traps=[Inexact])):
        assert str(EUR.round(1234.5)) == "1234.50"
        assert str(JPY.round(Decimal("0.5"), "half-up")) == "1"
        assert str(KWD.major(-1234)) == "-1.234"
        assert str(EUR.major(0)) == "0.00"


@pytest.mark.parametrize(
    ("amount", "error", "message"),
    [
        (float("nan"), ApiValueError, "the amount is nan, not a finite number"),
        (float("inf"), ApiValueError, "the amount is inf, not a finite number"),
        (Decimal("sNaN"), ApiValueError, "not a finite number"),
        (10**30, ApiValueError, "which is too large"),
        (Decimal("1E+999999999"), ApiValueError, "which is too large"),
        (Decimal("1E-999999999"), ApiValueError, "more than 400 decimals"),
        (True, ApiTypeError, "the amount is True, not a number"),
        (None, ApiTypeError, "the amount is None, not a number"),
        ("4.90", ApiTypeError, "the amount is '4.90', not a number; make a Decimal of it"),
        (1j, ApiTypeError, "not a number"),
    ],
)
def test_what_is_no_amount_is_refused(amount: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        EUR.minor(amount)


def test_an_amount_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(ApiValueError, match=r"<int object at .*>, which is too large"):
        EUR.minor(10**5000)


def test_minor_units_are_whole() -> None:
    wrong: Any = 1.5
    with pytest.raises(ApiValueError, match=r"minor units is 1\.5, which is not whole"):
        EUR.major(wrong)


def test_an_amount_near_the_limit_can_be_rounded() -> None:
    assert str(KWD.round(10**30 - 1)) == f"{'9' * 30}.000"


def test_an_unknown_way_of_rounding_is_refused() -> None:
    wrong: Any = "half_up"
    with pytest.raises(ApiValueError, match="Did you mean 'half-up'"):
        EUR.minor(1, wrong)


@given(st.integers(-(10**20), 10**20), st.integers(0, 4))
def test_minor_units_go_there_and_back(minor: int, digits: int) -> None:
    currency = Currency("OWN", digits)
    assert currency.minor(currency.major(minor)) == minor


@given(st.decimals(-(10**9), 10**9, places=6))
def test_rounding_moves_an_amount_by_less_than_a_unit(amount: Decimal) -> None:
    exact = Fraction(amount) * 100
    assert abs(EUR.minor(amount) - exact) <= Fraction(1, 2)
    assert abs(EUR.minor(amount, "half-up") - exact) <= Fraction(1, 2)
    assert 0 <= abs(exact) - abs(EUR.minor(amount, "down")) < 1


def test_whatever_is_given_only_our_own_exceptions_come_of_it() -> None:
    currency: Any = Currency
    assert_ours(
        {
            "code": currency,
            "digits": lambda v: currency("EUR", v),
            "amount": EUR.minor,
            "rounding": lambda v: EUR.minor(1, v),
            "minor": EUR.major,
        },
        count=200,
    )
