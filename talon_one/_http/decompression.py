"""Decompress response bodies within limits on memory and expansion."""

from __future__ import annotations

import codecs
import io
import zlib
from collections.abc import Iterable, Iterator

import urllib3

# A body is no decompression bomb if it expands to less than the first, or to less than the second
# times its size.
_HARMLESS = 32 * 2**20
_HARMLESS_RATIO = 100

_PIECE = 2**18

# Servers apply fewer, and each multiplies the size.
_MAX_CODINGS = 4

# zlib expands at most a thousand times, so this takes a few milliseconds at worst.
_SMALL = 2**12

_GZIP = ("gzip", "x-gzip")
_ZLIB = (*_GZIP, "deflate")
_GZIP_MAGIC = b"\x1f\x8b"

# Extras of urllib3 that install the decoders.
_EXTRAS = {"br": "urllib3[brotli]", "zstd": "urllib3[zstd]"}


class PackedError(Exception):
    """A body that cannot be decompressed; the message says why, and names the Content-Encoding.

    Attributes:
        data: The body as received, or the part of it that is available.
    """

    data = b""


def unpack(data: bytes, codings: str) -> tuple[bytes, str | None]:
    """Return a decompressed body; or the body as it is, and why it cannot be decompressed.

    Args:
        data: The complete body.
        codings: Value of ``Content-Encoding``.
    """
    try:
        return b"".join(unpacked_pieces([data], codings)), None
    except PackedError as problem:
        return data, str(problem)


def unpacked_pieces(pieces: Iterable[bytes], codings: str) -> Iterator[bytes]:
    """Yield a decompressed body; see `Unpacker`."""
    unpacker = Unpacker(codings)
    for piece in pieces:
        yield from unpacker.feed(piece)
    yield from unpacker.end()


class Unpacker:
    """Decompresses a body in chunks, in bounded memory.

    Plain text is passed on as it is, whatever the header claims: a proxy may have decompressed it,
    or an error page may have inherited the header. gzip is decompressed as it arrives; other
    codings, which no request asks for, when the body is complete.

    Args:
        codings: Value of ``Content-Encoding``: names in the order in which they were applied.
    """

    def __init__(self, codings: str) -> None:
        names = (each.strip().lower() for each in codings.split(","))
        self._codings = [name for name in names if name not in ("", "identity")]
        self._plain = not self._codings
        self._inflater: _Inflater | None = None
        if len(self._codings) == 1 and self._codings[0] in _GZIP:
            self._inflater = _Inflater(self._codings[0])
        self._received = 0
        self._yielded = 0
        # Everything until something was yielded, then the last chunk only.
        self._kept: list[bytes] = []

    def is_quick(self, data: bytes) -> bool:
        """Return whether feeding a chunk is faster than passing it to a thread."""
        return self._plain or (self._inflater is not None and len(data) <= _SMALL)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what can be decompressed after the next chunk of the body.

        Raises:
            PackedError: The body cannot be decompressed.
        """
        if self._plain:
            yield data
            return
        self._received += len(data)
        if self._yielded:
            self._kept.clear()
        self._kept.append(data)
        if self._inflater is not None:
            yield from self._bounded(self._inflater.feed(data))

    def end(self) -> Iterator[bytes]:
        """Yield the rest of a complete body; raises the same errors as `feed`."""
        if self._plain or not self._received:
            return
        if self._inflater is not None:
            yield from self._bounded(self._inflater.end())
            return
        yield from self._bounded(self._all_undone())

    def _all_undone(self) -> Iterator[bytes]:
        if len(self._codings) > _MAX_CODINGS:
            raise PackedError(f"it is packed {len(self._codings)} times")
        last, *others = reversed(self._codings)
        pieces: Iterator[bytes] = _undone(last, b"".join(self._kept))
        for name in others:
            pieces = _undone(name, b"".join(self._within_bounds(pieces)))
        yield from pieces

    def _bounded(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            for piece in self._within_bounds(pieces):
                self._yielded += len(piece)
                yield piece
        except PackedError as problem:
            kept = b"".join(self._kept)
            if self._yielded or not _is_text(kept):
                problem.data = kept
                raise
            self._plain = True
            yield kept

    def _within_bounds(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        size = self._yielded
        for piece in pieces:
            size += len(piece)
            if size > max(_HARMLESS, _HARMLESS_RATIO * self._received):
                raise PackedError(f"{', '.join(self._codings)} unpacks to a multiple of its size")
            yield piece


class _Inflater:
    """Inflates gzip, possibly of several members, or deflate, with or without a zlib header.

    Args:
        name: Name of the coding; deflate must be fed in one chunk.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._stream: zlib._Decompress | None = None
        self._rest = b""
        self._complete = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        data, self._rest = self._rest + data, b""
        while data:
            if self._stream is None:
                if len(data) < len(_GZIP_MAGIC):
                    self._rest = data
                    return
                if self._complete and not self._another_member(data):
                    return
                self._stream = zlib.decompressobj(self._window(data))
            stream = self._stream
            while piece := self._inflated(stream, data):
                yield piece
                data = stream.unconsumed_tail
            if not stream.eof:
                return
            self._complete = True
            data, self._stream = stream.unused_data, None

    def end(self) -> Iterator[bytes]:
        if self._stream is not None or not self._complete:
            raise PackedError(f"{self._name} ends in the middle")
        yield from ()

    def _inflated(self, stream: zlib._Decompress, data: bytes) -> bytes:
        try:
            # There is no output after the end, nor before more input.
            return b"" if stream.eof else stream.decompress(data, _PIECE)
        except zlib.error as cause:
            raise PackedError(f"{self._name} cannot be unpacked: {cause}") from cause

    def _another_member(self, data: bytes) -> bool:
        # Other bytes after the end, such as padding, are ignored, as by gzip itself.
        return self._name in _GZIP and data.startswith(_GZIP_MAGIC)

    def _window(self, data: bytes) -> int:
        if self._name in _GZIP:
            return zlib.MAX_WBITS + 16
        if data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0:
            return zlib.MAX_WBITS
        # Without a header it could be anything, and some texts do inflate.
        if _is_text(data):
            raise PackedError(f"{self._name} cannot be unpacked: it is text")
        return -zlib.MAX_WBITS


def _undone(name: str, data: bytes) -> Iterator[bytes]:
    """Yield a complete body with one coding removed."""
    if name in _ZLIB:
        inflater = _Inflater(name)
        yield from inflater.feed(data)
        yield from inflater.end()
        return
    if name not in urllib3.HTTPResponse.CONTENT_DECODERS:
        extra = _EXTRAS.get(name)
        raise PackedError(f"{name} needs pip install {extra}" if extra else f"{name} is unknown")
    response = urllib3.HTTPResponse(
        io.BytesIO(data), {"Content-Encoding": name}, preload_content=False
    )
    try:
        while piece := response.read(_PIECE):
            yield piece
    except urllib3.exceptions.HTTPError as cause:
        raise PackedError(f"{name} cannot be unpacked: {cause.args[-1]}") from cause


def _is_text(data: bytes) -> bool:
    """Return whether bytes are UTF-8; the last character may be incomplete."""
    try:
        return "\0" not in codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
