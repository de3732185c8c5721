"""How an AsyncReceiver carries out its steps: none that was begun is forgotten half-way.

They run in a task of their own, so that whoever gives up a request, be it a timeout, a server that
stops or a cancel scope that cancels again and again, never decides what becomes of a claim.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talon_one.webhooks.receivers import Reply, Step

# The event loop itself refers to its tasks only weakly.
_working: set[asyncio.Task[Any]] = set()


class InThread:
    """A plain function that is called in a thread; calling it returns the future of its end."""

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def __call__(self, *given: Any) -> asyncio.Future[object]:
        """Begin. The future is no task: a loop that is closed must wait for it, not cancel it."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(None, context.run, self._call, *given)

    def _call(self, *given: Any) -> object:
        try:
            return self._function(*given)
        except StopIteration as cause:
            # A future cannot hold it, and whoever awaits the future would wait for ever.
            raise RuntimeError("the function raised StopIteration") from cause


class StepRunner:
    """Carries out the steps of one webhook.

    Args:
        steps: They yield a step each, and are sent what it returned or thrown what it raised.
    """

    def __init__(self, steps: Generator[Step, Any, Reply]) -> None:
        self._steps = steps
        self._given_up = False
        self._in_thread = False

    async def reply(self) -> Reply:
        """Carry out all steps, and return the end of them."""
        work = asyncio.get_running_loop().create_task(self._work())
        _working.add(work)
        work.add_done_callback(_working.discard)
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
            # It takes no longer than a coroutine function takes to end, which is for its author
            # to say; a thread may take any time, and so goes on without anybody who waits.
            if not self._in_thread:
                await asyncio.wait({work})
            raise
        return work.result()

    async def _work(self) -> Reply:
        try:
            step = next(self._steps)
            while True:
                try:
                    result = await self._result(step)
                except BaseException as failure:  # The rules decide what becomes of it.
                    step = self._steps.throw(failure)
                else:
                    step = self._steps.send(result)
        except StopIteration as end:
            reply: Reply = end.value
            return reply

    async def _result(self, step: Step) -> Any:
        if step.is_function and self._given_up:
            raise asyncio.CancelledError
        result: Any = step.call()
        self._in_thread = isinstance(step.call.func, InThread)
        if inspect.isawaitable(result) and (self._in_thread or not step.is_function):
            try:
                result = await self._to_its_end(result)
            finally:
                self._in_thread = False
        # A function in a thread may itself return something to await.
        while inspect.isawaitable(result):
            result = await result
        return result

    async def _to_its_end(self, awaitable: Awaitable[object]) -> object:
        """Await what must not be given up half-way; remember if it should have been."""
        future = asyncio.ensure_future(awaitable)
        while not future.done():
            try:
                await asyncio.wait({future})
            except asyncio.CancelledError:
                self._given_up = True
        return future.result()
