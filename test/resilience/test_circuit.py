"""The state machine of the breaker: when it opens, its probe, and how it closes."""

from __future__ import annotations

import gc
import os
import threading
from collections import deque
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from support.timing import MockClock
from talon_one.resilience.circuit import Circuit, Permit
from talon_one.resilience.window import SLICES, Window

FAILURES = 3
WINDOW = 10.0
RECOVERY = 5.0


def circuit(time: MockClock, failure_rate: float = 0.0) -> Circuit:
    return Circuit(FAILURES, failure_rate, WINDOW, RECOVERY, time)


def attempt(made: Circuit, succeeded: bool | None) -> bool:
    """Make an attempt that ends immediately; return whether it was admitted."""
    permit, _ = made.admit()
    if permit is None:
        return False
    made.settle(permit, succeeded)
    return True


def opened(time: MockClock) -> Circuit:
    made = circuit(time)
    for _ in range(FAILURES):
        assert attempt(made, False)
    assert made.status().state == "open"
    return made


class Machine(RuleBasedStateMachine):
    """Attempts that begin and end in any order, beside a model that counts by hand."""

    permits: Bundle[tuple[Permit, int]] = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.time = MockClock(0.0)
        self.circuit = circuit(self.time)
        self.state = "closed"
        self.period = 0
        self.opened_at = 0.0
        self.probes = 0
        # Slice of the window and outcome of what counts.
        self.counted: deque[tuple[int, bool]] = deque()

    def slice(self) -> int:
        return int(self.time.now / (WINDOW / SLICES))

    def failures(self) -> int:
        recent = [failed for number, failed in self.counted if number > self.slice() - SLICES]
        return sum(recent)

    @rule(seconds=st.sampled_from([0.0, 0.25, 1.0, 4.0, 5.0, 11.0]))
    def time_passes(self, seconds: float) -> None:
        self.time.now += seconds

    @rule(target=permits)
    def begin(self) -> Any:
        permit, _ = self.circuit.admit()
        over = self.time.now >= self.opened_at + RECOVERY
        expected = self.state == "closed" or (over and self.probes == 0)
        assert (permit is not None) is expected
        if permit is None:
            return None
        if permit.probe:
            self.state = "half_open"
            self.probes += 1
        assert self.probes <= 1
        return permit, self.period

    @rule(begun=consumes(permits), succeeded=st.sampled_from([True, False, False, None]))
    def end(self, begun: tuple[Permit, int] | None, succeeded: bool | None) -> None:
        if begun is None:
            return
        permit, period = begun
        change = self.circuit.settle(permit, succeeded)
        before = self.state
        if permit.probe:
            if period == self.period:
                self.probes = 0
                self._end_probe(succeeded)
        elif self.state == "closed" and period == self.period and succeeded is not None:
            self.counted.append((self.slice(), not succeeded))
            if not succeeded and self.failures() >= FAILURES:
                self.state, self.opened_at = "open", self.time.now
        assert (None if change is None else (change.before, change.after)) == (
            None if before == self.state else (before, self.state)
        )

    def _end_probe(self, succeeded: bool | None) -> None:
        if succeeded:
            self.state = "closed"
            self.period += 1
            self.counted.clear()
        elif succeeded is False:
            self.state, self.opened_at = "open", self.time.now

    @rule(begun=consumes(permits))
    def vanish(self, begun: tuple[Permit, int] | None) -> None:
        """The thread or task of an attempt is gone without a word."""
        if begun is not None and begun[0].probe and begun[1] == self.period:
            self.probes = 0

    @rule()
    def reset(self) -> None:
        self.circuit.reset()
        self.state = "closed"
        self.period += 1
        self.probes = 0
        self.counted.clear()

    @invariant()
    def state_is_that_of_the_model(self) -> None:
        found = self.circuit.status()
        over = self.time.now >= self.opened_at + RECOVERY
        assert found.state == ("half_open" if self.state == "open" and over else self.state)
        assert found.failures == self.failures()


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=30)


def test_a_reset_probe_is_none_any_more() -> None:
    time = MockClock(0.0)
    made = opened(time)
    time.now = RECOVERY
    permit, _ = made.admit()
    assert permit is not None
    assert permit.probe
    made.reset()
    assert made.settle(permit, False) is None
    assert made.status().state == "closed"


