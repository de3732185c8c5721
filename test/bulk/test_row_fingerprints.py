"""A resumed job recognizes its rows, and rejects others."""

from __future__ import annotations

import csv
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import talon_one
from bulk.runs import (
    OK,
    RunBulk,
    memberships,
    profiles,
    refusing,
    sent_ids,
    sent_rows,
    span,
    then_break,
    token_during,
)
from support.every import for_every
from support.server import Received, RecordingServer, Response
from talon_one import ApiValueError, bulk
from talon_one._schema import json_codec
from talon_one.bulk.fingerprint import Fingerprint
from talon_one.bulk.reports import BulkStopped

Rows = list[Any]


def replaced(rows: Rows, position: int, row: Any) -> Rows:
    return [*rows[:position], row, *rows[position + 1 :]]


CHANGES: dict[str, Callable[[Rows], Rows]] = {
    "reversed": lambda rows: rows[::-1],
    "two swapped": lambda rows: [rows[1], rows[0], *rows[2:]],
    "the last known one swapped": lambda rows: [*rows[:5], rows[6], rows[5], *rows[7:]],
    "moved by one": lambda rows: [rows[-1], *rows[:-1]],
    "one left out": lambda rows: rows[1:],
    "one inserted": lambda rows: [rows[-1], *rows],
    "one duplicated": lambda rows: [rows[0], *rows],
    "one changed": lambda rows: replaced(rows, 2, {**rows[2], "more": 1}),
    "the last known one changed": lambda rows: replaced(rows, 5, {**rows[5], "more": 1}),
    "shorter": lambda rows: rows[:4],
    "empty": lambda rows: [],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(
    ("name", "make"),
    [("upsert_profiles", profiles), ("change_audiences", memberships)],
    ids=["idempotent", "once only"],
)
def test_other_rows_are_rejected_before_anything_is_sent(
    run_bulk: RunBulk, server: RecordingServer, name: str, make: Any, change: Callable[[Rows], Rows]
) -> None:
    rows = list(make(10))
    first = run_bulk(name, then_break(rows, 6), chunk_size=3)
    assert first.summary.sent == 6
    server.clear()
    failures: list[bulk.Failure] = []
    again = run_bulk(name, iter(change(rows)), resume=first.summary.token, failures=failures.append)
    assert server.requests == []
    assert failures == []
    assert isinstance(again.failure, BulkStopped)
    assert isinstance(again.failure.__cause__, ApiValueError)
    assert "nothing was sent" in str(again.failure)
    assert "start over without resume" in str(again.failure)
    assert not again.summary.complete
    # The token still resumes the job, and without a token all rows are sent.
    last = run_bulk(name, rows, resume=again.summary.token)
    assert last.summary[:4] == (10, 0, 0, 6)
    assert [span(ids) for ids in sent_ids(server)] == ["6-9"]
    assert run_bulk(name, change(rows)).summary.complete


def coupons(count: int) -> Rows:
    return [
        {"usageLimit": 1, "numberOfCoupons": number + 1, "couponPattern": "A-####"}
        for number in range(count)
    ]


def actions(count: int) -> Rows:
    return [{"type": "ADD", "payload": {"sku": f"sku-{number}"}} for number in range(count)]


@pytest.mark.parametrize(
    ("name", "before", "rows", "after"),
    [
        ("sync_catalog", (7,), actions(10), ()),
        ("create_coupons", (3, 12), coupons(10), ()),
        (
            "create_coupons_for_recipients",
            (3, 12),
            [f"p{number}" for number in range(10)],
            ({"couponPattern": "A-####", "usageLimit": 1},),
        ),
    ],
)
def test_every_operation_recognizes_its_rows(
    run_bulk: RunBulk, server: RecordingServer, name: str, before: Any, rows: Rows, after: Any
) -> None:
    first = run_bulk(name, *before, then_break(rows, 6), *after, chunk_size=2, limiter=False)
    assert first.summary.sent == 6
    server.clear()
    again = run_bulk(name, *before, rows[::-1], *after, resume=first.summary.token)
    assert server.requests == []
    assert "the first 6 rows are not those" in str(again.failure)
    last = run_bulk(name, *before, rows, *after, resume=first.summary.token)
    assert last.summary[:4] == (10, 0, 0, 6)


def test_split_rows_are_recognized(run_bulk: RunBulk, server: RecordingServer) -> None:
    rows = [{"usageLimit": 1, "numberOfCoupons": 50_000, "couponPattern": "A-####"}, *coupons(1)]
    server.script(OK, OK, Response(429))
    options = {"concurrency": 1, "max_failed_chunks": 1, "limiter": False}
    first = run_bulk("create_coupons", 3, 12, rows, **options)
    assert first.summary[:3] == (2, 1, 0)
    other = [{**rows[0], "numberOfCoupons": 45_000}, *coupons(1)]
    assert "are not those" in str(
        run_bulk("create_coupons", 3, 12, other, resume=first.summary.token).failure
    )
    again = run_bulk("create_coupons", 3, 12, rows, resume=first.summary.token)
    assert again.summary[:4] == (3, 1, 0, 3)


def test_recipients_cannot_be_resumed_with_another_coupon(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    rows = ["anna", "ben", "cleo"]
    call = ("create_coupons_for_recipients", 3, 12)
    coupon = {"couponPattern": "A-####", "usageLimit": 1}
    first = run_bulk(*call, then_break(rows, 2), coupon, chunk_size=1)
    server.clear()
    other = run_bulk(*call, rows, {**coupon, "usageLimit": 2}, resume=first.summary.token)
    assert "are not those" in str(other.failure)
    assert server.requests == []
    same = talon_one.NewCouponsForMultipleRecipients.from_dict(
        {"usageLimit": 1, "couponPattern": "A-####"}
    )
    assert run_bulk(*call, rows, same, resume=first.summary.token).summary.sent == 3


def test_rows_that_were_not_sent_may_change(run_bulk: RunBulk, server: RecordingServer) -> None:
    rows = list(profiles(10))
    first = run_bulk("upsert_profiles", then_break(rows, 8), chunk_size=3)
    # The rows of the last chunk had been read but not sent.
    assert first.summary.sent == 6
    server.clear()
    fixed = [*rows[:6], {"integrationId": "p16"}, {"integrationId": "p15"}]
    again = run_bulk("upsert_profiles", fixed, resume=first.summary.token)
    assert again.summary[:4] == (8, 0, 0, 6)
    assert sent_ids(server) == [["p16", "p15"]]


def test_a_corrected_row_is_not_skipped_silently(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    rows: Rows = [*profiles(2), {"attributes": {}}, {"integrationId": "p3", "attributes": object()}]
    first = run_bulk("upsert_profiles", then_break(rows, 4), chunk_size=1)
    assert first.summary[:3] == (2, 2, 0)
    server.clear()
    for place in (2, 3):
        good = replaced(rows, place, {"integrationId": f"p{place}", "attributes": {}})
        again = run_bulk("upsert_profiles", good, resume=first.summary.token)
        assert "are not those" in str(again.failure)
    assert server.requests == []
    assert run_bulk("upsert_profiles", rows, resume=first.summary.token).summary.complete


def test_no_row_is_sent_before_the_last_known_row_is_recognized(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    """The first chunk ends last, so that the token has a gap at its start."""
    others_settled = threading.Event()
    tokens: list[str] = []

    def respond(received: Received) -> Response:
        if sent_rows(received)[0]["integrationId"] != "p0":
            return OK
        others_settled.wait(10)
        return OK

    def keep(progress: bulk.Progress) -> None:
        tokens.append(progress.token)
        if json.loads(progress.token)["settled"] == [[3, 9]]:
            others_settled.set()

    server.default = respond
    rows = list(profiles(9))
    run_bulk("upsert_profiles", rows, chunk_size=3, progress=keep)
    token = next(each for each in tokens if json.loads(each)["settled"] == [[3, 9]])
    server.clear()
    again = run_bulk("upsert_profiles", replaced(rows, 8, rows[0]), resume=token)
    assert "are not those" in str(again.failure)
    assert server.requests == []
    assert run_bulk("upsert_profiles", rows, resume=token).summary[:4] == (9, 0, 0, 6)
    assert [span(ids) for ids in sent_ids(server)] == ["0-2"]


def test_changed_rows_are_not_marked_as_interrupted(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    rows = list(memberships(6))
    token = token_during(run_bulk, rows, [3, 6], chunk_size=3)
    server.clear()
    failures: list[bulk.Failure] = []
    other = replaced(rows, 4, {**rows[4], "audienceId": 8})
    again = run_bulk("change_audiences", other, resume=token, failures=failures.append)
    assert "are not those" in str(again.failure)
    assert failures == []
    assert again.summary[:3] == (3, 0, 0)
    last = run_bulk("change_audiences", rows, resume=again.summary.token, failures=failures.append)
    assert [each.index for each in failures] == [3, 4, 5]
    assert last.summary[:3] == (3, 0, 3)


# -- Equal rows ------------------------------------------------------------------------------------


MOMENT = datetime(2026, 5, 1, 12, 30, tzinfo=timezone.utc)
SAME: dict[str, tuple[Any, Any]] = {
    "keys in another order": (
        {"integrationId": "a", "attributes": {"X": 1, "Y": {"b": 2, "a": 1}}},
        {"attributes": {"Y": {"a": 1, "b": 2}, "X": 1}, "integrationId": "a"},
    ),
    "a model": (
        {"integrationId": "a", "attributes": {"X": [1, 2]}},
        talon_one.MultipleCustomerProfileIntegrationRequestItem(
            integration_id="a", attributes={"X": [1, 2]}
        ),
    ),
    "a decimal": (
        {"integrationId": "a", "attributes": {"X": 12.5, "Y": 3}},
        {"integrationId": "a", "attributes": {"X": Decimal("12.50"), "Y": Decimal(3)}},
    ),
    "a datetime": (
        {"integrationId": "a", "attributes": {"X": json_codec.plain(MOMENT)}},
        {"integrationId": "a", "attributes": {"X": MOMENT}},
    ),
    "a tuple": (
        {"integrationId": "a", "attributes": {"X": [1, "b"]}},
        {"integrationId": "a", "attributes": {"X": (1, "b")}},
    ),
    "NULL": (
        {"integrationId": "a", "attributes": {"X": None}},
        {"integrationId": "a", "attributes": {"X": talon_one.NULL}},
    ),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_rows_with_equal_content_are_recognized(
    run_bulk: RunBulk, server: RecordingServer, one: Any, other: Any
) -> None:
    tail = {"integrationId": "z", "attributes": {}}
    token = run_bulk("upsert_profiles", then_break([one, one], 2), chunk_size=1).summary.token
    again = run_bulk("upsert_profiles", [other, other, tail], resume=token)
    assert again.summary[:4] == (3, 0, 0, 2)
    back = run_bulk("upsert_profiles", then_break([other, other], 2), chunk_size=1).summary.token
    assert run_bulk("upsert_profiles", [one, one, tail], resume=back).summary.sent == 3


@for_every(
    "one, other",
    [
        (1, 2),
        (1, True),
        ("1", 1),
        (None, ""),
        (1.5, 1.5000000000000002),
        (10**30, 10**30 + 1),
        (["a", "b"], ["b", "a"]),
        (["a,b"], ["a", "b"]),
        ({"a": 1}, {"a": 1, "b": None}),
        (float("nan"), None),
        ("é", "e\u0301"),
        ("\ud800", "\ud801"),
        # Keys of several types are sent as text, but cannot be sorted before.
        ({1: "a", "b": 2}, {1: "a", "b": 3}),
        ({None: 1, "b": 2}, {True: 1, "b": 2}),
    ],
)
def test_rows_with_other_content_have_another_fingerprint(one: Any, other: Any) -> None:
    assert marked([{"a": one}]) != marked([{"a": other}])


def test_keys_of_several_types_are_those_of_the_json() -> None:
    assert marked([{1: "x", "b": 2, None: 3}]) == marked([{"null": 3, "b": 2, "1": "x"}])


def marked(rows: Rows) -> str:
    fingerprint = Fingerprint()
    fingerprint.update(rows)
    return fingerprint.mark().digest


def test_floats_have_one_fingerprint_with_and_without_orjson() -> None:
    found = [1.0, 0.1, 1e-4, 1e-5, 1.5e-5, 9.99e-5, 1e-7, 5e-324, 1e15, 1e16, 1e17, 1e22, 1.5e300]
    for number in [*found, *(-each for each in found), float("nan"), float("inf")]:
        rows = [{"a": [number]}]
        with patch.object(json_codec, "orjson", None):
            expected = marked(rows)
        assert marked(rows) == expected, number


def test_the_boundaries_of_rows_count() -> None:
    assert marked(["a", "b"]) != marked(["a,b"]) != marked(['a","b'])
    assert marked([[1], [2]]) != marked([[1, 2]])


def test_equal_rows_are_counted(run_bulk: RunBulk) -> None:
    rows = [{"integrationId": "a", "attributes": {}}] * 4
    token = run_bulk("upsert_profiles", then_break(rows, 3), chunk_size=1).summary.token
    assert "there are 2 rows" in str(run_bulk("upsert_profiles", rows[:2], resume=token).failure)
    assert run_bulk("upsert_profiles", rows, resume=token).summary[:4] == (4, 0, 0, 3)


@given(st.lists(st.lists(st.integers(0, 9))))
def test_the_fingerprint_does_not_depend_on_batches(batches: list[list[int]]) -> None:
    fingerprint = Fingerprint()
    for batch in batches:
        fingerprint.update([{"a": number} for number in batch])
        fingerprint.mark()
    assert fingerprint.mark().digest == marked([{"a": each} for batch in batches for each in batch])


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.floats(-1e-3, 1e-3)
    | st.floats(1e14, 1e19)
    | st.text()
    | st.text(st.characters())
    | st.sampled_from(["1e5", "0.00001", "null", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(plain, min_size=1, max_size=4))
def test_the_fingerprint_is_the_same_without_orjson(rows: Rows) -> None:
    with_orjson = marked(rows)
    with patch.object(json_codec, "orjson", None):
        assert marked(rows) == with_orjson


class Hostile(dict):  # type: ignore[type-arg]  # of anything
    """A row whose methods raise."""

    def __iter__(self) -> Iterator[Any]:
        raise OSError("the database is gone")

    def items(self) -> Any:
        raise OSError("the database is gone")

    def __repr__(self) -> str:
        raise OSError("the database is gone")


@for_every(
    "row",
    [
        object(),
        {"a": object()},
        {"a": {1, "b", (2, 3)}},
        {1: "a", "1": "b", None: "c"},
        Hostile(integrationId="a"),
        {"integrationId": "a", "attributes": {"X": Hostile(a=1)}},
        {"a": float("nan"), "b": float("inf")},
        datetime(2026, 1, 1),
    ],
)
def test_invalid_rows_are_recognized(run_bulk: RunBulk, row: Any) -> None:
    rows = [row, *profiles(3)]
    first = run_bulk("upsert_profiles", then_break(rows, 3), chunk_size=1)
    assert first.summary[:3] == (2, 1, 0)
    again = run_bulk("upsert_profiles", rows, resume=first.summary.token)
    assert again.summary[:4] == (3, 1, 0, 3)


def test_the_order_of_a_set_does_not_count(tmp_path: Path) -> None:
    letters = list("abcdefghijklmnopq")
    backwards = letters[::-1]
    assert marked([{"a": set(letters)}]) == marked([{"a": set(backwards)}])
    assert marked([{"a": set(letters)}]) != marked([{"a": set(letters[1:])}])


def test_a_job_resumes_from_a_file_of_rows_and_a_token_file(
    run_bulk: RunBulk, server: RecordingServer, tmp_path: Path
) -> None:
    source, kept = tmp_path / "rows.csv", tmp_path / "token.json"
    ids = [f"p{number}" for number in range(10)]

    def write(ids: list[str]) -> None:
        with source.open("w", newline="") as file:
            csv.writer(file).writerows([["integrationId"], *([each] for each in ids)])

    def rows() -> Iterator[dict[str, str]]:
        with source.open(newline="") as file:
            yield from csv.DictReader(file)

    write(ids)
    first = run_bulk("upsert_profiles", then_break(list(rows()), 6), chunk_size=2)
    kept.write_text(json.dumps({"token": first.summary.token}, indent=2))
    write(sorted(ids, reverse=True))
    other = run_bulk("upsert_profiles", rows(), resume=json.loads(kept.read_text())["token"])
    assert "are not those" in str(other.failure)
    write(ids)
    server.clear()
    # A token that was parsed and written again as JSON is accepted.
    token = json.dumps(json.loads(json.loads(kept.read_text())["token"]), indent=1)
    assert run_bulk("upsert_profiles", rows(), resume=token).summary[:4] == (10, 0, 0, 6)
    assert Counter(id for ids in sent_ids(server) for id in ids) == Counter(ids[6:])


def test_a_token_of_an_earlier_release_is_rejected(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    token = (
        '{"version":1,"operation":"updateCustomerProfilesV2","settled":[[0,2]],"inFlight":[],'
        '"counts":[2,0,0]}'
    )
    with pytest.raises(ApiValueError, match=r"earlier release .* start over without resume"):
        run_bulk("upsert_profiles", profiles(3), resume=token)
    assert server.requests == []


def test_the_message_for_an_invalid_token_is_short(run_bulk: RunBulk) -> None:
    with pytest.raises(talon_one.ApiTypeError, match="token of a summary") as caught:
        run_bulk("upsert_profiles", profiles(3), resume={"rows": ["x" * 1000] * 1000})
    assert len(str(caught.value)) < 200


# -- Rows that are sent ----------------------------------------------------------------------------


@pytest.mark.parametrize("with_orjson", [True, False])
def test_the_rows_that_were_hashed_are_sent(
    run_bulk: RunBulk, server: RecordingServer, with_orjson: bool
) -> None:
    rows = [pair[place] for pair in SAME.values() for place in (0, 1)]
    rows = [
        {**(row.to_wire() if isinstance(row, talon_one.Model) else row), "integrationId": f"p{n}"}
        for n, row in enumerate(rows)
    ]
    rows[3] = talon_one.MultipleCustomerProfileIntegrationRequestItem.from_dict(rows[3])
    rows += [
        {"integrationId": "é\u2028😀\ud800", "attributes": {"A": "\ud800", "B": 1e-05, "C": 2**70}},
        {"integrationId": "z", "attributes": {"X": [1e16, 0.1, -0.0, None, True, "a,b]}"]}},
    ]
    with patch.object(json_codec, "orjson", json_codec.orjson if with_orjson else None):
        for size in (1000, 1):
            server.clear()
            assert (
                run_bulk("upsert_profiles", rows, chunk_size=size, concurrency=1).summary.sent == 14
            )
            got = [row for received in server.requests for row in sent_rows(received)]
            assert got == json_codec.decode(json_codec.encode(rows))


@pytest.mark.parametrize("coupon", [{"usageLimit": 1, "couponPattern": "A-####"}, {}], ids=str)
def test_shared_properties_are_sent_with_each_request(
    run_bulk: RunBulk, server: RecordingServer, coupon: dict[str, Any]
) -> None:
    call = ("create_coupons_for_recipients", 3, 12)
    run_bulk(*call, ["é", "b", "c"], coupon, chunk_size=2, limiter=False, max_failed_chunks=None)
    bodies = [each.json() for each in server.requests]
    ids = [each.pop("recipientsIntegrationIds") for each in bodies]
    assert sorted(ids) == [["c"], ["é", "b"]]
    assert bodies == [coupon, coupon]


def test_parts_of_a_refused_chunk_hold_their_own_rows(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = refusing(5)
    assert run_bulk("upsert_profiles", profiles(8)).summary[:3] == (7, 1, 0)
    server.clear()
    server.default = OK
    rows = [*profiles(2), {"attributes": {}}, *profiles(3, begin=3)]
    # A chunk with an invalid row in the middle is hashed in two parts and sent as one request.
    assert run_bulk("upsert_profiles", rows).summary[:3] == (5, 1, 0)
    assert sent_ids(server) == [["p0", "p1", "p3", "p4", "p5"]]
