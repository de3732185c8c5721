"""Webhooks that Talon.One sends: read them, check their secret, hand them to functions.

`parse` turns the body of a notification into its class. A `Receiver`, or an `AsyncReceiver`, does
all that an endpoint has to do: it checks the shared secret, parses, leaves out what was handled
already, calls the functions registered for the class, and says what to answer.
"""

from talon_one.webhooks.classes import parts
from talon_one.webhooks.delivery_store import (
    AsyncDeliveryStore,
    Claim,
    DeliveryStore,
    InMemoryDeliveryStore,
)
from talon_one.webhooks.errors import MalformedBodyError, WrongSecretError
from talon_one.webhooks.receivers import (
    AsyncReceiver,
    Delivery,
    Receiver,
    Reply,
    UnknownNotificationTypeWarning,
    check_secret,
    message_id,
    parse,
)

__all__ = [
    "AsyncDeliveryStore",
    "AsyncReceiver",
    "Claim",
    "Delivery",
    "DeliveryStore",
    "InMemoryDeliveryStore",
    "MalformedBodyError",
    "Receiver",
    "Reply",
    "UnknownNotificationTypeWarning",
    "WrongSecretError",
    "check_secret",
    "message_id",
    "parse",
    "parts",
]
