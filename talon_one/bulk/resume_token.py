"""The ledger of bulk work: which rows are settled, as ranges and as a resume token. No I/O."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from talon_one._utils.quoting import quoted
from talon_one.bulk.fingerprint import Mark
from talon_one.exceptions import ApiTypeError, ApiValueError

Range = tuple[int, int]
"""Numbers of rows: the first, and the one behind the last."""

_VERSION = 2
# Tokens of the first version do not say which rows they are about.
_WITHOUT_ROWS = 1


START_ANEW = (
    "resume with the same rows in the same order, or start anew without resume, which sends all"
    " rows"
)


class IntRanges:
    """A set of numbers of rows, kept as ranges that do not touch."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        for begin, end in ranges:
            self.add(begin, end)

    def add(self, begin: int, end: int) -> None:
        """Add the numbers from *begin* up to, and without, *end*."""
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
        place = bisect_right(self._begins, number)
        return place > 0 and number < self._ends[place - 1]

    def __iter__(self) -> Iterator[Range]:
        return zip(self._begins, self._ends, strict=True)

    @property
    def end(self) -> int:
        """Number behind the last one."""
        return self._ends[-1] if self._ends else 0


def runs(numbers: Sequence[int]) -> Iterator[Range]:
    """Yield numbers, which rise, as ranges."""
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
    """How many rows have come to which end."""

    sent: int = 0
    failed: int = 0
    unknown: int = 0


class Token(NamedTuple):
    """What a resume token says."""

    operation: str
    """What the work calls; the token fits nothing else."""
    settled: IntRanges
    under_way: IntRanges
    """Rows that were being sent, where a repetition would do more than once."""
    counts: Counts
    mark: Mark
    """Which rows it is about: at least all up to the last one that is settled or under way."""

    def written(self) -> str:
        """Return the token as text."""
        return json.dumps(
            {
                "version": _VERSION,
                "operation": self.operation,
                "settled": list(self.settled),
                "underWay": list(self.under_way),
                "counts": self.counts,
                "rows": self.mark.rows,
                "digest": self.mark.digest,
            },
            separators=(",", ":"),
        )


def read_token(text: Any, operation: str) -> Token:
    """Return what a resume token says.

    Raises:
        ApiTypeError: It is no text.
        ApiValueError: It is no token, or that of other work.
    """
    if not isinstance(text, str):
        raise ApiTypeError(f"resume is the token of a summary, not {quoted(text)}")
    try:
        data = json.loads(text)
        if data["version"] == _WITHOUT_ROWS:
            raise ApiValueError(
                "the token was written by an earlier release and does not say which rows it is"
                f" about: {START_ANEW}"
            )
        if data["version"] != _VERSION:
            raise ValueError("unknown version")
        token = Token(
            str(data["operation"]),
            _ranges(data["settled"]),
            _ranges(data["underWay"]),
            Counts(*map(_number, data["counts"])),
            Mark(_number(data["rows"]), str(data["digest"])),
        )
        if token.mark.rows < max(token.settled.end, token.under_way.end):
            raise ValueError("more rows are settled than were read")
    except (KeyError, TypeError, ValueError, RecursionError) as cause:
        if isinstance(cause, ApiValueError):
            raise
        raise ApiValueError("resume is no token of bulk work") from cause
    if token.operation != operation:
        raise ApiValueError(f"the token is one of {quoted(token.operation)}, not of {operation}")
    return token


def _ranges(data: Any) -> IntRanges:
    return IntRanges((_number(begin), _number(end)) for begin, end in data)


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("no number of a row")
    return value
