"""Respond to an outage with a fallback: a function, or the last good response."""

from __future__ import annotations

import pickle
from collections.abc import Awaitable, Callable, Hashable
from functools import wraps
from inspect import isawaitable, iscoroutinefunction
from typing import Any, ParamSpec, TypeVar, overload

from talon_one._core.clock import Clock
from talon_one._core.constructors import checks_arguments
from talon_one._core.hooks import logger
from talon_one._core.options import mask_credentials
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiException, ApiTypeError
from talon_one.resilience.errors import is_outage
from talon_one.resilience.numbers import seconds, whole
from talon_one.resilience.store import Store

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F")


class LastGood:
    """A store of the last good responses of a method, as its fallback; see `with_fallback`.

    ::

        inventory = with_fallback(
            integration.get_customer_inventory,
            LastGood(key=lambda profile_id, **settings: profile_id, max_age=3600),
        )

    A response is kept as a copy, and each fallback gets a copy of its own. Threads, tasks and event
    loops may share a store. Each method, and each client, needs its own.

    Args:
        key: Function of the arguments of the call that returns what the response belongs to. It
            must tell customers apart whose responses differ.
        max_age: Seconds after which a response is too old to be used; never if not given.
        limit: How many responses are kept at most. The oldest ones make way.
        clock: Where it gets the time.

    Raises:
        ApiTypeError: *key* is not a function, or a number is not one.
    """

    @checks_arguments("(key=lambda profile_id, **settings: profile_id, max_age=3600)")
    def __init__(
        self,
        key: Callable[..., Hashable],
        *,
        max_age: float | None = None,
        limit: int = 1000,
        clock: Clock | None = None,
    ) -> None:
        if not callable(key):
            raise ApiTypeError(f"key is a function of the arguments of a call, not {quoted(key)}")
        if clock is not None and not isinstance(clock, Clock):
            raise ApiTypeError(f"clock is a talon_one.Clock, not {quoted(clock)}")
        self._key = key
        self._max_age = None if max_age is None else seconds("max_age", max_age)
        self._pickled: Store[bytes]
        self._pickled = Store(whole("limit", limit), (clock or Clock()).monotonic)

    def key_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable:
        """Return what the response to a call with these arguments belongs to.

        Raises:
            ApiValueError: The key function fails, or its result cannot be a key.
        """
        with guarded("the key of a response"):
            key = self._key(*args, **kwargs)
            hash(key)
        return key

    def keep(self, key: Hashable, response: object) -> None:
        """Keep a response. One that cannot be copied is not kept, which is logged."""
        try:
            pickled = pickle.dumps(response, pickle.HIGHEST_PROTOCOL)
        except Exception:  # An object of the caller may raise anything.
            logger.exception("a response of type %s cannot be kept", type(response).__name__)
        else:
            self._pickled.put(key, pickled)

    def recall(self, key: Hashable, failure: ApiException) -> Any:
        """Return a copy of the last good response.

        Raises:
            ApiException: It is *failure*: there is no such response, or it is too old.
        """
        pickled = self._pickled.get(key, self._max_age)
        if pickled is None:
            raise failure
        return pickle.loads(pickled)  # noqa: S301  its own bytes, which never leave the memory

    def clear(self) -> None:
        """Forget all responses."""
        self._pickled.clear()

    def __len__(self) -> int:
        return len(self._pickled)

    def __repr__(self) -> str:
        return f"<LastGood {len(self._pickled)} responses>"


@overload
def with_fallback(
    method: Callable[P, T], fallback: LastGood, *, handles: Callable[[ApiException], bool] = ...
) -> Callable[P, T]: ...


@overload
def with_fallback(
    method: Callable[P, T],
    fallback: Callable[..., F],
    *,
    handles: Callable[[ApiException], bool] = ...,
) -> Callable[P, T | F]: ...


