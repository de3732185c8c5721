"""Intermediate form to file contents: templates, then ruff."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from codegen import ir
from codegen.names import module_name
from talon_one.operation import ERROR_MODEL

LINE_LENGTH = 100

Files = dict[str, str]
"""Path relative to the project, with what the file holds."""


def render(sdk: ir.Sdk, core_names: dict[str, str]) -> Files:
    """Return the Python files of an SDK.

    Args:
        sdk: What to write.
        core_names: Hand-written public names of the package, with the modules that hold them.
    """
    templates = _environment()
    package = sdk.package.replace(".", "/")
    files: Files = {}

    def write(path: str, template: str, **values: Any) -> None:
        files[f"{package}/{path}"] = templates.get_template(template).render(sdk=sdk, **values)

    public = _public_classes(sdk)
    for model in sdk.models:
        write(f"models/{model.module}.py", "model.py.jinja", model=model)
    for alias in sdk.aliases:
        write(f"models/{alias.module}.py", "type_alias.py.jinja", alias=alias)
    for each in sdk.schemas:
        for name in each.aliases:
            path = f"models/{module_name(name)}.py"
            write(path, "other_name.py.jinja", target=each, name=name)
    write("models/__init__.py", "models_init.py.jinja", classes=public)
    write("models/__init__.pyi", "models_init.pyi.jinja", classes=public)
    for api in sdk.apis:
        imports = sorted({name for each in api.operations for name in each.imported_models})
        write(f"api/{api.module}.py", "api.py.jinja", api=api, imports=imports)
        write(f"api/{_operations_module(api)}.py", "operations.py.jinja", api=api)
    write("api/__init__.py", "api_init.py.jinja")
    write("api/__init__.pyi", "api_init.pyi.jinja")
    if core_names:
        write("__init__.pyi", "front_door.pyi.jinja", classes=public, core=core_names)
    return _formatted(files)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("codegen"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  what is written is Python, not HTML
    )
    environment.filters.update(
        docstring=docstring,
        literal=literal,
        keywords=keywords,
        class_text=class_text,
        operations_module=_operations_module,
    )
    environment.globals.update(
        error_models=_error_models,
        field_functions={
            "date": "day",
            "scalar": "field",
            "nested": "nested",
            "datetime": "timestamp",
        },
    )
    return environment


def docstring(text: str, indent: int, hanging: int = 0, prefix: str = "") -> str:
    """Return prose as the inside of a docstring: escaped, and wrapped to the line length.

    Args:
        text: The prose.
        indent: Columns that the docstring stands from the left.
        hanging: Further columns for every line but the first.
        prefix: Text in front of the prose, on its first line.
    """
    escaped = (prefix + text).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    # Three quotes stand on the first line, and perhaps on the last.
    lines = textwrap.wrap(
        escaped,
        LINE_LENGTH - indent - 6,
        break_long_words=False,
        break_on_hyphens=False,
        subsequent_indent=" " * hanging,
    )
    return ("\n" + " " * indent).join(lines)


def literal(value: Any) -> str:
    """Return a value as Python source."""
    return repr(value)


def keywords(values: dict[str, Any]) -> str:
    """Return keyword arguments as Python source."""
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def class_text(annotation: str) -> str:
    """Return an annotation with the models in it quoted, for use where they are not imported."""
    return re.sub(r"\b(?!Any\b|Literal\b)([A-Z]\w+)(?![\w']*')", r'"\1"', annotation)


def _error_models(operation: ir.Operation) -> dict[int, str]:
    """Return the models of error answers that are not the usual one."""
    models = {each.status: each.type.text for each in operation.answers if each.type}
    return {
        status: text
        for status, text in models.items()
        if not 200 <= status <= 299 and text != ERROR_MODEL
    }


def _operations_module(api: ir.Api) -> str:
    return api.module.removesuffix("_api") + "_operations"


def _public_classes(sdk: ir.Sdk) -> dict[str, str]:
    """Return every class name, aliases included, with the module of that name."""
    found = dict(sdk.classes)
    for each in sdk.schemas:
        for name in each.aliases:
            found[name] = module_name(name)
    return dict(sorted(found.items()))


def _formatted(files: Files) -> Files:
    """Return Python files the way ruff writes them."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, content in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        # Sorting and pruning imports here keeps the templates free of conditions.
        first_party = ["talon_one", *{path.partition("/")[0] for path in files}]
        sections = f"lint.isort.known-first-party={sorted(set(first_party))}"
        _ruff(root, "check", "--fix", "--unsafe-fixes", "--select=F401,I001", "--config", sections)
        _ruff(root, "format", "--config", "format.skip-magic-trailing-comma=true")
        return {path: (root / path).read_text(encoding="utf-8") for path in files}


def _ruff(folder: Path, *command: str) -> None:
    settings = ["--isolated", "--quiet", "--no-cache", f"--line-length={LINE_LENGTH}"]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, *settings, "--target-version=py310", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"ruff refuses what was generated: {done.stdout}{done.stderr}")
