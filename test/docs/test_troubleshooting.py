"""Each message that the troubleshooting guide quotes occurs in the source."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from docs.pages import DOCS, ROOT, Page

_HEADINGS = re.findall(
    r"^### (.+)$", Page(DOCS / "guides" / "troubleshooting.md").text, re.MULTILINE
)
_MESSAGES = [message for heading in _HEADINGS for message in re.findall(r"`([^`]+)`", heading)]

# Texts of the platform and of OpenSSL, which no source of ours has.
_FOREIGN = {"CERTIFICATE_VERIFY_FAILED", "401 …", "409 …", "429 …"}


@cache
def _texts() -> str:
    """All texts in the source of the package, one a line."""
    found = set()
    for path in (ROOT / "talon_one").rglob("*.py"):
        if path.parent.name != "models":
            found |= {
                node.value
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
    return "\n".join(found)


def test_it_quotes_many_messages() -> None:
    assert len(_MESSAGES) > 35
    assert len(_MESSAGES) == len(set(_MESSAGES))


@pytest.mark.parametrize("message", [each for each in _MESSAGES if each not in _FOREIGN])
def test_a_quoted_message_occurs_in_the_source(message: str) -> None:
    # The status is put in front of what the server says.
    parts = re.sub(r"^\d{3} (… )?", "", message).split("…")
    for part in filter(None, (each.strip(" ;:.") for each in parts)):
        assert part in _texts(), part
