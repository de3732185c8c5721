"""Authentication: the three `Authorization` schemes and the `Content-Signature` of V1."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from talon_one.sandbox.errors import ApiError, signature_mismatch, unauthorized
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import Key, State

INTEGRATION: Final = "integration"
MANAGEMENT: Final = "management"

_KIND_OF_SCHEME: Final[Mapping[str, str]] = MappingProxyType(
    {"apikey-v1": INTEGRATION, "managementkey-v1": MANAGEMENT, "bearer": MANAGEMENT}
)
_KIND_OF_SECURITY: Final[Mapping[str, str]] = MappingProxyType(
    {"api_key_v1": INTEGRATION, "management_key": MANAGEMENT, "manager_auth": MANAGEMENT}
)
SIGNATURE: Final = "integration_auth"
ANONYMOUS: Final = Key("", "", None, {})
"""The credential of requests that need none, such as those that sign in."""


def authenticate(
    state: State, security: Collection[str], headers: Mapping[str, str], body: bytes, now: str
) -> Key:
    """Check the credentials of a request and return the one that it carries.

    `Authorization` counts when it is there; `Content-Signature` is for requests without it.

    Args:
        state: State that holds the credentials.
        security: Schemes that the operation takes, by the names of the API's description; none for
            those that need no credentials.
        headers: Request headers; names are case-insensitive.
        body: The exact bytes received, which are what a signature covers.
        now: Moment of the request.

    Raises:
        ApiError: 401 for a missing or wrong key, 400 for a wrong signature.
    """
    if not security:
        return ANONYMOUS
    authorization = headers.get("Authorization")
    signature = headers.get("Content-Signature")
    if authorization is not None:
        scheme, _, secret = authorization.strip().partition(" ")
        kind = _KIND_OF_SCHEME.get(scheme.lower(), "")
        found = state.key(kind, secret.strip())
        wanted = {_KIND_OF_SECURITY[each] for each in security if each in _KIND_OF_SECURITY}
        if found is None or _is_over(found, now):
            raise unauthorized()
        if kind not in wanted:
            raise _wrong_kind(kind)
        return found
    if signature is not None and SIGNATURE in security:
        application = _signer(state, signature, body)
        if application is None:
            raise signature_mismatch()
        return Key(SIGNATURE, str(application["id"]), application["id"], {})
    raise unauthorized()


def _is_over(key: Key, now: str) -> bool:
    """Return whether a key has expired or is disabled."""
    # Management keys have the first, Integration keys the second.
    expiry = key.document.get("expiryDate") or key.document.get("expires") or now
    return bool(expiry < now or key.document.get("disabled"))


def _wrong_kind(kind: str) -> ApiError:
    """Return the 401 for a key that is valid, but for the other API."""
    here, there = "Integration", "Management"
    if kind == INTEGRATION:
        here, there = there, here
    return ApiError(
        401,
        f"Invalid or missing credentials: this is a key of the {there} API, and the operation "
        f"belongs to the {here} API",
    )


def sign(secret: str, body: bytes) -> str:
    """Return the signature of a body: HMAC-MD5 in lower-case hex, keyed by the decoded secret."""
    return hmac.new(bytes.fromhex(secret), body, "md5").hexdigest()


def _signer(state: State, header: str, body: bytes) -> Document | None:
    fields = {}
    for part in header.split(";"):
        name, _, value = part.partition("=")
        fields[name.strip()] = value.strip()
    # Bytes, because `compare_digest` refuses text outside ASCII.
    given = fields.get("signature", "").encode("utf-8", "surrogateescape")
    for application in state.applications.each():
        if str(application["id"]) == fields.get("signer") and application.get("_secret"):
            expected = sign(application["_secret"], body).encode()
            return application if hmac.compare_digest(given, expected) else None
    return None
