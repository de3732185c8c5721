"""The interface of the asyncio client: signatures, imports, warnings, refusals."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import warnings
from typing import Any

import pytest

import talon_one
from package.fresh import result_of
from support.awaiting import Notes, ask, make_client
from support.echo import Echo
from support.server import RecordingServer
from talon_one import ApiAttributeError, ApiTypeError, Configuration, ConfigurationError, aio

APIS = ("IntegrationApi", "ManagementApi")
METHODS = [
    (api, name)
    for api in APIS
    for name, method in vars(getattr(talon_one, api)).items()
    if inspect.isfunction(method) and not name.startswith("_")
]


# -- Signatures --------------------------------------------------------------------------------


def test_both_shells_have_the_same_methods() -> None:
    assert len(METHODS) > 700
    for api in APIS:
        blocking, awaited = (vars(getattr(package, api)) for package in (talon_one, aio))
        assert list(blocking) == list(awaited)


@pytest.mark.parametrize("api", APIS)
def test_every_coroutine_method_has_the_signature_and_operation_of_its_twin(api: str) -> None:
    for name in (name for of, name in METHODS if of == api):
        blocking, awaited = (getattr(getattr(package, api), name) for package in (talon_one, aio))
        assert inspect.iscoroutinefunction(awaited), name
        assert not inspect.iscoroutinefunction(blocking), name
        signatures = inspect.signature(blocking), inspect.signature(awaited)
        assert signatures[0].parameters == signatures[1].parameters, name
        first, second = (inspect.unwrap(each) for each in (blocking, awaited))
        types = [dict(each.__annotations__) for each in (first, second)]
        # A response that is still unread is one of the library below.
        if name.endswith("_without_preload_content"):
            returned = [each.pop("return") for each in types]
            assert returned == ["talon_one.rest.UnreadResponse", "aiohttp.ClientResponse"], name
        assert types[0] == types[1], name
        assert blocking.__doc__ == awaited.__doc__, name
        assert blocking.__name__ == awaited.__name__, name
        if hasattr(blocking, "operation"):
            assert blocking.operation is awaited.operation, name


def test_a_mistyped_method_names_the_nearest_one() -> None:
    api: Any = aio.IntegrationApi(make_client("http://127.0.0.1:9"))
    with pytest.raises(ApiAttributeError, match="Did you mean 'update_customer_session_v2'"):
        print(api.updateCustomerSessionV2)


# -- Clients -----------------------------------------------------------------------------------


@pytest.mark.parametrize("api", APIS)
def test_the_wrong_kind_of_client_is_refused_with_a_sentence(api: str) -> None:
    blocking: Any = talon_one.ApiClient(Configuration())
    awaited: Any = aio.ApiClient(Configuration())
    with pytest.raises(
        ApiTypeError,
        match=rf"^talon_one\.aio\.{api} is awaited and takes a talon_one\.aio\.ApiClient;"
        rf" with a talon_one\.ApiClient use talon_one\.{api}$",
    ):
        getattr(aio, api)(blocking)
    with pytest.raises(
        ApiTypeError,
        match=rf"^talon_one\.{api} blocks and takes a talon_one\.ApiClient; with a"
        rf" talon_one\.aio\.ApiClient use talon_one\.aio\.{api}, and await its methods$",
    ):
        getattr(talon_one, api)(awaited)


@pytest.mark.parametrize("client", [Configuration(), "https://a.talon.one", 7])
def test_anything_else_in_the_place_of_a_client_is_refused(client: Any) -> None:
    with pytest.raises(ApiTypeError, match=r"use ApiClient\(configuration\)|or the keywords host"):
        aio.IntegrationApi(client)


def test_each_kind_has_a_default_client_of_its_own() -> None:
    try:
        awaited = aio.IntegrationApi().api_client
        assert isinstance(awaited, aio.ApiClient)
        assert aio.ManagementApi().api_client is aio.ApiClient.get_default() is awaited
        assert isinstance(talon_one.IntegrationApi().api_client, talon_one.ApiClient)
    finally:
        aio.ApiClient.set_default(None)
        talon_one.ApiClient.set_default(None)


@pytest.mark.asyncio
async def test_an_api_is_made_from_host_and_key_and_closes_its_client() -> None:
    with RecordingServer(default=Echo()) as server:
        async with aio.IntegrationApi(host=server.url, api_key="k") as api:
            await api.get_customer_session("1")
        assert server.last.headers["Authorization"] == "ApiKey-v1 k"
        with pytest.raises(talon_one.ClientClosedError):
            await api.get_customer_session("1")


@pytest.mark.asyncio
async def test_threads_of_the_blocking_client_are_refused(client: aio.ApiClient) -> None:
    settings: Any = {"async_req": True}
    with pytest.raises(ApiTypeError, match="leave it out, and await the call"):
        await aio.IntegrationApi(client).get_customer_session("1", **settings)


@pytest.mark.asyncio
@pytest.mark.parametrize("scheme", ["socks4", "socks4a", "socks5", "socks5h"])
async def test_a_socks_proxy_is_refused_before_anything_is_sent(
    server: RecordingServer, scheme: str
) -> None:
    async with make_client(server.url, proxy=f"{scheme}://user:password@127.0.0.1:1") as client:
        with pytest.raises(ConfigurationError, match="aiohttp speaks to no SOCKS proxy: use"):
            await ask(client, "1")
    assert server.connections == 0


# -- Warnings ----------------------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.parametrize("suffix", ["", "_with_http_info"])
async def test_a_deprecated_operation_warns_with_the_line_that_awaits_it(
    client: aio.ApiClient, suffix: str
) -> None:
    method = getattr(aio.IntegrationApi(client), f"update_customer_session{suffix}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await method("1", {"state": "open"})
    (warning,) = caught
    assert warning.category is DeprecationWarning
    said = "updateCustomerSession is deprecated; use update_customer_session_v2"
    assert str(warning.message) == said
    assert warning.filename == __file__


@pytest.mark.asyncio
async def test_hooks_keep_the_calls_of_tasks_apart(server: RecordingServer, notes: Notes) -> None:
    class Apart(talon_one.Hooks):
        """Notes the task that each call begins in, and compares."""

        ended = 0

        def on_request(self, event: talon_one.CallEvent) -> None:
            event.context.setdefault("task", asyncio.current_task())

        def on_response(self, event: talon_one.CallEvent) -> None:
            assert event.context["task"] is asyncio.current_task()
            self.ended += event.attempt == 0

    hooks = Apart()
    server.default = Echo()
    async with make_client(server.url, hooks=[hooks, notes]) as client:
        await asyncio.gather(*(ask(client, str(number)) for number in range(20)))
    assert hooks.ended == 20
    assert (
        sorted(notes.noted)
        == sorted((method, attempt) for method in ("request", "response") for attempt in (0, 1)) * 1
        or len(notes.noted) == 80
    )


# -- Imports -----------------------------------------------------------------------------------


WITHOUT_AIOHTTP = """
import json, sys
sys.modules["aiohttp"] = None
import talon_one, talon_one.models
try:
    import talon_one.aio
