"""parse, check_secret and message_id: read a webhook without a receiver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from talon_one._schema.model import Model
from talon_one.exceptions import ConfigurationError
from talon_one.webhooks.classes import notification_of
from talon_one.webhooks.secret import Headers, SharedSecret, header_values

Body = bytes | str | Mapping[str, Any]
"""A body as it was received, or already decoded."""


def parse(
    body: Body,
    headers: Headers = (),
    *,
    secret_header: str | None = None,
    secret: str | Sequence[str] | None = None,
) -> Model:
    """Return the notification in a webhook as an object of its class.

    `NotificationType` determines the class. If several classes share a type, the items in `Data`
    decide; they get their own classes as well. Unknown properties are kept. A body of unknown type,
    such as a payload that a rule sends, becomes a plain `talon_one.Model`.

    Args:
        body: The body: bytes, text, or the decoded dict, which is not changed.
        headers: The headers. Only needed to check the secret.
        secret_header: Name of the header with the secret, to check the secret.
        secret: The secret, or several of which any is accepted.

    Raises:
        WrongSecretError: The secret is missing or wrong. Respond with 401.
        MalformedBodyError: The body is not a JSON object. Respond with 400.
        ConfigurationError: *secret* is empty, or only one of *secret_header* and *secret* is given.
    """
    shared_secret = shared_secret_of(secret_header, secret)
    if shared_secret is not None:
        shared_secret.check(headers)
    return notification_of(body)


def check_secret(headers: Headers, secret_header: str, secret: str | Sequence[str]) -> None:
    """Refuse a webhook without the secret. The time this takes does not depend on the secret.

    Args:
        headers: The headers of the webhook.
        secret_header: Name of the header with the secret, in upper or lower case.
        secret: The secret, or several of which any is accepted while you replace one.

    Raises:
        WrongSecretError: The header is missing, is there twice, or has another value.
        ConfigurationError: *secret* is empty.
    """
    SharedSecret(secret_header, secret).check(headers)


def message_id(headers: Headers) -> str | None:
    """Return `X-UUID`, the same for every attempt to deliver a message; ``None`` without one."""
    found = header_values(headers, "X-UUID")
    return (found[0] or None) if found else None


def shared_secret_of(header: str | None, secret: str | Sequence[str] | None) -> SharedSecret | None:
    """Return the secret that two settings describe; ``None`` if neither is given.

    Raises:
        ConfigurationError: Only one of the two is given, or the secret is empty.
    """
    if header is None and secret is None:
        return None
    if header is None or secret is None:
        missing = "secret_header" if header is None else "secret"
        raise ConfigurationError(f"{missing} is missing: give both the header and the secret")
    return SharedSecret(header, secret)
