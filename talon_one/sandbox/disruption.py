"""Connections that end as they should not: reset, or in the middle of a response."""

from __future__ import annotations

import socket
import struct
import sys

from aiohttp import web

from talon_one.sandbox.dispatch import Response

# Linger for no time: the system discards what is unsent, and resets the connection.
_NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


def reset(request: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection of a request, and return what the handler has to return."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
    # aiohttp finds that it cannot be sent, and forgets it.
    return web.Response()


async def truncated(request: web.BaseRequest, response: Response) -> web.StreamResponse:
    """Send a response that announces twice as much as follows, and end the connection.

    Args:
        request: The request.
        response: The whole response; one without a body is not sent at all.
    """
    if not response.body or request.method == "HEAD":
        return reset(request)
    made = web.StreamResponse(status=response.status, headers=response.headers)
    made.content_type = response.content_type
    made.content_length = len(response.body)
    made.force_close()
    await made.prepare(request)
    await made.write(half(response.body))
    if request.transport is not None:
        request.transport.close()
    return made


def half(body: bytes) -> bytes:
    """Return what of a body is sent before the connection ends."""
    return body[: len(body) // 2]
