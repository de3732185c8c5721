"""Parse the HTTP header ``Retry-After`` to seconds."""

from __future__ import annotations

from collections.abc import Mapping


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that ``Retry-After`` asks to wait, given as a number or as a date.

    Args:
        headers: Headers of the response.
        now: Seconds since the epoch.
    """
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, OverflowError):
            return None
    # float() accepts NaN and infinity, HTTP does not.
    return max(0.0, seconds) if seconds == seconds and seconds != float("inf") else None
