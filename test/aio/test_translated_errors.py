"""Errors of aiohttp become ours, with the messages of the blocking client."""

from __future__ import annotations

import asyncio
import ssl
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from urllib3.util.ssl_match_hostname import CertificateError

from talon_one import (
    ApiValueError,
    ConnectTimeoutError,
    NoResponseError,
    NotSentError,
    ReadTimeoutError,
    Request,
    Timeout,
    TlsError,
)
from talon_one.aio.connections import Exchange
from talon_one.aio.failures import (
    chained_cause,
    foreign_cause,
    raise_upload_failure,
    to_transport_error,
)

pytestmark = pytest.mark.asyncio

REQUEST = Request("getThing", "GET", "https://shop.talon.one", "/v1/things", {}, None)
KEY: Any = SimpleNamespace(host="shop.talon.one", port=443, ssl=True, is_ssl=True)
INFO: Any = SimpleNamespace(real_url="https://shop.talon.one/v1/things?token=t0ken")
LIBRARIES = [
    *("aiohttp", "aiohappyeyeballs", "aiosignal", "frozenlist", "multidict", "propcache", "yarl"),
    *("aiodns.error", "pycares", "idna.core", "urllib3.exceptions", "uvloop", "winloop", "asyncio"),
]


class Limit(TimeoutError):
    """A time limit of the application."""


def translated(cause: Exception, deadline: float | None = None, **state: Any) -> Any:
    exchange = Exchange(Timeout(1.5, 2.5, deadline))
    for name, value in state.items():
        setattr(exchange, name, value)
    return to_transport_error(cause, REQUEST, exchange)


async def test_an_error_of_a_library_below_is_not_foreign() -> None:
    for module in LIBRARIES:
        assert foreign_cause(type("Failure", (Exception,), {"__module__": module})()) is None


async def test_an_error_of_the_application_is_found_wherever_it_is_chained() -> None:
    limit = Limit()
    cause: Exception = limit
    for _ in range(3):
        assert foreign_cause(cause) is limit
        outer = aiohttp.ClientError()
        outer.__cause__ = cause
        cause = outer
    ours = ApiValueError("wrong")
    assert foreign_cause(ours) is ours


async def test_a_file_that_could_not_be_read_is_the_failure_of_its_request() -> None:
    unread = ApiValueError("the file changed")
    upload: Any = SimpleNamespace(failure=unread)
    with pytest.raises(ApiValueError) as caught:
        raise_upload_failure(REQUEST._replace(body=upload))
    assert caught.value is unread
    upload.failure = None
    for body in (upload, b"a", None):
        raise_upload_failure(REQUEST._replace(body=body))


@pytest.mark.parametrize(
    ("cause", "unsent", "sent", "reason"),
    [
        (OSError("refused\n by  all"), NotSentError, NoResponseError, "refused by all"),
        (OSError(), NotSentError, NoResponseError, "OSError"),
        (aiohttp.ClientError("x" * 400), NotSentError, NoResponseError, "x" * 300),
        (
            aiohttp.ServerDisconnectedError(),
            NotSentError,
            NoResponseError,
            "Remote end closed connection without response",
        ),
        (
            aiohttp.ClientConnectorDNSError(KEY, OSError("unknown name")),
            NotSentError,
            NoResponseError,
            "Failed to resolve 'shop.talon.one' (unknown name)",
        ),
        (
            aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLError("wrong name")),
            TlsError,
            NoResponseError,
            "('wrong name',)",
        ),
        (CertificateError("wrong name"), TlsError, NoResponseError, "wrong name"),
        (
            aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "Connect call failed")),
            NotSentError,
            NoResponseError,
            "Failed to establish a new connection: [Errno 111] Connection refused",
        ),
        (
            aiohttp.ClientConnectorError(KEY, OSError("Multiple exceptions")),
            NotSentError,
            NoResponseError,
            "Failed to establish a new connection: Multiple exceptions",
        ),
        (
            aiohttp.ClientHttpProxyError(INFO, (), status=407, message="Who are you"),
            NotSentError,
            NoResponseError,
            "Tunnel connection failed: 407 Who are you",
        ),
        (
            aiohttp.ClientResponseError(INFO, (), status=400, message="Bad header"),
            NotSentError,
            NoResponseError,
            "Bad header",
        ),
    ],
)
async def test_an_error_says_what_happened_and_whether_the_server_may_have_the_request(
    cause: Exception, unsent: type[Exception], sent: type[Exception], reason: str
) -> None:
    for was_sent, expected in ((False, unsent), (True, sent)):
        failure = translated(cause, sent=was_sent)
        assert failure.reason.partition("; if the port")[0] == reason
        assert "t0ken" not in str(failure)
        assert type(failure) is expected
        late = translated(cause, -1, sent=was_sent)
        assert late.reason.startswith("the deadline has passed")
        assert type(late) is (ReadTimeoutError if was_sent else ConnectTimeoutError)


@pytest.mark.parametrize(
    ("state", "kind", "reason"),
    [
        ({"sent": True}, ReadTimeoutError, "Read timed out. (read timeout=2.5)"),
        ({}, ConnectTimeoutError, "Connecting timed out. (connect timeout=1.5)"),
        ({"waiting": True}, ConnectTimeoutError, "no connection became free in time"),
    ],
)
async def test_a_timeout_says_what_took_too_long(
    state: dict[str, bool], kind: type[Exception], reason: str
) -> None:
    failure = translated(asyncio.TimeoutError(), **state)
    assert failure.reason.startswith(reason)
    assert type(failure) is kind


async def test_a_server_that_stops_reading_is_a_timeout() -> None:
    failure = translated(aiohttp.ClientOSError(), sent=True, stalled=True)
    assert failure.reason == "Sending timed out. (read timeout=2.5)"
    assert type(failure) is ReadTimeoutError


async def test_an_error_that_quotes_the_query_is_not_chained() -> None:
    inner = OSError("cut")
    for cause in (
        aiohttp.ConnectionTimeoutError("late"),
        aiohttp.ClientResponseError(INFO, ()),
    ):
        assert chained_cause(cause) is None
        cause.__cause__ = inner
        assert chained_cause(cause) is inner
    assert chained_cause(inner) is inner
