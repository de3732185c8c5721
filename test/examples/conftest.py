"""What the guides and the examples run against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from support.server import Answer, Received, RecordingServer
from talon_one.cli.deployment import environment
from talon_one.sandbox import Sandbox


class Archive:
    """Exports and imports of coupons, which the sandbox does not know, in front of a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", sandbox.port, retries=False)
        self._codes: list[str] = []

    def answer(self, request: Received) -> Answer:
        """Answer a request, or have it answered by the sandbox."""
        if request.path.endswith("/import_coupons"):
            self._codes = [code for code in request.body.decode().split() if "SUMMER-" in code]
            return Answer(200, {"id": 1, "amount": len(self._codes)})
        if request.path.endswith("/export_coupons"):
            rows = "\n".join(["value", *self._codes])
            return Answer(200, rows, {"Content-Type": "application/csv"})
        reply = self._pool.urlopen(
            request.method, request.target, body=request.body, headers=request.headers
        )
        return Answer(reply.status, reply.data, {"Content-Type": "application/json"})

    def close(self) -> None:
        """Close the connections to the sandbox."""
        self._pool.close()


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox that the environment names, and an empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    with Sandbox() as sandbox:
        archive = Archive(sandbox)
        with RecordingServer(default=archive.answer) as front:
            for name, value in {**environment(sandbox), "TALON_ONE_HOST": front.url}.items():
                monkeypatch.setenv(name, value)
            yield sandbox
        archive.close()
