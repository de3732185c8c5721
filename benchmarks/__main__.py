"""Print the table of budgets: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping

from benchmarks import ROOT, fresh
from benchmarks.budgets import BUDGETS
from benchmarks.timing import Reading

_ROW = "{:<48}  {:<27}  {:>9}  {:>11}  {:>11}  {}"


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--processes", type=int, default=21, help="new interpreters for each start-up measure"
    )
    parser.add_argument(
        "--rounds", type=int, default=1500, help="rounds of everything that is measured warm"
    )
    parser.add_argument(
        "--calls", type=int, default=10_000, help="calls during which memory must not grow"
    )
    arguments = parser.parse_args()
    # The goals hold for the package as `pip install talon_one` brings it, without extras.
    readings = {
        **fresh.readings(arguments.processes),
        **_program("warm", arguments.rounds, "without-orjson"),
        **_program("growth", arguments.calls),
    }
    has_orjson = importlib.util.find_spec("orjson") is not None
    faster = _program("warm", arguments.rounds) if has_orjson else {}
    for line in table(readings, faster):
        print(line)


def table(readings: Mapping[str, Reading], faster: Mapping[str, Reading]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"Medians on Python {platform.python_version()}."
    yield ""
    yield _ROW.format("Measure", "against", "now", "with orjson", "goal", "")
    for key, budget in BUDGETS.items():
        value = budget.value(readings[key])
        yield _ROW.format(
            budget.measure,
            budget.yardstick,
            budget.written(value),
            budget.written(budget.value(faster[key])) if key in faster else "",
            budget.limit,
            budget.verdict(value),
        )


def _program(module: str, count: int, *options: str) -> dict[str, Reading]:
    """Return the readings of a module that is a program of its own."""
    command = [sys.executable, "-m", f"benchmarks.{module}", str(count), *options]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return {key: Reading(*pair) for key, pair in json.loads(done.stdout).items()}


if __name__ == "__main__":
    main()
