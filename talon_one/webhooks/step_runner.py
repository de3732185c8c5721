"""StepRunner: runs the steps of an AsyncReceiver, and completes each step that has begun.

The steps run in their own task. Cancelling the request therefore never leaves a claim in the wrong
state, whether a timeout cancels it, a server that stops, or a scope that cancels repeatedly.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talon_one.webhooks.delivery import Reply
    from talon_one.webhooks.rules import Step

# The event loop holds only weak references to its tasks.
_running: set[asyncio.Task[Any]] = set()


class InThread:
    """Wraps a plain function to run in a thread. Calling it returns a future."""

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def __call__(self, *args: Any) -> asyncio.Future[object]:
        """Start the function in a thread.

        The future is not a task: closing the loop must wait for the thread, not cancel it.
        """
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(None, context.run, self._call, *args)

    def _call(self, *args: Any) -> object:
        try:
            return self._function(*args)
        except StopIteration as cause:
            # A future cannot hold a StopIteration; awaiting it would hang.
            raise RuntimeError("the function raised StopIteration") from cause


class StepRunner:
    """Runs the steps of one webhook.

    Args:
        steps: Generator of steps. It receives the result of each, or its exception.
    """

    def __init__(self, steps: Generator[Step, Any, Reply]) -> None:
        self._steps = steps
        self._cancelled = False
        self._in_thread = False

    async def run(self) -> Reply:
        """Run all steps, and return the reply."""
        task = asyncio.get_running_loop().create_task(self._run_steps())
        _running.add(task)
        task.add_done_callback(_running.discard)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            # A coroutine function ends as soon as it handles the cancellation. A thread may take
            # any time, so it continues without a waiting request.
            if not self._in_thread:
                await asyncio.wait({task})
            raise
        return task.result()

    async def _run_steps(self) -> Reply:
        try:
            step = next(self._steps)
            while True:
                try:
                    result = await self._result_of(step)
                except BaseException as failure:  # The rules decide how to continue.
                    step = self._steps.throw(failure)
                else:
                    step = self._steps.send(result)
        except StopIteration as end:
            reply: Reply = end.value
            return reply

    async def _result_of(self, step: Step) -> Any:
        if step.is_function and self._cancelled:
            raise asyncio.CancelledError
        result: Any = step.call()
        self._in_thread = isinstance(step.call.func, InThread)
        if inspect.isawaitable(result) and (self._in_thread or not step.is_function):
            try:
                result = await self._completed(result)
            finally:
                self._in_thread = False
        # A function in a thread may return an awaitable.
        while inspect.isawaitable(result):
            result = await result
        return result

    async def _completed(self, awaitable: Awaitable[object]) -> object:
        """Await a step that must complete; remember a cancellation for the next step."""
        future = asyncio.ensure_future(awaitable)
        while not future.done():
            try:
                await asyncio.wait({future})
            except asyncio.CancelledError:
                self._cancelled = True
        return future.result()
