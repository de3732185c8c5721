"""Conditions for tests of what only some systems have, each with the reason that a report shows."""

from __future__ import annotations

import sys

import pytest

needs_posix_signals = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has neither timers nor signals to other processes"
)
needs_posix_files = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has other pipes, limits and terminals"
)
needs_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has these files in /dev and /proc"
)
