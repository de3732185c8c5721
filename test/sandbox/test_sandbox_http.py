"""The wire: odd ids, methods and paths, malformed bodies, retried requests."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talon_one.sandbox import Sandbox

ODD_IDS = [
    "a/b",
    "../..",
    "..",
    ".",
    "a?b=c",
    "a#b",
    "50%",
    "%2F",
    "%252F",
    "a b+c",
    "Österreich",
    "🎉🛒",
    "inventory",
    "a\x00b",
    "a\nb",
    "//",
    "x" * 1000,
]


@pytest.mark.parametrize("odd", ODD_IDS)
def test_an_odd_id_arrives_as_the_one_id_it_is(api: Any, odd: str) -> None:
    target = f"/v2/customer_sessions/{quote(odd, safe='').replace('.', '%2E')}"
    sent = api.send("PUT", target, {"customerSession": {"profileId": odd}})
    assert sent.status == 200
    read = api.send("GET", target)
    assert read.json["customerSession"]["integrationId"] == odd
    profile = f"/v1/customer_profiles/{quote(odd, safe='')}/inventory?profile=true"
    assert api.send("GET", profile).json["profile"]["integrationId"] == odd


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(odd=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_any_id_survives_the_way(api: Any, odd: str) -> None:
    reply = api.send("PUT", f"/v2/customer_profiles/{quote(odd, safe='')}", {})
    assert reply.json["customerProfile"]["integrationId"] == odd


def test_dots_that_are_not_encoded_are_an_id_too(api: Any) -> None:
    reply = api.send("PUT", "/v2/customer_profiles/..", {})
    assert reply.json["customerProfile"]["integrationId"] == ".."


def test_a_path_that_is_not_utf8_is_a_400(api: Any) -> None:
    assert api.send("GET", "/v2/customer_sessions/%FF").status == 400


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/v1",
        "/v3/customer_sessions/a",
        "/v2/customer_sessions",
        "/v2/customer_sessions/",
        "/v2/customer_sessions/a/b",
        "/v2/customer_profiles/a/",
        "/v1/applications/3/campaigns/12/coupons/",
    ],
)
def test_an_unknown_path_is_a_json_404(api: Any, target: str) -> None:
    reply = api.send("GET", target)
    assert reply.status == 404
    assert reply.headers["Content-Type"].startswith("application/json")
    message = f"The sandbox does not support GET {target}"
    assert reply.json == {"message": message, "errors": [], "StatusCode": 404}


def test_an_unknown_path_is_named_as_it_reads(api: Any) -> None:
    reply = api.send("POST", "/v2/caf%C3%A9?a=b", {})
    assert (reply.status, reply.json["message"]) == (
        404,
        "The sandbox does not support POST /v2/café",
    )


def test_a_known_path_with_another_method_is_a_json_405(api: Any) -> None:
    reply = api.send("POST", "/v2/customer_sessions/a", {})
    assert (reply.status, reply.json["StatusCode"]) == (405, 405)
    assert reply.headers["Allow"] == "GET, PUT"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"{} {}",
        b'{"customerSession": {"attributes": {"a": NaN}}}',
        b'{"customerSession": {"attributes": {"a": 1e999}}}',
        b'{"customerSession": {"attributes": {"a": "\\ud800"}}}',
        b"[" * 100_000,
        b"1" * 10_000,
    ],
)
def test_a_body_that_is_no_json_is_a_400(api: Any, body: bytes) -> None:
    reply = api.send("PUT", "/v2/customer_sessions/a", body)
    assert reply.status == 400
    assert reply.json["message"] == "The submitted data was invalid"
    assert reply.json["errors"][0]["title"] == "Malformed"


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_a_body_that_is_no_object_is_a_400(api: Any, body: Any) -> None:
    sent = b"null" if body is None else body
    reply = api.send("PUT", "/v2/customer_profiles/p", sent)
    assert reply.status == 400
    assert reply.json["errors"][0]["title"] == "Invalid type"
    assert reply.json["StatusCode"] == 400


def test_numbers_and_texts_come_back_as_they_were_sent(api: Any) -> None:
    attributes = {"int": 2**70, "float": 0.1, "text": "ä\x00🎉", "nested": {"a": [None, {}]}}
    reply = api.send("PUT", "/v2/customer_profiles/p", {"attributes": attributes})
    assert reply.json["customerProfile"]["attributes"] == attributes


def test_of_a_repeated_parameter_the_first_counts(api: Any) -> None:
    target = "/v2/customer_profiles/p?dry=true&dry=false"
    assert api.send("PUT", target, {}).status == 200
    assert api.send("GET", "/v1/customer_profiles/p/inventory").status == 404


def test_an_id_beyond_int64_is_a_400(api: Any) -> None:
    data = [{"action": "add", "profileIntegrationId": "p", "audienceId": 2**63}]
    assert api.send("POST", "/v2/customer_audiences", {"data": data}).status == 400


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/v2/customer_sessions/a", {"customerSession": {"couponCodes": ["TEN-OFF"]}}),
        ("/v2/customer_profiles/a", {"attributes": {"a": 1}}),
        ("/v2/customer_profiles?silent=no", {"customerProfiles": [{"integrationId": "a"}]}),
        ("/v2/customer_profiles", {"customerProfiles": [{"integrationId": "a"}]}),
    ],
)
def test_a_retry_with_the_same_idempotency_key_replays_the_response(
    api: Any, target: str, body: Any
) -> None:
    first = api.send("PUT", target, body, Idempotency_Key="k-1")
    second = api.send("PUT", target, body, Idempotency_Key="k-1")
    assert first.status in (200, 204)
    assert (second.status, second.json) == (first.status, first.json)


def test_a_replay_does_not_act_again(api: Any) -> None:
    closing = {"customerSession": {"couponCodes": ["TEN-OFF"], "state": "closed"}}
    target = "/v2/customer_sessions/a"
    for _ in range(3):
        assert api.send("PUT", target, closing, Idempotency_Key="k-1").status == 200
    assert api.coupon("TEN-OFF")["usageCounter"] == 1
    # Without the key the same request is an illegal move.
    assert api.send("PUT", target, closing).status == 400
    assert api.send("PUT", target, closing, Idempotency_Key="k-2").status == 400


def test_a_response_is_replayed_for_24_hours(client_of: Any) -> None:
    closing = {"customerSession": {"state": "closed"}}
    expected = [("01T12:00:00Z", 200), ("02T11:59:59Z", 200), ("02T12:00:01Z", 400)]
    with Sandbox(clock="2026-01-01T00:00:00Z") as sandbox:
        api = client_of(sandbox)
        for moment, status in expected:
            sandbox.clock.move_to(f"2026-01-{moment}")
            reply = api.send("PUT", "/v2/customer_sessions/a", closing, Idempotency_Key="k")
            assert reply.status == status


def test_a_refused_request_is_tried_anew_under_its_key(api: Any) -> None:
    target = "/v2/customer_sessions/a"
    wrong: dict[str, Any] = {"customerSession": {"state": "x"}}
    right: dict[str, Any] = {"customerSession": {}}
    assert api.send("PUT", target, wrong, Idempotency_Key="k").status == 400
    assert api.send("PUT", target, right, Idempotency_Key="k").status == 200


def test_a_key_belongs_to_one_operation_on_one_thing(api: Any) -> None:
    for session_id in ("a", "b"):
        body = {"customerSession": {}, "responseContent": ["customerSession"]}
        reply = api.send("PUT", f"/v2/customer_sessions/{session_id}", body, Idempotency_Key="k")
        assert reply.json["customerSession"]["integrationId"] == session_id


def test_a_dry_request_stores_no_response(api: Any) -> None:
    target, body = "/v2/customer_profiles/a", {"attributes": {"a": 1}}
    for _ in range(2):
        assert api.send("PUT", f"{target}?dry=true", body, Idempotency_Key="k").status == 200
    assert api.send("GET", "/v1/customer_profiles/a/inventory").status == 404


def test_an_idempotency_key_has_at_most_255_characters(api: Any) -> None:
    body: dict[str, Any] = {"customerSession": {}}
    assert api.send("PUT", "/v2/customer_sessions/a", body, Idempotency_Key="k" * 255).status == 200
    assert api.send("PUT", "/v2/customer_sessions/a", body, Idempotency_Key="k" * 256).status == 400
