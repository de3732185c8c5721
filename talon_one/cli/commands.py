"""The commands: `quickstart`, `sandbox` and `explain`."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

import talon_one
from talon_one.cli.deployment import deployment, host_is_set
from talon_one.cli.screen import Screen, printable
from talon_one.sandbox.seeds import COUPON_CODE

if TYPE_CHECKING:
    from talon_one.sandbox import Sandbox
    from talon_one.sandbox.exchanges import Exchange

app = typer.Typer(
    help="The Python SDK for Talon.One, at the command line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    An error that a user can fix is one line on standard error.
    """
    for stream in (sys.stdout, sys.stderr):
        # A name that the encoding of a console cannot show must not crash the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(arguments, prog_name="talon-one")
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
    print(f"talon-one: {printable(' '.join(reason.split()))}", file=sys.stderr)
    return 1


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"talon_one {talon_one.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Declare the options of the command itself; their callbacks handle them."""


@app.command()
def quickstart(
    coupon: Annotated[str, typer.Option(help="Coupon code that the customer enters.")] = (
        COUPON_CODE
    ),
) -> None:
    """Take a customer through a checkout, and show every step.

    Runs against a sandbox of its own. With TALON_ONE_HOST and TALON_ONE_API_KEY set it runs
    against that deployment, where it leaves a profile and a closed session.
    """
    # The sandbox starts in half the time without what only this command needs.
    from talon_one.cli.quickstart import checkout

    screen = Screen()
    with deployment() as configuration, talon_one.ApiClient(configuration) as client:
        what = "TALON_ONE_HOST" if host_is_set() else "a sandbox, started for this run"
        screen.fact(f"Talking to {configuration.host} ({what}).")
        checkout(talon_one.IntegrationApi(client), coupon, screen)


@app.command()
def explain(
    session_id: Annotated[str, typer.Argument(help="Integration ID of the session.")],
    application: Annotated[
        int | None,
        typer.Option(help="ID of its Application, if several of a sandbox have such a session."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON.")] = False,
) -> None:
    """Explain a session: its discounts, why codes were refused, which rules failed and why.

    TALON_ONE_HOST names a sandbox or a deployment. A sandbox needs TALON_ONE_MANAGEMENT_KEY. A
    deployment needs TALON_ONE_API_KEY, and evaluates the session anew in a dry run. Nothing is
    changed.
    """
    from talon_one.cli import explanation
    from talon_one.cli.explain import explain as explained

    if not host_is_set():
        raise typer.Exit(_fail("TALON_ONE_HOST is not set: it says where the session is"))
    with talon_one.ApiClient(talon_one.Configuration.from_env()) as client:
        found = explained(client, session_id, application)
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        explanation.show(found, Screen())


@app.command()
def sandbox(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 0,
    database: Annotated[
        str, typer.Option(help="SQLite file that keeps the state; in memory by default.")
    ] = ":memory:",
    seed: Annotated[
        str,
        typer.Option(help="What is in it: a YAML file, or one of quickstart and fashion."),
    ] = "quickstart",
    clock: Annotated[
        str | None,
        typer.Option(help="Moment at which its clock stands, such as 2026-11-01T09:00:00Z."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    log: Annotated[bool, typer.Option("--log", help="Print each request.")] = False,
) -> None:
    """Run a local Talon.One until Ctrl-C, and show how to reach it."""
    from talon_one.sandbox import Sandbox, SeedError
    from talon_one.sandbox.world import Clock

    try:
        moved = Clock(clock)
    except ValueError as cause:
        raise typer.BadParameter(str(cause), param_hint="--clock") from cause
    try:
        running = Sandbox(port, database, seed=seed, clock=moved, host=host)
        if log:
            running.observe(_show)
        running.run_forever(_announce)
    except SeedError as cause:
        # One line for each mistake, in the form in which editors find places.
        print(cause, file=sys.stderr)
        raise typer.Exit(1) from cause
    except (sqlite3.Error, RuntimeError) as cause:
        raise typer.Exit(_fail(f"cannot use the database {database}: {cause}")) from cause
    Screen().fact("The sandbox has ended.")


def _show(exchange: Exchange) -> None:
    if not exchange.number and exchange.method == "GET":
        # The page of the sandbox asks for something every second.
        return
    milliseconds = exchange.seconds * 1000
    line = f"{exchange.method} {exchange.target} {exchange.status} {milliseconds:.1f} ms"
    print(line, flush=True)


def _announce(running: Sandbox) -> None:
    screen = Screen()
    screen.line(f"The sandbox listens on {running.url} until Ctrl-C.")
    if running.campaign_id:
        code = f" and the coupon {running.coupon_code}" if running.coupon_code else ""
        screen.fact(f"Its first campaign has the ID {running.campaign_id}{code}.")
    screen.line(f"What happens in it: {running.page_url}")
    screen.step("For the programs that should use it:")
    for name, value in running.environment().items():
        screen.line(f"export {name}={value}")
