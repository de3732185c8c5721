"""JSON as it is read and written here: strictly, so that all that is read can be sent back."""

from __future__ import annotations

import json
from typing import Any


def write(value: Any) -> bytes:
    """Return a value as compact UTF-8.

    Raises:
        ValueError: If JSON cannot express it.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def read(text: str) -> Any:
    """Return the value that a text describes.

    Raises:
        ValueError: If the text is not JSON, or describes what cannot be written again.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
        # Escapes can spell lone surrogates and exponents infinity; neither can be stored or
        # sent back, and encoding finds both.
        write(value)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
