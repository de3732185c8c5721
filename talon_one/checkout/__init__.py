"""Checkout: what a shop does around the calls of a session.

Carts become sessions, discounts come back to your own lines, and amounts add up. `rejections_of`
explains refused codes to the customer. None of that does I/O.

`close`, `cancel` and `reopen` make calls: they change the state of a session once, however often
they are called. `talon_one.aio.checkout` has their asyncio twins.
"""

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
from talon_one.checkout.reasons import Remedy
from talon_one.checkout.rejections import Rejection, msgids, rejection_of, rejections_of
from talon_one.checkout.states import cancel, close, reopen
from talon_one.checkout.transitions import StateChange, UnexpectedStateError

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
    "Rejection",
    "Remedy",
    "StateChange",
    "UnexpectedStateError",
    "allocate",
    "apply",
    "cancel",
    "close",
    "msgids",
    "payable",
    "rejection_of",
    "rejections_of",
    "reopen",
    "round_lines",
]
