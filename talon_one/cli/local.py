"""Commands that need no account: `quickstart` and `sandbox`."""

from __future__ import annotations

import sqlite3
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

import talon_one
from talon_one.cli.consoles import ASSIGNMENTS, shell_around
from talon_one.cli.failures import CommandFailed

if TYPE_CHECKING:
    from talon_one.sandbox import Sandbox
    from talon_one.sandbox.exchanges import Exchange


@click.command()
@click.option("--coupon", help="Coupon code that the customer enters.  [default: TEN-OFF]")
def quickstart(coupon: str | None) -> None:
    """Take a customer through a checkout, and show every step.

    Runs against a sandbox of its own. With TALON_ONE_HOST and TALON_ONE_API_KEY set it runs
    against that deployment, where it leaves a profile and a closed session.
    """
    # Only what a command needs is loaded, because `--help` and `--version` need none of it.
    from talon_one.cli.deployment import deployment, host_is_set
    from talon_one.cli.quickstart import checkout
    from talon_one.cli.screen import Screen
    from talon_one.sandbox.seeds import COUPON_CODE

    screen = Screen()
    with deployment() as configuration, talon_one.ApiClient(configuration) as client:
        what = "TALON_ONE_HOST" if host_is_set() else "a sandbox, started for this run"
        screen.fact(f"Talking to {configuration.host} ({what}).")
        code = COUPON_CODE if coupon is None else coupon
        checkout(talon_one.IntegrationApi(client), code, screen)


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--database",
    default=":memory:",
    help="SQLite file that keeps the state; in memory by default.",
)
@click.option(
    "--seed",
    default="quickstart",
    show_default=True,
    help="What is in it: a YAML file, or one of quickstart and fashion.",
)
@click.option("--clock", help="Moment at which its clock stands, such as 2026-11-01T09:00:00Z.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--log", is_flag=True, help="Print each request.")
@click.option(
    "--shell",
    type=click.Choice(list(ASSIGNMENTS)),
    help="Shell for which it prints variables; by default the one that it runs in.",
)
def sandbox(
    port: int,
    database: str,
    seed: str,
    clock: str | None,
    host: str,
    log: bool,
    shell: str | None,
) -> None:
    """Run a local Talon.One until Ctrl-C, and show how to reach it."""
    from talon_one.cli.screen import Screen
    from talon_one.sandbox import Sandbox, SeedError
    from talon_one.sandbox.world import Clock

    try:
        moved = Clock(clock)
    except ValueError as cause:
        raise click.BadParameter(str(cause), param_hint="--clock") from cause
    try:
        running = Sandbox(port, database, seed=seed, clock=moved, host=host)
        if log:
            running.observe(_show)
        running.run_forever(partial(_announce, shell=shell or shell_around()))
    except SeedError as cause:
        # One line for each mistake, in the form in which editors find places.
        print(cause, file=sys.stderr)
        raise click.exceptions.Exit(1) from cause
    except (sqlite3.Error, RuntimeError) as cause:
        raise CommandFailed(f"cannot use the database {database}: {cause}") from cause
    Screen().fact("The sandbox has ended.")


def _show(exchange: Exchange) -> None:
    if not exchange.number and exchange.method == "GET":
        # The page of the sandbox asks for something every second.
        return
    milliseconds = exchange.seconds * 1000
    line = f"{exchange.method} {exchange.target} {exchange.status} {milliseconds:.1f} ms"
    print(line, flush=True)


def _announce(running: Sandbox, shell: str) -> None:
    from talon_one.cli.screen import Screen

    screen = Screen()
    screen.line(f"The sandbox listens on {running.url} until Ctrl-C.")
    if running.campaign_id:
        code = f" and the coupon {running.coupon_code}" if running.coupon_code else ""
        screen.fact(f"Its first campaign has the ID {running.campaign_id}{code}.")
    screen.line(f"What happens in it: {running.page_url}")
    screen.step("For the programs that should use it:")
    for name, value in running.environment().items():
        screen.line(ASSIGNMENTS[shell].format(name=name, value=value))
