"""Folders of states and failures: on disk, in memory, and in stores of all kinds behind fsspec."""

from __future__ import annotations

import json
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Any, ClassVar
from unittest.mock import patch

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.spec import AbstractFileSystem

from bulk.parts import Crash, MortalFolder, Platform, in_folder, rows_of, send
from bulk.runs import then_break
from talon_one import ApiTypeError, ApiValueError, RawResponse, bulk
from talon_one.bulk import SharedLimiter
from talon_one.bulk.folders import Folder, open_folder


class OddStore(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store that keeps copies of listings, needs folders, and shows half-written files."""

    protocol = "odd"
    contents: ClassVar[dict[str, bytes]] = {}
    folders: ClassVar[set[str]] = {"bucket"}
    seen: ClassVar[list[list[bulk.Part]]] = []
    """What a reader saw of the job during each write."""

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        path = self._strip_protocol(path)
        if path not in self.folders:
            raise FileNotFoundError(path)
        if path not in self.dircache:
            self.dircache[path] = [
                *(f"{each}/" for each in self.folders if os.path.dirname(each) == path),
                *(each for each in self.contents if os.path.dirname(each) == path),
            ]
        names = self.dircache[path]
        return [{"name": name} for name in names] if detail else list(names)

    def invalidate_cache(self, path: str | None = None) -> None:
        self.dircache.clear()

    def pipe_file(self, path: str, value: bytes, **kwargs: Any) -> None:
        path = self._strip_protocol(path)
        if os.path.dirname(path) not in self.folders:
            raise FileNotFoundError(path)
        self.contents[path] = value[: len(value) // 2]
        self.seen.append(list(bulk.parts_in("odd://bucket/job")))
        self.contents[path] = value

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        path = self._strip_protocol(path)
        while path:
            self.folders.add(path)
            path = os.path.dirname(path)

    def cat_file(self, path: str, *args: Any, **kwargs: Any) -> bytes:
        try:
            return self.contents[self._strip_protocol(path)]
        except KeyError:
            raise FileNotFoundError(path) from None


@pytest.fixture(params=["disk", "memory", "odd"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder of each kind that does not exist yet."""
    fsspec.register_implementation("odd", OddStore, clobber=True)
    OddStore.contents.clear()
    OddStore.folders.clear()
    OddStore.folders.add("bucket")
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    return {
        "disk": str(tmp_path / "new" / "job"),
        "memory": "memory://bucket/job",
        "odd": "odd://bucket/job",
    }[str(request.param)]


@pytest.fixture
def folder(location: str) -> Folder:
    return open_folder(location)


def test_files_are_written_replaced_listed_and_read(folder: Folder) -> None:
    assert folder.names() == folder.names("part-00000") == []
    with pytest.raises(FileNotFoundError):
        folder.read("part-00000/a.json")
    folder.write("part-00000/a.json", b"1")
    folder.write("part-00000/a.json", b"2", durable=True)
    folder.write("part-00000/b.json", b"3")
    folder.write("top.json", b"4")
    assert folder.names() == ["part-00000", "top.json"]
    assert folder.names("part-00000") == ["a.json", "b.json"]
    assert folder.read("part-00000/a.json") == b"2"
    # What another process writes is seen, although listings may have been kept.
    open_folder(folder.location).write("part-00000/c.json", b"5")
    assert folder.names("part-00000") == ["a.json", "b.json", "c.json"]
    assert folder.place("top.json") == f"{folder.location}/top.json"
    assert folder.location in repr(folder)


def test_what_is_flushed_to_a_growing_file_can_be_read(folder: Folder) -> None:
    appender = folder.appender("failures/a.jsonl")
    appender.flush()
    assert appender.names == []
    assert folder.names() == []
    for number in range(3):
        appender.write(b"%d\n" % number)
        appender.flush()
        content = b"".join(folder.read(name) for name in appender.names)
        assert content == b"".join(b"%d\n" % each for each in range(number + 1))
    appender.write(b"last\n")
    appender.close()
    appender.close()
    assert b"".join(folder.read(name) for name in appender.names).endswith(b"2\nlast\n")


def test_a_growing_file_of_an_object_store_has_segments() -> None:
    MemoryFileSystem.store.clear()
    folder = open_folder("memory://bucket/segments")
    appender = folder.appender("a.jsonl")
    written = []
    with patch.object(folder, "write", wraps=folder.write) as write:
        for number in range(5):
            line = b"%d" % number * 400_000 + b"\n"
            written.append(line)
            appender.write(line)
            appender.flush()
            appender.flush()
        # No segment is written again once it is full.
        assert write.call_count == 5
    appender.close()
    assert appender.names == ["a.0000.0.jsonl", "a.0001.1.jsonl"]
    assert [len(folder.read(name)) for name in appender.names] == [1_200_003, 800_002]
    # The last flush has left the files that a state may name.
    assert set(folder.names()) == {*appender.names, "a.0000.1.jsonl", "a.0001.0.jsonl"}
    appender.remove_superseded()
    appender.remove_superseded()
    assert folder.names() == appender.names
    assert b"".join(map(folder.read, appender.names)) == b"".join(written)


def test_a_part_goes_on_wherever_its_state_is(location: str) -> None:
    platform = Platform()
    platform.respond = lambda numbers: RawResponse(400 if 2 in numbers else 204, None, {}, b"{}")
    options: dict[str, Any] = {"failures": f"{location}/failures", "part": 4}
    OddStore.seen.clear()
    for function in ("upsert_profiles", "change_audiences"):
        options["state"] = f"{location}/{function}"
        platform.rows.clear()
        rows = rows_of(function, range(8))
        with pytest.raises(bulk.BulkStopped):
            send(platform, function, then_break(rows, 5), **options)
        send(platform, function, rows, attempt=1, **options)
        sent = [request for request in platform.rows if 2 not in request]
        assert sorted(number for request in sent for number in request) == [0, 1, 3, 4, 5, 6, 7]
        platform.rows.clear()
        assert send(platform, function, rows, attempt=2, **options)[:3] == (7, 1, 0)
        assert platform.rows == []
        (part,) = bulk.parts_in(options["state"])
        assert part[:6] == (4, 2, True, 7, 1, 0)
        (name,) = part.failures
        assert name.startswith(f"{location}/failures/part-00004.attempt-000")
        (failure,) = bulk.failures_in(name)
        assert (failure.part, failure.index, failure.status) == (4, 2, 400)
        assert list(bulk.read_failures(name)) == [rows[2]]


def test_half_of_a_file_of_failures_costs_none_that_the_state_counts() -> None:
    rows = rows_of("change_audiences", range(9))
    for number in (1, 3, 4, 7):
        rows[number] = {}
    for deaths in ([dies_at] for dies_at in range(40)):
        files: dict[str, bytes] = {}
        for dies_at in (9, *deaths, None):
            with in_folder(MortalFolder(files, dies_at, 0.3)), suppress(Crash):
                summary = send(Platform(), "change_audiences", rows, state="s", failures="f")
        with in_folder(MortalFolder(files, None, 0)):
            (part,) = bulk.parts_in("s")
        names = [name.removeprefix("memory://job/") for name in part.failures]
        lines = [line for name in names for line in files[name].splitlines(keepends=True)]
        whole = [json.loads(line) for line in lines if line.endswith(b"\n")]
        found = {line["index"] for line in whole if line["outcome"] == "failed"}
        assert len(found) == summary.failed == 4, deaths


def test_failures_survive_the_machine_where_the_state_does(tmp_path: Path) -> None:
    for function, expected in (("upsert_profiles", 0), ("change_audiences", 1)):
        synced: list[int] = []

        def sync(descriptor: int, synced: list[int] = synced) -> None:
            synced.append(os.fstat(descriptor).st_mode)

        with patch.object(os, "fsync", sync):
            send(Platform(), function, [{}], failures=tmp_path / function)
        assert len([mode for mode in synced if S_ISREG(mode)]) == expected


def test_readers_of_a_store_that_shows_half_of_a_file_see_the_state_before() -> None:
    fsspec.register_implementation("odd", OddStore, clobber=True)
    OddStore.contents.clear()
    OddStore.seen.clear()
    platform = Platform()
    send(
        platform,
        "change_audiences",
        rows_of("change_audiences", range(6)),
        state="odd://bucket/job",
    )
    sent = [part.sent for seen in OddStore.seen for part in seen]
    assert sent == sorted(sent)
    assert {0, 2, 4, 6} >= set(sent)
    assert len(set(sent)) >= 3


def test_a_file_that_is_not_written_completely_leaves_the_one_before(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    folder.write("a.json", b"1")
    for module, name in ((os, "replace"), (os, "fsync")):
        failing = patch.object(module, name, side_effect=KeyboardInterrupt)
        with failing, pytest.raises(KeyboardInterrupt):
            folder.write("a.json", b"2", durable=True)
        assert os.listdir(tmp_path) == ["a.json"]
        assert folder.read("a.json") == b"1"


def test_locations_are_paths_or_urls_of_a_store_itself(tmp_path: Path) -> None:
    for location in (tmp_path, str(tmp_path), f"file://{tmp_path}", f"local://{tmp_path}"):
        assert open_folder(location).location == str(tmp_path)
    assert open_folder(f"FILE://{tmp_path}").location == str(tmp_path)
    assert open_folder(f"file:{tmp_path}").location == str(tmp_path)
    assert open_folder("~/state").location == str(Path.home() / "state")
    with pytest.raises(ApiValueError, match=r"neither a path nor a URL .* write dbfs://"):
        open_folder("dbfs:/state")
    for chain in ("simplecache::memory://a/b", "filecache::odd://bucket"):
        with pytest.raises(ApiValueError, match="is a chain of stores"):
            open_folder(chain)
    for wrong in ("file://", "://a", "/a://b"):
        with pytest.raises(ApiValueError, match=r"'file://' has no path|neither a path nor a URL"):
            open_folder(wrong)
    with pytest.raises(ApiTypeError, match=r"no-such-store://a: Protocol not known"):
        open_folder("no-such-store://a")


def test_passwords_in_a_url_are_not_shown() -> None:
    seen = []

    def url_to_fs(url: str, **options: Any) -> tuple[Any, str]:
        seen.append(url)
        return MemoryFileSystem(), "/job"

    with patch("fsspec.core.url_to_fs", url_to_fs):
        folder = open_folder("sftp://anna:sesame@a.test/job")
        for url in ("abfs://box@a.test/job", "hdfs://a.test:8020/job@monday", "s3://a/job@x:y@z"):
            assert open_folder(url).location == url
        for password in ("a/sesame", "a@sesame", "a/b@sesame", "1sesame/", "", "a\nsesame"):
            shown = open_folder(f"sftp://anna:{password}@a.test/job").location
            assert shown == "sftp://anna:***@a.test/job"
    assert seen[0] == "sftp://anna:sesame@a.test/job"
    assert folder.place("a") == "sftp://anna:***@a.test/job/a"
    for wrong in ("ftp://anna:sesame/b@a.test/job", "nosuch://anna:sesame@a.test", "a:sesame\0"):
        with pytest.raises((ApiTypeError, ApiValueError)) as caught:
            open_folder(wrong)
        shown = "".join(traceback.format_exception(caught.value))
        assert ("sesame" in shown) is ("@" not in wrong)


def test_no_message_shows_a_password() -> None:
    for url, error in (
        ("s3:/KEY:sesame@bucket/job", ApiValueError),
        ("s3:KEY:sesame@bucket/job\0", ApiValueError),
        ("sftp://anna:sesame@open@a.test/job\0", ApiValueError),
        ("sftp://anna:sesame@open@a.test/x::memory://b", ApiValueError),
        ("no-such-store://anna:sesame@open@a.test/job", ApiTypeError),
    ):
        for call in (open_folder, bulk.parts_in, lambda url: list(bulk.failures_in(url))):
            with pytest.raises(error) as caught:
                call(url)
            assert "sesame" not in str(caught.value), url
            assert "open" not in str(caught.value), url


def test_the_root_of_a_store_is_no_folder_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for root in ("memory://", "memory:///"):
        MemoryFileSystem.store.clear()
        send(Platform(), "upsert_profiles", [{}], state=root, failures=root)
        assert list(tmp_path.iterdir()) == []
        (part,) = bulk.parts_in(root)
        assert part.complete
        (name,) = part.failures
        for url in (name, name.replace(":///", "://")):
            assert [failure.index for failure in bulk.failures_in(url)] == [0]


def test_failures_are_found_by_every_url_of_a_disk(tmp_path: Path) -> None:
    send(Platform(), "upsert_profiles", [{}], failures=f"file:{tmp_path}")
    (path,) = tmp_path.iterdir()
    for location in (path, str(path), f"file://{path}", f"file:{path}", f"local://{path}"):
        assert [failure.index for failure in bulk.failures_in(location)] == [0]


class BadPath(os.PathLike[str]):
    def __fspath__(self) -> str:
        raise RuntimeError("sesame")


def test_what_is_no_path_is_refused_by_the_call(tmp_path: Path) -> None:
    calls: list[Any] = [bulk.parts_in, bulk.failures_in, bulk.read_failures, SharedLimiter]
    for call in calls:
        for value in (None, 5, b"a", "", ["a"]):
            with pytest.raises(ApiTypeError, match=r"path.*, not"):
                call(value)
        for path in ("a\0b", "\ud800", BadPath()):
            with pytest.raises(ApiValueError):
                call(path)


def test_a_shared_limiter_may_have_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/limit\xff")
    assert SharedLimiter(path).reserve("a") == 0
    assert os.listdir(os.fsencode(tmp_path)) == [b"limit\xff"]


def test_a_url_without_fsspec_says_what_to_install() -> None:
    with patch.dict(sys.modules, {"fsspec": None, "fsspec.core": None}):
        for call in (open_folder, lambda url: list(bulk.parts_in(url))):
            with pytest.raises(ApiTypeError, match=r"s3://a needs fsspec, .* pip install fsspec"):
                call("s3://a")
