"""The nearest valid name for one that was mistyped, as the end of an error message."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the valid name closest to *name*, or an empty string."""
    # difflib is loaded only once a mistake was made: it costs more to import than this package.
    from difflib import get_close_matches

    nearest = get_close_matches(name, list(valid), n=1)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""
