"""Refusals such as 429, 409 and 5xx, and which of them are retried."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import pytest

from support.calls import (
    CHECKOUT,
    CREATE,
    EVENT,
    KEYLESS,
    KINDS,
    READ,
    SAFE,
    UNSAFE,
    Kind,
    make_client,
)
from support.every import for_every
from support.server import RecordingServer, Response
from talon_one import (
    ApiClient,
    ApiException,
    ConflictException,
    IntegrationApi,
    RetryPolicy,
    ServiceException,
    TooManyRequestsException,
)

BUSY = {"message": "Too many requests are updating this session at the same time", "errors": None}
TAKEN = {"message": "The name is already taken", "errors": []}
V3_EVENT = {"profileId": "anna", "type": "a", "integrationId": "event-1"}


# -- 429 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_rate_limit_is_waited_out_whatever_the_call(
    server: RecordingServer, client: ApiClient, pauses: list[float], kind: Kind
) -> None:
    server.script(Response(429), Response(429))
    kind(client)
    assert len(server.requests) == 3
    assert len({request.body for request in server.requests}) == 1
    assert len(pauses) == 2
    assert server.connections == 1


@pytest.mark.parametrize(
    ("header", "minimum", "limit"),
    [
        ("3", 3, 3),
        ("0", 0, 0.25),
        ("-5", 0, 0.25),
        ("soon", 0, 0.25),
        ("nan", 0, 0.25),
        ("1e999", 0, 0.25),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0, 0.25),
        ("Fri, 99 Foo 1999", 0, 0.25),
        ("", 0, 0.25),
        (None, 0, 0.25),
    ],
)
def test_the_pause_is_at_least_what_the_server_asks_for(
    server: RecordingServer,
    client: ApiClient,
    pauses: list[float],
    header: str | None,
    minimum: float,
    limit: float,
) -> None:
    server.script(Response(429, headers={} if header is None else {"Retry-After": header}))
    READ(client)
    (pause,) = pauses
    assert minimum <= pause <= limit


def test_the_pause_may_be_given_as_a_date(
    server: RecordingServer, client: ApiClient, pauses: list[float]
) -> None:
    server.script(Response(429, headers={"Retry-After": formatdate(time.time() + 30, usegmt=True)}))
    READ(client)
    (pause,) = pauses
    # A date has no fractions of a second.
    assert 25 < pause <= 30


@pytest.mark.parametrize("as_date", [False, True])
def test_a_retry_after_beyond_the_limit_is_not_waited_for(
    server: RecordingServer, client: ApiClient, pauses: list[float], as_date: bool
) -> None:
    header = formatdate(time.time() + 3600, usegmt=True) if as_date else "3600"
    server.script(Response(429, {"message": "slow down"}, {"Retry-After": header}))
    with pytest.raises(TooManyRequestsException, match="slow down") as caught:
        READ(client)
    assert caught.value.retry_after == pytest.approx(3600, abs=10)
    assert caught.value.attempts == len(server.requests) == 1
    assert pauses == []


def test_a_pause_beyond_the_deadline_is_not_begun(
    server: RecordingServer, client: ApiClient, pauses: list[float]
) -> None:
    server.default = Response(429, headers={"Retry-After": "20"})
    with pytest.raises(TooManyRequestsException) as caught:
        READ(client, _deadline=15)
    assert caught.value.retry_after == 20
    assert (len(server.requests), pauses) == (1, [])


def test_a_rate_limit_that_stays_raises_the_last_refusal_with_the_earlier_ones(
    server: RecordingServer, client: ApiClient
) -> None:
    for wait in ("1", "2", "3"):
        server.script(Response(429, {"message": f"wait {wait}"}, {"Retry-After": wait}))
    with pytest.raises(TooManyRequestsException) as caught:
        CREATE(client)
    failure = caught.value
    assert failure.retry_after == 3
    assert failure.attempts == len(server.requests) == 3
    assert [each.message for each in failure.earlier] == ["wait 1", "wait 2"]
    assert str(failure) == "createReferral 429 Too Many Requests (after 3 attempts): wait 3"


def test_a_long_job_completes_under_a_constant_rate_limit(
    server: RecordingServer, client: ApiClient
) -> None:
    # The Management API responds this way to more than three calls a second.
    for _ in range(100):
        server.script(Response(429), {})
    for _ in range(100):
        READ(client)
    assert len(server.requests) == 200


# -- 409 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [CHECKOUT, EVENT, KEYLESS], ids=str)
@pytest.mark.parametrize("about", ["session", "profile"])
def test_parallel_updates_are_retried_after_different_pauses(
    server: RecordingServer, client: ApiClient, pauses: list[float], kind: Kind, about: str
) -> None:
    message = f"Too many requests are updating this {about} at the same time"
    server.script(*[Response(409, {"message": message, "errors": None, "StatusCode": 409})] * 2)
    kind(client)
    assert len(server.requests) == 3
    assert pauses[0] != pauses[1]


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (lambda api: api.create_audience_v2({"name": "a"}), TAKEN),
        (lambda api: api.create_audience_v2({"name": "a"}), BUSY),
        (lambda api: api.track_event_v3(V3_EVENT), TAKEN),
        (lambda api: api.update_customer_session_v2("a", {"customerSession": {}}), TAKEN),
        (lambda api: api.update_customer_session_v2("a", {"customerSession": {}}), None),
    ],
)
def test_a_permanent_conflict_is_not_retried(
    server: RecordingServer, client: ApiClient, call: Any, body: Any
) -> None:
    server.script(Response(409, body))
    with pytest.raises(ConflictException) as caught:
        call(IntegrationApi(client))
    assert caught.value.message == (body["message"] if body else None)
    assert len(server.requests) == 1


# -- 5xx ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SAFE, ids=str)
def test_a_call_to_an_overloaded_server_is_retried_where_that_is_safe(
    server: RecordingServer, client: ApiClient, pauses: list[float], kind: Kind
) -> None:
    server.script(Response(502, "<html>"), Response(503, b""))
    kind(client)
    assert len(server.requests) == 3
    assert 0 <= pauses[0] <= 0.25
    assert 0 <= pauses[1] <= 0.5
    assert server.connections == 1


@pytest.mark.parametrize("kind", UNSAFE, ids=str)
@for_every("status", [500, 502, 503, 504])
def test_a_call_to_an_overloaded_server_is_not_retried_where_that_might_count_twice(
    server: RecordingServer, client: ApiClient, kind: Kind, status: int
) -> None:
    server.script(Response(status, headers={"Retry-After": "0"}))
    with pytest.raises(ServiceException) as caught:
        kind(client)
    assert caught.value.status == status
    assert caught.value.attempts == len(server.requests) == 1


def test_an_outage_raises_the_last_failure_with_the_earlier_ones(
    server: RecordingServer, client: ApiClient
) -> None:
    server.script(Response(502), Response(503), Response(504))
    with pytest.raises(ServiceException) as caught:
        READ(client)
    assert caught.value.status == 504
    assert [each.status for each in caught.value.earlier] == [502, 503]
    assert len(server.requests) == 3


@for_every("kind", KINDS)
def test_an_internal_error_is_retried_only_with_a_key(
    server: RecordingServer, client: ApiClient, kind: Kind
) -> None:
    server.script(Response(500, {"message": "oops"}))
    if kind.keyed:
        kind(client)
        assert len(server.requests) == 2
    else:
        with pytest.raises(ServiceException, match="oops"):
            kind(client)
        assert len(server.requests) == 1


@pytest.mark.parametrize("pool", [1, 10, 100])
def test_an_outage_causes_no_storm_of_retries(server: RecordingServer, pool: int) -> None:
    with make_client(server.url, [], connection_pool_maxsize=pool) as client:
        server.default = Response(503)
        for _ in range(100):
            with pytest.raises(ServiceException) as caught:
                READ(client)
        # Reads have half of the budget, whatever the size of the pool; the rest is for keys.
        assert len(server.requests) == 100 + 10
        assert str(caught.value).endswith("(retry budget exhausted)")
        with pytest.raises(ServiceException) as caught:
            CHECKOUT(client)
        assert caught.value.attempts == 3
        # When it is over, responses earn retries again.
        server.default = Response(body={})
        for _ in range(10):
            READ(client)
        server.script(Response(503))
        READ(client)


def test_failing_reads_do_not_cost_the_update_of_an_order_its_retry(
    server: RecordingServer, client: ApiClient
) -> None:
    server.default = Response(503)
    for _ in range(50):
        with pytest.raises(ServiceException):
            READ(client)
    server.default = Response(body={})
    server.script(Response(503))
    CHECKOUT(client)


# -- Everything else ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [READ, CHECKOUT, CREATE], ids=str)
@for_every("status", [400, 401, 403, 404, 405, 413, 418, 422])
def test_a_permanent_refusal_is_not_retried(
    server: RecordingServer, client: ApiClient, kind: Kind, status: int
) -> None:
    server.script(Response(status, {"message": "no"}, {"Retry-After": "1"}))
    with pytest.raises(ApiException, match="no") as caught:
        kind(client)
    assert caught.value.status == status
    assert len(server.requests) == 1
    READ(client)
    assert server.connections == 1


@for_every(
    "of_client, of_call, attempts",
    [
        (None, 0, 1),
        (None, False, 1),
        (None, 5, 6),
        (0, None, 1),
        (False, None, 1),
        (4, None, 5),
        (4, 1, 2),
        (0, 3, 4),
        (0, RetryPolicy(retries=1), 2),
        (RetryPolicy(retries=3), None, 4),
    ],
)
def test_the_number_of_retries_is_set_for_the_client_and_for_the_call(
    server: RecordingServer, of_client: Any, of_call: Any, attempts: int
) -> None:
    server.default = Response(503)
    with (
        make_client(server.url, retries=of_client) as client,
        pytest.raises(ServiceException) as caught,
    ):
        READ(client, _retries=of_call)
    assert caught.value.attempts == len(server.requests) == attempts


def test_the_raw_response_is_handed_over_whatever_it_says(
    server: RecordingServer, client: ApiClient
) -> None:
    server.script(Response(503, b"down"))
    raw = READ(client, _preload_content=False)
    assert (raw.status, raw.data) == (503, b"down")
    assert len(server.requests) == 1
