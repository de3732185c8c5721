"""CSV files in both directions: rows of an import with their problems, and exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from talon_one._core.operation import Csv
from talon_one.sandbox import files, json_text
from talon_one.sandbox.call import CSV, Call, Result
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.profiles import ACCOUNT_ID, USER_ID
from talon_one.sandbox.state.documents import Document, Documents

Take: TypeAlias = "Callable[[dict[str, Any], Document], bool | Problem]"
"""Takes the values of a row and the import; returns whether the row counts, or what is wrong."""

MAX_PROBLEMS: Final = 100
MAX_ITEMS: Final = 500_000
"""Number of rows in the file of a collection or of a list of allowed values."""


def import_rows(
    call: Call,
    entity: str,
    take: Take,
    *,
    bounds: Mapping[str, Mapping[str, Any]] | None = None,
    limit: int | None = None,
) -> Result:
    """Import an uploaded file: all its rows, or none if one is wrong.

    Args:
        call: The request.
        entity: What is imported, as `Import.entity` names it.
        take: Stores a row.
        bounds: Constraints of columns that the description of the file leaves out.
        limit: Largest number of rows.

    Raises:
        ApiError: 400 with every problem of every row.
    """
    described = call.operation.csv or Csv(())
    columns = described.columns
    rows = files.read(
        call.body,
        required=[each.name for each in columns if each.required],
        optional=[each.name for each in columns if not each.required],
    )
    if limit is not None and len(rows) > limit:
        raise invalid(Problem("maxItems", f"the file must have at most {limit} rows"))
    done = call.state.imports.add(
        {
            "created": call.now,
            "accountId": ACCOUNT_ID,
            "userId": USER_ID,
            "entity": entity,
            "amount": 0,
        }
    )
    problems: list[Problem] = []
    for row in rows:
        values, wrong = files.checked(row, described, bounds)
        problems += wrong
        if wrong:
            continue
        taken = take(values, done)
        if isinstance(taken, Problem):
            problems.append(replace(taken, line=row.line))
        else:
            done["amount"] += taken
    # Raising rolls the transaction back, and with it the entities of the valid rows.
    if problems:
        raise invalid(*problems[:MAX_PROBLEMS])
    [status] = call.operation.results
    return Result(status, call.state.imports.save(done))


def import_items_of(call: Call, items: Documents, owner: Mapping[str, Any], entity: str) -> Result:
    """Import the only items of an owner; one that is there twice counts once.

    Args:
        call: The request.
        items: Table of the items.
        owner: Values of columns that name the owner.
        entity: What is imported, as `Import.entity` names it.
    """
    items.delete(**owner)
    seen: set[str] = set()

    def take(values: dict[str, Any], done: Document) -> bool | Problem:
        if values["item"] in seen:
            return False
        seen.add(values["item"])
        items.add({**owner, "item": values["item"]})
        return True

    return import_rows(call, entity, take, limit=MAX_ITEMS)


def export_rows(
    call: Call,
    rows: Iterable[Mapping[str, Any]],
    *,
    entity: str = "",
    columns: Iterable[str] | None = None,
) -> Result:
    """Export rows in the columns of the operation.

    Args:
        call: The request.
        rows: Values by column; missing ones are empty cells.
        entity: What is exported, as `Export.entity` names it; empty if such exports are not listed.
        columns: The only columns.
    """
    described = call.operation.csv or Csv(())
    names = tuple(columns or (each.name for each in described.columns))
    if entity:
        call.state.exports.add(
            {
                "created": call.now,
                "accountId": ACCOUNT_ID,
                "userId": USER_ID,
                "entity": entity,
                "filter": {**call.ids, **call.query},
            }
        )
    cells = ({name: _cell(call, row.get(name)) for name in names} for row in rows)
    return Result(200, files.write(names, cells), CSV)


_PLAIN: Final = frozenset({str, int, float, type(None)})


def _cell(call: Call, value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json_text.write(value).decode()
    if isinstance(value, Moment):
        return value.written(call.query.get("dateFormat"))
    return value


class Moment(str):
    """A timestamp in a cell, which `dateFormat` may have written in another way."""

    __slots__ = ()

    def written(self, date_format: str | None) -> str:
        """Return it in a date format: that of `excel` has no `T`, no fraction and no `Z`."""
        return f"{self[:10]} {self[11:19]}" if date_format == "excel" else str(self)


def moment(text: str | None) -> Moment | None:
    """Return a timestamp, if there is one, as a cell that `dateFormat` applies to."""
    return None if text is None else Moment(text)
