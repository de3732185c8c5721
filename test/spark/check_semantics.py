"""What a write promises when tasks die, run twice or fail: one test for each row of the guide."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StringType, StructField, StructType

import talon_one
import talon_one.spark
from spark.conftest import (
    KEY,
    OK,
    Job,
    each_once,
    keys_file,
    memberships,
    message_of,
    new_session,
    profiles,
    sent,
)
from support.server import RecordingServer, Response
from talon_one import bulk
from talon_one.exceptions import ApiValueError
from talon_one.spark.jobs import read_write_job
from talon_one.spark.tasks import executors_of
from talon_one.spark.writer import Writer, check_shared

_MEMBERSHIP = "action string, profileIntegrationId string, audienceId int"


class DiesInTask(talon_one.Hooks):
    """Ends the process of a task before, or after, one of its requests.

    Args:
        part: Number of the partition.
        requests: How many requests are made before.
        attempts: In how many attempts this happens.
        after: Whether the server has responded to the last one.
    """

    def __init__(self, part: int, requests: int, attempts: int = 1, after: bool = False) -> None:
        self._part = part
        self._requests = requests
        self._attempts = attempts
        self._after = after
        self._made = 0

    def _count(self) -> None:
        context = TaskContext.get()
        assert context is not None
        if context.partitionId() == self._part and context.attemptNumber() < self._attempts:
            self._made += 1
            if self._made > self._requests:
                os._exit(1)

    def on_request(self, event: talon_one.CallEvent) -> None:
        """Note that an attempt begins."""
        if event.attempt and not self._after:
            self._count()

    def on_response(self, event: talon_one.CallEvent) -> None:
        """Note that an attempt succeeded."""
        if event.attempt and self._after:
            self._count()


def dying(spark: SparkSession, server: RecordingServer, **how: Any) -> None:
    """Register credentials with which a task dies."""
    host = server.url

    def credentials() -> talon_one.Configuration:
        keys = {"api_key_v1": KEY, "management_key": KEY}
        return talon_one.Configuration(host, keys, hooks=[DiesInTask(**how)])

    talon_one.spark.register(spark, credentials=credentials)


def breaking_off(frame: DataFrame, job: Job, times: int = 1) -> DataFrame:
    """Return 40,000 rows whose part 1 breaks off, so many times, once some rows are settled."""
    schema, state = frame.schema, job.state

    def batches(found: Any) -> Any:
        context = TaskContext.get()
        assert context is not None
        for number, batch in enumerate(found):
            # Spark sends batches on when it has some dozens of kilobytes of them.
            if number == 32 and context.partitionId() == 1 and context.attemptNumber() < times:
                deadline = time.monotonic() + 60
                while time.monotonic() < deadline:
                    settled = {part.part: part.sent for part in bulk.parts_in(state)}
                    # Until the other part is sent, and with it what Spark has sent on of this one:
                    # on a busy machine, Spark ends the process late.
                    if settled.get(1) and settled.get(0) == 20_000:
                        raise ConnectionError("the lake is gone")
                    time.sleep(0.01)
            yield batch

    return frame.mapInArrow(batches, schema)


# -- A task dies and is tried again ----------------------------------------------------------------


def test_a_task_that_dies_by_an_exception_goes_on_where_it_ended(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    job.write(breaking_off(profiles(spark, 40_000), job), concurrency=1, chunkSize=100)
    assert sent(server) == each_once(40_000)
    summary = job.summary()
    assert (summary["sent"], summary["complete"]) == (40_000, True)
    assert summary["skipped"] > 0
    assert [part["attempt"] for part in summary["parts"]] == [0, 1]


@pytest.mark.parametrize("after", [False, True], ids=["before a request", "after a response"])
def test_the_process_of_a_task_dies(
    spark: SparkSession, server: RecordingServer, job: Job, after: bool
) -> None:
    dying(spark, server, part=1, requests=1, attempts=2, after=after)
    job.write(profiles(spark, 10_000), concurrency=1)
    found = sent(server)
    assert set(found) == set(each_once(10_000))
    twice = sum(found.values()) - 10_000
    # A chunk is settled when its state is written, which the process did not live to do.
    assert twice == (2000 if after else 0)
    summary = job.summary()
    assert (summary["sent"], summary["failed"], summary["unknown"]) == (10_000, 0, 0)
    assert [part["attempt"] for part in summary["parts"]] == [0, 2]


@pytest.mark.parametrize("after", [False, True], ids=["before a request", "after a response"])
def test_rows_that_must_not_be_sent_twice_are_unknown_after_the_process_died(
    spark: SparkSession, server: RecordingServer, job: Job, after: bool
) -> None:
    dying(spark, server, part=1, requests=3, after=after)
    job.write(memberships(spark, 10_000), "change_audiences", concurrency=1, partitions=2)
    found = sent(server)
    assert max(found.values()) == 1
    summary = job.summary()
    assert (summary["sent"], summary["unknown"]) == (9000, 1000)
    assert len(found) == (10_000 if after else 9000)
    [file] = summary["failures"]
    assert {failure.outcome for failure in bulk.failures_in(file)} == {"unknown"}


def test_without_a_state_a_task_sends_all_its_rows_again(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    dying(spark, server, part=1, requests=3)
    job.write(profiles(spark, 10_000), concurrency=1, state=None)
    assert sum(sent(server).values()) == 13_000
    assert set(sent(server)) == set(each_once(10_000))


def test_without_a_state_rows_are_refused_that_must_not_be_sent_twice(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    message = message_of(lambda: job.write(memberships(spark, 10), "change_audiences", state=None))
    assert "change_audiences needs the option state, because it is not idempotent" in message
    assert not server.requests


# -- The whole job again ---------------------------------------------------------------------------


def test_the_whole_job_again_makes_no_request(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    job.write(profiles(spark, 5000))
    made = len(server.requests)
    job.write(profiles(spark, 5000))
    assert len(server.requests) == made
    summary = job.summary()
    assert (summary["sent"], summary["skipped"], summary["requests"]) == (5000, 5000, 0)


def test_other_rows_with_the_same_state_are_refused(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    job.write(profiles(spark, 3000))
    made = len(server.requests)
    message = message_of(
        lambda: job.write(profiles(spark, 3000).sort("integrationId", "attributes"))
    )
    assert "nothing was sent: resume with the same rows in the same order" in message
    assert len(server.requests) == made


@pytest.mark.parametrize("parts", [1, 3])
def test_rows_that_are_divided_in_another_way_are_refused(
    spark: SparkSession, server: RecordingServer, job: Job, parts: int
) -> None:
    job.write(memberships(spark, 3000), "change_audiences", partitions=2)
    made = len(server.requests)
    other = memberships(spark, 3000, parts)
    message = message_of(lambda: job.write(other, "change_audiences", partitions=parts))
    assert f"belongs to a job of 2 parts, not of {parts}" in message
    assert len(server.requests) == made


def test_the_state_of_a_finished_job_takes_no_further_rows(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    """Rows that one part has sent would be in another one, after the same files and more."""
    ids = [f"p{number}" for number in range(10)]

    def divided(*parts: list[str]) -> DataFrame:
        rows = spark.sparkContext.parallelize(list(parts), len(parts)).flatMap(list)
        return spark.createDataFrame(rows.map(lambda id: ("add", id, 7)), _MEMBERSHIP)

    for first, second in (
        ((ids[:5], ids[5:]), (ids, ["new"])),
        ((ids[:5], ids[5:]), (ids, ids[5:])),
        (([], ids), (ids, ids)),
        ((ids, []), ([], ids)),
    ):
        job.state = job.state.with_name(f"state-{len(server.requests)}")
        job.write(divided(*first), "change_audiences", partitions=2)
        made = len(server.requests)
        message = message_of(partial(job.write, divided(*second), "change_audiences", partitions=2))
        assert "nothing was sent" in message
        assert len(server.requests) == made
    assert {part.complete for part in bulk.parts_in(job.state)} == {True}


def test_a_wrong_number_of_partitions_is_corrected_by_the_job(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    job.write(memberships(spark, 10), "change_audiences", partitions=5)
    again = partial(job.write, memberships(spark, 10), "change_audiences")
    assert "a job of 2 parts, not of 5" in message_of(partial(again, partitions=5))
    again(partitions=2)
    assert "a job of 2 parts, not of 1" in message_of(
        partial(job.write, memberships(spark, 10, 1), "change_audiences", partitions=1)
    )
    assert len(server.requests) == 2


@pytest.mark.parametrize("option", ["state", "failures"])
def test_folders_that_cannot_be_used_are_refused_before_anything_is_sent(
    spark: SparkSession, server: RecordingServer, job: Job, tmp_path: Path, option: str
) -> None:
    (tmp_path / "file").touch()
    for location in (tmp_path / "file", "/proc/no-such-folder"):
        given: dict[str, Any] = {"state": None, "failures": None, option: location}
        message = message_of(partial(job.write, profiles(spark, 10), **given))
        assert f"the option {option} is no folder that can be used: {location}" in message
    assert not server.requests


def test_the_state_of_a_finished_job_knows_its_number_of_parts(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    job.write(profiles(spark, 3000))
    message_of(lambda: job.write(profiles(spark, 3000, parts=3)))
    # Also after a run that was refused.
    message = message_of(lambda: job.write(profiles(spark, 3000, parts=3)))
    assert "a job of 2 parts, and this is number 2" in message or "nothing was sent" in message
    assert sum(sent(server).values()) == 3000


def test_a_state_serves_no_other_host(
    spark: SparkSession, server: RecordingServer, job: Job, tmp_path: Path
) -> None:
    job.write(profiles(spark, 10))
    with RecordingServer(default=OK) as other:
        keys = {"TALON_ONE_HOST": other.url, "TALON_ONE_API_KEY": KEY}
        talon_one.spark.register(spark, lambda: keys)
        message = message_of(lambda: job.write(profiles(spark, 10)))
        assert "belongs to the host" in message
        assert not other.requests


# -- Two attempts at a time ------------------------------------------------------------------------


def test_a_part_that_keeps_failing_leaves_the_others_settled(
    spark: SparkSession, server: RecordingServer, job: Job, tmp_path: Path
) -> None:
    frame = breaking_off(profiles(spark, 40_000), job, times=4)
    message = message_of(lambda: job.write(frame, chunkSize=100))
    assert "the lake is gone" in message
    summary = job.summary()
    assert summary["complete"] is False
    assert 20_000 < summary["sent"] < 40_000
    assert [(part["part"], part["complete"]) for part in summary["parts"]] == [
        (0, True),
        (1, False),
    ]
    assert len(sent(server)) == summary["sent"]
    # The lake is back.
    job.write(profiles(spark, 40_000), chunkSize=100)
    assert sent(server) == each_once(40_000)
    assert job.summary()["sent"] == 40_000


# -- Bad rows --------------------------------------------------------------------------------------


def with_bad_rows(spark: SparkSession) -> DataFrame:
    return profiles(spark, 2000).selectExpr(
        "nullif(integrationId, 'p7') as integrationId",
        "named_struct('Number', if(integrationId = 'p1500', double('NaN'), 1.0)) as attributes",
    )


def test_bad_rows_go_to_a_table_and_the_job_succeeds(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    job.write(with_bad_rows(spark))
    summary = job.summary()
    assert (summary["sent"], summary["failed"]) == (1998, 2)
    assert sum(summary["reasons"].values()) == 2
    schema = "part int, index bigint, outcome string, reason string, status int, row string"
    rows = spark.read.schema(schema).json(summary["failures"]).orderBy("part").collect()
    assert [row["part"] for row in rows] == [0, 1]
    assert [row["index"] for row in rows] == [7, 500]
    assert {row.outcome for row in rows} == {"failed"}
    assert rows[0].reason == "$.integrationId is required"
    assert json.loads(rows[0].row) == {"attributes": {"Number": 1.0}}
    assert rows[1].reason == "$.attributes.Number must be a finite number, not nan"


@pytest.mark.parametrize(("limit", "succeeds"), [(2, True), (1, False), (0, False)])
def test_a_job_fails_by_its_threshold(
    spark: SparkSession, server: RecordingServer, job: Job, limit: int, succeeds: bool
) -> None:
    def run() -> None:
        job.write(with_bad_rows(spark), maxFailedRows=limit)

    if succeeds:
        run()
    else:
        message = message_of(run)
        assert f"more than maxFailedRows={limit}" in message
        assert str(job.state / "_summary.json") in message
    assert len(sent(server)) == 1998
    # Spark aborts a job whose rows are too bad, although all of them were looked at.
    summary = job.summary()
    assert (summary["complete"], sum(summary["reasons"].values())) == (True, 2)


def test_a_data_frame_without_partitions_is_written(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    empty = spark.createDataFrame(spark.sparkContext.emptyRDD(), memberships(spark, 1).schema)
    for _ in range(2):
        job.write(empty, "change_audiences", partitions=empty.rdd.getNumPartitions())
    assert (job.summary()["sent"], job.summary()["complete"]) == (0, True)
    assert not server.requests


def test_a_host_that_was_wrong_leaves_the_state_to_the_right_one(
    spark: SparkSession, server: RecordingServer, job: Job, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    wrong = keys_file(tmp_path / "other", "")
    message = message_of(lambda: job.write(profiles(spark, 10), credentials=wrong))
    assert "host" in message
    job.write(profiles(spark, 10))
    assert sent(server) == each_once(10)


def test_a_task_that_does_not_reach_the_folder_of_the_driver_sends_nothing(tmp_path: Path) -> None:
    options = {"operation": "upsert_profiles", "state": str(tmp_path)}
    schema = StructType([StructField("integrationId", StringType())])
    job = read_write_job(options, schema.jsonValue(), None)
    with pytest.raises(ApiValueError, match=r"not the same folder .* nothing was sent"):
        check_shared(job)
    Writer(job).begin()
    check_shared(job)


def test_bad_rows_that_are_written_nowhere_fail_the_job(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    message = message_of(lambda: job.write(with_bad_rows(spark), failures=None, state=None))
    assert "more than maxFailedRows=0" in message
    assert "The option failures would have kept their rows" in message


def test_bad_rows_are_kept_beside_the_state_and_fail_the_job(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    message = message_of(lambda: job.write(with_bad_rows(spark), failures=None))
    assert "more than maxFailedRows=0" in message
    files = job.summary()["failures"]
    assert len(files) == 2
    assert all(Path(file).parent == job.state / "failures" for file in files)
    assert len([row for file in files for row in bulk.failures_in(file)]) == 2
    # They are not sent again, and not forgotten.
    message = message_of(lambda: job.write(with_bad_rows(spark), failures=None))
    assert "more than maxFailedRows=0" in message
    job.write(with_bad_rows(spark), failures=None, maxFailedRows=2)
    assert job.summary()["failures"] == files


def test_a_refused_key_fails_the_job_and_no_row(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    server.default = Response(401, {"message": "no such key"})
    message = message_of(lambda: job.write(profiles(spark, 4000)))
    assert "no such key" in message
    assert KEY not in message
    server.default = OK
    job.write(profiles(spark, 4000))
    summary = job.summary()
    assert (summary["sent"], summary["failed"]) == (4000, 0)


@pytest.mark.parametrize("size", [100, 1000], ids=["many requests", "a few requests"])
def test_an_outage_fails_the_job_and_no_row(
    spark: SparkSession, server: RecordingServer, job: Job, size: int
) -> None:
    # One part, because a task of another may go on while the server comes back.
    frame = profiles(spark, 3000, parts=1)
    server.default = Response(503, {"message": "down for maintenance"})
    message = message_of(lambda: job.write(frame, chunkSize=size))
    assert "down for maintenance" in message
    server.default = OK
    server.requests.clear()
    job.write(frame, chunkSize=size)
    summary = job.summary()
    assert (summary["sent"], summary["failed"], summary["complete"]) == (3000, 0, True)
    assert sent(server) == each_once(3000)


def test_rows_that_the_server_never_takes_can_be_passed_over(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    server.default = Response(500, {"message": "no"})
    job.write(profiles(spark, 4000), maxFailedChunks="none")
    assert (job.summary()["sent"], job.summary()["failed"]) == (0, 4000)


# -- A lost driver ---------------------------------------------------------------------------------


def kill_session(leader: int) -> None:
    """End a process and all that it has started, workers of Spark in groups of their own too."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[3]) == leader:
                os.kill(int(path.parent.name), signal.SIGKILL)


