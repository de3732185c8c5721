"""Exceptions for webhooks that are refused."""

from __future__ import annotations

from talon_one.exceptions import ApiValueError, OpenApiException


class MalformedBodyError(ApiValueError):
    """The body of a webhook is not a JSON object. Respond with 400."""


class WrongSecretError(OpenApiException):
    """A webhook lacks the shared secret, or sent a wrong one. Respond with 401."""
