"""Keys are not in plans, the web interface, the event log or the output of Spark."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

import talon_one
import talon_one.spark
from spark.conftest import KEY, Job, message_of, new_session, profiles
from support.server import RecordingServer, Response

PAGES = (
    "environment",
    "jobs",
    "stages?details=true&withSummaries=true",
    "allexecutors",
    "sql?details=true&planDescription=true&length=1000",
    "storage/rdd",
)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the event log."""
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="module")
def spark(
    tmp_path_factory: pytest.TempPathFactory, events: Path, request: pytest.FixtureRequest
) -> Iterator[SparkSession]:
    """A session with a web interface and an event log."""
    session = new_session(
        tmp_path_factory.mktemp("spark"),
        **{
            "spark.ui.enabled": "true",
            "spark.ui.port": "0",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.compress": "false",
            "spark.eventLog.dir": events.as_uri(),
        },
    )
    yield session
    session.stop()


def shown(spark: SparkSession, events: Path) -> str:
    """Return everything that the web interface and the event log show."""
    context: Any = spark.sparkContext
    base = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}"
    texts = []
    for page in PAGES:
        with urllib.request.urlopen(f"{base}/{page}", timeout=60) as response:
            texts.append(response.read().decode())
    files = [path for path in events.rglob("*") if path.is_file()]
    return "\n".join([*texts, *(path.read_text("utf-8", "replace") for path in files)])


@pytest.mark.parametrize("where", ["a file", "a function"])
def test_keys_are_shown_nowhere(
    spark: SparkSession,
    server: RecordingServer,
    job: Job,
    events: Path,
    where: str,
) -> None:
    if where == "a function":
        configuration = {"TALON_ONE_HOST": server.url, "TALON_ONE_API_KEY": KEY}
        talon_one.spark.register(spark, credentials=lambda: configuration)
    job.write(profiles(spark, 100))
    assert server.requests[-1].headers["Authorization"] == f"ApiKey-v1 {KEY}"
    for status in (401, 500):
        server.default = Response(status, {"message": "no"})
        job.state = job.state.with_name(f"state-{status}")
        message = message_of(lambda: job.write(profiles(spark, 100), maxFailedRows=0))
        assert KEY not in message
    text = shown(spark, events)
    # What is looked at has the options, so that it would have a key among them.
    assert str(job.state) in text or "AppendData" in text
    assert KEY not in text
    for file in job.state.parent.rglob("*"):
        if file.is_file() and file.name != "talon.env":
            assert KEY not in file.read_text("utf-8", "replace")


def test_keys_are_printed_nowhere(job: Job, keys: str, tmp_path: Path) -> None:
    program = Path(__file__).with_name("driver.py")
    arguments = [sys.executable, str(program), str(job.state), keys, str(tmp_path), "10", "INFO"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    printed = done.stdout + done.stderr
    assert "INFO" in printed
    assert KEY not in printed


def test_functions_that_fail_or_return_no_keys_are_named_and_no_key_is(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    lost = talon_one.Configuration(server.url, {"api_key_v1": KEY})

    def fails() -> dict[str, str]:
        raise RuntimeError(f"the vault does not know {KEY}")

    for function, expected in (
        (fails, "the registered function raised RuntimeError in line"),
        (lambda: lost, "make it inside the function"),
        (lambda: {"api_key": KEY}, "has none of the variables TALON_ONE_API_KEY"),
    ):
        talon_one.spark.register(spark, credentials=function)
        message = message_of(lambda: job.write(profiles(spark, 10)))
        assert expected in message
        assert KEY not in message
    assert not server.requests


@pytest.mark.parametrize("option", ["apiKey", "management_key", "password", "Authorization"])
def test_a_key_among_the_options_is_refused_without_repeating_it(
    spark: SparkSession, server: RecordingServer, job: Job, option: str
) -> None:
    message = message_of(lambda: job.write(profiles(spark, 10), **{option: KEY}))
    assert f"{option.lower()} must not be an option" in message
    assert KEY not in message
    assert not server.requests
    message = message_of(lambda: job.write(profiles(spark, 10), credentials=KEY))
    assert "a key does not belong there" in message
    assert KEY not in message


def test_places_that_cannot_be_read_are_named_and_their_content_is_not(
    spark: SparkSession, job: Job, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_text(f"{{{KEY}")
    lines = tmp_path / "lines"
    lines.write_text(f"# Ours\n{KEY}\n")
    for credentials, expected in (
        (f"file:{tmp_path}/missing", "missing cannot be read in this task: No such file"),
        (f"file:{broken}", "broken is not valid JSON"),
        (f"file:{lines}", "lines, line 2: not NAME=VALUE"),
        ("call:no_such_module:keys", "no_such_module:keys cannot be imported in this task"),
        ("call:json:no_such_function", "json:no_such_function cannot be imported"),
        ("call:os:sep", "os:sep is not a function"),
        ("call:os:getcwd", "os:getcwd returns a Configuration or a dict"),
        ("profile:no-such-profile", "no-such-profile"),
    ):
        message = message_of(partial(job.write, profiles(spark, 10), credentials=credentials))
        assert expected in message, message
        assert KEY not in message
