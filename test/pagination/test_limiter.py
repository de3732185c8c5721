"""The rate limiter, with a mock clock, and the iterations that use it."""

from __future__ import annotations

import gc
import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import talon_one
from pagination.read_list import Apis, ReadList
from support.calls import make_client
from support.server import RecordingServer, Response
from support.timing import MockClock
from talon_one import ApiClient, ApiTypeError, Configuration, IntegrationApi, ManagementApi
from talon_one.limiter import Limiter, limiter_of

# The load of the machine must not decide whether a property holds.
NO_DEADLINE = settings(deadline=None)

AUDIENCES = ManagementApi.get_audiences.operation  # type: ignore[attr-defined]  # endpoint's


def needs_fork(test: Callable[[], None]) -> Callable[[], None]:
    """Skip a test on Windows, and allow it to fork beside the threads of pytest."""
    ignored = "ignore:.*multi-threaded, use of fork:DeprecationWarning"
    allowed = pytest.mark.filterwarnings(ignored)(test)
    skipped: Callable[[], None] = pytest.mark.skipif(
        not hasattr(os, "fork"), reason="Windows has no fork"
    )(allowed)
    return skipped


def test_three_calls_start_immediately_and_the_next_waits_for_the_first() -> None:
    clock = MockClock(100.0)
    limiter = Limiter(clock=clock)
    assert [limiter.reserve("a") for _ in range(7)] == [0, 0, 0, 1, 1, 1, 2]
    clock.now += 1.5
    # The calls reserved for the second second have not started yet.
    assert limiter.reserve("a") == 0.5


def test_each_endpoint_has_its_own_limit() -> None:
    limiter = Limiter(calls=1, clock=MockClock(100.0))
    assert [limiter.reserve(each) for each in "abab"] == [0, 0, 1, 1]


@NO_DEADLINE
@given(
    st.integers(1, 5),
    st.floats(0.1, 10),
    st.lists(st.floats(0, 5), min_size=1, max_size=50),
)
def test_no_interval_has_more_calls_than_allowed(
    calls: int, seconds: float, gaps: list[float]
) -> None:
    clock = MockClock(100.0)
    limiter = Limiter(calls, seconds, clock)
    starts = []
    for gap in gaps:
        clock.now += gap
        starts.append(clock.now + limiter.reserve("a"))
    assert starts == sorted(starts)
    for earlier, later in zip(starts, starts[calls:], strict=False):
        # Adding to a clock and subtracting again rounds.
        assert later - earlier >= seconds - 1e-9


def test_threads_share_the_limit() -> None:
    limiter = Limiter(calls=10, clock=MockClock(100.0))
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
def test_invalid_limits_are_rejected(given: dict[str, Any]) -> None:
    with pytest.raises(ApiTypeError):
        Limiter(**given)


# -- In iterations -----------------------------------------------------------------------------


def _serve_pages(server: RecordingServer, length: int) -> None:
    def respond(request: Any) -> Response:
        skip = int(dict(request.pairs).get("skip", "0"))
        data = [{"id": skip}] if skip < length else []
        return Response(body={"data": data, "hasMore": skip + 1 < length})

    server.default = respond


def _about(pauses: list[float], *expected: float) -> bool:
    """Return whether pauses are as expected, less the time that the calls themselves took."""
    return len(pauses) == len(expected) and all(
        longest - 0.9 < pause <= longest for pause, longest in zip(pauses, expected, strict=True)
    )


def test_management_lists_are_read_at_three_pages_a_second(
    server: RecordingServer, read_list: ReadList
) -> None:
    _serve_pages(server, 7)
    found = read_list(lambda apis: apis.management.iterate(apis.management.get_audiences))
    assert len(found.got) == 7
    assert _about(found.pauses, 1, 1, 1, 2)


def test_a_pause_does_not_count_against_the_deadline_of_a_call(
    server: RecordingServer, read_list: ReadList
) -> None:
    _serve_pages(server, 2)
    found = read_list(
        lambda apis: apis.management.iterate(apis.management.get_audiences, _deadline=30).configure(
            limiter=Limiter(1, 3600)
        )
    )
    assert (len(found.got), found.failure) == (2, None)
    assert _about(found.pauses, 3600)


