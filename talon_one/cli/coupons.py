"""`talon-one coupons`: export, import, create and show coupons."""

from __future__ import annotations

import os
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, Any

import click

from talon_one.cli.bodies import parsed
from talon_one.cli.calling import plain
from talon_one.cli.connecting import with_connection
from talon_one.cli.daily import (
    application_of,
    calls,
    checked_layout,
    operation_of,
    run_operation,
    same_command,
    with_application,
    with_table_columns,
)
from talon_one.cli.failures import CommandFailed, ExitCode, report
from talon_one.cli.import_parts import (
    lines_of,
    original_line,
    report_problems,
    seekable,
    split_lines,
)
from talon_one.cli.lazy import Suggesting
from talon_one.cli.output import with_output, write
from talon_one.cli.parameters import Integer, Timestamp
from talon_one.cli.rows import opened
from talon_one.cli.sinks import output_to
from talon_one.exceptions import ApiException, InvalidResponseError, NotSentError, TransportError

_SHOWN = "value,usageLimit,usageCounter,startDate,expiryDate"
# A file with more of them is most likely meant for something else.
_MOST_PROBLEMS = 10_000

_campaign = click.argument("campaign_id", type=Integer())


@click.group(cls=Suggesting)
def coupons() -> None:
    """Export, import, create and show coupons.

    The Application is that of the profile, unless --application names another.
    """


@coupons.command()
@click.argument("code")
@with_application
@with_output
@with_connection
def show(code: str, **given: Any) -> None:
    """Show the coupon with a code, in whichever campaign it is."""
    from talon_one import ManagementApi

    layout = checked_layout(given, "Coupon")
    application_id = application_of(given)
    method = "search_coupons_advanced_application_wide_without_total_count"
    with calls(given, operation_of("management", method)) as connection:
        api = ManagementApi(connection.client)
        found = getattr(api, method)(
            application_id, {}, value=code, exact_match=True, **connection.settings
        )
    rows = plain(found).get("data") or []
    if not rows:
        raise CommandFailed(f"there is no coupon {code!r} in the Application {application_id}")
    with output_to(given["output_file"]) as sink:
        write(rows[0] if len(rows) == 1 else rows, layout, sink)


@coupons.command()
@click.option("--campaign", type=Integer(), metavar="ID", help="Only coupons of this campaign.")
@click.option(
    "--valid",
    type=click.Choice(["expired", "validNow", "validFuture"]),
    help="Only coupons that have expired, are valid, or will be.",
)
@click.option(
    "--usable/--used",
    default=None,
    help="Only coupons that can be redeemed, or only those that cannot.",
)
@click.option("--batch", metavar="ID", help="Only coupons of this batch.")
@click.option("--values-only", is_flag=True, help="Codes alone.")
@click.option(
    "--dates",
    type=click.Choice(["excel", "ISO8601"]),
    help="Format of dates; excel is one that spreadsheets understand.",
)
@with_application
@with_output
@with_connection
def export(
    campaign: int | None,
    valid: str | None,
    usable: bool | None,
    batch: str | None,
    values_only: bool,
    dates: str | None,
    **given: Any,
) -> int:
    """Export coupons as CSV, for a spreadsheet.

    With -o or --columns in another form; with --output-file into a file, which appears when it is
    complete.
    """
    return run_operation(
        "management",
        "export_coupons",
        given,
        application_id=application_of(given),
        campaign_id=campaign,
        valid=valid,
        usable=None if usable is None else str(usable).lower(),
        batch_id=batch,
        values_only=values_only or None,
        date_format=dates,
    )


