"""Fingerprint of the rows read so far: by it a resume token recognizes rows, and their order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from talon_one import wire

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
        self._hash = sha256(_encoded([shared]) if shared else b"")
        self._count = 0

    def update(self, rows: list[Any]) -> None:
        """Take the next rows; a list costs far less than its rows one by one."""
        if rows:
            self._hash.update(_encoded(rows))
            self._count += len(rows)

    def mark(self) -> Mark:
        """Return the fingerprint of all rows so far."""
        return Mark(self._count, self._hash.hexdigest() if self._count else "")


def _encoded(rows: list[Any]) -> bytes:
    """Return rows as canonical JSON, each followed by a comma."""
    try:
        return _canonical(rows)[1:-1] + b","
    except Exception:  # Whatever an object of the caller does, the other rows are still told apart.
        return b"".join(map(_encoded_alone, rows))


def _encoded_alone(row: Any) -> bytes:
    try:
        return _canonical(row) + b","
    except Exception:  # As above. Such a row cannot be sent, so little depends on its content.
        return f'"{type(row).__qualname__} that cannot be encoded",'.encode(errors="replace")


def _canonical(value: Any) -> bytes:
    """Return JSON with sorted keys, and the same text with and without orjson."""
    orjson = wire.orjson
    if orjson is not None:
        try:
            text: bytes = orjson.dumps(
                value,
                _replacement,
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
    return _encoder.encode(value).encode("utf-8", "surrogatepass")


def _may_hold_odd_floats(text: bytes) -> bool:
    return _SMALL_FLOAT in text or _EXPONENT in text.translate(_AS_ZEROS)


def _replacement(value: Any) -> Any:
    """Return what JSON has no name for in terms of what it has one for; never fail."""
    try:
        inner = getattr(value, "__wire__", None)
        if inner is not None:
            return inner()
        if isinstance(value, Mapping):
            return dict(value)
        if isinstance(value, (set, frozenset)):
            return _sorted(value)
        return wire.plain(value)
    except Exception:  # Foreign code; the rest of the row is still worth comparing.
        return f"<{type(value).__qualname__}>"


def _sorted(items: Iterable[Any]) -> list[Any]:
    # The order of a set differs between processes.
    return [text.decode("utf-8", "surrogatepass") for text in sorted(map(_canonical, items))]


_encoder = json.JSONEncoder(
    default=_replacement,
    ensure_ascii=False,
    check_circular=False,
    sort_keys=True,
    separators=(",", ":"),
)
