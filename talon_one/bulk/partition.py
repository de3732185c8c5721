"""Parts of a job that is spread over processes or machines."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.bulk import functions, operations
from talon_one.bulk.failures import Failure
from talon_one.bulk.folders import Appender, Location, open_folder
from talon_one.bulk.job_record import JobRecord, check_job
from talon_one.bulk.operations import BulkOperation
from talon_one.bulk.options import Options
from talon_one.bulk.part_state import PartState, part_name
from talon_one.bulk.reports import Progress, Summary, add_reasons
from talon_one.bulk.thread_runner import ThreadRunner
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.limiter import NoLimit, limiter_of

if TYPE_CHECKING:
    from talon_one.api import IntegrationApi, ManagementApi


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
    others.

    Args:
        operation: A function of this module, such as `upsert_profiles`, or its name.
        api: API of the operation, made in this process: clients cannot be pickled.
        rows: Rows of the part, the same ones in the same order in each attempt.
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
        BulkStopped: The part ended before the end of its rows. Its cause is an `AttemptSuperseded`
            if a newer attempt works on the part, and an `ApiValueError` if the rows are not those
            of the earlier attempts.
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
    for name, number in (("part", part), ("attempt", attempt)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise ApiTypeError(f"{name} is a whole number from 0, not {quoted(number)}")
    if parts is not None and (isinstance(parts, bool) or not isinstance(parts, int)):
        raise ApiTypeError(f"parts is a whole number, not {quoted(parts)}")
    if parts is not None and part >= parts:
        raise ApiValueError(f"there is no part {part} of {parts}: parts are counted from 0")
    made = job.operation(api, **arguments)
    if state is None and attempt and not made.idempotent:
        raise ApiValueError(
            f"attempt {attempt} of part {part} needs the state of the earlier ones: {made.name} is"
            " not idempotent, so that rows must not be sent twice"
        )
    kept = None
    if state is not None:
        host = made.client.configuration.host
        folder = open_folder(state)
        check_job(folder, JobRecord(made.name, host, parts), part)
        kept = PartState(folder, part, attempt, made.name, host, made.idempotent)
    recorder = _Recorder(part, attempt, kept, failures, options.get("progress"))
    settings = {
        **job.defaults,
        **options,
        "limiter": _limiter(made, options.get("limiter", True)),
        "failures": recorder.fail,
        "progress": recorder.report,
        "resume": recorder.token,
    }
    runner = ThreadRunner(made, rows, settings)
    try:
        summary = recorder.completed(runner.execute())
        if ends:
            recorder.finish(summary)
        return summary, recorder.files
    except BaseException as failure:
        # Also of `KeyboardInterrupt`, which has no other place for it.
        stopped = getattr(failure, "summary", None)
        if isinstance(stopped, Summary):
            failure.summary = recorder.completed(stopped)  # type: ignore[attr-defined]  # as above
        raise
    finally:
        recorder.close()


def job_of(operation: Callable[..., Summary] | str) -> Job:
    """Return the job of a function, or of its name.

    Raises:
        ApiTypeError: There is none.
    """
    name = operation if isinstance(operation, str) else getattr(operation, "__name__", "")
    job = JOBS.get(name)
    if job is None or not (isinstance(operation, str) or operation is job.function):
        known = ", ".join(JOBS)
        raise ApiTypeError(f"operation is one of {known}, not {quoted(operation)}")
    return job


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
        given = limiter_of(operation.client, operation.endpoint) or NoLimit()
    return NoLimit() if given is False else given


class _Recorder:
    """Writes the failures of one attempt, and its state whenever the job reports its progress."""

    def __init__(
        self,
        part: int,
        attempt: int,
        state: PartState | None,
        failures: Location | Callable[[Failure], object] | None,
        on_progress: Callable[[Progress], object] | None,
    ) -> None:
        self._part = part
        self._state = state
        self._on_failure = failures if callable(failures) else None
        self._on_progress = on_progress
        self._reasons: dict[str, int] = {}
        self._earlier: list[str] = []
        self._file: Appender | None = None
        self.token = None if state is None else state.record.token
        if state is not None:
            self._reasons = dict(state.record.reasons)
            self._earlier = list(state.record.failures)
        if failures is not None and not callable(failures):
            self._folder = open_folder(failures)
            # Different from the names of all other attempts, because none may overwrite another.
            name = f"{part_name(part)}.attempt-{attempt:04}.{uuid4().hex[:8]}.jsonl"
            self._file = self._folder.appender(name)

    def fail(self, failure: Failure) -> None:
        """Write a failure."""
        self._reasons = add_reasons(self._reasons, {failure.reason: 1})
        failure = replace(failure, part=self._part)
        if self._file is not None:
            self._file.write(failure.to_line())
        if self._on_failure is not None:
            self._on_failure(failure)

    def report(self, progress: Progress) -> None:
        """Write the failures, then the state that counts their rows as settled."""
        if self._file is not None:
            self._file.flush()
        self._save(progress.token, complete=False)
        if self._on_progress is not None:
            self._on_progress(progress)

    def finish(self, summary: Summary) -> None:
        """Write that the part is complete."""
        self._save(summary.token, complete=summary.complete)

    def completed(self, summary: Summary) -> Summary:
        """Return a summary with the reasons of all attempts."""
        return summary._replace(reasons=self._reasons)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    @property
    def files(self) -> list[str]:
        """Paths or URLs of the files with failures of the part, those of earlier attempts too."""
        own = [] if self._file is None else self._file.names
        return self._earlier + [self._folder.place(name) for name in own]

    def _save(self, token: str, complete: bool) -> None:
        if self._state is None:
            return
        self._state.save(token, failures=self.files, complete=complete, reasons=self._reasons)
