"""Values of Talang: their kinds, their texts and their JSON.

A value is `None`, `bool`, `Decimal`, `str`, an aware `datetime`, a list, a mapping, or an object
that only a function from outside understands. Numbers of bindings may also be `int` or `float`:
they become decimals when they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Final

from talon_one.sandbox.talang.errors import TalangError, TalangLimitError

Kind = int

NULL: Final = 1
BOOLEAN: Final = 2
DECIMAL: Final = 4
STRING: Final = 8
TIME: Final = 16
LIST: Final = 32
MAP: Final = 64
OTHER: Final = 128
ATOM: Final = BOOLEAN | DECIMAL | STRING | TIME
ANY: Final = 255

KIND_NAMES: Final = {
    "null": NULL,
    "boolean": BOOLEAN,
    "decimal": DECIMAL,
    "string": STRING,
    "time": TIME,
    "list": LIST,
    "map": MAP,
    "atom": ATOM,
    "any": ANY,
}

PRECISION: Final = 16
LARGEST_EXPONENT: Final = 384
MAXIMUM_DIGITS: Final = 400
MAXIMUM_RESULT_DEPTH: Final = 100
MAXIMUM_RESULT_SIZE: Final = 100_000

# IEEE decimal64, as the platform computes. Overflow and division by zero give Infinity, and
# undefined results raise. The context is never installed: its methods are called directly.
ARITHMETIC: Final = Context(
    prec=PRECISION,
    Emax=LARGEST_EXPONENT,
    Emin=1 - LARGEST_EXPONENT,
    traps=[InvalidOperation],
)
_INFINITY: Final = float("inf")
_plus = ARITHMETIC.plus

_KINDS: dict[type, Kind] = {
    type(None): NULL,
    bool: BOOLEAN,
    Decimal: DECIMAL,
    int: DECIMAL,
    float: DECIMAL,
    str: STRING,
    datetime: TIME,
    list: LIST,
    tuple: LIST,
    dict: MAP,
}
_BASES: tuple[tuple[type | tuple[type, ...], Kind], ...] = (
    (str, STRING),
    ((int, float, Decimal), DECIMAL),
    (datetime, TIME),
    ((list, tuple), LIST),
    (Mapping, MAP),
)
READY: Final = frozenset({type(None), bool, str, list, dict})
"""Types whose values need no conversion when they are read."""


def kind_of(value: Any) -> Kind:
    """Return the kind of a value, one bit."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    for base, kind in _BASES:
        if isinstance(value, base):
            return kind
    return OTHER


def describe(kind: Kind) -> str:
    """Return the name of a kind, or the names of several, for messages."""
    if kind == ANY:
        return "any value"
    names = [name for name, bit in KIND_NAMES.items() if bit & (bit - 1) == 0 and bit & kind]
    if kind & OTHER:
        names.append("foreign object")
    return " or ".join(names) or "nothing"


def admit(value: Any) -> Any:
    """Convert a value of the bindings, or of a literal, to the form that functions work with.

    Elements of lists and maps are converted when they are read.

    Raises:
        TalangError: If the value is a number that has no place among the decimals.
    """
    if type(value) in READY:
        return value
    kind = kind_of(value)
    if kind == DECIMAL:
        return _decimal(value)
    if kind == TIME:
        return value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)
    if kind == STRING:
        return str.__str__(value)
    if kind == LIST:
        return list(value)
    return value


def _decimal(value: Any) -> Decimal:
    if isinstance(value, float):
        if value in (_INFINITY, -_INFINITY):
            # So does Python read 1e400.
            raise TalangError("an infinite number comes from outside")
        number = Decimal(float.__repr__(value))
    elif isinstance(value, int):
        if value.bit_length() > 4 * MAXIMUM_DIGITS:
            raise TalangError(f"a number has more than {MAXIMUM_DIGITS} digits")
        number = Decimal(value)
    else:
        number = value if type(value) is Decimal else Decimal(value)
    if number.is_nan():
        raise TalangError("NaN is not a number")
    if _plus(number) == number:
        return number
    # Beyond 16 digits or the range: rare, so the exact checks may take their time.
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        raise TalangError(f"a number lies beyond 1E+{LARGEST_EXPONENT} or 1E-{LARGEST_EXPONENT}")
    if len(number.as_tuple().digits) > MAXIMUM_DIGITS:
        raise TalangError(f"a number has more than {MAXIMUM_DIGITS} digits")
    return number


def text_of(value: Any) -> str:
    """Return the text of an atom or of null, by which `=` compares it."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return time_text(value)
    return str(value)


def time_text(moment: datetime) -> str:
    """Return the RFC 3339 text of a time, in its own zone and with `Z` for UTC."""
    text = moment.isoformat()
    text = f"{text[:-6]}Z" if text.endswith("+00:00") else text
    if moment.microsecond:
        whole, fraction, zone = text[:19], text[20:26], text[26:]
        text = f"{whole}.{fraction.rstrip('0')}{zone}"
    return text


def export(value: Any) -> Any:
    """Return a result with all its numbers as decimals, and its maps as `dict`.

    Raises:
        TalangLimitError: If the result is too deep or has too many elements. A small program
            can share a list so often that it cannot be written down.
    """
    kind = kind_of(value)
    if not kind & (LIST | MAP):
        return admit(value)
    return _copy(value, admit, MAXIMUM_RESULT_DEPTH, _counter())


def to_json(value: Any) -> Any:
    """Return a result as JSON: numbers as `int` or `float`, times as RFC 3339 text.

    Raises:
        TalangError: If JSON has no form for a part of it: an infinite number, or an object
            that Talang does not know.
        TalangLimitError: If the result is too deep or has too many elements.
    """
    return _copy(value, _json_atom, MAXIMUM_RESULT_DEPTH, _counter())


def _counter() -> Iterator[int]:
    return iter(range(MAXIMUM_RESULT_SIZE))


def _copy(value: Any, atom: Any, depth: int, places: Iterator[int]) -> Any:
    kind = kind_of(value)
    if next(places, None) is None:
        raise TalangLimitError(f"the result has more than {MAXIMUM_RESULT_SIZE} elements")
    if not kind & (LIST | MAP):
        return atom(value)
    if depth == 0:
        raise TalangLimitError(f"the result is nested more than {MAXIMUM_RESULT_DEPTH} deep")
    if kind == LIST:
        return [_copy(element, atom, depth - 1, places) for element in value]
    return {str(name): _copy(value[name], atom, depth - 1, places) for name in value}


def _json_atom(value: Any) -> Any:
    value = admit(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TalangError("JSON has no infinite numbers")
        if value == value.to_integral_value():
            return int(value)
        return float(value)
    if isinstance(value, datetime):
        return time_text(value)
    if kind_of(value) == OTHER:
        raise TalangError(f"JSON has no form for {type(value).__name__}")
    return value
