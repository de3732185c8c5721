"""Bodies of any size arrive unchanged, in both directions."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from support.calls import make_client
from support.every import for_every
from support.server import RecordingServer, Response
from talon_one import IntegrationApi, ManagementApi

pytestmark = pytest.mark.usefixtures("shell")

# Where something is divided into pieces: packets, buffers of sockets, and what is sent as one.
LIMITS = (2**10, 2**12, 2**14, 2**16, 2**17, 2**18, 2**20)
SIZES = sorted({limit + more for limit in LIMITS for more in (-1, 0, 1)} | {3 * 2**16 + 7})


def _text(size: int) -> str:
    """Return a text in which no part can stand for another."""
    return "".join(random.Random(size).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=size))


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@for_every("size", SIZES)
def test_json_of_any_size_arrives_as_it_was_sent(server: RecordingServer, size: int) -> None:
    body: dict[str, Any] = {"customerSession": {"attributes": {"text": ""}}}
    empty = len(json.dumps(body, separators=(",", ":")))
    body["customerSession"]["attributes"]["text"] = _text(size - empty)
    response = {"customerSession": {"attributes": {"text": _text(size)}}}
    server.script(response)
    with make_client(server.url) as client:
        state = IntegrationApi(client).update_customer_session_v2("a", body)
    assert len(server.last.body) == size
    assert server.last.json() == body
    assert state.to_wire() == response


@for_every("size", SIZES)
def test_files_of_any_size_arrive_as_they_were_sent(server: RecordingServer, size: int) -> None:
    content = _text(size).encode()
    server.script({"id": 1})
    with make_client(server.url) as client:
        ManagementApi(client).import_coupons(3, 12, content)
    _, _, rest = server.last.body.partition(b"\r\n\r\n")
    assert rest.startswith(content + b"\r\n--")
    assert int(server.last.headers["Content-Length"]) == len(server.last.body)
    server.script(Response(200, content, {"Content-Type": "application/csv"}))
    with make_client(server.url) as client:
        assert ManagementApi(client).export_coupons(3) == content.decode()
