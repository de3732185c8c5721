"""Entities of one kind: JSON objects in a table, found by some of their properties."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Document: TypeAlias = "dict[str, Any]"
"""An entity with the property names of the API. Names that begin with `_` are private facts."""

_PAGE = 500

# Documents are trees, so there are no circles to look for.
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, slots=True)
class Table:
    """A kind of entity.

    Attributes:
        name: Name of the table.
        columns: Properties by which entities are found, each with an index unless it is the first
            of a unique combination.
        unique: Combinations of columns that no two entities share.
        definition: Whether it is set up rather than produced by requests; `State` caches those.
    """

    name: str
    columns: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    definition: bool = False

    def schema(self) -> Iterator[str]:
        """Yield the statements that create the table."""
        columns = "".join(f', "{column}"' for column in self.columns)
        yield (
            f"CREATE TABLE {self.name} "
            f"(id INTEGER PRIMARY KEY AUTOINCREMENT{columns}, document TEXT NOT NULL)"
        )
        for number, combination in enumerate(self.unique):
            names = ", ".join(f'"{column}"' for column in combination)
            yield f"CREATE UNIQUE INDEX {self.name}_unique_{number} ON {self.name} ({names})"
        covered = {combination[0] for combination in self.unique}
        for column in self.columns:
            if column not in covered:
                yield f'CREATE INDEX {self.name}_by_{column} ON {self.name} ("{column}")'


class Documents:
    """Read and write the entities of one table.

    Documents that are returned belong to the caller. A change of theirs is kept by `save`.

    Args:
        connection: Connection to the database.
        table: Description of the table.
        changed: Called before each change of the table.
    """

    def __init__(
        self, connection: sqlite3.Connection, table: Table, changed: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._table = table
        self._changed = changed
        self._columns = table.columns
        names = ", ".join(["id", *(f'"{column}"' for column in self._columns), "document"])
        marks = ", ".join("?" * (len(self._columns) + 2))
        # Names of tables and columns come from `tables`, never from a request.
        self._insert = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608
        changes = ", ".join(f'"{column}" = ?' for column in (*self._columns, "document"))
        self._update = f"UPDATE {table.name} SET {changes} WHERE id = ?"  # noqa: S608

    def add(self, document: Mapping[str, Any]) -> Document:
        """Store a new entity and return it with its ID, which is the next free one unless given.

        Raises:
            sqlite3.IntegrityError: If the ID or a unique combination is taken.
        """
        self._changed()
        added = {"id": None, **document}
        cursor = self._connection.execute(self._insert, [added["id"], *self._values(added)])
        if added["id"] is None:
            added["id"] = cursor.lastrowid
        return added

    def save(self, document: Document) -> Document:
        """Store the present form of an entity and return it."""
        self._changed()
        self._connection.execute(self._update, [*self._values(document), document["id"]])
        return document

    def delete(self, **where: Any) -> int:
        """Delete the entities with these values and return how many there were."""
        self._changed()
        condition, values = self._where(where)
        cursor = self._connection.execute(
            f"DELETE FROM {self._table.name}{condition}",  # noqa: S608
            values,
        )
        return cursor.rowcount

    def get(self, entity_id: int) -> Document | None:
        """Return an entity by its ID."""
        return self.first(id=entity_id)

    def first(self, **where: Any) -> Document | None:
        """Return the oldest entity with these values of columns."""
        return next(self.each(limit=1, **where), None)

    def find(self, **where: Any) -> list[Document]:
        """Return the entities with these values, oldest first. A list stands for any of it."""
        return list(self.each(**where))

    def each(self, *, limit: int | None = None, **where: Any) -> Iterator[Document]:
        """Yield the entities with these values, oldest first, without holding all of them."""
        condition, values = self._where(where)
        joined = f"{condition} AND id > ?" if condition else " WHERE id > ?"
        query = (
            f"SELECT id, document FROM {self._table.name}{joined} "  # noqa: S608
            "ORDER BY id LIMIT ?"
        )
        last, left = -(2**63), limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            rows = self._connection.execute(query, [*values, last, size]).fetchall()
            for last, text in rows:
                document = json.loads(text)
                document["id"] = last
                yield document
            if len(rows) < size:
                return
            left = None if left is None else left - len(rows)

    def count(self, **where: Any) -> int:
        """Return how many entities have these values."""
        condition, values = self._where(where)
        query = f"SELECT COUNT(*) FROM {self._table.name}{condition}"  # noqa: S608
        return int(self._connection.execute(query, values).fetchone()[0])

    def newest(
        self,
        limit: int,
        skip: int = 0,
        *,
        text: str = "",
        among: Sequence[str] = (),
        **where: Any,
    ) -> list[Document]:
        """Return a page of the entities with these values, newest first.

        Args:
            limit: How many.
            skip: How many newer ones are left out.
            text: What one of the columns must contain, in upper or lower case.
            among: Those columns.
            **where: Values of columns.
        """
        condition, values = self._containing(where, text, among)
        query = (
            f"SELECT id, document FROM {self._table.name}{condition} "  # noqa: S608
            "ORDER BY id DESC LIMIT ? OFFSET ?"
        )
        rows = self._connection.execute(query, [*values, limit, skip]).fetchall()
        return [{**json.loads(document), "id": number} for number, document in rows]

    def count_containing(self, text: str, among: Sequence[str], **where: Any) -> int:
        """Return how many entities `newest` has on all of its pages."""
        condition, values = self._containing(where, text, among)
        query = f"SELECT COUNT(*) FROM {self._table.name}{condition}"  # noqa: S608
        return int(self._connection.execute(query, values).fetchone()[0])

    def groups(
        self, column: str, limit: int, skip: int = 0, *, text: str = "", **where: Any
    ) -> tuple[list[str], int]:
        """Return a page of the values that a column has, latest used first, and their number."""
        condition, values = self._containing(where, text, (column,))
        grouped = f'FROM {self._table.name}{condition} GROUP BY "{column}"'
        total = self._connection.execute(
            f'SELECT COUNT(*) FROM (SELECT "{column}" {grouped})',  # noqa: S608
            values,
        ).fetchone()[0]
        rows = self._connection.execute(
            f'SELECT "{column}" {grouped} ORDER BY MAX(id) DESC LIMIT ? OFFSET ?',
            [*values, limit, skip],
        ).fetchall()
        return [row[0] for row in rows], int(total)

    def next_id(self) -> int:
        """Return the ID that the next entity gets, unless one is given."""
        row = self._connection.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (self._table.name,)
        ).fetchone()
        return int(row[0]) + 1 if row else 1

    def _values(self, document: Mapping[str, Any]) -> list[Any]:
        stored = {name: value for name, value in document.items() if name != "id"}
        text = encode(stored)
        return [*(document.get(column) for column in self._columns), text]

    def _containing(
        self, where: Mapping[str, Any], text: str, among: Sequence[str]
    ) -> tuple[str, list[Any]]:
        condition, values = self._where(where)
        if not text:
            return condition, values
        one = " OR ".join(f'instr(lower("{column}"), lower(?))' for column in among)
        joined = f"{condition} AND ({one})" if condition else f" WHERE ({one})"
        return joined, [*values, *[text] * len(among)]

    def _where(self, where: Mapping[str, Any]) -> tuple[str, list[Any]]:
        parts, values = [], []
        for column, value in where.items():
            if column != "id" and column not in self._columns:
                # SQLite would take the name for a text, and find nothing.
                raise LookupError(f"{self._table.name} are not found by {column}")
            if isinstance(value, (list, tuple, set, frozenset)):
                listed = "(SELECT value FROM json_each(?))"
                parts.append(f'"{column}" IN {listed}')
                values.append(json.dumps(list(value)))
            elif value is None:
                parts.append(f'"{column}" IS NULL')
            else:
                parts.append(f'"{column}" = ?')
                values.append(value)
        return (f" WHERE {' AND '.join(parts)}" if parts else ""), values
