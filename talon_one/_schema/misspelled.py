"""Warn about unknown properties of a request that look misspelled."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from talon_one._utils.callers import frames_of_package
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import Violation, json_path

if TYPE_CHECKING:
    from talon_one._schema.model import Model

_MAX_WARNED = 1024
"""Maximum number of keys that a client remembers."""


class UnknownPropertyWarning(UserWarning):
    """A request has a property that its schema lacks, but that resembles one of the schema.

    The platform ignores unknown properties, so the request succeeds without it.
    """


class UnknownProperty(Violation):
    """A property that looks misspelled. It is sent, because the platform may know it."""


@lru_cache(maxsize=1024)
def typo_hint(cls: type[Model], name: str) -> str:
    """Return the hint for an unknown property of *cls*; empty if it may be a new one."""
    if name in cls._keywords:
        return ""  # A name of earlier releases.
    # Names of version 1 of a schema are as likely as slips, because code is migrated.
    first = _first_version(cls)
    if first is not None and name in first._by_wire:
        hint = did_you_mean(name, cls._by_wire)
        return f"is not a property of {cls.__name__}, but of {first.__name__}.{hint}"
    hint = did_you_mean(name, cls._by_wire, typos_only=True)
    return f"is not a property of {cls.__name__}.{hint}" if hint else ""


def warn(operation_id: str, unknown: Iterable[UnknownProperty], warned: set[str]) -> None:
    """Warn about each property once.

    Args:
        operation_id: What is called.
        unknown: Unknown properties of its body.
        warned: Properties that the client has warned about; updated here.
    """
    for each in unknown:
        key = f"{each.path[-1]} {each.message}"
        if key not in warned and len(warned) < _MAX_WARNED:
            warned.add(key)
            warnings.warn(
                f"{operation_id}: {json_path(each.path)} {each.message} It is sent as it is.",
                UnknownPropertyWarning,
                stacklevel=frames_of_package() + 1,
            )


def _first_version(cls: type[Model]) -> type[Model] | None:
    name = cls.__name__
    if not name.endswith("V2"):
        return None
    package = sys.modules[cls.__module__.rpartition(".")[0]]
    found: type[Model] | None = getattr(package, name.removesuffix("V2"), None)
    return found
