"""Errors of Talang programs, with their place in the program."""

from __future__ import annotations


class TalangError(Exception):
    """A program is malformed, or its evaluation fails.

    Args:
        message: What is wrong, without the place.
        path: JSON pointer to the part of the program that fails: `/1/2` is the third element
            of the second element, and the empty text the program as a whole. `None` means
            that the place is not known yet: the call that raises the error fills it in.

    Attributes:
        message: What is wrong.
        path: Where, as a JSON pointer.
    """

    def __init__(self, message: str, path: str | None = None) -> None:
        super().__init__(message, path)
        self.message = message
        self.path = path

    def __str__(self) -> str:
        return f"{self.message} (at {self.path})" if self.path else self.message


class TalangLimitError(TalangError):
    """A program, or one evaluation of it, exceeds a limit. `catch` does not catch it."""
