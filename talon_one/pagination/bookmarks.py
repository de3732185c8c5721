"""Bookmark: how far a list was read, to read only what is new the next time. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from talon_one._core.constructors import checks_arguments
from talon_one._schema.dates import in_utc, offset_of, read_datetime, write_datetime
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError

LOOK_BACK: Final = timedelta(minutes=5)
"""Default for `Bookmark.look_back`."""

_VERSION = 1
_MAX_LOOK_BACK = timedelta(days=366)


@dataclass(frozen=True, repr=False)
class Bookmark:
    """How far a list was read: the moment of its newest item, and the items around it.

    A new bookmark, ``Bookmark()``, reads the whole list. A bookmark never changes; an iteration
    makes new ones. It can be pickled, and stored as JSON.
    """

    look_back: timedelta = LOOK_BACK
    """Items may appear this much later than their own moment says, because servers work in parallel
    and their clocks differ. Each reading starts as much before `moment`."""
    moment: datetime | None = None
    """Moment of the newest item, by the clock of the server; ``None`` if there was none yet."""
    seen: Mapping[str, datetime | None] = field(default_factory=dict, hash=False)
    """Keys of the items handed out that the next reading meets again, with their moments."""
    source: str = ""
    """The list, with its filters; empty for any. A bookmark of another list is refused."""

    @checks_arguments("(look_back=timedelta(minutes=10))")
    def __init__(
        self,
        look_back: timedelta = LOOK_BACK,
        moment: datetime | None = None,
        seen: Mapping[str, datetime | None] | None = None,
        source: str = "",
    ) -> None:
        if not isinstance(look_back, timedelta):
            raise ApiTypeError(f"look_back is a timedelta, not {quoted(look_back)}")
        if not timedelta() <= look_back <= _MAX_LOOK_BACK:
            raise ApiValueError(f"look_back is from 0 to 366 days, not {quoted(look_back)}")
        if seen is not None and not isinstance(seen, Mapping):
            raise ApiTypeError(f"seen is a dict of moments by key, not {quoted(seen)}")
        if not isinstance(source, str):
            raise ApiTypeError(f"source is text, not {quoted(source)}")
        values = {
            "look_back": look_back,
            "moment": None if moment is None else _aware(moment),
            "seen": {
                str(key): None if each is None else _aware(each)
                for key, each in (seen or {}).items()
            },
            "source": source,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        of = f" of {self.source}" if self.source else ""
        at = write_datetime(self.moment) if self.moment is not None else "the start"
        return f"<Bookmark{of} at {at}, {len(self.seen)} items seen>"

    def to_json(self) -> str:
        """Return the bookmark as JSON text."""
        return json.dumps(
            {
                "version": _VERSION,
                "source": self.source,
                "lookBack": self.look_back.total_seconds(),
                "moment": _written(self.moment),
                "seen": {key: _written(each) for key, each in self.seen.items()},
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Bookmark:
        """Return the bookmark that `to_json` wrote.

        Raises:
            ApiTypeError: *text* is not text.
            ApiValueError: *text* is not a bookmark.
        """
        if not isinstance(text, (str, bytes)):
            raise ApiTypeError(f"a bookmark is read from text, not from {quoted(text)}")
        try:
            data = json.loads(text)
            if data["version"] != _VERSION:
                raise ValueError("unknown version")
            return cls(
                timedelta(seconds=_number(data["lookBack"])),
                _read(data["moment"]),
                {key: _read(each) for key, each in data["seen"].items()},
                data["source"],
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as cause:
            raise ApiValueError(f"this is not a bookmark: {quoted(text)}") from cause
        except RecursionError as cause:
            raise ApiValueError("this is not a bookmark, but deeply nested JSON") from cause


def _aware(moment: Any) -> datetime:
    if not isinstance(moment, datetime):
        raise ApiTypeError(f"a moment is a datetime, not {quoted(moment)}")
    if offset_of(moment) is None:
        raise ApiValueError(f"a moment has a time zone, unlike {quoted(moment)}")
    return in_utc(moment)


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else write_datetime(moment)


def _read(text: Any) -> datetime | None:
    if text is None:
        return None
    moment = read_datetime(text)
    if not isinstance(moment, datetime):
        raise ValueError("not a timestamp")
    return moment


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError("not a number")
    return float(value)
