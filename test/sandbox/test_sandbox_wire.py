"""What arrives is not always HTTP, not always whole, and not always small."""

from __future__ import annotations

import gzip
import json
import logging
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.raw import KEY, UPDATE, Wire, put
from support.every import for_every
from talon_one.sandbox import Sandbox

LIMIT = 5 * 1024 * 1024
CHUNKED = b"PUT /v2/customer_sessions/a HTTP/1.1\r\n" + KEY + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(b" " * 50_000_000)


def packed(encoding: str, body: bytes) -> bytes:
    """Return an update whose body has a Content-Encoding."""
    return put("a", body, f"Content-Encoding: {encoding}\r\n".encode())


def bare_deflate(body: bytes) -> bytes:
    """Return a body packed without the header that the specification demands."""
    return zlib.compress(body)[2:-4]


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    """A sandbox for the whole module."""
    with Sandbox() as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail if a refusal is logged as an error."""
    with caplog.at_level(logging.WARNING):
        yield
    assert caplog.text == ""


NOT_HTTP = {
    "no request line": (b"HELLO\r\n\r\n", 400),
    "an unknown version": (b"GET / HTTP/9.9\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "an unknown method": (b"BREW / HTTP/1.1\r\n\r\n", 400),
    "a header without a colon": (b"GET / HTTP/1.1\r\nnothing\r\n\r\n", 400),
    "a null in a header": (b"GET / HTTP/1.1\r\nX: a\x00b\r\n\r\n", 400),
    "a long header": (b"GET / HTTP/1.1\r\nX: " + b"a" * 33_000 + b"\r\n\r\n", 431),
    "a long path": (b"GET /" + b"a" * 66_000 + b" HTTP/1.1\r\n\r\n", 414),
    "a length in words": (put("a").replace(b"Length: 22", b"Length: ten"), 400),
    "a negative length": (put("a").replace(b"Length: 22", b"Length: -1"), 400),
    "two lengths": (put("a", headers=b"Content-Length: 1\r\n"), 400),
    "a length and chunks": (put("a", headers=b"Transfer-Encoding: chunked\r\n"), 400),
    "an unknown transfer encoding": (CHUNKED.replace(b"chunked", b"gzip") + b"x", 400),
    "a malformed chunk": (CHUNKED + b"zz\r\nabc\r\n", 400),
    "a chunk longer than its size": (CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n", 400),
    "a URL that is none": (b"GET http://[ HTTP/1.1\r\n" + KEY + b"\r\n", 400),
    "bytes in a path": (b"GET /\xff\xfe HTTP/1.1\r\n" + KEY + b"\r\n", 400),
    "an unknown expectation": (put("a", headers=b"Expect: tea\r\n"), 417),
    "an unknown encoding": (packed("br", UPDATE), 415),
    "two encodings": (packed("gzip, gzip", UPDATE), 415),
    "no gzip": (packed("gzip", UPDATE), 400),
    "half a gzip": (packed("gzip", gzip.compress(UPDATE)[:-9]), 400),
    "no deflate": (packed("deflate", b"\xff" * 9), 400),
    "more than deflate": (packed("deflate", zlib.compress(UPDATE) + b"x"), 400),
    "a gzip bomb": (packed("gzip", BOMB), 413),
    "a deflate bomb": (packed("deflate", zlib.compress(b" " * 50_000_000)), 413),
    "a long body": (put("a", b" " * (LIMIT + 1)), 413),
    "a body announced as long": (put("a").replace(b"Length: 22", b"Length: 99999999999"), 413),
    "long chunks": (CHUNKED + b"%x\r\n%s\r\n" % (LIMIT + 1, b" " * (LIMIT + 1)), 413),
}  # fmt: skip


@for_every("name", NOT_HTTP)
def test_what_is_refused_has_a_json_body(shop: Sandbox, name: str) -> None:
    data, expected = NOT_HTTP[name]
    with Wire(shop) as wire:
        status, body = wire.send(data).response()
    assert (status, body["StatusCode"], type(body["errors"])) == (expected, expected, list)


@for_every("late", [b"zz\r\nabc\r\n", b"3\r\nabcdef\r\n"], repr)
def test_a_chunk_that_is_malformed_when_its_request_is_waiting_ends_it(
    shop: Sandbox, late: bytes
) -> None:
    with Wire(shop) as wire:
        assert wire.send(put("a")).response()[0] == 200
        wire.send(CHUNKED + b"1\r\n{\r\n")
        # A response on another connection shows that the server has read that much.
        with Wire(shop) as other:
            assert other.send(put("b")).response()[0] == 200
        status, body = wire.send(late).response()
        assert (status, body["errors"][0]["title"]) == (400, "Malformed")
        assert wire.ended()


@for_every(
    "encoding, body",
    [
        ("gzip", gzip.compress(UPDATE)),
        ("X-GZIP", gzip.compress(UPDATE)),
        ("gzip", gzip.compress(UPDATE[:9]) + gzip.compress(UPDATE[9:])),
        ("deflate", zlib.compress(UPDATE)),
        ("deflate", bare_deflate(UPDATE)),
        ("identity", UPDATE),
    ],
)
def test_a_packed_body_is_unpacked(shop: Sandbox, encoding: str, body: bytes) -> None:
    with Wire(shop) as wire:
        assert wire.send(packed(encoding, body)).response()[0] == 200


def test_a_body_may_have_5_mb(shop: Sandbox) -> None:
    padded = UPDATE + b" " * (LIMIT - len(UPDATE))
    with Wire(shop) as wire:
        assert wire.send(put("a", padded)).response()[0] == 200
        assert wire.send(packed("gzip", gzip.compress(padded))).response()[0] == 200


def test_a_client_that_waits_for_100_continue_gets_it(shop: Sandbox) -> None:
    whole = put("a", headers=b"Expect: 100-continue\r\n")
    with Wire(shop) as wire:
        assert wire.send(whole[: -len(UPDATE)]).head() == (100, {})
        assert wire.send(UPDATE).response()[0] == 200
        assert wire.send(put("a")).response()[0] == 200


def test_a_client_that_waits_is_refused_before_it_sends_too_much(shop: Sandbox) -> None:
    asked = put("a", headers=b"Expect: 100-continue\r\n").replace(b"Length: 22", b"Length: 9999999")
    with Wire(shop) as wire:
        assert wire.send(asked[: -len(UPDATE)]).response()[0] == 413


def test_head_is_get_without_the_body(shop: Sandbox) -> None:
    get = b"GET /v2/customer_sessions/h HTTP/1.1\r\n" + KEY + b"\r\n"
    with Wire(shop) as wire:
        wire.send(put("h")).response()
        status, headers = wire.send(get.replace(b"GET", b"HEAD")).head()
        assert (status, int(headers["Content-Length"]) > 100) == (200, True)
        # The next response follows immediately.
        assert wire.send(get).response()[0] == 200


@for_every(
    "path, allowed",
    [
        ("/v2/customer_sessions/a", "GET, HEAD, OPTIONS, PUT"),
        ("/v1/events", "OPTIONS, POST"),
        ("*", "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
    ],
)
def test_options_names_the_methods(shop: Sandbox, path: str, allowed: str) -> None:
    with Wire(shop) as wire:
        status, headers = wire.send(f"OPTIONS {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).head()
    assert (status, headers["Allow"]) == (204, allowed)


def test_options_of_an_unknown_path_is_a_404(api: Any) -> None:
    assert api.send("OPTIONS", "/v9/nothing").status == 404


def test_requests_in_one_packet_have_responses_in_their_order(shop: Sandbox) -> None:
    body = b'{"customerSession":{},"responseContent":["customerSession"]}'
    with Wire(shop) as wire:
        wire.send(b"".join(put(f"p{number}", body) for number in range(40)))
        ids = [wire.response()[1]["customerSession"]["integrationId"] for _ in range(40)]
    assert ids == [f"p{number}" for number in range(40)]


def test_a_request_that_breaks_off_leaves_the_sandbox_alone(shop: Sandbox) -> None:
    whole = put("broken", headers=b"Expect: 100-continue\r\n")
    for length in range(0, len(whole), 7):
        with Wire(shop) as wire:
            wire.send(whole[:length])
    with Wire(shop) as wire:
        get = b"GET /v2/customer_sessions/broken HTTP/1.1\r\n" + KEY + b"\r\n"
        assert wire.send(get).response()[0] == 404


@for_every("protocol", [b"h2c", b"websocket", b"tea"], repr)
def test_a_request_to_switch_protocols_is_a_request(shop: Sandbox, protocol: bytes) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + b"\r\n"
    get = b"GET /v2/customer_sessions/u HTTP/1.1\r\n" + KEY + upgrade + b"\r\n"
    with Wire(shop) as wire:
        assert wire.send(put("u")).response()[0] == 200
        assert wire.send(get).response()[0] == 200
    with Wire(shop) as wire:
        # What follows is lost with the connection.
        assert wire.send(get + b"nothing\r\n\r\n").response()[0] == 200


def test_java_asks_for_http_2_with_its_first_update(shop: Sandbox) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n"
    with Wire(shop) as wire:
        assert wire.send(put("java", headers=upgrade)).response()[0] == 200
        assert wire.send(put("java")).response()[0] == 200


def test_at_most_100_errors_are_listed(api: Any) -> None:
    codes = [1] * 250
    reply = api.session(couponCodes=codes)
    assert reply.status == 400
    errors = reply.json["errors"]
    assert len(errors) == 100
    assert errors[99]["source"] == {"pointer": "/customerSession/couponCodes/99"}


@for_every(
    "body, pointer",
    [
        ({"attributes": {"a/b": [0] * 10_001}}, "/attributes/a~1b"),
        ({"attributes": {"a": [{"b": ["text"] * 10_001}]}}, "/attributes/a/0/b"),
        ([0] * 10_001, ""),
    ],
    lambda one: str(one[1]),
)
def test_a_list_has_at_most_10_000_entries(api: Any, body: Any, pointer: str) -> None:
    reply = api.send("PUT", "/v2/customer_profiles/p", body)
    assert reply.status == 400
    [error] = reply.json["errors"]
    assert (error["title"], error["source"]) == ("maxItems", {"pointer": pointer})
    assert error["details"] == "a list must have at most 10000 entries"


def test_a_list_of_10_000_entries_is_no_problem(api: Any) -> None:
    body = {"attributes": {"a": ["text"] * 10_000}}
    assert api.send("PUT", "/v2/customer_profiles/p", body).status == 200


@for_every("depth, status", [(100, 200), (101, 400), (900, 400), (50_000, 400)])
def test_values_are_nested_in_at_most_100_lists_and_objects(
    shop: Sandbox, depth: int, status: int
) -> None:
    # Three objects are around these lists.
    nested = b"[" * (depth - 3) + b"]" * (depth - 3)
    body = b'{"customerSession":{"attributes":{"a":' + nested + b"}}}"
    with Wire(shop) as wire:
        assert wire.send(put("deep", body)).response()[0] == status


def test_a_number_without_end_is_no_number(api: Any) -> None:
    body = json.dumps({"attributes": {"a": 10**301}}).encode()
    reply = api.send("PUT", "/v2/customer_profiles/p", body)
    assert (reply.status, reply.json["errors"][0]["title"]) == (400, "Malformed")
