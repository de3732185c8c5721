"""Suggest the nearest valid name for a misspelled one: "Did you mean ...?"."""

from __future__ import annotations

from collections.abc import Iterable

_MIN_PART = 4
"""Minimum length of a part of a name to compare."""
_TYPO_SIMILARITY = 0.9
"""Minimum similarity of names of the same thing."""
_MAX_LENGTH_DIFFERENCE = 2


def did_you_mean(name: str, valid: Iterable[str], typos_only: bool = False) -> str:
    """Return ``" Did you mean 'x'?"`` for the valid name closest to *name*, or an empty string.

    Args:
        name: An unknown name.
        valid: The valid names.
        typos_only: Ignore names that may be new rather than misspelled.
    """
    # difflib is imported only after a mistake: it costs more than importing this package.
    from difflib import get_close_matches

    names = list(valid)
    bare = _bare(name)
    # The same name in another convention, such as `updateCoupon` for `update_coupon`.
    nearest = [each for each in names if _bare(each) == bare]
    if typos_only:
        # A typo hardly changes the length of a name.
        names = [each for each in names if abs(len(each) - len(name)) <= _MAX_LENGTH_DIFFERENCE]
        nearest = nearest or get_close_matches(name, names, n=1, cutoff=_TYPO_SIMILARITY)
    else:
        # A part of the name, such as `timeout` for `_request_timeout`.
        parts = (each for each in names if len(bare) > _MIN_PART and bare in _bare(each))
        nearest = nearest or get_close_matches(name, names, n=1) or list(parts)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""


def _bare(name: str) -> str:
    return name.replace("_", "").lower()
