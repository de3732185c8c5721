"""A call from its first attempt to its last, on a clock that the test moves."""

from __future__ import annotations

import pickle
from random import Random
from typing import Any

import pytest
from urllib3 import HTTPHeaderDict

from support.every import for_every
from talon_one import (
    ApiException,
    ApiTimeoutError,
    CallEvent,
    ClientClosedError,
    Configuration,
    ConflictException,
    ConnectTimeoutError,
    Hooks,
    InvalidResponseError,
    NoResponseError,
    NotSentError,
    ReadTimeoutError,
    RetryPolicy,
    ServiceException,
    Timeout,
    TlsError,
    TooManyRequestsException,
)
from talon_one._core.call import Call
from talon_one._core.entity_queues import EntityQueues
from talon_one._core.failures import may_have_acted
from talon_one._core.operation import Operation
from talon_one._core.options import CallOptions
from talon_one._core.request import Request
from talon_one._core.response import RawResponse
from talon_one._core.retry import RetryBudget

CREATE = Operation("createThing", "POST", "/v1/things", results={})
CHANGE = Operation("changeThing", "PUT", "/v1/things", results={}, serialised={"thing": "path.id"})
# Calls only read it, and making one takes longer than all that most of these calls do.
CONFIGURATION = Configuration()
BUSY = {"message": "Too many requests are updating this session at the same time"}


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Attempts(Call):
    """A call whose attempts end without a transport."""

    @property
    def made(self) -> int:
        return self._attempts

    def succeed(self) -> None:
        self.succeeded(RawResponse(204, None, {}, b""))

    def failed(self, failure: ApiException) -> tuple[float, ApiException | None]:
        """Return the pause before the next attempt, or what is raised."""
        try:
            return self.attempt_failed(failure), None
        except ApiException as final:
            return 0, final


@pytest.fixture
def clock() -> Clock:
    return Clock()


def attempts_of(
    operation: Operation = CREATE,
    headers: dict[str, str] | None = None,
    timeout: Timeout | None = None,
    budget: RetryBudget | None = None,
    clock: Clock | None = None,
    queues: EntityQueues | None = None,
    hooks: Hooks | None = None,
    **policy: Any,
) -> Attempts:
    request = Request(
        operation.id, operation.method, "https://a.b", "/v1/things?q=1", headers or {}, b""
    )
    if queues is not None:
        request = request._replace(entities=(("thing", "1"),))
    return Attempts(
        operation,
        request,
        CallOptions(),
        timeout or Timeout(),
        RetryPolicy(**policy),
        budget or RetryBudget(),
        CONFIGURATION if hooks is None else Configuration(hooks=[hooks]),
        queues,
        clock or Clock(),
    )


def is_retried(attempts: Attempts, failure: ApiException) -> bool:
    attempts.attempt_started()
    pause, final = attempts.failed(failure)
    assert (final is None) == (pause > 0)
    assert final in (None, failure)
    return final is None


def test_a_place_in_a_queue_is_left_once_and_the_second_time_does_no_harm() -> None:
    queues = EntityQueues(1)
    first, second = (attempts_of(queues=queues) for _ in range(2))
    assert first.join_queue(bool)
    assert not second.join_queue(bool)
    first.leave_queue()
    first.leave_queue()
    second.leave_queue()
    assert attempts_of(queues=queues).join_queue(bool)


def test_a_server_may_have_acted_if_it_did_not_respond_or_failed_itself() -> None:
    acted: list[ApiException] = [NoResponseError(), NoResponseError(200), ApiException(500)]
    acted.append(ServiceException(503))
    unacted: list[ApiException] = [NotSentError(), ApiException(), ApiException(499)]
    unacted.append(ApiException(404))
    assert [each for each in acted if not may_have_acted(each)] == []
    assert [each for each in unacted if may_have_acted(each)] == []


class Noting(Hooks):
    """Notes the failures of calls, not those of attempts."""

    def __init__(self) -> None:
        self.failures: list[BaseException | None] = []

    def on_error(self, event: CallEvent) -> None:
        if not event.attempt:
            self.failures.append(event.failure)


