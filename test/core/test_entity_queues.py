"""Entity queues: with `calls_per_id`, calls about one session or profile wait for each other."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import talon_one
from support.calls import KEYS, make_client
from support.server import Received, RecordingServer, Response
from support.shells import Shell
from talon_one import ApiClient, Configuration, ConfigurationError, ConnectTimeoutError, aio
from talon_one._core.entity_queues import EntityQueues, Ticket

ANNA = ("profile", "anna")
CART = ("session", "cart")


def enter(turns: EntityQueues, woken: list[str], name: str, *entities: tuple[str, str]) -> Ticket:
    turn = Ticket(entities, lambda: woken.append(name))
    if turns.join(turn):
        woken.append(name)
    return turn


def test_no_more_calls_than_the_limit_run_and_the_others_follow_in_order() -> None:
    turns, woken = EntityQueues(2), list[str]()
    waiting = [enter(turns, woken, name, ANNA) for name in "abcd"]
    assert woken == ["a", "b"]
    turns.leave(waiting[1])
    assert woken == ["a", "b", "c"]
    turns.leave(waiting[0])
    assert woken == ["a", "b", "c", "d"]


def test_a_call_about_two_things_waits_for_both() -> None:
    turns, woken = EntityQueues(1), list[str]()
    anna = enter(turns, woken, "anna", ANNA)
    cart = enter(turns, woken, "cart", CART)
    both = enter(turns, woken, "both", ANNA, CART)
    assert woken == ["anna", "cart"]
    turns.leave(anna)
    assert woken == ["anna", "cart"]
    turns.leave(cart)
    assert woken == ["anna", "cart", "both"]
    turns.leave(both)


def test_a_call_that_gives_up_waiting_makes_room() -> None:
    turns, woken = EntityQueues(1), list[str]()
    first = enter(turns, woken, "first", ANNA)
    second = enter(turns, woken, "second", ANNA)
    third = enter(turns, woken, "third", ANNA)
    turns.leave(second)
    assert woken == ["first"]
    turns.leave(first)
    assert woken == ["first", "third"]
    turns.leave(third)


def test_a_call_that_leaves_a_queue_wakes_the_next_one_although_it_still_waits_in_another() -> None:
    """The leaving call is first in one queue, and waits in the other, which stays busy."""
    turns, woken = EntityQueues(1), list[str]()
    cart = enter(turns, woken, "cart", CART)
    both = enter(turns, woken, "both", ANNA, CART)
    anna = enter(turns, woken, "anna", ANNA)
    assert woken == ["cart"]
    turns.leave(both)
    assert woken == ["cart", "anna"]
    turns.leave(anna)
    turns.leave(cart)
    assert turns._queues == {}


def test_leaving_twice_or_without_a_place_is_nothing() -> None:
    turns, woken = EntityQueues(1), list[str]()
    first = enter(turns, woken, "first", ANNA)
    second = enter(turns, woken, "second", ANNA)
    third = enter(turns, woken, "third", ANNA)
    for _ in range(2):
        turns.leave(first)
    turns.leave(Ticket([ANNA], lambda: None))
    assert woken == ["first", "second"]
    turns.leave(second)
    turns.leave(third)
    assert turns._queues == {}


def test_nothing_is_remembered_of_calls_that_are_over() -> None:
    turns = EntityQueues(3)
    for number in range(100):
        turns.leave(enter(turns, [], "", ("profile", str(number)), CART))
    assert turns._queues == {}


@pytest.mark.parametrize("limit", [0, -1, "3", 1.5])
def test_an_invalid_limit_is_refused(limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="calls_per_id is a number"):
        ApiClient(Configuration(calls_per_id=limit))


@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.sets(st.sampled_from("xyz"), min_size=1), st.booleans()), max_size=30),
)
def test_everyone_gets_a_turn_and_nothing_has_too_many(
    limit: int, script: list[tuple[set[str], bool]]
) -> None:
    turns = EntityQueues(limit)
    under_way: dict[int, Ticket] = {}
    entered: dict[int, Ticket] = {}
    done: list[int] = []

    def woke(number: int) -> Callable[[], None]:
        return lambda: under_way.update({number: entered[number]})

    def end_one() -> None:
        number = next(iter(under_way))
        turns.leave(under_way.pop(number))
        done.append(number)

    for number, (entities, end) in enumerate(script):
        turn = entered[number] = Ticket({("thing", each) for each in entities}, woke(number))
        if turns.join(turn):
            under_way[number] = turn
        busy = Counter(entity for each in under_way.values() for entity in each.entities)
        assert all(count <= limit for count in busy.values())
        if end and under_way:
            end_one()
    while under_way:
        end_one()
    assert sorted(done) == list(range(len(script)))
    assert turns._queues == {}


# -- Over sockets ------------------------------------------------------------------------------


class Crowd:
    """A server that counts, for each profile, how many requests are in progress at a time."""

    def __init__(self) -> None:
        self.limit: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.pause = 0.003
        self._never = threading.Event()

    def __call__(self, request: Received) -> Response:
        profile = request.json()["customerSession"]["profileId"]
        with self._lock:
            self._now[profile] += 1
            self.limit[profile] = max(self.limit[profile], self._now[profile])
        # Long enough for the others to come, if they may.
        self._never.wait(self.pause)
        with self._lock:
            self._now[profile] -= 1
        return Response(body={})


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


@pytest.fixture
def server(crowd: Crowd) -> Iterator[RecordingServer]:
    with RecordingServer(default=crowd) as running:
        yield running


def session(profile: str) -> dict[str, Any]:
    return {"customerSession": {"profileId": profile}}


@pytest.mark.parametrize("limit", [1, 3])
def test_threads_that_share_a_client_do_not_crowd_a_profile(
    server: RecordingServer, crowd: Crowd, limit: int
) -> None:
    with make_client(server.url, calls_per_id=limit, connection_pool_maxsize=16) as client:
        # The client takes note of it when it is made.
        client = ApiClient(client.configuration)
        api = talon_one.IntegrationApi(client)
        with client, ThreadPoolExecutor(16) as executor:
            for done in [
                executor.submit(api.update_customer_session_v2, f"cart-{number}", session(profile))
                for number in range(20)
                for profile in ("anna", "ben")
            ]:
                done.result()
    assert len(server.requests) == 40
    assert crowd.limit["anna"] <= limit
    assert crowd.limit["ben"] <= limit


@pytest.mark.parametrize("limit", [1, 3])
def test_tasks_that_share_a_client_do_not_crowd_a_profile(
    server: RecordingServer, crowd: Crowd, limit: int
) -> None:
    async def work() -> None:
        configuration = Configuration(server.url, KEYS, calls_per_id=limit)
        async with aio.IntegrationApi(aio.ApiClient(configuration)) as api:
            calls = [
                api.update_customer_session_v2(f"cart-{number}", session(profile))
                for number in range(20)
                for profile in ("anna", "ben")
            ]
            (await aio.gather(calls, limit=16)).values()

    asyncio.run(work())
    assert len(server.requests) == 40
    assert max(crowd.limit.values()) <= limit


def test_without_the_limit_all_calls_run_concurrently(
    server: RecordingServer, crowd: Crowd
) -> None:
    crowd.pause = 0.1

    async def work() -> None:
        configuration = Configuration(server.url, KEYS)
        async with aio.IntegrationApi(aio.ApiClient(configuration)) as api:
            calls = [api.update_customer_session_v2("cart", session("anna")) for _ in range(20)]
            (await aio.gather(calls, limit=20)).values()

    asyncio.run(work())
    assert crowd.limit["anna"] > 3


def test_a_deadline_ends_the_wait_for_a_turn_and_nothing_is_sent(server: RecordingServer) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def slow(request: Received) -> Response:
        arrived.set()
        go_on.wait(10)
        return Response(body={})

    server.script(slow)
    configuration = Configuration(server.url, KEYS, calls_per_id=1)
    with talon_one.IntegrationApi(ApiClient(configuration)) as api, ThreadPoolExecutor(1) as one:
        first = one.submit(api.update_customer_session_v2, "cart", session("anna"))
        arrived.wait(10)
        with pytest.raises(ConnectTimeoutError, match="the deadline has passed"):
            api.update_customer_session_v2("other", session("anna"), _deadline=0.05)
        go_on.set()
        first.result()
        # The place in the queue was given up.
        api.update_customer_session_v2("other", session("anna"), _deadline=10)
    assert [request.path for request in server.requests] == [
        "/v2/customer_sessions/cart",
        "/v2/customer_sessions/other",
    ]


@pytest.mark.parametrize("shell_name", ["blocking", "asyncio"])
def test_a_deadline_that_has_passed_before_the_wait_ends_the_call(
    server: RecordingServer, shell_name: str
) -> None:
    shell = Shell(shell_name)
    client = shell.new_client(Configuration(server.url, KEYS, calls_per_id=1))
    now = count(0, 100)
    client.clock = client.clock._replace(monotonic=lambda: next(now))
    held = Ticket([ANNA], bool)
    assert client._queues.join(held)
    with pytest.raises(ConnectTimeoutError, match="the deadline has passed"):
        shell.api("IntegrationApi", client).update_customer_session_v2(
            "cart", session("anna"), _deadline=1
        )
    client.close()
    assert server.requests == []


@pytest.mark.asyncio
async def test_a_cancelled_task_gives_up_its_place_in_the_queue(server: RecordingServer) -> None:
    configuration = Configuration(server.url, KEYS, calls_per_id=1)
    async with aio.ApiClient(configuration) as client:
        api = aio.IntegrationApi(client)
        waiting = Ticket([ANNA], lambda: None)
        assert client._queues is not None
        client._queues.join(waiting)
        task = asyncio.ensure_future(api.update_customer_session_v2("cart", session("anna")))
        await asyncio.sleep(0)
        assert len(client._queues._queues[ANNA]) == 2
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert list(client._queues._queues) == [ANNA]
        assert list(client._queues._queues[ANNA]) == [waiting.place]
    assert server.requests == []


@pytest.mark.parametrize(
    ("call", "entities"),
    [
        (
            lambda api: api.update_customer_session_v2(
                "cart", talon_one.IntegrationRequest.from_dict(session("anna"))
            ),
            {CART, ANNA},
        ),
        (lambda api: api.update_customer_session_v2("cart", session("")), {CART}),
        (lambda api: api.update_customer_session_v2("cart", {"customerSession": {}}), {CART}),
        (lambda api: api.update_customer_profile_v2("anna", {}), {ANNA}),
        (lambda api: api.track_event_v2({"type": "a", "profileId": "anna"}), {ANNA}),
        (
            lambda api: api.track_event_v3(
                {
                    "type": "a",
                    "profileId": "anna",
                    "integrationId": "1",
                    "connectedSessionId": "cart",
                }
            ),
            {ANNA, CART},
        ),
        (lambda api: api.get_customer_session("cart"), set()),
    ],
)
def test_a_call_queues_for_the_session_and_the_profile_that_it_names(
    call: Callable[[Any], Any], entities: set[tuple[str, str]]
) -> None:
    queued: set[tuple[str, str]] = set()

    class Noted(EntityQueues):
        def join(self, turn: Ticket) -> bool:
            queued.update(turn.entities)
            return super().join(turn)

    with RecordingServer() as server, make_client(server.url, calls_per_id=1) as client:
        client._queues = Noted(1)
        call(talon_one.IntegrationApi(client))
    assert queued == entities
