"""Suggest the nearest valid name for a misspelled one."""

from __future__ import annotations

from collections.abc import Iterable

_TELLING = 4
"""A shorter part of a name says nothing."""


_SLIP = 0.9
"""Names that are less alike than this may be those of different things."""
_LETTERS = 2


def did_you_mean(name: str, valid: Iterable[str], slips_only: bool = False) -> str:
    """Return ``" Did you mean 'x'?"`` for the valid name closest to *name*, or an empty string.

    Args:
        name: A name that is not valid, or not known to be.
        valid: The names that are.
        slips_only: Pass over what may well be the name of something new.
    """
    # difflib is loaded only once a mistake was made: it costs more to import than this package.
    from difflib import get_close_matches

    names = list(valid)
    bare = _bare(name)
    # The same name in another convention, as `updateCoupon` for `update_coupon`;
    nearest = [each for each in names if _bare(each) == bare]
    if slips_only:
        # A slip of the pen hardly changes how long a name is.
        names = [each for each in names if abs(len(each) - len(name)) <= _LETTERS]
        nearest = nearest or get_close_matches(name, names, n=1, cutoff=_SLIP)
    else:
        # or a part of the name, as `timeout` for `_request_timeout`.
        parts = (each for each in names if len(bare) > _TELLING and bare in _bare(each))
        nearest = nearest or get_close_matches(name, names, n=1) or list(parts)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""


def _bare(name: str) -> str:
    return name.replace("_", "").lower()
