"""Parts of bulk jobs in one process: a platform without sockets, and deaths that are simulated."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from bulk.attempts import MemoryFolder
from support.calls import KEYS
from talon_one import (
    ApiClient,
    Clock,
    Configuration,
    Hooks,
    IntegrationApi,
    ManagementApi,
    RawResponse,
    bulk,
)
from talon_one._core.hooks import CallEvent
from talon_one.bulk import part_state
from talon_one.bulk.folders import Appender, _Segments
from talon_one.bulk.part_state import _latest, _records
from talon_one.bulk.resume_token import read_token

OK = RawResponse(204, None, {}, b"")

_BY_FUNCTION: dict[str, Callable[[int], Any]] = {
    "upsert_profiles": lambda number: {"integrationId": f"p{number}"},
    "change_audiences": lambda number: {
        "action": "add",
        "profileIntegrationId": f"p{number}",
        "audienceId": 7,
    },
    "create_coupons": lambda number: {"numberOfCoupons": 1, "couponPattern": f"P{number}-##"},
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "upsert_profiles": {},
    "change_audiences": {},
    "create_coupons": {"application_id": 3, "campaign_id": 12},
}


def rows_of(function: str, numbers: Iterable[int]) -> list[Any]:
    """Return rows with these numbers, see `Platform.rows`."""
    return list(map(_BY_FUNCTION[function], numbers))


def number_of(row: Any) -> int:
    """Return the number of a row."""
    for name in ("integrationId", "profileIntegrationId", "couponPattern"):
        if name in row:
            return int("".join(filter(str.isdigit, row[name])))
    raise AssertionError(row)


class Platform(Hooks):
    """A platform that accepts rows, in place of a server.

    Attributes:
        rows: Numbers of the rows of each request, in the order of their arrival.
        respond: Returns the response to the rows of a request.
    """

    def __init__(self) -> None:
        self.rows: list[list[int]] = []
        self.respond: Callable[[list[int]], RawResponse] = lambda numbers: OK
        self._lock = threading.Lock()

    def on_request(self, event: CallEvent) -> RawResponse | None:
        if not event.attempt:
            return None
        body = json.loads(event._request.body)  # type: ignore[arg-type]  # bytes, or encoded
        lists = [value for value in body.values() if isinstance(value, list)]
        numbers = [number_of(row) for row in (lists[0] if lists else [body])]
        with self._lock:
            self.rows.append(numbers)
        return self.respond(numbers)

    @property
    def sent(self) -> list[int]:
        """Numbers of all rows that have arrived."""
        return [number for request in self.rows for number in request]


def api_of(
    platform: Platform, function: str, pauses: list[float] | None = None, **more: Any
) -> Any:
    """Return the API for a bulk function, of a client that makes no pauses."""
    configuration = Configuration(host="https://a.test", api_key=KEYS, **more)
    configuration.hooks.append(platform)
    client = ApiClient(configuration)
    client.clock = Clock(sleep=([] if pauses is None else pauses).append)
    return (ManagementApi if function.startswith("create") else IntegrationApi)(client)


class Crash(BaseException):
    """The process is killed here."""


class MortalFolder(MemoryFolder):
    """A folder that a process works on until it dies in one of its operations.

    Args:
        files: The files, which outlive it.
        dies_at: Which operation is the last, counted from 0.
        written: How much of the last file is written, if that was a write: 0 to 1.
    """

    location = "memory://job"

    def __init__(self, files: dict[str, bytes], dies_at: int | None, written: float) -> None:
        super().__init__(files)
        self.dead = False
        self._left = dies_at
        self._written = written

    def _live(self) -> bool:
        """Count an operation; return whether it is the last."""
        if self.dead:
            raise Crash
        if self._left is None:
            return False
        self._left -= 1
        self.dead = self._left < 0
        return self.dead

    def names(self, within: str = "") -> list[str]:
        if self._live():
            raise Crash
        return super().names(within)

    def read(self, name: str) -> bytes:
        if self._live():
            raise Crash
        return super().read(name)

    def write(self, name: str, content: bytes, *, durable: bool = False) -> None:
        if self._live():
            if self._written:
                super().write(name, content[: int(len(content) * self._written)])
            raise Crash
        super().write(name, content)

    def remove(self, name: str) -> None:
        if self._live():
            raise Crash
        super().remove(name)

    def appender(self, name: str, *, durable: bool = False) -> Appender:
        return _Segments(self, name)


@contextmanager
def in_folder(folder: MemoryFolder) -> Iterator[None]:
    """Have ``state`` and ``failures`` mean this folder, whatever they name."""
    # The function `partition` hides its module.
    module = sys.modules["talon_one.bulk.partition"]
    with (
        patch.object(module, "open_folder", lambda location: folder),
        patch.object(part_state, "open_folder", lambda location: folder),
    ):
        yield


def send(
    platform: Platform,
    function: str,
    rows: Iterable[Any],
    pauses: list[float] | None = None,
    **more: Any,
) -> bulk.Summary:
    """Send a part."""
    options = {"chunk_size": 2, "concurrency": 2, "limiter": False, "_retries": 0, **more}
    api = api_of(platform, function, pauses)
    with api.api_client:
        return bulk.partition(function, api, rows, **ARGUMENTS[function], **options)


def settled_rows(files: dict[str, bytes]) -> set[int]:
    """Return the numbers of the rows of part 0 that no attempt may send again."""
    last = _latest(_records(MemoryFolder(files), "part-00000"))
    if last is None:
        return set()
    token = read_token(last.token, last.operation)
    return {number for begin, end in token.settled for number in range(begin, end)}
