"""A client that decodes, and both shells for tests of calls over sockets."""

from __future__ import annotations

import pytest

from support.each_shell import each_shell, pytest_generate_tests  # noqa: F401  for pytest
from talon_one import ApiClient


@pytest.fixture(scope="session")
def client() -> ApiClient:
    """A client that never opens a connection."""
    return ApiClient()
