"""NewRows: the rows of an export that are new since a bookmark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from talon_one._core.operation import Operation
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError
from talon_one.pagination.bookmarks import Bookmark
from talon_one.pagination.novelty import KeyFunction, Novelty
from talon_one.pagination.time_filter import TimeFilter
from talon_one.tables.exports import BaseTable, Table
from talon_one.tables.rows import Row

if TYPE_CHECKING:
    from typing_extensions import Self

By = Literal["created", "updated"]

# Columns whose value is unique. In other exports, such as those of ledgers, several rows share one.
_IDENTITY: Mapping[str, str] = {
    "exportCoupons": "id",
    "exportCustomerSessions": "id",
    "exportLoyaltyCards": "identifier",
    "exportPoolGiveaways": "id",
}


def new_rows(
    table: Table,
    bookmark: Bookmark | None = None,
    *,
    by: By = "created",
    key: KeyFunction | None = None,
) -> NewRows:
    """Return the rows of an export that are new since a bookmark.

    ::

        table = management.table(management.export_customer_sessions, 3)
        with new_rows(table, bookmark, by="updated") as rows:
            for row in rows:
                ...
        store(rows.bookmark.to_json())

    It sets the parameter of the operation that selects rows from a moment on, such as
    ``created_after``. A value of yours counts only for a bookmark that has no moment yet. Entering
    or iterating makes the call.

    Args:
        table: Table that is still unopened, of an export that has such a parameter.
        bookmark: `NewRows.bookmark` of the last reading, or a new `Bookmark`.
        by: ``"updated"`` to get rows again after each change, where the export allows it.
        key: Returns what identifies a row, as text or a number. By default its ID; for exports
            without one, such as those of effects and ledgers, its content.

    Raises:
        ApiTypeError: *table* is not a table of the blocking API, or cannot be read with a bookmark.
        ApiValueError: *bookmark* belongs to another export, or *table* was opened before.
    """
    return NewRows(table, bookmark, by, key)


class NewRows:
    """Iterator over new rows, and a context manager that closes the table; see `new_rows`."""

    def __init__(
        self,
        table: Table,
        bookmark: Bookmark | None = None,
        by: By = "created",
        key: KeyFunction | None = None,
    ) -> None:
        if not isinstance(table, Table):
            raise ApiTypeError(f"this takes what table returns, not {quoted(table)}")
        self._table = table
        self._novelty = novelty_of(table, bookmark, by, key)
        self._rows: Iterator[Row] | None = None

    def __enter__(self) -> Self:
        self._table.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Row:
        if self._rows is None:
            self._rows = iter(self._table)
        for row in self._rows:
            if self._novelty.is_new(row):
                return row
        self._novelty.finish()
        raise StopIteration

    def __repr__(self) -> str:
        return f"<NewRows after {self.bookmark!r}>"

    def close(self) -> None:
        """Close the response. Rows that were not read are read the next time."""
        self._table.close()

    @property
    def bookmark(self) -> Bookmark:
        """Bookmark after the rows handed out so far; see `talon_one.pagination.NewItems`."""
        return self._novelty.bookmark


def novelty_of(
    table: BaseTable, bookmark: Bookmark | None, by: By, key: KeyFunction | None
) -> Novelty:
    """Return what decides which rows are new, and set the filter of the table."""
    call = table.arguments_to_filter()
    filter = TimeFilter.of_export(call.operation, by)
    key = _key_of(call.operation, by) if key is None else key
    novelty = Novelty(bookmark, call, filter, key, table.monotonic)
    table.use_arguments(novelty.call)
    return novelty


def _key_of(operation: Operation, by: By) -> KeyFunction | None:
    column = _IDENTITY.get(operation.id)
    if column is None:
        return None

    def key(row: Any) -> str | None:
        value = row.get(column)
        if value is None:
            return None
        # A row that was changed is a new one.
        return f"{value}@{row.get(by)}" if by == "updated" else str(value)

    return key
