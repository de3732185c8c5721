"""What the state of a job says of the whole of it, so that it serves no other job."""

from __future__ import annotations

import json
from typing import NamedTuple, Protocol

from talon_one._core.address import base_url
from talon_one._utils.quoting import quoted
from talon_one.bulk.folders import Folder
from talon_one.exceptions import ApiValueError

_NAME = "_job.json"


class JobRecord(NamedTuple):
    """What all parts of a job have in common."""

    operation: str
    """Name of the operation with its arguments."""
    host: str
    """Address of the API; a state is of no use for another."""
    parts: int | None
    """How many parts there are, if that is known. Other parts have other rows."""
    rows: list[int] | None = None
    """How many rows each part had, once all of them are complete, if the engine says so."""


def check_job(folder: Folder, job: JobRecord, part: int) -> None:
    """Check that a state is that of a job, or make it so if it is new.

    Args:
        folder: Folder of the state.
        job: The job.
        part: Number of the part that begins.

    Raises:
        ApiValueError: It is the state of another job, or there is no such part.
        ConfigurationError: The state is new, and the host of the job is none.
    """
    found = read_job(folder)
    if found is None:
        base_url(job.host)  # A mistake must not become the host of the state.
        found = job
        _write(folder, job)
    check_same(folder, found, job)
    if found.parts is None and job.parts is not None:
        found = job
        _write(folder, job)
    if job.parts is not None and job.parts != found.parts:
        raise _other_parts(folder, found, f"not of {job.parts}")
    if found.parts is not None and part >= found.parts:
        raise _other_parts(folder, found, f"and this is number {part}, counted from 0")


class _OfJob(Protocol):
    @property
    def operation(self) -> str: ...
    @property
    def host(self) -> str: ...


def check_same(folder: Folder, found: _OfJob, own: _OfJob) -> None:
    """Check that a record of a state has the operation and the host of a job.

    Raises:
        ApiValueError: It has others.
    """
    for name in ("operation", "host"):
        theirs, ours = getattr(found, name), getattr(own, name)
        if theirs != ours:
            raise ApiValueError(
                f"the state in {folder.location} belongs to the {name} {quoted(theirs)}, not to"
                f" {quoted(ours)}: use another folder"
            )


def record_parts(folder: Folder, parts: int, rows: list[int] | None = None) -> None:
    """Write how many parts a job has, once an engine knows.

    Args:
        folder: Folder of the state.
        parts: Number of the parts of the latest run.
        rows: How many rows each of them had, if all are complete. Otherwise a number that is known
            already stays: the run may have been refused because it has another one.
    """
    found = read_job(folder)
    if found is not None and (found.parts is None or rows is not None):
        _write(folder, found._replace(parts=parts, rows=rows))


def _other_parts(folder: Folder, found: JobRecord, what: str) -> ApiValueError:
    return ApiValueError(
        f"the state in {folder.location} belongs to a job of {found.parts} parts, {what}: other"
        " parts have other rows, and would send some twice. Divide the rows as before, or send all"
        " of them with a new state"
    )


def read_job(folder: Folder) -> JobRecord | None:
    """Return what the state says of the whole job; ``None`` if it says nothing."""
    try:
        text = folder.read(_NAME)
    except FileNotFoundError:
        return None
    try:
        job = JobRecord(**json.loads(text))
        numbers = [*(job.rows or ()), job.parts or 0]
    except (ValueError, RecursionError, TypeError):
        # Half of a file is as good as none: the parts have records of their own.
        return None
    return job if all(type(each) is int for each in numbers) else None


def _write(folder: Folder, job: JobRecord) -> None:
    folder.write(_NAME, json.dumps(job._asdict()).encode(), durable=True)
