"""Intermediate form to file contents: templates, then ruff."""

from __future__ import annotations

import re
import tempfile
import textwrap
from collections.abc import Callable, Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from codegen import ir
from codegen.checks import YIELDING_METHODS
from codegen.loader import SpecError
from codegen.names import module_name
from codegen.python_names import enum_values, with_method_names
from codegen.tools import ruff, templates
from talon_one._core.operation import ERROR_MODEL

LINE_LENGTH = 100
# The longest text that fits into a line with brackets around it. Pieces end after a blank or slash.
_LONGEST_TEXT = 85
_PIECES = re.compile(r"(?s).{1,70}(?:(?<=[ /])|$)|.{1,70}")

# Folder of each kind of API, and whether its methods are coroutines.
_SHELLS = {"api": False, "aio/api": True}

Files = dict[str, str]
"""Path relative to the project, with what the file holds."""


def render(sdk: ir.Sdk, core_names: dict[str, str], submodules: Collection[str] = ()) -> Files:
    """Return the Python files of an SDK.

    Args:
        sdk: The intermediate form.
        core_names: Hand-written public names of the package, with the modules that hold them.
        submodules: Modules that are attributes of the package.

    Raises:
        SpecError: A schema has one of these names.
    """
    templates = _environment(sdk)
    package = sdk.package.replace(".", "/")
    files: Files = {}

    def write(path: str, template: str, **values: Any) -> None:
        files[f"{package}/{path}"] = templates.get_template(template).render(sdk=sdk, **values)

    public = _public_classes(sdk)
    for each in sdk.schemas:
        for name in {each.name, *each.aliases} & core_names.keys():
            raise SpecError(
                f"the schema {name} has the name of something in the package", each.place
            )
    for model in sdk.models:
        write(f"models/{model.module}.py", "model.py.jinja", model=model)
    for union in sdk.unions:
        write(f"models/{union.module}.py", "union.py.jinja", union=union)
    for alias in sdk.aliases:
        write(f"models/{alias.module}.py", "type_alias.py.jinja", alias=alias)
    for each in sdk.schemas:
        for name in each.aliases:
            path = f"models/{module_name(name)}.py"
            write(path, "other_name.py.jinja", target=each, name=name)
    # Names of modules of models begin with a letter, so none has this name.
    write("webhooks/_shapes.py", "notifications.py.jinja")
    write("models/__init__.py", "models_init.py.jinja", classes=public)
    write("models/__init__.pyi", "models_init.pyi.jinja", classes=public)
    for api in sdk.apis:
        write(f"api/{_operations_module(api)}.py", "operations.py.jinja", api=api)
        for folder, asynchronous in _SHELLS.items():
            write(
                f"{folder}/{api.module}.py",
                "api.py.jinja",
                api=api,
                asynchronous=asynchronous,
            )
    for folder in _SHELLS:
        write(f"{folder}/__init__.py", "api_init.py.jinja")
        write(f"{folder}/__init__.pyi", "api_init.pyi.jinja", folder=folder.replace("/", "."))
    if core_names:
        write(
            "__init__.pyi", "front_door.pyi.jinja", core=core_names, submodules=sorted(submodules)
        )
    return formatted(files)


def _environment(sdk: ir.Sdk) -> Environment:
    environment = templates()
    environment.filters.update(
        prose=_prose_filter(sdk),
        docstring=docstring,
        literal=literal,
        keywords=keywords,
        table=table,
        operations_module=_operations_module,
    )
    environment.globals.update(error_models=_error_models, yielding=YIELDING_METHODS)
    return environment


def _prose_filter(sdk: ir.Sdk) -> Callable[[Context, str], str]:
    """Return the filter `prose`, which names operations as Python code calls them."""
    methods = {
        own: {
            each.id: each.name if api.name == own else f"{api.name}.{each.name}"
            for api in sdk.apis
            for each in api.operations
        }
        for own in (None, *(api.name for api in sdk.apis))
    }

    @pass_context
    def prose(context: Context, text: str, described: ir.Property | None = None) -> str:
        api = context.get("api")
        values = enum_values(described.type) if described else ()
        return with_method_names(text, methods[api and api.name], values)

    return prose


def docstring(text: str, indent: int, hanging: int = 0, prefix: str = "") -> str:
    """Return prose as the inside of a docstring: escaped, and wrapped to the line length.

    A word that no line can hold, such as a long path, is broken at a slash if it has one.

    Args:
        text: The prose.
        indent: Columns that the docstring stands from the left.
        hanging: Further columns for every line but the first.
        prefix: Text in front of the prose, on its first line.
    """
    # Three quotes would end the docstring, and one quote before its end would be cut off.
    escaped = re.sub(r'"(?=""|\Z)', r"\"", (prefix + text).replace("\\", "\\\\"))
    # The first line has three quotes, and the last may have three more.
    width = LINE_LENGTH - indent - 6
    lines = textwrap.wrap(
        escaped,
        width,
        break_long_words=False,
        break_on_hyphens=False,
        subsequent_indent=" " * hanging,
    )
    broken = (_at_slashes(line, width, " " * hanging) for line in lines)
    return ("\n" + " " * indent).join(chain.from_iterable(broken))


def _at_slashes(line: str, width: int, indent: str) -> Iterator[str]:
    while len(line) > width:
        end = line.rfind("/", len(indent) + 1, width) + 1
        if not end:
            break
        yield line[:end]
        line = indent + line[end:]
    yield line


def literal(value: Any) -> str:
    """Return a value as Python source; a long text in several literals, which Python joins."""
    if isinstance(value, dict):
        inside = ", ".join(f"{key!r}: {literal(item)}" for key, item in value.items())
        return f"{{{inside}}}"
    if isinstance(value, str) and len(repr(value)) > _LONGEST_TEXT:
        return " ".join(repr(piece) for piece in _PIECES.findall(value))
    return repr(value)


def keywords(values: dict[str, Any]) -> str:
    """Return keyword arguments as Python source."""
    return ", ".join(f"{name}={literal(value)}" for name, value in values.items())


def table(entries: dict[str, str], indent: int = 4) -> str:
    """Return a dict of short texts as Python source, one entry per line."""
    inside = ""
    for name, value in entries.items():
        fits = indent + len(f"{name!r}: {value!r},") <= LINE_LENGTH
        inside += f"{name!r}: {value!r}, " if fits else f"{name!r}: ({value!r}), "
    return f"{{{inside}}}"


def _error_models(operation: ir.Operation) -> dict[int, str]:
    """Return the models of error responses that are not the usual one."""
    models = {each.status: each.type.text for each in operation.responses if each.type}
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


def formatted(files: Files) -> Files:
    """Return Python files, formatted by ruff."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, content in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        # Sorting and pruning imports here keeps the templates free of conditions.
        first_party = ["talon_one", *{path.partition("/")[0] for path in files}]
        sections = f"lint.isort.known-first-party={sorted(set(first_party))}"
        place = ["--target-version=py310", "."]
        imports = ["check", "--fix", "--unsafe-fixes", "--select=F401,I001", "--config", sections]
        ruff(*imports, *place, folder=root, line_length=LINE_LENGTH)
        layout = ["format", "--config", "format.skip-magic-trailing-comma=true"]
        ruff(*layout, *place, folder=root, line_length=LINE_LENGTH)
        return {path: (root / path).read_text(encoding="utf-8") for path in files}
