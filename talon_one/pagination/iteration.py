"""Iteration: settings and state shared by all iterators over pages, blocking or not. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from talon_one._core.operation import operation_of
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError, OpenApiException
from talon_one.limiter import Limiter, limiter_of
from talon_one.pagination.cursor import PageCursor
from talon_one.pagination.position import Position, attach_position
from talon_one.pagination.time_filter import CallArguments

if TYPE_CHECKING:
    from typing_extensions import Self

T_co = TypeVar("T_co", covariant=True)

# Settings that make a method return something other than its decoded response.
_REFUSED = ("async_req", "_preload_content", "_return_http_data_only")


class ListResponse(Protocol[T_co]):
    """A response that holds the items of a page, for type checkers."""

    @property
    def data(self) -> Sequence[T_co] | None:
        """The items."""


class Iteration:
    """Base of the iterators.

    A subclass repeats `_has_next_page`, `_reserve_pause`, the call, and `_accept`. It reports every
    failure in between to `_annotate`.

    Args:
        method: Method that gets one page.
        args: Its positional arguments.
        kwargs: Its keyword arguments.

    Raises:
        ApiTypeError: *method* does not list anything, or belongs to the other kind of client.
    """

    _asynchronous: ClassVar[bool]

    def __init__(
        self, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        operation = operation_of(method)
        name = operation.id
        owner = getattr(method, "__self__", None)
        if owner is None:
            raise ApiTypeError(f"iterate {name} with a method of an object, not of its class")
        if operation.paging is None:
            raise ApiTypeError(f"{name} cannot be iterated: it does not list anything")
        for setting in _REFUSED:
            if setting in kwargs:
                raise ApiTypeError(f"{setting} cannot be combined with an iteration")
        if operation.deprecated:
            import warnings

            # The method would attribute its own warning to this package. The stack level skips
            # `Api.iterate`, so that the warning names the code of the user.
            warnings.warn(operation.deprecated, DeprecationWarning, stacklevel=3)
        self._client = owner.api_client
        if self._client.asynchronous is not self._asynchronous:
            raise ApiTypeError(
                f"the method {name} and its iterator must both be from talon_one.aio, or neither"
            )
        self._method = method
        self._args = args
        self._kwargs = kwargs
        self._operation = operation
        self._cursor = PageCursor(operation, operation.paging, kwargs)
        self._page_limit: int | None = None
        self._limiter: Limiter | bool | None = True
        self._begun = False
        self._pages = 0
        self._page = self._cursor.next_page
        self._response: Any = None
        # Items of the page that are still to hand out, with their indexes.
        self._pending: deque[tuple[int, Any]] = deque()
        self._handed_out = 0

    def configure(
        self,
        *,
        page_limit: int | None = None,
        limiter: Limiter | bool = True,
        resume_from: Position | Sequence[Any] | None = None,
    ) -> Self:
        """Change how the list is read. Call this before requesting the first page.

        Args:
            page_limit: Maximum number of pages to read; unlimited by default.
            limiter: Rate limit for requesting pages: a `Limiter` of your own, or ``False`` to read
                as fast as the server responds. By default all iterations over one client share a
                limiter that keeps to the rate limit of the Management API; the Integration API has
                no limit.
            resume_from: Where another iteration of the same list stopped: its `position`, or the
                `resume_position` of the exception that interrupted it.

        Returns:
            The iterator itself.

        Raises:
            ApiTypeError: A value has the wrong type, or the iteration has begun.
            ApiValueError: `resume_from` is before the start of the list.
        """
        if self._begun:
            raise ApiTypeError("configure an iteration before it begins")
        is_number = isinstance(page_limit, int) and not isinstance(page_limit, bool)
        if page_limit is not None and (not is_number or page_limit < 1):
            raise ApiTypeError(f"page_limit must be an integer above 0, not {quoted(page_limit)}")
        if not isinstance(limiter, (Limiter, bool)):
            raise ApiTypeError(f"limiter must be a Limiter, True or False, not {quoted(limiter)}")
        self._page_limit = page_limit
        self._limiter = limiter
        if resume_from is not None:
            if not isinstance(resume_from, (tuple, list)) or len(resume_from) != 3:
                raise ApiTypeError(f"resume_from must be a Position, not {quoted(resume_from)}")
            self._cursor.resume(Position(*resume_from))
        return self

    @property
    def position(self) -> Position:
        """Place after the last item handed out, for `configure` of another iteration."""
        if self._pending:
            return self._cursor.position_after(self._page, self._handed_out)
        return self._cursor.next_page

    @property
    def complete(self) -> bool:
        """Whether the whole list was read and handed out."""
        return self._cursor.finished and not self._pending

    @property
    def repeated(self) -> int:
        """Number of items that the server sent again because the list grew while it was read.

        `Items` skips them, and the log reports them. For lists whose items have no unique ID this
        stays 0, and repeated items are handed out again.
        """
        return self._cursor.repeated

    @property
    def missing(self) -> int:
        """Number of items that may have been skipped because the list shrank while it was read.

        Only known for lists whose responses contain a total. The log reports them as well.
        """
        return self._cursor.missing

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._operation.id} at {self.position}>"

    def arguments_to_filter(self) -> CallArguments:
        """Return the call of each page, for a reading that starts after a bookmark.

        Raises:
            ApiTypeError: The iteration has begun, or does not start at the first item.
        """
        if self._begun or self.position not in (Position(), Position(skip=0)):
            raise ApiTypeError(
                f"a bookmark needs an iteration from the start, not {quoted(self)}: leave out skip"
                " and resume_from, and make a new iteration each time"
            )
        return CallArguments(self._operation, self._args, self._kwargs)

    @property
    def monotonic(self) -> Callable[[], float]:
        """The clock by which durations are measured."""
        clock: Callable[[], float] = self._client.clock.monotonic
        return clock

    def use_arguments(self, call: CallArguments) -> None:
        """Replace the arguments of each page."""
        self._args, self._kwargs = call.args, dict(call.kwargs)

    # -- Around a call -------------------------------------------------------------------------

    def _has_next_page(self) -> bool:
        return not self._cursor.finished and self._pages != self._page_limit

    def _reserve_pause(self) -> float:
        """Reserve the next request with the limiter, and return the seconds to wait for it."""
        if not self._begun:
            self._begun = True
            if self._limiter is True:
                self._limiter = limiter_of(self._client, self._operation)
        limiter = self._limiter
        return limiter.reserve(self._operation.id) if isinstance(limiter, Limiter) else 0.0

    @property
    def _keywords(self) -> dict[str, Any]:
        return {**self._kwargs, **self._cursor.arguments}

    def _accept(self, response: Any) -> None:
        page = self._cursor.next_page
        self._pending = deque(self._cursor.accept_page(response))
        self._page, self._handed_out, self._response = page, page.within, response
        self._pages += 1

    def _next_item(self) -> Any:
        index, item = self._pending.popleft()
        self._handed_out = index + 1
        return item

    def _next_page(self) -> Any:
        self._pending.clear()
        return self._response

    def _annotate(self, failure: OpenApiException) -> None:
        """Attach to an exception where to resume, unless the arguments of the call are wrong."""
        if not self._pages and isinstance(failure, (ApiTypeError, ApiValueError)):
            return
        attach_position(failure, self.position)
        if hasattr(failure, "add_note"):  # Since Python 3.11.
            failure.add_note(f"pages read: {self._pages}; resume with resume_from={self.position}")
