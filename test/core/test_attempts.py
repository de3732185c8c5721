"""Attempts: one call from its first attempt to its last, on a clock that the test moves."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from urllib3 import HTTPHeaderDict

from talon_one import (
    ApiException,
    ApiTimeoutError,
    ConflictException,
    ConnectTimeoutError,
    NoAnswerError,
    NotSentError,
    ReadTimeoutError,
    RetryPolicy,
    ServiceException,
    Timeout,
    TlsError,
    TooManyRequestsException,
    UndecodableAnswerError,
)
from talon_one.attempts import Attempts
from talon_one.operation import Operation
from talon_one.request import Request
from talon_one.retry import RetryBudget

CREATE = Operation("createThing", "POST", "/v1/things", results={})
CHANGE = Operation("changeThing", "PUT", "/v1/things", results={}, serialised={"thing": "path.id"})
BUSY = {"message": "Too many requests are updating this session at the same time"}


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def attempts_of(
    operation: Operation = CREATE,
    headers: dict[str, str] | None = None,
    timeout: Timeout | None = None,
    budget: RetryBudget | None = None,
    clock: Clock | None = None,
    **policy: Any,
) -> Attempts:
    request = Request(
        operation.id, operation.method, "https://a.b", "/v1/things?q=1", headers or {}, b""
    )
    return Attempts(
        operation,
        request,
        timeout or Timeout(),
        RetryPolicy(**policy),
        budget or RetryBudget(),
        clock or Clock(),
    )


def is_repeated(attempts: Attempts, failure: ApiException) -> bool:
    attempts.begin()
    pause, final = attempts.failed(failure)
    assert (final is None) == (pause > 0)
    assert final in (None, failure)
    return final is None


# -- Outcomes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "always", "if_safe"),
    [
        (NotSentError(), True, True),
        (TlsError(), True, True),
        (ConnectTimeoutError(), True, True),
        (NoAnswerError(), False, True),
        (NoAnswerError(200), False, True),
        (ReadTimeoutError(), False, True),
        (TooManyRequestsException(429), True, True),
        (ServiceException(503), False, True),
        (UndecodableAnswerError(200), False, False),
        (ApiException(302), False, False),
        (ConflictException(409, data=BUSY), False, False),
    ],
)
def test_a_failure_is_judged_by_what_it_says_of_the_server(
    failure: ApiException, always: bool, if_safe: bool
) -> None:
    safe = Operation("getThing", "GET", "/v1/things", results={})
    assert is_repeated(attempts_of(CREATE), failure) is always
    assert is_repeated(attempts_of(safe), failure) is if_safe
    assert is_repeated(attempts_of(CREATE, {"idempotency-key": "k"}), failure) is if_safe


@pytest.mark.parametrize(
    ("data", "repeated"),
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
def test_a_conflict_passes_if_the_message_says_so_where_it_may(data: Any, repeated: bool) -> None:
    failure = ConflictException(409, data=data)
    assert is_repeated(attempts_of(CHANGE), failure) is repeated
    assert not is_repeated(attempts_of(CREATE), failure)


def test_what_the_answer_asks_for_is_waited() -> None:
    attempts = attempts_of()
    attempts.begin()
    headers = HTTPHeaderDict({"retry-after": "7"})
    assert attempts.failed(TooManyRequestsException(429, headers=headers)) == (7, None)


# -- What is told in the end -------------------------------------------------------------------


def test_the_last_failure_knows_the_others_and_how_many_there_were() -> None:
    attempts = attempts_of(retries=2)
    failures = [NotSentError(None, str(number)) for number in range(3)]
    finals = []
    for failure in failures:
        attempts.begin()
        finals.append(attempts.failed(failure)[1])
    assert finals == [None, None, failures[2]]
    assert failures[2].attempts == attempts.made == 3
    assert failures[2].earlier == (failures[0], failures[1])
    assert str(failures[2]) == "2 (after 3 attempts)"
    copy = pickle.loads(pickle.dumps(failures[2]))
    assert [str(each) for each in copy.earlier] == [str(each) for each in failures[:2]]


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (NoAnswerError(None, "cut"), NotSentError(None, "refused"), NoAnswerError),
        (ReadTimeoutError(), TlsError(), NoAnswerError),
        (ServiceException(503), NotSentError(), NoAnswerError),
        (NoAnswerError(), ConnectTimeoutError(), ReadTimeoutError),
        (NotSentError(), NotSentError(), NotSentError),
        (TooManyRequestsException(429), NotSentError(), NotSentError),
        (NoAnswerError(), ServiceException(503), ServiceException),
        (NotSentError(), NoAnswerError(), NoAnswerError),
    ],
)
def test_the_end_does_not_say_unsent_of_what_was_sent_before(
    first: ApiException, last: ApiException, told: type[ApiException]
) -> None:
    attempts = attempts_of(headers={"Idempotency-Key": "k"}, retries=1)
    attempts.begin()
    assert attempts.failed(first)[1] is None
    attempts.begin()
    _, final = attempts.failed(last)
    assert type(final) is told
    assert final.attempts == 2
    assert final.earlier == ((first, last) if final is not last else (first,))
    assert isinstance(final, ApiTimeoutError) == isinstance(last, ApiTimeoutError)


# -- Time --------------------------------------------------------------------------------------


def test_each_attempt_gets_what_is_left(clock: Clock) -> None:
    attempts = attempts_of(timeout=Timeout(5, 30, 12), clock=clock, backoff=0.001)
    assert attempts.begin() == (5, 12, 12)
    clock.now += 8
    assert attempts.failed(NotSentError())[1] is None
    assert attempts.begin() == (4, 4, 4)


def test_without_a_deadline_time_does_not_matter(clock: Clock) -> None:
    attempts = attempts_of(clock=clock)
    assert attempts.begin() == (5, 30, None)
    clock.now += 10**6
    assert attempts.failed(NotSentError())[1] is None
    assert attempts.begin() == (5, 30, None)


def test_no_pause_is_begun_that_would_end_beyond_the_deadline(clock: Clock) -> None:
    attempts = attempts_of(timeout=Timeout(deadline=10), clock=clock)
    attempts.begin()
    clock.now += 4
    failure = TooManyRequestsException(429, headers={"Retry-After": "6"})
    assert attempts.failed(failure) == (0, failure)


def test_no_attempt_is_begun_after_the_deadline(clock: Clock) -> None:
    attempts = attempts_of(timeout=Timeout(deadline=10), clock=clock)
    attempts.begin()
    attempts.failed(NotSentError())
    clock.now += 10
    with pytest.raises(ConnectTimeoutError, match="the deadline has passed") as caught:
        attempts.begin()
    assert attempts.made == caught.value.attempts == 1
    assert len(caught.value.earlier) == 1
    assert (caught.value.operation_id, caught.value.url) == ("createThing", "https://a.b/v1/things")
    _, final = attempts.failed(caught.value)
    assert final is caught.value


# -- Budget ------------------------------------------------------------------------------------


def test_calls_share_the_budget_of_their_client() -> None:
    budget = RetryBudget(repetitions=1, price=1)
    assert is_repeated(attempts_of(budget=budget), NotSentError())
    assert not is_repeated(attempts_of(budget=budget), NotSentError())
    attempts_of(budget=budget).succeeded()
    assert is_repeated(attempts_of(budget=budget), NotSentError())


def test_what_would_not_be_repeated_costs_nothing() -> None:
    budget = RetryBudget(repetitions=1, price=1)
    assert not is_repeated(attempts_of(budget=budget), NoAnswerError())
    assert is_repeated(attempts_of(budget=budget), NotSentError())


def test_refusals_are_repeated_free_of_charge() -> None:
    budget = RetryBudget(repetitions=0)
    assert is_repeated(attempts_of(budget=budget), TooManyRequestsException(429))
    assert is_repeated(attempts_of(CHANGE, budget=budget), ConflictException(409, data=BUSY))
    assert not is_repeated(attempts_of(budget=budget), NotSentError())
