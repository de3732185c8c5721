"""Cells of a CSV file: convert them to values and back, and check them, by type of the column."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

from talon_one._core.operation import Column
from talon_one._schema import json_codec
from talon_one._schema.annotations import parse
from talon_one._schema.dates import (
    in_utc,
    offset_of,
    read_datetime,
    timestamp_error,
    write_datetime,
)
from talon_one._schema.model import Model
from talon_one._schema.scalars import is_missing, whole
from talon_one._schema.validation import value_violations
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError

Reader = Callable[[str], Any]
"""Returns the value of a cell."""
Checker = Callable[[str], str]
"""Returns the fault of a cell, or an empty string."""

# Numbers in the syntax of JSON.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# Exports contain the letters of databases and the words of JSON.
_BOOLEANS = {"t": True, "f": False, "true": True, "false": False}
# A float keeps this many decimal digits.
_EXACT_DIGITS = 15
# Floats with an integral value below this are exact.
_MAX_EXACT_INTEGER = 2**53


def is_json(column: Column) -> bool:
    """Return whether the cells of a column are JSON."""
    return not column.separator and parse(column.type).kind in ("dict", "list", "Any")


# -- Reading -----------------------------------------------------------------------------------


def reader_for(column: Column | None) -> Reader:
    """Return a function that converts the cells of a column, except empty ones.

    It returns text that it cannot convert. An unknown column, given as ``None``, is text.
    """
    if column is None:
        return str
    if column.separator:
        separator = column.separator
        return lambda text: text.split(separator)
    if is_json(column):
        return _read_json
    return READERS.get(parse(column.type).kind, str)


def _read_integer(text: str) -> Any:
    try:
        number = int(text)
        # "007" is a code, and "1_0" is a number in Python only.
        return number if str(number) == text else text
    except ValueError:
        return text


# Rows of an export share most of their amounts and timestamps.
@lru_cache(maxsize=1024)
def _read_number(text: str) -> Any:
    if _NUMBER.fullmatch(text) is None:
        return text
    number = float(text)
    if math.isinf(number):
        return text
    if len(text) <= _EXACT_DIGITS and text.lower().find("e") < 0:
        return number
    # A long balance must not be rounded.
    exact = Decimal(text)
    return number if exact == Decimal(repr(number)) else exact


def _read_boolean(text: str) -> Any:
    return _BOOLEANS.get(text.lower(), text)


_read_timestamp = lru_cache(maxsize=1024)(read_datetime)


def _read_json(text: str) -> Any:
    try:
        return json_codec.decode(text.encode())
    except ValueError:
        return text


READERS: Mapping[str, Reader] = {
    "int": _read_integer,
    "float": _read_number,
    "bool": _read_boolean,
    "datetime": _read_timestamp,
}
"""Readers of the types that are neither text nor JSON."""


# -- Writing -----------------------------------------------------------------------------------


def to_cell(column: Column | None, value: Any) -> str:
    """Return a value as the text of a cell.

    Raises:
        ApiValueError: The column cannot hold it. The message continues the name of the column.
    """
    value = _native(value)
    if _is_missing(value):
        return ""
    if column is not None and column.separator and isinstance(value, (list, tuple)):
        return _list_text(column, value)
    if isinstance(value, (Mapping, list, tuple, Model)):
        if column is not None and not is_json(column):
            raise ApiValueError(f"holds {_noun_for(column)}, not {quoted(value)}")
        return _json_text(value)
    if isinstance(value, str):
        if not value.isascii() and _SURROGATE.search(value):
            raise ApiValueError(
                f"has half of a character, which is not valid UTF-8: {quoted(value)}"
            )
        if "\0" in value:
            raise ApiValueError(_NUL.format(quoted(value)))
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _timestamp_text(value)
    if isinstance(value, date):
        raise ApiValueError(
            f"holds {value}, a date without a time; use a datetime with a time zone"
        )
    is_whole = column is not None and parse(column.type).kind == "int"
    number = _number_text(value, is_whole)
    if number is None:
        raise ApiValueError(f"holds {quoted(value)}, which a cell cannot represent")
    is_text = column is None or parse(column.type).kind in ("str", "Literal")
    inexact = isinstance(value, float) and abs(value) >= _MAX_EXACT_INTEGER
    is_code = isinstance(value, UUID) or (number.lstrip("-").isdecimal() and not inexact)
    if is_text and not is_code:
        # Data frames turn codes and IDs into floats, which differ from the original text.
        raise ApiValueError(f"is text, and {quoted(value)} is a number; convert it to a string")
    return number


def _is_missing(value: Any) -> bool:
    if value is None or value is json_codec.NULL:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()  # Comparing a signaling NaN raises.
    # Data frames use these instead of None.
    return (isinstance(value, float) and value != value) or is_missing(value)


def _native(value: Any) -> Any:
    """Return values of enumerations, numpy and data frames as Python values."""
    if isinstance(value, Enum) and value is not json_codec.NULL:
        return value.value
    if type(value) in _NATIVE:
        return value
    if type(value).__name__ == "datetime64":  # `tolist` turns nanoseconds into an integer.
        return value.astype("datetime64[us]").tolist()
    # Series have both methods; arrays and scalars of numpy have the second one.
    convert = getattr(value, "to_list", None) or getattr(value, "tolist", None)
    return convert() if callable(convert) and not isinstance(value, (Model, Mapping)) else value


def _list_text(column: Column, value: Any) -> str:
    items = [to_cell(None, item) for item in value]
    if any(column.separator in item for item in items):
        raise ApiValueError(
            f"has an item that contains {column.separator!r}, the separator of items"
        )
    return column.separator.join(items)


def _json_text(value: Any) -> str:
    try:
        return json_codec.encode(value).decode()
    except (ApiTypeError, ApiValueError) as cause:
        raise ApiValueError(f"cannot be written as JSON: {cause}") from cause


def _timestamp_text(moment: datetime) -> str:
    if offset_of(moment) is None:
        raise ApiValueError(
            f"holds {moment.isoformat()} without a time zone;"
            " use an aware datetime, such as datetime.now(timezone.utc)"
        )
    return write_datetime(in_utc(moment))


def _number_text(value: Any, is_whole: bool) -> str | None:
    number = whole(value) if is_whole else None
    if number is not None:
        return json_codec.encode(number).decode()
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else None
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        if value.is_integer() and abs(value) < _MAX_EXACT_INTEGER:
            return str(int(value))
        # Not every CSV reader understands an exponent.
        return format(Decimal(repr(value)), "f")
    return None


# -- Checking ----------------------------------------------------------------------------------


def checker_for(column: Column) -> Checker:
    """Return a function that returns the fault of a cell, or an empty string.

    Faults continue the name of the column, and say how to fix the cell.
    """
    check = _checker_for_filled(column)
    for_empty = "is empty, and required in every row" if column.required else ""

    def fault(text: str) -> str:
        if not text:
            return for_empty
        if not text.isascii() and any("\udc80" <= letter <= "\udcff" for letter in text):
            return "is not UTF-8; save the file as CSV UTF-8"
        if "\0" in text:
            return _NUL.format(quoted(text))
        return check(text)

    return fault


def _checker_for_filled(column: Column) -> Checker:
    kind = parse(column.type).kind
    if column.separator:
        separator = column.separator
        return lambda text: _fault_of_list(separator, text)
    if is_json(column):
        return lambda text: _fault_of_json(kind, text)
    if kind == "datetime":
        # Rows of an import share most of their timestamps.
        return lru_cache(maxsize=1024)(lambda text: timestamp_error(text, column.words))
    if kind == "bool":
        return _fault_of_boolean
    if kind == "str" and not column.constraints:
        return lambda text: ""
    number_format = _NUMBER_FORMATS.get(kind)

    def fault(text: str) -> str:
        value: Any = text
        if number_format is not None:
            pattern, convert, noun = number_format
            if pattern.fullmatch(text) is None:
                return f"must be {noun}, not {quoted(text)}"
            value = convert(text)
        violations = value_violations(column.type, column.constraints, value)
        return violations[0].message if violations else ""

    return fault


def _fault_of_list(separator: str, text: str) -> str:
    empty = any(not item.strip() for item in text.split(separator))
    return f"has an empty item in {quoted(text)}" if empty else ""


def _fault_of_boolean(text: str) -> str:
    return "" if text in ("true", "false") else f"must be true or false, not {quoted(text)}"


def _fault_of_json(kind: str, text: str) -> str:
    try:
        # By default the standard library accepts constants such as NaN, which are not JSON.
        data = (
            json.loads(text, parse_constant=_refuse_constant)
            if _CONSTANT.search(text)
            else json_codec.decode(text)
        )
    except (ValueError, RecursionError) as cause:
        has_no_quotes = '"' not in text and ":" in text
        doubled = ' in a CSV file with doubled quotes: "{""size"": ""L""}"'
        hint = f"; its quotes are missing; write it{doubled}" if has_no_quotes else ""
        return f"must be JSON, not {quoted(text)} ({cause}){hint}"
    if (kind == "dict" and type(data) is not dict) or (kind == "list" and type(data) is not list):
        example = '{"size": "L"}' if kind == "dict" else '["a", "b"]'
        return f"must be a JSON {_JSON_NAMES[kind]} such as {example}, not {quoted(text)}"
    return ""


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"JSON has no {constant}")


_NATIVE = frozenset({str, int, float, bool, type(None), datetime, dict, list, Decimal})
_CONSTANT = re.compile("NaN|Infinity")
_NUL = "contains a NUL character: {}"
_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON_NAMES = {"dict": "object", "list": "array"}
_NUMBER_FORMATS: Mapping[str, tuple[re.Pattern[str], Callable[[str], Any], str]] = {
    "int": (re.compile(r"[+-]?[0-9]{1,18}"), int, "a whole number such as 100"),
    "float": (
        re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"),
        float,
        "a number with a point, such as 4.50",
    ),
}
_NOUNS = {
    "str": "text",
    "Literal": "a word",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "datetime": "a timestamp",
}


def _noun_for(column: Column) -> str:
    return _NOUNS.get(parse(column.type).kind, "text")
