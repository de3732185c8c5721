"""Strict JSON: everything that is read can be written again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from talon_one.sandbox.errors import Problem

MAX_ITEMS: Final = 10_000
"""Entries of a list in a request; the platform documents at most 1000 for any of its lists."""

MAX_DEPTH: Final = 100
"""Lists and objects around a value."""

MAX_DIGITS: Final = 300
"""Digits of a whole number."""


def write(value: Any) -> bytes:
    """Return a value as compact JSON in UTF-8.

    Raises:
        ValueError: If JSON cannot express the value.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def read(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: If the text is not JSON, or its value could not be written again.
    """
    try:
        value = json.loads(text, parse_constant=_refuse, parse_int=_integer)
        # An escape can be a lone surrogate, and a large exponent is infinity. Neither can be
        # stored or sent, and encoding the value finds both.
        write(value)
    except RecursionError as cause:
        raise ValueError("the JSON is nested too deeply") from cause
    return value


def excess(value: Any, text: str) -> Problem | None:
    """Return what makes a value too large to work with, None for most.

    Args:
        value: A value that was read.
        text: Its text. One with few brackets cannot be deep, and a short one has no long list:
            such a value is not searched.
    """
    opened = text.count("[") + text.count("{")
    if opened <= MAX_DEPTH and len(text) < 2 * MAX_ITEMS:
        return None
    pending = [("", value, 1)]
    while pending:
        pointer, one, depth = pending.pop()
        if not isinstance(one, list | dict):
            continue
        if depth > MAX_DEPTH:
            details = f"values must be nested in at most {MAX_DEPTH} lists and objects"
            return Problem("maxDepth", details, pointer)
        if isinstance(one, list):
            if len(one) > MAX_ITEMS:
                details = f"a list must have at most {MAX_ITEMS} entries"
                return Problem("maxItems", details, pointer)
            entries: Iterable[tuple[str | int, Any]] = enumerate(one)
        else:
            entries = one.items()
        pending.extend(
            (f"{pointer}/{_token(name)}", entry, depth + 1)
            for name, entry in entries
            if isinstance(entry, list | dict)
        )
    return None


def _token(name: str | int) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


def _integer(digits: str) -> int:
    # A larger one has no counterpart among floats, and calculating with both fails.
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits")
    return int(digits)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
