"""The failures file, and the rows that are read from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bulk.runs import OK, RunBulk, memberships, profiles, refusing, sent_ids, then_break
from support.server import HANG_UP, RecordingServer, Response
from talon_one import ApiValueError, bulk


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_failures_file_is_json_lines(
    run_bulk: RunBulk, server: RecordingServer, tmp_path: Path
) -> None:
    server.default = refusing(1)
    file = tmp_path / "failed.jsonl"
    run_bulk("upsert_profiles", [*profiles(3), {"attributes": {}}], failures=file)
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


def test_failed_rows_can_be_sent_again(
    run_bulk: RunBulk, server: RecordingServer, tmp_path: Path
) -> None:
    server.default = refusing(1, 3)
    file = tmp_path / "failed.jsonl"
    run_bulk("upsert_profiles", profiles(5), failures=str(file))
    server.clear()
    server.default = OK
    again = run_bulk("upsert_profiles", bulk.read_failures(file))
    assert sorted(sent_ids(server)[0]) == ["p1", "p3"]
    assert again.summary[:3] == (2, 0, 0)


def test_unknown_rows_are_read_only_on_request(
    run_bulk: RunBulk, server: RecordingServer, tmp_path: Path
) -> None:
    server.script(HANG_UP, Response(429))
    file = tmp_path / "failed.jsonl"
    run_bulk("change_audiences", memberships(4), chunk_size=2, concurrency=1, failures=file)
    ids = [row["profileIntegrationId"] for row in bulk.read_failures(file)]
    assert ids == ["p2", "p3"]
    assert len(list(bulk.read_failures(file, include_unknown=True))) == 4


def test_a_row_that_cannot_be_encoded_is_kept_as_its_repr(
    run_bulk: RunBulk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "failed.jsonl"
    row = {"integrationId": "p", "attributes": {"A": float("inf")}}
    run_bulk("upsert_profiles", [row, {"integrationId": ""}], failures=file)
    failure = {each.index: each for each in bulk.failures_in(file)}[0]
    assert failure.row is None
    assert failure.row_repr == "{'integrationId': 'p', 'attributes': {'A': inf}}"
    assert list(bulk.read_failures(file)) == [{"integrationId": ""}]
    assert "1 rows of" in caplog.text


def test_a_row_without_a_usable_repr_is_kept_by_its_class(
    run_bulk: RunBulk, tmp_path: Path
) -> None:
    class Mute:
        def __repr__(self) -> str:
            raise OSError("no")

    file = tmp_path / "failed.jsonl"
    run_bulk("upsert_profiles", [Mute()], failures=file)
    (failure,) = bulk.failures_in(file)
    assert failure.row is None
    assert "Mute object at 0x" in (failure.row_repr or "")


def test_no_secret_is_written(run_bulk: RunBulk, server: RecordingServer, tmp_path: Path) -> None:
    server.default = Response(500, {"message": "no"})
    file = tmp_path / "failed.jsonl"
    result = run_bulk("upsert_profiles", profiles(3), failures=file, on_chunk=lambda result: None)
    assert lines(file)
    assert "integration-secret" not in file.read_text() + repr(result.summary)


def test_failures_of_another_job_are_not_overwritten(
    run_bulk: RunBulk, server: RecordingServer, tmp_path: Path
) -> None:
    file = tmp_path / "failed.jsonl"
    run_bulk("upsert_profiles", [{"attributes": {}}], failures=file)
    before = file.read_bytes()
    with pytest.raises(ApiValueError, match="is not empty"):
        run_bulk("upsert_profiles", bulk.read_failures(file), failures=file)
    assert file.read_bytes() == before
    assert server.requests == []


def test_a_job_without_failures_leaves_an_empty_file_that_can_be_reused(
    run_bulk: RunBulk, tmp_path: Path
) -> None:
    file = tmp_path / "failed.jsonl"
    for _ in range(2):
        run_bulk("upsert_profiles", profiles(1), failures=file)
        assert file.read_bytes() == b""


def test_a_resumed_job_appends_its_failures(run_bulk: RunBulk, tmp_path: Path) -> None:
    file = tmp_path / "failed.jsonl"
    first = run_bulk("upsert_profiles", then_break(iter([{"a": 1}])), failures=file)
    # A process died while it wrote a line that no token counts as settled.
    with file.open("ab") as file_again:
        file_again.write(b'{"index": 1, "outc')
    assert len(list(bulk.failures_in(file))) == 1
    run_bulk("upsert_profiles", [{"a": 1}, {"a": 2}], failures=file, resume=first.summary.token)
    assert [line["index"] for line in lines(file)] == [0, 1]


def test_a_partial_line_is_removed(tmp_path: Path, run_bulk: RunBulk) -> None:
    file = tmp_path / "failed.jsonl"
    first = run_bulk("upsert_profiles", then_break(iter(())))
    file.write_bytes(b'{"index":0,"reason":"' + b"x" * 200_000)
    run_bulk("upsert_profiles", [{"a": 1}], failures=file, resume=first.summary.token)
    assert [line["index"] for line in lines(file)] == [0]


def test_a_file_that_holds_no_failures_is_not_changed(tmp_path: Path, run_bulk: RunBulk) -> None:
    file = tmp_path / "customers.csv"
    first = run_bulk("upsert_profiles", then_break(iter(())))
    file.write_text("id,name\n1,Ann\n2,Bob")
    with pytest.raises(ApiValueError, match="is not a failures file"):
        run_bulk("upsert_profiles", [{"a": 1}], failures=file, resume=first.summary.token)
    assert file.read_text() == "id,name\n1,Ann\n2,Bob"


def test_rows_that_cannot_be_written_to_the_file_are_not_settled(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = Response(400, {"message": "no"})

    def full(failure: bulk.Failure) -> None:
        raise OSError("no space left")

    rows = ["anna", "ben", "cleo"]
    coupon = {"couponPattern": "A-####", "usageLimit": 1}
    place = ("create_coupons_for_recipients", 3, 12)
    result = run_bulk(*place, rows, coupon, failures=full)
    assert result.summary[:3] == (0, 0, 0)
    server.default = OK
    again = run_bulk(*place, rows, coupon, resume=result.summary.token)
    assert again.summary[:3] == (3, 0, 0)


def test_rows_that_were_not_sent_are_neither_unknown_nor_counted_twice(run_bulk: RunBulk) -> None:
    def full(failure: bulk.Failure) -> None:
        if failure.index:
            raise OSError("no space left")

    good = {"type": "ADD", "payload": {"sku": "A"}}
    bad = [{"type": "ADD", "payload": {"sku": name, "price": object()}} for name in "BC"]
    result = run_bulk("sync_catalog", 1, [bad[0], bad[1], good], failures=full)
    assert result.summary[:3] == (0, 1, 0)


def test_lines_appended_while_reading_are_not_read(tmp_path: Path) -> None:
    file = tmp_path / "failed.jsonl"
    line = '{"index":0,"outcome":"failed","reason":"no","status":null,"row":{}}\n'
    file.write_text(line * 2)
    rows = bulk.read_failures(file)
    assert next(rows) == {}
    with file.open("a") as more:
        more.write(line)
    assert list(rows) == [{}]


@pytest.mark.parametrize("line", ["[]", "7", "{", '{"index": 1}', '{"nothing": "of this"}'])
def test_the_message_for_an_invalid_line_has_its_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "failed.jsonl"
    file.write_text(f"\n{line}\n")
    with pytest.raises(ApiValueError, match="line 2"):
        list(bulk.read_failures(file))


def test_a_failure_is_written_before_a_token_counts_it_as_settled(
    run_bulk: RunBulk, server: RecordingServer, tmp_path: Path
) -> None:
    server.default = refusing(3, 14, 15)
    file = tmp_path / "failed.jsonl"
    missing: list[int] = []

    def look(progress: bulk.Progress) -> None:
        written = {line["index"] for line in lines(file)}
        settled = json.loads(progress.token)["settled"]
        for index in (3, 14, 15):
            if any(begin <= index < end for begin, end in settled) and index not in written:
                missing.append(index)

    run_bulk("upsert_profiles", profiles(40), chunk_size=10, failures=file, progress=look)
    assert missing == []
    assert len(lines(file)) == 3
