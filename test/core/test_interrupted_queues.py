"""Exceptions out of signal handlers leave no place in an entity queue taken, wherever they come."""

from __future__ import annotations

import asyncio
import gc
import random
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import pytest

import talon_one
from support.calls import KEYS
from support.interrupting import Interrupt, each_interruption
from support.platforms import needs_posix_signals
from support.server import RecordingServer, Response
from talon_one import ApiClient, Configuration, aio
from talon_one._core.entity_queues import EntityQueues, Ticket

ANNA = ("profile", "anna")
CART = ("session", "cart")
MANY = 3000


def idle(turns: EntityQueues) -> bool:
    """Say whether all places are free, and nothing is left to be done."""
    return not turns._queues and not turns._changes and not turns._holder


def entered(turns: EntityQueues, woken: list[str], name: str, *entities: tuple[str, str]) -> Ticket:
    turn = Ticket(entities, lambda: woken.append(name))
    if turns.join(turn):
        woken.append(name)
    return turn


# -- Forced points ---------------------------------------------------------------------------------


def test_an_interruption_at_any_instruction_frees_the_place_and_wakes_the_next() -> None:
    turns = EntityQueues(1)
    woken: list[str] = []
    behind: list[Ticket] = []

    def call() -> None:
        turn = Ticket([ANNA, CART], lambda: None)
        turns.join(turn)
        behind.append(entered(turns, woken, "behind", CART))
        turns.leave(turn)

    count = 0
    for place, came in each_interruption("entity_queues.py", call):
        assert came, place
        if behind:
            # Perhaps twice, if it was interrupted before it had noted that it did.
            assert set(woken) == {"behind"}, place
            turns.leave(behind.pop())
        assert idle(turns), place
        woken.clear()
        count += 1
    assert count > 200


def test_a_waiting_call_that_is_interrupted_lets_those_behind_it_pass() -> None:
    turns = EntityQueues(1)
    woken: list[str] = []
    made: list[Ticket] = []

    def call() -> None:
        made.append(entered(turns, woken, "first", CART))
        waiting = Ticket([ANNA, CART], lambda: woken.append("waiting"))
        turns.join(waiting)
        made.append(entered(turns, woken, "behind", ANNA))
        turns.leave(waiting)

    for place, came in each_interruption("entity_queues.py", call):
        assert came, place
        if len(made) == 2:
            assert set(woken) == {"first", "behind"}, place
        while made:
            turns.leave(made.pop())
        assert idle(turns), place
        woken.clear()


def test_a_ticket_that_leaves_while_another_thread_changes_the_queues_is_removed() -> None:
    """Changes come while the queues are in the hands of an earlier one that is interrupted."""
    turns = EntityQueues(1)
    woken: list[str] = []
    first: list[Ticket] = []
    others: list[Ticket] = []

    def call() -> None:
        # Waking is the moment in which other threads come.
        def wake() -> None:
            others.append(entered(turns, woken, "other", ANNA))

        first.append(entered(turns, woken, "first", ANNA))
        second = Ticket([ANNA], wake)
        turns.join(second)
        turns.leave(first.pop())
        turns.leave(second)

    for place, came in each_interruption("entity_queues.py", call):
        assert came, place
        first.clear()
        for other in others:
            assert other.ready, place
            turns.leave(other)
        others.clear()
        assert idle(turns), place


def test_nothing_is_called_by_the_end_of_a_call_that_left() -> None:
    """An exception would be swallowed there: finalizers cannot raise."""

    class Watched(EntityQueues):
        def _gone(self, entities: Any, place: Any) -> None:
            raise AssertionError("it has left")

        def _release(self, held: Any) -> None:
            raise AssertionError("it was not interrupted")

    turns = Watched(1)
    for _ in range(3):
        first, second = Ticket([ANNA, CART], lambda: None), Ticket([ANNA], lambda: None)
        turns.join(first)
        turns.join(second)
        turns.leave(first)
        turns.leave(second)
        del first, second
    assert idle(turns)


def test_a_place_that_nothing_holds_is_free_and_the_next_is_woken() -> None:
    turns, woken = EntityQueues(1), list[str]()
    first = entered(turns, woken, "first", ANNA, CART)
    second = entered(turns, woken, "second", ANNA)
    third = entered(turns, woken, "third", ANNA)
    fourth = entered(turns, woken, "fourth", CART)
    del second
    del first
    assert sorted(woken) == ["first", "fourth", "third"]
    turns.leave(third)
    turns.leave(fourth)
    assert idle(turns)


def test_a_place_in_a_circle_is_free_when_the_circle_is_collected() -> None:
    turns, woken = EntityQueues(1), list[str]()
    circle: list[Any] = [entered(turns, woken, "first", ANNA)]
    circle.append(circle)
    second = entered(turns, woken, "second", ANNA)
    del circle
    gc.collect()
    assert woken == ["first", "second"]
    turns.leave(second)
    assert idle(turns)


# -- Calls -----------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer(default=Response(body={})) as running:
        yield running


def session(profile: str) -> dict[str, Any]:
    return {"customerSession": {"profileId": profile}}


def waiting_behind(client: Any) -> tuple[Ticket, threading.Event]:
    woken = threading.Event()
    turn = Ticket([ANNA], woken.set)
    assert client._queues is not None
    client._queues.join(turn)
    return turn, woken


