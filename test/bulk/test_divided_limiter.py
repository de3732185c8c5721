"""Limits that several processes divide, and fractions of calls a second."""

from __future__ import annotations

import math
import pickle
import sys
import time
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.timing import MockClock
from talon_one import ApiTypeError
from talon_one.limiter import Limiter, NoLimit


def most_in(seconds: float, starts: list[float]) -> int:
    """Return the number of starts in the fullest interval of this length."""
    ordered = sorted(starts)
    # Two calls as far apart as the interval are not in the same one.
    seconds -= 1e-4
    return max(sum(first <= each < first + seconds for each in ordered) for first in ordered)


def start(limiter: Limiter, clock: MockClock) -> float:
    return clock.now + limiter.reserve("a")


@settings(deadline=None, max_examples=100)
@given(
    st.integers(1, 6),
    st.sampled_from([0.3, 1.0, 7.0]),
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(0, 4), st.floats(0, 3)), min_size=1, max_size=60),
)
def test_parts_never_exceed_the_limit_together_whenever_they_make_calls(
    calls: int, seconds: float, parts: int, story: list[tuple[int, float]]
) -> None:
    clock = MockClock(1e6)
    limiters = [Limiter(calls, seconds, clock).divide(parts, part) for part in range(parts)]
    starts = []
    for part, pause in story:
        clock.now += pause
        starts.append(start(limiters[part % parts], clock))
    assert most_in(seconds, starts) <= calls


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 9), st.sampled_from([0.07, 1.0, 60.0]), st.integers(1, 8), st.floats(0, 1e9))
def test_the_rates_of_the_parts_add_up_to_the_limit(
    calls: int, seconds: float, parts: int, now: float
) -> None:
    clock = MockClock(now)
    limiters = [Limiter(calls, seconds, clock).divide(parts, part) for part in range(parts)]
    starts = sorted(start(limiter, clock) for limiter in limiters for _ in range(10))
    # Evenly, one after the other: no slot stays empty, and none has two calls.
    slot = seconds / calls
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert all(abs(gap - slot) < 0.01 * slot for gap in gaps)
    assert starts[0] - now <= slot * 1.01


def test_parts_of_parts_have_slots_of_their_own() -> None:
    clock = MockClock(1e6)
    whole = Limiter(2, 1.0, clock)
    parts = [whole.divide(2, part).divide(3, inner) for part in range(2) for inner in range(3)]
    starts = sorted(start(each, clock) for each in parts)
    assert [round(each - starts[0], 3) for each in starts] == [0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert round(start(whole.divide(2, 5), clock) - start(whole.divide(2, 1), clock), 3) == 0


def test_processes_of_different_machines_count_slots_by_the_system_time() -> None:
    starts = []
    for part, booted in ((0, 12.0), (1, 98765.4)):
        limiter = pickle.loads(pickle.dumps(Limiter(2).divide(2, part)))
        with patch("time.monotonic", lambda booted=booted: booted):
            with patch("time.time", lambda: 1_700_000_000.3):
                limiter._clock = time.monotonic
                starts.append(limiter.reserve("a"))
            # Later changes of the system time move no slot.
            with patch("time.time", lambda: 0.0):
                starts.append(limiter.reserve("a"))
    assert [round(each, 3) for each in starts] == [0.7, 1.7, 0.2, 1.2]


def test_a_divided_limit_is_held_back_and_goes_on_in_its_slots() -> None:
    clock = MockClock(1000.0)
    parts = [Limiter(1, 1.0, clock).divide(3, part) for part in range(3)]
    for part in parts:
        part.back_off("a", 10)
    assert [start(part, clock) for part in parts] == [1011.0, 1012.0, 1010.0]
    assert [part.reserve("b") < 3 for part in parts] == [True] * 3


def test_calls_a_second_may_be_a_fraction() -> None:
    for calls, gap in ((0.25, 4.0), (1, 1.0), (2.5, 0.4), (10**6, 1e-6)):
        limiter = Limiter.per_second(calls)
        limiter._clock = MockClock(0.0)
        assert [limiter.reserve("a") for _ in range(3)] == pytest.approx([0, gap, 2 * gap])
    for wrong in (0, -1, "3", None, True, float("nan"), float("inf"), 1e-320, 10**400, object()):
        with pytest.raises(ApiTypeError, match="calls is"):
            Limiter.per_second(wrong)  # type: ignore[arg-type]  # that is the point


def test_parts_are_numbers() -> None:
    for parts, part in (
        (0, 0),
        (-1, 0),
        (True, 0),
        (1.0, 0),
        ("2", 0),
        (2, -1),
        (2, None),
        (2, True),
    ):
        with pytest.raises(ApiTypeError, match="is a whole number"):
            Limiter().divide(parts, part)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ApiTypeError, match="parts is too large"):
        Limiter().divide(10**400)


