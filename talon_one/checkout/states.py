"""Close, cancel and reopen a session once, however often the functions are called.

Each function makes calls of the API: one that changes the state, and one that reads the session if
the first was refused, or does not return it. A session that is in the state already is a success.
So a job may simply call again after a lost response, a crash, or in a second worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from talon_one.checkout.transitions import (
    Calls,
    StateChange,
    cancelling,
    check_api,
    closing,
    reopening,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from talon_one.api import IntegrationApi
    from talon_one.endpoint import CallSettings
    from talon_one.models import NewCustomerSessionV2


def close(
    api: IntegrationApi,
    session_id: str,
    session: NewCustomerSessionV2 | dict[str, Any] | None = None,
    *,
    response_content: Sequence[str] = (),
    idempotency_key: str | None = None,
    **settings: Unpack[CallSettings],
) -> StateChange:
    """Close a session, unless it is closed already. Makes one or two calls.

    A partially returned session was closed before, so it counts as closed. The content of *session*
    is ignored then. The platform creates a session that does not exist, and closes it.
    Stands for the operation updateCustomerSessionV2, and for getCustomerSession if that is refused.

    Args:
        api: Integration API.
        session_id: ID of the session.
        session: Final content, such as cart items and coupon codes; what it leaves out keeps its
            value.
        response_content: What `StateChange.response` should contain beside the session.
        idempotency_key: Key of this closing, at most 255 characters. If a session may be reopened,
            each closing needs a key of its own: for 24 hours the server does not execute a request
            with the same key again. Without a key, each call gets one.
        settings: Settings of the calls. ``_deadline`` is that of both together.

    Returns:
        The session, the effects, and whether this call closed it. Look at the effects: a code that
        was accepted before may be rejected by now.

    Raises:
        ApiException: A call failed. If the session is cancelled, or its content is refused, that is
            the exception of the update. After every other, it is safe to call again.
        UnexpectedStateError: The update succeeded, but the session is in another state.
        ApiTypeError: An argument has the wrong type; `ApiValueError` if only its value is wrong.
    """
    check_api(api, asynchronous=False)
    return _run(closing(api, session_id, session, response_content, idempotency_key, settings))


def cancel(
    api: IntegrationApi,
    session_id: str,
    *,
    response_content: Sequence[str] = (),
    idempotency_key: str | None = None,
    **settings: Unpack[CallSettings],
) -> StateChange:
    """Cancel a session, unless it is cancelled already. Makes one or two calls.

    An open, closed or partially returned session can be cancelled. The platform rolls back what
    closing it did, and never changes the session again. Stands for the operation
    updateCustomerSessionV2, and for getCustomerSession if that is refused.

    Args:
        api: Integration API.
        session_id: ID of the session.
        response_content: What `StateChange.response` should contain beside the session.
        idempotency_key: Key of this cancellation, at most 255 characters. Without a key, each call
            gets one.
        settings: Settings of the calls. ``_deadline`` is that of both together.

    Returns:
        The session, the effects that were rolled back, and whether this call cancelled it.

    Raises:
        NotFoundException: There is no such session.
        ApiException: A call failed. It is safe to call again.
        UnexpectedStateError: The update succeeded, but the session is in another state.
        ApiTypeError: An argument has the wrong type; `ApiValueError` if only its value is wrong.
    """
    check_api(api, asynchronous=False)
    return _run(cancelling(api, session_id, response_content, idempotency_key, settings))


def reopen(
    api: IntegrationApi,
    session_id: str,
    *,
    idempotency_key: str | None = None,
    **settings: Unpack[CallSettings],
) -> StateChange:
    """Reopen a closed session, unless it is open already. Makes two calls.

    Stands for the operations reopenCustomerSession and getCustomerSession. A cancelled or partially
    returned session cannot be reopened.

    Args:
        api: Integration API.
        session_id: ID of the session.
        idempotency_key: Key of this reopening, at most 255 characters; each needs its own, see
            `close`. If the response is lost and the next call has the same key, the result has the
            effects that were rolled back. Without a key it has those that still hold.
        settings: Settings of the calls. ``_deadline`` is that of both together.

    Returns:
        The session, the effects that were rolled back, and whether this call reopened it.

    Raises:
        NotFoundException: There is no such session.
        ApiException: A call failed. If the session cannot be reopened, that is the exception of
            reopening it. After every other, it is safe to call again.
        UnexpectedStateError: The session is not open, although reopening it succeeded.
        ApiTypeError: An argument has the wrong type; `ApiValueError` if only its value is wrong.
    """
    check_api(api, asynchronous=False)
    return _run(reopening(api, session_id, idempotency_key, settings))


def _run(calls: Calls) -> StateChange:
    """Make the calls of a transition in this thread."""
    try:
        call = next(calls)
        while True:
            try:
                result = call()
            except BaseException as failure:  # The transition decides how to continue.
                call = calls.throw(failure)
            else:
                call = calls.send(result)
    except StopIteration as end:
        change: StateChange = end.value
        return change
