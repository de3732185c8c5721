"""Novelty: which items of a list are new since a bookmark, and the bookmark after each. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta, timezone
from hashlib import blake2b
from typing import Any

from talon_one._core.hooks import logger
from talon_one._schema import json_codec
from talon_one._schema.access import data_of
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.pagination.bookmarks import Bookmark
from talon_one.pagination.time_filter import CallArguments, TimeFilter, as_moment

# Servers may cut a timestamp to seconds, and may include or exclude the moment itself. What they
# send in excess is left out here.
_MARGIN = timedelta(seconds=1)
_MIN_PRUNED = 1000
# A moment so far ahead of this machine is a mistake. A bookmark there would never find anything.
_MAX_AHEAD = timedelta(days=1)
_START_OF_TIME = datetime.min.replace(tzinfo=timezone.utc)

KeyFunction = Callable[[Any], Hashable]
"""Returns what identifies an item: text or a number."""


class Novelty:
    """Decides which items are new, while a list is read once from start to end.

    Everything that is handed out is in the next bookmark. While the list is read, its moment moves
    only if the oldest items come first: otherwise older items may still follow, and the keys of the
    items handed out are kept until the end.

    An item may appear in the middle of the reading, behind the page that is read. By the clock of
    the server, it is at most `look_back` older than the start of the reading. So the moment of the
    bookmark is the newest one less the time that the reading has taken.

    Args:
        bookmark: Where the last reading stopped; ``None`` for the start.
        call: The call that reads the list.
        filter: How it is asked for new items.
        key: Returns what identifies an item, ``None`` if nothing but its whole content does.
        monotonic: Returns seconds that never go back.

    Attributes:
        call: The call with its filter set.

    Raises:
        ApiTypeError: *bookmark* is not a bookmark, or *key* not a function.
        ApiValueError: *bookmark* belongs to another list.
    """

    def __init__(
        self,
        bookmark: Bookmark | None,
        call: CallArguments,
        filter: TimeFilter,
        key: KeyFunction | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._elapsed = _stopwatch(monotonic)
        self._latest = datetime.now(timezone.utc) + _MAX_AHEAD
        if bookmark is None:
            bookmark = Bookmark()
        if not isinstance(bookmark, Bookmark):
            raise ApiTypeError(f"a bookmark is a Bookmark, not {quoted(bookmark)}")
        if key is not None and not callable(key):
            raise ApiTypeError(f"key is a function, not {quoted(key)}")
        self._source = f"{call.source} by {filter.property}"
        if bookmark.source not in ("", self._source):
            raise ApiValueError(
                f"the bookmark belongs to {bookmark.source}, not to {self._source};"
                " to read that one from the start, use Bookmark()"
            )
        self._look_back = bookmark.look_back
        self._started_at = self._moment = bookmark.moment
        # Older items were handed out, or appeared too late.
        self._floor = self._begin()
        self._seen = dict(bookmark.seen)
        self._newest = bookmark.moment
        self._copies: Counter[str] = Counter()
        self._property = filter.property
        self._key = key
        self._advances = filter.is_ascending(call)
        self._skipped = False
        self._prune_at = _MIN_PRUNED
        self._warned = False
        self.call: CallArguments = call
        if self._floor is not None:
            self.call = call.replaced(filter.argument, _earlier(self._floor, _MARGIN))

    def is_new(self, item: Any) -> bool:
        """Return whether an item is new. If so, it counts as handed out.

        Raises:
            ApiTypeError: The key of the item is not text and not a number.
            ApiValueError: The function for keys raised.
        """
        moment = self._moment_of(item)
        if self._floor is not None and moment is not None and moment < self._floor:
            return False
        try:
            key = self._key_of(item)
        except BaseException:
            self._skipped = True  # The bookmark must not move past an item without a key.
            raise
        is_new = key not in self._seen
        if is_new:
            self._seen[key] = moment
        if moment is not None and not self._is_ahead(moment):
            self._newest = moment if self._newest is None else max(self._newest, moment)
            if self._advances:
                self._advance(moment)
        return is_new

    def note_missing(self) -> None:
        """Note that items may have been skipped: the bookmark stays before them."""
        self._skipped = True

    def finish(self) -> None:
        """Note that the list was read to its end: the bookmark moves to the newest item."""
        if not self._skipped and self._newest is not None:
            self._move(self._newest)
            self._prune()

    @property
    def bookmark(self) -> Bookmark:
        """Bookmark after the items handed out so far."""
        return Bookmark(self._look_back, self._moment, self._seen, self._source)

    def _advance(self, moment: datetime) -> None:
        if self._skipped:
            return
        begin = self._begin()
        if begin is not None and moment < begin:
            logger.warning(
                "%s: the list is not in the order of %r, though it was asked for; the bookmark"
                " stays in place until the list is read",
                self._source,
                self._property,
            )
            self._advances = False
            self._moment = self._started_at
            return
        self._move(moment)
        if len(self._seen) >= self._prune_at:
            self._prune()
            self._prune_at = max(_MIN_PRUNED, 2 * len(self._seen))

    def _move(self, newest: datetime) -> None:
        moment = _earlier(newest, self._elapsed())
        self._moment = moment if self._moment is None else max(self._moment, moment)

    def _begin(self) -> datetime | None:
        return None if self._moment is None else _earlier(self._moment, self._look_back)

    def _prune(self) -> None:
        begin = self._begin()
        if begin is not None:
            self._seen = {
                key: moment
                for key, moment in self._seen.items()
                if moment is not None and moment >= begin
            }

    def _is_ahead(self, moment: datetime) -> bool:
        is_ahead = _earlier(moment, self._elapsed()) > self._latest
        if is_ahead:
            self._warn(f"an item is from {moment}, which is ahead of the clock of this machine")
        return is_ahead

    def _moment_of(self, item: Any) -> datetime | None:
        data = data_of(item)
        moment = as_moment(data.get(self._property)) if isinstance(data, Mapping) else None
        if moment is None:
            self._warn(f"an item has no moment in {self._property!r}; it may be handed out again")
        return moment

    def _warn(self, message: str) -> None:
        """Log a problem of an item, once for each reading."""
        if not self._warned:
            self._warned = True
            logger.warning("%s: %s", self._source, message)

    def _key_of(self, item: Any) -> str:
        if self._key is not None:
            with guarded("the key of an item of ", self._source):
                key = self._key(item)
            if isinstance(key, (str, int)):
                return str(key)
            if key is not None:
                raise ApiTypeError(f"the key of an item is text or a number, not {quoted(key)}")
        # Equal items may be different ones, so they are counted.
        digest = blake2b(json_codec.encode(data_of(item)), digest_size=16).hexdigest()
        self._copies[digest] += 1
        return f"{digest}#{self._copies[digest]}"


def _stopwatch(monotonic: Callable[[], float]) -> Callable[[], timedelta]:
    start = monotonic()
    return lambda: timedelta(seconds=max(0.0, monotonic() - start))


def _earlier(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment - by
    except OverflowError:
        return _START_OF_TIME
