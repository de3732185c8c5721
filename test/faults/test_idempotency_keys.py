"""``Idempotency-Key``: what makes it safe to retry a call that changes something."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from support.calls import CHECKOUT, CREATE, EVENT, READ, make_client
from support.every import for_every
from support.server import HANG_UP, RecordingServer, Response
from talon_one import (
    NULL,
    ApiClient,
    IntegrationApi,
    ManagementApi,
    ModelValidationError,
    NoResponseError,
)

PROFILE: dict[str, Any] = {"attributes": {}}
KEYED = {
    "updateCustomerSessionV2": lambda api, **settings: api.update_customer_session_v2(
        "a", {"customerSession": {}}, **settings
    ),
    "returnCartItems": lambda api, **settings: api.return_cart_items(
        "a", {"return": {"returnedCartItems": []}}, **settings
    ),
    "reopenCustomerSession": lambda api, **settings: api.reopen_customer_session("a", **settings),
    "updateCustomerProfileV2": lambda api, **settings: api.update_customer_profile_v2(
        "a", PROFILE, **settings
    ),
    "updateCustomerProfilesV2": lambda api, **settings: api.update_customer_profiles_v2(
        {"customerProfiles": [{"integrationId": "a", "attributes": {}}]}, **settings
    ),
    "trackEventV2": lambda api, **settings: api.track_event_v2(
        {"profileId": "a", "type": "b", "attributes": {}}, **settings
    ),
}


def keys(server: RecordingServer) -> list[str | None]:
    return [request.headers.get("Idempotency-Key") for request in server.requests]


@for_every("name", KEYED)
def test_every_call_gets_a_key_of_its_own_that_all_attempts_share(
    server: RecordingServer, client: ApiClient, name: str
) -> None:
    api = IntegrationApi(client)
    server.script(HANG_UP, Response(503), {}, HANG_UP, Response(500), {})
    for _ in range(2):
        KEYED[name](api)
    sent = keys(server)
    assert sent == [sent[0]] * 3 + [sent[3]] * 3
    assert sent[0] != sent[3]
    assert UUID(sent[0]).version == 4


@pytest.mark.one_shell("nothing is called here")
def test_these_are_all_operations_that_take_a_key() -> None:
    operations = [
        method.operation
        for api in (IntegrationApi, ManagementApi)
        for method in vars(api).values()
        if hasattr(method, "operation")
    ]
    assert len(operations) > 200
    assert {each.id for each in operations if each.key_parameter} == set(KEYED)


@pytest.mark.parametrize(
    "settings",
    [
        {"idempotency_key": "order-1-close"},
        {"_headers": {"Idempotency-Key": "order-1-close"}},
        {"_headers": {"idempotency-key": "order-1-close"}},
        {"idempotency_key": "other", "_headers": {"IDEMPOTENCY-KEY": "order-1-close"}},
    ],
)
@for_every("name", KEYED)
def test_the_callers_own_key_is_kept(
    server: RecordingServer, client: ApiClient, name: str, settings: dict[str, Any]
) -> None:
    server.script(HANG_UP, Response(500))
    KEYED[name](IntegrationApi(client), **settings)
    assert keys(server) == ["order-1-close"] * 3


@for_every("name", KEYED)
def test_a_key_that_is_declined_is_not_sent_and_protects_nothing(
    server: RecordingServer, client: ApiClient, name: str
) -> None:
    server.script(HANG_UP)
    api = IntegrationApi(client)
    if name == "updateCustomerProfilesV2":
        # The one that is safe without: it sets what it is given, and runs no rules.
        KEYED[name](api, idempotency_key=NULL)
        assert keys(server) == [None, None]
    else:
        with pytest.raises(NoResponseError):
            KEYED[name](api, idempotency_key=NULL)
        assert keys(server) == [None]


def test_keys_can_be_switched_off_for_a_client(server: RecordingServer) -> None:
    with make_client(server.url, generate_idempotency_keys=False) as client:
        server.script(HANG_UP)
        with pytest.raises(NoResponseError):
            EVENT(client)
        server.script(HANG_UP)
        CHECKOUT(client, idempotency_key="mine")
    assert keys(server) == [None, "mine", "mine"]


def test_a_key_of_blanks_protects_nothing(server: RecordingServer, client: ApiClient) -> None:
    server.script(HANG_UP)
    with pytest.raises(NoResponseError):
        CHECKOUT(client, idempotency_key=" ")
    assert len(server.requests) == 1


def test_a_key_that_is_too_long_is_not_sent(server: RecordingServer, client: ApiClient) -> None:
    with pytest.raises(ModelValidationError, match="255"):
        CHECKOUT(client, idempotency_key="k" * 256)
    assert server.requests == []


def test_other_calls_get_no_key(server: RecordingServer, client: ApiClient) -> None:
    READ(client)
    CREATE(client)
    assert keys(server) == [None, None]


def test_a_key_from_the_caller_makes_any_call_retryable(
    server: RecordingServer, client: ApiClient
) -> None:
    server.script(HANG_UP, Response(503))
    CREATE(client, _headers={"Idempotency-Key": "mine"})
    assert keys(server) == ["mine"] * 3
