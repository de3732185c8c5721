"""A limit that the processes of one machine share through a file."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk.limited_process import recorded_time, reserve_some
from bulk.test_divided_limiter import most_in
from support.fresh_program import run
from support.timing import MockClock
from talon_one import ApiTypeError
from talon_one.bulk import SharedLimiter
from talon_one.limiter import Limiter


def test_processes_never_exceed_the_limit_together(tmp_path: Path) -> None:
    limiter = SharedLimiter(tmp_path / "limit", 5, 0.05, recorded_time)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        results = [pool.apply_async(reserve_some, (limiter, 25)) for _ in range(4)]
        starts = [start for result in results for start in result.get(60)]
    assert len(starts) == 100
    assert most_in(0.05, starts) <= 5


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 4), st.lists(st.floats(0, 1.5), min_size=1, max_size=25))
def test_the_starts_are_those_of_a_limiter_in_one_process(calls: int, pauses: list[float]) -> None:
    clock = MockClock(1e6)
    with tempfile.TemporaryDirectory() as folder:
        # Each stands for a process, which opens the file for every call anyway.
        shared = [SharedLimiter(f"{folder}/limit", calls, 1.0, clock) for _ in range(3)]
        plain = Limiter(calls, 1.0, clock)
        starts = []
        for number, pause in enumerate(pauses):
            clock.now += pause
            starts.append(clock.now + shared[number % 3].reserve("a"))
            assert starts[-1] == pytest.approx(clock.now + plain.reserve("a"))
        assert most_in(1.0, starts) <= calls


def test_a_pause_in_one_process_holds_the_others_back(tmp_path: Path) -> None:
    clock = MockClock(1e6)
    one, other = (SharedLimiter(tmp_path / "limit", 3, 1.0, clock) for _ in range(2))
    assert other.held_until("a") < clock.now
    one.back_off("a", 5)
    one.back_off("a", 2)
    assert other.held_until("a") == clock.now + 5
    assert [other.reserve(each) for each in "aaaab"] == [5, 5, 5, 6, 0]
    with pytest.raises(ApiTypeError, match="seconds is a number from 0"):
        one.back_off("a", -1)


def test_a_clock_that_is_set_back_takes_what_is_reserved_with_it(tmp_path: Path) -> None:
    clock = MockClock(1e6)
    limiter = SharedLimiter(tmp_path / "limit", 2, 1.0, clock)
    assert [limiter.reserve("a") for _ in range(5)] == [0, 0, 1, 1, 2]
    limiter.back_off("b", 10)
    clock.now -= 3600
    assert [limiter.reserve("a") for _ in range(2)] == [2, 3]
    assert limiter.reserve("b") == 10
    # If it is set forward, nothing is held back.
    clock.now += 7200
    assert [limiter.reserve(each) for each in "aab"] == [0, 0, 0]


def test_a_process_that_is_killed_while_it_has_the_file_does_not_block_the_others(
    tmp_path: Path,
) -> None:
    path = tmp_path / "limit"
    limiter = SharedLimiter(path, 2, 60.0)
    assert limiter.reserve("a") == 0
    program = f"""
import os
from talon_one.bulk import SharedLimiter
limiter = SharedLimiter({str(path)!r}, 2, 60.0)
with limiter._transaction() as (database, now):
    database.execute("DELETE FROM starts")
    os._exit(7)
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert done.returncode == 7
    # What it has not finished has not happened.
    assert limiter.reserve("a") == 0
    assert limiter.reserve("a") > 50


def test_it_survives_pickling_and_a_fork(tmp_path: Path) -> None:
    limiter = SharedLimiter(tmp_path / "limit", 1, 60.0)
    assert limiter.reserve("a") == 0
    assert pickle.loads(pickle.dumps(limiter)).reserve("a") > 50
    if hasattr(os, "fork"):
        run(
            """
import os, sys
from talon_one.bulk import SharedLimiter
limiter = SharedLimiter(sys.argv[1], 1, 60.0)
assert limiter.reserve("b") == 0
child = os.fork()
if not child:
    os._exit(0 if 50 < limiter.reserve("b") < 61 else 1)
assert os.waitpid(child, 0)[1] == 0
assert limiter.reserve("b") > 110
""",
            str(tmp_path / "limit"),
        )


def test_it_is_not_divided(tmp_path: Path) -> None:
    with pytest.raises(ApiTypeError, match="cannot be divided: divide a Limiter, or give the"):
        SharedLimiter(tmp_path / "limit").divide(2)


def test_the_file_stays_small(tmp_path: Path) -> None:
    clock = MockClock(1e6)
    limiter = SharedLimiter(tmp_path / "limit", 3, 1.0, clock)
    for _ in range(50):
        limiter.reserve("a")
        clock.now += 1
    database = sqlite3.connect(tmp_path / "limit")
    counts = [
        database.execute(f"SELECT count(*) FROM {each}").fetchone()[0]
        for each in ("starts", "latest")
    ]
    database.close()
    assert counts[0] <= 3
    assert counts[1] == 1


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database at all, but some text")
    for name in ("text", "missing/limit", "."):
        with pytest.raises(sqlite3.Error, match=str(tmp_path / name).rstrip(".")):
            SharedLimiter(tmp_path / name).reserve("a")
    for wrong in (None, 3, b"limit", "", True):
        with pytest.raises(ApiTypeError, match="path is the path of a file"):
            SharedLimiter(wrong)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ApiTypeError, match="calls is a whole number above 0"):
        SharedLimiter(tmp_path / "limit", 0)


def test_python_without_sqlite_has_all_else() -> None:
    run(
        """
import sys
sys.modules["sqlite3"] = None
from talon_one import bulk
bulk.SharedLimiter("x")
"""
    )
