"""An exception between any two bytecodes, as one that comes out of a signal handler."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any


class Interrupt(BaseException):
    """What is raised."""


@contextmanager
def interrupted(path: str, number: int) -> Iterator[list[str]]:
    """Raise an `Interrupt` before an instruction of a file, in this thread.

    Args:
        path: How the name of the file ends.
        number: How many instructions of the file are executed before.

    Yields:
        A list that gets the place of the interruption; it stays empty if there were not so many.
    """
    left = number
    places: list[str] = []
    ours: dict[CodeType, bool] = {}

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        code = frame.f_code
        if code not in ours:
            ours[code] = code.co_filename.endswith(path)
        if not ours[code]:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            if left == 0:
                places.append(f"{code.co_name}:{frame.f_lineno}")
                sys.settrace(None)
                raise Interrupt
            left -= 1
        return trace

    before = sys.gettrace()
    # Python 3.12 has to know before the tracing begins that any frame wants this.
    sys._getframe().f_trace_opcodes = True
    sys.settrace(trace)
    try:
        yield places
    finally:
        sys.settrace(before)


def each_interruption(path: str, action: Callable[[], object]) -> Iterator[tuple[str, bool]]:
    """Do something again and again, interrupted at one instruction further each time.

    Yields:
        The place of each interruption, and whether the action let the `Interrupt` through.
    """
    number = 0
    while True:
        came = False
        with interrupted(path, number) as places:
            try:
                action()
            except Interrupt:
                came = True
        if not places:
            return
        yield places[0], came
        number += 1
