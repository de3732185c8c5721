"""A job of many parts on simulated executors: which part runs where, dies, and is tried again.

Time is virtual, and so are the network, the server and the folder with the state. All else is the
package itself: the asyncio client with its retries, bulk jobs, limiters, back-off, and the state of
parts. The executors follow the rules of engines such as Apache Spark.
"""

from __future__ import annotations

import asyncio
import random as global_random
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Any, NamedTuple

from benchmarks import virtual_time
from benchmarks.simulated_server import MemoryFolder, Server, Times, Wire
from talon_one import Configuration, aio
from talon_one.aio.bulk_runner import TaskRunner
from talon_one.bulk import BulkStopped, Failure, Progress, Summary, operations
from talon_one.bulk.operations import BulkOperation
from talon_one.bulk.part_state import AttemptSuperseded, PartState
from talon_one.bulk.resume_token import IntRanges, read_token
from talon_one.limiter import Limiter, NoLimit

ROWS = 1000
"""How many rows a request has."""
LIMITERS = ("none", "whole", "divided", "machine", "shared")
"""What keeps the limit: nothing; a limiter in each task with the whole limit; the limit divided
among the tasks; divided among the machines, each of which shares its own; one limiter for all."""

_TIMES = Times()
# A request carries fewer rows, each of which stands for many. No rule looks at their number.
_ROWS = 2
_STANDS_FOR = ROWS // _ROWS
# The rules of Spark: `spark.speculation.quantile`, `spark.speculation.multiplier`.
_SPECULATION_AFTER = 0.75
_SPECULATION_FACTOR = 1.5
# Seconds after which an idle slot looks for work again, unless requests are rarer.
_TICK = 0.5


@dataclass(frozen=True)
class Plan:
    """What is simulated."""

    operation: str = "profiles"
    """``profiles``, which may be sent twice, or ``audiences``, which must not."""
    limiter: str = "divided"
    """One of `LIMITERS`."""
    state: bool = True
    """Whether parts have a state, from which the next attempt resumes."""
    rate: float = 20.0
    """Requests a second that the server admits."""
    burst: float = 0.0
    """Requests that it admits in one moment, at least 1; those of a second if 0."""
    retry_after: float | None = None
    """Seconds that a 429 asks to wait. The platform documents no such header."""
    lost_responses: float = 0.0
    """Share of the responses that never arrive."""
    times: Times = _TIMES
    executors: int = 8
    slots: int = 2
    """Tasks that run on an executor at a time."""
    parts: int = 64
    requests: int = 20
    """Full requests in a part."""
    concurrency: int = 4
    """Requests of a task in flight."""
    prepare: float = 0.02
    """Seconds to read the rows of a request and encode them."""
    stragglers: int = 0
    """How many executors are slow."""
    slowness: float = 100.0
    """How many times longer they take to read and encode rows."""
    speculation: bool = False
    """Whether a slow attempt gets a second one beside it, if rows may be sent twice."""
    life: float = 0.0
    """Mean seconds until a task dies; never if 0."""
    lost_after: float = 0.0
    """Seconds after which an executor counts as lost; never if 0."""
    zombie: bool = False
    """Whether the lost executor goes on."""
    restart: float = 2.0
    """Seconds between the failure of an attempt and the next one."""
    attempts: int = 4
    """Failed attempts after which a part is given up."""
    seed: int = 1

    def __post_init__(self) -> None:
        if self.limiter not in LIMITERS:
            raise ValueError(f"limiter is one of {', '.join(LIMITERS)}, not {self.limiter!r}")
        if self.lost_after and self.executors < 2:
            raise ValueError("a job needs a second executor when it loses one")

    @property
    def tasks(self) -> int:
        """How many tasks run at a time."""
        return self.executors * self.slots


class Report(NamedTuple):
    """What became of a job. Rows are those of requests of `ROWS` rows."""

    seconds: float
    """From its start to the end of its last part."""
    executed: int
    """Different rows that the server has executed."""
    requests: int
    """Requests that have arrived at the server."""
    refused: int
    """Those of them that were rejected with status 429."""
    twice: int
    """Executions of rows that had been executed before."""
    settled_twice: int
    """Those that the state of the part had as settled when the attempt began."""
    failed: int
    """Rows that the job reports as failed."""
    unknown: int
    """Rows that the job reports as unknown."""
    given_up: int
    """Rows of parts that did not end, which an engine reports."""
    lost: int
    """Rows that no report mentions, and that were not executed."""
    attempts: int
    deaths: int
    """Attempts that died, or stopped with an exception."""

    def share(self, plan: Plan) -> float:
        """Return the rows that were executed as a share of what the limit allows."""
        return self.executed / ROWS / self.seconds / plan.rate


def _now() -> float:
    """Return the virtual time."""
    return asyncio.get_running_loop().time()


