"""Idempotency keys: which are refused, what they belong to, and what another request gets."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from sandbox.raw import Wire, put
from support.every import for_every
from talon_one.sandbox import Sandbox

TARGET = "/v2/customer_sessions/a"
CLOSING = {"customerSession": {"state": "closed"}}


@for_every(
    "key",
    [b"", b"k" * 256, b"a\tb", b"\xff\xfe", "a\u200eb".encode(), "a\u00a0b".encode()],
    repr,
)
def test_a_key_that_is_none_is_a_400(api: Any, key: bytes) -> None:
    with Wire(api.sandbox) as wire:
        status, body = wire.send(put("a", headers=b"Idempotency-Key: " + key + b"\r\n")).response()
    assert status == 400
    assert body["errors"][0]["source"] == {"parameter": "Idempotency-Key"}


@for_every("key", ["k", "k" * 255, "9b2f6f0e-5d8e-4f0e-9f62-1b7a3f1d2c3b", "two words", '"q"'])
def test_any_other_text_is_a_key(api: Any, key: str) -> None:
    assert api.send("PUT", TARGET, {"customerSession": {}}, Idempotency_Key=key).status == 200


def test_a_key_with_letters_beyond_ascii_is_a_key(api: Any) -> None:
    header = "Idempotency-Key: schlüssel-🔑\r\n".encode()
    with Wire(api.sandbox) as wire:
        assert wire.send(put("a", headers=header)).response()[0] == 200


def test_where_no_key_is_known_a_bad_one_does_not_matter(api: Any) -> None:
    data = {"data": [{"action": "add", "profileIntegrationId": "p", "audienceId": 1}]}
    assert api.send("POST", "/v2/customer_audiences", data, Idempotency_Key="").status == 204


def test_another_body_with_the_same_key_is_a_422_and_changes_nothing(api: Any) -> None:
    first = api.send("PUT", TARGET, {"customerSession": {}}, Idempotency_Key="k")
    other = api.send("PUT", TARGET, CLOSING, Idempotency_Key="k")
    assert (first.status, other.status) == (200, 422)
    assert other.json["message"] == "The idempotency key belongs to another request"
    assert other.json["StatusCode"] == 422
    session = api.send("GET", TARGET).json["customerSession"]
    assert (session["state"], session["updateCount"]) == ("open", 1)


def test_another_query_with_the_same_key_is_a_422(api: Any) -> None:
    target, body = "/v2/customer_profiles/p", {"attributes": {"a": 1}}
    assert api.send("PUT", f"{target}?dry=false", body, Idempotency_Key="k").status == 200
    assert api.send("PUT", target, body, Idempotency_Key="k").status == 422


def test_a_retry_may_order_its_properties_otherwise(api: Any) -> None:
    texts = [
        b'{"customerSession":{"state":"closed","profileId":"p"}}',
        b'{ "customerSession" : {"profileId":"p", "state":"closed"} }',
    ]
    replies = [api.send("PUT", TARGET, text, Idempotency_Key="k") for text in texts]
    assert [reply.status for reply in replies] == [200, 200]
    assert replies[0].json == replies[1].json


def test_the_path_counts_as_it_reads(api: Any) -> None:
    for target in ("/v2/customer_sessions/a%2Fb", "/v2/customer_sessions/%61%2f%62"):
        assert api.send("PUT", target, CLOSING, Idempotency_Key="k").status == 200


def test_a_dry_run_neither_takes_nor_leaves_a_response(api: Any) -> None:
    dry = f"{TARGET}?dry=true"
    for _ in range(2):
        assert api.send("PUT", dry, CLOSING, Idempotency_Key="k").status == 200
    assert api.send("PUT", TARGET, CLOSING, Idempotency_Key="k").status == 200
    # The session is closed, and closing it again is refused whatever the key.
    assert api.send("PUT", dry, CLOSING, Idempotency_Key="k").status == 400


def test_a_key_belongs_to_its_credential(tmp_path: Any, client_of: Any) -> None:
    path = tmp_path / "state.db"
    with Sandbox(database=path) as sandbox:
        assert client_of(sandbox).send("PUT", TARGET, CLOSING, Idempotency_Key="k").status == 200
    with Sandbox(database=path, api_key="another") as sandbox:
        assert client_of(sandbox).send("PUT", TARGET, CLOSING, Idempotency_Key="k").status == 400


@pytest.mark.parametrize("latency", [0, 0.1])
def test_a_retry_while_the_first_request_is_in_flight_gets_its_response(latency: float) -> None:
    closing = put("a", b'{"customerSession":{"state":"closed"}}', b"Idempotency-Key: k\r\n")
    with Sandbox(latency=latency) as sandbox, ExitStack() as stack:
        wires = [stack.enter_context(Wire(sandbox)).send(closing) for _ in range(3)]
        responses = [wire.response() for wire in wires]
    assert [status for status, _ in responses] == [200, 200, 200]
    assert responses[0] == responses[1] == responses[2]
