"""Parts in processes that are killed, or end without a word, and go on in another process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bulk.runs import OK, memberships, profiles, sent_ids
from docs.pages import ROOT
from support.calls import make_client
from support.platforms import needs_posix_signals
from support.server import Received, RecordingServer, Response
from talon_one import IntegrationApi, bulk

ROWS = 12

# Arguments: function, address, folder of the state, and where the process ends.
PROGRAM = """
import os, sys
from bulk.runs import memberships, profiles
from support.calls import make_client
from talon_one import IntegrationApi, bulk

function, url, state, end = sys.argv[1:]
rows = profiles(12) if function == "upsert_profiles" else memberships(12)
replace, calls = os.replace, []

def replace_or_end(partial, target):
    calls.append(target)
    if len(calls) == 6 and end == "writing":
        os._exit(7)
    replace(partial, target)
    if len(calls) == 6 and end == "written":
        os._exit(7)

def after_response(result):
    if end == "response" and result.first >= 4:
        os._exit(7)

os.replace = replace_or_end
with make_client(url) as client:
    api = IntegrationApi(client)
    bulk.partition(
        function, api, rows, state=state, failures=state + "/failures", chunk_size=2,
        on_chunk=after_response, _retries=0,
    )
"""


def run_and_end(server: RecordingServer, function: str, state: Path, end: str) -> int:
    """Start an attempt in a process, and return how that ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, function, server.url, str(state), end],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "test")])},
    )

    def kill(received: Received) -> Response:
        if len(server.requests) == 4:
            process.kill()
        return OK

    server.default = kill if end == "request" else OK
    status = process.wait(60)
    server.default = OK
    return status


@needs_posix_signals
@pytest.mark.parametrize("function", ["upsert_profiles", "change_audiences"])
def test_a_part_goes_on_in_another_process(
    server: RecordingServer, tmp_path: Path, function: str
) -> None:
    rows = profiles if function == "upsert_profiles" else memberships
    for end in ("request", "writing", "written", "response")[:: 2 if rows is profiles else 1]:
        server.clear()
        state = tmp_path / end
        assert run_and_end(server, function, state, end) in (7, -9)
        sent_before = Counter(row for request in sent_ids(server) for row in request)
        (before,) = bulk.parts_in(state)
        assert not before.complete
        with make_client(server.url) as client:
            summary = bulk.partition(
                function, IntegrationApi(client), rows(ROWS), state=state, attempt=1, chunk_size=2
            )
        sent = Counter(row for request in sent_ids(server) for row in request)
        assert summary.complete
        if function == "upsert_profiles":
            assert set(sent) == {f"p{number}" for number in range(ROWS)}
            # Only requests whose outcome was not written are made again: those in flight.
            assert len(sent - Counter(set(sent))) <= sum(sent_before.values()) - before.sent
        else:
            assert set(sent.values()) == {1}
            assert before.unknown == summary.unknown <= 8
            assert summary.sent + summary.unknown == ROWS
