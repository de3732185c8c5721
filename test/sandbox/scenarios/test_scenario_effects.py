"""Every type of effect that rules can have, with its properties, through real requests."""

from __future__ import annotations

from typing import Any

from sandbox.scenarios.shops import (
    COUPON,
    campaign,
    check,
    effects,
    item,
    kinds,
    note,
    off,
    only,
    points,
    props,
    reopened,
    returned,
    rule,
    spend,
    v1_campaign,
)

CODE = {"value": "CODE", "usageLimit": 0}
TIERS = [{"id": 1, "name": "Silver", "minPoints": 10}, {"id": 2, "name": "Gold", "minPoints": 100}]
PROGRAM = {"id": 1, "name": "stars", "title": "Stars", "tiers": TIERS}
COSTS = [
    {"id": 9, "name": "shipping", "title": "Shipping", "type": "both"},
    {"id": 10, "name": "wrap", "title": "Wrap", "type": "item"},
]


def cost(name: str, number: int, target: str) -> Any:
    return {
        "type": "additionalCost",
        "additionalCost": {"id": number, "name": name, "title": name},
        "target": {"type": target},
    }


def test_discounts_of_costs_name_the_cost_and_come_per_unit(open_shop: Any) -> None:
    api = open_shop(
        campaign(
            rule(off(3, "Ship", cost("shipping", 9, "cart"))),
            rule(off(1, "Wrap", cost("wrap", 10, "allItems"))),
        ),
        account={"additionalCosts": COSTS},
        undefinedNames="refuse",
    )
    wrapped = {**item(10, 2), "additionalCosts": {"wrap": {"price": 4}}}
    reply = api.session(cartItems=[wrapped], additionalCosts={"shipping": {"price": 2}})
    assert only(props(reply, "setDiscountPerAdditionalCost")) == {
        "name": "Ship",
        "additionalCostId": 9,
        "additionalCost": "shipping",
        "value": 2,
    }
    per_item = props(reply, "setDiscountPerAdditionalCostPerItem")
    assert [(each["position"], each["subPosition"], each["value"]) for each in per_item] == [
        (0, 0, 1),
        (0, 1, 1),
    ]
    assert {(each["additionalCostId"], each["additionalCost"]) for each in per_item} == {
        (10, "wrap")
    }
    api.session(state="closed")
    reply = returned(api, {"position": 0, "quantity": 1})
    [rollback] = props(reply, "rollbackDiscount")
    assert (rollback["additionalCostId"], rollback["additionalCost"]) == (10, "wrap")
    assert (rollback["cartItemPosition"], rollback["cartItemSubPosition"]) == (0, 0)
    reply = api.session("b", cartItems=[wrapped, item(10)])
    assert effects(reply) == []


def test_costs_that_are_not_defined_or_of_another_kind_are_refused(open_shop: Any) -> None:
    api = open_shop(campaign(), account={"additionalCosts": COSTS}, undefinedNames="refuse")
    reply = api.session(
        cartItems=[{**item(), "additionalCosts": {"none": {"price": 1}}}],
        additionalCosts={"wrap": {"price": 1}, "shipping": {"price": 1}},
    )
    assert reply.status == 400
    assert {each["source"]["pointer"] for each in reply.json["errors"]} == {
        "/customerSession/cartItems/0/additionalCosts/none",
        "/customerSession/additionalCosts/wrap",
    }


def test_points_reach_a_tier_when_the_session_closes_and_are_tentative_before(
    open_shop: Any,
) -> None:
    api = open_shop(
        campaign(rule(points("{{$Session.Total}}"))), account={"loyaltyPrograms": [PROGRAM]}
    )
    opened = api.session("order-1", "loyalty", profileId="ann", cartItems=[item(50)])
    assert kinds(opened) == ["addLoyaltyPoints"]
    award = only(props(opened, "addLoyaltyPoints"))
    assert (award["programId"], award["subLedgerId"], award["value"]) == (1, "", 50)
    assert award["recipientIntegrationId"] == "ann"
    ledger = opened.json["loyalty"]["programs"]["1"]["ledger"]
    assert (ledger["currentBalance"], ledger["tentativeCurrentBalance"]) == (0, 50)
    closed = api.session("order-1", "loyalty", state="closed")
    assert kinds(closed) == ["addLoyaltyPoints", "changeLoyaltyTierLevel"]
    assert only(props(closed, "addLoyaltyPoints"))["transactionUUID"]
    tier = only(props(closed, "changeLoyaltyTierLevel"))
    assert (tier["ruleTitle"], tier["newTierName"]) == ("Rule", "Silver")
    ledger = closed.json["loyalty"]["programs"]["1"]["ledger"]
    assert (ledger["currentBalance"], ledger["tentativeCurrentBalance"]) == (50, 50)
    assert ledger["currentTier"]["name"] == "Silver"


