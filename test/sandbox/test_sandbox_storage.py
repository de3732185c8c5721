"""The database file: locked, full, damaged, or in use by another sandbox."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sandbox.conftest import Client
from support.every import for_every
from support.platforms import needs_posix_files
from talon_one.sandbox import DatabaseError, Sandbox
from talon_one.sandbox.state import opening
from talon_one.sandbox.state.state import State

Clients = Callable[[Sandbox], Client]

HOLDER = """
import sys
from talon_one.sandbox import Sandbox
Sandbox(database=sys.argv[1]).run_forever(lambda sandbox: print("ready", flush=True))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database will be."""
    return tmp_path / "state.db"


def test_a_second_sandbox_on_the_same_file_is_refused(path: Path) -> None:
    reason = rf"another sandbox \(process {os.getpid()}\) uses .*state\.db: stop it first"
    with Sandbox(database=path), pytest.raises(DatabaseError, match=reason):
        Sandbox(database=path).start()
    with Sandbox(database=path) as again:
        assert again.running
    assert sorted(one.name for one in path.parent.iterdir()) == ["state.db"]


@needs_posix_files
def test_a_file_has_one_lock_under_all_its_names(path: Path) -> None:
    other = path.with_name("other.db")
    other.symlink_to(path)
    with Sandbox(database=path), pytest.raises(DatabaseError, match="another sandbox"):
        Sandbox(database=other).start()


def test_the_lock_of_a_killed_process_needs_no_cleaning(path: Path) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            with pytest.raises(DatabaseError, match=rf"another sandbox \(process {process.pid}\)"):
                Sandbox(database=path).start()
        finally:
            process.kill()
    with Sandbox(database=path) as sandbox:
        assert sandbox.running


def test_a_lock_file_that_is_left_over_is_no_lock(path: Path) -> None:
    path.with_name("state.db.lock").write_text("process 1 and more text than will be written")
    with Sandbox(database=path), pytest.raises(DatabaseError, match=rf"process {os.getpid()}\)"):
        Sandbox(database=path).start()


def test_sandboxes_in_memory_do_not_lock_each_other() -> None:
    with Sandbox() as one, Sandbox() as other:
        assert one.port != other.port


@for_every("where", ["", "."], repr)
def test_a_database_that_is_no_file_is_an_error(where: str) -> None:
    with pytest.raises(DatabaseError, match="the database must be a file"):
        Sandbox(database=where).start()


def test_a_file_that_another_program_has_locked_is_a_503(path: Path, client_of: Clients) -> None:
    with Sandbox(database=path) as sandbox:
        client = client_of(sandbox)
        assert client.session(profileId="p").status == 200
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            started = time.monotonic()
            reply = client.session(state="closed")
            assert time.monotonic() - started < 5
            assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
            assert reply.json == {
                "message": "Another program has locked the database of the sandbox",
                "errors": [],
                "StatusCode": 503,
            }
            other.execute("ROLLBACK")
        assert client.session(state="closed").status == 200


def test_a_file_that_another_program_has_locked_cannot_be_opened(path: Path) -> None:
    with Sandbox(database=path):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match=r"another program has locked .*state\.db"):
            Sandbox(database=path).start()


def state_of(client: Client) -> Any:
    """Return what a checkout changes."""
    session = client.send("GET", "/v2/customer_sessions/order-1").json
    return session, client.profile("p"), client.coupon("TEN-OFF")


def test_a_full_disk_is_a_507_and_changes_nothing(
    path: Path, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(database=path) as sandbox:
        client_of(sandbox).session(profileId="p", couponCodes=["TEN-OFF"])
    size = path.stat().st_size // 4096
    full = (*opening.PRAGMAS, f"max_page_count = {size + 8}")
    monkeypatch.setattr(opening, "PRAGMAS", full)
    large = {"text": "x" * 100_000}
    with Sandbox(database=path) as sandbox:
        client = client_of(sandbox)
        before = state_of(client)
        for _ in range(2):
            reply = client.session(attributes=large, state="closed")
            assert reply.status == 507
            assert reply.json["message"].startswith("The sandbox cannot write its database")
            assert state_of(client) == before
        closing_it = {"customerSession": {"attributes": large, "state": "closed"}}
        target = "/v2/customer_sessions/order-1"
        assert client.send("PUT", target, closing_it, Idempotency_Key="k").status == 507
    monkeypatch.undo()
    with Sandbox(database=path) as sandbox:
        client = client_of(sandbox)
        assert state_of(client) == before
        assert client.send("PUT", target, closing_it, Idempotency_Key="k").status == 200
        assert client.coupon("TEN-OFF")["usageCounter"] == 1


def filled(path: Path, client_of: Clients) -> None:
    """Make a database with some pages."""
    with Sandbox(database=path) as sandbox:
        client = client_of(sandbox)
        for number in range(40):
            client.session(f"s{number}", profileId="p", attributes={"text": "x" * 2_000})


@pytest.mark.parametrize("damage", ["overwritten", "cut off"])
def test_a_damaged_file_is_a_clear_error(path: Path, client_of: Clients, damage: str) -> None:
    filled(path, client_of)
    whole = path.read_bytes()
    if damage == "cut off":
        path.write_bytes(whole[: len(whole) // 2])
    else:
        path.write_bytes(whole[:8192] + b"\xaa" * (len(whole) - 8192))
    with pytest.raises(DatabaseError, match=r"state\.db is damaged: restore a copy, or start with"):
        Sandbox(database=path).start()
    assert not path.with_name("state.db.lock").exists()


def test_a_file_that_cannot_be_written_is_a_clear_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "PRAGMAS", (*opening.PRAGMAS, "query_only = ON"))
    with pytest.raises(DatabaseError, match=rf"{re.escape(str(path))} is not writable"):
        Sandbox(database=path).start()


def test_a_file_damaged_while_it_is_in_use_is_an_error_that_says_so(
    path: Path,
    client_of: Clients,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    filled(path, client_of)
    # Without a cache it reads the pages anew.
    monkeypatch.setattr(opening, "PRAGMAS", (*opening.PRAGMAS, "cache_size = 1"))
    with Sandbox(database=path) as sandbox:
        client = client_of(sandbox)
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xaa" * (size - 4096))
        replies = [client.send("GET", f"/v2/customer_sessions/s{n}") for n in range(40)]
        broken = [reply for reply in replies if reply.status == 500]
        assert broken
        assert {reply.json["message"].partition(":")[0] for reply in broken} == {
            "The database of the sandbox is damaged"
        }
    assert caplog.text == ""


def test_entities_are_found_by_their_columns_only() -> None:
    def look(state: State) -> None:
        state.campaigns.first(state="enabled")

    with Sandbox() as sandbox, pytest.raises(LookupError, match="campaigns are not found by state"):
        sandbox._change(look)
