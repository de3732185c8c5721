"""Check the arguments of a constructor, and explain what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from talon_one._core.secret import hidden, hidden_values
from talon_one._utils.guard import guarded
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ApiTypeError

F = TypeVar("F", bound=Callable[..., None])


def checks_arguments(example: str, secrets: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Make a constructor reject wrong arguments with an `ApiTypeError` that explains them.

    Args:
        example: An example call, for the message.
        secrets: Names of arguments to mask in reports of local variables.
    """

    def decorate(init: F) -> F:
        code = init.__code__
        limit = code.co_argcount
        names = code.co_varnames[: limit + code.co_kwonlyargcount]

        @wraps(init)
        def checked(self: Any, *args: Any, **kwargs: Any) -> None:
            with guarded("an argument of ", type(self).__name__):
                for name in kwargs.keys() & secrets:
                    kwargs[name] = _masked(kwargs[name])
                args = tuple(
                    _masked(value) if name in secrets else value
                    for name, value in zip(names[1:], args, strict=False)
                ) + tuple("..." for _ in args[len(names) - 1 :])
            wrong = _what_is_wrong(names, limit, len(args), list(kwargs))
            if wrong:
                # A misplaced argument may be a key.
                del args, kwargs
                raise ApiTypeError(f"{type(self).__name__} {wrong} Write {example}.")
            with guarded("an argument of ", type(self).__name__):
                init(self, *args, **kwargs)

        return cast("F", checked)

    return decorate


def _what_is_wrong(names: tuple[str, ...], limit: int, given: int, keywords: list[str]) -> str:
    if given > limit - 1:
        return f"takes {limit - 1} arguments by position, not {given}."
    for keyword in keywords:
        if keyword not in names[1:]:
            return f"has no argument {keyword!r}.{did_you_mean(keyword, names[1:])}"
        if keyword in names[1 : given + 1]:
            return f"got {keyword!r} twice."
    return ""


def _masked(value: Any) -> Any:
    return hidden_values(hidden(value))
