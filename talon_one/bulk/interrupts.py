"""Ctrl-C, deferred while a change is made that must not be interrupted."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Interrupts:
    """Defer Ctrl-C to the end of ``held`` blocks; a second Ctrl-C is not deferred.

    As a context manager, it replaces the signal handler of Python, as `asyncio.run` does: only in
    the main thread, and only if the application has not installed its own.

    Attributes:
        held: Context manager that defers Ctrl-C. It may be nested.
    """

    def __init__(self) -> None:
        self.held = _Held(self)
        self.depth = 0
        self.pending = False
        self._installed = False

    def __enter__(self) -> Self:
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)
            self._installed = True
        return self

    def __exit__(self, *exc_info: object) -> None:
        # Unless code of the caller has replaced the handler meanwhile.
        if self._installed and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def take_pending(self) -> bool:
        """Return whether a Ctrl-C is deferred, and forget it."""
        pending, self.pending = self.pending, False
        return pending

    def _handle(self, number: int, frame: object) -> None:
        if self.depth and not self.pending:
            self.pending = True
            return
        raise KeyboardInterrupt


class _Held:
    """Blocks that defer Ctrl-C; the end of the outermost one raises it."""

    __slots__ = ("_interrupts",)

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts

    def __enter__(self) -> None:
        self._interrupts.depth += 1

    def __exit__(self, *exc_info: object) -> None:
        interrupts = self._interrupts
        interrupts.depth -= 1
        if interrupts.pending and not interrupts.depth:
            interrupts.pending = False
            raise KeyboardInterrupt
