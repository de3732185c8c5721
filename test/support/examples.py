"""How many examples a property test tries."""

from __future__ import annotations

from hypothesis import settings


def examples(count: int) -> settings:
    """Try so many examples, and ten times as many with ``--hypothesis-profile=thorough``."""
    return settings(max_examples=count * settings().max_examples // 100)
