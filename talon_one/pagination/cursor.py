"""PageCursor: which page of a list to request next, and which of its items are new. No I/O."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from talon_one._core.hooks import logger
from talon_one._schema.access import data_of
from talon_one._schema.model import Model
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.pagination.position import PagesError, Position

if TYPE_CHECKING:
    from talon_one._core.operation import Operation, Paging

# The cursor recognizes the latest items if the server sends them again.
_MAX_REMEMBERED = 10_000
# A server that ignores the offset sends the same page over and over.
_MAX_IDENTICAL_PAGES = 3
# Pages without new items are normal after many insertions, or when the server filters a log behind
# a cursor. Items without an identity may fill identical pages, so this limit applies to those too.
_MAX_PAGES_WITHOUT_NEWS = 100
# A log entry lists this many IDs of items that were sent again.
_MAX_LISTED = 10


class PageCursor:
    """Decides how to get from one page of a list to the next.

    Args:
        operation: Operation that lists the items.
        paging: How its responses form a list.
        kwargs: Keyword arguments of the calls. The cursor removes the one that sets the start.

    Attributes:
        next_page: Position of the page to request next.
        finished: Whether there are no more pages.
        latest_items: Items of the latest page, as the server sent them.
        repeated: Number of items that the server sent again because the list grew.
        missing: Number of items that may have been skipped because the list shrank or ended early.
    """

    def __init__(self, operation: Operation, paging: Paging, kwargs: dict[str, Any]) -> None:
        self.finished = False
        self.latest_items: list[Any] = []
        self.repeated = 0
        self.missing = 0
        self._operation = operation
        self._paging = paging
        self._wire_name = paging.skip or paging.cursor
        names = {each.wire: each.name for each in operation.parameters}
        self._keyword = names.get(self._wire_name or "")
        # Keys of recent items, each with whether a log entry has reported its retry.
        self._seen: OrderedDict[Any, bool] = OrderedDict()
        self._identical_pages = 0
        self._pages_without_news = 0
        self._total: int | None = None
        self.next_page = self._pop_start(kwargs)

    @property
    def arguments(self) -> dict[str, Any]:
        """Keyword argument that selects the next page; empty for the first page."""
        value = self.next_page.skip or self.next_page.cursor
        return {self._keyword: value} if self._keyword and value else {}

    def resume(self, position: Position) -> None:
        """Continue at a position in the same list.

        Raises:
            ApiTypeError: *position* does not match how this list pages.
            ApiValueError: *position* is before the start of the list.
        """
        skip, cursor, within = position
        fits = isinstance(skip, int) if self._paging.skip else skip is None
        fits = fits and (cursor is None or (bool(self._paging.cursor) and isinstance(cursor, str)))
        if not fits or not isinstance(within, int):
            raise ApiTypeError(
                f"{quoted(position)} is not a position in the list of {self._operation.id}"
            )
        if within < 0 or (skip or 0) < 0:
            raise ApiValueError(f"{quoted(position)} is before the start of the list")
        self.next_page = position if skip is None else Position(skip + within)

    def position_after(self, page: Position, count: int) -> Position:
        """Return the position after the first *count* items of a page."""
        if page.skip is None:
            return page._replace(within=count)
        return page._replace(skip=page.skip + count)

    def accept_page(self, response: Any) -> list[tuple[int, Any]]:
        """Accept the response to the latest request, and advance to the next page.

        Returns:
            The items that are new, each with its index on the page.

        Raises:
            PagesError: The response contains no list, or pages have stopped bringing new items.
        """
        page, items = self.next_page, self._items(response)
        keys = [self._key(item) for item in items]
        # Items before `within` were handed out earlier: the request asked for them, so they do not
        # count as repeated.
        indexes = range(page.within, len(items))
        new = [index for index in indexes if keys[index] is None or keys[index] not in self._seen]
        repeated = [keys[index] for index in indexes if keys[index] in self._seen]
        identical = bool(items) and items == self.latest_items
        # Items without an identity cannot be distinguished, so equal pages may be different ones.
        indistinct = self._paging.identity is None
        self._identical_pages = self._identical_pages + 1 if identical else 0
        all_repeated = len(repeated) == len(items)
        self._pages_without_news = self._pages_without_news + 1 if all_repeated else 0
        finished, following = self._advance(response, page, items)
        if finished is None and identical and not indistinct:
            self._warn("the server sent the same page twice; treating that page as the whole list")
            finished, following, new, repeated = True, page, [], []
        max_identical = _MAX_PAGES_WITHOUT_NEWS if indistinct else _MAX_IDENTICAL_PAGES
        if not finished and (
            self._identical_pages >= max_identical
            or self._pages_without_news >= _MAX_PAGES_WITHOUT_NEWS
        ):
            raise PagesError(
                f"{self._operation.id}: {max(self._identical_pages, self._pages_without_news)}"
                " pages in a row brought nothing new, though the server says that there is more"
            )
        if repeated:
            self._count_repeated(repeated)
        self._remember(keys)
        self.latest_items = items
        self.finished, self.next_page = bool(finished), following
        return [(index, items[index]) for index in new]

    # -- The next page -------------------------------------------------------------------------

    def _advance(
        self, response: Any, page: Position, items: list[Any]
    ) -> tuple[bool | None, Position]:
        """Return whether this page ends the list, and the position of the page after it.

        ``None`` means that the server does not say. In that case there is a next page: a short page
        proves nothing, because the server may send fewer items than requested.
        """
        paging, end = self._paging, self.position_after(page, len(items))
        if paging.next:
            cursor = response.get(paging.next) if response is not None else None
            if not cursor or (not items and cursor == page.cursor):
                return True, end
            return False, Position(cursor=str(cursor))
        more = _field(response, paging.more, bool)
        total = _field(response, paging.total, int)
        if items and not total:
            total = None  # Some servers send a total of 0 along with items.
        reached = len(items) if end.skip is None else end.skip
        self._track_total(total, reached, bool(items))
        if not paging.skip:
            if more or (total or 0) > reached:
                self._warn("the server says that there is more, but no parameter can request it")
            return True, end
        if not items:
            if more and total is None:
                self._warn("the server says that there is more, but sent a page without items")
            return True, end
        if more is not None:
            return not more, end
        return (None if total is None else reached >= total), end

    def _track_total(self, total: int | None, reached: int, has_items: bool) -> None:
        """Notice that a list became shorter: items that moved forward were skipped."""
        if total is None:
            return
        lost = max(0, (self._total or 0) - total)
        if not has_items and self.next_page.skip:
            lost += max(0, total - reached)
        self._total = total
        if lost:
            self.missing += lost
            self._warn(f"the list shrank by {lost}; as many items may have been skipped")

    # -- Items ---------------------------------------------------------------------------------

    def _items(self, response: Any) -> list[Any]:
        name = self._paging.items
        if response is None:
            return []
        items = response.get(name) if isinstance(response, Model) else response
        if items is None:
            return []
        if not isinstance(response, Model) or not isinstance(items, list):
            raise PagesError(
                f"{self._operation.id}: the response is not an object with a list {name!r}"
            )
        return items

    def _key(self, item: Any) -> Any:
        """Return what identifies an item; ``None`` if any part of its identity is missing."""
        if not self._wire_name or self._paging.identity is None:
            return None
        if not self._paging.identity:
            return item if isinstance(item, (str, int, float)) else None
        data = data_of(item)
        if not isinstance(data, Mapping):
            return None
        key = tuple(data.get(name) for name in self._paging.identity)
        try:
            hash(key)
        except TypeError:
            return None
        return None if None in key else key

    def _remember(self, keys: list[Any]) -> None:
        # Only after the whole page was compared: an item that is twice on one page did not move.
        for key in keys:
            if key is not None:
                self._seen.setdefault(key, False)
                self._seen.move_to_end(key)
        while len(self._seen) > _MAX_REMEMBERED:
            self._seen.popitem(last=False)

    def _count_repeated(self, keys: list[Any]) -> None:
        self.repeated += len(keys)
        unreported = [key for key in keys if not self._seen[key]]
        self._seen.update(dict.fromkeys(unreported, True))
        # The log shows numbers only: a text may be the name of a person.
        ids = [str(key[0]) for key in unreported if type(key) is tuple and type(key[0]) is int]
        which = f" ({', '.join(ids[:_MAX_LISTED])})" if ids else ""
        if unreported:
            self._warn(
                f"items sent again: {len(unreported)}{which}, because the list changed while it"
                " was read"
            )

    def _warn(self, message: str) -> None:
        logger.warning("%s: %s; page requested at %s", self._operation.id, message, self.next_page)

    # -- The start -----------------------------------------------------------------------------

    def _pop_start(self, kwargs: dict[str, Any]) -> Position:
        """Remove the start of the iteration from the keyword arguments, and return it."""
        given = None
        for spelling, name in self._operation.keywords.items():
            if name == self._keyword:
                given = kwargs.pop(spelling, None) or given
        if not self._paging.skip:
            return Position(cursor=given)
        try:
            skip = int(given or 0)
        except (TypeError, ValueError):
            raise ApiTypeError(self._not_a_count(given)) from None
        if skip < 0:
            raise ApiValueError(self._not_a_count(given))
        return Position(skip=skip)

    def _not_a_count(self, given: Any) -> str:
        return f"{self._keyword} must be a number of items, not {quoted(given)}"


def _field(response: Any, name: str | None, kind: type) -> Any:
    """Return a field of the response if it has the promised type."""
    value = response.get(name) if response is not None and name else None
    return value if type(value) is kind else None
