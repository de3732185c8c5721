"""The commands: `quickstart` and `sandbox`."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

import talon_one

if TYPE_CHECKING:
    from talon_one.sandbox import Sandbox
    from talon_one.sandbox.exchanges import Exchange


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    An error that a user can fix is one line on standard error.
    """
    for stream in (sys.stdout, sys.stderr):
        # A name that the encoding of a console cannot show must not crash the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(None if arguments is None else list(arguments), prog_name="talon-one")
    except talon_one.ApiException as cause:
        return _fail(f"{cause} ({cause.method} {cause.url})")
    except talon_one.OpenApiException as cause:
        return _fail(str(cause))
    except OSError as cause:
        return _fail(cause.strerror or str(cause))
    except ModuleNotFoundError as cause:
        # The message of the sandbox says what to install; any other missing module is our fault.
        if cause.name not in ("aiohttp", "yaml"):
            raise
        return _fail(str(cause))
    return 0


def _fail(reason: str) -> int:
    print(f"talon-one: {' '.join(reason.split())}", file=sys.stderr)
    return 1


@click.group()
@click.version_option(talon_one.__version__, prog_name="talon_one", message="%(prog)s %(version)s")
def app() -> None:
    """The Python SDK for Talon.One, at the command line."""


@app.command()
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


@app.command()
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
def sandbox(port: int, database: str, seed: str, clock: str | None, host: str, log: bool) -> None:
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
        running.run_forever(_announce)
    except SeedError as cause:
        # One line for each mistake, in the form in which editors find places.
        print(cause, file=sys.stderr)
        raise SystemExit(1) from cause
    except (sqlite3.Error, RuntimeError) as cause:
        reason = f"cannot use the database {database}: {cause}"
        raise SystemExit(_fail(reason)) from cause
    Screen().fact("The sandbox has ended.")


def _show(exchange: Exchange) -> None:
    milliseconds = exchange.seconds * 1000
    line = f"{exchange.method} {exchange.target} {exchange.status} {milliseconds:.1f} ms"
    print(line, flush=True)


def _announce(running: Sandbox) -> None:
    from talon_one.cli.screen import Screen

    screen = Screen()
    screen.line(f"The sandbox listens on {running.url} until Ctrl-C.")
    if running.campaign_id:
        code = f" and the coupon {running.coupon_code}" if running.coupon_code else ""
        screen.fact(f"Its first campaign has the ID {running.campaign_id}{code}.")
    screen.step("For the programs that should use it:")
    for name, value in running.environment().items():
        screen.line(f"export {name}={value}")
