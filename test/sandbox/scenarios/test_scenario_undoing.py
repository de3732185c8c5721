"""What cancelling, reopening and returning undo, row by row, and what they leave."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.conftest import Client
from sandbox.scenarios.shops import (
    COUPON,
    MUGS,
    REFERRAL,
    TEA,
    campaign,
    check,
    effects,
    item,
    kinds,
    note,
    off,
    only,
    points,
    problem,
    props,
    reopened,
    returned,
    rule,
    spend,
)

PROGRAM = {"id": 1, "name": "stars", "title": "Stars", "returnPolicy": "within_balance"}
RIDES = {"id": 6, "name": "tenRides", "title": "Ten rides", "target": 10}
RIDE = {
    "type": "updateAchievementProgress",
    "operator": "increaseBy",
    "value": "1",
    "achievement": RIDES,
}
GIVEAWAY = {
    "type": "awardGiveaway",
    "profile": "Current",
    "giveawayPool": {"id": 2, "name": "Cinema"},
}
NEW_COUPON = {
    "type": "createCoupon",
    "campaignId": 12,
    "recipientId": "{{$Profile.IntegrationId}}",
    "storeInSession": False,
    "usageLimit": 1,
}
NEW_REFERRAL = {
    "type": "createReferral",
    "campaignId": 12,
    "friendId": "",
    "storeInSession": False,
}
FREE = {"type": "awardItem", "sku": "TOTE", "name": "Tote bag", "quantity": "1"}
CUSTOM = {
    "type": "triggerCustomEffect",
    "customEffect": {"id": 1, "name": "wrap", "title": "Wrap"},
    "target": {"type": "cart"},
}
LEVEL = {
    "type": "updateAttributeValue",
    "operator": "setTo",
    "attribute": {"id": 1, "entity": "profile", "name": "Level", "title": "L", "type": "string"},
    "target": {"type": "profile"},
    "value": "gold",
}
AUDIENCE = {
    "type": "updateAudienceMembership",
    "operator": "add",
    "profile": "Current",
    "audience": {"id": 5, "name": "Club"},
}
LIMITS = [
    {"action": "setDiscount", "limit": 1000, "entities": []},
    {"action": "redeemCoupon", "limit": 10, "entities": []},
    {"action": "createCoupon", "limit": 10, "entities": []},
]
UNDONE = [
    "rollbackAddedLoyaltyPoints",
    "rollbackCoupon",
    "rollbackDeductedLoyaltyPoints",
    "rollbackDiscount",
    "rollbackIncreasedAchievementProgress",
    "rollbackReferral",
]


def everything(open_shop: Any) -> Client:
    """Open a shop whose one rule has every kind of effect."""
    api: Client = open_shop(
        campaign(
            rule(
                COUPON,
                REFERRAL,
                off(5, "Five"),
                points(7),
                spend(20),
                RIDE,
                GIVEAWAY,
                NEW_COUPON,
                NEW_REFERRAL,
                FREE,
                CUSTOM,
                LEVEL,
                AUDIENCE,
            ),
            coupons=[{"value": "CODE", "usageLimit": 1}],
            referrals=[{"code": "FRIEND", "advocateProfileIntegrationId": "bob", "usageLimit": 1}],
            achievements=[{**RIDES, "allowRollbackAfterCompletion": True}],
            limits=LIMITS,
        ),
        account={
            "loyaltyPrograms": [PROGRAM],
            "giveawayPools": [{"id": 2, "name": "Cinema", "codes": ["C1", "C2"]}],
            "customEffects": [{"id": 1, "name": "wrap", "title": "Wrap"}],
            "audiences": [{"id": 5, "name": "Club"}],
        },
    )
    api.send("PUT", "/v2/customer_profiles/ann", {})
    add = "/v1/loyalty_programs/1/profile/ann/add_points"
    body = {"points": 50, "name": "Gift"}
    assert api.send("PUT", add, body, headers=api.management).status == 204
    return api


def close_everything(api: Client) -> Any:
    return api.session(
        "order-1",
        "customerProfile",
        "awardedGiveaways",
        profileId="ann",
        couponCodes=["CODE"],
        referralCode="FRIEND",
        cartItems=[MUGS, TEA],
        state="closed",
    )


def balance(api: Client, profile: str = "ann") -> Any:
    target = f"/v1/loyalty_programs/1/profile/{profile}/balances"
    return api.send("GET", target).json["balance"]["activePoints"]


def test_closing_carries_out_every_kind_of_effect(open_shop: Any) -> None:
    api = everything(open_shop)
    assert balance(api) == 50
    reply = close_everything(api)
    assert kinds(reply) == sorted(
        [
            "acceptCoupon",
            "acceptReferral",
            "setDiscount",
            "addLoyaltyPoints",
            "deductLoyaltyPoints",
            "startAchievementProgress",
            "increaseAchievementProgress",
            "awardGiveaway",
            "couponCreated",
            "referralCreated",
            "addFreeItem",
            "customEffect",
            "updateAttribute",
            "addToAudience",
        ]
    )
    assert balance(api) == 37
    assert len(reply.json["createdCoupons"]) == len(reply.json["createdReferrals"]) == 1
    assert reply.json["createdCoupons"][0]["recipientIntegrationId"] == "ann"
    assert reply.json["createdReferrals"][0]["advocateProfileIntegrationId"] == "ann"
    profile = api.profile("ann")
    assert profile["attributes"] == {"Level": "gold"}
    assert profile["audienceMemberships"] == [{"id": 5, "name": "Club"}]


@pytest.mark.parametrize("how", ["cancel", "reopen"])
def test_cancelling_and_reopening_roll_back_the_same_and_keep_the_same(
    open_shop: Any, how: str
) -> None:
    api = everything(open_shop)
    close_everything(api)
    reply = api.session(state="cancelled") if how == "cancel" else reopened(api)
    assert kinds(reply) == UNDONE
    assert balance(api) == 50
    assert api.coupon("CODE")["usageCounter"] == 0
    inventory = api.send(
        "GET",
        "/v1/customer_profiles/ann/inventory?profile=true&coupons=true&referrals=true"
        "&giveaways=true&achievements=true",
    ).json
    assert (inventory["profile"]["closedSessions"], inventory["profile"]["totalSales"]) == (0, 0)
    assert inventory["profile"]["attributes"] == {"Level": "gold"}
    assert inventory["profile"]["audienceMemberships"] == [{"id": 5, "name": "Club"}]
    assert [each["code"] for each in inventory["giveaways"]] == ["C1"]
    assert len(inventory["coupons"]) == len(inventory["referrals"]) == 1
    read = api.send("GET", "/v2/customer_sessions/order-1").json
    rolled = ("Coupon", "Referral", "setDiscount", "Loyalty", "Achievement")
    assert not [
        each["effectType"]
        for each in read["effects"]
        if any(word in each["effectType"] for word in rolled)
        and each["effectType"] not in ("couponCreated", "referralCreated")
    ]


def test_closing_a_reopened_session_applies_all_again_but_creates_and_awards_nothing_twice(
    open_shop: Any,
) -> None:
    api = everything(open_shop)
    first = close_everything(api)
    reopened(api)
    again = api.session("order-1", "awardedGiveaways", state="closed")
    assert kinds(again) == kinds(first)
    assert balance(api) == 37
    assert api.coupon("CODE")["usageCounter"] == 1
    for kind in ("couponCreated", "referralCreated", "awardGiveaway"):
        assert props(again, kind) == props(first, kind), kind
    inventory = api.send(
        "GET", "/v1/customer_profiles/ann/inventory?coupons=true&referrals=true&giveaways=true"
    ).json
    assert len(inventory["giveaways"]) == 1
    assert len([each for each in inventory["coupons"] if each["value"] != "CODE"]) == 1
    assert len(inventory["referrals"]) == 1


def test_the_last_giveaway_of_a_pool_stays_with_its_session(open_shop: Any) -> None:
    api = open_shop(
        campaign(rule(GIVEAWAY)),
        account={"giveawayPools": [{"id": 2, "name": "Cinema", "codes": ["LAST"]}]},
    )
    given: dict[str, Any] = {"profileId": "ann", "cartItems": [MUGS]}
    assert only(props(api.session(**given, state="closed"), "awardGiveaway"))["code"] == "LAST"
    for profile in ("", "ann", "bob"):
        assert kinds(api.session(f"other-{profile}", profileId=profile, cartItems=[MUGS])) == []
    assert effects(reopened(api)) == []
    assert kinds(api.session()) == ["willAwardGiveaway"]
    assert only(props(api.session(state="closed"), "awardGiveaway"))["code"] == "LAST"


def test_a_reopened_session_that_closes_with_another_cart_has_the_effects_of_that_cart(
    open_shop: Any,
) -> None:
    payload = {
        **CUSTOM,
        "params": {"total": "{{$Session.Total}}"},
    }
    remember = {**LEVEL, "value": "{{$Session.Total}}"}
    api = open_shop(
        campaign(rule(payload, remember)),
        account={
            "customEffects": [
                {
                    "id": 1,
                    "name": "wrap",
                    "title": "Wrap",
                    "payload": '{"total": "${total}"}',
                    "params": [{"title": "total", "type": "number", "ui": {}}],
                }
            ]
        },
    )
    api.session(profileId="ann", cartItems=[item(10)], state="closed")
    reopened(api)
    reply = api.session(cartItems=[item(25)], state="closed")
    assert only(props(reply, "customEffect"))["payload"] == {"total": 25}
    assert only(props(reply, "updateAttribute"))["value"] == 25
    assert api.profile("ann")["attributes"] == {"Level": 25}


def test_budgets_are_free_again_after_cancelling_except_that_of_created_coupons(
    open_shop: Any,
) -> None:
    limits = [
        {"action": "setDiscount", "limit": 5, "entities": []},
        {"action": "createCoupon", "limit": 2, "entities": []},
        {"action": "customEffect", "limit": 1, "entities": []},
    ]
    api = open_shop(
        campaign(
            rule(off(5), title="Money"),
            rule(NEW_COUPON, title="Code"),
            rule(CUSTOM, title="Custom"),
            limits=limits,
        ),
        account={"customEffects": [{"id": 1, "name": "wrap", "title": "Wrap"}]},
    )
    expected = ["couponCreated", "customEffect", "setDiscount"]
    for number in (1, 2):
        reply = api.session(f"o{number}", profileId="ann", cartItems=[item(50)], state="closed")
        assert kinds(reply) == expected
        other = api.session("other", profileId="ann", cartItems=[item(50)], query="?dry=true")
        assert kinds(other) == []
        api.session(f"o{number}", state="cancelled")
    reply = api.session("o3", profileId="ann", cartItems=[item(50)], state="closed")
    assert kinds(reply) == ["customEffect", "setDiscount"]


def test_cancelling_an_open_session_has_no_effects(open_shop: Any) -> None:
    api = open_shop(campaign(rule(off(5), note())))
    api.session(cartItems=[item(50)])
    assert effects(api.session(state="cancelled")) == []


STATES = ("open", "closed", "cancelled", "partially_returned")


def bring_to(api: Client, state: str) -> None:
    api.session(profileId="ann", cartItems=[MUGS])
    if state in ("closed", "partially_returned"):
        api.session(state="closed")
    if state == "partially_returned":
        returned(api, {"position": 0, "quantity": 1})
    if state == "cancelled":
        api.session(state="cancelled")


def test_every_move_of_the_table_of_states_and_no_other_is_allowed(open_shop: Any) -> None:
    allowed = {
        ("open", "open"),
        ("open", "closed"),
        ("open", "cancelled"),
        ("closed", "cancelled"),
        ("partially_returned", "cancelled"),
        ("closed", "reopen"),
        ("closed", "return"),
        ("partially_returned", "return"),
    }
    wrong: list[tuple[str, str, Any]] = []
    for before in STATES:
        for move in (*STATES, "reopen", "return", "nothing"):
            api = open_shop(campaign(rule(off(1, target="allItems"))))
            bring_to(api, before)
            stored = api.send("GET", "/v2/customer_sessions/order-1").json
            if move == "reopen":
                reply = reopened(api)
            elif move == "return":
                reply = returned(api, {"position": 0, "quantity": 1})
            elif move == "nothing":
                reply = api.session()
            else:
                reply = api.session(state=move)
            target = "open" if move == "nothing" else move
            expected = 200 if (before, target) in allowed else 400
            after = api.send("GET", "/v2/customer_sessions/order-1").json
            if reply.status != expected or (expected == 400 and after != stored):
                wrong.append((before, move, reply.status))
            if expected == 400 and not reply.json["errors"]:
                wrong.append((before, move, "no errors"))
    assert wrong == []


def test_a_partially_returned_session_is_cancelled_with_what_remains(open_shop: Any) -> None:
    api = open_shop(
        campaign(rule(off(1, target="allItems"))), account={"loyaltyPrograms": [PROGRAM]}
    )
    api.session(profileId="ann", cartItems=[MUGS, TEA], state="closed")
    returned(api, {"position": 0, "quantity": 1})
    reply = api.session("order-1", "event", state="cancelled")
    found = {
        (each["cartItemPosition"], each["cartItemSubPosition"])
        for each in props(reply, "rollbackDiscount")
    }
    assert found == {(0, 1), (1, 0)}
    assert reply.json["event"]["type"] == "talon_session_revoked"
    profile = api.profile("ann")
    assert (profile["closedSessions"], profile["totalSales"]) == (0, 0)


def test_reading_a_session_after_a_return_shows_neither_the_effect_nor_its_rollback(
    open_shop: Any,
) -> None:
    program = {**PROGRAM, "returnPolicy": "within_balance"}
    api = open_shop(
        campaign(rule(off(1, "One", "allItems"), points(2, target={"type": "allItems"}))),
        account={"loyaltyPrograms": [program]},
    )
    api.session(profileId="ann", cartItems=[MUGS], state="closed")
    reply = returned(api, {"sku": "MUG-1", "quantity": 1})
    assert kinds(reply) == ["rollbackAddedLoyaltyPoints", "rollbackDiscount"]
    read = api.send("GET", "/v2/customer_sessions/order-1").json
    assert [each["effectType"] for each in read["effects"]] == [
        "setDiscountPerItem",
        "addLoyaltyPoints",
    ]
    assert read["effects"][0]["props"]["subPosition"] == 1
    assert read["effects"][1]["props"]["cartItemSubPosition"] == 1
    assert balance(api) == 2


def test_items_are_returned_by_position_by_sku_and_as_whole_lines(open_shop: Any) -> None:
    api = open_shop(campaign(rule(off(1, target="allItems"))))
    cart = [item(1, 3, "A"), item(2, 2, "B"), item(3, 1, "A")]
    api.session(profileId="ann", cartItems=cart, state="closed")
    reply = returned(api, {"position": 0, "quantity": 2}, {"sku": "B"}, wanted=["customerSession"])
    assert reply.json["return"]["returnedCartItems"] == [
        {"position": 0, "quantity": 2},
        {"position": 1, "quantity": 2},
    ]
    lines = reply.json["customerSession"]["cartItems"]
    assert [each.get("returnedQuantity") for each in lines[:2]] == [2, 2]
    assert [each.get("remainingQuantity") for each in lines[:2]] == [1, 0]
    assert len(props(reply, "rollbackDiscount")) == 4
    reply = returned(api, {"sku": "A"}, wanted=["previousReturns", "customerSession"])
    assert len(reply.json["previousReturns"]) == 1
    [rollback] = props(reply, "rollbackDiscount")
    assert (rollback["cartItemPosition"], rollback["cartItemSubPosition"]) == (0, 2)
    reply = returned(api, {"sku": "A"}, wanted=["previousReturns"])
    assert [each["cartItemPosition"] for each in props(reply, "rollbackDiscount")] == [2]
    assert len(reply.json["previousReturns"]) == 2
    assert api.profile("ann")["totalSales"] == 0
    assert api.profile("ann")["closedSessions"] == 1


def test_impossible_returns_are_refused_and_change_nothing(open_shop: Any) -> None:
    api = open_shop(campaign(rule(off(1, target="allItems"))))
    assert returned(api, {"position": 0}).status == 404
    api.session(cartItems=[MUGS], state="closed")
    stored = api.send("GET", "/v2/customer_sessions/order-1").json
    pointer = "/return/returnedCartItems/0"
    for line, place in (
        ({"position": 1, "quantity": 1}, "/position"),
        ({"position": -1, "quantity": 1}, "/position"),
        ({"position": 0, "quantity": 3}, "/quantity"),
        ({"position": 0, "quantity": 0}, "/quantity"),
        ({"sku": "NONE"}, "/sku"),
        ({}, ""),
        ({"position": 0, "sku": "MUG-1"}, ""),
    ):
        found = problem(returned(api, line))
        assert found["source"]["pointer"].startswith(pointer + place), line
    assert problem(returned(api))["source"] == {"pointer": "/return/returnedCartItems"}
    returned_twice = returned(api, {"position": 0, "quantity": 2}, {"position": 0, "quantity": 1})
    assert problem(returned_twice)["source"] == {"pointer": "/return/returnedCartItems/1/quantity"}
    assert api.send("GET", "/v2/customer_sessions/order-1").json == stored


def test_a_dry_return_rolls_nothing_back(open_shop: Any) -> None:
    api = open_shop(campaign(rule(off(1, target="allItems"))))
    api.session(profileId="ann", cartItems=[MUGS], state="closed")
    stored = api.send("GET", "/v2/customer_sessions/order-1").json
    reply = returned(api, {"position": 0, "quantity": 1}, query="?dry=true")
    assert kinds(reply) == ["rollbackDiscount"]
    assert api.send("GET", "/v2/customer_sessions/order-1").json == stored
    assert api.profile("ann")["totalSales"] == 25


def test_a_return_gives_the_budget_of_its_units_back(open_shop: Any) -> None:
    limits = [{"action": "setDiscount", "limit": 3, "entities": []}]
    api = open_shop(campaign(rule(off(1, target="allItems")), limits=limits))
    api.session(cartItems=[item(10, 3)], state="closed")
    assert effects(api.session("o2", cartItems=[item(10)])) == []
    returned(api, {"position": 0, "quantity": 2})
    assert kinds(api.session("o3", cartItems=[item(10, 2)])) == ["setDiscountPerItem"] * 2


def test_without_flattening_a_return_takes_back_the_share_of_the_returned_units(
    open_shop: Any,
) -> None:
    api = open_shop(
        campaign(rule(off("{{$Item.Price * 0.1}}", target="allItems"))),
        enableFlattenedCartItems=False,
    )
    closing = api.session(cartItems=[item(10, 4)], state="closed")
    [discount] = props(closing, "setDiscountPerItem")
    whole = discount["value"]
    reply = returned(api, {"position": 0, "quantity": 1})
    first = sum(each["value"] for each in props(reply, "rollbackDiscount"))
    reply = returned(api, {"position": 0})
    rest = sum(each["value"] for each in props(reply, "rollbackDiscount"))
    assert first == whole / 4
    assert first + rest == whole


def test_conditions_see_what_remains_after_a_return(open_shop: Any) -> None:
    """A campaign that is evaluated again on return adds what now holds, and takes back the rest."""
    api = open_shop(
        campaign(
            rule(check("$Session.CartItemTotal", "greaterThanOrEqual", 30), off(10, "Ten")),
            reevaluateOnReturn=True,
        ),
        campaign(
            rule(check("$Session.CartItemTotal", "greaterThanOrEqual", 30), off(3, "Three")), id=13
        ),
    )
    api.session(profileId="ann", cartItems=[MUGS, TEA], state="closed")
    reply = returned(api, {"position": 1}, query="?runRuleEngine=true")
    assert [(each["name"], each["value"]) for each in props(reply, "rollbackDiscount")] == [
        ("Ten", 10)
    ]
    read = api.send("GET", "/v2/customer_sessions/order-1").json
    assert [each["props"]["name"] for each in read["effects"]] == ["Three"]


def test_a_return_with_the_rule_engine_corrects_points_of_the_session(open_shop: Any) -> None:
    api = open_shop(
        campaign(rule(points("{{$Session.CartItemTotal}}")), reevaluateOnReturn=True),
        account={"loyaltyPrograms": [PROGRAM]},
    )
    api.session(profileId="ann", cartItems=[MUGS, TEA], state="closed")
    assert balance(api) == 30
    returned(api, {"position": 0, "quantity": 1}, query="?runRuleEngine=true")
    assert balance(api) == 17.5
    api.session(state="cancelled")
    assert balance(api) == 0
