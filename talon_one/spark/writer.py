"""Writer of data frames: each task sends its partition as a part of a bulk job."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import pyarrow as arrow
from pyspark.sql.datasource import DataSourceArrowWriter, WriterCommitMessage

import talon_one
from talon_one.bulk import SharedLimiter, Summary, parts_in
from talon_one.bulk.folders import open_folder
from talon_one.bulk.job_record import read_job, record_parts
from talon_one.bulk.partition import send_part
from talon_one.exceptions import ApiTypeError, ApiValueError, OpenApiException
from talon_one.limiter import Limiter, limiter_of
from talon_one.spark import credentials
from talon_one.spark.columns import rows_of
from talon_one.spark.jobs import WriteJob
from talon_one.spark.tasks import Task, current_task

logger = logging.getLogger("talon_one.spark")

SUMMARY = "_summary.json"
"""File with the outcome of the whole job, in the folder of the state or of the failures."""


class RowsFailed(OpenApiException):
    """More rows of a job failed than the option ``maxFailedRows`` allows.

    The other rows were sent. The job counts as failed, so that the next step of a pipeline does not
    begin.

    Attributes:
        summary: Outcome of all rows.
    """

    def __init__(self, message: str, summary: Summary) -> None:
        self.summary = summary
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.summary)


class SparkWarning(UserWarning):
    """Spark is set up in a way that will probably make the job fail, or send rows twice."""


@dataclass
class PartSent(WriterCommitMessage):
    """What a task reports to the driver."""

    part: int
    attempt: int
    rows: int
    summary: Summary
    failures: list[str]


class Writer(DataSourceArrowWriter):
    """Sends the rows of a data frame.

    Args:
        job: What the options say.
    """

    def __init__(self, job: WriteJob) -> None:
        self._job = job

    def begin(self) -> None:
        """Write that the job has begun, on the driver, so that nobody takes an old summary for it.

        Raises:
            ApiValueError: The folders of the options cannot be used.
        """
        job = self._job
        for name, location in (("state", job.state), ("failures", job.failures)):
            if location is None:
                continue
            if location.lower().startswith("memory:"):
                raise ApiValueError(f"the option {name} is in memory, which tasks do not share")
            try:
                open_folder(location).names()
            except (ApiTypeError, ApiValueError):
                raise
            except Exception as cause:  # Stores behind fsspec have exceptions of their own.
                raise _unusable(name, location, cause) from cause
        location = job.state or job.failures
        if location is not None:
            content = {"operation": job.operation, "complete": False}
            try:
                open_folder(location).write(SUMMARY, json.dumps(content).encode())
            except Exception as cause:  # The same.
                name = "failures" if job.state is None else "state"
                raise _unusable(name, location, cause) from cause

    def write(self, iterator: Iterator[arrow.RecordBatch]) -> WriterCommitMessage:
        """Send the rows of one partition, in a task.

        Raises:
            ApiValueError: Spark may run two attempts at once, and rows must not be sent twice.
            BulkStopped: The part ended before the end of its rows.
        """
        job, task = self._job, current_task()
        if task.speculation and not job.facts.idempotent:
            raise ApiValueError(
                f"{job.operation} is not idempotent, and spark.speculation is on: set it to false,"
                " because two attempts at a task would send the same rows; nothing was sent"
            )
        check_shared(job)
        configuration = credentials.configuration(job.credentials, job.own_credentials)
        concurrency = job.settings.get("concurrency") or 0
        configuration.connection_pool_maxsize = max(
            configuration.connection_pool_maxsize or 0, concurrency
        )
        rows = _Rows(iterator, job, task.part)
        with talon_one.ApiClient(configuration) as client:
            options = {
                **job.arguments,
                **job.settings,
                "limiter": _limiter(client, job, task) or True,
            }
            api = getattr(talon_one, job.api)(client)
            summary, files = send_part(
                job.operation,
                api,
                rows,
                task.part,
                job.partitions,
                task.attempt,
                job.state,
                job.failures,
                options,
                # If a step before this one fails, Spark ends the rows as if they were complete.
                ends=False,
            )
        return PartSent(task.part, task.attempt, rows.count, summary, files)

    def commit(self, messages: list[WriterCommitMessage | None]) -> None:
        """Write the outcome of the job, on the driver.

        Raises:
            RowsFailed: More rows failed than the options allow.
        """
        sent = [each for each in messages if isinstance(each, PartSent)]
        rows = {each.part: each.rows for each in sent}
        self._record_parts(messages, [rows.get(part, 0) for part in range(len(messages))])
        summary = reduce(add, (each.summary for each in sent), _NOTHING)
        report = {
            "operation": self._job.operation,
            **summary._asdict(),
            "parts": [
                {
                    "part": each.part,
                    "attempt": each.attempt,
                    "sent": each.summary.sent,
                    "failed": each.summary.failed,
                    "unknown": each.summary.unknown,
                    "skipped": each.summary.skipped,
                }
                for each in sorted(sent, key=lambda each: each.part)
            ],
            "failures": [file for each in sent for file in each.failures],
        }
        place = self._write_report(report)
        logger.info("%s: %s", self._job.operation, summary)
        limit = self._job.max_failed_rows
        wrong = summary.failed + summary.unknown
        if limit is not None and wrong > limit:
            where = f" See {place}." if place else ""
            lost = "" if self._job.failures else " The option failures would have kept their rows."
            raise RowsFailed(
                f"{summary}\n{wrong} rows were not sent, or may not have been, which is more than"
                f" maxFailedRows={limit}; the others were.{where}{lost}",
                summary,
            )

    def abort(self, messages: list[WriterCommitMessage | None]) -> None:
        """Write what is settled and what is left, on the driver, after a task has failed."""
        try:
            self._abort(messages)
        except Exception:  # The failure of the task is what the user has to see.
            logger.exception("%s failed, and so did the report", self._job.operation)

    def _abort(self, messages: list[WriterCommitMessage | None]) -> None:
        if self._has_ended():
            return  # Spark aborts a job whose commit fails, such as by `RowsFailed`.
        if self._job.state is None:
            finished = sum(1 for each in messages if each is not None)
            logger.warning(
                "%s failed: %d parts of the job were sent, and others in part. Without the option"
                " state, the next run sends all rows again",
                self._job.operation,
                finished,
            )
            return
        self._record_parts(messages)
        ended = {each.part for each in messages if isinstance(each, PartSent)}
        parts = [each._replace(complete=each.part in ended) for each in parts_in(self._job.state)]
        left = [each.part for each in parts if not each.complete]
        sent, failed, unknown = (
            sum(getattr(each, name) for each in parts) for name in ("sent", "failed", "unknown")
        )
        self._write_report(
            {
                "operation": self._job.operation,
                "complete": False,
                "sent": sent,
                "failed": failed,
                "unknown": unknown,
                "parts": [each._asdict() for each in parts],
                "failures": [file for each in parts for file in each.failures],
            }
        )
        logger.warning(
            "%s failed: %d rows are sent, %d failed, %d unknown. Parts that began and are not"
            " complete: %s; those that are not in the list have not begun. If the reason passes,"
            " run the job again with the same state, to send what is left",
            self._job.operation,
            sent,
            failed,
            unknown,
            ", ".join(map(str, left)) or "none",
        )

    def _has_ended(self) -> bool:
        """Return whether the outcome of all rows is written; `begin` has replaced older ones."""
        location = self._job.state or self._job.failures
        if location is None:
            return False
        try:
            return json.loads(open_folder(location).read(SUMMARY))["complete"] is True
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _record_parts(
        self, messages: list[WriterCommitMessage | None], rows: list[int] | None = None
    ) -> None:
        """Have the state refuse a next run that divides the rows in another way."""
        declared, found = self._job.partitions, len(messages)
        if declared not in (None, found):
            logger.warning(
                "the option partitions is %d, and the data frame had %d partitions: correct it"
                " before the next run",
                declared,
                found,
            )
        if self._job.state is not None:
            record_parts(open_folder(self._job.state), found, rows)

    def _write_report(self, report: dict[str, Any]) -> str | None:
        """Write the outcome; return its path or URL, or ``None`` if there is no folder for it."""
        report.pop("token", None)
        location = self._job.state or self._job.failures
        if location is None:
            return None
        folder = open_folder(location)
        try:
            folder.write(SUMMARY, json.dumps(report, indent=2).encode())
        except Exception:  # The rows are sent, whatever becomes of the report.
            logger.exception("%s cannot be written: %s", folder.place(SUMMARY), report)
            return None
        return folder.place(SUMMARY)


class _Rows:
    """Rows of a partition, counted while they are read.

    Args:
        batches: The partition.
        job: What the options say.
        part: Number of the partition.
    """

    def __init__(self, batches: Iterator[arrow.RecordBatch], job: WriteJob, part: int) -> None:
        self.count = 0
        self._batches = batches
        self._send_nulls = job.send_nulls
        self._part = part
        found = None if job.state is None else read_job(open_folder(job.state))
        known = None if found is None else found.rows
        self._maximum = known[part] if known is not None and part < len(known) else None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self._batches:
            rows = rows_of(batch, send_nulls=self._send_nulls)
            self.count += len(rows)
            if self._maximum is not None and self.count > self._maximum:
                raise ApiValueError(
                    f"the state belongs to a job that has ended, whose part {self._part} had"
                    f" {self._maximum} rows, and now there are more; nothing was sent: send new"
                    " rows with a new state"
                )
            yield from rows


def check_shared(job: WriteJob) -> None:
    """Check, in a task, that it reaches the folder that the driver has written to.

    Raises:
        ApiValueError: It does not.
    """
    location = job.state or job.failures
    if location is None:
        return
    folder, name = open_folder(location), "failures" if job.state is None else "state"
    try:
        folder.read(SUMMARY)
    except FileNotFoundError as cause:
        raise ApiValueError(
            f"the option {name} is not the same folder for driver and executors: {folder.location}"
            f" has no {SUMMARY} here; nothing was sent. Name a folder that all of them reach"
        ) from cause


def _unusable(name: str, location: str, cause: Exception) -> ApiValueError:
    reason = getattr(cause, "strerror", None) or f"{type(cause).__name__}: {cause}"
    return ApiValueError(f"the option {name} is no folder that can be used: {location}: {reason}")


_NOTHING = Summary(0, 0, 0, 0, 0, complete=True, reasons={}, token="")


def _limiter(client: talon_one.ApiClient, job: WriteJob, task: Task) -> Limiter | None:
    """Return the limiter that the tasks of an executor share; ``None`` if the job has none.

    Raises:
        ApiValueError: It is not known how many executors divide the limit.
    """
    rate = job.requests_per_second
    if rate is None:
        known = limiter_of(client, job.facts)
        if known is None:
            return None
        rate = known.rate
    executors = job.executors or task.executors
    if executors is None:
        raise ApiValueError(
            "the rate limit is divided among the executors, and the settings of Spark do not say"
            " how many there are: give the option executors"
        )
    # The file outlives the tasks, whose processes come and go, and goes with the executor.
    path = task.folder / f"talon_one-{task.application}-{rate:g}.limit"
    return SharedLimiter(path, calls=1, seconds=executors / rate)
