"""Table, a CSV export as typed rows; and CSV imports that are checked before they are sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from talon_one._core.operation import Operation, operation_of
from talon_one._http.download import SavedFile
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiException, ApiTypeError, ApiValueError
from talon_one.tables.frames import Series, TextColumns, pandas_frame, polars_frame, require
from talon_one.tables.header import Header
from talon_one.tables.imports import ImportFile, Source
from talon_one.tables.problems import Problem, TableError, attach_problems
from talon_one.tables.rows import Row, RowReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas
    import polars
    from typing_extensions import ParamSpec, Self

    from talon_one._http.download import Download, Progress

    P = ParamSpec("P")

T = TypeVar("T")

_MOST_PROBLEMS = 100


def export(method: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Table:
    """Return the table that an export returns; ``management.table`` does the same.

    Args:
        method: Method of an API, such as ``management.export_coupons``.
        args: Its arguments.
        kwargs: Its keyword arguments and the settings of the call.

    Raises:
        ApiTypeError: *method* exports no table.
    """
    return Table(method, *args, **kwargs)


def check(
    method: Callable[..., Any] | Operation, source: Source, *, limit: int = _MOST_PROBLEMS
) -> list[Problem]:
    """Return everything that is wrong with a table, by line, before it is imported.

    Columns have to be known and complete; timestamps, numbers and JSON have to be what they are
    meant to be. An iterator is used up by this; a file is put back to where it was.

    Args:
        method: Method of the import, such as ``management.import_coupons``, or its operation.
        source: A CSV file, rows as dicts by column, or a data frame; see `Source`.
        limit: Problems after which the rest is not looked at, at least 1.

    Raises:
        ApiTypeError: *method* imports no table, or *source* is none.
        ApiValueError: The file cannot be read.
    """
    operation = method if isinstance(method, Operation) else operation_of(method)
    with ImportFile(operation, source, max(limit, 1)) as file:
        return list(file.problems)


def upload(method: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Check a table, write it as CSV if it is none, and import it.

    Args:
        method: Method of an API, such as ``management.import_coupons``.
        args: Its arguments; in the place of the file stands anything that `Source` names.
        kwargs: Its keyword arguments and the settings of the call.

    Returns:
        What the method returns.

    Raises:
        TableError: The table may not be imported; nothing was sent. With
            ``configuration.client_side_validation`` off, only rows that cannot be written.
        ApiException: The call failed; `problems_of` returns the lines that the server refused, with
            their rows.
    """
    arguments = ImportArguments(method, args, kwargs)
    with arguments.checked_file() as file:
        try:
            return method(*arguments.args, **arguments.kwargs_with(file))
        except ApiException as failure:
            attach_problems(failure, file.located(failure.errors))
            raise


class BaseTable:
    """What tables have in common, blocking or not."""

    _asynchronous = False

    def __init__(self, method: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        operation = operation_of(method)
        if operation.csv is None or operation.upload is not None:
            raise ApiTypeError(
                f"{operation.id} exports no table; methods such as export_coupons do"
            )
        self._operation = operation
        self._known = operation.csv.columns
        owner = _owner(method, self._asynchronous)
        self._download: Any = owner.stream(method, *args, **kwargs)
        self._columns: tuple[str, ...] = ()
        self._begun: list[bytes] = []
        self._opened = self._closed = self._used = self._finished = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._operation.id}>"

    def _use(self) -> None:
        """Take note that the rows are asked for, which can happen once: they are not kept."""
        if self._used:
            raise ApiValueError(f"this table of {self._operation.id} is used up; make a new one")
        self._used = True

    def _check_open(self) -> None:
        if self._closed:
            raise ApiValueError(f"this table of {self._operation.id} was closed before its end")

    def _new_reader(self, as_text: bool) -> RowReader:
        encoding = _encoding(self._download.headers)
        return RowReader(self._known, as_text=as_text, encoding=encoding)

    def _header(self) -> Header:
        headers = self._download.headers
        return Header(headers.get("Content-Type", ""), _encoding(headers), self._known)

    def _take_header(self, header: Header) -> None:
        """Take the names of the columns, and the bytes that they were read from.

        Raises:
            InvalidResponseError: The answer is no table.
        """
        if header.fault:
            raise self._download.undecodable(header.fault, b"".join(header.pieces))
        self._columns, self._begun = header.columns, header.pieces

    def _taken(self) -> Iterator[bytes]:
        """Yield the bytes that were read for the names of the columns, and keep them no longer."""
        while self._begun:
            yield self._begun.pop(0)

    def _series(self, texts: TextColumns, decode_json: bool) -> dict[str, Series]:
        return texts.series(self._columns, self._known, decode_json)


