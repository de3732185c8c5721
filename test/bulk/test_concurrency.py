"""Which requests may be in flight at the same time, and the order of rows."""

from __future__ import annotations

import threading
from typing import Any

from bulk.runs import (
    OK,
    RunBulk,
    profiles,
    sent_rows,
)
from support.server import Received, RecordingServer, Response


class ConflictRecorder:
    """A handler that records conflicts, and holds each request until another one arrives.

    It waits only briefly, because no other request follows the last one.
    """

    def __init__(self) -> None:
        self.in_flight: list[list[Any]] = []
        self.max_in_flight = 0
        self.conflicts: list[Any] = []
        self._lock = threading.Condition()

    def __call__(self, received: Received) -> Response:
        rows = sent_rows(received)
        with self._lock:
            self.conflicts += [(each, rows) for each in self.in_flight if self.conflict(each, rows)]
            self.in_flight.append(rows)
            self.max_in_flight = max(self.max_in_flight, len(self.in_flight))
            self._lock.notify_all()
            self._lock.wait_for(lambda: len(self.in_flight) > 1, timeout=0.05)
            self.in_flight.remove(rows)
        return OK

    @staticmethod
    def conflict(one: list[Any], other: list[Any]) -> bool:
        return bool({row["integrationId"] for row in one} & {row["integrationId"] for row in other})


def test_concurrency_limits_the_requests_in_flight(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = recorder = ConflictRecorder()
    run_bulk("upsert_profiles", profiles(40), chunk_size=5, concurrency=2)
    assert recorder.max_in_flight == 2


def test_rows_of_one_profile_take_effect_in_their_order(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = recorder = ConflictRecorder()
    rows = [
        {"integrationId": f"p{number % 7}", "attributes": {"Version": number}}
        for number in range(60)
    ]
    assert run_bulk("upsert_profiles", rows, chunk_size=4).summary.sent == 60
    assert recorder.conflicts == []
    versions: dict[str, list[int]] = {}
    for request in server.requests:
        ids = [row["integrationId"] for row in sent_rows(request)]
        assert len(set(ids)) == len(ids)
        for row in sent_rows(request):
            versions.setdefault(row["integrationId"], []).append(row["attributes"]["Version"])
    assert all(each == sorted(each) for each in versions.values())


def test_one_profile_may_join_several_audiences_in_one_request(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    row = {"action": "add", "profileIntegrationId": "p"}
    run_bulk("change_audiences", [{**row, "audienceId": 1}, {**row, "audienceId": 2}])
    run_bulk("change_audiences", [{**row, "audienceId": 1}, {**row, "audienceId": 1}])
    assert [len(sent_rows(each)) for each in server.requests] == [2, 1, 1]


def action(kind: str, sku: str | None = None) -> dict[str, Any]:
    return {"type": kind, "payload": {} if sku is None else {"sku": sku}}


def test_a_catalog_request_holds_one_type_and_each_sku_once(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = Response(body={"id": 1})
    rows = [
        *(action("ADD", "a"), action("ADD", "b"), action("ADD", "a")),
        *(action("REMOVE", "c"), action("REMOVE_MANY"), action("ADD", "d")),
    ]
    assert run_bulk("sync_catalog", 5, rows).summary[:3] == (6, 0, 0)
    assert [[row["type"] for row in sent_rows(each)] for each in server.requests] == [
        ["ADD", "ADD"],
        ["ADD"],
        ["REMOVE"],
        ["REMOVE_MANY"],
        ["ADD"],
    ]
    assert server.last.path == "/v1/catalogs/5/sync"


def test_an_action_on_many_items_is_exclusive(run_bulk: RunBulk, server: RecordingServer) -> None:
    class ManyRecorder(ConflictRecorder):
        @staticmethod
        def conflict(one: list[Any], other: list[Any]) -> bool:
            return "REMOVE_MANY" in (one[0]["type"], other[0]["type"])

    server.default = recorder = ManyRecorder()
    rows = [action("REMOVE_MANY" if number % 3 == 0 else "ADD", str(number)) for number in range(9)]
    run_bulk("sync_catalog", 5, rows, chunk_size=1, concurrency=4)
    assert recorder.conflicts == []
    assert recorder.max_in_flight == 2
