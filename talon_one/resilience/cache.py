"""ReadCache: keep the responses of reads for a stated time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from talon_one._core.clock import Clock
from talon_one._core.constructors import checks_arguments
from talon_one._core.operation import Operation, operation_of
from talon_one._core.options import mask_credentials
from talon_one._core.response import RawResponse, result
from talon_one._core.single_flight import SingleFlight, WaitedTooLongError
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.api_response import ApiResponse
from talon_one.exceptions import ApiTypeError, ApiValueError, ConnectTimeoutError
from talon_one.resilience.numbers import seconds, whole
from talon_one.resilience.store import Store

if TYPE_CHECKING:
    from talon_one._core.call import Call

P = ParamSpec("P")
T = TypeVar("T")

_REFUSED = ("_preload_content", "async_req")
_FULL = "_return_http_data_only"
_SPENT = 1e-9


class ReadCache:
    """Keeps responses of reads that change rarely, such as campaigns and catalogs.

    ::

        cache = ReadCache({ManagementApi.get_campaigns: 60, ManagementApi.list_catalog_items: 300})
        campaigns = cache.call(management.get_campaigns, 1)

    A response is found again for the same operation with the same arguments, headers and
    credential. Callers that miss it at the same time wait for one request. Failures are not kept.
    What it returns is decoded for each caller, who may change it. Threads, tasks, event loops and
    clients may share a cache.

    Args:
        lifetimes: Seconds for which a response may be used, by method of an API class, blocking or
            asyncio. Only methods that send a GET are allowed.
        limit: How many responses are kept at most. The oldest ones make way.
        clock: Where it gets the time.

    Raises:
        ApiTypeError: *lifetimes* is no such mapping, or a number is not one.
        ApiValueError: A method does more than read.
    """

    @checks_arguments("({ManagementApi.get_campaigns: 60})")
    def __init__(
        self,
        lifetimes: Mapping[Callable[..., Any], float],
        *,
        limit: int = 1000,
        clock: Clock | None = None,
    ) -> None:
        if not isinstance(lifetimes, Mapping):
            raise ApiTypeError(
                "lifetimes is a dict of methods and seconds, such as"
                f" {{ManagementApi.get_campaigns: 60}}, not {quoted(lifetimes)}"
            )
        if clock is not None and not isinstance(clock, Clock):
            raise ApiTypeError(f"clock is a talon_one.Clock, not {quoted(clock)}")
        self._lifetimes: dict[str, float] = {}
        for method, lifetime in lifetimes.items():
            operation = operation_of(method)
            if operation.method != "GET":
                raise ApiValueError(
                    f"a ReadCache keeps reads, and {operation.id} is a {operation.method}"
                )
            name = f"the lifetime of {operation.id}"
            self._lifetimes[operation.id] = seconds(name, lifetime)
        self._responses: Store[RawResponse]
        self._responses = Store(whole("limit", limit), (clock or Clock()).monotonic)
        self._flights: SingleFlight[RawResponse] = SingleFlight()
        # A read that was begun before `invalidate` is not kept after it.
        self._invalidations = dict.fromkeys(self._lifetimes, 0)
        self._salt = os.urandom(16)

    def call(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the response of a method, from the cache or the server.

        Makes the call of the method if the cache does not have its response.

        Args:
            method: A method of a blocking API that has a lifetime.
            args: Its positional arguments.
            kwargs: Its keyword arguments and the settings of the call.

        Raises:
            ApiTypeError: *method* is not such a method, or a setting is not possible here.
            ApiValueError: *method* has no lifetime here.
            ConnectTimeoutError: The deadline passed while another call made the same read.
            ApiException: The call failed.
        """
        read = self._read(method, args, kwargs, asynchronous=False)
        found = read.found
        if found is None:
            try:
                found = self._flights.run(read.key, lambda: self._get(read), read.remaining)
            except WaitedTooLongError:
                raise read.timed_out() from None
        return read.result(found)  # type: ignore[no-any-return]  # what the operation returns

    async def call_async(
        self, method: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return the response of a method of an asyncio API; the twin of `call`.

        Makes the call of the method if the cache does not have its response.
        """
        read = self._read(method, args, kwargs, asynchronous=True)
        found = read.found
        if found is None:
            try:
                found = await self._flights.run_async(
                    read.key, lambda: self._get_async(read), read.remaining
                )
            except WaitedTooLongError:
                raise read.timed_out() from None
        return read.result(found)  # type: ignore[no-any-return]  # as above

    def invalidate(self, method: Callable[..., Any] | None = None) -> None:
        """Forget the responses of a method, or all. Reads in progress are not kept, either.

        Makes no call.

        Raises:
            ApiTypeError: *method* is not a method of an API.
            ApiValueError: *method* has no lifetime here.
        """
        names = set(self._lifetimes) if method is None else {self._known(operation_of(method)).id}
        for name in names:
            self._invalidations[name] += 1
        self._responses.drop(lambda key: isinstance(key, tuple) and key[0] in names)

    def __len__(self) -> int:
        return len(self._responses)

    def __repr__(self) -> str:
        return f"<ReadCache {len(self._responses)} responses>"

    def _known(self, operation: Operation) -> Operation:
        if operation.id not in self._lifetimes:
            known = ", ".join(self._lifetimes) or "none"
            raise ApiValueError(f"{operation.id} has no lifetime in this cache, which has {known}")
        return operation

    def _read(
        self, method: Any, args: tuple[Any, ...], kwargs: dict[str, Any], asynchronous: bool
    ) -> _Read:
        mask_credentials(kwargs)
        operation = self._known(operation_of(method))
        with guarded("the method"):
            client: Any = getattr(getattr(method, "__self__", None), "api_client", None)
        if not hasattr(client, "new_call"):
            raise ApiTypeError(f"call {operation.id} with a method of an object, not of its class")
        if client.asynchronous is not asynchronous:
            name = "call_async" if client.asynchronous else "call"
            raise ApiTypeError(f"this method of the client is for {name} of the cache")
        for setting in _REFUSED:
            if setting in kwargs:
                raise ApiTypeError(f"{setting} cannot be combined with a cache")
        call = client.new_call(operation, args, dict(kwargs))
        key = operation.id, self._invalidations[operation.id], self._digest(call)
        found = self._responses.get(key, self._lifetimes[operation.id])
        return _Read(client, operation, args, kwargs, call, key, found)

    def _digest(self, call: Call) -> bytes:
        """Return a digest of everything that is sent; a credential cannot be read from it."""
        request = call.request
        headers = sorted((name.lower(), str(text)) for name, text in request.headers.items())
        sent = repr((request.base, request.target, headers))
        return hashlib.blake2b(sent.encode(errors="backslashreplace"), key=self._salt).digest()

    def _get(self, read: _Read) -> RawResponse:
        return self._keep(read, read.client.call(read.operation, read.args, read.settings()))

    async def _get_async(self, read: _Read) -> RawResponse:
        return self._keep(read, await read.client.call(read.operation, read.args, read.settings()))

    def _keep(self, read: _Read, response: ApiResponse[Any]) -> RawResponse:
        read.own = response
        headers = _copied(response.headers)
        raw = RawResponse(response.status_code, None, headers, response.raw_data)
        name, invalidations, _ = read.key
        if self._invalidations[name] == invalidations:
            self._responses.put(read.key, raw)
        return raw


class _Read:
    """One call of the cache."""

    def __init__(
        self,
        client: Any,
        operation: Operation,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        call: Call,
        key: tuple[str, int, Hashable],
        found: RawResponse | None,
    ) -> None:
        self.client = client
        self.operation = operation
        self.args = args
        self.key = key
        self.found = found
        self.own: ApiResponse[Any] | None = None
        """The decoded response, if this call requested it."""
        self._kwargs = kwargs
        self._call = call

    def remaining(self) -> float | None:
        """Return the seconds until the deadline of the call, if it has one."""
        left = self._call.remaining
        return None if left is None else max(_SPENT, left)

    def settings(self) -> dict[str, Any]:
        """Return the keyword arguments of the request, with the time that is left."""
        settings = {**self._kwargs, _FULL: False}
        remaining = self.remaining()
        if remaining is not None:
            settings["_deadline"] = remaining
        return settings

    def result(self, raw: RawResponse) -> Any:
        """Return what the caller gets, which nobody else has."""
        response = self.own
        if response is None:
            data = result(self.operation, self._call.request, raw)
            response = ApiResponse(raw.status, _copied(raw.headers), data, raw.data)
        return response if self._kwargs.get(_FULL) is False else response.data

    def timed_out(self) -> ConnectTimeoutError:
        """Return the exception for a wait that took too long; nothing was sent."""
        request = self._call.request
        return ConnectTimeoutError(
            None,
            "the deadline has passed while another call made the same read",
            operation_id=self.operation.id,
            method=request.method,
            url=request.url_without_query,
        )


def _copied(headers: Any) -> Any:
    return headers.copy() if hasattr(headers, "copy") else headers
