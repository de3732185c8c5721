"""Currencies: how many digits an amount has, and amounts in minor units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias, get_args

from talon_one._core.constructors import checks_arguments
from talon_one._schema.scalars import native
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.effects.amounts import decimal_of
from talon_one.exceptions import ApiTypeError, ApiValueError

Amount: TypeAlias = Decimal | int | float | Fraction
"""An amount of money. A float stands for the digits that Python prints for it."""

Rounding: TypeAlias = Literal["half-even", "half-up", "down"]
"""How to round what lies between two minor units.

`half-even` and `half-up` round to the nearer one. A half goes to the even one, or away from zero.
`down` drops the fraction.
"""

_LARGEST = 10**30
_MAX_DECIMAL_PLACES = 400
"""More than the digits of any float."""
_MAX_DIGITS = 20

# The list of active codes as published on 2026-01-01.
_CODES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
        CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL
        GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR
        LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD
        PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC
        SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR
        ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
# Withdrawn since 2020, and still in old orders.
_WITHDRAWN = "ANG BGN CUC HRK SLL ZWL"

DIGITS: Mapping[str, int] = {
    **{code: digits for digits, codes in _CODES.items() for code in codes.split()},
    **dict.fromkeys(_WITHDRAWN.split(), 2),
}
"""Digits after the decimal point by currency code, as ISO 4217 defines them.

