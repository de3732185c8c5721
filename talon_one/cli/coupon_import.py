"""Import coupons from a CSV file: check it, leave out bad lines, send the others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import IO, Any

import click

from talon_one.cli.daily import (
    application_of,
    calls,
    checked_layout,
    operation_of,
    plain_object,
    same_command,
)
from talon_one.cli.escapes import printable_line
from talon_one.cli.failures import CommandFailed, ExitCode, report
from talon_one.cli.import_parts import (
    lines_of,
    original_line,
    report_problems,
    seekable,
    split_lines,
)
from talon_one.cli.output import write
from talon_one.cli.rows import opened
from talon_one.cli.screen import working
from talon_one.cli.sinks import output_to
from talon_one.exceptions import ApiException, InvalidResponseError, NotSentError, TransportError

# A file with more of them is most likely meant for something else.
_MOST_PROBLEMS = 10_000


def import_file(
    campaign_id: int,
    file: str,
    skip_duplicates: bool,
    failures: str | None,
    given: Mapping[str, Any],
) -> int:
    """Import coupons and return the exit code.

    Args:
        campaign_id: Campaign of the coupons.
        file: Path of the CSV file, or ``-``.
        skip_duplicates: Whether codes that exist are left out.
        failures: Path for the lines that cannot be imported.
        given: Values of the options for output and connection.

    Raises:
        click.UsageError, CommandFailed: Nothing was imported.
        OpenApiException: The call failed.
    """
    layout = checked_layout(given, "Import")
    application_id = application_of(given)
    operation = operation_of("management", "import_coupons")
    name = "standard input" if file == "-" else file
    with ExitStack() as stack:
        source = stack.enter_context(seekable(stack.enter_context(opened(file))))
        # Settings that do not suffice are reported before the lines.
        connection = stack.enter_context(calls(given, operation))
        left_out = _left_out(source, name, failures)
        content: IO[bytes] = source
        if left_out:
            content = stack.enter_context(TemporaryFile())
            stack.enter_context(_separated(source, left_out, content, str(failures)))
        content.seek(0)
        settings = {**connection.settings, "skip_duplicates": skip_duplicates or None}
        arguments = (application_id, campaign_id, content)
        done = _upload(connection.client, arguments, settings, name, left_out)
    amount = done.get("amount")
    report(f"{amount} coupon{'s' * (amount != 1)} imported")
    with output_to(given["output_file"]) as sink:
        write(done, layout, sink)
    if left_out:
        report(f"the other lines are in {failures}")
        return ExitCode.REFUSED
    return ExitCode.DONE


def _left_out(source: IO[bytes], name: str, failures: str | None) -> list[int]:
    """Return the lines that cannot be imported; none if all of them can.

    Raises:
        CommandFailed: There are some, and no file for them.
    """
    from talon_one import tables

    operation = operation_of("management", "import_coupons")
    problems = tables.check(operation, source, limit=_MOST_PROBLEMS)
    if not problems:
        return []
    more = f": talon-one tables check {name}" if name != "standard input" else ""
    report_problems(name, problems, more)
    lines = {each.line for each in problems if each.row is not None and each.line is not None}
    if failures is None:
        raise CommandFailed(
            "nothing was imported; --failures FILE imports the other lines", ExitCode.USAGE
        )
    if any(each.row is None for each in problems) or len(problems) >= _MOST_PROBLEMS:
        raise CommandFailed("nothing was imported", ExitCode.USAGE)
    return lines_of(source, lines)


@contextmanager
def _separated(
    source: IO[bytes], left_out: list[int], good: IO[bytes], path: str
) -> Iterator[None]:
    """Write the lines that can be imported to a file, and the others to that of failures.

    The latter is there only if the block ends well: the input still has its lines, so that the same
    command may run again.
    """
    try:
        # It may be the only copy of its lines.
        if os.path.exists(path) and os.path.getsize(path):
            raise click.UsageError(f"--failures: {path} is not empty: move it away")
        with _removed_on_failure(path), open(path, "ab") as bad:
            split_lines(source, left_out, good, bad)
    except OSError as cause:
        raise CommandFailed(
            f"nothing was imported: cannot write to {path}: {cause.strerror}", ExitCode.USAGE
        ) from cause
    with _removed_on_failure(path):
        yield


@contextmanager
def _removed_on_failure(path: str) -> Iterator[None]:
    try:
        yield
    except BaseException:  # Ctrl-C, too, must leave no half of a file.
        if os.path.isfile(path):
            os.unlink(path)
        raise


def _upload(
    client: Any,
    arguments: tuple[int, int, IO[bytes]],
    settings: dict[str, Any],
    name: str,
    left_out: list[int],
) -> dict[str, Any]:
    from talon_one import ManagementApi, tables

    try:
        with working(f"Importing {printable_line(name)}"):
            response = tables.upload(ManagementApi(client).import_coupons, *arguments, **settings)
    except KeyboardInterrupt:
        report("interrupted")
        _explain_retry()
        raise click.exceptions.Exit(ExitCode.INTERRUPTED) from None
    except ApiException as cause:
        refused = tables.problems_of(cause)
        if refused:
            placed = [
                each._replace(line=original_line(each.line, left_out))
                for each in refused
                if each.line is not None
            ]
            report_problems(name, placed, "")
        if isinstance(cause, (TransportError, InvalidResponseError)) and not isinstance(
            cause, NotSentError
        ):
            _explain_retry()
        raise
    return plain_object(response)


def _explain_retry() -> None:
    again = same_command(skip_duplicates="")
    report(
        "some or all coupons may have been imported; run this to import the rest, without those"
        f" that exist: {again}"
    )
