"""The parts of a `multipart/form-data` body, in time and memory that grow with its size alone.

The e-mail parser of the standard library calls itself for nested parts and is slow for many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import Final

MAX_PARTS: Final = 100
MAX_HEADERS: Final = 16_384
"""Bytes of the headers of a part."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form: its name, empty without one, and its content."""

    name: str
    content: bytes


def parts(content_type: str, body: bytes) -> Iterator[Part]:
    """Yield the parts of a body.

    Args:
        content_type: `Content-Type` header, which has the boundary of the parts.
        body: The body.

    Raises:
        ValueError: If the body is not multipart, is incomplete, or has too many parts.
    """
    header = HeaderParser().parsestr(f"Content-Type: {content_type}")
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        raise ValueError("the body is not multipart/form-data with a boundary")
    delimiter = b"\r\n--" + boundary.encode("utf-8", "surrogateescape")
    # The text before the first boundary and that after the last do not count.
    pieces = (b"\r\n" + body).split(delimiter, MAX_PARTS + 1)[1:]
    for number, piece in enumerate(pieces):
        if piece.startswith(b"--"):
            return
        if number == MAX_PARTS:
            raise ValueError(f"the body has more than {MAX_PARTS} parts")
        yield _part(piece)
    raise ValueError("the body has no closing boundary")


def _part(piece: bytes) -> Part:
    # Spaces may follow a boundary.
    blank, line_end, rest = piece.partition(b"\r\n")
    head, empty_line, content = (line_end + rest).partition(b"\r\n\r\n")
    if blank.strip() or not empty_line or len(head) > MAX_HEADERS:
        raise ValueError("a part has no headers")
    headers = HeaderParser().parsestr(head.decode("utf-8", "replace").lstrip("\r\n"))
    name = headers.get_param("name", header="Content-Disposition")
    return Part(name if isinstance(name, str) else "", content)
