"""Proxy headers that HTTP cannot carry are refused without being shown."""

from __future__ import annotations

import traceback

import pytest

from support.calls import READ, make_client
from support.every import for_every
from support.proxy import HttpProxy
from support.server import RecordingServer
from talon_one import OpenApiException

VALUES = ("hush\r\nX: 1", "hush\n", "\rhush", "hush\0", "hush例", "hush\ud800")


@pytest.mark.parametrize("scheme", ["http", "https"])
@for_every("value", VALUES)
def test_a_value_that_no_header_can_hold_is_refused_without_being_shown(
    server: RecordingServer, value: str, scheme: str
) -> None:
    with HttpProxy(server.port) as proxy:
        settings = {"proxy": proxy.url, "proxy_headers": {"X-Token": value}, "retries": 0}
        host = f"{scheme}://127.0.0.1:{server.port}"
        with (
            pytest.raises(OpenApiException) as caught,
            make_client(host, None, **settings) as client,
        ):
            READ(client)
        assert "hush" not in "".join(traceback.format_exception_only(caught.value))
        assert "hush" not in str(caught.value.__cause__)
    assert server.requests == []
    assert proxy.seen == []
