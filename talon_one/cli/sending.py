"""Send a webhook to a URL, once, and show it as one line."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import click

from talon_one._utils.quoting import message_of
from talon_one.cli.failures import CommandFailed, ExitCode

_TIMEOUT = 30.0
# Of one connection, not of the message.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class Sent(NamedTuple):
    """The response to a webhook."""

    status: int
    seconds: float
    text: str


def checked_url(url: str) -> str:
    """Return a URL that webhooks can be sent to.

    Raises:
        click.UsageError: It is none.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise click.UsageError(f"{url!r} is no URL, such as http://localhost:3000/webhooks")
    return url


def send(url: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Sent:
    """Send a webhook and return the response. It is not retried, and redirects are not followed.

    Raises:
        CommandFailed: There is no response.
    """
    import urllib3

    begin = time.perf_counter()
    timeout = urllib3.Timeout(total=_TIMEOUT)
    try:
        with urllib3.PoolManager(timeout=timeout, retries=False) as pool:
            response = pool.request(
                method, url, body=body, headers=dict(headers), redirect=False, retries=False
            )
            text = response.data.decode("utf-8", "replace")
    except urllib3.exceptions.HTTPError as cause:
        unsent = isinstance(
            cause, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
        )
        code = ExitCode.NOT_SENT if unsent else ExitCode.UNKNOWN
        raise CommandFailed(f"{url}: {message_of(cause)}", code) from cause
    return Sent(response.status, time.perf_counter() - begin, text)


def forwarded_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers of a webhook that go on to another server."""
    return {name: value for name, value in headers if name.lower() not in _HOP_BY_HOP}
