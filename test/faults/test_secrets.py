"""Keys, tokens, signatures and passwords appear nowhere but in requests."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from support.calls import CHECKOUT, CREATE, READ, SEARCH
from support.every import for_every
from support.server import HANG_UP, RecordingServer, Response
from support.shells import Shell, new_client
from talon_one import (
    ApiClient,
    ApiException,
    CallEvent,
    Configuration,
    ConfigurationError,
    Hooks,
    InsecureHostWarning,
    IntegrationApi,
    ManagementApi,
    OpenApiException,
)
from talon_one._core.address import _base_url, base_url
from talon_one._core.auth import signature

SECRETS = {
    "integration key": "k3y-of-the-integration-api",
    "management key": "k3y-of-the-management-api",
    "token": "t0ken-of-a-session",
    "signing secret": "5ec2e7ab5ec2e7ab",
    "password": "pa55word",
    "password of the proxy": "pr0xy-pa55",
    "header of the proxy": "pr0xy-header",
    "header of the caller": "call3r-secret",
}


class Everything(Hooks):
    """Keeps its arguments, as an application might that logs them."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def _show(self, event: CallEvent) -> None:
        self.shown.append(repr(event))
        self.shown += [repr(getattr(event, name)) for name in event.__slots__ if name[0] != "_"]

    on_request = on_response = on_error = _show


@pytest.fixture
def configuration() -> Configuration:
    made = Configuration(
        api_key={
            "api_key_v1": SECRETS["integration key"],
            "management_key": SECRETS["management key"],
        },
        access_token=SECRETS["token"],
        application_id=3,
        application_secret=SECRETS["signing secret"],
        username="anna",
        password=SECRETS["password"],
    )
    made.proxy_headers = {"X-Gate": SECRETS["header of the proxy"]}
    return made


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def client(server: RecordingServer, configuration: Configuration) -> Iterator[ApiClient]:
    configuration.host = server.url
    with new_client(configuration) as made:
        made.clock = made.clock._replace(sleep=lambda _: None)
        yield made


def assert_no_secret(*texts: str) -> None:
    for text in texts:
        for name, secret in SECRETS.items():
            assert secret not in text, f"the {name} is shown in {text[:200]}"


