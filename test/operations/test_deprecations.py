"""Deprecated operations say so, once for each call, and point at the caller."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

from operations.arguments import arguments, payload
from support.every import for_every
from support.shells import Shell
from support.spec import OPERATIONS, Operation

_DEPRECATED = [each for each in OPERATIONS if each.deprecated]
_CURRENT = [each for each in OPERATIONS if not each.deprecated]


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
    assert str(warning.message) == f"{operation.id} is deprecated"
    assert warning.filename == (shell.caller if shell.awaits else __file__)


@for_every("operation", _CURRENT)
def test_other_operations_do_not_warn(method: Callable[..., Any], operation: Operation) -> None:
    given = {**arguments(operation), **payload(operation)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        method(operation)(**given)
