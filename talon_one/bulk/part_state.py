"""State of the parts of a job: one resume token for each, in a folder that all attempts share.

A part has a folder, in which each attempt has files of its own, so no attempt overwrites the state
of another. An attempt makes its file *before* it reads those of the others, and the other way
round, it looks for files of other attempts *after* it has written which rows it is going to send.
So of two attempts that run at the same time, at least one sees the other and stops, and no row is
sent by both. That takes a store that lists what was written, and nothing else: no locks.

The record of the decisions has the whole argument: "No lock keeps two attempts from sending the
same row".
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple
from uuid import uuid4

from talon_one.bulk.folders import Folder, Location, open_folder
from talon_one.bulk.job_record import check_same, read_job
from talon_one.bulk.resume_token import Counts, read_token
from talon_one.exceptions import ApiValueError, OpenApiException

_VERSION = 1
_PART = re.compile(r"part-([0-9]{5}|[1-9][0-9]{5,})")
# An attempt writes two files in turn: half of a file costs no more than one step back.
_FILE = re.compile(r"(attempt-[0-9]{4,}\.([0-9]{4,})\.[0-9a-f]{8})\.[01]\.json")


class AttemptSuperseded(OpenApiException):
    """Another attempt at the same part has begun, so this one stops: rows must not be sent twice.

    It is the cause of a `BulkStopped`. The other attempt goes on where this one has ended.
    """


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
    """Higher than those of all attempts that had begun when this one began."""
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

    @property
    def sent(self) -> int:
        """How many rows the server has accepted."""
        return 0 if self.token is None else _counts(self).sent


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
        self._superseded = False
        self._sequence = 0
        known = _owners(folder.names(self._within))
        generation = 1 + max(known.values(), default=-1)
        self.record = Record(operation, host, part, attempt, idempotent, generation)
        """What was written last."""
        # Before this attempt is seen by the others: a mistake must not stop them.
        self._read()
        self.owner = f"attempt-{attempt:04}.{generation:04}.{uuid4().hex[:8]}"
        """Name of the attempt, different from those of all others."""
        self._known = {self.owner, *known}
        self._write(self.record)
        last = _latest(self._read())
        if last is not None:
            self._write(
                self.record._replace(
                    token=last.token,
                    complete=last.complete,
                    reasons=last.reasons,
                    failures=last.failures,
                )
            )

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
            AttemptSuperseded: There is another attempt, and rows must not be sent twice.
        """
        # A complete part stays complete while an attempt finds that out.
        complete = complete or (self.record.complete and token == self.record.token)
        changed = self.record._replace(
            token=token, failures=failures, complete=complete, reasons=reasons
        )
        if changed != self.record:
            self._write(changed)
            if not self._idempotent:
                names = self._folder.names(self._within)
                self._superseded |= not self._known.issuperset(_owners(names))
        if self._superseded:
            raise AttemptSuperseded(
                f"another attempt at part {self.record.part} has begun, so attempt"
                f" {self.record.attempt} ({self.owner}) stops: rows must not be sent twice"
            )

    def _read(self) -> list[Record]:
        """Return the records of all attempts, after checking that they are of the same job."""
        records = _records(self._folder, self._within)
        for record in records:
            check_same(self._folder, record, self.record)
        return records

    def _write(self, record: Record) -> None:
        record = record._replace(sequence=self._sequence)
        name = f"{self._within}/{self.owner}.{record.sequence % 2}.json"
        self._folder.write(name, record.to_bytes(), durable=not self._idempotent)
        # Only now: if writing fails, the next record goes into the same file, not the good one.
        self.record = record
        self._sequence += 1


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
        ApiValueError: It was written by another release.
        OSError: It cannot be read. Stores behind fsspec may raise exceptions of their own.
    """
    return _parts(open_folder(state))


def _parts(folder: Folder) -> Iterator[Part]:
    job = read_job(folder)
    ended = job is not None and job.rows is not None
    numbers = [int(found[1]) for name in folder.names() if (found := _PART.fullmatch(name))]
    for number in sorted(numbers):
        last = _latest(_records(folder, part_name(number)))
        if last is not None:
            yield Part(
                number,
                last.attempt,
                last.complete or ended,
                *_counts(last),
                last.reasons,
                list(last.failures),
            )


def _latest(records: list[Record]) -> Record | None:
    """Return the record to go on from; ``None`` if none has a token."""

    def rank(record: Record) -> tuple[int, ...]:
        # Where rows must not be sent twice, only the latest attempt is sure to know of all that
        # were sent. Others may run at the same time, and each knows of different rows.
        order = 0 if record.idempotent else record.generation
        return order, record.settled, record.complete, record.generation

    return max((each for each in records if each.token is not None), key=rank, default=None)


def _records(folder: Folder, within: str) -> list[Record]:
    """Return the last readable record of each attempt."""
    records, halves = _read_records(folder, within)
    while halves:
        # Half of a file is being written, or its process was killed. Its attempt may have written
        # the other file meanwhile, after that was read here.
        before = records, halves
        records, halves = _read_records(folder, within)
        if (records, halves) == before:
            break
    lost = next((owner for owner, count in halves.items() if count > 1), None)
    if lost is not None:
        # An attempt writes one file while the other one is whole.
        raise ApiValueError(
            f"{folder.place(within)} has two files of {lost}, and none of them can be read: restore"
            " them, or send all rows with a new state folder"
        )
    return records


def _read_records(folder: Folder, within: str) -> tuple[list[Record], Counter[str]]:
    """Return the last readable record of each attempt, and how many files of each are not."""
    latest: dict[str, Record] = {}
    halves: Counter[str] = Counter()
    for name in folder.names(within):
        found = _FILE.fullmatch(name)
        if found is None:
            continue
        record = _parse(folder, f"{within}/{name}")
        if record is None:
            halves[found[1]] += 1
        elif found[1] not in latest or latest[found[1]].sequence < record.sequence:
            latest[found[1]] = record
    return list(latest.values()), halves


def _parse(folder: Folder, name: str) -> Record | None:
    """Return a record; ``None`` for half of a file, and for what no release has written.

    Raises:
        ApiValueError: It was written by another release.
    """
    try:
        text = folder.read(name)
    except FileNotFoundError:
        return None
    # What else a store raises must not look like half of a file.
    try:
        content = json.loads(text)
        version = content.pop("version")
        record = Record(**content) if version == _VERSION else None
        valid = record is None or _has_types(record)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if record is None:
        raise ApiValueError(
            f"{folder.place(name)} was written by another release: end the job with that, or send"
            " all rows with a new state folder"
        )
    return record if valid else None


def _has_types(record: Record) -> bool:
    """Return whether a record that was read has the types of one that was written."""
    numbers = (record.part, record.attempt, record.generation, record.sequence)
    texts = (record.operation, record.host)
    return (
        all(type(each) is int for each in (*numbers, *record.reasons.values()))
        and all(type(each) is bool for each in (record.idempotent, record.complete))
        and all(type(each) is str for each in (*texts, *record.failures))
        and (record.token is None or type(record.token) is str)
        and type(record.failures) is list
    )


def _owners(names: list[str]) -> dict[str, int]:
    """Return the generation of each attempt."""
    return {found[1]: int(found[2]) for name in names if (found := _FILE.fullmatch(name))}


def _counts(record: Record) -> Counts:
    """Return the outcomes of the rows of a record that has a token."""
    token = read_token(record.token, record.operation)
    pending = sum(
        row not in token.settled for begin, end in token.in_flight for row in range(begin, end)
    )
    return token.counts._replace(unknown=token.counts.unknown + pending)
