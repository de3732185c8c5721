"""Libraries around aiohttp work with the client: cassettes, test servers, tracing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import vcr
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from pytest_httpserver import HTTPServer
from vcr.errors import CannotOverwriteExistingCassetteException

from support.awaiting import make_client
from support.certificates import certificate_of, server_context
from support.server import RESET, RecordingServer, Response
from talon_one import NotFoundException, aio

SESSION = {"customerSession": {"integrationId": "1", "attributes": {"name": "Käse"}}}
# More than goes out in one piece.
UPDATE = {"customerSession": {"attributes": {"note": "x" * 100_000}}}
CSV = "id,value\n1,Käse\n"


async def use(client: aio.ApiClient) -> list[Any]:
    """Make calls of every kind, and return what came back."""
    shop, management = aio.IntegrationApi(client), aio.ManagementApi(client)
    found: list[Any] = [await shop.update_customer_session_v2("1", UPDATE, idempotency_key="k")]
    found[0] = found[0].to_wire()
    found.append(await management.export_coupons(1))
    async with management.stream(management.export_coupons, 2) as download:
        found.append(await download.read())
    raw = await management.export_coupons_without_preload_content(3)
    found.append(await raw.read())
    await management.import_coupons(1, 2, [b"value\n", b"a\n"])
    with pytest.raises(NotFoundException) as caught:
        await shop.get_customer_session("gone")
    found.append(caught.value.message)
    return found


RESPONSES: tuple[Any, ...] = (
    SESSION,
    Response(body=CSV),
    Response(body=CSV),
    Response(body=CSV),
    {},
    Response(404, {"message": "no such session"}),
)
FOUND = [SESSION, CSV, CSV.encode(), CSV.encode(), "no such session"]

Make = Callable[[], aio.ApiClient]


def in_cassette(path: Path, make: Make, early: bool, **settings: Any) -> list[Any]:
    """Use a client within a cassette, made before that or inside."""

    async def run() -> list[Any]:
        before = make() if early else None
        with vcr.use_cassette(str(path), **settings):
            async with before or make() as client:
                return await use(client)

    return asyncio.run(run())


@pytest.mark.parametrize("early", [False, True], ids=["made inside", "made before"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_cassette_records_and_replays(tmp_path: Path, secure: bool, early: bool) -> None:
    cassette = tmp_path / "calls.yaml"
    with RecordingServer(server_context() if secure else None) as server:

        def make() -> aio.ApiClient:
            return make_client(server.url, ca_cert_data=certificate_of("ours"), retries=0)

        server.script(*RESPONSES)
        assert in_cassette(cassette, make, early) == FOUND
        assert len(server.requests) == len(RESPONSES)
        assert "x" * 100_000 in server.requests[0].body.decode()
    # The server is gone.
    assert in_cassette(cassette, make, early, record_mode="none") == FOUND
    assert in_cassette(cassette, make, early) == FOUND
    assert len(server.requests) == len(RESPONSES)


@pytest.mark.parametrize("early", [False, True], ids=["made inside", "made before"])
def test_a_cassette_that_must_not_record_refuses(
    server: RecordingServer, tmp_path: Path, early: bool
) -> None:
    def make() -> aio.ApiClient:
        return make_client(server.url)

    with pytest.raises(CannotOverwriteExistingCassetteException):
        in_cassette(tmp_path / "calls.yaml", make, early, record_mode="none")
    assert server.connections == 0
    server.script(*RESPONSES)
    assert asyncio.run(use(make())) == FOUND


def test_a_server_for_tests_serves_the_client(httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request(
        "/v2/customer_sessions/1", method="PUT", json=UPDATE
    ).respond_with_json(SESSION)
    for number in (1, 2, 3):
        httpserver.expect_ordered_request(
            f"/v1/applications/{number}/export_coupons"
        ).respond_with_data(CSV)
    httpserver.expect_ordered_request(
        "/v1/applications/1/campaigns/2/import_coupons", method="POST"
    ).respond_with_json({})
    httpserver.expect_ordered_request("/v2/customer_sessions/gone").respond_with_json(
        {"message": "no such session"}, status=404
    )

    async def run() -> list[Any]:
        async with make_client(httpserver.url_for("")) as client:
            return await use(client)

    assert asyncio.run(run()) == FOUND
    httpserver.check()


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """The spans of aiohttp, whose instrumentation is global."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = AioHttpClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield exporter
    instrumentor.uninstrument()


def test_tracing_sees_every_attempt(server: RecordingServer, spans: InMemorySpanExporter) -> None:
    server.script(RESET, *RESPONSES)

    async def run() -> list[Any]:
        async with make_client(server.url) as client:
            return await use(client)

    assert asyncio.run(run()) == FOUND
    seen = spans.get_finished_spans()
    assert len(seen) == len(server.requests) == len(RESPONSES) + 1
    assert [each.status.status_code for each in seen[:2]] == [StatusCode.ERROR, StatusCode.UNSET]
    assert {each.name.split()[0] for each in seen} == {"PUT", "GET", "POST"}
    # The server learns of the trace that it is part of.
    for span, received in zip(seen, server.requests, strict=True):
        assert span.context is not None
        assert f"{span.context.trace_id:032x}" in received.headers["traceparent"]
