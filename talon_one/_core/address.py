"""Validate hosts and paths, so that a request and its credentials go nowhere else."""

from __future__ import annotations

import os
import re
import unicodedata
import warnings
from collections.abc import Collection
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from talon_one.exceptions import ApiTypeError, ApiValueError, ConfigurationError

PLACEHOLDER_HOST = "https://yourbaseurl.talon.one"
"""Host of the API description, a placeholder for the host of a deployment."""

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([^:]*))?")
_LABELS = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?")
# The second part is the zone of an IPv6 address, such as a link-local one.
_IPV6 = re.compile(r"\[([0-9A-Fa-f:.]+)(?:%(?:25[A-Za-z0-9._-]+|[A-Za-z][A-Za-z0-9._-]*))?\]")
_LONGEST_NAME = 253

# RFC 3986, sections 3.3 and 3.4. Any other character must be percent-encoded.
_BAD_IN_TARGET = re.compile(r"[^A-Za-z0-9._~!$&'()*+,;=:@/?%-]|%(?![0-9A-Fa-f]{2})")
_MAX_DECODINGS = 4
_SEPARATORS = re.compile(r"[/\\]")


class InsecureHostWarning(UserWarning):
    """Credentials will be sent over an unencrypted connection."""


def base_url(host: Any) -> str:
    """Return scheme, name and port of a host, in a form to append paths to.

    An international name is returned in ASCII, so that every part of a call uses the same host.

    Raises:
        ConfigurationError: *host* is not the address of a deployment; the message says why.
    """
    if not isinstance(host, str):
        # Its own text is not quoted, because it may be anything.
        raise ConfigurationError(f"the host must be text, not {type(host).__name__}")
    if "@" in host:
        del host  # A report of the local variables of a failed call would show it.
        raise ConfigurationError("the host must hold neither credentials nor blanks")
    return _base_url(str(host))


# The cache makes an InsecureHostWarning appear once per host.
@lru_cache(maxsize=1024)
def _base_url(host: str) -> str:
    if not host.strip():
        raise ConfigurationError("no host is set; use the address of your deployment")
    # First, because the messages below quote the host.
    if any(map(_is_blank_or_control, host)):
        raise ConfigurationError(
            "the host must hold neither credentials nor blanks nor control characters"
        )
    if host.rstrip("/") == PLACEHOLDER_HOST:
        raise ConfigurationError(
            f"the host is still the placeholder {PLACEHOLDER_HOST}; set it to the address of your"
            f" deployment, with Configuration(host=...){_unread_environment('TALON_ONE_HOST')}"
        )
    parts = _ADDRESS.fullmatch(host)
    scheme = parts[1].lower() if parts else ""
    if parts is None or scheme not in ("http", "https") or not parts[2]:
        raise ConfigurationError(
            f"the host {host!r} needs a scheme and a name, such as https://mycompany.talon.one"
        )
    if parts[3].strip("/"):
        raise ConfigurationError(
            f"the host {host!r} has a path; paths such as /v2 are added by the calls themselves"
        )
    authority = _AUTHORITY.fullmatch(parts[2])
    name = _checked_name(authority[1], host) if authority else None
    port = _checked_port(authority[2], host) if authority else None
    if name is None:
        raise ConfigurationError(f"the host {host!r} is no address")
    address = f"{scheme}://{name}{port}"
    if scheme == "http" and not is_loopback(name.strip("[]")):
        warnings.warn(
            f"calls to {address} are not encrypted: keys and customer data can be read on the way",
            InsecureHostWarning,
            stacklevel=3,
        )
    return address


def split_url(url: Any) -> tuple[str, str]:
    """Split a URL into the `base_url` of its host and the target: its path and query.

    Raises:
        ApiValueError: The URL is ambiguous, or cannot be sent.
    """
    parts = _ADDRESS.fullmatch(url) if isinstance(url, str) else None
    if parts is None:
        raise ApiValueError("a URL begins with https:// and the name of a host")
    target = str(parts[3])
    if target[:1] == "?":
        target = f"/{target}"
    return base_url(url[: parts.end(2)]), checked_target(target or "/")


