"""Attempts at one part as processes whose every operation can be scheduled.

An attempt is the real code: `PartState`, the recorder of `partition` and `Run`, in one thread. It
is deterministic, given the results of its operations. So its next operation is found by running it
again with the results so far, and a crash is an attempt that is not scheduled any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, NoReturn
from unittest.mock import patch
from uuid import UUID

from talon_one import IntegrationApi
from talon_one.bulk import operations, part_state
from talon_one.bulk.chunks import Piece
from talon_one.bulk.failures import FailureSink
from talon_one.bulk.folders import Appender, Folder
from talon_one.bulk.part_state import AttemptSuperseded, PartState
from talon_one.bulk.partition import _Recorder
from talon_one.bulk.reports import BulkStopped
from talon_one.bulk.run import Run
from talon_one.exceptions import TooManyRequestsException

API = IntegrationApi(host="https://a.test", api_key="k")
AUDIENCES = operations.audiences(API)
PROFILES = operations.profiles(API)

Files = dict[str, bytes]
Result = Any
History = tuple[Result, ...]


def rows_of(count: int) -> list[dict[str, Any]]:
    """Return rows of either operation."""
    return [
        {"integrationId": f"p{number}", "profileIntegrationId": f"p{number}", "audienceId": 7}
        for number in range(count)
    ]


class MemoryFolder(Folder):
    """A folder in a dict."""

    location = "memory"

    def __init__(self, files: Files | None = None) -> None:
        self.files: Files = {} if files is None else files

    def names(self, within: str = "") -> list[str]:
        return names_in(self.files, within)

    def read(self, name: str) -> bytes:
        try:
            return self.files[name]
        except KeyError:
            raise FileNotFoundError(name) from None

    def write(self, name: str, content: bytes, *, durable: bool = False) -> None:
        self.files[name] = content

    def remove(self, name: str) -> None:
        del self.files[name]

    def appender(self, name: str, *, durable: bool = False) -> Appender:
        raise NotImplementedError


def names_in(files: Files, within: str) -> list[str]:
    """Return the names in a folder, as `Folder.names` does."""
    prefix = f"{within}/" if within else ""
    return sorted({name[len(prefix) :].split("/")[0] for name in files if name.startswith(prefix)})


class Plan(NamedTuple):
    """What an attempt is about to do."""

    name: str
    """A letter."""
    rows: int
    """How many rows the part has."""
    chunk_size: int = 1
    concurrency: int = 1
    idempotent: bool = False
    refused: frozenset[int] = frozenset()
    """Rows whose first request comes too early (429)."""
    halves: bool = False
    """Whether others may read half of a file that is being written."""


def run_attempt(
    plan: Plan, folder: Folder, send: Callable[[tuple[int, ...]], object]
) -> list[int] | None:
    """Work on the part; return the numbers of rows sent, or ``None`` if superseded."""
    operation = PROFILES if plan.idempotent else AUDIENCES
    uuid = UUID(bytes=plan.name.encode() * 16)
    with patch.object(part_state, "uuid4", lambda: uuid):
        state = PartState(folder, 0, 0, operation.name, "host", plan.idempotent)
    recorder = _Recorder(0, state, None)
    run = Run(
        operation,
        plan.chunk_size,
        FailureSink(),
        on_progress=recorder.report,
        resume=recorder.token,
        waits_for_limits=True,
    )
    refused = set(plan.refused)
    sent: list[int] = []
    try:
        run.report_progress()
        waiting = iter(rows_of(plan.rows))
        in_flight: list[tuple[Piece, TooManyRequestsException | None]] = []
        while True:
            if run.needs_rows:
                if (row := next(waiting, None)) is None:
                    run.exhaust()
                else:
                    run.add(row)
            elif len(in_flight) < plan.concurrency and (piece := run.next()) is not None:
                if refused.intersection(piece.indices):
                    in_flight.append((piece, TooManyRequestsException(429)))
                    refused.difference_update(piece.indices)
                else:
                    in_flight.append((piece, None))
                    send(tuple(piece.indices))
                    sent += piece.indices
            elif in_flight:
                piece, failure = in_flight.pop(0)
                run.finish(piece, None, failure)
            else:
                break
        run.close()
        recorder.finish(run.summary, run.summary.complete)
    except (AttemptSuperseded, BulkStopped) as cause:
        run.stop(cause)
        try:
            run.close()
        except AttemptSuperseded:
            return None
    return sent


# -- Operations one by one -------------------------------------------------------------------------


class Operation(NamedTuple):
    """An operation that an attempt is about to execute."""

    kind: str
    name: str = ""
    content: bytes = b""
    rows: tuple[int, ...] = ()


class _About(BaseException):
    """Ends a replay at the first operation that has no result yet."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation


class _Replay(Folder):
    location = "replay"

    def __init__(self, history: History, halves: bool) -> None:
        self._results: Iterator[Result] = iter(history)
        self._halves = halves

    def _next(self, operation: Operation) -> Result:
        for result in self._results:
            if isinstance(result, type):
                raise result
            return result
        raise _About(operation)

    def names(self, within: str = "") -> list[str]:
        return list(self._next(Operation("names", within)))

    def read(self, name: str) -> bytes:
        content: bytes = self._next(Operation("read", name))
        return content

    def write(self, name: str, content: bytes, *, durable: bool = False) -> None:
        if self._halves:
            self._next(Operation("write", name, content[: len(content) // 2]))
        self._next(Operation("write", name, content))

    def send(self, numbers: tuple[int, ...]) -> None:
        self._next(Operation("send", rows=numbers))

    def remove(self, name: str) -> NoReturn:
        raise NotImplementedError

    def appender(self, name: str, *, durable: bool = False) -> NoReturn:
        raise NotImplementedError


@cache
def next_operation(plan: Plan, history: History) -> Operation | None:
    """Return what an attempt does after these results; ``None`` if it has ended."""
    replay = _Replay(history, plan.halves)
    try:
        run_attempt(plan, replay, replay.send)
    except _About as about:
        return about.operation
    return None


@dataclass(frozen=True)
class World:
    """How far some attempts have come."""

    plans: tuple[Plan, ...]
    histories: tuple[History, ...]
    files: tuple[tuple[str, bytes], ...] = ()
    sent: tuple[int, ...] = ()

    def next(self, number: int) -> Operation | None:
        """Return the next operation of an attempt; ``None`` if it has ended."""
        return next_operation(self.plans[number], self.histories[number])

    def is_private(self, number: int) -> bool:
        """Whether the next operation of an attempt is the same before and after all others.

        The order of these needs no second try.
        """
        operation = self.next(number)
        if operation is None:
            return False
        own = f".{UUID(bytes=self.plans[number].name.encode() * 16).hex[:8]}."
        return operation.kind == "send" or (operation.kind == "read" and own in operation.name)

    def step(self, number: int) -> World | None:
        """Return the world after the next operation of an attempt; ``None`` if it has ended."""
        operation = self.next(number)
        if operation is None:
            return None
        files, sent = dict(self.files), self.sent
        result: Result = None
        if operation.kind == "names":
            result = tuple(names_in(files, operation.name))
        elif operation.kind == "read":
            result = files.get(operation.name, FileNotFoundError)
        elif operation.kind == "write":
            files[operation.name] = operation.content
        else:
            sent += operation.rows
        history = (*self.histories[number], result)
        histories = (*self.histories[:number], history, *self.histories[number + 1 :])
        return World(self.plans, histories, tuple(sorted(files.items())), sent)


def start(*plans: Plan) -> World:
    """Return the world before the first operation."""
    return World(plans, ((),) * len(plans))
