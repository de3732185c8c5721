"""`talon-one campaigns`: list, show and copy campaigns, and report what they achieved."""

from __future__ import annotations

from typing import Any

import click

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
from talon_one.cli.lazy import Suggesting
from talon_one.cli.output import with_output, write
from talon_one.cli.parameters import Integer
from talon_one.cli.report import report
from talon_one.cli.sinks import output_to

_SHOWN = "id,name,frontendState,startTime,endTime"

_campaign = click.argument("campaign_id", type=Integer())


@click.group(cls=Suggesting)
def campaigns() -> None:
    """List, show and copy campaigns, and report what they achieved.

    The Application is that of the profile, unless --application names another.
    """


@campaigns.command("list")
@click.option(
    "--state",
    type=click.Choice(["enabled", "disabled", "archived", "scheduled", "running", "expired"]),
    help="Only campaigns in this state.",
)
@click.option("--name", metavar="TEXT", help="Only campaigns whose name has this text.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N campaigns.")
@with_application
@with_output
@with_connection
def list_(state: str | None, name: str | None, limit: int | None, **given: Any) -> int:
    """List all campaigns of an Application."""
    return run_operation(
        "management",
        "get_campaigns",
        {**with_table_columns(given, _SHOWN), "everything": True, "maximum": limit},
        application_id=application_of(given),
        campaign_state=state,
        name=name,
    )


@campaigns.command()
@_campaign
@with_application
@with_output
@with_connection
def show(campaign_id: int, **given: Any) -> int:
    """Show a campaign."""
    application_id = application_of(given)
    return run_operation(
        "management",
        "get_campaign",
        given,
        application_id=application_id,
        campaign_id=campaign_id,
    )


@campaigns.command()
@_campaign
@click.option(
    "--to",
    "targets",
    type=Integer(),
    multiple=True,
    metavar="ID",
    help="Application to copy it to; repeat it for several. By default the same Application.",
)
@click.option("--name", metavar="TEXT", help="Name of the copy.")
@with_application
@with_output
@with_connection
def copy(campaign_id: int, targets: tuple[int, ...], name: str | None, **given: Any) -> None:
    """Copy a campaign, and print the copies. They are disabled."""
    from talon_one import ManagementApi

    given = with_table_columns(given, f"applicationId,{_SHOWN}")
    layout = checked_layout(given, "Campaign")
    application_id = application_of(given)
    body: dict[str, Any] = {"applicationIds": list(targets) or [application_id]}
    if name is not None:
        body["name"] = name
    operation = operation_of("management", "copy_campaign_to_applications")
    with calls(given, operation) as connection:
        response = ManagementApi(connection.client).copy_campaign_to_applications(
            application_id, campaign_id, body, **connection.settings
        )
    with output_to(given["output_file"]) as sink:
        write(plain_items(response), layout, sink)


campaigns.add_command(report)
