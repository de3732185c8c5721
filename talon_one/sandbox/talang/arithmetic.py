"""Arithmetic in decimals of 16 significant digits."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Final

from talon_one.sandbox.talang.declarations import Declaration, Function, Overload
from talon_one.sandbox.talang.errors import TalangError
from talon_one.sandbox.talang.run import Run
from talon_one.sandbox.talang.text import CONCATENATION
from talon_one.sandbox.talang.values import ARITHMETIC, DECIMAL

ZERO: Final = Decimal(0)
_INFINITY: Final = Decimal("Infinity")

Operation = Callable[[Decimal, Decimal], Decimal]


def add(left: Decimal, right: Decimal) -> Decimal:
    """Add two numbers.

    Raises:
        TalangError: If the sum is undefined.
    """
    try:
        return ARITHMETIC.add(left, right)
    except InvalidOperation:
        raise TalangError("the sum of opposite infinities is undefined") from None


def _subtract(left: Decimal, right: Decimal) -> Decimal:
    return ARITHMETIC.subtract(left, right)


def _unsigned_zero(number: Decimal) -> Decimal:
    # A negative zero would differ from zero by its text, and so for `=`.
    return number if number else number.copy_abs()


def _multiply(left: Decimal, right: Decimal) -> Decimal:
    return _unsigned_zero(ARITHMETIC.multiply(left, right))


def _divide(left: Decimal, right: Decimal) -> Decimal:
    if right or not left:
        return _unsigned_zero(ARITHMETIC.divide(left, right))
    return _INFINITY.copy_sign(left)


def _remainder(left: Decimal, right: Decimal) -> Decimal:
    return _unsigned_zero(ARITHMETIC.remainder(left, right))


def _folded(operation: Operation) -> Callable[..., Decimal]:
    def call(run: Run, first: Decimal, *others: Decimal) -> Decimal:
        try:
            for other in others:
                first = operation(first, other)
        except InvalidOperation:
            raise TalangError("the result is undefined") from None
        return first

    return call


def _floor(run: Run, number: Decimal) -> Decimal:
    return _unsigned_zero(number.to_integral_value(ROUND_FLOOR, ARITHMETIC))


def _ceil(run: Run, number: Decimal) -> Decimal:
    return _unsigned_zero(number.to_integral_value(ROUND_CEILING, ARITHMETIC))


def _variadic(operation: Operation) -> Overload:
    return Overload((DECIMAL, DECIMAL), _folded(operation), DECIMAL, rest=DECIMAL)


FUNCTIONS: Final[dict[str, Declaration]] = {
    "+": Function(_variadic(add), CONCATENATION),
    "-": Function(_variadic(_subtract)),
    "*": Function(_variadic(_multiply)),
    "/": Function(_variadic(_divide)),
    "mod": Function(_variadic(_remainder)),
    "floor": Function(Overload((DECIMAL,), _floor, DECIMAL)),
    "ceil": Function(Overload((DECIMAL,), _ceil, DECIMAL)),
}
