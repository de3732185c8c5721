"""Timestamps and amounts: reading, computing and writing them.

Timestamps are text in one canonical form, `2024-05-02T09:00:00.000000Z`. That form has
a fixed width and is always UTC, so it compares and sorts as text, in Python as in SQLite.
Amounts are `Decimal` inside the sandbox and numbers in JSON.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
ZERO = Decimal(0)

_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)


def utc_now() -> str:
    """Return the current time in canonical form."""
    return format_time(datetime.now(timezone.utc))


def format_time(moment: datetime) -> str:
    """Write an aware datetime in canonical form: UTC, six fractional digits, `Z`."""
    text = moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{text}Z"


def parse_time(text: str) -> str:
    """Convert an RFC 3339 timestamp with any offset to canonical form.

    Digits beyond microseconds are dropped.

    Raises:
        ValueError: If the text is not an RFC 3339 timestamp.
    """
    __tracebackhide__ = True
    moment = read_time(text)
    try:
        return format_time(moment)
    except OverflowError as cause:
        raise ValueError(f"{text!r} lies outside the calendar") from cause


def read_time(text: str) -> datetime:
    """Read an RFC 3339 timestamp as an aware datetime that keeps its offset.

    Digits beyond microseconds are dropped.

    Raises:
        ValueError: If the text is not an RFC 3339 timestamp.
    """
    __tracebackhide__ = True
    match = _RFC3339.fullmatch(text)
    if match is None:
        example = "such as 2026-11-01T09:00:00Z"
        raise ValueError(f"{text!r} is not an RFC 3339 timestamp, {example}")
    day, clock, fraction, offset = match.groups()
    micros = (fraction or "")[:6].ljust(6, "0")
    zone = "+00:00" if offset in "Zz" else offset
    return datetime.fromisoformat(f"{day}T{clock}.{micros}{zone}")


def hours_before(moment: str, hours: int) -> str:
    """Return the timestamp that many hours before `moment`."""
    aware = datetime.fromisoformat(moment.removesuffix("Z") + "+00:00")
    return format_time(aware - timedelta(hours=hours))


def amount(number: Any) -> Decimal:
    """Return a JSON number as the decimal that its text spells."""
    return Decimal(str(number))


def cents(value: Decimal) -> Decimal:
    """Round to cents, halves away from zero."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def json_number(value: Decimal) -> int | float:
    """Return an amount as a JSON number: 30 rather than 30.0."""
    return int(value) if value == value.to_integral_value() else float(value)