def test_points_that_are_spent_are_given_back_and_never_more_than_there_are(
    open_shop: Any,
) -> None:
    api = open_shop(
        campaign(rule(check("$Session.Attributes.pay", "isTrue"), spend(30), off(3, "Paid"))),
        campaign(rule(points(50)), id=13),
        account={"loyaltyPrograms": [PROGRAM]},
    )
    given: dict[str, Any] = {"profileId": "ann", "cartItems": [item(100)]}
    api.session("a", attributes={"pay": False}, state="closed", **given)
    both = [api.session(name, attributes={"pay": True}, **given) for name in ("b", "order-1")]
    for reply in both:
        assert kinds(reply) == ["addLoyaltyPoints", "deductLoyaltyPoints", "setDiscount"]
        paid = only(props(reply, "deductLoyaltyPoints"))
        assert (paid["ruleTitle"], paid["name"], paid["value"]) == ("Rule", "Spent", 30)
    closed = api.session("order-1", "loyalty", state="closed")
    assert closed.json["loyalty"]["programs"]["1"]["ledger"]["currentBalance"] == 70
    back = reopened(api)
    assert kinds(back) == ["rollbackDeductedLoyaltyPoints", "rollbackDiscount"]
    given_back = only(props(back, "rollbackDeductedLoyaltyPoints"))
    assert (given_back["value"], given_back["recipientIntegrationId"]) == (30, "ann")


def test_an_event_lists_the_points_that_it_moved(open_shop: Any) -> None:
    program = {**PROGRAM, "returnPolicy": "within_balance"}
    api = open_shop(campaign(rule(points(5))), account={"loyaltyPrograms": [program]})
    given: dict[str, Any] = {"profileId": "ann", "cartItems": [item()]}
    opened = api.session("order-1", "event", **given)
    assert opened.json["event"]["ledgerEntries"] == []
    closed = api.session("order-1", "event", state="closed").json["event"]
    entry = only(closed["ledgerEntries"])
    assert (entry["amount"], entry["reason"], entry["eventId"]) == (5, "Earned", closed["id"])
    cancelled = api.session("order-1", "event", state="cancelled").json["event"]
    assert only(cancelled["ledgerEntries"])["amount"] == -5


def test_an_achievement_counts_completes_and_starts_over(open_shop: Any) -> None:
    rides = {"id": 6, "name": "rides", "title": "Rides", "target": 3}
    ride = {
        "type": "updateAchievementProgress",
        "operator": "increaseBy",
        "value": "{{$Session.Attributes.rides}}",
        "achievement": rides,
    }
    done = {"type": "checkAchievement", "operator": "justCompleted", "achievement": rides}
    api = open_shop(
        campaign(
            rule(ride),
            rule(done, note("Done")),
            achievements=[{**rides, "recurrencePolicy": "on_completion", "period": "1M"}],
        )
    )
    given: dict[str, Any] = {"profileId": "ann", "cartItems": [item()], "state": "closed"}
    first = api.session("a", "achievements", attributes={"rides": 2}, **given)
    assert kinds(first) == ["increaseAchievementProgress", "startAchievementProgress"]
    step = only(props(first, "increaseAchievementProgress"))
    assert (step["delta"], step["value"], step["target"]) == (2, 2, 3)
    assert step["isJustCompleted"] is False
    second = api.session("order-1", "achievements", attributes={"rides": 2}, **given)
    steps = props(second, "increaseAchievementProgress")
    assert [(each["delta"], each["value"]) for each in steps] == [(1, 3), (1, 1)]
    assert [each["isJustCompleted"] for each in steps] == [True, False]
    assert steps[0]["progressTrackerId"] != steps[1]["progressTrackerId"]
    assert [each["title"] for each in props(second, "showNotification")] == ["Done"]
    assert only(second.json["achievements"])["currentProgress"]["progress"] == 1


