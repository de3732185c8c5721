"""The worked examples of the platform's documentation, literally."""

from __future__ import annotations

from typing import Any

from sandbox.scenarios.shops import (
    COUPON,
    MUGS,
    TEA,
    campaign,
    effects,
    item,
    off,
    only,
    problem,
    props,
    returned,
    rule,
)

TEN = {"id": 55, "value": "TEN-OFF", "usageLimit": 100, "created": "2024-01-01T00:00:00.000000Z"}
TEN_PERCENT = rule(COUPON, off("{{$Session.Total * 0.1}}", "10% off"), title="Ten percent")
SHIPPING = {"shipping": {"price": 4}}
ENVELOPE = {"campaignId": 12, "rulesetId": 120, "ruleIndex": 0, "ruleName": "Ten percent"}


def open_example(open_shop: Any) -> Any:
    return open_shop(
        campaign(TEN_PERCENT, coupons=[TEN]),
        account={"additionalCosts": [{"name": "shipping", "title": "Shipping"}]},
        undefinedNames="refuse",
    )


def test_a_valid_and_an_invalid_code_give_the_printed_response(open_shop: Any) -> None:
    api = open_example(open_shop)
    reply = api.session(
        "order-1001",
        "customerSession",
        "coupons",
        "ruleFailureReasons",
        profileId="cust-7",
        state="open",
        couponCodes=["TEN-OFF", "NOPE"],
        cartItems=[MUGS, TEA],
        additionalCosts=SHIPPING,
    )
    moment = "2026-03-02T12:00:00.000000Z"
    assert reply.json["customerSession"] == {
        "id": 1,
        "created": moment,
        "updated": moment,
        "integrationId": "order-1001",
        "applicationId": 3,
        "profileId": "cust-7",
        "state": "open",
        "couponCodes": ["TEN-OFF", "NOPE"],
        "referralCode": "",
        "cartItems": [{**MUGS, "position": 0}, {**TEA, "position": 1}],
        "additionalCosts": SHIPPING,
        "identifiers": [],
        "attributes": {},
        "firstSession": True,
        "updateCount": 1,
        "cartItemTotal": 30,
        "cartItemAdditionalCostTotal": 0,
        "additionalCostTotal": 4,
        "total": 34,
    }
    coupon = only(reply.json["coupons"])
    expected = {
        **TEN,
        "created": "2024-01-01T00:00:00.000000Z",
        "campaignId": 12,
        "usageCounter": 0,
        "profileRedemptionCount": 0,
    }
    assert {name: coupon[name] for name in expected} == expected
    assert reply.json["ruleFailureReasons"] == []
    assert reply.json["createdCoupons"] == reply.json["createdReferrals"] == []
    assert reply.json["effects"] == [
        {
            **ENVELOPE,
            "effectType": "acceptCoupon",
            "triggeredByCoupon": 55,
            "props": {"value": "TEN-OFF"},
        },
        {
            **ENVELOPE,
            "effectType": "setDiscount",
            "triggeredByCoupon": 55,
            "props": {"name": "10% off", "value": 3.4},
        },
        {
            "campaignId": -1,
            "rulesetId": 0,
            "ruleIndex": 0,
            "ruleName": "",
            "effectType": "rejectCoupon",
            "props": {"value": "NOPE", "rejectionReason": "CouponNotFound"},
        },
    ]
    assert set(reply.json) == {
        "customerSession",
        "coupons",
        "ruleFailureReasons",
        "effects",
        "createdCoupons",
        "createdReferrals",
    }


def test_closing_with_the_state_alone_keeps_codes_and_cart_and_cancelling_takes_all_back(
    open_shop: Any,
) -> None:
    api = open_example(open_shop)
    api.session(
        "order-1001",
        profileId="cust-7",
        couponCodes=["TEN-OFF", "NOPE"],
        cartItems=[MUGS, TEA],
        additionalCosts=SHIPPING,
    )
    closing = api.session("order-1001", "customerSession", "coupons", state="closed")
    assert closing.json["customerSession"]["couponCodes"] == ["TEN-OFF", "NOPE"]
    assert closing.json["customerSession"]["total"] == 34
    assert only(props(closing, "setDiscount")) == {"name": "10% off", "value": 3.4}
    coupon = only(closing.json["coupons"])
    assert (coupon["usageCounter"], coupon["profileRedemptionCount"]) == (1, 1)
    cancelled = api.session("order-1001", "coupons", state="cancelled")
    assert [(each["effectType"], each["props"]) for each in effects(cancelled)] == [
        ("rollbackCoupon", {"value": "TEN-OFF"}),
        ("rollbackDiscount", {"name": "10% off", "value": 3.4}),
    ]
    assert only(cancelled.json["coupons"])["usageCounter"] == 0
    assert api.coupon("TEN-OFF")["usageCounter"] == 0