def test_a_probe_from_before_a_reset_does_not_end_the_one_after_it() -> None:
    time = MockClock(0.0)
    made = opened(time)
    time.now = RECOVERY
    old = made.admit()[0]
    made.reset()
    for _ in range(FAILURES):
        attempt(made, False)
    time.now += RECOVERY
    new = made.admit()[0]
    assert old is not None
    assert new is not None
    assert made.settle(old, True) is None
    assert made.admit()[0] is None
    assert made.settle(new, True) is not None


def test_failures_among_enough_successes_do_not_open_it() -> None:
    made = circuit(MockClock(0.0), failure_rate=0.5)
    for _ in range(20):
        attempt(made, True)
        attempt(made, False)
        attempt(made, True)
    assert made.status()[:3] == ("closed", 60, 20)
    while made.status().state == "closed":
        for succeeded in (True, False, False):  # Never as many in a row as open it.
            attempt(made, succeeded)
    assert made.status()[:3] == ("open", 120, 60)


def test_failures_in_a_row_open_it_whatever_went_well_before() -> None:
    made = circuit(MockClock(0.0), failure_rate=0.5)
    for _ in range(1000):
        attempt(made, True)
    for succeeded in (False, False, None, True, False, False):
        attempt(made, succeeded)
    assert made.status()[:3] == ("closed", 1005, 4)
    attempt(made, False)
    assert made.status()[:3] == ("open", 1006, 5)


def test_old_failures_do_not_count() -> None:
    time = MockClock(0.0)
    made = circuit(time)
    for _ in range(20):
        assert attempt(made, False)
        assert attempt(made, False)
        time.now += WINDOW
    assert made.status().state == "closed"


def test_attempts_from_before_the_last_opening_say_nothing() -> None:
    time = MockClock(0.0)
    made = circuit(time)
    slow = [made.admit()[0] for _ in range(10)]
    for _ in range(FAILURES):
        attempt(made, False)
    time.now = RECOVERY
    attempt(made, True)
    assert made.status().state == "closed"
    for permit in slow:
        assert permit is not None
        made.settle(permit, False)
    assert made.status()[:3] == ("closed", 0, 0)


def test_of_many_threads_one_makes_the_probe() -> None:
    time = MockClock(0.0)
    made = opened(time)
    for _ in range(50):
        time.now += RECOVERY
        start = threading.Barrier(8)
        permits: list[Permit | None] = []

        def work(start: threading.Barrier = start, permits: list[Permit | None] = permits) -> None:
            start.wait()
            permits.append(made.admit()[0])

        threads = [threading.Thread(target=work) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        (probe,) = [each for each in permits if each is not None]
        made.settle(probe, False)


def test_a_probe_that_nothing_holds_any_more_makes_way_for_another() -> None:
    time = MockClock(0.0)
    made = opened(time)
    time.now = RECOVERY
    probe = made.admit()[0]
    assert probe is not None
    assert made.admit()[0] is None
    del probe
    gc.collect()
    assert attempt(made, True)
    assert made.status().state == "closed"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_the_probe_and_the_lock_of_a_parent_block_no_child() -> None:
    time = MockClock(0.0)
    made = opened(time)
    time.now = RECOVERY
    probe = made.admit()[0]
    held = threading.Event()
    over = threading.Event()

    def hold() -> None:
        with made._lock():
            held.set()
            over.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    process = os.fork()
    if not process:  # The child.
        os._exit(0 if attempt(made, True) and made.status().state == "closed" else 1)
    over.set()
    holder.join()
    assert os.waitpid(process, 0)[1] == 0
    assert made.admit()[0] is None
    assert probe is not None
    assert made.settle(probe, True) is not None


def test_a_handler_that_interrupts_a_change_does_not_wait_for_itself() -> None:
    made = circuit(MockClock(0.0))
    with made._lock():
        assert attempt(made, False)


def test_a_window_needs_the_same_memory_for_any_traffic() -> None:
    window = Window(1.0)
    for number in range(5000):
        window.add(number / 1000, failed=number % 2 == 0)
    assert window.totals(4.999) == (1000, 500)
    assert len(window._slices) == SLICES
    assert window.totals(100.0) == (0, 0)
    # A clock that goes back, which none should, counts in the newest part.
    window.add(3.0, failed=True)
    assert window.totals(4.999) == (1001, 501)
