"""Authentication headers: ``Authorization`` with its prefix, and ``Content-Signature``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from talon_one._core.secret import Secret, hidden
from talon_one._utils.guard import raised_by_signal
from talon_one.exceptions import ApiValueError, ConfigurationError, OpenApiException


class Credentials(Protocol):
    """The part of a `talon_one.Configuration` that authentication needs."""

    api_key: dict[str, str]
    api_key_prefix: dict[str, str]
    access_token: str | None
    application_id: int | str | None
    application_secret: str | None
    refresh_api_key_hook: Callable[[Any], object] | None


class TokenSource(Protocol):
    """What renews the token of a client; see `talon_one.credentials.Login`."""

    def renewed(self, rejected: str, remaining: float | None) -> Any:
        """Return a value of ``Authorization`` in place of one that the server rejected.

        With an asyncio client, it is awaited.

        Args:
            rejected: The value that was rejected.
            remaining: Seconds that this may take; ``None`` for any time.
        """


class Scheme(NamedTuple):
    """A security scheme of the API."""

    header: str
    prefix: str
    setting: str
    """How to supply the credential, for the error message."""


ENVIRONMENT = ("TALON_ONE_API_KEY", "TALON_ONE_MANAGEMENT_KEY", "TALON_ONE_APPLICATION_SECRET")
"""Variables that `talon_one.Configuration.from_env` reads credentials from."""

AUTHORIZATION = "Authorization"
CONTENT_SIGNATURE = "Content-Signature"
BEARER = "Bearer "

NO_TOKEN = Secret("none yet")
"""Access token of a client with a login that has not signed in yet; it is never sent."""
NO_TOKEN_YET = BEARER + NO_TOKEN

SCHEMES = {
    "api_key_v1": Scheme(
        AUTHORIZATION,
        "ApiKey-v1",
        "an Integration API key: Configuration(api_key={'api_key_v1': '...'}),"
        " or TALON_ONE_API_KEY with Configuration.from_env()",
    ),
    "management_key": Scheme(
        AUTHORIZATION,
        "ManagementKey-v1",
        "a Management API key: Configuration(api_key={'management_key': '...'}),"
        " or TALON_ONE_MANAGEMENT_KEY with Configuration.from_env()",
    ),
    "manager_auth": Scheme(
        AUTHORIZATION,
        "Bearer",
        "the token of a user session: Configuration(api_key={'manager_auth': '...'})",
    ),
    "integration_auth": Scheme(
        CONTENT_SIGNATURE,
        "",
        "an Application ID and its secret: Configuration(application_id=..., "
        "application_secret='...')",
    ),
}
_PREFIXES = {scheme.prefix.lower(): name for name, scheme in SCHEMES.items() if scheme.prefix}


def auth_header(
    configuration: Credentials, accepted: tuple[str, ...], body: bytes | None
) -> tuple[str, str] | None:
    """Return the header that authenticates a request, name and value.

    Args:
        configuration: Where the credentials are.
        accepted: Names of the schemes that the operation accepts, any one of which will do.
        body: The exact bytes to send; ``None`` for an upload, which cannot be signed because its
            bytes are not known in advance.

    Returns:
        The header, or ``None`` if the operation needs no authentication.

    Raises:
        ConfigurationError: There is no credential for any accepted scheme, or only a secret, which
            cannot sign an upload.
    """
    if not accepted:
        return None
    refresh(configuration)
    for name in accepted:
        value = credential(configuration, name)
        if value is None and name == "integration_auth":
            value = _computed_signature(configuration, body)
        if value is not None:
            return SCHEMES[name].header, value
    wanted = "; or ".join(SCHEMES[name].setting for name in accepted)
    known = {*SCHEMES, AUTHORIZATION, CONTENT_SIGNATURE}
    unknown = ", ".join(repr(str(name)) for name in configuration.api_key if name not in known)
    unread = [name for name in ENVIRONMENT if os.environ.get(name)]
    if unread:
        wanted += (
            f"; {unread[0]} is set, but only Configuration.from_env() reads it, when it is called"
        )
    given = f" (given is {unknown}, which names no scheme)" if unknown else ""
    raise ConfigurationError(f"no credential for this call: it needs {wanted}{given}")


def refresh(configuration: Credentials) -> None:
    """Call `Configuration.refresh_api_key_hook`, if there is one.

    Raises:
        ConfigurationError: It failed; the cause is chained.
    """
    hook = configuration.refresh_api_key_hook
    if hook is None:
        return
    try:
        hook(configuration)
    except (OpenApiException, MemoryError):
        raise
    except Exception as cause:  # Code of the application may raise anything.
        if raised_by_signal(cause):
            raise
        raise ConfigurationError(f"refresh_api_key_hook failed: {type(cause).__name__}") from cause


def credential(configuration: Credentials, name: str) -> str | None:
    """Return the ready header value of a scheme, or ``None`` if the configuration lacks one."""
    scheme = SCHEMES[name]
    keys, prefixes = configuration.api_key, configuration.api_key_prefix
    if keys.get(name):
        return _prefixed(keys[name], prefixes.get(name), scheme)
    if name == "manager_auth" and configuration.access_token:
        return _prefixed(configuration.access_token, None, scheme)
    key = keys.get(scheme.header)
    if not key:
        return None
    # Three schemes share the header Authorization. A known prefix, in the map of prefixes or in
    # the value, shows which scheme the key belongs to.
    prefix = prefixes.get(scheme.header)
    said = (prefix or key.partition(" ")[0]).strip().lower()
    if _PREFIXES.get(said, name) != name:
        return None
    return _prefixed(key, prefix, scheme)


def signature(application_id: int | str, secret: str, body: bytes) -> str:
    """Return the value of ``Content-Signature`` for a request body.

    Args:
        application_id: ID of the Application that signs.
        secret: Secret key of the Application, a hexadecimal string.
        body: The exact bytes of the request body.

    Raises:
        ConfigurationError: *secret* is not hexadecimal.
    """
    import hmac

    signer = f"signer={application_id}; signature="
    try:
        key = bytes.fromhex(secret)
    except (TypeError, ValueError):
        # Neither the message nor its cause may quote the secret.
        raise ConfigurationError(
            "the Application secret must be a hexadecimal string of even length"
        ) from None
    # The platform defines the signature as HMAC-MD5.
    digest = hmac.new(key, body, "md5").hexdigest()
    return Secret(signer + digest)


def _computed_signature(configuration: Credentials, body: bytes | None) -> str | None:
    application_id, secret = configuration.application_id, configuration.application_secret
    if application_id is None and not secret:
        return None
    if application_id is None or not secret:
        raise ConfigurationError(
            "signing needs both application_id and application_secret, one is missing"
        )
    if body is None:
        raise ConfigurationError("an upload cannot be signed: it needs another credential")
    return signature(application_id, secret, body)


def _prefixed(key: str, prefix: str | None, scheme: Scheme) -> str:
    if not isinstance(key, str):
        raise ApiValueError(f"the credential for {scheme.header} must be text")
    prefix = scheme.prefix if prefix is None else prefix.strip()
    if not prefix or key.lower().startswith(f"{prefix.lower()} "):
        return hidden(key)
    return Secret(f"{prefix} {key}")