def test_hooks_see_what_is_raised_when_a_client_is_closed_between_attempts() -> None:
    closed = ClientClosedError("this client is closed")
    hooks = Noting()
    attempts = attempts_of(READ, hooks=hooks)
    attempts.start()
    assert is_retried(attempts, NoResponseError(None, "cut"))
    instead = attempts.aborted(closed)
    assert isinstance(instead, NoResponseError)
    assert (instead.attempts, len(instead.earlier)) == (1, 1)
    unsent = attempts_of(READ, hooks=hooks)
    unsent.start()
    assert is_retried(unsent, NotSentError(None, "refused"))
    assert unsent.aborted(closed) is None
    assert hooks.failures == [instead, closed]


# -- Outcomes ----------------------------------------------------------------------------------


@for_every(
    "failure, always, if_safe",
    [
        (NotSentError(), True, True),
        (TlsError(), True, True),
        (ConnectTimeoutError(), True, True),
        (NoResponseError(), False, True),
        (NoResponseError(200), False, True),
        (ReadTimeoutError(), False, True),
        (TooManyRequestsException(429), True, True),
        (ServiceException(503), False, True),
        (InvalidResponseError(200), False, False),
        (ApiException(302), False, False),
        (ConflictException(409, data=BUSY), False, False),
    ],
)
def test_a_failure_is_classified_by_what_it_shows_of_the_server(
    failure: ApiException, always: bool, if_safe: bool
) -> None:
    safe = Operation("getThing", "GET", "/v1/things", results={})
    assert is_retried(attempts_of(CREATE), failure) is always
    assert is_retried(attempts_of(safe), failure) is if_safe
    assert is_retried(attempts_of(CREATE, {"idempotency-key": "k"}), failure) is if_safe


@pytest.mark.parametrize(
    ("data", "retried"),
    [
        (BUSY, True),
        ({"message": "too many requests are updating this profile at the same time"}, True),
        ({"message": "The limit is reached"}, False),
        ({"message": None}, False),
        ({"message": 429}, False),
        (["Too many requests"], False),
        (None, False),
    ],
)
def test_a_conflict_is_retried_if_its_message_says_that_it_is_transient(
    data: Any, retried: bool
) -> None:
    failure = ConflictException(409, data=data)
    assert is_retried(attempts_of(CHANGE), failure) is retried
    assert not is_retried(attempts_of(CREATE), failure)


def test_the_pause_that_the_response_asks_for_is_kept() -> None:
    attempts = attempts_of()
    attempts.attempt_started()
    headers = HTTPHeaderDict({"retry-after": "7"})
    assert attempts.failed(TooManyRequestsException(429, headers=headers)) == (7, None)


# -- The exception of the whole call -----------------------------------------------------------


def test_the_last_failure_knows_the_others_and_how_many_there_were() -> None:
    attempts = attempts_of(retries=2)
    failures = [NotSentError(None, str(number)) for number in range(3)]
    finals = []
    for failure in failures:
        attempts.attempt_started()
        finals.append(attempts.failed(failure)[1])
    assert finals == [None, None, failures[2]]
    assert failures[2].attempts == attempts.made == 3
    assert failures[2].earlier == (failures[0], failures[1])
    assert str(failures[2]) == "2 (after 3 attempts)"
    copy = pickle.loads(pickle.dumps(failures[2]))
    assert [str(each) for each in copy.earlier] == [str(each) for each in failures[:2]]


