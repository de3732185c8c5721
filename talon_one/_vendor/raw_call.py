"""Arguments of ``call_api`` to an Operation: a call of what has no method, kept on its host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from talon_one._core.address import checked_target
from talon_one._core.auth import SCHEMES
from talon_one._core.headers import check_header
from talon_one._core.operation import Body, Operation, header, query
from talon_one._core.request import JSON_TYPE, path_segment
from talon_one._core.secret import exact
from talon_one._schema.annotations import parse
from talon_one.exceptions import ApiTypeError, ApiValueError

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# A place for a path parameter.
_PLACE = re.compile(r"\{([^{}/?#]+)\}")


def operation_by_hand(
    resource_path: str,
    method: str,
    path_params: Mapping[str, Any] | None = None,
    query_params: Mapping[str, Any] | list[tuple[str, Any]] | None = None,
    header_params: Mapping[str, str] | None = None,
    body: Any = None,
    post_params: Any = None,
    files: Any = None,
    response_type: Any = None,
    auth_settings: list[str] | None = None,
    collection_formats: Mapping[str, str] | None = None,
    response_types_map: Mapping[Any, Any] | None = None,
    *,
    safe: str = "",
) -> tuple[Operation, dict[str, Any]]:
    """Return what the arguments of ``call_api`` stand for: the operation, and its arguments.

    Args:
        resource_path: Path with ``{name}`` in the place of each path parameter, perhaps a query.
        method: HTTP method.
        path_params: Values of the path parameters.
        query_params: Values of the query.
        header_params: Headers.
        body: JSON body.
        post_params: Must be empty.
        files: Must be empty.
        response_type: Type of a successful answer.
        auth_settings: Names of the security schemes, any one of which will do.
        collection_formats: Which lists of the query are joined with commas.
        response_types_map: As *response_type*, by status.
        safe: Characters that stay as they are in path parameters.

    Raises:
        ApiTypeError: Form fields and files, or an argument of the wrong kind.
        ApiValueError: An argument that cannot be sent.
    """
    if post_params or files:
        raise ApiTypeError("forms and files are sent by the methods of the import operations")
    verb = checked_method(method)
    path, pairs = _path(resource_path, path_params or {}, safe)
    given = query_params.items() if isinstance(query_params, Mapping) else query_params or ()
    values: dict[str, Any] = {}
    for name, value in [*pairs, *given]:
        if not isinstance(name, str):
            raise ApiTypeError(f"names of query_params are text, not {type(name).__name__}")
        # A pair may occur several times, which is how a list is written here.
        values[name] = value if name not in values else [*_as_list(values[name]), value]
    headers = dict(header_params or {})
    for name in headers:
        check_header(name, headers[name] if name == "Accept" else "")
    commas = {name for name, style in (collection_formats or {}).items() if style == "csv"}
    operation = Operation(
        f"{verb} {path}",
        verb,
        path,
        # Names of arguments that nothing else can have: a query may have a parameter named "body".
        *(query(f"query {name}", name, "Any", comma=name in commas) for name in values),
        *(header(f"header {name}", name, "Any") for name in headers),
        body=None if body is None else Body("body", "Any"),
        results=_results(response_type, response_types_map),
        security=_schemes(auth_settings or ()),
        accept=exact(headers.get("Accept", JSON_TYPE)),
    )
    arguments = {f"query {name}": value for name, value in values.items() if value is not None}
    arguments.update({f"header {name}": value for name, value in headers.items()})
    if body is not None:
        arguments["body"] = body
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

    def segment(place: re.Match[str]) -> str:
        return segments.get(place[1], place[0])

    # What the parameters bring is encoded already, and may look like anything once it is decoded.
    checked_target(
        _PLACE.sub(lambda place: "x" if place[1] in segments else place[0], resource_path)
    )
    path, _, written = resource_path.partition("?")
    return _PLACE.sub(segment, path), parse_qsl(written, keep_blank_values=True)


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
    if isinstance(names, str) or any(name not in SCHEMES for name in found):
        raise ApiValueError(f"auth_settings is a list of names out of {', '.join(SCHEMES)}")
    return found


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
