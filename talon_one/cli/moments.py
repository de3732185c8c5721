"""Moments on the command line: `10m` ago, a day, or a timestamp."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import click

from talon_one._schema.dates import read_datetime
from talon_one.cli.parameters import Timestamp

_AGO = re.compile(r"([0-9]{1,6})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Since(Timestamp):
    """How long ago, or when; in UTC."""

    name = "since"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return the moment as a timestamp.

        Raises:
            click.BadParameter: It is none.
        """
        text = str(value)
        ago = _AGO.fullmatch(text)
        try:
            if ago:
                span = timedelta(**{_UNITS[ago[2]]: int(ago[1])})
                return timestamp(datetime.now(timezone.utc) - span)
            moment = read_datetime(text)
            if isinstance(moment, datetime):
                in_utc = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
                return timestamp(in_utc.astimezone(timezone.utc))
        except OverflowError:
            pass
        example = "10m, 2h, 1d, or 2026-11-01T09:00:00Z"
        raise click.BadParameter(f"{text!r} is no moment, such as {example}.", ctx, param)


def timestamp(moment: datetime) -> str:
    """Return a moment in UTC as the API takes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def since_option(default: str) -> Callable[[Any], Any]:
    """Return the decorator for the option `--since`."""
    return click.option(
        "--since",
        type=Since(),
        default=default,
        show_default=True,
        metavar="AGO|TIME",
        help="From when on: 10m, 2h or 1d ago, or a timestamp.",
    )
