"""Sessions of Spark, one for each module, and servers that tasks send to."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

import talon_one.spark
from support.server import Received, RecordingServer, Response

KEY = "a-key-that-nobody-may-see"
OK = Response(204)

# The tasks run what the tests run.
os.environ["PYSPARK_PYTHON"] = sys.executable
# Tasks import the packages of the tests by name.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, map(str, sys.path)))


def new_session(folder: Path, **settings: str) -> SparkSession:
    """Return a session with two tasks at a time, each tried up to four times."""
    builder = (
        SparkSession.builder.master("local[2,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "Europe/Berlin")
        # Small, so that a task is in the middle of its rows when it dies.
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "500")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.local.dir", str(folder / "local"))
    )
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    talon_one.spark.register(session)
    return session


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A session."""
    session = new_session(tmp_path_factory.mktemp("spark"))
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def registered(request: pytest.FixtureRequest) -> None:
    """Undo what a test has registered before."""
    if "spark" in request.fixturenames:
        talon_one.spark.register(request.getfixturevalue("spark"))


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """A server that accepts all rows."""
    with RecordingServer(default=OK) as running:
        yield running


@pytest.fixture
def keys(server: RecordingServer, tmp_path: Path) -> str:
    """The option ``credentials`` that leads to the server.

    A file, because processes of Spark keep the environment in which they were started.
    """
    return keys_file(tmp_path, server.url)


def keys_file(folder: Path, host: str) -> str:
    """Write host and keys to a file; return the option ``credentials`` for it."""
    path = folder / "talon.env"
    names = ("TALON_ONE_API_KEY", "TALON_ONE_MANAGEMENT_KEY")
    path.write_text("".join([f"TALON_ONE_HOST={host}\n", *(f"{name}={KEY}\n" for name in names)]))
    return f"file:{path}"


class Job:
    """Writes data frames, with folders for the state and the failures.

    Attributes:
        state: Folder of the state.
        failures: Folder of the failures.
    """

    def __init__(self, folder: Path, keys: str) -> None:
        self.state = folder / "state"
        self.failures = folder / "failures"
        self._keys = keys

    def write(self, frame: DataFrame, operation: str = "upsert_profiles", **options: Any) -> None:
        """Write a data frame; options that are ``None`` are left out."""
        given = {
            "operation": operation,
            "credentials": self._keys,
            "state": self.state,
            "failures": self.failures,
            **options,
        }
        writer = frame.write.format("talon_one").mode("append")
        for name, value in given.items():
            if value is not None:
                writer = writer.option(name, str(value))
        writer.save()

    def summary(self) -> dict[str, Any]:
        """Return the summary that the driver wrote."""
        found: dict[str, Any] = json.loads((self.state / "_summary.json").read_text())
        return found


@pytest.fixture
def job(tmp_path: Path, keys: str) -> Job:
    """A job that sends to the server."""
    return Job(tmp_path, keys)


def profiles(spark: SparkSession, count: int, parts: int = 2) -> DataFrame:
    """Return profiles ``p0``, ``p1``, ... in equal parts."""
    return spark.range(0, count, 1, parts).select(
        F.concat(F.lit("p"), "id").alias("integrationId"),
        F.struct(F.col("id").alias("Number")).alias("attributes"),
    )


def memberships(spark: SparkSession, count: int, parts: int = 2) -> DataFrame:
    """Return actions on an audience, which must not be sent twice."""
    return spark.range(0, count, 1, parts).select(
        F.lit("add").alias("action"),
        F.concat(F.lit("p"), "id").alias("profileIntegrationId"),
        F.lit(7).alias("audienceId"),
    )


def sent(server: RecordingServer) -> Counter[str]:
    """Return how often the row of each profile arrived."""
    return Counter(id for request in server.requests for id in ids_of(request))


def ids_of(request: Received) -> list[str]:
    """Return the profiles of a request."""
    body = request.json()
    rows = body.get("customerProfiles") or body.get("data") or []
    return [row.get("integrationId") or row.get("profileIntegrationId") for row in rows]


def each_once(count: int) -> Counter[str]:
    """Return what `sent` returns if each of *count* profiles arrived once."""
    return Counter(f"p{number}" for number in range(count))


def message_of(action: Callable[[], object]) -> str:
    """Return the message of the exception that an action of Spark raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  Spark has many classes for it
        action()
    return str(caught.value)
