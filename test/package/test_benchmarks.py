"""`python -m benchmarks` runs. Tests do not check how long anything takes."""

from __future__ import annotations

import json
import mmap
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks import calls
from benchmarks.budgets import BUDGETS, Budget
from benchmarks.memory_growth import call_growth
from benchmarks.payloads import session_request, session_response
from benchmarks.throughput import throughput
from benchmarks.timing import Measurement, interleaved
from support.platforms import needs_linux
from talon_one import IntegrationRequest, IntegrationStateV2, Model

from .fresh import ROOT

_KEPT = 2**17


@needs_linux
def test_the_command_prints_a_row_with_a_verdict_for_every_budget() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--processes", "1", "--rounds", "2", "--calls", "10"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()[-len(BUDGETS) :]
    for row, budget in zip(rows, BUDGETS.values(), strict=True):
        assert row.startswith(budget.measure)
        assert budget.yardstick in row
        assert budget.limit in row
        assert row.endswith("met") or "missed by" in row


def test_measurements_are_interleaved() -> None:
    taken: list[str] = []

    def measure(name: str, values: list[float]) -> float:
        taken.append(name)
        return values.pop(0)

    ours, yardstick = [3.0, 2.0, 9.0], [1.0, 5.0, 1.0]
    found = interleaved(lambda: measure("a", ours), lambda: measure("b", yardstick), 3)
    assert taken == ["a", "b"] * 3
    assert found == Measurement(3.0, 1.0)


def test_a_budget_is_a_ratio_a_difference_or_a_time() -> None:
    assert Budget("", "", 1).value(Measurement(3.0, 2.0)) == 1.5
    assert Budget("", "", 1, "MB").value(Measurement(5 * 2**20, 3 * 2**20)) == 2.0
    assert Budget("", "", 1, "ms").value(Measurement(0.25, 0)) == 250


def test_a_goal_has_a_direction() -> None:
    cost, throughput = Budget("", "", 1.5), Budget("", "", 0.9, more_is_better=True)
    assert (cost.limit, cost.verdict(1.5), cost.verdict(2)) == ("<= 1.50", "met", "missed by 0.50")
    assert (throughput.limit, throughput.verdict(0.9)) == (">= 0.90", "met")
    assert throughput.verdict(0.8) == "missed by 0.10"
    memory, time = Budget("", "", 2, "MB"), Budget("", "", 5, "ms")
    assert (memory.limit, memory.verdict(2.5)) == ("<= +2.00 MB", "missed by +0.50 MB")
    assert (time.limit, time.verdict(6)) == ("<= 5.00 ms", "missed by 1.00 ms")


@needs_linux
def test_a_client_that_leaks_memory_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[mmap.mmap] = []

    # Its own pages, because memory that earlier tests have freed would be used first.
    def keep() -> None:
        kept.append(mmap.mmap(-1, _KEPT))
        kept[-1].write(b"x" * _KEPT)

    @contextmanager
    def leaking(host: str) -> Iterator[calls.Call]:
        yield keep

    monkeypatch.setattr(calls, "ours", leaking)
    growth = BUDGETS["growth"].value(call_growth(100))
    assert growth == pytest.approx(100 * _KEPT / 2**20, rel=0.2)
    for pages in kept:
        pages.close()


def test_every_thread_makes_its_share_of_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    callers: dict[str, list[int]] = {"ours": [], "by_hand": []}

    def counted(side: str) -> object:
        @contextmanager
        def stub(host: str, connections: int) -> Iterator[calls.Call]:
            assert connections == 4
            yield lambda: callers[side].append(threading.get_ident())

        return stub

    for side in callers:
        monkeypatch.setattr(calls, side, counted(side))
    found = throughput(4, 160)
    assert found.ours > 0 < found.yardstick
    for made in callers.values():
        # Eight batches that are measured, after one that opens the connections.
        assert sorted(map(made.count, set(made))) == [9 * 5] * 4


def test_the_measured_response_has_12_kilobytes() -> None:
    text = json.dumps(session_response(), separators=(",", ":"), ensure_ascii=False).encode()
    assert len(text) == pytest.approx(12_000, rel=0.02)


@pytest.mark.parametrize(
    ("cls", "data"),
    [(IntegrationStateV2, session_response()), (IntegrationRequest, session_request())],
)
def test_the_measured_payloads_are_valid_and_have_no_unknown_properties(
    cls: type[Model], data: dict[str, object]
) -> None:
    model = cls.from_dict(data)
    model.validate()
    assert undeclared(model) == {}


def undeclared(value: object) -> dict[str, object]:
    """Return all properties, nested ones included, that no class declares."""
    found: dict[str, object] = {}
    if isinstance(value, Model):
        found.update(value.additional_properties)
        for name in type(value)._fields:
            found.update(undeclared(getattr(value, name)))
    elif isinstance(value, list | dict):
        for item in value if isinstance(value, list) else value.values():
            found.update(undeclared(item))
    return found
