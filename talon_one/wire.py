"""JSON text to Python data and back: what a value looks like on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

from talon_one.dates import write_datetime
from talon_one.exceptions import ApiTypeError, ApiValueError

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


# Typed as Any so that any property may be set to it.
NULL: Any = Null.NULL
"""JSON null, where ``None`` means "not given"."""

# orjson would turn integers beyond 64 bits into floats; the standard library keeps them exact.
_NINETEEN_DIGITS = b"0" * 19
_EVERY_DIGIT_AS_ZERO = bytes.maketrans(b"123456789", b"000000000")


def encode(value: Any) -> bytes:
    """Return *value* as JSON text, ready to be sent.

    Models, datetimes, dates, decimals, UUIDs, enum members, sets and mappings are understood.

    Raises:
        ApiValueError: NaN, infinity, a datetime without time zone, or circular data, with the
            path to it.
        ApiTypeError: A value that JSON cannot express, with the path to it.
    """
    if orjson is not None:
        try:
            text: bytes = orjson.dumps(value, _strict, _ORJSON_OPTIONS)
        except (TypeError, ValueError):
            pass  # The slower way below either succeeds or says what is wrong.
        else:
            # orjson writes NaN as null, so where null occurs the slower way decides.
            if b"null" not in text:
                return text
    try:
        return _encoder.encode(value).encode()
    except (TypeError, ValueError, RecursionError) as cause:
        raise _located(value, cause) from cause


def decode(text: bytes | str) -> Any:
    """Return the data that JSON *text* holds.

    Numbers beyond 64 bits stay exact, lone surrogates are kept.

    Raises:
        ValueError: *text* is not JSON, or not UTF-8.
    """
    if orjson is not None and isinstance(text, bytes) and not _has_long_number(text):
        try:
            return orjson.loads(text)
        except ValueError:
            pass  # The standard library is more lenient, and its errors are more precise.
    try:
        return json.loads(text)
    except RecursionError as cause:
        raise ValueError("the JSON is nested too deeply") from cause


def plain(value: Any) -> Any:
    """Return *value* as plain JSON data: dicts, lists, strings, numbers, booleans and ``None``.

    Unlike `encode` it refuses nothing that it can express, so a naive datetime loses no more than
    its missing time zone.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return {key: plain(item) for key, item in value.items()}
    if kind is list:
        return [plain(item) for item in value]
    if isinstance(value, (str, bool, int, float)) and not isinstance(value, Enum):
        return value
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.isoformat()
    return plain(_strict(value))


def _strict(value: Any) -> Any:
    """Return a value that JSON has no name for as one that it has."""
    wire = getattr(value, "__wire__", None)
    if wire is not None:
        return wire()
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
    # Loaded by now if a value of theirs exists, so this costs an import of this module nothing.
    from decimal import Decimal
    from numbers import Integral, Real
    from uuid import UUID

    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ApiValueError(f"{value!r} is no JSON number")
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, UUID):
        return str(value)
    raise ApiTypeError(f"{type(value).__name__} cannot be written as JSON")


def _has_long_number(text: bytes) -> bool:
    # Several times faster than a regular expression, and this is on the way of every answer.
    return _NINETEEN_DIGITS in text.translate(_EVERY_DIGIT_AS_ZERO)


def _located(value: Any, cause: BaseException) -> ApiTypeError | ApiValueError:
    """Return the error for a value that cannot be encoded, with the path to the culprit."""
    for path, item in _walk(value, (), ()):
        try:
            json.dumps(item, default=_strict, allow_nan=False)
        except (ApiTypeError, ApiValueError) as found:
            return type(found)(found.message, path)
        except TypeError as found:
            return ApiTypeError(str(found), path)
        except ValueError:
            return ApiValueError(f"{item!r} is no JSON number", path)
    if isinstance(cause, (ApiTypeError, ApiValueError)):
        return cause
    return ApiValueError(f"the value cannot be written as JSON: {cause}")


def _walk(value: Any, path: tuple[Any, ...], above: tuple[int, ...]) -> Iterable[Any]:
    """Yield every leaf of *value* with its path; stop where the data contain themselves."""
    wire = getattr(value, "__wire__", None)
    inner = wire() if wire is not None else value
    children: Iterable[tuple[Any, Any]]
    if isinstance(inner, Mapping):
        yield path, dict.fromkeys(inner)
        children = inner.items()
    elif isinstance(inner, (list, tuple, set, frozenset)):
        children = enumerate(inner)
    else:
        yield path, inner
        return
    if id(inner) in above or len(path) > 200:
        return
    for key, item in children:
        yield from _walk(item, (*path, key), (*above, id(inner)))


# Circular data end in a RecursionError, which is cheaper than looking out for them.
_encoder = json.JSONEncoder(
    default=_strict, allow_nan=False, check_circular=False, separators=(",", ":")
)
_PLAIN = frozenset({str, bool, int, float, type(None)})
_ORJSON_OPTIONS: int | None = (
    orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS if orjson else None
)
