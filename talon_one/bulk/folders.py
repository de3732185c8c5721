"""Folders that outlive a process: on disk, or in an object store through fsspec."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError

Location = str | os.PathLike[str]
"""Path of a folder, or its URL for fsspec, such as ``s3://bucket/night``."""

# An object store cannot append, so the last object is written again until it has this size.
_MAX_SEGMENT = 1024 * 1024


class Appender(ABC):
    """Text that grows. What `flush` has written survives the process."""

    @abstractmethod
    def write(self, content: bytes) -> None:
        """Add bytes, which may be lost until the next `flush`."""

    @abstractmethod
    def flush(self) -> None:
        """Write everything added so far."""

    @abstractmethod
    def close(self) -> None:
        """Flush, and release the file."""

    @abstractmethod
    def remove_superseded(self) -> None:
        """Remove what `names` does not name any more, once nothing else names it."""

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """Names of the files with content, relative to the folder."""


class Folder(ABC):
    """A folder of small files.

    On disk and in an object store, a file appears, and is replaced, as a whole. Other file systems
    that fsspec knows may show half of one while it is written.
    """

    location: str
    """Path or URL of the folder."""

    @abstractmethod
    def names(self, within: str = "") -> list[str]:
        """Return the names of the files and folders in a folder below this one, sorted."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return a file.

        Raises:
            FileNotFoundError: There is none.
        """

    @abstractmethod
    def write(self, name: str, content: bytes, *, durable: bool = False) -> None:
        """Write or replace a file.

        Args:
            name: Path of the file below the folder. Missing folders are made.
            content: The whole file.
            durable: Have it survive the machine as well, where that takes time.
        """

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file."""

    @abstractmethod
    def appender(self, name: str, *, durable: bool = False) -> Appender:
        """Return a new file that grows. Nothing is made before something is written to it.

        Args:
            name: Path of the file below the folder, or the beginning of those of several files.
            durable: Have what is flushed survive the machine as well, where that takes time.
        """

    def place(self, name: str) -> str:
        """Return the path or URL of a file."""
        return f"{self.location}/{name}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.location}>"


def open_folder(location: Location) -> Folder:
    """Return the folder of a path or URL. It need not exist.

    Raises:
        ApiTypeError: It is no path or URL, or fsspec is needed and not installed.
        ApiValueError: No path can have these characters, or the URL is a chain of stores.
    """
    text = path_text(location, "folder", "a folder is a path or a URL")
    url = _URL.match(text)
    if url is None and "://" not in text:
        return _Disk(os.path.expanduser(text))
    scheme = url[1].lower() if url else ""
    if url and scheme in ("file", "local"):
        path = text[url.end(2) :]
        if not path:
            raise ApiValueError(f"{quoted(text)} has no path")
        return _Disk(path)
    if not (url and url[3]) and "::" not in text:
        raise ApiValueError(
            f"{quoted(without_password(text))} is neither a path nor a URL for fsspec, which has"
            f" //: write {scheme or 's3'}://..., or the path where that store is mounted"
        )
    return _ObjectStore(text)


def path_text(location: Any, noun: str, expected: str) -> str:
    """Return a path or URL as text.

    Args:
        location: Text, or an object that stands for a path.
        noun: What is there.
        expected: What it should be, for the message.

    Raises:
        ApiTypeError: It is neither, or empty.
        ApiValueError: No path can have these characters.
    """
    with guarded("the path"):
        text = os.fspath(location) if isinstance(location, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text:
        raise ApiTypeError(f"{expected}, not {quoted(location)}")
    try:
        valid = b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        valid = False
    if not valid:
        raise ApiValueError(f"no {noun} can be named {quoted(without_password(text))}")
    return text


def is_url(text: str) -> bool:
    """Return whether `open_folder` takes a text as a URL."""
    return "://" in text or _URL.match(text) is not None


# The scheme has two letters or more, because drives of Windows have one.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(:(?:(//)|(?=/)))")
# Slashes may be missing by mistake, and the password may have any characters that are not encoded.
# Digits before a slash are a port.
_PASSWORD = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+:/*[^/@:]*):(?!\d*/).*@", re.DOTALL)


def without_password(url: str) -> str:
    """Return a URL without the password of its user, if it has one."""
    return _PASSWORD.sub(r"\1:***@", url)


# -- On disk ---------------------------------------------------------------------------------------


class _Disk(Folder):
    def __init__(self, path: str) -> None:
        self.location = os.path.abspath(path)
        self._root = Path(self.location)

    def names(self, within: str = "") -> list[str]:
        try:
            found = os.listdir(self._root / within)
        except FileNotFoundError:
            return []
        # A name with a dot in front is a file that is being written.
        return sorted(name for name in found if not name.startswith("."))

    def read(self, name: str) -> bytes:
        return (self._root / name).read_bytes()

    def write(self, name: str, content: bytes, *, durable: bool = False) -> None:
        target = self._root / name
        partial = target.with_name(f".{target.name}.{uuid4().hex}.part")
        try:
            with _made(partial, "xb") as file:
                file.write(content)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(partial, target)
            if durable:
                _sync_names(target.parent)
        except BaseException:  # Ctrl-C, too, must leave no half of a file.
            with suppress(OSError):
                partial.unlink()
            raise

    def remove(self, name: str) -> None:
        (self._root / name).unlink()

    def appender(self, name: str, *, durable: bool = False) -> Appender:
        return _GrowingFile(self._root, name, durable)


class _GrowingFile(Appender):
    def __init__(self, root: Path, name: str, durable: bool) -> None:
        self._path = root / name
        self._name = name
        self._durable = durable
        self._file: Any = None
        self._is_flushed = True

    def write(self, content: bytes) -> None:
        if self._file is None:
            self._file = _made(self._path, "xb")
            if self._durable:
                _sync_names(self._path.parent)
        self._is_flushed = False
        self._file.write(content)

    def flush(self) -> None:
        if self._is_flushed:
            return
        self._file.flush()
        if self._durable:
            os.fsync(self._file.fileno())
        self._is_flushed = True

    def close(self) -> None:
        if self._file is not None:
            try:
                self.flush()
            finally:
                self._file.close()

    def remove_superseded(self) -> None:
        pass

    @property
    def names(self) -> list[str]:
        return [] if self._file is None else [self._name]


def _made(path: Path, mode: str) -> Any:
    """Open a file. Its folder is made only if it is missing, because it rarely is."""
    try:
        return open(path, mode)
    except FileNotFoundError:
        _make_folder(path.parent)
        return open(path, mode)


def _make_folder(path: Path) -> None:
    if not path.is_dir():
        _make_folder(path.parent)
        path.mkdir(exist_ok=True)
        _sync_names(path.parent)


def _sync_names(folder: Path) -> None:
    """Have the names in a folder survive the machine, too, where the system can do that."""
    with suppress(OSError):  # Windows opens no folders, and some disks on a network sync none.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# -- Behind fsspec ---------------------------------------------------------------------------------


class _ObjectStore(Folder):
    def __init__(self, url: str) -> None:
        scheme, separator, path = url.partition("://")
        # Without its slashes, the root of a store would be a folder of this machine.
        url = f"{scheme}{separator}{path.rstrip('/')}"
        self.location = without_password(url)
        try:
            from fsspec.core import url_to_fs
        except ImportError as cause:
            raise ApiTypeError(
                f"{self.location} needs fsspec, and its package for that store: pip install fsspec"
            ) from cause
        if "::" in url:
            raise ApiValueError(
                f"{self.location} is a chain of stores, and a copy of one may be out of date: name"
                " the store itself"
            )
        try:
            # An object of its own, so that its copies of listings can be dropped.
            self._store, root = url_to_fs(url, skip_instance_cache=True)
        except (ImportError, ValueError) as cause:  # No package for that store, or none known.
            if self.location == url:
                raise ApiTypeError(f"{self.location}: {cause}") from cause
            # Its message may quote a part of the password.
            raise ApiTypeError(f"{self.location}: {type(cause).__name__}") from None
        self._root = root.rstrip("/")

    def names(self, within: str = "") -> list[str]:
        folder = f"{self._root}/{within}" if within else self._root
        # Copies of listings would hide the files of other processes. Not every store has an option
        # to keep none.
        self._store.invalidate_cache()
        try:
            found = self._store.ls(folder, detail=False)
        except FileNotFoundError:
            return []
        names = {each.rstrip("/").rpartition("/")[2] for each in found}
        return sorted(name for name in names if name and not name.startswith("."))

    def read(self, name: str) -> bytes:
        content: bytes = self._store.cat_file(f"{self._root}/{name}")
        return content

    def write(self, name: str, content: bytes, *, durable: bool = False) -> None:
        target = f"{self._root}/{name}"
        try:
            self._store.pipe_file(target, content)
        except FileNotFoundError:  # Not an object store: folders have to be made.
            self._store.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._store.pipe_file(target, content)

    def remove(self, name: str) -> None:
        self._store.rm_file(f"{self._root}/{name}")

    def appender(self, name: str, *, durable: bool = False) -> Appender:
        return _Segments(self, name)


class _Segments(Appender):
    """Objects that are written once they are large enough; until then, the last one again.

    It is written to two files in turn. A store may show half of a file that is written, and leave
    it if the process dies. The file of the flush before, which a state may name, stays whole.
    """

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder = folder
        self._stem, dot, suffix = name.rpartition(".")
        self._suffix = dot + suffix
        self._names: list[str] = []
        self._superseded: set[str] = set()
        self._segment = bytearray()
        self._written = 0
        self._count = 0
        self._turn = 0

    def write(self, content: bytes) -> None:
        if len(self._segment) >= _MAX_SEGMENT:
            self.flush()
            self._segment.clear()
            self._written = self._turn = 0
            self._count += 1
        self._segment += content

    def flush(self) -> None:
        if len(self._segment) == self._written:
            return
        name = f"{self._stem}.{self._count:04}.{self._turn % 2}{self._suffix}"
        self._folder.write(name, bytes(self._segment))
        # Only now: if writing fails, the next flush writes the same file, not the good one.
        self._superseded.update(self._names[self._count :])
        self._superseded.discard(name)
        self._names[self._count :] = [name]
        self._written = len(self._segment)
        self._turn += 1

    def close(self) -> None:
        self.flush()

    def remove_superseded(self) -> None:
        while self._superseded:
            self._folder.remove(self._superseded.pop())

    @property
    def names(self) -> list[str]:
        return list(self._names)
