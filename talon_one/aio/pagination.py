"""AsyncItems and AsyncPages: asyncio iterators over a list.

`talon_one.pagination` has what they share with the blocking ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from talon_one.exceptions import OpenApiException
from talon_one.pagination.iteration import Iteration

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["AsyncItems", "AsyncPages"]

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
