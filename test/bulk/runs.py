"""Run bulk jobs with the blocking or the asyncio client, so that one test covers both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import talon_one
import talon_one.aio.bulk
from support.calls import KEYS, make_client
from support.server import Received, RecordingServer, Response
from talon_one import Configuration, OpenApiException, bulk

OK = Response(204)


@dataclass
class BulkRun:
    """Result of a bulk job."""

    summary: bulk.Summary
    failure: OpenApiException | None = None
    pauses: list[float] = field(default_factory=list)


RunBulk = Callable[..., BulkRun]


def run_blocking(server: RecordingServer, name: str, *args: Any, **options: Any) -> BulkRun:
    """Run a bulk job with the blocking client.

    Args:
        server: Server that receives the rows.
        name: Function of the module `bulk`.
        args: Its arguments after the API.
        options: Its options; retries are off by default.
    """
    pauses: list[float] = []
    with make_client(server.url, pauses) as client:
        api = _api(talon_one, name, client)
        try:
            summary = getattr(bulk, name)(api, *args, **_with_defaults(options))
        except bulk.BulkStopped as stopped:
            return BulkRun(stopped.summary, stopped, pauses)
    return BulkRun(summary, None, pauses)


def run_async(server: RecordingServer, name: str, *args: Any, **options: Any) -> BulkRun:
    """Run a bulk job with the asyncio client; see `run_blocking`."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def run() -> BulkRun:
        configuration = Configuration(host=server.url, api_key=KEYS)
        async with talon_one.aio.ApiClient(configuration) as client:
            client.clock = client.clock._replace(sleep=pause)
            function = getattr(talon_one.aio.bulk, name)
            api = _api(talon_one.aio, name, client)
            try:
                return BulkRun(await function(api, *args, **_with_defaults(options)), None, pauses)
            except bulk.BulkStopped as stopped:
                return BulkRun(stopped.summary, stopped, pauses)

    return asyncio.run(run())


def _api(package: Any, name: str, client: Any) -> Any:
    integration = name in ("upsert_profiles", "change_audiences", "sync_catalog")
    return (package.IntegrationApi if integration else package.ManagementApi)(client)


def _with_defaults(options: dict[str, Any]) -> dict[str, Any]:
    return {"_retries": 0, **options}


def profiles(count: int, begin: int = 0) -> Iterator[dict[str, Any]]:
    """Yield rows of different profiles."""
    for number in range(begin, begin + count):
        yield {"integrationId": f"p{number}", "attributes": {"Number": number}}


def memberships(count: int) -> Iterator[dict[str, Any]]:
    """Yield actions on an audience, whose requests must not be sent twice."""
    for number in range(count):
        yield {"action": "add", "profileIntegrationId": f"p{number}", "audienceId": 7}


class Breakdown(Exception):
    """Error that `then_break` raises."""


def then_break(rows: Iterable[Any], count: int | None = None) -> Iterator[Any]:
    """Yield rows, or the first *count* of them, and then raise `Breakdown`."""
    yield from islice(rows, count)
    raise Breakdown


def sent_rows(received: Received) -> list[Any]:
    """Return the rows of a request."""
    body = received.json()
    rows = next((value for value in body.values() if isinstance(value, list) and value), [body])
    return list(rows)


def sent_ids(server: RecordingServer) -> list[list[str]]:
    """Return the profile IDs of each request, in the order of their first rows."""
    requests = [[_id(row) for row in sent_rows(each)] for each in server.requests]
    return sorted(requests, key=lambda ids: (_number(ids[0]), len(ids)))


def _id(row: Any) -> str:
    found: str = row.get("integrationId") or row.get("profileIntegrationId")
    return found


def _number(id: str) -> int:
    return int("".join(filter(str.isdigit, id)) or 0)


def refusing(*numbers: int, point: bool = False) -> Callable[[Received], Response]:
    """Return a handler that refuses requests with a profile of one of these numbers.

    Args:
        numbers: The numbers.
        point: Whether the error names the rows.
    """

    def respond(received: Received) -> Response:
        errors = [
            {
                "title": "Unknown",
                "details": f"{_id(row)} is wrong",
                "source": {"pointer": f"/customerProfiles/{position}/attributes/X"}
                if point
                else {},
            }
            for position, row in enumerate(sent_rows(received))
            if _number(_id(row)) in numbers
        ]
        return Response(400, {"message": "invalid", "errors": errors}) if errors else OK

    return respond


def span(ids: Iterable[str]) -> str:
    """Return IDs as their first and last number: ``"0-9"``."""
    numbers = [_number(each) for each in ids]
    return f"{numbers[0]}-{numbers[-1]}"


def token_during(
    run_bulk: RunBulk, rows: Iterable[Any], in_flight: list[int], **options: Any
) -> str:
    """Change audiences, and return the token from while the rows of this range were in flight."""
    tokens: list[str] = []
    run_bulk(
        "change_audiences",
        rows,
        concurrency=1,
        progress=lambda progress: tokens.append(progress.token),
        **options,
    )
    return next(token for token in tokens if json.loads(token)["inFlight"] == [in_flight])