FAULTS = [
    HANG_UP,
    Response(401, {"message": "no"}),
    Response(200, "<html>"),
    Response(raw=b"garbage"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_shows_no_secret_however_it_ends(
    server: RecordingServer,
    client: ApiClient,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    fault: Response,
) -> None:
    caplog.set_level(logging.DEBUG)
    everything = Everything()
    client.configuration.hooks.append(everything)
    shown: list[str] = []
    for call in (READ, CHECKOUT, CREATE, SEARCH):
        server.script(fault, fault, fault)
        with pytest.raises(ApiException) as caught:
            call(client, _headers={"X-Caller": SECRETS["header of the caller"]})
        failure = caught.value
        shown += ["".join(traceback.format_exception(failure)), repr(failure), str(failure)]
        shown += [repr(vars(failure)), pickle.dumps(failure, 0).decode("latin-1")]
        shown += [repr(copy.copy(failure).earlier), repr(failure.args)]
        server.clear()
    CHECKOUT(client)
    assert server.last.headers["Authorization"].endswith(SECRETS["integration key"])
    # What a debugger shows of a frame is beyond us; what is printed is not.
    assert_no_secret(caplog.text, *everything.shown, *shown, *capfd.readouterr())


def test_a_signature_is_not_shown(
    server: RecordingServer, configuration: Configuration, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    configuration.host = server.url
    configuration.api_key.clear()
    server.default = Response(400, {"message": "HMAC signature mismatch."})
    with new_client(configuration) as client, pytest.raises(ApiException) as caught:
        CREATE(client)
    sent = server.last.headers["Content-Signature"]
    assert sent == signature(3, SECRETS["signing secret"], server.last.body)
    digest = sent.rpartition("=")[2]
    text = caplog.text + "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert digest not in text


def test_objects_show_no_secret(
    client: ApiClient, configuration: Configuration, shell: Shell
) -> None:
    configuration.proxy = f"http://user:{SECRETS['password of the proxy']}@proxy:8080"
    for each in (
        *(configuration, client, client._budget),
        *(() if shell.awaits else (client.rest_client,)),
        *(IntegrationApi(client), ManagementApi(client), copy.deepcopy(configuration)),
    ):
        assert_no_secret(repr(each), str(each))
    assert_no_secret(configuration.to_debug_report())
    assert_no_secret(pickle.dumps(configuration, 0).decode("latin-1"))


@pytest.mark.one_shell("nothing is called here")
def test_a_pickled_configuration_has_its_settings_and_none_of_its_secrets(
    configuration: Configuration,
) -> None:
    configuration.host = "https://shop.talon.one"
    again = pickle.loads(pickle.dumps(configuration))
    assert again.host == configuration.host
    assert again.api_key == {}
    secret = (again.access_token, again.application_secret, again.password, again.proxy)
    assert secret == (None, None, None, None)


HOSTS = [
    "https://anna:pa55word@shop.talon.one",
    "https://pa55word@shop.talon.one",
    "https://anna:pa55word@shop.talon.one:port",
    "anna:pa55word@shop.talon.one",
    "https://anna:pa55word@[::1",
    "https://anna:pa55word@shop.talon.one/v2",
]


@for_every("host", HOSTS)
def test_a_password_in_the_host_is_not_shown(host: str) -> None:
    configuration = Configuration(host=host, api_key={"api_key_v1": "a"})
    assert "pa55word" not in repr(configuration)
    with (
        new_client(configuration) as client,
        pytest.raises(
            ConfigurationError, match="must hold neither credentials nor blanks"
        ) as caught,
    ):
        READ(client)
    assert "pa55word" not in "".join(traceback.format_exception(caught.value))


def test_settings_of_the_environment_are_never_echoed() -> None:
    environment = {
        "TALON_ONE_HOST": "https://user:pa55word@shop.talon.one",
        "TALON_ONE_API_KEY": "k3y-of-the-integration-api\n",
        "TALON_ONE_MANAGEMENT_KEY": "k3y-of-the-management-api",
        "TALON_ONE_APPLICATION_ID": "3",
        "TALON_ONE_APPLICATION_SECRET": "pa55word",
    }
    configuration = Configuration.from_env(environment)
    shown = [repr(configuration), configuration.to_debug_report()]
    for call, host in (
        (READ, None),
        (READ, "https://127.0.0.1:1"),
        (CREATE, "https://127.0.0.1:1"),
    ):
        if host is not None:
            configuration.host = host
        with new_client(configuration) as client, pytest.raises(OpenApiException) as caught:
            call(client)
        shown.append("".join(traceback.format_exception(caught.value)))
        # The next one tries the other way of authentication.
        configuration.api_key.pop("api_key_v1", None)
    assert_no_secret(*shown)


# -- http:// -----------------------------------------------------------------------------------


@for_every(
    "host, warned",
    [
        ("http://shop.talon.one", True),
        ("http://127.shop.talon.one:1", True),
        ("http://localhost.talon.one", True),
        ("http://10.0.0.1", True),
        ("http://127.0.0.1:9", False),
        ("http://127.1.2.3:9", False),
        ("http://localhost:9", False),
        ("http://[::1]:9", False),
        ("https://shop.talon.one", False),
    ],
)
def test_unencrypted_calls_to_other_machines_are_warned_of_once(host: str, warned: bool) -> None:
    _base_url.cache_clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            assert base_url(host) == host
    assert [each.category for each in caught] == [InsecureHostWarning] * warned


def test_the_warning_names_the_host_and_nothing_else(configuration: Configuration) -> None:
    _base_url.cache_clear()
    configuration.host = "http://shop.talon.test"
    settings: Any = {"_request_timeout": 0.05, "_retries": 0}
    configuration.proxy = "http://127.0.0.1:9"
    with (
        new_client(configuration) as client,
        pytest.warns(
            InsecureHostWarning, match="http://shop.talon.test are not encrypted"
        ) as caught,
        pytest.raises(ApiException),
    ):
        READ(client, **settings)
    assert_no_secret(*(str(each.message) for each in caught))


# -- Bodies ------------------------------------------------------------------------------------

HUSH = "hush-hush-0123456789abcdef"
WITH_SECRETS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "a session": (
        lambda m: m.create_session({"email": "a@b.test", "password": HUSH}),
        {"userId": 1, "token": HUSH, "created": "2026-01-01T00:00:00Z"},
    ),
    "a password": (
        lambda m: m.reset_password({"password": HUSH, "resetToken": HUSH}),
        {"password": HUSH},
    ),
    "an invitation": (
        lambda m: m.create_invite_email({"email": "a@b.test", "token": HUSH}),
        {"token": HUSH},
    ),
    "a key": (
        lambda m: m.call("/v1/applications/1/apikeys", {"title": "a"}, "NewApplicationAPIKey"),
        {"title": "a", "key": HUSH},
    ),
    "a path by hand": (
        lambda m: m.call("/v1/sessions", {"email": "a@b.test", "password": HUSH}),
        {"a": [{"access_token": HUSH, "Token": HUSH}]},
    ),
    "headers of a webhook": (
        lambda m: m.call("/v2/webhooks", {"headers": [f"Authorization: {HUSH}"]}, "Webhook"),
        {"headers": [f"Authorization: {HUSH}"]},
    ),
    "headers of a test": (
        lambda m: m.call("/v2/x", {"headers": {"Authorization": HUSH}}),
        {"headers": {"Authorization": HUSH}},
    ),
    "an integration": (
        lambda m: m.call("/v1/x", {"passcode": HUSH}),
        {"policy": {"apiKey": HUSH, "passcode": HUSH}},
    ),
}


@pytest.mark.parametrize("case", WITH_SECRETS)
@pytest.mark.parametrize("status", [200, 299, 400])
def test_bodies_are_logged_without_the_secrets_in_them(
    case: str,
    status: int,
    client: ApiClient,
    server: RecordingServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def by_hand(path: str, body: Any, written: str = "Any") -> Any:
        return client.call_api(path, "POST", body=body, response_type=written)

    management: Any = ManagementApi(client)
    if "call" in WITH_SECRETS[case][0].__code__.co_names:
        management = SimpleNamespace(call=by_hand)
    call, response = WITH_SECRETS[case]
    caplog.set_level(logging.DEBUG, "talon_one")
    client.configuration.log_bodies = True
    server.script(Response(status, response if status < 300 else {"message": "no", "token": HUSH}))
    with suppress(ApiException):
        call(management)
    assert HUSH in server.last.body.decode() or case == "a key"
    (line,) = (each.getMessage() for each in caplog.records if "sent" in each.msg[:5])
    assert HUSH not in caplog.text
    assert "***" in line


def test_bodies_without_a_secret_are_logged_as_they_are(
    client: ApiClient, server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "talon_one")
    client.configuration.log_bodies = True
    odd = '{ "tokens" : 1.50, "name": "\\u00fc", "password": null, "headers": "none"}'
    server.script(Response(200, odd), Response(200, "a,b\n"), Response(500, "{" * 5000))
    for _ in range(3):
        with suppress(ApiException):
            client.call_api("/v1/x", "GET", _retries=0)
    texts = [each.getMessage() for each in caplog.records if "sent" in each.msg[:5]]
    assert f"received {odd.encode()!r}" in texts[0]
    assert "received b'a,b\\n'" in texts[1]
    assert "received '<5000 bytes>'" in texts[2]
