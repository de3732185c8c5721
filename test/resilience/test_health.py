"""The health check: one read, a short deadline, and a result instead of an exception."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import talon_one
from support.calls import make_client
from support.network import closed_port
from support.server import HANG_UP, SILENCE, RecordingServer, Response
from support.shells import Shell
from support.timing import MockClock
from talon_one import ApiTypeError, ApiValueError, Clock, Configuration
from talon_one.resilience import CircuitBreaker, Health, check_health, check_health_async

Check = Callable[..., Health]


@pytest.fixture
def check(client: Any, shell: Shell) -> Check:
    """Check an API by name over the client of the shell whose turn it is."""

    def blocking(name: str = "IntegrationApi", over: Any = client, **settings: Any) -> Health:
        return check_health(getattr(talon_one, name)(over), **settings)

    def awaited(name: str = "IntegrationApi", over: Any = client, **settings: Any) -> Health:
        api = getattr(talon_one.aio, name)(over.client)
        result: Health = over.run(check_health_async(api, **settings))
        return result

    return awaited if shell.awaits else blocking


def test_a_server_that_responds_and_knows_the_key_is_well(
    check: Check, server: RecordingServer
) -> None:
    server.script(Response(404, {"message": "no such profile"}), {"profile": {}}, {"data": []})
    found = [check(), check(), check("ManagementApi")]
    assert [(each.ok, each.status, each.error) for each in found] == [
        (True, 404, None),
        (True, 200, None),
        (True, 200, None),
    ]
    assert all(found)
    assert [each.target for each in server.requests] == [
        "/v1/customer_profiles/talon-one-health-check/inventory",
        "/v1/customer_profiles/talon-one-health-check/inventory",
        "/v1/applications?pageSize=1",
    ]
    assert all(0 < each.seconds < 10 for each in found)


def test_a_signature_is_checked_as_well_as_a_key(
    check: Check, server: RecordingServer, shell: Shell
) -> None:
    configuration = Configuration(server.url, application_id=3, application_secret="00ff")
    client = shell.new_client(configuration)
    assert check(over=client)
    assert "Content-Signature" in server.last.headers
    server.script(Response(400, {"message": "HMAC signature mismatch."}))
    found = check(over=client)
    assert (found.ok, found.status, found.error) == (False, 400, "BadRequestException")


def test_failures_are_results_after_one_attempt(
    check: Check, server: RecordingServer, client: Any
) -> None:
    wrong: list[tuple[object, ...]] = []
    for name, response, status, error in [
        ("IntegrationApi", Response(401), 401, "UnauthorizedException"),
        ("ManagementApi", Response(403), 403, "ForbiddenException"),
        ("ManagementApi", Response(404), 404, "NotFoundException"),
        ("IntegrationApi", Response(429), 429, "TooManyRequestsException"),
        ("IntegrationApi", Response(503), 503, "ServiceException"),
        ("IntegrationApi", Response(200, "<html>"), 200, "InvalidResponseError"),
        ("IntegrationApi", HANG_UP, None, "NoResponseError"),
    ]:
        server.clear()
        server.script(response)
        found = check(name)
        if (found.ok, found.status, found.error) != (False, status, error):
            wrong.append((name, response, found))
        if found or len(server.requests) != 1:
            wrong.append((name, response, len(server.requests)))
    assert wrong == []
    client.configuration.host = f"http://127.0.0.1:{closed_port()}"
    assert check().error == "NotSentError"


def test_a_server_that_hangs_is_given_the_deadline(check: Check, server: RecordingServer) -> None:
    server.script(SILENCE)
    found = check(deadline=0.05)
    assert (found.ok, found.error) == (False, "ReadTimeoutError")
    assert 0.04 < found.seconds < 5


def test_missing_settings_are_a_result_as_well(check: Check, server: RecordingServer) -> None:
    with make_client(server.url, api_key={}) as client:
        found = check(over=client)
    assert (found.ok, found.error) == (False, "ConfigurationError")


def test_it_shows_the_state_of_the_breaker(
    check: Check, server: RecordingServer, client: Any, clock: MockClock
) -> None:
    assert check().breaker is None
    client.configuration.hooks.append(
        CircuitBreaker(failures=1, recovery=5, clock=Clock(monotonic=clock))
    )
    assert check().breaker == "closed"
    server.script(Response(500))
    assert check()[2:] == (500, "ServiceException", "open")
    assert check()[2:] == (None, "CircuitOpenError", "open")
    clock.now += 5
    assert check()[2:] == (200, None, "closed")


def test_a_result_is_plain_data_without_secrets(check: Check, server: RecordingServer) -> None:
    server.script(Response(400, {"message": "integration-secret"}))
    found = check().as_dict()
    assert sorted(found) == ["breaker", "error", "ok", "seconds", "status"]
    assert "secret" not in json.dumps(found)


def test_another_read_may_be_given(
    check: Check, server: RecordingServer, client: Any, shell: Shell
) -> None:
    inner = client.client if shell.awaits else client
    api: Any = (talon_one.aio if shell.awaits else talon_one).ManagementApi(inner)
    server.script({"id": 2})
    assert check("ManagementApi", read=partial(api.get_campaign, 1, 2))
    assert server.last.path == "/v1/applications/1/campaigns/2"
    server.script(Response(404))
    found = check("ManagementApi", read=partial(api.get_campaign, 1, 2))
    assert (found.ok, found.status) == (False, 404)

    def broken(**_: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        check("ManagementApi", read=broken)


@pytest.mark.one_shell("no call is made")
def test_wrong_arguments_are_refused() -> None:
    make: Any = check_health
    api = talon_one.IntegrationApi(host="https://example.test", api_key="a")
    awaited = talon_one.aio.IntegrationApi(host="https://example.test", api_key="a")
    wrong: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((None,), {}),
        ((5,), {}),
        ((api.api_client,), {}),
        ((awaited,), {}),
        ((api,), {"deadline": 0}),
        ((api,), {"deadline": "1"}),
        ((api,), {"read": 5}),
    ]
    for args, settings in wrong:
        with pytest.raises(ApiTypeError):
            make(*args, **settings)


@pytest.mark.one_shell("no call is made")
def test_an_argument_that_raises_when_looked_at_is_refused() -> None:
    class Hostile:
        def __getattr__(self, name: str) -> Any:
            raise ZeroDivisionError

    with pytest.raises(ApiValueError):
        check_health(Hostile())
