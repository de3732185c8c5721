"""CircuitBreaker: hooks that refuse attempts while a server fails."""

from __future__ import annotations

from collections.abc import Callable

from talon_one._core.clock import Clock
from talon_one._core.constructors import checks_arguments
from talon_one._core.hooks import CallEvent, Hooks, logger
from talon_one._utils.guard import safe_repr
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError
from talon_one.resilience.circuit import Circuit, CircuitState, CircuitStatus, Permit, StateChange
from talon_one.resilience.errors import CircuitOpenError, shows_health
from talon_one.resilience.numbers import rate, seconds, whole


class CircuitBreaker(Hooks):
    """Refuses attempts while the server fails, so that callers do not wait for it.

    ::

        breaker = CircuitBreaker(failures=5, window=10, recovery=5)
        configuration.hooks.append(breaker)

    It watches every attempt of the clients that have it among their hooks. Closed, it counts. When
    enough attempts of the last seconds have failed, it opens: each attempt fails immediately with a
    `CircuitOpenError`, which is not retried. After `recovery` seconds it is half-open: the next
    attempt is a probe, and the others are still refused. A probe that succeeds closes it, and one
    that fails opens it again. A probe that says nothing, such as a canceled one, makes way for
    another.

    Failures are transport errors, timeouts included, and responses with a 5xx. A 4xx shows that the
    server works, except 429, which does not count at all. Neither does a pooled connection that
    turns out to be closed, nor an attempt that began before the breaker last opened.

    Threads, tasks, event loops and clients may share it. A process that was forked goes on with the
    state of its parent.

    Args:
        failures: How many attempts have to fail within the window.
        failure_rate: Which share of the attempts in the window has to fail as well, from 0 to 1,
            unless as many as *failures* failed in a row. It keeps a few failures among thousands of
            successes from opening the breaker.
        window: Length of the window, in seconds. It moves on by tenths.
        recovery: Seconds between the last failure and the next probe.
        on_change: Called with a `StateChange` after each change of the state, in the thread or task
            that caused it. What it raises is logged.
        clock: Where it gets the time.

    Raises:
        ApiTypeError: A setting is not such a number, or *on_change* is not a function.
    """

    @checks_arguments("(failures=5, window=10, recovery=5)")
    def __init__(
        self,
        failures: int = 5,
        failure_rate: float = 0.5,
        window: float = 10.0,
        recovery: float = 5.0,
        *,
        on_change: Callable[[StateChange], object] | None = None,
        clock: Clock | None = None,
    ) -> None:
        if on_change is not None and not callable(on_change):
            raise ApiTypeError(f"on_change is a function, not {quoted(on_change)}")
        if clock is not None and not isinstance(clock, Clock):
            raise ApiTypeError(f"clock is a talon_one.Clock, not {quoted(clock)}")
        self._on_change = on_change
        self._circuit = Circuit(
            whole("failures", failures),
            rate("failure_rate", failure_rate),
            seconds("window", window),
            seconds("recovery", recovery),
            (clock or Clock()).monotonic,
        )

    @property
    def state(self) -> CircuitState:
        """``closed``, ``open``, or ``half_open``: a probe is in progress, or comes next."""
        return self._circuit.status().state

    def status(self) -> CircuitStatus:
        """Return the state, what was counted, and when the next probe may be made."""
        return self._circuit.status()

    def reset(self) -> None:
        """Close the breaker, and forget what it counted."""
        self._publish(self._circuit.reset())

    # -- Hooks ---------------------------------------------------------------------------------

    def on_request(self, event: CallEvent) -> None:
        """Admit an attempt.

        Raises:
            CircuitOpenError: The attempt is refused.
        """
        if event.attempt == 0 or self in event.context:
            return
        permit, change = self._circuit.admit()
        if permit is None:
            raise CircuitOpenError(
                retry_in=self._circuit.status().retry_in,
                operation_id=event.operation_id,
                method=event.method,
                url=event.url,
            )
        event.context[self] = permit
        self._publish(change)

    def on_response(self, event: CallEvent) -> None:
        """Count an attempt that succeeded."""
        self._settle(event)

    def on_error(self, event: CallEvent) -> None:
        """Count an attempt that failed."""
        self._settle(event)

    def _settle(self, event: CallEvent) -> None:
        permit: Permit | None = event.context.pop(self, None) if event.attempt else None
        if permit is not None:
            verdict = None if event.intercepted else shows_health(event.failure)
            self._publish(self._circuit.settle(permit, verdict))

    def _publish(self, change: StateChange | None) -> None:
        if change is None:
            return
        logger.log(
            30 if change.after == "open" else 20,
            "circuit breaker: %s -> %s, %d of %d attempts failed",
            change.before,
            change.after,
            change.failures,
            change.attempts,
        )
        if self._on_change is not None:
            try:
                self._on_change(change)
            except Exception:  # Whatever it is: it never costs a response.
                logger.exception("on_change failed: %s", safe_repr(self._on_change))

    def __repr__(self) -> str:
        status = self.status()
        return f"<CircuitBreaker {status.state}, {status.failures} failures>"