@pytest.mark.parametrize("file", ["talon_one/_core/entity_queues.py", "talon_one/_core/call.py"])
def test_a_call_that_is_interrupted_at_any_instruction_leaves_its_queues(
    server: RecordingServer, file: str
) -> None:
    configuration = Configuration(server.url, KEYS, calls_per_id=1)
    with ApiClient(configuration) as client:
        api = talon_one.IntegrationApi(client)
        turns = client._queues
        assert turns is not None
        for place, came in each_interruption(
            file, lambda: api.update_customer_session_v2("cart", session("anna"))
        ):
            assert came, place
            assert idle(turns), place
        api.update_customer_session_v2("cart", session("anna"), _deadline=10)


@pytest.mark.parametrize("file", ["talon_one/_core/entity_queues.py", "talon_one/_core/call.py"])
def test_a_task_that_is_interrupted_at_any_instruction_leaves_its_queues(
    server: RecordingServer, file: str
) -> None:
    async def call(client: aio.ApiClient) -> None:
        api = aio.IntegrationApi(client)
        await api.update_customer_session_v2("cart", session("anna"))

    configuration = Configuration(server.url, KEYS, calls_per_id=1)
    client = aio.ApiClient(configuration)
    turns = client._queues
    assert turns is not None
    with quiet_loop() as loop, quick_collections():
        for place, came in each_interruption(file, lambda: loop.run_until_complete(call(client))):
            assert came, place
            if not idle(turns):
                gc.collect()  # Tasks and their exceptions hold each other.
            assert idle(turns), place
        loop.run_until_complete(call(client))
        loop.run_until_complete(client.aclose())


@contextmanager
def quick_collections() -> Iterator[None]:
    """Leave what exists already out of collections, which take most of the time otherwise."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def quiet_loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    try:
        yield loop
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


@needs_posix_signals
def test_a_call_that_is_interrupted_while_it_waits_leaves_its_queues(
    server: RecordingServer,
) -> None:
    configuration = Configuration(server.url, KEYS, calls_per_id=1)
    with ApiClient(configuration) as client:
        turns = client._queues
        assert turns is not None
        first, _ = waiting_behind(client)

        def interrupt(number: int, frame: object) -> None:
            raise Interrupt

        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(Interrupt):
                talon_one.IntegrationApi(client).update_customer_session_v2(
                    "cart", session("anna"), _deadline=10
                )
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        behind, woken = waiting_behind(client)
        turns.leave(first)
        assert woken.is_set()
        turns.leave(behind)
        assert idle(turns)
    assert server.requests == []


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "dropped"])
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_tasks_of_a_loop_that_died_leave_their_queues(
    server: RecordingServer, closed: bool
) -> None:
    client = aio.ApiClient(Configuration(server.url, KEYS, calls_per_id=1))
    turns = client._queues
    assert turns is not None
    first, _ = waiting_behind(client)

    async def begin() -> list[Any]:
        api = aio.IntegrationApi(client)
        calls = [
            asyncio.ensure_future(api.update_customer_session_v2("cart", session("anna")))
            for _ in range(3)
        ]
        while len(turns._queues[ANNA]) < 4:
            await asyncio.sleep(0)
        return calls

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    calls = loop.run_until_complete(begin())
    behind, woken = waiting_behind(client)
    if closed:
        loop.close()
        turns.leave(first)
    else:
        del loop, calls
        client._transports.clear()
        gc.collect()
        assert not woken.is_set()
        turns.leave(first)
    assert woken.is_set()
    turns.leave(behind)
    assert idle(turns)


# -- Any moment ------------------------------------------------------------------------------------


@needs_posix_signals
def test_thousands_of_interruptions_at_any_moment_cost_no_place() -> None:
    """Signals hit a thread that enters and leaves beside others that do."""
    turns = EntityQueues(2)
    chance = random.Random(9)
    ended = threading.Event()
    surprises: list[BaseException] = []

    def others() -> None:
        while not ended.is_set():
            queue_up([ANNA, CART], 10)

    def queue_up(entities: list[tuple[str, str]], patience: float) -> None:
        # An event would do for the others, but is itself not safe to interrupt.
        through: SimpleQueue[None] = SimpleQueue()
        turn = Ticket(entities, partial(through.put, None))
        if not turns.join(turn):
            try:
                through.get(timeout=patience)
            except Empty:
                if patience > 1:
                    surprises.append(AssertionError("never woken"))
        turns.leave(turn)

    def until_interrupted() -> None:
        while True:
            queue_up([ANNA, CART][: chance.randint(1, 2)], 0.0001)

    def interrupt(number: int, frame: object) -> None:
        raise Interrupt

    def hits() -> int:
        count = 0
        while count < MANY and not surprises:
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 3e-4))
                until_interrupted()
            except Interrupt:
                count += 1
            except Exception as surprise:  # Only the interruption may come out.
                surprises.append(surprise)
        return count

    threads = [threading.Thread(target=others) for _ in range(2)]
    before = signal.signal(signal.SIGALRM, interrupt)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        assert hits() == MANY
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sys.setswitchinterval(interval)
        ended.set()
        for thread in threads:
            thread.join()
    assert surprises == []
    assert idle(turns)
