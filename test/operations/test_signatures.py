"""Signatures that readers and type checkers see, and the order of positional arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

import talon_one
from operations.arguments import FILE, arguments, expected_pairs, expected_segments, payload
from support.every import for_every
from support.server import RecordingServer
from support.spec import OPERATIONS, Operation
from talon_one import ApiTypeError, ApiValueError

# Deprecated operations are tested elsewhere for what they warn of.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")

_KIND = inspect.Parameter
_WITH_REQUIRED = [each for each in OPERATIONS if each.required]


@pytest.mark.parametrize("suffix", ["", "_with_http_info", "_without_preload_content"])
@for_every("operation", OPERATIONS)
def test_required_arguments_are_positional_and_the_rest_are_keywords(
    operation: Operation, suffix: str
) -> None:
    api = getattr(talon_one, operation.api)
    for name in operation.names:
        found = list(inspect.signature(getattr(api, name + suffix)).parameters.values())
        expected: list[tuple[str, Any, Any]] = [("self", _KIND.POSITIONAL_OR_KEYWORD, _KIND.empty)]
        expected += [
            (name, _KIND.POSITIONAL_OR_KEYWORD, _KIND.empty) for name in operation.positional
        ]
        expected += [(each.name, _KIND.KEYWORD_ONLY, None) for each in operation.optional]
        expected += [("settings", _KIND.VAR_KEYWORD, _KIND.empty)]
        assert [(each.name, each.kind, each.default) for each in found] == expected


@for_every("operation", OPERATIONS)
def test_positional_arguments_arrive_in_document_order(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = arguments(operation, everything=False)
    method(operation)(*given.values(), *payload(operation).values())
    segments = [unquote(segment) for segment in server.last.path.split("/")]
    assert segments == expected_segments(operation, given)
    assert server.last.pairs == expected_pairs(operation, given)


@for_every("operation", OPERATIONS)
def test_one_positional_argument_too_many_is_refused(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = [*arguments(operation, everything=False).values(), *payload(operation).values()]
    with pytest.raises(ApiTypeError, match=f"{operation.id} takes {len(given)} positional"):
        method(operation)(*given, FILE)
    assert server.requests == []


@for_every("operation", _WITH_REQUIRED)
def test_each_missing_required_argument_is_named(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = {**arguments(operation, everything=False), **payload(operation)}
    for each in operation.required:
        without = {name: value for name, value in given.items() if name != each.name}
        with pytest.raises(ApiValueError, match=f"{operation.id} needs '{each.name}'"):
            method(operation)(**without)
    assert server.requests == []


@for_every("operation", OPERATIONS)
def test_an_unknown_keyword_is_refused(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = {**arguments(operation), **payload(operation)}
    with pytest.raises(ApiTypeError, match=f"{operation.id} has no parameter 'surprise'"):
        method(operation)(**given, surprise=1)
    assert server.requests == []


def test_a_mistyped_keyword_is_responded_with_the_nearest_one(method: Callable[..., Any]) -> None:
    (operation,) = (each for each in OPERATIONS if each.id == "updateCustomerSessionV2")
    with pytest.raises(ApiTypeError, match="Did you mean 'customer_session_id'"):
        method(operation)(customer_sesion_id="s", body={})


@for_every("operation", OPERATIONS)
def test_its_documentation_names_the_operation(operation: Operation) -> None:
    documentation = getattr(getattr(talon_one, operation.api), operation.name).__doc__
    # Long paths are broken over several lines.
    last = "".join(documentation.split()).rpartition("Operation")[2]
    assert last == f"`{operation.id}`:`{operation.method}{operation.path}`."
