"""Multipart body of a file upload, read in chunks while it is sent."""

from __future__ import annotations

import io
import os
import re
import stat
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from typing import Any, Protocol

from talon_one._core.operation import FileInput as FileInput
from talon_one.exceptions import ApiTypeError, ApiValueError, OpenApiException

_DEFAULT_NAME = "upload.csv"
# Bytes that are read at a time; put together, a piece may have up to twice as many.
_PIECE = 2**16

# What would end the quoted name, or the line. Browsers escape them the same way.
_UNSAFE_IN_NAMES = re.compile(r'["\\\x00-\x1f\x7f]')


class UploadBody:
    """A ``multipart/form-data`` body with one file, which is never in memory as a whole.

    It is iterated once for each attempt, one after another. Making it looks at the file: a path is
    opened and closed, an open file moved to its end and back. Beginning to iterate looks at a path
    once more. `next` blocks while the source is read. Nothing else blocks, `close` included.

    Args:
        wire: Name of the field.
        file: The file, see `FileInput`.

    Attributes:
        content_type: Value for the header ``Content-Type``.
        length: Number of bytes, for ``Content-Length``; ``None`` if it cannot be known.

    Raises:
        ApiValueError: The file cannot be read.
        ApiTypeError: *file* is nothing that can be uploaded.
    """

    def __init__(self, wire: str, file: FileInput) -> None:
        self._name, self._source = _named(file)
        boundary = os.urandom(16).hex()
        self._head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{_escaped(wire)}";'
            f' filename="{_escaped(self._name)}"\r\n'
            "Content-Type: text/csv\r\n\r\n"
        ).encode(errors="replace")  # A name need not be valid Unicode, and matters to nobody.
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._reading: UploadStream | None = None
        # One for all attempts: a thread that an attempt has left behind may still be reading.
        self._lock = threading.Lock()
        self._consumed = False
        self.content_type = f"multipart/form-data; boundary={boundary}"
        size = self._source.size
        self.length = None if size is None else len(self._head) + size + len(self._tail)

    @property
    def replayable(self) -> bool:
        """Whether it can be read from its beginning: again, or because nothing was read so far."""
        return self._source.replayable or not self._consumed

    @property
    def failure(self) -> OpenApiException | None:
        """What went wrong when the file was read for the latest attempt, if anything did.

        For transports that hide the exceptions of the bodies they send.
        """
        return None if self._reading is None else self._reading.failure

    def __iter__(self) -> UploadStream:
        """Begin to read for another attempt; that of the attempt before is over.

        Raises:
            ApiValueError: The file is not the same any more, or cannot be read a second time.
        """
        self.close()
        if not self.replayable:
            raise ApiValueError(f"{self._name!r} has been read already, and cannot be read again")
        try:
            self._source.check()
        except OSError as cause:
            raise _unreadable(cause) from cause
        self._reading = UploadStream(self._pieces(), self._lock)
        return self._reading

    def __aiter__(self) -> UploadStream:
        """Begin to read in threads; otherwise as `__iter__`."""
        return iter(self)

    def close(self) -> None:
        """End the attempt: what was opened for it is closed, now or when a read in a thread ends.

        Never blocks; may be called at any time, and from any thread.
        """
        if self._reading is not None:
            self._reading.close()

    def __repr__(self) -> str:
        size = "unknown length" if self.length is None else f"{self.length} bytes"
        return f"<UploadBody {self._name!r}, {size}>"

    def _pieces(self) -> Generator[bytes, None, None]:
        self._consumed = True
        size = self._source.size
        read = 0
        gathered = bytearray(self._head)
        given = self._source.pieces()
        try:
            for piece in _guarded(given):
                read += len(piece)
                if size is not None and read > size:
                    raise _changed(size, "more")
                # Large pieces are cut up, small ones put together.
                for start in range(0, len(piece), _PIECE):
                    gathered += piece[start : start + _PIECE]
                    if len(gathered) >= _PIECE:
                        yield bytes(gathered)
                        gathered.clear()
        finally:
            # So that a file is closed now, and no half-read generator can be sent by mistake.
            # Whatever the caller's code does here must not hide why the reading ended.
            with suppress(Exception):
                given.close()
        if size is not None and read < size:
            raise _changed(size, str(read))
        yield bytes(gathered + self._tail)


class UploadStream:
    """The pieces of a body for one attempt, none of them empty; an iterator of both kinds.

    ``next(reading)`` blocks while the source is read. ``await anext(reading)`` does that in a
    thread. One piece is asked for at a time; `close` may be called from anywhere, and neither
    blocks nor is lost while a thread reads.

    Attributes:
        failure: What went wrong, if anything did.
    """

    def __init__(self, pieces: Generator[bytes, None, None], lock: threading.Lock) -> None:
        self.failure: OpenApiException | None = None
        self._pieces = pieces
        self._lock = lock
        self._closed = False

    def __iter__(self) -> UploadStream:
        return self

    def __next__(self) -> bytes:
        """Return the next piece.

        Raises:
            ApiValueError: The file cannot be read, is not the one that was announced, or the
                reading was closed: what was sent so far is not the whole.
            ApiTypeError: An iterable gave something other than bytes.
        """
        try:
            with self._lock:
                if self._closed:
                    # Not StopIteration: that would make a part look like the whole.
                    raise ApiValueError("the upload was given up before it was complete")
                return next(self._pieces)
        except OpenApiException as failure:
            self.failure = failure
            raise
        finally:
            # `close` was called meanwhile and has left it to this thread.
            if self._closed:
                with self._lock:
                    self._pieces.close()

    def __aiter__(self) -> UploadStream:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece, read in a thread; raises as `__next__`."""
        import asyncio

        # With a default, because StopIteration cannot pass through a future.
        piece = await asyncio.to_thread(next, self, b"")
        if not piece:
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        """Close what was opened to read; there are no more pieces."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._pieces.close()
            finally:
                self._lock.release()