def test_a_limit_without_a_usable_rate_is_refused() -> None:
    for seconds in (0, -1, "1", None, True, math.nan, math.inf, 10**400):
        with pytest.raises(ApiTypeError, match="seconds is"):
            Limiter(1, seconds)  # type: ignore[arg-type]  # that is the point
    for calls in (0, -1, 1.0, "1", None, True, 10**30, 10**400):
        with pytest.raises(ApiTypeError, match="calls is"):
            Limiter(calls)  # type: ignore[arg-type]  # that is the point
    for limiter, parts in ((Limiter(1, 1e308), 10), (Limiter(sys.maxsize, 5e-324), 2)):
        with pytest.raises(ApiTypeError, match="the interval of a part is a number above 0"):
            limiter.divide(parts)


def test_no_limit_divided_is_no_limit() -> None:
    divided = NoLimit().divide(2, 1)
    assert divided.rate == math.inf
    assert [divided.reserve("a") for _ in range(5)] == [0.0] * 5
    with pytest.raises(ApiTypeError, match="parts is a whole number"):
        NoLimit().divide(0)


def test_extreme_rates_have_finite_pauses() -> None:
    for calls, seconds in ((sys.maxsize, 1), (1, 10**300), (1, 1e-300), (1, 5e-324)):
        limiter = Limiter(calls, seconds)
        for each in (limiter, limiter.divide(3, 1), limiter.divide(2).divide(2)):
            pauses = [each.reserve("a") for _ in range(3)]
            assert pauses == sorted(pauses)
            assert pauses[2] < math.inf
            assert each.rate >= 0
    for rate in (1e-300, 1e300, sys.float_info.max):
        assert Limiter.per_second(rate).divide(2, 1).reserve("a") < math.inf


def test_a_pause_holds_back_all_calls_of_an_endpoint() -> None:
    clock = MockClock(1e6)
    for limiter in (Limiter(2, 1.0, clock), NoLimit(clock=clock)):
        assert limiter.reserve("a") == 0
        assert limiter.held_until("a") < clock.now
        limiter.back_off("a", 5)
        limiter.back_off("a", 3)
        assert limiter.held_until("a") == clock.now + 5
        assert [limiter.reserve(each) for each in "aab"] == [5, 5, 0]
        clock.now += 6
        assert limiter.reserve("a") == 0
        for wrong in (-1, "3", None, True, float("nan"), float("inf"), 10**400):
            with pytest.raises(ApiTypeError, match="seconds is"):
                limiter.back_off("a", wrong)  # type: ignore[arg-type]  # that is the point


def test_a_copy_in_another_process_has_made_no_calls() -> None:
    limiter = Limiter(1, 60.0)
    assert limiter.reserve("a") == 0
    limiter.back_off("a", 3600)
    for copy in (pickle.loads(pickle.dumps(limiter)), pickle.loads(pickle.dumps(NoLimit()))):
        assert copy.reserve("a") == 0
        assert type(copy) in (Limiter, NoLimit)
    assert repr(limiter) == "<Limiter 1 calls in 60 s for each endpoint>"
    assert repr(NoLimit()) == "<NoLimit>"
