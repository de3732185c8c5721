"""What an endpoint for webhooks does: check, parse, hand over once, and say what to answer."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar, overload
from warnings import warn

from talon_one._schema.model import Model
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import (
    ApiTypeError,
    ApiValueError,
    ConfigurationError,
)
from talon_one.webhooks.classes import TYPE, is_class_of_notification, parts, read, types
from talon_one.webhooks.delivery_store import (
    AsyncDeliveryStore,
    DeliveryStore,
    InMemoryDeliveryStore,
)
from talon_one.webhooks.errors import MalformedBodyError, WrongSecretError
from talon_one.webhooks.secret import Headers, SharedSecret, values

logger = logging.getLogger("talon_one.webhooks")

Body = bytes | str | Mapping[str, Any]
"""A body as it came, or decoded already."""
Kind = type[Model] | str
"""What a function is registered for: a class, or a `NotificationType`."""
Handler = Callable[[Any, "Delivery"], object]

M = TypeVar("M", bound=Model)
R = TypeVar("R")


class UnknownNotificationTypeWarning(UserWarning):
    """A function was registered for a `NotificationType` that looks like a misspelled one."""


class Delivery(NamedTuple):
    """What is known of a webhook beside its body."""

    uuid: str | None
    """`X-UUID`: the same each time that one message is sent; ``None`` if there is none."""
    notification_type: str | None
    """`NotificationType` of the body; ``None`` if it names none, as in a webhook of a rule."""
    part: int = 0
    """Number of this part of a mixed batch, from 0; 0 for whatever comes in one piece."""

    @property
    def key(self) -> str | None:
        """What to store to know that a function has done its work: `uuid` and `part`.

        All parts of a mixed batch have the same `uuid`, but each its own key, which is the same
        each time that the message is sent. ``None`` without a `uuid`.
        """
        return None if self.uuid is None else f"{self.uuid}/{self.part}"


class Reply(NamedTuple):
    """What to answer."""

    status: int
    """HTTP status. Talon.One repeats after 5xx and 429, and after nothing else."""
    body: str
    """A word or a sentence of plain text; Talon.One shows it in its log of messages."""


def parse(
    body: Body,
    headers: Headers = (),
    *,
    secret_header: str | None = None,
    secret: str | Sequence[str] | None = None,
) -> Model:
    """Return the notification that a webhook brings, in its class.

    The class follows from `NotificationType` and, where several share one, from the items in
    `Data`, which get their own classes as well. Nothing is lost: unknown properties stay, and what
    is of no known type, such as a payload that a rule sends, becomes a plain `talon_one.Model`.

    Args:
        body: The body: bytes, text, or the dict that it was decoded to, which is not changed.
        headers: The headers; needed only if there is a secret to check.
        secret_header: Name of the header that has the secret, if the secret is to be checked.
        secret: The secret, or several of which any will do.

    Raises:
        WrongSecretError: The secret is missing or wrong; answer 401.
        MalformedBodyError: The body is not a JSON object; answer 400.
        ConfigurationError: The secret to check for is empty, or only one of the two is given.
    """
    expected = _expected(secret_header, secret)
    if expected is not None:
        expected.check(headers)
    return read(body)


def check_secret(headers: Headers, secret_header: str, secret: str | Sequence[str]) -> None:
    """Refuse a webhook that does not have the secret, in a time that does not tell how wrong it is.

    Args:
        headers: The headers of the webhook.
        secret_header: Name of the header that has the secret; case does not matter.
        secret: The secret, or several of which any will do while one replaces the other.

    Raises:
        WrongSecretError: The header is missing, is there twice, or has another value.
        ConfigurationError: There is no secret to check for.
    """
    SharedSecret(secret_header, secret).check(headers)


def message_id(headers: Headers) -> str | None:
    """Return `X-UUID`, which is the same each time that a message is sent; ``None`` without one."""
    found = values(headers, "X-UUID")
    return (found[0] or None) if found else None


class Step(NamedTuple):
    """A call that somebody else is to carry out."""

    call: partial[Any]
    is_function: bool = False
    """Whether it is one of the functions, which may be given up, and not of the memory."""


class _Rules:
    """What a receiver does, as steps that somebody else carries out."""

    def __init__(
        self,
        *,
        secret_header: str | None,
        secret: str | Sequence[str] | None,
        handlers: Mapping[Any, Handler] | None = None,
        default: Handler | None = None,
        seen: DeliveryStore | AsyncDeliveryStore | None = None,
    ) -> None:
        if handlers is not None and not isinstance(handlers, Mapping):
            raise ApiTypeError(f"handlers are a dict by class, not {type(handlers).__name__}")
        with guarded("the secret"):
            self._secret = _expected(secret_header, secret)
        self._seen = InMemoryDeliveryStore() if seen is None else seen
        self._handlers: dict[Kind, Handler] = {}
        self._default = None if default is None else self._accepted(default)
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
        """Register the function below for a class of notifications, or for a `NotificationType`.

        It is called with the notification and its `Delivery`. A function for the class comes
        before one for the type, and both before the default. `talon_one.Model` is the class of
        what is of no known type.

        Raises:
            ApiTypeError: It is neither a class nor a text, or what is registered is no function.
            ApiValueError: There are no notifications of this class, or it has a function already.

        A type that this release does not know is accepted, with an
        `UnknownNotificationTypeWarning` if it looks like a misspelled one.
        """
        with guarded("the kind of notification"):
            _check_kind(kind)
        return partial(self._register, kind)

    def _register(self, kind: Any, handler: Handler) -> Handler:
        if kind in self._handlers:
            raise ApiValueError(f"{getattr(kind, '__name__', kind)} has a function already")
        self._handlers[kind] = self._accepted(handler)
        return handler

    def _accepted(self, handler: Handler) -> Handler:
        if not callable(handler):
            raise ApiTypeError(f"{quoted(handler)} is no function")
        return handler

    def _serve(self, headers: Headers, body: Body) -> Generator[Step, Any, Reply]:
        """Yield what is to be called, be sent what it returned or thrown what it raised."""
        headers = () if headers is None else headers  # As a request without any may have it.
        try:
            if self._secret is not None:
                self._secret.check(headers)
            notification = read(body)
        except WrongSecretError as refusal:
            logger.warning("refused a webhook: %s", refusal)
            return Reply(401, "unauthorized")
        except (MalformedBodyError, ApiTypeError) as refusal:
            # The latter is what frameworks make of no body, or of one that they have decoded.
            logger.warning("refused a webhook: %s", refusal)
            return Reply(400, str(refusal))
        named = notification.get(TYPE)
        delivery = Delivery(message_id(headers), named if isinstance(named, str) else None)
        calls = [
            partial(handler, part, delivery._replace(part=number))
            for number, part in enumerate(parts(notification))
            if (handler := self._handler(part, delivery)) is not None
        ]
        if not calls:
            logger.info("no function is registered for %r", delivery)
            return Reply(200, "ignored")
        if delivery.uuid is None:
            return (yield from self._handled(calls, delivery))
        return (yield from self._handled_once(calls, delivery, delivery.uuid))

    def _handler(self, notification: Model, delivery: Delivery) -> Handler | None:
        kinds: tuple[Kind | None, ...] = (type(notification), delivery.notification_type)
        for kind in kinds:
            if kind in self._handlers:
                return self._handlers[kind]
        return self._default

    def _handled_once(
        self, calls: list[partial[object]], delivery: Delivery, uuid: str
    ) -> Generator[Step, Any, Reply]:
        try:
            claim = yield Step(partial(self._seen.claim, uuid))
        except Exception:  # Whatever it is: once the memory works again, so will the repetition.
            logger.exception("cannot tell whether %r was handled already", delivery)
            return Reply(500, "failed")
        if claim == "done":
            return Reply(200, "duplicate")
        if claim != "new":
            # Not 2xx: the other one may still fail, and then the repetition is needed.
            return Reply(503, "being handled")
        handled = False
        try:
            reply = yield from self._handled(calls, delivery)
            handled = reply.status < 300
        except GeneratorExit:  # Nobody is there any more to carry out a step.
            raise
        except BaseException:
            yield from self._noted(self._seen.release, uuid)
            raise
        yield from self._noted(self._seen.done if handled else self._seen.release, uuid)
        return reply

    def _handled(
        self, calls: list[partial[object]], delivery: Delivery
    ) -> Generator[Step, Any, Reply]:
        try:
            for call in calls:
                yield Step(call, is_function=True)
        except Exception:  # Whatever it is: the answer must ask for a repetition.
            logger.exception("the function for %r failed", delivery)
            return Reply(500, "failed")
        return Reply(200, "handled")

    def _noted(self, note: Callable[[str], object], uuid: str) -> Generator[Step, Any, None]:
        try:
            yield Step(partial(note, uuid))
        except Exception:  # Whatever it is: what was handled is handled all the same.
            logger.exception("cannot note what became of the webhook %s", uuid)


class Receiver(_Rules):
    """Receives webhooks: call it with headers and body, and send the `Reply` that it returns.

    ::

        receive = Receiver(secret_header="X-Shop-Secret", secret=os.environ["WEBHOOK_SECRET"])

        @receive.on(talon_one.CreateCouponData)
        def coupons(notification, delivery): ...

        reply = receive(request.headers, request.get_data())

    It answers 200 to what was handled, is handled for the second time, or has no function; 401 to
    a wrong secret, 400 to what is not a JSON object, 500 if a function raises, and 503 while
    another thread is handling the same message. Talon.One repeats after the last two, and the
    function is called again, so functions must bear being called twice.

    Args:
        secret_header: Name of the header with the secret; ``None`` where something else keeps
            strangers out.
        secret: The secret, or several of which any will do while one replaces the other.
        handlers: Functions by class or `NotificationType`; `on` registers further ones.
        default: Function for what has no other.
        seen: Remembers what was handled; by default an `InMemoryDeliveryStore`, which is not enough
            where several processes serve one address.

    Raises:
        ConfigurationError: The secret is empty, or only one of header and secret is given.
    """

    def __init__(
        self,
        *,
        secret_header: str | None,
        secret: str | Sequence[str] | None,
        handlers: Mapping[Any, Handler] | None = None,
        default: Handler | None = None,
        seen: DeliveryStore | None = None,
    ) -> None:
        super().__init__(
            secret_header=secret_header,
            secret=secret,
            handlers=handlers,
            default=default,
            seen=seen,
        )

    def __call__(self, headers: Headers, body: Body) -> Reply:
        """Handle a webhook in this thread, and return what to answer."""
        steps = self._serve(headers, body)
        try:
            step = next(steps)
            while True:
                try:
                    result = _not_awaitable(step.call())
                except BaseException as failure:  # The rules decide what becomes of it.
                    step = steps.throw(failure)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            reply: Reply = end.value
            return reply

    def _accepted(self, handler: Handler) -> Handler:
        if inspect.iscoroutinefunction(handler):
            raise ApiTypeError("a coroutine function needs an AsyncReceiver")
        return super()._accepted(handler)


class AsyncReceiver(_Rules):
    """As `Receiver`, to be awaited: ``reply = await receive(headers, await request.body())``.

    Coroutine functions are awaited; plain functions run in a thread, so that they do not hold up
    the event loop. `seen` may be a `DeliveryStore`, which must not block, or an
    `AsyncDeliveryStore`.

    If the request is cancelled, a coroutine function is, too, and its message stays new. A plain
    one cannot be: its message stays claimed until it has ended, and is handled if it did well.
    What is noted in `seen` is noted to the end in any case.
    """

    async def __call__(self, headers: Headers, body: Body) -> Reply:
        """Handle a webhook, and return what to answer."""
        from talon_one.webhooks.async_receiver import StepRunner

        return await StepRunner(self._serve(headers, body)).reply()

    def _accepted(self, handler: Handler) -> Handler:
        from talon_one.webhooks.async_receiver import InThread

        handler = super()._accepted(handler)
        return handler if inspect.iscoroutinefunction(handler) else InThread(handler)


def _not_awaitable(result: object) -> object:
    if isinstance(result, Awaitable):
        if inspect.iscoroutine(result):
            result.close()
        raise ApiTypeError("what is to be awaited needs an AsyncReceiver")
    return result


def _check_kind(kind: Any) -> None:
    """Refuse what no notification is, and warn of what probably none is."""
    if isinstance(kind, str):
        near = did_you_mean(kind, types(), slips_only=True)
        if kind not in types() and near:
            text = f"this release knows no NotificationType {kind!r}.{near}"
            warn(text, UnknownNotificationTypeWarning, stacklevel=3)
    elif not (isinstance(kind, type) and issubclass(kind, Model)):
        raise ApiTypeError(f"{quoted(kind)} is neither a class of models nor a NotificationType")
    elif not is_class_of_notification(kind):
        raise ApiValueError(
            f"no notification is a {kind.__name__}; the classes are those that parse"
            " returns, and a NotificationType is given as text"
        )


def _expected(header: str | None, secret: str | Sequence[str] | None) -> SharedSecret | None:
    if header is None and secret is None:
        return None
    if header is None or secret is None:
        missing = "secret_header" if header is None else "secret"
        raise ConfigurationError(f"{missing} is missing: a secret needs a header to be in")
    return SharedSecret(header, secret)