class _Source(Protocol):
    """Where the bytes come from."""

    size: int | None
    replayable: bool

    def check(self) -> None:
        """Raise an error if the source is not what it was when it was given."""

    def pieces(self) -> Generator[Any, None, None]:
        """Read from the beginning; nothing happens before the first piece is asked for."""


class _Content:
    """Bytes in memory, or an iterable of bytes."""

    def __init__(self, content: Iterable[bytes], size: int | None = None) -> None:
        if getattr(content, "gi_frame", content) is None:
            raise ApiValueError("the generator to upload has been used up already")
        self.size = size
        self.replayable = not isinstance(content, Iterator)
        self._content = content

    def check(self) -> None:
        pass

    def pieces(self) -> Generator[Any, None, None]:
        yield from self._content


class _Path:
    """A file that is opened for each attempt, and closed after it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        try:
            status = os.stat(path)
            self.replayable = stat.S_ISREG(status.st_mode)
            self.size = status.st_size if self.replayable else None
            # A pipe is not touched: opening it waits for its other end, and closing it breaks it.
            if not stat.S_ISFIFO(status.st_mode):
                open(path, "rb").close()
        except (OSError, ValueError) as cause:
            raise _unreadable(cause) from cause

    def check(self) -> None:
        if self.size is not None and (size := os.stat(self._path).st_size) != self.size:
            raise _changed(self.size, str(size))

    def pieces(self) -> Generator[Any, None, None]:
        with open(self._path, "rb") as opened:
            yield from _read(opened)


class _File:
    """A file that the caller has opened, from where it stands; it stays open."""

    def __init__(self, file: Any) -> None:
        if getattr(file, "closed", False) is True:
            raise ApiValueError("cannot read the file to upload: it is closed")
        readable = getattr(file, "readable", None)
        if readable is not None and not readable():
            raise ApiValueError("cannot read the file to upload: it is not open for reading")
        self._file = file
        self.size: int | None = None
        self._start: int | None = None
        try:
            self._start = file.tell()
            # What encoded text will measure is not known before it is read.
            if not (isinstance(file, io.TextIOBase) or hasattr(file, "encoding")):
                file.seek(0, os.SEEK_END)
                self.size = max(0, file.tell() - self._start)
            file.seek(self._start)
        except (AttributeError, TypeError, ValueError, OSError):
            # A pipe, a socket, an object with no more than read().
            self.size = self._start = None
        self.replayable = self._start is not None

    def check(self) -> None:
        pass

    def pieces(self) -> Generator[Any, None, None]:
        if self._start is not None:
            self._file.seek(self._start)
        yield from _read(self._file)


def _read(file: Any) -> Iterator[Any]:
    while True:
        piece = file.read(_PIECE)
        if piece is None:
            raise BlockingIOError("it does not block, and has nothing to read for now")
        if not piece:
            return
        yield piece.encode() if isinstance(piece, str) else piece


def _guarded(given: Iterator[Any]) -> Iterator[bytes]:
    """Pass on the pieces of a source, whose failures are no failures of the transport."""
    while True:
        try:
            piece = next(given)
        except StopIteration:
            return
        except Exception as cause:  # Whatever it is: this is code of the caller.
            raise _unreadable(cause) from cause
        if not isinstance(piece, (bytes, bytearray, memoryview)):
            raise ApiTypeError(f"a file to upload consists of bytes, not {type(piece).__name__}")
        yield bytes(piece)


def _named(file: Any) -> tuple[str, _Source]:
    """Return the name of a file and where its bytes come from."""
    if isinstance(file, tuple) and len(file) == 2:
        name, content = file
        return str(name), _named(content)[1]
    if isinstance(file, (bytes, bytearray, memoryview)):
        content = bytes(file)
        return _DEFAULT_NAME, _Content((content,), len(content))
    if isinstance(file, (str, os.PathLike)):
        return os.fsdecode(os.path.basename(file)), _Path(file)
    if hasattr(file, "read"):
        path = getattr(file, "name", None)
        return os.path.basename(path) if isinstance(path, str) else _DEFAULT_NAME, _File(file)
    # Iterating these gives names: a dict and a table of pandas, which have keys, and a model.
    named = hasattr(file, "keys") or hasattr(file, "__wire__")
    if isinstance(file, Iterable) and not named:
        return _DEFAULT_NAME, _Content(file)
    raise ApiTypeError(
        "a file to upload is a path, bytes, an open file or an iterable of bytes,"
        f" not {type(file).__name__}"
    )


def _escaped(name: str) -> str:
    return _UNSAFE_IN_NAMES.sub(lambda found: f"%{ord(found[0]):02X}", name)


def _unreadable(cause: Exception) -> ApiValueError:
    told = str(cause) or type(cause).__name__
    return ApiValueError(f"cannot read the file to upload: {told}")


def _changed(size: int, found: str) -> ApiValueError:
    return ApiValueError(
        f"the file to upload has changed since the call: it had {size} bytes, and now has {found};"
        " what was sent is not complete"
    )
