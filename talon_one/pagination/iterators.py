"""Items and Pages: blocking iterators over a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from talon_one.exceptions import OpenApiException
from talon_one.pagination.iteration import Iteration

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")
R = TypeVar("R")


class _BlockingIteration(Iteration):
    _asynchronous = False

    def _fetch_page(self) -> bool:
        """Get the next page. Return whether there was one."""
        if not self._has_next_page():
            return False
        try:
            pause = self._reserve_pause()
            if pause:
                self._client.clock.sleep(pause)
            self._accept(self._method(*self._args, **self._keywords))
        except OpenApiException as failure:
            self._annotate(failure)
            raise
        return True


class Items(_BlockingIteration, Generic[T]):
    """Iterator over the items of a list. It requests each page when the page is needed.

    If the list changes while it is read, the server may send an item again on a later page. The
    iterator skips items with a unique ID that it has handed out, and repeats those without one.
    If a call fails, the iterator raises the exception of the call; `resume_position` returns where
    to resume. You can also use the same iterator again: it continues at the same place.
    Do not share an iterator between threads.

    Raises:
        ApiException: A call failed.
        ApiTypeError: An argument of the call is wrong; `ApiValueError` if only its value is.
        PagesError: The server keeps sending the same pages, or no list.
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        while not self._pending:
            if not self._fetch_page():
                raise StopIteration
        item: T = self._next_item()
        return item


class Pages(_BlockingIteration, Generic[R]):
    """Iterator over the responses that make up a list, unchanged.

    It skips responses without items. Items that the server sends again stay in the pages;
    `repeated` counts them. Failures are those of `Items`.
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> R:
        while self._fetch_page():
            if self._cursor.latest_items:
                page: R = self._next_page()
                return page
        raise StopIteration
