"""Run the command line: streams, warnings, failures and the exit code of the program."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click

from talon_one.cli.commands import COMPLETION_VARIABLE, app
from talon_one.cli.failures import ExitCode, failure_of, report, usage_message
from talon_one.cli.lazy import ReaderGone


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    What a user or a server did wrong is one line on standard error. Only bugs of this package end
    in a traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        # A name that the encoding of a console cannot show must not crash the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        # Those of this package are about the request; any others concern programmers.
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        return int(_flushed(_exit_code(arguments)))


def _exit_code(arguments: Sequence[str] | None) -> int:
    if COMPLETION_VARIABLE in os.environ:
        # It teaches click the shells that it does not know.
        from talon_one.cli import completion  # noqa: F401
    try:
        given = None if arguments is None else list(arguments)
        result = app.main(given, prog_name="talon-one", standalone_mode=False)
    except click.Abort:
        # Ctrl-C anywhere, or the end of the input at a question.
        report("interrupted")
        return ExitCode.INTERRUPTED
    except click.ClickException as cause:
        report(usage_message(cause))
        return ExitCode.USAGE
    except ReaderGone:
        return ExitCode.BROKEN_PIPE
    except Exception as cause:
        failure = failure_of(cause)
        if failure is None:
            raise
        report(failure.message)
        return failure.code
    return result if isinstance(result, int) else ExitCode.DONE


def _flushed(code: int) -> int:
    """Flush standard output, and return the exit code; a failure to write is one, too."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as cause:
        _discard_output()
        if isinstance(cause, BrokenPipeError) or cause.errno == errno.EINVAL:  # On Windows.
            return code or ExitCode.BROKEN_PIPE
        report(f"cannot write the output: {cause.strerror}")
        return code or ExitCode.UNKNOWN
    if code == ExitCode.BROKEN_PIPE:
        _discard_output()
    return code


def _discard_output() -> None:
    """Keep Python from complaining, when it exits, of what it cannot write."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _show_warning(message: Any, category: Any, *place: Any, **more: Any) -> None:
    report(f"warning: {message}")
