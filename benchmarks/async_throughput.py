"""Throughput of an asyncio client that tasks share, in calls a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import perf_counter
from typing import TypeVar
from urllib.parse import quote

import aiohttp

from benchmarks import calls, server, throughput
from benchmarks.payloads import session_request
from benchmarks.timing import Measurement, interleaved

_BATCHES = 8

T = TypeVar("T")

Call = Callable[[], Awaitable[object]]


def against_aiohttp(tasks: int, rounds: int) -> Measurement:
    """Compare one client with one session of aiohttp, each with a connection for every task.

    Args:
        tasks: How many tasks make calls.
        rounds: Calls of each side, all tasks together; each task makes at least one per batch.
    """
    each = max(1, rounds // (_BATCHES * tasks))
    with server.running() as host, _Loop() as loop:
        ours = loop.enter(_ours(host, tasks))
        by_hand = loop.enter(_by_hand(host, tasks))

        def rate(call: Call) -> float:
            return loop.run(_rate(call, tasks, each))

        # The first calls open the connections.
        for call in (ours, by_hand):
            rate(call)
        return interleaved(lambda: rate(ours), lambda: rate(by_hand), min(_BATCHES, rounds))


def against_threads(concurrency: int, rounds: int) -> Measurement:
    """Compare tasks that share an asyncio client with threads that share a blocking one."""
    each = max(1, rounds // (_BATCHES * concurrency))
    with (
        server.running() as host,
        _Loop() as loop,
        calls.ours(host, connections=concurrency) as blocking,
        ThreadPoolExecutor(concurrency) as executor,
    ):
        call = loop.enter(_ours(host, concurrency))

        def of_tasks() -> float:
            return loop.run(_rate(call, concurrency, each))

        def of_threads() -> float:
            return throughput.rate(executor, concurrency, blocking, each)

        of_tasks()
        of_threads()
        return interleaved(of_tasks, of_threads, min(_BATCHES, rounds))


class _Loop:
    """An event loop, and the context managers that are open in it."""

    def __enter__(self) -> _Loop:
        self._loop = asyncio.new_event_loop()
        self._open: list[AbstractAsyncContextManager[Call]] = []
        return self

    def __exit__(self, *exc_info: object) -> None:
        for each in self._open:
            self.run(each.__aexit__(None, None, None))
        self._loop.close()

    def enter(self, opened: AbstractAsyncContextManager[Call]) -> Call:
        self._open.append(opened)
        return self.run(opened.__aenter__())

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        return self._loop.run_until_complete(coroutine)


@asynccontextmanager
async def _ours(host: str, connections: int) -> AsyncIterator[Call]:
    from talon_one import Configuration
    from talon_one.aio import ApiClient, IntegrationApi

    configuration = Configuration(host, {"api_key_v1": calls.API_KEY})
    configuration.connection_pool_maxsize = connections
    request = calls.request_of_models()
    async with ApiClient(configuration) as client:
        api = IntegrationApi(client)
        yield lambda: api.update_customer_session_v2(calls.SESSION_ID, request)


@asynccontextmanager
async def _by_hand(host: str, connections: int) -> AsyncIterator[Call]:
    plain = session_request()
    url = f"{host}/v2/customer_sessions/{quote(calls.SESSION_ID, safe='')}"
    # The package always has timeouts, so the yardstick must have them as well.
    timeout = aiohttp.ClientTimeout(None, connect=5, sock_read=30)
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def call() -> object:
            body = json.dumps(plain).encode()
            async with session.put(url, data=body, headers=calls.HEADERS) as response:
                if response.status != 200:
                    raise RuntimeError(response.status)
                return json.loads(await response.read())

        yield call


async def _rate(call: Call, tasks: int, each: int) -> float:
    """Return the calls a second of tasks that make *each* sequential calls."""

    async def work() -> None:
        for _ in range(each):
            await call()

    began = perf_counter()
    await asyncio.gather(*(work() for _ in range(tasks)))
    return tasks * each / (perf_counter() - began)
