"""All functions of the language, by their names in lower case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from talon_one.sandbox.talang import (
    arithmetic,
    blocks,
    comparison,
    lists,
    lookups,
    templates,
    text,
    times,
)
from talon_one.sandbox.talang.declarations import Declaration

FUNCTIONS: Final[Mapping[str, Declaration]] = {
    **arithmetic.FUNCTIONS,
    **comparison.FUNCTIONS,
    **text.FUNCTIONS,
    **times.FUNCTIONS,
    **lists.FUNCTIONS,
    **blocks.FUNCTIONS,
    **lookups.FUNCTIONS,
    **templates.FUNCTIONS,
}
