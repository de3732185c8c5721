"""Resume tokens: which rows of a bulk job are settled, as compact text."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from talon_one._utils.quoting import quoted
from talon_one.bulk.fingerprint import Mark
from talon_one.exceptions import ApiTypeError, ApiValueError

Range = tuple[int, int]
"""Consecutive row numbers: the first, and the one after the last."""

_VERSION = 2
# Tokens of the first version have no fingerprint of their rows.
_VERSION_WITHOUT_FINGERPRINT = 1

HOW_TO_RESUME = (
    "resume with the same rows in the same order, or start over without resume (a part: with"
    " another state), which sends all rows"
)


class IntRanges:
    """A set of integers, stored as ranges that do not touch."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        for begin, end in ranges:
            self.add(begin, end)

    def add(self, begin: int, end: int) -> None:
        """Add the integers from *begin* up to but excluding *end*."""
        if begin >= end:
            return
        first = bisect_right(self._begins, begin)
        if first and self._ends[first - 1] >= begin:
            first -= 1
            begin = self._begins[first]
        last = bisect_right(self._begins, end)
        if last > first:
            end = max(end, self._ends[last - 1])
        self._begins[first:last] = [begin]
        self._ends[first:last] = [end]

    def __contains__(self, number: int) -> bool:
        position = bisect_right(self._begins, number)
        return position > 0 and number < self._ends[position - 1]

    def __iter__(self) -> Iterator[Range]:
        return zip(self._begins, self._ends, strict=True)

    @property
    def end(self) -> int:
        """The integer after the largest one; 0 if there are none."""
        return self._ends[-1] if self._ends else 0


def to_ranges(numbers: Sequence[int]) -> Iterator[Range]:
    """Yield ascending integers as ranges."""
    if not numbers:
        return
    if numbers[-1] - numbers[0] + 1 == len(numbers):  # Nearly always.
        yield numbers[0], numbers[-1] + 1
        return
    begin = end = numbers[0]
    for number in numbers:
        if number > end:
            yield begin, end
            begin = number
        end = number + 1
    yield begin, end


class Counts(NamedTuple):
    """How many rows have which outcome."""

    sent: int = 0
    failed: int = 0
    unknown: int = 0


class Token(NamedTuple):
    """Contents of a resume token."""

    operation: str
    """`BulkOperation.name` of the job; no other job accepts the token."""
    settled: IntRanges
    in_flight: IntRanges
    """Rows that were being sent and must not be sent twice."""
    counts: Counts
    mark: Mark
    """Fingerprint of at least all rows up to the last one that is settled or in flight."""

    def to_text(self) -> str:
        """Return the token as text."""
        return json.dumps(
            {
                "version": _VERSION,
                "operation": self.operation,
                "settled": list(self.settled),
                "inFlight": list(self.in_flight),
                "counts": self.counts,
                "rows": self.mark.rows,
                "digest": self.mark.digest,
            },
            separators=(",", ":"),
        )


def new_token(operation: str) -> Token:
    """Return the token of a job that has not begun."""
    return Token(operation, IntRanges(), IntRanges(), Counts(), Mark())


def read_token(text: Any, operation: str) -> Token:
    """Parse a resume token.

    Raises:
        ApiTypeError: It is not a string.
        ApiValueError: It is not a token, or one of another job.
    """
    if not isinstance(text, str):
        raise ApiTypeError(f"resume is the token of a summary, not {quoted(text)}")
    try:
        data = json.loads(text)
        if data["version"] == _VERSION_WITHOUT_FINGERPRINT:
            raise ApiValueError(
                "the token was written by an earlier release and does not identify its rows:"
                f" {HOW_TO_RESUME}"
            )
        if data["version"] != _VERSION:
            raise ValueError("unknown version")
        token = Token(
            str(data["operation"]),
            _parse_ranges(data["settled"]),
            _parse_ranges(data["inFlight"]),
            Counts(*map(_parse_number, data["counts"])),
            Mark(_parse_number(data["rows"]), str(data["digest"])),
        )
        if token.mark.rows < max(token.settled.end, token.in_flight.end):
            raise ValueError("more rows are settled than were read")
    except (KeyError, TypeError, ValueError, RecursionError) as cause:
        if isinstance(cause, ApiValueError):
            raise
        raise ApiValueError("resume is not the token of a bulk job") from cause
    if token.operation != operation:
        raise ApiValueError(f"the token belongs to {quoted(token.operation)}, not to {operation}")
    return token


def _parse_ranges(data: Any) -> IntRanges:
    return IntRanges((_parse_number(begin), _parse_number(end)) for begin, end in data)


def _parse_number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a row number")
    return value
