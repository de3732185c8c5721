"""Authentication: the three `Authorization` schemes and the `Content-Signature` of V1."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from talon_one.sandbox.database import digest
from talon_one.sandbox.errors import signature_mismatch, unauthorized
from talon_one.sandbox.records import Application
from talon_one.sandbox.store import Store


class Access(Enum):
    """Which credentials an operation takes."""

    INTEGRATION = "Integration key"
    INTEGRATION_OR_SIGNATURE = "Integration key, or a signature of the body"
    MANAGEMENT = "Management key"


_KIND_OF_SCHEME: Final[Mapping[str, str]] = MappingProxyType(
    {"apikey-v1": "integration", "managementkey-v1": "management", "bearer": "management"}
)


def authenticate(store: Store, access: Access, headers: Mapping[str, str], body: bytes) -> None:
    """Check the credentials of a request.

    `Authorization` counts when it is there; `Content-Signature` is for requests without it.

    Args:
        store: State that holds the credentials.
        access: Credentials that the operation takes.
        headers: Request headers; names are case-insensitive.
        body: The exact bytes received, which are what a signature covers.

    Raises:
        ApiError: 401 for a missing or wrong key, 400 for a wrong signature.
    """
    authorization = headers.get("Authorization")
    signature = headers.get("Content-Signature")
    if authorization is not None:
        scheme, _, key = authorization.strip().partition(" ")
        wanted = "management" if access is Access.MANAGEMENT else "integration"
        kind = _KIND_OF_SCHEME.get(scheme.lower())
        if kind != wanted or not store.accepts(kind, digest(key.strip())):
            raise unauthorized()
    elif signature is not None and access is Access.INTEGRATION_OR_SIGNATURE:
        if not _signature_matches(store.application(), signature, body):
            raise signature_mismatch()
    else:
        raise unauthorized()


def sign(secret: str, body: bytes) -> str:
    """Return the signature of a body: HMAC-MD5 in lower-case hex, keyed by the decoded secret."""
    return hmac.new(bytes.fromhex(secret), body, "md5").hexdigest()


def _signature_matches(application: Application, header: str, body: bytes) -> bool:
    fields = {}
    for part in header.split(";"):
        name, _, value = part.partition("=")
        fields[name.strip()] = value.strip()
    expected = sign(application.secret, body).encode()
    # Bytes, because `compare_digest` refuses text outside ASCII.
    given = fields.get("signature", "").encode("utf-8", "surrogateescape")
    same = hmac.compare_digest(given, expected)
    return same and fields.get("signer") == str(application.id)