def test_returning_one_of_two_mugs_takes_back_the_discount_of_its_unit(open_shop: Any) -> None:
    api = open_shop(campaign(rule(off(1, "One off", "allItems"))))
    closing = api.session(cartItems=[MUGS, TEA], state="closed")
    found = {
        (each["position"], each["subPosition"]) for each in props(closing, "setDiscountPerItem")
    }
    assert found == {(0, 0), (0, 1), (1, 0)}
    assert {each["value"] for each in props(closing, "setDiscountPerItem")} == {1}
    reply = returned(api, {"position": 0, "quantity": 1}, wanted=["customerSession"])
    rollback = only(effects(reply))
    assert rollback["effectType"] == "rollbackDiscount"
    assert rollback["props"] == {
        "name": "One off#0",
        "value": 1,
        "cartItemPosition": 0,
        "cartItemSubPosition": 0,
    }
    session = reply.json["customerSession"]
    assert session["state"] == "partially_returned"
    mugs = session["cartItems"][0]
    assert (mugs["returnedQuantity"], mugs["remainingQuantity"]) == (1, 1)
    assert set(reply.json["return"]) >= {
        "id",
        "created",
        "applicationId",
        "accountId",
        "returnedCartItems",
        "eventId",
        "sessionId",
        "sessionIntegrationId",
        "createdBy",
    }


def test_the_same_update_through_v1_gives_tuples(open_shop: Any) -> None:
    api = open_shop(campaign(TEN_PERCENT, coupons=[TEN]))
    reply = api.send(
        "PUT",
        "/v1/customer_sessions/order-1001",
        {"profileId": "cust-7", "coupon": "TEN-OFF", "total": 34, "cartItems": [MUGS, TEA]},
    )
    assert reply.status == 200
    event = reply.json["event"]
    assert event["type"] == "talon_session_created"
    assert event["effects"] == [
        [12, 120, 0, ["acceptCoupon", "TEN-OFF"]],
        [12, 120, 0, ["setDiscount", "10% off", 3.4]],
    ]
    assert (event["ledgerEntries"], event["meta"]) == ([], {})
    assert reply.json["session"]["integrationId"] == "order-1001"
    assert reply.json["profile"]["integrationId"] == "cust-7"


def test_an_unknown_attribute_is_refused_with_the_printed_error(open_shop: Any) -> None:
    api = open_example(open_shop)
    reply = api.session(attributes={"Colour": "red"})
    assert reply.json == {
        "message": "The submitted data was invalid",
        "errors": [
            {
                "title": "Unknown",
                "details": 'The attribute "Colour" is not defined on CustomerSession entities.',
                "source": {"pointer": "/customerSession/attributes/Colour"},
            }
        ],
    }
    assert problem(reply)["title"] == "Unknown"
    assert api.send("GET", "/v2/customer_sessions/order-1").status == 404


def test_a_wrong_attribute_type_and_a_wrong_enum_have_the_documented_details(
    open_shop: Any,
) -> None:
    named = {"entity": "CustomerSession", "name": "Name", "title": "Name", "type": "string"}
    api = open_shop(campaign(), account={"attributes": [named]}, undefinedNames="refuse")
    found = problem(api.session(attributes={"Name": False}))
    assert found["title"] == "Invalid type"
    assert found["details"] == 'Value of "Name" attribute (false) is not a string'
    assert found["source"] == {"pointer": "/customerSession/attributes/Name"}
    found = problem(api.session(state="done", cartItems=[item()]))
    assert found["title"] == "enum"
    assert found["details"].startswith('state must be one of the following: "open", "closed"')
    assert found["source"] == {"pointer": "/customerSession/state"}
