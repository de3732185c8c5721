"""Circuit: the state machine of a circuit breaker. No I/O, and no clock of its own."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from talon_one.resilience.window import Window

CircuitState: TypeAlias = Literal["closed", "open", "half_open"]
"""``closed``: attempts are made. ``open``: attempts are refused. ``half_open``: one attempt at a
time is made, as a probe, and the others are refused."""


class StateChange(NamedTuple):
    """A change of the state of a circuit breaker."""

    number: int
    """Number of the change, counted from 1. Callbacks of several threads may come out of order."""
    before: CircuitState
    after: CircuitState
    attempts: int
    """Attempts in the window at that moment."""
    failures: int
    """How many of them failed."""


class CircuitStatus(NamedTuple):
    """What a circuit breaker knows at a moment."""

    state: CircuitState
    attempts: int
    """Attempts in the window that count."""
    failures: int
    """How many of them failed."""
    refused: int
    """Attempts refused since the breaker was made, or since the fork of the process."""
    retry_in: float
    """Seconds until the next probe may be made; 0 unless the circuit is open."""


class Permit:
    """The right to make one attempt. Only the call that makes the attempt holds it.

    Attributes:
        probe: Whether the attempt decides if the circuit closes.
    """

    __slots__ = ("__weakref__", "probe")

    def __init__(self, probe: bool) -> None:
        self.probe = probe


class Circuit:
    """Admits attempts, and counts how they end. Threads and tasks may share it.

    Args:
        failures: How many attempts in the window have to fail before the circuit opens.
        failure_rate: Which share of the attempts in the window has to fail as well, unless as many
            as *failures* failed in a row. A service that stops leaves thousands of successes in
            the window, which must not delay the opening.
        window: Length of the window in seconds.
        recovery: Seconds between the last failure and the next probe.
        clock: Monotonic clock, in seconds.
    """

    def __init__(
        self,
        failures: int,
        failure_rate: float,
        window: float,
        recovery: float,
        clock: Callable[[], float],
    ) -> None:
        self._failures = failures
        self._failure_rate = failure_rate
        self._recovery = recovery
        self._clock = clock
        self._window = Window(window)
        self._state: CircuitState = "closed"
        self._opened = 0.0
        self._in_a_row = 0
        self._changes = 0
        self._refused = 0
        # All attempts between two openings share a permit: one that began before the last opening
        # says nothing about the server of today.
        self._regular = Permit(probe=False)
        # The process and the permit of the probe. The reference is weak, so that a probe whose
        # thread or task is gone is over, however it ended.
        self._probe: tuple[int, weakref.ref[Permit]] | None = None
        # A lock per process: a fork copies locks that threads of the parent hold. It is reentrant,
        # because a signal handler may make a call of its own in any of these methods.
        self._locks: dict[int, threading.RLock] = {}

    def admit(self) -> tuple[Permit | None, StateChange | None]:
        """Return a permit for an attempt, or ``None`` if it is refused, and the change of state."""
        with self._lock():
            if self._state == "closed":
                return self._regular, None
            if self._retry_in() > 0 or self._probing():
                self._refused += 1
                return None, None
            permit = Permit(probe=True)
            self._probe = os.getpid(), weakref.ref(permit)
            return permit, self._change("half_open")

    def settle(self, permit: Permit, succeeded: bool | None) -> StateChange | None:
        """Count how an attempt ended; return the change of state.

        Args:
            permit: The permit of the attempt; it is used up.
            succeeded: Whether the server works; ``None`` if the attempt does not tell.
        """
        with self._lock():
            if permit.probe:
                return self._settle_probe(permit, succeeded)
            if succeeded is None or self._state != "closed" or permit is not self._regular:
                return None
            now = self._clock()
            self._window.add(now, failed=not succeeded)
            self._in_a_row = 0 if succeeded else self._in_a_row + 1
            if succeeded or not self._is_outage(*self._window.totals(now)):
                return None
            self._opened = now
            return self._change("open")

    def reset(self) -> StateChange | None:
        """Close the circuit and forget what was counted; return the change of state."""
        with self._lock():
            self._probe = None
            change = self._change("closed")
            self._start_over()
            return change

    def status(self) -> CircuitStatus:
        """Return state and counts."""
        with self._lock():
            state = self._state
            retry_in = 0.0 if state == "closed" else self._retry_in()
            if state == "open" and retry_in == 0:
                state = "half_open"  # The next attempt is the probe.
            attempts, failures = self._window.totals(self._clock())
            return CircuitStatus(state, attempts, failures, self._refused, retry_in)

    def _is_outage(self, attempts: int, failures: int) -> bool:
        often = failures >= self._failure_rate * attempts
        return failures >= self._failures and (often or self._in_a_row >= self._failures)

    def _settle_probe(self, permit: Permit, succeeded: bool | None) -> StateChange | None:
        if self._probe is None or self._probe[1]() is not permit:
            return None  # The circuit was reset in the meantime.
        self._probe = None
        if succeeded is None:
            return None  # The next attempt is the probe.
        if not succeeded:
            self._opened = self._clock()
            return self._change("open")
        change = self._change("closed")
        self._start_over()
        return change

    def _start_over(self) -> None:
        self._window.clear()
        self._in_a_row = 0
        self._regular = Permit(probe=False)

    def _probing(self) -> bool:
        """Return whether the attempt of a probe is in progress in this process."""
        if self._probe is None:
            return False
        process, permit = self._probe
        return process == os.getpid() and permit() is not None

    def _retry_in(self) -> float:
        return max(0.0, self._opened + self._recovery - self._clock())

    def _change(self, after: CircuitState) -> StateChange | None:
        before, self._state = self._state, after
        if before == after:
            return None
        self._changes += 1
        attempts, failures = self._window.totals(self._clock())
        return StateChange(self._changes, before, after, attempts, failures)

    def _lock(self) -> threading.RLock:
        return self._locks.setdefault(os.getpid(), threading.RLock())
