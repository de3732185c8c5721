"""Receive a request: its target, and its body within the limit."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from aiohttp import HttpVersion11, web

from talon_one.sandbox.dispatch import Request
from talon_one.sandbox.errors import ApiError, Problem, invalid
from talon_one.sandbox.unpacking import too_large, unpack

MAX_BODY: Final = 5 * 1024 * 1024
"""Bytes of a body, also after unpacking; the platform publishes no number."""


async def receive(request: web.BaseRequest) -> Request:
    """Return a request with its whole body.

    HEAD becomes GET: the response is the same, and aiohttp leaves out its body.

    Raises:
        ApiError: If the request is refused before any operation sees it.
    """
    target = _origin_form(request.raw_path)
    if (request.content_length or 0) > MAX_BODY:
        raise too_large(MAX_BODY)
    body = unpack(await _body(request), request.headers.get("Content-Encoding", ""), MAX_BODY)
    method = "GET" if request.method == "HEAD" else request.method
    return Request(method, target, request.headers, body)


async def _confirm(request: web.BaseRequest) -> None:
    """Send the interim response that some clients wait for before they send a body."""
    expected = request.headers.get("Expect")
    if expected is None or request.version < HttpVersion11:
        return
    if expected.lower() != "100-continue":
        raise ApiError(417, "The sandbox meets no expectation but 100-continue")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    # The response itself has not begun, so it may still become an error.
    request.writer.output_size = 0


async def _body(request: web.BaseRequest) -> bytes:
    parts, size = [], 0
    try:
        await _confirm(request)
        async for part in request.content.iter_any():
            size += len(part)
            if size > MAX_BODY:
                raise too_large(MAX_BODY)
            parts.append(part)
    except (web.RequestPayloadError, ConnectionError) as cause:
        # There is no more to come; aiohttp would try to read it after the response.
        request.content.feed_eof()
        raise invalid(Problem("Malformed", "the body does not arrive as announced")) from cause
    return b"".join(parts)


def _origin_form(target: str) -> str:
    """Return path and query of a request target, which proxies may send with the host."""
    if target.startswith("/"):
        return target
    try:
        parts = urlsplit(target)
    except ValueError as cause:
        raise invalid(
            Problem("Invalid", "the request target is no URL", parameter="path")
        ) from cause
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
