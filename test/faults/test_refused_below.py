"""Requests that `http.client` refuses raise an error that quotes nothing of them."""

from __future__ import annotations

import traceback

import pytest

from support.calls import make_client
from support.server import RecordingServer
from talon_one import ApiValueError
from talon_one._core.request import Request

pytestmark = pytest.mark.one_shell("it is http.client that stands behind it")


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"X": "secret\nvalue"}),
        ("GET", {"X": "secret\r\nY: 1"}),
        ("GET", {"X": "secret\u20ac"}),
        ("GET", {"": "secret"}),
        ("GET", {"secret:": "a"}),
        ("secret T", {}),
        ("secret\x00", {}),
    ],
)
def test_a_value_that_cannot_be_sent_is_refused_without_being_quoted(
    server: RecordingServer, method: str, headers: dict[str, str]
) -> None:
    request = Request("anOperation", method, server.url, "/", headers, None)
    with make_client(server.url, connection_pool_maxsize=1) as client:
        for _ in range(2):
            with pytest.raises(ApiValueError, match="anOperation cannot be sent") as caught:
                client.rest_client.send(request)
            shown = "".join(traceback.format_exception_only(caught.value))
            assert "secret" not in shown
            assert caught.value.__cause__ is caught.value.__context__ is None
    assert server.requests == []
