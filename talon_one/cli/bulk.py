"""`talon-one bulk`: profiles, audiences, catalogs and coupons from files of any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from talon_one.cli.connecting import with_connection
from talon_one.cli.daily import application_of, operation_of, with_application
from talon_one.cli.lazy import Suggesting
from talon_one.cli.parameters import Integer

if TYPE_CHECKING:
    from talon_one.bulk import Summary
    from talon_one.cli.connecting import Connection
    from talon_one.cli.rows import RowFile

F = TypeVar("F", bound=Callable[..., Any])


def with_job(command: F) -> F:
    """Decorate the function of a command that runs a bulk job; see `jobs.run_job`."""
    for decorate in (
        with_connection,
        click.option(
            "--chunk-size",
            type=click.IntRange(min=1),
            metavar="N",
            help="At most N rows with each request.",
        ),
        click.option(
            "--concurrency",
            type=click.IntRange(1, 100),
            metavar="N",
            help="Requests at the same time.",
        ),
        click.option(
            "--progress/--no-progress",
            default=None,
            help="Show the progress; by default in a terminal only.",
        ),
        click.option(
            "--token",
            metavar="FILE",
            help="Where to keep the state of the job while it runs; by default beside you, with"
            " the name of the input and .token.",
        ),
        click.option(
            "--resume",
            metavar="TOKENFILE",
            help="Continue the job that kept its state there, over the same input.",
        ),
        click.option(
            "--failures",
            metavar="FILE",
            help="File for the rows that were not sent, as JSON Lines.",
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(["csv", "jsonl"]),
            help="Format of the input; by default the one that it begins like.",
        ),
    ):
        command = decorate(command)
    return command


_file = click.argument("file", metavar="FILE|-")


@click.group(cls=Suggesting)
def bulk() -> None:
    """Send rows of a file, by the thousand with each request.

    The file is CSV or JSON Lines; - is standard input. The columns of CSV are the properties of the
    rows, as in attributes.City; attributes are text unless the column says attributes.Age:number,
    :boolean or :json. An empty cell is a property that is left out.

    A row that cannot be sent does not end the job. Ctrl-C does, and so does a key that is refused:
    the command then prints how to continue. The exit code is 0 if all rows were sent, 1 if some
    failed, and 4 if the outcome of some is unknown.
    """


@bulk.command()
@_file
@with_job
def profiles(**given: Any) -> int:
    """Create or update profiles: integrationId, attributes.NAME."""
    from talon_one import IntegrationApi
    from talon_one.bulk import upsert_profiles
    from talon_one.models import MultipleCustomerProfileIntegrationRequestItem as Row

    def start(connection: Connection, rows: RowFile, options: dict[str, Any]) -> Summary:
        return upsert_profiles(IntegrationApi(connection.client), rows, **options)

    operation = operation_of("integration", "update_customer_profiles_v2")
    return _run(operation, Row, start, given)


@bulk.command()
@_file
@with_job
def audiences(**given: Any) -> int:
    """Add profiles to audiences or remove them: action, profileIntegrationId, audienceId.

    The action is add or delete. A request without a response is not retried.
    """
    from talon_one import IntegrationApi
    from talon_one.bulk import change_audiences
    from talon_one.models import CustomerProfileAudienceRequestItem as Row

    def start(connection: Connection, rows: RowFile, options: dict[str, Any]) -> Summary:
        return change_audiences(IntegrationApi(connection.client), rows, **options)

    operation = operation_of("integration", "update_customer_profile_audiences")
    return _run(operation, Row, start, given)


@bulk.command()
@click.argument("catalog_id", type=Integer())
@_file
@with_job
def catalog(catalog_id: int, **given: Any) -> int:
    """Change items of a catalog: type, payload.sku, payload.price, payload.attributes.NAME.

    The type is ADD, PATCH, REMOVE and so on; sort the rows by it where their order does not matter.
    A request without a response is not retried.
    """
    from talon_one import IntegrationApi
    from talon_one.bulk import sync_catalog
    from talon_one.models import CatalogAction as Row

    def start(connection: Connection, rows: RowFile, options: dict[str, Any]) -> Summary:
        return sync_catalog(IntegrationApi(connection.client), catalog_id, rows, **options)

    return _run(operation_of("integration", "sync_catalog"), Row, start, given)


@bulk.command()
@click.argument("campaign_id", type=Integer())
@_file
@with_application
@with_job
def coupons(campaign_id: int, **given: Any) -> int:
    """Create coupons from patterns: numberOfCoupons, usageLimit, couponPattern.

    A row says how many coupons to create, and is a request of its own, or several above 20,000
    coupons. To create coupons with given codes, see talon-one coupons import. A request without a
    response is not retried.
    """
    from talon_one import ManagementApi
    from talon_one.bulk import create_coupons
    from talon_one.models import NewCoupons as Row

    application_id = application_of(given)

    def start(connection: Connection, rows: RowFile, options: dict[str, Any]) -> Summary:
        api = ManagementApi(connection.client)
        return create_coupons(api, application_id, campaign_id, rows, **options)

    return _run(operation_of("management", "create_coupons"), Row, start, given)


def _run(*arguments: Any) -> int:
    # Help needs nothing of it.
    from talon_one.cli.jobs import run_job

    return run_job(*arguments)
