"""Names of the API to names of Python."""

from __future__ import annotations

import keyword
import re

_BOUNDARIES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def underscored(name: str) -> str:
    """Return a name of the API the way Python writes names: ``catalogItemID``, ``catalog_item_id``.

    The name is split before a capital that follows a lower-case letter or digit, and before the
    last capital of a run that is followed by a lower-case letter.
    """
    return re.sub(r"[-\s]+", "_", _BOUNDARIES.sub("_", name)).lower()


def identifier(name: str, reserved: frozenset[str] = frozenset()) -> str:
    """Return an underscored name that is an identifier, with an underscore appended if reserved."""
    text = re.sub(r"\W", "_", underscored(name))
    if not text or text[0].isdigit():
        text = f"_{text}"
    return text if is_usable(text, reserved) else f"{text}_"


def is_usable(name: str, reserved: frozenset[str] = frozenset()) -> bool:
    """Return whether a name is an identifier and not reserved."""
    return name.isidentifier() and not keyword.iskeyword(name) and name not in reserved


def module_name(class_name: str) -> str:
    """Return the name of the module that holds a class."""
    return identifier(class_name)
