"""Simulate bulk jobs on many machines, and a limit: ``python -m benchmarks.scale``.

Prints a table for each question of the guide ``docs/guides/scale.md``. Time is virtual, so that an
hour of a job takes seconds. The same arguments print the same tables.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from benchmarks.cluster import ROWS, Plan, Report, simulate

_LABELS = {
    "none": "no limiter",
    "whole": "whole limit in each task",
    "divided": "divided among tasks",
    "machine": "divided among machines",
    "shared": "one shared limiter",
}
_COLUMNS = (
    ("rows/s", "{:,.0f}"),
    ("of limit", "{:.2f}"),
    ("seconds", "{:.0f}"),
    ("requests", "{}"),
    ("429", "{}"),
    ("twice", "{}"),
    ("settled", "{}"),
    ("unknown", "{}"),
    ("failed", "{}"),
    ("left", "{}"),
    ("lost", "{}"),
)
_LEGEND = f"""\
rows/s    rows executed for the first time ({ROWS:,} in a request) a second
of limit  the same as a share of what the server admits
429       requests that the server rejected because of its limit
twice     rows executed again; settled: those among them that the state had as settled
unknown   rows that the job reports as perhaps executed; failed: as not executed
left      rows of parts that were given up, some of them executed; lost: rows in no report
Rows from "twice" to "lost" are in thousands."""


class Scenario(NamedTuple):
    """A question, and the plans that are compared for it."""

    title: str
    plans: Callable[[Plan], Iterator[tuple[str, Plan]]]


def _limits(base: Plan) -> Iterator[tuple[str, Plan]]:
    for rate in (base.rate, 3.0):
        for limiter, label in _LABELS.items():
            plan = replace(base, limiter=limiter, rate=rate, requests=max(1, base.requests // 2))
            yield f"{label}, {rate:g}/s", plan


def _parts(base: Plan) -> Iterator[tuple[str, Plan]]:
    total = base.parts * base.requests
    for parts in (base.tasks, base.tasks * 5 // 4, base.tasks * 4, base.tasks * 16):
        for limiter in ("divided", "machine", "shared"):
            requests = max(1, total // parts)
            plan = replace(base, limiter=limiter, parts=parts, requests=requests)
            yield f"{parts} of {requests}, {_LABELS[limiter]}", plan


def _stragglers(base: Plan) -> Iterator[tuple[str, Plan]]:
    slow = replace(base, stragglers=max(1, base.executors // 4))
    small = replace(slow, parts=2 * base.parts, requests=max(1, base.requests // 2))
    for plan in (slow, small):
        for speculation in (False, True):
            for limiter in ("divided", "machine", "shared"):
                label = f"{plan.parts} parts, {_LABELS[limiter]}{', second' * speculation}"
                yield label, replace(plan, limiter=limiter, speculation=speculation)


def _failures(base: Plan) -> Iterator[tuple[str, Plan]]:
    mortal = replace(base, life=30.0, limiter="machine", attempts=8)
    for state in (True, False):
        yield f"profiles, {'with' if state else 'no'} state", replace(mortal, state=state)
    lossy = replace(mortal, lost_responses=0.01)
    yield "profiles, state, 1% of responses lost", lossy
    for state in (True, False):
        plan = replace(mortal, operation="audiences", state=state)
        yield f"audiences, {'with' if state else 'no'} state", plan
    yield "audiences, state, concurrency 1", replace(mortal, operation="audiences", concurrency=1)
    yield (
        "audiences, state, 1% of responses lost",
        replace(lossy, operation="audiences", concurrency=1),
    )


def _lost(base: Plan) -> Iterator[tuple[str, Plan]]:
    # After half of the shortest time that a part can take at its share of the limit.
    after = 0.5 * base.requests * base.tasks / base.rate
    for operation in ("profiles", "audiences"):
        for zombie in (False, True):
            plan = replace(
                base,
                operation=operation,
                executors=max(2, base.executors),
                limiter="machine",
                lost_after=after,
                zombie=zombie,
            )
            yield f"{operation}, it {'goes on sending' if zombie else 'is gone'}", plan


SCENARIOS = {
    "limits": Scenario("What keeps the limit, with half of the requests", _limits),
    "parts": Scenario("Number of parts, of so many requests each", _parts),
    "stragglers": Scenario(
        "A quarter of the machines are slow, without and with second attempts at slow parts",
        _stragglers,
    ),
    "failures": Scenario("A task lives 30 s in the mean, parts have 8 attempts", _failures),
    "lost": Scenario("The engine gives up a machine in the middle of its first parts", _lost),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    plan = Plan()
    times = plan.times
    for name, default, text in (
        ("--rate", plan.rate, "requests a second that the server admits"),
        ("--burst", plan.burst, "requests it admits in one moment; 0: those of a second"),
        ("--executors", plan.executors, "machines"),
        ("--slots", plan.slots, "tasks on a machine at a time"),
        ("--parts", plan.parts, "parts of the job"),
        ("--requests", plan.requests, "requests of a part"),
        ("--concurrency", plan.concurrency, "requests of a task in flight"),
        ("--network", times.network, "mean seconds of a request there and back"),
        ("--service", times.service, "seconds of the server for a request"),
        ("--state-write", times.state_write, "seconds to write the state of a part"),
        ("--retry-after", 0.0, "seconds that a 429 asks to wait; 0: it does not say"),
        ("--seed", plan.seed, "of all random numbers"),
    ):
        help_text = f"{text} (default: {default:g})"
        parser.add_argument(name, type=type(default), default=default, help=help_text)
    given = parser.parse_args(arguments)
    unknown = set(given.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"scenarios are {', '.join(SCENARIOS)}, not {', '.join(sorted(unknown))}")
    for name, value in vars(given).items():
        if name == "scenarios":
            continue
        may_be_0 = name in ("burst", "retry_after", "network", "service", "state_write", "seed")
        if not (0 <= value < float("inf") and (value or may_be_0)):
            least = "from" if may_be_0 else "above"
            parser.error(f"--{name.replace('_', '-')} is a number {least} 0, not {value:g}")
    plan = Plan(
        rate=given.rate,
        burst=given.burst,
        executors=given.executors,
        slots=given.slots,
        parts=given.parts,
        requests=given.requests,
        concurrency=given.concurrency,
        times=times._replace(
            network=given.network, service=given.service, state_write=given.state_write
        ),
        retry_after=given.retry_after or None,
        seed=given.seed,
    )
    print(
        f"{plan.executors} machines of {plan.slots} tasks, {plan.parts} parts of {plan.requests}"
        f" requests, {plan.concurrency} in flight for each task; a limit of {plan.rate:g}"
        " requests a second."
    )
    print(_LEGEND)
    for name in given.scenarios or SCENARIOS:
        print()
        for line in table(SCENARIOS[name], plan):
            print(line, flush=True)


def table(scenario: Scenario, base: Plan) -> Iterator[str]:
    """Yield the lines of the table of a scenario."""
    yield scenario.title
    yield _line("", [name for name, _ in _COLUMNS])
    for label, plan in scenario.plans(base):
        yield _line(label, _cells(plan, simulate(plan)))


def _cells(plan: Plan, report: Report) -> list[str]:
    values = (
        report.executed / report.seconds,
        report.share(plan),
        report.seconds,
        report.requests,
        report.refused,
        *(
            round(rows / 1000)
            for rows in (
                report.twice,
                report.settled_twice,
                report.unknown,
                report.failed,
                report.given_up,
                report.lost,
            )
        ),
    )
    return [form.format(value) for (_, form), value in zip(_COLUMNS, values, strict=True)]


def _line(label: str, cells: Sequence[str]) -> str:
    widths = (7, 8, 7, 8, 5, 5, 7, 7, 6, 4, 4)
    return f"{label:<40}" + "".join(
        f" {cell:>{width}}" for cell, width in zip(cells, widths, strict=True)
    )


if __name__ == "__main__":
    main()
