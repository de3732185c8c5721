"""Problems of a table, and the exceptions that carry them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from talon_one.exceptions import ApiException, ApiValueError

_ATTRIBUTE = "_table_problems"
# Problems that a message lists; `problems` has all of them.
_MAX_LISTED = 10


class Problem(NamedTuple):
    """One reason why a table was not imported."""

    line: int | None
    """Line of the CSV file, counted from 1; ``None`` if the server did not say."""
    column: str
    """Name of the column; empty if the problem concerns the whole row or table."""
    message: str
    """What is wrong, and how to fix it."""
    row_index: int | None = None
    """Index of the row, counted from 0; ``None`` if the problem concerns no single row."""
    row: Mapping[str, Any] | None = None
    """The row by column: the object that you passed, or the cells of the file."""

    def __str__(self) -> str:
        place = "unknown line" if self.line is None else f"line {self.line}"
        place += "" if self.row_index is None else f" (row {self.row_index + 1})"
        return f"{place}{', ' * bool(self.column)}{self.column} {self.message}"


class TableError(ApiValueError):
    """A table that cannot be imported; nothing was sent.

    Attributes:
        problems: What is wrong with it, by line, each with its row.
        complete: Whether the whole table was checked. If not, there may be more problems.
    """

    def __init__(self, subject: str, problems: Sequence[Problem], complete: bool = True) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        self.complete = complete
        count = len(self.problems)
        at_least = "" if complete else "at least "
        listed = "; ".join(_listed(self.problems, at_least))
        super().__init__(f"{subject} has {at_least}{count} problem{'s' * (count != 1)}: {listed}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.subject, self.problems, self.complete)


def problems_of(error: BaseException) -> tuple[Problem, ...]:
    """Return the problems of the table whose import raised *error*.

    Args:
        error: A `TableError`, or the `ApiException` of an upload that the server refused.

    Returns:
        Each problem with its row. Empty if the failure does not concern lines of a table.
    """
    if isinstance(error, TableError):
        return error.problems
    problems: tuple[Problem, ...] = getattr(error, _ATTRIBUTE, ())
    return problems


def attach_problems(error: ApiException, problems: Sequence[Problem]) -> None:
    """Attach problems to the exception of a failed import, for its message and `problems_of`."""
    setattr(error, _ATTRIBUTE, tuple(problems))
    error.notes = tuple(_listed(problems))


def problems_in_errors(
    errors: Iterable[Mapping[str, Any]],
    rows_at: Callable[[set[int]], Mapping[int, tuple[int, Mapping[str, Any]]]],
) -> list[Problem]:
    """Return the entries of an error response as problems of a table.

    Empty unless the server named at least one line.

    Args:
        errors: Entries of the error body.
        rows_at: Returns the rows at lines of the file, each with its index.
    """
    found = [(_line_of(error), error) for error in errors]
    if not any("line" in _source_of(error) for _, error in found):
        return []
    rows = rows_at({line for line, _ in found if line is not None})
    problems = []
    for line, error in found:
        index, row = rows.get(line, (None, None)) if line is not None else (None, None)
        problems.append(Problem(line, "", _text_of(error), index, row))
    return problems


def _source_of(error: Mapping[str, Any]) -> Mapping[str, Any]:
    source = error.get("source")
    return source if isinstance(source, Mapping) else {}


def _line_of(error: Mapping[str, Any]) -> int | None:
    line = str(_source_of(error).get("line", ""))
    return int(line) if line.isascii() and line.isdigit() else None


def _text_of(error: Mapping[str, Any]) -> str:
    texts = [error.get("title"), error.get("details")]
    return ": ".join(text for text in texts if text and isinstance(text, str))


def _listed(problems: Sequence[Problem], at_least: str = "") -> list[str]:
    """Return the first problems as text, and the number of those left out."""
    rest = len(problems) - _MAX_LISTED
    more = [f"and {at_least}{rest} more"] if rest > 0 else []
    return [*map(str, problems[:_MAX_LISTED]), *more]