@pytest.mark.parametrize(
    ("first", "last", "raised"),
    [
        (NoResponseError(None, "cut"), NotSentError(None, "refused"), NoResponseError),
        (ReadTimeoutError(), TlsError(), NoResponseError),
        (ServiceException(503), NotSentError(), NoResponseError),
        (NoResponseError(), ConnectTimeoutError(), ReadTimeoutError),
        (NotSentError(), NotSentError(), NotSentError),
        (TooManyRequestsException(429), NotSentError(), NotSentError),
        (NoResponseError(), ServiceException(503), ServiceException),
        (NotSentError(), NoResponseError(), NoResponseError),
    ],
)
def test_an_unsent_last_attempt_does_not_hide_that_an_earlier_one_was_sent(
    first: ApiException, last: ApiException, raised: type[ApiException]
) -> None:
    attempts = attempts_of(headers={"Idempotency-Key": "k"}, retries=1)
    attempts.attempt_started()
    assert attempts.failed(first)[1] is None
    attempts.attempt_started()
    _, final = attempts.failed(last)
    assert type(final) is raised
    assert final.attempts == 2
    assert final.earlier == ((first, last) if final is not last else (first,))
    assert isinstance(final, ApiTimeoutError) == isinstance(last, ApiTimeoutError)


# -- Time --------------------------------------------------------------------------------------


def test_each_attempt_gets_what_is_left(clock: Clock) -> None:
    attempts = attempts_of(timeout=Timeout(5, 30, 12), clock=clock, backoff=0.001)
    assert attempts.attempt_started() == (5, 12, 12)
    clock.now += 8
    assert attempts.failed(NotSentError())[1] is None
    assert attempts.attempt_started() == (4, 4, 4)


def test_without_a_deadline_time_does_not_matter(clock: Clock) -> None:
    attempts = attempts_of(clock=clock)
    assert attempts.attempt_started() == (5, 30, None)
    clock.now += 10**6
    assert attempts.failed(NotSentError())[1] is None
    assert attempts.attempt_started() == (5, 30, None)


def test_no_pause_is_begun_that_would_end_beyond_the_deadline(clock: Clock) -> None:
    attempts = attempts_of(timeout=Timeout(deadline=10), clock=clock)
    attempts.attempt_started()
    clock.now += 4
    failure = TooManyRequestsException(429, headers={"Retry-After": "6"})
    assert attempts.failed(failure) == (0, failure)


def test_no_attempt_is_begun_after_the_deadline(clock: Clock) -> None:
    attempts = attempts_of(timeout=Timeout(deadline=10), clock=clock)
    attempts.attempt_started()
    attempts.failed(NotSentError())
    clock.now += 10
    with pytest.raises(ConnectTimeoutError, match="the deadline has passed") as caught:
        attempts.attempt_started()
    assert attempts.made == caught.value.attempts == 1
    assert len(caught.value.earlier) == 1
    assert (caught.value.operation_id, caught.value.url) == ("createThing", "https://a.b/v1/things")
    _, final = attempts.failed(caught.value)
    assert final is caught.value


# -- Budget ------------------------------------------------------------------------------------


READ = Operation("getThing", "GET", "/v1/things", results={})
KEYED = {"Idempotency-Key": "k"}


def test_calls_share_the_budget_of_their_client() -> None:
    budget = RetryBudget(retries=1, reserved=0, price=1)
    assert is_retried(attempts_of(budget=budget), NotSentError())
    assert not is_retried(attempts_of(budget=budget), NotSentError())
    attempts_of(budget=budget).succeed()
    assert is_retried(attempts_of(budget=budget), NotSentError())


def test_what_would_not_be_retried_costs_nothing() -> None:
    budget = RetryBudget(retries=1, reserved=0, price=1)
    assert not is_retried(attempts_of(budget=budget), NoResponseError())
    assert is_retried(attempts_of(budget=budget), NotSentError())


def test_refusals_are_retried_free_of_charge() -> None:
    budget = RetryBudget(retries=0, reserved=0)
    assert is_retried(attempts_of(budget=budget), TooManyRequestsException(429))
    assert is_retried(attempts_of(CHANGE, budget=budget), ConflictException(409, data=BUSY))
    assert not is_retried(attempts_of(budget=budget), NotSentError())


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_response_that_refuses_the_request_shows_that_the_server_is_well(status: int) -> None:
    budget = RetryBudget(retries=1, reserved=0, price=1)
    assert budget.spend()
    assert not is_retried(attempts_of(budget=budget), ApiException(status))
    assert budget.spend()


