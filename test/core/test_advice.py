"""Mistakes of newcomers, and the sentence that each of them gets."""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import AsyncMock, MagicMock, create_autospec

import pytest

import talon_one
from support.calls import READ, make_client
from support.certificates import certificate_of, server_context
from support.network import closed_port
from support.server import RecordingServer, Response
from support.shells import Shell
from talon_one import (
    ApiClient,
    ApiException,
    ApiTypeError,
    Configuration,
    ConfigurationError,
    IntegrationApi,
    NoResponseError,
    NotSentError,
    RetryPolicy,
    TlsError,
    aio,
    effects,
    limiter,
    pagination,
    webhooks,
)
from talon_one._core.settings import MAX_CONNECTIONS

anything: Any = talon_one
CLIENTS = [ApiClient, aio.ApiClient]
APIS = [talon_one.IntegrationApi, talon_one.ManagementApi, aio.IntegrationApi, aio.ManagementApi]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("TALON_ONE_HOST", "TALON_ONE_API_KEY", "TALON_ONE_MANAGEMENT_KEY"):
        monkeypatch.delenv(name, raising=False)
    yield
    Configuration.set_default(None)
    ApiClient.set_default(None)
    aio.ApiClient.set_default(None)


# -- Constructors ------------------------------------------------------------------------------


@pytest.mark.parametrize("api", APIS)
def test_an_api_given_host_and_key_by_position_says_how_to_give_them(api: Any) -> None:
    with pytest.raises(ApiTypeError, match=r"host=\.\.\., api_key=\.\.\.") as caught:
        api("https://a.talon.one", "sesame")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("api", APIS)
def test_an_api_given_an_unknown_keyword_names_the_nearest(api: Any) -> None:
    with pytest.raises(ApiTypeError, match=r"no argument 'hots'\. Did you mean 'host'\? Write "):
        api(hots="https://a.talon.one", api_key="sesame")


@pytest.mark.parametrize("client", CLIENTS)
def test_wrong_arguments_of_a_client_are_explained_with_an_example(client: Any) -> None:
    for keywords in ({"host": "https://a.talon.one"}, {"configuraton": Configuration()}):
        with pytest.raises(ApiTypeError, match=r"Write ApiClient\(Configuration\(host="):
            client(**keywords)
    with pytest.raises(ApiTypeError, match="by position, not 9"):
        client(*range(9))
    with pytest.raises(ApiTypeError, match="got 'configuration' twice"):
        client(Configuration(), configuration=Configuration())


def test_a_configuration_given_an_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(ApiTypeError, match=r"no argument 'retires'\. Did you mean 'retries'"):
        anything.Configuration(retires=3)
    with pytest.raises(ApiTypeError, match="takes 6 arguments by position, not 7"):
        anything.Configuration(*["a"] * 7)


VALUES: dict[str, Callable[..., Any]] = {
    "Timeout(connect=5, read=30)": talon_one.Timeout,
    "RetryPolicy(retries=2, backoff=0.25)": talon_one.RetryPolicy,
    "Clock(sleep=..., monotonic=...)": talon_one.Clock,
    "RawResponse(status=200, reason='OK', headers={}, data=b'{}')": talon_one.RawResponse,
    "TelemetryHooks(tracer=...)": talon_one.TelemetryHooks,
    "Position(skip=100)": pagination.Position,
    "Limiter(calls=3, seconds=1.0)": limiter.Limiter,
    "Receiver(secret_header=..., secret=...)": webhooks.Receiver,
    "AsyncReceiver(secret_header=..., secret=...)": webhooks.AsyncReceiver,
    "InMemoryDeliveryStore(size=20_000)": webhooks.InMemoryDeliveryStore,
    "EffectHandler()": effects.EffectHandler,
}
"""Classes that applications make instances of, by the example in their messages."""


@pytest.mark.parametrize("example", VALUES)
def test_a_class_that_applications_make_instances_of_explains_wrong_arguments(example: str) -> None:
    make = VALUES[example]
    name = example.partition("(")[0]
    with pytest.raises(ApiTypeError) as caught:
        make(colour="sesame")
    assert str(caught.value) == f"{name} has no argument 'colour'. Write {example}."
    with pytest.raises(ApiTypeError) as caught:
        make(*["sesame"] * 9)
    message = rf"{name} takes (\d) arguments? by position, not 9\. Write {re.escape(example)}\."
    assert re.fullmatch(message, str(caught.value))


