"""FairQueue: calls get slots in the order of their arrival, and no slot is ever lost."""

from __future__ import annotations

import gc
import queue
import time
import weakref
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from talon_one._http import fair_queue
from talon_one._http.fair_queue import FairQueue, Lease, _Waiter


def waiters(stack: FairQueue) -> int:
    return len(stack._waiting)


def begin_to_wait(executor: ThreadPoolExecutor, stack: FairQueue) -> Future[Lease]:
    """Have a thread wait, and return when it does."""
    before = waiters(stack)
    future = executor.submit(stack.lease, 10)
    while waiters(stack) == before:
        time.sleep(0)
    return future


def test_there_are_as_many_slots_as_were_asked_for() -> None:
    stack = FairQueue(2)
    leases = [stack.lease(0), stack.lease(0)]
    with pytest.raises(queue.Empty):
        stack.lease(0)
    leases.pop().release()
    assert stack.lease(0)
    assert waiters(stack) == 0


def test_a_lease_that_is_released_twice_frees_one_slot() -> None:
    stack = FairQueue(2)
    first, second = stack.lease(0), stack.lease(0)
    for _ in range(3):
        first.release()
    again = stack.lease(0)
    first.release()
    with pytest.raises(queue.Empty):
        stack.lease(0)
    del second, again


def test_a_slot_that_no_object_holds_is_free() -> None:
    stack = FairQueue(2)
    for _ in range(5):
        leases = [stack.lease(0), stack.lease(0)]
        with pytest.raises(queue.Empty):
            stack.lease(0)
        del leases
        gc.collect()


def test_a_lost_slot_is_replaced() -> None:
    stack = FairQueue(1)
    for _ in range(3):
        assert stack.lease(0).take() is not None
    held = stack.lease(0).take()
    with pytest.raises(queue.Empty):
        stack.lease(0)
    del held
    stack.lease(0).release()
    assert len(stack._free) == 1


def test_calls_get_slots_in_the_order_of_their_arrival() -> None:
    stack = FairQueue(1)
    lease = stack.lease()
    with ThreadPoolExecutor(3) as executor:
        waiting = [begin_to_wait(executor, stack) for _ in range(3)]
        for number, future in enumerate(waiting):
            lease.release()
            with pytest.raises(queue.Empty):
                stack.lease(0)
            lease = future.result()
            assert not any(later.done() for later in waiting[number + 1 :])
    assert waiters(stack) == 0


def test_a_vanished_waiter_blocks_no_other() -> None:
    stack = FairQueue(1)
    lease = stack.lease()
    with ThreadPoolExecutor(1) as executor:
        waiting = begin_to_wait(executor, stack)
        # In front, the place of a waiter that is collected as soon as it is there.
        stack._waiting.appendleft(weakref.ref(_Waiter()))
        lease.release()
        waiting.result().release()
    assert waiters(stack) == 0
    stack.lease(0).release()


def test_a_waiter_without_a_wake_up_checks_by_itself() -> None:
    stack = FairQueue(1)
    lease = stack.lease()
    with ThreadPoolExecutor(1) as executor:
        waiting = begin_to_wait(executor, stack)
        held = lease.take()
        assert held is not None
        stack._free.append(held[1])
        assert waiting.result()


class GreenLock:
    """Stands for the lock of gevent, which lets other greenlets run while one waits."""

    def __init__(self, waits: list[tuple[str, float]]) -> None:
        self._waits = waits

    def acquire(self, timeout: float) -> None:
        self._waits.append(("lock", timeout))


@pytest.mark.parametrize(
    ("sleep_is_patched", "lock_is_patched", "how"),
    [
        (False, False, None),
        (True, False, ("sleep", 0.005)),
        (True, True, ("lock", 0.01)),
        (False, True, ("lock", 0.01)),
    ],
)
def test_a_waiter_sleeps_only_where_its_lock_would_block_all_greenlets(
    monkeypatch: pytest.MonkeyPatch,
    sleep_is_patched: bool,
    lock_is_patched: bool,
    how: tuple[str, float] | None,
) -> None:
    waits: list[tuple[str, float]] = []
    waiter = _Waiter()
    if sleep_is_patched:
        monkeypatch.setattr(time, "sleep", lambda seconds: waits.append(("sleep", seconds)))
    if lock_is_patched:
        waiter.woken = GreenLock(waits)  # type: ignore[assignment]
    waiter.wait(0.01)
    assert waits == ([] if how is None else [how])


def test_a_waiting_thread_is_woken_and_does_not_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    for interval in ("_CHECK_INTERVAL", "_GREEN_CHECK_INTERVAL"):
        monkeypatch.setattr(fair_queue, interval, 3.0)
    stack = FairQueue(1)
    lease = stack.lease()
    with ThreadPoolExecutor(1) as executor:
        waiting = begin_to_wait(executor, stack)
        lease.release()
        assert waiting.result(2)


def test_a_closed_queue_raises_in_waiters() -> None:
    stack = FairQueue(1)
    lease = stack.lease()
    with ThreadPoolExecutor(2) as executor:
        waiting = [begin_to_wait(executor, stack) for _ in range(2)]
        stack.close()
        for each in waiting:
            with pytest.raises(queue.Empty):
                each.result()
    lease.release()


def test_many_threads_share_few_slots() -> None:
    stack = FairQueue(3)
    out: list[Lease] = []
    limit = 0

    def work() -> None:
        nonlocal limit
        for number in range(500):
            lease = stack.lease(10)
            out.append(lease)
            limit = max(limit, len(out))
            out.remove(lease)
            if number % 5:
                lease.release()
            # Otherwise it is dropped.

    with ThreadPoolExecutor(16) as executor:
        for done in [executor.submit(work) for _ in range(16)]:
            done.result()
    assert limit <= 3
    leases = [stack.lease(0) for _ in range(3)]
    with pytest.raises(queue.Empty):
        stack.lease(0)
    assert leases


def test_idle_connections_are_kept_as_urllib3_expects() -> None:
    stack = FairQueue(2)
    # This is how urllib3 fills a pool.
    stack.put(None)
    assert stack.empty()
    for each in "abc":
        stack.put(each, block=False)
    assert stack.qsize() == 3
    assert stack.get_oldest() == "a"
    assert stack.get(block=False) == "c"
    assert stack.reset() == ["b"]
    assert stack.get_oldest() is None
    with pytest.raises(queue.Empty):
        stack.get()


def test_a_child_process_begins_with_all_slots_free() -> None:
    stack = FairQueue(1)
    lease = stack.lease()
    stack.reset()
    stack.lease(0).release()
    lease.release()
