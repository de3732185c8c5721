"""Names of the API at the command line: commands, arguments and options."""

from __future__ import annotations

OWN_OPTIONS = (
    "all",
    "columns",
    "data",
    "dry-run",
    "help",
    "host",
    "limit",
    "output",
    "output-file",
    "profile",
    "query",
    "retries",
    "timeout",
    "yes",
)
"""Options that mean the same with every operation."""


def command_name(method: str) -> str:
    """Return the command of a method: `get-coupons` for `get_coupons`."""
    return method.replace("_", "-")


def option_name(parameter: str) -> str:
    """Return the option of a parameter: `--page-size` for `page_size`.

    A parameter with the name of an option that every operation has is `--parameter-NAME`.
    """
    name = command_name(parameter)
    return f"--parameter-{name}" if name in OWN_OPTIONS else f"--{name}"


def argument_name(parameter: str) -> str:
    """Return the argument of a parameter: `CAMPAIGN_ID` for `campaign_id`."""
    return parameter.upper()
