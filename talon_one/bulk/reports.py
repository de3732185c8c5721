"""What bulk work tells: how far it has come, what became of a request, and of all rows."""

from __future__ import annotations

from typing import Any, NamedTuple

from talon_one.exceptions import OpenApiException


class Summary(NamedTuple):
    """What became of bulk work: of all of it, also where it was resumed."""

    sent: int
    """Rows that the server has accepted."""
    failed: int
    """Rows that were not sent, or not accepted; they may be fed in again."""
    unknown: int
    """Rows that may have been carried out, and were not repeated because that would do harm."""
    skipped: int
    """Rows that were settled before the work was resumed; they are among those above."""
    requests: int
    """How many requests were made this time, repetitions of the client not counted."""
    complete: bool
    """Whether the end of the rows was reached."""
    reasons: dict[str, int]
    """Why rows were not sent this time, and how many of them."""
    token: str
    """Resume token."""

    def __str__(self) -> str:
        end = "" if self.complete else "; not complete"
        text = f"{self.sent} sent, {self.failed} failed, {self.unknown} unknown{end}"
        for reason, count in self.reasons.items():
            text += f"\n  {count}: {reason}"
        return text


class Progress(NamedTuple):
    """How far bulk work has come."""

    sent: int
    failed: int
    unknown: int
    total: int | None
    """How many rows there are, if that is known."""
    token: str
    """Resume token; rows that are being sent, and may not be repeated, are noted in it."""
    finished: bool
    """Whether the work has ended, in whatever way: nothing comes after this."""

    @property
    def done(self) -> int:
        """How many rows are settled, whatever became of them."""
        return self.sent + self.failed + self.unknown


class ChunkResult(NamedTuple):
    """What became of one request."""

    first: int
    """Number of its first row."""
    last: int
    """Number of its last row. Some between them may have gone with another request."""
    rows: int
    """How many rows it held."""
    outcome: str
    """``"sent"``; ``"failed"``; ``"unknown"``; ``"refused"`` where its rows, or the good ones among
    them, are sent again; ``"left"`` where the work stops, and the next run sends them."""
    answer: Any = None
    """What the method returned."""
    failure: BaseException | None = None


class BulkStopped(OpenApiException, RuntimeError):
    """Bulk work ended before the end of the rows; its cause is chained.

    Requests that were under way have come to their end. `Summary.token` resumes the work.

    Attributes:
        summary: What became of the rows so far.
    """

    def __init__(self, message: str, summary: Summary) -> None:
        self.summary = summary
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.summary)
