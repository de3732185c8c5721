"""The way from a method to the socket and back is short: few functions, few modules."""

from __future__ import annotations

import sys
from typing import Any

from support.calls import make_client
from support.server import RecordingServer, Response
from talon_one import IntegrationApi

LIMIT = 80
MODULES = 26


def test_a_call_takes_no_more_functions_and_modules_than_it_should() -> None:
    body = {"customerSession": {"integrationId": "1"}}
    with RecordingServer(default=Response(body=body)) as server, make_client(server.url) as client:
        api = IntegrationApi(client)
        for _ in range(3):  # What is prepared by the first calls.
            api.get_customer_session("1")
        called: list[str] = []

        def note(frame: Any, event: str, _: object) -> None:
            module = frame.f_globals.get("__name__", "")
            if event == "call" and module.partition(".")[0] == "talon_one":
                called.append(module)

        before = sys.getprofile()
        sys.setprofile(note)
        try:
            api.get_customer_session("1")
        finally:
            sys.setprofile(before)
    assert 40 < len(called) <= LIMIT
    assert len(set(called)) <= MODULES
