"""Text of servers, files and arguments as a terminal may show it."""

from __future__ import annotations

import re

# Escape sequences would move the cursor, color what follows, or set the title of the window.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LINE_ENDS = re.compile(r"[\t\n\u2028\u2029]")
_ABOVE_ASCII = re.compile(r"[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return text with visible escapes in place of control characters, except tab and newline."""
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def printable_line(text: str) -> str:
    """Return text with visible escapes also in place of tabs and of what ends a line."""
    return _LINE_ENDS.sub(lambda found: ascii(found[0])[1:-1], printable(text))


def printable_json(text: str) -> str:
    r"""Return JSON with ``\u`` escapes in place of what JSON allows and terminals obey."""
    return _ABOVE_ASCII.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
