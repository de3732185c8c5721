"""Build SSL contexts from TLS settings; clients with equal settings share one."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator
from functools import lru_cache
from http.client import RemoteDisconnected
from typing import TYPE_CHECKING, NamedTuple

from talon_one.exceptions import ConfigurationError

if TYPE_CHECKING:
    from talon_one.configuration import Configuration


class _Settings(NamedTuple):
    """The settings that distinguish contexts."""

    verify: bool
    system_trust: bool
    # ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``; empty if they must not be read.
    environment: tuple[str, ...]
    ca_file: str | None
    ca_data: str | bytes | None
    cert_file: str | None
    key_file: str | None
    # With an asserted host name the context leaves the check to urllib3, which would switch it
    # off in a shared context.
    check_hostname: bool
    # Renewed certificates replace files; the context must follow.
    changed: tuple[int, ...]


def ssl_context(configuration: Configuration) -> ssl.SSLContext:
    """Return the SSL context of a client; equal settings share one.

    Raises:
        ConfigurationError: A certificate or key cannot be read, or the system trust store is
            wanted and ``truststore`` is not installed.
    """
    environment: tuple[str, ...] = ()
    if configuration.trust_env:
        environment = (os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))
    files = (configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file)
    try:
        changed = tuple(os.stat(path).st_mtime_ns for path in files if path)
        changed += tuple(map(_modified, environment))
        return _context(
            _Settings(
                configuration.verify_ssl,
                configuration.system_trust,
                environment,
                configuration.ssl_ca_cert,
                configuration.ca_cert_data,
                configuration.cert_file,
                configuration.key_file,
                configuration.assert_hostname in (None, True),
                changed,
            )
        )
    except ConfigurationError:
        raise
    except (OSError, ValueError) as cause:
        # Only the kind of error: some messages of OpenSSL quote the files.
        problem = getattr(cause, "strerror", None) or type(cause).__name__
        file = getattr(cause, "filename", None)
        problem += f": {file}" if file else ""
        raise ConfigurationError(f"the certificates or keys cannot be used: {problem}") from cause


# Contexts are expensive: loading the certificate authorities alone takes milliseconds.
@lru_cache(maxsize=16)
def _context(settings: _Settings) -> ssl.SSLContext:
    if settings.verify and settings.system_trust:
        context = _system_context(bool(settings.environment))
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if settings.verify and settings.ca_file is None and settings.ca_data is None:
            _load_public_authorities(context, settings.environment)
    if settings.verify and (settings.ca_file is not None or settings.ca_data is not None):
        context.load_verify_locations(cafile=settings.ca_file, cadata=settings.ca_data)
    if not (settings.verify and settings.check_hostname):
        context.check_hostname = False
    if not settings.verify:
        context.verify_mode = ssl.CERT_NONE
    if settings.cert_file is not None:
        # Without a password, OpenSSL would prompt for one on the terminal and wait.
        context.load_cert_chain(settings.cert_file, settings.key_file, password="")
    return context


def _load_public_authorities(context: ssl.SSLContext, environment: tuple[str, ...]) -> None:
    if any(environment):
        # OpenSSL reads both variables, and uses its own default for a missing one.
        context.set_default_verify_paths()
        return
    import certifi

    context.load_verify_locations(certifi.where())


def _modified(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns if path else 0
    except OSError:
        return 0  # OpenSSL ignores a missing file.


def _system_context(trust_env: bool) -> ssl.SSLContext:
    try:
        import truststore
    except ImportError as cause:
        raise ConfigurationError(
            "the trust store of the system needs truststore: pip install truststore"
        ) from cause
    paths = ssl.get_default_verify_paths()
    read = os.environ.keys() & {paths.openssl_cafile_env, paths.openssl_capath_env}
    if read and not trust_env and sys.platform not in ("win32", "darwin"):
        # There the store is that of OpenSSL, which always reads the environment.
        plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        file, folder = paths.openssl_cafile, paths.openssl_capath
        known = {"cafile": file if os.path.isfile(file) else None}
        known["capath"] = folder if os.path.isdir(folder) else None
        if any(known.values()):
            plain.load_verify_locations(**known)
        return plain
    context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return context


# Messages of several OpenSSL versions for bytes that are not TLS.
_NOT_TLS = frozenset(
    {"HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "WRONG_VERSION_NUMBER"}
)
# As received, and as other libraries quote it.
_TLS_ALERTS = ("\x15\x03", "\\x15\\x03")
# Errors when a server does not understand the request.
_DISCONNECTED = (ConnectionResetError, RemoteDisconnected, ssl.SSLEOFError)


def wrong_scheme(base: str, cause: BaseException, sent: bool) -> str:
    """Return a hint for a message if only one of client and server uses TLS.

    Args:
        base: Scheme, host and port that were called.
        cause: What went wrong.
        sent: Whether there was a connection to send the request over.
    """
    scheme, _, rest = base.partition("://")
    errors = list(_error_chain(cause))
    if scheme == "https":
        if any(getattr(each, "reason", None) in _NOT_TLS for each in errors):
            return f"; the port speaks no TLS: is the host http://{rest}?"
        if not sent and any(isinstance(each, _DISCONNECTED) for each in errors):
            return f"; if the port speaks no TLS, the host is http://{rest}"
    elif sent and any(
        isinstance(each, _DISCONNECTED)
        or type(each).__name__
        == "ServerDisconnectedError"  # Of aiohttp, which may not be installed.
        or any(alert in str(each) for alert in _TLS_ALERTS)
        for each in errors
    ):
        return f"; if the port speaks TLS, the host is https://{rest}"
    return ""


def _error_chain(cause: BaseException) -> Iterator[BaseException]:
    """Yield an error and the errors that it wraps."""
    yield cause
    inner = [each for each in cause.args if isinstance(each, BaseException)]
    inner += [each for each in (getattr(cause, "os_error", None), cause.__cause__) if each]
    for each in inner:
        yield from _error_chain(each)
