"""The reliability guide names tests that exist, and the defaults of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import talon_one
from talon_one import Configuration, RetryPolicy, Timeout
from talon_one._core.retry import RetryBudget

pytestmark = pytest.mark.one_shell("nothing is called here")

TESTS = Path(__file__).parents[1]
GUIDE = TESTS.parent / "docs" / "guides" / "reliability.md"
PROMISES = TESTS.parent / "docs" / "contributing" / "promises.md"


@pytest.fixture(scope="module")
def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def promises() -> str:
    return PROMISES.read_text(encoding="utf-8")


def rows(guide: str, title: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its own heading."""
    section = guide.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def existing_tests() -> set[str]:
    return {
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def test_every_promise_names_tests_that_exist(promises: str) -> None:
    named = [row[1] for title in ("Failures", "Everything else") for row in rows(promises, title)]
    assert len(named) > 30
    tests = existing_tests()
    for cell in named:
        assert cell
        assert set(re.sub(r"`(test_\w+)`", r"\1", cell).split(", ")) <= tests


def test_every_failure_names_an_exception_and_has_tests(guide: str, promises: str) -> None:
    failures = rows(guide, "What is promised for each failure")
    assert len(failures) >= 20
    assert [row[0] for row in failures] == [row[0] for row in rows(promises, "Failures")]
    for happening, exception, retried, advice in failures:
        assert happening
        assert retried
        assert advice
        for name in re.findall(r"`(\w+)`", exception):
            assert issubclass(getattr(talon_one, name), talon_one.OpenApiException)


def test_the_defaults_are_those_of_the_code(guide: str) -> None:
    stated = {row[0]: row[1] for row in rows(guide, "Defaults")}
    timeout, policy, budget = Configuration().timeout_for(), RetryPolicy(), RetryBudget()
    assert timeout == Timeout()
    assert stated["time to connect"] == f"{timeout.connect:.0f} s"
    assert stated["time to wait for each piece of the response"].startswith(
        f"{timeout.read:.0f} s;"
    )
    assert (stated["time for the whole call: attempts, pauses, reading"] == "none") == (
        timeout.deadline is None
    )
    assert stated["retries"] == (
        f"{policy.retries}, after pauses of up to {policy.backoff} s and {2 * policy.backoff} s"
    )
    assert stated["longest `Retry-After` that is honored"] == f"{policy.retry_after_max:.0f} s"
    assert rows(guide, "The retry budget") == [
        ["retries that a client has at the start, and can save up", str(budget.retries)],
        ["of these, for requests with an `Idempotency-Key` alone", str(budget.reserved)],
        ["responses that earn one more", str(budget.price)],
        ["retries after 429, or after 409 for too many parallel updates", "free"],
        ["retry after a failure on a connection that had served before", "always granted"],
    ]
    assert Configuration().generate_idempotency_keys


def test_the_read_defaults_of_long_operations_are_within_what_is_stated(guide: str) -> None:
    waits = {
        method.operation.read_timeout
        for api in (talon_one.IntegrationApi, talon_one.ManagementApi)
        for method in vars(api).values()
        if getattr(getattr(method, "operation", None), "read_timeout", None) is not None
    }
    assert (min(waits), max(waits)) == (5 * 60, 30 * 60)
    assert "5 to 30 minutes for imports, exports" in guide
