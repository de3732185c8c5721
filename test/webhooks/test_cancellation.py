"""A request that is given up leaves a claim that tells the truth about its message."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from talon_one.webhooks import AsyncReceiver, Claim, Delivery, InMemoryDeliveryStore
from talon_one.webhooks import async_receiver as carrying
from webhooks.messages import batch, campaign_event, message

HEADERS = {"X-UUID": "uuid-1"}
COUPON = message("CreateCouponData", "CouponCreated")


class SlowMemory:
    """An asynchronous memory that takes some turns of the loop for one of its methods."""

    def __init__(self, slow: str) -> None:
        self.within = InMemoryDeliveryStore()
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.settled = asyncio.Event()
        self._slow = slow

    async def _pause(self, method: str) -> None:
        if method == self._slow:
            self.began.set()
            await self.may_end.wait()

    async def claim(self, uuid: str) -> Claim:
        claim = self.within.claim(uuid)
        await self._pause("claim")
        return claim

    async def done(self, uuid: str) -> None:
        await self._pause("done")
        self.within.done(uuid)
        self.settled.set()

    async def release(self, uuid: str) -> None:
        await self._pause("release")
        self.within.release(uuid)
        self.settled.set()


class Threads:
    """A plain function that runs in its thread until it may end."""

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


def receiver(function: Any, seen: Any) -> AsyncReceiver:
    return AsyncReceiver(secret_header=None, secret=None, seen=seen, default=function)


async def given_up(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within_time() -> None:
        await asyncio.wait_for(scenario(), 60)

    asyncio.run(within_time())


@pytest.mark.parametrize(
    ("failure", "then"), [(None, "duplicate"), (OSError("no database"), "handled")]
)
def test_a_claim_lasts_as_long_as_the_thread_even_if_nobody_waits(
    failure: Exception | None, then: str
) -> None:
    async def scenario() -> None:
        function, seen = Threads(failure), SlowMemory("")
        receive = receiver(function, seen)
        task = asyncio.create_task(receive(HEADERS, COUPON))
        await function.has_begun()
        await given_up(task)
        assert (await receive(HEADERS, COUPON)).body == "being handled"
        assert function.calls == 1
        function.may_end.set()
        await seen.settled.wait()
        function._failure = None
        assert (await receive(HEADERS, COUPON)).body == then

    run(scenario)


def test_a_loop_that_is_closed_waits_for_the_thread_and_settles_the_claim() -> None:
    function, seen = Threads(), InMemoryDeliveryStore()

    async def scenario() -> None:
        task = asyncio.create_task(receiver(function, seen)(HEADERS, COUPON))
        await function.has_begun()
        # All tasks are told at once when the loop is closed, and only then do they go on.
        closing = asyncio.create_task(told_to_end())
        await asyncio.sleep(0)
        assert not task.done()
        assert not closing.done()

    async def told_to_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            function.may_end.set()

    asyncio.run(scenario())
    assert seen.claim("uuid-1") == "done"


def test_of_a_batch_that_is_given_up_no_further_part_begins() -> None:
    async def scenario() -> None:
        function, seen = Threads(), SlowMemory("")
        events = ("campaign_edited", "campaign_deleted")
        receive = receiver(function, seen)
        task = asyncio.create_task(receive(HEADERS, batch(*map(campaign_event, events))))
        await function.has_begun()
        await given_up(task)
        function.may_end.set()
        await seen.settled.wait()
        assert function.calls == 1
        assert seen.within.claim("uuid-1") == "new"

    run(scenario)


@pytest.mark.parametrize(
    ("slow", "fails", "claim"),
    [("claim", False, "new"), ("done", False, "done"), ("release", True, "new")],
)
def test_what_is_being_noted_when_a_request_is_given_up_is_noted(
    slow: str, fails: bool, claim: str
) -> None:
    async def scenario() -> None:
        seen = SlowMemory(slow)

        async def function(notification: Any, delivery: Delivery) -> None:
            if fails:
                raise OSError("no database")

        task = asyncio.create_task(receiver(function, seen)(HEADERS, COUPON))
        await seen.began.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # As a scope does, which cancels again and again.
        await asyncio.wait({task})
        seen.may_end.set()
        await seen.settled.wait()
        assert task.cancelled()
        assert seen.within.claim("uuid-1") == claim

    run(scenario)


def test_a_cancel_scope_of_anyio_leaves_the_message_new() -> None:
    async def scenario() -> None:
        seen, began = SlowMemory("release"), asyncio.Event()

        async def function(notification: Any, delivery: Delivery) -> None:
            began.set()
            await asyncio.Event().wait()

        receive = receiver(function, seen)
        async with anyio.create_task_group() as group:
            group.start_soon(receive, HEADERS, COUPON)
            await began.wait()
            group.cancel_scope.cancel()
        seen.may_end.set()
        await seen.settled.wait()
        assert seen.within.claim("uuid-1") == "new"

    run(scenario)


@pytest.mark.asyncio
async def test_a_cancelled_request_ends_after_its_coroutine_function_has_ended() -> None:
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
async def test_nothing_is_kept_of_requests_that_are_over() -> None:
    async def function(notification: Any, delivery: Delivery) -> None:
        assert carrying._working

    receive = AsyncReceiver(secret_header=None, secret=None, default=function)
    assert (await receive(HEADERS, COUPON)).status == 200
    await asyncio.sleep(0)
    assert carrying._working == set()
