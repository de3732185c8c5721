"""What goes into a request, what comes back, and what becomes of each row."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import benchmarks.server
import talon_one.aio
from bulk.doing import (
    OK,
    Do,
    do,
    do_asynchronously,
    memberships,
    profiles,
    refusing,
    sent_ids,
    sent_rows,
    spans,
)
from support.calls import KEYS, make_client
from support.server import HANG_UP, Received, RecordingServer, Response
from talon_one import (
    ApiTypeError,
    BadRequestException,
    Configuration,
    IntegrationApi,
    ManagementApi,
    MultipleCustomerProfileIntegrationRequestItem,
    NoResponseError,
    UnauthorizedException,
    bulk,
)
from talon_one.bulk import operations as kinds

BAD_ID: dict[str, Any] = {"attributes": {}}
Result = bulk.ChunkResult


def test_rows_go_out_in_chunks_of_what_the_platform_admits(
    work: Do, server: RecordingServer
) -> None:
    done = work("upsert_profiles", profiles(2500))
    assert [spans(ids) for ids in sent_ids(server)] == ["0-999", "1000-1999", "2000-2499"]
    assert {each.target for each in server.requests} == {"/v2/customer_profiles"}
    assert done.summary[:3] == (2500, 0, 0)
    assert done.summary.complete


def test_no_rows_are_no_requests(work: Do, server: RecordingServer) -> None:
    assert work("upsert_profiles", []).summary.complete
    assert server.requests == []


def test_rows_may_be_models_and_dicts_and_of_any_iterable(
    work: Do, server: RecordingServer
) -> None:
    model = MultipleCustomerProfileIntegrationRequestItem(
        integration_id="p0", attributes={"Name": "Ada"}
    )
    work("upsert_profiles", (model, {"integrationId": "p1"}))
    assert server.last.json() == {
        "customerProfiles": [
            {"integrationId": "p0", "attributes": {"Name": "Ada"}},
            {"integrationId": "p1"},
        ]
    }


def test_answers_come_with_the_chunks(work: Do, server: RecordingServer) -> None:
    server.default = Response(body={"integrationStates": []})
    results: list[Result] = []
    work("upsert_profiles", profiles(5), silent="no", chunk_size=3, on_chunk=results.append)
    assert {each.query for each in server.requests} == {"silent=no"}
    results.sort()
    assert [(each.first, each.last, each.rows, each.outcome) for each in results] == [
        (0, 2, 3, "sent"),
        (3, 4, 2, "sent"),
    ]
    assert results[0].answer.integration_states == []


def test_settings_of_the_calls_are_passed_on(work: Do, server: RecordingServer) -> None:
    work("upsert_profiles", profiles(1), _headers={"X-Job": "import"})
    assert server.last.headers["X-Job"] == "import"


# -- Rows that cannot be sent ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
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
        (talon_one.CartItem(sku="a", quantity=1), "not CartItem"),
    ],
)
def test_a_row_that_cannot_be_sent_stops_nothing(
    work: Do, server: RecordingServer, row: Any, reason: str
) -> None:
    failures: list[bulk.Failure] = []
    rows = [*profiles(2), row, *profiles(2, begin=2)]
    done = work("upsert_profiles", rows, failures=failures.append)
    assert [spans(ids) for ids in sent_ids(server)] == ["0-3"]
    assert [each.index for each in failures] == [2]
    assert reason in failures[0].reason
    assert done.summary[:3] == (4, 1, 0)
    assert done.summary.complete
    assert done.summary.reasons == {failures[0].reason: 1}


class Hostile(dict[str, Any]):
    """An object that nobody can do anything with."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("hands off")

    def __repr__(self) -> str:
        raise RuntimeError("hands off")


def test_whatever_an_object_does_is_that_rows_alone(work: Do, server: RecordingServer) -> None:
    done = work("upsert_profiles", [*profiles(2), Hostile(), *profiles(1, begin=2)])
    assert done.summary[:3] == (3, 1, 0)


