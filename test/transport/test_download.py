"""Downloads: responses that are read in chunks, blocking and with asyncio."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import talon_one
from support.calls import KEYS
from support.platforms import needs_posix_files
from support.server import HANG_UP, RecordingServer, Response
from talon_one import (
    ApiException,
    ApiTypeError,
    NoResponseError,
    NotFoundException,
    ReadTimeoutError,
    aio,
)
from talon_one._http.download import Lines, SavedFile

CSV = b"\xef\xbb\xbfid,value\r\n1,\xc3\xa4\r\n2,b"
LINES = ["id,value", "1,ä", "2,b"]


class Blocking:
    """Downloads an export with the blocking client."""

    def __call__(self, url: str, use: str, *args: Any, **settings: Any) -> Any:
        configuration = talon_one.Configuration(host=url, api_key=KEYS)
        configuration.retries = talon_one.RetryPolicy(backoff=0)
        with (
            talon_one.ManagementApi(talon_one.ApiClient(configuration)) as api,
            api.stream(api.export_coupons, 1, **settings) as download,
        ):
            found = getattr(download, use)(*args)
            return list(found) if isinstance(found, Iterator) else found


class Asyncio:
    """The same with the asyncio client."""

    def __call__(self, url: str, use: str, *args: Any, **settings: Any) -> Any:
        async def run() -> Any:
            configuration = talon_one.Configuration(host=url, api_key=KEYS)
            configuration.retries = talon_one.RetryPolicy(backoff=0)
            async with (
                aio.ManagementApi(aio.ApiClient(configuration)) as api,
                api.stream(api.export_coupons, 1, **settings) as download,
            ):
                found = getattr(download, use)(*args)
                return (
                    [each async for each in found] if hasattr(found, "__aiter__") else await found
                )

        return asyncio.run(run())


@pytest.fixture(params=[Blocking(), Asyncio()], ids=["blocking", "asyncio"])
def download(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer(default=csv()) as running:
        yield running


def csv(body: bytes = CSV, **settings: Any) -> Response:
    return Response(body=body, headers={"Content-Type": "application/csv"}, **settings)


def truncated(body: bytes = CSV) -> Response:
    whole = csv(body + b"more").encoded("GET")
    return Response(raw=whole.removesuffix(b"more"))


def test_a_download_is_read_line_by_line(server: RecordingServer, download: Any) -> None:
    assert download(server.url, "lines") == LINES
    assert server.last.path == "/v1/applications/1/export_coupons"


def test_a_download_is_read_piece_by_piece_however_it_comes(
    server: RecordingServer, download: Any
) -> None:
    server.script(csv(pace=0.001))
    pieces = download(server.url, "chunks")
    assert len(pieces) > 1
    assert b"".join(pieces) == CSV
    assert download(server.url, "read") == CSV


def test_a_download_is_saved_with_its_progress(
    server: RecordingServer, download: Any, tmp_path: Path
) -> None:
    body = bytes(range(256)) * 4096
    server.script(csv(body))
    reports: list[tuple[int, int | None]] = []
    path = tmp_path / "coupons.csv"
    path.write_text("old")
    assert download(server.url, "save", path, lambda *each: reports.append(each)) == len(body)
    assert path.read_bytes() == body
    assert [size for size, _ in reports] == sorted(size for size, _ in reports)
    assert reports[-1] == (len(body), len(body))
    assert {total for _, total in reports} == {len(body)}
    assert list(tmp_path.iterdir()) == [path]
    # As any file that the program makes, not as a temporary one.
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_a_broken_download_leaves_no_file_and_keeps_the_old_one(
    server: RecordingServer, download: Any, tmp_path: Path
) -> None:
    server.default = truncated()
    path = tmp_path / "coupons.csv"
    path.write_text("old")
    with pytest.raises(NoResponseError, match="the response broke off") as caught:
        download(server.url, "save", path)
    assert caught.value.operation_id == "exportCoupons"
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    # Part of it had been handed over, so that it was not asked for again.
    assert len(server.requests) == 1


def test_a_download_that_does_not_begin_is_retried(server: RecordingServer, download: Any) -> None:
    server.script(HANG_UP, Response(503))
    assert download(server.url, "lines") == LINES
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [200, 206, 299])
def test_any_success_can_be_downloaded(server: RecordingServer, download: Any, status: int) -> None:
    server.script(Response(status, CSV))
    assert download(server.url, "read") == CSV


@pytest.mark.parametrize("status", [300, 304, 600])
def test_a_response_that_is_no_success_cannot_be_downloaded(
    server: RecordingServer, download: Any, status: int
) -> None:
    server.script(Response(status, b"" if status == 304 else CSV))
    with pytest.raises(ApiException) as caught:
        download(server.url, "read")
    assert caught.value.status == status


def test_a_refusal_is_raised_with_its_body_when_the_download_is_opened(
    server: RecordingServer, download: Any
) -> None:
    server.script(Response(404, {"message": "no such Application"}))
    with pytest.raises(NotFoundException) as caught:
        download(server.url, "lines")
    assert caught.value.message == "no such Application"


@pytest.mark.parametrize("deadline", [0.05, 0.5], ids=["in the headers", "in the body"])
def test_the_deadline_holds_while_the_response_trickles(
    server: RecordingServer, download: Any, deadline: float
) -> None:
    server.script(csv(b"x" * 10_000, pace=0.001))
    with pytest.raises(ReadTimeoutError, match="the deadline has passed"):
        download(server.url, "read", _deadline=deadline)


def test_a_packed_download_is_unpacked(server: RecordingServer, download: Any) -> None:
    import gzip

    packed = gzip.compress(CSV)
    server.script(Response(body=packed, headers={"Content-Encoding": "gzip"}))
    assert download(server.url, "lines") == LINES


def test_bad_arguments_raise_before_anything_is_sent(
    server: RecordingServer, download: Any
) -> None:
    with pytest.raises(ApiTypeError, match="colour"):
        download(server.url, "read", colour="red")
    assert server.requests == []


def test_a_large_download_does_not_fill_the_memory(
    server: RecordingServer, download: Any, tmp_path: Path
) -> None:
    size = 32 * 2**20
    server.script(csv(bytes(size)))
    tracemalloc.start()
    try:
        # What the server holds is there already.
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        assert download(server.url, "save", tmp_path / "large") == size
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The server, in the same process, makes its response of one piece.
    assert peak - before < size + 8 * 2**20


def test_the_connection_serves_the_next_call_unless_the_body_was_left_unread(
    server: RecordingServer,
) -> None:
    with talon_one.ManagementApi(host=server.url, api_key="k") as api:
        for _ in range(3):
            with api.stream(api.export_coupons, 1) as download:
                download.read()
        assert server.connections == 1
        server.script(csv(bytes(2**20)))
        with api.stream(api.export_coupons, 1) as download:
            next(download.chunks())
        with api.stream(api.export_coupons, 1) as download:
            assert download.read() == CSV
    assert server.connections == 2


def test_a_download_is_used_in_a_with_block(server: RecordingServer) -> None:
    with talon_one.ManagementApi(host=server.url, api_key="k") as api:
        download = api.stream(api.export_coupons, 1)
        assert repr(download) == "<Download exportCoupons>"
        with pytest.raises(ApiTypeError, match="opened by a with block"):
            download.read()
        assert server.requests == []
        # Each block makes the call again.
        for _ in range(2):
            with download:
                assert (download.status_code, download.total) == (200, len(CSV))
                assert download.headers["content-type"] == "application/csv"
                assert download.read() == CSV
        with pytest.raises(ApiTypeError, match="a method of an API"):
            api.stream(print, 1)


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\ufeff")).flatmap(
        lambda word: st.lists(st.sampled_from([word, "\n", "\r\n", "a,b"]))
    ),
    st.integers(1, 5),
)
def test_lines_do_not_depend_on_where_the_pieces_end(words: list[str], size: int) -> None:
    text = "".join(words)
    data = text.encode()
    lines = Lines()
    found = [
        line for at in range(0, len(data), size) for line in lines.feed(data[at : at + size])
    ] + lines.end()
    expected = [line.removesuffix("\r") for line in text.split("\n")]
    assert found == (expected if expected[-1] else expected[:-1])


def test_bytes_that_are_no_text_are_kept() -> None:
    lines = Lines()
    (line,) = lines.feed(b"a\xff\n")
    assert line.encode("utf-8", "surrogateescape") == b"a\xff"


@pytest.mark.parametrize("end", [b"\xc3", b"a\xe2\x82"])
def test_half_a_character_at_the_end_is_kept(end: bytes) -> None:
    lines = Lines()
    assert lines.feed(end) == []
    (line,) = lines.end()
    assert line.encode("utf-8", "surrogateescape") == end


def test_a_body_is_read_once(server: RecordingServer, tmp_path: Path) -> None:
    path = tmp_path / "coupons.csv"
    path.write_text("good")
    with (
        talon_one.ManagementApi(host=server.url, api_key="k") as api,
        api.stream(api.export_coupons, 1) as download,
    ):
        assert download.read() == CSV
        for again in (download.read, lambda: list(download.lines()), lambda: download.save(path)):
            with pytest.raises(ApiTypeError, match="body of this exportCoupons can be read once"):
                again()
    assert path.read_text() == "good"
    assert list(tmp_path.iterdir()) == [path]


def test_a_body_is_read_once_with_asyncio_too(server: RecordingServer) -> None:
    async def read_twice() -> None:
        async with (
            aio.ManagementApi(host=server.url, api_key="k") as api,
            api.stream(api.export_coupons, 1) as download,
        ):
            assert await download.read() == CSV
            with pytest.raises(ApiTypeError, match="body of this exportCoupons can be read once"):
                await download.read()

    asyncio.run(read_twice())


def test_a_path_that_cannot_be_written_is_named_as_it_was_given(
    server: RecordingServer, download: Any, tmp_path: Path
) -> None:
    missing = tmp_path / "missing" / "a.csv"
    with pytest.raises(FileNotFoundError) as caught:
        download(server.url, "save", missing)
    assert caught.value.filename == str(missing)
    with pytest.raises(IsADirectoryError) as directory:
        download(server.url, "save", tmp_path)
    assert directory.value.filename == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_behind_when_the_file_cannot_take_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    file = SavedFile(path, None, None).__enter__()
    file.write(b"x")
    path.mkdir()
    with pytest.raises(OSError, match=r"a\.csv'$") as caught:
        file.__exit__(None, None, None)
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == [path]


@needs_posix_files
def test_nothing_is_left_behind_when_the_disk_is_full(tmp_path: Path) -> None:
    program = """
