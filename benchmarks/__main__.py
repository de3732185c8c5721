"""Print the table of budgets: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping

from benchmarks import ROOT, cold_start
from benchmarks.budgets import BUDGETS
from benchmarks.timing import Measurement

_ROW = "{:<48}  {:<27}  {:>9}  {:>11}  {:>11}  {}"


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--processes", type=int, default=21, help="new interpreters for each startup measurement"
    )
    parser.add_argument("--rounds", type=int, default=1500, help="rounds of each warm measurement")
    parser.add_argument(
        "--calls", type=int, default=10_000, help="calls over which memory must not grow"
    )
    arguments = parser.parse_args()
    # The goals are for an installation without extras.
    measurements = {
        **cold_start.measure(arguments.processes),
        **_program("warm", arguments.rounds, "without-orjson"),
        **_program("sandbox_update", max(arguments.rounds // 5, 2)),
        **_program("memory_growth", arguments.calls),
    }
    has_orjson = importlib.util.find_spec("orjson") is not None
    with_orjson = {}
    if has_orjson:
        cold = cold_start.measure(arguments.processes, without_orjson=False)
        with_orjson = {"first call": cold["first call"], **_program("warm", arguments.rounds)}
    for line in table(measurements, with_orjson):
        print(line)


def table(
    measurements: Mapping[str, Measurement], with_orjson: Mapping[str, Measurement]
) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"Medians on Python {platform.python_version()}."
    yield ""
    yield _ROW.format("Measure", "against", "now", "with orjson", "goal", "")
    for key, budget in BUDGETS.items():
        value = budget.value(measurements[key])
        yield _ROW.format(
            budget.measure,
            budget.yardstick,
            budget.format(value),
            budget.format(budget.value(with_orjson[key])) if key in with_orjson else "",
            budget.limit,
            budget.verdict(value),
        )


def _program(module: str, count: int, *options: str) -> dict[str, Measurement]:
    """Run a module of this package as a program and return its measurements."""
    command = [sys.executable, "-m", f"benchmarks.{module}", str(count), *options]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return {key: Measurement(*pair) for key, pair in json.loads(done.stdout).items()}


if __name__ == "__main__":
    main()