def test_a_lost_driver_loses_no_row(
    spark: SparkSession, server: RecordingServer, job: Job, tmp_path: Path, keys: str
) -> None:
    program = Path(__file__).with_name("driver.py")
    arguments = [sys.executable, str(program), str(job.state), keys, str(tmp_path), "40000"]
    arrived = threading.Semaphore(0)

    def count(request: object) -> Response:
        arrived.release()
        return OK

    server.default = count
    # Its modules are found where those of the tests are, see `conftest`.
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL, start_new_session=True) as driver:
        for _ in range(6):
            assert arrived.acquire(timeout=120)
        kill_session(driver.pid)
    assert job.summary() == {"operation": "upsert_profiles", "complete": False}
    assert 0 < sum(sent(server).values()) < 40_000
    job.write(profiles(spark, 40_000), chunkSize=100)
    found = sent(server)
    assert set(found) == set(each_once(40_000))
    # Two tasks had four requests in flight. Everything else was settled, and is not sent again.
    assert sum(found.values()) - 40_000 <= 2 * 4 * 100
    assert job.summary()["sent"] == 40_000


# -- Limits ----------------------------------------------------------------------------------------


def test_tasks_keep_the_limit_of_the_job_together(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    starts: list[float] = []

    def note(request: object) -> Response:
        starts.append(time.monotonic())
        return OK

    server.default = note
    # Parts that are short, so that tasks come and go.
    job.write(profiles(spark, 3000, parts=6), requestsPerSecond=10, chunkSize=100)
    assert len(starts) == 30
    # Requests leave at a distance of 0.1 s, and may arrive a little closer.
    assert starts[-1] - starts[0] > 2.5
    busiest = max(sum(begin <= each < begin + 1 for each in starts) for begin in starts)
    assert busiest <= 13


def test_a_part_waits_as_long_as_the_server_asks_and_loses_no_row(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    server.script(Response(429, {"message": "slow down"}, {"Retry-After": "1"}))
    job.write(profiles(spark, 2000, parts=1), chunkSize=100)
    assert job.summary()["sent"] == 2000
    assert job.summary()["failed"] == 0


@pytest.mark.parametrize(
    ("master", "maximum", "instances", "expected"),
    [
        ("local[2,4]", "", "", 1),
        ("local", "", "", 1),
        ("spark://driver:7077", "", "8", 8),
        ("yarn", "20", "2", 20),
        ("k8s://https://host", "infinity", "", None),
        ("local-cluster[2,1,1024]", "", "", None),
    ],
)
def test_the_number_of_executors_is_read_from_the_settings(
    master: str, maximum: str, instances: str, expected: int | None
) -> None:
    assert executors_of(master, maximum, instances) == expected


# -- Speculation -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def speculating(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SparkSession]:
    """A session with speculative execution, in place of the other one."""
    active = SparkSession.getActiveSession()
    if active is not None:
        active.stop()
    session = new_session(tmp_path_factory.mktemp("speculating"), **{"spark.speculation": "true"})
    yield session
    session.stop()


def test_speculation_is_refused_for_rows_that_must_not_be_sent_twice(
    speculating: SparkSession, server: RecordingServer, job: Job
) -> None:
    message = message_of(
        lambda: job.write(memberships(speculating, 10), "change_audiences", partitions=2)
    )
    assert "spark.speculation is on: set it to false" in message
    assert not server.requests


def test_two_attempts_at_a_time_do_no_harm_where_rows_may_be_sent_twice(
    speculating: SparkSession, server: RecordingServer, job: Job
) -> None:
    # Spark makes no second attempt on the host of the first, so two jobs stand in for them.
    both = threading.Barrier(2, timeout=120)

    def meet(request: object) -> Response:
        # The first request of each job, so that both have begun.
        if not both.broken and len(server.requests) <= 2:
            with suppress(threading.BrokenBarrierError):
                both.wait()
        return OK

    server.default = meet
    frame = profiles(speculating, 2000, parts=1)
    options: dict[str, Any] = {"concurrency": 1, "chunkSize": 100}

    def write() -> None:
        speculating.createDataFrame([], "id int")  # Makes the session that of this thread.
        job.write(frame, **options)

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(write) for _ in range(2)]
    for each in jobs:
        each.result()
    assert set(sent(server)) == set(each_once(2000))
    assert max(sent(server).values()) == 2
    made = len(server.requests)
    job.write(frame)
    assert len(server.requests) == made
    assert (job.summary()["sent"], job.summary()["requests"]) == (2000, 0)
