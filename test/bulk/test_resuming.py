"""Failures that are fed in again, and work that goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import talon_one
from bulk.doing import OK, Do, memberships, profiles, refusing, sent_ids, spans
from support.server import HANG_UP, RecordingServer, Response
from talon_one import ApiValueError, bulk


class Breakdown(Exception):
    """What the rows of these tests end with."""


def breaking(rows: Iterator[Any]) -> Iterator[Any]:
    yield from rows
    raise Breakdown


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_failures_are_one_json_object_a_line(
    work: Do, server: RecordingServer, tmp_path: Path
) -> None:
    server.default = refusing(1)
    file = tmp_path / "failed.jsonl"
    work("upsert_profiles", [*profiles(3), {"attributes": {}}], failures=file)
    by_index = sorted(lines(file), key=lambda line: line["index"])
    assert by_index == [
        {
            "index": 1,
            "outcome": "failed",
            "reason": "updateCustomerProfilesV2 400 Bad Request: invalid; Unknown: p1 is wrong",
            "status": 400,
            "row": {"integrationId": "p1", "attributes": {"Number": 1}},
        },
        {
            "index": 3,
            "outcome": "failed",
            "reason": "$.integrationId is required",
            "status": None,
            "row": {"attributes": {}},
        },
    ]


def test_failures_can_be_fed_in_again(work: Do, server: RecordingServer, tmp_path: Path) -> None:
    server.default = refusing(1, 3)
    file = tmp_path / "failed.jsonl"
    work("upsert_profiles", profiles(5), failures=str(file))
    server.clear()
    server.default = OK
    again = work("upsert_profiles", bulk.read_failures(file))
    assert sorted(sent_ids(server)[0]) == ["p1", "p3"]
    assert again.summary[:3] == (2, 0, 0)


def test_what_is_unknown_is_fed_in_again_only_on_request(
    work: Do, server: RecordingServer, tmp_path: Path
) -> None:
    server.script(HANG_UP, Response(429))
    file = tmp_path / "failed.jsonl"
    work("change_audiences", memberships(4), chunk_size=2, at_once=1, failures=file)
    ids = [row["profileIntegrationId"] for row in bulk.read_failures(file)]
    assert ids == ["p2", "p3"]
    assert len(list(bulk.read_failures(file, include_unknown=True))) == 4


def test_a_row_that_json_cannot_hold_is_shown_and_never_sent_in_another_form(
    work: Do, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "failed.jsonl"
    row = {"integrationId": "p", "attributes": {"A": float("inf")}}
    work("upsert_profiles", [row, {"integrationId": ""}], failures=file)
    shown = {each.index: each for each in bulk.failures_in(file)}[0]
    assert shown.row is None
    assert shown.shown == "{'integrationId': 'p', 'attributes': {'A': inf}}"
    assert list(bulk.read_failures(file)) == [{"integrationId": ""}]
    assert "1 rows of" in caplog.text


def test_no_secret_is_written(work: Do, server: RecordingServer, tmp_path: Path) -> None:
    server.default = Response(500, {"message": "no"})
    file = tmp_path / "failed.jsonl"
    done = work("upsert_profiles", profiles(3), failures=file, on_chunk=lambda result: None)
    assert lines(file)
    assert "integration-secret" not in file.read_text() + repr(done.summary)


def test_failures_of_other_work_are_not_overwritten(
    work: Do, server: RecordingServer, tmp_path: Path
) -> None:
    file = tmp_path / "failed.jsonl"
    work("upsert_profiles", [{"attributes": {}}], failures=file)
    before = file.read_bytes()
    with pytest.raises(ApiValueError, match="holds failures already"):
        work("upsert_profiles", bulk.read_failures(file), failures=file)
    assert file.read_bytes() == before
    assert server.requests == []


def test_an_empty_file_says_that_nothing_failed_and_may_be_used_again(
    work: Do, tmp_path: Path
) -> None:
    file = tmp_path / "failed.jsonl"
    for _ in range(2):
        work("upsert_profiles", profiles(1), failures=file)
        assert file.read_bytes() == b""


def test_resumed_work_appends_its_failures(work: Do, tmp_path: Path) -> None:
    file = tmp_path / "failed.jsonl"
    first = work("upsert_profiles", breaking(iter([{"a": 1}])), failures=file)
    # A process died while it wrote a line that no token knows of.
    with file.open("ab") as torn:
        torn.write(b'{"index": 1, "outc')
    assert len(list(bulk.failures_in(file))) == 1
    work("upsert_profiles", [{"a": 1}, {"a": 2}], failures=file, resume=first.summary.token)
    assert [line["index"] for line in lines(file)] == [0, 1]


def test_a_file_that_holds_nothing_but_a_torn_line_is_emptied(tmp_path: Path, work: Do) -> None:
    file = tmp_path / "failed.jsonl"
    first = work("upsert_profiles", breaking(iter(())))
    file.write_bytes(b'{"index":0,"reason":"' + b"x" * 200_000)
    work("upsert_profiles", [{"a": 1}], failures=file, resume=first.summary.token)
    assert [line["index"] for line in lines(file)] == [0]


def test_a_file_of_something_else_is_left_alone(tmp_path: Path, work: Do) -> None:
    file = tmp_path / "customers.csv"
    first = work("upsert_profiles", breaking(iter(())))
    file.write_text("id,name\n1,Ann\n2,Bob")
    with pytest.raises(ApiValueError, match="something else than failures"):
        work("upsert_profiles", [{"a": 1}], failures=file, resume=first.summary.token)
    assert file.read_text() == "id,name\n1,Ann\n2,Bob"


def test_a_token_is_for_the_same_rows_of_the_same_work(work: Do) -> None:
    row = {"couponPattern": "A-####", "numberOfCoupons": 1, "usageLimit": 1}
    token = work("create_coupons", 3, 12, [row, row]).summary.token
    with pytest.raises(ApiValueError, match="createCoupons"):
        work("create_coupons", 3, 13, [row, row], resume=token)
    done = work("create_coupons", 3, 12, [row], resume=token)
    assert "there are 1 rows, and the token knows 2" in str(done.failure)
    assert not done.summary.complete


def test_rows_that_the_file_does_not_take_are_not_dealt_with(
    work: Do, server: RecordingServer
) -> None:
    server.default = Response(400, {"message": "no"})

    def full(failure: bulk.Failure) -> None:
        raise OSError("no space left")

    rows = ["anna", "ben", "cleo"]
    coupon = {"couponPattern": "A-####", "usageLimit": 1}
    place = ("create_coupons_for_recipients", 3, 12)
    done = work(*place, rows, coupon, failures=full)
    assert done.summary[:3] == (0, 0, 0)
    server.default = OK
    again = work(*place, rows, coupon, resume=done.summary.token)
    assert again.summary[:3] == (3, 0, 0)


def test_rows_that_were_never_sent_are_neither_unknown_nor_counted_twice(work: Do) -> None:
    def full(failure: bulk.Failure) -> None:
        if failure.index:
            raise OSError("no space left")

    good = {"type": "ADD", "payload": {"sku": "A"}}
    bad = [{"type": "ADD", "payload": {"sku": name, "price": object()}} for name in "BC"]
    done = work("sync_catalog", 1, [bad[0], bad[1], good], failures=full)
    assert done.summary[:3] == (0, 1, 0)


def test_rows_that_fail_again_while_they_are_fed_in_are_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "failed.jsonl"
    line = '{"index":0,"outcome":"failed","reason":"no","status":null,"row":{}}\n'
    file.write_text(line * 2)
    rows = bulk.read_failures(file)
    assert next(rows) == {}
    with file.open("a") as more:
        more.write(line)
    assert list(rows) == [{}]


@pytest.mark.parametrize("line", ["[]", "7", "{", '{"index": 1}', '{"nothing": "of this"}'])
def test_a_line_that_is_no_failure_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "failed.jsonl"
    file.write_text(f"\n{line}\n")
    with pytest.raises(ApiValueError, match="line 2"):
        list(bulk.read_failures(file))


def test_every_failure_is_in_the_file_before_a_token_leaves_it_out(
    work: Do, server: RecordingServer, tmp_path: Path
) -> None:
    server.default = refusing(3, 14, 15)
    file = tmp_path / "failed.jsonl"
    lacking: list[int] = []

    def look(progress: bulk.Progress) -> None:
        written = {line["index"] for line in lines(file)}
        settled = json.loads(progress.token)["settled"]
        for index in (3, 14, 15):
            if any(begin <= index < end for begin, end in settled) and index not in written:
                lacking.append(index)

    work("upsert_profiles", profiles(40), chunk_size=10, failures=file, progress=look)
    assert lacking == []
    assert len(lines(file)) == 3


# -- Tokens ----------------------------------------------------------------------------------------


def test_a_token_leads_past_what_is_settled(work: Do, server: RecordingServer) -> None:
    rows = [*profiles(5), {"integrationId": ""}, *profiles(14, begin=6)]
    first = work("upsert_profiles", breaking(iter(rows)), chunk_size=10)
    assert first.summary[:3] == (10, 1, 0)
    server.clear()
    again = work("upsert_profiles", [*rows, *profiles(10, begin=20)], resume=first.summary.token)
    assert [spans(ids) for ids in sent_ids(server)] == ["11-29"]
    assert again.summary[:4] == (29, 1, 0, 11)
    assert again.summary.complete


def test_a_chunk_that_was_not_searched_to_its_end_is_sent_by_the_next_run(
    work: Do, server: RecordingServer
) -> None:
    server.default = refusing(5)
    first = work("upsert_profiles", breaking(profiles(10)), chunk_size=10)
    again = work("upsert_profiles", profiles(10), resume=first.summary.token)
    assert again.summary[:3] == (9, 1, 0)


def test_a_token_of_finished_work_sends_nothing(work: Do, server: RecordingServer) -> None:
    token = work("upsert_profiles", profiles(20)).summary.token
    server.clear()
    assert work("upsert_profiles", profiles(20), resume=token).summary[:4] == (20, 0, 0, 20)
    assert server.requests == []


def test_a_token_stays_small(work: Do, server: RecordingServer) -> None:
    tokens: list[str] = []
    work(
        "upsert_profiles",
        profiles(5000),
        chunk_size=20,
        progress=lambda progress: tokens.append(progress.token),
    )
    assert max(map(len, tokens)) < 250


def test_a_token_fits_the_work_that_it_came_from(work: Do) -> None:
    token = work("upsert_profiles", profiles(2)).summary.token
    with pytest.raises(ApiValueError, match="updateCustomerProfilesV2"):
        work("change_audiences", memberships(2), resume=token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "7",
        "[]",
        "{}",
        '{"version":1,"operation":"updateCustomerProfilesV2","settled":[[0,-1]],"underWay":[],'
        '"counts":[0,0,0]}',
        '{"version":3,"operation":"updateCustomerProfilesV2","settled":[],"underWay":[],'
        '"counts":[0,0,0],"rows":0,"digest":""}',
        '{"version":2,"operation":"updateCustomerProfilesV2","settled":[],"underWay":[],'
        '"counts":[0,0,0]}',
        '{"version":2,"operation":"updateCustomerProfilesV2","settled":[[0,5]],"underWay":[],'
        '"counts":[5,0,0],"rows":4,"digest":"1"}',
        '{"version":2,"operation":"updateCustomerProfilesV2","settled":[],"underWay":[[7,9]],'
        '"counts":[0,0,0],"rows":8,"digest":"1"}',
        "[" * 100_000,
    ],
)
def test_what_is_no_token_is_refused(work: Do, server: RecordingServer, token: str) -> None:
    with pytest.raises(ApiValueError, match="token"):
        work("upsert_profiles", profiles(1), resume=token)
    assert server.requests == []


def test_rows_that_must_not_be_repeated_are_noted_before_they_are_sent(
    work: Do, server: RecordingServer
) -> None:
    tokens: list[str] = []
    seen: list[bool] = []

    def answer(received: object) -> Response:
        # What a process that dies now has left behind.
        seen.append(any(json.loads(token)["underWay"] == [[0, 3]] for token in tokens))
        return OK

    server.default = answer
    work(
        "change_audiences",
        memberships(3),
        progress=lambda progress: tokens.append(progress.token),
    )
    assert seen == [True]


def test_rows_that_were_being_sent_when_a_process_died_are_unknown(
    work: Do, server: RecordingServer
) -> None:
    tokens: list[str] = []
    work(
        "change_audiences",
        memberships(6),
        chunk_size=3,
        at_once=1,
        progress=lambda progress: tokens.append(progress.token),
    )
    token = next(each for each in tokens if json.loads(each)["underWay"] == [[3, 6]])
    server.clear()
    failures: list[bulk.Failure] = []
    again = work("change_audiences", memberships(9), resume=token, failures=failures.append)
    assert [spans(ids) for ids in sent_ids(server)] == ["6-8"]
    assert again.summary[:4] == (6, 0, 3, 3)
    assert [(each.index, each.outcome) for each in failures] == [
        (3, "unknown"),
        (4, "unknown"),
        (5, "unknown"),
    ]


def test_a_token_keeps_what_the_work_before_was_sending_until_it_comes_there(work: Do) -> None:
    tokens: list[str] = []
    # Rows without an ID are failures of their own, so that what is sent begins with row 4.
    rows = [*[{}] * 4, *memberships(3)]
    work(
        "change_audiences",
        rows,
        chunk_size=2,
        at_once=1,
        progress=lambda progress: tokens.append(progress.token),
    )
    token = next(each for each in tokens if json.loads(each)["underWay"] == [[4, 6]])
    again = work("change_audiences", breaking(iter(rows[:2])), resume=token)
    assert json.loads(again.summary.token)["underWay"] == [[4, 6]]
    last = work("change_audiences", rows, resume=again.summary.token)
    assert last.summary[:3] == (1, 4, 2)


def test_a_stopped_exception_can_be_pickled() -> None:
    import pickle

    summary = bulk.Summary(1, 2, 3, 4, 5, False, {"a": 1}, "token")
    copy = pickle.loads(pickle.dumps(bulk.BulkStopped("no", summary)))
    assert isinstance(copy, bulk.BulkStopped)
    assert isinstance(copy, talon_one.OpenApiException)
    assert (str(copy), copy.summary) == ("no", summary)
