"""The sdist and the wheel: what is in them, what they say of themselves, that they work alone."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement

import talon_one
from support.once import made_once
from support.server import RecordingServer

ROOT = Path(__file__).resolve().parents[2]


class Distributions(NamedTuple):
    """What ``python -m build`` makes: the sdist from the tree, the wheel from the sdist."""

    sdist: Path
    wheel: Path

    def sdist_names(self) -> set[str]:
        """Return the files of the sdist, as they are named in the tree."""
        with tarfile.open(self.sdist) as archive:
            return {
                name.partition("/")[2]
                for name in archive.getnames()
                if archive.getmember(name).isfile()
            }

    def wheel_names(self) -> set[str]:
        """Return the files of the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    def metadata(self) -> Message:
        """Return what the wheel says of itself."""
        return Parser().parsestr(self._info("METADATA"))

    def entry_points(self) -> str:
        """Return the commands that the wheel installs."""
        return self._info("entry_points.txt")

    def _info(self, name: str) -> str:
        with zipfile.ZipFile(self.wheel) as archive:
            (found,) = [each for each in archive.namelist() if each.endswith(f".dist-info/{name}")]
            return archive.read(found).decode()


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    # `.ci/run` has built them from the same tree, unless it runs the tests alone.
    given = os.environ.get("DISTRIBUTIONS")
    if given is not None and any(Path(given).iterdir()):
        folder = Path(given)
    else:
        folder = made_once(tmp_path_factory, "distributions", _build) / "dist"
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return Distributions(sdist, wheel)


@pytest.fixture(scope="session")
def wheel_alone(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment that holds the wheel, what it requires, and no more."""
    folder = made_once(tmp_path_factory, "alone", lambda folder: _install(distributions, folder))
    return _python_of(folder)


def _build(folder: Path) -> None:
    # A copy, because the build leaves files behind in the tree that it builds.
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=_left_out)
    # Without isolation: the tools of this environment will do, and nothing is downloaded.
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", tree)


def _install(distributions: Distributions, folder: Path) -> None:
    _run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = _python_of(folder)
    pip = (sys.executable, "-m", "pip", "--python", str(python))
    # Of a thousand modules, the tests import a few.
    _run(*pip, "install", "--no-compile", "--no-deps", "--no-index", distributions.wheel)
    packages = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
    _copy_requirements(distributions.metadata().get_all("Requires-Dist", []), packages)


def _python_of(environment: Path) -> Path:
    return environment / ("Scripts" if os.name == "nt" else "bin") / "python"


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return what is not part of the project: environments, caches, earlier builds, history."""
    environments = {name for name in names if Path(folder, name, "pyvenv.cfg").exists()}
    caches = {name for name in names if name.endswith(("cache", "cache__", ".egg-info"))}
    return environments | caches | ({".git", ".hypothesis", ".tox", "build", "dist"} & set(names))


def _copy_requirements(requirements: list[str], packages: Path) -> None:
    """Copy the installed packages that are required, and those they require, into a folder."""
    for written in requirements:
        requirement = Requirement(written)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        distribution = importlib.metadata.distribution(requirement.name)
        assert requirement.specifier.contains(distribution.version)
        for file in distribution.files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = packages / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(str(distribution.locate_file(file))), target)
        _copy_requirements(distribution.requires or [], packages)