def test_what_validation_would_find_is_sent_where_it_is_switched_off(
    server: RecordingServer,
) -> None:
    with make_client(server.url, client_side_validation=False) as client:
        rows: list[Any] = [{"integrationId": "p" * 1001}, BAD_ID]
        summary = bulk.upsert_profiles(IntegrationApi(client), rows)
    assert summary[:2] == (1, 1)


# -- Chunks that are refused -----------------------------------------------------------------------


@pytest.mark.parametrize("point", [False, True])
def test_of_a_refused_chunk_only_the_rows_at_fault_fail(
    work: Do, server: RecordingServer, point: bool
) -> None:
    server.default = refusing(3, 17, 18, point=point)
    failures: list[bulk.Failure] = []
    done = work("upsert_profiles", profiles(40), chunk_size=20, failures=failures.append)
    assert sorted(each.index for each in failures) == [3, 17, 18]
    assert {each.status for each in failures} == {400}
    assert f"p{failures[0].index} is wrong" in failures[0].reason
    assert done.summary[:3] == (37, 3, 0)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_request_that_is_too_much_at_once_is_sent_in_parts(
    work: Do, server: RecordingServer, status: int
) -> None:
    server.default = lambda received: Response(status if len(sent_rows(received)) > 3 else 204)
    assert work("upsert_profiles", profiles(10)).summary[:2] == (10, 0)


def test_an_unknown_audience_is_the_fault_of_its_rows(work: Do, server: RecordingServer) -> None:
    def answer(received: Received) -> Response:
        known = all(row["audienceId"] == 7 for row in sent_rows(received))
        return OK if known else Response(404, {"message": "no such audience"})

    server.default = answer
    rows = [*memberships(5), {"action": "add", "profileIntegrationId": "p", "audienceId": 8}]
    failures: list[bulk.Failure] = []
    done = work("change_audiences", rows, failures=failures.append)
    assert done.summary[:3] == (5, 1, 0)
    assert [each.index for each in failures] == [5]


def test_an_answer_that_names_the_row_spares_the_search(work: Do, server: RecordingServer) -> None:
    server.default = refusing(600, point=True)
    assert work("upsert_profiles", profiles(1000)).summary[:2] == (999, 1)
    assert len(server.requests) == 3


def test_an_answer_that_names_the_wrong_row_costs_no_row(work: Do, server: RecordingServer) -> None:
    def misleading(received: Received) -> Response:
        if any(row["integrationId"] == "p5" for row in sent_rows(received)):
            source = {"pointer": "/customerProfiles/0/attributes"}
            return Response(400, {"message": "no", "errors": [{"title": "x", "source": source}]})
        return OK

    server.default = misleading
    assert work("upsert_profiles", profiles(10)).summary[:2] == (9, 1)


@pytest.mark.parametrize(
    "pointer", [None, 7, "", "/customerProfiles", "/customerProfiles/-1", "/customerProfiles/99/x"]
)
def test_a_pointer_that_leads_nowhere_does_not_matter(
    work: Do, server: RecordingServer, pointer: Any
) -> None:
    def answer(received: Received) -> Response:
        bad = any(row["integrationId"] == "p5" for row in sent_rows(received))
        errors = [{"title": "x", "source": {"pointer": pointer}}]
        return Response(400, {"message": "no", "errors": errors}) if bad else OK

    server.default = answer
    assert work("upsert_profiles", profiles(10)).summary[:2] == (9, 1)


def test_a_chunk_of_which_nothing_is_accepted_is_not_taken_apart_to_the_last_row(
    work: Do, server: RecordingServer
) -> None:
    server.default = Response(400, {"message": "no"})
    done = work("upsert_profiles", profiles(1000))
    assert done.summary[:3] == (0, 1000, 0)
    # 32 until it is given up, and those that are under way then.
    assert len(server.requests) <= 35
    assert "another row of the same chunk" in str(done.summary)


