"""Reports of the local variables of a failed call show no key, signature or password."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

import pytest

import talon_one
from support.certificates import certificate_of, server_context
from support.network import closed_port
from support.proxy import HttpProxy
from support.server import HANG_UP, SILENCE, RecordingServer, Response
from support.shells import Shell
from talon_one import CallEvent, Configuration, Hooks, IntegrationApi, ManagementApi

KEY = "k3y-of-the-integration-api"
MANAGEMENT = "k3y-of-the-management-api"
SIGNING = "5ec2e7ab5ec2e7ab"
PROXY = "pr0xy-pa55"
CALLER = "call3r-secret"

SECRETS = (KEY, MANAGEMENT, SIGNING, PROXY, CALLER, "t0ken")

Failing = Callable[[Any], object]


def exceptions(failure: BaseException) -> list[BaseException]:
    """Return a failure with all that it is chained to, and those of earlier attempts."""
    found: list[BaseException] = []
    left: list[BaseException | None] = [failure]
    while left:
        each = left.pop()
        if each is not None and each not in found:
            found.append(each)
            left += [each.__cause__, each.__context__, *getattr(each, "earlier", ())]
    return found


def frames(failure: BaseException) -> Iterator[FrameType]:
    for each in exceptions(failure):
        for frame, _ in traceback.walk_tb(each.__traceback__):
            yield frame


def shown(value: Any, depth: int = 5) -> Iterator[str]:
    """Yield what a report shows of a value, and of what is in it."""
    yield repr(value)
    if depth == 0:
        return
    if isinstance(value, Mapping):
        for key, item in list(value.items()):
            yield from shown(key, depth - 1)
            yield from shown(item, depth - 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in list(value):
            yield from shown(item, depth - 1)
    elif type(value).__module__.startswith("talon_one"):
        slots = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ())]
        for name in [*getattr(value, "__dict__", ()), *slots]:
            yield from shown(getattr(value, name, None), depth - 1)


def leaks(failure: BaseException) -> list[str]:
    found = []
    for frame in frames(failure):
        # That of the test, and of what makes the asyncio client block, are not ours.
        if "/test/" in frame.f_code.co_filename:
            continue
        for name, value in list(frame.f_locals.items()):
            for text in shown(value):
                for secret in SECRETS:
                    if secret in text:
                        place = f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}"
                        found.append(f"{place}: {name} shows {secret} in {text[:80]}")
                        break
    return found


@pytest.fixture
def configuration() -> Configuration:
    made = Configuration(api_key={"api_key_v1": KEY, "management_key": MANAGEMENT}, retries=1)
    made.trust_env = False
    return made


class Raising(Hooks):
    """Raises in every hook, which changes nothing, and keeps its arguments."""

    def on_request(self, event: CallEvent) -> None:
        event.add_header("X-Trace", CALLER)
        raise ValueError("no")


def read(client: Any, **settings: Any) -> object:
    api = IntegrationApi(client)
    return api.get_customer_session("a", _headers={"X-Caller": CALLER}, **settings)


def write(client: Any, **settings: Any) -> object:
    return ManagementApi(client).create_campaign_from_template(1, {}, **settings)


SENT: dict[str, tuple[Failing, list[Any]]] = {
    "401": (read, [Response(401, {"message": "no"})]),
    "no response": (read, [HANG_UP, HANG_UP]),
    "no response in time": (
        lambda client: read(client, _request_timeout=0.1),
        [SILENCE, SILENCE],
    ),
    "deadline": (lambda client: read(client, _deadline=0.1), [SILENCE]),
    "garbage": (read, [Response(raw=b"garbage"), Response(raw=b"garbage")]),
    "not JSON": (read, [Response(200, "<html>")]),
    "breaks off": (read, [Response(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")] * 2),
    "a variant": (
        lambda client: IntegrationApi(client).get_customer_session_with_http_info(
            "a", _request_auth={"key": "Authorization", "value": f"Bearer {CALLER}"}
        ),
        [Response(401, {})],
    ),
    "by hand": (
        lambda client: client.call_api(
            "/v1/x", "GET", header_params={"Authorization": f"Bearer {CALLER}"}
        ),
        [Response(401, {})],
    ),
}

REFUSED: dict[str, Failing] = {
    "validation": lambda client: read(client, customer_session_idd=1),
    "an empty id": lambda client: IntegrationApi(client).get_customer_session(
        "", _request_auth={"key": "Authorization", "value": CALLER}
    ),
    "a setting": lambda client: read(client, _deadline=-1, _request_auth={"value": CALLER}),
    "headers that are none": lambda client: IntegrationApi(client).get_customer_session(
        "a",
        _headers=[CALLER],  # type: ignore[arg-type]  # the mistake that is meant
        _request_auth={"key": "a", "value": CALLER},
    ),
    "a bad credential": lambda client: read(
        client, _request_auth={"key": "Authorization", "value": f"{CALLER}\n"}
    ),
    "a bad header": lambda client: IntegrationApi(client).get_customer_session(
        "a", _headers={"X-Caller": f"{CALLER}\r\n"}
    ),
    "a default header": lambda client: client.set_default_header("X-Caller", f"{CALLER}\n"),
    "a path by hand": lambda client: client.call_api(
        "x",
        "GET",
        header_params={"X-Caller": CALLER},
        _request_auth={"key": "Authorization", "value": CALLER},
    ),
    "a header by hand": lambda client: client.call_api("x", "GET", _headers={"X-Caller": CALLER}),
    "a host by hand": lambda client: client.call_api(
        "/x", "GET", _host=f"https://a:{CALLER}@b", auth_settings=["api_key_v1"]
    ),
    "a bad body": lambda client: write(client, _headers={"X-Caller": CALLER}),
}


@pytest.mark.parametrize("case", SENT)
@pytest.mark.parametrize("secure", [False, True])
def test_nothing_of_a_request_that_was_sent_is_shown(
    case: str, secure: bool, configuration: Configuration, shell: Shell
) -> None:
    call, script = SENT[case]
    if secure:
        configuration.ca_cert_data = certificate_of("ours")
    with RecordingServer(server_context("127.0.0.1") if secure else None) as server:
        configuration.host = server.url
        server.script(*script)
        with shell.new_client(configuration) as client:
            client.set_default_header("X-Default", CALLER)
            client.clock = client.clock._replace(sleep=lambda _: None)
            with pytest.raises(talon_one.ApiException) as caught:
                call(client)
        assert server.requests
    assert leaks(caught.value) == []


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_of_a_request_that_was_refused_is_shown(
    case: str, configuration: Configuration, shell: Shell
) -> None:
    configuration.host = f"http://127.0.0.1:{closed_port()}"
    with (
        shell.new_client(configuration) as client,
        pytest.raises(talon_one.OpenApiException) as caught,
    ):
        REFUSED[case](client)
    assert leaks(caught.value) == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_is_shown_where_there_is_no_connection(
    scheme: str, configuration: Configuration, shell: Shell
) -> None:
    configuration.host = f"{scheme}://127.0.0.1:{closed_port()}"
    configuration.hooks.append(Raising())
    with shell.new_client(configuration, "X-Caller", CALLER, cookie=CALLER) as client:
        client.clock = client.clock._replace(sleep=lambda _: None)
        with pytest.raises(talon_one.NotSentError) as caught:
            read(client)
    assert len(caught.value.earlier) == 1
    assert leaks(caught.value) == []


@pytest.mark.parametrize("kind", ["refuses", "is not there", "is none"])
def test_credentials_of_a_proxy_are_not_shown(
    kind: str, configuration: Configuration, shell: Shell
) -> None:
    configuration.host = "https://shop.talon.test"
    configuration.proxy_headers = {"X-Gate": PROXY}
    with HttpProxy(closed_port(), "other:credentials") as proxy:
        port = proxy.port if kind == "refuses" else closed_port()
        name = "127.0.0.1" if kind != "is none" else "[::1"
        configuration.proxy = f"http://user:{PROXY}@{name}:{port}"
        with shell.new_client(configuration) as client:
            client.clock = client.clock._replace(sleep=lambda _: None)
            with pytest.raises(talon_one.OpenApiException) as caught:
                read(client)
    assert leaks(caught.value) == []


def test_a_signature_and_its_secret_are_not_shown(
    configuration: Configuration, shell: Shell
) -> None:
    def create(client: Any) -> object:
        return IntegrationApi(client).create_referral(
            {"campaignId": 1, "advocateProfileIntegrationId": "a"}
        )

    configuration.api_key.clear()
    configuration.application_id = 3
    with RecordingServer(default=Response(403, {})) as server:
        configuration.host = server.url
        configuration.application_secret = SIGNING
        with (
            shell.new_client(configuration) as client,
            pytest.raises(talon_one.ForbiddenException) as refused,
        ):
            create(client)
        digest = server.last.headers["Content-Signature"].rpartition("=")[2]
        configuration.application_secret = f"{SIGNING}x"
        with (
            shell.new_client(configuration) as client,
            pytest.raises(talon_one.ConfigurationError) as unusable,
        ):
            create(client)
    assert leaks(refused.value) == []
    assert leaks(unusable.value) == []
    for frame in frames(refused.value):
        if "/test/" not in frame.f_code.co_filename:
            assert not any(digest in text for text in shown(dict(frame.f_locals)))


def test_a_hook_that_renews_credentials_and_fails_shows_none(
    configuration: Configuration, shell: Shell
) -> None:
    def renew(settings: Configuration) -> None:
        settings.api_key["api_key_v1"] = "t0ken"
        settings.access_token = "t0ken"
        raise KeyError("t0ken")

    configuration.host = f"http://127.0.0.1:{closed_port()}"
    configuration.refresh_api_key_hook = renew
    with (
        shell.new_client(configuration) as client,
        pytest.raises(talon_one.ConfigurationError, match="refresh_api_key_hook failed") as caught,
    ):
        read(client)
    assert "t0ken" not in str(caught.value)
    assert leaks(caught.value) == []


# As programs use it that no type checker has seen.
anything: Any = talon_one


@pytest.mark.one_shell("nothing is called here")
@pytest.mark.parametrize(
    "make",
    [
        lambda: anything.IntegrationApi("https://a.test", KEY),
        lambda: anything.IntegrationApi(anything.ApiClient(), api_key=KEY),
        lambda: anything.IntegrationApi(hots="https://a.test", api_key=KEY),
        lambda: anything.aio.IntegrationApi("https://a.test", KEY),
        lambda: anything.ApiClient(None, "X-A", f"{CALLER}\n"),
        lambda: anything.ApiClient(header_valu=CALLER),
        lambda: anything.aio.ApiClient(cookie=f"{CALLER}\n"),
        lambda: anything.Configuration(api_key={"api_key_v1": KEY}, timeout="soon"),
        lambda: anything.Configuration(access_token=KEY, hots="a"),
        lambda: anything.Configuration(api_key=KEY),
    ],
)
def test_a_constructor_that_refuses_its_arguments_shows_none(make: Callable[[], object]) -> None:
    with pytest.raises(talon_one.OpenApiException) as caught:
        make()
    assert leaks(caught.value) == []
    assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.one_shell("what asyncio cancels")
def test_a_call_that_is_cancelled_shows_nothing(configuration: Configuration) -> None:
    async def cancelled() -> BaseException:
        api = talon_one.aio.IntegrationApi(talon_one.aio.ApiClient(configuration))
        call = asyncio.ensure_future(api.get_customer_session("a"))
        while not server.requests:
            await asyncio.sleep(0.001)
        call.cancel()
        try:
            await call
        except asyncio.CancelledError as cause:
            return cause
        finally:
            await api.aclose()
        raise AssertionError("it was not cancelled")

    with RecordingServer(default=SILENCE) as server:
        configuration.host = server.url
        assert leaks(asyncio.run(cancelled())) == []


@pytest.mark.one_shell("nothing is called here")
def test_credentials_are_used_as_they_are_and_shown_by_nothing(
    configuration: Configuration,
) -> None:
    configuration.api_key |= {"Authorization": KEY}
    configuration.api_key.update(a=KEY)
    configuration.api_key.setdefault("b", KEY)
    configuration.password = configuration.access_token = KEY
    configuration.proxy = f"http://user:{PROXY}@proxy:1"
    assert str(configuration.api_key["a"]) == f"{configuration.access_token}" == KEY
    assert configuration.proxy == f"http://user:{PROXY}@proxy:1"
    texts = list(shown(configuration))
    assert "'http://***@proxy:1'" in texts
    assert not any(secret in text for text in texts for secret in SECRETS)
