"""Uploads: read while they are sent, sent again if possible, and never sent in part."""

from __future__ import annotations

import asyncio
import builtins
import io
import logging
import os
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st

from support.calls import KEYS, make_client
from support.network import closed_port
from support.platforms import needs_posix_files
from support.server import SILENCE, Received, RecordingServer, Response
from support.spec import OPERATIONS
from talon_one import (
    ApiClient,
    ApiException,
    ApiTypeError,
    ApiValueError,
    CallEvent,
    Configuration,
    ConfigurationError,
    Coupon,
    Hooks,
    ManagementApi,
    NoResponseError,
    NotSentError,
    ReadTimeoutError,
    RetryPolicy,
    TooManyRequestsException,
    aio,
)
from talon_one._core.operation import Operation, Upload
from talon_one._core.options import CallOptions
from talon_one._core.request import build
from talon_one._core.upload import UploadBody

CSV = "value\nÄ-1\r\n".encode()
LARGE = bytes(range(256)) * 1024
BUSY = Response(429, {"message": "slow down"})
PIECE = 2**16


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def client(server: RecordingServer) -> Iterator[ApiClient]:
    with make_client(server.url, []) as made:
        yield made


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Files that uploads have opened."""
    files = []

    def note(*args: Any) -> Any:
        files.append(builtins.open(*args))  # noqa: SIM115  because that is for the upload to do
        return files[-1]

    monkeypatch.setattr("talon_one._core.upload.open", note, raising=False)
    return files


def upload(client: ApiClient, file: Any, **settings: Any) -> Any:
    return ManagementApi(client).import_coupons(1, 2, file, **settings)


def part_of(kind: str, body: bytes) -> Message:
    form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    parts = form.get_payload()
    assert isinstance(parts, list)
    (part,) = parts
    assert isinstance(part, Message)
    assert part.defects == form.defects == []
    return part


def content(received: Received) -> Any:
    """Return the file that was received, which must be all that the form has."""
    return part_of(received.headers["Content-Type"], received.body).get_payload(decode=True)


def rows(*given: Any) -> Iterator[Any]:
    """Yield what is given, and raise the exceptions among it."""
    for each in given:
        if isinstance(each, BaseException):
            raise each
        yield each


# -- The form ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arrives"),
    [
        ("coupons.csv", "coupons.csv"),
        ('"quoted".csv', "%22quoted%22.csv"),
        ("a\r\nX-Evil: 1\r\n\r\nb.csv", "a%0D%0AX-Evil: 1%0D%0A%0D%0Ab.csv"),
        ("ends with \\", "ends with %5C"),
        ("nul\x00 and bell\x07", "nul%00 and bell%07"),
        ("a; filename=b.csv", "a; filename=b.csv"),
        ("not Unicode \udcff.csv", "not Unicode ?.csv"),
        ("", ""),
    ],
)
def test_a_file_name_cannot_break_out_of_the_form(
    name: str, arrives: str, client: ApiClient, server: RecordingServer
) -> None:
    upload(client, (name, CSV))
    part = part_of(server.last.headers["Content-Type"], server.last.body)
    assert part.keys() == ["Content-Disposition", "Content-Type"]
    assert part.get_param("name", header="Content-Disposition") == "upFile"
    assert part.get_param("filename", header="Content-Disposition") == arrives
    assert content(server.last) == CSV


def test_a_file_name_is_sent_as_utf_8() -> None:
    body = b"".join(UploadBody("upFile", ("Füße 🎉.csv", CSV)))
    assert 'filename="Füße 🎉.csv"\r\n'.encode() in body


@given(st.lists(st.binary(max_size=40) | st.integers(0, 3 * PIECE).map(bytes), max_size=4))
@settings(max_examples=60)
def test_whatever_the_pieces_of_a_source_the_body_is_the_same_and_its_length_is_true(
    pieces: list[bytes],
) -> None:
    whole = b"".join(pieces)
    known, unknown = UploadBody("f", whole), UploadBody("f", (each for each in pieces))
    assert unknown.length is None
    for body in (known, UploadBody("f", io.BytesIO(whole)), UploadBody("f", pieces), unknown):
        sent = list(body)
        assert all(0 < len(each) <= 2 * PIECE for each in sent)
        assert body.length in (None, len(b"".join(sent)))
        assert part_of(body.content_type, b"".join(sent)).get_payload(decode=True) == whole
    assert b"".join(known) == b"".join(known)


@pytest.mark.parametrize(
    ("form", "has_length"),
    [
        ("path", True),
        ("bytearray", True),
        ("memoryview", True),
        ("open file", True),
        ("text file", False),
        ("list", False),
        ("generator", False),
        ("file without a position", False),
    ],
)
def test_a_known_length_is_sent(
    form: str, has_length: bool, tmp_path: Path, client: ApiClient, server: RecordingServer
) -> None:
    path = tmp_path / "coupons.csv"
    path.write_bytes(CSV)
    with path.open("rb") as binary, path.open(encoding="utf-8", newline="") as text:
        file = {
            "path": path,
            "bytearray": bytearray(CSV),
            "memoryview": memoryview(CSV),
            "open file": binary,
            "text file": text,
            "list": [CSV[:3], b"", CSV[3:]],
            "generator": rows(CSV[:3], b"", bytearray(CSV[3:])),
            "file without a position": OnlyRead(CSV),
        }[form]
        upload(client, file)
        assert not binary.closed
        assert not text.closed
    assert content(server.last) == CSV
    assert ("Content-Length" in server.last.headers) == has_length
    assert server.last.headers.get("Transfer-Encoding") == (None if has_length else "chunked")


class OnlyRead:
    """No more than what has to be there."""

    def __init__(self, content: bytes) -> None:
        self.left = content

    def read(self, size: int) -> bytes:
        piece, self.left = self.left[:size], self.left[size:]
        return piece


def test_a_text_file_is_encoded_in_utf_8_whatever_its_own_encoding(
    tmp_path: Path, client: ApiClient, server: RecordingServer
) -> None:
    path = tmp_path / "coupons.csv"
    path.write_text("Ä" * PIECE, encoding="utf-16")
    with path.open(encoding="utf-16") as text:
        upload(client, text)
    assert content(server.last).decode() == "Ä" * PIECE


@needs_posix_files
def test_a_named_pipe_is_read_once(
    tmp_path: Path, client: ApiClient, server: RecordingServer, opened: list[Any]
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(LARGE,))
    writer.start()
    server.script(BUSY)
    with pytest.raises(TooManyRequestsException):
        upload(client, path)
    writer.join()
    assert content(server.last) == LARGE
    assert [file.closed for file in opened] == [True]


@pytest.mark.parametrize("known", [True, False])
def test_memory_does_not_grow_with_the_file(known: bool, tmp_path: Path) -> None:
    size = 64 * 2**20
    path = tmp_path / "sparse.csv"
    with path.open("wb") as file:
        file.truncate(size)
    line = b"0" * 1000
    source: Any = path if known else (line for _ in range(size // len(line)))
    with Drain() as drain, make_client(drain.url) as client:
        upload(client, b"first")  # What the first call loads does not count.
        tracemalloc.start()
        try:
            upload(client, source)
            assert tracemalloc.get_traced_memory()[1] < 3 * 2**20
        finally:
            tracemalloc.stop()
    assert drain.bytes > size - len(line)


class Drain:
    """A server that counts what it gets, and keeps nothing of it."""

    def __enter__(self) -> Drain:
        self.bytes = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        buffer = bytearray(PIECE)
        end = b""
        with connection:
            while size := connection.recv_into(buffer):
                self.bytes += size
                end = (end + buffer[:size])[-10:]
                if end.endswith((b"--\r\n", b"--\r\n\r\n0\r\n\r\n"[-10:])):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


# -- Retries -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["path", "bytes", "open file", "text file", "list"])
def test_a_source_that_can_be_read_again_is_sent_again_from_its_start(
    form: str, tmp_path: Path, client: ApiClient, server: RecordingServer, opened: list[Any]
) -> None:
    path = tmp_path / "coupons.csv"
    path.write_bytes(b"skip" + CSV)
    server.script(BUSY, BUSY)
    with path.open("rb") as binary, path.open(encoding="utf-8", newline="") as text:
        binary.seek(4)
        text.read(4)
        forms = {"bytes": CSV, "open file": binary, "text file": text, "list": [CSV]}
        upload(client, forms.get(form, path))
    expected = b"skip" + CSV if form == "path" else CSV
    assert [content(each) for each in server.requests] == [expected] * 3
    # Once to see whether it can be read, and once for each attempt.
    assert [file.closed for file in opened] == ([True] * 4 if form == "path" else [])


@pytest.mark.parametrize("file", [rows(CSV), OnlyRead(CSV)], ids=["generator", "no position"])
def test_a_consumed_source_is_not_sent_again(
    file: Any, client: ApiClient, server: RecordingServer
) -> None:
    server.script(BUSY)
    with pytest.raises(TooManyRequestsException) as caught:
        upload(client, file)
    assert caught.value.attempts == len(server.requests) == 1
    assert content(server.last) == CSV


def test_an_untouched_source_is_sent_when_the_server_is_back() -> None:
    with RecordingServer() as server, make_client(server.url) as client:
        server.stop()
        client.clock = client.clock._replace(sleep=lambda _: server.start())
        upload(client, rows(CSV))
        assert [content(each) for each in server.requests] == [CSV]


def test_a_generator_that_no_call_could_send_is_as_it_was() -> None:
    lines = rows(CSV)
    with (
        make_client(f"http://127.0.0.1:{closed_port()}", retries=0) as client,
        pytest.raises(NotSentError),
    ):
        upload(client, lines)
    assert list(lines) == [CSV]


@pytest.mark.parametrize("content", [b"", CSV * 2], ids=["shorter", "longer"])
def test_a_file_that_changes_between_two_attempts_ends_the_call_before_more_is_sent(
    content: bytes, tmp_path: Path, client: ApiClient, server: RecordingServer
) -> None:
    path = tmp_path / "coupons.csv"
    path.write_bytes(CSV)

    def change(_: Received) -> Response:
        path.write_bytes(content)
        return BUSY

    server.script(change)
    with pytest.raises(ApiValueError, match=f"had {len(CSV)} bytes, and now has {len(content)};"):
        upload(client, path)
    assert len(server.requests) == 1


def test_a_file_that_is_gone_before_the_second_attempt_ends_the_call(
    tmp_path: Path, client: ApiClient, server: RecordingServer
) -> None:
    path = tmp_path / "coupons.csv"
    path.write_bytes(CSV)

    def remove(_: Received) -> Response:
        path.unlink()
        return BUSY

    server.script(remove)
    with pytest.raises(ApiValueError, match=r"cannot read the file to upload: .*coupons\.csv"):
        upload(client, path)


# -- Files that fail ---------------------------------------------------------------------------


class Changing(io.BytesIO):
    """A file that is something else when it is read than when it was measured."""

    def __init__(self, measured: int, contains: bytes) -> None:
        super().__init__(bytes(measured))
        self.contains = contains

    def read(self, size: int | None = -1) -> bytes:
        if self.contains:
            self.truncate(0)
            self.seek(0)
            self.write(self.contains)
            self.seek(0)
            self.contains = b""
        return super().read(size)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (Changing(3 * PIECE, LARGE[: 2 * PIECE]), "now has 131072;"),
        (Changing(2 * PIECE, LARGE[: 3 * PIECE]), "now has more;"),
        (Changing(10, LARGE[:9]), "now has 9;"),
        (Changing(10, LARGE[:11]), "now has more;"),
    ],
    ids=["shorter", "longer", "a little shorter", "a little longer"],
)
def test_a_file_that_changes_while_it_is_sent_never_looks_complete(
    file: Changing, message: str, client: ApiClient, server: RecordingServer
) -> None:
    upload(client, CSV)
    with pytest.raises(ApiValueError, match=message):
        upload(client, file)
    connections = server.connections
    ManagementApi(client).get_application(1)
    assert server.connections == connections + 1
    # A part of a request is none.
    assert [each.method for each in server.requests] == ["POST", "GET"]


@pytest.mark.parametrize(
    "cause",
    [
        ValueError("the table is broken"),
        OSError(5, "Input/output error"),
        TimeoutError("the disk sleeps"),
        urllib3.exceptions.ProtocolError("the export broke off"),
        NoResponseError(None, "the export broke off"),
        ApiValueError("no more rows"),
        ZeroDivisionError(),
    ],
    ids=lambda cause: type(cause).__name__,
)
@pytest.mark.parametrize("before", [b"", LARGE], ids=["at the start", "in the middle"])
def test_an_error_in_a_source_is_not_a_failure_of_the_transport(
    before: bytes, cause: Exception, client: ApiClient, server: RecordingServer
) -> None:
    events: list[CallEvent] = []

    class Noting(Hooks):
        def on_error(self, event: CallEvent) -> None:
            events.append(event)

    client.configuration.hooks.append(Noting())
    with pytest.raises(ApiValueError, match=r"cannot read the file to upload: .") as caught:
        upload(client, rows(before, cause))
    assert caught.value.__cause__ is cause
    assert [event.failure for event in events] == [caught.value] * 2
    upload(client, CSV)
    # Chunks without an end are no request.
    assert [content(each) for each in server.requests] == [CSV]
    assert server.connections == 2


def test_ctrl_c_in_a_source_is_not_changed(client: ApiClient) -> None:
    with pytest.raises(KeyboardInterrupt):
        upload(client, rows(LARGE, KeyboardInterrupt()))


@pytest.mark.parametrize("piece", ["text", 1, None])
def test_an_iterable_of_anything_but_bytes_is_refused(piece: Any, client: ApiClient) -> None:
    kind = type(piece).__name__
    with pytest.raises(ApiTypeError, match=f"a file to upload consists of bytes, not {kind}"):
        upload(client, rows(b"a", piece, b"b"))


@pytest.mark.parametrize(
    "file", [{"a": b"b"}, Coupon.from_dict({"value": "a"}), 3], ids=["dict", "model", "int"]
)
def test_an_object_that_only_looks_like_a_file_is_refused_before_anything_is_sent(
    file: Any, client: ApiClient, server: RecordingServer
) -> None:
    with pytest.raises(ApiTypeError, match=f"iterable of bytes, not {type(file).__name__}"):
        upload(client, file)
    assert server.connections == 0


def test_files_that_cannot_be_read_are_refused_before_anything_is_sent(
    tmp_path: Path, client: ApiClient, server: RecordingServer
) -> None:
    used_up = rows(CSV)
    list(used_up)
    with (tmp_path / "written.csv").open("wb") as written:
        closed = io.BytesIO(CSV)
        closed.close()
        for file, message in [
            (tmp_path / "missing.csv", "No such file"),
            (str(tmp_path), "Is a directory"),
            ("nul\x00", "null"),
            (closed, "it is closed"),
            (written, "not open for reading"),
            (used_up, "has been used up"),
        ]:
            with pytest.raises(ApiValueError, match=message):
                upload(client, file)
    assert server.connections == 0


@needs_posix_files
def test_a_file_that_has_nothing_for_now_is_not_taken_to_be_at_its_end(client: ApiClient) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    message = "has nothing to read for now"
    with open(reader, "rb", buffering=0) as file, pytest.raises(ApiValueError, match=message):
        upload(client, file)
    os.close(writer)


def test_an_upload_that_broke_off_cannot_be_continued_by_mistake(
    client: ApiClient, server: RecordingServer
) -> None:
    ended = []

    def lines() -> Iterator[Any]:
        try:
            yield LARGE
            yield "text"
            yield CSV
        finally:
            ended.append(True)

    given = lines()
    with pytest.raises(ApiTypeError):
        upload(client, given)
    assert ended
    with pytest.raises(ApiValueError, match="the generator to upload has been used up already"):
        upload(client, given)


def test_a_file_is_closed_however_the_attempt_ends(
    tmp_path: Path, client: ApiClient, server: RecordingServer, opened: list[Any]
) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(LARGE * 64)
    # More than what buffers hold, to a server that hangs up without reading it.
    server.greet(Response(413, {"message": "too much"}))
    with pytest.raises(ApiException) as caught:
        upload(client, path)
    # The traceback is still there, and with it whatever the frames in it refer to.
    assert caught.value.__traceback__ is not None
    assert [file.closed for file in opened] == [True, True]


# -- Around it ---------------------------------------------------------------------------------


def test_an_upload_may_run_in_a_thread_of_the_client(
    tmp_path: Path, client: ApiClient, server: RecordingServer
) -> None:
    path = tmp_path / "coupons.csv"
    path.write_bytes(CSV)
    handles = [upload(client, file, async_req=True) for file in (path, rows(CSV))]
    for handle in handles:
        handle.get()
    assert [content(each) for each in server.requests] == [CSV] * 2


def test_a_body_is_described_in_logs_and_not_read_for_them(
    client: ApiClient, server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "talon_one")
    client.configuration.log_bodies = True
    upload(client, ("secret.csv", CSV))
    upload(client, (f"{each}".encode() for each in range(3)))
    length = server.requests[0].headers["Content-Length"]
    assert f"sent <UploadBody 'secret.csv', {length} bytes>," in caplog.text
    assert "sent <UploadBody 'upload.csv', unknown length>," in caplog.text
    assert content(server.last) == b"012"


def test_rows_of_an_export_can_be_imported_while_they_come(
    client: ApiClient, server: RecordingServer
) -> None:
    client.configuration.connection_pool_maxsize = 2
    # Each byte comes in good time, and only the deadline ends a response like that.
    trickling = Response(body={}, pace=0.2)
    server.script(Response(body=LARGE, headers={"Content-Type": "application/csv"}), trickling)
    export = ManagementApi(client).export_coupons_without_preload_content(1)
    with pytest.raises(ReadTimeoutError, match="the deadline has passed"):
        upload(client, export.stream(1000), _deadline=0.5, _request_timeout=20)
    # So the end of the export has not taken the deadline away from the import around it.
    assert content(server.last) == LARGE


def test_no_upload_needs_a_signature_and_one_that_did_would_be_refused() -> None:
    from talon_one.api import management_operations

    uploads = [
        each
        for each in vars(management_operations).values()
        if isinstance(each, Operation) and each.upload is not None
    ]
    assert len(uploads) == len([each for each in OPERATIONS if each.upload])
    assert not any("integration_auth" in each.security for each in uploads)
    operation = Operation(
        "import", "POST", "/i", upload=Upload("f", "f"), results={}, security=("integration_auth",)
    )
    configuration = Configuration(
        host="http://localhost", application_id=1, application_secret="ab"
    )
    with pytest.raises(ConfigurationError, match="an upload cannot be signed"):
        build(operation, configuration, {}, (CSV,), {}, CallOptions())


# -- What a shell with threads or asyncio builds on ---------------------------------------------


@needs_posix_files
def test_closing_does_not_wait_for_a_thread_that_reads(tmp_path: Path, opened: list[Any]) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    body = UploadBody("f", path)
    reading = iter(body)
    pieces: list[bytes] = []
    reader = threading.Thread(target=lambda: pieces.append(next(reading)))
    reader.start()
    with path.open("wb") as writer:  # Waits until the thread has opened it, too.
        body.close()
        writer.write(LARGE[:PIECE])
    reader.join()
    assert LARGE[:PIECE] in b"".join(pieces)
    assert [file.closed for file in opened] == [True]
    # Not the end of an iterator: that would make a part look like the whole.
    with pytest.raises(ApiValueError, match="given up before it was complete"):
        next(reading)


def test_a_read_that_an_attempt_left_behind_does_not_disturb_the_next() -> None:
    class Slow(io.BytesIO):
        entered = threading.Event()
        overlap = threading.Event()

        def read(self, size: int | None = -1) -> bytes:
            if self.entered.is_set():
                self.overlap.set()
            else:
                self.entered.set()
                # Time for the other thread to fail; only this test waits if all is well.
                self.overlap.wait(0.2)
                self.overlap.clear()
            return super().read(size)

    body = UploadBody("f", Slow(LARGE))
    reading = iter(body)
    behind = threading.Thread(target=next, args=(reading, b""))
    behind.start()
    Slow.entered.wait()
    body.close()
    sent = b"".join(body)
    behind.join()
    assert part_of(body.content_type, sent).get_payload(decode=True) == LARGE


def test_a_consumed_body_says_that_it_cannot_be_read_again() -> None:
    body = UploadBody("f", rows(CSV))
    for _ in range(2):  # Beginning is not consuming.
        iter(body)
        assert body.replayable
    list(body)
    assert not body.replayable
    with pytest.raises(ApiValueError, match=r"'upload\.csv' has been read already"):
        iter(body)


# -- The same with asyncio ---------------------------------------------------------------------


def await_all(host: str, *files: Any, **settings: Any) -> list[Any]:
    """Upload files one after another and return what came of each: a response or an exception."""

    async def run() -> list[Any]:
        configuration = Configuration(host=host, api_key=KEYS, retries=RetryPolicy(backoff=0))
        results: list[Any] = []
        async with aio.ApiClient(configuration) as client:
            for file in files:
                call = aio.ManagementApi(client).import_coupons(1, 2, file, **settings)
                results += await asyncio.gather(call, return_exceptions=True)
        return results

    return asyncio.run(run())


def test_asyncio_sends_the_same_bodies(
    tmp_path: Path, server: RecordingServer, opened: list[Any]
) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(LARGE)
    files = [path, LARGE, io.BytesIO(LARGE), io.StringIO(CSV.decode()), rows(LARGE, CSV)]
    assert not any(isinstance(each, Exception) for each in await_all(server.url, *files))
    expected = [LARGE] * 3 + [CSV, LARGE + CSV]
    assert [content(each) for each in server.requests] == expected
    lengths = ["Content-Length" in each.headers for each in server.requests]
    assert lengths == [True] * 3 + [False] * 2
    assert [file.closed for file in opened] == [True, True]


def test_asyncio_sends_a_readable_source_again(tmp_path: Path, server: RecordingServer) -> None:
    path = tmp_path / "coupons.csv"
    path.write_bytes(CSV)
    server.script(BUSY, {}, BUSY)
    first, second = await_all(server.url, path, rows(CSV))
    assert not isinstance(first, Exception)
    assert isinstance(second, TooManyRequestsException)
    assert [content(each) for each in server.requests] == [CSV] * 3


@pytest.mark.parametrize("raw", [False, True])
def test_an_error_in_a_source_is_not_a_failure_of_aiohttp(
    raw: bool, server: RecordingServer
) -> None:
    cause = OSError("unplugged")
    lines = rows(LARGE, cause)
    failure, refused, _ = await_all(server.url, lines, lines, CSV, _preload_content=not raw)
    assert isinstance(failure, ApiValueError)
    assert failure.__cause__ is cause
    assert "has been used up" in str(refused)
    assert [content(each) for each in server.requests] == [CSV]
    assert server.connections == 2


def test_asyncio_reports_a_file_that_changes_while_it_is_sent(server: RecordingServer) -> None:
    (failure,) = await_all(server.url, Changing(3 * PIECE, LARGE[: 2 * PIECE]))
    assert isinstance(failure, ApiValueError)
    assert "has changed since the call" in str(failure)
    assert server.requests == []


def test_the_event_loop_goes_on_while_a_source_is_read(server: RecordingServer) -> None:
    ticked = threading.Event()

    def slow() -> Iterator[bytes]:
        assert ticked.wait(20)
        yield CSV

    async def run() -> None:
        async with aio.ApiClient(Configuration(host=server.url, api_key=KEYS)) as client:
            call = aio.ManagementApi(client).import_coupons(1, 2, slow())
            waiting = asyncio.ensure_future(call)
            while not server.connections:
                await asyncio.sleep(0)
            ticked.set()
            await waiting

    asyncio.run(run())
    assert content(server.last) == CSV


def test_a_cancelled_upload_leaves_no_file_open(
    tmp_path: Path, server: RecordingServer, opened: list[Any]
) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(LARGE * 64)
    server.greet(SILENCE)  # It reads nothing, so that the file cannot be sent to its end.

    async def run() -> None:
        async with aio.ApiClient(Configuration(host=server.url, api_key=KEYS)) as client:
            call = aio.ManagementApi(client).import_coupons(1, 2, path)
            waiting = asyncio.ensure_future(call)
            while len(opened) < 2:
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(run())
    assert [file.closed for file in opened] == [True, True]
