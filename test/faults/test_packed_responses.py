"""Complete responses whose Content-Encoding is right, wrong, unknown, damaged or a bomb."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import urllib3

from support.calls import CHECKOUT, READ
from support.server import RecordingServer, Response
from support.shells import Shell
from talon_one import (
    ApiClient,
    InvalidResponseError,
    ManagementApi,
    ServiceException,
    UnauthorizedException,
    aio,
)

SESSION = {"customerSession": {"integrationId": "Käse"}, "effects": [{"effectType": "a"}] * 500}
BODY = json.dumps(SESSION, ensure_ascii=False).encode()
CSV = "id,value\n1,Käse\n".encode() * 200


def zipped(data: bytes) -> bytes:
    # Without the time of day, so that it is the same whenever it is made.
    return gzip.compress(data, mtime=0)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def members(data: bytes) -> bytes:
    return zipped(data[:99]) + zipped(data[99:])


def plain(data: bytes) -> bytes:
    return data


Pack = Callable[[bytes], bytes]

# Headers, and how bodies are made that can be read all the same.
READABLE: dict[str, tuple[str, Pack]] = {
    "gzip": ("gzip", zipped),
    "in capitals": ("GZIP", zipped),
    "by its old name": ("x-gzip", zipped),
    "of several members": ("gzip", members),
    "of members of one byte": ("gzip", lambda data: zipped(data[:1]) + zipped(data[1:])),
    "with padding behind it": ("gzip", lambda data: zipped(data) + b"\0" * 512),
    "with text behind it": ("gzip", lambda data: zipped(data) + b"\r\n"),
    "deflate": ("deflate", zlib.compress),
    "deflate without a header": ("deflate", raw_deflate),
    "packed twice": ("gzip, deflate", lambda data: zlib.compress(zipped(data))),
    "identity": ("identity", plain),
    "nothing": ("", plain),
    "identity and gzip": ("identity, gzip", zipped),
    "plain, called gzip": ("gzip", plain),
    "plain, called deflate": ("deflate", plain),
    "plain, called br": ("br", plain),
    "plain, called zstd": ("zstd", plain),
    "plain, called several": ("gzip, br", plain),
    "plain, called utf-8": ("utf-8", plain),
}


def damaged(data: bytes) -> bytes:
    return zipped(data)[:-8] + bytes(8)


# The same of bodies that cannot be read, and what is said of them.
UNREADABLE: dict[str, tuple[str, Pack, str]] = {
    "gzip that breaks off": ("gzip", lambda data: zipped(data)[:-20], "gzip ends in the"),
    "gzip without its checksum": ("gzip", lambda data: zipped(data)[:-8], "gzip ends in"),
    "a header alone": ("gzip", lambda data: zipped(data)[:10], "gzip ends in the middle"),
    "damaged": ("gzip", damaged, "gzip cannot be unpacked"),
    "no gzip": ("gzip", lambda _: b"\xff" * 99, "gzip cannot be unpacked"),
    "deflate that breaks off": (
        "deflate",
        lambda data: zlib.compress(data)[:-5],
        "deflate ends in the middle",
    ),
    "no deflate": ("deflate", lambda _: b"\xff" * 99, "deflate cannot be unpacked"),
    "packed once, called twice": ("gzip, gzip", zipped, "gzip cannot be unpacked"),
    "packed twice, called once": (
        "gzip",
        lambda data: zipped(zipped(data)),
        "not JSON",
    ),
    "packed without end": (", ".join(["gzip"] * 99), zipped, "packed 99 times"),
    "of an unknown kind": ("klingon", lambda _: b"\xff" * 99, "klingon is unknown"),
}

each_readable = pytest.mark.parametrize("kind", READABLE)
each_unreadable = pytest.mark.parametrize("kind", UNREADABLE)


@cache
def bomb() -> bytes:
    packer = zlib.compressobj(wbits=31)
    zeros = bytes(2**20)
    return b"".join([*(packer.compress(zeros) for _ in range(256)), packer.flush()])


@cache
def large_and_harmless() -> tuple[bytes, dict[str, bytes]]:
    """Return many rows, and the same packed, by how."""
    rows = b"".join(b"%d,%x\n" % (each, each * 2654435761 % 2**32) for each in range(200_000))
    return rows, {"gzip": zipped(rows), "deflate": zlib.compress(rows)}


def exported(shell: Shell, client: Any) -> Any:
    """Return an export, read as a whole."""
    return shell.api("ManagementApi", client).export_coupons(1)


def downloaded(shell: Shell, client: Any) -> bytes:
    """Return the same, read piece by piece."""
    if not shell.awaits:
        api = ManagementApi(client)
        with api.stream(api.export_coupons, 1) as download:
            return b"".join(download.chunks())

    async def download_it() -> bytes:
        api = aio.ManagementApi(client.client)
        async with api.stream(api.export_coupons, 1) as download:
            return b"".join([piece async for piece in download.chunks()])

    found: bytes = client.run(download_it())
    return found


@each_readable
def test_a_response_is_unpacked_or_taken_as_it_is(
    server: RecordingServer, client: ApiClient, shell: Shell, kind: str
) -> None:
    codings, pack = READABLE[kind]
    headers = {"Content-Encoding": codings}
    server.script(*(Response(200, pack(each), headers) for each in (BODY, CSV, CSV)))
    found = READ(client)
    assert found.to_wire() == SESSION
    assert exported(shell, client) == CSV.decode()
    assert downloaded(shell, client) == CSV
    assert server.connections == 1


@each_readable
def test_a_refusal_is_what_its_status_says(
    server: RecordingServer, client: ApiClient, kind: str
) -> None:
    codings, pack = READABLE[kind]
    body = pack(json.dumps({"message": "no such key"}).encode())
    server.script(Response(401, body, {"Content-Encoding": codings}))
    with pytest.raises(UnauthorizedException) as caught:
        READ(client)
    assert caught.value.message == "no such key"
    assert len(server.requests) == 1


@each_unreadable
def test_a_2xx_that_cannot_be_unpacked_is_raised_with_its_bytes_and_not_retried(
    server: RecordingServer, client: ApiClient, shell: Shell, kind: str
) -> None:
    codings, pack, said = UNREADABLE[kind]
    headers = {"Content-Encoding": codings}
    server.script(Response(200, pack(BODY), headers))
    with pytest.raises(InvalidResponseError, match=said) as caught:
        CHECKOUT(client)
    assert caught.value.status == 200
    if said != "not JSON":
        assert caught.value.raw_data == pack(BODY)
        for read in (exported, downloaded):
            server.script(Response(200, pack(CSV), headers))
            with pytest.raises(InvalidResponseError, match=said) as caught:
                read(shell, client)
            assert (caught.value.status, caught.value.operation_id) == (200, "exportCoupons")
        assert caught.value.raw_data
    READ(client)


@each_unreadable
def test_a_refusal_that_cannot_be_unpacked_is_what_its_status_says(
    server: RecordingServer, client: ApiClient, kind: str
) -> None:
    codings, pack, said = UNREADABLE[kind]
    server.script(Response(401, pack(b'{"message": "no"}' * 9), {"Content-Encoding": codings}))
    with pytest.raises(UnauthorizedException) as caught:
        READ(client)
    assert (caught.value.data, caught.value.message) == (None, None)
    if said != "not JSON":
        assert said in str(caught.value)
        assert caught.value.raw_data == pack(b'{"message": "no"}' * 9)
    assert len(server.requests) == 1


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_a_package_that_is_missing_is_named(
    server: RecordingServer, client: ApiClient, coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urllib3.HTTPResponse, "CONTENT_DECODERS", ["gzip", "deflate"])
    packed = b"\x28\xb5\x2f\xfd" * 9
    server.script(*(Response(each, packed, {"Content-Encoding": coding}) for each in (200, 401)))
    for kind in (InvalidResponseError, UnauthorizedException):
        with pytest.raises(kind, match=f"{coding} needs pip install urllib3") as caught:
            CHECKOUT(client)
        assert caught.value.raw_data == packed


def test_a_503_that_cannot_be_unpacked_is_retried(
    server: RecordingServer, client: ApiClient
) -> None:
    unreadable = Response(503, b"\xff" * 9, {"Content-Encoding": "gzip"})
    server.script(unreadable, unreadable, unreadable)
    with pytest.raises(ServiceException):
        CHECKOUT(client)
    assert len(server.requests) == 3


@pytest.mark.parametrize("codings", ["gzip", "deflate", "br", "klingon", "gzip, br"])
def test_an_empty_body_is_empty_however_it_is_packed(
    server: RecordingServer, client: ApiClient, shell: Shell, codings: str
) -> None:
    headers = {"Content-Encoding": codings}
    server.script(
        Response(204, b"", headers),
        Response(200, b"", headers),
        Response(200, b"", headers),
    )
    assert shell.api("ManagementApi", client).delete_campaign(3, 12) is None
    assert downloaded(shell, client) == b""
    with pytest.raises(InvalidResponseError, match="empty"):
        READ(client)


def test_a_response_that_unpacks_to_fill_the_memory_is_not_unpacked(
    server: RecordingServer, client: ApiClient, shell: Shell
) -> None:
    body = bomb()
    assert len(body) < 300_000
    for use in (CHECKOUT, lambda each: exported(shell, each), lambda each: downloaded(shell, each)):
        server.script(Response(200, body, {"Content-Encoding": "gzip"}))
        tracemalloc.start()
        try:
            # It was executed, and a retry would not be read either.
            with pytest.raises(InvalidResponseError, match="gzip unpacks to a multiple of its"):
                use(client)
            assert tracemalloc.get_traced_memory()[1] < 120 * 2**20
        finally:
            tracemalloc.stop()
    assert len(server.requests) == 3
    server.script(Response(401, body, {"Content-Encoding": "gzip"}))
    with pytest.raises(UnauthorizedException):
        READ(client)


def test_a_large_harmless_body_is_unpacked(
    server: RecordingServer, client: ApiClient, shell: Shell
) -> None:
    rows, packed = large_and_harmless()
    for coding, body in packed.items():
        server.script(*[Response(200, body, {"Content-Encoding": coding})] * 2)
        assert exported(shell, client) == rows.decode()
        assert downloaded(shell, client) == rows


def test_a_truncated_packed_body_is_a_broken_response(
    server: RecordingServer, client: ApiClient
) -> None:
    body = zipped(BODY)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    server.script(Response(raw=head.encode() + body[:-9]))
    assert CHECKOUT(client).to_wire() == {}
    assert len(server.requests) == 2


@pytest.fixture(autouse=True)
def nothing_is_left(server: RecordingServer) -> Iterator[None]:
    yield
    assert not server._script
