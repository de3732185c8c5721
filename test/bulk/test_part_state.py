"""State of parts: what a reader makes of files of all kinds."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bulk.attempts import MemoryFolder
from bulk.parts import Platform, in_folder, rows_of, send
from talon_one import ApiTypeError, ApiValueError, RawResponse, bulk
from talon_one.bulk.part_state import PartState, Record, _records
from talon_one.bulk.resume_token import new_token

FUNCTION = "change_audiences"


@pytest.fixture
def platform() -> Platform:
    return Platform()


def test_parts_are_listed_in_the_order_of_their_numbers(platform: Platform, tmp_path: Path) -> None:
    assert list(bulk.parts_in(tmp_path)) == []
    for part in (12, 3, 100_000):
        send(platform, FUNCTION, rows_of(FUNCTION, range(part % 7)), part=part, state=tmp_path)
    # Of another program.
    for name in ("part-5", "part-000003", "part-٠٠٠٠٣", "part-00003.old"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes.txt").touch()
    found = list(bulk.parts_in(tmp_path))
    assert [(part.part, part.sent) for part in found] == [(3, 3), (12, 5), (100_000, 5)]
    assert {(part.complete, part.attempt) for part in found} == {(True, 0)}
    with pytest.raises(ApiTypeError, match="a folder is a path or a URL, not 3"):
        list(bulk.parts_in(3))  # type: ignore[arg-type]  # that is the point


def test_rows_in_doubt_are_counted_once(platform: Platform, tmp_path: Path) -> None:
    rows = rows_of(FUNCTION, range(6))

    def die(progress: bulk.Progress) -> None:
        if json.loads(progress.token)["inFlight"]:
            raise SystemExit

    with pytest.raises(SystemExit):
        send(platform, FUNCTION, rows, state=tmp_path, progress=die, concurrency=1)
    platform.respond = lambda numbers: RawResponse(500, None, {}, b"")
    for _ in range(3):
        summary = send(platform, FUNCTION, rows, state=tmp_path, max_failed_chunks=None)
        (part,) = bulk.parts_in(tmp_path)
        assert (part.sent, part.failed, part.unknown) == summary[:3]
        assert sum(summary[:3]) == 6


def test_files_that_a_crash_has_left_are_passed_over(platform: Platform, tmp_path: Path) -> None:
    rows = rows_of(FUNCTION, range(6))
    send(platform, FUNCTION, rows[:4], state=tmp_path)
    good = sorted((tmp_path / "part-00000").iterdir())
    whole = good[0].read_bytes()
    for number, content in enumerate(
        (b"", b"\0" * 100, whole[:-1], b"[]", b"5", b"\xff", b'{"a":1}')
    ):
        name = f"attempt-0000.0009.0000000{number}.0.json"
        (tmp_path / "part-00000" / name).write_bytes(content)
    for name in ("attempt-0000.json", ".attempt-0000.0000.00000000.0.json.1.part", "x"):
        (tmp_path / "part-00000" / name).write_bytes(b"{}")
    assert next(bulk.parts_in(tmp_path)).sent == 4
    platform.rows.clear()
    assert send(platform, FUNCTION, rows, state=tmp_path)[:3] == (6, 0, 0)
    assert platform.sent == [4, 5]
    # Later than all that were there.
    assert any(".0010." in each.name for each in (tmp_path / "part-00000").iterdir())


def test_a_damaged_state_raises_only_our_exceptions() -> None:
    rows: list[Any] = [*rows_of(FUNCTION, range(3)), {}]
    files: dict[str, bytes] = {}
    with in_folder(MemoryFolder(files)):
        send(Platform(), FUNCTION, rows, state="s", parts=2)
    values: list[Any] = [None, True, 10**30, "x", [1], {"a": "b"}]
    foreign = []
    for name, content in files.items():
        whole = json.loads(content)
        damaged = [json.dumps({**whole, key: value}) for key in whole for value in values]
        damaged += [json.dumps({k: v for k, v in whole.items() if k != key}) for key in whole]
        damaged += ["[" * 100_000, json.dumps({**whole, "new": 1}), "null", "[]"]
        for text in damaged:
            with in_folder(MemoryFolder({**files, name: text.encode()})):
                try:
                    list(bulk.parts_in("s"))
                    send(Platform(), FUNCTION, rows, state="s", parts=2)
                except (ApiTypeError, ApiValueError):
                    pass
                except Exception as failure:
                    foreign.append((name, text[:300], failure))
    assert foreign == []


def test_a_store_that_cannot_be_read_is_no_half_of_a_file() -> None:
    files: dict[str, bytes] = {}
    with in_folder(MemoryFolder(files)):
        send(Platform(), FUNCTION, rows_of(FUNCTION, range(4)), state="s")

    class Unreadable(MemoryFolder):
        bad = ""
        failure: Exception

        def read(self, name: str) -> bytes:
            if name == self.bad:
                raise self.failure
            return super().read(name)

    folder, platform = Unreadable(files), Platform()
    for folder.bad in files:
        for folder.failure in (ValueError("no login"), TypeError(), KeyError(), OSError()):
            with in_folder(folder), pytest.raises(type(folder.failure)):
                send(platform, FUNCTION, rows_of(FUNCTION, range(4)), state="s")
            with in_folder(folder), pytest.raises(type(folder.failure)):
                list(bulk.parts_in("s"))
    assert platform.rows == []


def test_a_state_of_another_release_is_not_misread(platform: Platform, tmp_path: Path) -> None:
    send(platform, FUNCTION, rows_of(FUNCTION, range(4)), state=tmp_path)
    for path in (tmp_path / "part-00000").iterdir():
        path.write_text(json.dumps({**json.loads(path.read_text()), "version": 2}))
    for read in (
        lambda: list(bulk.parts_in(tmp_path)),
        lambda: send(platform, FUNCTION, [], state=tmp_path),
    ):
        with pytest.raises(ApiValueError, match="was written by another release"):
            read()


def test_the_other_file_is_read_again_if_one_is_being_written() -> None:
    def record(sequence: int) -> bytes:
        return Record("o", "h", 0, 0, False, 0, sequence).to_bytes()

    odd, even = (f"attempt-0000.0000.00000000.{number}.json" for number in (1, 0))

    class Racing(MemoryFolder):
        """The attempt writes one file after that was read, and begins to write the other."""

        def names(self, within: str = "") -> list[str]:
            return [odd, even]

        def read(self, name: str) -> bytes:
            content = super().read(name)
            if content == record(1):
                self.files.update({f"p/{odd}": record(3), f"p/{even}": record(4)[:9]})
            return content

    folder = Racing({f"p/{even}": record(2), f"p/{odd}": record(1)})
    assert [found.sequence for found in _records(folder, "p")] == [3]


def test_a_write_that_fails_costs_no_other_file_and_is_made_good_by_the_next() -> None:
    class Failing(MemoryFolder):
        fails = False

        def write(self, name: str, content: bytes, *, durable: bool = False) -> None:
            super().write(name, content[:5] if self.fails else content)
            if self.fails:
                raise OSError("the disk is full")

    folder = Failing()
    state = PartState(folder, 0, 0, "o", "h", idempotent=False)
    token = new_token("o").to_text()
    save = partial(state.save, complete=False, reasons={})
    save(token, failures=["a"])
    folder.fails = True
    for _ in range(3):
        with pytest.raises(OSError, match="full"):
            save(token, failures=["b"])
        (record,) = _records(folder, "part-00000")
        assert record.failures == ["a"]
    folder.fails = False
    save(token, failures=["b"])
    (record,) = _records(folder, "part-00000")
    assert record.failures == ["b"]


def test_the_state_has_neither_rows_nor_secrets(platform: Platform, tmp_path: Path) -> None:
    send(platform, FUNCTION, rows_of(FUNCTION, range(4)), state=tmp_path)
    text = "".join(path.read_text() for path in (tmp_path / "part-00000").iterdir())
    assert "secret" not in text
    assert "p3" not in text
