"""Where data goes: standard output, or a file that appears when it is complete."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol

import click

from talon_one.cli.failures import CommandFailed, ExitCode
from talon_one.exceptions import OpenApiException


class Sink(Protocol):
    """What takes the data of a command."""

    is_terminal: bool

    def write(self, text: str) -> None:
        """Write text."""

    def write_bytes(self, piece: bytes) -> None:
        """Write bytes as they are."""


class StandardOutput:
    """Standard output.

    Attributes:
        is_terminal: Whether a person reads it.
    """

    def __init__(self) -> None:
        self._text = _standard_output()
        self._bytes = sys.stdout.buffer
        self.is_terminal = self._text.isatty()

    def write(self, text: str) -> None:
        """Write text in the encoding of the terminal."""
        self._text.write(text)

    def write_bytes(self, piece: bytes) -> None:
        """Write bytes as they are."""
        self._text.flush()
        self._bytes.write(piece)


class OutputFile:
    """A file, in UTF-8."""

    is_terminal = False

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write text."""
        self._file.write(text.encode("utf-8", "backslashreplace"))

    def write_bytes(self, piece: bytes) -> None:
        """Write bytes as they are."""
        self._file.write(piece)


@contextmanager
def output_to(path: str | None) -> Iterator[Sink]:
    """Yield what takes the data of a command.

    Args:
        path: File that appears, or replaces another, when the block ends well; ``None`` for
            standard output. Devices and pipes are written to as the data comes.

    Raises:
        CommandFailed: It cannot be written, for instance because the disk is full.
    """
    if path is None:
        sink = StandardOutput()
        with _writing("standard output"):
            yield sink
            sys.stdout.flush()
        return
    from talon_one._http.download import SavedFile

    with _writing(path), SavedFile(path, None, None) as file:
        yield OutputFile(file)


def check_writable(path: str | None) -> None:
    """Check before a request that its response can be written to a file.

    Raises:
        click.UsageError: It cannot.
    """
    if path is None:
        return
    if not path or "\0" in path:
        raise click.UsageError(f"--output-file: {path!r} is no path of a file")
    special = os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
    if special and os.access(path, os.W_OK):
        return  # A pipe, or a device such as /dev/null.
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        raise click.UsageError(f"--output-file: {path} is a folder")
    if not os.path.isdir(folder):
        raise click.UsageError(f"--output-file: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise click.UsageError(f"--output-file: cannot write to the folder {folder}")


@contextmanager
def _writing(place: str) -> Iterator[None]:
    try:
        yield
    except (BrokenPipeError, OpenApiException):
        raise  # The second may be an OSError as well, such as a timeout of the download.
    except OSError as cause:
        # Only what writes raises it: the client translates the errors of its connections.
        reason = cause.strerror or str(cause)
        raise CommandFailed(f"cannot write to {place}: {reason}", ExitCode.UNKNOWN) from cause


def _standard_output() -> IO[str]:
    if sys.stdout is None:
        raise CommandFailed("there is no standard output", ExitCode.USAGE)
    return sys.stdout