def test_a_chunk_of_which_a_part_is_accepted_is_taken_apart_to_the_last_row(
    work: Do, server: RecordingServer
) -> None:
    bad = range(500, 1000, 60)
    server.default = refusing(*bad)
    done = work("upsert_profiles", profiles(1000))
    assert done.summary[:3] == (1000 - len(bad), len(bad), 0)


def test_coupons_are_never_sent_in_parts(work: Do, server: RecordingServer) -> None:
    server.default = Response(400, {"message": "no"})
    ids = [f"p{number}" for number in range(10)]
    done = work("create_coupons_for_recipients", 3, 12, ids, {"couponPattern": "A-####"})
    assert done.summary[:3] == (0, 10, 0)
    assert len(server.requests) == 1


# -- Outcomes that nobody knows --------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [HANG_UP, Response(500), Response(503)], ids=["hang up", "500", "503"]
)
def test_what_may_have_been_carried_out_is_not_repeated_unless_it_is_idempotent(
    work: Do, server: RecordingServer, answer: Response
) -> None:
    server.script(answer)
    failures: list[bulk.Failure] = []
    done = work("change_audiences", memberships(4), failures=failures.append, _retries=3)
    assert len(server.requests) == 1
    assert done.summary[:3] == (0, 0, 4)
    assert {each.outcome for each in failures} == {"unknown"}


@pytest.mark.parametrize("answer", [HANG_UP, Response(503)], ids=["hang up", "503"])
def test_what_is_idempotent_is_repeated_and_fails_in_the_end(
    work: Do, server: RecordingServer, answer: Response
) -> None:
    server.script(answer)
    assert work("upsert_profiles", profiles(4), _retries=1).summary[:3] == (4, 0, 0)
    server.script(answer, answer)
    assert work("upsert_profiles", profiles(4), _retries=1).summary[:3] == (0, 4, 0)


def test_an_answer_that_cannot_be_read_is_an_accepted_chunk(
    work: Do, server: RecordingServer
) -> None:
    server.default = Response(200, "<html>")
    rows = [{"type": "ADD", "payload": {"sku": "a"}}]
    assert work("sync_catalog", 1, rows).summary[:3] == (1, 0, 0)


def test_what_the_server_put_off_for_good_has_failed_and_is_known_to_have(
    work: Do, server: RecordingServer
) -> None:
    server.default = Response(429)
    assert work("change_audiences", memberships(4)).summary[:3] == (0, 4, 0)


# -- Stopping --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_stops_the_work_and_costs_no_row(
    work: Do, server: RecordingServer, status: int
) -> None:
    server.default = Response(status, {"message": "no"})
    done = work("upsert_profiles", profiles(100), chunk_size=10, at_once=2)
    assert isinstance(done.failure, bulk.BulkStopped)
    assert str(status) in str(done.failure)
    assert len(server.requests) <= 2
    assert done.summary[:3] == (0, 0, 0)
    server.default = OK
    again = work("upsert_profiles", profiles(100), resume=done.summary.token)
    assert again.summary[:3] == (100, 0, 0)


def test_the_cause_of_a_stop_is_chained(work: Do, server: RecordingServer) -> None:
    server.default = Response(401, {"message": "no"})
    failure = work("upsert_profiles", profiles(1)).failure
    assert failure is not None
    assert isinstance(failure.__cause__, UnauthorizedException)


def test_an_outage_stops_the_work(work: Do, server: RecordingServer) -> None:
    server.default = HANG_UP
    done = work("upsert_profiles", profiles(100), chunk_size=1, at_once=1, give_up_after=3)
    assert len(server.requests) == 3
    assert done.summary[:3] == (0, 3, 0)
    assert not done.summary.complete
    assert done.failure is not None
    assert isinstance(done.failure.__cause__, NoResponseError)


def test_chunks_that_fail_now_and_then_do_not_stop_it(work: Do, server: RecordingServer) -> None:
    server.script(*[HANG_UP, HANG_UP, OK] * 10)
    done = work("upsert_profiles", profiles(30), chunk_size=1, at_once=1, give_up_after=3)
    assert done.summary[:3] == (10, 20, 0)
    assert done.summary.complete


