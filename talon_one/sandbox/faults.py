"""Faults: what goes wrong with the requests of a sandbox, on request of a test."""

from __future__ import annotations

import asyncio
import math
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Literal

from talon_one._core.operation import Operation
from talon_one._schema import json_codec
from talon_one._utils.quoting import quoted
from talon_one.sandbox.contract.operations import method_name, named

Name = Literal["respond", "html", "delay", "hang", "disconnect", "truncate", "tomorrow"]

# pytest shows the line of the test, not the lines in here.
__tracebackhide__ = True

# They change how a request is served. A request can meet one of each besides a failure.
_MODES: Final = ("delay", "tomorrow")

_PAGE: Final = """\
<html>
<head><title>{title}</title></head>
<body><center><h1>{title}</h1></center><hr><center>proxy</center></body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Details:
    """What a fault does, apart from its name.

    Attributes:
        seconds: Length of a delay.
        status: Status of a response in place of the real one, 0 for none.
        message: Message of that response.
        content: Body of that response; None for the body that the platform would send.
        content_type: Content type of that body.
        headers: Further headers of that response.
        after_change: Whether a connection ends after the change was made.
    """

    seconds: float = 0.0
    status: int = 0
    message: str = ""
    content: bytes | None = None
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    after_change: bool = False


class Fault:
    """One fault that was added to a sandbox; it can be cleared, also as a context manager.

    Attributes:
        name: Name of the method of `Faults` that made it.
        operation: Name of the SDK's method that it concerns, None for all requests.
        times: Requests that it concerns, None for all until it is cleared.
        used: Requests that it has concerned.
        cleared: Whether it was cleared.
    """

    name: Name
    operation: str | None
    times: int | None
    used: int
    cleared: bool

    def __init__(
        self,
        faults: Faults,
        name: Name,
        operation: Operation | None,
        times: int | None,
        details: Details,
    ) -> None:
        self.name = name
        self.operation = None if operation is None else method_name(operation)
        self.times = times
        self.used = 0
        self.cleared = False
        self.details: Details = details
        self._faults = faults

    def __repr__(self) -> str:
        concerned = self.operation or "all requests"
        times = "until cleared" if self.times is None else f"of {self.times}"
        return f"<Fault {self.name}: {concerned}, used {self.used} {times}>"

    def __enter__(self) -> Fault:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        cause: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Remove it. Requests that it holds up go on, or end; clearing twice is harmless."""
        self._faults.remove(self)

    def concerns(self, operation: Operation | None) -> bool:
        """Return whether it concerns requests for an operation."""
        if self.operation is None:
            return True
        return operation is not None and method_name(operation) == self.operation


@dataclass(frozen=True, slots=True)
class Met:
    """The faults that one request meets.

    Attributes:
        operation: Operation of the request.
        failure: The fault that keeps it from being served as usual.
        delay: The fault that it waits for.
        tomorrow: The fault that changes its response.
    """

    operation: Operation | None
    failure: Fault | None
    delay: Fault | None
    tomorrow: Fault | None

    @property
    def name(self) -> str:
        """The names of all that it meets."""
        met = (self.delay, self.failure, self.tomorrow)
        return " + ".join(fault.name for fault in met if fault is not None)