@pytest.mark.parametrize(
    ("make", "misspelled", "meant"),
    [
        (talon_one.Timeout, "conect", "connect"),
        (talon_one.RetryPolicy, "retires", "retries"),
        (talon_one.Clock, "slep", "sleep"),
        (talon_one.RawResponse, "headrs", "headers"),
        (talon_one.TelemetryHooks, "tracr", "tracer"),
        (pagination.Position, "curser", "cursor"),
        (limiter.Limiter, "second", "seconds"),
        (webhooks.Receiver, "secret_heder", "secret_header"),
        (webhooks.AsyncReceiver, "handler", "handlers"),
        (webhooks.InMemoryDeliveryStore, "sise", "size"),
    ],
)
def test_a_misspelled_argument_of_a_constructor_gets_a_suggestion(
    make: Callable[..., Any], misspelled: str, meant: str
) -> None:
    with pytest.raises(ApiTypeError, match=f"'{misspelled}'. Did you mean '{meant}'?"):
        make(**{misspelled: 1})


@pytest.mark.parametrize("receiver", [webhooks.Receiver, webhooks.AsyncReceiver])
def test_a_receiver_without_a_secret_header_says_which_argument_is_missing(receiver: Any) -> None:
    with pytest.raises(ApiTypeError, match="needs the argument 'secret_header'") as caught:
        receiver(secret="sesame")
    assert "sesame" not in str(caught.value)


def test_a_response_without_its_body_says_which_argument_is_missing() -> None:
    with pytest.raises(ApiTypeError, match="RawResponse needs the argument 'data'"):
        anything.RawResponse(200, "OK", {})
    with pytest.raises(ApiTypeError, match="got 'status' twice"):
        anything.RawResponse(200, status=200)


def test_checked_values_still_copy_pickle_compare_and_show_their_arguments() -> None:
    for value in (
        talon_one.Timeout(1, read=2),
        talon_one.RetryPolicy(3),
        talon_one.RawResponse(200, "OK", {}, b""),
        pagination.Position(skip=3),
    ):
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
        assert type(copy.copy(value)) is type(value)
        assert list(inspect.signature(type(value)).parameters) == list(value._fields)


@pytest.mark.parametrize("size", ["5", None, 1.5, True, 0, -1])
def test_an_invalid_size_of_a_delivery_store_is_refused(size: Any) -> None:
    with pytest.raises(talon_one.OpenApiException, match=r"size .*1"):
        webhooks.InMemoryDeliveryStore(size)


@pytest.mark.parametrize("api", APIS)
def test_the_message_names_a_host_in_the_environment_that_was_not_read(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALON_ONE_HOST", "https://a.talon.one")
    made = api()
    call = getattr(made, "get_application", None) or made.get_customer_session
    with pytest.raises(
        ConfigurationError, match=r"TALON_ONE_HOST is set.*from_env\(\).*when"
    ) as caught:
        _run(call(1) if "Management" in api.__name__ else call("a"))
    assert "a.talon.one" not in str(caught.value)


@pytest.mark.parametrize("api", APIS)
def test_the_message_names_a_key_in_the_environment_that_was_not_read(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALON_ONE_API_KEY", "sesame")
    made = api(host="https://a.talon.one")
    call = getattr(made, "get_application", None) or made.get_customer_session
    with pytest.raises(
        ConfigurationError, match=r"TALON_ONE_API_KEY is set.*from_env.*when"
    ) as caught:
        _run(call(1) if "Management" in api.__name__ else call("a"))
    assert "sesame" not in str(caught.value)


def _run(call: Any) -> Any:
    if not inspect.isawaitable(call):
        return call
    import asyncio

    async def awaited() -> Any:
        return await call

    return asyncio.run(awaited())


# -- Settings ----------------------------------------------------------------------------------

LIMIT = (2**31 - 1) / 1000
BAD_SECONDS = [-1, 0, -0.0, math.nan, math.inf, LIMIT + 1, "3", "", True, b"1", [], (), object()]


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    "seconds", BAD_SECONDS, ids=lambda each: type(each).__name__ + str(each)[:9]
)
def test_an_invalid_deadline_is_refused_by_its_name(seconds: Any) -> None:
    host = f"http://127.0.0.1:{closed_port()}"
    with make_client(host) as client, pytest.raises(ApiTypeError, match="_deadline is a number"):
        READ(client, _deadline=seconds)
    with pytest.raises(ApiTypeError, match="deadline is a number of seconds"):
        Configuration(deadline=seconds)


@pytest.mark.usefixtures("shell")
def test_an_invalid_timeout_is_refused_in_every_form() -> None:
    host = f"http://127.0.0.1:{closed_port()}"
    with make_client(host) as client:
        for seconds in [*BAD_SECONDS, (1,), (1, 2, 3), (1, 0), (-1, 1), ("1", 1), {}]:
            with pytest.raises(ApiTypeError, match="a timeout is a number of seconds, above 0"):
                READ(client, _request_timeout=seconds)


def test_the_longest_timeout_is_what_a_socket_can_wait() -> None:
    for seconds in (LIMIT, 0.001, 1):
        assert Configuration(timeout=seconds, deadline=seconds).timeout_for() == (seconds,) * 3
        with socket.socket() as made:
            made.settimeout(seconds)


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    "retries",
    [-1, 1.5, "2", [], RetryPolicy(-1), RetryPolicy(backoff=-0.1), RetryPolicy(backoff=-1)],
)
def test_invalid_retries_are_refused_by_their_name(retries: Any) -> None:
    host = f"http://127.0.0.1:{closed_port()}"
    with make_client(host) as client, pytest.raises(ApiTypeError, match="_retries is a number of"):
        READ(client, _retries=retries)
    with pytest.raises(ApiTypeError, match="retries is a number of retries from 0 on"):
        Configuration(retries=retries)


