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
# Bytes per read; a combined chunk may have up to twice as many.
_PIECE = 2**16

# Characters that would end the quoted name, or the line; escaped as by browsers.
_UNSAFE_IN_NAMES = re.compile(r'["\\\x00-\x1f\x7f]')


class UploadBody:
    """A ``multipart/form-data`` body with one file, which is never in memory as a whole.

    It is iterated once per attempt. The constructor checks the file: it opens and closes a path,
    and moves an open file to its end and back. Starting to iterate checks a path again. Only `next`
    blocks, while the source is read.

    Args:
        wire: Name of the field.
        file: The file, see `FileInput`.

    Attributes:
        content_type: Value for the header ``Content-Type``.
        length: Number of bytes, for ``Content-Length``; ``None`` if it cannot be known.

    Raises:
        ApiValueError: The file cannot be read.
        ApiTypeError: *file* is not a `FileInput`.
    """

    def __init__(self, wire: str, file: FileInput) -> None:
        self._name, self._source = _named(file)
        boundary = os.urandom(16).hex()
        self._head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{_escaped(wire)}";'
            f' filename="{_escaped(self._name)}"\r\n'
            "Content-Type: text/csv\r\n\r\n"
        ).encode(errors="replace")  # A file name may be invalid Unicode, and does not matter.
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._reading: UploadStream | None = None
        # Shared by all attempts: a thread of an earlier attempt may still be reading.
        self._lock = threading.Lock()
        self._consumed = False
        self.content_type = f"multipart/form-data; boundary={boundary}"
        size = self._source.size
        self.length = None if size is None else len(self._head) + size + len(self._tail)

    @property
    def replayable(self) -> bool:
        """Whether it can be read from its start: again, or because nothing was read yet."""
        return self._source.replayable or not self._consumed

    @property
    def failure(self) -> OpenApiException | None:
        """The error of reading the file in the last attempt, if there was one.

        For transports that hide exceptions of bodies.
        """
        return None if self._reading is None else self._reading.failure

    def __iter__(self) -> UploadStream:
        """Start reading for another attempt; the previous one is over.

        Raises:
            ApiValueError: The file has changed, or cannot be read twice.
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
        """Start reading in threads; otherwise like `__iter__`."""
        return iter(self)

    def close(self) -> None:
        """End the attempt: close what it opened, now or when a read in a thread ends.

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
                # Large chunks are split, small ones combined.
                for start in range(0, len(piece), _PIECE):
                    gathered += piece[start : start + _PIECE]
                    if len(gathered) >= _PIECE:
                        yield bytes(gathered)
                        gathered.clear()
        finally:
            # Closes a file now, and prevents sending a half-read generator by mistake.
            # An error of the caller's code must not hide why reading ended.
            with suppress(Exception):
                given.close()
        if size is not None and read < size:
            raise _changed(size, str(read))
        yield bytes(gathered + self._tail)


class UploadStream:
    """The non-empty chunks of a body for one attempt, as a blocking and an asyncio iterator.

    ``next`` blocks while the source is read; ``anext`` reads in a thread. `close` may be called
    from anywhere at any time; it does not block while a thread reads.

    Attributes:
        failure: The error of reading, if there was one.
    """

    def __init__(self, pieces: Generator[bytes, None, None], lock: threading.Lock) -> None:
        self.failure: OpenApiException | None = None
        self._pieces = pieces
        self._lock = lock
        self._closed = False

    def __iter__(self) -> UploadStream:
        return self

    def __next__(self) -> bytes:
        """Return the next chunk.

        Raises:
            ApiValueError: The file cannot be read or has changed, or reading was closed before the
                end.
            ApiTypeError: An iterable gave something other than bytes.
        """
        try:
            with self._lock:
                if self._closed:
                    # Not StopIteration, which would make a part look complete.
                    raise ApiValueError("the upload was given up before it was complete")
                return next(self._pieces)
        except OpenApiException as failure:
            self.failure = failure
            raise
        finally:
            # `close` was called in the meantime and left closing to this thread.
            if self._closed:
                with self._lock:
                    self._pieces.close()

    def __aiter__(self) -> UploadStream:
        return self

    async def __anext__(self) -> bytes:
        """Return the next chunk, read in a thread; raises the errors of `__next__`."""
        import asyncio

        # With a default, because StopIteration cannot pass through a future.
        piece = await asyncio.to_thread(next, self, b"")
        if not piece:
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        """Close what was opened; there are no more chunks."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._pieces.close()
            finally:
                self._lock.release()


class _Source(Protocol):
    """A source of bytes."""

    size: int | None
    replayable: bool

    def check(self) -> None:
        """Raise an error if the source has changed since it was given."""

    def pieces(self) -> Generator[Any, None, None]:
        """Read from the start; nothing happens before the first chunk is requested."""


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
    """A path, opened for each attempt and closed after it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        try:
            status = os.stat(path)
            self.replayable = stat.S_ISREG(status.st_mode)
            self.size = status.st_size if self.replayable else None
            # A pipe is left alone: opening it waits for the other end, and closing it breaks it.
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
    """A file opened by the caller, read from its current position; it stays open."""

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
            # The encoded size of text is unknown before it is read.
            if not (isinstance(file, io.TextIOBase) or hasattr(file, "encoding")):
                file.seek(0, os.SEEK_END)
                self.size = max(0, file.tell() - self._start)
            file.seek(self._start)
        except (AttributeError, TypeError, ValueError, OSError):
            # A pipe, a socket, or an object that only has read().
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
    """Yield the chunks of a source; its failures are not failures of the transport."""
    while True:
        try:
            piece = next(given)
        except StopIteration:
            return
        except Exception as cause:  # Code of the caller may raise anything.
            raise _unreadable(cause) from cause
        if not isinstance(piece, (bytes, bytearray, memoryview)):
            raise ApiTypeError(f"a file to upload consists of bytes, not {type(piece).__name__}")
        yield bytes(piece)


def _named(file: Any) -> tuple[str, _Source]:
    """Return the name of a file and the source of its bytes."""
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
    # Iterating a dict, a data frame or a model yields names, not bytes.
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
    reason = str(cause) or type(cause).__name__
    return ApiValueError(f"cannot read the file to upload: {reason}")


def _changed(size: int, found: str) -> ApiValueError:
    return ApiValueError(
        f"the file to upload has changed since the call: it had {size} bytes, and now has {found};"
        " what was sent is not complete"
    )
