"""Idempotency keys: which request a key stands for, and the response that is replayed for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from talon_one._core.operation import IDEMPOTENCY_KEY
from talon_one.sandbox.errors import ApiError, Problem
from talon_one.sandbox.values import hours_before

HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key, with what it belongs to.

    Attributes:
        credential: Hash of the credential of the request.
        request: Method and path.
        key: The key itself.
        fingerprint: Hash of the query and the body, to recognize another request with the key.
    """

    credential: str
    request: str
    key: str
    fingerprint: str

    def check(self, stored: str) -> None:
        """Refuse a request that is not the one whose response is stored.

        Raises:
            ApiError: 422, as the draft of the IETF about this header recommends.
        """
        if stored != self.fingerprint:
            details = "the key was used for a request with another body or query"
            problem = Problem("Idempotency", details, parameter=IDEMPOTENCY_KEY)
            raise ApiError(422, "The idempotency key belongs to another request", (problem,))

    @staticmethod
    def since(now: str) -> str:
        """Return the time from which on responses are still stored."""
        return hours_before(now, HOURS)


def fingerprint(query: Mapping[str, Any], body: Any) -> str:
    """Return a hash of what a request asks for.

    The order of properties does not count, because a client may encode a retry anew.
    """
    asked = json.dumps([query, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(asked.encode()).hexdigest()
