"""Properties of bulk jobs: every row has exactly one outcome, whatever fails."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from support.examples import examples
from talon_one import IntegrationApi
from talon_one.bulk import operations
from talon_one.bulk.chunks import Piece
from talon_one.bulk.failures import Failure, FailureSink
from talon_one.bulk.reports import Progress
from talon_one.bulk.resume_token import IntRanges, read_token, to_ranges
from talon_one.bulk.run import Run
from talon_one.exceptions import (
    BadRequestException,
    NoResponseError,
    NotSentError,
    ServiceException,
    TooManyRequestsException,
)

# The load of the machine must not decide whether a property holds.
NO_DEADLINE = settings(examples(100), deadline=None)

API = IntegrationApi(host="https://a.test", api_key="k")
VALID, INVALID, REFUSED = "valid", "invalid", "refused"
FAULTS = (None, None, NotSentError, TooManyRequestsException, NoResponseError, ServiceException)
# Faults after which the server may have executed the request.
EXECUTED = (NoResponseError, ServiceException)


@dataclass
class Platform:
    """A fake platform, its rows, and what it has executed."""

    name: str
    row_kinds: list[tuple[str, int]]
    faults: list[Any]
    points: bool
    executed: Counter[int] = field(default_factory=Counter)
    order: list[int] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    @property
    def operation(self) -> operations.BulkOperation:
        if self.name == "profiles":
            return operations.profiles(API, None)
        return operations.audiences(API)

    def rows(self) -> Iterator[dict[str, Any]]:
        for number, (kind, person) in enumerate(self.row_kinds):
            attributes = {"Number": number if kind != INVALID else float("nan")}
            if self.name == "profiles":
                yield {"integrationId": f"p{person}", "attributes": attributes}
            else:
                action = "add" if kind != INVALID else "subtract"
                yield {
                    "action": action,
                    "profileIntegrationId": f"p{person}",
                    "audienceId": 7,
                    "number": number,
                }

    def send(self, piece: Piece) -> BaseException | None:
        """Carry out a request, or not; return the exception that the client would raise."""
        kinds = [self.row_kinds[index][0] for index in piece.indices]
        if INVALID in kinds:
            return invalid_row_error(self.operation, piece)
        fault = self.faults.pop() if self.faults else None
        if fault is not None and fault not in EXECUTED:
            return fault(429 if fault is TooManyRequestsException else None)  # type: ignore[no-any-return]
        if REFUSED in kinds:
            name = "customerProfiles" if self.name == "profiles" else "data"
            errors = [
                {
                    "title": "x",
                    "source": {"pointer": f"/{name}/{position}/x"} if self.points else {},
                }
                for position, kind in enumerate(kinds)
                if kind == REFUSED
            ]
            return BadRequestException(400, data={"message": "no", "errors": errors})
        self.executed.update(piece.indices)
        self.order += piece.indices
        return None if fault is None else fault(500 if fault is ServiceException else None)


def platforms() -> st.SearchStrategy[Platform]:
    """Generate platforms, with the kind and the profile of each row, and the next faults."""
    kinds = st.sampled_from([VALID, VALID, VALID, INVALID, REFUSED])
    return st.builds(
        Platform,
        name=st.sampled_from(["profiles", "audiences"]),
        row_kinds=st.lists(st.tuples(kinds, st.integers(0, 4)), max_size=40),
        faults=st.lists(st.sampled_from(FAULTS), max_size=10),
        points=st.booleans(),
    )


def invalid_row_error(operation: operations.BulkOperation, piece: Piece) -> BaseException:
    """Return the exception of a request with an invalid row."""
    for row in piece.rows:
        problem = operation.problem(row)
        if problem:
            return ValueError(problem)
    raise AssertionError("no row is invalid")


@dataclass
class EndedRun:
    """Last token of a run."""

    token: str
    finished: bool
    """Whether it was not abandoned."""
    complete: bool
    """Whether it reached the end of the rows."""


def run_through(
    platform: Platform,
    size: int,
    concurrency: int,
    chance: random.Random,
    resume: str | None,
    steps: int,
    max_failed_chunks: int | None = None,
) -> EndedRun:
    """Run the job for at most so many steps, then abandon it as if the process was killed."""
    reports: list[Progress] = []
    failures = FailureSink()
    run = Run(platform.operation, size, failures, reports.append, None, resume, max_failed_chunks)
    failures.open(platform.failures.append, resuming=resume is not None)
    rows = platform.rows()
    in_flight: list[tuple[Piece, BaseException | None]] = []
    run.report_progress()
    while True:
        while run.needs_rows:
            try:
                run.add(next(rows))
            except StopIteration:
                run.exhaust()
        piece = run.next() if len(in_flight) < concurrency else None
        if piece is not None:
            people = {platform.row_kinds[index][1] for index in piece.indices}
            for other, _ in in_flight:
                assert not people & {platform.row_kinds[index][1] for index in other.indices}
            assert len(people) == len(piece.indices)
            in_flight.append((piece, platform.send(piece)))
        elif in_flight:
            piece, failure = in_flight.pop(chance.randrange(len(in_flight)))
            run.finish(piece, None, failure)
        else:
            run.close()
            return EndedRun(reports[-1].token, True, run.summary.complete)
        steps -= 1
        if not steps:
            return EndedRun(reports[-1].token, False, False)


@NO_DEADLINE
@given(
    platforms(),
    st.integers(1, 12),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_every_row_has_exactly_one_outcome(
    platform: Platform,
    size: int,
    concurrency: int,
    chance: random.Random,
) -> None:
    operation, row_kinds = platform.operation, platform.row_kinds
    ended = run_through(platform, size, concurrency, chance, None, -1)
    assert ended.complete
    token = read_token(ended.token, operation.name)
    assert sum(token.counts) == len(row_kinds)
    assert list(token.settled) == ([(0, len(row_kinds))] if row_kinds else [])
    assert list(token.in_flight) == []
    failed = Counter(each.index for each in platform.failures)
    assert max(failed.values(), default=1) == 1
    unknown = {each.index for each in platform.failures if each.outcome == "unknown"}
    for index, (kind, _) in enumerate(row_kinds):
        if kind != VALID:
            # The row is at fault, and was never executed.
            assert failed[index] == 1
            assert not platform.executed[index]
        elif not failed[index] or index in unknown:
            assert platform.executed[index] == 1 or index in unknown
        assert platform.executed[index] <= 1
    if operation.idempotent:
        assert not unknown
    # Rows that have failed were not executed, unless that does no harm.
    if not operation.idempotent:
        assert not [index for index in failed if index not in unknown and platform.executed[index]]


@NO_DEADLINE
@given(
    platforms(),
    st.integers(1, 12),
    st.integers(1, 4),
    st.lists(st.integers(1, 25), max_size=4),
    st.sampled_from([None, 1, 2, 4]),
    st.randoms(use_true_random=False),
)
def test_a_job_interrupted_anywhere_resumes_without_lost_or_duplicate_rows(
    platform: Platform,
    size: int,
    concurrency: int,
    cuts: list[int],
    max_failed_chunks: int | None,
    chance: random.Random,
) -> None:
    row_kinds = platform.row_kinds
    token = None
    runs = 0
    # Each run that stops has used up a fault, or has failed a row.
    for steps in chain(cuts, repeat(-1)):
        ended = run_through(platform, size, concurrency, chance, token, steps, max_failed_chunks)
        token = ended.token
        runs += 1
        if ended.complete:
            break
        assert runs <= len(cuts) + 10 + len(row_kinds)
    settled = {each.index for each in platform.failures} | set(platform.executed)
    # No row is lost.
    assert settled == set(range(len(row_kinds)))
    # No row is executed twice if that does harm.
    if not platform.operation.idempotent:
        assert max(platform.executed.values(), default=1) == 1
    failed = {each.index for each in platform.failures}
    for person in range(5):
        mine = [index for index in platform.order if row_kinds[index][1] == person]
        # The rows of a profile are executed in their order.
        if runs == 1:
            assert mine == sorted(mine)
        # None is executed after a later one that nobody will send again.
        assert not mine or mine[-1] >= max((row for row in mine if row not in failed), default=0)


@NO_DEADLINE
@given(platforms(), st.integers(1, 4), st.integers(1, 4), st.randoms(use_true_random=False))
def test_an_outage_fails_no_row_that_may_be_sent_again(
    platform: Platform, concurrency: int, limit: int, chance: random.Random
) -> None:
    row_kinds = platform.row_kinds = [(VALID, index) for index in range(len(platform.row_kinds))]
    fault = NoResponseError if platform.operation.idempotent else NotSentError
    platform.faults = [fault] * 10**4
    before = run_through(platform, 1, concurrency, chance, None, -1, limit)
    assert before.complete == (len(row_kinds) < limit)
    platform.faults.clear()
    if before.complete:
        assert len(platform.failures) == len(row_kinds)
        return
    assert platform.failures == []
    platform.executed.clear()
    assert run_through(platform, 1, concurrency, chance, before.token, -1, limit).complete
    assert set(platform.executed.values()) == {1}
    assert len(platform.executed) == len(row_kinds)


@given(st.sets(st.integers(0, 60)), st.randoms(use_true_random=False))
def test_int_ranges_are_a_set_of_integers(numbers: set[int], chance: random.Random) -> None:
    ranges = IntRanges()
    rest = list(numbers)
    chance.shuffle(rest)
    while rest:
        taken = sorted(rest.pop() for _ in range(min(len(rest), chance.randint(1, 5))))
        for begin, end in to_ranges(taken):
            ranges.add(begin, end)
    assert {number for begin, end in ranges for number in range(begin, end)} == numbers
    assert [number for number in range(70) if number in ranges] == sorted(numbers)
    # No two ranges touch.
    borders = [border for each in ranges for border in each]
    assert borders == sorted(set(borders))
    assert list(to_ranges(sorted(numbers))) == list(ranges)
    assert ranges.end == max(numbers, default=-1) + 1
