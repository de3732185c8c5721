"""What is told while the work goes on, and the bars that show it."""

from __future__ import annotations

import io
import sys
import threading
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress as Display

from bulk.doing import Do, profiles, refusing
from support.server import RecordingServer
from talon_one import bulk


def test_progress_is_told_from_the_beginning_to_the_end(work: Do) -> None:
    told: list[bulk.Progress] = []
    done = work("upsert_profiles", list(profiles(30)), chunk_size=10, progress=told.append)
    assert [each.done for each in told] == [0, 10, 20, 30, 30]
    assert [each.finished for each in told] == [False] * 4 + [True]
    assert {each.total for each in told} == {30}
    assert told[-1].token == done.summary.token


def test_how_many_rows_there_are_can_be_said_of_a_generator(work: Do) -> None:
    told: list[bulk.Progress] = []
    work("upsert_profiles", profiles(3), progress=told.append)
    work("upsert_profiles", profiles(3), progress=told.append, total=3)
    assert [each.total for each in told] == [None] * 3 + [3] * 3


def test_a_summary_reads_well(work: Do, server: RecordingServer) -> None:
    server.default = refusing(1)
    done = work("upsert_profiles", profiles(3))
    assert str(done.summary) == (
        "2 sent, 1 failed, 0 unknown\n"
        "  1: updateCustomerProfilesV2 400 Bad Request: invalid; Unknown: p1 is wrong"
    )


def test_a_summary_does_not_grow_with_the_number_of_reasons(work: Do) -> None:
    rows = [{"integrationId": "p", "attributes": {str(number): object()}} for number in range(99)]
    reasons = work("upsert_profiles", rows).summary.reasons
    assert len(reasons) == 21
    assert reasons["other reasons"] == 79
    assert sum(reasons.values()) == 99


def test_tqdm_shows_a_bar(work: Do, server: RecordingServer) -> None:
    server.default = refusing(1)
    shown = io.StringIO()
    bar = bulk.with_tqdm(file=shown, desc="Profiles", mininterval=0)
    work("upsert_profiles", list(profiles(30)), chunk_size=10, progress=bar)
    # tqdm would leave a thread behind that looks after its bars.
    assert "TMonitor" not in {type(each).__name__ for each in threading.enumerate()}
    last = shown.getvalue().rstrip().rpartition("\r")[2]
    assert last.startswith("Profiles: 100%")
    assert "30/30" in last
    assert "failed=1, unknown=0" in last


def test_tqdm_shows_resumed_work_where_it_is(work: Do) -> None:
    token = work("upsert_profiles", list(profiles(10))).summary.token
    shown = io.StringIO()
    work("upsert_profiles", list(profiles(10)), resume=token, progress=bulk.with_tqdm(file=shown))
    assert "10/10" in shown.getvalue()


def display(shown: io.StringIO) -> Display:
    console = Console(file=shown, width=100, force_terminal=False)
    return Display(console=console)


def test_rich_shows_a_bar_among_others(work: Do, server: RecordingServer) -> None:
    server.default = refusing(1)
    shown = io.StringIO()
    with display(shown) as bars:
        bar = bulk.with_rich("Profiles", bars)
        work("upsert_profiles", list(profiles(30)), chunk_size=10, progress=bar)
        task = bars.tasks[0]
    assert (task.completed, task.total) == (30, 30)
    assert "Profiles, 1 failed, 0 unknown" in shown.getvalue()
    assert "100%" in shown.getvalue()


def test_rich_shows_a_bar_of_its_own(work: Do, capsys: pytest.CaptureFixture[str]) -> None:
    work("upsert_profiles", list(profiles(3)), progress=bulk.with_rich("Profiles"))
    assert "100%" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["tqdm", "rich"])
def test_what_is_missing_says_how_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, f"{name}.progress", None)
    adapter: Any = getattr(bulk, f"with_{name}")
    with pytest.raises(ImportError, match="pip install"):
        adapter()
