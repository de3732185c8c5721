"""Tests of seeds close the databases that they open, at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.seeds.planting import OPEN


@pytest.fixture(autouse=True, scope="session")
def closed_databases() -> Iterator[None]:
    yield
    OPEN.close()
