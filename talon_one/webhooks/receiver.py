"""Receiver: a blocking endpoint for webhooks."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from talon_one._core.constructors import checks_arguments
from talon_one.exceptions import ApiTypeError
from talon_one.webhooks.delivery import Reply
from talon_one.webhooks.delivery_store import DeliveryStore
from talon_one.webhooks.parsing import Body
from talon_one.webhooks.rules import Handler, ReceiverRules
from talon_one.webhooks.secret import Headers


class Receiver(ReceiverRules):
    """Receives webhooks. Call it with headers and body, and send the `Reply` that it returns.

    ::

        receive = Receiver(secret_header="X-Shop-Secret", secret=os.environ["WEBHOOK_SECRET"])

        @receive.on(talon_one.CreateCouponData)
        def coupons(notification, delivery): ...

        reply = receive(request.headers, request.get_data())

    The status of the reply is 200 for a message that was handled, was handled before, or has no
    function; 401 for a wrong secret; 400 for a body that is not a JSON object; 500 if a function
    raises; and 503 while another thread handles the same message. Talon.One retries after 500 and
    503, and the receiver calls the function again. Functions must tolerate being called twice.

    Args:
        secret_header: Name of the header with the secret. ``None`` if something else, such as a
            gateway, authenticates the sender.
        secret: The secret, or several of which any is accepted while you replace one.
        handlers: Functions by class or `NotificationType`; `on` registers more.
        default: Function for notifications without one of their own.
        store: Where to remember handled webhooks; by default an `InMemoryDeliveryStore`. Processes
            that serve the same address need a shared store.

    Raises:
        ConfigurationError: *secret* is empty, or only one of *secret_header* and *secret* is given.
    """

    @checks_arguments("(secret_header=..., secret=...)", ("secret",))
    def __init__(
        self,
        *,
        secret_header: str | None,
        secret: str | Sequence[str] | None,
        handlers: Mapping[Any, Handler] | None = None,
        default: Handler | None = None,
        store: DeliveryStore | None = None,
    ) -> None:
        super().__init__(
            secret_header=secret_header,
            secret=secret,
            handlers=handlers,
            default=default,
            store=store,
        )

    def __call__(self, headers: Headers, body: Body) -> Reply:
        """Handle a webhook in this thread, and return the response to send."""
        steps = self._serve(headers, body)
        try:
            step = next(steps)
            while True:
                try:
                    result = _not_awaitable(step.call())
                except BaseException as failure:  # The rules decide how to continue.
                    step = steps.throw(failure)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            reply: Reply = end.value
            return reply

    def _checked(self, handler: Handler) -> Handler:
        if inspect.iscoroutinefunction(handler):
            raise ApiTypeError("a coroutine function needs an AsyncReceiver")
        return super()._checked(handler)


def _not_awaitable(result: object) -> object:
    if isinstance(result, Awaitable):
        if inspect.iscoroutine(result):
            result.close()
        raise ApiTypeError("a function that returns an awaitable needs an AsyncReceiver")
    return result
