"""`python -m benchmarks.scale`: what holds for every job that is spread over machines."""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import cluster, per_core, scale, simulated_server, virtual_time
from benchmarks.cluster import LIMITERS, ROWS, Plan, simulate
from benchmarks.simulated_server import Times
from talon_one.aio.bulk_runner import TaskRunner

from .fresh import ROOT

_GUIDE = (ROOT / "docs/guides/scale.md").read_text(encoding="utf-8")
_SMALL = Plan(executors=3, parts=9, requests=4, prepare=0.01)

_plans = st.builds(
    replace,
    st.just(_SMALL),
    operation=st.sampled_from(["profiles", "audiences"]),
    limiter=st.sampled_from(LIMITERS),
    state=st.booleans(),
    burst=st.sampled_from([1.0, 20.0]),
    retry_after=st.sampled_from([None, 1.0]),
    lost_responses=st.sampled_from([0.0, 0.1]),
    times=st.sampled_from([Times(), Times(network=1.0, state_write=0.5)]),
    concurrency=st.sampled_from([1, 4]),
    stragglers=st.integers(0, 2),
    speculation=st.booleans(),
    life=st.sampled_from([0.0, 2.0]),
    lost_after=st.sampled_from([0.0, 1.0]),
    zombie=st.booleans(),
    seed=st.integers(0, 1000),
)


@settings(max_examples=50, deadline=None)
@given(plan=_plans)
def test_whatever_fails_no_row_is_lost_and_no_settled_row_is_sent_again(plan: Plan) -> None:
    report = simulate(plan)
    assert (report.lost, report.settled_twice) == (0, 0)
    total = ROWS * plan.parts * plan.requests
    assert (
        total - report.given_up - report.failed - report.unknown
        <= report.executed
        <= total - (report.failed if plan.operation == "audiences" else 0)
    )


@settings(max_examples=30, deadline=None)
@given(plan=_plans.map(lambda plan: replace(plan, operation="audiences")))
def test_rows_that_must_not_be_sent_twice_are_executed_once_or_reported(plan: Plan) -> None:
    assert simulate(plan).twice == 0


def test_the_same_plan_always_has_the_same_report() -> None:
    before = random.getstate()
    for limiter in LIMITERS:
        plan = replace(_SMALL, life=5.0, lost_responses=0.05, limiter=limiter, burst=1.0)
        report = simulate(plan)
        assert simulate(plan) == report
        assert simulate(replace(plan, seed=2)) != report
    assert random.getstate() == before


