"""Parts of a job that is spread over processes or machines."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from talon_one._core.address import without_credentials
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.bulk import functions, operations
from talon_one.bulk.failures import Failure
from talon_one.bulk.folders import Appender, Folder, Location, open_folder
from talon_one.bulk.job_record import JobRecord, check_job
from talon_one.bulk.operations import BulkOperation
from talon_one.bulk.options import Options, check_options, check_rows
from talon_one.bulk.part_state import PartState, part_name
from talon_one.bulk.reports import BulkStopped, Progress, Summary, add_reasons
from talon_one.bulk.thread_runner import ThreadRunner
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.limiter import NoLimit, limiter_of

if TYPE_CHECKING:
    from talon_one.api import IntegrationApi, ManagementApi

# Numbers of parts and attempts are names of files, so they cannot have any length.
_MAX_NUMBER = 10**18


class Job(NamedTuple):
    """A bulk function whose parts may be sent by different processes."""

    function: Callable[..., Summary]
    operation: Callable[..., BulkOperation]
    """Makes the operation of the API and the arguments of the function."""
    defaults: Mapping[str, Any] = {}

    @property
    def arguments(self) -> dict[str, bool]:
        """Names of the arguments beside API and rows, and whether each is required."""
        parameters = list(inspect.signature(self.operation).parameters.values())[1:]
        return {each.name: each.default is each.empty for each in parameters}


JOBS: Mapping[str, Job] = {
    job.function.__name__: job
    for job in (
        Job(functions.upsert_profiles, operations.profiles),
        Job(functions.change_audiences, operations.audiences),
        Job(functions.sync_catalog, operations.catalog, {"concurrency": 1}),
        Job(functions.create_coupons, operations.coupons),
        Job(functions.create_coupons_for_recipients, operations.recipients),
    )
}


def partition(
    operation: Callable[..., Summary] | str,
    api: IntegrationApi | ManagementApi,
    rows: Iterable[Any],
    *,
    part: int = 0,
    parts: int | None = None,
    attempt: int = 0,
    state: Location | None = None,
    failures: Location | Callable[[Failure], object] | None = None,
    **options: Any,
) -> Summary:
    """Send one part of a job, in one of the processes or machines that work on the job.

    ::

        def send(part, rows):
            with talon_one.ApiClient() as client:
                api = talon_one.IntegrationApi(client)
                return bulk.partition("upsert_profiles", api, rows, part=part, state="state/monday")

        summary = sum(map(send, range(8), chunks))

    With *state*, the part can be sent again after its process died, or as a whole: rows that are
    settled are not sent again, and rows other than before are refused. Without it, an attempt
    begins with the first row. A request that came too early (429) is made again, and holds back the
    others, with or without a limiter.

    Args:
        operation: A function of this module, such as `upsert_profiles`, or its name.
        api: API of the operation, made in this process: clients cannot be pickled.
        rows: Rows of the part, the same ones in the same order in each attempt. So the rows must
            be divided into the same parts. There may be more of them at the end.
        part: Number of the part, counted from 0.
        parts: How many parts the job has. The state remembers it, and refuses another number: rows
            that are divided in another way would be sent twice.
        attempt: Number of the attempt at it, for the names of files and for messages.
        state: Folder of the state of the job, one for all its parts: a path, or a URL for fsspec,
            such as ``s3://bucket/monday``. All attempts, on all machines, must reach the same one.
        failures: Folder for the rows that were not sent, also a path or URL: each attempt writes a
            file of JSON Lines with its `Failure` objects. Or a function, as in `Options`.
        options: Arguments of the operation, such as ``catalog_id``, and `Options`, but not
            ``resume``. Divide a ``limiter`` among the parts (`Limiter.divide`), or share it
            (`SharedLimiter`).

    Returns:
        The outcome of the rows of the part, those of earlier attempts included. Summaries of parts
        can be added, also with ``sum``.

    Raises:
        ApiTypeError, ApiValueError: An argument is wrong, or *state* belongs to another operation
            or host; nothing was sent. Also for a second attempt at an operation that is not
            idempotent without a *state*.
        ConfigurationError: *state* is new, and the host of the client is none; nothing was sent.
        BulkStopped: The part ended before the end of its rows. Its cause is an `AttemptSuperseded`
            if another attempt has begun, and an `ApiValueError` if the rows are not those of the
            earlier attempts.
        OSError: *state* cannot be read or written; nothing was sent. Stores behind fsspec may raise
            exceptions of their own.
    """
    return send_part(operation, api, rows, part, parts, attempt, state, failures, options)[0]


def send_part(
    operation: Callable[..., Summary] | str,
    api: Any,
    rows: Iterable[Any],
    part: int,
    parts: int | None,
    attempt: int,
    state: Location | None,
    failures: Location | Callable[[Failure], object] | None,
    options: Mapping[str, Any],
    *,
    ends: bool = True,
) -> tuple[Summary, list[str]]:
    """Send a part; return its outcome, and the paths or URLs of its failures. See `partition`.

    If *ends* is false, the end of the rows may not be that of the part, because the engine ends
    them early where it fails. The state then calls no part complete.
    """
    job = job_of(operation)
    arguments, options = split_options(job, options)
    for name, number in (("part", part), ("attempt", attempt), ("parts", parts or 0)):
        whole = isinstance(number, int) and not isinstance(number, bool)
        if not (whole and 0 <= number < _MAX_NUMBER):
            raise ApiTypeError(f"{name} is a whole number from 0, not {quoted(number)}")
    if parts is not None and part >= parts:
        raise ApiValueError(f"there is no part {part} of {parts}: parts are counted from 0")
    made = job.operation(api, **arguments)
    if state is None and attempt and not made.idempotent:
        raise ApiValueError(
            f"attempt {attempt} of part {part} needs the state of the earlier ones: {made.name} is"
            " not idempotent, so that rows must not be sent twice"
        )
    settings = {**job.defaults, **options, "limiter": _limiter(made, options.get("limiter", True))}
    # Everything is checked before the state is opened: a mistake must not stop other attempts.
    check_rows(made, rows, asynchronous=False)
    check_options(made, rows, {**settings, "failures": failures})
    failures_folder = None if failures is None or callable(failures) else open_folder(failures)
    kept = None
    if state is not None:
        host = without_credentials(made.client.configuration.host).rstrip("/")
        folder = open_folder(state)
        check_job(folder, JobRecord(made.name, host, parts), part)
        kept = PartState(folder, part, attempt, made.name, host, made.idempotent)
    recorder = _Recorder(part, kept, settings.get("progress"))
    if callable(failures):
        recorder.on_failure = failures
    if failures_folder is not None:
        # No less durable than the state that counts their rows as settled.
        recorder.write_to(failures_folder, attempt, durable=not made.idempotent)
    settings.update(failures=recorder.fail, progress=recorder.report, resume=recorder.token)
    summary: Summary | None = None
    try:
        runner = ThreadRunner(made, rows, settings)
        if kept is not None:
            runner.leave_outages()
        summary = runner.execute()
        recorder.finish(summary, complete=ends and summary.complete)
        return recorder.completed(summary), recorder.files
    except BaseException as failure:
        # Also of `KeyboardInterrupt`, which has no other place for it.
        stopped = getattr(failure, "summary", summary)
        if isinstance(stopped, Summary):
            failure.summary = recorder.completed(stopped)  # type: ignore[attr-defined]  # as above
        with suppress(Exception):  # The first failure counts: a disk that is full fails again.
            recorder.close()
        raise


def job_of(operation: Callable[..., Summary] | str) -> Job:
    """Return the job of a function, or of its name.

    Raises:
        ApiTypeError: There is none.
    """
    for name, job in JOBS.items():
        if operation is job.function or (isinstance(operation, str) and operation == name):
            return job
    hint = did_you_mean(operation, JOBS) if isinstance(operation, str) else ""
    raise ApiTypeError(f"operation is one of {', '.join(JOBS)}, not {quoted(operation)}.{hint}")


def split_options(job: Job, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments of an operation, and the options of a job.

    Raises:
        ApiTypeError: An argument is missing, or an option is wrong here.
    """
    arguments = {name: value for name, value in given.items() if name in job.arguments}
    options = {name: value for name, value in given.items() if name not in arguments}
    missing = [name for name, needed in job.arguments.items() if needed and name not in arguments]
    if missing:
        raise ApiTypeError(f"{job.function.__name__} needs {', '.join(missing)}")
    if "resume" in options:
        raise ApiTypeError("a part resumes from its state: leave out resume")
    for name in options:
        if name not in Options.__annotations__:
            hint = did_you_mean(name, [*Options.__annotations__, *job.arguments])
            raise ApiTypeError(f"parts of a job have no option {name!r}.{hint}")
    return arguments, options