@pytest.mark.parametrize(("size", "kept"), [(0, 0), (1, 1), (MAX_CONNECTIONS, MAX_CONNECTIONS)])
def test_a_size_of_the_pool_is_kept_up_to_a_limit(size: int, kept: int) -> None:
    configuration = Configuration()
    configuration.connection_pool_maxsize = size
    assert configuration.connection_pool_maxsize == kept


def test_the_default_size_of_the_pool_is_four_connections_for_each_processor() -> None:
    import os

    configuration: Any = Configuration()
    assert configuration.connection_pool_maxsize == 4 * (os.cpu_count() or 1)
    configuration.connection_pool_maxsize = 3
    configuration.connection_pool_maxsize = None
    assert configuration.connection_pool_maxsize == 4 * (os.cpu_count() or 1)
    for size in (MAX_CONNECTIONS + 1, "4", 1.5, True):
        with pytest.raises(talon_one.OpenApiException, match="connection_pool_maxsize"):
            configuration.connection_pool_maxsize = size


def test_a_pool_of_size_zero_or_less_has_one_connection(shell: Shell) -> None:
    with RecordingServer() as server:
        for size in (0, -1):
            with make_client(server.url, connection_pool_maxsize=size) as client:
                READ(client)
                READ(client)
        assert server.connections == 2


# -- Schemes -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("shell")
def test_https_to_a_port_that_speaks_http_says_so() -> None:
    with RecordingServer() as server:
        host = server.url.replace("http:", "https:")
        # Most servers complain of what they get; others hang up.
        server.greet(Response(raw=b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))
        with make_client(host) as client:
            with pytest.raises(TlsError) as caught:
                READ(client, _retries=0)
            assert f"the port speaks no TLS: is the host {server.url}?" in str(caught.value)
            with pytest.raises(NotSentError) as hung_up:
                READ(client, _retries=0)
            assert f"if the port speaks no TLS, the host is {server.url}" in str(hung_up.value)


@pytest.mark.usefixtures("shell")
def test_http_to_a_port_that_speaks_tls_says_so() -> None:
    with RecordingServer(server_context()) as server:
        host = server.url.replace("https:", "http:")
        with make_client(host) as client, pytest.raises(NoResponseError) as caught:
            READ(client, _retries=0)
        assert f"if the port speaks TLS, the host is {server.url}" in str(caught.value)


@pytest.mark.usefixtures("shell")
def test_an_alert_of_tls_in_response_to_http_says_so() -> None:
    with RecordingServer(default=Response(raw=b"\x15\x03\x01\x00\x02\x02\x46")) as server:
        with make_client(server.url) as client, pytest.raises(ApiException) as caught:
            READ(client, _retries=0)
        assert f"the host is {server.url.replace('http', 'https')}" in str(caught.value)


@pytest.mark.usefixtures("shell")
def test_a_certificate_that_is_not_trusted_is_not_taken_for_another_scheme() -> None:
    with RecordingServer(server_context(by="somebody")) as server:
        with (
            make_client(server.url, ca_cert_data=certificate_of("ours")) as client,
            pytest.raises(TlsError) as caught,
        ):
            READ(client, _retries=0)
        assert "speaks" not in str(caught.value)


