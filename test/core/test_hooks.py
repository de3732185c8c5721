"""Hooks, spans and the log: how an application observes its calls."""

from __future__ import annotations

import copy
import logging
import re
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import talon_one
from support.calls import CHECKOUT, CREATE, READ, make_client
from support.network import closed_port
from support.server import HANG_UP, RecordingServer, Response
from support.shells import Shell
from talon_one import (
    ApiClient,
    ApiException,
    ApiValueError,
    CallEvent,
    ClientClosedError,
    ConfigurationError,
    Hooks,
    InvalidResponseError,
    NoResponseError,
    NotFoundException,
    NotSentError,
    ServiceException,
    TelemetryHooks,
)

Noted = tuple[str, int, int | None]


class Notes(Hooks):
    """Notes each event: method, number of the attempt, status."""

    def __init__(self) -> None:
        self.noted: list[Noted] = []
        self.events: list[CallEvent] = []

    def _note(self, method: str, event: CallEvent) -> None:
        self.noted.append((method, event.attempt, event.status))
        self.events.append(event)

    def on_request(self, event: CallEvent) -> None:
        self._note("request", event)

    def on_response(self, event: CallEvent) -> None:
        self._note("response", event)

    def on_error(self, event: CallEvent) -> None:
        self._note("error", event)


@pytest.fixture
def server(shell: Shell) -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def client(server: RecordingServer, notes: Notes) -> Iterator[ApiClient]:
    with make_client(server.url, hooks=[notes]) as made:
        yield made


# -- Hooks -------------------------------------------------------------------------------------


def test_hooks_see_the_call_and_each_attempt(
    client: ApiClient, server: RecordingServer, notes: Notes
) -> None:
    server.script(HANG_UP, Response(503))
    CHECKOUT(client)
    assert notes.noted == [
        ("request", 0, None),
        ("request", 1, None),
        ("error", 1, None),
        ("request", 2, None),
        ("error", 2, 503),
        ("request", 3, None),
        ("response", 3, 200),
        ("response", 0, 200),
    ]
    for event in notes.events:
        assert event.operation_id == "updateCustomerSessionV2"
        assert (event.method, event.path) == ("PUT", "/v2/customer_sessions/{customerSessionId}")
        assert event.url == f"{server.url}/v2/customer_sessions/order-1"
        assert event.context is notes.events[0].context
    assert isinstance(notes.events[2].failure, NoResponseError)
    assert isinstance(notes.events[4].failure, ServiceException)
    assert notes.events[-1].failure is None
    assert notes.events[-1].headers is not None
    assert notes.events[-1].headers["content-type"] == "application/json"
    assert notes.events[-1].seconds >= notes.events[-2].seconds > 0


def test_hooks_see_how_long_it_took(
    client: ApiClient, server: RecordingServer, notes: Notes
) -> None:
    class Beginnings(Hooks):
        def on_request(self, event: CallEvent) -> None:
            seconds.append(event.seconds)

    seconds: list[float] = []
    client.configuration.hooks.append(Beginnings())
    server.script(Response(503), Response(404))
    before = time.perf_counter()
    with pytest.raises(NotFoundException):
        READ(client)
    elapsed = time.perf_counter() - before
    assert seconds == [0, 0, 0]
    first, second, call = (
        event
        for event, (noted, *_) in zip(notes.events, notes.noted, strict=True)
        if noted == "error"
    )
    assert (first.attempt, second.attempt, call.attempt) == (1, 2, 0)
    assert first.seconds > 0 < second.seconds
    # The call is more than its attempts: it began before the first and ends with the last.
    assert first.seconds + second.seconds <= call.seconds <= elapsed


def test_hooks_see_the_final_failure_of_a_call(
    client: ApiClient, server: RecordingServer, notes: Notes
) -> None:
    server.script(Response(404, {"message": "no"}))
    with pytest.raises(NotFoundException) as caught:
        READ(client)
    assert notes.noted == [
        ("request", 0, None),
        ("request", 1, None),
        ("error", 1, 404),
        ("error", 0, 404),
    ]
    assert notes.events[-1].failure is notes.events[-2].failure is caught.value


def test_the_failure_of_the_call_is_the_one_that_is_raised(
    client: ApiClient, server: RecordingServer, notes: Notes
) -> None:
    server.script(HANG_UP)
    client.clock = client.clock._replace(sleep=lambda _: server.stop())
    with pytest.raises(NoResponseError) as caught:
        CHECKOUT(client)
    assert notes.events[-1].attempt == 0
    assert notes.events[-1].failure is caught.value
    assert isinstance(notes.events[-2].failure, NotSentError)


