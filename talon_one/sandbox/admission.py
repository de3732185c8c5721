"""Admission: at most three requests in flight per session and per profile, the fourth is a 409.

One of the three runs and the others wait for their turn, in the order of their arrival. A request
about a session counts for the session and for its profile, and runs when it is first in both
queues. It joins both in one step, so the oldest request never waits for a younger one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from talon_one.sandbox.errors import ApiError

IN_FLIGHT: Final = 3
"""Requests admitted per session and per profile."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A session or a profile that requests queue for.

    Attributes:
        kind: What it is.
        id: Its integration id.
        scope: What the id belongs to: sessions of two Applications may have the same.
    """

    kind: Literal["session", "profile"]
    id: str
    scope: int = 0


ProfileOf = Callable[[str], "str | None"]
"""Return the profile of a stored session, given its integration id."""
Ids = tuple["str | None", "str | None"]
"""The ids of a session and of a profile, None where a request has none."""


def _session_in_path(path_id: str, body: Any, wrapper: str | None) -> Ids:
    session = body.get(wrapper, {}) if wrapper else body
    return path_id, session.get("profileId")


_FINDERS: Final[Mapping[str, Callable[[str, Any], Ids]]] = MappingProxyType(
    {
        "updateCustomerSessionV2": lambda path_id, body: _session_in_path(
            path_id, body, "customerSession"
        ),
        "updateCustomerSession": lambda path_id, body: _session_in_path(path_id, body, None),
        "returnCartItems": lambda path_id, _: (path_id, None),
        "reopenCustomerSession": lambda path_id, _: (path_id, None),
        "updateCustomerProfileV2": lambda path_id, _: (None, path_id),
        "updateCustomerProfile": lambda path_id, _: (None, path_id),
        "trackEvent": lambda _, body: (body.get("sessionId"), body.get("profileId")),
        "trackEventV2": lambda _, body: (None, body.get("profileId")),
        "trackEventV3": lambda _, body: (body.get("connectedSessionId"), body.get("profileId")),
    }
)


def entities(
    operation_id: str, path_id: str, body: Any, profile_of: ProfileOf, scope: int = 0
) -> tuple[Entity, ...]:
    """Return the session and the profile that a request queues for, in this order.

    Args:
        operation_id: Operation of the request; most do not queue.
        path_id: Id in the path, empty if there is none.
        body: Decoded body of the request.
        profile_of: Looks up the profile of a session, for a body that does not name it.
        scope: Application of the session.
    """
    find = _FINDERS.get(operation_id)
    if find is None:
        return ()
    session, profile = find(path_id, body if isinstance(body, dict) else {})
    if session and profile is None:
        profile = profile_of(session)
    # A request without a profile, or for the anonymous one, queues for no profile.
    found = (session and Entity("session", session, scope), profile and Entity("profile", profile))
    return tuple(entity for entity in found if isinstance(entity, Entity))


class Admission:
    """The queues of one server, for one event loop."""

    def __init__(self) -> None:
        self._queues: dict[Entity, deque[_Ticket]] = {}

    @asynccontextmanager
    async def turn(self, wanted: tuple[Entity, ...]) -> AsyncIterator[None]:
        """Join the queues of the entities, wait to be first in each, and leave them at the end.

        Raises:
            ApiError: 409 if three requests for one of the entities are in flight.
        """
        for entity in wanted:
            if len(self._queues.get(entity, ())) >= IN_FLIGHT:
                raise _too_many(entity)
        ticket = _Ticket(wanted, asyncio.get_running_loop().create_future())
        for entity in wanted:
            self._queues.setdefault(entity, deque()).append(ticket)
        self._call(ticket)
        try:
            await ticket.called
            yield
        finally:
            self._leave(ticket)

    def _leave(self, ticket: _Ticket) -> None:
        # All queues first: the next ticket may wait in both.
        waiting = []
        for entity in ticket.wanted:
            queue = self._queues[entity]
            queue.remove(ticket)
            if queue:
                waiting.append(queue[0])
            else:
                del self._queues[entity]
        for first in waiting:
            self._call(first)

    def _call(self, ticket: _Ticket) -> None:
        if not ticket.called.done() and all(
            self._queues[entity][0] is ticket for entity in ticket.wanted
        ):
            ticket.called.set_result(None)


@dataclass(frozen=True, slots=True, eq=False)
class _Ticket:
    """A request in flight: what it queues for, and whether its turn has come."""

    wanted: tuple[Entity, ...]
    called: asyncio.Future[None]


def _too_many(entity: Entity) -> ApiError:
    message = f"Too many requests are updating this {entity.kind} at the same time"
    return ApiError(409, message, unlisted=True)