def test_it_can_be_told_to_go_on_whatever_happens(work: Do, server: RecordingServer) -> None:
    server.default = Response(400)
    done = work("upsert_profiles", profiles(50), chunk_size=1, give_up_after=None)
    assert done.summary[:3] == (0, 50, 0)


def test_rows_that_cannot_be_sent_do_not_count_as_an_outage(
    work: Do, server: RecordingServer
) -> None:
    done = work("upsert_profiles", [BAD_ID] * 50, chunk_size=1, give_up_after=1)
    assert done.summary[:3] == (0, 50, 0)
    assert done.summary.complete


def test_what_the_rows_raise_comes_once_all_that_is_under_way_has_ended(
    work: Do, server: RecordingServer
) -> None:
    def breaking() -> Iterator[dict[str, Any]]:
        yield from profiles(25)
        raise KeyError("the database is gone")

    done = work("upsert_profiles", breaking(), chunk_size=10)
    assert done.failure is not None
    assert isinstance(done.failure.__cause__, KeyError)
    assert "the database is gone" in str(done.failure)
    assert done.summary[:3] == (20, 0, 0)
    server.clear()
    again = work("upsert_profiles", profiles(40), chunk_size=100, resume=done.summary.token)
    assert [spans(ids) for ids in sent_ids(server)] == ["20-39"]
    assert again.summary[:4] == (40, 0, 0, 20)


@pytest.mark.parametrize("option", ["progress", "on_chunk", "failures"])
def test_what_a_function_of_the_caller_raises_stops_the_work(work: Do, option: str) -> None:
    def broken(told: object) -> None:
        raise ZeroDivisionError

    rows = [BAD_ID, *profiles(3)]
    done = work("upsert_profiles", rows, **{option: broken})
    assert done.failure is not None
    assert isinstance(done.failure.__cause__, ZeroDivisionError)


def test_a_full_disk_stops_the_work_and_keeps_the_summary(work: Do) -> None:
    if not Path("/dev/full").exists():
        pytest.fail("this test needs /dev/full, which Linux has")
    done = work("upsert_profiles", [BAD_ID, *profiles(3)], failures="/dev/full")
    assert done.failure is not None
    assert isinstance(done.failure.__cause__, OSError)


# -- Bad options -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"at_once": 0},
        {"at_once": True},
        {"chunk_size": -1},
        {"give_up_after": 0},
        {"limiter": 3},
        {"resume": 7},
        {"resume": "{}"},
        {"failures": 7},
        {"at_onec": 2},
        {"async_req": True},
        {"_preload_content": False},
    ],
    ids=str,
)
def test_a_wrong_option_is_refused_before_anything_is_sent(
    work: Do, server: RecordingServer, options: dict[str, Any]
) -> None:
    with pytest.raises((ApiTypeError, talon_one.ApiValueError)):
        work("upsert_profiles", profiles(1), **options)
    assert server.requests == []


@pytest.mark.parametrize("rows", [{"integrationId": "p"}, "rows.csv", None, 7], ids=str)
def test_what_is_no_rows_is_refused(work: Do, rows: Any) -> None:
    with pytest.raises(ApiTypeError, match="rows is a list or a generator"):
        work("upsert_profiles", rows)


def test_a_mistyped_option_is_explained(work: Do) -> None:
    with pytest.raises(ApiTypeError, match="Did you mean 'at_once'"):
        work("upsert_profiles", [], at_onec=2)


def test_the_other_api_is_refused() -> None:
    api: Any = ManagementApi(host="https://a.test", api_key="k")
    with pytest.raises(ApiTypeError, match="give the other API"):
        bulk.upsert_profiles(api, [])


def test_an_api_of_the_other_kind_is_refused() -> None:
    api: Any = talon_one.aio.IntegrationApi(host="https://a.test", api_key="k")
    with pytest.raises(ApiTypeError, match=r"talon_one\.aio"):
        bulk.upsert_profiles(api, [])


# -- What must not meet ----------------------------------------------------------------------------


