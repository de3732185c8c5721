"""What a sandbox does not decide by itself: the time, chance, what goes wrong, and who watches.

Nothing else in the sandbox asks the system for the time or for random numbers. So a test can move
the clock, and two sandboxes with the same random seed make the same codes.
"""

from __future__ import annotations

import random
import string
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from talon_one._utils.quoting import quoted
from talon_one.sandbox.exchanges import Exchange, Exchanges
from talon_one.sandbox.faults import Faults
from talon_one.sandbox.values import format_time, parse_time

ALPHABET = string.ascii_uppercase + string.digits
"""The characters of codes for which nobody chooses others."""


class Clock:
    """The clock of a sandbox.

    Without a start it shows the time of the system, shifted by what it was advanced. With a start
    it stands still there, and moves only when it is told to.

    Args:
        start: Moment at which it stands, as an aware `datetime` or an RFC 3339 text.

    Raises:
        ValueError: If the start is not a moment with a time zone.
    """

    def __init__(self, start: datetime | str | None = None) -> None:
        self._lock = threading.Lock()
        self._standing = None if start is None else _moment(start)
        self._shift = timedelta(0)

    def __repr__(self) -> str:
        return f"<Clock {format_time(self.now())}>"

    def now(self) -> datetime:
        """Return the moment it shows, in UTC."""
        with self._lock:
            return (self._standing or datetime.now(timezone.utc)) + self._shift

    def text(self) -> str:
        """Return the moment it shows in the canonical form of timestamps."""
        return format_time(self.now())

    def restart(self) -> None:
        """Go back to where the clock began: its start, or the time of the system."""
        with self._lock:
            self._shift = timedelta(0)

    def advance(
        self,
        by: timedelta | None = None,
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> datetime:
        """Move the clock forward, and return the moment it shows then.

        Args:
            by: How far.
            weeks: Weeks besides.
            days: Days besides.
            hours: Hours besides.
            minutes: Minutes besides.
            seconds: Seconds besides.

        Raises:
            ValueError: If it would go backwards, or beyond the year 9999.
        """
        __tracebackhide__ = True
        if by is not None and not isinstance(by, timedelta):
            raise ValueError(
                f"the clock advances by a timedelta, or keywords such as days=30, not {quoted(by)}"
            )
        with self._lock:
            try:
                step = timedelta(days, seconds, minutes=minutes, hours=hours, weeks=weeks)
                step += by or timedelta(0)
                now = (self._standing or datetime.now(timezone.utc)) + self._shift + step
            except OverflowError as cause:
                raise ValueError("the clock cannot be advanced that far") from cause
            if step < timedelta(0):
                raise ValueError(f"the clock of a sandbox cannot go backwards, by {step}")
            self._shift += step
            return now

    def move_to(self, moment: datetime | str) -> datetime:
        """Move the clock forward to a moment, and return it.

        Raises:
            ValueError: If the moment is in the past of the clock, or has no time zone.
        """
        __tracebackhide__ = True
        target = _moment(moment)
        now = self.now()
        if target < now:
            shown = format_time(now)
            raise ValueError(
                f"the clock of a sandbox cannot go backwards, from {shown} to {format_time(target)}"
            )
        return self.advance(target - now)


def _moment(given: datetime | str) -> datetime:
    __tracebackhide__ = True
    if isinstance(given, str):
        return datetime.fromisoformat(parse_time(given).removesuffix("Z") + "+00:00")
    if not isinstance(given, datetime):
        example = "such as '2026-11-01T09:00:00Z'"
        raise ValueError(f"a moment is an aware datetime or a text {example}, not {quoted(given)}")
    if given.tzinfo is None:
        raise ValueError(f"{given} has no time zone: use datetime(..., tzinfo=timezone.utc)")
    return given.astimezone(timezone.utc)


@dataclass(slots=True)
class World:
    """One sandbox's time, chance, log, faults and observers.

    Attributes:
        clock: The clock of everything that has a time.
        random: Source of codes and IDs.
        random_seed: What determines them; None for the system's choice.
        exchanges: Log of the requests and their responses.
        faults: What goes wrong with requests.
        generation: How often everything began anew. What began in another generation, such as a
            request in progress, must not touch the state.
        observers: Called with each exchange, in the thread of the server.
    """

    clock: Clock = field(default_factory=Clock)
    random: random.Random = field(default_factory=random.Random)
    random_seed: int | None = None
    exchanges: Exchanges = field(default_factory=Exchanges)
    faults: Faults = field(default_factory=Faults)
    generation: int = 0
    observers: list[Callable[[Exchange], None]] = field(default_factory=list)

    def restart(self) -> None:
        """Begin anew: time, chance, log and faults. The state is not part of it."""
        self.generation += 1
        self.clock.restart()
        self.random.seed(self.random_seed)
        self.exchanges.clear()
        self.faults.clear()

    def uuid(self) -> str:
        """Return a new UUID."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def code(self, pattern: str, characters: Sequence[str] = ALPHABET) -> str:
        """Return the pattern with each `#` replaced by a random character."""
        choose = self.random.choice
        return "".join(choose(characters) if mark == "#" else mark for mark in pattern)
