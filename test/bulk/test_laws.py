"""Every row comes to exactly one end, whatever fails, and wherever the work is cut off."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from talon_one import IntegrationApi
from talon_one.bulk import operations as work
from talon_one.bulk.chunks import Run
from talon_one.bulk.failures import Failure, FailuresFile
from talon_one.bulk.pieces import Piece
from talon_one.bulk.reports import Progress
from talon_one.bulk.resume_token import IntRanges, read_token, runs
from talon_one.exceptions import (
    BadRequestException,
    NoResponseError,
    NotSentError,
    ServiceException,
    TooManyRequestsException,
)

# Whoever else uses the machine must not decide whether a law holds.
UNHURRIED = settings(deadline=None, max_examples=300)

API = IntegrationApi(host="https://a.test", api_key="k")
FINE, INVALID, REFUSED = "fine", "invalid", "refused"
FAULTS = (None, None, NotSentError, TooManyRequestsException, NoResponseError, ServiceException)
# After which the server has carried the request out, for all that anyone knows.
ACTING = (NoResponseError, ServiceException)

fates = st.lists(
    st.tuples(st.sampled_from([FINE, FINE, FINE, INVALID, REFUSED]), st.integers(0, 4)), max_size=40
)


@dataclass
class World:
    """A server, and what it has carried out."""

    kind: str
    fates: list[tuple[str, int]]
    faults: list[Any]
    points: bool
    accepted: Counter[int] = field(default_factory=Counter)
    order: list[int] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    now: list[set[int]] = field(default_factory=list)

    @property
    def made(self) -> work.BulkOperation:
        return work.profiles(API, None) if self.kind == "profiles" else work.audiences(API)

    def rows(self) -> Iterator[dict[str, Any]]:
        for number, (fate, person) in enumerate(self.fates):
            attributes = {"Number": number if fate != INVALID else float("nan")}
            if self.kind == "profiles":
                yield {"integrationId": f"p{person}", "attributes": attributes}
            else:
                action = "add" if fate != INVALID else "subtract"
                yield {
                    "action": action,
                    "profileIntegrationId": f"p{person}",
                    "audienceId": 7,
                    "number": number,
                }

    def answer(self, piece: Piece) -> BaseException | None:
        """Carry out a request, or not; return what the client would raise."""
        fates = [self.fates[index][0] for index in piece.indices]
        if INVALID in fates:
            return work_error(self.made, piece)
        fault = self.faults.pop() if self.faults else None
        if fault is not None and fault not in ACTING:
            return fault(429 if fault is TooManyRequestsException else None)  # type: ignore[no-any-return]
        if REFUSED in fates:
            name = "customerProfiles" if self.kind == "profiles" else "data"
            errors = [
                {"title": "x", "source": {"pointer": f"/{name}/{place}/x"} if self.points else {}}
                for place, fate in enumerate(fates)
                if fate == REFUSED
            ]
            return BadRequestException(400, data={"message": "no", "errors": errors})
        self.accepted.update(piece.indices)
        self.order += piece.indices
        return None if fault is None else fault(500 if fault is ServiceException else None)


def work_error(made: work.BulkOperation, piece: Piece) -> BaseException:
    """Return what a request that cannot be made raises."""
    for row in piece.rows:
        problem = made.problem(row, validate=True)
        if problem:
            return ValueError(problem)
    raise AssertionError("nothing is wrong")


@dataclass
class Ended:
    """What a run left behind."""

    token: str
    finished: bool


def run_through(
    world: World, size: int, at_once: int, chance: random.Random, resume: str | None, steps: int
) -> Ended:
    """Do the work, for so many steps at most; then it is cut off as if by lightning."""
    told: list[Progress] = []
    failures = FailuresFile()
    run = Run(world.made, size, failures, told.append, None, resume)
    failures.open(world.failures.append, resuming=resume is not None)
    rows = world.rows()
    under_way: list[tuple[Piece, BaseException | None]] = []
    run.tell()
    while True:
        while run.hungry:
            try:
                run.add(next(rows))
            except StopIteration:
                run.exhaust()
        piece = run.next() if len(under_way) < at_once else None
        if piece is not None:
            meeting = [set(each.indices) for each, _ in under_way]
            people = {world.fates[index][1] for index in piece.indices}
            for other in meeting:
                assert not people & {world.fates[index][1] for index in other}
            assert len(people) == len(piece.indices)
            under_way.append((piece, world.answer(piece)))
        elif under_way:
            piece, failure = under_way.pop(chance.randrange(len(under_way)))
            if failure is None:
                run.succeeded(piece, None)
            else:
                run.failed(piece, failure)
        else:
            run.close()
            return Ended(told[-1].token, True)
        steps -= 1
        if not steps:
            return Ended(told[-1].token, False)


@UNHURRIED
@given(
    st.sampled_from(["profiles", "audiences"]),
    fates,
    st.lists(st.sampled_from(FAULTS), max_size=10),
    st.booleans(),
    st.integers(1, 12),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_every_row_comes_to_exactly_one_end(
    kind: str,
    fates: list[tuple[str, int]],
    faults: list[Any],
    points: bool,
    size: int,
    at_once: int,
    chance: random.Random,
) -> None:
    world = World(kind, fates, faults, points)
    made = world.made
    ended = run_through(world, size, at_once, chance, None, -1)
    assert ended.finished
    token = read_token(ended.token, made.operation.id)
    assert sum(token.counts) == len(fates)
    assert list(token.settled) == ([(0, len(fates))] if fates else [])
    assert list(token.under_way) == []
    failed = Counter(each.index for each in world.failures)
    assert max(failed.values(), default=1) == 1
    unknown = {each.index for each in world.failures if each.outcome == "unknown"}
    for index, (fate, _) in enumerate(fates):
        if fate != FINE:
            # It is at fault, and nothing of it was ever carried out.
            assert failed[index] == 1
            assert not world.accepted[index]
        elif not failed[index] or index in unknown:
            assert world.accepted[index] == 1 or index in unknown
        assert world.accepted[index] <= 1
    if made.operation.idempotent:
        assert not unknown
    # What failed without doubt was not carried out, unless that does no harm.
    if not made.operation.idempotent:
        assert not [index for index in failed if index not in unknown and world.accepted[index]]


@UNHURRIED
@given(
    st.sampled_from(["profiles", "audiences"]),
    fates,
    st.lists(st.sampled_from(FAULTS), max_size=6),
    st.booleans(),
    st.integers(1, 12),
    st.integers(1, 4),
    st.lists(st.integers(1, 25), max_size=4),
    st.randoms(use_true_random=False),
)
def test_work_that_is_cut_off_anywhere_goes_on_without_loss_and_without_harm(
    kind: str,
    fates: list[tuple[str, int]],
    faults: list[Any],
    points: bool,
    size: int,
    at_once: int,
    cuts: list[int],
    chance: random.Random,
) -> None:
    world = World(kind, fates, faults, points)
    token = None
    for steps in [*cuts, -1]:
        ended = run_through(world, size, at_once, chance, token, steps)
        token = ended.token
        if ended.finished:
            break
    assert ended.finished
    accounted = {each.index for each in world.failures} | set(world.accepted)
    # Nothing is lost.
    assert accounted == set(range(len(fates)))
    # What would do harm if carried out twice was carried out once.
    if not world.made.operation.idempotent:
        assert max(world.accepted.values(), default=1) == 1
    # A later row of a profile is never overtaken by an earlier one of the same run.
    if not cuts:
        for person in range(5):
            mine = [index for index in world.order if fates[index][1] == person]
            assert mine == sorted(mine)


@given(st.sets(st.integers(0, 60)), st.randoms(use_true_random=False))
def test_ranges_are_a_set_of_numbers(numbers: set[int], chance: random.Random) -> None:
    ranges = IntRanges()
    some = list(numbers)
    chance.shuffle(some)
    while some:
        taken = sorted(some.pop() for _ in range(min(len(some), chance.randint(1, 5))))
        for begin, end in runs(taken):
            ranges.add(begin, end)
    assert {number for begin, end in ranges for number in range(begin, end)} == numbers
    assert [number for number in range(70) if number in ranges] == sorted(numbers)
    # As few as there can be.
    borders = [border for each in ranges for border in each]
    assert borders == sorted(set(borders))
    assert list(runs(sorted(numbers))) == list(ranges)
    assert ranges.end == max(numbers, default=-1) + 1
