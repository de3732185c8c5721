"""LossyServer: passes requests on to another server, and loses responses by plan."""

from __future__ import annotations

from itertools import count
from types import TracebackType

import urllib3
from typing_extensions import Self

from support.server import HANG_UP, Received, RecordingServer, Response

PASS, LOSE, DROP, FAIL = "plxf"
"""Pass on; lose the response of a request that was executed; lose the request; respond 503."""


class LossyServer:
    """A server before another one, and a context manager.

    Args:
        target: URL of the other server.
    """

    def __init__(self, target: str) -> None:
        self._pool = urllib3.PoolManager()
        self._target = target
        self._server = RecordingServer(default=self._respond)
        self._plan: list[str] = []
        self._numbers = count()

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        cause: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.__exit__(kind, cause, traceback)
        self._pool.clear()

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def requests(self) -> list[Received]:
        """Requests since the last plan."""
        return self._server.requests

    def next_number(self) -> int:
        return next(self._numbers)

    def plan(self, letters: str) -> None:
        """Set what happens to the next requests, a letter for each; later ones are passed on."""
        self._plan = list(letters)
        self._server.requests.clear()

    def _respond(self, request: Received) -> Response:
        what = self._plan.pop(0) if self._plan else PASS
        if what == DROP:
            return HANG_UP
        if what == FAIL:
            return Response(503, {"message": "try later"})
        response = self._pool.request(
            request.method,
            self._target + request.target,
            body=request.body,
            headers={
                name: request.headers[name]
                for name in ("Authorization", "Content-Type", "Idempotency-Key")
                if name in request.headers
            },
            retries=False,
        )
        if what == LOSE:
            return HANG_UP
        kind = {"Content-Type": response.headers["Content-Type"]}
        return Response(response.status, response.data, kind)
