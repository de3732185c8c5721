"""Folders that stay from one run of the tests to the next."""

from __future__ import annotations

from pathlib import Path

import pytest


def kept_folder(config: pytest.Config, name: str, otherwise: Path) -> Path:
    """Return a folder in the cache of pytest.

    Args:
        config: What the fixture ``pytestconfig`` gives.
        name: Name of the folder, which no other test uses.
        otherwise: What is returned with ``-p no:cacheprovider``.
    """
    cache: pytest.Cache | None = getattr(config, "cache", None)
    return cache.mkdir(name) if cache else otherwise
