"""CircuitBreaker: a client with one stops asking a failing server, and resumes by a probe."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import threading
from typing import Any

import pytest

import talon_one
from support.calls import CHECKOUT, READ, make_client
from support.network import closed_port
from support.server import HANG_UP, SILENCE, Received, RecordingServer, Response
from support.timing import MockClock
from talon_one import (
    ApiException,
    ApiTypeError,
    CallEvent,
    Clock,
    Configuration,
    ConnectTimeoutError,
    Hooks,
    NoResponseError,
    NotFoundException,
    NotSentError,
    ReadTimeoutError,
    ServiceException,
    TooManyRequestsException,
)
from talon_one.resilience import CircuitBreaker, CircuitOpenError, StateChange, is_outage

RECOVERY = 5.0


@pytest.fixture
def breaker(clock: MockClock, client: Any) -> CircuitBreaker:
    made = CircuitBreaker(failures=3, window=10, recovery=RECOVERY, clock=Clock(monotonic=clock))
    client.configuration.hooks.append(made)
    client.configuration.retries = 0
    return made


def state_of(breaker: CircuitBreaker) -> str:
    """Return the state, as text: type checkers take it for one that does not change."""
    return breaker.state


def fail(client: Any, server: RecordingServer, times: int = 3) -> None:
    for _ in range(times):
        server.script(Response(500))
        with pytest.raises(ServiceException):
            READ(client)


def test_it_opens_after_failures_and_closes_after_one_good_probe(
    client: Any, server: RecordingServer, breaker: CircuitBreaker, clock: MockClock
) -> None:
    fail(client, server)
    assert state_of(breaker) == "open"
    clock.now += 2
    for _ in range(5):
        with pytest.raises(CircuitOpenError) as caught:
            READ(client)
        assert caught.value.retry_in == 3
    assert len(server.requests) == 3
    assert breaker.status().refused == 5
    clock.now += 3
    assert state_of(breaker) == "half_open"
    READ(client)
    assert state_of(breaker) == "closed"
    READ(client)
    assert len(server.requests) == 5


def test_a_failed_probe_opens_it_again(
    client: Any, server: RecordingServer, breaker: CircuitBreaker, clock: MockClock
) -> None:
    fail(client, server)
    clock.now += RECOVERY
    fail(client, server, 1)
    assert state_of(breaker) == "open"
    with pytest.raises(CircuitOpenError):
        READ(client)
    assert len(server.requests) == 4


def test_what_counts_as_a_failure(
    client: Any, server: RecordingServer, breaker: CircuitBreaker
) -> None:
    wrong = []
    # Attempts and failures that are counted, and whether it is an outage for a fallback.
    for name, response, counted, outage in [
        # Over new connections: one that served before may just have been closed.
        ("reset", HANG_UP, (1, 1), True),
        ("garbage", Response(raw=b"hello\r\n\r\n"), (1, 1), True),
        ("500", Response(500), (1, 1), True),
        ("501", Response(501), (1, 1), True),
        ("503", Response(503), (1, 1), True),
        ("200", Response(200, {"customerSession": {}}), (1, 0), False),
        ("400", Response(400), (1, 0), False),
        ("401", Response(401), (1, 0), False),
        ("404", Response(404), (1, 0), False),
        ("409", Response(409, {"message": "too many requests"}), (1, 0), False),
        ("422", Response(422), (1, 0), False),
        ("429", Response(429), (0, 0), True),
        ("redirect", Response(302, headers={"Location": "/"}), (0, 0), False),
        ("not JSON", Response(200, "<html>"), (0, 0), True),
    ]:
        breaker.reset()
        server.script(response)
        failed = None
        try:
            READ(client)
        except ApiException as failure:
            failed = failure
        if (breaker.status()[1:3], is_outage(failed)) != (counted, outage):
            wrong.append(name)
    assert wrong == []


def test_timeouts_and_refused_connections_count(
    client: Any, server: RecordingServer, breaker: CircuitBreaker
) -> None:
    server.script(SILENCE)
    with pytest.raises(ReadTimeoutError):
        READ(client, _deadline=0.05)
    assert breaker.status().failures == 1
    client.configuration.host = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(NotSentError):
        READ(client)
    assert breaker.status().failures == 2


def test_a_pooled_connection_that_was_closed_does_not_count(
    client: Any, server: RecordingServer, breaker: CircuitBreaker
) -> None:
    client.configuration.retries = 1
    READ(client)
    server.script(HANG_UP)
    READ(client)
    assert breaker.status()[1:3] == (2, 0)
    server.script(HANG_UP, HANG_UP)
    with pytest.raises(NoResponseError):
        READ(client)
    assert breaker.status()[1:3] == (3, 1)


def test_a_call_without_time_left_does_not_count(
    client: Any, server: RecordingServer, breaker: CircuitBreaker
) -> None:
    with pytest.raises(ConnectTimeoutError):
        READ(client, _deadline=1e-9)
    assert server.requests == []
    assert breaker.status().attempts == 0


def test_each_attempt_counts_and_an_open_breaker_ends_the_retries(
    client: Any, server: RecordingServer, breaker: CircuitBreaker
) -> None:
    client.configuration.retries = 10
    server.default = Response(503)
    with pytest.raises(NoResponseError, match="an earlier attempt had reached") as caught:
        CHECKOUT(client)
    assert len(server.requests) == caught.value.attempts == 3
    assert [type(each) for each in caught.value.earlier[-2:]] == [
        ServiceException,
        CircuitOpenError,
    ]
    with pytest.raises(CircuitOpenError) as refused:
        CHECKOUT(client)
    assert (refused.value.attempts, refused.value.earlier) == (1, ())
    assert len(server.requests) == 3


def test_refusals_cost_nothing_of_the_retry_budget(
    client: Any, server: RecordingServer, breaker: CircuitBreaker
) -> None:
    fail(client, server)
    client.configuration.retries = 2
    for _ in range(100):
        with pytest.raises(CircuitOpenError) as caught:
            CHECKOUT(client)
        assert not caught.value.retry_budget_exhausted


def test_responses_and_refusals_of_other_hooks_do_not_count(
    client: Any, server: RecordingServer, breaker: CircuitBreaker, clock: MockClock
) -> None:
    class Other(Hooks):
        def on_request(self, event: CallEvent) -> talon_one.RawResponse | None:
            if event.attempt and self.refuses:
                raise NotSentError(None, "not today")
            return talon_one.RawResponse(200, "OK", {}, b"{}")

        refuses = False

    fail(client, server)
    clock.now += RECOVERY
    other = Other()
    client.configuration.hooks.append(other)
    READ(client)
    assert state_of(breaker) == "half_open"
    other.refuses = True
    with pytest.raises(NotSentError, match="not today"):
        READ(client)
    assert state_of(breaker) == "half_open"
    client.configuration.hooks.remove(other)
    READ(client)
    assert state_of(breaker) == "closed"


def test_the_same_breaker_twice_is_one(
    client: Any, server: RecordingServer, breaker: CircuitBreaker, clock: MockClock
) -> None:
    client.configuration.hooks.append(breaker)
    fail(client, server)
    clock.now += RECOVERY
    READ(client)
    assert state_of(breaker) == "closed"


def test_clients_may_share_one(
    client: Any, server: RecordingServer, breaker: CircuitBreaker
) -> None:
    fail(client, server)
    configuration = copy.deepcopy(client.configuration)
    assert configuration.hooks == [breaker]
    other = make_client(server.url, hooks=configuration.hooks)
    with other, pytest.raises(CircuitOpenError):
        READ(other)


def test_while_a_probe_is_in_progress_others_are_refused(
    client: Any, server: RecordingServer, breaker: CircuitBreaker, clock: MockClock
) -> None:
    fail(client, server)
    clock.now += RECOVERY
    reached, go_on = threading.Event(), threading.Event()

    def slow(_: Received) -> Response:
        reached.set()
        go_on.wait(10)
        return Response(200, {"customerSession": {}})

    server.script(slow)
    probing = threading.Thread(target=READ, args=(client,))
    probing.start()
    assert reached.wait(10)
    refused = 0
    for _ in range(10):
        with pytest.raises(CircuitOpenError) as caught:
            READ(client)
        refused += caught.value.retry_in == 0
    assert refused == 10
    go_on.set()
    probing.join()
    assert state_of(breaker) == "closed"
    assert len(server.requests) == 4


def test_a_probe_that_is_interrupted_makes_way_for_another(
    client: Any, server: RecordingServer, breaker: CircuitBreaker, clock: MockClock
) -> None:
    class Interrupted(BaseException):
        """As Ctrl-C is."""

    class Interrupting(talon_one.Transport):
        def send(self, request: object, timeout: object) -> talon_one.RawResponse:
            raise Interrupted

    class InterruptingAsync(talon_one.aio.Transport):
        async def send(self, request: object, timeout: object) -> talon_one.RawResponse:
            raise Interrupted

    fail(client, server)
    clock.now += RECOVERY
    inner = getattr(client, "client", client)
    if inner is client:
        kept, client._transport = client._transport, Interrupting()
    else:
        kept, inner._given = inner._given, InterruptingAsync()
    with pytest.raises(Interrupted):
        READ(client)
    assert state_of(breaker) == "half_open"
    if inner is client:
        client._transport = kept
    else:
        inner._given = kept
    READ(client)
    assert state_of(breaker) == "closed"


@pytest.mark.one_shell("it cancels a task")
def test_a_probe_that_is_canceled_makes_way_for_another(
    server: RecordingServer, clock: MockClock
) -> None:
    breaker = CircuitBreaker(failures=1, recovery=RECOVERY, clock=Clock(monotonic=clock))

    async def run() -> None:
        configuration = Configuration(server.url, {"api_key_v1": "a"}, hooks=[breaker], retries=0)
        async with talon_one.aio.ApiClient(configuration) as client:
            api = talon_one.aio.IntegrationApi(client)
            server.script(Response(500), SILENCE)
            with pytest.raises(ServiceException):
                await api.get_customer_session("1")
            clock.now += RECOVERY
            task = asyncio.ensure_future(api.get_customer_session("1"))
            while len(server.requests) < 2:
                await asyncio.sleep(0)
            with pytest.raises(CircuitOpenError):
                await api.get_customer_session("1")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await api.get_customer_session("1")
            assert state_of(breaker) == "closed"

    asyncio.run(run())


def test_changes_are_reported_to_a_callback_and_the_log(
    client: Any,
    server: RecordingServer,
    clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    changes: list[StateChange] = []

    def note(change: StateChange) -> None:
        changes.append(change)
        raise ZeroDivisionError

    breaker = CircuitBreaker(
        failures=2, recovery=RECOVERY, on_change=note, clock=Clock(monotonic=clock)
    )
    client.configuration.hooks.append(breaker)
    client.configuration.retries = 0
    caplog.set_level(logging.INFO, "talon_one")
    fail(client, server, 2)
    clock.now += RECOVERY
    fail(client, server, 1)
    clock.now += RECOVERY
    READ(client)
    assert [tuple(each) for each in changes] == [
        (1, "closed", "open", 2, 2),
        (2, "open", "half_open", 2, 2),
        (3, "half_open", "open", 2, 2),
        (4, "open", "half_open", 0, 0),
        (5, "half_open", "closed", 0, 0),
    ]
    warnings = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert [each.getMessage() for each in warnings] == [
        "circuit breaker: closed -> open, 2 of 2 attempts failed",
        "circuit breaker: half_open -> open, 2 of 2 attempts failed",
    ]
    assert caplog.text.count("on_change failed") == 5


def test_the_exception_says_what_was_refused_and_can_be_pickled(
    client: Any, server: RecordingServer, breaker: CircuitBreaker
) -> None:
    fail(client, server)
    with pytest.raises(CircuitOpenError) as caught:
        READ(client)
    assert str(caught.value) == f"getCustomerSession {server.url}: the circuit breaker is open"
    assert caught.value.method == "GET"
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is CircuitOpenError
    assert (again.retry_in, str(again)) == (RECOVERY, str(caught.value))
    assert isinstance(caught.value, NotSentError)


@pytest.mark.one_shell("no call is made")
def test_settings_that_cannot_work_are_refused() -> None:
    breaker: Any = CircuitBreaker
    accepted = []
    wrong: list[dict[str, Any]] = [
        *({"failures": each} for each in (0, -1, 1.5, True, None, "3", float("nan"))),
        *({"window": each} for each in (0, -1, None, "1", float("nan"), float("inf"), 10**400)),
        *({"recovery": each} for each in (0, 1e-9, True, 1e300)),
        *({"failure_rate": each} for each in (-0.1, 1.1, None, float("nan"))),
        {"on_change": 5},
        {"clock": 5},
        {"failure": 3},
    ]
    for settings in wrong:
        try:
            breaker(**settings)
        except ApiTypeError:
            continue
        accepted.append(settings)
    assert accepted == []
    assert repr(CircuitBreaker()) == "<CircuitBreaker closed, 0 failures>"


@pytest.mark.one_shell("no call is made")
def test_which_failures_are_outages() -> None:
    assert is_outage(CircuitOpenError())
    assert is_outage(TooManyRequestsException(429))
    assert is_outage(talon_one.InvalidResponseError(200))
    assert not is_outage(NotFoundException(404))
    assert not is_outage(talon_one.ConflictException(409))
    assert not is_outage(talon_one.ClientClosedError())
    assert not is_outage(None)
