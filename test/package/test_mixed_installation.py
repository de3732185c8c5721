"""An installation in which modules are missing, or are those of a vendor's package, says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from talon_one import __version__
from talon_one._vendor import installation

from .fresh import ROOT

VENDORS_EXCEPTIONS = (
    "class OpenApiException(Exception): pass\nclass ApiException(OpenApiException): pass\n"
)
ADVICE = (
    "run `pip uninstall talon_one talon-one-sdk talon-one-python-sdk`, and install this package"
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder in which this package is installed."""
    shutil.copytree(ROOT / "talon_one", tmp_path / "talon_one", ignore=_left_out)
    return tmp_path


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return what no test here imports, above all a thousand models."""
    left_out = {name for name in names if name.endswith(("__pycache__", "sandbox", ".pyi"))}
    if Path(folder).name == "models":
        left_out |= set(names) - {"__init__.py", "cart_item.py", "coupon.py"}
    return left_out


def installed(site: Path, name: str, version: str, record: str = "") -> None:
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / "RECORD").write_text(record)


def outcome(site: Path, program: str) -> str:
    """Return the last line that a program prints, which may be that of a traceback."""
    third = [path for path in sys.path if path.endswith("site-packages")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *third])}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # No other program imports from this site.
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env=environment,
        cwd=site,
        capture_output=True,
        text=True,
    )
    return (done.stderr or done.stdout).strip().rpartition("\n")[2]


def vendors_exceptions(site: Path) -> None:
    (site / "talon_one" / "exceptions.py").write_text(VENDORS_EXCEPTIONS)


@pytest.mark.parametrize("vendors", [["talon-one-sdk"], ["talon-one-python-sdk"]])
@pytest.mark.parametrize(
    "program",
    [
        "from talon_one import ConfigurationError",
        "import talon_one; talon_one.IntegrationApi()",
        "from talon_one import Coupon",
    ],
)
def test_a_file_of_the_vendors_is_explained_by_the_package_that_it_came_with(
    site: Path, vendors: list[str], program: str
) -> None:
    vendors_exceptions(site)
    for name in vendors:
        installed(site, name, "26.13.0")
    last = outcome(site, program)
    assert last.startswith("ImportError: talon_one shares its folder with ")
    assert f"{vendors[0]} 26.13.0" in last
    assert ADVICE in last


@pytest.mark.parametrize(
    "damage", [vendors_exceptions, lambda site: (site / "talon_one" / "exceptions.py").unlink()]
)
def test_a_file_that_was_overwritten_or_removed_is_found_without_any_other_package(
    site: Path, damage: Callable[[Path], None]
) -> None:
    digest = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    installed(site, "talon_one", __version__, f"talon_one/exceptions.py,{digest},1\n")
    damage(site)
    last = outcome(site, "from talon_one import ApiClient")
    assert last.startswith("ImportError: another package has overwritten, or removed, files of")
    assert ADVICE in last


@pytest.mark.parametrize(
    "module", ["__init__", "api_client", "configuration", "exceptions", "rest", "models/__init__"]
)
def test_each_file_that_packages_share_is_compared_with_the_one_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    path = f"talon_one/{module}.py"
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text("")
    digest = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"

    def is_overwritten(written: str, name: str = path) -> bool:
        found = SimpleNamespace(
            read_text=lambda _: f"{name},{written},0\n", locate_file=tmp_path.joinpath
        )
        monkeypatch.setattr(installation, "_installed", lambda _: found)
        return installation._is_overwritten()

    assert not is_overwritten(digest)
    # Not every installer writes digests.
    assert not is_overwritten("")
    file.write_text("another")
    assert is_overwritten(digest)
    assert not is_overwritten("")
    assert not is_overwritten(digest, f"talon_one/other_{file.name}")
    file.unlink()
    assert is_overwritten(digest)
    assert is_overwritten("")


def test_a_package_of_the_vendors_beside_files_that_are_ours_is_no_trouble(site: Path) -> None:
    installed(site, "talon-one-sdk", "26.13.0")
    assert outcome(site, "import talon_one; print(talon_one.ApiClient().user_agent)") == (
        f"talon_one-python/{__version__}"
    )


@pytest.mark.parametrize(
    ("gone", "program", "missing"),
    [
        ("models/cart_item.py", "talon_one.CartItem", "talon_one.models.cart_item"),
        ("models/cart_item.py", "talon_one.models.CartItem", "talon_one.models.cart_item"),
        ("models", "talon_one.CartItem", "talon_one.models"),
        ("models", "from talon_one import *", "talon_one.models"),
        ("_utils/special_forms.py", "talon_one.coupon", "talon_one._utils.special_forms"),
        ("effects", "talon_one.effects", "talon_one.effects"),
        ("_core/auth.py", "talon_one.ApiClient", "talon_one._core.auth"),
    ],
)
def test_a_module_that_is_missing_is_not_called_an_attribute_that_is(
    site: Path, gone: str, program: str, missing: str
) -> None:
    path = site / "talon_one" / gone
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    last = outcome(site, f"import talon_one; {program}")
    assert last == f"ModuleNotFoundError: No module named '{missing}'"


def test_an_unknown_name_is_still_a_missing_attribute(site: Path) -> None:
    last = outcome(site, "import talon_one; talon_one.CartItme")
    assert last.startswith("AttributeError: module 'talon_one' has no attribute 'CartItme'")
