"""Runner of asyncio bulk jobs, which makes each request in a task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from contextlib import suppress
from typing import Any

from talon_one.bulk.chunks import Piece
from talon_one.bulk.operations import BulkOperation
from talon_one.bulk.reports import Summary
from talon_one.bulk.run import RequestNotStarted
from talon_one.bulk.runner import Runner, Step

# How many rows are read before other tasks run, if no request starts meanwhile.
_ROWS_PER_TURN = 1000


class TaskRunner(Runner):
    """Execute a bulk job with tasks; see `Runner`."""

    asynchronous = True

    def __init__(self, operation: BulkOperation, rows: Any, options: Mapping[str, Any]) -> None:
        super().__init__(operation, rows, options)
        self._rows = rows
        self._tasks: dict[asyncio.Task[Any], Piece] = {}
        self._sent: set[Piece] = set()
        """Pieces in flight whose request has been started."""

    async def execute(self) -> Summary:
        """Execute the job; see `Runner._finish`."""
        try:
            await self._work()
        except Exception as cause:  # Of the caller's code: requests in flight may end.
            self._run.stop(cause)
        except BaseException as cause:  # Such as a cancellation.
            self._cancel_tasks(cause)
        try:
            await self._drain()
        except BaseException as cause:
            self._cancel_tasks(cause)
            # Another cancellation: requests in flight are abandoned.
            with suppress(asyncio.CancelledError):
                await self._drain()
        return self._finish()

    async def _work(self) -> None:
        rows = aiter(self._rows) if isinstance(self._rows, AsyncIterable) else iter(self._rows)
        for step in self._steps():
            if step is Step.READ_ROWS:
                await self._read(rows)
            elif step is Step.PAUSE:
                for pause in self._own_pauses():
                    await self._client.clock.sleep(pause)
                    self._settle()
            else:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                self._settle()

    async def _read(self, rows: Iterator[Any] | AsyncIterator[Any]) -> None:
        if isinstance(rows, AsyncIterator):
            async for row in rows:
                self._run.add(row)
                if not self._run.needs_rows:
                    return
        else:
            for number, row in enumerate(rows, 1):
                self._run.add(row)
                if not self._run.needs_rows:
                    return
                if number % _ROWS_PER_TURN == 0:
                    await asyncio.sleep(0)
        self._run.exhaust()

    def _start(self, piece: Piece) -> None:
        self._tasks[asyncio.create_task(self._send(piece))] = piece

    async def _send(self, piece: Piece) -> Any:
        with self._admission() as pauses:
            for pause in pauses:
                await self._client.clock.sleep(pause)
        self._sent.add(piece)
        return await self._request(piece)

    def _has_ended(self) -> bool:
        return any(task.done() for task in self._tasks)

    def _settle(self) -> None:
        for task in [task for task in self._tasks if task.done()]:
            piece = self._tasks.pop(task)
            if task.cancelled():
                # The piece stays in flight if it was sent: `Run.close` settles its rows.
                self._run.stop(asyncio.CancelledError())
                if piece not in self._sent:
                    self._run.finish(piece, None, RequestNotStarted("the job was cancelled"))
                continue
            self._sent.discard(piece)
            failure = task.exception()
            self._run.finish(piece, None if failure else task.result(), failure)

    def _cancel_tasks(self, cause: BaseException) -> None:
        self._run.stop(cause)
        for task in self._tasks:
            task.cancel()

    async def _drain(self) -> None:
        """Wait until all requests have ended."""
        if self._tasks:
            await asyncio.wait(self._tasks)
