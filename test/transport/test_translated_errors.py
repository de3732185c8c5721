"""Errors of urllib3, sockets and the standard library become ours; those of others do not."""

from __future__ import annotations

import http.client
import ssl
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3
from urllib3 import exceptions as errors

from support.every import for_every
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
from talon_one._http.exchange import Exchange
from talon_one._http.urllib3_errors import foreign_cause, to_broken_response, to_transport_error

POOL: Any = urllib3.HTTPSConnectionPool("shop.talon.one")
REQUEST = Request("getThing", "GET", "https://shop.talon.one", "/v1/things", {}, None)
LIBRARIES = ["urllib3.exceptions", "socks", "OpenSSL.SSL", "gevent.timeout", "eventlet.timeout"]


def error_of(module: str) -> type[Exception]:
    return type("Failure", (OSError,), {"__module__": module})


class Limit(TimeoutError):
    """A time limit of the application, which a signal handler raises."""


def exchange_of(sent: bool = False, deadline: float | None = None) -> Exchange:
    made = Exchange(Timeout(deadline=deadline))
    made.sent = sent
    return made


def translated(cause: Exception, sent: bool = False) -> Any:
    return to_transport_error(cause, REQUEST, exchange_of(sent))


def test_an_error_of_a_library_below_is_not_foreign() -> None:
    for module in [*LIBRARIES, "socket", "ssl", "builtins"]:
        assert foreign_cause(error_of(module)()) is None, module
    assert foreign_cause(OSError(1, "refused")) is None


def test_an_error_of_the_application_is_found_wherever_it_is_wrapped() -> None:
    limit = Limit()
    chained = OSError()
    chained.__cause__ = limit
    wrapped: list[Exception] = [
        limit,
        chained,
        errors.ProxyError("refused", limit),
        errors.ProtocolError("aborted", limit),
        errors.ProtocolError("aborted", errors.ProxyError("refused", chained)),
    ]
    for cause in wrapped:
        assert foreign_cause(cause) is limit
        assert translated(cause) is limit


def test_what_the_application_was_handling_at_the_time_is_no_cause() -> None:
    cause = OSError("refused")
    cause.__context__ = Limit()
    assert foreign_cause(cause) is None


@pytest.mark.parametrize("depth", [8, 9, 10, 11])
def test_a_cause_is_looked_for_ten_levels_deep(depth: int) -> None:
    cause: Exception = Limit()
    for _ in range(depth):
        cause = OSError(cause)
    assert (foreign_cause(cause) is not None) == (depth < 10)


@for_every(
    "cause, unsent, sent",
    [
        (OSError("refused"), NotSentError, NoResponseError),
        (http.client.BadStatusLine("x"), NotSentError, NoResponseError),
        (errors.ProtocolError("aborted"), NotSentError, NoResponseError),
        (TimeoutError("late"), ConnectTimeoutError, ReadTimeoutError),
        (errors.ReadTimeoutError(POOL, "/", "late"), ConnectTimeoutError, ReadTimeoutError),
        (errors.ConnectTimeoutError("late"), ConnectTimeoutError, ReadTimeoutError),
        (errors.EmptyPoolError(POOL, "full"), ConnectTimeoutError, ReadTimeoutError),
        # It derives from the timeout error without being one.
        (errors.NewConnectionError(POOL, "refused"), NotSentError, NoResponseError),
        (errors.ProxyError("refused", OSError("no")), NotSentError, NoResponseError),
        (errors.ProxyError("late", TimeoutError("no")), ConnectTimeoutError, ReadTimeoutError),
        (errors.SSLError("wrong name"), TlsError, NoResponseError),
        (ssl.SSLError("wrong name"), TlsError, NoResponseError),
        (errors.ProxyError("refused", ssl.SSLError("wrong name")), TlsError, NoResponseError),
        # Nothing was sent to an address that is none.
        (errors.LocationParseError("a b"), NotSentError, NotSentError),
    ],
)
def test_an_error_says_whether_the_server_may_have_the_request(
    cause: Exception, unsent: type[Exception], sent: type[Exception]
) -> None:
    for was_sent, expected in ((False, unsent), (True, sent)):
        failure: Any = translated(cause, was_sent)
        assert (failure.__cause__, failure.operation_id) == (cause, "getThing")
        assert type(failure) is expected