def simulate(plan: Plan) -> Report:
    """Run a job in virtual time. The same plan always has the same report."""
    # The client draws its pauses from the generator that all of a process share.
    kept = global_random.getstate()
    global_random.seed(plan.seed)
    try:
        return virtual_time.run(_Job(plan).run())
    finally:
        global_random.setstate(kept)


class _Executor:
    """A machine."""

    def __init__(self, slowness: float, limiter: Limiter) -> None:
        self.slowness = slowness
        self.limiter = limiter
        """What its tasks share if each machine has a limiter."""
        self.lost = False


class _Attempt:
    """One attempt at a part, in a process of its own. It never raises."""

    def __init__(self, job: _Job, part: int, executor: _Executor) -> None:
        self.alive = True
        self.part = part
        self.executor = executor
        self.began = _now()
        self.number = job.next_attempt(part)
        self.failures: set[int] = set()
        """Rows that it has reported as failed or unknown."""
        self._job = job
        self._settled = IntRanges()
        self._task: asyncio.Task[Summary | None] | None = None

    def was_settled(self, row: int) -> bool:
        """Return whether its state had a row as settled when it began."""
        return row in self._settled

    def die(self) -> None:
        """End the process: it writes and sends nothing more."""
        self.alive = False
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> Summary | None:
        """Return the outcome of the part; ``None`` if the attempt has failed."""
        self._task = asyncio.create_task(self._send())
        plan = self._job.plan
        death = None
        if plan.life:
            life = self._job.random.expovariate(1 / plan.life)
            death = asyncio.get_running_loop().call_later(life, self.die)
        await asyncio.wait([self._task])
        if death is not None:
            death.cancel()
        try:
            return self._task.result()
        except (BulkStopped, AttemptSuperseded, asyncio.CancelledError):
            return None

    async def _send(self) -> Summary | None:
        """Do what `talon_one.bulk.partition` does."""
        plan = self._job.plan
        configuration = Configuration("https://simulation.invalid", {"api_key_v1": "simulation"})
        configuration.connection_pool_maxsize = plan.concurrency
        wire = Wire(self._job.server, self, plan.state)
        api = aio.IntegrationApi(aio.ApiClient(configuration, transport=wire))
        operation: BulkOperation = getattr(operations, plan.operation)(api)
        if self.number and not plan.state and not operation.idempotent:
            return None  # It refuses to.
        state = self._state(operation) if plan.state else None
        options: dict[str, Any] = {
            "limiter": self._job.limiter(self),
            "concurrency": plan.concurrency,
            "chunk_size": _ROWS,
            "failures": self._fail,
            "resume": None if state is None else state.record.token,
        }

        def save(progress: Progress) -> None:
            if state is not None:
                state.save(progress.token, failures=[], complete=False, reasons={})

        options["progress"] = save
        summary = await TaskRunner(operation, self._rows(), options).execute()
        if state is not None:
            state.save(summary.token, failures=[], complete=True, reasons={})
        return summary

    def _state(self, operation: BulkOperation) -> PartState:
        folder = MemoryFolder(self._job.files[self.part], self)
        host = operation.client.configuration.host
        state = PartState(
            folder, self.part, self.number, operation.name, host, operation.idempotent
        )
        if state.record.token is not None:
            self._settled = read_token(state.record.token, operation.name).settled
        return state

    def _fail(self, failure: Failure) -> None:
        if self.alive:
            self.failures.add(failure.index)

    async def _rows(self) -> AsyncIterator[dict[str, Any]]:
        plan = self._job.plan
        for number in range(plan.requests * _ROWS):
            if number % _ROWS == 0:
                await asyncio.sleep(plan.prepare * self.executor.slowness)
            name = f"{self.part}-{number}"
            if plan.operation == "profiles":
                yield {"integrationId": name, "attributes": {}}
            else:
                yield {"action": "add", "profileIntegrationId": name, "audienceId": 1}