Precious metals, units of account and test codes, such as XAU and XXX, have no minor unit and are
not in the table.
"""


@dataclass(frozen=True, init=False)
class Currency:
    """A currency, whose amounts are whole numbers of minor units, such as cents.

    Args:
        code: Code of ISO 4217, in capitals, such as ``"EUR"``.
        digits: Digits after the decimal point, from 0 to 20. By default those of ISO 4217. Required
            for a code that it does not have, such as ``"POINTS"``. Some payment providers count a
            currency with other digits.

    Raises:
        ApiValueError: The code is unknown and there are no digits, or there are too many digits.
        ApiTypeError: An argument has the wrong type.
    """

    code: str
    """Code of the currency."""
    digits: int
    """Digits after the decimal point."""

    @checks_arguments('("EUR")')
    def __init__(self, code: str, digits: int | None = None) -> None:
        code, digits = native(code), native(digits)
        if not isinstance(code, str):
            raise ApiTypeError(
                f"the code of a currency is text such as 'EUR', not {type(code).__name__}"
            )
        if digits is None:
            if code not in DIGITS:
                raise ApiValueError(
                    f"{quoted(code)} is no currency of ISO 4217: pass the digits of its amounts,"
                    f" as in Currency({quoted(code)}, digits=2).{_nearest(code)}"
                )
            digits = DIGITS[code]
        if isinstance(digits, bool) or not isinstance(digits, int):
            raise ApiTypeError(f"digits is {quoted(digits)}, not a whole number")
        if not 0 <= digits <= _MAX_DIGITS:
            raise ApiValueError(f"digits is {quoted(digits)}, not between 0 and {_MAX_DIGITS}")
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "digits", int(digits))

    def __str__(self) -> str:
        return self.code

    def minor(self, amount: Amount, rounding: Rounding = "half-even") -> int:
        """Return an amount in minor units: 12.345 EUR is 1234.

        Args:
            amount: The amount in the currency. For floats, the digits count that Python prints.
            rounding: ``"half-even"``, ``"half-up"`` or ``"down"``.

        Raises:
            ApiValueError: NaN, infinity, or 10**30 and more; or an unknown way of rounding.
            ApiTypeError: *amount* is not a number.
        """
        return rounded(self.scaled(exact(amount, "the amount")), rounding)

    def round(self, amount: Amount, rounding: Rounding = "half-even") -> Decimal:
        """Return an amount rounded to minor units, with all digits: 12.3 EUR is 12.30.

        Arguments and exceptions are those of `minor`.
        """
        return decimal_at(self.minor(amount, rounding), self.digits)

    def major(self, minor: int) -> Decimal:
        """Return an amount that is given in minor units, with all digits: 1230 is 12.30 EUR.

        Raises:
            ApiTypeError: *minor* is not a number.
            ApiValueError: It is not whole, or 10**30 or more.
        """
        value = exact(minor, "the number of minor units")
        if value.denominator != 1:
            raise ApiValueError(f"the number of minor units is {quoted(minor)}, which is not whole")
        return decimal_at(value.numerator, self.digits)

    def scaled(self, amount: Fraction) -> Fraction:
        """Return an exact amount in minor units, not rounded."""
        return Fraction(amount * 10**self.digits)


def currency_of(value: Currency | str) -> Currency:
    """Return a currency that is given as it is, or by its code.

    Raises:
        ApiTypeError, ApiValueError: As for `Currency`.
    """
    return value if isinstance(value, Currency) else Currency(value)


def decimal_at(minor: int, digits: int) -> Decimal:
    """Return a number of units of the last of some decimal places, with all digits."""
    # Made of its digits, so that no context of the caller rounds it.
    return Decimal((int(minor < 0), tuple(map(int, str(abs(minor)))), -digits))


def exact(value: object, what: str) -> Fraction:
    """Return a number exactly; a float has the digits that Python prints.

    Raises:
        ApiValueError: NaN, infinity, 10**30 and more, or more than 400 decimal places.
        ApiTypeError: It is not a number.
    """
    with guarded(what):
        value = native(value)
        if type(value) is Fraction:
            number = value
        elif not isinstance(value, bool) and issubclass(type(value), (int, float, Decimal)):
            number = _fraction(value, what)
        else:
            hint = "; make a Decimal of it" if isinstance(value, str) else ""
            raise ApiTypeError(f"{what} is {quoted(value)}, not a number{hint}")
        if abs(number) >= _LARGEST:
            raise ApiValueError(f"{what} is {quoted(value)}, which is too large")
    return number


def _fraction(value: object, what: str) -> Fraction:
    digits = decimal_of(value)
    if digits is None:
        raise ApiValueError(f"{what} is {quoted(value)}, not a finite number")
    if not digits:
        return Fraction(0)
    # Before the conversion: an exponent of a billion takes all memory.
    if digits.adjusted() > len(str(_LARGEST)):
        raise ApiValueError(f"{what} is {quoted(value)}, which is too large")
    if -int(digits.as_tuple().exponent) > _MAX_DECIMAL_PLACES:
        raise ApiValueError(
            f"{what} is {quoted(value)}, which has more than {_MAX_DECIMAL_PLACES} decimals"
        )
    return Fraction(digits)


def rounded(number: Fraction, rounding: Rounding) -> int:
    """Return a number rounded to a whole one.

    Raises:
        ApiValueError: The way of rounding is unknown.
    """
    match check_rounding(rounding):
        case "half-even":
            return round(number)
        case "half-up":
            up = int(abs(number) + Fraction(1, 2))
            return up if number >= 0 else -up
    return int(number)


def check_rounding(rounding: Rounding) -> Rounding:
    """Return a way of rounding.

    Raises:
        ApiValueError: It is unknown.
    """
    check_choice("rounding", rounding, get_args(Rounding))
    return rounding


def check_choice(name: str, value: object, known: Sequence[str]) -> None:
    """Refuse a value that is not one of those that an argument has.

    Raises:
        ApiValueError: It is something else.
    """
    if type(value) is not str or value not in known:
        hint = did_you_mean(value, known) if type(value) is str else ""
        raise ApiValueError(
            f"{name} is {quoted(value)}, not one of {', '.join(map(repr, known))}.{hint}"
        )


def _nearest(code: str) -> str:
    # A suggestion for a text of any length would take long.
    return did_you_mean(code, DIGITS) if len(code) <= _MAX_DIGITS else ""
