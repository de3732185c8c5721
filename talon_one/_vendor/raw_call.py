"""RawCall: the arguments of ``call_api`` as an Operation, kept on its host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from talon_one._core.address import checked_target
from talon_one._core.auth import SCHEMES
from talon_one._core.headers import check_header
from talon_one._core.operation import Body, Operation, header, query
from talon_one._core.request import JSON_TYPE, path_segment
from talon_one._core.secret import plain_str
from talon_one._schema.annotations import parse
from talon_one.exceptions import ApiTypeError, ApiValueError

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# A place for a path parameter.
_PLACE = re.compile(r"\{([^{}/?#]+)\}")


@dataclass
class RawCall:
    """A call of a path for which there is no method.

    Attributes:
        resource_path: Path with ``{name}`` in place of each path parameter, perhaps a query.
        method: HTTP method.
        path_params: Values of the path parameters.
        query_params: Values of the query, by wire name.
        header_params: Further headers.
        body: JSON body.
        post_params: Must be empty.
        files: Must be empty.
        response_type: Type of a successful response.
        auth_settings: Names of the security schemes, any one of which will do.
        collection_formats: Which lists of the query are joined with commas.
        response_types_map: As *response_type*, by status.
    """

    resource_path: Any
    method: Any
    path_params: Mapping[str, Any] | None
    query_params: Mapping[str, Any] | list[tuple[str, Any]] | None
    header_params: Mapping[str, str] | None
    body: Any
    post_params: Any
    files: Any
    response_type: Any
    auth_settings: list[str] | None
    collection_formats: Mapping[str, str] | None
    response_types_map: Mapping[Any, Any] | None

    def operation(self, safe: str) -> tuple[Operation, dict[str, Any]]:
        """Return the operation that the call stands for, and its arguments.

        Args:
            safe: Characters that stay as they are in path parameters.

        Raises:
            ApiTypeError: Form fields and files, or an argument of the wrong kind.
            ApiValueError: An argument that cannot be sent.
        """
        if self.post_params or self.files:
            raise ApiTypeError("forms and files are sent by the methods of the import operations")
        verb = checked_method(self.method)
        path, pairs = _path(self.resource_path, self.path_params or {}, safe)
        given = _pairs(self.query_params)
        values: dict[str, Any] = {}
        for name, value in [*pairs, *given]:
            if not isinstance(name, str):
                raise ApiTypeError(f"names of query_params are text, not {type(name).__name__}")
            # A pair may occur several times, which is how a list is written here.
            values[name] = value if name not in values else [*_as_list(values[name]), value]
        headers = dict(self.header_params or {})
        for name in headers:
            check_header(name, headers[name] if name == "Accept" else "")
        commas = {name for name, style in (self.collection_formats or {}).items() if style == "csv"}
        operation = Operation(
            f"{verb} {path}",
            verb,
            path,
            # A query may have a parameter named "body", and so may a header.
            *(query(f"query {name}", name, "Any", comma=name in commas) for name in values),
            *(header(f"header {name}", name, "Any") for name in headers),
            body=None if self.body is None else Body("body", "Any"),
            results=_results(self.response_type, self.response_types_map),
            security=_schemes(self.auth_settings or ()),
            accept=plain_str(headers.get("Accept", JSON_TYPE)),
        )
        arguments = {f"query {name}": value for name, value in values.items() if value is not None}
        arguments.update({f"header {name}": value for name, value in headers.items()})
        if self.body is not None:
            arguments["body"] = self.body
        return operation, arguments


def checked_method(method: Any) -> str:
    """Return an HTTP method in capitals.

    Raises:
        ApiValueError: It is none that the API has.
    """
    verb = method.upper() if isinstance(method, str) and method.isascii() else ""
    if verb not in _METHODS:
        raise ApiValueError(f"the method of a call is one of {', '.join(_METHODS)}")
    return verb


def _path(
    resource_path: Any, path_params: Mapping[str, Any], safe: str
) -> tuple[str, list[tuple[str, str]]]:
    """Return the path with its parameters in place, and the pairs of its query."""
    if not isinstance(resource_path, str):
        raise ApiTypeError(f"resource_path is text, not {type(resource_path).__name__}")
    segments = {name: path_segment(name, value, safe) for name, value in path_params.items()}
    # What the parameters bring is encoded already, and may look like anything once it is decoded.
    # A place without a value is refused.
    checked_target(
        _PLACE.sub(lambda place: "x" if place[1] in segments else place[0], resource_path)
    )
    path, _, written = resource_path.partition("?")
    return _PLACE.sub(lambda place: segments[place[1]], path), parse_qsl(
        written, keep_blank_values=True
    )


def _results(response_type: Any, by_status: Mapping[Any, Any] | None) -> dict[int, Any]:
    given = by_status or {200: response_type or "Any"}
    for written in given.values():
        # Before anything is sent: afterwards it would cost the response.
        if isinstance(written, str):
            parse(written)
        elif not (written is None or isinstance(written, type) or hasattr(written, "__origin__")):
            raise ApiTypeError(
                "a type of a response is a class or a type string such as list[Coupon],"
                f" not {type(written).__name__}"
            )
    # The vendor's packages write statuses as text.
    return {int(status): written for status, written in given.items()}


def _schemes(names: Iterable[str]) -> tuple[str, ...]:
    found = tuple(names)
    if any(name not in SCHEMES for name in found):
        raise ApiValueError(f"auth_settings is a list of names out of {', '.join(SCHEMES)}")
    return found


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _pairs(given: Any) -> Any:
    return given.items() if isinstance(given, Mapping) else given or ()
