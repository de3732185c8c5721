"""Invalid rows, refused chunks, and requests with an unknown outcome."""

from __future__ import annotations

from typing import Any

import pytest

import talon_one.aio
from bulk.runs import (
    OK,
    RunBulk,
    memberships,
    profiles,
    refusing,
    sent_ids,
    sent_rows,
    span,
)
from support.calls import make_client
from support.every import for_every
from support.server import HANG_UP, Received, RecordingServer, Response
from talon_one import (
    BadRequestException,
    Configuration,
    IntegrationApi,
    bulk,
)
from talon_one.bulk import operations

BAD_ID: dict[str, Any] = {"attributes": {}}


# -- Invalid rows ----------------------------------------------------------------------------------


@for_every(
    "row, reason",
    [
        (BAD_ID, "integrationId"),
        ({"integrationId": ""}, "integrationId is empty"),
        ({"integrationId": None}, "integrationId"),
        ({"integration_id": "p"}, "'integrationId'"),
        ({"integrationId": "p" * 1001}, "at most 1000 characters"),
        ({"integrationId": "p", "attributes": {"A": float("nan")}}, "$.attributes.A"),
        ({"integrationId": "p", "attributes": {"A": object()}}, "$.attributes.A"),
        ({"integrationId": ["p"]}, "must be text"),
        ("p", "not str"),
        (None, "not NoneType"),
        (bulk.UnreadableRow("{bad", "line 3, column 2: no JSON"), "line 3, column 2: no JSON"),
        (talon_one.CartItem(sku="a", quantity=1), "not CartItem"),
    ],
)
def test_an_invalid_row_does_not_stop_the_job(
    run_bulk: RunBulk, server: RecordingServer, row: Any, reason: str
) -> None:
    failures: list[bulk.Failure] = []
    rows = [*profiles(2), row, *profiles(2, begin=2)]
    result = run_bulk("upsert_profiles", rows, failures=failures.append)
    assert [span(ids) for ids in sent_ids(server)] == ["0-3"]
    assert [each.index for each in failures] == [2]
    assert reason in failures[0].reason
    assert result.summary[:3] == (4, 1, 0)
    assert result.summary.complete
    assert result.summary.reasons == {failures[0].reason: 1}


def test_a_line_of_bytes_is_kept(run_bulk: RunBulk, server: RecordingServer) -> None:
    failures: list[bulk.Failure] = []
    run_bulk(
        "upsert_profiles", [bulk.UnreadableRow(b"{b\xff", "no JSON")], failures=failures.append
    )
    assert failures[0].row_repr == "{b\\xff"


