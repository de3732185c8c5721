"""Checkout: carts, discounts on your own lines, and amounts that add up. Nothing here does I/O."""

from talon_one.checkout.applying import (
    Applied,
    AppliedLine,
    LineChange,
    LineDifference,
    LineDiscount,
    apply,
)
from talon_one.checkout.bill import Cut
from talon_one.checkout.cart import Cart, CartLine, CartUnit
from talon_one.checkout.currencies import DIGITS, Currency
from talon_one.checkout.mapping import CartMapper
from talon_one.checkout.money import allocate, round_lines
from talon_one.checkout.paying import (
    Payable,
    PayableCart,
    PayableCost,
    PayableLine,
    PayableUnit,
    payable,
)

__all__ = [
    "DIGITS",
    "Applied",
    "AppliedLine",
    "Cart",
    "CartLine",
    "CartMapper",
    "CartUnit",
    "Currency",
    "Cut",
    "LineChange",
    "LineDifference",
    "LineDiscount",
    "Payable",
    "PayableCart",
    "PayableCost",
    "PayableLine",
    "PayableUnit",
    "allocate",
    "apply",
    "payable",
    "round_lines",
]
