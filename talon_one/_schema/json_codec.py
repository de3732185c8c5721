"""Encode Python data as JSON, and decode JSON without loss."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

from talon_one._schema.dates import write_datetime
from talon_one._schema.nesting import MAX_DEPTH, converted
from talon_one._schema.scalars import LongNumber, is_missing, native, reason_of, whole
from talon_one._utils.guard import must_propagate, raised_by_signal
from talon_one.exceptions import ApiTypeError, ApiValueError, OpenApiException

orjson: Any
try:
    import orjson
except ImportError:
    orjson = None


class Null(Enum):
    """The type of `NULL`."""

    NULL = None

    def __repr__(self) -> str:
        return "NULL"

    def __bool__(self) -> bool:
        return False


# Typed as Any, so that it can be assigned to any property.
NULL: Any = Null.NULL
"""JSON null, where ``None`` means "not given"."""


# orjson turns integers beyond 64 bits into floats; the standard library keeps them exact.
_NINETEEN_DIGITS = b"0" * 19
_EVERY_DIGIT_AS_ZERO = bytes.maketrans(b"123456789", b"000000000")


class Encoded(dict[str, Any]):
    """A JSON object with its text, which is not encoded again."""

    __slots__ = ("text",)

    def __init__(self, data: Mapping[str, Any], text: bytes) -> None:
        super().__init__(data)
        self.text = text


def encode(value: Any) -> bytes:
    """Return *value* as JSON text, ready to be sent.

    It accepts models, datetimes, dates, decimals, UUIDs, enum members, sets, mappings, and scalars
    of numpy and pandas, nested to any depth.

    Raises:
        ApiValueError: NaN, infinity, a datetime without time zone, or circular data. The exception
            has the path to it.
        ApiTypeError: A value of a type that JSON does not have. The exception has the path to it.
    """
    if type(value) is Encoded:
        return value.text
    if orjson is not None:
        try:
            text: bytes = orjson.dumps(value, as_json_type, _ORJSON_OPTIONS)
        except (TypeError, ValueError) as refused:
            # The slower encoder below either succeeds or reports the cause.
            _raise_if_by_signal(refused.__cause__, value)
        else:
            # orjson writes NaN as null, so the slower encoder decides if there is a null.
            if b"null" not in text:
                return text
    try:
        return _encoder.encode(value).encode()
    except Exception as cause:  # The writer handles deeper nesting, or reports the path.
        if raised_by_signal(cause):
            raise
        return "".join(_Writer().write(value)).encode()


def _raise_if_by_signal(cause: BaseException | None, value: Any) -> None:
    """Raise the exception of a signal handler that ran inside of orjson, which hides it."""
    if cause is None or isinstance(cause, OpenApiException):
        return
    try:
        orjson.dumps(value, as_json_type, _ORJSON_OPTIONS)
    except (TypeError, ValueError):
        return  # An object raises it every time.
    raise cause


def decode(text: bytes | str) -> Any:
    """Return the data that JSON *text* holds.

    Numbers beyond 64 bits stay exact; numbers beyond floats become a `LongNumber`; lone surrogates
    are kept.

    Raises:
        ValueError: *text* is not JSON, or not UTF-8, or nested more deeply than Python reads.
    """
    if orjson is not None and isinstance(text, bytes) and not _has_long_number(text):
        try:
            return orjson.loads(text)
        except ValueError:
            pass  # The standard library is more lenient, and its messages are more precise.
    try:
        if isinstance(text, bytes):
            whole_text = str(text, "utf-8", "surrogatepass")
            data, end = _scan(whole_text, 0)
            if end == len(whole_text) or not whole_text[end:].strip(_SPACES):
                return data
    except RecursionError as cause:
        raise ValueError("the JSON is nested too deeply") from cause
    except (ValueError, StopIteration) as cause:
        # The slower decoder knows other encodings, accepts surrounding spaces, and reports errors.
        if raised_by_signal(cause):
            raise
    return _decode_slowly(text)


def _decode_slowly(text: bytes | str) -> Any:
    try:
        return json.loads(text, parse_float=_read_float)
    except RecursionError as cause:
        raise ValueError("the JSON is nested too deeply") from cause
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError:  # An integer with more digits than Python converts.
        return json.loads(text, parse_float=_read_float, parse_int=_read_integer)


class _Floats(dict[str, float]):
    """A cache of numbers by their text: amounts, shares and prices repeat.

    A lookup costs less than parsing a number again.
    """

    def __missing__(self, text: str) -> float:
        number = float(text)
        if number - number:  # NaN for infinity, and NaN is true.
            return LongNumber(text)
        if len(text) <= _MAX_CACHED_LENGTH:
            if len(self) >= _MAX_CACHED:
                self.clear()
            self[text] = number
        return number


def _read_integer(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return LongNumber(text)


def plain(value: Any) -> Any:
    """Return *value* as plain JSON data: dicts, lists, strings, numbers, booleans and ``None``.

    Unlike `encode` it accepts everything that it can express, such as a naive datetime.

    Raises:
        ApiTypeError, ApiValueError: A value that JSON does not have.
    """
    try:
        return converted(value, _plain)
    except Exception as cause:  # An object of the caller may raise anything.
        if must_propagate(cause):
            raise
        raise ApiValueError(f"the value cannot be written as JSON: {reason_of(cause)}") from cause


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return dict(value)
    if kind is list:
        return list(value)
    wire = getattr(kind, "__wire__", None)
    if wire is not None:
        return dict(wire(value))
    if isinstance(value, (str, bool, int, float)) and not isinstance(value, Enum):
        return value
    if isinstance(value, Mapping):
        return dict(value.items())
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, datetime) and not is_missing(value) and value.tzinfo is None:
        return value.isoformat()
    return _plain(as_json_type(value))


def as_json_type(value: Any) -> Any:
    """Return the JSON equivalent of a value of another type."""
    wire = getattr(type(value), "__wire__", None)
    if wire is not None:
        return wire(value)
    if is_missing(value):
        raise ApiValueError(f"{type(value).__name__} is a missing value, which JSON does not have")
    if isinstance(value, datetime):
        return write_datetime(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Null):
        return None
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return _number_or_text(value)


def _number_or_text(value: Any) -> Any:
    # Loaded already if such a value exists, so that importing this module stays cheap.
    from decimal import Decimal
    from numbers import Real
    from uuid import UUID

    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ApiValueError(f"{value!r} is not a JSON number")
        number = whole(value)
        if number is not None:
            return number
        nearest = float(value)
        return LongNumber(str(value)) if nearest in _INFINITE else nearest
    number = whole(value)
    if number is not None:
        return number
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, UUID):
        return str(value)
    inner = native(value)
    if inner is value:
        raise ApiTypeError(f"{type(value).__name__} cannot be written as JSON")
    return inner


def _has_long_number(text: bytes) -> bool:
    # Several times faster than a regular expression, and executed for every response.
    return _NINETEEN_DIGITS in text.translate(_EVERY_DIGIT_AS_ZERO)


class _Writer:
    """Encodes what the faster encoders reject, and knows the path to each value."""

    def __init__(self) -> None:
        self._path: list[Any] = []
        # Containers around the current value, kept alive so that their ids stay unique.
        self._open: list[Any] = []

    def write(self, value: Any) -> Iterator[str]:
        """Yield JSON text.

        Raises:
            ApiTypeError, ApiValueError: A value cannot be written. The exception has its path.
        """
        try:
            yield from self._texts(value)
        except (ApiTypeError, ApiValueError) as error:
            raise type(error)(error.message, tuple(self._path)) from error.__cause__
        except Exception as cause:  # An object of the caller may raise anything.
            if must_propagate(cause):
                raise
            if isinstance(cause, TypeError):
                raise ApiTypeError(reason_of(cause), tuple(self._path)) from cause
            text = f"the value cannot be written as JSON: {reason_of(cause)}"
            raise ApiValueError(text, tuple(self._path)) from cause

    def _texts(self, value: Any) -> Iterator[str]:
        levels: list[tuple[Iterator[tuple[Any, Any]], str]] = []
        entry: Any = None
        containers: set[int] = set()
        comma = ""
        while True:
            inner = self._as_json_type(value)
            is_list = isinstance(inner, list)
            if is_list or isinstance(inner, dict):
                # Other mappings become a new dict each time, so levels are counted, too.
                if id(inner) in containers or len(levels) > MAX_DEPTH:
                    raise ApiValueError("data that contain themselves cannot be written as JSON")
                containers.add(id(inner))
                self._open.append(inner)
                self._path.append(None)
                entries: Any = enumerate(inner) if is_list else inner.items()
                levels.append((iter(entries), "]" if is_list else "}"))
                yield "[" if is_list else "{"
                comma = ""
            else:
                yield _scalar_text(inner)
                comma = ","
            while levels:
                entries, closing = levels[-1]
                entry = next(entries, None)
                if entry is not None:
                    break
                levels.pop()
                self._path.pop()
                containers.discard(id(self._open.pop()))
                yield closing
                comma = ","
            if not levels:
                return
            self._path[-1], value = entry
            yield comma
            if closing == "}":
                key = self._path.pop()  # The object has an invalid key.
                text = _encoder.encode({key: 0})[1:-2]
                self._path.append(key)
                yield text

    def _as_json_type(self, value: Any) -> Any:
        """Return the replacement that is written for a value."""
        while type(value) not in _PLAIN and not isinstance(value, (dict, list, str, int, float)):
            # The standard encoder writes tuples itself, so this one must not convert them either.
            value = list(value) if isinstance(value, tuple) else as_json_type(value)
        return value


def _scalar_text(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        if isinstance(value, LongNumber):
            return value.text
        raise ApiValueError(f"{value!r} is not a JSON number")
    try:
        return _encoder.encode(value)
    except ValueError:
        if not isinstance(value, int):
            raise
        # Python limits the digits of an integer as text; decimals have no limit.
        from decimal import Decimal

        return str(Decimal(value))


# Circular data cause a RecursionError, which is cheaper than tracking them.
_encoder = json.JSONEncoder(
    default=as_json_type, allow_nan=False, check_circular=False, separators=(",", ":")
)
_PLAIN = frozenset({str, bool, int, float, type(None)})
_INFINITE = (float("inf"), float("-inf"))
_SPACES = " \t\n\r"
_MAX_CACHED = 2048
_MAX_CACHED_LENGTH = 12
_read_float = _Floats().__getitem__
_decoder: Any = json.JSONDecoder(parse_float=_read_float)
_scan = _decoder.scan_once  # Called directly: wrappers would cost more than `_read_float`.
_ORJSON_OPTIONS: int | None = (
    orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS if orjson else None
)
