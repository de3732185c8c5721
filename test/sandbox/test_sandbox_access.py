"""Credentials: keys, signatures, and which operation takes which."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

SECRET = bytes.fromhex("fefecafedeadbeef")
VECTOR_BODY = b'{"state": "open"}'
VECTOR = "5551ad9ccd5e092c0355309fa429ee2b"


def signature(body: bytes) -> str:
    return hmac.new(SECRET, body, hashlib.md5).hexdigest()


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "ApiKey-v1",
        "ApiKey-v1 wrong",
        "sandbox-integration-key",
        "Bearer sandbox-integration-key",
        "ManagementKey-v1 sandbox-management-key",
        "ApiKey-v1 sandbox-management-key",
    ],
)
def test_an_integration_call_without_the_right_key_is_a_401(
    api: Any, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    reply = api.send("PUT", "/v2/customer_sessions/s", {"customerSession": {}}, headers=headers)
    assert reply.status == 401
    assert set(reply.json) == {"message", "errors", "StatusCode"}
    assert reply.json["StatusCode"] == 401
    assert "sandbox" not in str(reply.json)
    assert api.send("GET", "/v2/customer_sessions/s").status == 404


@pytest.mark.parametrize("scheme", ["ManagementKey-v1", "Bearer"])
def test_management_takes_both_schemes(api: Any, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {api.sandbox.management_key}"}
    assert api.send("GET", "/v1/applications", headers=headers).status == 200


@pytest.mark.parametrize(
    "authorization", ["ApiKey-v1 sandbox-integration-key", "Bearer sandbox-integration-key"]
)
def test_the_integration_key_does_not_open_management(api: Any, authorization: str) -> None:
    headers = {"Authorization": authorization}
    assert api.send("GET", "/v1/applications", headers=headers).status == 401


def test_the_key_is_checked_before_the_data(api: Any) -> None:
    assert api.send("PUT", "/v2/customer_sessions/s?dry=x", b"{", headers={}).status == 401


@pytest.mark.parametrize(
    "header",
    [
        f"signer=3; signature={VECTOR}",
        f"signer=3;signature={VECTOR}",
        f"  signature = {VECTOR} ;  signer = 3 ",
    ],
)
def test_the_published_signature_vector_opens_v1(api: Any, header: str) -> None:
    headers = {"Content-Signature": header}
    reply = api.send("PUT", "/v1/customer_sessions/s", VECTOR_BODY, headers=headers)
    assert reply.status == 200
    assert reply.json["session"]["state"] == "open"


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (f"signer=3; signature={VECTOR}", b'{"state":"open"}'),
        (f"signer=4; signature={VECTOR}", VECTOR_BODY),
        (f"signer=3; signature={VECTOR[:-1]}c", VECTOR_BODY),
        ("signer=3; signature=", VECTOR_BODY),
        ("nonsense", VECTOR_BODY),
        ("", VECTOR_BODY),
    ],
)
def test_a_wrong_signature_is_a_400_with_the_documented_body(
    api: Any, header: str, body: bytes
) -> None:
    headers = {"Content-Signature": header}
    reply = api.send("PUT", "/v1/customer_sessions/s", body, headers=headers)
    assert (reply.status, reply.json) == (400, {"message": "HMAC signature mismatch."})
    assert api.send("GET", "/v2/customer_sessions/s").status == 404


def test_a_bodyless_request_is_signed_over_nothing(api: Any) -> None:
    api.session(profileId="p")
    target = "/v1/customer_profiles/p/inventory"
    signed = {"Content-Signature": f"signer=3; signature={signature(b'')}"}
    assert api.send("GET", target, headers=signed).status == 200
    null = {"Content-Signature": f"signer=3; signature={signature(b'null')}"}
    assert api.send("GET", target, headers=null).status == 400


def test_v2_does_not_take_signatures(api: Any) -> None:
    body = b'{"customerSession": {}}'
    headers = {"Content-Signature": f"signer=3; signature={signature(body)}"}
    assert api.send("PUT", "/v2/customer_sessions/s", body, headers=headers).status == 401


def test_a_key_counts_more_than_a_signature(api: Any) -> None:
    reply = api.send("PUT", "/v1/customer_sessions/s", {}, Content_Signature="nonsense")
    assert reply.status == 200
