"""What a state knows of the whole job: its parts, its rows, and what an outage leaves of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bulk.runs import OK, profiles
from support.calls import make_client
from support.server import RecordingServer, Response
from talon_one import ApiValueError, IntegrationApi, bulk
from talon_one.bulk.folders import open_folder
from talon_one.bulk.job_record import JobRecord, check_job, read_job, record_parts

JOB = JobRecord("op", "https://a.test", None)


def test_an_outage_in_a_small_part_costs_no_row(server: RecordingServer, tmp_path: Path) -> None:
    for status in (408, 500, 502, 503, 504):

        def send(state: Path = tmp_path / str(status)) -> bulk.Summary:
            with make_client(server.url, []) as client:
                api = IntegrationApi(client)
                return bulk.partition("upsert_profiles", api, profiles(5), state=state, _retries=0)

        server.default = Response(status)
        with pytest.raises(bulk.BulkStopped) as stopped:
            send()
        assert stopped.value.summary[:3] == (0, 0, 0)
        server.default = OK
        assert send()[:3] == (5, 0, 0)


def test_the_number_of_parts_stays_when_a_run_is_refused(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    check_job(folder, JOB, 0)
    record_parts(folder, 2)
    # A run that did not end, such as one that was refused because it has other parts.
    record_parts(folder, 3)
    with pytest.raises(ApiValueError, match="a job of 2 parts, and this is number 2"):
        check_job(folder, JOB, 2)
    with pytest.raises(ApiValueError, match="a job of 2 parts, not of 3"):
        check_job(folder, JOB._replace(parts=3), 0)
    # One that ended knows better than an option.
    record_parts(folder, 1, [7])
    assert read_job(folder) == JOB._replace(parts=1, rows=[7])


def test_parts_of_a_job_that_has_ended_are_complete(
    server: RecordingServer, tmp_path: Path
) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield from profiles(3)
        raise ConnectionError

    with make_client(server.url, []) as client:
        api = IntegrationApi(client)
        with pytest.raises(bulk.BulkStopped):
            bulk.partition("upsert_profiles", api, broken(), state=tmp_path, chunk_size=1)
    assert [part.complete for part in bulk.parts_in(tmp_path)] == [False]
    record_parts(open_folder(tmp_path), 1, [3])
    assert [part.complete for part in bulk.parts_in(tmp_path)] == [True]
