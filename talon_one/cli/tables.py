"""`talon-one tables check`: what is wrong with a CSV import, line by line."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

import click

from talon_one.cli.daily import operation_of
from talon_one.cli.failures import ExitCode, report
from talon_one.cli.lazy import Suggesting
from talon_one.cli.naming import command_name
from talon_one.cli.output import FORMATS, layout_of, write
from talon_one.cli.parameters import Word
from talon_one.cli.sinks import output_to

if TYPE_CHECKING:
    from talon_one._core.operation import Operation

_IMPORTS = (
    "import_coupons",
    "import_referrals",
    "import_loyalty_points",
    "import_loyalty_cards",
    "import_loyalty_customers_tiers",
    "import_loyalty_join_dates",
    "import_pool_giveaways",
    "import_collection",
    "import_account_collection",
    "import_allowed_list",
    "import_audiences_memberships",
    "import_campaign_stores",
    "import_campaign_store_budget",
)
"""Methods of imports; of those with the same columns, the first one is guessed."""
_CHUNK = 2**16


@click.group(cls=Suggesting)
def tables() -> None:
    """Check CSV files before they are imported."""


@tables.command()
@click.argument("file", metavar="FILE|-")
@click.option(
    "--as",
    "name",
    type=Word([command_name(each) for each in _IMPORTS]),
    metavar="OPERATION",
    help="The import that the file is for, such as import-coupons; by default guessed from its"
    " columns.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    metavar="N",
    help="Stop after N problems.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(FORMATS),
    help="Format; by default one line per problem, which begins with file and line.",
)
def check(file: str, name: str | None, limit: int, output: str | None) -> int:
    """Check a CSV file for an import, without sending anything.

    The exit code is 1 if there are problems.
    """
    from talon_one import tables
    from talon_one.cli.import_parts import described, seekable
    from talon_one.cli.rows import opened

    layout = layout_of(output, None, None)
    label = "standard input" if file == "-" else file
    with ExitStack() as stack:
        source = stack.enter_context(seekable(stack.enter_context(opened(file))))
        operation = _guessed(source, label) if name is None else _operation(name)
        source.seek(0)
        problems = tables.check(operation, source, limit=limit)
    rows = [
        {"line": each.line, "column": each.column, "message": each.message} for each in problems
    ]
    with output_to(None) as sink:
        if output is not None:
            write(rows, layout, sink)
        else:
            for each in problems:
                sink.write(f"{described(file, each).replace(', line ', ':', 1)}\n")
    count = "no problems" if not problems else f"{len(problems)} problem{'s' * (len(problems) > 1)}"
    rest = f"; stopped after {limit}: --limit" if len(problems) == limit else ""
    guess = "" if name is not None else f"; checked as {_name_of(operation)}, --as for another"
    report(f"{label} has {count}{rest}{guess}")
    return ExitCode.REFUSED if problems else ExitCode.DONE


def _operation(name: str) -> Operation:
    return operation_of("management", name.replace("-", "_"))


def _name_of(operation: Operation) -> str:
    return next(
        command_name(each) for each in _IMPORTS if operation_of("management", each) is operation
    )


def _guessed(source: IO[bytes], label: str) -> Operation:
    """Return the import whose columns a file has.

    Raises:
        click.UsageError: There is none, or several are alike.
    """
    header = next(_records(source), None)
    names = {cell.strip() for cell in header.cells} if header else set()
    best: list[tuple[tuple[int, int], Operation]] = []
    for each in _IMPORTS:
        operation = operation_of("management", each)
        assert operation.csv is not None  # noqa: S101  imports have columns
        known = {column.name for column in operation.csv.columns}
        missing = {column.name for column in operation.csv.columns if column.required} - names
        if known & names:
            score = (len(names & known) - len(names - known), -len(missing))
            best.append((score, operation))
    best.sort(key=lambda each: each[0], reverse=True)
    alike = [each for score, each in best if score == best[0][0]]
    if not alike or any(each.csv != alike[0].csv for each in alike):
        choices = [_name_of(each) for each in alike] or [command_name(each) for each in _IMPORTS]
        raise click.UsageError(
            f"the columns of {shlex.quote(label)} do not say which import it is for: choose with"
            f" --as {', --as '.join(choices)}"
        )
    return alike[0]


def _records(source: IO[bytes]) -> Iterator[Any]:
    from talon_one.tables.records import RecordReader

    records = RecordReader(errors="surrogateescape")
    for chunk in iter(lambda: source.read(_CHUNK), b""):
        yield from records.feed(chunk)
    yield from records.close()
