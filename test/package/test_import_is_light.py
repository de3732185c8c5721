"""What an import loads, and what the front door offers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import talon_one
from support.every import for_every
from talon_one import models

from .fresh import ROOT, result_of

PACKAGE = ROOT / "talon_one"

_LOADED = """
import sys
before = set(sys.modules)
{statement}
loaded = set(sys.modules) - before
import json
print(json.dumps(sorted(loaded)))
"""


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a statement loads in a new interpreter."""
    return set(result_of(_LOADED.format(statement=statement)))


def ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "talon_one"}


def test_importing_the_package_loads_nothing_but_itself() -> None:
    loaded = loaded_by("import talon_one")
    assert ours(loaded) == {"talon_one"}
    # `importlib` is the one thing that lazy names need; Python has nearly all of it loaded.
    foreign = {name for name in loaded - ours(loaded) if name.partition(".")[0] != "importlib"}
    assert foreign <= {"warnings"}


def test_importing_an_api_loads_its_methods_and_no_model() -> None:
    loaded = loaded_by("from talon_one import IntegrationApi")
    assert ours(loaded) == {
        "talon_one",
        "talon_one.api",
        "talon_one.api.integration_api",
        "talon_one.api.integration_operations",
        "talon_one.endpoint",
        "talon_one.models",
        "talon_one._core",
        "talon_one._utils",
        "talon_one._core.operation",
        "talon_one._utils.special_forms",
        # What a constructor needs to say what is wrong with its arguments.
        "talon_one._core.address",
        "talon_one._core.constructors",
        "talon_one.exceptions",
        "talon_one._utils.guard",
        "talon_one._core.secret",
        "talon_one._utils.suggest",
    }
    assert not loaded & {"json", "logging", "ssl", "urllib3"}


def test_no_class_of_props_is_loaded_before_props_are_read() -> None:
    read = 'import talon_one; e = talon_one.Effect.from_json(\'{"effectType": "setDiscount"}\')'
    read += "; e['props'] = {'value': 1}; e.effect_type, e.to_json()"
    assert not {name for name in loaded_by(read) if name.endswith("_props")}
    props = {name for name in loaded_by(f"{read}; e.props") if name.endswith("_props")}
    assert props == {"talon_one.models.set_discount_effect_props"}


def test_the_helpers_for_effects_load_neither_props_nor_the_http_library() -> None:
    loaded = loaded_by("import talon_one; talon_one.effects.EffectHandler().on('setDiscount')")
    assert ours(loaded) >= {"talon_one.effects", "talon_one.models.effect"}
    assert not {name for name in loaded if name.endswith("_props")}
    assert not loaded & {"asyncio", "ssl", "talon_one.api_client", "urllib3"}


def test_making_a_client_loads_neither_the_http_library_nor_a_model() -> None:
    loaded = loaded_by(
        "from talon_one import IntegrationApi; IntegrationApi(host='https://a.test', api_key='b')"
    )
    assert not loaded & {"aiohttp", "asyncio", "certifi", "dateutil", "logging", "ssl", "urllib3"}
    assert not {name for name in loaded if name.startswith("talon_one.models.")}


def test_a_model_loads_only_the_models_that_it_is_made_of_once_they_are_needed() -> None:
    statement = "import talon_one; cart = talon_one.CartItem(sku='a', quantity=1)"
    loaded = loaded_by(statement)
    assert {name for name in loaded if name.startswith("talon_one.models.")} == {
        "talon_one.models.cart_item"
    }
    assert "talon_one.models.product" in loaded_by(
        f"{statement}; cart.product = {{}}; cart.product"
    )