def test_a_reservation_is_new_once_and_shows_in_the_inventory(open_shop: Any) -> None:
    api = open_shop(
        campaign(
            rule({**COUPON, "redeem": False}, {"type": "reserveCoupon"}),
            coupons=[{**CODE, "reservationLimit": 1}],
        )
    )
    first = api.session("a", profileId="ann", couponCodes=["CODE"], cartItems=[item()])
    assert only(props(first, "reserveCoupon")) == {
        "couponValue": "CODE",
        "profileIntegrationId": "ann",
        "isNewReservation": True,
    }
    again = api.session("a", state="closed")
    assert only(props(again, "reserveCoupon"))["isNewReservation"] is False
    other = api.session("b", profileId="bob", couponCodes=["CODE"], cartItems=[item()])
    assert "reserveCoupon" not in kinds(other)
    held = api.send("GET", "/v1/customer_profiles/ann/inventory?coupons=true").json["coupons"]
    assert [each["value"] for each in held] == ["CODE"]
    api.send("DELETE", "/v1/coupon_reservations/CODE", {"integrationIDs": ["ann"]})
    api.session("c", profileId="bob", couponCodes=["CODE"], cartItems=[item()])
    held = api.send("GET", "/v1/coupon_reservations/customerprofiles/CODE").json["data"]
    assert [each["integrationId"] for each in held] == ["bob"]


def test_giveaways_show_their_code_only_when_they_are_awarded_and_run_out(open_shop: Any) -> None:
    block = {
        "type": "awardGiveaway",
        "profile": "Current",
        "giveawayPool": {"id": 2, "name": "Cinema"},
    }
    api = open_shop(
        campaign(rule(block, off(1)), rule(note())),
        account={"giveawayPools": [{"id": 2, "name": "Cinema", "codes": ["C1"]}]},
    )
    given: dict[str, Any] = {"profileId": "ann", "cartItems": [item()]}
    opened = api.session("a", "awardedGiveaways", **given)
    assert only(props(opened, "willAwardGiveaway")) == {
        "poolId": 2,
        "poolName": "Cinema",
        "recipientIntegrationId": "ann",
    }
    assert opened.json["awardedGiveaways"] == []
    closed = api.session("a", "awardedGiveaways", state="closed")
    award = only(props(closed, "awardGiveaway"))
    assert award["code"] == "C1"
    assert only(closed.json["awardedGiveaways"])["id"] == award["giveawayId"]
    assert kinds(api.session("b", **given)) == ["showNotification"]
    failed = api.session("b", "ruleFailureReasons", **given)
    assert only(failed.json["ruleFailureReasons"])["effectIndex"] == 0


def test_free_items_come_one_by_one_and_are_cut_to_their_budget(open_shop: Any) -> None:
    free = {"type": "awardItem", "sku": "TOTE", "name": "Tote", "quantity": "3", "partial": True}
    limits = [{"action": "addFreeItemEffect", "limit": 2, "entities": []}]
    api = open_shop(campaign(rule(free), limits=limits))
    reply = api.session(cartItems=[item()])
    assert (
        props(reply, "addFreeItem") == [{"sku": "TOTE", "name": "Tote", "desiredQuantity": 3}] * 2
    )


def test_custom_effects_fill_their_payload_for_the_cart_and_for_items(open_shop: Any) -> None:
    definition = {
        "id": 1,
        "name": "wrap",
        "title": "Wrap",
        "payload": '{"colour": "${colour}", "note": "for ${who}"}',
        "params": [
            {"title": "colour", "type": "string", "ui": {}},
            {"title": "who", "type": "string", "ui": {}},
        ],
    }

    def custom(target: str) -> Any:
        return {
            "type": "triggerCustomEffect",
            "customEffect": {"id": 1, "name": "wrap", "title": "Wrap"},
            "params": {"colour": "red", "who": "{{$Profile.IntegrationId}}"},
            "target": {"type": target},
        }

    api = open_shop(
        campaign(rule(custom("cart")), rule(custom("allItems"))),
        account={"customEffects": [definition]},
    )
    found = props(api.session(profileId="ann", cartItems=[item(1, 2)]), "customEffect")
    payload = {"colour": "red", "note": "for ann"}
    assert found[0] == {"effectId": 1, "name": "wrap", "payload": payload}
    assert [(each["cartItemPosition"], each["cartItemSubPosition"]) for each in found[1:]] == [
        (0, 0),
        (0, 1),
    ]


