"""Iterators over lists: items or pages, blocking or not, around the one PageCursor."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from talon_one._core.operation import operation_of
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError, OpenApiException
from talon_one.limiter import Limiter, limiter_of
from talon_one.pagination.cursor import PageCursor
from talon_one.pagination.position import Position, attach_position

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "AsyncItems",
    "AsyncPages",
    "Items",
    "ListResponse",
    "Pages",
]

T = TypeVar("T")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)

# Settings that make a method return something other than its answer.
_REFUSED = ("async_req", "_preload_content", "_return_http_data_only")


class ListResponse(Protocol[T_co]):
    """An answer that holds the items of a page, as type checkers see it."""

    @property
    def data(self) -> Sequence[T_co] | None:
        """The items."""


class _Iteration:
    """What all iterators over pages share: settings, and the state of the walk.

    Args:
        method: Method that gets one page.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
    """

    _asynchronous: ClassVar[bool]

    def __init__(
        self, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        operation = operation_of(method)
        name = operation.id
        owner = getattr(method, "__self__", None)
        if owner is None:
            raise ApiTypeError(f"{name} is iterated by a method of an object, not of its class")
        if operation.paging is None:
            raise ApiTypeError(f"{name} cannot be iterated: it does not list anything")
        for setting in _REFUSED:
            if setting in kwargs:
                raise ApiTypeError(f"{setting} has no meaning for an iteration")
        if operation.deprecated:
            import warnings

            # The method says so as well, but takes this module for its caller. `Api.iterate`
            # stands between here and the caller that is meant.
            warnings.warn(operation.deprecated, DeprecationWarning, stacklevel=3)
        self._client = owner.api_client
        if self._client.asynchronous is not self._asynchronous:
            raise ApiTypeError(f"{name} and what iterates it are not both of talon_one.aio")
        self._method = method
        self._args = args
        self._operation = operation
        self._walk = PageCursor(operation, operation.paging, kwargs)
        self._kwargs = kwargs
        self._page_limit: int | None = None
        self._limiter: Limiter | bool = True
        self._pages = 0
        self._begun = False
        self._page = self._walk.at
        self._answer: Any = None
        self._pending: deque[tuple[int, Any]] = deque()
        self._settled = 0

    def configure(
        self,
        *,
        page_limit: int | None = None,
        limiter: Limiter | bool = True,
        resume_from: Position | Sequence[Any] | None = None,
    ) -> Self:
        """Change how the list is read; before the first page is.

        Args:
            page_limit: How many pages are read at most; all of them if not given.
            limiter: How often pages are asked for: a `Limiter` of your own, ``False`` to ask as
                fast as the server answers. By default all iterations over one client share one
                that keeps to the limit of the Management API; the Integration API has none.
            resume_from: Where another iteration of the same list was: its `position`, or the
                `resume_from` of the exception that ended it.

        Returns:
            The iterator itself.

        Raises:
            ApiTypeError: A value of the wrong kind, or the iteration has begun.
            ApiValueError: `resume_from` is before the start of the list.
        """
        if self._begun:
            raise ApiTypeError("an iteration is configured before it begins")
        is_number = isinstance(page_limit, int) and not isinstance(page_limit, bool)
        if page_limit is not None and (not is_number or page_limit < 1):
            raise ApiTypeError(f"page_limit is a whole number above 0, not {quoted(page_limit)}")
        if not isinstance(limiter, (Limiter, bool)):
            raise ApiTypeError(f"limiter is a Limiter, True or False, not {quoted(limiter)}")
        self._page_limit = page_limit
        self._limiter = limiter
        if resume_from is not None:
            if not isinstance(resume_from, (tuple, list)) or len(resume_from) != 3:
                raise ApiTypeError(f"resume_from is a Position, not {quoted(resume_from)}")
            self._walk.resume(Position(*resume_from))
        return self

    @property
    def position(self) -> Position:
        """Place behind what was handed out last; an iteration that is resumed there goes on."""
        if self._pending:
            return self._walk.behind(self._page, self._settled)
        return self._walk.at

    @property
    def complete(self) -> bool:
        """Whether the end of the list was reached, and everything before it was handed out."""
        return self._walk.over and not self._pending

    @property
    def repeated(self) -> int:
        """How many items the server sent again, because the list grew while it was read.

        `Items` leaves them out. The log, too, tells of them. It stays 0 for lists whose items
        have nothing that is unique; those that come again are handed out again.
        """
        return self._walk.repeated

    @property
    def missing(self) -> int:
        """How many items may have been passed over, because the list shrank while it was read.

        It is known only for lists whose answers tell their total. The log, too, tells of them.
        """
        return self._walk.missing

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._operation.id} at {self.position}>"

    # -- Around a call -------------------------------------------------------------------------

    def _due(self) -> bool:
        """Say whether there is another page to ask for."""
        return not self._walk.over and self._pages != self._page_limit

    def _pause(self) -> float:
        """Return the seconds to wait before the next page is asked for."""
        if not self._begun:
            self._begun = True
            if self._limiter is True:
                self._limiter = limiter_of(self._client, self._operation) or False
        limiter = self._limiter
        return limiter.reserve(self._operation.id) if isinstance(limiter, Limiter) else 0.0

    @property
    def _keywords(self) -> dict[str, Any]:
        return {**self._kwargs, **self._walk.arguments}

    def _took(self, answer: Any) -> None:
        page = self._walk.at
        self._pending = deque(self._walk.take(answer))
        self._page, self._settled, self._answer = page, page.within, answer
        self._pages += 1

    def _next_item(self) -> Any:
        index, item = self._pending.popleft()
        self._settled = index + 1
        return item

    def _next_page(self) -> Any:
        self._pending.clear()
        return self._answer

    def _failed(self, failure: OpenApiException) -> None:
        """Write on an exception where to go on; not where the call is what is wrong."""
        if not self._pages and isinstance(failure, (ApiTypeError, ApiValueError)):
            return
        attach_position(failure, self.position)
        if hasattr(failure, "add_note"):  # Since Python 3.11.
            failure.add_note(f"pages read: {self._pages}; go on with resume_from={self.position}")


class _Blocking(_Iteration):
    _asynchronous = False

    def _turn(self) -> bool:
        """Get the next page; return whether there was one to get."""
        if not self._due():
            return False
        try:
            pause = self._pause()
            if pause:
                self._client.clock.sleep(pause)
            self._took(self._method(*self._args, **self._keywords))
        except OpenApiException as failure:
            self._failed(failure)
            raise
        return True


class Items(_Blocking, Generic[T]):
    """Iterator over the items of a list, whose pages are got when they are needed.

    An item that comes again on a later page, because the list has changed meanwhile, is left out
    if it has an ID that is unique; what has none is handed out as often as it comes.
    If a call fails, its exception is raised, with the `Position` to resume from in
    ``resume_from``; the iterator may also just be used again, and goes on at the same place.
    It belongs to one thread.

    Raises:
        ApiException: A call failed; `ApiTypeError` or `ApiValueError` if its arguments are wrong.
        PagesError: The server does not move on.
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        while not self._pending:
            if not self._turn():
                raise StopIteration
        item: T = self._next_item()
        return item


class Pages(_Blocking, Generic[R]):
    """Iterator over the answers that make up a list, as they came.

    Answers without items are left out. What has come before is not, but `repeated` counts it.
    For failures see `Items`.
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> R:
        while self._turn():
            if self._walk.latest:
                page: R = self._next_page()
                return page
        raise StopIteration


class _Awaiting(_Iteration):
    _asynchronous = True

    async def _turn(self) -> bool:
        """Get the next page; return whether there was one to get."""
        if not self._due():
            return False
        try:
            pause = self._pause()
            if pause:
                await self._client.clock.sleep(pause)
            self._took(await self._method(*self._args, **self._keywords))
        except OpenApiException as failure:
            self._failed(failure)
            raise
        return True


class AsyncItems(_Awaiting, Generic[T]):
    """As `Items`, for ``async for``; it belongs to one task."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._pending:
            if not await self._turn():
                raise StopAsyncIteration
        item: T = self._next_item()
        return item


class AsyncPages(_Awaiting, Generic[R]):
    """As `Pages`, for ``async for``; it belongs to one task."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        while await self._turn():
            if self._walk.latest:
                page: R = self._next_page()
                return page
        raise StopAsyncIteration
