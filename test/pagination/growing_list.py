"""GrowingList: a list on a server with a clock, whose items appear late and while it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

from talon_one import ApiClient, Configuration, ManagementApi, RawResponse, Transport

START = datetime(2020, 3, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Entry:
    """An item of the list; times are in seconds of the server's clock."""

    id: int
    created: int
    appears: float


class GrowingList(Transport):
    """The server, as the transport of a client.

    Args:
        entries: Everything that is ever in the list.
        page_size: Number of items of a page.
        tick: Seconds that each request takes.
        sorts: Whether it sorts as it is asked to.

    Attributes:
        now: Clock of the server, which measures durations in the client as well.
        requests: Number of requests so far.
    """

    def __init__(
        self, entries: list[Entry], page_size: int, tick: float = 0.0, sorts: bool = True
    ) -> None:
        self.entries = entries
        self.page_size = page_size
        self.tick = tick
        self.sorts = sorts
        self.now = 0.0
        self.requests = 0

    def api(self) -> ManagementApi:
        """Return the Management API of a client of this server."""
        configuration = Configuration(host="https://a.test", api_key={"management_key": "k"})
        client = ApiClient(configuration, transport=self)
        client.clock = client.clock._replace(monotonic=lambda: self.now)
        return ManagementApi(client)

    def send(self, request: Any, timeout: Any) -> RawResponse:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        self.requests += 1
        found = [each for each in self.entries if each.appears <= self.now]
        after = query.get("createdAfter")
        if after is not None:
            begin = (datetime.fromisoformat(after.replace("Z", "+00:00")) - START).total_seconds()
            found = [each for each in found if each.created > begin]
        sort = query.get("sort", "")
        if sort and self.sorts:
            found.sort(key=lambda each: (each.created, each.id), reverse=sort.startswith("-"))
        skip = int(query.get("skip", 0))
        page = found[skip : skip + self.page_size]
        self.now += self.tick
        body = {
            "hasMore": skip + self.page_size < len(found),
            "data": [{"id": each.id, "created": written(each.created)} for each in page],
        }
        return RawResponse(200, "OK", {}, json.dumps(body).encode())


def written(seconds: float) -> str:
    """Return a moment of the server's clock as it writes it."""
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