class Table(BaseTable):
    """A CSV export as rows, read as they come: once, from the first to the last.

    A row is a dict by column. Numbers, timestamps, truth values and JSON are converted; an empty
    cell is ``None``; what cannot be converted is text, and so is every column that is not known.
    The call is made when the table is entered, or used; what makes it fail is raised there, and
    `InvalidResponseError` if the answer is no table, such as the page of a login. A table
    that is not read to its end has to be closed, which ``with`` does.

    Args:
        method: Method of an API, such as ``management.export_coupons``.
        args: Its arguments.
        kwargs: Its keyword arguments and the settings of the call.

    Raises:
        ApiTypeError: *method* exports no table.
    """

    _download: Download

    def __init__(self, method: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        super().__init__(method, *args, **kwargs)
        self._stack = ExitStack()
        self._rows: Iterator[Row] | None = None
        self._pieces: Iterator[bytes]

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the answer; what was not read by now is not read any more."""
        self._closed = True
        self._stack.close()

    def __iter__(self) -> Iterator[Row]:
        if self._rows is None or self._finished:
            self._use()
            self._rows = self._read()
        return self._rows

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, as the file has them; opens the table, and takes no row."""
        if not self._opened:
            self._open()
        return self._columns

    def rows(self) -> list[Row]:
        """Return all rows, or all that are left, as a list."""
        return list(self)

    def save(self, path: str | os.PathLike[str], progress: Progress | None = None) -> int:
        """Write the file as it comes, unconverted, and return its size in bytes.

        It appears, or replaces another, when it is complete.

        Args:
            path: Where it goes.
            progress: Called after every piece with the bytes so far and the total, which is
                ``None`` if the server does not say it.
        """
        self._use()
        self._open()
        with self._stack, SavedFile(path, self._download.total, progress) as file:
            for piece in chain(self._taken(), self._pieces):
                file.write(piece)
        return file.size

    def to_pandas(self) -> pandas.DataFrame:
        """Return all rows as a data frame of pandas.

        Whole numbers and truth values have nullable types, timestamps are in UTC, JSON is decoded.
        A column with a value that is not of its type is text.

        Raises:
            ApiTypeError: pandas is not installed.
        """
        require("pandas")
        return pandas_frame(self._all_series(decode_json=True))

    def to_polars(self) -> polars.DataFrame:
        """Return all rows as a data frame of polars.

        Timestamps are in UTC; JSON and lists stay text, since polars wants one structure for all
        rows. A column with a value that is not of its type is text.

        Raises:
            ApiTypeError: polars is not installed.
        """
        require("polars")
        return polars_frame(self._all_series(decode_json=False))

    def _all_series(self, decode_json: bool) -> dict[str, Series]:
        self._use()
        texts = TextColumns()
        for row in self._read(as_text=True):
            texts.add(row)
        return self._series(texts, decode_json)

    def _open(self) -> None:
        self._check_open()
        if self._opened:
            return
        with ExitStack() as stack:
            stack.enter_context(self._download)
            self._pieces = self._download.chunks()
            header = self._header()
            for piece in self._pieces:
                if header.feed(piece):
                    break
            else:
                header.close()
            self._take_header(header)
            self._stack = stack.pop_all()
        self._opened = True

    def _read(self, as_text: bool = False) -> Iterator[Row]:
        self._open()
        reader = self._new_reader(as_text)
        with self._stack:
            for chunk in chain(self._taken(), self._pieces):
                for row in reader.feed(chunk):
                    yield row
                    self._check_open()
        for row in reader.close():
            yield row
        self._finished = True


class ImportArguments:
    """The arguments of an import, with the table taken out of them.

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
        self._operation = operation = operation_of(method)
        if operation.upload is None:
            raise ApiTypeError(
                f"{operation.id} imports no table; methods such as import_coupons do"
            )
        self._name = name = operation.upload.name
        self._configuration = _owner(method, asynchronous).api_client.configuration
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
            TableError: The table may not be imported.
        """
        limit = _MOST_PROBLEMS if self._configuration.client_side_validation else 0
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


def _owner(method: Any, asynchronous: bool) -> Any:
    """Return the object that a method of an API is bound to."""
    owner = getattr(method, "__self__", None)
    if owner is None:
        raise ApiTypeError(
            f"this takes a method of an API object, not of its class: {quoted(method)}"
        )
    if owner.api_client.asynchronous is not asynchronous:
        home = "talon_one.tables" if asynchronous else "talon_one.aio.tables"
        raise ApiTypeError(f"with this client, use {home}: {quoted(owner)}")
    return owner


def _encoding(headers: Mapping[str, str]) -> str:
    """Return the encoding that an answer says it has, if Python knows it; UTF-8 otherwise."""
    _, _, parameters = headers.get("Content-Type", "").lower().partition("charset=")
    name = parameters.partition(";")[0].strip(" \"'")
    try:
        # Unlike a look-up, this refuses what is a codec, but none of texts.
        "".encode(name)
    except (LookupError, ValueError):
        return "utf-8"
    return name
