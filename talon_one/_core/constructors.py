"""Check the arguments of a constructor, and explain what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar, cast

from talon_one._core.secret import hidden, hidden_values
from talon_one._utils.guard import guarded
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ApiTypeError

F = TypeVar("F", bound=Callable[..., None])
C = TypeVar("C", bound="type[Any]")


class _Signature(NamedTuple):
    """Names of the arguments of a constructor, without ``self``."""

    names: tuple[str, ...]
    limit: int
    """How many of them may be given by position."""
    required: tuple[str, ...]

    def problem(self, given: int, keywords: list[str]) -> str:
        """Return what is wrong with arguments, or an empty string.

        Args:
            given: How many are given by position.
            keywords: Names of those that are given by name.
        """
        if given > self.limit:
            noun = "argument" if self.limit == 1 else "arguments"
            return f"takes {self.limit} {noun} by position, not {given}."
        for keyword in keywords:
            if keyword not in self.names:
                return f"has no argument {keyword!r}.{did_you_mean(keyword, self.names)}"
            if keyword in self.names[:given]:
                return f"got {keyword!r} twice."
        for name in self.required:
            if name not in keywords and name not in self.names[:given]:
                return f"needs the argument {name!r}."
        return ""


def checks_arguments(example: str, secrets: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Make a constructor reject wrong arguments with an `ApiTypeError` that explains them.

    Args:
        example: Arguments of an example call, for the message, which puts the class before them.
        secrets: Names of arguments to mask in reports of local variables.
    """

    def decorate(init: F) -> F:
        expected = _signature_of(init)
        names = expected.names

        @wraps(init)
        def checked(self: Any, *args: Any, **kwargs: Any) -> None:
            with guarded("an argument of ", type(self).__name__):
                for name in kwargs.keys() & secrets:
                    kwargs[name] = _masked(kwargs[name])
                args = tuple(
                    _masked(value) if name in secrets else value
                    for name, value in zip(names, args, strict=False)
                ) + tuple("..." for _ in args[len(names) :])
            problem = expected.problem(len(args), list(kwargs))
            if problem:
                # A misplaced argument may be a key.
                del args, kwargs
                raise _explanation(type(self), problem, example)
            with guarded("an argument of ", type(self).__name__):
                init(self, *args, **kwargs)

        return cast("F", checked)

    return decorate


def checks_fields(example: str) -> Callable[[C], C]:
    """Make a `NamedTuple` reject wrong arguments with an `ApiTypeError` that explains them.

    Args:
        example: See `checks_arguments`.
    """

    def decorate(cls: C) -> C:
        new = cls.__new__
        names = cls._fields
        required = tuple(name for name in names if name not in cls._field_defaults)
        expected = _Signature(names, len(names), required)

        # The first parameter has the name that a `NamedTuple` gives it: no field begins with "_".
        @wraps(new)
        def checked(_cls: type[Any], *args: Any, **kwargs: Any) -> Any:
            try:
                return new(_cls, *args, **kwargs)
            except TypeError:  # It only stores its arguments, so they do not fit its fields.
                problem = expected.problem(len(args), list(kwargs))
                raise _explanation(_cls, problem, example) from None

        cls.__new__ = checked  # type: ignore[assignment]  # mypy takes it for that of `type`
        return cls

    return decorate


def _signature_of(init: Callable[..., None]) -> _Signature:
    # `inspect.signature` would import `inspect`, which costs more than importing this package.
    code: Any = init.__code__
    by_position = code.co_varnames[1 : code.co_argcount]
    by_name = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    optional = len(init.__defaults__ or ())
    required = by_position[: len(by_position) - optional]
    required += tuple(name for name in by_name if name not in (init.__kwdefaults__ or {}))
    return _Signature(by_position + by_name, len(by_position), required)


def _explanation(cls: type[Any], problem: str, example: str) -> ApiTypeError:
    return ApiTypeError(f"{cls.__name__} {problem} Write {cls.__name__}{example}.")


def _masked(value: Any) -> Any:
    return hidden_values(hidden(value))
