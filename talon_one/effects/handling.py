"""EffectHandler: call the registered function for each effect, and collect the outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast, overload
from warnings import warn

from talon_one._core.constructors import checks_arguments
from talon_one._schema.access import fields_of
from talon_one._schema.fields import VariantField
from talon_one._schema.model import Model
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import message_of, quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.effects.extraction import effects_of, place
from talon_one.exceptions import ApiTypeError, ApiValueError, OpenApiException
from talon_one.models import Effect

if TYPE_CHECKING:
    from typing import Concatenate, TypeAlias

    from talon_one.effects.extraction import EffectSource

    Props = TypeVar("Props", bound=Model)
    EffectFunction: TypeAlias = Callable[Concatenate[Effect, Props, ...], object]

Function = TypeVar("Function", bound=Callable[..., object])


# Failures that a message lists; `failures` has all of them.
_MAX_LISTED = 10


class UnknownEffectTypeWarning(UserWarning):
    """A function was registered for an effect type that looks misspelled."""


class EffectFailure(NamedTuple):
    """An exception that a function raised, and the effect it was called for."""

    effect: Effect
    error: Exception

    def __str__(self) -> str:
        return f"{place(self.effect)}: {type(self.error).__name__}: {message_of(self.error)}"


class EffectHandlingError(OpenApiException):
    """Functions for effects raised exceptions. The first one is chained as the cause.

    Attributes:
        failures: All exceptions, each with its effect.
    """

    def __init__(self, failures: Sequence[EffectFailure]) -> None:
        self.failures = tuple(failures)
        count = len(self.failures)
        listed = "; ".join(map(str, self.failures[:_MAX_LISTED]))
        more = f"; and {count - _MAX_LISTED} more" if count > _MAX_LISTED else ""
        super().__init__(f"{count} effect{'s' * (count != 1)} could not be handled: {listed}{more}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.failures,)


@dataclass(frozen=True)
class DispatchResult:
    """Outcome for the effects of a response. Each is in exactly one of the lists."""

    handled: list[Effect] = field(default_factory=list)
    """Effects whose function returned."""
    unhandled: list[Effect] = field(default_factory=list)
    """Effects without a function."""
    failures: list[EffectFailure] = field(default_factory=list)
    """Effects whose function raised an exception."""

    def raise_for_failures(self) -> None:
        """Raise the collected failures, if there are any.

        Raises:
            EffectHandlingError: At least one function raised an exception.
        """
        if self.failures:
            raise EffectHandlingError(self.failures) from self.failures[0].error

    @contextmanager
    def _recording(self, effect: Effect) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # One failure must not keep other functions from running.
            self.failures.append(EffectFailure(effect, error))
        else:
            self.handled.append(effect)


class EffectHandler:
    """Calls a function for each effect of a response, by effect type.

    A function gets the effect, its props, and the other arguments of `dispatch`, such as a cart.
    Register functions once; the handler then serves all threads and tasks.
    """

    @checks_arguments("()")
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
                with an `UnknownEffectTypeWarning` if it looks misspelled.

        Raises:
            ApiTypeError: A kind is neither a string nor a class of props, or the decorated object
                is not callable.
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
        """Register the function for all effect types without one of their own.

        Raises:
            ApiTypeError: *function* is not callable.
            ApiValueError: There is a default already.
        """
        _check_callable(function)
        if self._default is not None:
            raise ApiValueError("there is a default already")
        self._default = function
        return function

    def dispatch(self, response: EffectSource, *context: Any) -> DispatchResult:
        """Call the function for each effect, one after another.

        An exception does not stop the functions for other effects. It is in the result: check
        there, or call `DispatchResult.raise_for_failures`.

        Args:
            response: A response, or a list of effects.
            context: Further arguments for the functions, after the effect and its props.

        Raises:
            ApiTypeError: *response* has no effects, or a coroutine function is registered. No
                function was called.
        """
        functions = [*self._functions.values(), self._default]
        if any(iscoroutinefunction(function) for function in functions):
            raise ApiTypeError("coroutine functions are registered; use dispatch_async")
        result = DispatchResult()
        for effect, function in self._matched(response, result):
            with result._recording(effect):
                returned = function(effect, effect.props, *context)
                if isinstance(returned, Awaitable):
                    _close(returned)
                    raise ApiTypeError("the function is asynchronous; use dispatch_async")
        return result

    async def dispatch_async(self, response: EffectSource, *context: Any) -> DispatchResult:
        """Call the function for each effect, one after another, and await coroutine functions.

        Arguments, result and exceptions are those of `dispatch`. Plain functions work as well.
        """
        result = DispatchResult()
        for effect, function in self._matched(response, result):
            with result._recording(effect):
                returned = function(effect, effect.props, *context)
                if isinstance(returned, Awaitable):
                    await returned
        return result

    def _matched(
        self, response: EffectSource, result: DispatchResult
    ) -> Iterator[tuple[Effect, Callable[..., object]]]:
        """Yield each effect with its function. Record effects without one."""
        for effect in effects_of(response):
            kind: Any = effect.effect_type
            own = self._functions.get(kind) if isinstance(kind, str) else None
            function = self._default if own is None else own
            if function is None:
                result.unhandled.append(effect)
            else:
                yield effect, function


def _check_callable(function: object) -> None:
    if not callable(function):
        raise ApiTypeError(f"{quoted(function)} is not a function")


def _effect_type(kind: Any) -> str:
    """Return the effect type for a string or a class of props."""
    props = cast(VariantField, fields_of(Effect)["props"])
    if isinstance(kind, str):
        # People write the name of the class, which difflib does not find similar to the type.
        near = did_you_mean(kind.removesuffix("EffectProps"), props.classes, typos_only=True)
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


def _close(awaitable: Awaitable[Any]) -> None:
    # Python warns about a coroutine that is never awaited.
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()
