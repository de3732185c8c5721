"""Tools around the HTTP client: cassettes, mocks, test servers and tracing."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pook
import pytest
import vcr
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_httpserver import HTTPServer
from vcr.errors import CannotOverwriteExistingCassetteException

from support import fresh_program
from support.calls import CREATE, READ, make_client
from support.certificates import certificate_of, server_context
from support.server import HANG_UP, RecordingServer, Response
from talon_one import ApiClient, ManagementApi, NoResponseError, ReadTimeoutError, rest

pytestmark = pytest.mark.one_shell("aiohttp has cassettes of its own; see test/aio")

SESSION = {"customerSession": {"integrationId": "order-1"}}


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest) -> Iterator[RecordingServer]:
    context = server_context() if request.param == "https" else None
    with RecordingServer(context, default=Response(body=SESSION)) as running:
        yield running


def client_of(server: RecordingServer) -> ApiClient:
    return make_client(server.url, ca_cert_data=certificate_of("ours"), retries=0)


def id_of(client: ApiClient) -> str:
    found: str = READ(client).customer_session.integration_id
    return found


def test_a_cassette_is_recorded_and_replayed(server: RecordingServer, tmp_path: Path) -> None:
    tape = str(tmp_path / "tape.yaml")
    with client_of(server) as before:
        # It has an idle connection, which is not to be used in the cassette.
        assert id_of(before) == "order-1"
        with vcr.use_cassette(tape), client_of(server) as inside:
            assert id_of(before) == "order-1"
            assert id_of(inside) == "order-1"
            assert len(server.requests) == 3
        server.default = Response(500)
        server.clear()
        with (
            vcr.use_cassette(tape, record_mode="none", allow_playback_repeats=True),
            client_of(server) as inside,
        ):
            for _ in range(3):
                assert id_of(before) == "order-1"
                assert id_of(inside) == "order-1"
            with pytest.raises(CannotOverwriteExistingCassetteException):
                CREATE(before)
            with pytest.raises(CannotOverwriteExistingCassetteException):
                CREATE(inside)
        assert server.requests == []
        # What was made in the cassette is not used afterwards.
        server.default = Response(body=SESSION)
        assert id_of(before) == "order-1"
        assert len(server.requests) == 1


def test_packed_responses_and_downloads_are_replayed(tmp_path: Path) -> None:
    tape = str(tmp_path / "tape.yaml")
    packed = Response(
        body=gzip.compress(json.dumps(SESSION).encode()),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
    )
    csv = Response(body=b"id,value\n1,a\n", headers={"Content-Type": "text/csv"})
    with RecordingServer() as server, make_client(server.url) as client:
        api = ManagementApi(client)
        for mode in ("once", "none"):
            server.clear()
            server.script(packed, csv)
            with vcr.use_cassette(tape, record_mode=mode):
                assert id_of(client) == "order-1"
                with api.stream(api.export_coupons, 1) as file:
                    assert file.read() == csv.body
        assert server.requests == []


def test_a_cassette_is_replayed_when_the_server_is_gone(tmp_path: Path) -> None:
    tape = str(tmp_path / "tape.yaml")
    with RecordingServer(default=Response(body=SESSION)) as server, client_of(server) as client:
        with vcr.use_cassette(tape):
            assert id_of(client) == "order-1"
        url = server.url
    with vcr.use_cassette(tape, record_mode="none"), make_client(url) as client:
        assert id_of(client) == "order-1"


def test_no_slot_of_the_pool_is_lost_in_a_cassette(server: RecordingServer, tmp_path: Path) -> None:
    tape = str(tmp_path / "tape.yaml")
    settings: Any = {"_request_timeout": (0.5, 5)}
    with make_client(
        server.url, ca_cert_data=certificate_of("ours"), connection_pool_maxsize=1, retries=0
    ) as client:
        for mode in ("once", "none"):
            with vcr.use_cassette(tape, record_mode=mode, allow_playback_repeats=True):
                for _ in range(3):
                    READ(client, **settings)
                READ(client, _preload_content=False, **settings).close()
                server.script(HANG_UP)
                with pytest.raises((NoResponseError, CannotOverwriteExistingCassetteException)):
                    CREATE(client)
                server.clear()
                READ(client, **settings)
        READ(client, **settings)


def test_a_request_that_fails_in_a_cassette_may_have_been_executed(tmp_path: Path) -> None:
    with RecordingServer(default=HANG_UP) as server, make_client(server.url) as client:
        with vcr.use_cassette(str(tmp_path / "tape.yaml")), pytest.raises(NoResponseError):
            CREATE(client)
        assert len(server.requests) == 1


def test_the_transport_may_be_imported_in_a_cassette(tmp_path: Path) -> None:
    with RecordingServer(default=Response(body=SESSION)) as server:
        fresh_program.run(
            """
import sys
import vcr
with vcr.use_cassette(sys.argv[2]):
    from support.calls import READ, make_client
    client = make_client(sys.argv[1])
    READ(client)
for _ in range(2):
    READ(client)
    READ(client, _deadline=5)
assert client.rest_client.pool_manager
""",
            server.url,
            str(tmp_path / "tape.yaml"),
        )
        assert len(server.requests) == 5
        assert server.connections == 2


def test_pook_responds_in_place_of_the_server() -> None:
    with RecordingServer() as server, make_client(server.url, retries=0) as client:
        with pook.use():
            pook.get(f"{server.url}/v2/customer_sessions/order-1", times=2).reply(200).json(SESSION)
            assert id_of(client) == "order-1"
            assert id_of(client) == "order-1"
            with pytest.raises(pook.exceptions.PookNoMatches):
                CREATE(client)
        assert server.requests == []
        READ(client)
        assert "x-pook" not in str(server.last.headers).lower()


def test_a_mock_that_fails_leaves_open_what_the_server_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from urllib3.connectionpool import HTTPConnectionPool

    calls = []

    def fail(*_: Any, **settings: Any) -> None:
        calls.append(settings)
        raise TimeoutError("as if the server took too long")

    monkeypatch.setattr(HTTPConnectionPool, "urlopen", fail)
    with make_client("http://localhost:1") as client, pytest.raises(ReadTimeoutError):
        CREATE(client)
    assert len(calls) == 1


def test_pytest_httpserver_sees_calls(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v2/customer_sessions/order-1").respond_with_json(SESSION)
    with make_client(httpserver.url_for("").rstrip("/")) as client:
        assert id_of(client) == "order-1"
    assert len(httpserver.log) == 1


def test_opentelemetry_sees_calls(server: RecordingServer) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = URLLib3Instrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        with client_of(server) as client:
            assert id_of(client) == "order-1"
            READ(client, _deadline=10)
    finally:
        instrumentor.uninstrument()
    assert [span.name for span in exporter.get_finished_spans()] == ["GET", "GET"]
    assert all("traceparent" in each.headers for each in server.requests)


def test_urllib3_can_be_used_through_the_pools_of_a_client(server: RecordingServer) -> None:
    with make_client(
        server.url, ca_cert_data=certificate_of("ours"), connection_pool_maxsize=1
    ) as client:
        manager = rest.RESTClientObject(client.configuration).pool_manager
        server.script(HANG_UP, HANG_UP)
        for _ in range(3):
            # Its retries take the only connection again and again.
            assert manager.request("GET", f"{server.url}/", timeout=5.0).status == 200
        manager.clear()
