"""Cancelling a request leaves the claim on its message in the right state."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from talon_one.webhooks import AsyncReceiver, Claim, Delivery, InMemoryDeliveryStore, step_runner
from webhooks.messages import batch, campaign_event, message

HEADERS = {"X-UUID": "uuid-1"}
COUPON = message("CreateCouponData", "CouponCreated")


class SlowStore:
    """An asynchronous store with one method that waits for an event."""

    def __init__(self, slow: str) -> None:
        self.inner = InMemoryDeliveryStore()
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.settled = asyncio.Event()
        self._slow = slow

    async def _pause(self, method: str) -> None:
        if method == self._slow:
            self.began.set()
            await self.may_end.wait()

    async def claim(self, uuid: str) -> Claim:
        claim = self.inner.claim(uuid)
        await self._pause("claim")
        return claim

    async def mark_done(self, uuid: str) -> None:
        await self._pause("mark_done")
        self.inner.mark_done(uuid)
        self.settled.set()

    async def release(self, uuid: str) -> None:
        await self._pause("release")
        self.inner.release(uuid)
        self.settled.set()


class BlockingFunction:
    """A plain function that blocks its thread until it may end."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.began = threading.Event()
        self.may_end = threading.Event()
        self.calls = 0
        self._failure = failure

    def __call__(self, notification: Any, delivery: Delivery) -> None:
        self.calls += 1
        self.began.set()
        assert self.may_end.wait(30)
        if self._failure is not None:
            raise self._failure

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self.began.wait, 30)


def receiver(function: Any, store: Any) -> AsyncReceiver:
    return AsyncReceiver(secret_header=None, secret=None, store=store, default=function)


async def cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def with_timeout() -> None:
        await asyncio.wait_for(scenario(), 60)

    asyncio.run(with_timeout())


@pytest.mark.parametrize(
    ("failure", "then"), [(None, "duplicate"), (OSError("no database"), "handled")]
)
def test_a_claim_lasts_as_long_as_the_thread_after_its_request_was_cancelled(
    failure: Exception | None, then: str
) -> None:
    async def scenario() -> None:
        function, store = BlockingFunction(failure), SlowStore("")
        receive = receiver(function, store)
        task = asyncio.create_task(receive(HEADERS, COUPON))
        await function.has_begun()
        await cancel(task)
        assert (await receive(HEADERS, COUPON)).body == "being handled"
        assert function.calls == 1
        function.may_end.set()
        await store.settled.wait()
        function._failure = None
        assert (await receive(HEADERS, COUPON)).body == then

    run(scenario)


def test_closing_the_loop_waits_for_the_thread_and_settles_the_claim() -> None:
    function, store = BlockingFunction(), InMemoryDeliveryStore()

    async def scenario() -> None:
        task = asyncio.create_task(receiver(function, store)(HEADERS, COUPON))
        await function.has_begun()
        # Closing the loop cancels all tasks first, and runs them only then.
        closing = asyncio.create_task(end_when_cancelled())
        await asyncio.sleep(0)
        assert not task.done()
        assert not closing.done()

    async def end_when_cancelled() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            function.may_end.set()

    asyncio.run(scenario())
    assert store.claim("uuid-1") == "done"


def test_no_further_part_of_a_batch_begins_after_its_request_was_cancelled() -> None:
    async def scenario() -> None:
        function, store = BlockingFunction(), SlowStore("")
        events = ("campaign_edited", "campaign_deleted")
        receive = receiver(function, store)
        task = asyncio.create_task(receive(HEADERS, batch(*map(campaign_event, events))))
        await function.has_begun()
        await cancel(task)
        function.may_end.set()
        await store.settled.wait()
        assert function.calls == 1
        assert store.inner.claim("uuid-1") == "new"

    run(scenario)


@pytest.mark.parametrize(
    ("slow", "fails", "claim"),
    [("claim", False, "new"), ("mark_done", False, "done"), ("release", True, "new")],
)
def test_a_call_to_the_store_completes_although_its_request_was_cancelled(
    slow: str, fails: bool, claim: str
) -> None:
    async def scenario() -> None:
        store = SlowStore(slow)

        async def function(notification: Any, delivery: Delivery) -> None:
            if fails:
                raise OSError("no database")

        task = asyncio.create_task(receiver(function, store)(HEADERS, COUPON))
        await store.began.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # Like a cancel scope, which cancels repeatedly.
        await asyncio.wait({task})
        store.may_end.set()
        await store.settled.wait()
        assert task.cancelled()
        assert store.inner.claim("uuid-1") == claim

    run(scenario)


def test_a_cancel_scope_of_anyio_leaves_the_message_new() -> None:
    async def scenario() -> None:
        store, began = SlowStore("release"), asyncio.Event()

        async def function(notification: Any, delivery: Delivery) -> None:
            began.set()
            await asyncio.Event().wait()

        receive = receiver(function, store)
        async with anyio.create_task_group() as group:
            group.start_soon(receive, HEADERS, COUPON)
            await began.wait()
            group.cancel_scope.cancel()
        store.may_end.set()
        await store.settled.wait()
        assert store.inner.claim("uuid-1") == "new"

    run(scenario)


@pytest.mark.asyncio
async def test_a_cancelled_request_ends_after_its_coroutine_function() -> None:
    began, may_end, ended = asyncio.Event(), asyncio.Event(), []

    async def function(notification: Any, delivery: Delivery) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            await may_end.wait()
            ended.append(True)

    receive = AsyncReceiver(secret_header=None, secret=None, default=function)
    request = asyncio.ensure_future(receive(HEADERS, COUPON))
    await began.wait()
    request.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not request.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert ended == [True]


@pytest.mark.asyncio
async def test_finished_requests_leave_nothing_behind() -> None:
    async def function(notification: Any, delivery: Delivery) -> None:
        assert step_runner._running

    receive = AsyncReceiver(secret_header=None, secret=None, default=function)
    assert (await receive(HEADERS, COUPON)).status == 200
    await asyncio.sleep(0)
    assert step_runner._running == set()
