"""Transitions of a session, without I/O: what to call, and what the responses mean.

A transition is a generator of calls. `talon_one.checkout.states` makes them one after another,
`talon_one.aio.checkout` awaits them. Each sends the result of a call back, or throws its exception.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from talon_one._core.hooks import logger
from talon_one._schema.model import Model
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.effects.extraction import effects_of
from talon_one.exceptions import (
    ApiException,
    ApiTypeError,
    ApiValueError,
    NotFoundException,
    OpenApiException,
)
from talon_one.models import (
    CustomerSessionV2,
    Effect,
    IntegrationRequest,
    NewCustomerSessionV2,
)

if TYPE_CHECKING:
    from talon_one.models import IntegrationStateV2, ReopenSessionResponse

Call = Callable[[], Any]
Calls = Generator[Call, Any, "StateChange"]
"""Yields calls of an API, receives their results, and returns what has become of the session."""

# The platform does not document by which status and text it refuses a transition. After each of
# these the state of the session decides. Any of them means that this attempt changed nothing.
_REFUSALS = frozenset({400, 409, 422})
_SESSION = "customerSession"
# Settings that make a method return something other than its decoded response.
_UNUSABLE = ("async_req", "_preload_content", "_return_http_data_only")
_NO_TIME = 1e-6

_OPEN = frozenset({"open"})
# A partial return needs a closed session, so closing has happened.
_CLOSED = frozenset({"closed", "partially_returned"})
_CANCELLED = frozenset({"cancelled"})


@dataclass(frozen=True)
class StateChange:
    """What has become of a session that was to be closed, cancelled or reopened."""

    session: CustomerSessionV2 | None
    """The session in its state now. ``None`` only if the state was changed and the session could
    not be read afterwards; the log says why."""
    effects: list[Effect]
    """If `changed`, the effects of the response: those of closing, or those that were rolled back.
    Otherwise the effects that still hold for the session."""
    changed: bool
    """Whether this call changed the state. ``False`` if the session was in it already. That may
    also be the work of an earlier attempt whose response was lost."""
    response: IntegrationStateV2 | ReopenSessionResponse | None = None
    """The response that changed the state, such as for what `response_content` asked for."""


class UnexpectedStateError(OpenApiException, RuntimeError):
    """The call succeeded, but the session is in another state.

    Mostly the idempotency key belongs to an earlier request, and the server returned the stored
    response to that one. Or something else changed the session in between.

    Attributes:
        change: The response and the session.
        expected: The state that the session should have.
    """

    def __init__(self, change: StateChange, expected: str) -> None:
        state = change.session.state if change.session is not None else None
        super().__init__(
            f"the call succeeded, but the session is {quoted(state)}, not {expected!r}: is its"
            " idempotency key that of an earlier request?"
        )
        self.change: StateChange = change
        self.expected: str = expected

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.change, self.expected)


def closing(
    api: Any,
    session_id: str,
    session: NewCustomerSessionV2 | dict[str, Any] | None,
    response_content: Sequence[str],
    idempotency_key: str | None,
    settings: Mapping[str, Any],
) -> Calls:
    """Return the calls that close a session; see `talon_one.checkout.close`."""
    update = _update(api, session_id, session, "closed", response_content, idempotency_key)
    return _transition(api, session_id, update, _CLOSED, settings, may_be_new=True)


def cancelling(
    api: Any,
    session_id: str,
    response_content: Sequence[str],
    idempotency_key: str | None,
    settings: Mapping[str, Any],
) -> Calls:
    """Return the calls that cancel a session; see `talon_one.checkout.cancel`."""
    update = _update(api, session_id, None, "cancelled", response_content, idempotency_key)
    return _transition(api, session_id, update, _CANCELLED, settings)


def reopening(
    api: Any, session_id: str, idempotency_key: str | None, settings: Mapping[str, Any]
) -> Calls:
    """Return the calls that reopen a session; see `talon_one.checkout.reopen`."""
    call = partial(
        _method(api, "reopen_customer_session"), session_id, idempotency_key=idempotency_key
    )
    return _transition(api, session_id, call, _OPEN, settings)


def check_api(api: object, *, asynchronous: bool) -> None:
    """Check that an API has a client of the right kind.

    Raises:
        ApiTypeError: It has one of the other kind.
    """
    with guarded("the API"):
        kind = getattr(getattr(api, "api_client", None), "asynchronous", None)
    # A mock of an API has another mock in place of this.
    if type(kind) is bool and kind is not asynchronous:
        module = "talon_one.aio.checkout" if kind else "talon_one.checkout"
        raise ApiTypeError(f"with this client, use {module}: {quoted(api)}")


def _transition(
    api: Any,
    session_id: str,
    change: Callable[..., Any],
    reached: frozenset[str],
    settings: Mapping[str, Any],
    *,
    may_be_new: bool = False,
) -> Calls:
    """Yield the calls of a transition.

    Args:
        api: Integration API.
        session_id: ID of the session.
        change: Makes the call that changes the state, given the settings of a call.
        reached: States in which the transition has happened.
        settings: Settings of the calls; a deadline is that of all calls together.
        may_be_new: Whether the platform creates a session that does not exist.
    """
    for name in _UNUSABLE:
        if name in settings:
            raise ApiTypeError(f"{name} cannot be used here: the response decides what follows")
    remaining = _budget(api, settings)
    read = _method(api, "get_customer_session")

    def read_call() -> Call:
        return partial(read, session_id, **remaining())

    try:
        response = yield partial(change, **remaining())
    except ApiException as refusal:
        if refusal.status not in _REFUSALS:
            raise
        try:
            stored = yield read_call()
        except NotFoundException as missing:
            if may_be_new:
                # It was not created, so the refusal is about its content.
                raise refusal from None
            raise missing from refusal
        except OpenApiException as failure:
            # Whether the session is in the state already is unknown, and the call can be repeated.
            raise failure from refusal
        session = _session_in(stored)
        if session is None or not _is_in(session, reached):
            raise
        return StateChange(session, effects_of(stored), changed=False)
    session = _session_in(response)
    if session is None:
        try:
            session = _session_in((yield read_call()))
        except OpenApiException as failure:
            # Its state was changed: the effects of that must not be lost.
            logger.warning("the session was changed, but could not be read: %s", failure)
    done = StateChange(session, effects_of(response), changed=True, response=response)
    if session is not None and not _is_in(session, reached):
        raise UnexpectedStateError(done, min(reached))
    return done


def _update(
    api: Any,
    session_id: str,
    session: NewCustomerSessionV2 | dict[str, Any] | None,
    state: str,
    response_content: Sequence[str],
    idempotency_key: str | None,
) -> Callable[..., Any]:
    """Return the call that updates a session to a state."""
    with guarded("the session"):
        content = _with_state(session, state)
    if isinstance(response_content, str) or not isinstance(response_content, Sequence):
        raise ApiTypeError(f"response_content is a list of names, not {quoted(response_content)}")
    with guarded("response_content"):
        wanted = [_SESSION, *(each for each in response_content if each != _SESSION)]
    request = IntegrationRequest(customer_session=content, response_content=wanted)  # type: ignore[arg-type]  # checked before it is sent
    method = _method(api, "update_customer_session_v2")
    return partial(method, session_id, request, idempotency_key=idempotency_key)


def _with_state(
    session: NewCustomerSessionV2 | dict[str, Any] | None, state: str
) -> NewCustomerSessionV2:
    """Return a copy of the content of a session, with its new state."""
    if session is None:
        content = NewCustomerSessionV2()
    elif isinstance(session, NewCustomerSessionV2):
        content = copy(session)
    elif isinstance(session, Mapping) and not isinstance(session, Model):
        if _SESSION in session or "customer_session" in session:
            raise ApiTypeError("session is the content of customerSession, not a whole request")
        content = NewCustomerSessionV2.from_dict(session)
    else:
        raise ApiTypeError(
            f"session is a NewCustomerSessionV2 or a dict, not {type(session).__name__}"
        )
    given: object = content.state
    if given not in (None, state):
        raise ApiValueError(f"the state of the session is {quoted(given)}; leave it out")
    content.state = state  # type: ignore[assignment]  # one of its values
    return content


def _budget(api: Any, settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Return a function that returns the settings of the next call, with the time left."""
    deadline = settings.get("_deadline")
    if type(deadline) not in (int, float):
        return lambda: dict(settings)  # The call explains a deadline that is no number.
    monotonic = api.api_client.clock.monotonic
    try:
        end = monotonic() + deadline
    except OverflowError:
        return lambda: dict(settings)
    first = True

    def remaining() -> dict[str, Any]:
        nonlocal first
        left = deadline if first else max(end - monotonic(), _NO_TIME)
        first = False
        return {**settings, "_deadline": left}

    return remaining


def _method(api: Any, name: str) -> Callable[..., Any]:
    with guarded("the API"):
        found: Callable[..., Any] | None = getattr(api, name, None)
    if not callable(found):
        raise ApiTypeError(f"this takes an IntegrationApi, not {quoted(api)}")
    return found


def _session_in(response: Any) -> CustomerSessionV2 | None:
    found = getattr(response, "customer_session", None)
    return found if isinstance(found, CustomerSessionV2) else None


def _is_in(session: CustomerSessionV2, states: frozenset[str]) -> bool:
    state: object = session.state
    return isinstance(state, str) and state in states
