"""Applications: one object for several API keys, over shared connections."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

import talon_one
from support.server import Received, RecordingServer, Response
from support.shells import Shell
from talon_one import (
    ApiKeyError,
    ApiTypeError,
    ApiValueError,
    BadRequestException,
    ClientClosedError,
    Configuration,
    IntegrationApi,
)

KEYS = {"EUR": "key-eur", "USD": "key-usd", "GBP": "key-gbp"}
PROFILE: dict[str, Any] = {"attributes": {"Tier": "gold"}}


def respond(request: Received) -> Response:
    if request.headers["Authorization"] == "ApiKey-v1 key-usd":
        return Response(400, {"message": "no such attribute"})
    return Response(body={"customerProfile": {"integrationId": request.headers["Authorization"]}})


@pytest.fixture
def server(shell: Shell) -> Iterator[RecordingServer]:
    with RecordingServer(default=respond) as running:
        yield running


class Shop:
    """Applications of the shell whose turn it is, made to block."""

    def __init__(self, shell: Shell, *args: Any) -> None:
        self.awaits = shell.awaits
        self.runner = shell.new_client(Configuration("https://example.test"))
        package = talon_one.aio if shell.awaits else talon_one
        self.applications: Any = package.credentials.Applications(*args)
        self.method: Any = package.IntegrationApi.update_customer_profile_v2

    def run(self, made: Any) -> Any:
        return self.runner.run(made) if self.awaits else made

    def update(self, name: str) -> Any:
        return self.run(self.applications[name].update_customer_profile_v2("anna", PROFILE))

    def update_all(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(self.applications.call_all(self.method, *args, **kwargs))

    def close(self) -> None:
        self.run(self.applications.aclose() if self.awaits else self.applications.close())


@pytest.fixture
def shop(server: RecordingServer, shell: Shell) -> Iterator[Shop]:
    made = Shop(shell, KEYS, Configuration(server.url, retries=0))
    yield made
    made.close()


def test_each_application_has_its_own_key_over_shared_connections(
    shop: Shop, server: RecordingServer
) -> None:
    for _ in range(2):
        for name in ("EUR", "GBP"):
            found = shop.update(name)
            assert found.customer_profile.integration_id == f"ApiKey-v1 {KEYS[name]}"
    assert len(server.requests) == 4
    assert server.connections == 1


def test_objects_are_made_on_first_use_and_kept(shop: Shop) -> None:
    assert shop.applications._apis == {}
    assert shop.applications["EUR"] is shop.applications["EUR"]
    assert list(shop.applications._apis) == ["EUR"]
    assert (len(shop.applications), list(shop.applications)) == (3, ["EUR", "USD", "GBP"])
    assert "EUR" in shop.applications
    assert "CHF" not in shop.applications
    assert shop.applications.get("CHF") is None


def test_an_unknown_key_is_explained(shop: Shop) -> None:
    with pytest.raises(ApiKeyError, match=r"no Application 'EUX'\. Did you mean 'EUR'\?"):
        shop.applications["EUX"]
    with pytest.raises(KeyError):
        shop.applications[5]
    with pytest.raises(ApiValueError):
        shop.applications[[]]


def test_a_call_for_all_has_a_result_for_each(shop: Shop, server: RecordingServer) -> None:
    outcomes = shop.update_all("anna", PROFILE, run_rule_engine=True)
    assert list(outcomes) == ["EUR", "USD", "GBP"]
    assert [each.ok for each in outcomes.values()] == [True, False, True]
    for name in ("EUR", "GBP"):
        found = outcomes[name].unwrap().customer_profile.integration_id
        assert found == f"ApiKey-v1 {KEYS[name]}"
    assert isinstance(outcomes["USD"].failure, BadRequestException)
    assert outcomes["USD"].value is None
    with pytest.raises(BadRequestException):
        outcomes["USD"].unwrap()
    assert repr(outcomes["USD"]) == "<Outcome BadRequestException>"
    assert {each.body for each in server.requests} == {server.last.body}
    assert len({each.headers["Authorization"] for each in server.requests}) == 3


def test_arguments_that_are_wrong_are_failures_of_each(shop: Shop, server: RecordingServer) -> None:
    outcomes = shop.update_all("anna", {"attributes": 5})
    assert [type(each.failure).__name__ for each in outcomes.values()] == [
        "ModelValidationError"
    ] * 3
    assert server.requests == []


def test_it_takes_a_method_of_the_class(shop: Shop, server: RecordingServer) -> None:
    shop.method = shop.applications["EUR"].update_customer_profile_v2
    with pytest.raises(ApiTypeError, match=r"IntegrationApi\.update_customer_profile_v2"):
        shop.update_all("anna", PROFILE)
    shop.method = print
    with pytest.raises(ApiTypeError):
        shop.update_all("anna", PROFILE)
    assert server.requests == []


def test_applications_may_have_configurations_of_their_own(
    server: RecordingServer, shell: Shell
) -> None:
    with RecordingServer(default=respond) as other:
        base = Configuration(server.url)
        signed = copy.deepcopy(base)
        signed.application_id, signed.application_secret = 3, "00ff"
        elsewhere = Configuration(other.url, {"api_key_v1": "key-3"})
        keys: dict[Any, Any] = {1: "key-1", 2: signed, ("de", 3): elsewhere}
        server.default = other.default = Response(body={"profile": {}})
        shop = Shop(shell, keys, base)
        # A read, since the update of a profile accepts no signature.
        package = talon_one.aio if shell.awaits else talon_one
        shop.method = package.IntegrationApi.get_customer_inventory
        assert [each.ok for each in shop.update_all("anna").values()] == [True] * 3
        assert [len(each.requests) for each in (server, other)] == [2, 1]
        assert {"Content-Signature" in each.headers for each in server.requests} == {True, False}
        if not shell.awaits:  # The asyncio calls were concurrent.
            assert server.connections == 1
        shop.close()


def test_the_settings_given_are_copied_and_their_credentials_left_out(
    server: RecordingServer, shell: Shell
) -> None:
    base = Configuration(
        server.url, {"api_key_v1": "base", "management_key": "m"}, application_id=1, timeout=7
    )
    shop = Shop(shell, KEYS, base)
    inner = shop.applications["EUR"].api_client.configuration
    assert inner is not base
    assert inner.timeout == 7
    assert (dict(inner.api_key), inner.application_id) == ({"api_key_v1": "key-eur"}, None)
    assert dict(base.api_key) == {"api_key_v1": "base", "management_key": "m"}
    shop.close()


def test_closing_one_application_leaves_the_others_open(
    shop: Shop, server: RecordingServer
) -> None:
    shop.update("EUR")
    api = shop.applications["EUR"]
    shop.run(api.aclose() if shop.awaits else api.close())
    with pytest.raises(ClientClosedError):
        shop.update("EUR")
    shop.update("GBP")
    assert server.connections == 1
    shop.close()
    with pytest.raises(ClientClosedError):
        shop.update("GBP")


@pytest.mark.one_shell("no call is made")
def test_keys_that_cannot_work_are_refused_without_quoting_them() -> None:
    make: Any = talon_one.credentials.Applications
    for keys, configuration in [
        (None, None),
        (["secret-1"], None),
        ({"EUR": None}, None),
        ({"EUR": ""}, None),
        ({"EUR": b"secret-1"}, None),
        ({"EUR": ["secret-1"]}, None),
        (KEYS, {"host": "secret-1"}),
    ]:
        with pytest.raises(ApiTypeError) as caught:
            make(keys, configuration)
        assert "secret-1" not in str(caught.value)
    applications = make(KEYS, Configuration("https://example.test"))
    assert repr(applications) == "<Applications 'EUR', 'USD', 'GBP'>"
    assert "key-eur" not in repr(vars(applications))
    assert isinstance(applications["EUR"], IntegrationApi)
