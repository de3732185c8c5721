"""AsyncItems, AsyncPages and AsyncNewItems: asyncio iterators over a list.

`talon_one.pagination` has what they share with the blocking ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, OpenApiException
from talon_one.pagination.bookmarks import Bookmark
from talon_one.pagination.iteration import Iteration
from talon_one.pagination.new_items import finish, is_new, novelty_of
from talon_one.pagination.novelty import KeyFunction

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["AsyncItems", "AsyncNewItems", "AsyncPages", "new_items"]

T = TypeVar("T")
R = TypeVar("R")


class _AsyncIteration(Iteration):
    _asynchronous = True

    async def _fetch_page(self) -> bool:
        """Get the next page. Return whether there was one."""
        if not self._has_next_page():
            return False
        try:
            pause = self._reserve_pause()
            if pause:
                await self._client.clock.sleep(pause)
            self._accept(await self._method(*self._args, **self._keywords))
        except OpenApiException as failure:
            self._annotate(failure)
            raise
        return True


class AsyncItems(_AsyncIteration, Generic[T]):
    """Like `talon_one.pagination.Items`, for ``async for``. Do not share one between tasks."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._pending:
            if not await self._fetch_page():
                raise StopAsyncIteration
        item: T = self._next_item()
        return item


class AsyncPages(_AsyncIteration, Generic[R]):
    """Like `talon_one.pagination.Pages`, for ``async for``. Do not share one between tasks."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        while await self._fetch_page():
            if self._cursor.latest_items:
                page: R = self._next_page()
                return page
        raise StopAsyncIteration


def new_items(
    items: AsyncItems[T], bookmark: Bookmark | None = None, *, key: KeyFunction | None = None
) -> AsyncNewItems[T]:
    """Return an iterator over the items of a list that are new since a bookmark.

    Arguments and exceptions are those of `talon_one.pagination.new_items`.
    """
    return AsyncNewItems(items, bookmark, key)


class AsyncNewItems(Generic[T]):
    """Like `talon_one.pagination.NewItems`, for ``async for``. Do not share one between tasks."""

    def __init__(
        self,
        items: AsyncItems[T],
        bookmark: Bookmark | None = None,
        key: KeyFunction | None = None,
    ) -> None:
        if not isinstance(items, AsyncItems):
            raise ApiTypeError(
                f"this takes what iterate of talon_one.aio returns, not {quoted(items)}"
            )
        self._items = items
        self._novelty = novelty_of(items, bookmark, key)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        async for item in self._items:
            if is_new(self._novelty, self._items, item):
                return item
        finish(self._novelty, self._items)
        raise StopAsyncIteration

    def __repr__(self) -> str:
        return f"<AsyncNewItems after {self.bookmark!r}>"

    @property
    def bookmark(self) -> Bookmark:
        """Bookmark after the items handed out so far; see `talon_one.pagination.NewItems`."""
        return self._novelty.bookmark
