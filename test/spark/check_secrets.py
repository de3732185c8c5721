"""Keys are not in plans, the web interface, the event log or the output of Spark."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
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
from talon_one.exceptions import ApiTypeError, ConfigurationError, OpenApiException
from talon_one.spark.credentials import configuration
from talon_one.spark.options import OptionReader

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


@pytest.mark.parametrize("option", ["apiKey", "management_key", "password", "Authorization", "pwd"])
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


def test_keys_are_refused_in_urls_of_folders(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    for option in ("state", "failures"):
        for url in (
            f"ftp://user:{KEY}@127.0.0.1:1/x",
            f"ftp://user:a/{KEY}@127.0.0.1:1/x",
            f"ftp://user:a@{KEY}@127.0.0.1:1/x",
            f"s3a://{KEY}:{KEY}@bucket/x",
            f"az://container/x?sv=1&sig={KEY}",
        ):
            message = message_of(partial(job.write, profiles(spark, 10), **{option: url}))
            assert f"the option {option} is a URL with a key or a password" in message
            assert KEY not in message
    for url in ("hdfs://name:8020/a@b", "abfss://a@b.test/x", "sftp://user@host/x", "/a:b/c@d"):
        assert OptionReader({"state": url}, "a test").folder("state") == url
    assert not server.requests


LINES = {
    f"TALON_ONE_API_KEY={KEY}": KEY,
    f"export\tTALON_ONE_API_KEY = '{KEY}'  # Ours": KEY,
    f'TALON_ONE_API_KEY="{KEY}"': KEY,
    f"TALON_ONE_API_KEY={KEY} # Ours": KEY,
    f"TALON_ONE_API_KEY={KEY}#1=": f"{KEY}#1=",
}


def test_lines_of_keys_files_are_read_as_a_shell_does(tmp_path: Path) -> None:
    path = tmp_path / "a b.env"
    for line, expected in LINES.items():
        path.write_bytes(f"\r\n# Host\r\nTALON_ONE_HOST=https://a.test\r\n{line}".encode())
        found = configuration(f"file:{path}")
        assert (found.host, found.api_key) == ("https://a.test", {"api_key_v1": expected})


def test_a_home_folder_and_folders_with_other_files_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    keys = tmp_path / "keys"
    (keys / "folder").mkdir(parents=True)
    (keys / "certificate").write_bytes(b"\xff")
    (keys / "TALON_ONE_API_KEY").write_text(f"{KEY}\n")
    assert configuration("file:~/keys").api_key == {"api_key_v1": KEY}


def test_misspelled_variables_are_refused_and_those_of_others_are_not(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    others = {"PATH": "/bin", "TALON_ONE_REGION": "eu", "TALON_ONE_PROFILE": "shop"}
    good = {"TALON_ONE_API_KEY": KEY, "TALON_ONE_HOST": "https://a.test", **others}
    assert configuration("env", lambda: good).host == "https://a.test"
    for name in ("TALON_ONE_HOTS", "talon_one_host", "TALONONE_HOST"):
        path.write_text(json.dumps({**good, name: "https://b.test"}))
        for text, own in ((f"file:{path}", None), ("env", lambda: {**good, name: "x"})):  # noqa: B023
            with pytest.raises(
                ConfigurationError, match=f"'{name}', which .* Did you mean 'TALON_ONE_HOST'"
            ):
                configuration(text, own)


class Unreadable(dict[str, str]):
    def __iter__(self) -> Any:
        raise RuntimeError(KEY)

    keys = __iter__


def test_odd_variables_are_named_and_their_values_are_not(tmp_path: Path) -> None:
    path = tmp_path / "keys"

    def exits() -> Any:
        raise SystemExit(KEY)

    for found, expected in (
        (exits, "raised SystemExit in line"),
        (lambda: Unreadable(a=KEY), "raised RuntimeError in line"),
        (lambda: {"TALON_ONE_API_KEY": KEY.encode()}, "TALON_ONE_API_KEY of .* is text, not bytes"),
        (lambda: {"TALON_ONE_API_KEY": ""}, "has none of the variables"),
        (lambda: {"TALON_ONE_API_KEY": None, 1: 2}, "has none of the variables"),
        (f'{{"TALON_ONE_API_KEY": "{KEY}", "TALON_ONE_APPLICATION_ID": 3}}', "is text, not int"),
        ('{"a":' * 100_000, "is not valid JSON"),
        (f"TALON_ONE_API_KEY='{KEY}", "line 1: not NAME=VALUE"),
        (f"TALON_ONE_API_KEY='{KEY}' {KEY}", "line 1: not NAME=VALUE"),
    ):
        own: Any = None if isinstance(found, str) else found
        path.write_text(found if isinstance(found, str) else "")
        with pytest.raises(ConfigurationError, match=expected) as caught:
            configuration(f"file:{path}", own)
        assert KEY not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(ConfigurationError, match="cannot be read in this task: ValueError"):
        configuration("file:a\0b")


def test_modules_that_cannot_be_imported_are_named_and_their_code_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for name, code, expected in (
        ("raising_keys", f"raise RuntimeError('{KEY}')", "raising_keys raised RuntimeError"),
        ("broken_keys", f"key = '{KEY}", "broken_keys raised SyntaxError"),
        ("demanding_keys", "def keys(vault): ...", "is called without arguments: missing a"),
    ):
        (tmp_path / f"{name}.py").write_text(f"{code}\n")
        with pytest.raises(OpenApiException, match=expected) as caught:
            configuration(f"call:{name}:keys")
        assert KEY not in "".join(traceback.format_exception(caught.value))
    for text in ("call:.relative:keys", "call:os:environ.copy", "call:os", "call:a b:c"):
        with pytest.raises(ApiTypeError, match="a key does not belong there"):
            configuration(text)


def test_a_function_that_needs_arguments_is_not_registered(spark: SparkSession) -> None:
    def demanding(vault: str) -> dict[str, str]:
        return {"vault": vault}

    with pytest.raises(ApiTypeError, match="credentials is called without arguments: missing a"):
        talon_one.spark.register(spark, credentials=demanding)  # type: ignore[arg-type]
    with pytest.raises(ApiTypeError, match="credentials is not a function but str"):
        talon_one.spark.register(spark, credentials=KEY)  # type: ignore[arg-type]


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
