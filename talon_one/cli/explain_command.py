"""The command `explain`: prints what a sandbox or a deployment says about a session."""

from __future__ import annotations

import json
from typing import Any

import click

from talon_one.cli.connecting import connected, with_connection


@click.command()
@click.argument("session_id")
@click.option(
    "--application",
    type=int,
    metavar="ID",
    help="ID of its Application, if several of a sandbox have such a session.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@with_connection
def explain(session_id: str, application: int | None, as_json: bool, **connection: Any) -> None:
    """Explain a session: its discounts, why codes were refused, which rules failed and why.

    A sandbox needs its Management key. A deployment needs an Integration API key, and evaluates the
    session anew in a dry run. Nothing is changed.
    """
    from talon_one.cli import explanation
    from talon_one.cli.escapes import printable_json
    from talon_one.cli.explain import explain as explained
    from talon_one.cli.screen import Screen

    with connected(**connection) as connected_to:
        # It makes several calls, so that the settings are those of the client.
        configuration = connected_to.client.configuration
        configuration.deadline = connected_to.settings.get("_deadline")
        configuration.retries = connected_to.settings.get("_retries")
        found = explained(connected_to.client, session_id, application)
    if as_json:
        click.echo(printable_json(json.dumps(found, indent=2, ensure_ascii=False)))
    else:
        explanation.show(found, Screen())
