"""Resume tokens: what a resumed job skips, sends, and marks as unknown."""

from __future__ import annotations

import json

import pytest

import talon_one
from bulk.runs import (
    OK,
    RunBulk,
    memberships,
    profiles,
    refusing,
    sent_ids,
    span,
    then_break,
    token_during,
)
from support.every import for_every
from support.server import RecordingServer, Response
from talon_one import ApiValueError, bulk


def test_a_token_resumes_only_the_same_job(run_bulk: RunBulk) -> None:
    row = {"couponPattern": "A-####", "numberOfCoupons": 1, "usageLimit": 1}
    token = run_bulk("create_coupons", 3, 12, [row, row]).summary.token
    with pytest.raises(ApiValueError, match="createCoupons"):
        run_bulk("create_coupons", 3, 13, [row, row], resume=token)
    result = run_bulk("create_coupons", 3, 12, [row], resume=token)
    assert "there are 1 rows, and the token knows 2" in str(result.failure)
    assert not result.summary.complete


def test_a_token_skips_settled_rows(run_bulk: RunBulk, server: RecordingServer) -> None:
    rows = [*profiles(5), {"integrationId": ""}, *profiles(14, begin=6)]
    first = run_bulk("upsert_profiles", then_break(iter(rows)), chunk_size=10)
    assert first.summary[:3] == (10, 1, 0)
    server.clear()
    again = run_bulk(
        "upsert_profiles", [*rows, *profiles(10, begin=20)], resume=first.summary.token
    )
    assert [span(ids) for ids in sent_ids(server)] == ["11-29"]
    assert again.summary[:4] == (29, 1, 0, 11)
    assert again.summary.complete


def test_the_next_run_sends_the_rest_of_a_split_chunk(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = refusing(5)
    first = run_bulk("upsert_profiles", then_break(profiles(10)), chunk_size=10)
    again = run_bulk("upsert_profiles", profiles(10), resume=first.summary.token)
    assert again.summary[:3] == (9, 1, 0)


def test_the_token_of_a_finished_job_sends_nothing(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    token = run_bulk("upsert_profiles", profiles(20)).summary.token
    server.clear()
    assert run_bulk("upsert_profiles", profiles(20), resume=token).summary[:4] == (20, 0, 0, 20)
    assert server.requests == []


def test_a_token_stays_small(run_bulk: RunBulk, server: RecordingServer) -> None:
    tokens: list[str] = []
    run_bulk(
        "upsert_profiles",
        profiles(5000),
        chunk_size=20,
        progress=lambda progress: tokens.append(progress.token),
    )
    assert max(map(len, tokens)) < 250


def test_a_token_does_not_fit_another_operation(run_bulk: RunBulk) -> None:
    token = run_bulk("upsert_profiles", profiles(2)).summary.token
    with pytest.raises(ApiValueError, match="updateCustomerProfilesV2"):
        run_bulk("change_audiences", memberships(2), resume=token)


@for_every(
    "token",
    [
        "",
        "7",
        "[]",
        "{}",
        '{"version":1,"operation":"updateCustomerProfilesV2","settled":[[0,-1]],"inFlight":[],'
        '"counts":[0,0,0]}',
        '{"version":3,"operation":"updateCustomerProfilesV2","settled":[],"inFlight":[],'
        '"counts":[0,0,0],"rows":0,"digest":""}',
        '{"version":2,"operation":"updateCustomerProfilesV2","settled":[],"inFlight":[],'
        '"counts":[0,0,0]}',
        '{"version":2,"operation":"updateCustomerProfilesV2","settled":[[0,5]],"inFlight":[],'
        '"counts":[5,0,0],"rows":4,"digest":"1"}',
        '{"version":2,"operation":"updateCustomerProfilesV2","settled":[],"inFlight":[[7,9]],'
        '"counts":[0,0,0],"rows":8,"digest":"1"}',
        "[" * 100_000,
    ],
)
def test_an_invalid_token_is_rejected(
    run_bulk: RunBulk, server: RecordingServer, token: str
) -> None:
    with pytest.raises(ApiValueError, match="token"):
        run_bulk("upsert_profiles", profiles(1), resume=token)
    assert server.requests == []


@pytest.mark.parametrize("place", ["settled", "inFlight", "counts", "rows"])
@for_every("number", ["1.0", "true", "-1", '"1"', "null", "[]"])
def test_a_number_of_a_token_is_whole_and_not_negative(
    run_bulk: RunBulk, server: RecordingServer, place: str, number: str
) -> None:
    parts = {"settled": "[[0,1]]", "inFlight": "[[1,2]]", "counts": "[1,0,0]", "rows": "2"}
    parts[place] = parts[place].replace("2" if place == "rows" else "1", number, 1)
    token = (
        '{"version":2,"operation":"updateCustomerProfilesV2","digest":"1",'
        + ",".join(f'"{name}":{text}' for name, text in parts.items())
        + "}"
    )
    with pytest.raises(ApiValueError, match="resume is not the token of a bulk job"):
        run_bulk("upsert_profiles", profiles(1), resume=token)
    assert server.requests == []


def test_the_token_has_rows_in_flight_before_they_are_sent(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    tokens: list[str] = []
    known: list[bool] = []

    def respond(received: object) -> Response:
        # A process that dies now has left this token behind.
        known.append(any(json.loads(token)["inFlight"] == [[0, 3]] for token in tokens))
        return OK

    server.default = respond
    run_bulk(
        "change_audiences",
        memberships(3),
        progress=lambda progress: tokens.append(progress.token),
    )
    assert known == [True]


def test_rows_in_flight_when_a_process_died_are_unknown(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    token = token_during(run_bulk, memberships(6), [3, 6], chunk_size=3)
    server.clear()
    failures: list[bulk.Failure] = []
    again = run_bulk("change_audiences", memberships(9), resume=token, failures=failures.append)
    assert [span(ids) for ids in sent_ids(server)] == ["6-8"]
    assert again.summary[:4] == (6, 0, 3, 3)
    assert [(each.index, each.outcome) for each in failures] == [
        (3, "unknown"),
        (4, "unknown"),
        (5, "unknown"),
    ]


def test_a_token_keeps_interrupted_rows_until_they_are_reached(run_bulk: RunBulk) -> None:
    # The first rows fail because they have no ID, so the first row that is sent is row 4.
    rows = [*[{}] * 4, *memberships(3)]
    token = token_during(run_bulk, rows, [4, 6], chunk_size=2)
    again = run_bulk("change_audiences", then_break(iter(rows[:2])), resume=token)
    assert json.loads(again.summary.token)["inFlight"] == [[4, 6]]
    last = run_bulk("change_audiences", rows, resume=again.summary.token)
    assert last.summary[:3] == (1, 4, 2)


def test_bulk_stopped_can_be_pickled() -> None:
    import pickle

    summary = bulk.Summary(1, 2, 3, 4, 5, False, {"a": 1}, "token")
    copy = pickle.loads(pickle.dumps(bulk.BulkStopped("no", summary)))
    assert isinstance(copy, bulk.BulkStopped)
    assert isinstance(copy, talon_one.OpenApiException)
    assert (str(copy), copy.summary) == ("no", summary)