class Interrupted(BaseException):
    """As Ctrl-C is, but that would end the event loop as well."""


def test_hooks_see_it_when_something_else_ends_the_call(
    client: ApiClient, server: RecordingServer, notes: Notes
) -> None:
    server.script(Response(503))

    def interrupt(_: float) -> None:
        raise Interrupted

    client.clock = client.clock._replace(sleep=interrupt)
    with pytest.raises(Interrupted) as caught:
        READ(client)
    assert_end_is_noted(notes, 503, caught.value)


@pytest.mark.one_shell("an asyncio client waits for its calls when it is closed")
@pytest.mark.parametrize(("status", "failure"), [(429, ClientClosedError), (503, NoResponseError)])
def test_hooks_see_it_when_the_client_is_closed_during_a_call(
    client: ApiClient,
    server: RecordingServer,
    notes: Notes,
    status: int,
    failure: type[Exception],
) -> None:
    server.script(Response(status))
    client.clock = client.clock._replace(sleep=lambda _: client.close())
    with pytest.raises(failure) as caught:
        READ(client)
    assert_end_is_noted(notes, status, caught.value)


def assert_end_is_noted(notes: Notes, status: int, failure: BaseException) -> None:
    assert notes.noted[:3] == [("request", 0, None), ("request", 1, None), ("error", 1, status)]
    assert notes.noted[-1] == ("error", 0, None)
    assert notes.events[-1].failure is failure
    began = [attempt for method, attempt, _ in notes.noted if method == "request"]
    ended = [attempt for method, attempt, _ in notes.noted if method != "request"]
    assert sorted(began) == sorted(ended)


def test_hooks_hear_nothing_of_a_call_that_is_refused_before(
    client: ApiClient, notes: Notes
) -> None:
    with pytest.raises(ApiValueError):
        talon_one.IntegrationApi(client).get_customer_session("")
    assert notes.noted == []


def test_hooks_see_raw_responses_as_well(client: ApiClient, notes: Notes) -> None:
    READ(client, _preload_content=False).close()
    assert notes.noted[-2:] == [("response", 1, 200), ("response", 0, 200)]


def test_a_call_with_a_deadline_that_has_passed_ends_once(
    client: ApiClient, server: RecordingServer, notes: Notes
) -> None:
    with pytest.raises(ApiException):
        READ(client, _deadline=1e-9)
    assert [noted for noted in notes.noted if noted[1] == 0] == [
        ("request", 0, None),
        ("error", 0, None),
    ]
    assert server.requests == []


def test_a_hook_can_add_headers(client: ApiClient, server: RecordingServer) -> None:
    class Tracing(Hooks):
        def on_request(self, event: CallEvent) -> None:
            if event.attempt:
                event.add_header("X-Attempt", str(event.attempt))

    client.configuration.hooks.append(Tracing())
    server.script(HANG_UP)
    READ(client)
    assert [request.headers["X-Attempt"] for request in server.requests] == ["1", "2"]
    with pytest.raises(ApiValueError):
        CallEvent.add_header(_event(client), "X-Bad", "a\r\nb")


def _event(client: ApiClient) -> CallEvent:
    notes = Notes()
    client.configuration.hooks.append(notes)
    READ(client)
    return notes.events[0]


@pytest.mark.parametrize("method", ["on_request", "on_response", "on_error"])
def test_a_failing_hook_loses_no_response(
    client: ApiClient,
    server: RecordingServer,
    notes: Notes,
    caplog: pytest.LogCaptureFixture,
    method: str,
) -> None:
    class Broken(Hooks):
        def __repr__(self) -> str:
            return "<the broken hook>"

    def fail(_: CallEvent) -> None:
        raise ZeroDivisionError

    broken = Broken()
    setattr(broken, method, fail)
    client.configuration.hooks.insert(0, broken)
    server.script(Response(503))
    READ(client)
    assert notes.noted[-1] == ("response", 0, 200)
    assert f"the hook <the broken hook> failed in {method}" in caplog.text