@coupons.command()
@_campaign
@click.option(
    "--count",
    type=click.IntRange(1, 20_000),
    default=1,
    show_default=True,
    metavar="N",
    help="How many, up to 20,000; for more see talon-one bulk coupons.",
)
@click.option("--pattern", metavar="CODE-####", help="Pattern of the codes; # is any character.")
@click.option("--characters", metavar="ABC123", help="Characters that # may become.")
@click.option(
    "--usage-limit",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="N",
    help="How often each may be redeemed; 0 is without a limit.",
)
@click.option("--discount-limit", type=click.FloatRange(min=0), metavar="AMOUNT", help="Budget.")
@click.option("--start", type=Timestamp(), metavar="TIME", help="Valid from, in RFC 3339.")
@click.option("--expiry", type=Timestamp(), metavar="TIME", help="Valid until, in RFC 3339.")
@click.option("--recipient", metavar="PROFILE", help="Profile that alone may redeem them.")
@click.option("--attributes", metavar="JSON", help="Custom attributes, as a JSON object.")
@with_application
@with_output
@with_connection
def create(
    campaign_id: int,
    count: int,
    pattern: str | None,
    characters: str | None,
    usage_limit: int,
    discount_limit: float | None,
    start: str | None,
    expiry: str | None,
    recipient: str | None,
    attributes: str | None,
    **given: Any,
) -> None:
    """Create coupons in a campaign, and print them.

    The exit code is 4 if there is no response: look for the coupons before you create them again.
    """
    from talon_one import ManagementApi

    body = {
        "numberOfCoupons": count,
        "usageLimit": usage_limit,
        "discountLimit": discount_limit,
        "couponPattern": pattern,
        "validCharacters": list(characters) if characters is not None else None,
        "startDate": start,
        "expiryDate": expiry,
        "recipientIntegrationId": recipient,
        "attributes": None if attributes is None else parsed(attributes, "--attributes"),
    }
    # What is not given is not sent.
    content = {name: value for name, value in body.items() if value is not None}
    given = with_table_columns(given, _SHOWN)
    layout = checked_layout(given, "Coupon")
    application_id = application_of(given)
    with calls(given, operation_of("management", "create_coupons")) as connection:
        response = ManagementApi(connection.client).create_coupons(
            application_id, campaign_id, content, silent="no", **connection.settings
        )
    with output_to(given["output_file"]) as sink:
        write(plain(response).get("data"), layout, sink)


@coupons.command("import")
@_campaign
@click.argument("file", metavar="FILE|-")
@click.option(
    "--skip-duplicates", is_flag=True, help="Leave out codes that exist, rather than refuse them."
)
@click.option(
    "--failures",
    metavar="FILE",
    help="Import the good lines, and write the others to this file, to be corrected.",
)
@with_application
@with_output
@with_connection
def import_(
    campaign_id: int, file: str, skip_duplicates: bool, failures: str | None, **given: Any
) -> int:
    """Import coupons with given codes from a CSV file.

    The columns are value, expirydate, startdate, recipientintegrationid, limitval, discountlimit
    and attributes; only value is needed. All lines are checked before anything is sent. If some are
    wrong, nothing is imported, unless --failures says where to put them; then the exit code is 1.
    """
    layout = checked_layout(given, "Import")
    application_id = application_of(given)
    operation = operation_of("management", "import_coupons")
    name = "standard input" if file == "-" else file
    with ExitStack() as stack:
        source = stack.enter_context(seekable(stack.enter_context(opened(file))))
        left_out = _left_out(source, name, failures)
        content: IO[bytes] = source
        if left_out:
            content = stack.enter_context(TemporaryFile())
            _split(source, left_out, content, str(failures))
        content.seek(0)
        connection = stack.enter_context(calls(given, operation))
        settings = {**connection.settings, "skip_duplicates": skip_duplicates or None}
        arguments = (application_id, campaign_id, content)
        try:
            done = _upload(connection.client, arguments, settings, name, left_out)
        except BaseException:
            # The input still has these lines, so that the same command may run again.
            if left_out and os.path.isfile(str(failures)):
                os.unlink(str(failures))
            raise
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


def _split(source: IO[bytes], left_out: list[int], good: IO[bytes], path: str) -> None:
    """Write the lines that can be imported to a file, and the others to the file of failures."""
    try:
        # Never replaced, because it may be the only copy of its lines.
        with open(path, "ab") as bad:
            if bad.tell():
                raise click.UsageError(f"--failures: {path} is not empty: move it away")
            split_lines(source, left_out, good, bad)
    except OSError as cause:
        raise CommandFailed(
            f"nothing was imported: cannot write to {path}: {cause.strerror}", ExitCode.USAGE
        ) from cause


def _upload(
    client: Any,
    arguments: tuple[int, int, IO[bytes]],
    settings: dict[str, Any],
    name: str,
    left_out: list[int],
) -> dict[str, Any]:
    from talon_one import ManagementApi, tables

    try:
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
    found: dict[str, Any] = plain(response)
    return found


def _explain_retry() -> None:
    again = same_command(skip_duplicates="")
    report(
        "some or all coupons may have been imported; run this to import the rest, without those"
        f" that exist: {again}"
    )
