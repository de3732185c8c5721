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
"""What the platform serialises by, such as ``("profile", "anna")``."""
_Change = Callable[[frozenset[Entity], "weakref.ref[Ticket]", "Ticket | None"], None]


class Ticket:
    """The place of one call in the queues of all that it is about; held by that call alone.

    Args:
        entities: What it is about.
        wake: Called, in whichever thread and possibly out of the garbage collector, when the call
            may be sent. It returns ``False`` if nobody goes on with the call.
    """

    __slots__ = ("__weakref__", "admitted", "entities", "place", "wake", "woken")

    def __init__(self, entities: Iterable[Entity], wake: Callable[[], object]) -> None:
        self.entities = frozenset(entities)
        self.wake = wake
        self.admitted: set[Entity] = set()
        """In which queues it is among the first."""
        self.woken = False
        self.place: _Place | None = None

    @property
    def ready(self) -> bool:
        """Whether it is among the first in all its queues."""
        return len(self.admitted) == len(self.entities)


class _Place(weakref.ref[Ticket]):
    """What queues hold of a turn; it outlives the turn, to be taken out."""

    __slots__ = ()
    __hash__ = object.__hash__
    __eq__ = object.__eq__


class _Lease:
    """The right to change the queues. Its end, in whatever way, makes room for the next."""

    __slots__ = ("__weakref__",)


class EntityQueues:
    """A queue for each session and each profile, of which only the first may be sent.

    Nobody waits for ever for each other: a call enters all its queues at once, so that the one
    that came first of all is among the first in each of its queues.

    Args:
        most: How many calls about the same thing may be under way at once.

    Raises:
        ConfigurationError: *most* is no number above 0.
    """

    def __init__(self, most: int) -> None:
        if not isinstance(most, int) or most < 1:
            raise ConfigurationError(f"calls_per_id is a number of calls, at least 1, not {most!r}")
        self._most = most
        self._queues: dict[Entity, dict[weakref.ref[Ticket], None]] = {}
        # What is to be done with the queues, in order. A weak reference that dies calls `_gone` in
        # any thread, even in the middle of a change, where it must not wait for a lock. So one
        # thread at a time carries out the changes of all, and nobody waits for it.
        self._changes: deque[tuple[_Change, weakref.ref[Ticket], frozenset[Entity], Ticket | None]]
        self._changes = deque()
        # Holds the lease; `dict.setdefault` compares and sets in one step.
        self._holder: dict[None, weakref.ref[_Lease]] = {}

    def enter(self, turn: Ticket) -> bool:
        """Take the last place in the queues; say whether the call may be sent now."""
        turn.place = place = _Place(turn, partial(self._gone, turn.entities))
        self._changes.append((self._add, place, turn.entities, None))
        self._carry_out(turn)
        return turn.ready

    def leave(self, turn: Ticket) -> None:
        """Give up the place, whether it was used or not, and wake who moves up."""
        if turn.place is None:
            return
        try:
            # The change keeps the turn longer than its place, so that `_gone` is not called: an
            # exception out of a signal handler would be swallowed there.
            self._changes.append((self._remove, turn.place, turn.entities, turn))
            turn.place = None
            self._carry_out()
        except BaseException:
            self._carry_out()  # What keeps the turn must not stay there.
            raise

    def _gone(self, entities: frozenset[Entity], place: weakref.ref[Ticket]) -> None:
        """Take out the place of a call that has ended without leaving."""
        self._changes.append((self._remove, place, entities, None))
        self._carry_out()

    def _carry_out(self, own: Ticket | None = None) -> None:
        """Carry out all changes, unless another thread, or a frame below, is doing so.

        Args:
            own: Turn of the caller, who need not be woken.
        """
        # In this order, so that where all went well weak references go before what they are to;
        # an exception out of a signal handler would be swallowed in what they call.
        held = lease = place = _kept = None
        try:
            while self._changes:
                held = None
                lease = _Lease()
                held = weakref.ref(lease, self._let_go)
                if self._holder.setdefault(None, held) is not held:
                    return  # The holder looks for changes once more when it has let go.
                while self._changes:
                    change, place, entities, _kept = self._changes[0]
                    change(entities, place, own)
                    self._changes.popleft()  # Only now: an interrupted change is made again.
                self._holder.pop(None, None)
        except BaseException:  # Of a signal handler; the traceback may keep the lease alive.
            self._let_go(held)
            raise

    def _let_go(self, held: weakref.ref[_Lease] | None) -> None:
        """Go on without the holder of a lease, who was interrupted."""
        if self._holder.get(None) is held:
            self._holder.pop(None, None)
        self._carry_out()

    # -- Changes: made by the holder of the lease, and the same if made twice ----------------------

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
        # All places first: one that moves up in several queues must find all of them free.
        for entity in entities:
            self._admit(entity, own)

    def _admit(self, entity: Entity, own: Ticket | None) -> None:
        """Note who is among the first of a queue, and wake who has now moved up everywhere."""
        queue = self._queues.get(entity, {})
        while dead := [place for place in islice(queue, self._most) if place() is None]:
            for place in dead:  # `_gone` may have been interrupted, too.
                queue.pop(place, None)
        for place in list(islice(queue, self._most)):
            turn = place()
            if turn is None:
                continue  # It has died just now, and `_gone` has noted it.
            turn.admitted.add(entity)
            if turn.ready and not turn.woken:
                if turn is not own and turn.wake() is False:
                    self._changes.append((self._remove, place, turn.entities, None))
                turn.woken = True
        if not queue:
            self._queues.pop(entity, None)
