"""Certificates made for a test, and the servers and clients that use them."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone
from functools import cache

import trustme

LONG_AGO = datetime(2001, 1, 1, tzinfo=timezone.utc)


@cache
def authority(name: str) -> trustme.CA:
    """Return the certificate authority with this name, made when first asked for."""
    return trustme.CA(organization_name=name)


def server_context(
    *names: str,
    by: str = "ours",
    expired: bool = False,
    clients_by: str | None = None,
) -> ssl.SSLContext:
    """Return the context of a server.

    Args:
        names: Host names and addresses that its certificate is for; ``127.0.0.1`` if none is given.
        by: Name of the authority that issued it.
        expired: Whether its time has passed.
        clients_by: Name of the authority whose certificates clients have to show.
    """
    certificate = authority(by).issue_cert(
        *(names or ("127.0.0.1",)),
        not_before=LONG_AGO if expired else None,
        not_after=LONG_AGO + timedelta(days=30) if expired else None,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if clients_by is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        authority(clients_by).configure_trust(context)
    return context


def certificate_of(name: str) -> str:
    """Return the certificate of an authority, as text."""
    return authority(name).cert_pem.bytes().decode()
