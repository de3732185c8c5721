"""check and upload: imports of tables that are checked before they are sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from talon_one.exceptions import ApiException, ApiTypeError
from talon_one.tables.import_file import ImportFile, Source
from talon_one.tables.methods import api_of, import_operation
from talon_one.tables.problems import Problem, TableError, attach_problems

if TYPE_CHECKING:
    from talon_one._core.operation import Operation

T = TypeVar("T")

_MAX_PROBLEMS = 100


def check(
    method: Callable[..., Any] | Operation, source: Source, *, limit: int = _MAX_PROBLEMS
) -> list[Problem]:
    """Return the problems of a table, by line, without importing it.

    The columns must be known and complete, and every cell must be valid for its column. Checking
    exhausts an iterator, but restores the position of a file.

    Args:
        method: Method of the import, such as ``management.import_coupons``, or its operation.
        source: A CSV file, rows as dicts by column, or a data frame; see `Source`.
        limit: Number of problems after which the check stops, at least 1.

    Raises:
        ApiTypeError: *method* imports no table, or *source* is not a table.
        ApiValueError: The file cannot be read.
    """
    with ImportFile(import_operation(method), source, max(limit, 1)) as file:
        return list(file.problems)


def upload(method: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Check a table, write rows as CSV, and import it.

    Args:
        method: Method of an API, such as ``management.import_coupons``.
        args: Its arguments. Pass any `Source` in place of the file.
        kwargs: Its keyword arguments and the settings of the call.

    Returns:
        The result of the method.

    Raises:
        TableError: The table has problems; nothing was sent. With
            ``configuration.client_side_validation`` off, only rows that cannot be written as CSV
            are problems.
        ApiException: The call failed. `problems_of` returns the lines that the server refused, with
            their rows.
    """
    arguments = ImportArguments(method, args, kwargs)
    with arguments.checked_file() as file:
        try:
            return method(*arguments.args, **arguments.kwargs_with(file))
        except ApiException as failure:
            attach_problems(failure, file.problems_in(failure.errors))
            raise


class ImportArguments:
    """The arguments of an import, separated from the table.

    Raises:
        ApiTypeError: *method* imports no table, or the table is missing.
    """

    def __init__(
        self,
        method: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        asynchronous: bool = False,
    ) -> None:
        self._operation = operation = import_operation(method)
        assert operation.upload is not None  # noqa: S101  `import_operation` guarantees it
        self._name = name = operation.upload.name
        self._configuration = api_of(method, asynchronous=asynchronous).api_client.configuration
        self.args = args
        self.kwargs = {key: value for key, value in kwargs.items() if key != name}
        self._source = kwargs.get(name)
        if self._source is None and len(args) == len(operation.positional):
            *before, self._source = args
            self.args = tuple(before)
        if self._source is None:
            others = ", ".join(operation.positional[:-1])
            raise ApiTypeError(f"{operation.id} lacks the table; give it after {others}")

    def checked_file(self) -> ImportFile:
        """Return the table as a file, which the caller closes.

        Raises:
            TableError: The table has problems.
        """
        limit = _MAX_PROBLEMS if self._configuration.client_side_validation else 0
        folder = self._configuration.temp_folder_path
        file = ImportFile(self._operation, self._source, limit, folder)
        if file.problems:
            with file:
                subject = f"the table for {self._operation.id}"
                raise TableError(subject, file.problems, file.complete)
        return file

    def kwargs_with(self, file: ImportFile) -> dict[str, Any]:
        """Return the keyword arguments of the call."""
        return {**self.kwargs, self._name: (file.name, file.file)}
