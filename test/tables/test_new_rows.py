"""Only the rows of an export that are new since a bookmark, with both clients."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

import pytest

import talon_one.aio
from support.server import RecordingServer, Response
from talon_one import (
    ApiTypeError,
    ApiValueError,
    IntegrationApi,
    ManagementApi,
    NoResponseError,
    checkout,
    tables,
)
from talon_one.aio import tables as aio_tables
from talon_one.pagination import Bookmark
from talon_one.sandbox import Sandbox

START = datetime(2020, 3, 1, tzinfo=timezone.utc)
TYPE = {"Content-Type": "application/csv"}
BY: tuple[Literal["created", "updated"], ...] = ("created", "updated")


def file(columns: str, *rows: tuple[Any, ...]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns.split(","))
    writer.writerows(rows)
    return Response(body=text.getvalue(), headers=TYPE)


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def test_rows_are_handed_out_once_and_a_crash_repeats_none_that_was_saved(
    server: RecordingServer, management: ManagementApi
) -> None:
    def new(bookmark: Bookmark | None) -> tables.NewRows:
        return tables.new_rows(management.table(management.export_coupons, 3), bookmark)

    first_file = file("id,created,usagecounter", (1, at(0), 0), (2, at(900), 0), (3, at(800), 0))
    server.script(first_file, first_file)
    with new(None) as rows:
        assert next(rows)["id"] == 1
        saved = rows.bookmark
    assert "createdAfter" not in dict(server.last.pairs)
    rows = new(saved)
    assert [row["id"] for row in rows] == [2, 3]
    # One was redeemed since, one appeared late, one is older than the look-back.
    server.script(file("id,created,usagecounter", (2, at(900), 1), (4, at(700), 0), (5, at(1), 0)))
    later = new(Bookmark.from_json(rows.bookmark.to_json()))
    assert [row["id"] for row in later] == [4]
    assert dict(server.last.pairs)["createdAfter"].startswith("2020-03-01T00:09:5")
    assert repr(later).startswith("<NewRows after <Bookmark of exportCoupons(applicationId=3) by")


@pytest.mark.asyncio
async def test_rows_are_handed_out_once_with_asyncio(
    server: RecordingServer, awaited: talon_one.aio.ManagementApi
) -> None:
    server.default = file("id,created", (1, at(0)), (2, at(900)))
    table = awaited.table(awaited.export_coupons, 3)
    async with aio_tables.new_rows(table) as rows:
        assert (await anext(rows))["id"] == 1
    again = aio_tables.new_rows(awaited.table(awaited.export_coupons, 3), rows.bookmark)
    assert [row["id"] async for row in again] == [2]
    last = aio_tables.new_rows(awaited.table(awaited.export_coupons, 3), again.bookmark)
    assert [row["id"] async for row in last] == []
    assert "createdAfter" in dict(server.last.pairs)
    with pytest.raises(ApiTypeError, match=r"what table of talon_one\.aio returns"):
        aio_tables.new_rows(None)  # type: ignore[arg-type]


def test_equal_rows_of_an_export_without_ids_are_counted(
    server: RecordingServer, management: ManagementApi
) -> None:
    def new(bookmark: Bookmark | None) -> tables.NewRows:
        range_end = START + timedelta(days=1)
        table = management.table(management.export_loyalty_ledger, START, range_end, "5", "anna")
        return tables.new_rows(table, bookmark)

    row, other = (7, "u", at(0)), (8, "u", at(0))
    server.script(file("amount,transactionUUID,created", row, row))
    first = new(None)
    assert len(list(first)) == 2
    assert dict(server.last.pairs)["rangeStart"] == at(0)
    server.script(file("amount,transactionUUID,created", row, other, row, row))
    assert [each["amount"] for each in new(first.bookmark)] == [8, 7]
    start = dict(server.last.pairs)["rangeStart"]
    assert start < at(0)
    assert dict(server.last.pairs)["rangeEnd"] == at(86400)


def test_a_file_that_breaks_off_does_not_move_the_bookmark(
    server: RecordingServer, management: ManagementApi
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/csv\r\nContent-Length: 1000\r\n\r\n"
    server.script(Response(raw=head + f"id,created\r\n1,{at(0)}\r\n2,{at(9)}\r\n3".encode()))
    rows = tables.new_rows(management.table(management.export_coupons, 3))
    got: list[int] = []
    with pytest.raises(NoResponseError):
        got.extend(row["id"] for row in rows)
    assert rows.bookmark.moment is None
    server.script(file("id,created", (1, at(0)), (2, at(9)), (3, at(5))))
    again = tables.new_rows(management.table(management.export_coupons, 3), rows.bookmark)
    assert sorted({*got, *(row["id"] for row in again)}) == [1, 2, 3]


def test_what_is_no_fresh_table_with_moments_is_refused(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.default = file("id,created")
    used = management.table(management.export_coupons, 3)
    used.rows()
    closed = management.table(management.export_coupons, 3)
    closed.close()
    for table in (used, closed):
        with pytest.raises(ApiValueError, match="still unopened"):
            tables.new_rows(table)
    wrong: dict[str, Any] = {
        "cannot be read with a bookmark": lambda: tables.new_rows(
            management.table(management.export_referrals, 3)
        ),
        "needs a parameter updatedAfter": lambda: tables.new_rows(
            management.table(management.export_coupons, 3), by="updated"
        ),
        "by is 'created' or 'updated'": lambda: tables.new_rows(
            management.table(management.export_coupons, 3),
            by="deleted",  # type: ignore[arg-type]
        ),
        "this takes what table returns": lambda: tables.new_rows(None),  # type: ignore[arg-type]
        "a bookmark is a Bookmark": lambda: tables.new_rows(
            management.table(management.export_coupons, 3),
            "x",  # type: ignore[arg-type]
        ),
    }
    for message, call in wrong.items():
        with pytest.raises(ApiTypeError, match=message):
            call()


def test_every_export_with_moments_can_be_read_with_a_bookmark() -> None:
    api = ManagementApi(host="https://a.test", api_key="k")
    found = set()
    for name in filter(str.islower, vars(ManagementApi)):
        operation = getattr(getattr(ManagementApi, name), "operation", None)
        if operation is None or operation.csv is None or operation.upload is not None:
            continue
        if operation.deprecated or name.endswith(("_with_http_info", "_without_preload_content")):
            continue
        for by in BY:
            try:
                tables.new_rows(api.table(getattr(api, name)), by=by)
            except ApiTypeError:
                continue
            found.add((name, by))
    assert found == {
        ("export_coupons", "created"),
        ("export_customer_sessions", "created"),
        ("export_customer_sessions", "updated"),
        ("export_effects", "created"),
        ("export_loyalty_card_ledger", "created"),
        ("export_loyalty_cards", "created"),
        ("export_loyalty_ledger", "created"),
        ("export_pool_giveaways", "created"),
    }


@pytest.fixture
def shop() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def test_sessions_of_the_sandbox_come_again_after_each_change(shop: Sandbox) -> None:
    with (
        IntegrationApi(host=shop.url, api_key=shop.api_key) as integration,
        ManagementApi(host=shop.url, api_key=shop.management_key) as management,
    ):

        def changed(bookmark: Bookmark | None) -> tuple[list[tuple[str, str]], Bookmark]:
            table = management.table(management.export_customer_sessions, 3)
            with tables.new_rows(table, bookmark, by="updated") as rows:
                return [(row["integrationid"], row["state"]) for row in rows], rows.bookmark

        for name in ("a", "b"):
            integration.update_customer_session_v2(name, {"customerSession": {}})
        got, bookmark = changed(None)
        assert sorted(got) == [("a", "open"), ("b", "open")]
        assert changed(bookmark)[0] == []
        shop.clock.advance(days=1)
        checkout.close(integration, "a")
        got, bookmark = changed(bookmark)
        assert got == [("a", "closed")]
        assert changed(bookmark)[0] == []