def test_a_webhook_effect_names_its_webhook(open_shop: Any) -> None:
    block = {"type": "triggerWebhook", "webhook": {"id": 3, "title": "Tell"}}
    webhook = {"id": 3, "title": "Tell", "url": "http://127.0.0.1:9/", "verb": "POST"}
    api = open_shop(campaign(rule(block)), account={"webhooks": [webhook]})
    reply = api.session(cartItems=[item()])
    assert only(props(reply, "triggerWebhook")) == {"webhookId": 3, "webhookName": "Tell"}


def test_v1_rulesets_have_the_published_calls(open_shop: Any) -> None:
    calls = [
        ["setDiscount", "Cart", 1],
        ["setDiscountPerItem", "Items", 2],
        ["addFreeItem", "TOTE", "Tote"],
        ["addLoyaltyPoints", "Earned", 1, "", 5],
        ["showNotification", "Info", "Hi", "there"],
        ["updateAttribute", "Profile.Attributes.Level", "gold"],
    ]
    api = open_shop(
        v1_campaign(
            {"title": "All", "condition": ["=", 1, 1], "effects": calls},
            {"title": "Pay", "condition": [], "effects": [["deductLoyaltyPoints", "P", 1, "", 5]]},
        ),
        account={"loyaltyPrograms": [PROGRAM]},
    )
    given: dict[str, Any] = {"profileId": "ann", "cartItems": [item(10, 2)], "state": "closed"}
    assert kinds(api.session("a", **given)) == sorted(
        [
            "setDiscount",
            "setDiscountPerItem",
            "setDiscountPerItem",
            "addFreeItem",
            "addLoyaltyPoints",
            "showNotification",
            "updateAttribute",
        ]
    )
    assert api.profile("ann")["attributes"] == {"Level": "gold"}
    assert "deductLoyaltyPoints" in kinds(api.session("b", **given))


def test_a_budget_per_store_session_and_identifier_counts_each_apart(open_shop: Any) -> None:
    for entity, one, other in (
        ("Store", {"storeIntegrationId": "north"}, {"storeIntegrationId": "south"}),
        ("Identifier", {"identifiers": ["x"]}, {"identifiers": ["y"]}),
        ("Profile", {"profileId": "ann"}, {"profileId": "bob"}),
    ):
        limits = [{"action": "setDiscount", "limit": 5, "entities": [entity]}]
        api = open_shop(
            campaign(rule(off(5)), limits=limits),
            stores=[
                {"id": 1, "name": "North", "integrationId": "north"},
                {"id": 2, "name": "South", "integrationId": "south"},
            ],
        )
        seen = [
            len(effects(api.session(f"o{number}", cartItems=[item()], state="closed", **session)))
            for number, session in enumerate((one, one, other))
        ]
        assert seen == [1, 0, 1], entity


def test_campaigns_report_what_their_budgets_have_left(open_shop: Any) -> None:
    limits = [
        {"action": "setDiscount", "limit": 50, "entities": []},
        {"action": "redeemCoupon", "limit": 5, "entities": []},
    ]
    api = open_shop(campaign(rule(COUPON, off(7)), limits=limits, coupons=[CODE]))
    api.session(couponCodes=["CODE"], cartItems=[item(20)], state="closed")
    read = api.send("GET", "/v1/applications/3/campaigns/12", headers=api.management)
    assert read.status == 200
    assert read.json["discountCount"] == 7
    assert read.json["couponRedemptionCount"] == 1
    budgets = {each["action"]: each for each in read.json.get("budgets") or ()}
    assert budgets["setDiscount"]["counter"] == 7
    assert budgets["redeemCoupon"]["counter"] == 1


def test_the_list_of_effects_is_complete_at_each_update_and_forgets_the_last_one(
    open_shop: Any,
) -> None:
    api = open_shop(
        campaign(
            rule(check("$Session.Total", "greaterThanOrEqual", 50), off(5, "Fifty")),
            rule(check("$Session.Total", "greaterThanOrEqual", 20), note("Twenty")),
        )
    )
    seen = []
    for price in (10, 20, 50, 60, 20, 10):
        seen.append(kinds(api.session(cartItems=[item(price)])))
        read = api.send("GET", "/v2/customer_sessions/order-1").json
        assert sorted(each["effectType"] for each in read["effects"]) == seen[-1]
    both = ["setDiscount", "showNotification"]
    assert seen == [[], ["showNotification"], both, both, ["showNotification"], []]