except ImportError as cause:
    print(json.dumps(str(cause)))
"""

LOADED = """
import json, sys, talon_one.aio as aio
first = sorted(each for each in sys.modules if each.startswith("talon_one."))
api = aio.IntegrationApi(aio.ApiClient())
more = sorted(each for each in sys.modules if each.startswith("talon_one.") and each not in first)
print(json.dumps([first, more]))
"""

FIRST = """
import inspect, json, sys, talon_one.aio as aio
getattr(aio, sys.argv[1])
modules = [each for each in aio.__all__ if inspect.ismodule(getattr(aio, each))]
print(json.dumps([modules, sorted(set(aio.__all__) - set(dir(aio)))]))
"""


def test_without_aiohttp_the_import_says_what_to_install() -> None:
    said = 'talon_one.aio needs aiohttp: pip install "talon_one[async]"'
    assert result_of(WITHOUT_AIOHTTP) == said


def test_the_package_loads_what_is_used_and_no_models() -> None:
    first, more = result_of(LOADED)
    assert first == ["talon_one.aio"]
    assert "talon_one.aio.api.integration_api" in more
    assert not [each for each in more if "models." in each or "management" in each]
    assert "talon_one.sandbox" not in more


@pytest.mark.parametrize("first", aio.__all__)
def test_names_mean_the_same_whichever_is_asked_for_first(first: str) -> None:
    assert result_of(FIRST, first) == [[], []]


@pytest.mark.parametrize("name", ["bulk", "download", "tables"])
def test_modules_are_found_without_being_imported(name: str) -> None:
    program = f"from talon_one import aio; print(aio.{name}.__name__)"
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == f"talon_one.aio.{name}\n"


def test_a_missing_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        print(aio.Nothing)


def test_every_public_name_and_module_is_an_attribute_and_stays_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (*aio.HOME, "bulk", "credentials", "download", "pagination", "tables"):
        monkeypatch.delattr(aio, name, raising=False)
        assert name in dir(aio)
        found = aio.__getattr__(name)
        assert found.__name__.rpartition(".")[2] == name  # type: ignore[attr-defined]  # it has one
        if name in aio.HOME:
            assert vars(aio)[name] is found
    assert set(aio.__all__) == set(aio.HOME)


@pytest.mark.parametrize("package", [talon_one, aio])
@pytest.mark.parametrize("given", [{"host": "https://a.test"}, {"api_key": "k"}])
@pytest.mark.parametrize("api", APIS)
def test_a_client_is_given_or_made_but_not_both(package: Any, given: Any, api: str) -> None:
    with pytest.raises(ApiTypeError, match="give either api_client, or host and api_key"):
        getattr(package, api)(package.ApiClient(Configuration()), **given)
    made = getattr(package, api)(**given).api_client
    assert type(made) is package.ApiClient
    for name, value in given.items():
        if name == "host":
            assert made.configuration.host == value
        else:
            assert value in made.configuration.api_key.values()
