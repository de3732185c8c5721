"""Operands of blocks: constants, texts with placeholders, and Talang programs.

A list is a Talang program, except where an operator or an effect takes a list: there it is the
list of its elements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Final, NamedTuple

from talon_one.sandbox.rules.compiled import Value
from talon_one.sandbox.rules.entities import to_value
from talon_one.sandbox.rules.expressions import (
    ExpressionError,
    Names,
    read_path,
    read_text,
    text_of,
)
from talon_one.sandbox.rules.programs import ProgramError, compile_program
from talon_one.sandbox.rules.scope import Scope

KINDS: Final = {
    "any": "a value",
    "scalar": "a number, a text, a time, or true or false",
    "number": "a number, or an expression in {{ }}",
    "quantity": "a number, or an expression in {{ }}",
    "boolean": "true or false",
    "text": "a text",
    "time": "a time as RFC 3339 writes it",
    "list": "a list",
}
"""What an operand can be asked to be, in words."""


class OperandError(ValueError):
    """An operand that cannot be compiled.

    Attributes:
        message: What is wrong.
        path: JSON pointer of the place inside the operand.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class Operand(NamedTuple):
    """A compiled operand.

    Attributes:
        value: Its value.
        constant: The value if it is always the same and of a known type, else None.
    """

    value: Value
    constant: Any = None


def as_time(value: Any) -> datetime | None:
    """Return a time, None if the value is none."""
    return value if isinstance(value, datetime) else None


def _number(value: Any) -> Decimal | None:
    return value if value.__class__ is Decimal else None


def _quantity(value: Any) -> Decimal | None:
    if not isinstance(value, str):
        return _number(value)
    sign, digits = (value[:1], value[1:]) if value[:1] == "-" else ("", value)
    whole, _, fraction = digits.partition(".")
    plain = whole.isascii() and whole.isdigit() and (not fraction or fraction.isdigit())
    return Decimal(f"{sign}{digits}") if plain and fraction.isascii() else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _scalar(value: Any) -> Any:
    return value if isinstance(value, (Decimal, str, bool, datetime)) else None


def _text(value: Any) -> str | None:
    return None if _scalar(value) is None else text_of(value)


def _list(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else None


CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "scalar": _scalar,
    "number": _number,
    "quantity": _quantity,
    "boolean": _boolean,
    "text": _text,
    "time": as_time,
    "list": _list,
}
"""What turns a value into one of the kind, and gives None for others."""


def read_operand(raw: Any, kind: str, names: Names) -> Operand:
    """Compile an operand.

    Args:
        raw: The JSON value.
        kind: What it must be, see `KINDS`; the type of what is computed is not checked.
        names: Names in reach.

    Raises:
        OperandError: If it cannot be compiled, or is a constant of another type.
    """
    if isinstance(raw, str):
        return _read_text(raw, kind, names)
    if isinstance(raw, list):
        return _read_list(raw, names) if kind == "list" else Operand(_program(raw, names))
    if isinstance(raw, Mapping):
        if kind != "any":
            raise OperandError(f"must be {KINDS[kind]}")
        return _read_members(raw, names)
    if isinstance(raw, float) and not isfinite(raw):
        raise OperandError("must be a finite number")
    if isinstance(raw, bool):
        fitting = {"any", "scalar", "boolean"}
    else:
        fitting = {"any", "scalar", "number", "quantity"} if raw is not None else set()
    if kind not in fitting:
        raise OperandError(f"must be {KINDS[kind]}")
    return _constant(to_value(raw))


def read_value(raw: Any, names: Names) -> Value:
    """Compile what is written as a bare path, as one placeholder, or as a Talang program.

    Raises:
        OperandError: If it is none of them.
    """
    if isinstance(raw, list):
        return _program(raw, names)
    if not isinstance(raw, str):
        raise OperandError("must be a path such as $Session.Total")
    try:
        if not raw.startswith("{{"):
            return read_path(raw, names)
        template = read_text(raw, names)
    except ExpressionError as error:
        raise OperandError(str(error)) from None
    if not template.whole:
        raise OperandError("must be one placeholder and nothing else")
    return template.value


def _constant(value: Any) -> Operand:
    return Operand(lambda scope: value, value)


def _read_text(raw: str, kind: str, names: Names) -> Operand:
    try:
        template = read_text(raw, names)
    except ExpressionError as error:
        raise OperandError(str(error)) from None
    if template.computed:
        if not template.whole and kind in {"number", "boolean", "list"}:
            raise OperandError(f"must be {KINDS[kind]}, not a text around placeholders")
        if kind == "time" and not template.whole:
            return Operand(lambda scope: to_value(template.value(scope)))
        return Operand(template.value)
    if kind == "text":
        return _constant(raw)
    value = to_value(raw)
    if kind in {"any", "scalar"}:
        return _constant(value)
    value = CHECKS[kind](value)
    if value is None:
        raise OperandError(f"must be {KINDS[kind]}")
    return _constant(value)


def _read_list(raw: list[Any], names: Names) -> Operand:
    elements = []
    for index, element in enumerate(raw):
        try:
            elements.append(read_operand(element, "scalar", names))
        except OperandError as error:
            raise OperandError(error.message, f"/{index}{error.path}") from None
    if all(element.constant is not None for element in elements):
        return _constant([element.constant for element in elements])
    values = [element.value for element in elements]
    return Operand(lambda scope: [value(scope) for value in values])


def _read_members(raw: Mapping[str, Any], names: Names) -> Operand:
    members: dict[str, Value] = {}
    for name, member in raw.items():
        if isinstance(member, Mapping):
            # Such as the coordinates of a place: nothing in it is computed.
            members[name] = _constant(member).value
            continue
        try:
            members[name] = read_operand(member, "any", names).value
        except OperandError as error:
            step = name.replace("~", "~0").replace("/", "~1")
            raise OperandError(error.message, f"/{step}{error.path}") from None

    def read(scope: Scope) -> dict[str, Any]:
        return {name: member(scope) for name, member in members.items()}

    return Operand(read)


def _program(raw: list[Any], names: Names) -> Value:
    try:
        return compile_program(raw, names)
    except ProgramError as error:
        raise OperandError(error.message, error.path) from None