class Watch:
    """A server that notes which keys are under way, and holds each request until another comes.

    It waits for a short time only, for the last one has nobody to wait for.
    """

    def __init__(self) -> None:
        self.now: list[list[Any]] = []
        self.most = 0
        self.met: list[Any] = []
        self._lock = threading.Condition()

    def __call__(self, received: Received) -> Response:
        rows = sent_rows(received)
        with self._lock:
            self.met += [(each, rows) for each in self.now if self.clash(each, rows)]
            self.now.append(rows)
            self.most = max(self.most, len(self.now))
            self._lock.notify_all()
            self._lock.wait_for(lambda: len(self.now) > 1, timeout=0.05)
            self.now.remove(rows)
        return OK

    @staticmethod
    def clash(one: list[Any], other: list[Any]) -> bool:
        return bool({row["integrationId"] for row in one} & {row["integrationId"] for row in other})


def test_so_many_requests_are_under_way_at_once(work: Do, server: RecordingServer) -> None:
    server.default = watch = Watch()
    work("upsert_profiles", profiles(40), chunk_size=5, at_once=2)
    assert watch.most == 2


def test_rows_of_one_profile_take_effect_in_their_order(work: Do, server: RecordingServer) -> None:
    server.default = watch = Watch()
    rows = [
        {"integrationId": f"p{number % 7}", "attributes": {"Version": number}}
        for number in range(60)
    ]
    assert work("upsert_profiles", rows, chunk_size=4).summary.sent == 60
    assert watch.met == []
    versions: dict[str, list[int]] = {}
    for request in server.requests:
        ids = [row["integrationId"] for row in sent_rows(request)]
        assert len(set(ids)) == len(ids)
        for row in sent_rows(request):
            versions.setdefault(row["integrationId"], []).append(row["attributes"]["Version"])
    assert all(each == sorted(each) for each in versions.values())


def test_one_profile_may_join_several_audiences_in_one_request(
    work: Do, server: RecordingServer
) -> None:
    row = {"action": "add", "profileIntegrationId": "p"}
    work("change_audiences", [{**row, "audienceId": 1}, {**row, "audienceId": 2}])
    work("change_audiences", [{**row, "audienceId": 1}, {**row, "audienceId": 1}])
    assert [len(sent_rows(each)) for each in server.requests] == [2, 1, 1]


def action(kind: str, sku: str | None = None) -> dict[str, Any]:
    return {"type": kind, "payload": {} if sku is None else {"sku": sku}}


def test_a_catalog_request_holds_one_type_and_each_sku_once(
    work: Do, server: RecordingServer
) -> None:
    server.default = Response(body={"id": 1})
    rows = [
        *(action("ADD", "a"), action("ADD", "b"), action("ADD", "a")),
        *(action("REMOVE", "c"), action("REMOVE_MANY"), action("ADD", "d")),
    ]
    assert work("sync_catalog", 5, rows).summary[:3] == (6, 0, 0)
    assert [[row["type"] for row in sent_rows(each)] for each in server.requests] == [
        ["ADD", "ADD"],
        ["ADD"],
        ["REMOVE"],
        ["REMOVE_MANY"],
        ["ADD"],
    ]
    assert server.last.path == "/v1/catalogs/5/sync"


def test_what_concerns_many_items_is_alone(work: Do, server: RecordingServer) -> None:
    class ManyWatch(Watch):
        @staticmethod
        def clash(one: list[Any], other: list[Any]) -> bool:
            return "REMOVE_MANY" in (one[0]["type"], other[0]["type"])

    server.default = watch = ManyWatch()
    rows = [action("REMOVE_MANY" if number % 3 == 0 else "ADD", str(number)) for number in range(9)]
    work("sync_catalog", 5, rows, chunk_size=1, at_once=4)
    assert watch.met == []
    assert watch.most == 2


# -- Coupons ---------------------------------------------------------------------------------------