def _run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a program and return what it prints; what it says when it fails goes into the report."""
    # Setuptools and pip have their bytecode beside them.
    ours = ("PYTHONPATH", "PYTHONPYCACHEPREFIX")
    environment = {key: value for key, value in os.environ.items() if key not in ours}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def test_the_wheel_holds_the_package_and_nothing_else(distributions: Distributions) -> None:
    tops = {PurePosixPath(name).parts[0] for name in distributions.wheel_names()}
    assert tops == {"talon_one", f"talon_one-{talon_one.__version__}.dist-info"}


def test_the_wheel_holds_every_file_of_the_package(distributions: Distributions) -> None:
    in_tree = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "talon_one").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {"talon_one/py.typed", "talon_one/__init__.pyi"} < in_tree
    in_wheel = {name for name in distributions.wheel_names() if name.startswith("talon_one/")}
    assert in_wheel == in_tree


def test_the_sdist_holds_what_it_takes_to_build_test_and_generate(
    distributions: Distributions,
) -> None:
    names = distributions.sdist_names()
    for folder in ("codegen", "docs", "examples", "spec", "test", "benchmarks"):
        in_tree = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }
        assert in_tree <= names
    assert {
        ".openapi-generator/FILES",
        ".openapi-generator/VERSION",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "requirements.txt",
        "setup.py",
        "talon_one/sandbox/page/static/index.html",
        "talon_one/sandbox/seeds/fashion.yaml",
        "test-requirements.txt",
        "tox.ini",
    } <= names


def test_the_metadata_are_true(distributions: Distributions) -> None:
    metadata = distributions.metadata()
    assert metadata["Name"] == "talon_one"
    assert metadata["Version"] == talon_one.__version__
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_all("Provides-Extra") == ["async", "sandbox", "cli", "fast", "all"]


def test_the_description_is_the_readme_without_links_that_lead_nowhere(
    distributions: Distributions,
) -> None:
    description = distributions.metadata().get_payload()
    assert isinstance(description, str)
    assert description.startswith("# talon_one\n")
    assert 'pip install ".[all]" && talon-one quickstart' in description
    targets = re.findall(r"\]\(([^)]+)\)", description)
    assert targets
    assert [each for each in targets if not each.startswith("https://")] == []


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (
            "https://git.example.com/shop/blob/v1",
            "[a](https://git.example.com/shop/blob/v1/b.md#c)",
        ),
        (None, "a"),
    ],
)
def test_a_relative_link_is_made_absolute_or_becomes_its_text(
    source: str | None, line: str
) -> None:
    for_an_index = runpy.run_path(str(ROOT / "setup.py"))["for_an_index"]
    kept = "See [t](https://www.talon.one), [u](#v)"
    assert for_an_index(f"{kept}, [a](b.md#c).", source) == f"{kept}, {line}."


def test_the_requirements_are_those_of_requirements_txt(distributions: Distributions) -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    listed = {Requirement(line) for line in lines if line and not line.startswith("#")}
    required = map(Requirement, distributions.metadata().get_all("Requires-Dist", []))
    assert {requirement for requirement in required if requirement.marker is None} == listed


def test_the_extra_all_holds_every_other_extra(distributions: Distributions) -> None:
    required = map(Requirement, distributions.metadata().get_all("Requires-Dist", []))
    (everything,) = [each for each in required if each.name in ("talon_one", "talon-one")]
    assert str(everything.marker) == 'extra == "all"'
    assert everything.extras == {"async", "sandbox", "cli", "fast"}


def test_the_wheel_installs_the_command_and_the_hook(distributions: Distributions) -> None:
    assert distributions.entry_points().splitlines() == [
        "[console_scripts]",
        "talon-one = talon_one.cli:main",
        "",
        "[pyinstaller40]",
        "hook-dirs = talon_one._pyinstaller:get_hook_dirs",
        "",
        "[pytest11]",
        "talon_one = talon_one.testing.plugin",
    ]


def test_the_hook_of_pyinstaller_is_where_the_entry_point_leads(wheel_alone: Path) -> None:
    program = "from talon_one._pyinstaller import get_hook_dirs as dirs; print(*dirs())"
    folder = Path(_run(wheel_alone, "-I", "-c", program))
    assert folder.is_relative_to(wheel_alone.parents[1])
    assert [path.name for path in folder.glob("hook-*.py")] == ["hook-talon_one.py"]


def test_the_wheel_alone_makes_a_first_call(wheel_alone: Path, tmp_path: Path) -> None:
    program = """
import json, sys, talon_one
api = talon_one.IntegrationApi(host=sys.argv[1], api_key="key")
session = talon_one.NewCustomerSessionV2(profile_id="zoe")
body = talon_one.IntegrationRequest(customer_session=session)
state = api.update_customer_session_v2("s1", body)
joined = state.customer_profile.created.isoformat()
print(json.dumps([talon_one.__file__, state.effects[0].effect_type, joined]))
"""
    with RecordingServer() as server:
        # The date is one that takes python-dateutil to read.
        response = {
            "effects": [{"effectType": "acceptCoupon"}],
            "customerProfile": {"created": "2026-03-14 9:26:53+01:00"},
        }
        server.script(response)
        printed = _run(wheel_alone, "-I", "-c", program, server.url, cwd=tmp_path)
        assert server.last.path == "/v2/customer_sessions/s1"
        assert server.last.json() == {"customerSession": {"profileId": "zoe"}}
    home, effect, joined = json.loads(printed)
    assert Path(home).is_relative_to(wheel_alone.parents[1])
    assert effect == "acceptCoupon"
    assert joined == "2026-03-14T09:26:53+01:00"


def test_the_wheel_alone_explains_which_extra_the_command_needs(
    wheel_alone: Path, tmp_path: Path
) -> None:
    command = wheel_alone.with_name("talon-one")
    done = subprocess.run([command, "quickstart"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert 'pip install "talon_one[cli]"' in done.stderr
    assert "Traceback" not in done.stderr
