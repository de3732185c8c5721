"""Where the rules of bulk jobs begin and end: options, placement, tokens, files, fingerprints."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from enum import Enum
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import talon_one.aio
from bulk.runs import RunBulk, profiles
from support.calls import make_client
from support.server import RecordingServer
from talon_one import NULL, ApiTypeError, ApiValueError, IntegrationApi, ManagementApi, bulk
from talon_one._schema import json_codec
from talon_one.bulk import operations
from talon_one.bulk.chunks import Chunk
from talon_one.bulk.failures import FailureSink, describe
from talon_one.bulk.fingerprint import Fingerprint, canonical
from talon_one.bulk.options import check_options, fit_to_pool
from talon_one.bulk.resume_token import IntRanges, Token, new_token, read_token, to_ranges
from talon_one.exceptions import BadRequestException
from talon_one.limiter import Limiter

API = IntegrationApi(host="https://a.test", api_key="k")
MANAGEMENT = ManagementApi(host="https://a.test", api_key="k")
PROFILES = operations.profiles(API, None)
COUPON: dict[str, Any] = {"usageLimit": 1}


# -- Options -----------------------------------------------------------------------------------


def test_options_have_defaults() -> None:
    found = check_options(PROFILES, profiles(1), {})
    assert found._replace(keywords={}, limiter=None)[:9] == (
        *(4, 1000, None, None, None, None, 10, None, None),
    )
    assert found.limiter is None
    assert found.keywords == {"silent": None}
    assert check_options(operations.coupons(MANAGEMENT, 1, 2, "yes"), [], {}).chunk_size == 1
    own = Limiter(3)
    for given, limiter in ((False, None), (own, own), (True, None)):
        assert check_options(PROFILES, [], {"limiter": given}).limiter is limiter


def test_the_total_is_the_number_of_rows_if_it_is_known() -> None:
    coupons = operations.coupons(MANAGEMENT, 1, 2, None)
    for operation, rows, given, total in (
        (PROFILES, [1, 2, 3], {}, 3),
        (PROFILES, [1, 2, 3], {"total": 5}, 5),
        (PROFILES, [1, 2, 3], {"total": 0}, 0),
        (PROFILES, iter([1]), {}, None),
        # A row may be split into several.
        (coupons, [1, 2, 3], {}, None),
        (coupons, [1, 2, 3], {"total": 7}, 7),
    ):
        assert check_options(operation, rows, given).total == total


@pytest.mark.parametrize("name", ["progress", "on_chunk", "failures"])
def test_callbacks_are_plain_functions(name: str) -> None:
    async def coroutine_function(report: Any) -> None:
        raise AssertionError("not called")

    with pytest.raises(ApiTypeError, match=f"^{name} must be a plain function, not a coroutine"):
        check_options(PROFILES, [], {name: coroutine_function})
    if name != "failures":
        with pytest.raises(ApiTypeError, match=f"^{name} is a function, not 7"):
            check_options(PROFILES, [], {name: 7})
    assert check_options(PROFILES, [], {name: print})


@pytest.mark.parametrize("name", ["concurrency", "chunk_size", "max_failed_chunks"])
def test_numbers_are_whole_and_above_zero(name: str) -> None:
    for value in (0, -1, 1.5, "1", True):
        with pytest.raises(ApiTypeError, match=f"{name} is a whole number above 0"):
            check_options(PROFILES, [], {name: value})
    assert getattr(check_options(PROFILES, [], {name: 1}), name) == 1
    assert check_options(PROFILES, [], {"chunk_size": 1001}).chunk_size == 1000
    assert check_options(PROFILES, [], {"max_failed_chunks": None}).max_failed_chunks is None


def test_concurrency_may_be_as_large_as_the_pool() -> None:
    size = API.api_client._pool_size()
    for concurrency in (1, size):
        assert fit_to_pool(PROFILES, concurrency, 1) == concurrency
    with pytest.warns(bulk.PoolSizeWarning, match=f"concurrency={size + 1} is more"):
        assert fit_to_pool(PROFILES, size + 1, 1) == size


class Recording(Limiter):
    """A limiter that records who asks, and makes a pause of a second for the first call."""

    def __init__(self) -> None:
        super().__init__(1000)
        self.asked: list[tuple[str, str]] = []

    def reserve(self, name: str = "") -> float:
        self.asked.append((name, threading.current_thread().name))
        return 1.0 if len(self.asked) == 1 else 0.0


def test_a_limiter_is_asked_for_each_request_and_the_job_sleeps_as_long(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    limiter = Recording()
    found = run_bulk("upsert_profiles", profiles(3), chunk_size=1, concurrency=1, limiter=limiter)
    assert found.pauses == [1.0]
    assert [name for name, _ in limiter.asked] == ["updateCustomerProfilesV2"] * 3


def test_requests_are_made_in_threads_of_a_known_name(server: RecordingServer) -> None:
    limiter = Recording()
    with make_client(server.url, []) as client:
        bulk.upsert_profiles(IntegrationApi(client), profiles(2), limiter=limiter)
    assert {name for _, name in limiter.asked} == {"talon-one-bulk_0"}


# -- Placement of rows -------------------------------------------------------------------------


class Name(Enum):
    P = "p"
    ADD = "ADD"
    MANY = "PATCH_MANY"


def test_rows_are_placed_by_their_keys() -> None:
    row: Any
    placement: Any
    payload: Any
    for row, placement in (
        ({"integrationId": "p"}, ("p", None, False)),
        ({"integrationId": Name.P}, ("p", None, False)),
        ({"integrationId": 7}, ("7", None, False)),
    ):
        assert PROFILES.place(row) == placement
    audiences = operations.audiences(API)
    row = {"profileIntegrationId": "p", "audienceId": 7, "action": "add"}
    assert audiences.place(row) == (("p", "7"), None, False)
    catalog = operations.catalog(API, 3)
    for kind, sku, placement in (
        ("ADD", "s", ("s", "ADD", False)),
        (Name.ADD, "s", ("s", "ADD", False)),
        ("REMOVE_MANY", None, (None, "REMOVE_MANY", True)),
        (Name.MANY, None, (None, "PATCH_MANY", True)),
    ):
        assert catalog.place({"type": kind, "payload": {"sku": sku}}) == placement
    for payload in (None, "text", []):
        with pytest.raises(ApiValueError, match="payload is missing"):
            catalog.place({"type": "REMOVE_MANY", "payload": payload})
    recipients = operations.recipients(MANAGEMENT, 1, 2, COUPON, None)
    assert recipients.place("p") == (None, None, False)
    wrong: Any
    for wrong, message in ((5, "not int"), ("", "the ID of the profile is empty")):
        with pytest.raises((ApiTypeError, ApiValueError), match=message):
            recipients.place(wrong)
    for wrong in ([], "p", talon_one.Coupon.from_dict({}), None):
        with pytest.raises(ApiTypeError, match=r"a row is Multiple.* or a dict of wire names, not"):
            PROFILES.place(wrong)


@pytest.mark.parametrize(
    ("value", "message"),
    [(None, "is missing"), (NULL, "is missing"), ("", "is empty")],
    ids=["null", "NULL", "empty"],
)
def test_a_row_without_its_id_has_no_place(value: Any, message: str) -> None:
    with pytest.raises(ApiValueError, match=f"^integrationId {message}"):
        PROFILES.place({"integrationId": value})
    with pytest.raises(ApiValueError, match=f"^sku {message}"):
        operations.catalog(API, 3).place({"type": "ADD", "payload": {"sku": value}})


def test_operations_say_what_may_be_repeated_refused_and_resumed() -> None:
    found = {
        "profiles": PROFILES,
        "audiences": operations.audiences(API),
        "catalog": operations.catalog(API, 3),
        "coupons": operations.coupons(MANAGEMENT, 1, 2, "no"),
        "recipients": operations.recipients(MANAGEMENT, 1, 2, COUPON, "no"),
    }
    refused = {400, 413, 422}
    assert {
        name: (each.name, each.idempotent, each.max_rows, set(each.refusal_statuses))
        for name, each in found.items()
    } == {
        "profiles": ("updateCustomerProfilesV2", True, 1000, refused),
        "audiences": ("updateCustomerProfileAudiences", False, 1000, refused | {404}),
        "catalog": ("syncCatalog(3,)", False, 1000, refused),
        "coupons": ("createCoupons(1, 2)", False, 1, set()),
        "recipients": ("createCouponsForMultipleRecipients(1, 2)", False, 1000, set()),
    }
    for name in ("coupons", "recipients"):
        assert (found[name].args, found[name].keywords) == ((1, 2), {"silent": "no"})
    assert found["recipients"].shared == COUPON
    assert found["audiences"].keywords == {}


def test_coupons_are_split_by_the_limit_of_a_request() -> None:
    split = operations.coupons(MANAGEMENT, 1, 2, None).split
    assert split is not None
    for count, parts in (
        (1, [1]),
        (20_000, [20_000]),
        (20_001, [20_000, 1]),
        (40_000, [20_000, 20_000]),
        (0, [0]),
        (-5, [-5]),
        (True, [True]),
        ("many", ["many"]),
        (None, [None]),
    ):
        found = list(split({"numberOfCoupons": count, "usageLimit": 1}))
        assert [each["numberOfCoupons"] for each in found] == parts
        assert {each["usageLimit"] for each in found} == {1}
    assert list(split("text")) == ["text"]


def test_a_response_blames_rows_only_if_all_of_its_errors_do() -> None:
    def blamed(*pointers: Any, operation: Any = PROFILES) -> set[int]:
        errors = [{"source": {"pointer": each}} for each in pointers]
        failure = BadRequestException(400, data={"message": "no", "errors": errors})
        found: set[int] = operation.blamed_rows(failure, 3)
        return found

    assert blamed("/customerProfiles/0/x", "/customerProfiles/2") == {0, 2}
    for odd in (
        *("/customerProfiles/3", "/customerProfiles/-1", "/customerProfiles/²", "/data/1"),
        *("/customerProfiles", "customerProfiles/1", "", None, 5),
    ):
        assert blamed("/customerProfiles/0", odd) == set()
    assert blamed() == set()
    assert (
        blamed("/customerProfiles/0", operation=operations.coupons(MANAGEMENT, 1, 2, "")) == set()
    )
    nothing = BadRequestException(400, data={"errors": [{"source": "x"}]})
    assert PROFILES.blamed_rows(nothing, 3) == set()


def test_the_body_of_a_request_holds_shared_properties_and_rows() -> None:
    recipients = operations.recipients(MANAGEMENT, 1, 2, COUPON, None)
    expected = {"usageLimit": 1, "recipientsIntegrationIds": ["a", "b"]}
    assert recipients.body(["a", "b"]) == expected
    for operation, rows, text in (
        (recipients, ["a", "b"], b'"a","b"'),
        (PROFILES, [{"integrationId": "a"}], b'{"integrationId":"a"}'),
    ):
        encoded = json_codec.encode(operation.body(rows, text))
        assert json.loads(encoded) == operation.body(rows)


@pytest.mark.parametrize("coupon", [None, "x", [], 5])
def test_the_coupon_of_recipients_is_an_object(coupon: Any) -> None:
    with pytest.raises(ApiTypeError, match="coupon is a model or a dict of wire names"):
        operations.recipients(MANAGEMENT, 1, 2, coupon, None)
    empty: Any
    for empty in (None, []):
        shared = {**COUPON, "recipientsIntegrationIds": empty}
        assert operations.recipients(MANAGEMENT, 1, 2, shared, None)


# -- Chunks ------------------------------------------------------------------------------------


def test_chunks_conflict_over_a_key_or_if_one_is_exclusive() -> None:
    def chunk(*keys: str, exclusive: bool = False) -> Chunk:
        made = Chunk(None, exclusive)
        made.keys.update(keys)
        return made

    one = chunk("a", "b")
    for other, conflicts in (
        (chunk("c"), False),
        (chunk(), False),
        (chunk("b", "c"), True),
        (chunk("c", exclusive=True), True),
    ):
        assert one.conflicts_with(other) == other.conflicts_with(one) == conflicts
    assert one.request_limit == 32
    one.accepted = True
    assert one.request_limit == 256
    assert (chunk().pieces, chunk().requests, chunk().failure) == (0, 0, None)


# -- Tokens ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([(0, 2), (4, 6)], [(0, 2), (4, 6)]),
        ([(0, 2), (2, 4)], [(0, 4)]),
        ([(2, 4), (0, 2)], [(0, 4)]),
        ([(0, 2), (3, 4), (2, 3)], [(0, 4)]),
        ([(0, 9), (2, 3)], [(0, 9)]),
        ([(2, 3), (0, 9)], [(0, 9)]),
        ([(0, 3), (2, 5)], [(0, 5)]),
        ([(0, 1), (5, 6), (3, 4), (0, 6)], [(0, 6)]),
        ([(3, 3), (4, 2)], []),
    ],
)
def test_ranges_that_touch_become_one(ranges: Any, expected: Any) -> None:
    found = IntRanges(ranges)
    assert list(found) == expected
    assert found.end == (expected[-1][1] if expected else 0)
    numbers = {number for begin, end in expected for number in range(begin, end)}
    assert {number for number in range(-1, 11) if number in found} == numbers


@pytest.mark.parametrize(
    ("numbers", "ranges"),
    [
        ([], []),
        ([3], [(3, 4)]),
        ([3, 4, 5], [(3, 6)]),
        ([3, 5], [(3, 4), (5, 6)]),
        ([0, 1, 3, 4, 9], [(0, 2), (3, 5), (9, 10)]),
    ],
)
def test_numbers_become_ranges(numbers: list[int], ranges: list[tuple[int, int]]) -> None:
    assert list(to_ranges(numbers)) == ranges


def token_data(**changes: Any) -> str:
    text = Token("job", IntRanges([(0, 3)]), IntRanges([(4, 5)]), *new_token("job")[3:]).to_text()
    return json.dumps({**json.loads(text), "rows": 5, "digest": "x", **changes})


def test_a_token_says_what_it_knows() -> None:
    token = read_token(token_data(counts=[1, 2, 0]), "job")
    assert list(token.settled) == [(0, 3)]
    assert list(token.in_flight) == [(4, 5)]
    assert (token.counts, token.mark) == ((1, 2, 0), (5, "x"))
    assert read_token(token.to_text(), "job").to_text() == token.to_text()
    assert json.loads(token.to_text())["version"] == 2
    with pytest.raises(ApiValueError, match="the token belongs to 'job', not to other"):
        read_token(token_data(), "other")


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 3},
        {"version": None},
        {"rows": 4},
        {"rows": -1},
        {"rows": True},
        {"settled": [[0, 6]]},
        {"inFlight": [[0]]},
        {"counts": [1, 2, 3, 4]},
        {"counts": [1, 2, -1]},
    ],
    ids=str,
)
def test_a_token_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ApiValueError, match="resume is not the token of a bulk job"):
        read_token(token_data(**changes), "job")


# -- The failures file -------------------------------------------------------------------------

LINE = b'{"index":0,"outcome":"failed","reason":"no","status":null,"row":{}}\n'


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (LINE, LINE),
        (LINE + LINE[:-1], LINE),
        (LINE + LINE[:5], LINE),
        (LINE[:5], b""),
        (LINE + b'{"index":' + b"x" * 70_000, LINE),
        (LINE[:-2] + b"x" * 65_536 + b"\n", LINE[:-2] + b"x" * 65_536 + b"\n"),
        (b"", b""),
    ],
    ids=len,
)
def test_a_resumed_file_ends_with_its_last_complete_line(
    tmp_path: Path, content: bytes, kept: bytes
) -> None:
    path = tmp_path / "failed.jsonl"
    path.write_bytes(content)
    sink = FailureSink()
    sink.open(path, resuming=True)
    sink.write(7, "failed", "why", 400, {"a": 1})
    sink.close()
    added = b'{"index":7,"outcome":"failed","reason":"why","status":400,"row":{"a":1}}\n'
    assert path.read_bytes() == kept + added


def test_rows_that_are_no_json_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "failed.jsonl"
    sink = FailureSink()
    sink.open(path, resuming=False)
    long = "x" * 20_000
    for row in ({"a": 1}, {"a": object}, [object, long]):
        sink.write(0, "failed", "why", None, row)
    sink.close()
    sink.close()
    with caplog.at_level(logging.WARNING):
        assert list(bulk.read_failures(path)) == [{"a": 1}]
    assert caplog.messages == [f"2 rows of {path} could not be encoded and were left out"]
    _, second, third = bulk.failures_in(path)
    assert (second.row, second.row_repr) == (None, "{'a': <class 'object'>}")
    assert len(third.row_repr or "") == 10_000
    caplog.clear()
    path.write_bytes(LINE)
    assert list(bulk.read_failures(path)) == [{}]
    assert caplog.messages == []


def test_errors_are_described_by_their_message_or_class() -> None:
    assert describe(ApiValueError("is wrong")) == "is wrong"
    assert describe(ValueError("is wrong")) == "ValueError(is wrong)"
    assert describe(KeyError()) == "KeyError()"


# -- Fingerprints ------------------------------------------------------------------------------


def test_the_canonical_text_is_the_same_with_every_library() -> None:
    for value, text in (
        ({"ü": 1, "a": "é"}, '{"a":"é","ü":1}'),
        ({"b": [None, True], "a": {}}, '{"a":{},"b":[null,true]}'),
        ([1e-05, 1.5, 10**30], "[1e-05,1.5,1000000000000000000000000000000]"),
        ({"z": {"y": 1, "x": {2, 1}}}, '{"z":{"x":[1,2],"y":1}}'),
    ):
        assert canonical(value) == text.encode()
        with patch.object(json_codec, "orjson", None):
            assert canonical(value) == text.encode()
            with pytest.raises(ValueError, match="JSON"):
                canonical([float("nan")])


def test_shared_properties_count_and_are_no_row() -> None:
    assert Fingerprint().mark() == Fingerprint({"a": 1}).mark() == Fingerprint({}).mark() == (0, "")
    marks = []
    for shared in (None, {}, {"a": 1}, {"a": 2}):
        made = Fingerprint(shared)
        assert made.update([]) is None
        assert made.update([{"b": 1}, 2]) == b'{"b":1},2'
        marks.append(made.mark())
    assert {each.rows for each in marks} == {2}
    assert marks[0] == marks[1]
    assert len({each.digest for each in marks}) == 3


def test_a_row_that_cannot_be_sent_has_a_fingerprint_but_no_text() -> None:
    digests = set()
    for row in ({"a": object, "b": 1}, {"a": object, "b": 2}, {"a": int, "b": [{1: 2}]}):
        made = Fingerprint()
        assert made.update([row]) is None
        assert made.mark().rows == 1
        digests.add(made.mark().digest)
    assert len(digests) == 3


# -- The asyncio twin --------------------------------------------------------------------------


def test_the_twin_of_each_function_has_the_same_defaults() -> None:
    for name in ("upsert_profiles", "create_coupons", "create_coupons_for_recipients"):
        for module in (bulk, talon_one.aio.bulk):
            assert getattr(module, name).__kwdefaults__ == {"silent": None}
    for name in ("change_audiences", "sync_catalog"):
        for module in (bulk, talon_one.aio.bulk):
            assert getattr(module, name).__kwdefaults__ is None
    assert asyncio.iscoroutinefunction(talon_one.aio.bulk.upsert_profiles)
