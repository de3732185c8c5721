"""Quote values in error messages: shortened, and without failing."""

from __future__ import annotations

from typing import Any

_LIMIT = 60


def quoted(value: Any, limit: int = _LIMIT) -> str:
    """Return the ``repr`` of a value, shortened to at most *limit* characters.

    Args:
        value: The value; its ``repr`` may have any length and may raise.
        limit: Maximum number of characters.
    """
    try:
        if isinstance(value, (str, bytes)) and len(value) > limit:
            value = value[:limit]  # Its ``repr`` is too long in any case.
            return f"{repr(value)[: limit - 3]}..."
        text = repr(value)
    except Exception:  # Foreign code must not hide the actual message.
        text = object.__repr__(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def message_of(problem: BaseException, limit: int = 1000) -> str:
    """Return the message of an exception in one line of at most *limit* characters.

    Args:
        problem: The exception; its ``str`` may have any length and may raise.
        limit: Maximum number of characters.
    """
    try:
        text = str(problem)
    except Exception:  # As above.
        text = ""
    # A server may send a lone surrogate, which cannot be printed.
    text = " ".join(text.encode(errors="backslashreplace").decode().split())
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
