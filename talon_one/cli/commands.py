"""The commands of `talon-one`, each loaded when it is run.

A new command has a module of its own, and a line here.
"""

from __future__ import annotations

import click

import talon_one
from talon_one.cli.failures import ExitCode
from talon_one.cli.lazy import Entry, Root

SECTIONS = {
    "Daily work": {
        "bulk": Entry("talon_one.cli.bulk:bulk", "Send rows of a file, thousands at a time."),
        "campaigns": Entry(
            "talon_one.cli.campaigns:campaigns", "List, show, copy and report campaigns."
        ),
        "coupons": Entry(
            "talon_one.cli.coupons:coupons", "Export, import, create and show coupons."
        ),
        "explain": Entry(
            "talon_one.cli.explain_command:explain",
            "Explain the discounts, codes and rules of a session.",
        ),
        "logs": Entry("talon_one.cli.logs:logs", "Follow the logs of calls and messages."),
        "ping": Entry(
            "talon_one.cli.ping:ping", "Show whether a deployment responds and takes the keys."
        ),
        "session": Entry("talon_one.cli.session:session", "Look at customer sessions."),
        "tables": Entry("talon_one.cli.tables:tables", "Check CSV files before an import."),
        "webhooks": Entry(
            "talon_one.cli.webhooks:webhooks", "Receive webhooks here, send samples and old ones."
        ),
    },
    "Operations": {
        "integration": Entry(
            "talon_one.cli.operations:integration", "Call an operation of the Integration API."
        ),
        "management": Entry(
            "talon_one.cli.operations:management", "Call an operation of the Management API."
        ),
    },
    "Settings": {
        "config": Entry("talon_one.cli.config:config", "Keep hosts and keys in profiles."),
        "completion": Entry(
            "talon_one.cli.completion:completion", "Print what completes commands in a shell."
        ),
        "man": Entry("talon_one.cli.manual:man", "Print the manual page."),
    },
    "Without an account": {
        "quickstart": Entry(
            "talon_one.cli.local:quickstart", "Take a customer through a checkout."
        ),
        "sandbox": Entry("talon_one.cli.local:sandbox", "Run a local Talon.One until Ctrl-C."),
    },
}
"""Section of the help to its commands."""

EXIT_CODES = {
    ExitCode.DONE: "done",
    ExitCode.REFUSED: "the server refused the request, or the command failed",
    ExitCode.USAGE: "the command line or the settings are wrong; nothing was changed",
    ExitCode.NOT_SENT: "the request did not reach the server",
    ExitCode.UNKNOWN: "the request was sent; its outcome is unknown, or was not written",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
}
"""What the exit codes mean, for the help and the manual page."""

COMPLETION_VARIABLE = "_TALON_ONE_COMPLETE"
"""Environment variable by which a shell asks for completions; its name is a convention of click."""

_CODES = "\n".join(f"  {int(code):<4} {text}" for code, text in EXIT_CODES.items())
_EPILOG = f"""\
Data goes to standard output, everything else to standard error.

\b
Exit codes:
{_CODES}
"""


def _show_version(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"talon_one {talon_one.__version__}")
        ctx.exit()


@click.group(
    "talon-one",
    cls=Root,
    sections=SECTIONS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def app() -> None:
    """Use the whole API of Talon.One from a terminal."""
