"""Rows of uploaded CSV files, checked as their operation describes the columns."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from talon_one._core.operation import Column, Csv
from talon_one.sandbox import json_text
from talon_one.sandbox.contract.checks import parameter_check
from talon_one.sandbox.contract.problems import Problems, TooManyProblems, inside
from talon_one.sandbox.errors import Problem


def check_row(
    described: Csv, cells: Mapping[str, str], bounds: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the values of a row by their columns, and its problems.

    Args:
        described: Columns of the file.
        cells: The cells that are not empty, by column.
        bounds: Constraints of columns that the description of the file leaves out.
    """
    problems = Problems()
    values: dict[str, Any] = {}
    with suppress(TooManyProblems):
        for column in described.columns:
            cell = cells.get(column.name)
            place = inside(None, column.name)
            if cell is None:
                if column.required:
                    problems.add("required", f"{column.name} is required", place)
            elif cell in column.words:
                values[column.name] = cell
            else:
                check = parameter_check(
                    column.type, {**column.constraints, **bounds.get(column.name, {})}
                )
                values[column.name] = check(_read(column, cell), place, problems)
        filled = [name for name in described.any_of if name in cells]
        if described.any_of and len(filled) != 1:
            names = ", ".join(described.any_of)
            problems.add("required", f"exactly one of {names} is required", None)
        if len([name for name in described.not_both if name in cells]) > 1:
            names = " and ".join(described.not_both)
            problems.add("Invalid", f"{names} exclude each other", None)
    return values, problems.found


def _read(column: Column, cell: str) -> Any:
    """Return the value that a cell spells; an unreadable one stays text, which is refused."""
    if column.separator:
        return [part for part in cell.split(column.separator) if part]
    if column.type in ("str", "datetime", "date") or column.type.startswith("Literal"):
        return cell
    if column.type == "int" and not (cell.isascii() and cell.removeprefix("-").isdigit()):
        return cell
    with suppress(ValueError):
        return json_text.read(cell)
    return cell