import resource, signal, sys
from talon_one._http.download import SavedFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    with SavedFile(sys.argv[1], None, None) as file:
        file.write(b"x" * int(sys.argv[2]))
except OSError as error:
    print(error.filename)
"""
    path = tmp_path / "a.csv"
    # What is short is written when the file is closed.
    for size in ("100", "1000000"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(path), size],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == str(path)
        assert list(tmp_path.iterdir()) == []


def test_a_deadline_bounds_the_wait_for_each_piece_of_a_download(server: RecordingServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 9\r\n\r\n"
    server.default = Response(raw=head + b"id", silent=True)
    with talon_one.ManagementApi(host=server.url, api_key="k") as api:
        began = time.monotonic()
        with (
            pytest.raises(ReadTimeoutError, match="the deadline has passed"),
            api.stream(api.export_coupons, 1, _deadline=0.2) as file,
        ):
            file.read()
        assert time.monotonic() - began < 10


@needs_posix_files
def test_what_is_no_regular_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    # Devices such as /dev/null are of the same kind; replacing one would harm the whole machine.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with SavedFile(pipe, None, None) as file:
            file.write(b"value")
        assert os.read(reader, 100) == b"value"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


@needs_posix_files
def test_a_link_stays_a_link_to_the_new_content(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    link = tmp_path / "coupons.csv"
    for target in (folder / "old.csv", folder / "new.csv"):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        with SavedFile(link, None, None) as file:
            file.write(b"value")
        assert link.is_symlink()
        assert target.read_bytes() == b"value"
    assert {path.name for path in folder.iterdir()} == {"old.csv", "new.csv"}
