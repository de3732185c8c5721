"""The workflows run the commands that contributors run, on every Python that the package names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in read(path)["jobs"].values():
        yield from job["steps"]


def matrix() -> list[dict[str, str]]:
    found: list[dict[str, str]] = read(ROOT / ".github/workflows/tests.yml")["jobs"]["run"][
        "strategy"
    ]["matrix"]["include"]
    return found


def sections() -> set[str]:
    (listed,) = re.findall(
        r"^sections=\((.*)\)$", (ROOT / ".ci/run").read_text("utf-8"), re.MULTILINE
    )
    return set(listed.split())


def test_every_section_of_the_check_run_has_its_function() -> None:
    functions = re.findall(r"^run_(\w+)\(\)", (ROOT / ".ci/run").read_text("utf-8"), re.MULTILINE)
    assert set(functions) == sections()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_scripts_of_the_project_and_nothing_of_its_own(path: Path) -> None:
    for step in steps(path):
        for line in step.get("run", "").splitlines():
            script, *arguments = line.removeprefix("bash ").split()
            if script == "gh":
                continue
            assert (ROOT / script).is_file(), line
            if script == ".ci/run":
                assert set(arguments) <= {*sections(), "$SECTIONS"}, line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_only_the_permissions_that_its_jobs_ask_for(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"] <= 90


def test_the_tests_run_on_every_python_that_the_package_names() -> None:
    on_linux = [each["python"] for each in matrix() if each["system"] == "ubuntu-latest"]
    assert on_linux == PYTHONS
    assert {each["sections"] for each in matrix()} == {"tests", ""}
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text) == PYTHONS
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    assert [f"3.{minor}" for minor in re.findall(r"\bpy3(\d+)\b", tox)] == PYTHONS


def test_the_tests_run_on_macos_and_windows() -> None:
    systems = {each["system"] for each in matrix()}
    assert systems == {"ubuntu-latest", "macos-latest", "windows-latest"}


def test_the_job_that_publishes_is_separate_from_the_job_that_builds() -> None:
    jobs = read(ROOT / ".github/workflows/release.yml")["jobs"]
    assert jobs["build"]["permissions"] == {"contents": "read"}
    assert jobs["publish"]["environment"] == "release"
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    for name in ("attest", "publish", "announce"):
        assert not any("checkout" in step.get("uses", "") for step in jobs[name]["steps"])
