"""The guide to many processes is true: its recipes run, and go on where a worker died."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import pytest

import talon_one
from docs.pages import GUIDES, Page
from examples import guide
from support.server import RecordingServer, Response
from talon_one import bulk
from talon_one.limiter import Limiter

_PAGE = Page(GUIDES / "parts.md")
_RECIPES = {block.section: block for block in _PAGE.blocks if block.is_program}
_KEY = "key-of-the-test"


class Job(NamedTuple):
    """Files of rows, and a server that counts what arrives."""

    folder: Path
    files: int
    rows: int
    """Number of rows of each file."""
    server: RecordingServer

    def run(self, recipe: str) -> subprocess.CompletedProcess[str]:
        """Run a recipe. One worker dies in the middle, once."""
        return guide.run_program(_RECIPES[recipe], self.folder, before="import support.dying")

    @property
    def profiles(self) -> set[str]:
        return {_profile(part, row) for part in range(self.files) for row in range(self.rows)}

    @property
    def arrivals(self) -> Counter[str]:
        """How often each profile has arrived."""
        return Counter(
            row["integrationId"]
            for request in self.server.requests
            for row in request.json()["customerProfiles"]
        )

    @property
    def settled_at_death(self) -> set[str]:
        """The profiles that the state called settled when the worker died."""
        found = set()
        for path in self.folder.glob("state-at-death/*/part-*/*.json"):
            record = json.loads(path.read_text())
            for begin, end in json.loads(record["token"] or '{"settled": []}')["settled"]:
                found |= {_profile(record["part"], row) for row in range(begin, end)}
        return found

    def assert_settled_rows_arrived_once(self) -> None:
        arrivals, settled = self.arrivals, self.settled_at_death
        assert set(arrivals) == self.profiles
        assert len(settled) >= 1000
        assert {each for each in settled if arrivals[each] != 1} == set()


@pytest.fixture
def make_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Job]]:
    with RecordingServer(default=Response(204)) as server:
        monkeypatch.setenv("TALON_ONE_HOST", server.url)
        monkeypatch.setenv("TALON_ONE_API_KEY", _KEY)

        def make(files: int, rows: int) -> Job:
            (tmp_path / "customers").mkdir()
            for part in range(files):
                lines = [json.dumps({"integrationId": _profile(part, row)}) for row in range(rows)]
                (tmp_path / f"customers/{part}.jsonl").write_text("\n".join(lines))
            return Job(tmp_path, files, rows, server)

        yield make


def _profile(part: int, row: int) -> str:
    return f"{part}-{row}"


# -- Engines that run here -------------------------------------------------------------------------


def test_processes_go_on_where_one_of_them_died(make_job: Callable[..., Job]) -> None:
    job = make_job(files=2, rows=8000)
    done = job.run("Processes of one machine")
    assert (done.returncode, done.stderr) == (0, "")
    *attempts, outcome = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in attempts] == ["attempt 0"]
    assert outcome == "16000 sent, 0 failed, 0 unknown"
    job.assert_settled_rows_arrived_once()


def test_dask_goes_on_where_a_worker_died(make_job: Callable[..., Job]) -> None:
    job = make_job(files=2, rows=8000)
    broken = job.run("Dask")
    assert "BrokenProcessPool" in broken.stderr
    assert broken.returncode != 0
    done = job.run("Dask")
    assert (done.stdout.strip(), done.stderr) == ("16000 sent, 0 failed, 0 unknown", "")
    job.assert_settled_rows_arrived_once()


# -- Engines that are too large to install for the tests -------------------------------------------


def test_the_recipe_for_ray_sends_each_file_once(
    make_job: Callable[..., Job],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = make_job(files=3, rows=20)
    ray = _module(
        "ray",
        init=lambda: None,
        cluster_resources=lambda: {"CPU": 2.0},
        remote=lambda **options: lambda function: SimpleNamespace(remote=function),
        get=list,
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    names = _names_of("Ray", SHARED=job.folder)
    for _ in ("first run", "again"):
        names["main"]()
    assert capsys.readouterr().out.splitlines() == ["60 sent, 0 failed, 0 unknown"] * 2
    assert job.arrivals == Counter(job.profiles)


def test_the_recipe_for_airflow_sends_each_file_once_and_reports_the_sum(
    make_job: Callable[..., Job],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = make_job(files=3, rows=20)
    monkeypatch.delenv("TALON_ONE_API_KEY")
    sdk = _module(
        "airflow.sdk",
        task=lambda *function, **options: function[0] if function else lambda each: each,
        dag=lambda **options: lambda function: lambda: None,
        Connection=SimpleNamespace(
            get=lambda name: SimpleNamespace(host=job.server.url, password=_KEY)
        ),
    )
    monkeypatch.setitem(sys.modules, "airflow", _module("airflow", sdk=sdk))
    monkeypatch.setitem(sys.modules, "airflow.sdk", sdk)
    names = _names_of("Airflow", SHARED=job.folder)
    parts = names["list_parts"]()
    for number in (1, 2):
        ti = SimpleNamespace(try_number=number, run_id="manual__2026-11-28T00:00:00+00:00")
        # What one task hands to another is JSON.
        results = [json.loads(json.dumps(names["send"](**part, ti=ti))) for part in parts]
        names["report"](results)
    assert capsys.readouterr().out.splitlines() == ["60 sent, 0 failed, 0 unknown"] * 2
    assert job.arrivals == Counter(job.profiles)
    assert {each.headers["Authorization"] for each in job.server.requests} == {f"ApiKey-v1 {_KEY}"}
    with pytest.raises(RuntimeError, match="too many failures"):
        names["report"]([{**results[0], "failed": 101}])


def _module(name: str, **names: Any) -> ModuleType:
    """Return a stand-in for a module of an engine, which calls functions where they are."""
    module = ModuleType(name)
    vars(module).update(names)
    return module


def _names_of(recipe: str, **replaced: Any) -> dict[str, Any]:
    """Return the names of a recipe that is imported."""
    block = _RECIPES[recipe]
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(block.padded, str(block), "exec"), names)
    names.update(replaced)
    return names


# -- The page --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_its_code_runs_and_prints_what_it_says() -> None:
    # `test_guides` runs the first example. This is what it leaves behind.
    for part in range(4):
        rows = [{"integrationId": f"customer-{part * 500 + number}"} for number in range(500)]
        with talon_one.ApiClient(talon_one.Configuration.from_env()) as client:
            api = talon_one.IntegrationApi(client)
            bulk.partition("upsert_profiles", api, rows, part=part, state="state/monday")
    assert guide.run(_PAGE) == []


def test_what_it_says_can_be_pickled_can_be_and_a_client_cannot() -> None:
    summary = bulk.Summary(2, 1, 0, 0, 1, True, {"why": 1}, "token")
    stopped = pickle.loads(pickle.dumps(bulk.BulkStopped("why", summary)))
    assert (str(stopped), stopped.summary) == ("why", summary)
    failure = bulk.Failure(3, "failed", "why", 400, {"integrationId": "a"}, part=2)
    assert pickle.loads(pickle.dumps(failure)) == failure
    for limiter in (Limiter(20).divide(4, 1), bulk.SharedLimiter("talon.limit", calls=20)):
        assert repr(pickle.loads(pickle.dumps(limiter))) == repr(limiter)
    with (
        talon_one.ApiClient(talon_one.Configuration()) as client,
        pytest.raises(TypeError, match="Make a client in the process that uses it"),
    ):
        pickle.dumps(talon_one.IntegrationApi(client))


def test_its_recipes_are_short() -> None:
    sizes = {
        name: sum(bool(line.strip()) for line in block.code.splitlines())
        for name, block in _RECIPES.items()
    }
    assert list(sizes)[1:] == ["Processes of one machine", "Dask", "Ray", "Airflow"]
    assert {name: size for name, size in sizes.items() if size > 45} == {}
