"""Ctrl-C, put off for the moment in which something is done that must not be done by halves."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Interrupts:
    """Lets Ctrl-C wait for the end of blocks that hold it off; a second one does not wait.

    As a context manager it takes the place of Python's own handler, as `asyncio.run` does: in the
    main thread only, and only if nobody else has. `held` is for the blocks; they may be nested.
    """

    def __init__(self) -> None:
        self.held = _Held(self)
        self.depth = 0
        self.waiting = False
        self._active = False

    def __enter__(self) -> Self:
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)
            self._active = True
        return self

    def __exit__(self, *exc_info: object) -> None:
        # Unless the code of the caller has put a handler of its own in our place.
        if self._active and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def take(self) -> bool:
        """Say whether Ctrl-C waits for the end of a block, and let it wait no longer."""
        waiting, self.waiting = self.waiting, False
        return waiting

    def _handle(self, number: int, frame: object) -> None:
        if self.depth and not self.waiting:
            self.waiting = True
            return
        raise KeyboardInterrupt


class _Held:
    """The blocks at whose end Ctrl-C is let through."""

    __slots__ = ("_interrupts",)

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts

    def __enter__(self) -> None:
        self._interrupts.depth += 1

    def __exit__(self, *exc_info: object) -> None:
        interrupts = self._interrupts
        interrupts.depth -= 1
        if interrupts.waiting and not interrupts.depth:
            interrupts.waiting = False
            raise KeyboardInterrupt
