"""What each operation sends: method, path, query, headers, credentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import pytest

from operations.arguments import arguments, expected_pairs, expected_segments, payload, value_for
from support.every import for_every
from support.samples import forbidden
from support.server import RecordingServer
from support.spec import OPERATIONS, Operation, Parameter
from talon_one import ApiClient, ConfigurationError, ModelValidationError

# Deprecated operations are tested elsewhere for what they warn of.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")

_WITH_ARRAYS = [
    (each, parameter)
    for each in OPERATIONS
    for parameter in each.parameters
    if parameter.schema.get("type") == "array"
]
_WITH_ALIASES = [
    (each, parameter, alias)
    for each in OPERATIONS
    for parameter in each.parameters
    for alias in parameter.aliases
]

# Text may stand for a number, since it becomes text anyway; and an empty ID has a test of its own.
_FORBIDDEN = [
    (each, parameter, constraint, value)
    for each in OPERATIONS
    for parameter in each.parameters
    for constraint, value, _ in forbidden(parameter.schema)
    if constraint not in ("type", "format")
]
_HEADERS = {
    "api_key_v1": ("Authorization", "ApiKey-v1 secret"),
    "management_key": ("Authorization", "ManagementKey-v1 secret"),
    "manager_auth": ("Authorization", "Bearer secret"),
    "integration_auth": ("Content-Signature", "secret"),
}


@pytest.mark.parametrize("everything", [True, False], ids=["all", "required"])
@for_every("operation", OPERATIONS)
def test_it_sends_what_was_given_and_nothing_else(
    method: Callable[..., Any], server: RecordingServer, operation: Operation, everything: bool
) -> None:
    given = arguments(operation, everything)
    method(operation)(**given, **payload(operation))
    (received,) = server.requests
    assert received.method == operation.method
    segments = [unquote(segment) for segment in received.path.split("/")]
    assert segments == expected_segments(operation, given)
    assert received.pairs == expected_pairs(operation, given)
    sent = [each.wire for each in operation.parameters if each.location == "header"]
    found = {name: received.headers[name] for name in sent if name in received.headers}
    assert found == {name: "key-0123" for name in sent if everything}
    csv = any(each.content_type == "application/csv" for each in operation.successes)
    accepted = "application/csv, application/json" if csv else "application/json"
    assert received.headers["Accept"] == accepted
    if not (operation.body or operation.upload):
        assert received.body == b""
        assert "Content-Type" not in received.headers


@for_every("operation", OPERATIONS)
def test_a_parameter_that_is_none_is_not_sent(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = {**arguments(operation, everything=False), **payload(operation)}
    method(operation)(**given)
    method(operation)(**given, **{each.name: None for each in operation.optional})
    without, nones = server.requests
    assert nones.target == without.target
    assert "Idempotency-Key" not in nones.headers


@for_every("operation, parameter, constraint, value", _FORBIDDEN)
def test_a_value_that_is_not_allowed_is_refused_before_anything_is_sent(
    method: Callable[..., Any],
    server: RecordingServer,
    operation: Operation,
    parameter: Parameter,
    constraint: str,
    value: Any,
) -> None:
    given = {**arguments(operation), **payload(operation), parameter.name: value}
    with pytest.raises(ModelValidationError, match=f"^{parameter.name} (must|has 1)") as caught:
        method(operation)(**given)
    assert caught.value.subject == parameter.name, constraint
    assert server.requests == []


@for_every("operation, array", _WITH_ARRAYS)
def test_arrays_are_exploded_or_joined_with_commas(
    method: Callable[..., Any], server: RecordingServer, operation: Operation, array: Parameter
) -> None:
    given = {**arguments(operation, everything=False), array.name: value_for(array.schema)}
    method(operation)(**given, **payload(operation))
    first, second = (quote(item, safe="") for item in given[array.name])
    exploded = f"{array.wire}={first}&{array.wire}={second}"
    joined = f"{array.wire}={first},{second}"
    pairs = server.last.query.split("&")
    found = "&".join(pair for pair in pairs if pair.startswith(f"{array.wire}="))
    assert found == (exploded if array.explode else joined)


@for_every("operation, array", _WITH_ARRAYS)
def test_one_text_is_sent_like_the_list_that_it_writes(
    method: Callable[..., Any], server: RecordingServer, operation: Operation, array: Parameter
) -> None:
    given = arguments(operation, everything=False)
    items = [item.replace(",", ";") for item in value_for(array.schema)]
    # Where commas separate the items, one text may hold several.
    text, listed = (items[0], items[:1]) if array.explode else (",".join(items), items)
    for value in (text, listed):
        method(operation)(**{**given, array.name: value}, **payload(operation))
    one, other = server.requests[-2:]
    assert one.query == other.query
    assert f"{array.wire}=" in one.query


@for_every("operation, parameter, alias", _WITH_ALIASES)
def test_a_further_name_of_a_parameter_means_the_same(
    method: Callable[..., Any],
    server: RecordingServer,
    operation: Operation,
    parameter: Parameter,
    alias: str,
) -> None:
    given = {**arguments(operation, everything=False), parameter.name: value_for(parameter.schema)}
    spelled = {alias if name == parameter.name else name: given[name] for name in given}
    method(operation)(**spelled, **payload(operation))
    assert server.last.pairs == expected_pairs(operation, given)


@for_every("operation", OPERATIONS)
def test_it_takes_the_header_of_whichever_accepted_scheme_there_is_a_credential_for(
    method: Callable[..., Any], client: ApiClient, server: RecordingServer, operation: Operation
) -> None:
    given = {**arguments(operation, everything=False), **payload(operation)}
    for scheme in operation.security:
        client.configuration.api_key = {scheme: "secret"}
        method(operation)(**given)
        name, value = _HEADERS[scheme]
        assert server.last.headers[name] == value
        (other,) = {"Authorization", "Content-Signature"} - {name}
        assert other not in server.last.headers


@for_every("operation", OPERATIONS)
def test_without_an_accepted_credential_nothing_is_sent(
    method: Callable[..., Any], client: ApiClient, server: RecordingServer, operation: Operation
) -> None:
    refused = _HEADERS.keys() - {*operation.security}
    client.configuration.api_key = dict.fromkeys(refused, "secret")
    given = {**arguments(operation, everything=False), **payload(operation)}
    if operation.security:
        with pytest.raises(ConfigurationError, match="no credential"):
            method(operation)(**given)
        assert server.requests == []
    else:
        method(operation)(**given)
        assert "Authorization" not in server.last.headers
        assert "Content-Signature" not in server.last.headers
