"""Budget: the time that all calls of one checkout may take together."""

from __future__ import annotations

from talon_one._core.clock import Clock
from talon_one._core.constructors import checks_arguments
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError
from talon_one.resilience.numbers import seconds as checked_seconds

_SPENT = 1e-9


class Budget:
    """A time limit for several calls, which begins when it is made.

    ::

        budget = Budget(0.3)
        profile = integration.get_customer_inventory("anna", _deadline=budget.left)
        session = integration.update_customer_session_v2("order-1", cart, _deadline=budget.left)

    A call with a spent budget sends nothing and raises `talon_one.ConnectTimeoutError`.

    Args:
        seconds: Length of the limit.
        clock: Where it gets the time.

    Raises:
        ApiTypeError: *seconds* is not such a number.
    """

    @checks_arguments("(0.3)")
    def __init__(self, seconds: float, *, clock: Clock | None = None) -> None:
        if clock is not None and not isinstance(clock, Clock):
            raise ApiTypeError(f"clock is a talon_one.Clock, not {quoted(clock)}")
        self._monotonic = (clock or Clock()).monotonic
        self._ends = self._monotonic() + checked_seconds("seconds", seconds)

    @property
    def left(self) -> float:
        """Seconds left for the next call, to be given as its ``_deadline``.

        It is never 0, which no deadline may be: a spent budget leaves a nanosecond.
        """
        return max(_SPENT, self._ends - self._monotonic())

    @property
    def spent(self) -> bool:
        """Whether no time is left."""
        return self._ends <= self._monotonic()

    def __repr__(self) -> str:
        return f"<Budget {max(0.0, self._ends - self._monotonic()):.3f} s left>"
