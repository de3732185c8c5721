"""Strict JSON: everything that is read can be written again."""

from __future__ import annotations

import json
from typing import Any


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
        value = json.loads(text, parse_constant=_refuse)
        # An escape can be a lone surrogate, and a large exponent is infinity. Neither can be
        # stored or sent, and encoding the value finds both.
        write(value)
    except RecursionError as cause:
        raise ValueError("the JSON is nested too deeply") from cause
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