def test_an_error_after_the_deadline_is_a_timeout() -> None:
    for cause in (OSError("refused"), errors.NewConnectionError(POOL, "refused")):
        late = to_transport_error(cause, REQUEST, exchange_of(deadline=-1))
        assert type(late) is ConnectTimeoutError
        assert "the deadline has passed" in str(late)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (OSError("refused\n by  all"), "refused by all"),
        (OSError(), "OSError"),
        (errors.NewConnectionError(POOL, "refused"), "refused"),
        (errors.ProtocolError("aborted.", OSError("reset")), "aborted: reset"),
        (errors.ProtocolError("aborted OSError('reset')", OSError("reset")), "aborted OSError('"),
        (errors.ProtocolError("aborted", "late"), "aborted"),
        (errors.ReadTimeoutError(POOL, "/", "late"), "late"),
        (errors.EmptyPoolError(POOL, "full"), "no connection became free in time"),
        (OSError("x" * 400), "x" * 300),
    ],
)
def test_a_reason_is_one_line_without_the_objects_of_urllib3(cause: Exception, reason: str) -> None:
    found = translated(cause, sent=True).reason
    assert found.startswith(reason)
    assert "Pool" not in found
    assert len(found) <= 300


def raise_within(module: str, cause: Exception) -> Exception:
    """Have code of a module raise an exception."""
    code = compile("raise cause", "x", "exec")
    try:
        exec(code, {"__name__": module, "cause": cause})
    except type(cause) as raised:
        return raised
    raise AssertionError


@for_every(
    "module",
    [
        *("urllib3.util", "socks", "OpenSSL", "gevent.socket", "eventlet.green", "http.client"),
        *("socket", "ssl", "email.parser", "encodings.idna", "gzip", "idna", "io", "select"),
        *("selectors", "zlib", "talon_one._http.connections", "talon_one._http.deadlines"),
        *("talon_one._http.exchange", "talon_one._http.pools", "talon_one._http.socks"),
    ],
)
def test_any_error_of_networking_code_is_one_of_the_transport(module: str) -> None:
    cause = raise_within(module, OverflowError("too large"))
    assert type(translated(cause)) is NotSentError
    assert type(translated(cause, sent=True)) is NoResponseError
    refused = raise_within(module, ValueError("X-Key: s3cret"))
    assert type(translated(refused)) is ApiValueError
    assert "s3cret" not in str(translated(refused))
    response: Any = SimpleNamespace(status=200, headers={})
    broken = to_broken_response(cause, REQUEST, response, exchange_of(True))
    assert type(broken) is NoResponseError


@pytest.mark.parametrize("module", ["shop", "json", "talon_one._core.upload", "__main__"])
def test_an_error_of_any_other_code_is_left_as_it_is(module: str) -> None:
    response: Any = SimpleNamespace(status=200, headers={})
    for cause in (OverflowError("too large"), ValueError("wrong")):
        raised = raise_within(module, cause)
        assert translated(raised) is raised
        assert to_broken_response(raised, REQUEST, response, exchange_of(True)) is raised


def test_a_broken_response_keeps_the_bytes_that_arrived() -> None:
    response: Any = SimpleNamespace(status=200, headers={"A": "b"})
    for cause, data in (
        (errors.ProtocolError("cut", http.client.IncompleteRead(b"par", 5)), b"par"),
        (errors.ProtocolError("cut", OSError()), b""),
        (OSError(), b""),
    ):
        failure: Any = to_broken_response(cause, REQUEST, response, exchange_of(True))
        assert type(failure) is NoResponseError
        assert (failure.status, failure.headers, failure.raw_data) == (200, {"A": "b"}, data)
    late: Any = to_broken_response(TimeoutError(), REQUEST, response, exchange_of(True))
    assert type(late) is ReadTimeoutError
    limit = Limit()
    assert to_broken_response(limit, REQUEST, response, exchange_of(True)) is limit