class _Job:
    """The driver of an engine, and what its tasks share."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.random = Random(plan.seed)
        burst = max(1.0, plan.burst or plan.rate)
        self.server = Server(
            plan.rate, burst, plan.retry_after, plan.lost_responses, plan.times, self.random
        )
        self.files: list[dict[str, bytes]] = [{} for _ in range(plan.parts)]
        """The folder of the state of each part."""
        self._limiter = NoLimit(clock=_now) if plan.limiter == "none" else self._new_limiter()
        self._tick = max(_TICK, 1 / plan.rate)
        self._waiting = deque(range(plan.parts))
        self._running: list[_Attempt] = []
        self._attempts: list[list[_Attempt]] = [[] for _ in range(plan.parts)]
        self._failed_attempts = [0] * plan.parts
        self._outcomes: dict[int, Summary] = {}
        self._given_up: set[int] = set()
        self._durations: list[float] = []
        self._deaths = 0
        self._last_end = 0.0

    # -- For attempts --------------------------------------------------------------------------

    def next_attempt(self, part: int) -> int:
        """Return the number of a new attempt at a part."""
        return len(self._attempts[part])

    def limiter(self, attempt: _Attempt) -> Limiter:
        """Return what an attempt passes on as its limiter."""
        kind = self.plan.limiter
        if kind == "divided":
            # A new one for each attempt, because a pickled limiter has started no calls.
            return self._limiter.divide(self.plan.tasks, attempt.part)
        if kind == "whole":
            return self._new_limiter()
        return attempt.executor.limiter if kind == "machine" else self._limiter

    def _new_limiter(self) -> Limiter:
        return Limiter(1, 1 / self.plan.rate, _now)

    # -- The driver ----------------------------------------------------------------------------

    async def run(self) -> Report:
        """Run all parts."""
        plan = self.plan
        loop = asyncio.get_running_loop()
        executors = [
            _Executor(
                plan.slowness if number < plan.stragglers else 1.0,
                self._limiter.divide(plan.executors, number),
            )
            for number in range(plan.executors)
        ]
        # Slot by slot, so that the first parts are spread over all machines.
        slots = [
            asyncio.create_task(self._work(executor))
            for _ in range(plan.slots)
            for executor in executors
        ]
        if plan.lost_after:
            loop.call_later(plan.lost_after, self._lose, executors[-1])
        while len(self._outcomes) + len(self._given_up) < plan.parts:
            await asyncio.sleep(self._tick)
        for slot in slots:
            slot.cancel()
        return self._report()

    async def _work(self, executor: _Executor) -> None:
        """Run one attempt after another in a slot of an executor."""
        while not executor.lost:
            part = self._next_part()
            if part is None:
                await asyncio.sleep(self._tick)
                continue
            attempt = _Attempt(self, part, executor)
            self._attempts[part].append(attempt)
            self._running.append(attempt)
            summary = await attempt.run()
            if attempt in self._running:  # Otherwise the driver has lost or killed it.
                self._end(attempt, summary)

    def _next_part(self) -> int | None:
        if self._waiting:
            return self._waiting.popleft()
        plan = self.plan
        # Second attempts at operations that must not be sent twice would be refused.
        if not plan.speculation or plan.operation != "profiles":
            return None
        if len(self._outcomes) < _SPECULATION_AFTER * plan.parts:
            return None
        now = _now()
        limit = _SPECULATION_FACTOR * median(self._durations)
        parts = [attempt.part for attempt in self._running]
        slow = (
            attempt.part
            for attempt in self._running
            if now - attempt.began > limit and parts.count(attempt.part) == 1
        )
        return next(slow, None)

    def _end(self, attempt: _Attempt, summary: Summary | None) -> None:
        """Note the end of an attempt."""
        self._running.remove(attempt)
        part, now = attempt.part, _now()
        if summary is not None:
            self._outcomes[part] = summary
            self._durations.append(now - attempt.began)
            self._last_end = now
            for other in [other for other in self._running if other.part == part]:
                self._running.remove(other)
                other.die()
            return
        self._deaths += 1
        self._failed_attempts[part] += 1
        if any(other.part == part for other in self._running):
            return
        if self._failed_attempts[part] < self.plan.attempts:
            asyncio.get_running_loop().call_later(self.plan.restart, self._waiting.appendleft, part)
        else:
            self._given_up.add(part)
            self._last_end = now

    def _lose(self, executor: _Executor) -> None:
        """Give up an executor: its parts run elsewhere."""
        executor.lost = True
        for attempt in [each for each in self._running if each.executor is executor]:
            if not self.plan.zombie:
                attempt.die()
            self._end(attempt, None)

    # -- The report ----------------------------------------------------------------------------

    def _report(self) -> Report:
        executed = self.server.executed
        failed = sum(each.failed for each in self._outcomes.values())
        unknown = sum(each.unknown for each in self._outcomes.values())
        return Report(
            seconds=self._last_end,
            executed=_STANDS_FOR * len(executed),
            requests=self.server.requests,
            refused=self.server.refused,
            twice=_STANDS_FOR * (sum(executed.values()) - len(executed)),
            settled_twice=_STANDS_FOR * self.server.settled_again,
            failed=_STANDS_FOR * failed,
            unknown=_STANDS_FOR * unknown,
            given_up=_STANDS_FOR * len(self._given_up) * self.plan.requests * _ROWS,
            lost=_STANDS_FOR * sum(map(self._count_lost, self._outcomes)),
            attempts=sum(map(len, self._attempts)),
            deaths=self._deaths,
        )

    def _count_lost(self, part: int) -> int:
        """Return how many rows of a part that has ended were neither executed nor reported."""
        reported = set().union(*(attempt.failures for attempt in self._attempts[part]))
        return sum(
            row not in reported and not self.server.executed[part, row]
            for row in range(self.plan.requests * _ROWS)
        )
