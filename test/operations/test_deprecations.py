"""Deprecated operations say so, once for each call, and point at the caller."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import talon_one
from operations.arguments import arguments, payload
from support.every import for_every
from support.shells import Shell
from support.spec import OPERATIONS, Operation
from talon_one import aio

_DEPRECATED = [each for each in OPERATIONS if each.deprecated]
_CURRENT = [each for each in OPERATIONS if not each.deprecated]


def message(operation: Operation) -> str:
    """Return what is to be said, by the description of the API."""
    found = [each for each in OPERATIONS if each.id == operation.replaced_by]
    names = [
        each.name if each.api == operation.api else f"{each.api}.{each.name}" for each in found
    ]
    return f"{operation.id} is deprecated" + "".join(f"; use {name}" for name in names)


def test_a_description_that_names_a_replacement_is_obeyed() -> None:
    named = {each.id for each in _DEPRECATED if "Newer code uses `" in each.description}
    assert named
    assert named <= {each.id for each in _DEPRECATED if each.replaced_by}


@pytest.mark.parametrize("package", [talon_one, aio])
@pytest.mark.parametrize("suffix", ["", "_with_http_info", "_without_preload_content"])
def test_tools_see_which_methods_are_deprecated(package: Any, suffix: str) -> None:
    found = {
        (each.id, name): getattr(
            getattr(getattr(package, each.api), name + suffix), "__deprecated__", None
        )
        for each in OPERATIONS
        for name in each.names
    }
    assert found == {
        (each.id, name): message(each) if each.deprecated else None
        for each in OPERATIONS
        for name in each.names
    }


@pytest.mark.parametrize("suffix", ["", "_with_http_info", "_without_preload_content"])
@for_every("operation", _DEPRECATED)
def test_a_deprecated_operation_warns_once_and_points_at_the_caller(
    method: Callable[..., Any], shell: Shell, operation: Operation, suffix: str
) -> None:
    given = {**arguments(operation, everything=False), **payload(operation)}
    call = method(operation, suffix)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call(**given)
    if suffix == "_without_preload_content":
        result.close()
    (warning,) = caught
    assert warning.category is DeprecationWarning
    assert str(warning.message) == message(operation)
    assert warning.filename == (shell.caller if shell.awaits else __file__)


@for_every("operation", _CURRENT)
def test_other_operations_do_not_warn(method: Callable[..., Any], operation: Operation) -> None:
    given = {**arguments(operation), **payload(operation)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        method(operation)(**given)
