"""The V1 operations: full state, effect tuples, rejection details in `meta`."""

from __future__ import annotations

from typing import Any

import pytest


def update(api: Any, session_id: str = "s", query: str = "", **body: Any) -> Any:
    return api.send("PUT", f"/v1/customer_sessions/{session_id}{query}", body)


def test_the_worked_example_gives_tuples_and_the_full_state(api: Any) -> None:
    reply = update(api, profileId="cust-7", coupon="TEN-OFF", total=34)
    assert reply.status == 200
    assert reply.json["event"]["type"] == "talon_session_created"
    assert reply.json["event"]["effects"] == [
        [12, 40, 0, ["acceptCoupon", "TEN-OFF"]],
        [12, 40, 0, ["setDiscount", "10% off", 3.4]],
    ]
    assert reply.json["event"]["meta"] == {}
    assert reply.json["event"]["ledgerEntries"] == []
    session = reply.json["session"]
    assert (session["coupon"], session["referral"], session["total"]) == ("TEN-OFF", "", 34)
    assert session["discounts"] == {"10% off": 3.4}
    assert reply.json["profile"]["integrationId"] == "cust-7"
    assert reply.json["coupon"]["value"] == "TEN-OFF"


def test_rejections_have_their_reason_in_meta(api: Any) -> None:
    event = update(api, coupon="NOPE", referral="NIX").json["event"]
    assert sorted(event["effects"]) == [
        [-1, 0, 0, ["rejectCoupon", "NOPE"]],
        [-1, 0, 0, ["rejectReferral", "NIX"]],
    ]
    assert event["meta"] == {
        "couponRejectionReason": {"campaignId": -1, "couponId": -1, "reason": "CouponNotFound"},
        "referralRejectionReason": {
            "campaignId": -1,
            "referralId": -1,
            "reason": "ReferralNotFound",
        },
    }


def test_absent_keeps_and_empty_drops_the_codes(api: Any) -> None:
    update(api, coupon="TEN-OFF", total=10)
    assert update(api, attributes={"a": 1}).json["session"]["coupon"] == "TEN-OFF"
    assert update(api, coupon="").json["session"]["coupon"] == ""


def test_a_session_is_shared_with_v2(api: Any) -> None:
    item = {"sku": "A", "quantity": 1, "price": 20}
    update(api, profileId="p", coupon="TEN-OFF", total=100, cartItems=[item])
    closed = api.session("s", "customerSession", state="closed")
    # From here on the server does the adding up.
    assert [one["props"].get("value") for one in closed.json["effects"]] == ["TEN-OFF", 2]
    assert closed.json["customerSession"]["total"] == 20
    cancelled = update(api, state="cancelled").json
    assert cancelled["event"]["type"] == "talon_session_revoked"
    assert cancelled["event"]["effects"] == [
        [12, 40, 0, ["rollbackCoupon", "TEN-OFF"]],
        [12, 40, 0, ["rollbackDiscount", "10% off", 2]],
    ]
    assert cancelled["session"]["discounts"] == {}
    assert cancelled["coupon"]["usageCounter"] == 0


def test_free_shipping_of_a_v2_session_has_a_tuple(api: Any) -> None:
    item = {"sku": "A", "quantity": 1, "price": 80}
    api.session("s", cartItems=[item], additionalCosts={"shipping": {"price": 4}})
    assert update(api).json["event"]["effects"] == [
        [12, 40, 2, ["setDiscountPerAdditionalCost", "Free shipping", 7, "shipping", 4]]
    ]


def test_a_session_keeps_its_owner(api: Any) -> None:
    update(api, profileId="p")
    assert update(api).status == 200
    for other in ("q", ""):
        reply = update(api, profileId=other)
        assert reply.status == 400
        assert reply.json["errors"][0]["source"] == {"pointer": "/profileId"}


def test_a_wrong_state_is_refused_with_its_pointer(api: Any) -> None:
    reply = update(api, state="banana")
    assert reply.json["errors"][0]["source"] == {"pointer": "/state"}
    assert "StatusCode" not in reply.json


def test_a_dry_update_stores_nothing(api: Any) -> None:
    assert update(api, query="?dry=true", profileId="p").status == 200
    assert api.send("GET", "/v2/customer_sessions/s").status == 404


def test_a_profile_update_returns_the_full_state(api: Any) -> None:
    target = "/v1/customer_profiles/p"
    created = api.send("PUT", target, {"attributes": {"a": 1}})
    assert created.status == 200
    assert created.json["profile"]["attributes"] == {"a": 1}
    assert created.json["event"]["type"] == "talon_profile_created"
    assert created.json["event"]["effects"] == []
    assert created.json["session"]["integrationId"] == ""
    updated = api.send("PUT", target, {"attributes": {"b": 2}})
    assert updated.json["profile"]["attributes"] == {"a": 1, "b": 2}
    assert updated.json["event"]["type"] == "talon_profile_updated"
    assert api.send("PUT", f"{target}?dry=true", {"attributes": {"a": 9}}).status == 200
    assert api.profile("p")["attributes"] == {"a": 1, "b": 2}


def track(api: Any, query: str = "", **event: Any) -> Any:
    body = {"type": "paid", "attributes": {"by": "card"}, "sessionId": "s", **event}
    return api.send("POST", f"/v1/events{query}", body)


def test_an_event_creates_what_it_names(api: Any) -> None:
    reply = track(api, profileId="p")
    assert reply.status == 201
    assert reply.json["event"]["type"] == "paid"
    assert reply.json["event"]["attributes"] == {"by": "card"}
    assert reply.json["event"]["sessionId"] == "s"
    assert reply.json["session"]["state"] == "open"
    assert reply.json["profile"]["integrationId"] == "p"
    assert api.send("GET", "/v2/customer_sessions/s").status == 200


def test_the_response_to_an_event_shows_the_state_of_its_session(api: Any) -> None:
    update(api, profileId="p", coupon="TEN-OFF", total=10)
    reply = track(api)
    assert reply.json["event"]["effects"] == [
        [12, 40, 0, ["acceptCoupon", "TEN-OFF"]],
        [12, 40, 0, ["setDiscount", "10% off", 1]],
    ]
    assert api.coupon("TEN-OFF")["usageCounter"] == 0


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"type": "talon_session_closed"}, "/type"),
        ({"type": ""}, "/type"),
        ({"attributes": None}, "/attributes"),
        ({"sessionId": ""}, "/sessionId"),
        ({"profileId": "q"}, "/profileId"),
    ],
)
def test_a_wrong_event_is_refused(api: Any, change: dict[str, Any], pointer: str) -> None:
    update(api, profileId="p")
    reply = track(api, **change)
    assert (reply.status, reply.json["StatusCode"]) == (400, 400)
    assert reply.json["errors"][0]["source"] == {"pointer": pointer}


def test_a_dry_event_stores_nothing(api: Any) -> None:
    assert track(api, "?dry=true").status == 201
    assert api.send("GET", "/v2/customer_sessions/s").status == 404
