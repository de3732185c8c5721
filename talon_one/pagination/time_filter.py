"""TimeFilter: how to ask an operation for what is new, and where its items say their moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from talon_one._core.operation import Operation
from talon_one._schema.access import fields_by_wire_name
from talon_one._schema.conversion import model_class
from talon_one._schema.dates import in_utc, offset_of, read_datetime
from talon_one._schema.fields import NestedField
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError

# Parameters that select items from a moment on, each with the properties in which items have it.
# Others that select a period, such as those of statistics, select figures rather than items.
_LISTS = {
    "createdAfter": ("created", "createdAt", "requestTime"),
    "rangeStart": ("time",),
    "startDate": ("created",),
}
_EXPORTS = {
    "created": {"createdAfter": ("created",), "rangeStart": ("created",)},
    "updated": {"updatedAfter": ("updated",)},
}
# What of a call does not choose between items, or has another value each time.
_APART = frozenset({"pageSize", "skip", "cursor", "sort", "withTotalResultSize", "dateFormat"})


class CallArguments(NamedTuple):
    """A call that is still to be made."""

    operation: Operation
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def by_name(self) -> dict[str, Any]:
        """Return the arguments by Python name, without the settings of the call."""
        found = dict(zip(self.operation.positional, self.args, strict=False))
        names = self.operation.keywords
        found.update((names[key], value) for key, value in self.kwargs.items() if key in names)
        return found

    def replaced(self, name: str, value: Any) -> CallArguments:
        """Return the same call with another value of an argument, given by its Python name."""
        positional = self.operation.positional[: len(self.args)]
        if name in positional:
            place = positional.index(name)
            args = (*self.args[:place], value, *self.args[place + 1 :])
            return self._replace(args=args)
        names = self.operation.keywords
        kept = {key: each for key, each in self.kwargs.items() if names.get(key) != name}
        return self._replace(kwargs={**kept, name: value})

    @property
    def source(self) -> str:
        """The list: the operation and those of its arguments that choose between items."""
        given = self.by_name()
        chosen = {
            each.wire: given[each.name]
            for each in self.operation.parameters
            if given.get(each.name) is not None
            and each.wire not in _APART
            and each.type not in ("datetime", "date")
        }
        with guarded("an argument of ", self.operation.id):
            shown = ", ".join(f"{name}={value}" for name, value in sorted(chosen.items()))
        return f"{self.operation.id}({shown})"


class TimeFilter(NamedTuple):
    """How an operation is asked for items after a moment."""

    argument: str
    """Python name of the parameter."""
    property: str
    """Property of an item, or column of a row, that has its moment."""

    @classmethod
    def of_list(cls, operation: Operation) -> TimeFilter:
        """Return the filter of an operation that lists items.

        Raises:
            ApiTypeError: It has none, or its items do not have a moment.
        """
        return cls._find(operation, _LISTS, _item_properties(operation), "iterate")

    @classmethod
    def of_export(cls, operation: Operation, by: str) -> TimeFilter:
        """Return the filter of an operation that exports a table.

        Args:
            operation: The operation.
            by: ``"created"`` or ``"updated"``.

        Raises:
            ApiTypeError: It has none, or its rows do not have a moment.
        """
        with guarded("by"):
            candidates = _EXPORTS.get(by) if isinstance(by, str) else None
        if candidates is None:
            raise ApiTypeError(f"by is 'created' or 'updated', not {quoted(by)}")
        columns = operation.csv.columns if operation.csv is not None else ()
        return cls._find(operation, candidates, [each.name for each in columns], "table")

    @classmethod
    def _find(
        cls,
        operation: Operation,
        candidates: Mapping[str, tuple[str, ...]],
        properties: list[str],
        instead: str,
    ) -> TimeFilter:
        for parameter in operation.parameters:
            for name in candidates.get(parameter.wire, ()):
                if name in properties:
                    return cls(parameter.name, name)
        filters = " or ".join(candidates)
        raise ApiTypeError(
            f"{operation.id} cannot be read with a bookmark: it needs a parameter {filters}, and"
            f" their moment in its items; read all of it with {instead}"
        )

    def is_ascending(self, call: CallArguments) -> bool:
        """Return whether a call asks for the oldest items first."""
        wires = {each.wire: each.name for each in call.operation.parameters}
        return call.by_name().get(wires.get("sort", "")) == self.property


def _item_properties(operation: Operation) -> list[str]:
    if operation.paging is None:
        return []
    response = model_class(operation.results[200] or "", operation.models)
    if response is None:
        return []
    declared = fields_by_wire_name(response).get(operation.paging.items)
    item = declared.target if isinstance(declared, NestedField) else None
    return list(fields_by_wire_name(item)) if item is not None else []


def as_moment(value: Any) -> datetime | None:
    """Return the moment in a property or a cell, in UTC; ``None`` if it is not a timestamp."""
    moment = read_datetime(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime) or offset_of(moment) is None:
        return None
    return in_utc(moment)
