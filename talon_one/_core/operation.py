"""Operation: everything known about an endpoint, as data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import IO, Any, NamedTuple, TypeAlias

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods that may be retried, unless the description of an operation says otherwise."""

ERROR_MODEL = "ErrorResponseWithStatus"
"""Model of an error response for which the operation names no other."""


IDEMPOTENCY_KEY = "Idempotency-Key"

FileInput: TypeAlias = (
    str | os.PathLike[str] | bytes | IO[bytes] | IO[str] | Iterable[bytes] | tuple[str, Any]
)
"""A path, the content, an open file, an iterable of bytes, or a pair of file name and content.

Text files are sent in UTF-8. An open file is sent from its current position, must stay open until
the call ends, and is not closed. An iterator serves one call.
"""


class Parameter(NamedTuple):
    """One parameter in the path, the query or a header."""

    location: str
    name: str
    """Python name."""
    wire: str
    type: str
    """Type as it is written in annotations, such as ``list[str]``."""
    required: bool
    aliases: tuple[str, ...]
    """Further Python names."""
    comma: bool
    """An array is sent as one comma-separated value, not as a repeated parameter."""
    constraints: dict[str, Any]


def path(
    name: str, wire: str, type: str, *, aliases: tuple[str, ...] = (), **constraints: Any
) -> Parameter:
    """Describe a path parameter; it is always required."""
    return Parameter("path", name, wire, type, True, aliases, False, constraints)


def query(
    name: str,
    wire: str,
    type: str,
    *,
    required: bool = False,
    aliases: tuple[str, ...] = (),
    comma: bool = False,
    **constraints: Any,
) -> Parameter:
    """Describe a query parameter."""
    return Parameter("query", name, wire, type, required, aliases, comma, constraints)


def header(
    name: str,
    wire: str,
    type: str,
    *,
    required: bool = False,
    aliases: tuple[str, ...] = (),
    **constraints: Any,
) -> Parameter:
    """Describe a header parameter."""
    return Parameter("header", name, wire, type, required, aliases, False, constraints)


class Body(NamedTuple):
    """The JSON body of a request."""

    name: str
    """Keyword that names the body after its schema; ``body`` works as well."""
    type: str
    also: tuple[str, ...] = ()
    """Models of earlier releases that are accepted too."""
    required: bool = True


class Upload(NamedTuple):
    """The one file of a ``multipart/form-data`` request."""

    name: str
    wire: str
    required: bool = True


class Paging(NamedTuple):
    """How the responses of an operation make up a list; all names are wire names.

    The next page is requested by `skip`, the number of items to skip, or by `cursor`, which is
    `next` of the previous response. An operation with neither returns the whole list.
    """

    items: str
    """Property of the response that holds the items of the page."""
    identity: tuple[str, ...] | None = None
    """Properties that together identify an item; empty if the item is text and identifies itself.
    ``None`` if nothing does: then equal items may be different ones."""
    skip: str | None = None
    """Parameter for the number of items to skip."""
    more: str | None = None
    """Property of the response that says whether there are more items."""
    total: str | None = None
    """Property of the response with the number of items on all pages."""
    cursor: str | None = None
    """Parameter for the position of the next page."""
    next: str | None = None
    """Property of the response that holds the `cursor` of the next page."""


class Column(NamedTuple):
    """One column of a CSV file."""

    name: str
    type: str
    """Type as it is written in annotations; objects and lists are JSON in the cell."""
    required: bool
    words: tuple[str, ...]
    """Words allowed in place of a timestamp, such as ``unlimited``."""
    separator: str
    """Separator of a list that is not JSON; empty for most columns."""
    constraints: dict[str, Any]


def column(
    name: str,
    type: str = "str",
    *,
    required: bool = False,
    words: tuple[str, ...] = (),
    separator: str = "",
    **constraints: Any,
) -> Column:
    """Describe a column of a CSV file; `required` concerns imports."""
    return Column(name, type, required, words, separator, constraints)


class Csv(NamedTuple):
    """The CSV file that an operation returns or takes."""

    columns: tuple[Column, ...]
    any_of: tuple[str, ...] = ()
    """Columns of which every row of an import fills exactly one."""
    not_both: tuple[str, ...] = ()
    """Columns of which a row of an import may fill only one."""
    replaces: bool = False
    """Whether an import replaces all existing rows."""


