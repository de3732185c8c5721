"""Amounts that rules compute: finite numbers of a size that can be counted, rounded to cents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.rules.compiled import EffectFailed, WrongType
from talon_one.sandbox.values import ZERO, cents

MAXIMUM: Final = Decimal(10) ** 15
"""The largest amount: with cents it still is an exact number in JSON."""


def positive_amount(value: Any, what: str) -> Decimal:
    """Return an amount of money or points, rounded to cents.

    Args:
        value: What a rule computed.
        what: Name of the amount, for messages.

    Raises:
        WrongType: If it is not a number.
        EffectFailed: If it is less than 0, or too large.
    """
    if value.__class__ is not Decimal:
        raise WrongType(f"{what} must be a number")
    if not -MAXIMUM <= value <= MAXIMUM:
        raise EffectFailed(f"{what} must be between 0 and {MAXIMUM}")
    rounded = cents(value)
    if rounded < ZERO:
        raise EffectFailed(f"{what} cannot be {rounded}")
    return rounded
