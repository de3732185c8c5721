"""Methods of exports and imports: the operation and the API object behind each."""

from __future__ import annotations

from typing import Any

from talon_one._core.operation import Operation, operation_of
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError


def export_operation(method: Any) -> Operation:
    """Return the operation of a method that exports a table.

    Raises:
        ApiTypeError: *method* exports no table.
    """
    operation = operation_of(method)
    if operation.csv is None or operation.upload is not None:
        raise ApiTypeError(
            f"{operation.id} does not export a table; methods such as export_coupons do"
        )
    return operation


def import_operation(method: Any) -> Operation:
    """Return the operation of a method that imports a table, or of an operation itself.

    Raises:
        ApiTypeError: *method* imports no table.
    """
    operation = method if isinstance(method, Operation) else operation_of(method)
    if operation.csv is None or operation.upload is None:
        raise ApiTypeError(
            f"{operation.id} does not import a table; methods such as import_coupons do"
        )
    return operation


def api_of(method: Any, *, asynchronous: bool) -> Any:
    """Return the API object that a method is bound to.

    Raises:
        ApiTypeError: *method* is not bound, or the API has the other kind of client.
    """
    api = getattr(method, "__self__", None)
    if api is None:
        raise ApiTypeError(
            f"this takes a method of an API object, not of its class: {quoted(method)}"
        )
    if api.api_client.asynchronous is not asynchronous:
        module = "talon_one.tables" if asynchronous else "talon_one.aio.tables"
        raise ApiTypeError(f"with this client, use {module}: {quoted(api)}")
    return api
