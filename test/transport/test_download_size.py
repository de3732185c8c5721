"""The size of a download is known before it is read, or unknown."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from support.calls import KEYS
from support.server import RecordingServer, Response
from talon_one import ApiClient, Configuration, ManagementApi, aio

CSV = b"value\r\n" + b"SUMMER-10\r\n" * 50
TYPE = {"Content-Type": "application/csv"}
PACKED = gzip.compress(CSV)

Reports = list[tuple[int, int | None]]
Sized = Callable[[str, Path], tuple[int | None, Reports]]


def _blocking(url: str, path: Path) -> tuple[int | None, Reports]:
    reports: Reports = []
    with (
        ManagementApi(ApiClient(Configuration(host=url, api_key=KEYS))) as api,
        api.stream(api.export_coupons, 1) as download,
    ):
        total = download.total
        download.save(path, lambda *each: reports.append(each))
    return total, reports


def _asynchronous(url: str, path: Path) -> tuple[int | None, Reports]:
    async def run() -> tuple[int | None, Reports]:
        reports: Reports = []
        async with (
            aio.ManagementApi(aio.ApiClient(Configuration(host=url, api_key=KEYS))) as api,
            api.stream(api.export_coupons, 1) as download,
        ):
            total = download.total
            await download.save(path, lambda *each: reports.append(each))
        return total, reports

    return asyncio.run(run())


@pytest.mark.parametrize("sized", [_blocking, _asynchronous], ids=["blocking", "asyncio"])
@pytest.mark.parametrize(
    ("response", "total"),
    [
        (Response(200, CSV, TYPE), len(CSV)),
        # What the header counts are the bytes on the wire.
        (Response(200, PACKED, {**TYPE, "Content-Encoding": "gzip"}), None),
        (Response(raw=b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + CSV), None),
        (
            Response(
                raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + b"%x\r\n%b\r\n0\r\n\r\n" % (len(CSV), CSV)
            ),
            None,
        ),
    ],
    ids=["length", "packed", "until it is closed", "chunks"],
)
def test_the_size_is_that_of_the_body_where_the_server_says_it(
    sized: Sized, response: Response, total: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "coupons.csv"
    with RecordingServer(default=response) as server:
        found, reports = sized(server.url, path)
    assert found == total
    assert {each for _, each in reports} == {total}
    assert reports[-1][0] == len(CSV)
    assert path.read_bytes() == CSV