def test_coupons_are_made_in_requests_of_20_000(work: Do, server: RecordingServer) -> None:
    row = {"numberOfCoupons": 50_000, "couponPattern": "A-######"}
    done = work("create_coupons", 3, 12, [row, {**row, "numberOfCoupons": 5}])
    amounts = sorted(each.json()["numberOfCoupons"] for each in server.requests)
    assert amounts == [5, 10_000, 20_000, 20_000]
    assert {each.json()["couponPattern"] for each in server.requests} == {"A-######"}
    assert server.last.path == "/v1/applications/3/campaigns/12/coupons"
    assert done.summary[:3] == (4, 0, 0)


def test_a_portion_of_coupons_whose_outcome_is_unknown_is_not_made_again(
    work: Do, server: RecordingServer, tmp_path: Path
) -> None:
    server.script(OK, HANG_UP)
    file = tmp_path / "failed.jsonl"
    row = talon_one.NewCoupons(number_of_coupons=50_000, coupon_pattern="A-######")
    done = work("create_coupons", 3, 12, [row], failures=file, at_once=1, _retries=3)
    assert done.summary[:3] == (2, 0, 1)
    assert list(bulk.read_failures(file)) == []
    assert list(bulk.read_failures(file, include_unknown=True)) == [
        {"numberOfCoupons": 20_000, "couponPattern": "A-######"}
    ]


@pytest.mark.parametrize("number", [None, "5", True, 1.5])
def test_coupons_without_a_number_are_failures(
    work: Do, server: RecordingServer, number: Any
) -> None:
    done = work("create_coupons", 3, 12, [{"numberOfCoupons": number}])
    assert done.summary[:3] == (0, 1, 0)
    assert server.requests == []


def test_each_recipient_gets_a_coupon(work: Do, server: RecordingServer) -> None:
    ids: list[Any] = ["p1", "", None, "p2", "p1"]
    coupon = talon_one.NewCouponsForMultipleRecipients(
        usage_limit=1, coupon_pattern="A-####", recipients_integration_ids=[]
    )
    done = work("create_coupons_for_recipients", 3, 12, ids, coupon)
    assert server.last.json() == {
        "usageLimit": 1,
        "couponPattern": "A-####",
        "recipientsIntegrationIds": ["p1", "p2", "p1"],
    }
    assert done.summary[:3] == (3, 2, 0)


def test_recipients_that_are_not_rows_are_refused(work: Do) -> None:
    with pytest.raises(ApiTypeError, match="they are the rows"):
        work("create_coupons_for_recipients", 3, 12, [], {"recipientsIntegrationIds": ["p"]})


def test_a_coupon_that_cannot_be_made_is_nobodys_fault_but_the_callers(
    work: Do, server: RecordingServer
) -> None:
    done = work("create_coupons_for_recipients", 3, 12, ["p1"], {"couponPattern": "A"})
    assert done.summary[:3] == (0, 0, 0)
    assert done.failure is not None
    assert "couponPattern" in str(done.failure)
    assert server.requests == []


def test_the_management_api_is_called_as_often_as_it_admits(work: Do) -> None:
    row = {"numberOfCoupons": 1, "couponPattern": "A-######"}
    done = work("create_coupons", 3, 12, [row] * 9)
    assert len(done.pauses) == 6
    assert work("create_coupons", 3, 12, [row] * 9, limiter=False).pauses == []
    assert work("upsert_profiles", profiles(9), chunk_size=1).pauses == []


# -- Little by little ------------------------------------------------------------------------------


def test_rows_are_read_when_they_are_needed(work: Do, server: RecordingServer) -> None:
    received = 0
    furthest = 0
    lock = threading.Lock()

    def answer(request: Received) -> Response:
        nonlocal received
        with lock:
            received += len(sent_rows(request))
        return OK

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal furthest
        for number, row in enumerate(profiles(2000)):
            furthest = max(furthest, number - received)
            yield row

    server.default = answer
    work("upsert_profiles", rows(), chunk_size=10, at_once=3)
    # What is under way, what is ready, and what is being read.
    assert furthest <= 10 * (3 + 2)


