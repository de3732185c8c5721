"""Rounding that adds up: shares of an amount, and lines of an order, in minor units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import floor
from typing import Any

from talon_one._utils.guard import guarded
from talon_one.checkout.currencies import (
    Amount,
    Currency,
    Rounding,
    currency_of,
    exact,
    rounded,
)
from talon_one.exceptions import ApiTypeError, ApiValueError


def allocate(total: int, weights: Iterable[Amount]) -> list[int]:
    """Split a number of minor units in proportion to weights.

    The shares add up to *total*, and each is less than one unit away from its exact value. The
    units that are left after rounding down go to the largest fractions (method of the largest
    remainder); of equal fractions, to the first ones.

    Args:
        total: Minor units to split. The shares of a negative number are those of its opposite, with
            the sign changed.
        weights: Weights of at least 0, for example the prices of the lines.

    Returns:
        One share for each weight, in their order.

    Raises:
        ApiValueError: A weight is negative, NaN or infinite; or all are 0 and *total* is not.
        ApiTypeError: *total* is not an int, or a weight is not a number.
    """
    if type(total) is bool or not issubclass(type(total), int):
        raise ApiTypeError(f"the total is of type {type(total).__name__}, not an int")
    total = int(exact(total, "the total"))
    given = numbers(weights, "weight")
    whole = sum(given)
    if whole == 0:
        if total:
            raise ApiValueError(f"no weight is above 0, so nothing says how to split {total}")
        return [0] * len(given)
    sign = -1 if total < 0 else 1
    shares = largest_remainder([abs(total) * each / whole for each in given], abs(total))
    return [sign * share for share in shares]


def round_lines(
    amounts: Iterable[Amount], currency: Currency | str, rounding: Rounding = "half-even"
) -> list[int]:
    """Round amounts to minor units so that they add up to their rounded sum.

    Each result is less than one minor unit away from its amount. The minor units that are left
    after rounding down go to the largest fractions; of equal fractions, to the first ones. An
    amount without a fraction stays as it is.

    Args:
        amounts: Amounts of at least 0 in the currency.
        currency: The currency, or its code.
        rounding: How to round the sum: ``"half-even"``, ``"half-up"`` or ``"down"``.

    Returns:
        Minor units for each amount, in their order.

    Raises:
        ApiValueError: An amount is negative, NaN, infinite or too large, or the currency or the way
            of rounding is unknown.
        ApiTypeError: An amount is not a number.
    """
    currency = currency_of(currency)
    scaled = [currency.scaled(each) for each in numbers(amounts, "amount")]
    return largest_remainder(scaled, rounded(sum(scaled, Fraction(0)), rounding))


def largest_remainder(values: Sequence[Fraction], whole: int) -> list[int]:
    """Return values rounded to whole numbers that add up to *whole*.

    Args:
        values: Exact values.
        whole: Their sum, rounded up or down.
    """
    found = [floor(each) for each in values]
    left = whole - sum(found)
    # The sort is stable, so that the first of equal fractions comes first.
    ranking = sorted(range(len(values)), key=lambda index: found[index] - values[index])
    for index in ranking[:left]:
        found[index] += 1
    return found


def numbers(values: Iterable[Any], what: str) -> list[Fraction]:
    """Return numbers of at least 0 exactly.

    Raises:
        ApiValueError: One is negative, not finite or too large.
        ApiTypeError: They are no list of numbers.
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise ApiTypeError(f"the {what}s are a list of numbers, not {type(values).__name__}")
    with guarded(f"the list of {what}s"):
        listed = list(values)
    found = []
    for index, value in enumerate(listed):
        number = exact(value, f"{what} {index}")
        if number < 0:
            raise ApiValueError(f"{what} {index} is {value}, which is negative")
        found.append(number)
    return found
