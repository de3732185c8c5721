"""Several Applications by keys of the shop: one client each, and calls to all of them."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator

import pytest

import talon_one
from support.server import RecordingServer, Response
from talon_one import ApiKeyError, ApiTypeError, ApiValueError, Configuration, aio
from talon_one.access import Applications, SomeFailedError

KEYS = {"EUR": "key-of-eur", "USD": "key-of-usd"}
PROFILE = {"attributes": {"Name": "Anna"}}


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


def sent(server: RecordingServer) -> set[str]:
    return {request.headers["Authorization"] for request in server.requests}


def test_each_application_is_called_with_its_own_key(server: RecordingServer) -> None:
    with Applications(KEYS, Configuration(host=server.url, api_key={"api_key_v1": "no"})) as shops:
        for currency in ("EUR", "USD"):
            shops[currency].get_customer_session("order-1")
            assert server.last.headers["Authorization"] == f"ApiKey-v1 key-of-{currency.lower()}"
        assert shops["EUR"] is shops["EUR"]
        assert (list(shops), len(shops), "GBP" in shops) == (["EUR", "USD"], 2, False)


def test_a_profile_is_updated_in_all_of_them(server: RecordingServer) -> None:
    with Applications(KEYS, Configuration(host=server.url)) as shops:
        outcomes = shops.update_profile("anna", PROFILE, run_rule_engine=True)
    assert sent(server) == {"ApiKey-v1 key-of-eur", "ApiKey-v1 key-of-usd"}
    assert {request.target for request in server.requests} == {
        "/v2/customer_profiles/anna?runRuleEngine=true"
    }
    assert list(outcomes.results) == ["EUR", "USD"]
    assert outcomes.failures == {}
    outcomes.raise_for_failures()


def test_a_failure_of_one_is_its_outcome_and_the_others_go_on(server: RecordingServer) -> None:
    server.default = lambda request: (
        Response(400, body={"message": "no such attribute"})
        if "usd" in request.headers["Authorization"]
        else Response(body={})
    )
    with Applications(KEYS, Configuration(host=server.url)) as shops:
        outcomes = shops.update_profile("anna", PROFILE)
    assert repr(outcomes) == "<Outcomes 1 results, 1 failures>"
    assert isinstance(outcomes["USD"].failure, talon_one.BadRequestException)
    assert outcomes["USD"].result is None
    with pytest.raises(SomeFailedError, match="calls to 1 Applications failed: USD: ") as caught:
        outcomes.raise_for_failures()
    again = pickle.loads(pickle.dumps(caught.value))
    assert list(again.failures) == ["USD"]


def test_a_mistake_in_the_function_is_raised(server: RecordingServer) -> None:
    with Applications(KEYS, Configuration(host=server.url)) as shops:
        with pytest.raises(ZeroDivisionError):
            shops.call_each(lambda api: 1 // 0)
        with pytest.raises(AttributeError, match="Did you mean"):
            shops.call_each(lambda api: api.get_customer_sesion("1"))  # type: ignore[attr-defined]


def test_asyncio_calls_all_of_them_at_the_same_time(server: RecordingServer) -> None:
    server.default = lambda request: (
        Response(503) if "usd" in request.headers["Authorization"] else Response(body={})
    )

    async def run() -> None:
        configuration = Configuration(host=server.url, retries=0)
        async with aio.Applications(KEYS, configuration) as shops:
            outcomes = await shops.update_profile("anna", PROFILE)
            await shops["EUR"].get_customer_session("order-1")
        assert list(outcomes.results) == ["EUR"]
        assert isinstance(outcomes.failures["USD"], talon_one.ServiceException)

    asyncio.run(run())


def test_what_cannot_be_used_is_refused_without_showing_a_key() -> None:
    wrong = [
        ("secret-text", ApiTypeError, "keys is a dict of API keys, not text"),
        ({}, ApiValueError, "keys is empty"),
        ({"EUR": b"secret"}, ApiTypeError, "the API key of 'EUR' is text, not bytes"),
        ({"EUR": ""}, ApiValueError, "the API key of 'EUR' is empty"),
    ]
    for keys, kind, message in wrong:
        with pytest.raises(kind, match=message) as caught:
            Applications(keys)  # type: ignore[arg-type]
        assert "secret" not in str(caught.value)
    with pytest.raises(ApiTypeError, match="configuration is a Configuration, not str"):
        Applications(KEYS, "https://shop.talon.one")  # type: ignore[arg-type]
    shops = Applications(KEYS)
    with pytest.raises(ApiKeyError, match=r"no Application 'EURO'\. Did you mean 'EUR'"):
        shops["EURO"]
    with pytest.raises(ApiKeyError, match="There are EUR, USD"):
        shops["Paris"]
    assert repr(shops) == "<Applications EUR, USD>"
