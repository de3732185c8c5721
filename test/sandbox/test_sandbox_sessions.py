"""Sessions: merging, totals, states, dry runs, and the refusal of impossible requests."""

from __future__ import annotations

from typing import Any

import pytest

MUGS = {"name": "Mug", "sku": "MUG-1", "quantity": 2, "price": 12.5}
TEA = {"name": "Tea", "sku": "TEA-9", "quantity": 1, "price": 5}
SHIPPING = {"shipping": {"price": 4}}


def kinds(reply: Any) -> list[str]:
    return [effect["effectType"] for effect in reply.json["effects"]]


def only_problem(reply: Any) -> Any:
    assert reply.status == 400
    assert reply.json["message"] == "The submitted data was invalid"
    [problem] = reply.json["errors"]
    return problem


def test_the_worked_example_returns_the_documented_response(api: Any) -> None:
    reply = api.session(
        "order-1001",
        "customerSession",
        "coupons",
        profileId="cust-7",
        state="open",
        couponCodes=["TEN-OFF", "NOPE"],
        cartItems=[MUGS, TEA],
        additionalCosts=SHIPPING,
    )
    assert reply.status == 200
    session = reply.json["customerSession"]
    created = session.pop("created")
    assert created == session.pop("updated")
    assert len(created) == len("2024-05-02T09:00:00.000000Z")
    assert session == {
        "id": 1,
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
    rule = {"campaignId": 12, "rulesetId": 40, "ruleIndex": 0, "ruleName": "Ten percent"}
    by_kind = {effect["effectType"]: effect for effect in reply.json["effects"]}
    assert by_kind == {
        "acceptCoupon": {
            **rule,
            "effectType": "acceptCoupon",
            "triggeredByCoupon": 55,
            "props": {"value": "TEN-OFF"},
        },
        "setDiscount": {
            **rule,
            "effectType": "setDiscount",
            "triggeredByCoupon": 55,
            "props": {"name": "10% off", "value": 3.4},
        },
        "rejectCoupon": {
            "campaignId": -1,
            "rulesetId": 0,
            "ruleIndex": 0,
            "ruleName": "",
            "effectType": "rejectCoupon",
            "props": {"value": "NOPE", "rejectionReason": "CouponNotFound"},
        },
    }
    assert reply.json["createdCoupons"] == reply.json["createdReferrals"] == []
    [coupon] = reply.json["coupons"]
    assert (coupon["value"], coupon["profileRedemptionCount"]) == ("TEN-OFF", 0)


def test_absent_properties_keep_their_value_and_attributes_merge(api: Any) -> None:
    api.session(
        profileId="p",
        couponCodes=["TEN-OFF"],
        referralCode="X",
        cartItems=[MUGS],
        attributes={"a": 1, "b": 2},
        identifiers=["i"],
    )
    reply = api.session("order-1", "customerSession", attributes={"b": 3, "c": 4, "a": None})
    session = reply.json["customerSession"]
    assert session["attributes"] == {"a": 1, "b": 3, "c": 4}
    assert session["couponCodes"] == ["TEN-OFF"]
    assert session["referralCode"] == "X"
    assert session["identifiers"] == ["i"]
    assert session["cartItemTotal"] == 25
    assert session["updateCount"] == 2


def test_empty_properties_replace_the_stored_ones(api: Any) -> None:
    api.session(
        couponCodes=["TEN-OFF"], referralCode="X", cartItems=[MUGS], additionalCosts=SHIPPING
    )
    reply = api.session(
        "order-1",
        "customerSession",
        couponCodes=[],
        referralCode="",
        cartItems=[],
        additionalCosts={},
    )
    session = reply.json["customerSession"]
    assert session["couponCodes"] == session["cartItems"] == []
    assert session["referralCode"] == ""
    assert session["total"] == 0
    assert reply.json["effects"] == []


def test_cart_items_are_replaced_with_their_attributes(api: Any) -> None:
    api.session(cartItems=[{**MUGS, "attributes": {"colour": "blue"}}])
    reply = api.session("order-1", "customerSession", cartItems=[MUGS])
    assert reply.json["customerSession"]["cartItems"] == [{**MUGS, "position": 0}]


def test_properties_that_are_null_count_as_absent(api: Any) -> None:
    api.session(profileId="p", couponCodes=["TEN-OFF"])
    reply = api.session("order-1", "customerSession", profileId=None, couponCodes=None, state=None)
    assert reply.json["customerSession"]["profileId"] == "p"
    assert reply.json["customerSession"]["couponCodes"] == ["TEN-OFF"]


def test_totals_add_up_item_costs_and_session_costs(api: Any) -> None:
    item = {**MUGS, "price": 0.1, "quantity": 3, "additionalCosts": {"wrap": {"price": 0.2}}}
    reply = api.session(
        "order-1", "customerSession", cartItems=[item], additionalCosts={"fee": {"price": 0.7}}
    )
    session = reply.json["customerSession"]
    assert session["cartItemTotal"] == 0.3
    assert session["cartItemAdditionalCostTotal"] == 0.2
    assert session["additionalCostTotal"] == 0.7
    assert session["total"] == 1.2


def test_shipping_is_free_from_the_threshold_on(api: Any) -> None:
    below = {**MUGS, "quantity": 1, "price": 49.99}
    reply = api.session(
        "order-1", "ruleFailureReasons", cartItems=[below], additionalCosts=SHIPPING
    )
    assert reply.json["effects"] == []
    failure = {one["ruleName"]: one for one in reply.json["ruleFailureReasons"]}["Free shipping"]
    assert (failure["campaignID"], failure["ruleIndex"], failure["conditionIndex"]) == (12, 2, 0)

    reply = api.session("order-1", "triggeredCampaigns", cartItems=[{**below, "price": 50}])
    [effect] = reply.json["effects"]
    assert effect["effectType"] == "setDiscountPerAdditionalCost"
    assert effect["props"] == {
        "name": "Free shipping",
        "additionalCostId": 7,
        "additionalCost": "shipping",
        "value": 4,
    }
    assert [one["id"] for one in reply.json["triggeredCampaigns"]] == [12]


def test_extra_keys_come_only_on_request(api: Any) -> None:
    always = {"effects", "createdCoupons", "createdReferrals"}
    assert set(api.session(profileId="p").json) == always
    reply = api.session("order-1", "customerProfile", "event", "loyalty", "awardedGiveaways")
    extra = {"customerProfile", "event", "loyalty", "awardedGiveaways"}
    assert set(reply.json) == always | extra
    assert reply.json["event"]["type"] == "talon_session_updated"
    assert reply.json["event"]["attributes"]["isNew"] is False


def test_an_anonymous_session_is_always_a_first_session_and_has_no_profile(api: Any) -> None:
    for name in ("a", "b"):
        reply = api.session(name, "customerSession", "customerProfile", profileId="")
        assert reply.json["customerSession"]["firstSession"] is True
        assert "customerProfile" not in reply.json


def test_only_the_first_session_of_a_profile_is_its_first_session(api: Any) -> None:
    first = api.session("a", "customerSession", profileId="p")
    second = api.session("b", "customerSession", profileId="p")
    assert first.json["customerSession"]["firstSession"] is True
    assert second.json["customerSession"]["firstSession"] is False


def test_an_anonymous_session_can_get_an_owner_but_not_change_it(api: Any) -> None:
    api.session(profileId="")
    reply = api.session("order-1", "customerSession", profileId="p")
    assert reply.json["customerSession"]["profileId"] == "p"
    for other in ("q", ""):
        problem = only_problem(api.session(profileId=other))
        assert problem["source"] == {"pointer": "/customerSession/profileId"}


@pytest.mark.parametrize(
    ("path", "last_event"),
    [
        (["open"], "talon_session_created"),
        (["closed"], "talon_session_closed"),
        (["open", "open"], "talon_session_updated"),
        (["open", "closed"], "talon_session_closed"),
        (["open", "cancelled"], "talon_session_cancelled"),
        (["open", "closed", "cancelled"], "talon_session_revoked"),
    ],
)
def test_every_allowed_transition_has_its_event(api: Any, path: list[str], last_event: str) -> None:
    for state in path:
        reply = api.session("order-1", "customerSession", "event", state=state)
        assert reply.status == 200
    assert reply.json["customerSession"]["state"] == path[-1]
    assert reply.json["event"]["type"] == last_event


@pytest.mark.parametrize(
    "path",
    [
        ["cancelled"],
        ["closed", "open"],
        ["closed", "closed"],
        ["closed", None],
        ["open", "cancelled", "open"],
        ["open", "cancelled", "closed"],
        ["open", "cancelled", "cancelled"],
    ],
)
def test_every_other_transition_is_refused_and_changes_nothing(
    api: Any, path: list[str | None]
) -> None:
    *before, last = path
    for state in before:
        assert api.session(state=state, profileId="p", cartItems=[MUGS]).status == 200
    stored = api.send("GET", "/v2/customer_sessions/order-1")
    problem = only_problem(api.session(state=last, cartItems=[], attributes={"x": 1}))
    assert problem["source"] == {"pointer": "/customerSession/state"}
    after = api.send("GET", "/v2/customer_sessions/order-1")
    assert (after.status, after.json) == (stored.status, stored.json)


def test_cancelling_a_closed_session_looks_at_nothing_but_its_state(api: Any) -> None:
    api.session(profileId="p", cartItems=[MUGS], state="closed")
    reply = api.session("order-1", "customerSession", state="cancelled", cartItems=[TEA])
    assert reply.json["customerSession"]["cartItemTotal"] == 25


def test_closing_and_cancelling_move_the_sales_of_the_profile(api: Any) -> None:
    api.session(profileId="p", cartItems=[MUGS], additionalCosts=SHIPPING)
    assert api.profile("p")["closedSessions"] == 0
    api.session(state="closed")
    assert (api.profile("p")["closedSessions"], api.profile("p")["totalSales"]) == (1, 29)
    api.session(state="cancelled")
    assert (api.profile("p")["closedSessions"], api.profile("p")["totalSales"]) == (0, 0)


def test_a_session_reads_back_with_the_effects_that_hold(api: Any) -> None:
    sent = api.session("order-1", "customerSession", couponCodes=["TEN-OFF"], cartItems=[MUGS])
    read = api.send("GET", "/v2/customer_sessions/order-1")
    assert read.status == 200
    assert read.json["customerSession"] == sent.json["customerSession"]
    assert read.json["effects"] == sent.json["effects"] != []
    api.session(state="closed")
    api.session(state="cancelled")
    assert api.send("GET", "/v2/customer_sessions/order-1").json["effects"] == []


def test_reading_an_unknown_session_is_a_404(api: Any) -> None:
    reply = api.send("GET", "/v2/customer_sessions/nobody")
    assert (reply.status, reply.json["StatusCode"]) == (404, 404)


def test_a_dry_update_evaluates_and_stores_nothing(api: Any) -> None:
    reply = api.session(
        "order-1",
        "customerSession",
        query="?dry=true",
        profileId="p",
        couponCodes=["TEN-OFF"],
        cartItems=[MUGS],
        state="closed",
    )
    assert "setDiscount" in kinds(reply)
    assert api.send("GET", "/v2/customer_sessions/order-1").status == 404
    assert api.send("GET", "/v1/customer_profiles/p/inventory").status == 404
    assert api.coupon("TEN-OFF")["usageCounter"] == 0


def test_a_dry_closing_request_does_not_see_stored_data(api: Any) -> None:
    api.session(couponCodes=["TEN-OFF"], cartItems=[MUGS])
    assert kinds(api.session(query="?dry=true", state="open")) == ["acceptCoupon", "setDiscount"]
    assert kinds(api.session(query="?dry=true", state="closed")) == []
    assert kinds(api.session(query="?dry=false", state="closed")) == [
        "acceptCoupon",
        "setDiscount",
    ]


def test_now_shifts_the_evaluation_of_a_dry_request_into_the_future(api: Any) -> None:
    code = api.new_coupon(startDate="2090-01-01T00:00:00+02:00")["value"]
    assert kinds(api.session(query="?dry=true", couponCodes=[code])) == ["rejectCoupon"]
    later = "?dry=true&now=2089-12-31T23:00:00Z"
    assert kinds(api.session(query=later, couponCodes=[code])) == ["acceptCoupon"]


@pytest.mark.parametrize(
    "query", ["?now=2090-01-01T00:00:00Z", "?dry=true&now=2020-01-01T00:00:00Z", "?dry=true&now=x"]
)
def test_now_needs_a_dry_request_and_a_moment_to_come(api: Any, query: str) -> None:
    problem = only_problem(api.session(query=query))
    assert problem["source"] == {"parameter": "now"}


def test_evaluable_campaigns_restrict_dry_requests_only(api: Any) -> None:
    cart = {"couponCodes": ["TEN-OFF"], "cartItems": [MUGS], "evaluableCampaignIds": [99]}
    [effect] = api.session(query="?dry=true", **cart).json["effects"]
    assert effect["props"] == {
        "value": "TEN-OFF",
        "rejectionReason": "CouponPartOfNotTriggeredCampaign",
        "campaignExclusionReason": "CampaignNotInEvaluationSet",
    }
    assert kinds(api.session(**cart)) == ["acceptCoupon", "setDiscount"]


@pytest.mark.parametrize(
    ("session", "title", "pointer"),
    [
        ({"profileId": False}, "Invalid type", "/profileId"),
        ({"couponCodes": "TEN-OFF"}, "Invalid type", "/couponCodes"),
        ({"couponCodes": ["x" * 101]}, "maxLength", "/couponCodes/0"),
        ({"referralCode": "x" * 101}, "maxLength", "/referralCode"),
        ({"attributes": []}, "Invalid type", "/attributes"),
        ({"identifiers": list("abcdef")}, "maxItems", "/identifiers"),
        ({"cartItems": [{**MUGS, "quantity": 0}]}, "range", "/cartItems/0/quantity"),
        ({"cartItems": [{**MUGS, "quantity": 1.5}]}, "Invalid type", "/cartItems/0/quantity"),
        ({"cartItems": [{**MUGS, "price": "5"}]}, "Invalid type", "/cartItems/0/price"),
        ({"cartItems": [{"sku": "a", "quantity": 1}]}, "required", "/cartItems/0/price"),
        ({"cartItems": [{**MUGS, "sku": ""}]}, "minLength", "/cartItems/0/sku"),
        ({"cartItems": [MUGS | {"quantity": 1}] * 1001}, "maxItems", "/cartItems"),
        ({"cartItems": [MUGS | {"quantity": 5000}] * 3}, "maxUnits", "/cartItems"),
        ({"additionalCosts": {"a/b": {}}}, "required", "/additionalCosts/a~1b/price"),
        ({"storeIntegrationId": ""}, "minLength", "/storeIntegrationId"),
    ],
)
def test_wrong_data_is_refused_with_a_pointer(
    api: Any, session: dict[str, Any], title: str, pointer: str
) -> None:
    problem = only_problem(api.session(**session))
    assert problem["title"] == title
    assert problem["source"] == {"pointer": f"/customerSession{pointer}"}
    assert api.send("GET", "/v2/customer_sessions/order-1").status == 404


def test_a_cart_may_be_as_large_as_documented(api: Any) -> None:
    assert api.session(cartItems=[MUGS | {"quantity": 10}] * 1000).status == 200


def test_an_unknown_state_is_refused_as_documented(api: Any) -> None:
    reply = api.session(state="banana")
    assert reply.status == 400
    assert reply.json == {
        "message": "The submitted data was invalid",
        "errors": [
            {
                "title": "enum",
                "details": 'state must be one of the following: "open", "closed", "cancelled"',
                "source": {"pointer": "/customerSession/state"},
            }
        ],
    }


def test_all_problems_are_listed_together(api: Any) -> None:
    reply = api.session("order-1", "weather", state="banana", profileId=7)
    pointers = {problem["source"]["pointer"] for problem in reply.json["errors"]}
    assert pointers == {
        "/customerSession/state",
        "/customerSession/profileId",
        "/responseContent/0",
    }


def test_a_body_without_a_session_is_refused(api: Any) -> None:
    problem = only_problem(api.send("PUT", "/v2/customer_sessions/order-1", {}))
    assert problem["source"] == {"pointer": "/customerSession"}


@pytest.mark.parametrize("value", ["banana", "True", "1", ""])
def test_dry_must_be_true_or_false(api: Any, value: str) -> None:
    problem = only_problem(api.session(query=f"?dry={value}"))
    assert problem["source"] == {"parameter": "dry"}
