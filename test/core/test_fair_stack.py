"""FairStack: the last connection is taken first, and who came first is served first."""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from talon_one.fair_stack import FairStack, _Waiter


def waiters(stack: FairStack) -> int:
    return len(stack._waiting)


def begin_to_wait(executor: ThreadPoolExecutor, stack: FairStack) -> Future[Any]:
    """Have a thread wait, and return when it does."""
    before = waiters(stack)
    future = executor.submit(stack.get, timeout=10)
    while waiters(stack) == before:
        time.sleep(0)
    return future


def test_the_last_item_is_taken_first() -> None:
    stack = FairStack(3)
    for item in "abc":
        stack.put(item)
    assert stack.qsize() == 3
    assert [stack.get() for _ in range(3)] == ["c", "b", "a"]
    assert stack.qsize() == 0


def test_there_is_no_room_for_more_than_its_size() -> None:
    stack = FairStack(1)
    stack.put("a")
    with pytest.raises(queue.Full):
        stack.put("b", block=False)
    assert stack.get() == "a"


def test_who_does_not_want_to_wait_does_not() -> None:
    stack = FairStack(1)
    with pytest.raises(queue.Empty):
        stack.get(block=False)
    with pytest.raises(queue.Empty):
        stack.get(timeout=0.01)
    assert waiters(stack) == 0
    # Nobody who has left is served.
    stack.put("a")
    assert stack.get(block=False) == "a"


def test_who_came_first_is_served_first_and_nobody_pushes_in() -> None:
    stack = FairStack(1)
    with ThreadPoolExecutor(3) as executor:
        waiting = [begin_to_wait(executor, stack) for _ in range(3)]
        for item, future in zip("abc", waiting, strict=True):
            stack.put(item)
            # What was put is promised, so that it is gone for everybody else.
            with pytest.raises(queue.Empty):
                stack.get(block=False)
            assert future.result() == item
    assert waiters(stack) == 0


class Served:
    """Stands for the lock of a waiter: does something while it is waited for."""

    def __init__(self, stack: FairStack, waiter: _Waiter, item: object, interrupt: bool) -> None:
        self._stack, self._waiter, self._item = stack, waiter, item
        self._interrupt = interrupt

    def acquire(self, timeout: float) -> bool:
        self._waiter.served = threading.Lock()
        self._waiter.served.acquire()
        if self._item is not None:
            self._stack.put(self._item)
        if self._interrupt:
            raise KeyboardInterrupt
        return False


def meddle(
    monkeypatch: pytest.MonkeyPatch, stack: FairStack, item: object, interrupt: bool = False
) -> None:
    class Meddled(_Waiter):
        def __init__(self) -> None:
            super().__init__()
            self.served: Any = Served(stack, self, item, interrupt)

    monkeypatch.setattr("talon_one.fair_stack._Waiter", Meddled)


def test_an_item_that_comes_at_the_last_moment_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stack = FairStack(1)
    meddle(monkeypatch, stack, "a")
    assert stack.get(timeout=5) == "a"


@pytest.mark.parametrize("item", [None, "a"])
def test_who_is_interrupted_gives_back_what_was_meant_for_it(
    monkeypatch: pytest.MonkeyPatch, item: object
) -> None:
    stack = FairStack(1)
    meddle(monkeypatch, stack, item, interrupt=True)
    with pytest.raises(KeyboardInterrupt):
        stack.get()
    assert waiters(stack) == 0
    assert stack.qsize() == (item is not None)


def test_many_threads_share_few_items_and_lose_none() -> None:
    stack = FairStack(3)
    for item in range(3):
        stack.put(item)
    out: set[int] = set()

    def work() -> None:
        for _ in range(500):
            item = stack.get(timeout=10)
            assert item not in out
            out.add(item)
            out.remove(item)
            stack.put(item)

    with ThreadPoolExecutor(16) as executor:
        for done in [executor.submit(work) for _ in range(16)]:
            done.result()
    assert sorted(stack.get(block=False) for _ in range(3)) == [0, 1, 2]


def test_it_can_be_emptied_whoever_holds_its_lock() -> None:
    stack = FairStack(2)
    stack.put("a")
    stack._lock.acquire()
    assert stack.start_anew() == ["a"]
    stack.put("b")
    assert stack.get() == "b"