def with_fallback(
    method: Callable[P, Any],
    fallback: LastGood | Callable[..., Any],
    *,
    handles: Callable[[ApiException], bool] = is_outage,
) -> Callable[P, Any]:
    """Return a function that calls *method*, and *fallback* when the service does not work.

    Makes no call itself.

    ::

        def full_price(failure, *args, **settings):
            return None

        update = with_fallback(integration.update_customer_session_v2, full_price)
        session = update("order-1", cart, _deadline=0.3)

    Args:
        method: A method of an API, or any function that raises `talon_one.ApiException`.
        fallback: A function that is called with the failure and the arguments of the call, and
            whose result is returned. It may raise, for example the failure itself. Or a `LastGood`,
            which raises the failure if it has no response.
        handles: Which failures lead to the fallback; the others are raised. `is_outage` if not
            given: a refusal with a 4xx is raised, because it says that the call is wrong.

    Raises:
        ApiTypeError: An argument is not a function, or *method* is a coroutine function.
    """
    guard = _Guard(method, fallback, handles)
    if iscoroutinefunction(method):
        raise ApiTypeError(f"{quoted(method)} is awaited: use with_fallback_async")

    @wraps(method, updated=())
    def protected(*args: P.args, **kwargs: P.kwargs) -> Any:
        mask_credentials(kwargs)
        key = guard.key_of(args, kwargs)
        try:
            response = method(*args, **kwargs)
        except ApiException as failure:
            return guard.respond(failure, key, args, kwargs)
        guard.keep(key, response)
        return response

    return protected


@overload
def with_fallback_async(
    method: Callable[P, Awaitable[T]],
    fallback: LastGood,
    *,
    handles: Callable[[ApiException], bool] = ...,
) -> Callable[P, Awaitable[T]]: ...


@overload
def with_fallback_async(
    method: Callable[P, Awaitable[T]],
    fallback: Callable[..., F],
    *,
    handles: Callable[[ApiException], bool] = ...,
) -> Callable[P, Awaitable[T | F]]: ...


def with_fallback_async(
    method: Callable[P, Awaitable[Any]],
    fallback: LastGood | Callable[..., Any],
    *,
    handles: Callable[[ApiException], bool] = is_outage,
) -> Callable[P, Awaitable[Any]]:
    """Return the twin of `with_fallback` for a coroutine method; *fallback* is a plain function.

    Makes no call itself.

    Raises:
        ApiTypeError: An argument is not a function.
    """
    guard = _Guard(method, fallback, handles)

    @wraps(method, updated=())
    async def protected(*args: P.args, **kwargs: P.kwargs) -> Any:
        mask_credentials(kwargs)
        key = guard.key_of(args, kwargs)
        try:
            made = method(*args, **kwargs)
            # A plain method has its response already, which must not be lost.
            response = await made if isawaitable(made) else made
        except ApiException as failure:
            return guard.respond(failure, key, args, kwargs)
        guard.keep(key, response)
        return response

    return protected


class _Guard:
    """What both twins do around the call."""

    def __init__(self, method: object, fallback: object, handles: object) -> None:
        for name, each in (("method", method), ("handles", handles)):
            if not callable(each):
                raise ApiTypeError(f"{name} is a function, not {quoted(each)}")
        if not callable(fallback) and not isinstance(fallback, LastGood):
            raise ApiTypeError(f"fallback is a function or a LastGood, not {quoted(fallback)}")
        self._fallback: Any = fallback
        self._handles: Any = handles
        self._store = fallback if isinstance(fallback, LastGood) else None

    def key_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable:
        # Before the call, so that a wrong key function shows in the first call, not in an outage.
        return None if self._store is None else self._store.key_of(args, kwargs)

    def keep(self, key: Hashable, response: object) -> None:
        if self._store is not None:
            self._store.keep(key, response)

    def respond(
        self,
        failure: ApiException,
        key: Hashable,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        if not self._handles(failure):
            raise failure
        logger.info("%s: fallback after %s", failure.operation_id, type(failure).__name__)
        if self._store is not None:
            return self._store.recall(key, failure)
        return self._fallback(failure, *args, **kwargs)
