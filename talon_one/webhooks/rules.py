"""ReceiverRules: which function handles a webhook, when, and how to respond. No I/O."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar, overload
from warnings import warn

from talon_one._core.constructors import checks_arguments
from talon_one._schema.model import Model
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.webhooks.classes import (
    TYPE,
    is_class_of_notification,
    notification_of,
    notification_types,
    parts,
)
from talon_one.webhooks.delivery import Delivery, Reply
from talon_one.webhooks.delivery_store import (
    AsyncDeliveryStore,
    DeliveryStore,
    InMemoryDeliveryStore,
)
from talon_one.webhooks.errors import MalformedBodyError, WrongSecretError
from talon_one.webhooks.parsing import Body, message_id, shared_secret_of
from talon_one.webhooks.secret import Headers

logger = logging.getLogger("talon_one.webhooks")

Kind = type[Model] | str
"""What a function handles: a class of notifications, or a `NotificationType`."""
Handler = Callable[[Any, Delivery], object]

M = TypeVar("M", bound=Model)
R = TypeVar("R")


class UnknownNotificationTypeWarning(UserWarning):
    """A function was registered for a `NotificationType` that looks misspelled."""


class Step(NamedTuple):
    """A call for the receiver to make."""

    call: partial[Any]
    is_function: bool = False
    """Whether it calls a registered function, which a cancelled request may abandon, rather than
    the delivery store."""


class ReceiverRules:
    """What a receiver does, as steps. A subclass makes the calls, blocking or awaited."""

    @checks_arguments("(secret_header=..., secret=...)", ("secret",))
    def __init__(
        self,
        *,
        secret_header: str | None,
        secret: str | Sequence[str] | None,
        handlers: Mapping[Any, Handler] | None = None,
        default: Handler | None = None,
        store: DeliveryStore | AsyncDeliveryStore | None = None,
    ) -> None:
        if handlers is not None and not isinstance(handlers, Mapping):
            raise ApiTypeError(f"handlers must be a dict by class, not {type(handlers).__name__}")
        with guarded("the secret"):
            self._secret = shared_secret_of(secret_header, secret)
        self._store = InMemoryDeliveryStore() if store is None else store
        self._handlers: dict[Kind, Handler] = {}
        self._default = None if default is None else self._checked(default)
        with guarded("the handlers"):
            for kind, handler in (handlers or {}).items():
                _check_kind(kind)
                self._register(kind, handler)

    @overload
    def on(
        self, kind: type[M]
    ) -> Callable[[Callable[[M, Delivery], R]], Callable[[M, Delivery], R]]: ...

    @overload
    def on(
        self, kind: str
    ) -> Callable[[Callable[[Any, Delivery], R]], Callable[[Any, Delivery], R]]: ...

    def on(self, kind: Any) -> Any:
        """Return a decorator that registers a function for a kind of notifications.

        The receiver calls the function with the notification and its `Delivery`. A function for the
        class takes precedence over one for the type, and both over the default.

        Args:
            kind: A class, or a `NotificationType`. `talon_one.Model` is the class of notifications
                of unknown type. A type that this release does not know is accepted, with an
                `UnknownNotificationTypeWarning` if it looks misspelled.

        Raises:
            ApiTypeError: *kind* is neither a class nor a string, or the decorated object is not
                callable.
            ApiValueError: No notification has this class, or it has a function already.
        """
        with guarded("the kind of notification"):
            _check_kind(kind)
        return partial(self._register, kind)

    def _register(self, kind: Any, handler: Handler) -> Handler:
        if kind in self._handlers:
            raise ApiValueError(f"{getattr(kind, '__name__', kind)} has a function already")
        self._handlers[kind] = self._checked(handler)
        return handler

    def _checked(self, handler: Handler) -> Handler:
        """Return what to call for a registered function."""
        if not callable(handler):
            raise ApiTypeError(f"{quoted(handler)} is not a function")
        return handler

    def _serve(self, headers: Headers, body: Body) -> Generator[Step, Any, Reply]:
        """Yield each call to make. The receiver sends its result, or throws its exception."""
        headers = () if headers is None else headers  # Some frameworks pass None for no headers.
        try:
            if self._secret is not None:
                self._secret.check(headers)
            notification = notification_of(body)
        except WrongSecretError as refusal:
            logger.warning("refused a webhook: %s", refusal)
            return Reply(401, "unauthorized")
        except (MalformedBodyError, ApiTypeError) as refusal:
            # Frameworks pass None for a missing body, and objects of any type for a decoded one.
            logger.warning("refused a webhook: %s", refusal)
            return Reply(400, str(refusal))
        type_name = notification.get(TYPE)
        delivery = Delivery(message_id(headers), type_name if isinstance(type_name, str) else None)
        calls = [
            partial(handler, part, delivery._replace(part=index))
            for index, part in enumerate(parts(notification))
            if (handler := self._handler_for(part, delivery)) is not None
        ]
        if not calls:
            logger.info("no function is registered for %r", delivery)
            return Reply(200, "ignored")
        if delivery.uuid is None:
            return (yield from self._handle(calls, delivery))
        return (yield from self._handle_once(calls, delivery, delivery.uuid))

    def _handler_for(self, notification: Model, delivery: Delivery) -> Handler | None:
        kinds: tuple[Kind | None, ...] = (type(notification), delivery.notification_type)
        for kind in kinds:
            if kind in self._handlers:
                return self._handlers[kind]
        return self._default

    def _handle_once(
        self, calls: list[partial[object]], delivery: Delivery, uuid: str
    ) -> Generator[Step, Any, Reply]:
        try:
            claim = yield Step(partial(self._store.claim, uuid))
        except Exception:  # Any failure of the store: a retry succeeds once it works again.
            logger.exception("the delivery store failed to claim %r", delivery)
            return Reply(500, "failed")
        if claim == "done":
            return Reply(200, "duplicate")
        if claim != "new":
            # The caller that holds the claim may still fail, so this must not be a 2xx.
            return Reply(503, "being handled")
        handled = False
        try:
            reply = yield from self._handle(calls, delivery)
            handled = reply.status < 300
        except GeneratorExit:  # The receiver makes no more calls.
            raise
        except BaseException:
            yield from self._settle(self._store.release, uuid)
            raise
        yield from self._settle(self._store.mark_done if handled else self._store.release, uuid)
        return reply

    def _handle(
        self, calls: list[partial[object]], delivery: Delivery
    ) -> Generator[Step, Any, Reply]:
        try:
            for call in calls:
                yield Step(call, is_function=True)
        except Exception:  # Any failure of a function: the reply must ask for a retry.
            logger.exception("the function for %r failed", delivery)
            return Reply(500, "failed")
        return Reply(200, "handled")

    def _settle(self, method: Callable[[str], object], uuid: str) -> Generator[Step, Any, None]:
        try:
            yield Step(partial(method, uuid))
        except Exception:  # The functions have run, so the reply does not change.
            logger.exception("the delivery store failed to settle the webhook %s", uuid)


def _check_kind(kind: Any) -> None:
    """Refuse kinds that no notification can have, and warn of types that look misspelled."""
    if isinstance(kind, str):
        near = did_you_mean(kind, notification_types(), typos_only=True)
        if kind not in notification_types() and near:
            text = f"this release knows no NotificationType {kind!r}.{near}"
            warn(text, UnknownNotificationTypeWarning, stacklevel=3)
    elif not (isinstance(kind, type) and issubclass(kind, Model)):
        raise ApiTypeError(f"{quoted(kind)} is neither a class of models nor a NotificationType")
    elif not is_class_of_notification(kind):
        raise ApiValueError(
            f"no notification is a {kind.__name__}; use a class that parse returns,"
            " or a NotificationType as a string"
        )
