"""Entity queues: calls about one session or profile wait for each other. No I/O.

A place in a queue belongs to a call. It is free again when the call leaves, or when nothing holds
its `Ticket` any more: an exception from a signal handler may end a call between any two bytecodes,
where no ``finally`` helps. Queues therefore hold weak references, and every change below may be
interrupted anywhere and made again.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice

from talon_one.exceptions import ConfigurationError

Entity = tuple[str, str]
"""What the platform serializes calls by, such as ``("profile", "anna")``."""
_Change = Callable[[frozenset[Entity], "weakref.ref[Ticket]", "Ticket | None"], None]


class Ticket:
    """The place of one call in the queues of its session and profile; only that call holds it.

    Args:
        entities: What it is about.
        wake: Called when the call may be sent, in any thread and possibly from the garbage
            collector. It returns ``False`` if the call will not be continued.
    """

    __slots__ = ("__weakref__", "admitted", "entities", "place", "wake", "woken")

    def __init__(self, entities: Iterable[Entity], wake: Callable[[], object]) -> None:
        self.entities = frozenset(entities)
        self.wake = wake
        self.admitted: set[Entity] = set()
        """Queues in which it is among the first."""
        self.woken = False
        self.place: _Place | None = None

    @property
    def ready(self) -> bool:
        """Whether it is among the first in all its queues."""
        return len(self.admitted) == len(self.entities)


class _Place(weakref.ref[Ticket]):
    """The weak reference that queues hold; it outlives the ticket, to be removed."""

    __slots__ = ()
    __hash__ = object.__hash__
    __eq__ = object.__eq__


class _Lease:
    """The right to change the queues. It is free again when the lease is deleted, however."""

    __slots__ = ("__weakref__",)


class EntityQueues:
    """A queue per session and per profile; only the first calls of a queue may be sent.

    There is no deadlock: a call joins all its queues in one step, so that the oldest call of all is
    among the first in each of its queues.

    Args:
        limit: How many calls about the same session or profile may be in flight.

    Raises:
        ConfigurationError: *limit* is not a number above 0.
    """

    def __init__(self, limit: int) -> None:
        if not isinstance(limit, int) or limit < 1:
            raise ConfigurationError(
                f"calls_per_id is a number of calls, at least 1, not {limit!r}"
            )
        self._limit = limit
        self._queues: dict[Entity, dict[weakref.ref[Ticket], None]] = {}
        # Pending changes of the queues, in order. A weak reference that dies calls `_gone` in any
        # thread, even in the middle of a change, where it must not wait for a lock. So one thread
        # at a time makes the changes of all threads, and none waits for it.
        self._changes: deque[tuple[_Change, weakref.ref[Ticket], frozenset[Entity], Ticket | None]]
        self._changes = deque()
        # Holds the lease; `dict.setdefault` compares and sets in one step.
        self._holder: dict[None, weakref.ref[_Lease]] = {}

    def join(self, ticket: Ticket) -> bool:
        """Take the last place in the queues; return whether the call may be sent now."""
        ticket.place = place = _Place(ticket, partial(self._gone, ticket.entities))
        self._changes.append((self._add, place, ticket.entities, None))
        self._carry_out(ticket)
        return ticket.ready

    def leave(self, ticket: Ticket) -> None:
        """Give up the place, whether it was used or not, and wake the calls that move up."""
        if ticket.place is None:
            return
        try:
            # The change keeps the ticket longer than its place, so that `_gone` is not called: it
            # would swallow an exception from a signal handler.
            self._changes.append((self._remove, ticket.place, ticket.entities, ticket))
            ticket.place = None
            self._carry_out()
        except BaseException:
            self._carry_out()  # The change, which keeps the ticket, must not stay there.
            raise

    def _gone(self, entities: frozenset[Entity], place: weakref.ref[Ticket]) -> None:
        """Remove the place of a call that has ended without leaving."""
        self._changes.append((self._remove, place, entities, None))
        self._carry_out()

    def _carry_out(self, own: Ticket | None = None) -> None:
        """Make all pending changes, unless another thread, or a frame below, is doing so.

        Args:
            own: Ticket of the caller, which need not be woken.
        """
        # In this order, so that weak references are deleted before their objects: their callbacks
        # would swallow an exception from a signal handler.
        held = lease = place = _kept = None
        try:
            while self._changes:
                held = None
                lease = _Lease()
                held = weakref.ref(lease, self._release)
                if self._holder.setdefault(None, held) is not held:
                    return  # The holder looks for changes again after its release.
                while self._changes:
                    change, place, entities, _kept = self._changes[0]
                    change(entities, place, own)
                    self._changes.popleft()  # Only now: an interrupted change is made again.
                self._holder.pop(None, None)
        except BaseException:  # From a signal handler; the traceback may keep the lease alive.
            self._release(held)
            raise

    def _release(self, held: weakref.ref[_Lease] | None) -> None:
        """Continue without the holder of a lease, which was interrupted."""
        if self._holder.get(None) is held:
            self._holder.pop(None, None)
        self._carry_out()

    # -- Changes: made by the holder of the lease; making one twice is harmless ---------------

    def _add(
        self, entities: frozenset[Entity], place: weakref.ref[Ticket], own: Ticket | None
    ) -> None:
        if place() is None:
            return
        for entity in entities:
            self._queues.setdefault(entity, {})[place] = None
        for entity in entities:
            self._admit(entity, own)

    def _remove(
        self, entities: frozenset[Entity], place: weakref.ref[Ticket], own: Ticket | None
    ) -> None:
        for entity in entities:
            self._queues.get(entity, {}).pop(place, None)
        # Leave all queues first: a call that moves up in several must find all of them free.
        for entity in entities:
            self._admit(entity, own)

    def _admit(self, entity: Entity, own: Ticket | None) -> None:
        """Note which calls are among the first of a queue; wake those that are in all theirs."""
        queue = self._queues.get(entity, {})
        while dead := [place for place in islice(queue, self._limit) if place() is None]:
            for place in dead:  # `_gone` may have been interrupted.
                queue.pop(place, None)
        for place in list(islice(queue, self._limit)):
            ticket = place()
            if ticket is None:
                continue  # It died just now, and `_gone` has noted it.
            ticket.admitted.add(entity)
            if ticket.ready and not ticket.woken:
                if ticket is not own and ticket.wake() is False:
                    self._changes.append((self._remove, place, ticket.entities, None))
                ticket.woken = True
        if not queue:
            self._queues.pop(entity, None)
