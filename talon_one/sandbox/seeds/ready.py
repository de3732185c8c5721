"""Find a seed: one that comes with the sandbox, a YAML file, or a mapping."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeAlias

from talon_one._schema.model import Model
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.sandbox.seeds.errors import SeedError, SeedMistake
from talon_one.sandbox.seeds.prepare import prepare
from talon_one.sandbox.seeds.source import Seed, from_python
from talon_one.sandbox.seeds.yaml_reader import read_yaml

READY: Final = ("quickstart", "fashion")
"""Seeds that come with the sandbox."""

SeedLike: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any]"
"""Name of a seed that comes with the sandbox, a YAML file, or a mapping."""


def read_seed(seed: SeedLike) -> Seed:
    """Return a seed with the places of its values.

    Args:
        seed: Name of a seed that comes with the sandbox, a YAML file, or a mapping, in which
            models of the SDK may stand for objects.

    Raises:
        SeedError: If there is no such seed, or it cannot be read.
    """
    if isinstance(seed, str) and seed in READY:
        text = files("talon_one.sandbox.seeds").joinpath(f"{seed}.yaml").read_text("utf-8")
        return read_yaml(text, f"{seed}.yaml")
    if isinstance(seed, (Mapping, Model)):
        return from_python(seed)
    if not isinstance(seed, (str, os.PathLike)):
        message = f"must be a name, a file or a mapping, not {quoted(seed)}"
        raise SeedError([SeedMistake("", message)])
    name = os.fspath(seed)
    try:
        text = Path(seed).read_text("utf-8")
    except UnicodeDecodeError as cause:
        raise SeedError([SeedMistake("", "the file is not UTF-8")], name) from cause
    except (OSError, ValueError) as cause:
        reason = getattr(cause, "strerror", None) or str(cause)
        known = f"The sandbox comes with {' and '.join(READY)}."
        hint = did_you_mean(Path(name).name, READY)
        message = f"{name!r} cannot be read: {reason}. {known}{hint}"
        raise SeedError([SeedMistake("", message)]) from cause
    return read_yaml(text, name)


def first_seed(seed: SeedLike) -> Mapping[str, Any]:
    """Return a seed that is ready to be planted into an empty sandbox.

    Raises:
        SeedError: If there is no such seed, or it has mistakes.
    """
    if isinstance(seed, str) and seed in READY:
        return _ready(seed)
    return prepare(read_seed(seed))


@cache
def _ready(name: str) -> Mapping[str, Any]:
    return prepare(read_seed(name))
