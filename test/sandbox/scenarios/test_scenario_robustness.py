"""Strange but possible requests: what is gone, what is huge, what is empty; never a 5xx."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.scenarios.shops import (
    COUPON,
    REFERRAL,
    campaign,
    check,
    effects,
    item,
    kinds,
    note,
    off,
    points,
    props,
    returned,
    rule,
    spend,
)

CODE = {"value": "CODE", "usageLimit": 0}
PROGRAM = {"id": 1, "name": "stars", "title": "Stars"}


def membership(operator: str, audience: int) -> Any:
    return {
        "type": "updateAudienceMembership",
        "operator": operator,
        "profile": "Current",
        "audience": {"id": audience, "name": "Gone"},
    }


DANGLING: dict[str, Any] = {
    "award": points(5, program=99),
    "spend": spend(5, program=99),
    "balance": {
        "type": "checkLoyaltyBalance",
        "operator": "greaterThan",
        "program": {"id": 99, "name": "x", "title": "X"},
        "subledger": "",
        "balance": "current",
        "value": -1,
    },
    "tier": {
        "type": "checkTier",
        "operator": "member",
        "subledger": "",
        "tier": {"id": 99, "name": "Gold", "minPoints": 5},
    },
    "audience": membership("add", 99),
    "no audience": membership("remove", 99),
    "giveaway": {
        "type": "awardGiveaway",
        "profile": "Current",
        "giveawayPool": {"id": 99, "name": "Gone"},
    },
    "achievement": {
        "type": "updateAchievementProgress",
        "operator": "increaseBy",
        "value": "1",
        "achievement": {"id": 99, "name": "gone", "title": "Gone", "target": 3},
    },
    "custom effect": {
        "type": "triggerCustomEffect",
        "customEffect": {"id": 99, "name": "gone", "title": "Gone"},
        "target": {"type": "cart"},
    },
    "webhook": {"type": "triggerWebhook", "webhook": {"id": 99, "title": "Gone"}},
    "coupon": {
        "type": "createCoupon",
        "campaignId": 99,
        "recipientId": "",
        "storeInSession": False,
    },
    "referral": {
        "type": "createReferral",
        "campaignId": 99,
        "friendId": "",
        "storeInSession": False,
    },
    "collection": check("$Session.Total", "inCollection", 99),
    "advocate": {**membership("add", 99), "profile": "Advocate"},
}


EXISTING: dict[str, Any] = {
    "loyaltyPrograms": [
        {
            "id": 99,
            "name": "x",
            "title": "X",
            "tiers": [{"id": 99, "name": "Gold", "minPoints": 5}],
        }
    ],
    "audiences": [{"id": 99, "name": "Gone"}],
    "giveawayPools": [{"id": 99, "name": "Gone", "codes": ["A"]}],
    "customEffects": [{"id": 99, "name": "gone", "title": "Gone"}],
    "webhooks": [{"id": 99, "title": "Gone", "url": "http://127.0.0.1:1"}],
}


def forget(state: Any) -> None:
    """Delete everything that the rules refer to."""
    for name in ("loyalty_programs", "audiences", "giveaway_pools", "custom_effects", "webhooks"):
        getattr(state, name).delete(id=99)
    for name in ("achievements", "collections"):
        getattr(state, name).delete(id=99)
    state.campaigns.delete(id=99)


def test_rules_about_what_was_deleted_fail_and_other_rules_go_on(open_shop: Any) -> None:
    wrong = []
    for name, block in DANGLING.items():
        achievement = {"id": 99, "name": "gone", "title": "Gone", "target": 3}
        api = open_shop(
            campaign(
                rule(REFERRAL, block) if name == "advocate" else rule(block),
                rule(note("Fine"), title="Fine"),
                achievements=[achievement],
                collections=[{"id": 99, "name": "gone", "items": ["1"]}],
                referrals=[{"code": "FRIEND", "advocateProfileIntegrationId": "bob"}],
            ),
            campaign(id=99),
            account=EXISTING,
        )
        api.sandbox._change(forget)
        for state in ("open", "closed"):
            reply = api.session(
                "order-1",
                "loyalty",
                "achievements",
                "triggeredCampaigns",
                profileId="ann",
                referralCode="FRIEND",
                cartItems=[item(10)],
                state=state,
            )
            if reply.status != 200:
                wrong.append((name, state, reply.status))
                continue
            found = set(kinds(reply)) - {"error", "rejectReferral"}
            if found != {"showNotification"}:
                wrong.append((name, state, found))
    assert wrong == []


def test_rules_outlive_the_audience_that_they_fill(open_shop: Any) -> None:
    api = open_shop(
        campaign(rule(membership("add", 5), note("In")), rule(note("Fine"))),
        account={"audiences": [{"id": 5, "name": "Club"}]},
    )
    assert "addToAudience" in kinds(api.session("a", profileId="ann", cartItems=[item()]))
    assert api.send("DELETE", "/v2/audiences/5").status == 204
    reply = api.session("b", "customerProfile", profileId="bob", cartItems=[item()], state="closed")
    assert [each["title"] for each in props(reply, "showNotification")] == ["Fine"]
    assert reply.json["customerProfile"]["audienceMemberships"] == []


def test_a_fixed_pattern_whose_code_is_taken_is_an_error_effect(open_shop: Any) -> None:
    create = {
        "type": "createCoupon",
        "campaignId": 12,
        "recipientId": "",
        "storeInSession": False,
        "pattern": "THANKS",
    }
    api = open_shop(campaign(rule(create), rule(off(1))))
    given: dict[str, Any] = {"profileId": "ann", "cartItems": [item()], "state": "closed"}
    assert kinds(api.session("a", **given)) == ["couponCreated", "setDiscount"]
    second = api.session("b", **given)
    assert kinds(second) == ["error", "setDiscount"]
    assert second.json["createdCoupons"] == []
    assert kinds(api.session("b", state="cancelled")) == ["rollbackDiscount"]


def test_a_cart_of_a_thousand_lines_and_ten_thousand_units_is_served(open_shop: Any) -> None:
    api = open_shop(campaign(rule(off("{{$Item.Price * 0.1}}", "Off", "allItems"))))
    cart = [item(10, 10, f"SKU-{number}") for number in range(1000)]
    reply = api.session(profileId="ann", cartItems=cart, state="closed")
    assert len(props(reply, "setDiscountPerItem")) == 10_000
    reply = returned(api, {"position": 999})
    assert len(props(reply, "rollbackDiscount")) == 10
    assert api.session("b", cartItems=[*cart, item()]).status == 400
    assert api.session("b", cartItems=[item(1, 10_001)]).status == 400


NUMBERS = (0, -5, 0.001, 1e-300, 1e15, 1e22, 1e300, 12345678901234567890, -1e300)


def test_every_price_that_json_can_say_is_answered(open_shop: Any) -> None:
    api = open_shop(
        campaign(
            rule(COUPON, off("{{$Session.Total * 0.1}}")),
            rule(off("{{$Item.Price / 3}}", "Item", {"type": "allItems", "prorated": False})),
            rule(off(10, "Shared", {"type": "allItems", "prorated": True})),
            rule(points("{{$Session.Total}}")),
            rule(points("{{$Item.Price}}", target={"type": "allItems"})),
            coupons=[{**CODE, "discountLimit": 1000}],
        ),
        account={"loyaltyPrograms": [PROGRAM]},
        enableCascadingDiscounts=True,
    )
    wrong = []
    for number, price in enumerate(NUMBERS):
        session = f"order-{number}"
        target = f"/v2/customer_sessions/{session}"
        cart = [item(price, 3), item(10), {**item(1), "additionalCosts": {"w": {"price": price}}}]
        costs = {"shipping": {"price": price}}
        replies = [
            api.session(
                session,
                "loyalty",
                "customerSession",
                "coupons",
                profileId="ann",
                couponCodes=["CODE"],
                cartItems=cart,
                additionalCosts=costs,
                state=state,
            )
            for state in ("open", "closed")
        ]
        body = {"return": {"returnedCartItems": [{"position": 0, "quantity": 1}]}}
        replies.append(api.send("POST", f"{target}/returns?runRuleEngine=true", body))
        replies.append(api.session(session, state="cancelled"))
        replies.append(api.send("GET", "/v1/customer_profiles/ann/inventory?loyalty=true"))
        replies.append(
            api.send(
                "PUT",
                f"/v1/customer_sessions/v1-{number}",
                {"total": price, "coupon": "CODE", "state": "closed", "profileId": "ann"},
            )
        )
        found = [reply.status for reply in replies]
        # The API takes amounts up to 10^15.
        expected = 200 if abs(price) <= 1e15 else 400
        if any(status >= 500 for status in found) or found[0] != expected:
            wrong.append((price, found))
    assert wrong == []


TEXTS = (
    "",
    " ",
    "\u0000",
    "💍",
    "a/b%2F c+d?e#f",
    "ﬁ İ ß",
    "\u202eabc",
    "x" * 100,
    "'; --",
    '"{{$}}',
)


def test_every_text_is_taken_as_a_name_or_refused(open_shop: Any) -> None:
    from urllib.parse import quote

    api = open_shop(
        campaign(
            rule(COUPON, off(1, "{{$Profile.IntegrationId}}")),
            rule(note("{{$Session.Attributes.text}}")),
            coupons=[CODE],
        ),
        caseSensitivity="insensitive-uppercase",
    )
    wrong = []
    for number, text in enumerate(TEXTS):
        name = quote(text, safe="") or "empty"
        replies = [
            api.session(
                name,
                "coupons",
                "referral",
                "event",
                "customerSession",
                profileId=text,
                couponCodes=[text],
                referralCode=text,
                identifiers=[text],
                loyaltyCards=[text],
                storeIntegrationId=text or None,
                cartItems=[item(1, 1, text or "S", category=text, attributes={text: text})],
                attributes={"text": text, text: text},
            ),
            api.send("PUT", f"/v2/customer_profiles/{name}?runRuleEngine=true", {}),
            api.send("GET", f"/v2/customer_sessions/{name}"),
            api.send("POST", f"/v1/coupon_reservations/{name}", {"integrationIDs": [text]}),
            api.send(
                "POST",
                "/v3/events",
                {
                    "profileId": "p",
                    "type": "t",
                    "attributes": {},
                    "integrationId": f"{number}{text}",
                },
            ),
        ]
        found = [reply.status for reply in replies]
        if any(status >= 500 for status in found):
            wrong.append((text, found))
    assert wrong == []
    surrogate = b'{"customerSession": {"profileId": "\\ud800", "couponCodes": ["\\udfff"]}}'
    assert api.send("PUT", "/v2/customer_sessions/s", surrogate).status == 400
    for path in ("%ED%A0%80", "%FF", "%00"):
        assert (
            api.send("PUT", f"/v2/customer_sessions/{path}", {"customerSession": {}}).status < 500
        )


def test_bodies_of_every_wrong_shape_are_refused(open_shop: Any) -> None:
    api = open_shop(campaign(rule(off(1))))
    shapes: list[Any] = [
        [],
        "x",
        1,
        None,
        {},
        {"customerSession": None},
        {"customerSession": []},
        {"customerSession": {"cartItems": {}}},
        {"customerSession": {"cartItems": [None]}},
        {"customerSession": {"cartItems": [{"sku": "S", "quantity": 0, "price": 1}]}},
        {"customerSession": {"cartItems": [{"sku": "", "quantity": 1, "price": 1}]}},
        {"customerSession": {"cartItems": [{"sku": "S", "quantity": 1.5, "price": 1}]}},
        {"customerSession": {"cartItems": [{"sku": "S", "quantity": 1, "price": "1"}]}},
        {"customerSession": {"cartItems": [{"sku": "S", "quantity": 1}]}},
        {"customerSession": {"additionalCosts": {"x": {}}}},
        {"customerSession": {"additionalCosts": {"x": 1}}},
        {"customerSession": {"couponCodes": "CODE"}},
        {"customerSession": {"couponCodes": ["x" * 101]}},
        {"customerSession": {"attributes": []}},
        {"customerSession": {}, "responseContent": ["everything"]},
        {"customerSession": {"evaluableCampaignIds": ["1"]}},
    ]
    wrong = []
    for shape in shapes:
        reply = api.send("PUT", "/v2/customer_sessions/order-1", shape)
        if reply.status != 400 or not reply.json["errors"]:
            wrong.append((shape, reply.status))
    assert wrong == []
    assert api.send("GET", "/v2/customer_sessions/order-1").status == 404


def test_a_profile_whose_data_were_deleted_goes_on(open_shop: Any) -> None:
    api = open_shop(
        campaign(
            rule(COUPON, check("$Profile.Attributes.Level", "equals", "gold"), off(5)),
            rule(REFERRAL, points(5)),
            coupons=[CODE],
            referrals=[{"code": "FRIEND", "advocateProfileIntegrationId": "bob"}],
        ),
        account={"loyaltyPrograms": [{**PROGRAM, "returnPolicy": "within_balance"}]},
    )
    api.send("PUT", "/v2/customer_profiles/ann", {"attributes": {"Level": "gold"}})
    given: dict[str, Any] = {
        "profileId": "ann",
        "couponCodes": ["CODE"],
        "referralCode": "FRIEND",
        "cartItems": [item(20)],
        "attributes": {"a": 1},
    }
    assert "setDiscount" in kinds(api.session(**given, state="closed"))
    for profile in ("ann", "bob"):
        assert api.send("DELETE", f"/v1/customer_data/{profile}").status == 204
    read = api.send("GET", "/v2/customer_sessions/order-1").json["customerSession"]
    assert read["attributes"] == {}
    reply = api.session("b", profileId="ann", couponCodes=["CODE"], cartItems=[item(20)])
    assert kinds(reply) == ["error", "rejectCoupon"]
    assert set(kinds(api.session(state="cancelled"))) == {
        "rollbackAddedLoyaltyPoints",
        "rollbackCoupon",
        "rollbackDiscount",
        "rollbackReferral",
    }


@pytest.mark.parametrize("state", ["open", "closed"])
def test_an_anonymous_session_fails_rules_about_its_customer_and_nothing_else(
    open_shop: Any, state: str
) -> None:
    api = open_shop(
        campaign(
            rule(points(5), title="Points"),
            rule(membership("add", 5), title="Audience"),
            rule(check("$Profile.Attributes.x", "equals", 1), note(), title="Attribute"),
            rule(off(1, "{{$Profile.IntegrationId}}"), title="Name"),
            rule(off(5), title="Fine"),
        ),
        account={
            "loyaltyPrograms": [PROGRAM],
            "audiences": [{"id": 5, "name": "Club"}],
        },
    )
    reply = api.session("order-1", "loyalty", "achievements", cartItems=[item(20)], state=state)
    assert "Off" in [each["name"] for each in props(reply, "setDiscount")]
    assert not [each for each in effects(reply) if each["ruleName"] in ("Points", "Audience")]
