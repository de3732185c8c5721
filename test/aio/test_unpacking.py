"""Large packed bodies are unpacked in a thread, small ones in the event loop."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from support.server import RecordingServer, Response
from talon_one import ReadTimeoutError, aio

pytestmark = pytest.mark.asyncio

LARGE = json.dumps({"customerSession": {"attributes": {"a": "x" * 2**22}}}).encode()
SMALL = json.dumps({"customerSession": {"integrationId": "1"}}).encode()
PACKS: dict[str, Any] = {"gzip": gzip.compress, "deflate": zlib.compress}

each_coding = pytest.mark.parametrize("coding", PACKS)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Those in which something is unpacked."""
    found: set[int] = set()
    unpack = zlib.decompressobj

    def noting(window: int) -> Any:
        found.add(threading.get_ident())
        return unpack(window)

    monkeypatch.setattr(zlib, "decompressobj", noting)
    return found


def packed(body: bytes, coding: str) -> Response:
    return Response(200, PACKS[coding](body), {"Content-Encoding": coding})


async def called(client: aio.ApiClient, **settings: Any) -> Any:
    return await aio.IntegrationApi(client).get_customer_session("1", **settings)


async def downloaded(client: aio.ApiClient, **settings: Any) -> bytes:
    api = aio.ManagementApi(client)
    async with api.stream(api.export_coupons, 1, **settings) as download:
        return await download.read()


@each_coding
async def test_a_large_response_is_unpacked_in_a_thread(
    server: RecordingServer, client: aio.ApiClient, threads: set[int], coding: str
) -> None:
    server.script(packed(LARGE, coding), packed(LARGE, coding))
    found = await called(client)
    assert json.dumps(found.to_wire()).encode() == LARGE
    assert await downloaded(client) == LARGE
    assert threads
    assert threading.get_ident() not in threads


async def test_a_small_response_is_not_worth_a_thread(
    server: RecordingServer, client: aio.ApiClient, threads: set[int]
) -> None:
    server.script(packed(SMALL, "gzip"))
    await called(client)
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("codings", ["gzip, gzip", "deflate, gzip"])
async def test_a_body_packed_several_times_is_unpacked_in_a_thread(
    server: RecordingServer, client: aio.ApiClient, threads: set[int], codings: str
) -> None:
    body = gzip.compress((gzip.compress if codings[0] == "g" else zlib.compress)(SMALL))
    server.script(Response(200, body, {"Content-Encoding": codings}))
    await called(client)
    assert threads
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("use", [called, downloaded])
async def test_a_deadline_holds_while_all_threads_are_busy(
    server: RecordingServer, client: aio.ApiClient, use: Callable[..., Awaitable[Any]]
) -> None:
    server.script(packed(LARGE, "gzip"))
    gate = threading.Event()
    busy = [asyncio.ensure_future(asyncio.to_thread(gate.wait, 10)) for _ in range(64)]
    with pytest.raises(ReadTimeoutError, match="the deadline has passed"):
        await asyncio.wait_for(use(client, _deadline=0.1), 0.8)
    gate.set()
    await asyncio.gather(*busy)
