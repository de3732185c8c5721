"""Reports of bulk jobs: progress, the result of a request, the summary, and `BulkStopped`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from talon_one._utils.quoting import message_of
from talon_one.exceptions import OpenApiException

# How many different reasons a summary lists; the rest are counted together.
_MAX_REASONS = 20
_OTHER_REASONS = "other reasons"


def add_reasons(reasons: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Return the number of rows for each reason, of which the first ones are listed."""
    result = dict(reasons)
    for reason, count in more.items():
        known = reason in result or len(result) < _MAX_REASONS
        name = reason if known else _OTHER_REASONS
        result[name] = result.get(name, 0) + count
    return result


def _sum_of_reasons(one: Mapping[str, int], two: Mapping[str, int]) -> dict[str, int]:
    """Return the reasons of two summaries together; the same ones in whatever order parts come.

    A limit on the first ones would depend on the order, and so would one on the most frequent.
    """
    result = dict(one)
    for reason, count in two.items():
        result[reason] = result.get(reason, 0) + count
    names = sorted(result.keys() - {_OTHER_REASONS}, key=lambda reason: (len(reason), reason))
    for name in names[_MAX_REASONS:]:
        result[_OTHER_REASONS] = result.get(_OTHER_REASONS, 0) + result.pop(name)
    return result


class Summary(NamedTuple):
    """Outcome of all rows of a bulk job, those of earlier runs included."""

    sent: int
    """Rows that the server has accepted."""
    failed: int
    """Rows that were not sent, or not accepted; they may be sent again."""
    unknown: int
    """Rows that may have been executed and were not retried, because that could do harm."""
    skipped: int
    """Rows that an earlier run has settled; they are included in the counts above."""
    requests: int
    """How many requests this run made, retries of the client not counted."""
    complete: bool
    """Whether the end of the rows was reached."""
    reasons: dict[str, int]
    """Why rows failed in this run, with the number of rows for each reason. Beyond 20 reasons, the
    rest is counted as ``"other reasons"``."""
    token: str
    """Resume token; empty in the sum of several summaries."""

    def __add__(self, other: object) -> Summary:
        """Return the outcome of the rows of two jobs, or parts of a job, together."""
        if not isinstance(other, Summary):
            return NotImplemented
        return Summary(
            self.sent + other.sent,
            self.failed + other.failed,
            self.unknown + other.unknown,
            self.skipped + other.skipped,
            self.requests + other.requests,
            self.complete and other.complete,
            _sum_of_reasons(self.reasons, other.reasons),
            token="",
        )

    def __radd__(self, other: object) -> Summary:
        # `sum` begins with 0.
        return self if type(other) is int and other == 0 else NotImplemented

    def __str__(self) -> str:
        end = "" if self.complete else "; not complete"
        text = f"{self.sent} sent, {self.failed} failed, {self.unknown} unknown{end}"
        for reason, count in sorted(self.reasons.items(), key=_frequency):
            text += f"\n  {count}: {reason}"
        return text


def _frequency(item: tuple[str, int]) -> tuple[bool, int, str]:
    """Return the key by which frequent reasons are printed first."""
    reason, count = item
    return reason == _OTHER_REASONS, -count, reason


class Progress(NamedTuple):
    """Progress of a bulk job."""

    sent: int
    failed: int
    unknown: int
    total: int | None
    """How many rows there are, if that is known."""
    token: str
    """Resume token. It includes rows that are being sent and must not be sent twice."""
    finished: bool
    """Whether the run has ended, with or without an error: this is its last report."""

    @property
    def done(self) -> int:
        """How many rows are settled, whatever their outcome."""
        return self.sent + self.failed + self.unknown


class ChunkResult(NamedTuple):
    """Result of one request."""

    first: int
    """Number of its first row."""
    last: int
    """Number of its last row. Some rows in between may belong to another request."""
    rows: int
    """How many rows it held."""
    outcome: str
    """``"sent"``; ``"failed"``, also if an outage is about to stop the job, so that the next run
    sends the rows; ``"unknown"``; ``"refused"`` if its rows, or the valid ones among them, are sent
    again; ``"deferred"`` if the job stops and the next run sends them."""
    response: Any = None
    """What the method of the API returned."""
    failure: BaseException | None = None


class BulkStopped(OpenApiException, RuntimeError):
    """A bulk job ended before the end of its rows; the cause is chained.

    No request is in flight any more. `Summary.token` resumes the job.

    Attributes:
        summary: Outcome of the rows so far.
    """

    def __init__(self, message: str, summary: Summary) -> None:
        self.summary = summary
        super().__init__(message)

    @classmethod
    def by(cls, cause: Exception, summary: Summary, before: int) -> BulkStopped:
        """Return the exception to raise from *cause*.

        Args:
            cause: What stopped the job.
            summary: Outcome of the rows so far.
            before: How many rows earlier runs have sent.
        """
        message = message_of(cause)
        text = f"{type(cause).__name__}: {message}" if message else type(cause).__name__
        earlier = f", {before} by earlier runs" if before else ""
        return cls(f"{text} ({summary.sent - before} rows sent{earlier})", summary)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.summary)
