"""Find the line of the caller, for a warning."""

from __future__ import annotations

import sys


def frames_of_package() -> int:
    """Return the number of frames of this package above the line of its caller.

    The frame that calls this function counts.
    """
    package = __name__.partition(".")[0]
    count = 0
    frame = sys._getframe(1)
    while frame.f_back is not None:
        name = frame.f_globals.get("__name__", "")
        if name != package and not name.startswith(f"{package}."):
            break
        frame = frame.f_back
        count += 1
    return count