def test_integration_lists_are_read_without_pauses(
    server: RecordingServer, read_list: ReadList
) -> None:
    _serve_pages(server, 7)
    found = read_list(
        lambda apis: apis.integration.iterate(
            apis.integration.get_loyalty_card_transactions, 3, "card"
        )
    )
    assert (len(found.got), found.pauses) == (7, [])


def test_the_limiter_can_be_turned_off_or_replaced(
    server: RecordingServer, read_list: ReadList
) -> None:
    _serve_pages(server, 7)

    def audiences(apis: Apis) -> Any:
        return apis.management.iterate(apis.management.get_audiences)

    assert read_list(lambda apis: audiences(apis).configure(limiter=False)).pauses == []
    assert read_list(lambda apis: audiences(apis).configure(limiter=Limiter(10))).pauses == []
    slow = Limiter(1, 60)
    pauses = read_list(lambda apis: audiences(apis).configure(limiter=slow, page_limit=2)).pauses
    assert _about(pauses, 60)
    assert _about(
        read_list(lambda apis: audiences(apis).configure(limiter=slow, page_limit=1)).pauses, 120
    )


def test_two_iterations_over_one_client_share_the_limit(server: RecordingServer) -> None:
    _serve_pages(server, 2)
    pauses: list[float] = []
    with make_client(server.url, pauses) as client:
        for api in (ManagementApi(client), ManagementApi(client)):
            assert len(list(api.iterate(api.get_audiences))) == 2
        assert _about(pauses, 1)
        # Other endpoints and single calls do not wait.
        list(api.iterate(api.get_applications))
        for _ in range(5):
            api.get_audiences()
    assert _about(pauses, 1)


def test_each_client_owns_a_limiter_that_dies_with_it() -> None:
    first, second = ApiClient(Configuration()), ApiClient(Configuration())
    limiter = limiter_of(first, AUDIENCES)
    assert limiter is not None
    assert limiter is limiter_of(first, AUDIENCES)
    assert limiter is not limiter_of(second, AUDIENCES)
    gone = weakref.ref(limiter)
    del first, limiter
    gc.collect()
    assert gone() is None


def test_the_limiter_of_a_client_uses_its_clock() -> None:
    client = ApiClient(Configuration())
    clock = MockClock(100.0)
    client.clock = talon_one.Clock(monotonic=clock)
    limiter = limiter_of(client, AUDIENCES)
    assert limiter is not None
    assert [limiter.reserve("a") for _ in range(4)] == [0, 0, 0, 1]
    clock.now += 1
    assert limiter.reserve("a") == 0


def test_only_the_management_api_is_limited() -> None:
    client = ApiClient(Configuration())
    for api, limited in ((ManagementApi, True), (IntegrationApi, False)):
        operations = {
            each.operation.id: each.operation
            for each in vars(api).values()
            if hasattr(each, "operation")
        }
        exceptions = {
            name
            for name, operation in operations.items()
            if (limiter_of(client, operation) is not None) != limited
        }
        # Signing in and out takes no key.
        assert not [name for name in exceptions if operations[name].paging]
        assert len(exceptions) < 5
    assert repr(limiter_of(client, AUDIENCES)) == "<Limiter 3 calls in 1 s for each endpoint>"


# -- After a fork ----------------------------------------------------------------------------------


@contextmanager
def _child_process() -> Iterator[None]:
    """Exit the process after the block, with status 0 if nothing failed; pytest must not go on."""
    status = 1
    try:
        signal.alarm(10)  # Instead of a deadlock.
        yield
        status = 0
    finally:
        os._exit(status)


@needs_fork
def test_a_fork_does_not_copy_a_held_lock() -> None:
    children: list[int] = []

    def forking_clock() -> float:
        # The limiter holds its lock while it reads the clock.
        if not children:
            children.append(os.fork())
            if not children[0]:
                with _child_process():
                    assert limiter.reserve("b") == 0
        return 100.0

    limiter = Limiter(clock=forking_clock)
    limiter.reserve("a")
    assert os.waitpid(children[0], 0)[1] == 0


@needs_fork
def test_a_child_process_has_its_own_limiter() -> None:
    client = ApiClient(Configuration())
    limiter = limiter_of(client, AUDIENCES)
    child = os.fork()
    if not child:
        with _child_process():
            assert limiter_of(client, AUDIENCES) is not limiter
    assert os.waitpid(child, 0)[1] == 0
    assert limiter_of(client, AUDIENCES) is limiter
