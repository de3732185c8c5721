"""What each operation makes of its documented responses, good and bad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import talon_one
from operations.arguments import arguments, payload
from support.every import for_every
from support.samples import Json, sample, written
from support.server import RecordingServer, Response
from support.spec import OPERATIONS, Node, Operation, model_of, resolved
from support.spec import ResponseSpec as Documented
from talon_one import (
    ApiException,
    BadRequestException,
    ConflictException,
    ForbiddenException,
    InvalidResponseError,
    NotFoundException,
    ServiceException,
    UnauthorizedException,
    UnprocessableEntityException,
)
from talon_one._schema.model import Model

# Deprecated operations are tested elsewhere for what they warn of.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")

_EXCEPTIONS: dict[int, type[ApiException]] = {
    400: BadRequestException,
    401: UnauthorizedException,
    403: ForbiddenException,
    404: NotFoundException,
    409: ConflictException,
    422: UnprocessableEntityException,
    500: ServiceException,
    503: ServiceException,
}
_SUCCESSES = [(each, response) for each in OPERATIONS for response in each.successes]
_ERRORS = [(each, response) for each in OPERATIONS for response in each.errors]
_PROMISING_JSON = [
    each for each in OPERATIONS if any(a.content_type == "application/json" for a in each.successes)
]
_CSV = "id,value\r\n1,\u00e4\r\n"
_ERROR: Node = {"$ref": "#/components/schemas/ErrorResponseWithStatus"}


def _label(value: object) -> str:
    return str(value.status) if isinstance(value, Documented) else str(value)


@pytest.mark.parametrize("everything", [True, False], ids=["all", "required"])
@for_every("operation, response", _SUCCESSES, label=_label)
def test_a_documented_success_becomes_what_it_promises(
    method: Callable[..., Any],
    server: RecordingServer,
    operation: Operation,
    response: Documented,
    everything: bool,
) -> None:
    given = {**arguments(operation, everything=False), **payload(operation)}
    if response.content_type == "application/csv":
        server.script(Response(response.status, _CSV, {"Content-Type": "application/csv"}))
        assert method(operation)(**given) == _CSV
    elif response.schema is None:
        server.script(Response(response.status))
        assert method(operation)(**given) is None
    else:
        body = sample(response.schema, everything)
        server.script(Response(response.status, body))
        _assert_typed(method(operation)(**given), response.schema, body)


@for_every("operation", OPERATIONS)
def test_an_undocumented_success_becomes_the_same_as_a_documented_one(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = {**arguments(operation, everything=False), **payload(operation)}
    promised = [each for each in operation.successes if each.schema is not None]
    if not promised:
        server.script(Response(202, "null"))
        assert method(operation)(**given) is None
    elif promised[0].content_type == "application/csv":
        server.script(Response(202, "\ufeff" + _CSV))
        assert method(operation)(**given) == _CSV
    else:
        schema = promised[0].schema or {}
        body = sample(schema)
        server.script(Response(202, body))
        _assert_typed(method(operation)(**given), schema, body)


@for_every("operation", OPERATIONS)
def test_a_response_without_content_becomes_none(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    server.script(Response(204))
    assert method(operation)(**arguments(operation, False), **payload(operation)) is None


@for_every("operation", _PROMISING_JSON)
def test_a_success_that_is_not_json_is_an_error_that_keeps_the_bytes(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = {**arguments(operation, everything=False), **payload(operation)}
    (status, *_) = [each.status for each in operation.successes if each.schema]
    for body in (b"<html>", b""):
        server.script(Response(status, body))
        with pytest.raises(InvalidResponseError) as caught:
            method(operation)(**given)
        assert (caught.value.status, caught.value.raw_data) == (status, body)
        assert caught.value.operation_id == operation.id


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=utf-8"])
@for_every("operation, response", _ERRORS, label=_label)
def test_a_documented_error_raises_its_exception_with_the_decoded_body(
    method: Callable[..., Any],
    server: RecordingServer,
    operation: Operation,
    response: Documented,
    kind: str,
) -> None:
    # Where the document says nothing of the body, it is the usual one if it is any.
    schema = response.schema or _ERROR
    body = sample(schema)
    server.script(Response(response.status, body, {"Content-Type": kind}))
    failure = _failure(method(operation), server, operation, response.status)
    _assert_typed(failure.data, schema, body)
    assert failure.message == body.get("message")


@pytest.mark.parametrize("status", [403, 422, 500, 503])
@for_every("operation", OPERATIONS)
def test_an_undocumented_error_is_decoded_like_the_usual_one(
    method: Callable[..., Any], server: RecordingServer, operation: Operation, status: int
) -> None:
    body = sample(_ERROR)
    server.script(Response(status, body))
    failure = _failure(method(operation), server, operation, status)
    _assert_typed(failure.data, _ERROR, body)


@for_every("operation", OPERATIONS)
def test_an_error_without_json_keeps_its_text(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    server.script(Response(400, "bad luck"), Response(404))
    failure = _failure(method(operation), server, operation, 400)
    assert (failure.data, failure.body, failure.raw_data) == (None, "bad luck", b"bad luck")
    failure = _failure(method(operation), server, operation, 404)
    assert (failure.data, failure.body, failure.raw_data) == (None, "", b"")


def _failure(
    call: Callable[..., Any], server: RecordingServer, operation: Operation, status: int
) -> ApiException:
    given = {**arguments(operation, everything=False), **payload(operation)}
    with pytest.raises(ApiException) as caught:
        call(**given)
    assert type(caught.value) is _EXCEPTIONS[status]
    assert caught.value.status == status
    assert caught.value.operation_id == operation.id
    assert caught.value.method == operation.method
    assert caught.value.url == server.url + server.last.path
    return caught.value


def _assert_typed(result: Any, schema: Node, body: Json) -> None:
    """Check that a result is of the class that a schema names, and holds the JSON of *body*."""
    name = model_of(schema)
    if name is not None:
        assert type(result) is getattr(talon_one, name)
        assert written(result.to_wire()) == written(body)
        return
    node = resolved(schema)
    assert node["type"] == "array"
    assert len(result) == len(body) > 0
    for item, data in zip(result, body, strict=True):
        assert isinstance(item, Model)
        _assert_typed(item, node["items"], data)
