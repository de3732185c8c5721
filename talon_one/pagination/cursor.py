"""The way through the pages of a list: what is asked next, and what has come. No I/O."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from talon_one._core.hooks import logger
from talon_one._schema.model import Model
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.pagination.position import PagesError, Position

if TYPE_CHECKING:
    from talon_one._core.operation import Operation, Paging

# How many items are remembered, to recognise those that come again: the latest ones.
_REMEMBERED = 10_000
# So many pages in a row are one too many: of those that are the very page before them, which a
# server sends that does not move on; and of those that bring nothing new, of which there are some
# behind a place where much was inserted, and on the way of a cursor through a log that is filtered.
# Where items may be alike, so may be pages, and the second number holds for both.
_STUCK = 3
_LONGEST_GAP = 100
# How many of the items that came again the log names.
_SHOWN = 10


class PageCursor:
    """A walk through the pages of one list.

    Args:
        operation: What lists the items.
        paging: How its answers make up a list.
        kwargs: Keyword arguments of the calls; where to begin is taken out of them.

    Attributes:
        at: Where the page begins that is asked for next.
        over: There are no more pages.
        latest: Items of the latest page, as they came.
        repeated: How many items came again, because the list grew while it was read.
        missing: How many items may have been passed over, because the list shrank, or ended early.
    """

    def __init__(self, operation: Operation, paging: Paging, kwargs: dict[str, Any]) -> None:
        self.over = False
        self.latest: list[Any] = []
        self.repeated = 0
        self.missing = 0
        self._operation = operation
        self._paging = paging
        self._wire_name = self._paging.skip or self._paging.cursor
        names = {each.wire: each.name for each in operation.parameters}
        self._name = names.get(self._wire_name or "")
        # What was handed out lately, and whether it has been reported to have come again.
        self._seen: OrderedDict[Any, bool] = OrderedDict()
        self._standing = 0
        self._idle = 0
        self._total: int | None = None
        self.at = self._begin(kwargs)

    @property
    def arguments(self) -> dict[str, Any]:
        """The keyword that leads to the next page; none for the first one."""
        value = self.at.skip or self.at.cursor
        return {self._name: value} if self._name and value else {}

    def resume(self, position: Position) -> None:
        """Go to a place where another walk through the same list was.

        Raises:
            ApiTypeError: It is no place in a list that pages as this one does.
            ApiValueError: It is before the start of the list.
        """
        skip, cursor, within = position
        fits = isinstance(skip, int) if self._paging.skip else skip is None
        fits = fits and (cursor is None or (bool(self._paging.cursor) and isinstance(cursor, str)))
        if not fits or not isinstance(within, int):
            raise ApiTypeError(
                f"{quoted(position)} is no place in the list of {self._operation.id}"
            )
        if within < 0 or (skip or 0) < 0:
            raise ApiValueError(f"{quoted(position)} is before the start of the list")
        self.at = position if skip is None else Position(skip + within)

    def behind(self, page: Position, count: int) -> Position:
        """Return the place behind the first items of a page."""
        if page.skip is None:
            return page._replace(within=count)
        return page._replace(skip=page.skip + count)

    def take(self, answer: Any) -> list[tuple[int, Any]]:
        """Take a page and move on to the next one.

        Returns:
            The items that are new, each with its number on the page.

        Raises:
            PagesError: The answer holds no list, or no page brings anything new any more.
        """
        page, items = self.at, self._items(answer)
        keys = [self._key(item) for item in items]
        # What was handed out before the walk was resumed has not come again: it was asked for.
        wanted = range(page.within, len(items))
        fresh = [index for index in wanted if keys[index] is None or keys[index] not in self._seen]
        again = [keys[index] for index in wanted if keys[index] in self._seen]
        same = bool(items) and items == self.latest
        # Pages of items that cannot be told apart may be alike and yet hold others.
        alike = self._paging.identity is None
        self._standing = self._standing + 1 if same else 0
        self._idle = self._idle + 1 if len(again) == len(items) else 0
        over, following = self._onwards(answer, page, items)
        if over is None and same and not alike:
            self._report("the server sent the same page twice; it is taken for the whole list")
            over, following, fresh, again = True, page, [], []
        if not over and (
            self._standing >= (_LONGEST_GAP if alike else _STUCK) or self._idle >= _LONGEST_GAP
        ):
            raise PagesError(
                f"{self._operation.id}: {max(self._standing, self._idle)} pages in a row brought"
                " nothing new, though the server says that there is more"
            )
        if again:
            self._report_repeated(again)
        self._remember(keys)
        self.latest = items
        self.over, self.at = bool(over), following
        return [(index, items[index]) for index in fresh]

    # -- What comes next -----------------------------------------------------------------------

    def _onwards(
        self, answer: Any, page: Position, items: list[Any]
    ) -> tuple[bool | None, Position]:
        """Return whether the list ends with this page, and where the next one begins.

        ``None`` means that the server does not say. Then there is another page: one that is not
        full proves nothing, for the server may admit fewer items than were asked for.
        """
        paging, end = self._paging, self.behind(page, len(items))
        if paging.next:
            cursor = answer.get(paging.next) if answer is not None else None
            if not cursor or (not items and cursor == page.cursor):
                return True, end
            return False, Position(cursor=str(cursor))
        more = self._said(answer, paging.more, bool)
        total = self._said(answer, paging.total, int)
        if items and not total:
            total = None  # A total of nothing beside items is none.
        reached = len(items) if end.skip is None else end.skip
        self._watch(total, reached, bool(items))
        if not paging.skip:
            if more or (total or 0) > reached:
                self._report(
                    "the server says that there is more, but there is no parameter to ask for it"
                )
            return True, end
        if not items:
            if more and total is None:
                self._report("the server says that there is more, but sent a page without items")
            return True, end
        if more is not None:
            return not more, end
        return (None if total is None else reached >= total), end

    def _said(self, answer: Any, name: str | None, kind: type) -> Any:
        value = answer.get(name) if answer is not None and name else None
        return value if type(value) is kind else None

    def _watch(self, total: int | None, reached: int, has_items: bool) -> None:
        """Take note of a list that became shorter: what moved forward has been passed over."""
        if total is None:
            return
        lost = max(0, (self._total or 0) - total)
        if not has_items and self.at.skip:
            lost += max(0, total - reached)
        self._total = total
        if lost:
            self.missing += lost
            self._report(f"items fewer than there were: {lost}; as many may have been passed over")

    # -- What has come -------------------------------------------------------------------------

    def _items(self, answer: Any) -> list[Any]:
        name = self._paging.items
        if answer is None:
            return []
        items = answer.get(name) if isinstance(answer, Model) else answer
        if items is None:
            return []
        if not isinstance(answer, Model) or not isinstance(items, list):
            raise PagesError(f"{self._operation.id}: the answer is no object with a list {name!r}")
        return items

    def _key(self, item: Any) -> Any:
        """Return what no other item has; ``None`` if that is not known, even in part."""
        if not self._wire_name or self._paging.identity is None:
            return None
        if not self._paging.identity:
            return item if isinstance(item, (str, int, float)) else None
        data = item.__wire__() if isinstance(item, Model) else item
        if not isinstance(data, Mapping):
            return None
        key = tuple(data.get(name) for name in self._paging.identity)
        try:
            hash(key)
        except TypeError:
            return None
        return None if None in key else key

    def _remember(self, keys: list[Any]) -> None:
        # Only now, because what one page holds twice has not moved.
        for key in keys:
            if key is not None:
                self._seen.setdefault(key, False)
                self._seen.move_to_end(key)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    def _report_repeated(self, keys: list[Any]) -> None:
        self.repeated += len(keys)
        unreported = [key for key in keys if not self._seen[key]]
        self._seen.update(dict.fromkeys(unreported, True))
        # Only numbers are shown: a text may be the name of somebody.
        ids = [str(key[0]) for key in unreported if type(key) is tuple and type(key[0]) is int]
        which = f" ({', '.join(ids[:_SHOWN])})" if ids else ""
        if unreported:
            self._report(
                f"items sent once more: {len(unreported)}{which}, as the list changes while it is"
                " read"
            )

    def _report(self, what: str) -> None:
        logger.warning("%s: %s; the page was asked for at %s", self._operation.id, what, self.at)

    def _begin(self, kwargs: dict[str, Any]) -> Position:
        """Take the start of the iteration out of the arguments of its calls."""
        given = None
        for keyword, name in self._operation.keywords.items():
            if name == self._name:
                given = kwargs.pop(keyword, None) or given
        if not self._paging.skip:
            return Position(cursor=given)
        try:
            skip = int(given or 0)
        except (TypeError, ValueError):
            raise ApiTypeError(f"{self._name} is a number of items, not {quoted(given)}") from None
        if skip < 0:
            raise ApiValueError(f"{self._name} is a number of items, not {quoted(given)}")
        return Position(skip=skip)
