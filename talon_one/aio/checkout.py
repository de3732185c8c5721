"""Checkout for asyncio: `close`, `cancel` and `reopen` of `talon_one.checkout`, awaited.

Cancelling a task in the middle is safe: call the function again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from talon_one.checkout.transitions import (
    Calls,
    StateChange,
    UnexpectedStateError,
    cancelling,
    check_api,
    closing,
    reopening,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from talon_one.aio.api import IntegrationApi
    from talon_one.endpoint import CallSettings
    from talon_one.models import NewCustomerSessionV2

__all__ = ["StateChange", "UnexpectedStateError", "cancel", "close", "reopen"]


async def close(
    api: IntegrationApi,
    session_id: str,
    session: NewCustomerSessionV2 | dict[str, Any] | None = None,
    *,
    response_content: Sequence[str] = (),
    idempotency_key: str | None = None,
    **settings: Unpack[CallSettings],
) -> StateChange:
    """Close a session, unless it is closed already. Makes one or two calls.

    Calls, arguments, result and exceptions are those of `talon_one.checkout.close`.
    """
    check_api(api, asynchronous=True)
    calls = closing(api, session_id, session, response_content, idempotency_key, settings)
    return await _run(calls)


async def cancel(
    api: IntegrationApi,
    session_id: str,
    *,
    response_content: Sequence[str] = (),
    idempotency_key: str | None = None,
    **settings: Unpack[CallSettings],
) -> StateChange:
    """Cancel a session, unless it is cancelled already. Makes one or two calls.

    Calls, arguments, result and exceptions are those of `talon_one.checkout.cancel`.
    """
    check_api(api, asynchronous=True)
    return await _run(cancelling(api, session_id, response_content, idempotency_key, settings))


async def reopen(
    api: IntegrationApi,
    session_id: str,
    *,
    idempotency_key: str | None = None,
    **settings: Unpack[CallSettings],
) -> StateChange:
    """Reopen a closed session, unless it is open already. Makes two calls.

    Calls, arguments, result and exceptions are those of `talon_one.checkout.reopen`.
    """
    check_api(api, asynchronous=True)
    return await _run(reopening(api, session_id, idempotency_key, settings))


async def _run(calls: Calls) -> StateChange:
    """Await the calls of a transition, one after another."""
    try:
        call = next(calls)
        while True:
            try:
                result = await call()
            except BaseException as failure:  # The transition decides how to continue.
                call = calls.throw(failure)
            else:
                call = calls.send(result)
    except StopIteration as end:
        change: StateChange = end.value
        return change
