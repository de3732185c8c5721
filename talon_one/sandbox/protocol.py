"""One HTTP connection: what aiohttp refuses by itself gets a JSON body, like any other error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import http_exceptions, web
from aiohttp.http import RawRequestMessage

from talon_one.sandbox import json_text
from talon_one.sandbox.dispatch import Response, refused
from talon_one.sandbox.errors import ApiError

# An id of 1000 characters can have 12,000 percent-encoded bytes. The limits differ because the
# exception of aiohttp says which one it was only by its number.
MAX_LINE: Final = 65_536
MAX_HEADER: Final = 32_768

_log = logging.getLogger(__name__)


class Connection(web.RequestHandler):
    """The protocol of aiohttp, with errors of our own."""

    __slots__ = ("_newest",)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived.

        When a body turns out malformed, aiohttp queues an error behind its request, and the
        request would wait for the rest of its body. Only the newest request may still wait.
        """
        try:
            super().data_received(data)
        except ValueError:
            # Some versions of aiohttp let a URL through that is none, until they parse it.
            self._refuse_url()
        if self._messages:
            *earlier, newest = [payload for _, payload in self._messages]
            for payload in (getattr(self, "_newest", newest), *earlier):
                if payload is not newest and not payload.is_eof():
                    payload.set_exception(web.RequestPayloadError("malformed"))
            self._newest = newest

    def _refuse_url(self) -> None:
        body = json_text.write(_refusal(400, None).body())
        head = (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        # Responses to earlier requests come first, and this one is then left out.
        if self.transport is not None and self._current_request is None and not self._messages:
            self.transport.write(head.encode() + body)
            self.force_close()
        else:
            self.close()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send a response.

        aiohttp does not parse what follows a request to switch protocols until the response is
        sent, and older versions lose the response if that is not HTTP. So the connection ends.
        """
        if self._message_tail:
            self._message_tail = b""
            resp.force_close()
        return await super().finish_response(request, resp, start_time)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return the response to what is not a request, and close the connection."""
        if status >= 500:
            _log.error("the sandbox failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of a response is sent already")
        return sendable(refused(_refusal(status, exc)), close=True)


class Listener(web.Server):
    """The server of aiohttp, with `Connection` for its connections."""

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        super().__init__(handler, request_factory=_request)

    def __call__(self) -> Connection:
        """Return the protocol of a new connection."""
        return Connection(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # its default logger is what None replaces
            # `unpacking` does it, with a limit.
            auto_decompress=False,
            max_line_size=MAX_LINE,
            max_field_size=MAX_HEADER,
        )


def _request(message: RawRequestMessage, *others: Any) -> web.BaseRequest:
    arguments: tuple[Any, ...] = (*others, asyncio.get_running_loop())
    try:
        return web.BaseRequest(message, *arguments)
    except ValueError:
        # Some versions of aiohttp parse the URL here. `receiving` judges it by its text.
        return web.BaseRequest(message._replace(url=type(message.url)("/")), *arguments)


def sendable(response: Response, *, close: bool = False) -> web.Response:
    """Return a response for aiohttp.

    Args:
        response: The response.
        close: Whether the connection ends with it.
    """
    made = web.Response(
        status=response.status,
        body=response.body or None,
        headers=response.headers,
        content_type=response.content_type if response.body else None,
    )
    if close:
        made.force_close()
    return made


def _refusal(status: int, exc: BaseException | None) -> ApiError:
    if status >= 500:
        return ApiError(status, "Internal server error")
    if isinstance(exc, http_exceptions.LineTooLong):
        if str(MAX_LINE) in map(str, exc.args):
            return ApiError(414, f"The request line must have at most {MAX_LINE} bytes")
        return ApiError(431, f"A header must have at most {MAX_HEADER} bytes")
    return ApiError(status, "The request is not valid HTTP")
