"""Choose the proxy for a host: the configured one, or that of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from talon_one._core.address import is_address, is_loopback
from talon_one._core.headers import check_header
from talon_one._core.secret import hidden_url
from talon_one.exceptions import ConfigurationError

if TYPE_CHECKING:
    from talon_one.configuration import Configuration

_SCHEMES = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})


def proxy_for(configuration: Configuration, base: str) -> str | None:
    """Return the address of the proxy for a host, or ``None`` to connect directly.

    A proxy of the configuration is used for every host. Otherwise, unless `trust_env` is off, the
    environment decides: ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``ALL_PROXY``, except for hosts in
    ``NO_PROXY``. Its entries are names, suffixes of names, addresses, networks (``10.0.0.0/8``),
    or ``*``. Servers on this machine, such as the sandbox, need no proxy of the environment.

    Args:
        configuration: Settings of the client.
        base: Scheme, host and port of the server.

    Raises:
        ApiTypeError, ApiValueError: The headers for the proxy cannot be sent. Their values, which
            may be secret, are not quoted.
    """
    for name, value in (configuration.proxy_headers or {}).items():
        check_header(name, value)
    if configuration.proxy is not None:
        return _checked(configuration.proxy) if configuration.proxy else None
    if not configuration.trust_env:
        return None
    from urllib.request import getproxies

    found = getproxies()
    parts = urlsplit(base)
    host = parts.hostname or ""
    proxy = found.get(parts.scheme) or found.get("all")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not proxy or is_loopback(host) or is_exempt(host, port, found.get("no", "")):
        return None
    return _checked(proxy if "://" in proxy else f"http://{proxy}")


def _checked(proxy: str) -> str:
    """Return the address of a proxy, validated here because libraries would quote a bad one.

    Raises:
        ConfigurationError: It is not; neither the message nor the cause quotes the address.
    """
    if not is_address(proxy, _SCHEMES):
        raise ConfigurationError("the proxy cannot be used: its address is not valid")
    return hidden_url(proxy)


def headers_for(configuration: Configuration, proxy: str) -> dict[str, str]:
    """Return the headers for a proxy: the configured ones, and its credentials.

    Args:
        configuration: Settings of the client.
        proxy: Address of the proxy. A configured header replaces the credentials in it.

    Raises:
        ValueError, urllib3.exceptions.HTTPError: The address is not valid.
    """
    from urllib.parse import unquote

    import urllib3

    headers = dict(configuration.proxy_headers or {})
    credentials = urllib3.util.parse_url(proxy).auth
    if credentials and not any(name.lower() == "proxy-authorization" for name in headers):
        headers.update(urllib3.make_headers(proxy_basic_auth=unquote(credentials)))
    return headers


def is_exempt(host: str, port: int, exemptions: str) -> bool:
    """Return whether to connect to a host directly.

    Args:
        host: Name or address of the server.
        port: Its port.
        exemptions: Value of ``NO_PROXY``.
    """
    return any(
        _matches(host.lower(), port, entry)
        for entry in exemptions.lower().replace(",", " ").split()
    )


def _matches(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    name, colon, digits = entry.rpartition(":")
    if colon and digits.isdigit() and (name.startswith("[") or ":" not in name):
        if int(digits) != port:
            return False
        entry = name
    entry = entry.strip("[]").lstrip(".")
    return host == entry or host.endswith(f".{entry}") or _is_within(host, entry)


def _is_within(host: str, network: str) -> bool:
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
