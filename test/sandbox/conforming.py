"""Responses of the sandbox, compared with the description of the operation that was called."""

from __future__ import annotations

from typing import Any

from talon_one._core.operation import ERROR_MODEL, Operation
from talon_one.sandbox.contract.conformance import violations
from talon_one.sandbox.contract.operations import find
from talon_one.sandbox.errors import ApiError


def assert_conforms(method: str, target: str, status: int, body: Any) -> None:
    """Fail unless a response is one that the description knows; `body` is None if it is empty."""
    path, _, query = target.partition("?")
    if path.startswith("/_sandbox/"):
        return  # The sandbox's own.
    operation = _described(method, path)
    if operation is None:
        assert status >= 400, f"there is no {method} {path}"
        written: str | None = ERROR_MODEL
    elif status >= 300:
        written = operation.errors.get(status, ERROR_MODEL)
    else:
        assert status in operation.results, f"{operation.id} documents no {status}"
        written = operation.results[status]
    if written is None:
        assert body is None, f"{operation} has no body with {status}"
        return
    found = violations(written, body)
    if "valuesOnly=true" in query:  # With this parameter, coupons are nothing but their codes.
        found = [each for each in found if not each.startswith("/data/")]
    assert found == [], f"{method} {path}: {status} does not match {written}"


def is_management(method: str, target: str) -> bool:
    """Return whether a request is one of the Management API."""
    operation = _described(method, target.partition("?")[0])
    managed = target.startswith(("/v1/applications", "/_sandbox/"))
    return managed if operation is None else "management_key" in operation.security


def _described(method: str, path: str) -> Operation | None:
    try:
        return find(method, path)[0]
    except ApiError:
        return None
