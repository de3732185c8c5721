"""What the result of a request means for its rows, without any I/O."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bulk.runs import memberships, profiles
from talon_one import ClientClosedError, IntegrationApi, InvalidResponseError
from talon_one.bulk import operations
from talon_one.bulk.chunks import Piece
from talon_one.bulk.failures import Failure, FailureSink
from talon_one.bulk.reports import ChunkResult, Progress
from talon_one.bulk.run import RequestNotStarted, Run
from talon_one.exceptions import (
    BadRequestException,
    NoResponseError,
    NotSentError,
    ServiceException,
    UnauthorizedException,
)

API = IntegrationApi(host="https://a.test", api_key="k")
INVALID: dict[str, Any] = {"action": "subtract", "profileIntegrationId": "x", "audienceId": 7}


class Job:
    """A run of a few rows, one piece of which is in flight."""

    def __init__(
        self,
        rows: list[Any],
        *,
        idempotent: bool = False,
        size: int = 9,
        on_failure: Callable[[Failure], object] | None = None,
        **settings: Any,
    ) -> None:
        self.failures: list[Failure] = []
        self.results: list[ChunkResult] = []
        self.reports: list[Progress] = []
        sink = FailureSink()
        sink.open(on_failure or self.failures.append, resuming=False)
        operation = operations.profiles(API, None) if idempotent else operations.audiences(API)
        self.run = Run(operation, size, sink, self.reports.append, self.results.append, **settings)
        for row in rows:
            self.run.add(row)
        self.run.exhaust()
        self.piece = self.next()

    def next(self) -> Piece:
        piece = self.run.next()
        assert piece is not None
        return piece

    def end(self, failure: BaseException | None, response: Any = None) -> ChunkResult:
        """End the request in flight, and return its result."""
        self.run.finish(self.piece, response, failure)
        return self.results[-1]


def test_a_response_settles_its_rows() -> None:
    job = Job(list(memberships(3)))
    assert job.run.in_flight == 1
    assert job.end(None, "received") == ChunkResult(0, 2, 3, "sent", "received", None)
    assert job.run.in_flight == 0
    assert job.run.next() is None
    assert job.run.summary[:5] == (3, 0, 0, 0, 1)


def test_a_run_is_complete_only_after_its_end() -> None:
    job = Job(list(memberships(3)))
    job.end(None)
    assert not job.run.summary.complete
    job.run.close()
    assert job.run.summary.complete
    assert [each.finished for each in job.reports] == [False, False, True]


def test_a_run_whose_lost_rows_cannot_be_written_is_not_complete() -> None:
    def full(failure: Failure) -> None:
        raise OSError("no space left")

    job = Job(list(memberships(3)), on_failure=full)
    with pytest.raises(OSError, match="no space left"):
        job.run.close()
    assert not job.run.summary.complete
    # The next run marks them as unknown.
    assert json.loads(job.run.summary.token)["inFlight"] == [[0, 3]]


@pytest.mark.parametrize("idempotent", [False, True])
def test_a_foreign_exception_leaves_the_rows_only_if_they_may_be_sent_twice(
    idempotent: bool,
) -> None:
    job = Job(list(profiles(2) if idempotent else memberships(2)), idempotent=idempotent)
    cause = LookupError("in the middle of sending")
    assert job.end(cause).outcome == ("deferred" if idempotent else "unknown")
    assert job.run.stopped is cause
    assert job.run.in_flight == 0
    # The call made no request that is known of.
    assert job.run.summary[:5] == (0, 0, 0 if idempotent else 2, 0, 0)
    assert [each.outcome for each in job.failures] == ([] if idempotent else ["unknown"] * 2)
    assert {each.status for each in job.failures} <= {None}


def test_a_foreign_exception_because_of_a_row_fails_that_row_and_sends_the_others() -> None:
    first, second = memberships(2)
    job = Job([first, INVALID, second])
    assert job.end(LookupError("of the row")).outcome == "refused"
    assert job.run.stopped is None
    assert job.run.in_flight == 0
    assert [(each.index, each.outcome) for each in job.failures] == [(1, "failed")]
    again = job.next()
    assert (again.indices, again.rows) == ([0, 2], [first, second])
    job.run.finish(again, None, None)
    assert job.run.summary[:5] == (2, 1, 0, 0, 1)


def test_a_request_of_invalid_rows_alone_has_failed_and_ends_its_chunk() -> None:
    job = Job([INVALID, *memberships(1)], size=1)
    assert job.end(ValueError("invalid")).outcome == "failed"
    assert job.run.in_flight == 0
    assert job.run.stopped is None
    assert job.next().indices == [1]


@pytest.mark.parametrize(
    "failure", [ClientClosedError("closed"), RequestNotStarted("the job was stopped")]
)
def test_a_request_that_was_not_made_is_not_counted(failure: Exception) -> None:
    job = Job(list(memberships(2)))
    assert job.end(failure) == ChunkResult(0, 1, 2, "deferred", None, failure)
    assert job.run.stopped is failure
    assert job.run.summary[:5] == (0, 0, 0, 0, 0)


def test_the_cause_of_a_request_that_was_not_made_stops_the_run() -> None:
    job = Job(list(memberships(2)))
    failure = RequestNotStarted("the request was not made")
    failure.__cause__ = TimeoutError("of the limiter")
    assert job.end(failure).outcome == "deferred"
    assert job.run.stopped is failure.__cause__


@pytest.mark.parametrize("idempotent", [False, True])
def test_rows_of_a_refused_key_are_unknown_if_an_earlier_attempt_may_have_sent_them(
    idempotent: bool,
) -> None:
    job = Job(list(profiles(2) if idempotent else memberships(2)), idempotent=idempotent)
    failure = UnauthorizedException(401)
    failure.earlier = (NoResponseError(),)
    assert job.end(failure).outcome == ("deferred" if idempotent else "unknown")
    assert job.run.summary[:5] == (0, 0, 0 if idempotent else 2, 0, 1)
    assert [each.status for each in job.failures] == ([] if idempotent else [401] * 2)


def test_an_unreadable_response_accepts_the_rows_and_ends_a_series_of_failures() -> None:
    job = Job(list(memberships(3)), size=1, max_failed_chunks=2)
    job.end(BadRequestException(400))
    job.piece = job.next()
    assert job.end(InvalidResponseError(200)).outcome == "sent"
    job.piece = job.next()
    job.end(BadRequestException(400))
    assert job.run.stopped is None
    assert job.run.summary[:3] == (1, 2, 0)


def test_the_limit_of_failed_chunks_is_reached_exactly() -> None:
    job = Job(list(memberships(4)), size=1, max_failed_chunks=2)
    job.end(BadRequestException(400))
    assert job.run.stopped is None
    job.piece = job.next()
    job.end(failure := BadRequestException(400))
    assert job.run.stopped is failure
    assert job.run.next() is None
    assert not job.run.needs_rows


# -- Outages: whether failures are about the rows is decided later ---------------------------------


def rows_of_one(count: int, idempotent: bool) -> list[Any]:
    """Return rows that must be sent one after another."""
    if idempotent:
        return [{"integrationId": "p", "attributes": {"Number": each}} for each in range(count)]
    return [{"action": "add", "profileIntegrationId": "p", "audienceId": 7}] * count


@pytest.mark.parametrize("idempotent", [False, True])
def test_a_row_that_must_not_be_sent_twice_fails_before_another_of_its_profile_is_sent(
    idempotent: bool,
) -> None:
    job = Job(rows_of_one(2, idempotent), idempotent=idempotent, max_failed_chunks=9)
    job.end(NotSentError())
    assert job.failures == []
    job.piece = job.next()
    # Otherwise the process could die after the later row was executed, and the next run would send
    # the earlier one. An idempotent operation sends both again, in their order.
    assert [each.index for each in job.failures] == ([] if idempotent else [0])
    assert job.end(None).outcome == "sent"
    assert [each.index for each in job.failures] == [0]
    assert job.run.summary[:3] == (1, 1, 0)


def test_a_row_that_is_accepted_after_the_stop_fails_the_earlier_ones_of_its_profile() -> None:
    rows = [*rows_of_one(2, True), *profiles(2)]
    job = Job(rows, idempotent=True, size=1, max_failed_chunks=2)
    job.end(NoResponseError())
    job.piece, other = job.next(), job.next()
    job.run.finish(other, None, NoResponseError())
    assert isinstance(job.run.stopped, NoResponseError)
    job.end(None)
    job.run.close()
    assert [each.index for each in job.failures] == [0]
    assert json.loads(job.run.summary.token)["settled"] == [[0, 2]]


def test_pieces_of_a_chunk_that_was_accepted_in_part_wait_as_well() -> None:
    job = Job(list(profiles(4)), idempotent=True, size=2, max_failed_chunks=1)
    job.end(BadRequestException(400))
    job.piece, second = job.next(), job.next()
    job.end(None)
    job.run.finish(second, None, ServiceException(503))
    # A row of the chunk was accepted, so it does not count as failed.
    assert job.run.stopped is None
    job.piece = job.next()
    job.end(failure := ServiceException(503))
    assert job.run.stopped is failure
    job.run.close()
    assert job.failures == []
    assert json.loads(job.run.summary.token)["settled"] == [[0, 1]]


def test_without_a_limit_of_failed_chunks_rows_fail_immediately() -> None:
    job = Job(list(profiles(2)), idempotent=True, size=1, max_failed_chunks=None)
    job.end(NoResponseError())
    assert [each.index for each in job.failures] == [0]


@pytest.mark.parametrize("failure", [None, BadRequestException(400)])
def test_failures_that_cannot_be_written_when_an_outage_ends_leave_their_rows(
    failure: BaseException | None,
) -> None:
    def full(failure: Failure) -> None:
        raise OSError("no space left")

    for idempotent in (False, True):
        rows = list(profiles(4) if idempotent else memberships(4))
        job = Job(rows, idempotent=idempotent, size=1, on_failure=full, max_failed_chunks=9)
        job.end(NotSentError())
        job.piece = job.next()
        with pytest.raises(OSError, match="no space left") as caught:
            job.end(failure)
        job.run.stop(caught.value)
        job.run.close()
        token = json.loads(job.run.summary.token)
        assert token["settled"] == ([] if failure else [[1, 2]])
        assert token["inFlight"] == []


def test_a_refused_chunk_is_split_in_the_middle_and_in_order() -> None:
    job = Job(list(memberships(5)))
    assert job.end(BadRequestException(400)).outcome == "refused"
    assert job.run.in_flight == 0
    parts = [job.next(), job.next()]
    assert [each.indices for each in parts] == [[0, 1], [2, 3, 4]]
    assert job.run.next() is None


def test_a_row_that_was_sent_alone_is_not_blamed_on_others() -> None:
    job = Job(list(memberships(2)))
    job.end(BadRequestException(400))
    for _ in range(2):
        job.piece = job.next()
        assert job.end(BadRequestException(400)).outcome == "failed"
    assert [each.status for each in job.failures] == [400, 400]
    assert not any("another row" in each.reason for each in job.failures)


def test_a_run_needs_rows_until_it_has_some_or_ends_or_stops() -> None:
    run = Run(operations.audiences(API), 2, FailureSink())
    first, second, third = memberships(3)
    assert run.needs_rows
    run.add(first)
    assert run.needs_rows
    run.add(second)
    assert not run.needs_rows
    assert run.next() is not None
    assert run.needs_rows
    run.add(third)
    run.stop(ValueError("no more"))
    assert not run.needs_rows
    ended = Run(operations.audiences(API), 2, FailureSink())
    ended.exhaust()
    assert not ended.needs_rows
    assert ended.next() is None


def test_ctrl_c_replaces_an_error_and_is_replaced_by_nothing() -> None:
    run = Job(list(memberships(1))).run
    for cause in (ValueError("first"), TypeError("second")):
        run.stop(cause)
        assert str(run.stopped) == "first"
    run.stop(KeyboardInterrupt("third"))
    for later in (ValueError("fourth"), KeyboardInterrupt("fifth")):
        run.stop(later)
        assert str(run.stopped) == "third"


def test_a_piece_whose_progress_cannot_be_reported_is_not_in_flight() -> None:
    calls: list[Progress] = []

    def report(progress: Progress) -> None:
        calls.append(progress)
        raise OSError("no space left")

    run = Run(operations.audiences(API), 9, FailureSink(), report)
    for row in memberships(2):
        run.add(row)
    run.exhaust()
    with pytest.raises(OSError, match="no space left"):
        run.next()
    assert run.in_flight == 0
    # The token that was to be kept knew of the request.
    assert json.loads(calls[0].token)["inFlight"] == [[0, 2]]
    assert json.loads(run.summary.token)["inFlight"] == []
