"""What is reports while the work goes on, and the bars that show it."""

from __future__ import annotations

import io
import sys
import threading
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress as Display

from bulk.runs import RunBulk, profiles, refusing
from support.server import RecordingServer
from talon_one import bulk


def test_progress_is_reported_from_start_to_end(run_bulk: RunBulk) -> None:
    reports: list[bulk.Progress] = []
    result = run_bulk("upsert_profiles", list(profiles(30)), chunk_size=10, progress=reports.append)
    assert [each.done for each in reports] == [0, 10, 20, 30, 30]
    assert [each.finished for each in reports] == [False] * 4 + [True]
    assert {each.total for each in reports} == {30}
    assert reports[-1].token == result.summary.token


def test_rows_of_every_outcome_are_done() -> None:
    progress = bulk.Progress(sent=100, failed=20, unknown=3, total=None, token="", finished=False)
    assert progress.done == 123


def test_the_total_of_a_generator_can_be_passed(run_bulk: RunBulk) -> None:
    reports: list[bulk.Progress] = []
    run_bulk("upsert_profiles", profiles(3), progress=reports.append)
    run_bulk("upsert_profiles", profiles(3), progress=reports.append, total=3)
    assert [each.total for each in reports] == [None] * 3 + [3] * 3


def test_a_summary_reads_well(run_bulk: RunBulk, server: RecordingServer) -> None:
    server.default = refusing(1)
    result = run_bulk("upsert_profiles", profiles(3))
    assert str(result.summary) == (
        "2 sent, 1 failed, 0 unknown\n"
        "  1: updateCustomerProfilesV2 400 Bad Request: invalid; Unknown: p1 is wrong"
    )


def test_a_summary_does_not_grow_with_the_number_of_reasons(run_bulk: RunBulk) -> None:
    rows = [{"integrationId": "p", "attributes": {str(number): object()}} for number in range(99)]
    reasons = run_bulk("upsert_profiles", rows).summary.reasons
    assert len(reasons) == 21
    assert reasons["other reasons"] == 79
    assert sum(reasons.values()) == 99


def test_a_reason_that_is_known_counts_however_many_others_there_are(run_bulk: RunBulk) -> None:
    rows: list[Any] = [
        {"integrationId": "p", "attributes": {str(number): object()}} for number in range(25)
    ]
    reasons = run_bulk("upsert_profiles", [*rows, *rows[:3]]).summary.reasons
    assert sorted(reasons.values()) == [1] * 17 + [2] * 3 + [5]


def test_tqdm_shows_a_bar(run_bulk: RunBulk, server: RecordingServer) -> None:
    server.default = refusing(1)
    output = io.StringIO()
    bar = bulk.with_tqdm(file=output, desc="Profiles", mininterval=0)
    run_bulk("upsert_profiles", list(profiles(30)), chunk_size=10, progress=bar)
    # By default, tqdm leaves a monitor thread behind.
    assert "TMonitor" not in {type(each).__name__ for each in threading.enumerate()}
    last = output.getvalue().rstrip().rpartition("\r")[2]
    assert "rows/s" in last
    assert last.startswith("Profiles: 100%")
    assert "30/30" in last
    assert "failed=1, unknown=0" in last
    assert "rows/s" in last or "s/rows" in last


def test_tqdm_shows_a_resumed_job_at_its_position(run_bulk: RunBulk) -> None:
    token = run_bulk("upsert_profiles", list(profiles(10))).summary.token
    output = io.StringIO()
    run_bulk(
        "upsert_profiles", list(profiles(10)), resume=token, progress=bulk.with_tqdm(file=output)
    )
    assert "10/10" in output.getvalue()


def display(output: io.StringIO) -> Display:
    console = Console(file=output, width=100, force_terminal=False)
    return Display(console=console)


def test_rich_shows_a_bar_among_others(run_bulk: RunBulk, server: RecordingServer) -> None:
    server.default = refusing(1)
    output = io.StringIO()
    with display(output) as bars:
        bar = bulk.with_rich("Profiles", bars)
        run_bulk("upsert_profiles", list(profiles(30)), chunk_size=10, progress=bar)
        task = bars.tasks[0]
        # The other bars of the caller go on.
        assert bars.live.is_started
    assert (task.completed, task.total) == (30, 30)
    assert "Profiles, 1 failed, 0 unknown" in output.getvalue()
    assert "100%" in output.getvalue()


def test_rich_shows_its_own_bar(run_bulk: RunBulk, capsys: pytest.CaptureFixture[str]) -> None:
    run_bulk("upsert_profiles", list(profiles(3)), progress=bulk.with_rich("Profiles"))
    assert "100%" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["tqdm", "rich"])
def test_a_missing_package_is_reported_with_its_install_command(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, f"{name}.progress", None)
    adapter: Any = getattr(bulk, f"with_{name}")
    with pytest.raises(ImportError, match="pip install"):
        adapter()


def progress(failed: int, unknown: int, finished: bool = False) -> bulk.Progress:
    return bulk.Progress(2, failed, unknown, 9, "", finished)


OUTCOMES = [(0, 0, None), (3, 0, (3, 0)), (0, 1, (0, 1)), (2, 1, (2, 1))]


@pytest.mark.parametrize(("failed", "unknown", "shown"), OUTCOMES)
def test_bars_name_failed_and_unknown_rows_if_there_are_any(
    failed: int, unknown: int, shown: tuple[int, int] | None
) -> None:
    output = io.StringIO()
    bar = bulk.with_tqdm(file=output)
    bar(progress(failed, unknown))
    bar(progress(failed, unknown, finished=True))
    assert ("failed=" in output.getvalue()) == (shown is not None)
    if shown is not None:
        assert f"failed={shown[0]}, unknown={shown[1]}" in output.getvalue()
    rich = Display(console=Console(file=io.StringIO()))
    bar = bulk.with_rich("Profiles", rich)
    bar(progress(failed, unknown))
    bar(progress(failed, unknown, finished=True))
    (task,) = rich.tasks
    more = "" if shown is None else f", {shown[0]} failed, {shown[1]} unknown"
    assert task.description == f"Profiles{more}"
    assert (task.completed, task.total) == (2 + failed + unknown, 9)
