"""Transport: sends the requests of a client; users may supply their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from talon_one._core.request import Request
from talon_one._core.response import RawResponse, is_success
from talon_one._core.timeout import Timeout
from talon_one.exceptions import ApiTypeError

UNREAD = "cannot return a response with its body unread: leave out _preload_content"


class BufferedStream:
    """A complete response, to be read in chunks by a blocking or an asyncio `Download`.

    Args:
        response: The response.
    """

    def __init__(self, response: RawResponse) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._data = response.data

    def pieces(self) -> _Pieces:
        """Return an iterator over the body."""
        return _Pieces(self._data)

    def close(self) -> None:
        """Do nothing: no connection is held."""


class _Pieces:
    """An iterator over the one piece of a body, for ``for`` and for ``async for``."""

    def __init__(self, data: bytes) -> None:
        self._left = [data] if data else []

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._left:
            raise StopIteration
        return self._left.pop()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


def buffered(response: RawResponse) -> BufferedStream | RawResponse:
    """Return a 2xx response as a stream, any other as it is."""
    return BufferedStream(response) if is_success(response.status) else response


class Transport:
    """Sends the requests of a blocking client. Derive from it, and give the client an instance.

    ::

        class Recorded(talon_one.Transport):
            def send(self, request, timeout):
                return talon_one.RawResponse(200, "OK", {}, b'{"effects": []}')

        client = talon_one.ApiClient(configuration, transport=Recorded())

    Only `send` is required. Everything above the transport stays: validation, authentication,
    retries, deadlines between attempts, hooks.
    """

    def send(self, request: Request, timeout: Timeout) -> RawResponse:
        """Send a request once and return the complete response, whatever its status.

        Args:
            request: What to send.
            timeout: Limits for connecting and reading; its deadline counts from now.

        Raises:
            NotSentError: The server has not seen the request.
            NoResponseError: It may have, but no complete response came back.
        """
        raise NotImplementedError

    def stream(self, request: Request, timeout: Timeout) -> Any:
        """Send a request once and return a 2xx response with its body to be read in chunks.

        It has `status`, `headers`, `pieces` and `close`. Other responses are returned as
        `RawResponse`. Unless overridden, the response of `send` is used.
        """
        return buffered(self.send(request, timeout))

    def open(self, request: Request, timeout: Timeout) -> Any:
        """Send a request once and return the response with its body unread.

        Raises:
            ApiTypeError: Unless overridden.
        """
        raise ApiTypeError(f"{type(self).__name__} {UNREAD}")

    def close(self) -> None:
        """Close what the transport holds; called by the client's ``close``."""

    def detach(self) -> None:
        """Drop what belongs to the parent process; called in the child after a fork."""