def test_the_guide_has_the_numbers_of_the_simulation() -> None:
    rows = re.findall(r"^\| 20 \| (.+?) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|", _GUIDE, re.M)
    assert len(rows) == len(LIMITERS)
    for limiter, (name, *texts) in zip(LIMITERS, rows, strict=True):
        report = simulate(Plan(limiter=limiter, requests=Plan.requests // 2))
        found = [report.executed / report.seconds, report.requests, report.refused]
        said = [float(text.replace(",", "")) for text in texts]
        assert found == pytest.approx(said, rel=0.01), name


def test_limits_that_are_shared_or_divided_are_never_exceeded() -> None:
    once = replace(_SMALL, parts=_SMALL.tasks)
    plans = [
        replace(_SMALL, limiter="shared"),
        replace(_SMALL, limiter="machine"),
        replace(_SMALL, limiter="shared", stragglers=1, life=5.0),
        replace(_SMALL, limiter="machine", stragglers=1, life=5.0),
        replace(once, limiter="divided"),
        replace(once, limiter="divided", stragglers=1),
    ]
    assert [simulate(plan).refused for plan in plans] == [0] * len(plans)


def test_tasks_that_each_believe_to_have_the_whole_limit_exceed_it() -> None:
    plan = replace(_SMALL, rate=5.0)
    for limiter in ("none", "whole"):
        report = simulate(replace(plan, limiter=limiter))
        assert report.refused > report.requests / 3
        assert report.share(plan) <= 1 + plan.rate / plan.parts / plan.requests


def test_a_state_saves_what_a_task_had_sent_before_it_died() -> None:
    plan = replace(_SMALL, requests=12, life=4.0, attempts=20)
    with_state, without = simulate(plan), simulate(replace(plan, state=False))
    assert with_state.deaths > 3 < without.deaths
    assert with_state.twice < without.twice / 2
    assert with_state.executed == without.executed == ROWS * plan.parts * plan.requests


def test_operations_that_must_not_be_sent_twice_give_parts_up_without_a_state() -> None:
    plan = replace(_SMALL, operation="audiences", life=4.0, state=False)
    report = simulate(plan)
    assert report.given_up > 0
    assert report.unknown == 0


def test_a_shared_limit_gives_others_what_slow_machines_do_not_use() -> None:
    plan = replace(_SMALL, parts=24, stragglers=1, slowness=100.0)
    shared, divided = (simulate(replace(plan, limiter=name)) for name in ("shared", "divided"))
    assert shared.share(plan) > 1.1 * divided.share(plan)


def test_a_second_attempt_at_a_slow_part_ends_the_job_earlier() -> None:
    plan = replace(_SMALL, limiter="shared", stragglers=1, slowness=200.0)
    waiting, speculating = simulate(plan), simulate(replace(plan, speculation=True))
    assert speculating.seconds < waiting.seconds
    assert speculating.attempts > waiting.attempts


def test_a_machine_that_is_given_up_and_goes_on_sends_nothing_twice() -> None:
    plan = replace(_SMALL, operation="audiences", limiter="machine", lost_after=0.5)
    for zombie in (False, True):
        report = simulate(replace(plan, zombie=zombie))
        assert report.deaths > 0
        assert (report.twice, report.given_up) == (0, 0)
        assert report.executed + report.unknown >= ROWS * plan.parts * plan.requests


def test_a_job_that_does_not_resume_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(operation: Any, rows: Any, options: dict[str, Any]) -> Any:
        return TaskRunner(operation, rows, {**options, "resume": None})

    monkeypatch.setattr(cluster, "TaskRunner", forgetful)
    assert simulate(replace(_SMALL, life=2.0, attempts=20)).settled_twice > 0


def test_a_server_that_forgets_rows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(simulated_server.Server):
        def receive(self, *args: Any) -> None:
            super().receive(*args)
            self.executed.pop((0, 1), None)

    monkeypatch.setattr(cluster, "Server", Forgetful)
    assert simulate(_SMALL).lost == ROWS // 2


def test_a_plan_that_cannot_be_simulated_is_refused() -> None:
    with pytest.raises(ValueError, match=r"limiter is one of .* not 'half'"):
        Plan(limiter="half")
    with pytest.raises(ValueError, match="a second executor"):
        Plan(executors=1, lost_after=1.0)


def test_virtual_time_passes_without_waiting() -> None:
    async def sleep() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(asyncio.sleep(3600), asyncio.sleep(7200))
        return loop.time() - began

    assert virtual_time.run(sleep()) == 7200


def test_virtual_time_does_not_wait_for_what_cannot_happen() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="no timer left"):
        virtual_time.run(wait())


@pytest.mark.parametrize("scenario", list(scale.SCENARIOS))
def test_the_command_prints_a_table(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--executors", "2", "--slots", "1", "--parts", "2", "--requests", "2"]
    scale.main([scenario, *size])
    heading, *_ = scale.SCENARIOS[scenario]
    printed = capsys.readouterr().out.splitlines()
    table = printed[printed.index(heading) :]
    plans = list(scale.SCENARIOS[scenario].plans(Plan(executors=2, slots=1, parts=2, requests=2)))
    assert [line.startswith(label) for line, (label, _) in zip(table[2:], plans, strict=True)]
    assert {len(line) for line in table[1:]} == {len(table[1])}


def test_the_command_names_what_it_cannot_simulate(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, message in (
        (["limts"], "scenarios are limits, parts, stragglers, failures, lost, not limts"),
        (["--rate", "0"], "--rate is a number above 0, not 0"),
        (["--rate", "nan"], "--rate is a number above 0, not nan"),
        (["--state-write", "-1"], "--state-write is a number from 0, not -1"),
    ):
        with pytest.raises(SystemExit):
            scale.main(arguments)
        assert message in capsys.readouterr().err


def test_bytes_and_rows_of_a_core_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    per_core.main(["--measure", "wire", "--rows", "1000"])
    assert '"bytes of such a profile": 14' in capsys.readouterr().out
    found = per_core.MEASURES["export"](100)
    assert set(found) == {
        "typed rows of a coupon export read, a CPU second",
        "bytes of such a row",
    }
    assert all(value > 0 for value in found.values())
