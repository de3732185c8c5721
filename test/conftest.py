"""Settings of hypothesis and of the garbage collector for all tests."""

from __future__ import annotations

import gc

from hypothesis import HealthCheck, settings

# How fast examples are made is not for tests to judge.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_collection_finish() -> None:
    """Leave the tests themselves out of garbage collections, which take a tenth as long then."""
    gc.collect()
    gc.freeze()