def checked_target(target: object) -> str:
    """Return a path, with or without a query, if appending it to a host cannot change the host.

    Raises:
        ApiTypeError: It is not text.
        ApiValueError: It does not begin with exactly one slash, has dot segments or a fragment, or
            holds characters that must be percent-encoded. The message does not quote it, because
            it may hold anything.
    """
    if not isinstance(target, str):
        raise ApiTypeError(f"a path is text, not {type(target).__name__}")
    target = str.__str__(target)
    if not target.startswith("/"):
        raise ApiValueError("a path begins with '/'; the host is a setting of the client")
    bad = _BAD_IN_TARGET.search(target)
    if bad is not None:
        raise ApiValueError(_advice(bad[0]))
    path = target.partition("?")[0]
    # A server may decode several times before it splits the path into segments.
    plain = path
    for _ in range(_MAX_DECODINGS):
        plain = unquote(plain, errors="replace")
    if "%00" in target or any(map(_is_control, plain)):
        raise ApiValueError("a path must not hold control characters, encoded or not")
    if plain[1:2] in ("/", "\\"):
        raise ApiValueError("a path begins with exactly one '/': after two comes another host")
    if any(map(_is_dots, _SEPARATORS.split(plain))):
        raise ApiValueError(
            "a path must not hold the segments '.' and '..': it would lead elsewhere"
        )
    return target


def is_address(url: str, schemes: Collection[str]) -> bool:
    """Return whether a URL has one of these schemes, a host, an optional port, and nothing else.

    User and password are allowed.
    """
    parts = _ADDRESS.fullmatch(url)
    if parts is None or any(map(_is_blank_or_control, url)) or parts[3] not in ("", "/"):
        return False
    authority = _AUTHORITY.fullmatch(parts[2].rpartition("@")[2])
    try:
        return (
            parts[1].lower() in schemes
            and authority is not None
            and bool(_checked_name(authority[1], ""))
            and _checked_port(authority[2], "") is not None
        )
    except ConfigurationError:
        return False


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    from ipaddress import ip_address

    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def without_credentials(url: str) -> str:
    """Return a URL with its credentials masked."""
    scheme, mark, rest = url.rpartition("://")
    authority, slash, path = rest.partition("/")
    # An unencoded password may hold a slash.
    _, at, name = rest.rpartition("@") if "@" in rest else ("", "", authority + slash + path)
    return f"{scheme}{mark}{'***@' if at else ''}{name}"


def _unread_environment(name: str) -> str:
    """Return a hint to use `from_env` if a variable of the environment is set."""
    if os.environ.get(name):
        return f"; {name} is set, but only Configuration.from_env() reads it, when it is called"
    return f" or {name} and Configuration.from_env()"


def _checked_name(name: str, host: str) -> str | None:
    """Return a name or an address in ASCII, or ``None`` if it is neither."""
    if name.startswith("["):
        from ipaddress import IPv6Address

        numbers = _IPV6.fullmatch(name)
        try:
            return name if numbers and IPv6Address(numbers[1]) else None
        except ValueError:
            return None
    if name.isascii():
        return name if _LABELS.fullmatch(name) and len(name) <= _LONGEST_NAME else None
    # Characters that resemble, or map to, others may mean another host to another reader.
    if unicodedata.normalize("NFKC", name) != name or "\u3002" in name:
        raise ConfigurationError(
            f"the host {host!r} holds characters that stand for others; write it in ASCII"
        )
    try:
        encoded = name.encode("idna").decode()
        same = encoded.encode().decode("idna") == name.lower()
    except UnicodeError:
        return None
    if not same:
        raise ConfigurationError(
            f"the host {host!r} has more than one form in ASCII; write the one you mean (xn--...)"
        )
    return encoded if _LABELS.fullmatch(encoded) and len(encoded) <= _LONGEST_NAME else None


def _checked_port(port: str | None, host: str) -> str:
    if not port:
        return ""
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 2**16):
        raise ConfigurationError(
            f"the host {host!r} is no address: its port must be a number from 1 to 65535"
        )
    return f":{int(port)}"


def _advice(bad: str) -> str:
    if bad == "#":
        return "a path must not hold a fragment ('#'); if it is part of an ID, percent-encode it"
    if bad in "{}":
        return "a path holds a place ({...}) for which path_params has no value"
    return f"a path must not hold {bad!r}: percent-encode it"


def _is_dots(segment: str) -> bool:
    # Some servers ignore everything after a semicolon.
    name = segment.partition(";")[0]
    return bool(name) and not name.strip(".")


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc"


def _is_blank_or_control(character: str) -> bool:
    # Cf: invisible characters, such as those that change the writing direction.
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zs")