# -- Introspection, and mocks ------------------------------------------------------------------


def _looked_at(value: Any) -> None:
    for name in dir(value):
        getattr(value, name)
        hasattr(value, name)
    inspect.getmembers(value)
    for name in ("shape", "__len__", "_repr_html_", "__array__", "toString", "async_"):
        hasattr(value, name)
    repr(value)


@pytest.mark.parametrize("client_class", CLIENTS)
@pytest.mark.parametrize("closed", [False, True])
def test_looking_at_everything_starts_no_thread_opens_nothing_and_raises_nothing(
    client_class: Any, closed: bool
) -> None:
    with RecordingServer() as server:
        client = client_class(Configuration(host=server.url))
        client.default_headers.clear()
        if closed:
            _run(client.aclose() if client.asynchronous else client.close())
        threads = threading.active_count()
        apis = [api for api in APIS if ("aio" in api.__module__) == client.asynchronous]
        for each in (
            client,
            client_class,
            client.configuration,
            *apis,
            *(api(client) for api in apis),
        ):
            _looked_at(each)
        assert threading.active_count() == threads
        assert server.connections == 0


MOCKS: dict[str, Callable[[type], Any]] = {
    "MagicMock": lambda cls: MagicMock(spec=cls),
    "autospec": lambda cls: create_autospec(cls, instance=True),
    "autospec of the class": lambda cls: create_autospec(cls),
    "autospec of an instance": lambda cls: create_autospec(cls(Configuration()), instance=True),
    "no spec": lambda _: MagicMock(),
}


@pytest.mark.parametrize("kind", MOCKS)
@pytest.mark.parametrize(
    ("client_class", "api_class"), [(CLIENTS[0], APIS[0]), (CLIENTS[1], APIS[2])]
)
def test_a_mock_of_a_client_serves_as_one(kind: str, client_class: Any, api_class: Any) -> None:
    client = MOCKS[kind](client_class)
    client.call.return_value = result = talon_one.CustomerSessionV2.from_dict({})
    api = api_class(client)
    repr(api)
    if kind == "no spec" and client_class.asynchronous:
        client.call = AsyncMock(return_value=result)  # It cannot know what is awaited.
    assert _run(api.get_customer_session("a")) is result


@pytest.mark.parametrize("spec", [False, True])
def test_a_client_of_the_other_kind_is_still_refused_and_so_is_a_mock_of_it(spec: bool) -> None:
    for client_class, api_class in ((CLIENTS[1], APIS[0]), (CLIENTS[0], APIS[2])):
        client: Any = MagicMock(spec=client_class) if spec else client_class(Configuration())
        with pytest.raises(ApiTypeError, match="takes a talon_one"):
            api_class(client)


@pytest.mark.parametrize("kind", [0, 1], ids=["blocking", "asyncio"])
def test_a_client_that_others_have_made_says_itself_of_which_kind_it_is(kind: int) -> None:
    class Wrapper:
        """Stands for a client, without being one."""

        asynchronous = bool(kind)
        configuration = Configuration()

        def call(self) -> None:
            raise NotImplementedError

    fitting, other = (APIS[0], APIS[2]) if kind == 0 else (APIS[2], APIS[0])
    wrapper: Any = Wrapper()
    assert fitting(wrapper).api_client is wrapper
    with pytest.raises(ApiTypeError, match="takes a talon_one"):
        other(wrapper)


@pytest.mark.parametrize("api_class", [APIS[0], APIS[2]])
def test_a_host_or_a_key_alone_adds_to_the_default_configuration(api_class: Any) -> None:
    Configuration.set_default(Configuration(host="https://a.test", api_key={"api_key_v1": "a"}))
    try:
        found = {
            name: api_class(**{name: value}).api_client.configuration
            for name, value in (("host", "https://b.test"), ("api_key", "b"))
        }
    finally:
        Configuration.set_default(None)
    assert (found["host"].host, found["host"].api_key) == ("https://b.test", {"api_key_v1": "a"})
    assert (found["api_key"].host, found["api_key"].api_key) == (
        "https://a.test",
        {"api_key_v1": "b"},
    )


def test_threads_of_a_client_start_with_their_first_use() -> None:
    with ApiClient(Configuration(), pool_threads=2) as client:
        pool = client.pool
        before = threading.active_count()
        assert pool.apply_async(len, ("abc",)).get() == 3
        assert pool.map(len, ["a", "bc"]) == [1, 2]
        assert threading.active_count() > before
        assert isinstance(IntegrationApi(client), IntegrationApi)
