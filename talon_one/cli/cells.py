"""Columns of CSV rows for bulk jobs: which property a column is, and how its cells are read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from talon_one._schema.access import fields_by_wire_name
from talon_one._schema.annotations import parse
from talon_one._schema.fields import NestedField, VariantField
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.tables.checks import DUPLICATE_COLUMN, OTHER_DELIMITERS

if TYPE_CHECKING:
    from talon_one._schema.fields import Field
    from talon_one._schema.model import Model

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,400})(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,400})")


class Column(NamedTuple):
    """A column of a CSV file.

    Attributes:
        name: Its title.
        path: Properties that lead to its value in the row.
        read: Returns the value of a cell; raises `ValueError` with the reason.
    """

    name: str
    path: tuple[str, ...]
    read: Callable[[str], Any]


def columns_of(names: Sequence[str], row: type[Model]) -> list[Column]:
    """Return the columns of a CSV file.

    A dot leads into an object: ``payload.sku``. Inside an object with free names the rest is a name
    of its own: ``attributes.City``. Such a value is text, unless the title says what it is:
    ``attributes.Age:number``.

    Args:
        names: Titles of the columns.
        row: Class of the rows.

    Raises:
        click.UsageError: A column is no property of the rows, or is there twice.
    """
    first = ",".join(names)
    columns: list[Column] = []
    for name in names:
        found = _column(name, row)
        if found is None:
            for delimiter, noun in OTHER_DELIMITERS.items():
                if len(names) == 1 and delimiter in first:
                    raise click.UsageError(
                        f"line 1 has {noun} between the cells; save the file with commas"
                    )
            raise click.UsageError(_unknown(name, row))
        if any(found.path == other.path for other in columns):
            raise click.UsageError(f"the column {name} {DUPLICATE_COLUMN}")
        for other in columns:
            short, long = sorted((found.path, other.path), key=len)
            if long[: len(short)] == short:
                raise click.UsageError(
                    f"the columns {other.name} and {name} are both about {'.'.join(short)};"
                    " remove one of them"
                )
        columns.append(found)
    return columns


def row_of(columns: Sequence[Column], cells: Sequence[str]) -> dict[str, Any]:
    """Return a row as JSON data. An empty cell is a property that is left out.

    Raises:
        ValueError: There are too few or too many cells, or one cannot be read. The message follows
            the number of the line.
    """
    if len(cells) != len(columns):
        noun = f"{len(cells)} cell{'s' * (len(cells) != 1)}"
        raise ValueError(f": has {noun}, and there are {len(columns)} columns")
    row: dict[str, Any] = {}
    for column, cell in zip(columns, cells, strict=True):
        if not cell:
            continue
        if not cell.isascii():
            _check_encoding(column, cell)
        place = row
        for step in column.path[:-1]:
            place = place.setdefault(step, {})
        try:
            place[column.path[-1]] = column.read(cell)
        except ValueError as cause:
            raise ValueError(f", column {column.name}: {cause}") from None
    return row


def _check_encoding(column: Column, cell: str) -> None:
    try:
        cell.encode()
    except UnicodeEncodeError:
        raise ValueError(f", column {column.name}: is not UTF-8 text") from None


# -- Titles ----------------------------------------------------------------------------------------


def _column(name: str, row: type[Model]) -> Column | None:
    """Return a column, or ``None`` if it is no property of a row."""
    steps = name.split(".")
    path: list[str] = []
    fields = dict(fields_by_wire_name(row))
    while steps:
        step = steps.pop(0)
        if step not in fields:
            return None
        path.append(step)
        declared = fields[step]
        if not steps:
            return Column(name, tuple(path), _reader(declared.annotation))
        if isinstance(declared, VariantField):
            fields = _fields_of_all(declared)
        elif isinstance(declared, NestedField) and not declared.depth:
            fields = dict(fields_by_wire_name(declared.target))
        elif parse(declared.annotation).kind == "dict":
            rest, _, kind = ".".join(steps).rpartition(":")
            if kind not in _FREE or not rest:
                rest, kind = ".".join(steps), "text"
            return Column(name, (*path, rest), _FREE[kind]) if rest else None
        else:
            return None
    return None


def _fields_of_all(declared: VariantField) -> dict[str, Field]:
    """Return the properties that any of the classes has."""
    found: dict[str, Field] = {}
    for value in declared.classes:
        found = {**fields_by_wire_name(declared.class_for(value)), **found}
    return found


def _unknown(name: str, row: type[Model]) -> str:
    known = sorted(_titles(row))
    hint = did_you_mean(name, known) or f" The columns are {', '.join(known)}."
    return f"there is no column {quoted(name)}.{hint}"


def _titles(row: type[Model]) -> Iterator[str]:
    for wire, declared in fields_by_wire_name(row).items():
        if isinstance(declared, VariantField):
            for inner, field in _fields_of_all(declared).items():
                yield f"{wire}.{inner}{'.NAME' * (parse(field.annotation).kind == 'dict')}"
        else:
            yield f"{wire}{'.NAME' * (parse(declared.annotation).kind == 'dict')}"


# -- Cells -----------------------------------------------------------------------------------------


def _text(cell: str) -> str:
    return cell


def _integer(cell: str) -> int:
    if not _INTEGER.fullmatch(cell):
        raise ValueError(f"must be a whole number, not {quoted(cell)}")
    return int(cell)


def _number(cell: str) -> int | float:
    if not _NUMBER.fullmatch(cell):
        comma = "; write a point before the decimals" if "," in cell else ""
        raise ValueError(f"must be a number, not {quoted(cell)}{comma}")
    number: int | float = json.loads(cell)
    return number


def _boolean(cell: str) -> bool:
    word = cell.lower()
    if word not in ("true", "false"):
        raise ValueError(f"must be true or false, not {quoted(cell)}")
    return word == "true"


def _json(cell: str) -> Any:
    try:
        return json.loads(cell, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as cause:
        reason = cause.msg if isinstance(cause, json.JSONDecodeError) else str(cause)
        raise ValueError(f"must be JSON, not {quoted(cell)} ({reason})") from None


def refuse_constant(constant: str) -> NoReturn:
    """Refuse a number that Python reads and JSON does not have."""
    raise ValueError(f"{constant} is not a number of JSON")


_FREE: Mapping[str, Callable[[str], Any]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "json": _json,
}
"""What may stand behind the colon of a title."""

_READERS: Mapping[str, Callable[[str], Any]] = {
    "str": _text,
    "datetime": _text,
    "date": _text,
    "Literal": _text,
    "int": _integer,
    "float": _number,
    "bool": _boolean,
}


def _reader(annotation: str) -> Callable[[str], Any]:
    return _READERS.get(parse(annotation).kind, _json)
