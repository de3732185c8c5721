"""Download: a response whose body is read in chunks instead of as a whole."""

from __future__ import annotations

import codecs
import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any
from uuid import uuid4

from talon_one._core.operation import Operation
from talon_one._core.response import content_length
from talon_one._utils.special_forms import Self
from talon_one.exceptions import ApiTypeError, InvalidResponseError

if TYPE_CHECKING:
    from talon_one._http.transport import Stream

Progress = Callable[[int, int | None], object]
"""Called after every chunk with the bytes received, and the total if it is known."""


class BaseDownload:
    """What blocking and asyncio downloads share."""

    def __init__(
        self, client: Any, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._client = client
        self._operation = operation
        self._args = args
        self._kwargs = kwargs
        self._stream: Any = None
        self._taken: Any = None

    @property
    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments of the call."""
        return self._args, self._kwargs

    def use_arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Replace the arguments of a call that is still to be made."""
        self._args, self._kwargs = args, dict(kwargs)

    @property
    def status_code(self) -> int:
        """HTTP status, always 2xx: opening the download raises for any other."""
        status: int = self._opened().status
        return status

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the response; names are matched regardless of case."""
        headers: Mapping[str, str] = self._opened().headers
        return headers

    @property
    def total(self) -> int | None:
        """Size of the body in bytes, if the server states it."""
        # For a compressed body, the header states the compressed size.
        return None if "Content-Encoding" in self.headers else content_length(self.headers)

    def _opened(self) -> Any:
        if self._stream is None:
            raise ApiTypeError("a download is opened by a with block, and closed at its end")
        return self._stream

    def _take_stream(self) -> Any:
        """Return the stream to read from; only once, because the body is not kept."""
        stream = self._opened()
        if stream is self._taken:
            raise ApiTypeError(
                f"the body of this {self._operation.id} can be read once, and was;"
                " keep what chunks, lines, read or save gave, or make the call again"
            )
        self._taken = stream
        return stream

    def invalid_response(self, reason: str, data: bytes) -> InvalidResponseError:
        """Return the exception for a body of another kind; *data* is its beginning."""
        return InvalidResponseError(
            self.status_code,
            reason,
            headers=self.headers,
            raw_data=data,
            operation_id=self._operation.id,
            method=self._operation.method,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._operation.id}>"


class Download(BaseDownload):
    """A response whose body comes in chunks, such as that of a large CSV export.

    A ``with`` block opens it; retries and failures of the call happen there. Reading is not
    retried: a body that breaks off raises `NoResponseError`. The body can be read once. A deadline
    also limits reading.
    """

    def __enter__(self) -> Self:
        stream: Stream = self._client.open(self._operation, self._args, dict(self._kwargs))
        self._stream = stream
        return self

    def __exit__(self, *exc_info: object) -> None:
        stream, self._stream = self._stream, None
        stream.close()

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in chunks as they arrive.

        Raises:
            NoResponseError: The body breaks off; `ReadTimeoutError` if it took too long.
            ApiTypeError: The body was read before, by this or another method.
        """
        pieces: Iterator[bytes] = self._take_stream().pieces()
        return pieces

    def lines(self) -> Iterator[str]:
        """Yield the body line by line, without the line ends; raises the errors of `chunks`.

        A quoted field of CSV may span several lines; `talon_one.tables` reads rows.
        """
        lines = Lines()
        for piece in self.chunks():
            yield from lines.feed(piece)
        yield from lines.end()

    def read(self) -> bytes:
        """Return the whole body; raises the same errors as `chunks`."""
        return b"".join(self.chunks())

    def save(self, path: str | os.PathLike[str], progress: Progress | None = None) -> int:
        """Write the body to a file; return its size in bytes. Raises the errors of `chunks`.

        The file appears, or replaces another, when it is complete.

        Args:
            path: Path of the file.
            progress: Called after every chunk with the bytes so far and the total.
        """
        with SavedFile(path, self.total, progress) as file:
            for piece in self.chunks():
                file.write(piece)
        return file.size


class Lines:
    """Splits chunks of bytes into lines of text, wherever the chunks end.

    Text is UTF-8; other bytes become surrogates. A byte order mark is dropped.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self._rest = ""

    def feed(self, piece: bytes, final: bool = False) -> list[str]:
        """Return the lines that this chunk completes."""
        *lines, self._rest = (self._rest + self._decoder.decode(piece, final)).split("\n")
        return [line.removesuffix("\r") for line in lines]

    def end(self) -> list[str]:
        """Return the last line, if it has no line end."""
        lines = self.feed(b"", final=True)
        return [*lines, self._rest.removesuffix("\r")] if self._rest else lines


class SavedFile:
    """A file that appears when it is complete, and not at all after a failure.

    A link keeps leading to it. What is no regular file, such as a pipe or /dev/null, is written to
    as the data comes, because nothing may take its place.

    Attributes:
        size: Number of bytes written.
    """

    def __init__(
        self, path: str | os.PathLike[str], total: int | None, progress: Progress | None
    ) -> None:
        self.size = 0
        self._path = os.fspath(path)
        self._total = total
        self._progress = progress
        self._target = ""
        self._partial = ""
        self._file: IO[bytes]

    def __enter__(self) -> SavedFile:
        if os.path.isdir(self._path):
            # Fail before the body is read, which may take an hour.
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), self._path)
        if os.path.exists(self._path) and not os.path.isfile(self._path):
            with self._naming_path():
                self._file = open(self._path, "wb")
            return self
        self._target = os.path.realpath(self._path) if self._path else ""
        folder, name = os.path.split(self._target)
        # In the same folder, because moving a file between disks is not atomic.
        self._partial = os.path.join(folder, f".{name}.{uuid4().hex}.part")
        with self._naming_path():
            self._file = open(self._partial, "xb")
        return self

    def write(self, piece: bytes) -> None:
        """Append a chunk and report the progress."""
        with self._naming_path():
            self._file.write(piece)
        self.size += len(piece)
        if self._progress is not None:
            self._progress(self.size, self._total)

    def __exit__(self, kind: object, *exc_info: object) -> None:
        try:
            if kind is None:
                with self._naming_path():
                    self._file.close()
                    if self._partial:
                        os.replace(self._partial, self._target)
        finally:
            # After any failure, a full disk included, the partial file is removed.
            with suppress(OSError):
                self._file.close()
            if self._partial:
                with suppress(FileNotFoundError):
                    os.unlink(self._partial)

    @contextmanager
    def _naming_path(self) -> Iterator[None]:
        """Make errors name the requested path, not that of the partial file."""
        try:
            yield
        except OSError as cause:
            raise OSError(cause.errno, cause.strerror, self._path) from cause
