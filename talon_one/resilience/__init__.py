"""Resilience: go on selling while Talon.One does not respond.

`CircuitBreaker` refuses calls that would only wait, `Budget` limits the time of all calls of one
checkout, `with_fallback` responds in place of the server, `ReadCache` keeps reads that change
rarely, and `check_health` is for health endpoints. None of them is on by default.
"""

from talon_one.resilience.breaker import CircuitBreaker
from talon_one.resilience.budget import Budget
from talon_one.resilience.cache import ReadCache
from talon_one.resilience.circuit import CircuitState, CircuitStatus, StateChange
from talon_one.resilience.errors import CircuitOpenError, is_outage
from talon_one.resilience.fallbacks import LastGood, with_fallback, with_fallback_async
from talon_one.resilience.health import Health, check_health, check_health_async

__all__ = [
    "Budget",
    "CircuitBreaker",
    "CircuitOpenError",
    "CircuitState",
    "CircuitStatus",
    "Health",
    "LastGood",
    "ReadCache",
    "StateChange",
    "check_health",
    "check_health_async",
    "is_outage",
    "with_fallback",
    "with_fallback_async",
]