class Refusing(Hooks):
    """Refuses the attempts with these numbers."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers

    def on_request(self, event: CallEvent) -> None:
        if event.attempt in self.numbers:
            raise NotSentError(None, "no more today")


def test_a_hook_can_refuse_an_attempt_which_ends_the_call(
    client: ApiClient, server: RecordingServer, notes: Notes
) -> None:
    client.configuration.hooks.append(Refusing(1))
    with pytest.raises(NotSentError, match="no more today") as caught:
        READ(client)
    assert server.requests == []
    assert (caught.value.attempts, caught.value.earlier) == (1, ())
    assert notes.noted == [
        *(("request", 0, None), ("request", 1, None)),
        *(("error", 1, None), ("error", 0, None)),
    ]
    assert [event.intercepted for event in notes.events] == [False, True, True, False]
    assert notes.events[-1].failure is caught.value


def test_a_refused_retry_does_not_hide_that_an_earlier_attempt_was_sent(
    client: ApiClient, server: RecordingServer
) -> None:
    client.configuration.hooks.append(Refusing(2))
    server.script(Response(503))
    with pytest.raises(NoResponseError, match="no more today; an earlier attempt") as caught:
        CHECKOUT(client)
    assert len(server.requests) == 1
    assert caught.value.attempts == 1
    assert [each.status for each in caught.value.earlier] == [503, None]


def test_a_response_of_a_hook_goes_before_the_refusal_of_another(
    client: ApiClient, server: RecordingServer, notes: Notes
) -> None:
    class Responding(Hooks):
        def on_request(self, event: CallEvent) -> talon_one.RawResponse:
            return talon_one.RawResponse(200, "OK", {}, b'{"customerSession": {}}')

    client.configuration.hooks += [Refusing(1), Responding()]
    READ(client)
    assert server.requests == []
    assert notes.noted[-1] == ("response", 0, 200)
    assert [event.intercepted for event in notes.events] == [False, True, True, False]


def test_other_exceptions_and_those_for_the_whole_call_refuse_nothing(
    client: ApiClient, server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    class Wrong(Hooks):
        def on_request(self, event: CallEvent) -> None:
            raise NoResponseError(None, "not before it is sent")

        def on_response(self, event: CallEvent) -> None:
            raise NotSentError(None, "not afterwards")

    client.configuration.hooks += [Refusing(0), Wrong()]
    READ(client)
    assert len(server.requests) == 1
    assert caplog.text.count("failed in on_request") == 3
    assert caplog.text.count("failed in on_response") == 2


def test_copies_of_a_configuration_share_their_hooks() -> None:
    class Locked(Hooks):
        def __init__(self) -> None:
            self.lock = threading.Lock()

    hook = Locked()
    configuration = talon_one.Configuration(hooks=[hook])
    duplicate = copy.deepcopy(configuration)
    assert duplicate.hooks == [hook]
    duplicate.hooks.append(Hooks())
    assert configuration.hooks == [hook]


def test_hooks_are_given_to_the_configuration_and_may_watch_many_threads(
    server: RecordingServer, shell: Shell
) -> None:
    class Counting(Hooks):
        def __init__(self) -> None:
            self.calls: set[int] = set()

        def on_request(self, event: CallEvent) -> None:
            event.context.setdefault("thread", threading.get_ident())

        def on_response(self, event: CallEvent) -> None:
            assert event.context["thread"] == threading.get_ident()
            self.calls.add(id(event.context))

    counting = Counting()
    configuration = talon_one.Configuration(
        server.url, {"api_key_v1": "a"}, hooks=[counting], timeout=5
    )
    with shell.new_client(configuration) as client:
        workers = [threading.Thread(target=READ, args=(client,)) for _ in range(8)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
    assert len(server.requests) == 8
    assert counting.calls


def test_the_public_names_of_this_package_hide_no_model() -> None:
    import talon_one.models

    assert not set(talon_one.HOME) & set(talon_one.models.__all__)


# -- OpenTelemetry -----------------------------------------------------------------------------


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(server: RecordingServer, spans: InMemorySpanExporter) -> Iterator[ApiClient]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    hooks = TelemetryHooks(provider.get_tracer("test"))
    with make_client(server.url, hooks=[hooks]) as made:
        yield made
    provider.shutdown()


def test_a_call_is_one_span_named_after_its_operation(
    traced: ApiClient, server: RecordingServer, spans: InMemorySpanExporter
) -> None:
    server.script(HANG_UP)
    CHECKOUT(traced)
    (span,) = spans.get_finished_spans()
    assert span.name == "updateCustomerSessionV2"
    assert span.kind is SpanKind.CLIENT
    assert span.attributes is not None
    assert dict(span.attributes) == {
        "http.request.method": "PUT",
        "url.template": "/v2/customer_sessions/{customerSessionId}",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "http.response.status_code": 200,
    }
    assert span.status.status_code is StatusCode.UNSET
    assert [(event.name, dict(event.attributes or {})) for event in span.events] == [
        ("attempt", {"number": 1}),
        ("attempt failed", {"error.type": "NoResponseError"}),
        ("attempt", {"number": 2}),
    ]


def test_every_attempt_hands_the_trace_on(
    traced: ApiClient, server: RecordingServer, spans: InMemorySpanExporter
) -> None:
    server.script(Response(503))
    READ(traced)
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    for request in server.requests:
        assert (
            f"-{span.context.trace_id:032x}-{span.context.span_id:016x}-"
            in (request.headers["traceparent"])
        )


def test_a_span_has_the_kind_of_the_failure(
    traced: ApiClient, server: RecordingServer, spans: InMemorySpanExporter
) -> None:
    server.script(Response(404, {"message": "customer anna@example.com is unknown"}))
    with pytest.raises(NotFoundException):
        READ(traced)
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "NotFoundException"
    assert span.attributes["http.response.status_code"] == 404


def test_a_span_holds_neither_query_nor_body_nor_ids_nor_keys(
    traced: ApiClient, server: RecordingServer, spans: InMemorySpanExporter
) -> None:
    server.default = Response(400, {"message": "private response"})
    api = talon_one.IntegrationApi(traced)
    with pytest.raises(ApiException):
        api.update_customer_session_v2(
            "private-id",
            {"customerSession": {"profileId": "private-profile"}},
            dry=True,
            now="2026-01-01T00:00:00Z",  # type: ignore[arg-type]  # text is fine
        )
    (span,) = spans.get_finished_spans()
    text = span.to_json()
    for private in ("private", "dry", "2026-01-01T00", "integration-secret"):
        assert private not in text.replace(str(span.start_time), "")


@pytest.mark.one_shell("an asyncio client waits for its calls when it is closed")
def test_a_span_ends_however_the_call_does(
    traced: ApiClient, server: RecordingServer, spans: InMemorySpanExporter
) -> None:
    server.script(Response(429))
    traced.clock = traced.clock._replace(sleep=lambda _: traced.close())
    with pytest.raises(ClientClosedError):
        READ(traced)
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ClientClosedError"


def test_telemetry_needs_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    assert TelemetryHooks() is not None
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(ConfigurationError, match="pip install opentelemetry-api"):
        TelemetryHooks()


# -- Log ---------------------------------------------------------------------------------------


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "talon_one" and record.levelno == logging.DEBUG
    ]


def test_each_attempt_is_one_line_of_the_log(
    client: ApiClient, server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "talon_one")
    server.script(
        HANG_UP, Response(503, "down", {"Retry-After": "0", "X-Request-Id": "7", "X-B": "c"})
    )
    READ(client)
    start = re.escape("GET /v2/customer_sessions/{customerSessionId} -> ")
    wanted = [
        start + r"NoResponseError in \d+ ms, attempt 1; .*",
        start + r"503 ServiceException in \d+ ms, attempt 2; .*",
        start + r"200 in \d+ ms, attempt 3; .*",
    ]
    logged = lines(caplog)
    assert len(logged) == 3
    for line, pattern in zip(logged, wanted, strict=True):
        assert re.fullmatch(pattern, line)
    # Case means nothing in the names of headers, and aiohttp has its own for this one.
    assert "received {'retry-after': '0', 'x-request-id': '7', " in logged[1].lower()
    assert "X-B" not in logged[1]
    assert "'User-Agent': 'talon_one" in logged[0]


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (Response(404), "404 NotFoundException"),
        (Response(200, "<html>"), "200 InvalidResponseError"),
        (Response(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), "200 NoResponseError"),
    ],
)
def test_the_log_shows_how_each_attempt_ended(
    client: ApiClient,
    server: RecordingServer,
    caplog: pytest.LogCaptureFixture,
    response: Response,
    outcome: str,
) -> None:
    caplog.set_level(logging.DEBUG, "talon_one")
    server.script(response)
    with pytest.raises((NotFoundException, InvalidResponseError, NoResponseError)):
        CREATE(client)
    (line,) = lines(caplog)
    assert f"-> {outcome} in " in line


@pytest.mark.usefixtures("shell")
def test_an_unsent_attempt_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "talon_one")
    host = f"http://127.0.0.1:{closed_port()}"
    with make_client(host, retries=0) as client, pytest.raises(NotSentError):
        READ(client)
    (line,) = lines(caplog)
    assert "-> NotSentError in " in line


def test_bodies_are_logged_on_request_only(
    client: ApiClient, server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "talon_one")
    server.default = Response(body={"effects": ["a response"]})
    CHECKOUT(client)
    assert "a response" not in caplog.text
    client.configuration.log_bodies = True
    CHECKOUT(client)
    assert lines(caplog)[-1] == (
        """sent b'{"customerSession":{}}', received b'{"effects": ["a response"]}'"""
    )


def test_without_hooks_nothing_is_observed(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("an observation was made")

    monkeypatch.setattr("talon_one._core.hooks.Observation", fail)
    with make_client(server.url) as client:
        READ(client)