class Operation:
    """One endpoint of the API.

    Attributes:
        id: Name in the API description, such as ``updateCustomerSessionV2``.
        method: HTTP method.
        path: Path with ``{wire name}`` in place of each path parameter.
        parameters: Parameters in the order of the document.
        body: JSON body, if the operation takes one.
        upload: File to upload, if the operation takes one.
        csv: Description of the CSV file that it returns or takes.
        results: Type of the response for each 2xx status; ``None`` for an empty one.
        errors: Model of an error response by status, where it is not `ERROR_MODEL`.
        security: Names of the accepted security schemes, any one of which will do.
        accept: Content type of a successful response.
        idempotent: Whether executing it twice equals executing it once; ``None`` decides by method.
        serialised: Where its request names session and profile, if the platform responds 409 to too
            many parallel requests for one of them.
        read_timeout: Seconds to wait for the response, if it takes longer than others.
        limit: Maximum number of objects that one request may create, if its schema has no limit.
        paging: How its responses make up a list; ``None`` if it returns no list.
        deprecated: Message of the `DeprecationWarning` when it is called; empty for most.
        models: Package in which the names of models are looked up.
    """

    def __init__(
        self,
        id: str,
        method: str,
        path: str,
        *parameters: Parameter,
        body: Body | None = None,
        upload: Upload | None = None,
        csv: Csv | None = None,
        results: dict[int, str | None],
        errors: dict[int, str] | None = None,
        security: tuple[str, ...] = (),
        accept: str = "application/json",
        idempotent: bool | None = None,
        serialised: dict[str, str] | None = None,
        read_timeout: float | None = None,
        limit: int | None = None,
        paging: Paging | None = None,
        deprecated: str = "",
        models: str = "talon_one.models",
    ) -> None:
        self.id = id
        self.method = method
        self.path = path
        self.parameters = parameters
        self.body = body
        self.upload = upload
        self.csv = csv
        self.results = results
        self.errors: dict[int, str] = errors or {}
        self.security = security
        self.accept = accept
        self.idempotent: bool = method in IDEMPOTENT_METHODS if idempotent is None else idempotent
        self.serialised: dict[str, str] = serialised or {}
        self.read_timeout = read_timeout
        self.limit = limit
        self.paging = paging
        self.deprecated = deprecated
        self.models = models

    @cached_property
    def key_parameter(self) -> str | None:
        """Python name of the parameter that carries the ``Idempotency-Key``, if there is one."""
        names = (each.name for each in self.parameters if each.wire == IDEMPOTENCY_KEY)
        return next(names, None)

    @cached_property
    def checks(self) -> dict[str, Callable[[Any], None]]:
        """Checks of its parameters by Python name, each prepared when it is first needed."""
        return {}

    @cached_property
    def positional(self) -> tuple[str, ...]:
        """Python names of the arguments that may be given by position."""
        required = [parameter.name for parameter in self.parameters if parameter.required]
        if self.body is not None:
            required.append("body")
        if self.upload is not None:
            required.append(self.upload.name)
        return tuple(required)

    @cached_property
    def keywords(self) -> dict[str, str]:
        """Every accepted keyword, with the Python name of its argument."""
        found = {
            keyword: parameter.name
            for parameter in self.parameters
            for keyword in (parameter.name, *parameter.aliases)
        }
        if self.body is not None:
            found[self.body.name] = found["body"] = "body"
        if self.upload is not None:
            found[self.upload.name] = self.upload.name
        return found

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Python names of the arguments that must be given."""
        names = [parameter.name for parameter in self.parameters if parameter.required]
        if self.body is not None and self.body.required:
            names.append("body")
        if self.upload is not None and self.upload.required:
            names.append(self.upload.name)
        return tuple(names)

    def result_type(self, status: int) -> str | None:
        """Return the type of a response with this 2xx status; ``None`` if it should be empty."""
        if status in self.results:
            return self.results[status]
        # An undocumented status, such as 201 instead of 200, has the same type.
        return next((type for type in self.results.values() if type is not None), None)

    def __repr__(self) -> str:
        return f"<Operation {self.id}: {self.method} {self.path}>"


def operation_of(method: Any) -> Operation:
    """Return the operation that a method of an API stands for.

    Raises:
        ApiTypeError: It is not a method of an API.
    """
    from talon_one._utils.guard import guarded

    with guarded("the method"):
        operation: Operation | None = getattr(method, "operation", None)
    if operation is None:
        from inspect import iscoroutine

        from talon_one._utils.quoting import quoted
        from talon_one.exceptions import ApiTypeError

        plain: Any = getattr(method, "__wrapped__", None)
        if getattr(plain, "operation", None) is not None:
            raise ApiTypeError(f"this takes {plain.__name__} itself, not {method.__name__}")
        if not callable(method):
            if iscoroutine(method):
                method.close()  # Otherwise Python warns that it was never awaited.
            raise ApiTypeError(
                "this takes a method of an API and its arguments, not what it returns: write"
                f" (api.get_coupons, 3, 12), not (api.get_coupons(3, 12)); got {quoted(method)}"
            )
        raise ApiTypeError(
            f"this takes a method of an API, such as api.export_coupons: {quoted(method)}"
        )
    return operation
