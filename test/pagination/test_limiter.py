"""How often an endpoint is called, and by whom: a clock of its own, no waiting."""

from __future__ import annotations

import gc
import os
import signal
import threading
import weakref
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import talon_one
from pagination.read_list import Apis, ReadList
from support.calls import make_client
from support.server import RecordingServer, Response
from talon_one import ApiClient, ApiTypeError, Configuration, IntegrationApi, ManagementApi
from talon_one.limiter import Limiter, limiter_of

# Whoever else uses the machine must not decide whether a law holds.
UNHURRIED = settings(deadline=None)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_three_calls_go_out_at_once_and_the_next_one_waits_for_the_first() -> None:
    clock = Clock()
    limiter = Limiter(clock=clock)
    assert [limiter.reserve("a") for _ in range(7)] == [0, 0, 0, 1, 1, 1, 2]
    clock.now += 1.5
    # Those that wait until the second second have still to be made.
    assert limiter.reserve("a") == 0.5


def test_each_endpoint_has_a_limit_of_its_own() -> None:
    limiter = Limiter(calls=1, clock=Clock())
    assert [limiter.reserve(each) for each in "abab"] == [0, 0, 1, 1]


@UNHURRIED
@given(
    st.integers(1, 5),
    st.floats(0.1, 10),
    st.lists(st.floats(0, 5), min_size=1, max_size=50),
)
def test_no_interval_ever_has_more_calls_than_allowed(
    calls: int, seconds: float, gaps: list[float]
) -> None:
    clock = Clock()
    limiter = Limiter(calls, seconds, clock)
    moments = []
    for gap in gaps:
        clock.now += gap
        moments.append(clock.now + limiter.reserve("a"))
    assert moments == sorted(moments)
    for earlier, later in zip(moments, moments[calls:], strict=False):
        # What is added to a clock and taken away again is rounded.
        assert later - earlier >= seconds - 1e-9


def test_threads_share_the_limit() -> None:
    limiter = Limiter(calls=10, clock=Clock())
    waits: list[float] = []
    threads = [
        threading.Thread(target=lambda: waits.extend(limiter.reserve("a") for _ in range(25)))
        for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(waits) == [float(number // 10) for number in range(200)]


@pytest.mark.parametrize(
    "given", [{"calls": 0}, {"calls": 1.5}, {"calls": True}, {"seconds": 0}, {"seconds": "1"}]
)
def test_what_is_no_limit_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ApiTypeError):
        Limiter(**given)


# -- In iterations -----------------------------------------------------------------------------


def _pages(server: RecordingServer, length: int) -> None:
    def answer(request: Any) -> Response:
        skip = int(dict(request.pairs).get("skip", "0"))
        data = [{"id": skip}] if skip < length else []
        return Response(body={"data": data, "hasMore": skip + 1 < length})

    server.default = answer


def _near(pauses: list[float], *expected: float) -> bool:
    """Say whether pauses are as expected, for a clock that goes on while pages are got."""
    return len(pauses) == len(expected) and all(
        most - 0.9 < pause <= most for pause, most in zip(pauses, expected, strict=True)
    )


def test_management_lists_are_read_at_three_pages_a_second(
    server: RecordingServer, read_list: ReadList
) -> None:
    _pages(server, 7)
    found = read_list(lambda apis: apis.management.iterate(apis.management.get_audiences))
    assert len(found.got) == 7
    assert _near(found.pauses, 1, 1, 1, 2)


def test_a_pause_may_be_longer_than_the_deadline_of_a_call(
    server: RecordingServer, read_list: ReadList
) -> None:
    _pages(server, 2)
    found = read_list(
        lambda apis: apis.management.iterate(apis.management.get_audiences, _deadline=30).configure(
            limiter=Limiter(1, 3600)
        )
    )
    assert (len(found.got), found.failure) == (2, None)
    assert _near(found.pauses, 3600)


def test_integration_lists_are_read_without_pauses(
    server: RecordingServer, read_list: ReadList
) -> None:
    _pages(server, 7)
    found = read_list(
        lambda apis: apis.integration.iterate(
            apis.integration.get_loyalty_card_transactions, 3, "card"
        )
    )
    assert (len(found.got), found.pauses) == (7, [])


def test_the_limiter_can_be_turned_off_or_replaced(
    server: RecordingServer, read_list: ReadList
) -> None:
    _pages(server, 7)

    def make(apis: Apis) -> Any:
        return apis.management.iterate(apis.management.get_audiences)

    assert read_list(lambda apis: make(apis).configure(limiter=False)).pauses == []
    assert read_list(lambda apis: make(apis).configure(limiter=Limiter(10))).pauses == []
    slow = Limiter(1, 60)
    pauses = read_list(lambda apis: make(apis).configure(limiter=slow, page_limit=2)).pauses
    assert _near(pauses, 60)
    assert _near(
        read_list(lambda apis: make(apis).configure(limiter=slow, page_limit=1)).pauses, 120
    )


def test_two_iterations_over_one_client_share_the_limit(server: RecordingServer) -> None:
    _pages(server, 2)
    pauses: list[float] = []
    with make_client(server.url, pauses) as client:
        for api in (ManagementApi(client), ManagementApi(client)):
            assert len(list(api.iterate(api.get_audiences))) == 2
        assert _near(pauses, 1)
        # Another endpoint, and a single call, wait for nobody.
        list(api.iterate(api.get_applications))
        for _ in range(5):
            api.get_audiences()
    assert _near(pauses, 1)


def test_two_clients_have_a_limiter_each_that_goes_with_them() -> None:
    operation = ManagementApi.get_audiences.operation  # type: ignore[attr-defined]
    first, second = ApiClient(Configuration()), ApiClient(Configuration())
    limiter = limiter_of(first, operation)
    assert limiter is not None
    assert limiter is limiter_of(first, operation)
    assert limiter is not limiter_of(second, operation)
    gone = weakref.ref(limiter)
    del first, limiter
    gc.collect()
    assert gone() is None


def test_the_limit_is_that_of_the_management_api() -> None:
    client = ApiClient(Configuration())
    for api, limited in ((ManagementApi, True), (IntegrationApi, False)):
        operations = {
            each.operation.id: each.operation
            for each in vars(api).values()
            if hasattr(each, "operation")
        }
        # Signing in and out needs no key, and is not repeated work.
        without = {
            name
            for name, operation in operations.items()
            if (limiter_of(client, operation) is not None) != limited
        }
        assert not [name for name in without if operations[name].paging]
        assert len(without) < 5
    assert repr(limiter_of(client, talon_one.ManagementApi.get_audiences.operation)) == (  # type: ignore[attr-defined]
        "<Limiter 3 calls in 1 s for each endpoint>"
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_lock_that_was_held_at_the_time_of_the_fork_holds_nobody_up() -> None:
    limiter = Limiter(clock=Clock())
    limiter.reserve("a")
    status = 1
    with limiter._lock:
        child = os.fork()
        if not child:
            # No way back into pytest from here, and no waiting for ever.
            try:
                signal.alarm(10)
                status = int(limiter.reserve("a") > 0)
            finally:
                os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0