@pytest.mark.parametrize("function", [do, do_asynchronously])
def test_memory_does_not_grow_with_the_number_of_rows(function: Do) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            assert function(host, "upsert_profiles", profiles(count)).summary.sent == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # In a process of its own, which keeps no requests.
    with benchmarks.server.running(empty=True) as url:
        host = RecordingServer()
        host.port = int(url.rpartition(":")[2])
        peak(10_000)
        # How many chunks are in memory at once differs; with the rows it would grow sixfold.
        assert peak(60_000) < 2 * peak(10_000)


async def _eventually(count: int) -> AsyncIterator[dict[str, Any]]:
    for row in profiles(count):
        yield row


def test_rows_may_come_from_an_asynchronous_generator(server: RecordingServer) -> None:
    done = do_asynchronously(server, "upsert_profiles", _eventually(25), chunk_size=10)
    assert done.summary[:3] == (25, 0, 0)
    assert [spans(ids) for ids in sent_ids(server)] == ["0-9", "10-19", "20-24"]


def test_a_refused_chunk_tells_of_every_request(work: Do, server: RecordingServer) -> None:
    server.default = refusing(1)
    results: list[Result] = []
    work("upsert_profiles", profiles(2), on_chunk=results.append)
    outcomes = [each.outcome for each in results]
    assert outcomes[0] == "refused"
    assert sorted(outcomes[1:]) == ["failed", "sent"]
    assert isinstance(results[0].failure, BadRequestException)


def test_more_requests_at_once_than_connections_are_warned_of_and_not_made(
    server: RecordingServer,
) -> None:
    together = threading.Barrier(2)
    now: list[int] = []
    most: list[int] = []

    def answer(received: Received) -> Response:
        now.append(1)
        most.append(len(now))
        # Two are there at the same time, and a third one would be here before they are let go.
        together.wait(10)
        now.pop()
        return OK

    server.default = answer

    def blocking() -> bulk.Summary:
        configuration = Configuration(host=server.url, api_key=KEYS)
        configuration.connection_pool_maxsize = 2
        with talon_one.ApiClient(configuration) as client:
            api = talon_one.IntegrationApi(client)
            return bulk.upsert_profiles(api, profiles(12), chunk_size=2, at_once=9)

    async def awaited() -> bulk.Summary:
        configuration = Configuration(host=server.url, api_key=KEYS)
        configuration.connection_pool_maxsize = 2
        async with talon_one.aio.ApiClient(configuration) as client:
            api = talon_one.aio.IntegrationApi(client)
            return await talon_one.aio.bulk.upsert_profiles(
                api, profiles(12), chunk_size=2, at_once=9
            )

    for work_off in (blocking, lambda: asyncio.run(awaited())):
        with pytest.warns(bulk.PoolSizeWarning, match="at_once=9 .* 2 requests") as warned:
            assert work_off().sent == 12
        assert [each.filename for each in warned] == [__file__]
    assert max(most) == 2


@pytest.mark.parametrize("count", [33, 40, 64, 100])
def test_a_row_that_was_refused_alone_is_not_blamed_on_others(
    work: Do, server: RecordingServer, count: int
) -> None:
    """Also if it was refused in the request after which the chunk was given up."""
    server.default = Response(400, {"message": "no"})
    failures: list[bulk.Failure] = []
    work("upsert_profiles", profiles(count), failures=failures.append)
    alone = {rows[0] for rows in map(ids_of, server.requests) if len(rows) == 1}
    own = {each.row["integrationId"] for each in failures if "another row" not in each.reason}
    assert len(failures) == count
    assert own == alone


def ids_of(received: Received) -> list[str]:
    return [row["integrationId"] for row in sent_rows(received)]


@pytest.mark.parametrize("id", [None, talon_one.NULL], ids=repr)
def test_an_id_that_is_null_is_missing_also_where_nothing_else_is_checked(id: Any) -> None:
    kind = kinds.audiences(IntegrationApi(host="https://a.test", api_key="k"))
    row = {"action": "add", "profileIntegrationId": "a", "audienceId": id}
    assert kind.problem(row, validate=False) == "audienceId is missing"
