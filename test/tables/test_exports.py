"""Exports from a server, with both clients."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import talon_one.aio
from support.server import Received, RecordingServer, Response
from talon_one import (
    ApiTypeError,
    ApiValueError,
    InvalidResponseError,
    ManagementApi,
    NoResponseError,
    NotFoundException,
    tables,
)

CSV = b'\xef\xbb\xbfvalue,limitval,attributes\r\nA-1,1,"{""size"":\n""L""}"\r\nB-2,0,\r\n'
ROWS = [
    {"value": "A-1", "limitval": 1, "attributes": {"size": "L"}},
    {"value": "B-2", "limitval": 0, "attributes": None},
]
TYPE = {"Content-Type": "application/csv"}
BROKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nvalue\r\nA-1\r\nB-2\r\nC"
MISSING = Response(404, {"message": "Application not found"})


def test_an_export_is_read_as_rows(server: RecordingServer, management: ManagementApi) -> None:
    server.script(Response(body=CSV, headers=TYPE))
    with management.table(management.export_coupons, 3, campaign_id=12) as table:
        assert list(table) == ROWS
    assert server.last.target == "/v1/applications/3/export_coupons?campaignId=12"
    assert server.last.headers["Accept"] == "application/csv, application/json"


@pytest.mark.asyncio
async def test_an_export_is_read_as_rows_with_asyncio(
    server: RecordingServer, awaited: talon_one.aio.ManagementApi
) -> None:
    server.default = Response(body=CSV, headers=TYPE)
    async with awaited.table(awaited.export_coupons, 3, campaign_id=12) as table:
        assert table.columns == ("value", "limitval", "attributes")
        assert [row async for row in table] == ROWS
        assert table.columns == ("value", "limitval", "attributes")
    assert server.last.target == "/v1/applications/3/export_coupons?campaignId=12"
    assert await awaited.table(awaited.export_coupons, 3).rows() == ROWS


def test_a_table_need_not_be_entered(server: RecordingServer, management: ManagementApi) -> None:
    server.default = Response(body=CSV)
    assert [row["value"] for row in tables.export(management.export_coupons, 3)] == ["A-1", "B-2"]
    assert management.table(management.export_coupons, 3).rows() == ROWS
    # Reading to the end returns the connection to the pool.
    assert server.connections == 1


def test_the_columns_can_be_read_before_the_rows(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.script(Response(body=CSV))
    table = management.table(management.export_coupons, 3)
    assert table.columns == ("value", "limitval", "attributes")
    assert next(iter(table)) == ROWS[0]
    assert table.columns == ("value", "limitval", "attributes")
    assert table.rows() == ROWS[1:]
    assert table.columns == ("value", "limitval", "attributes")


@pytest.mark.parametrize(("body", "columns"), [(b"", ()), (b"value\n", ("value",))])
def test_an_export_may_be_empty(
    server: RecordingServer, management: ManagementApi, body: bytes, columns: tuple[str, ...]
) -> None:
    server.default = Response(body=body)
    table = management.table(management.export_coupons, 3)
    assert table.columns == columns
    assert table.rows() == []
    assert table.columns == columns


def test_a_table_is_read_once(
    server: RecordingServer, management: ManagementApi, tmp_path: Path
) -> None:
    server.default = Response(body=CSV)
    table = management.table(management.export_coupons, 3)
    assert table.rows() == ROWS
    for again in (table.rows, table.to_pandas, lambda: table.save(tmp_path / "x.csv")):
        with pytest.raises(ApiValueError, match="exportCoupons was used already; make a new one"):
            again()
    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_reading_a_closed_table_is_an_error(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.default = Response(body=CSV)
    with management.table(management.export_coupons, 3) as table:
        rows = iter(table)
        assert next(rows) == ROWS[0]
    with pytest.raises(ApiValueError, match="was closed before it was read to the end"):
        next(rows)
    closed = management.table(management.export_coupons, 3)
    closed.close()
    with pytest.raises(ApiValueError, match="was closed before it was read to the end"):
        closed.rows()


@pytest.mark.asyncio
async def test_reading_a_closed_table_is_an_error_with_asyncio(
    server: RecordingServer, awaited: talon_one.aio.ManagementApi
) -> None:
    server.default = Response(body=CSV)
    async with awaited.table(awaited.export_coupons, 3) as table:
        rows = aiter_of(table)
        assert await rows.__anext__() == ROWS[0]
    with pytest.raises(ApiValueError, match="was closed before it was read to the end"):
        await rows.__anext__()
    before = len(server.requests)
    closed = awaited.table(awaited.export_coupons, 3)
    await closed.aclose()
    with pytest.raises(ApiValueError, match="was closed before it was read to the end"):
        await closed.rows()
    assert len(server.requests) == before


def aiter_of(table: Any) -> Any:
    return table.__aiter__()


def test_leaving_a_table_early_releases_its_connection(
    server: RecordingServer, management: ManagementApi
) -> None:
    # If the connection were not released, the next call would time out.
    management.api_client.configuration.connection_pool_maxsize = 1
    server.default = Response(body=CSV + b"X-1,1,\n" * 100_000)
    for _ in range(3):
        with management.table(management.export_coupons, 3) as table:
            for _ in table:
                break
    assert len(server.requests) == 3


@pytest.mark.asyncio
async def test_closing_a_table_early_releases_its_connection_with_asyncio(
    server: RecordingServer, awaited: talon_one.aio.ManagementApi
) -> None:
    awaited.api_client.configuration.connection_pool_maxsize = 1
    server.default = Response(body=CSV + b"X-1,1,\n" * 100_000)
    for _ in range(3):
        table = await awaited.table(awaited.export_coupons, 3, _deadline=10).__aenter__()
        assert await aiter_of(table).__anext__() == ROWS[0]
        await table.aclose()
    assert len(server.requests) == 3


def test_entering_the_table_raises_the_error_of_the_call(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.default = MISSING
    with pytest.raises(NotFoundException, match="Application not found") as caught:
        management.table(management.export_coupons, 3).__enter__()
    assert caught.value.operation_id == "exportCoupons"
    with pytest.raises(NotFoundException):
        management.table(management.export_coupons, 3).rows()


@pytest.mark.asyncio
async def test_entering_the_table_raises_the_error_of_the_call_with_asyncio(
    server: RecordingServer, awaited: talon_one.aio.ManagementApi
) -> None:
    server.default = MISSING
    with pytest.raises(NotFoundException, match="Application not found"):
        async with awaited.table(awaited.export_coupons, 3):
            pass


def test_an_incomplete_response_is_an_error(
    server: RecordingServer, management: ManagementApi, tmp_path: Path
) -> None:
    server.default = Response(raw=BROKEN)
    values = []
    with pytest.raises(NoResponseError), management.table(management.export_coupons, 3) as table:
        values += [row["value"] for row in table]
    with pytest.raises(NoResponseError):
        management.table(management.export_coupons, 3).rows()
    path = tmp_path / "coupons.csv"
    path.write_bytes(b"of yesterday")
    with pytest.raises(NoResponseError):
        management.table(management.export_coupons, 3).save(path)
    assert path.read_bytes() == b"of yesterday"
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_is_saved_unchanged(
    server: RecordingServer, management: ManagementApi, tmp_path: Path
) -> None:
    server.default = Response(body=CSV)
    calls: list[tuple[int, int | None]] = []
    path = tmp_path / "coupons.csv"
    table = management.table(management.export_coupons, 3)
    assert table.save(path, progress=lambda done, total: calls.append((done, total))) == len(CSV)
    assert path.read_bytes() == CSV
    assert calls[-1] == (len(CSV), len(CSV))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.asyncio
async def test_a_table_is_saved_with_asyncio(
    server: RecordingServer, awaited: talon_one.aio.ManagementApi, tmp_path: Path
) -> None:
    server.default = Response(body=CSV)
    path = tmp_path / "coupons.csv"
    assert await awaited.table(awaited.export_coupons, 3).save(path) == len(CSV)
    assert path.read_bytes() == CSV


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("ISO-8859-1", "latin-1"),
        ('"utf-8"', "utf-8"),
        ("utf-16", "utf-16"),
        ("klingon", "utf-8"),
        ("rot13", "utf-8"),
        # They would decode to halves of characters, or refuse to decode.
        ("utf-7", "utf-8"),
        ("unicode_escape", "utf-8"),
        ("raw-unicode-escape", "utf-8"),
        ("idna", "utf-8"),
        ("punycode", "utf-8"),
        ("", "utf-8"),
    ],
)
def test_the_encoding_of_the_response_is_used(
    server: RecordingServer, management: ManagementApi, charset: str, encoding: str
) -> None:
    headers = {"Content-Type": f"text/csv; charset={charset}"}
    server.default = Response(body="value\r\nCAFÉ\r\n".encode(encoding), headers=headers)
    assert management.table(management.export_coupons, 3).rows() == [{"value": "CAFÉ"}]


@pytest.mark.asyncio
async def test_a_byte_order_mark_decides_and_without_one_the_order_is_found(
    server: RecordingServer,
    management: ManagementApi,
    awaited: talon_one.aio.ManagementApi,
) -> None:
    marks = {"utf-8": "utf-8", "utf-16-le": "utf-16", "utf-16-be": "utf-16", "utf-32-le": "utf-32"}
    for encoding, charset in {**marks, "utf-32-be": "utf-32"}.items():
        marked = ("\ufeff" + "value,limitval\r\nCAFÉ,1\r\n").encode(encoding)
        plain = "value,limitval\r\nCAFÉ,1\r\n".encode(encoding)
        for body, declared in (
            *((marked, each) for each in ("latin-1", "utf-8", "utf-16", encoding, "klingon")),
            *((plain, each) for each in (charset, encoding)),
        ):
            headers = {"Content-Type": f"text/csv; charset={declared}"}
            server.default = Response(body=body, headers=headers)
            rows = [{"value": "CAFÉ", "limitval": 1}]
            assert management.table(management.export_coupons, 3).rows() == rows
            assert await awaited.table(awaited.export_coupons, 3).rows() == rows


def test_short_tables_are_read_in_every_encoding(
    server: RecordingServer, management: ManagementApi
) -> None:
    for charset in ("utf-8", "utf-16", "utf-32", "latin-1"):
        for body in (b"", b"a", b"a\n", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\0"):
            headers = {"Content-Type": f"text/csv; charset={charset}"}
            server.default = Response(body=body, headers=headers)
            with suppress(InvalidResponseError):
                assert management.table(management.export_coupons, 3).rows() == []


def test_rows_of_a_large_export_are_read_in_constant_memory(
    server: RecordingServer, management: ManagementApi
) -> None:
    block = b'CODE-1,7,"{""size"": ""L""}"\r\n' * 1000

    def peak(blocks: int) -> int:
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nvalue,limitval,attributes\r\n"
        server.script(Response(raw=head + block * blocks))
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        with management.table(management.export_coupons, 3) as table:
            assert sum(1 for _ in table) == blocks * 1000
        return tracemalloc.get_traced_memory()[1] - before - len(head) - 2 * len(block) * blocks

    peak(1)
    tracemalloc.start()
    try:
        # The memory of the server counts as well; `peak` subtracts it.
        assert peak(20) < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.asyncio
async def test_only_methods_of_exports_are_accepted(
    management: ManagementApi, awaited: talon_one.aio.ManagementApi
) -> None:
    refused: list[tuple[Any, str]] = [
        (management.get_coupons_without_total_count, "does not export a table"),
        (management.import_coupons, "importCoupons does not export a table"),
        (print, "this takes a method of an API"),
        (ManagementApi.export_coupons, "not of its class"),
        (awaited.export_coupons, "use talon_one.aio.tables"),
    ]
    for method, reason in refused:
        with pytest.raises(ApiTypeError, match=reason):
            management.table(method, 3)
    with pytest.raises(ApiTypeError, match=r"use talon_one\.tables"):
        talon_one.aio.tables.Table(management.export_coupons, 3)


def test_arguments_are_passed_to_the_method(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.default = lambda request: Response(body=f"value\n{request.pairs}\n".encode())
    with management.table(
        management.export_coupons, application_id=3, values_only=True, _headers={"X-Shop": "a"}
    ) as table:
        assert "valuesOnly" in table.rows()[0]["value"]
    received: Received = server.last
    assert received.headers["X-Shop"] == "a"


HTML = {"Content-Type": "text/html; charset=utf-8"}
NOT_TABLES = [
    (Response(body=b"<html>\n<form>\n</html>", headers=HTML), "text/html"),
    (Response(200, {"message": "internal error"}), "application/json"),
    # A page without a content type, or as plain text.
    (Response(body=b"<html>\n<form>\n</html>"), "no content type"),
    (Response(body=b"please,log in", headers={"Content-Type": "text/plain"}), "'please,log in'"),
    # A page that begins with the name of a column.
    (Response(body=b"value\n</html>", headers=HTML), "is not CSV"),
    # A page, JSON and an archive that claim to be CSV.
    (Response(body=b"\xef\xbb\xbf\n <!doctype html>\n<form>", headers=TYPE), "doctype html"),
    (Response(body=b'{"message": "internal error"}', headers=TYPE), "internal error"),
    (Response(body=b"[]", headers=TYPE), "names none of the columns"),
    (Response(body=b"PK\x03\x04\x14\x00", headers=TYPE), "names none of the columns"),
]
USES = ("rows", "to_pandas", "to_polars", "record_batches", "save", "columns", "__enter__")


@pytest.mark.parametrize(("response", "message"), NOT_TABLES)
@pytest.mark.parametrize("use", USES)
def test_a_response_that_is_not_a_table_is_an_error(
    server: RecordingServer,
    management: ManagementApi,
    tmp_path: Path,
    response: Response,
    message: str,
    use: str,
) -> None:
    server.default = response
    table = management.table(management.export_coupons, 3)
    uses: dict[str, Callable[[], object]] = {
        "save": lambda: table.save(tmp_path / "a.csv"),
        "columns": lambda: table.columns,
    }
    with pytest.raises(InvalidResponseError, match=message) as caught:
        (uses.get(use) or getattr(table, use))()
    assert caught.value.operation_id == "exportCoupons"
    assert caught.value.status == 200
    assert caught.value.raw_data
    assert list(tmp_path.iterdir()) == []


def test_a_page_in_the_place_of_a_table_is_refused_at_its_beginning(
    server: RecordingServer, management: ManagementApi
) -> None:
    # The rest never comes.
    body = b"<html>"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n"
    server.default = Response(raw=head + body, silent=True)
    with pytest.raises(InvalidResponseError, match="is not CSV"):
        management.table(management.export_coupons, 3, _request_timeout=5).rows()


@pytest.mark.asyncio
@pytest.mark.parametrize(("response", "message"), NOT_TABLES)
async def test_a_response_that_is_not_a_table_is_an_error_with_asyncio(
    server: RecordingServer,
    awaited: talon_one.aio.ManagementApi,
    tmp_path: Path,
    response: Response,
    message: str,
) -> None:
    server.default = response
    with pytest.raises(InvalidResponseError, match=message):
        await awaited.table(awaited.export_coupons, 3).rows()
    with pytest.raises(InvalidResponseError, match=message):
        await awaited.table(awaited.export_coupons, 3).save(tmp_path / "a.csv")
    with pytest.raises(InvalidResponseError, match=message):
        await anext(awaited.table(awaited.export_coupons, 3).record_batches())
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_unknown_columns_is_accepted_if_it_is_declared_as_csv(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.script(Response(body=b"brand_new\n1\n", headers=TYPE))
    assert management.table(management.export_coupons, 3).rows() == [{"brand_new": "1"}]
    server.script(Response(body=b"", headers=HTML))
    assert management.table(management.export_coupons, 3).rows() == []


@pytest.mark.parametrize("pace", [None, 0.0], ids=["large pieces", "byte by byte"])
def test_the_header_may_arrive_in_several_pieces(
    server: RecordingServer, management: ManagementApi, tmp_path: Path, pace: float | None
) -> None:
    # Longer than one read from the socket.
    long = "".join(f"{number:05}" for number in range(30_000)) if pace is None else "long"
    body = f"value,{long}\r\nA-1,1\r\n".encode()
    server.default = Response(body=body, headers=TYPE, pace=pace)
    for columns_first in (True, False):
        with management.table(management.export_coupons, 3) as table:
            if columns_first:
                assert table.columns == ("value", long)
            assert table.rows() == [{"value": "A-1", long: "1"}]
        table = management.table(management.export_coupons, 3)
        assert table.save(tmp_path / "a.csv") == len(body)
        assert (tmp_path / "a.csv").read_bytes() == body


@pytest.mark.asyncio
async def test_the_header_may_arrive_in_several_pieces_with_asyncio(
    server: RecordingServer, awaited: talon_one.aio.ManagementApi
) -> None:
    long = "".join(f"{number:05}" for number in range(30_000))
    server.default = Response(body=f"value,{long}\r\nA-1,1\r\n".encode(), headers=TYPE)
    async with awaited.table(awaited.export_coupons, 3) as table:
        assert table.columns == ("value", long)
        assert [row async for row in table] == [{"value": "A-1", long: "1"}]


def test_half_a_character_at_the_end_of_a_file_is_kept(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.default = Response(body=b"value\r\nA-1\r\nB\xc3", headers=TYPE)
    values = [row["value"] for row in management.table(management.export_coupons, 3)]
    assert values == ["A-1", "B\\xc3"]


def test_reading_the_columns_uses_nothing_up(
    server: RecordingServer, management: ManagementApi, tmp_path: Path
) -> None:
    server.default = Response(body=CSV, headers=TYPE)
    for use in ("rows", "to_pandas", "to_polars"):
        table = management.table(management.export_coupons, 3)
        assert table.columns == ("value", "limitval", "attributes")
        assert len(getattr(table, use)()) == 2
    with management.table(management.export_coupons, 3) as table:
        assert table.columns
        assert table.save(tmp_path / "a.csv") == len(CSV)
    assert (tmp_path / "a.csv").read_bytes() == CSV
    assert server.connections == 1


def test_a_quote_that_is_never_closed_is_logged(
    server: RecordingServer, management: ManagementApi, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(Response(body=b'value,id\nA-1,1\n"B-2,2\nC-3,3\n', headers=TYPE))
    assert len(management.table(management.export_coupons, 3).rows()) == 2
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("talon_one.tables", "WARNING")
    assert record.getMessage().startswith("line 3 opens a quote that is never closed")


def test_a_row_of_a_thousand_lines_is_logged_once(
    server: RecordingServer, management: ManagementApi, caplog: pytest.LogCaptureFixture
) -> None:
    long = b'"' + b"x,1\n" * 1001 + b'",1\n'
    server.script(Response(body=b"value,id\n" + long * 2, headers=TYPE))
    assert len(management.table(management.export_coupons, 3).rows()) == 2
    (record,) = caplog.records
    assert "one row spans lines 2 to 1003" in record.getMessage()


@pytest.mark.asyncio
async def test_a_table_is_read_once_with_asyncio(
    server: RecordingServer, awaited: talon_one.aio.ManagementApi, tmp_path: Path
) -> None:
    server.default = Response(body=CSV)
    before = len(server.requests)
    table = awaited.table(awaited.export_coupons, 3)
    assert not table.columns
    assert await table.rows() == ROWS
    assert list(table.columns) == ["value", "limitval", "attributes"]
    for again in (table.rows, table.to_pandas, lambda: table.save(tmp_path / "x.csv")):
        with pytest.raises(ApiValueError, match="exportCoupons was used already; make a new one"):
            await again()
    assert len(server.requests) == before + 1
    assert list(tmp_path.iterdir()) == []