class Faults:
    """The faults of a sandbox. Any thread may add and clear them.

    A request meets the first fault that was added for its operation, and uses it up by one. `delay`
    and `tomorrow` come in addition to another fault. Dry runs and refused requests count as well;
    requests at the sandbox's own door meet no fault.

    The arguments that the methods share:

    - *operation*: name of the SDK's method, such as `update_customer_session_v2`, or of the
      operation in the API; without one all requests are concerned;
    - *times*: how many requests, from 1; None for all of them until the fault is cleared.

    Each method returns the `Fault`, and raises a `ValueError` for an argument that is out of range
    or an operation that does not exist.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[Fault] = []
        # A fault that is used up can still hold up a request.
        self._not_cleared: weakref.WeakSet[Fault] = weakref.WeakSet()
        self._waiting: dict[asyncio.Future[None], Fault] = {}

    def __repr__(self) -> str:
        return f"<Faults {list(self)}>"

    def __iter__(self) -> Iterator[Fault]:
        """Iterate over the faults that are not used up, in the order in which they were added."""
        with self._lock:
            return iter(self._active.copy())

    def __len__(self) -> int:
        return len(self._active)

    def respond(
        self,
        status: int,
        operation: str | None = None,
        *,
        times: int | None = 1,
        retry_after: int | None = None,
        body: Any = None,
    ) -> Fault:
        """Respond with an error, and change nothing.

        Args:
            status: Its status, 400 to 599.
            operation: See the class.
            times: See the class.
            retry_after: Seconds of the header `Retry-After`, from 0; without one there is none.
            body: JSON of the response, or a model; by default what the platform sends.
        """
        if not _is_int(status) or not 400 <= status <= 599:
            raise ValueError(f"the status of an error is from 400 to 599, not {quoted(status)}")
        headers: tuple[tuple[str, str], ...] = ()
        if retry_after is not None:
            if not _is_int(retry_after) or retry_after < 0:
                seconds = quoted(retry_after)
                raise ValueError(f"Retry-After is a whole number of seconds, not {seconds}")
            headers = (("Retry-After", str(retry_after)),)
        content = None if body is None else json_codec.encode(body)
        details = Details(status=status, message=_message(status), content=content, headers=headers)
        return self._add("respond", operation, times, details)

    def html(
        self, operation: str | None = None, *, status: int = 502, times: int | None = 1
    ) -> Fault:
        """Respond with a page of HTML, as a proxy in between does, and change nothing.

        Args:
            operation: See the class.
            status: Its status, 200 to 599.
            times: See the class.
        """
        if not _is_int(status) or not 200 <= status <= 599:
            raise ValueError(f"the status of a page is from 200 to 599, not {quoted(status)}")
        title = f"{status} {_message(status)}"
        content = _PAGE.format(title=title).encode()
        details = Details(status=status, content=content, content_type="text/html")
        return self._add("html", operation, times, details)

    def delay(
        self, seconds: float, operation: str | None = None, *, times: int | None = 1
    ) -> Fault:
        """Take longer. The change is made after the delay, and the response is the real one.

        Args:
            seconds: How much longer; it is real time, not that of the sandbox's clock.
            operation: See the class.
            times: See the class.
        """
        is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
        if not is_number or not 0 <= seconds < math.inf:
            raise ValueError(f"a delay is a number of seconds from 0, not {quoted(seconds)}")
        return self._add("delay", operation, times, Details(seconds=seconds))

    def hang(self, operation: str | None = None, *, times: int | None = 1) -> Fault:
        """Never respond, and change nothing.

        When the fault is cleared or the sandbox stops, the connections end without a response.

        Args:
            operation: See the class.
            times: See the class.
        """
        return self._add("hang", operation, times, Details())

    def disconnect(
        self,
        operation: str | None = None,
        *,
        after_change: bool = False,
        times: int | None = 1,
    ) -> Fault:
        """Reset the connection instead of responding.

        Args:
            operation: See the class.
            after_change: Whether the change that was asked for is made before.
            times: See the class.
        """
        details = Details(after_change=bool(after_change))
        return self._add("disconnect", operation, times, details)

    def truncate(self, operation: str | None = None, *, times: int | None = 1) -> Fault:
        """Make the change, send half of the response, and end the connection.

        A response without a body ends before its head.

        Args:
            operation: See the class.
            times: See the class.
        """
        return self._add("truncate", operation, times, Details(after_change=True))

    def tomorrow(self, operation: str | None = None, *, times: int | None = None) -> Fault:
        """Respond as a later version of the platform may.

        Successful responses have an unknown property in each of their objects, and an unknown
        entry in each list of effects. Where the API lists the values of a property, they have one
        that is not listed, unless the request has sent the value itself.

        Args:
            operation: See the class.
            times: See the class; here it is None by default.
        """
        return self._add("tomorrow", operation, times, Details())

    def clear(self) -> None:
        """Remove all faults. Requests that they hold up go on, or end."""
        self._remove(None)

    def remove(self, fault: Fault) -> None:
        """Remove a fault; the same as `fault.clear()`."""
        self._remove(fault)

    def met_by(self, operation: Operation | None) -> Met | None:
        """Return the faults that a request meets, and count it; None if there are none."""
        with self._lock:
            found: dict[str, Fault] = {}
            for fault in self._active:
                slot = fault.name if fault.name in _MODES else "failure"
                if slot not in found and fault.concerns(operation):
                    found[slot] = fault
            for fault in found.values():
                fault.used += 1
                if fault.used == fault.times:
                    self._active.remove(fault)
        if not found:
            return None
        return Met(operation, found.get("failure"), found.get("delay"), found.get("tomorrow"))

    async def wait(self, fault: Fault, seconds: float | None = None) -> None:
        """Wait until a fault is cleared, or for a number of seconds."""
        cleared: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            if fault.cleared:
                return
            self._waiting[cleared] = fault
        try:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(cleared, seconds)
        finally:
            with self._lock:
                del self._waiting[cleared]

    def _add(self, name: Name, operation: str | None, times: int | None, details: Details) -> Fault:
        concerned = None if operation is None else named(operation)
        if times is not None and (not _is_int(times) or times < 1):
            given = quoted(times)
            raise ValueError(f"times is a whole number from 1, or None for no limit, not {given}")
        fault = Fault(self, name, concerned, times, details)
        with self._lock:
            self._active.append(fault)
            self._not_cleared.add(fault)
        return fault

    def _remove(self, removed: Fault | None) -> None:
        with self._lock:
            faults = list(self._not_cleared) if removed is None else [removed]
            for fault in faults:
                fault.cleared = True
                self._not_cleared.discard(fault)
            self._active = [each for each in self._active if not each.cleared]
            freed = [each for each, fault in self._waiting.items() if fault.cleared]
        for future in freed:
            # The loop may have ended in the meantime, and the wait with it.
            with suppress(RuntimeError):
                future.get_loop().call_soon_threadsafe(_free, future)


def _free(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _message(status: int) -> str:
    if status == 409:
        return "Too many requests are being processed at the same time"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
