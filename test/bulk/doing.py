"""Does bulk work by either shell, blocking or asyncio, so that one test covers both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import talon_one
import talon_one.aio.bulk
from support.calls import KEYS, make_client
from support.server import Received, RecordingServer, Response
from talon_one import Configuration, OpenApiException, bulk

OK = Response(204)


@dataclass
class Done:
    """What came of bulk work."""

    summary: bulk.Summary
    failure: OpenApiException | None = None
    pauses: list[float] = field(default_factory=list)


Do = Callable[..., Done]


def do(server: RecordingServer, name: str, *args: Any, **options: Any) -> Done:
    """Do bulk work with the blocking client.

    Args:
        server: What it is done with.
        name: Function of the module `bulk`.
        args: Its arguments behind the API.
        options: Its options; repetitions are off unless they say otherwise.
    """
    pauses: list[float] = []
    with make_client(server.url, pauses) as client:
        try:
            summary = getattr(bulk, name)(_api(talon_one, name, client), *args, **_with(options))
        except bulk.BulkStopped as stopped:
            return Done(stopped.summary, stopped, pauses)
    return Done(summary, None, pauses)


def do_asynchronously(server: RecordingServer, name: str, *args: Any, **options: Any) -> Done:
    """As `do`, with the asyncio client."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def work() -> Done:
        configuration = Configuration(host=server.url, api_key=KEYS)
        async with talon_one.aio.ApiClient(configuration) as client:
            client.clock = client.clock._replace(sleep=pause)
            function = getattr(talon_one.aio.bulk, name)
            try:
                api = _api(talon_one.aio, name, client)
                return Done(await function(api, *args, **_with(options)), None, pauses)
            except bulk.BulkStopped as stopped:
                return Done(stopped.summary, stopped, pauses)

    return asyncio.run(work())


def _api(package: Any, name: str, client: Any) -> Any:
    integration = name in ("upsert_profiles", "change_audiences", "sync_catalog")
    return (package.IntegrationApi if integration else package.ManagementApi)(client)


def _with(options: dict[str, Any]) -> dict[str, Any]:
    return {"_retries": 0, **options}


def profiles(count: int, begin: int = 0) -> Iterator[dict[str, Any]]:
    """Yield rows of different profiles."""
    for number in range(begin, begin + count):
        yield {"integrationId": f"p{number}", "attributes": {"Number": number}}


def memberships(count: int) -> Iterator[dict[str, Any]]:
    """Yield actions on an audience, whose requests must not be repeated."""
    for number in range(count):
        yield {"action": "add", "profileIntegrationId": f"p{number}", "audienceId": 7}


def sent_rows(received: Received) -> list[Any]:
    """Return the rows of a request."""
    body = received.json()
    rows = next((value for value in body.values() if isinstance(value, list) and value), [body])
    return list(rows)


def sent_ids(server: RecordingServer) -> list[list[str]]:
    """Return the IDs of profiles in each request, in the order of their first rows."""
    requests = [[_id(row) for row in sent_rows(each)] for each in server.requests]
    return sorted(requests, key=lambda ids: (_number(ids[0]), len(ids)))


def _id(row: Any) -> str:
    found: str = row.get("integrationId") or row.get("profileIntegrationId")
    return found


def _number(id: str) -> int:
    return int("".join(filter(str.isdigit, id)) or 0)


def refusing(*numbers: int, point: bool = False) -> Callable[[Received], Response]:
    """Return what refuses requests that hold a profile with one of these numbers.

    Args:
        numbers: The numbers.
        point: Whether the answer says which rows it means.
    """

    def answer(received: Received) -> Response:
        errors = [
            {
                "title": "Unknown",
                "details": f"{_id(row)} is wrong",
                "source": {"pointer": f"/customerProfiles/{place}/attributes/X"} if point else {},
            }
            for place, row in enumerate(sent_rows(received))
            if _number(_id(row)) in numbers
        ]
        return Response(400, {"message": "invalid", "errors": errors}) if errors else OK

    return answer


def spans(ids: Iterable[str]) -> str:
    """Return IDs as their first and last number: ``"0-9"``."""
    numbers = [_number(each) for each in ids]
    return f"{numbers[0]}-{numbers[-1]}"
