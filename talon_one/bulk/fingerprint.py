"""Fingerprint of the rows read so far, by which a resume token recognizes rows and their order."""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from typing import Any, NamedTuple

from talon_one._schema import json_codec

# Texts in which some releases of orjson write floats differently from `json`.
_SMALL_FLOAT = b"0.0000"
_EXPONENT = b"0e0"
_TO_ZEROS = bytes.maketrans(b"123456789+-", b"0" * 11)


class Mark(NamedTuple):
    """Fingerprint of the first rows. Marks compare by the number of rows that they cover."""

    rows: int = 0
    digest: str = ""


class Fingerprint:
    """Hash of rows in their order, in constant memory.

    It depends only on the JSON value of a row: not on the order of the keys of an object, nor on
    whether the row is a dict or a model, nor on the JSON library that is installed.

    Args:
        shared: Properties that all requests have in common.
    """

    def __init__(self, shared: object = None) -> None:
        self._hash = sha256()
        self._count = 0
        if shared:
            self.update([shared])
            self._count = 0

    def update(self, rows: list[Any]) -> bytes | None:
        """Hash the next rows; a list costs far less than one row at a time.

        Returns:
            The rows as JSON, separated by commas; ``None`` if they cannot be sent.
        """
        if not rows:
            return None
        self._count += len(rows)
        text = None
        try:
            text = canonical(rows)[1:-1]
            self._hash.update(text)
            self._hash.update(b",")
        except Exception:  # An object of the caller may raise anything.
            for row in rows:
                self._hash.update(_row_text(row) + b",")
        return text

    def mark(self) -> Mark:
        """Return the fingerprint of all rows so far."""
        return Mark(self._count, self._hash.hexdigest() if self._count else "")


def canonical(value: Any) -> bytes:
    """Return JSON with sorted keys, the same text with and without orjson.

    Raises:
        Exception: `talon_one._schema.json_codec.encode` does not accept the value either, with few
            exceptions.
    """
    orjson = json_codec.orjson
    if orjson is not None:
        try:
            text: bytes = orjson.dumps(
                value,
                _to_json_type,
                orjson.OPT_SORT_KEYS
                | orjson.OPT_PASSTHROUGH_DATETIME
                | orjson.OPT_PASSTHROUGH_DATACLASS,
            )
        except (TypeError, ValueError):
            pass  # Such as integers beyond 64 bits, and keys that are not strings.
        else:
            # orjson writes NaN as null.
            if b"null" not in text and not _may_hold_odd_floats(text):
                return text
    return _strict.encode(value).encode()


def _may_hold_odd_floats(text: bytes) -> bool:
    return _SMALL_FLOAT in text or _EXPONENT in text.translate(_TO_ZEROS)


def _to_json_type(value: Any) -> Any:
    """Convert a value without a JSON type to one that has it."""
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=canonical)  # The order of a set differs between processes.
    return json_codec.as_json_type(value)


# -- Rows of a batch that cannot be encoded as a whole ---------------------------------------------


def _row_text(row: Any) -> bytes:
    """Return text to hash for one row. It may be a row that cannot be sent."""
    with suppress(Exception):
        return canonical(row)
    with suppress(Exception):  # Its keys have several types, which are sorted only as text.
        return canonical(json_codec.decode(json_codec.encode(row)))
    try:
        return _lenient.encode(row).encode("utf-8", "surrogatepass")
    except Exception:  # The row will fail anyway, so its content hardly matters.
        return f'"{type(row).__qualname__} that cannot be encoded"'.encode(errors="replace")


def _to_any_json_type(value: Any) -> Any:
    """Convert any value: the rest of its row is still worth comparing."""
    try:
        return _to_json_type(value)
    except Exception:  # An object of the caller, or a value that JSON cannot express.
        return f"<{type(value).__qualname__}>"


_settings: dict[str, Any] = {
    "ensure_ascii": False,
    "check_circular": False,
    "sort_keys": True,
    "separators": (",", ":"),
}
_strict = json.JSONEncoder(default=_to_json_type, allow_nan=False, **_settings)
_lenient = json.JSONEncoder(default=_to_any_json_type, **_settings)
