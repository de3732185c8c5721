"""Regular expressions of the API to those of Python."""

from __future__ import annotations

import re
import warnings

from codegen.loader import SpecError

_POSIX_CLASSES = {
    "[:cntrl:]": r"\x00-\x1f\x7f",
    "[:alnum:]": "A-Za-z0-9",
    "[:alpha:]": "A-Za-z",
    "[:digit:]": "0-9",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
    "[:space:]": r"\s",
    "[:punct:]": r"!-/:-@\[-`{-~",
    "[:print:]": r"\x20-\x7e",
}


def python_pattern(pattern: str) -> str:
    """Return a regular expression of the API in the dialect of Python.

    Raises:
        SpecError: Python cannot compile it.
    """
    with_wire_names = pattern
    for posix, python in _POSIX_CLASSES.items():
        with_wire_names = with_wire_names.replace(posix, python)
    with_wire_names = with_wire_names.replace("[^]", r"[\s\S]")
    # In Python, $ also matches before a line break at the end.
    if with_wire_names.endswith("$") and not with_wire_names.endswith(r"\$"):
        with_wire_names = with_wire_names[:-1] + r"\Z"
    with warnings.catch_warnings():
        # Python warns of what other dialects read differently, such as [[:word:]].
        warnings.simplefilter("error")
        try:
            re.compile(with_wire_names)
        except (re.error, FutureWarning) as cause:
            raise SpecError(f"the pattern {pattern!r} is not valid in Python: {cause}") from cause
    return with_wire_names