@pytest.mark.parametrize(
    "failure",
    [
        NotSentError(),
        NoResponseError(200),
        ServiceException(500),
        TooManyRequestsException(429),
        ApiException(302),
        InvalidResponseError(200),
    ],
)
def test_no_other_failure_earns_a_retry(failure: ApiException) -> None:
    budget = RetryBudget(retries=1, reserved=0, price=1)
    assert budget.spend()
    attempts = attempts_of(budget=budget, retries=0)
    assert not is_retried(attempts, failure)
    assert not budget.spend()


def test_only_a_successful_stream_earns_a_retry() -> None:
    for status, earns in ((199, False), (200, True), (299, True), (300, False), (404, False)):
        budget = RetryBudget(retries=1, reserved=0, price=1)
        assert budget.spend()
        attempts_of(budget=budget).stream_opened(status, {})
        assert budget.spend() is earns, status


def test_a_failure_says_that_the_budget_is_exhausted_and_only_then() -> None:
    budget = RetryBudget(retries=1, reserved=0)
    last = NotSentError(None, "refused")
    assert is_retried(attempts_of(budget=budget), NotSentError())
    assert not is_retried(attempts_of(budget=budget), last)
    assert last.retry_budget_exhausted
    assert str(last) == "refused (retry budget exhausted)"
    assert str(pickle.loads(pickle.dumps(last))) == str(last)
    for failure in (NotSentError(None, "refused"), NoResponseError(None, "cut")):
        assert not is_retried(attempts_of(retries=0), failure)
        assert not failure.retry_budget_exhausted
        assert "budget" not in str(failure)


def test_an_exhausted_budget_does_not_hide_that_an_earlier_attempt_was_sent() -> None:
    attempts = attempts_of(READ, budget=RetryBudget(retries=1, reserved=0))
    assert is_retried(attempts, NoResponseError(None, "cut"))
    attempts.attempt_started()
    _, final = attempts.failed(NotSentError(None, "refused"))
    assert type(final) is NoResponseError
    assert final.retry_budget_exhausted


def test_failing_reads_leave_retries_to_updates_with_a_key() -> None:
    budget = RetryBudget()
    for _ in range(100):
        is_retried(attempts_of(READ, budget=budget), NoResponseError())
    assert is_retried(attempts_of(CREATE, KEYED, budget=budget), NoResponseError())


def test_a_connection_that_went_stale_is_retried_whatever_is_left() -> None:
    budget = RetryBudget(retries=0, reserved=0)
    failure = NoResponseError()
    failure.on_stale_connection = True
    assert is_retried(attempts_of(CREATE, KEYED, budget=budget), failure)
    assert not is_retried(attempts_of(CREATE, budget=budget), failure)


# Share of requests that get no response, and the share of calls that may be given up for want of
# budget while they had attempts left.
LOSSES = [(0.05, 0.0), (0.10, 0.0), (0.12, 0.0), (0.15, 0.0), (0.20, 0.01), (0.30, 0.05)]


@pytest.mark.parametrize("headers", [{}, KEYED], ids=["reads", "updates with a key"])
@for_every("loss, limit", LOSSES)
def test_a_client_that_mostly_succeeds_is_not_denied_its_retries(
    loss: float, limit: float, headers: dict[str, str]
) -> None:
    for seed in range(5):
        draw = Random(seed).random
        budget = RetryBudget()
        given_up = 0
        for _ in range(3000):
            attempts = attempts_of(READ, headers, budget=budget)
            final = None
            while final is None:
                attempts.attempt_started()
                if draw() >= loss:
                    attempts.succeed()
                    break
                _, final = attempts.failed(NoResponseError())
            given_up += final is not None and attempts.made < 3
        assert given_up <= limit * 3000


@pytest.mark.parametrize("headers", [{}, KEYED], ids=["reads", "updates with a key"])
def test_an_outage_adds_few_requests_to_those_of_the_calls(headers: dict[str, str]) -> None:
    budget = RetryBudget()
    made = 0
    for _ in range(600):
        attempts = attempts_of(READ, headers, budget=budget)
        while is_retried(attempts, NoResponseError()):
            pass
        made += attempts.made
    assert made <= 600 + 20