@for_every(
    "program",
    [
        "import talon_one; talon_one.Coupon",
        "from talon_one import Coupon",
        "from talon_one.models import Coupon",
        "from talon_one.models.coupon import Coupon",
        "import talon_one; talon_one.models.Coupon",
        "import talon_one.models; talon_one.models.coupon.Coupon",
        "import talon_one; talon_one.api_client.ApiClient",
        "import talon_one; talon_one.exceptions.ApiException",
        "import talon_one.rest; talon_one.rest.ApiException",
        "from talon_one.api import ManagementApi",
        "from talon_one.api.management_api import ManagementApi",
        "from talon_one.models.inline_response2001 import InlineResponse2001",
    ],
)
def test_names_are_found_on_every_way_that_leads_to_them(program: str) -> None:
    assert loaded_by(program)


def test_a_star_import_gives_every_public_name() -> None:
    program = """
import json
before = set(globals())
from talon_one import *
print(json.dumps(sorted(set(globals()) - before - {"before"})))
"""
    assert result_of(program) == sorted(talon_one.__all__)


def names_in_stub(stub: Path) -> set[str]:
    """Return the public names that type checkers see in a package."""
    names = set()
    for statement in ast.parse(stub.read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return set(ast.literal_eval(statement.value))
        if isinstance(statement, ast.ImportFrom):
            if statement.names[0].name == "*":
                home = ROOT.joinpath(*str(statement.module).split("."))
                names |= names_in_stub(home / "__init__.pyi")
            names |= {alias.asname for alias in statement.names if alias.asname}
    return names


def test_the_front_door_names_the_same_everywhere() -> None:
    public = set(talon_one.__all__)
    assert len(public) == len(talon_one.__all__)
    assert public == {*talon_one.HOME, *models.__all__}
    assert public <= set(dir(talon_one))
    in_stub = names_in_stub(PACKAGE / "__init__.pyi")
    assert public <= in_stub
    # Beside the public names, a stub may name modules.
    assert all(find_spec(f"talon_one.{name}") for name in in_stub - public)


@for_every("name", talon_one.HOME)
def test_a_public_name_is_what_its_home_defines(name: str) -> None:
    home: Any = __import__(f"talon_one.{talon_one.HOME[name]}", fromlist=[name])
    assert getattr(talon_one, name) is getattr(home, name)


@pytest.mark.parametrize("package", ["talon_one", "talon_one.aio"])
def test_every_module_of_a_package_is_an_attribute_before_it_is_imported(package: str) -> None:
    program = """
import importlib, json, sys
package = importlib.import_module(sys.argv[1])
found = {name: getattr(package, name).__name__ for name in sorted(package.SUBMODULES)}
print(json.dumps([found, sorted(package.SUBMODULES - set(dir(package)))]))
"""
    found, missing = result_of(program, package)
    assert found == {name: f"{package}.{name}" for name in found}
    assert missing == []
    # Those that users are to find in this way.
    assert {"bulk", "pagination", "tables"} <= found.keys()


def test_an_unknown_name_is_an_attribute_error_with_a_hint() -> None:
    with pytest.raises(AttributeError, match=r"'Cupon'.*Coupon"):
        talon_one.Cupon  # type: ignore[attr-defined]  # noqa: B018  that is what is tested


@pytest.mark.parametrize(
    ("name", "module"),
    [("TableError", "tables"), ("Receiver", "webhooks"), ("PagesError", "pagination")],
)
def test_a_name_that_is_one_module_further_on_is_found_there(name: str, module: str) -> None:
    said = f"'talon_one' has no attribute '{name}'. It is in talon_one.{module}."
    with pytest.raises(AttributeError, match=re.escape(said)):
        getattr(talon_one, name)


def test_a_pickled_model_is_read_by_a_process_that_has_imported_nothing() -> None:
    pickled = result_of(
        "import json, pickle, talon_one\n"
        "item = talon_one.CartItem(sku='a', quantity=2, product=talon_one.Product(name='b'))\n"
        "print(json.dumps(pickle.dumps(item).hex()))"
    )
    program = "import json, pickle, sys\nprint(pickle.loads(bytes.fromhex(sys.argv[1])).to_json())"
    assert result_of(program, pickled) == {"sku": "a", "quantity": 2, "product": {"name": "b"}}


def modules() -> dict[str, Path]:
    """Return the files of all modules, by the name of the module."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
        # A hook is a script with a dash in its name, for PyInstaller to run.
        if path.name != "__main__.py" and path.stem.isidentifier()
    }


def run_on_import(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that run when a module is imported."""
    for each in body:
        if isinstance(each, ast.Import | ast.ImportFrom):
            yield each
        elif not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            checking = isinstance(each, ast.If) and "TYPE_CHECKING" in ast.unparse(each.test)
            for part in ("body", "handlers", "orelse", "finalbody"):
                if not (checking and part == "body"):
                    yield from run_on_import(getattr(each, part, []))


def imported_by(name: str, files: dict[str, Path]) -> set[str]:
    """Return the modules that must have been loaded before a module is."""
    found: set[str] = set()
    for each in run_on_import(ast.parse(files[name].read_text(encoding="utf-8")).body):
        if isinstance(each, ast.Import):
            found |= {alias.name for alias in each.names}
            continue
        assert each.level == 0, name
        package = str(each.module)
        for alias in each.names:
            whole = f"{package}.{alias.name}"
            lazy = talon_one.HOME.get(alias.name) if package == "talon_one" else None
            found.add(whole if whole in files else f"{package}.{lazy}" if lazy else package)
    found &= files.keys()
    for loaded in [*found]:
        # The packages that it is in are loaded before it, unless this module is in them, too.
        parts = loaded.split(".")
        packages = {".".join(parts[:count]) for count in range(1, len(parts))}
        found |= {each for each in packages if not f"{name}.".startswith(f"{each}.")}
    return found


def test_every_module_can_be_the_first_one_imported_because_there_are_no_circles() -> None:
    files = modules()
    assert {"talon_one.api_client", "talon_one.models.coupon", "talon_one.aio"} <= files.keys()
    graph = {name: imported_by(name, files) for name in files}
    assert "talon_one.exceptions" in graph["talon_one._schema.validation"]
    assert len([*TopologicalSorter(graph).static_order()]) == len(files)


def test_a_circle_of_imports_is_found(tmp_path: Path) -> None:
    sources = {
        "talon_one.a": "if 1:\n    from talon_one.b import c\n",
        "talon_one.b": "",
        "talon_one.b.c": "try:\n    import talon_one.d\nexcept ImportError:\n    pass\n",
        "talon_one.d": "class D:\n    from talon_one.a import anything\n",
    }
    files = {name: tmp_path / f"{name}.py" for name in sources}
    for name, path in files.items():
        path.write_text(sources[name])
    graph = {name: imported_by(name, files) for name in files}
    assert graph["talon_one.a"] == {"talon_one.b", "talon_one.b.c"}
    with pytest.raises(CycleError):
        TopologicalSorter(graph).prepare()
    files["talon_one.d"].write_text("if TYPE_CHECKING:\n    from talon_one.a import anything\n")
    assert imported_by("talon_one.d", files) == set()


def test_every_module_written_by_hand_can_be_imported() -> None:
    # The tests of the room for Spark have Spark.
    rooms = {"models", "spark"}
    names = [name for name, path in modules().items() if not rooms.intersection(path.parts)]
    program = """
import importlib, json, sys
failures = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError as error:
        failures[name] = str(error)
print(json.dumps(failures))
"""
    assert result_of(program, *names) == {}


def test_the_room_for_spark_says_what_it_needs() -> None:
    program = """
import json, sys
sys.modules["pyspark"] = None
try:
    import talon_one.spark
except ImportError as error:
    print(json.dumps(str(error)))
"""
    assert 'pip install "pyspark>=4" pyarrow' in result_of(program)


def test_six_is_for_others_and_no_code_of_ours_imports_it() -> None:
    imported = re.compile(r"^\s*(import|from) six\b", re.MULTILINE)
    assert not [path for path in PACKAGE.rglob("*.py") if imported.search(path.read_text())]
