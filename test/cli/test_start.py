"""A command loads what it needs, so that help and completion come without a pause."""

from __future__ import annotations

import sys

import pytest

from cli.program import run

_PROGRAM = """
import atexit, sys
atexit.register(lambda: print(*sorted(sys.modules), sep="\\n", file=sys.stderr))
from talon_one.cli import main
sys.exit(main(sys.argv[1:]))
"""

# What calls need, or what only some commands do.
_HEAVY = {
    "aiohttp",
    "asyncio",
    "csv",
    "jmespath",
    "keyring",
    "platformdirs",
    "rich",
    "ssl",
    "talon_one._schema.model",
    "talon_one.api.integration_api",
    "talon_one.api.management_api",
    "talon_one.api_client",
    "talon_one.configuration",
    "talon_one.models",
    "talon_one.sandbox",
    "tomllib",
    "urllib3",
    "yaml",
}


def loaded(*words: str) -> set[str]:
    """Return the modules that a command has loaded when it ends."""
    ended = run(sys.executable, "-c", _PROGRAM, *words)
    assert ended.code == 0, ended
    return set(ended.err.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["--help"],
        ["management", "--help"],
        ["integration", "update-customer-session-v2", "--help"],
        ["config", "set", "--help"],
        ["sandbox", "--help"],
        ["bulk", "profiles", "--help"],
        ["coupons", "import", "--help"],
        ["campaigns", "report", "--help"],
        ["webhooks", "listen", "--help"],
    ],
)
def test_help_loads_nothing_that_only_calls_need(words: list[str]) -> None:
    modules = loaded(*words)
    assert modules & _HEAVY == set()
    if words[0] != "management" and words[0] != "integration":
        assert not any(name.startswith("talon_one.api") for name in modules)


def test_a_call_that_draws_no_table_loads_no_rich() -> None:
    words = ["management", "get-campaigns", "1", "--host", "http://127.0.0.1:9", "--dry-run"]
    modules = loaded(*words)
    assert "talon_one.api_client" in modules
    assert (
        modules & {"rich", "aiohttp", "urllib3", "keyring", "talon_one.api.management_api"} == set()
    )
