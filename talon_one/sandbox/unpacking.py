"""Unpack bodies sent with a `Content-Encoding`, up to a size."""

from __future__ import annotations

import zlib
from typing import Final

from talon_one.sandbox.errors import ApiError, Problem, invalid

KNOWN: Final = "gzip, deflate"
# Window bits of zlib: a gzip header, a zlib header, no header.
_GZIP, _ZLIB, _RAW = 31, 15, -15


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the content of a body.

    Args:
        body: The body as sent.
        encoding: Value of `Content-Encoding`, empty without one.
        limit: Number of bytes that the content may have.

    Raises:
        ApiError: 413 for a content that is too long, 415 for an unknown encoding, 400 for a body
            that is damaged or incomplete.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name in ("gzip", "x-gzip"):
        window = _GZIP
    elif name == "deflate":
        # Some clients send the bare stream; a zlib header names the method 8 in its first byte.
        window = _ZLIB if body[:1] and body[0] & 0xF == 8 else _RAW
    else:
        message = f"The sandbox does not know the Content-Encoding {encoding[:80]!a}"
        raise ApiError(415, message, headers={"Accept-Encoding": KNOWN})
    try:
        return _inflated(body, window, limit)
    except (zlib.error, EOFError) as cause:
        raise invalid(Problem("Malformed", f"the body is not complete {name}")) from cause


def _inflated(body: bytes, window: int, limit: int) -> bytes:
    content = b""
    while True:
        stream = zlib.decompressobj(window)
        # One byte more than allowed shows that there is more, without inflating all of it.
        content += stream.decompress(body, limit + 1 - len(content))
        if len(content) > limit:
            raise too_large(limit)
        if not stream.eof:
            raise EOFError
        body = stream.unused_data
        # Only gzip has several members.
        if not body:
            return content
        if window != _GZIP:
            raise EOFError


def too_large(limit: int) -> ApiError:
    """Return the 413 for a body that is too long."""
    return ApiError(413, f"The body must have at most {limit} bytes")
