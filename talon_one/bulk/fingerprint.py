"""Fingerprint of the rows read so far: by it a resume token recognizes rows, and their order."""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from typing import Any, NamedTuple

from talon_one._schema import json_codec

# How orjson may write floats, depending on its release, for which `json` has another text.
_SMALL_FLOAT = b"0.0000"
_EXPONENT = b"0e0"
_AS_ZEROS = bytes.maketrans(b"123456789+-", b"0" * 11)


class Mark(NamedTuple):
    """Place in the rows, and the fingerprint of the rows before it. The larger one covers more."""

    rows: int = 0
    digest: str = ""


class Fingerprint:
    """Hash over rows in their order, in constant memory.

    It depends on what a row is on the wire, and on nothing else: not on the order of the keys of
    an object, nor on whether it is a dict or a model, nor on the JSON library that is installed.

    Args:
        shared: What all rows have in common.
    """

    def __init__(self, shared: object = None) -> None:
        self._hash = sha256()
        self._count = 0
        if shared:
            self.update([shared])
            self._count = 0

    def update(self, rows: list[Any]) -> bytes | None:
        """Take the next rows; a list costs far less than its rows one by one.

        Returns:
            The rows as JSON, parted by commas, if that is what may be sent.
        """
        if not rows:
            return None
        self._count += len(rows)
        text = None
        try:
            text = canonical(rows)[1:-1]
            self._hash.update(text)
            self._hash.update(b",")
        except Exception:  # Whatever an object of the caller does, the other rows still count.
            for row in rows:
                self._hash.update(_substitute(row) + b",")
        return text

    def mark(self) -> Mark:
        """Return the fingerprint of all rows so far."""
        return Mark(self._count, self._hash.hexdigest() if self._count else "")


def canonical(value: Any) -> bytes:
    """Return JSON with sorted keys, the same text with and without orjson.

    Raises:
        Exception: What `talon_one._schema.json_codec.encode` refuses, and little besides.
    """
    orjson = json_codec.orjson
    if orjson is not None:
        try:
            text: bytes = orjson.dumps(
                value,
                _plainer,
                orjson.OPT_SORT_KEYS
                | orjson.OPT_PASSTHROUGH_DATETIME
                | orjson.OPT_PASSTHROUGH_DATACLASS,
            )
        except (TypeError, ValueError):
            pass  # Such as integers beyond 64 bits and keys that are no strings.
        else:
            # It writes NaN as null.
            if b"null" not in text and not _may_hold_odd_floats(text):
                return text
    return _strict.encode(value).encode()


def _may_hold_odd_floats(text: bytes) -> bool:
    return _SMALL_FLOAT in text or _EXPONENT in text.translate(_AS_ZEROS)


def _plainer(value: Any) -> Any:
    """Return a value that JSON has no name for as one that it has."""
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=canonical)  # Their order differs between processes.
    return json_codec.strict(value)


# -- Rows that cannot be sent ----------------------------------------------------------------------


def _substitute(row: Any) -> bytes:
    """Return what stands for a row in a batch that is no JSON; it is never sent."""
    with suppress(Exception):  # It is this one of which the batch is no JSON.
        return canonical(row)
    try:
        return _lenient.encode(row).encode("utf-8", "surrogatepass")
    except Exception:  # Little depends on its content.
        return f'"{type(row).__qualname__} that cannot be encoded"'.encode(errors="replace")


def _anything(value: Any) -> Any:
    """Return something for any value: the rest of its row is still worth comparing."""
    try:
        return _plainer(value)
    except Exception:  # Foreign code, or what JSON cannot express.
        return f"<{type(value).__qualname__}>"


_settings: dict[str, Any] = {
    "ensure_ascii": False,
    "check_circular": False,
    "sort_keys": True,
    "separators": (",", ":"),
}
_strict = json.JSONEncoder(default=_plainer, allow_nan=False, **_settings)
_lenient = json.JSONEncoder(default=_anything, **_settings)
