"""Calls made in the middle of another call keep their own state."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from support.awaiting import ask, make_client
from support.echo import Echo
from support.server import HANG_UP, RESET, RecordingServer, Response
from talon_one import NoResponseError, aio
from talon_one.aio.connections import current_exchange

pytestmark = pytest.mark.asyncio

REFERRAL = {"campaignId": 12, "advocateProfileIntegrationId": "anna"}


def watch(client: aio.ApiClient, when: str) -> list[str]:
    """Have a client make a call of its own whenever it comes to a certain point of another."""
    made: list[str] = []
    trace = aiohttp.TraceConfig()

    async def call(*_: object) -> None:
        if not made:
            made.append(when)
            await ask(client, "7")

    getattr(trace, when).append(call)
    trace.freeze()
    (transport,) = client._transports.values()
    transport._session._trace_configs.append(trace)
    return made


@pytest.mark.parametrize("fault", [HANG_UP, RESET], ids=["hangs up", "resets"])
@pytest.mark.parametrize(
    "when",
    [
        "on_request_start",
        "on_connection_create_start",
        "on_connection_create_end",
        "on_connection_reuseconn",
        "on_request_headers_sent",
    ],
)
async def test_a_call_inside_another_does_not_take_its_place(
    server: RecordingServer, client: aio.ApiClient, when: str, fault: Response
) -> None:
    server.default = Echo()
    await ask(client, "1")
    if "create" in when:
        (transport,) = client._transports.values()
        for pooled in transport._connector._conns.values():
            for protocol, _ in pooled:
                protocol.close()
    made = watch(client, when)
    before = len(server.requests)
    server.default = lambda request: fault if request.method == "POST" else Echo()(request)
    with pytest.raises(NoResponseError) as caught:
        await aio.IntegrationApi(client).create_referral(REFERRAL)
    assert type(caught.value) is NoResponseError
    assert made
    assert sorted(each.method for each in server.requests[before:]) == ["GET", "POST"]


async def test_a_file_whose_rows_come_from_calls_of_the_same_client(
    server: RecordingServer, client: aio.ApiClient
) -> None:
    server.default = lambda request: Response(body={}) if request.body else Echo()(request)
    loop = asyncio.get_running_loop()

    def rows() -> Iterator[bytes]:
        yield b"value\n"
        for number in range(5):
            asyncio.run_coroutine_threadsafe(ask(client, str(number)), loop).result(10)
            yield b"%d\n" % number

    await aio.ManagementApi(client).import_coupons(1, 2, rows())
    assert [each.method for each in server.requests] == ["GET"] * 5 + ["POST"]

    server.script(*[Response(200, {"customerSession": {"integrationId": "0"}})], RESET)

    def lost_rows() -> Iterator[bytes]:
        yield b"value\n"
        asyncio.run_coroutine_threadsafe(ask(client, "0"), loop).result(10)

    before = len(server.requests)
    with pytest.raises(NoResponseError):
        await aio.ManagementApi(client).import_coupons(1, 2, lost_rows())
    assert len(server.requests) == before + 2


async def test_nothing_of_a_call_stays_with_its_task(server: RecordingServer) -> None:
    server.default = Echo()
    async with make_client(server.url) as client:
        await ask(client, "1")
        server.script(*[HANG_UP] * 3)
        with pytest.raises(NoResponseError):
            await ask(client, "1")
    nothing: Any = None
    assert current_exchange.get(nothing) is None
