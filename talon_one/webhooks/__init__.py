"""Webhooks that Talon.One sends: read them, check their secret, pass them to functions.

`parse` turns the body of a notification into an object of its class. A `Receiver`, or an
`AsyncReceiver`, does everything that an endpoint needs: it checks the shared secret, parses the
body, skips messages that were handled already, calls the functions registered for the class, and
returns the response to send.
"""

from talon_one.webhooks.async_receiver import AsyncReceiver
from talon_one.webhooks.classes import parts
from talon_one.webhooks.delivery import Delivery, Reply
from talon_one.webhooks.delivery_store import (
    AsyncDeliveryStore,
    Claim,
    DeliveryStore,
    InMemoryDeliveryStore,
)
from talon_one.webhooks.errors import MalformedBodyError, WrongSecretError
from talon_one.webhooks.parsing import check_secret, message_id, parse
from talon_one.webhooks.receiver import Receiver
from talon_one.webhooks.rules import UnknownNotificationTypeWarning

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
