"""Bytes that are hardly HTTP end in a result or in an exception of this package."""

from __future__ import annotations

import pytest

from support.calls import CHECKOUT, CREATE, READ
from support.server import RecordingServer, Response
from support.shells import Shell
from talon_one import ApiClient, ApiException, ManagementApi, aio

OK = b"HTTP/1.1 200 OK\r\n"
BODY = b'{"customerSession": {}}'
SIZED = b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def length(value: bytes) -> bytes:
    return OK + b"Content-Length: " + value + b"\r\n\r\n" + BODY


def header(line: bytes) -> bytes:
    return OK + line + b"\r\n" + SIZED


def status(value: bytes) -> bytes:
    return b"HTTP/1.1 " + value + b"\r\n" + SIZED


LENGTHS = [
    *(b"-1", b"+23", b"0x17", b"23.0", b"2 3", b"23, 23", b"23, 24", b"", b" ", b"\xb2", b"NaN"),
    *(str(2**each).encode() for each in (31, 32, 53, 63, 64, 128, 1024)),
    *(b"9" * each for each in (18, 19, 20, 400, 4300, 4301, 60_000)),
    *(
        b"0" * 5000 + b"23",
        b"23\x00",
        b"\xef\xbc\x92\xef\xbc\x93",
        b"1_0",
        b"23\r\nContent-Length: 5",
    ),
]
HEADERS = [
    *(b": value", b"", b"name", b"na me: value", b"name : value", b"na:me: value", b" name: value"),
    *(
        b"\tname: value",
        b"n\x00me: value",
        b"name: va\x00lue",
        b"name: \xff\xfe",
        b"n\xc3\xa4me: a",
    ),
    *(b"name: value\r\n folded", b"name:" + b"a" * 70_000, b"n" * 70_000 + b": a", b"a: b\rc: d"),
    *(b"\r\n".join(b"name-%d: value" % each for each in range(2000)), b"name: \x01\x1f\x7f"),
    *(b"Content-Type: \xff", b'Content-Type: a; charset="', b"Content-Type: ;;;=", b"Date: never"),
    *(
        b"Set-Cookie: \xff=\x01; expires=never",
        b"Location: http://[",
        b"Link: <",
        b"Retry-After: x",
    ),
    *(b"Connection: \xff", b"Connection: upgrade\r\nUpgrade: websocket", b"Keep-Alive: timeout=x"),
    *(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked, chunked", b"Trailer: \xff"),
    *(b"Content-Encoding: \xff", b"Content-Encoding: ,,,", b"Content-Encoding: " + b"gzip," * 9000),
]
STATUSES = [
    *(b"0 None", b"00 None", b"99 Low", b"099 Low", b"101 Switching Protocols", b"199 Odd"),
    *(b"204 No Content", b"205 Reset", b"206 Partial", b"299 Odd", b"300 Choices", b"304 Same"),
    *(b"399 Odd", b"407 Proxy", b"408 Late", b"426 Upgrade", b"499 Odd", b"599 Odd", b"600 High"),
    *(b"999 High", b"1000 High", b"2000", b"-200 OK", b"+200 OK", b"2e2 OK", b" 200 OK", b"200"),
    *(
        b"200\tOK",
        b"200 \xff\x00",
        b"\xb2\xb0\xb0 OK",
        b"OK",
        b"",
        b"9" * 5000,
        b"200 " + b"K" * 70_000,
    ),
]
CHUNKS = [
    *(
        b"x\r\n",
        b"-1\r\n",
        b"0x5\r\n",
        b"5 5\r\nhello\r\n0\r\n\r\n",
        b"\r\n",
        b"5\r\nhello0\r\n\r\n",
    ),
    *(
        b"f" * 16 + b"\r\n",
        b"f" * 17 + b"\r\n",
        b"f" * 5000 + b"\r\n",
        b"5\nhello\n0\n\n",
        b"\xb2\r\n",
    ),
    *(b"2\r\n{}\r\n0\r\nbad trailer\r\n\r\n", b"2;a=\xff\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n0\r\n"),
    *(b"2;" + b"a" * 70_000 + b"\r\n{}\r\n0\r\n\r\n", b"1_0\r\n", b"+2\r\n{}\r\n0\r\n\r\n", b"2"),
]
OTHERS = [
    *(
        b"\r\n",
        b"\0",
        b"\xff" * 9,
        b"HTTP/",
        b"HTTP/1.1",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/0.9 200\r\n",
    ),
    *(
        b"HTTP/2.0 200 OK\r\n" + SIZED,
        b"http/1.1 200 OK\r\n" + SIZED,
        b"HTTP/1.1  200 OK\r\n" + SIZED,
    ),
    *(b"\r\n\r\n" + OK + SIZED, b"\n" + OK + SIZED, OK.replace(b"\r\n", b"\n") + SIZED, b" " + OK),
    *(
        b"HTTP/\xb9.1 200 OK\r\n" + SIZED,
        b"HTTP/1.1.1 200 OK\r\n" + SIZED,
        b"ICY 200 OK\r\n" + SIZED,
    ),
    *(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"),
    *(b"a" * 200_000, b"HTTP/1.1 100 Continue\r\n\r\n", OK, OK + b"\r\n", OK + b"Content-Le"),
]

TABLE = {
    "lengths": [length(each) for each in LENGTHS],
    "headers": [header(each) for each in HEADERS],
    "statuses": [status(each) for each in STATUSES],
    "chunks": [CHUNKED + each for each in CHUNKS],
    "others": OTHERS,
}

each_kind = pytest.mark.parametrize("kind", TABLE)


def download(client: ApiClient, shell: Shell) -> object:
    if not shell.awaits:
        api = ManagementApi(client)
        with api.stream(api.export_coupons, 1) as opened:
            return (opened.total, opened.read())

    async def download_it() -> object:
        api = aio.ManagementApi(client.client)  # type: ignore[attr-defined]  # that of asyncio
        async with api.stream(api.export_coupons, 1) as opened:
            return (opened.total, await opened.read())

    return client.run(download_it())  # type: ignore[attr-defined]  # that of asyncio


@each_kind
def test_every_response_becomes_a_result_or_an_exception_of_this_package(
    server: RecordingServer, client: ApiClient, shell: Shell, kind: str
) -> None:
    foreign: dict[bytes, str] = {}
    for raw in TABLE[kind]:
        for use in (READ, CREATE, CHECKOUT, lambda each: download(each, shell)):
            server.script(*[Response(raw=raw)] * 3)
            try:
                use(client)
            except ApiException as failure:
                assert str(failure)  # noqa: PT017  that it can be shown
            except Exception as failure:
                foreign[raw[:60]] = repr(failure)
            server.clear()
    assert not foreign
    READ(client)


@pytest.mark.parametrize("kind", ["lengths", "chunks", "others"])
def test_a_keyed_update_survives_whatever_is_no_response(
    server: RecordingServer, client: ApiClient, kind: str
) -> None:
    """Most of these are a failed attempt, and the next one gets a response."""
    lost = 0
    for raw in TABLE[kind]:
        server.script(Response(raw=raw))
        try:
            CHECKOUT(client)
        except ApiException as failure:
            # What looks complete is not retried.
            lost += failure.status is None
        server.clear()
    assert not lost
