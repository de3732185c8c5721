"""Convert a complete response to the result of its operation, or to an exception."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from talon_one._core.constructors import checks_fields
from talon_one._core.operation import ERROR_MODEL
from talon_one._schema import json_codec
from talon_one._schema.annotations import ANY, parse
from talon_one._schema.conversion import convert
from talon_one.exceptions import InvalidResponseError, exception_class

if TYPE_CHECKING:
    from talon_one._core.operation import Operation
    from talon_one._core.request import Request


@checks_fields("(status=200, reason='OK', headers={}, data=b'{}')")
class RawResponse(NamedTuple):
    """A complete HTTP response."""

    status: int
    reason: str | None
    headers: Mapping[str, str]
    data: bytes
    """The body; still compressed if it could not be decompressed."""
    problem: str | None = None
    """Why the body could not be decompressed, if so."""


def is_success(status: int) -> bool:
    """Return whether a status is 2xx."""
    return 200 <= status <= 299


def result(operation: Operation, request: Request, response: RawResponse) -> Any:
    """Return the result of a call.

    JSON becomes the type that the operation promises, whatever is missing or added. An empty
    body becomes ``None`` where one is allowed. CSV becomes text.

    Raises:
        ApiException: The status is not 2xx; the class says more, and `data` has the error body.
        InvalidResponseError: The status is 2xx, but the body is not what the operation promises.
    """
    if not is_success(response.status):
        raise failure(operation, request, response)
    promised = operation.result_type(response.status)
    if promised is None and not response.data.strip():
        return None
    if response.status == 204:
        return None
    if not operation.accept.startswith("application/json"):
        if response.problem is not None:
            raise unreadable(
                request, response.status, response.headers, response.data, response.problem
            )
        return text(response)
    try:
        data = decode(response)
    except ValueError as cause:
        what = f"{_described(response)}: {response.problem or cause}"
        raise _undecodable(operation, request, response, what) from cause
    if data is None and _is_object(promised):
        # Null in place of a promised object is as empty as an empty body.
        raise _undecodable(operation, request, response, "empty: null")
    return data if promised is None else convert(data, promised, operation.models)


def _undecodable(
    operation: Operation, request: Request, response: RawResponse, what: str
) -> InvalidResponseError:
    return InvalidResponseError(
        response.status,
        f"{response.reason}, but the body is {what}",
        **_details(operation, request, response),
    )


def _is_object(promised: Any) -> bool:
    """Return whether a type excludes null."""
    if promised is None or promised is object or promised is Any:
        return False
    return not isinstance(promised, str) or parse(promised) != ANY


def failure(operation: Operation, request: Request, response: RawResponse) -> Exception:
    """Return the exception for a response that is not 2xx.

    The body is decoded as JSON regardless of its content type; if that fails, `data` is ``None``.
    """
    reason = response.reason
    try:
        body = decode(response)
    except ValueError:
        body = None
        if response.problem is not None:
            reason = f"{reason}; the body cannot be read: {response.problem}"
    model = operation.errors.get(response.status, ERROR_MODEL)
    return exception_class(response.status)(
        response.status,
        reason,
        data=convert(body, model, operation.models),
        **_details(operation, request, response),
    )


def unreadable(
    request: Request, status: int, headers: Mapping[str, str], data: bytes, problem: str
) -> InvalidResponseError:
    """Return the exception for a 2xx response whose body cannot be decompressed.

    Args:
        request: What was sent.
        status: Status of the response.
        headers: Headers of the response.
        data: The body as received, or the available part of it.
        problem: Why it cannot be decompressed.
    """
    return InvalidResponseError(
        status,
        f"the body cannot be read: {problem}",
        headers=headers,
        raw_data=data,
        operation_id=request.operation_id,
        method=request.method,
        url=request.url_without_query,
    )


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the value of ``Content-Length``, if it is a plausible length."""
    text = headers.get("Content-Length", "").strip()
    # Not all Unicode digits are ASCII, and `int` rejects thousands of digits.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def decode(response: RawResponse) -> Any:
    """Return the JSON of a response.

    JSON is UTF-8 by its standard. If the body is not, the charset of the response is tried.

    Raises:
        ValueError: The body is not JSON, or not readable in either encoding.
    """
    try:
        return json_codec.decode(response.data)
    except UnicodeDecodeError:
        charset = _charset(response)
        if charset in ("", "utf-8", "utf8"):
            raise
        return json_codec.decode(_decoded(response.data, charset))


def text(response: RawResponse) -> str:
    """Return the body of a response as text, such as CSV.

    A byte order mark is left out.
    """
    try:
        return response.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decoded(response.data, _charset(response) or "latin-1")


def _decoded(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset)
    except LookupError as cause:
        raise ValueError(str(cause)) from cause


def _charset(response: RawResponse) -> str:
    _, _, parameters = response.headers.get("Content-Type", "").lower().partition("charset=")
    return parameters.partition(";")[0].strip(" \"'")


def _described(response: RawResponse) -> str:
    if not response.data.strip():
        return "empty"
    return f"not JSON ({response.headers.get('Content-Type', 'no content type')})"


def _details(operation: Operation, request: Request, response: RawResponse) -> dict[str, Any]:
    return {
        "headers": response.headers,
        "raw_data": response.data,
        "operation_id": operation.id,
        "method": request.method,
        "url": request.url_without_query,
    }
