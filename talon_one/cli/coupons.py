"""`talon-one coupons`: export, import, create and show coupons."""

from __future__ import annotations

from typing import Any

import click

from talon_one.cli.bodies import parsed
from talon_one.cli.connecting import with_connection
from talon_one.cli.daily import (
    application_of,
    calls,
    checked_layout,
    operation_of,
    plain_items,
    run_operation,
    with_application,
    with_table_columns,
)
from talon_one.cli.failures import CommandFailed
from talon_one.cli.lazy import Suggesting
from talon_one.cli.output import with_output, write
from talon_one.cli.parameters import Integer, Timestamp
from talon_one.cli.sinks import output_to

_SHOWN = "value,usageLimit,usageCounter,startDate,expiryDate"
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
    rows = plain_items(found)
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
        write(plain_items(response), layout, sink)


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
    from talon_one.cli.coupon_import import import_file

    return import_file(campaign_id, file, skip_duplicates, failures, given)
