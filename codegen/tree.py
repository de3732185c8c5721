"""Generated files on disk: compare them, write them, delete stale ones."""

from __future__ import annotations

from pathlib import Path

from codegen import __version__
from codegen.render import Files

RECORD = ".openapi-generator/FILES"
VERSION = ".openapi-generator/VERSION"


def with_record(files: Files) -> Files:
    """Return *files* together with a record of them and of the generator version."""
    paths = sorted([*files, RECORD, VERSION])
    record = "".join(f"{path}\n" for path in paths)
    return {**files, RECORD: record, VERSION: f"{__version__}\n"}


def differences(root: Path, files: Files) -> list[str]:
    """Return the paths that are missing, different or stale, each with the reason."""
    found = []
    for path, content in sorted(files.items()):
        target = root / path
        if not target.is_file():
            found.append(f"{path}: missing")
        elif target.read_bytes() != content.encode():
            found.append(f"{path}: different")
    return found + [f"{path}: stale" for path in stale(root, files)]


def write(root: Path, files: Files) -> str:
    """Write *files*, delete other generated files, and say how many of each there were."""
    deleted = stale(root, files)
    for path in deleted:
        (root / path).unlink()
    written = 0
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file() or target.read_bytes() != content.encode():
            target.write_bytes(content.encode())
            written += 1
    unchanged = len(files) - written
    return f"{written:,} written, {len(deleted):,} deleted, {unchanged:,} unchanged"


def stale(root: Path, files: Files) -> list[str]:
    """Return generated files that are not among *files*.

    These are files of the record, and files in folders that hold only generated ones, because the
    record may be lost or edited.
    """
    record = root / RECORD
    written = set(record.read_text(encoding="utf-8").split("\n")) if record.is_file() else set()
    folders = {Path(path).parent for path in files if "/models/" in path or "/api/" in path}
    for folder in folders:
        found = (root / folder).glob("*.py*")
        written.update(path.relative_to(root).as_posix() for path in found if path.is_file())
    return sorted(path for path in written - files.keys() - {""} if (root / path).is_file())
