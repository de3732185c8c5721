"""Intermediate form to the texts of the command line, with the names that it uses.

The texts of the description name parameters, properties and operations as the API does. At the
command line a parameter is an option or an argument, an operation is a command, and properties keep
their names, because bodies are JSON there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from jinja2 import Environment

from codegen import ir
from codegen.notification_samples import notification_samples
from codegen.python_names import enum_values, with_method_names
from codegen.render import Files, formatted, literal, table
from codegen.tools import templates
from talon_one.cli.naming import argument_name, command_name, option_name

_SPAN = re.compile(r"`(?P<name>\w+)(?: ?= ?(?P<value>\w+))?`")


def render_shell(described: ir.Sdk) -> Files:
    """Return the modules with the texts and the samples of the command line.

    Args:
        described: The intermediate form, with the names of the API in its texts.
    """
    package = described.package.replace(".", "/")
    files: Files = {}
    for api in described.apis:
        template = _environment(described, api).get_template("command_texts.py.jinja")
        files[f"{package}/cli/texts/{api_command(api)}.py"] = template.render(api=api)
    samples = _plain_environment().get_template("notification_samples.py.jinja")
    files[f"{package}/cli/texts/notifications.py"] = samples.render(
        samples=notification_samples(described)
    )
    return formatted(files)


def _plain_environment() -> Environment:
    environment = templates()
    environment.filters["literal"] = literal
    return environment


def api_command(api: ir.Api) -> str:
    """Return the group of commands of an API: `management`."""
    return api.module.removesuffix("_api")


def _environment(sdk: ir.Sdk, own: ir.Api) -> Environment:
    environment = templates()
    commands = _commands(sdk, own)
    environment.filters.update(
        arguments=partial(_arguments, commands=commands),
        command=command_name,
        literal=literal,
        span=partial(_with_options, commands=commands),
        summaries=partial(_summaries, commands=commands),
        table=table,
    )
    return environment


def _commands(sdk: ir.Sdk, own: ir.Api) -> dict[str, str]:
    """Return operation ID, and name of the method, to command as the texts of an API call it."""
    return {
        name: ("" if api is own else f"{api_command(api)} ") + command_name(each.name)
        for api in sdk.apis
        for each in api.operations
        for name in (each.id, each.name)
    }


def _summaries(group: ir.Group, commands: Mapping[str, str]) -> dict[str, str]:
    return {
        command_name(each.name): _with_options(each.summary, each, commands)
        for each in group.operations
    }


def _with_options(text: str, operation: ir.Operation, commands: Mapping[str, str]) -> str:
    """Return a text with the names of the command line."""
    parameters = {each.wire: each for each in operation.parameters}
    kept = {value for each in operation.parameters for value in enum_values(each.type)}

    def named(span: re.Match[str]) -> str:
        parameter = parameters.get(span["name"])
        if parameter is None or span["name"] in kept or span["name"] in commands:
            return span[0]
        return f"`{_assigned(parameter, span['value'])}`"

    return with_method_names(_SPAN.sub(named, " ".join(text.split())), commands)


def _assigned(parameter: ir.Parameter, value: str | None) -> str:
    if parameter.location == "path":
        return argument_name(parameter.name) + (f"={value}" if value else "")
    option = option_name(parameter.name)
    if parameter.type.text == "bool" and value in ("true", "false"):
        return option if value == "true" else f"--no-{option[2:]}"
    return f"{option} {value}" if value else option


def _arguments(operation: ir.Operation, commands: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each parameter, then those of the body or file."""
    for each in operation.parameters:
        yield each.name, _with_options(each.description + _default(each), operation, commands)
    if operation.body:
        yield "body", _with_options(operation.body.description, operation, commands)
    if operation.upload:
        text = _with_options(operation.upload.description, operation, commands)
        yield operation.upload.name, text


def _default(parameter: ir.Parameter) -> str:
    # It is the server that assumes the default: what is not given is not sent.
    default: Any = parameter.default
    if default is None or "default" in parameter.description.lower():
        return ""
    if isinstance(default, bool):
        default = str(default).lower()
    return f" Default: `{default}`."
