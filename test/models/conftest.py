"""A client that decodes."""

from __future__ import annotations

import pytest

from talon_one import ApiClient


@pytest.fixture(scope="session")
def client() -> ApiClient:
    """A client that never opens a connection."""
    return ApiClient()
