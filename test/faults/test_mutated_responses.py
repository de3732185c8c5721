"""Mutated responses through the whole client: none is lost, and none raises."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from support.calls import make_client
from support.samples import HOSTILE, nested, sample_of, written
from support.server import RecordingServer, Response
from support.shells import Shell
from talon_one import (
    ApiClient,
    ApiException,
    IntegrationApi,
    InvalidResponseError,
    ManagementApi,
    Model,
)

Json = Any
ROUNDS = 75

# What is promised, and a call that promises it.
CALLS: dict[str, Callable[[ApiClient], Any]] = {
    "IntegrationStateV2": lambda client: IntegrationApi(client).update_customer_session_v2(
        "a", {"customerSession": {}}
    ),
    "IntegrationCustomerSessionResponse": lambda client: IntegrationApi(
        client
    ).get_customer_session("a"),
    "CustomerInventory": lambda client: IntegrationApi(client).get_customer_inventory("a"),
    "IntegrationEventV2Response": lambda client: IntegrationApi(client).track_event_v2(
        {"profileId": "a", "type": "b", "attributes": {}}
    ),
    "LoyaltyBalancesWithTiers": lambda client: IntegrationApi(client).get_loyalty_balances(1, "a"),
    "Application": lambda client: ManagementApi(client).get_application(3),
    "Campaign": lambda client: ManagementApi(client).get_campaign(3, 12),
    "LoyaltyProgram": lambda client: ManagementApi(client).get_loyalty_program(1),
}


def places(value: Json) -> Iterator[tuple[Any, Any]]:
    """Yield every place in JSON data: what holds it, and its key or index there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(inside):
        yield value, key
        if isinstance(item, (dict, list)):
            yield from places(item)


def mutated(value: Json, random: Random) -> Json:
    """Return JSON data with up to five places changed."""
    value = copy.deepcopy(value)
    for _ in range(random.randint(1, 5)):
        holder, key = random.choice([*places(value), (value, "new")])
        kind = random.choice(["drop", "null", "other type", "nested", "number", "text", "key"])
        if kind == "drop" and key in (holder if isinstance(holder, dict) else range(len(holder))):
            del holder[key]
        elif kind == "key" and isinstance(holder, dict):
            holder[random_text(random)] = copy.deepcopy(random.choice(HOSTILE))
        else:
            holder[key] = {
                "other type": copy.deepcopy(random.choice(HOSTILE)),
                "nested": nested(random.choice([3, 100])),
                "number": random.choice([10 ** random.randint(1, 400), -1e308, 5e-324, -0.0]),
                "text": random_text(random),
            }.get(kind)
    return value


def random_text(random: Random) -> str:
    alphabet = 'aZ09_\x00\n\u2028"\\ßé\u0301中\U0001f600\ud83d\udc00\ufeff\u202e'
    return "".join(random.choices(alphabet, k=random.randint(0, 12)))


def rounds(shell: Shell) -> int:
    """Return how many responses are tried. Both shells hand them to the same code."""
    return ROUNDS // 5 if shell.awaits else ROUNDS


def read(value: Any) -> None:
    """Read every property of a model, and of those inside it."""
    if isinstance(value, Model):
        for name in value.attribute_map:
            read(getattr(value, name))
        repr(value)
    elif isinstance(value, dict):
        for item in value.values():
            read(item)
    elif isinstance(value, list):
        for item in value:
            read(item)


@pytest.mark.parametrize("promised", CALLS)
def test_any_response_is_read_and_sent_back_unchanged(
    server: RecordingServer, client: ApiClient, shell: Shell, promised: str
) -> None:
    random = Random(promised)  # The same responses in every run.
    sample = sample_of(promised)
    for _ in range(rounds(shell)):
        sent = written(mutated(sample, random))
        server.script(Response(200, sent))
        found = CALLS[promised](client)
        read(found)
        assert written(json.loads(found.to_json())) == sent
    assert server.connections == 1


@pytest.mark.parametrize("status", [400, 401, 409, 429, 503])
def test_an_error_may_say_anything(server: RecordingServer, shell: Shell, status: int) -> None:
    random = Random(status)
    error = {
        "message": "The submitted data was invalid",
        "errors": [
            {"title": "enum", "details": "state must be open", "source": {"pointer": "/state"}}
        ],
        "StatusCode": status,
        "RequestUUID": "7f1a",
    }
    with make_client(server.url, retries=0) as client:
        for number in range(rounds(shell) // 2):
            body = HOSTILE[number] if number < len(HOSTILE) else mutated(error, random)
            server.script(Response(status, written(body)))
            with pytest.raises(ApiException) as caught:
                IntegrationApi(client).get_customer_session("a")
            failure = caught.value
            assert failure.status == status
            assert "\n" not in str(failure)
            assert str(pickle.loads(pickle.dumps(failure))) == str(failure)
            assert all(isinstance(entry, dict) for entry in failure.errors)
            read(failure.data)
            assert isinstance(failure.message, str | None)
            assert isinstance(failure.request_id, str | None)


@pytest.mark.parametrize("depth", [300, 900, 100_000])
@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")])
def test_endless_nesting_is_read_or_raises(
    server: RecordingServer, client: ApiClient, depth: int, left: str, right: str
) -> None:
    body = '{"message": "x", "attributes": ' + left * depth + "1" + right * depth + "}"
    server.script(Response(200, body), Response(400, body))
    if depth > 900:
        with pytest.raises(InvalidResponseError, match="nested too deeply"):
            IntegrationApi(client).get_customer_session("a")
    else:
        found = IntegrationApi(client).get_customer_session("a")
        assert json.loads(found.to_json()) == json.loads(body)
    with pytest.raises(ApiException) as caught:
        IntegrationApi(client).get_customer_session("a")
    assert str(caught.value).startswith("getCustomerSession 400 Bad Request")
    assert caught.value.raw_data == body.encode()
