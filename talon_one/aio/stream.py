"""Stream: a response of aiohttp whose body is still to be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
from urllib3 import HTTPHeaderDict

from talon_one._core.response import RawResponse, content_length, unreadable
from talon_one._http.decompression import PackedError, Unpacker, unpack
from talon_one._http.errors import call_details
from talon_one.aio.failures import (
    chained_cause,
    foreign_cause,
    raise_upload_failure,
    reason,
    timed_out,
)
from talon_one.exceptions import TransportError, transport_error_class

if TYPE_CHECKING:
    from talon_one._core.request import Request
    from talon_one.aio.connections import Connector, Exchange

T = TypeVar("T")


class Stream:
    """A response whose body is read as a whole, or in chunks.

    Args:
        response: The response.
        request: What was sent.
        exchange: Its exchange, whose deadline also limits reading.
        connector: The connector that its connection belongs to.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        request: Request,
        exchange: Exchange,
        connector: Connector,
    ) -> None:
        self.status = response.status
        self.headers = _headers_of(response)
        self._response = response
        self._request = request
        self._exchange = exchange
        self._connector = connector

    async def complete_response(self) -> RawResponse:
        """Return the response with its complete body.

        Raises:
            NoResponseError: The body breaks off.
        """
        received: list[bytes] = []
        try:
            while piece := await self._response.content.readany():
                received.append(piece)
        except Exception as cause:  # Any exception of aiohttp.
            raise self._broken_response(cause, b"".join(received)) from chained_cause(cause)
        finally:
            self.close()
        data = b"".join(received)
        problem = None
        codings = self.headers.get("Content-Encoding")
        if codings is not None:
            if Unpacker(codings).is_quick(data):
                data, problem = unpack(data, codings)
            else:
                data, problem = await self._in_thread(unpack, data, codings)
        # Every call comes here; `_make` leaves out the check of the arguments.
        reason = _as_latin1(self._response.reason)
        return RawResponse._make((self.status, reason, self.headers, data, problem))

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it arrives.

        Raises:
            NoResponseError: The body breaks off.
            InvalidResponseError: It cannot be decompressed.
        """
        unpacker = Unpacker(self.headers.get("Content-Encoding", ""))
        try:
            while piece := await self._next():
                quick = unpacker.is_quick(piece)
                unpacked = unpacker.feed(piece)
                while part := await self._advance(unpacked, quick):
                    yield part
            unpacked = unpacker.end()
            while part := await self._advance(unpacked, quick=False):
                yield part
        except PackedError as cause:
            self.close()
            raise unreadable(
                self._request, self.status, self.headers, cause.data, str(cause)
            ) from cause

    def close(self) -> None:
        """Close the connection, unless the whole body was read and the pool has it back."""
        self._response.close()
        # Not earlier: a response may begin before the whole file is sent.
        close_upload(self._request)

    async def _next(self) -> bytes:
        try:
            return await self._response.content.readany()
        except Exception as cause:  # Any exception of aiohttp.
            self.close()
            raise self._broken_response(cause, b"") from chained_cause(cause)

    async def _advance(self, unpacked: Iterator[bytes], quick: bool) -> bytes:
        """Return the next decompressed chunk, or nothing."""
        if quick:
            return next(unpacked, b"")
        return await self._in_thread(next, unpacked, b"")

    async def _in_thread(self, function: Callable[..., T], *args: Any) -> T:
        """Call a function in a thread, so that it does not block the event loop.

        Raises:
            ReadTimeoutError: The deadline has passed, perhaps because all threads are busy.
        """
        ends = self._exchange.deadline
        left = None if ends is None else max(0.0, ends - asyncio.get_running_loop().time())
        try:
            return await asyncio.wait_for(asyncio.to_thread(function, *args), left)
        except asyncio.TimeoutError as cause:
            raise self._broken_response(cause, b"") from cause

    def _broken_response(self, cause: Exception, received: bytes) -> TransportError:
        """Return the exception for a response that began and is incomplete.

        Raises:
            Exception: The file could not be read, or foreign code failed.
        """
        raise_upload_failure(self._request)
        other = foreign_cause(cause)
        if other is not None:
            raise other from other.__cause__
        kind = transport_error_class(sent=True, timed_out=timed_out(cause, self._exchange))
        happened = reason(cause, self._exchange)
        length = content_length(self.headers)
        if isinstance(cause, aiohttp.ClientPayloadError) and length is not None:
            happened = f"{len(received)} bytes read, {length - len(received)} more expected"
        failure = kind(
            self.status,
            f"the response broke off: {happened}",
            headers=self.headers,
            raw_data=received,
            **call_details(self._request),
        )
        self._connector.drop_stale_connections(self._request, self._exchange, failure)
        return failure


def close_upload(request: Request) -> None:
    """Close the file that a request uploads, if there is one."""
    if not isinstance(request.body, bytes | None):
        request.body.close()


def _as_latin1(reason: str | None) -> str | None:
    if reason is None or reason.isascii():
        return reason
    return reason.encode("utf-8", "surrogateescape").decode("latin-1")


def _headers_of(response: aiohttp.ClientResponse) -> HTTPHeaderDict:
    """Return the headers as the blocking client does; those of aiohttp cannot be pickled."""
    raw: Any = response.raw_headers
    if raw is None:  # A recorded response: vcrpy keeps only decoded headers.
        return HTTPHeaderDict(response.headers.items())
    return HTTPHeaderDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)
