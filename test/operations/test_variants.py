"""The variants of every method: with status and headers, and with the raw response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import talon_one
from operations.arguments import arguments, payload
from support.every import for_every
from support.server import RecordingServer, Response
from support.spec import OPERATIONS, Operation
from talon_one import ApiResponse

# Deprecated operations are tested elsewhere for what they warn of.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")


def _response(operation: Operation) -> Response:
    documented = operation.successes[0]
    body = {None: b"", "application/csv": b"id\r\n1\r\n"}.get(documented.content_type, b"{}")
    return Response(documented.status, body, {"X-Total": "7"})


@for_every("operation", OPERATIONS)
def test_with_http_info_adds_status_and_headers_to_the_data(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = {**arguments(operation), **payload(operation)}
    response = _response(operation)
    server.script(response, response)
    full = method(operation, "_with_http_info")(**given)
    assert isinstance(full, ApiResponse)
    data, status, headers = full
    assert (data, status, headers) == (full.data, full.status_code, full.headers)
    assert len(full) == 3
    assert (status, full.raw_data) == (response.status, response.body)
    assert headers["x-total"] == "7"
    assert data == method(operation)(**given)
    assert type(full[0]) is type(data)
    first, second = server.requests
    assert (first.target, first.method) == (second.target, second.method)


@for_every("operation", OPERATIONS)
def test_without_preload_content_hands_over_the_unread_response(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = {**arguments(operation), **payload(operation)}
    response = _response(operation)
    server.script(response, Response(404, b"gone"))
    for expected in (response, Response(404, b"gone")):
        raw = method(operation, "_without_preload_content")(**given)
        assert (raw.status, raw.read()) == (expected.status, expected.body)
        raw.release_conn()


@for_every("operation", OPERATIONS)
def test_every_name_of_a_method_is_there_with_its_variants(operation: Operation) -> None:
    api = getattr(talon_one, operation.api)
    for suffix in ("", "_with_http_info", "_without_preload_content"):
        first, *others = (getattr(api, name + suffix) for name in operation.names)
        assert first.__name__ == operation.name + suffix
        assert others == [first] * len(others)