class Hostile(dict[str, Any]):
    """An object that raises on every access."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("hands off")

    def __repr__(self) -> str:
        raise RuntimeError("hands off")


def test_an_object_that_raises_on_every_access_fails_only_its_own_row(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    result = run_bulk("upsert_profiles", [*profiles(2), Hostile(), *profiles(1, begin=2)])
    assert result.summary[:3] == (3, 1, 0)


def test_invalid_rows_are_sent_if_validation_is_off(
    server: RecordingServer,
) -> None:
    with make_client(server.url, client_side_validation=False) as client:
        rows: list[Any] = [{"integrationId": "p" * 1001}, BAD_ID]
        summary = bulk.upsert_profiles(IntegrationApi(client), rows)
    assert summary[:2] == (1, 1)


def test_a_row_that_cannot_be_encoded_says_why_if_validation_is_off(
    server: RecordingServer,
) -> None:
    with make_client(server.url, client_side_validation=False) as client:
        rows: list[Any] = [{"integrationId": "p1", "attributes": {"a": object()}}, *profiles(1)]
        summary = bulk.upsert_profiles(IntegrationApi(client), rows)
    assert summary[:2] == (1, 1)
    (reason,) = summary.reasons
    assert "object" in reason


@pytest.mark.parametrize("id", [None, talon_one.NULL], ids=repr)
def test_a_null_id_is_missing_even_without_validation(id: Any) -> None:
    configuration = Configuration(host="https://a.test")
    configuration.client_side_validation = False
    operation = operations.audiences(IntegrationApi(talon_one.ApiClient(configuration)))
    row = {"action": "add", "profileIntegrationId": "a", "audienceId": id}
    assert operation.problem(row) == "audienceId is missing"


# -- Refused chunks --------------------------------------------------------------------------------


@pytest.mark.parametrize("point", [False, True])
def test_only_the_rows_at_fault_in_a_refused_chunk_fail(
    run_bulk: RunBulk, server: RecordingServer, point: bool
) -> None:
    server.default = refusing(3, 17, 18, point=point)
    failures: list[bulk.Failure] = []
    result = run_bulk("upsert_profiles", profiles(40), chunk_size=20, failures=failures.append)
    assert sorted(each.index for each in failures) == [3, 17, 18]
    assert {each.status for each in failures} == {400}
    assert f"p{failures[0].index} is wrong" in failures[0].reason
    assert result.summary[:3] == (37, 3, 0)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_request_that_is_too_large_is_split(
    run_bulk: RunBulk, server: RecordingServer, status: int
) -> None:
    server.default = lambda received: Response(status if len(sent_rows(received)) > 3 else 204)
    assert run_bulk("upsert_profiles", profiles(10)).summary[:2] == (10, 0)


def test_an_unknown_audience_fails_only_its_rows(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    def respond(received: Received) -> Response:
        known = all(row["audienceId"] == 7 for row in sent_rows(received))
        return OK if known else Response(404, {"message": "no such audience"})

    server.default = respond
    rows = [*memberships(5), {"action": "add", "profileIntegrationId": "p", "audienceId": 8}]
    failures: list[bulk.Failure] = []
    result = run_bulk("change_audiences", rows, failures=failures.append)
    assert result.summary[:3] == (5, 1, 0)
    assert [each.index for each in failures] == [5]


def test_an_error_that_names_the_row_saves_requests(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = refusing(600, point=True)
    assert run_bulk("upsert_profiles", profiles(1000)).summary[:2] == (999, 1)
    assert len(server.requests) == 3


def test_an_error_that_names_the_wrong_row_fails_no_valid_row(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    def misleading(received: Received) -> Response:
        if any(row["integrationId"] == "p5" for row in sent_rows(received)):
            source = {"pointer": "/customerProfiles/0/attributes"}
            return Response(400, {"message": "no", "errors": [{"title": "x", "source": source}]})
        return OK

    server.default = misleading
    assert run_bulk("upsert_profiles", profiles(10)).summary[:2] == (9, 1)


@for_every(
    "pointer", [None, 7, "", "/customerProfiles", "/customerProfiles/-1", "/customerProfiles/99/x"]
)
def test_invalid_error_pointers_are_ignored(
    run_bulk: RunBulk, server: RecordingServer, pointer: Any
) -> None:
    def respond(received: Received) -> Response:
        bad = any(row["integrationId"] == "p5" for row in sent_rows(received))
        errors = [{"title": "x", "source": {"pointer": pointer}}]
        return Response(400, {"message": "no", "errors": errors}) if bad else OK

    server.default = respond
    assert run_bulk("upsert_profiles", profiles(10)).summary[:2] == (9, 1)


def test_a_chunk_without_an_accepted_row_is_not_split_to_the_last_row(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = Response(400, {"message": "no"})
    result = run_bulk("upsert_profiles", profiles(1000))
    assert result.summary[:3] == (0, 1000, 0)
    # 32 before the chunk is given up, and those in flight at that time.
    assert 32 <= len(server.requests) <= 35
    assert "another row of the same chunk" in str(result.summary)


def test_a_chunk_with_an_accepted_row_is_split_to_the_last_row(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    at_fault = range(500, 1000, 60)
    server.default = refusing(*at_fault)
    result = run_bulk("upsert_profiles", profiles(1000))
    assert result.summary[:3] == (1000 - len(at_fault), len(at_fault), 0)


def test_coupon_requests_are_never_split(run_bulk: RunBulk, server: RecordingServer) -> None:
    server.default = Response(400, {"message": "no"})
    ids = [f"p{number}" for number in range(10)]
    result = run_bulk("create_coupons_for_recipients", 3, 12, ids, {"couponPattern": "A-####"})
    assert result.summary[:3] == (0, 10, 0)
    assert len(server.requests) == 1


def test_every_request_of_a_refused_chunk_has_a_result(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = refusing(1)
    results: list[bulk.ChunkResult] = []
    run_bulk("upsert_profiles", profiles(2), on_chunk=results.append)
    outcomes = [each.outcome for each in results]
    assert outcomes[0] == "refused"
    assert sorted(outcomes[1:]) == ["failed", "sent"]
    assert isinstance(results[0].failure, BadRequestException)


@pytest.mark.parametrize("count", [33, 40, 64, 100])
def test_a_row_refused_in_its_own_request_is_not_blamed_on_others(
    run_bulk: RunBulk, server: RecordingServer, count: int
) -> None:
    """This includes the request after which the chunk was given up."""
    server.default = Response(400, {"message": "no"})
    failures: list[bulk.Failure] = []
    run_bulk("upsert_profiles", profiles(count), failures=failures.append)
    single = {rows[0] for rows in map(ids_of, server.requests) if len(rows) == 1}
    own = {each.row["integrationId"] for each in failures if "another row" not in each.reason}
    assert len(failures) == count
    assert own == single


def ids_of(received: Received) -> list[str]:
    return [row["integrationId"] for row in sent_rows(received)]


# -- Unknown outcomes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "status"),
    [(HANG_UP, None), (Response(500), 500), (Response(503), 503)],
    ids=["hang up", "500", "503"],
)
def test_a_request_with_an_unknown_outcome_is_not_retried_unless_idempotent(
    run_bulk: RunBulk, server: RecordingServer, response: Response, status: int | None
) -> None:
    server.script(response)
    failures: list[bulk.Failure] = []
    result = run_bulk("change_audiences", memberships(4), failures=failures.append, _retries=3)
    assert len(server.requests) == 1
    assert result.summary[:3] == (0, 0, 4)
    assert {(each.outcome, each.status) for each in failures} == {("unknown", status)}


@pytest.mark.parametrize("response", [HANG_UP, Response(503)], ids=["hang up", "503"])
def test_an_idempotent_request_is_retried_and_then_fails(
    run_bulk: RunBulk, server: RecordingServer, response: Response
) -> None:
    server.script(response)
    assert run_bulk("upsert_profiles", profiles(4), _retries=1).summary[:3] == (4, 0, 0)
    server.script(response, response)
    assert run_bulk("upsert_profiles", profiles(4), _retries=1).summary[:3] == (0, 4, 0)


def test_an_unreadable_response_means_an_accepted_chunk(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = Response(200, "<html>")
    rows = [{"type": "ADD", "payload": {"sku": "a"}}]
    assert run_bulk("sync_catalog", 1, rows).summary[:3] == (1, 0, 0)


def test_rate_limited_rows_have_failed_and_are_not_unknown(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = Response(429)
    assert run_bulk("change_audiences", memberships(4)).summary[:3] == (0, 4, 0)
