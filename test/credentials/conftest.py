"""Both shells, for tests of calls over sockets."""

from __future__ import annotations

from support.each_shell import each_shell, pytest_generate_tests  # noqa: F401  for pytest
