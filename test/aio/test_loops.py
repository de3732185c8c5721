"""One client for many tasks, and for several event loops in turn or in parallel."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.awaiting import ask, make_client, until
from support.certificates import certificate_of, server_context
from support.echo import Echo
from support.server import HANG_UP, Received, RecordingServer, Response
from talon_one import aio

TASKS = 100
CALLS = 20


@pytest.fixture
def server() -> RecordingServer:
    """Not started; it echoes IDs."""
    return RecordingServer(default=Echo())


async def use(client: aio.ApiClient, *numbers: int) -> None:
    await asyncio.gather(*(ask(client, str(number)) for number in numbers))


def assert_hung_up(server: RecordingServer) -> None:
    """Wait until the server has no visitors."""

    async def wait() -> None:
        await until(lambda: not server._visitors)

    asyncio.run(wait())


@pytest.mark.asyncio
async def test_many_tasks_share_a_client_and_every_one_gets_its_own_response() -> None:
    echo = Echo(20)
    with RecordingServer(default=echo) as server:
        async with make_client(server.url, connection_pool_maxsize=12) as client:

            async def work(number: int) -> None:
                for call in range(CALLS):
                    # Each begins elsewhere, so that their faults do not coincide.
                    await ask(client, str(number * CALLS + (call + 7 * number) % CALLS))

            await asyncio.gather(*(work(number) for number in range(TASKS)))
        assert echo.failures == TASKS * CALLS // 20
        assert len(server.requests) == TASKS * CALLS + echo.failures
        # The server is late to notice those that the client closes because another one has failed.
        assert server.most_at_once <= 2 * 12
        assert server.connections <= 12 + 2 * echo.failures


@pytest.mark.asyncio
async def test_when_all_connections_break_together_every_call_is_retried() -> None:
    together = threading.Barrier(TASKS)
    echo = Echo()

    def response(request: Received) -> Response:
        together.wait(10)
        return echo(request)

    with RecordingServer(default=echo) as server:
        async with make_client(server.url) as client:
            server.script(*[response] * TASKS)
            await use(client, *range(TASKS))
            assert server.connections == TASKS
            server.script(*[HANG_UP] * TASKS)
            done = await aio.gather((ask(client, str(each)) for each in range(TASKS)), limit=TASKS)
        assert (len(done.results), done.failures) == (TASKS, {})


@pytest.mark.asyncio
async def test_a_pool_that_is_too_small_makes_tasks_wait_and_nothing_else(
    server: RecordingServer,
) -> None:
    with server:
        async with make_client(server.url, connection_pool_maxsize=1, retries=0) as client:
            await use(client, *range(100))
        assert server.connections == 1


@pytest.mark.asyncio
async def test_a_deadline_never_cuts_the_call_of_another_task(server: RecordingServer) -> None:
    with server:
        async with make_client(server.url, connection_pool_maxsize=4, retries=0) as client:
            api = aio.IntegrationApi(client)

            async def impatient(number: int) -> bool:
                try:
                    await api.get_customer_session("1", _deadline=0.0005 * (number % 20 + 1))
                except TimeoutError:
                    return True
                return False

            cut = 0
            for start in range(0, 200, 20):
                numbers = range(start, start + 20)
                done = await asyncio.gather(
                    *map(impatient, numbers), *(ask(client, str(each)) for each in numbers)
                )
                cut += done.count(True)
            assert cut


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_client_is_used_from_one_loop_after_the_other(secure: bool) -> None:
    tls = server_context() if secure else None
    with RecordingServer(tls, default=Echo()) as server:
        client = make_client(server.url, ca_cert_data=certificate_of("ours"))
        for loop in range(1, 4):
            asyncio.run(use(client, 1, 2))
            # Its connections have ended with it, and nothing else keeps it alive.
            assert_hung_up(server)
            assert len(server.requests) == 2 * loop
        gc.collect()
        assert len(client._transports) == 0
        asyncio.run(client.aclose())


def test_a_loop_made_by_hand_closes_the_connections_with_its_generators(
    server: RecordingServer,
) -> None:
    with server:
        client = make_client(server.url)
        for _ in range(2):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(use(client, 1, 2))
            # The same connection as long as the loop goes on.
            before = server.connections
            loop.run_until_complete(use(client, 3))
            assert server.connections == before
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
            assert_hung_up(server)


def test_loops_in_two_threads_use_a_client_at_the_same_time(server: RecordingServer) -> None:
    barrier = threading.Barrier(2)
    with server:
        client = make_client(server.url)

        def work(first: int) -> None:
            async def run() -> None:
                for number in range(first, first + 50):
                    barrier.wait()
                    await use(client, number, number + 1000)

            asyncio.run(run())

        with ThreadPoolExecutor(2) as executor:
            for done in [executor.submit(work, first) for first in (100, 200)]:
                done.result()
        assert_hung_up(server)
        assert len(server.requests) == 200


def test_closing_in_one_loop_leaves_the_calls_of_another_alone(server: RecordingServer) -> None:
    with server:
        client = make_client(server.url)

        async def run() -> None:
            await ask(client, "1")
            # A thread has a loop of its own.
            await asyncio.to_thread(asyncio.run, use(client, 2, 3))
            await ask(client, "4")
            await client.aclose()

        asyncio.run(run())
        assert_hung_up(server)
    assert [request.path[-1] for request in server.requests][0::3] == ["1", "4"]


def test_nothing_is_left_behind_by_a_client_that_is_forgotten(server: RecordingServer) -> None:
    before = threading.active_count()
    with server:

        async def run() -> None:
            await ask(make_client(server.url), "1")
            gc.collect()

        asyncio.run(run())
        gc.collect()
        assert_hung_up(server)
    assert threading.active_count() == before


def test_a_client_is_made_and_closed_without_a_loop_of_its_own(server: RecordingServer) -> None:
    client = make_client("http://127.0.0.1:9")

    async def run() -> None:
        async with client:
            pass

    asyncio.run(run())
    assert len(client._transports) == 0


# Nobody closes what is dropped, of which Python and aiohttp complain.
@pytest.mark.filterwarnings("ignore")
def test_a_loop_that_is_dropped_unclosed_is_collected_with_its_connections(
    server: RecordingServer,
) -> None:
    with server:
        client = make_client(server.url)
        loops = []
        for number in range(3):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(ask(client, str(number)))
            loops.append(weakref.ref(loop))
            assert len(client._transports) == 1
            del loop
            gc.collect()
            assert not client._transports
        assert [each() for each in loops] == [None] * 3
        assert_hung_up(server)
        asyncio.run(use(client, 1))
        asyncio.run(client.aclose())


@pytest.mark.filterwarnings("ignore")
def test_a_loop_that_is_closed_without_notice_and_kept_is_forgotten(
    server: RecordingServer,
) -> None:
    with server:
        client = make_client(server.url)
        loops = []
        for number in range(3):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(ask(client, str(number)))
            loop.close()
            loops.append(loop)
            assert [transport.loop for transport in client._transports.values()] == [loop]
        asyncio.run(client.aclose())
        del loop, loops, client
        gc.collect()


@pytest.mark.asyncio
async def test_a_client_that_is_dropped_unclosed_is_collected_with_its_connections(
    server: RecordingServer,
) -> None:
    with server:
        client = make_client(server.url)
        await ask(client, "1")
        dropped = weakref.ref(client)
        (transport,) = map(weakref.ref, client._transports.values())
        del client
        gc.collect()
        await until(lambda: not server._visitors)
        gc.collect()
        assert (dropped(), transport()) == (None, None)
