"""Drafts before they are written: all files together, or none."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from codegen.drift.documents import Document
from codegen.drift.normal_form import normal_form
from codegen.loader import SpecError, load


class ByHand(Exception):
    """A difference that cannot be drafted."""


@dataclass
class Plan:
    """What drafts would change, before anything is written."""

    files: dict[Path, bytes] = field(default_factory=dict)
    drafted: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)


def write(plan: Plan) -> None:
    """Write all files of a plan, or none."""
    originals = {path: path.read_bytes() for path in plan.files}
    prepared: dict[Path, Path] = {}
    replaced: list[Path] = []
    try:
        for path, content in plan.files.items():
            prepared[path] = path.with_name(f".{path.name}.draft")
            prepared[path].write_bytes(content)
            shutil.copymode(path, prepared[path])
        for path, temporary in prepared.items():
            os.replace(temporary, path)
            replaced.append(path)
    except BaseException:
        for path in replaced:
            path.write_bytes(originals[path])
        raise
    finally:
        for temporary in prepared.values():
            with suppress(FileNotFoundError):
                temporary.unlink()


def check(folder: Path, files: dict[Path, bytes]) -> None:
    """Refuse drafts that are no usable description, before anything is written."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "spec"
        shutil.copytree(folder, copy)
        for path, content in files.items():
            (copy / path.relative_to(folder)).write_bytes(content)
        try:
            normal_form(Document("spec", load(copy)))
        except SpecError as cause:
            raise SpecError(
                f"the drafts are not usable, and nothing is written: {cause}"
            ) from cause
