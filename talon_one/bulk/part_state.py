"""State of the parts of a job: one resume token for each, in a folder that all attempts share.

A part has a folder, in which each attempt has files of its own, so no attempt overwrites the state
of another. An attempt makes its file *before* it reads those of the others, and the other way
round, it looks for files of newer attempts *after* it has written which rows it is going to send.
So of two attempts that run at the same time, at least one sees the other and stops, and no row is
sent by both. That takes a store that lists what was written, and nothing else: no locks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple
from uuid import uuid4

from talon_one._utils.quoting import quoted
from talon_one.bulk.folders import Folder, Location, open_folder
from talon_one.bulk.resume_token import Counts, read_token
from talon_one.exceptions import ApiValueError, OpenApiException

_VERSION = 1
_PART = re.compile(r"part-(\d{5,})")
# An attempt writes two files in turn: half of a file costs no more than one step back.
_FILE = re.compile(r"(attempt-\d{4,}\.[0-9a-f]{8})\.[01]\.json")


class AttemptSuperseded(OpenApiException):
    """A newer attempt works on the same part, so this one stops. It has not sent these rows."""


class Part(NamedTuple):
    """What became of the rows of one part of a job."""

    part: int
    """Number of the part."""
    attempt: int
    """Number of the attempt whose state this is."""
    complete: bool
    """Whether the end of its rows was reached."""
    sent: int
    """Rows that the server has accepted."""
    failed: int
    """Rows that were not sent, or not accepted; they may be sent again."""
    unknown: int
    """Rows that may have been executed, those included that were being sent when a process died."""
    reasons: dict[str, int]
    """Why rows failed, with the number of rows for each reason."""
    failures: list[str]
    """Paths or URLs of the files with its failures."""


class Record(NamedTuple):
    """What an attempt writes: all that a later one has to know."""

    operation: str
    host: str
    part: int
    attempt: int
    idempotent: bool
    """Whether sending a row twice does no harm."""
    generation: int
    """How many attempts of the part came before, as far as they were seen."""
    sequence: int = 0
    """How many records the attempt has written before."""
    complete: bool = False
    token: str | None = None
    reasons: dict[str, int] = {}  # noqa: RUF012  a default of a NamedTuple, which nobody changes
    failures: list[str] = []  # noqa: RUF012  the same

    def to_bytes(self) -> bytes:
        """Return the record as JSON."""
        return json.dumps({"version": _VERSION, **self._asdict()}).encode()

    @property
    def settled(self) -> int:
        """How many rows need not be sent again."""
        return 0 if self.token is None else sum(_counts(self))


class PartState:
    """State of one part, as one attempt writes it.

    Args:
        folder: Folder of the state of the whole job.
        part: Number of the part.
        attempt: Number of the attempt.
        operation: Name of the operation with its arguments.
        host: Address of the API; a state is of no use for another.
        idempotent: Whether sending a row twice does no harm. Then attempts do not stop each other.

    Raises:
        ApiValueError: The state belongs to another operation or host, or cannot be read.
    """

    def __init__(
        self,
        folder: Folder,
        part: int,
        attempt: int,
        operation: str,
        host: str,
        idempotent: bool,
    ) -> None:
        self._folder = folder
        self._within = part_name(part)
        self._idempotent = idempotent
        self.owner = f"attempt-{attempt:04}.{uuid4().hex[:8]}"
        """Name of the attempt, different from those of all others."""
        self._known = {self.owner, *_owners(folder.names(self._within))}
        self._superseded = False
        self.record: Record
        """What was written last."""
        self._sequence = 0
        claim = Record(operation, host, part, attempt, idempotent, generation=0)
        self._write(claim)
        found = list(_records(folder, self._within))
        for other in found:
            _check_same_job(other, claim, folder)
        last = _latest(found)
        generation = 1 + max((each.generation for each in found), default=-1)
        own = claim._replace(generation=generation)
        if last is not None:
            own = own._replace(token=last.token, reasons=last.reasons, failures=last.failures)
        self._write(own)

    def save(
        self,
        token: str,
        *,
        failures: list[str],
        complete: bool,
        reasons: dict[str, int],
    ) -> None:
        """Write the state. When this returns, the rows that the token has in flight may be sent.

        Args:
            token: Resume token.
            failures: Names of the files with failures, those of earlier attempts included.
            complete: Whether the end of the rows was reached.
            reasons: Why rows failed, those of earlier attempts included.

        Raises:
            AttemptSuperseded: There is a newer attempt, and rows must not be sent twice.
        """
        if self._superseded:
            raise self._stop()
        changed = self.record._replace(
            token=token,
            failures=failures,
            complete=complete,
            reasons=reasons,
        )
        if changed == self.record:
            return
        self._write(changed)
        if not self._idempotent and _owners(self._folder.names(self._within)) - self._known:
            # The newer attempt may have missed this record, and goes on from an earlier one.
            self._superseded = True
            self._write(changed._replace(token=None))
            raise self._stop()

    def _stop(self) -> AttemptSuperseded:
        return AttemptSuperseded(
            f"a newer attempt at part {self.record.part} has begun, so {self.owner} stops: rows"
            " must not be sent twice"
        )

    def _write(self, record: Record) -> None:
        self.record = record._replace(sequence=self._sequence)
        self._sequence += 1
        name = f"{self._within}/{self.owner}.{self.record.sequence % 2}.json"
        self._folder.write(name, self.record.to_bytes(), durable=not self._idempotent)


def part_name(part: int) -> str:
    """Return the name of the folder, or the beginning of the name of a file, of a part."""
    return f"part-{part:05}"


def parts_in(state: Location) -> Iterator[Part]:
    """Yield what became of each part of a job, in the order of their numbers.

    A part that has not begun is not there. The job may still be running.

    Args:
        state: Folder of the state, as for `partition`.

    Raises:
        ApiTypeError: *state* is no path or URL.
        ApiValueError: The state cannot be read.
    """
    folder = open_folder(state)
    numbers = [int(found[1]) for name in folder.names() if (found := _PART.fullmatch(name))]
    for number in sorted(numbers):
        last = _latest(list(_records(folder, part_name(number))))
        if last is not None:
            counts = _counts(last)
            yield Part(
                number, last.attempt, last.complete, *counts, last.reasons, list(last.failures)
            )


def _latest(records: list[Record]) -> Record | None:
    """Return the record to go on from; ``None`` if none has a token."""

    def rank(record: Record) -> tuple[int, ...]:
        # Attempts that may run at the same time know of different rows. Where rows must not be sent
        # twice, the newest has gone on from what the others knew.
        order = 0 if record.idempotent else record.generation
        return record.complete, order, record.settled, record.generation

    return max((each for each in records if each.token is not None), key=rank, default=None)


def _records(folder: Folder, within: str) -> Iterator[Record]:
    """Yield the last readable record of each attempt."""
    by_owner: dict[str, list[Record]] = {}
    for name in folder.names(within):
        found = _FILE.fullmatch(name)
        if found is None:
            continue
        record = _parse(folder, f"{within}/{name}")
        if record is not None:
            by_owner.setdefault(found[1], []).append(record)
    for records in by_owner.values():
        yield max(records, key=lambda each: each.sequence)


def _parse(folder: Folder, name: str) -> Record | None:
    """Return a record; ``None`` for half of a file.

    Raises:
        ApiValueError: It was written by another release.
    """
    try:
        content = json.loads(folder.read(name))
        version = content.pop("version")
        record = Record(**content) if version == _VERSION else None
    except (ValueError, TypeError, KeyError, AttributeError, FileNotFoundError):
        return None
    if record is None:
        raise ApiValueError(
            f"{folder.place(name)} was written by another release: end the job with that, or send"
            " all rows with a new state folder"
        )
    return record


def _check_same_job(found: Record, own: Record, folder: Folder) -> None:
    for name in ("operation", "host"):
        theirs, ours = getattr(found, name), getattr(own, name)
        if theirs != ours:
            raise ApiValueError(
                f"the state in {folder.location} belongs to the {name} {quoted(theirs)}, not to"
                f" {quoted(ours)}: use another folder"
            )


def _owners(names: list[str]) -> set[str]:
    return {found[1] for name in names if (found := _FILE.fullmatch(name))}


def _counts(record: Record) -> Counts:
    """Return the outcomes of the rows of a record that has a token."""
    token = read_token(record.token, record.operation)
    pending = sum(end - begin for begin, end in token.in_flight)
    return token.counts._replace(unknown=token.counts.unknown + pending)
