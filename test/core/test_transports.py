"""Transports of users, and hooks that respond, take the place of the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import talon_one
from support.server import RecordingServer
from support.shells import Shell
from talon_one import (
    ApiClient,
    ApiException,
    ApiTypeError,
    CallEvent,
    Clock,
    Configuration,
    Hooks,
    IntegrationApi,
    ManagementApi,
    NotSentError,
    RawResponse,
    ReadTimeoutError,
    Request,
    ServiceException,
    Timeout,
    aio,
)
from talon_one._core import base_client
from talon_one._core.response import is_success

OK = RawResponse(200, "OK", {}, b'{"customerSession": {"integrationId": "1"}}')
BUSY = RawResponse(503, "Busy", {}, b"")
KEYS = {"api_key_v1": "i", "management_key": "m"}


class Scripted:
    """Returns what it is given, an exception included, and keeps the requests."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.requests: list[Request] = []
        self.closed = False
        self.detached = 0

    def detach(self) -> None:
        self.detached += 1

    def next(self, request: Request) -> RawResponse:
        self.requests.append(request)
        found = self.script.pop(0)
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]  # the tests give no others


class Blocking(Scripted, talon_one.Transport):
    def send(self, request: Request, timeout: Timeout) -> RawResponse:
        return self.next(request)

    def close(self) -> None:
        self.closed = True


class Awaited(Scripted, aio.Transport):
    async def send(self, request: Request, timeout: Timeout) -> RawResponse:
        return self.next(request)

    async def close(self) -> None:
        self.closed = True


