"""What the tests of the generator share: the small spec, and the package generated from it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from codegen.builder import read
from codegen.loader import load
from codegen.python_names import with_python_names
from codegen.render import Files, render
from codegen.shell import render_shell


@pytest.fixture(scope="session")
def small_files() -> Files:
    """What the generator writes for the small spec."""
    described = read(load(Path(__file__).parent / "small_spec"), "small")
    return {**render(with_python_names(described), {}), **render_shell(described)}


@pytest.fixture(scope="session")
def small_folder(small_files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package ``small`` in it."""
    folder = tmp_path_factory.mktemp("generated")
    for path, content in small_files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode())
    return folder


@pytest.fixture(scope="session")
def small_package(small_folder: Path) -> Iterator[None]:
    """The package ``small`` can be imported, and is forgotten afterwards."""
    sys.path.insert(0, str(small_folder))
    yield
    sys.path.remove(str(small_folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == "small"]:
        del sys.modules[name]


@pytest.fixture
def models(small_package: None) -> ModuleType:
    """The models of the package ``small``."""
    return import_module("small.models")


@pytest.fixture
def api(small_package: None) -> ModuleType:
    """The API classes of the package ``small``."""
    return import_module("small.api")
