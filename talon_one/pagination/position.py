"""Positions in lists, and the exceptions that carry one to the code that resumes."""

from __future__ import annotations

from typing import NamedTuple

from talon_one._core.constructors import checks_fields
from talon_one.exceptions import OpenApiException

_ATTRIBUTE = "_resume_position"


@checks_fields("(skip=100)")
class Position(NamedTuple):
    """A place in a list, right after the last item handed out. An iteration can resume there.

    A position consists of numbers and strings. Store it as JSON and pass the list back.
    """

    skip: int | None = None
    """Number of items before it; ``None`` if the list does not page by offset."""
    cursor: str | None = None
    """Cursor of its page; ``None`` on the first page, and for lists without cursors."""
    within: int = 0
    """Number of items before it on its page; 0 if `skip` counts them already."""


class PagesError(OpenApiException, RuntimeError):
    """The server keeps sending the same pages, or a response that contains no list.

    `resume_position` returns the place where it happened.
    """


def resume_position(error: BaseException) -> Position | None:
    """Return where to resume the iteration that *error* interrupted.

    Pass the result to `configure` as ``resume_from``. The position survives pickling.

    Args:
        error: Exception that an iterator raised. It keeps the class that the call raised.

    Returns:
        The place after the last item handed out. ``None`` if no iterator raised *error*, or if the
        arguments of the iteration were wrong from the start.
    """
    position: Position | None = getattr(error, _ATTRIBUTE, None)
    return position


def attach_position(error: OpenApiException, position: Position) -> None:
    """Attach the place to resume from to an exception, for `resume_position`."""
    setattr(error, _ATTRIBUTE, position)
