"""A checkout with budget, breaker and fallback goes on while the server hangs, resets or fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import talon_one
from support.calls import KEYS
from support.server import RESET, SILENCE, RecordingServer, Response
from support.timing import MockClock
from talon_one import Clock, Configuration, IntegrationApi
from talon_one.resilience import Budget, CircuitBreaker, with_fallback, with_fallback_async

CART: dict[str, Any] = {"customerSession": {}}
FAULTS = {"hang": SILENCE, "reset": RESET, "500": Response(500)}
FAILURES = 3
AT_ONCE = 6
CHECKOUTS = 60


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest) -> Response:
    return FAULTS[request.param]


@pytest.fixture
def breaker(clock: MockClock) -> CircuitBreaker:
    return CircuitBreaker(failures=FAILURES, recovery=5, clock=Clock(monotonic=clock))


def full_price(failure: Exception, *args: Any, **settings: Any) -> str:
    return type(failure).__name__


def assert_it_sold(
    outcomes: list[Any], server: RecordingServer, breaker: CircuitBreaker, retries: int
) -> None:
    """Check that all checkouts ended with the fallback, and nearly none of them by asking."""
    assert {type(each) for each in outcomes} == {str}
    assert len(outcomes) == CHECKOUTS
    assert Counter(outcomes)["CircuitOpenError"] >= CHECKOUTS - 2 * AT_ONCE
    assert len(server.requests) <= (FAILURES + AT_ONCE) * (1 + retries)
    assert breaker.state == "open"


@pytest.mark.one_shell("it starts threads")
def test_threads_go_on_selling_and_recover_by_one_probe(
    fault: Response, server: RecordingServer, breaker: CircuitBreaker, clock: MockClock
) -> None:
    configuration = Configuration(server.url, KEYS, hooks=[breaker])
    with talon_one.ApiClient(configuration) as client:
        update = with_fallback(IntegrationApi(client).update_customer_session_v2, full_price)

        def checkout(number: int, seconds: float = 0.1) -> Any:
            return update(f"order-{number}", CART, _deadline=Budget(seconds).left)

        good, server.default = server.default, fault
        with ThreadPoolExecutor(AT_ONCE) as pool:
            outcomes = list(pool.map(checkout, range(CHECKOUTS)))
        assert_it_sold(outcomes, server, breaker, retries=2)
        server.default = good
        clock.now += 5
        server.clear()
        assert [type(checkout(1, 10)).__name__ for _ in range(3)] == ["IntegrationStateV2"] * 3
        assert len(server.requests) == 3


@pytest.mark.one_shell("it starts tasks")
def test_tasks_go_on_selling_and_recover_by_one_probe(
    fault: Response, server: RecordingServer, breaker: CircuitBreaker, clock: MockClock
) -> None:
    async def run() -> None:
        configuration = Configuration(server.url, KEYS, hooks=[breaker])
        async with talon_one.aio.ApiClient(configuration) as client:
            method = talon_one.aio.IntegrationApi(client).update_customer_session_v2
            update = with_fallback_async(method, full_price)

            async def checkout(number: int, seconds: float = 0.1) -> Any:
                return await update(f"order-{number}", CART, _deadline=Budget(seconds).left)

            good, server.default = server.default, fault
            found = await talon_one.aio.gather(
                (checkout(number) for number in range(CHECKOUTS)), limit=AT_ONCE
            )
            assert_it_sold(found.values(), server, breaker, retries=2)
            server.default = good
            clock.now += 5
            server.clear()
            outcomes = [await checkout(1, 10) for _ in range(3)]
            assert [type(each).__name__ for each in outcomes] == ["IntegrationStateV2"] * 3
            assert len(server.requests) == 3

    asyncio.run(run())