def _limiter(operation: BulkOperation, given: Any) -> Any:
    """Return a limiter in any case, because it holds requests back after a 429."""
    if given is True:
        given = limiter_of(operation.client, operation.endpoint) or False
    return NoLimit(clock=operation.client.clock.monotonic) if given is False else given


class _Recorder:
    """Writes the failures of one attempt, and its state whenever the job reports its progress.

    Args:
        part: Number of the part.
        state: State of the part, if it is kept.
        on_progress: Function of the caller.
    """

    def __init__(
        self,
        part: int,
        state: PartState | None,
        on_progress: Callable[[Progress], object] | None,
    ) -> None:
        self.on_failure: Callable[[Failure], object] | None = None
        self._part = part
        self._state = state
        self._on_progress = on_progress
        self._folder: Folder | None = None
        self._file: Appender | None = None
        record = None if state is None else state.record
        self.token = None if record is None else record.token
        self._reasons = {} if record is None else record.reasons
        self._earlier = [] if record is None else record.failures
        self._sent_before = 0 if record is None else record.sent

    def write_to(self, folder: Folder, attempt: int, durable: bool) -> None:
        """Write the failures to a file in a folder."""
        self._folder = folder
        # Different from the names of all other attempts, because none may overwrite another.
        name = f"{part_name(self._part)}.attempt-{attempt:04}.{uuid4().hex[:8]}.jsonl"
        self._file = folder.appender(name, durable=durable)

    def fail(self, failure: Failure) -> None:
        """Write a failure."""
        failure = replace(failure, part=self._part)
        if self._file is not None:
            self._file.write(failure.to_line())
        if self.on_failure is not None:
            self.on_failure(failure)
        self._reasons = add_reasons(self._reasons, {failure.reason: 1})

    def report(self, progress: Progress) -> None:
        """Write the failures, then the state that counts their rows as settled."""
        if self._file is not None:
            self._file.flush()
        self._save(progress.token, complete=False)
        if self._on_progress is not None:
            self._on_progress(progress)

    def finish(self, summary: Summary, complete: bool) -> None:
        """Write whether the part is complete.

        Raises:
            BulkStopped: That is not possible.
        """
        try:
            self.close()
            self._save(summary.token, complete)
        except Exception as cause:  # Stores behind fsspec have exceptions of their own.
            raise BulkStopped.by(cause, summary, self._sent_before) from cause
        if self._file is not None:
            with suppress(Exception):  # They have lines twice, which is no reason to fail.
                self._file.remove_superseded()

    def completed(self, summary: Summary) -> Summary:
        """Return a summary with the reasons of all attempts."""
        return summary._replace(reasons=dict(self._reasons))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    @property
    def files(self) -> list[str]:
        """Paths or URLs of the files with failures of the part, those of earlier attempts too."""
        if self._folder is None or self._file is None:
            return self._earlier
        return [*self._earlier, *map(self._folder.place, self._file.names)]

    def _save(self, token: str, complete: bool) -> None:
        if self._state is None:
            return
        self._state.save(token, failures=self.files, complete=complete, reasons=self._reasons)
