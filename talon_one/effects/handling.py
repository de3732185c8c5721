"""EffectHandler, a function for each type of effects, and what became of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast, overload
from warnings import warn

from talon_one._schema.fields import VariantField
from talon_one._schema.model import Model
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import message_of, quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.effects.comparison import effects_of, place
from talon_one.exceptions import ApiTypeError, ApiValueError, OpenApiException
from talon_one.models import Effect

if TYPE_CHECKING:
    from typing import Concatenate, TypeAlias

    from talon_one.effects.comparison import RawResponse

    Props = TypeVar("Props", bound=Model)
    EffectFunction: TypeAlias = Callable[Concatenate[Effect, Props, ...], object]

Function = TypeVar("Function", bound=Callable[..., object])


# How many failures a message lists.
_SHOWN = 10


class UnknownEffectTypeWarning(UserWarning):
    """A function was registered for an effect type that looks like a misspelled one."""


class EffectFailure(NamedTuple):
    """An exception, and the effect whose function raised it."""

    effect: Effect
    error: Exception

    def __str__(self) -> str:
        return f"{place(self.effect)}: {type(self.error).__name__}: {message_of(self.error)}"


class EffectHandlingError(OpenApiException):
    """Functions for effects raised exceptions; the first one is the cause of this one.

    Attributes:
        failures: All of them, each with its effect.
    """

    def __init__(self, failures: Sequence[EffectFailure]) -> None:
        self.failures = tuple(failures)
        count = len(self.failures)
        told = "; ".join(map(str, self.failures[:_SHOWN]))
        more = f"; and {count - _SHOWN} more" if count > _SHOWN else ""
        super().__init__(f"{count} effect{'s' * (count != 1)} could not be handled: {told}{more}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.failures,)


@dataclass(frozen=True)
class DispatchResult:
    """What became of the effects of an answer: each is in one of the lists."""

    handled: list[Effect] = field(default_factory=list)
    """Those whose function has returned."""
    unhandled: list[Effect] = field(default_factory=list)
    """Those that no function is registered for."""
    failures: list[EffectFailure] = field(default_factory=list)
    """Those whose function has raised an exception."""

    def raise_for_failures(self) -> None:
        """Raise what was collected, if anything was.

        Raises:
            EffectHandlingError: At least one function has raised an exception.
        """
        if self.failures:
            raise EffectHandlingError(self.failures) from self.failures[0].error

    @contextmanager
    def _noting(self, effect: Effect) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # Whatever one function raises, the others are to run.
            self.failures.append(EffectFailure(effect, error))
        else:
            self.handled.append(effect)


class EffectHandler:
    """Functions for types of effects, to which the effects of an answer are given.

    A function gets the effect, its props, and whatever else `dispatch` was given, such as a cart.
    So one handler, filled once, serves all threads and tasks.
    """

    def __init__(self) -> None:
        self._functions: dict[str, Callable[..., object]] = {}
        self._default: Callable[..., object] | None = None

    @overload
    def on(
        self, kind: type[Props], /
    ) -> Callable[[EffectFunction[Props]], EffectFunction[Props]]: ...

    @overload
    def on(self, kind: str, /, *kinds: str) -> Callable[[Function], Function]: ...

    @overload
    def on(
        self, kind: type[Model], second: type[Model], /, *kinds: type[Model]
    ) -> Callable[[Function], Function]: ...

    def on(self, *kinds: str | type[Model]) -> Callable[..., Any]:
        """Return a decorator that registers a function for types of effects.

        Args:
            kinds: Effect types, such as ``"setDiscount"``, or classes of their props, such as
                `SetDiscountEffectProps`. A type that this release does not know is accepted,
                with an `UnknownEffectTypeWarning` if it looks like a misspelled one.

        Raises:
            ApiTypeError: Neither a text nor a class of props, or what is registered is no function.
            ApiValueError: The type has a function already.
        """
        if not kinds:
            raise ApiTypeError("on() needs at least one effect type or class of props")
        names: set[str] = set()
        with guarded("the type of effect"):
            names.update(map(_effect_type, kinds))

        def register(function: Function) -> Function:
            _check_callable(function)
            taken = names & self._functions.keys()
            if taken:
                raise ApiValueError(f"{min(taken)!r} has a function already")
            self._functions.update(dict.fromkeys(names, function))
            return function

        return register

    def default(self, function: Function) -> Function:
        """Register the function for all types of effects that have none of their own.

        Raises:
            ApiTypeError: It is no function.
            ApiValueError: There is one already.
        """
        _check_callable(function)
        if self._default is not None:
            raise ApiValueError("there is a default already")
        self._default = function
        return function

    def dispatch(self, answer: RawResponse, *context: Any) -> DispatchResult:
        """Call the function of each effect, one after another.

        An exception does not keep the functions of the other effects from running; it is in the
        result, so look there, or call `DispatchResult.raise_for_failures`.

        Args:
            answer: An answer, or a list of effects.
            context: Handed on to the functions, behind the effect and its props.

        Raises:
            ApiTypeError: *answer* has no effects, or a coroutine function is registered; no
                function has run.
        """
        functions = [*self._functions.values(), self._default]
        if any(iscoroutinefunction(function) for function in functions):
            raise ApiTypeError("coroutine functions are registered; use dispatch_async")
        result = DispatchResult()
        for effect, function in self._chosen(answer, result):
            with result._noting(effect):
                made = function(effect, effect.props, *context)
                if isinstance(made, Awaitable):
                    _close(made)
                    raise ApiTypeError("the function is asynchronous; use dispatch_async")
        return result

    async def dispatch_async(self, answer: RawResponse, *context: Any) -> DispatchResult:
        """Call the function of each effect, and await what is to be awaited, one after another.

        Args, result and exceptions are those of `dispatch`; both kinds of functions will do.
        """
        result = DispatchResult()
        for effect, function in self._chosen(answer, result):
            with result._noting(effect):
                made = function(effect, effect.props, *context)
                if isinstance(made, Awaitable):
                    await made
        return result

    def _chosen(
        self, answer: RawResponse, result: DispatchResult
    ) -> Iterator[tuple[Effect, Callable[..., object]]]:
        """Yield each effect with its function; note those that have none."""
        for effect in effects_of(answer):
            kind: Any = effect.effect_type
            own = self._functions.get(kind) if isinstance(kind, str) else None
            function = self._default if own is None else own
            if function is None:
                result.unhandled.append(effect)
            else:
                yield effect, function


def _check_callable(function: object) -> None:
    if not callable(function):
        raise ApiTypeError(f"{quoted(function)} is no function")


def _effect_type(kind: Any) -> str:
    """Return the effect type that a text or a class of props stands for."""
    props = cast(VariantField, Effect._fields["props"])
    if isinstance(kind, str):
        # The name of the class is no near miss to difflib, but it is to people.
        near = did_you_mean(kind.removesuffix("EffectProps"), props.classes, slips_only=True)
        if kind not in props.classes and near:
            text = f"this release knows no effect type {kind!r}.{near}"
            warn(text, UnknownEffectTypeWarning, stacklevel=3)
        return kind
    name = getattr(kind, "__name__", "")
    for effect_type, class_name in props.classes.items():
        if class_name == name and props.class_for(effect_type) is kind:
            return effect_type
    near = did_you_mean(name, props.classes.values())
    raise ApiTypeError(f"{quoted(kind)} is neither an effect type nor a class of props.{near}")


def _close(made: Awaitable[Any]) -> None:
    # A coroutine that is never awaited would be complained of on top.
    close = getattr(made, "close", None)
    if close is not None:
        close()
