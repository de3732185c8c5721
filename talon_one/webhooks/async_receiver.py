"""AsyncReceiver: an endpoint for webhooks in an event loop."""

from __future__ import annotations

import inspect

from talon_one.webhooks.delivery import Reply
from talon_one.webhooks.parsing import Body
from talon_one.webhooks.rules import Handler, ReceiverRules
from talon_one.webhooks.secret import Headers

# Methods import `step_runner` because it needs asyncio, which blocking applications do not load.


class AsyncReceiver(ReceiverRules):
    """A `Receiver` to await: ``reply = await receive(headers, await request.body())``.

    It awaits coroutine functions, and runs plain functions in a thread, so that they do not block
    the event loop. `store` may be a `DeliveryStore` that does not block, or an
    `AsyncDeliveryStore`.

    If the request is cancelled, the receiver cancels a coroutine function, and its message stays
    new. A thread cannot be cancelled: its message stays claimed until the function returns, and
    counts as handled if the function succeeds. Calls to the store always run to completion.
    """

    async def __call__(self, headers: Headers, body: Body) -> Reply:
        """Handle a webhook, and return the response to send."""
        from talon_one.webhooks.step_runner import StepRunner

        return await StepRunner(self._serve(headers, body)).run()

    def _checked(self, handler: Handler) -> Handler:
        from talon_one.webhooks.step_runner import InThread

        handler = super()._checked(handler)
        return handler if inspect.iscoroutinefunction(handler) else InThread(handler)
