"""Run a bulk job from a file: its state in a token file, progress, failures, and the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from talon_one.bulk.reports import BulkStopped, Progress, Summary
from talon_one.cli.calling import refused_key
from talon_one.cli.connecting import Connection
from talon_one.cli.consoles import redraws
from talon_one.cli.daily import calls, same_command
from talon_one.cli.failures import CommandFailed, ExitCode, failure_of, report
from talon_one.cli.rows import RowFile, count_rows, opened
from talon_one.exceptions import ApiException, NotSentError, UnauthorizedException

if TYPE_CHECKING:
    from talon_one._core.operation import Operation
    from talon_one._schema.model import Model
    from talon_one.bulk import ChunkResult, Failure

_SHOWN_FAILURES = 10
# Seconds between two lines of progress where there is no terminal.
_PAUSE = 5.0


def run_job(
    operation: Operation,
    row: type[Model],
    start: Callable[[Connection, RowFile, dict[str, Any]], Summary],
    given: Mapping[str, Any],
) -> int:
    """Run a bulk job and return the exit code.

    Args:
        operation: What it calls.
        row: Class of its rows.
        start: Calls the function of `talon_one.bulk`, with these rows and options.
        given: Values of the options of the command.

    Raises:
        click.UsageError: The input, the token or an option is wrong; nothing was sent.
        CommandFailed: The settings do not suffice.
    """
    path = given["file"]
    name = "standard input" if path == "-" else path
    state = _TokenFile(path, str(operation.id), given["token"], given["resume"])
    with opened(path) as file:
        rows = RowFile(file, name, row, given["form"])
        job = _Job(state, rows, given)
        with calls(given, operation) as connection:
            try:
                # The bar is gone before anything is reported.
                with job.display() as show:
                    summary = start(connection, rows, job.options(connection, show))
            except BulkStopped as stopped:
                return job.stopped(stopped, connection, operation)
            except KeyboardInterrupt as cause:
                interrupted = getattr(cause, "summary", None)
                if interrupted is None:
                    raise
                job.ended(interrupted)
                report("interrupted")
                job.explain_resume(interrupted)
                return ExitCode.INTERRUPTED
            except OSError as cause:
                # Before the job began: later ones end in `BulkStopped`.
                raise click.UsageError(
                    f"--failures: cannot write to {given['failures']}: {cause.strerror or cause}"
                ) from cause
        job.ended(summary)
        state.remove()
        return job.code(summary)


class _Job:
    """What is reported of a job."""

    def __init__(self, state: _TokenFile, rows: RowFile, given: Mapping[str, Any]) -> None:
        self._state = state
        self._rows = rows
        self._given = given
        self._failures: list[Failure] = []
        self._failed = 0
        self._all_unsent = True
        """Whether no request has reached the server, of those that failed."""

    def options(self, connection: Connection, show: Callable[[Progress], object]) -> dict[str, Any]:
        """Return the options of the bulk function."""
        given = self._given

        def on_progress(progress: Progress) -> None:
            self._state.save(progress.token)
            show(progress)

        options: dict[str, Any] = {
            "failures": given["failures"] or self._keep,
            "progress": on_progress,
            "on_chunk": self._note,
            "resume": self._state.token,
            "total": self._total() if show is not _show_nothing else None,
            **connection.settings,
        }
        for name in ("concurrency", "chunk_size"):
            if given[name] is not None:
                options[name] = given[name]
        return options

    def _total(self) -> int | None:
        with suppress(OSError):  # The job itself reports what cannot be read.
            return count_rows(self._given["file"], self._rows.form)
        return None

    def _keep(self, failure: Failure) -> None:
        self._failed += 1
        if len(self._failures) < _SHOWN_FAILURES:
            self._failures.append(failure)

    def _note(self, result: ChunkResult) -> None:
        failure = result.failure
        if isinstance(failure, ApiException) and not (
            isinstance(failure, NotSentError)
            and all(isinstance(each, NotSentError) for each in failure.earlier)
        ):
            self._all_unsent = False

    # -- Progress ------------------------------------------------------------------------------

    @contextmanager
    def display(self) -> Iterator[Callable[[Progress], object]]:
        """Yield what shows the progress on standard error."""
        wanted = self._given["progress"]
        terminal = redraws(sys.stderr)
        if wanted is False or (wanted is None and not terminal):
            yield _show_nothing
            return
        if not terminal:
            yield _lines_of_progress()
            return
        from rich.console import Console
        from rich.progress import Progress as Display

        from talon_one.bulk.progress import with_rich

        with Display(console=Console(stderr=True)) as display:
            yield with_rich("Rows", display)

    # -- The end -------------------------------------------------------------------------------

    def ended(self, summary: Summary) -> None:
        """Report the outcome of all rows."""
        end = "" if summary.complete else "; not complete"
        skipped = f" ({summary.skipped} of them earlier)" if summary.skipped else ""
        report(
            f"{summary.sent} sent, {summary.failed} failed, {summary.unknown} unknown{skipped}{end}"
        )
        if self._given["failures"] is None:
            for failure in sorted(self._failures, key=lambda each: each.index):
                report(self._described(failure))
            if self._failed > len(self._failures):
                report(f"and {self._failed - len(self._failures)} more; --failures FILE keeps all")
            return
        for reason, count in summary.reasons.items():
            report(f"{count} row{'s' * (count != 1)}: {reason}")
        if summary.reasons:
            report(f"the rows are in {self._given['failures']}")

    def _described(self, failure: Failure) -> str:
        name = "standard input" if self._given["file"] == "-" else self._given["file"]
        # The reasons of lines that are no rows name the line.
        if failure.row_repr is not None and failure.reason.startswith("line "):
            return f"{name}, {failure.reason}"
        return f"{name}, line {self._rows.line_of(failure.index)}: {failure.reason}"

    def stopped(self, stopped: BulkStopped, connection: Connection, operation: Operation) -> int:
        """Report why a job has stopped, and return the exit code.

        Raises:
            BaseException: The cause, if it is a bug of this package.
        """
        cause = stopped.__cause__ or stopped
        failure = failure_of(cause)
        if isinstance(cause, UnauthorizedException):
            failure = refused_key(cause, connection, operation)
        if failure is None:
            raise cause
        summary = stopped.summary
        self.ended(summary)
        report(_reason(failure, cause))
        self.explain_resume(summary)
        return ExitCode.UNKNOWN if summary.unknown else failure.code

    def explain_resume(self, summary: Summary) -> None:
        """Report how to continue; without anything to continue, remove the state."""
        settled = summary.sent or summary.failed or summary.unknown
        if not settled and self._state.token is None:
            self._state.remove()
            return
        again = same_command(("token", "resume"), resume=self._state.path)
        report(f"to continue, run: {again}")

    def code(self, summary: Summary) -> int:
        """Return the exit code of a job that has come to the end of its rows."""
        if summary.unknown:
            return ExitCode.UNKNOWN
        if not summary.failed:
            return ExitCode.DONE
        nothing_arrived = not summary.sent and self._all_unsent and summary.requests
        return ExitCode.NOT_SENT if nothing_arrived else ExitCode.REFUSED


def _reason(failure: CommandFailed, cause: BaseException) -> str:
    # The client translates the errors of connections, so that this one is about files.
    writing = isinstance(cause, OSError) and not isinstance(cause, ApiException)
    return f"cannot go on: {failure.message}" if writing else failure.message


def _show_nothing(progress: Progress) -> None:
    """Show no progress."""


def _lines_of_progress() -> Callable[[Progress], None]:
    """Return what writes a line from time to time."""
    from time import monotonic

    last = monotonic()

    def show(progress: Progress) -> None:
        nonlocal last
        if progress.finished or monotonic() - last < _PAUSE:
            return
        last = monotonic()
        total = f" of {progress.total}" if progress.total else ""
        report(f"{progress.done}{total} rows, {progress.failed} failed")

    return show


class _TokenFile:
    """The file with the resume token of a job, which is there as long as the job is not done.

    Args:
        source: Path of the input, or ``-``.
        operation: ID of the operation.
        token: Path that was chosen for a new job.
        resume: Path with the token of an earlier run.

    Attributes:
        path: The file.
        token: Resume token of the earlier run; ``None`` for a new job.

    Raises:
        click.UsageError: It cannot be read or written, or belongs to a job that is not done.
    """

    def __init__(self, source: str, operation: str, token: str | None, resume: str | None) -> None:
        if token is not None and resume is not None:
            raise click.UsageError("--resume goes on with its own token file: leave out --token")
        name = operation if source == "-" else os.path.basename(source)
        self.path = resume or token or f"{name}.token"
        self.token = None if resume is None else self._read()
        if resume is None and os.path.exists(self.path):
            if not os.path.isfile(self.path):
                raise click.UsageError(f"{self.path} is no file that could hold a token")
            again = same_command(("token", "resume"), resume=self.path)
            raise click.UsageError(
                f"{self.path} has the state of a job that is not done; continue it with"
                f" {again}, or delete it to send all rows"
            )
        self._check_folder()

    def save(self, token: str) -> None:
        """Replace the token in one step, so that the file never has half of one."""
        fresh = f"{self.path}.new"
        with open(fresh, "w", encoding="utf-8") as file:
            file.write(token)
        os.replace(fresh, self.path)

    def remove(self) -> None:
        """Remove the file."""
        with suppress(OSError):
            os.unlink(self.path)

    def _read(self) -> str:
        try:
            with open(self.path, encoding="utf-8") as file:
                return file.read()
        except OSError as cause:
            raise click.UsageError(
                f"--resume: cannot read {self.path}: {cause.strerror}"
            ) from cause
        except ValueError as cause:
            raise click.UsageError(f"--resume: {self.path} is no token of a job") from cause

    def _check_folder(self) -> None:
        fresh = f"{self.path}.new"
        try:
            with open(fresh, "w", encoding="utf-8"):
                pass
            os.unlink(fresh)
        except (OSError, ValueError) as cause:
            reason = cause.strerror if isinstance(cause, OSError) else "it is no path of a file"
            raise click.UsageError(
                f"cannot keep the state of the job in {self.path}: {reason};"
                " choose another file with --token"
            ) from cause
