"""RetryPolicy: which failures are retried, after which pauses, and within which budget."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from support.every import for_every
from talon_one._core.retry import (
    NO_RETRIES,
    Attempt,
    Outcome,
    RetryBudget,
    RetryPolicy,
    as_policy,
)
from talon_one._utils.retry_after import retry_after

POLICY = RetryPolicy()
NOT_SENT, NO_RESPONSE, RESPONDED = Outcome


def is_retried(attempt: Attempt) -> bool:
    return POLICY.pause(attempt, 1) is not None


# -- What is retried ---------------------------------------------------------------------------

# Outcome, status: retried always, where that is safe, only with a key, or never.
DECISIONS = [
    (NOT_SENT, None, "always"),
    (NO_RESPONSE, None, "if safe"),
    (NO_RESPONSE, 200, "if safe"),
    (RESPONDED, 429, "always"),
    (RESPONDED, 502, "if safe"),
    (RESPONDED, 503, "if safe"),
    (RESPONDED, 504, "if safe"),
    (RESPONDED, 500, "if keyed"),
    (RESPONDED, 507, "if keyed"),
    (RESPONDED, 200, "never"),
    (RESPONDED, 302, "never"),
    (RESPONDED, 400, "never"),
    (RESPONDED, 401, "never"),
    (RESPONDED, 403, "never"),
    (RESPONDED, 404, "never"),
    (RESPONDED, 408, "never"),
    (RESPONDED, 409, "never"),
    (RESPONDED, 422, "never"),
    (RESPONDED, 600, "never"),
    (RESPONDED, None, "never"),
]


@pytest.mark.parametrize("idempotent", [False, True])
@pytest.mark.parametrize("keyed", [False, True])
@for_every("outcome, status, retried", DECISIONS)
def test_a_retry_depends_on_the_outcome_and_on_whether_the_request_is_idempotent(
    outcome: Outcome, status: int | None, retried: str, idempotent: bool, keyed: bool
) -> None:
    expected = {
        "always": True,
        "if safe": idempotent or keyed,
        "if keyed": keyed,
        "never": False,
    }[retried]
    assert is_retried(Attempt(outcome, idempotent, status, keyed)) is expected


@pytest.mark.parametrize("idempotent", [False, True])
def test_a_conflict_is_retried_if_it_is_transient(idempotent: bool) -> None:
    assert is_retried(Attempt(RESPONDED, idempotent, 409, conflict_is_transient=True))
    assert not is_retried(Attempt(RESPONDED, idempotent, 404, conflict_is_transient=True))


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_body_that_cannot_be_sent_from_its_start_is_not_retried(outcome: Outcome) -> None:
    attempt = Attempt(outcome, True, 429, has_idempotency_key=True)
    assert is_retried(attempt)
    assert not is_retried(attempt._replace(replayable=False))


def test_the_statuses_of_overload_can_be_chosen() -> None:
    policy = RetryPolicy(statuses={500})
    assert policy.pause(Attempt(RESPONDED, True, 500), 1) is not None
    assert policy.pause(Attempt(RESPONDED, False, 500), 1) is None
    assert policy.pause(Attempt(RESPONDED, True, 503), 1) is None
    assert policy.pause(Attempt(RESPONDED, False, 429), 1) is not None


@pytest.mark.parametrize("retries", [0, 1, 2, 7])
def test_there_are_as_many_retries_as_the_policy_says(retries: int) -> None:
    policy = RetryPolicy(retries=retries)
    attempt = Attempt(NOT_SENT, True)
    made = [policy.pause(attempt, made) is not None for made in range(1, retries + 3)]
    assert made == [True] * retries + [False] * 2


# -- Pauses ------------------------------------------------------------------------------------


def test_the_longest_pause_doubles_up_to_its_bound() -> None:
    policy = RetryPolicy(retries=100, backoff=0.25, backoff_max=8)
    longest = [
        policy.pause(Attempt(NOT_SENT, True), made, draw=lambda: 1.0) for made in range(1, 9)
    ]
    assert longest == [0.25, 0.5, 1, 2, 4, 8, 8, 8]


@given(made=st.integers(1, 10**9), share=st.floats(0, 1), remaining=st.none() | st.floats(-5, 50))
def test_a_pause_is_a_share_of_the_longest_and_ends_before_the_deadline(
    made: int, share: float, remaining: float | None
) -> None:
    policy = RetryPolicy(retries=10**9)
    pause = policy.pause(Attempt(NOT_SENT, True), made, remaining, lambda: share)
    longest = min(8.0, 0.25 * 2.0 ** min(made - 1, 10))
    if remaining is not None and share * longest >= remaining:
        assert pause is None
    else:
        assert pause == share * longest


def test_pauses_are_spread_at_random() -> None:
    pauses = [POLICY.pause(Attempt(NOT_SENT, True), 1) for _ in range(200)]
    drawn = [pause for pause in pauses if pause is not None]
    assert len(set(drawn)) == len(pauses)
    assert min(drawn) < 0.05
    assert 0.2 < max(drawn) <= 0.25


@for_every(
    "asked, remaining, pause",
    [
        (None, None, 0.125),
        (0, None, 0.125),
        (0.1, None, 0.125),
        (3, None, 3),
        (60, None, 60),
        (60.1, None, None),
        (1e300, None, None),
        (3, 10, 3),
        (3, 3, None),
        (3, 2, None),
        (None, 0.1, None),
        (None, -1, None),
    ],
)
def test_the_pause_is_at_least_what_the_server_asks_for_up_to_a_limit_and_the_deadline(
    asked: float | None, remaining: float | None, pause: float | None
) -> None:
    attempt = Attempt(RESPONDED, True, 429, retry_after=asked)
    assert POLICY.pause(attempt, 1, remaining, lambda: 0.5) == pause


NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z


@for_every(
    "text, seconds",
    [
        ("0", 0),
        ("120", 120),
        (" 1.5 ", 1.5),
        ("-3", 0),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60),
        ("Thu, 01 Jan 2026 01:01:00 +0100", 60),
        ("Thursday, 01-Jan-26 00:01:00 GMT", 60),
        ("Wed, 31 Dec 2025 23:59:59 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 251_635_075_199),
        ("", None),
        (" ", None),
        ("nan", None),
        ("inf", None),
        ("-inf", 0),
        ("1e999", None),
        ("soon", None),
        ("Thu, 41 Jan 2026 00:01:00 GMT", None),
        ("Thu, 01 Jan 99999 00:00:00 GMT", None),
        ("\x00", None),
    ],
)
def test_retry_after_is_a_number_or_a_date_and_anything_else_is_nothing(
    text: str, seconds: float | None
) -> None:
    assert retry_after(urllib3.HTTPHeaderDict({"retry-after": text}), NOW) == seconds


@given(st.text())
def test_no_retry_after_makes_trouble(text: str) -> None:
    found = retry_after({"Retry-After": text}, NOW)
    assert found is None or found >= 0


def test_an_response_without_retry_after_asks_for_nothing() -> None:
    assert retry_after({}, NOW) is None


# -- Budget ------------------------------------------------------------------------------------


def test_the_budget_is_for_so_many_retries_and_is_earned_back_by_responses() -> None:
    budget = RetryBudget(retries=3, reserved=0, price=10)
    assert [budget.spend() for _ in range(5)] == [True, True, True, False, False]
    for _ in range(9):
        budget.earn()
    assert not budget.spend()
    budget.earn()
    assert budget.spend()
    assert not budget.spend()


def test_no_more_is_saved_than_there_was_to_begin_with() -> None:
    budget = RetryBudget(retries=2, reserved=0, price=1)
    for _ in range(100):
        budget.earn()
    assert [budget.spend() for _ in range(3)] == [True, True, False]


def test_other_requests_leave_what_is_reserved_for_requests_with_a_key() -> None:
    budget = RetryBudget(retries=5, reserved=2, price=3)
    assert [budget.spend() for _ in range(4)] == [True, True, True, False]
    assert [budget.spend(has_key=True) for _ in range(3)] == [True, True, False]
    for _ in range(8):
        budget.earn()
    assert not budget.spend()
    budget.earn()
    assert [budget.spend() for _ in range(2)] == [True, False]


def test_a_stale_connection_is_always_retried_and_charged_with_what_is_left() -> None:
    budget = RetryBudget(retries=2, reserved=1, price=2)
    assert all(budget.spend(stale_connection=True) for _ in range(20))
    assert not budget.spend(has_key=True)
    for _ in range(2):
        budget.earn()
    assert budget.spend(has_key=True)


def test_threads_share_a_budget_exactly() -> None:
    budget = RetryBudget(retries=500, reserved=0, price=1)
    barrier = threading.Barrier(8)

    def spend() -> int:
        barrier.wait()
        return sum(budget.spend() for _ in range(100))

    with ThreadPoolExecutor(8) as executor:
        spent = [executor.submit(spend) for _ in range(8)]
        assert sum(each.result() for each in spent) == 500


@pytest.mark.parametrize(
    ("attempt", "refused"),
    [
        (Attempt(RESPONDED, False, 429), True),
        (Attempt(RESPONDED, False, 409), True),
        (Attempt(RESPONDED, False, 503), False),
        (Attempt(NO_RESPONSE, False), False),
        (Attempt(NOT_SENT, False), False),
    ],
)
def test_only_a_server_that_is_there_refuses(attempt: Attempt, refused: bool) -> None:
    assert attempt.is_refusal is refused


# -- Settings ----------------------------------------------------------------------------------

CUSTOM = RetryPolicy(retries=7, backoff=1)


@pytest.mark.parametrize(
    ("setting", "policy"),
    [
        (None, CUSTOM),
        (True, CUSTOM),
        (False, NO_RETRIES),
        (0, RetryPolicy(retries=0, backoff=1)),
        (3, RetryPolicy(retries=3, backoff=1)),
        (-1, RetryPolicy(retries=0, backoff=1)),
        (POLICY, POLICY),
    ],
)
def test_a_setting_stands_for_a_policy(setting: Any, policy: RetryPolicy) -> None:
    assert as_policy(setting, CUSTOM) == policy


def test_two_retries_are_the_default() -> None:
    assert as_policy(None) == POLICY == RetryPolicy(2, 0.25, 8.0, 60.0, frozenset({502, 503, 504}))


@pytest.mark.parametrize(
    ("theirs", "retries"),
    [
        (urllib3.Retry(4), 4),
        (urllib3.Retry(0), 0),
        (urllib3.Retry(total=False), 0),
        (urllib3.Retry(total=None, connect=2, read=5), 5),
        (urllib3.Retry(total=None, connect=0), 0),
        (urllib3.Retry(total=None), 2),
        (urllib3.Retry(), 10),
        (urllib3.util.retry.Retry.DEFAULT, 3),
    ],
)
def test_a_retry_of_urllib3_says_how_often(theirs: urllib3.Retry, retries: int) -> None:
    assert as_policy(theirs).retries == retries


def test_a_retry_of_urllib3_says_after_which_pauses_and_statuses() -> None:
    theirs = urllib3.Retry(5, backoff_factor=2, backoff_max=30, status_forcelist=[418, 503])
    policy = as_policy(theirs)
    assert policy == RetryPolicy(5, 2, 30, 60, frozenset({418, 502, 503, 504}))
    assert as_policy(urllib3.Retry(1)).backoff == POLICY.backoff


def test_a_retry_object_of_urllib3_makes_no_request_idempotent() -> None:
    theirs = urllib3.Retry(3, allowed_methods=None, status_forcelist=[500, 503])
    assert as_policy(theirs).pause(Attempt(RESPONDED, False, 503), 1) is None


@pytest.mark.parametrize("nonsense", ["3", 1.5, [3], object()])
def test_anything_else_is_refused(nonsense: Any) -> None:
    with pytest.raises(TypeError, match="a number or a RetryPolicy, not"):
        as_policy(nonsense)
