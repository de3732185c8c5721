"""Parameters of an operation as arguments and options of its command."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from talon_one._core.operation import IDEMPOTENCY_KEY, Operation, Parameter
from talon_one._schema.annotations import Shape, parse
from talon_one._utils.suggest import did_you_mean
from talon_one.cli.naming import argument_name, command_name, option_name

if TYPE_CHECKING:
    _IntegerType = click.ParamType[int]
    _TextType = click.ParamType[str]
    _ChoiceType = click.Choice[str]
else:  # Classes of earlier releases of click take no arguments.
    _IntegerType = _TextType = click.ParamType
    _ChoiceType = click.Choice

_NUMBER = re.compile(r"-?[0-9]{1,4000}")
_DECIMAL = re.compile(r"-?[0-9]{1,4000}(\.[0-9]+)?")


class Integer(_IntegerType):
    """An integer in decimal digits; the operation checks its range."""

    name = "integer"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Return the number.

        Raises:
            click.BadParameter: It is none.
        """
        if isinstance(value, str) and not _NUMBER.fullmatch(value):
            self.fail(f"{value!r} is not an integer.", param, ctx)
        return int(value)


class Decimal(_TextType):
    """A number, which is sent as it was written."""

    name = "number"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return the text of the number.

        Raises:
            click.BadParameter: It is none.
        """
        if not _DECIMAL.fullmatch(str(value)):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return str(value)


class Word(_ChoiceType):
    """One of several words; a misspelled one gets a suggestion, because there may be many."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__([str(word) for word in words])

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return the word.

        Raises:
            click.BadParameter: There is no such word.
        """
        if value not in self.choices:
            hint = did_you_mean(str(value), map(str, self.choices))
            known = ", ".join(map(str, self.choices))
            self.fail(f"{value!r} is not one of {known}.{hint}", param, ctx)
        return str(value)


class Timestamp(_TextType):
    """A timestamp of RFC 3339 with a time zone, which the operation checks."""

    name = "timestamp"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return the text, which the call checks."""
        return str(value)


_TYPES: dict[str, Callable[[], click.ParamType[Any]]] = {
    "int": Integer,
    "float": Decimal,
    "datetime": Timestamp,
}


# Keeps the values of the API apart from those of options that every command has.
_PREFIX = "parameter_"


def destination(name: str) -> str:
    """Return the key of a parameter, body or file among the values of a command."""
    return _PREFIX + name


def parameters_of(operation: Operation, texts: Mapping[str, str]) -> list[click.Parameter]:
    """Return the arguments and options for the parameters of an operation, the path first.

    Args:
        operation: The operation.
        texts: Help texts by Python name.
    """
    found: list[click.Parameter] = [
        click.Argument(
            [destination(each.name)],
            type=_type(parse(each.type)),
            metavar=argument_name(each.name),
        )
        for each in operation.parameters
        if each.location == "path"
    ]
    for each in operation.parameters:
        if each.location != "path":
            found.append(_option(operation, each, texts.get(each.name, "")))
    return found


def _option(operation: Operation, parameter: Parameter, text: str) -> click.Option:
    shape = parse(parameter.type)
    name = option_name(parameter.name)
    text = with_limits(text, parameter.constraints)
    if parameter.wire == IDEMPOTENCY_KEY:
        text += " Without it, the command makes one for its own retries."
    if parameter.name == "dry":
        text += " The platform gets the request; --dry-run sends nothing."
    settings: dict[str, Any] = {"help": text, "default": None, "required": parameter.required}
    target = destination(parameter.name)
    if shape.kind == "bool":
        pair = f"{name}/--no-{name[2:]}"
        return click.Option([target, pair], **settings)
    if shape.kind == "list":
        settings.update(multiple=True, type=_type(shape.inner))
        settings["help"] += " Repeat the option for several."
    else:
        settings["type"] = _type(shape)
    return click.Option([target, name], **settings)


def with_limits(text: str, constraints: Mapping[str, Any]) -> str:
    """Return a help text with the range of the value, unless the text has numbers of its own."""
    low, high = constraints.get("minimum"), constraints.get("maximum")
    if (low is None and high is None) or any(str(each) in text for each in (low, high)):
        return text
    if low is None or high is None:
        limits = f"At most {high}." if low is None else f"At least {low}."
    else:
        limits = f"From {low} to {high}."
    return f"{text} {limits}"


def _type(shape: Shape) -> click.ParamType[Any]:
    if shape.kind == "Literal":
        return Word(shape.values)
    kind = _TYPES.get(shape.kind)
    return kind() if kind else click.STRING


def arguments_of(operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments for the method of an operation, without what was not given.

    Args:
        operation: The operation.
        given: Values of all parameters of the command.
    """
    found = {}
    for each in operation.parameters:
        value = given.get(destination(each.name))
        if value is None or value == ():
            continue
        found[each.name] = list(value) if isinstance(value, tuple) else value
    return found


def asks_first(operation: Operation) -> bool:
    """Return whether an operation deletes something, which nothing brings back."""
    return operation.method == "DELETE" or operation.id.startswith("delete")


def deprecation(operation: Operation) -> str:
    """Return what is said of a deprecated operation, in words of the command line."""
    _, separator, instead = operation.deprecated.partition("; use ")
    replaced = f"; use {command_name(instead)}" if separator else ""
    return f"the platform has deprecated this operation{replaced}"