class Replying(Hooks):
    """Responds to attempts, and notes what it sees."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.seen: list[tuple[str, int, int | None]] = []

    def on_request(self, event: CallEvent) -> RawResponse | None:
        self.seen.append(("request", event.attempt, event.status))
        return self.script.pop(0) if event.attempt and self.script else None

    def on_response(self, event: CallEvent) -> None:
        self.seen.append(("response", event.attempt, event.status))

    def on_error(self, event: CallEvent) -> None:
        self.seen.append(("error", event.attempt, event.status))


def configuration(*hooks: Hooks, host: str = "https://shop.talon.one") -> Configuration:
    made = Configuration(host=host, api_key=KEYS)
    made.hooks = list(hooks)
    return made


def transport_of(shell: Shell, *script: Any) -> Any:
    return (Awaited if shell.awaits else Blocking)(*script)


def ask(client: ApiClient, **settings: Any) -> Any:
    return IntegrationApi(client).get_customer_session("1", **settings)


def without_pauses(client: ApiClient) -> ApiClient:
    client.clock = client.clock._replace(sleep=lambda _: None)
    return client


def downloaded(shell: Shell, client: Any, **settings: Any) -> bytes:
    """Return an export, read in chunks."""
    if not shell.awaits:
        api = ManagementApi(client)
        with api.stream(api.export_coupons, 1, **settings) as download:
            return b"".join(download.chunks())

    async def download_it() -> bytes:
        awaited = aio.ManagementApi(client.client)
        async with awaited.stream(awaited.export_coupons, 1, **settings) as download:
            return b"".join([piece async for piece in download.chunks()])

    found: bytes = client.run(download_it())
    return found


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


# -- Transports --------------------------------------------------------------------------------


def test_requests_go_to_the_transport_signed_and_complete(shell: Shell) -> None:
    transport = transport_of(shell, OK, OK)
    with shell.new_client(configuration(), transport=transport) as client:
        found: Any = IntegrationApi(client).update_customer_session_v2("1", {"customerSession": {}})
        assert found.customer_session.integration_id == "1"
        with_info = IntegrationApi(client).get_customer_session_with_http_info("1")
        assert with_info.status_code == 200
    update, read = transport.requests
    assert (update.method, update.url_without_query) == (
        "PUT",
        "https://shop.talon.one/v2/customer_sessions/1",
    )
    assert update.body == b'{"customerSession":{}}'
    assert update.headers["Authorization"] == "ApiKey-v1 i"
    assert read.body is None
    assert transport.closed


def test_retries_and_deadlines_are_those_of_any_transport(shell: Shell) -> None:
    transport = transport_of(shell, NotSentError(), BUSY, OK)
    with shell.new_client(configuration(), transport=transport) as client:
        without_pauses(client)
        assert ask(client).customer_session.integration_id == "1"
        assert len(transport.requests) == 3
        transport.script = [ReadTimeoutError()] * 3
        with pytest.raises(ReadTimeoutError) as caught:
            ask(client)
        assert caught.value.attempts == 3


def test_downloads_need_no_more_than_send(shell: Shell) -> None:
    transport = transport_of(shell, RawResponse(200, "OK", {}, b"id,value\n1,A\n"), BUSY)
    with shell.new_client(configuration(), transport=transport) as client:
        assert downloaded(shell, client) == b"id,value\n1,A\n"
        with pytest.raises(ServiceException):
            downloaded(shell, client, _retries=0)


def test_an_unread_response_is_refused_unless_the_transport_has_one(shell: Shell) -> None:
    with (
        shell.new_client(configuration(), transport=transport_of(shell)) as client,
        pytest.raises(ApiTypeError, match="cannot return a response with its body unread"),
    ):
        IntegrationApi(client).get_customer_session_without_preload_content("1")


@pytest.mark.parametrize("transport", [object(), 5, "urllib3", OK])
def test_an_object_that_is_not_a_transport_is_refused(shell: Shell, transport: Any) -> None:
    with pytest.raises(ApiTypeError, match=r"a transport is a talon_one\.(aio\.)?Transport, not"):
        shell.new_client(configuration(), transport=transport)


def test_a_transport_drops_the_connections_of_the_parent_process_after_a_fork(shell: Shell) -> None:
    transport = transport_of(shell, OK)
    with shell.new_client(configuration(), transport=transport) as client:
        client._limiters["management_key"] = object()
        client._reset_after_fork()
        assert transport.detached == 1
        assert client._limiters == {}
        # It is still the transport of the client.
        assert ask(client).customer_session.integration_id == "1"
        assert getattr(client, "client", client) in base_client._clients


@pytest.mark.one_shell("both use the same function")
def test_a_status_from_200_to_299_is_a_success() -> None:
    assert [status for status in range(100, 600) if is_success(status)] == list(range(200, 300))


def test_an_empty_body_has_no_chunks(shell: Shell) -> None:
    transport = transport_of(shell, RawResponse(200, "OK", {}, b""))
    with shell.new_client(configuration(), transport=transport) as client:
        assert downloaded(shell, client) == b""


# -- Hooks that respond ------------------------------------------------------------------------


def test_the_response_of_a_hook_is_used_and_nothing_is_sent(
    server: RecordingServer, shell: Shell
) -> None:
    hook = Replying(OK)
    with shell.new_client(configuration(hook, host=server.url)) as client:
        assert ask(client).customer_session.integration_id == "1"
    assert server.requests == []
    assert hook.seen == [
        ("request", 0, None),
        ("request", 1, None),
        ("response", 1, 200),
        ("response", 0, 200),
    ]


def test_the_status_of_a_hook_decides_as_that_of_the_server_does(
    server: RecordingServer, shell: Shell
) -> None:
    server.script({"customerSession": {"integrationId": "2"}})
    hook = Replying(BUSY)
    with shell.new_client(configuration(hook, host=server.url)) as client:
        without_pauses(client)
        assert ask(client).customer_session.integration_id == "2"
        assert len(server.requests) == 1
        hook.script = [BUSY] * 3
        with pytest.raises(ServiceException) as caught:
            ask(client)
        assert caught.value.attempts == 3
    assert len(server.requests) == 1


def test_the_first_hook_that_responds_counts_and_all_see_the_request(
    server: RecordingServer, shell: Shell
) -> None:
    first, second = Replying(), Replying(OK)
    third = Replying(RawResponse(200, "OK", {}, b'{"customerSession": {"integrationId": "3"}}'))
    with shell.new_client(configuration(first, second, third, host=server.url)) as client:
        assert ask(client).customer_session.integration_id == "1"
    assert first.seen == second.seen == third.seen
    assert server.requests == []


def test_the_response_of_a_hook_can_be_downloaded_and_not_left_unread(shell: Shell) -> None:
    text = RawResponse(200, "OK", {}, b"id\n1\n")
    transport = transport_of(shell)
    with shell.new_client(configuration(Replying(text, OK)), transport=transport) as client:
        assert downloaded(shell, client) == b"id\n1\n"
        with pytest.raises(ApiTypeError, match="the response of a hook cannot be returned unread"):
            IntegrationApi(client).get_customer_session_without_preload_content("1")


@pytest.mark.parametrize(("status", "is_error"), [(199, True), (299, False), (300, True)])
def test_a_hook_may_respond_to_a_download_with_an_error(
    shell: Shell, status: int, is_error: bool
) -> None:
    hook = Replying(RawResponse(status, "Reason", {}, b"id\n1\n"))
    client = shell.new_client(configuration(hook), transport=transport_of(shell))
    with without_pauses(client):
        if is_error:
            with pytest.raises(ApiException) as caught:
                downloaded(shell, client)
            assert caught.value.status == status
        else:
            assert downloaded(shell, client) == b"id\n1\n"
    kind = "error" if is_error else "response"
    assert hook.seen[2:] == [(kind, 1, status), (kind, 0, status)]


def test_anything_else_that_a_hook_returns_is_logged_and_ignored(
    server: RecordingServer, shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    server.script({"customerSession": {"integrationId": "2"}})
    with shell.new_client(configuration(Replying({"a": 1}), host=server.url)) as client:
        assert ask(client).customer_session.integration_id == "2"
    assert "on_request returns a RawResponse or None, not dict" in caplog.text


# -- Clocks ------------------------------------------------------------------------------------


def test_pauses_and_deadlines_are_those_of_the_clock(shell: Shell) -> None:
    now, pauses = [1000.0], list[float]()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    busy = RawResponse(429, "Slow down", {"Retry-After": "7"}, b"")
    transport = transport_of(shell, busy, busy, OK)
    with shell.new_client(configuration(), transport=transport) as client:
        client.clock = Clock(pause, lambda: now[0])
        assert ask(client, _deadline=20).customer_session.integration_id == "1"
        assert pauses == [7, 7]
        transport.script = [busy, busy, OK]
        with pytest.raises(talon_one.TooManyRequestsException):
            ask(client, _deadline=10)
