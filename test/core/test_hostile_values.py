"""Whatever is handed in to a public entry point, nothing but our own exceptions comes out of it."""

from __future__ import annotations

import copy
import logging
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import talon_one
from support import hostile
from support.hostile import Entry, assert_ours, can_be_key
from support.network import closed_port
from support.shells import Shell
from talon_one import (
    ApiClient,
    CallEvent,
    Configuration,
    Hooks,
    IntegrationApi,
    IntegrationRequest,
    RetryPolicy,
    Timeout,
)


@pytest.fixture(autouse=True)
def _defaults_restored() -> Iterator[None]:
    yield
    Configuration.set_default(None)
    ApiClient.set_default(None)
    for name in ("talon_one", "urllib3"):  # What `debug` changes.
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def _no_names_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def numbers_only(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in ("127.0.0.1", b"127.0.0.1"):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", numbers_only)


@pytest.fixture
def configuration() -> Configuration:
    made = Configuration(
        host=f"http://127.0.0.1:{closed_port()}",
        api_key={"api_key_v1": "i", "management_key": "m"},
        retries=False,
    )
    made.trust_env = False
    return made


@pytest.fixture
def client(configuration: Configuration, shell: Shell) -> Iterator[ApiClient]:
    with shell.new_client(configuration) as made:
        yield made


# -- Calls, in both shells ---------------------------------------------------------------------


def count_for(shell: Shell) -> int:
    """Return how many values are tried: of the asyncio shell, which has the same core, a third."""
    return 90 if shell.awaits else 250


def test_parameters_of_operations(client: ApiClient, shell: Shell) -> None:
    integration: Any = IntegrationApi(client)
    management: Any = talon_one.ManagementApi(client)
    assert_ours(
        {
            "text in the path": lambda v: integration.get_customer_session(v),
            "number in the path": lambda v: management.get_application(v),
            "text in the query": lambda v: management.get_campaigns(1, name=v),
            "number in the query": lambda v: management.get_campaigns(1, page_size=v),
            "enum in the query": lambda v: management.get_campaigns(1, campaign_state=v),
            "moment in the query": lambda v: management.get_coupons_without_total_count(
                1, 2, created_before=v
            ),
            "moment and flag": lambda v: integration.update_customer_session_v2(
                "a", {"customerSession": {}}, now=v, dry=v
            ),
            "header": lambda v: integration.update_customer_session_v2(
                "a", {"customerSession": {}}, idempotency_key=v
            ),
            "body": lambda v: integration.update_customer_session_v2("a", v),
            "deep in the body": lambda v: integration.update_customer_session_v2(
                "a", {"customerSession": {"attributes": {"a": v}, "cartItems": v, "state": v}}
            ),
            "in a model": lambda v: integration.update_customer_session_v2(
                "a", IntegrationRequest(customer_session=v)
            ),
            "file": lambda v: management.import_coupons(1, 2, v),
        },
        count=count_for(shell),
    )


def test_settings_of_calls(client: ApiClient, shell: Shell) -> None:
    integration: Any = IntegrationApi(client)

    def call(**settings: Any) -> None:
        integration.get_customer_session("a", **settings)

    assert_ours(
        {
            "_request_timeout": lambda v: call(_request_timeout=v, _deadline=0.5),
            "a pair": lambda v: call(_request_timeout=(v, v), _deadline=0.5),
            "Timeout": lambda v: call(_request_timeout=Timeout(v, v, v)),
            "_deadline": lambda v: call(_deadline=v),
            "_retries": lambda v: call(_retries=v, _deadline=0.001),
            "RetryPolicy": lambda v: call(_retries=RetryPolicy(v, v, v, v, v), _deadline=0.001),
            "statuses": lambda v: call(_retries=RetryPolicy(0, statuses=v)),
            "_headers": lambda v: call(_headers=v),
            "name of a header": lambda v: call(_headers={v: "a"}) if can_be_key(v) else None,
            "header": lambda v: call(_headers={"X-A": v}),
            "_request_auth": lambda v: call(_request_auth=v),
            "credential": lambda v: call(_request_auth={"key": "Authorization", "value": v}),
            "name of it": lambda v: call(_request_auth={"key": v, "value": "a"}),
            "_content_type": lambda v: integration.update_customer_session_v2(
                "a", {"customerSession": {}}, _content_type=v
            ),
            "keyword": lambda v: call(**{v: 1}) if type(v) is str else None,
        },
        count=count_for(shell),
    )


def test_calls_by_hand(client: ApiClient, shell: Shell) -> None:
    def call(path: Any = "/v1/x", method: Any = "GET", **arguments: Any) -> None:
        client.call_api(path, method, **arguments)

    assert_ours(
        {
            "path": lambda v: call(v),
            "end of a path": lambda v: call(f"/v1/{v}") if type(v) is str else None,
            "method": lambda v: call(method=v),
            "path_params": lambda v: call("/v1/{a}", path_params=v),
            "a path parameter": lambda v: call("/v1/{a}", path_params={"a": v}),
            "query_params": lambda v: call(query_params=v),
            "a query parameter": lambda v: call(query_params={"a": v}),
            "a pair of the query": lambda v: call(query_params=[("a", v), v]),
            "header_params": lambda v: call(header_params=v),
            "a header": lambda v: call(header_params={"X-A": v, "Accept": v}),
            "body": lambda v: call(method="POST", body=v),
            "response_type": lambda v: call(response_type=v),
            "response_types_map": lambda v: call(response_types_map=v),
            "auth_settings": lambda v: call(auth_settings=v),
            "collection_formats": lambda v: call(collection_formats=v, query_params={"a": [1]}),
            "_host": lambda v: call(_host=v, _request_timeout=0.01, auth_settings=[]),
            "post_params": lambda v: call(post_params=v),
        },
        count=count_for(shell),
    )


class Adding(Hooks):
    """Adds a header, and raises what that raises, which must not fail a call."""

    name: Any = "X-A"
    value: Any = "a"

    def on_request(self, event: CallEvent) -> None:
        event.add_header(self.name, self.value)


def test_hooks_and_default_headers(configuration: Configuration, shell: Shell) -> None:
    def hook(name: Any, value: Any) -> None:
        adding.name, adding.value = name, value
        IntegrationApi(hooked).get_customer_session("a")

    def default(name: Any, value: Any) -> None:
        client.set_default_header(name, value)
        IntegrationApi(client).get_customer_session("a")
        client.default_headers.pop(name)

    def put(value: Any) -> None:
        client.default_headers["X-B"] = value
        try:
            IntegrationApi(client).get_customer_session("a")
        finally:
            del client.default_headers["X-B"]

    adding = Adding()
    with_hook = copy.deepcopy(configuration)
    with_hook.hooks.append(adding)
    with shell.new_client(with_hook) as hooked, shell.new_client(configuration) as client:
        assert_ours(
            {
                "add_header": lambda v: hook("X-A", v),
                "name for add_header": lambda v: hook(v, "a"),
                "set_default_header": lambda v: default("X-A", v),
                "name for set_default_header": lambda v: default(v, "a"),
                "default_headers": put,
                "new client": lambda v: shell.new_client(v, lasting=True),
                "header_value": lambda v: shell.new_client(None, "X-A", v, lasting=True),
                "header_name": lambda v: shell.new_client(None, v, "a", lasting=True),
                "cookie": lambda v: shell.new_client(None, cookie=v, lasting=True),
            },
            count=count_for(shell),
        )


# What is set in a constructor, and what is set afterwards.
SETTINGS = [
    name
    for name in vars(Configuration())
    if not name.startswith("_") and name not in ("timeout", "hooks", "retries", "logger_format")
]


def test_settings_of_a_client(configuration: Configuration, shell: Shell) -> None:
    def use(name: str, value: Any, **settings: Any) -> None:
        made = copy.deepcopy(configuration)
        setattr(made, name, value)
        repr(made)
        with shell.new_client(made) as client:
            IntegrationApi(client).get_customer_session("a", _request_timeout=0.05, **settings)

    def hook(value: Any) -> None:
        def refresh(_: Configuration) -> None:
            raise hostile.Rude

        use("refresh_api_key_hook", refresh)

    entries: dict[str, Entry] = {name: lambda v, n=name: use(n, v) for name in SETTINGS}  # type: ignore[misc]
    entries |= {
        "a key": lambda v: use("api_key", {"api_key_v1": v}),
        "a prefix": lambda v: use("api_key_prefix", {"api_key_v1": v}),
        "a header of the proxy": lambda v: use("proxy_headers", {"X-A": v}),
        "a hook": lambda v: use("hooks", [v]),
        "refresh_api_key_hook that raises": hook,
        "timeout": lambda v: use("timeout", v),
        "retries": lambda v: use("retries", v, _deadline=0.001),
    }
    assert_ours(entries, count=40 if shell.awaits else 65)


# -- What makes no call ------------------------------------------------------------------------


@pytest.mark.one_shell("nothing is called here")
def test_constructors(configuration: Configuration) -> None:
    made: Any = Configuration
    integration: Any = IntegrationApi
    client: Any = ApiClient
    parameters = [
        *("host", "api_key", "api_key_prefix", "username", "password", "access_token", "timeout"),
        *("application_id", "application_secret", "deadline", "server_index", "server_variables"),
        *("server_operation_index", "server_operation_variables", "ssl_ca_cert", "ca_cert_data"),
        *("cert_file", "key_file", "verify_ssl", "retries", "hooks", "calls_per_id", "debug"),
    ]
    entries: dict[str, Entry] = {n: lambda v, n=n: made(**{n: v}) for n in parameters}  # type: ignore[misc]
    entries |= {
        "an unknown setting": lambda v: made(**{v: 1}) if type(v) is str else None,
        "positional": lambda v: made(v, v, v, v, v, v, v, v),
        "from_env": lambda v: made.from_env(v),
        "set_default": lambda v: (made.set_default(v), made.get_default_copy()),
        "get_api_key_with_prefix": lambda v: configuration.get_api_key_with_prefix(v, v),
        "get_host_from_settings": lambda v: configuration.get_host_from_settings(v, v, v),
        "timeout_for": lambda v: configuration.timeout_for(v, v, v),
        "logger_format": lambda v: setattr(configuration, "logger_format", v),
        "IntegrationApi": integration,
        "with a key": lambda v: integration(v, "a"),
        "with a host": lambda v: integration(host=v),
        "with an api_key": lambda v: integration(api_key=v),
        "unknown": lambda v: integration(**{v: 1}) if type(v) is str else None,
        "default client": lambda v: (ApiClient.set_default(v), integration()),
        "pool_threads": lambda v: ApiClient(pool_threads=v),
        "unknown of a client": lambda v: client(**{v: 1}) if type(v) is str else None,
    }
    assert_ours(entries, count=250)


@pytest.mark.one_shell("nothing is called here")
def test_conversion_by_a_client() -> None:
    client: Any = ApiClient(Configuration())
    assert_ours(
        {
            "deserialize": lambda v: client.deserialize(v, "Coupon"),
            "deserialize data": lambda v: client.deserialize(SimpleNamespace(data=v), "str"),
            "type": lambda v: client.deserialize('{"a": [{}]}', v),
            "content type": lambda v: client.deserialize("{}", "Coupon", v),
            "deserialize_model": lambda v: client.deserialize_model(v, "Coupon"),
            "class": lambda v: client.deserialize_model({}, v),
            "sanitize_for_serialization": client.sanitize_for_serialization,
            "select_header_accept": client.select_header_accept,
            "select_header_content_type": client.select_header_content_type,
        }
    )
