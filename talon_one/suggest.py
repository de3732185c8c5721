"""The nearest valid name for one that was mistyped, as the end of an error message."""

from __future__ import annotations

from collections.abc import Iterable

_TELLING = 4
"""A shorter part of a name says nothing."""


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the valid name closest to *name*, or an empty string."""
    # difflib is loaded only once a mistake was made: it costs more to import than this package.
    from difflib import get_close_matches

    names = list(valid)
    bare = _bare(name)
    nearest = (
        # The same name in another convention, as `updateCoupon` for `update_coupon`;
        [each for each in names if _bare(each) == bare]
        or get_close_matches(name, names, n=1)
        # or a part of the name, as `timeout` for `_request_timeout`.
        or [each for each in names if len(bare) > _TELLING and bare in _bare(each)]
    )
    return f" Did you mean {nearest[0]!r}?" if nearest else ""


def _bare(name: str) -> str:
    return name.replace("_", "").lower()
