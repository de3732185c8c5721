"""Stories of whole campaigns: catalogs, filters, time zones, budgets, friends, stacked offers."""

from __future__ import annotations

from typing import Any

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
    only,
    points,
    props,
    reason,
    reopened,
    returned,
    rule,
)

CODE = {"value": "CODE", "usageLimit": 0}
BRAND = {"attributeid": 31, "name": "Brand", "value": "Lux"}
PROGRAM = {"id": 1, "name": "stars", "title": "Stars", "returnPolicy": "within_balance"}


def test_a_catalog_supplies_prices_and_attributes_that_the_cart_may_override(
    open_shop: Any,
) -> None:
    catalog = {
        "id": 1,
        "name": "Shop",
        "subscribedApplicationsIds": [3],
        "items": [
            {"sku": "LAMP", "price": 40, "attributes": [BRAND]},
            {"sku": "BULB", "price": 5},
        ],
    }
    brand = check("$Item.Attributes.Brand", "equals", "Lux")
    lux = {
        "name": "lux",
        "type": "selector",
        "source": "$Session.CartItems",
        "steps": [
            {"type": "filter", "predicate": {"id": "x", **check("$Item.Brand", "exists")}},
            {"type": "filter", "predicate": {"id": "p", **brand}},
        ],
    }
    api = open_shop(
        campaign(rule(off(4, "Lux", {"type": "selector", "name": "lux"})), selectors=[lux]),
        account={
            "catalogs": [catalog],
            "attributes": [
                {"id": 31, "entity": "CartItem", "name": "Brand", "title": "B", "type": "string"}
            ],
        },
    )
    cart = [
        {"sku": "LAMP", "quantity": 1},
        {"sku": "BULB", "quantity": 2, "price": 3},
    ]
    reply = api.session("order-1", "customerSession", cartItems=cart)
    assert reply.json["customerSession"]["total"] == 46
    assert [each["position"] for each in props(reply, "setDiscountPerItem")] == [0]
    unknown = api.session("b", cartItems=[{"sku": "NONE", "quantity": 1}])
    assert unknown.status == 400
    assert only(unknown.json["errors"])["source"]["pointer"].endswith("/cartItems/0/price")


def test_an_application_filter_selects_items_of_any_campaign(open_shop: Any) -> None:
    predicate = {"id": "p", **check("$Item.Category", "equals", "outdoor")}
    outdoor = {
        "name": "Outdoor",
        "type": "selector",
        "source": "$Session.CartItems",
        "steps": [{"type": "filter", "predicate": predicate}],
    }
    api = open_shop(
        campaign(rule(off(2, "Out", {"type": "globalFilter", "name": "Outdoor"}))),
        itemFilters=[outdoor],
    )
    reply = api.session(cartItems=[item(10, category="outdoor"), item(10, category="indoor")])
    assert [each["position"] for each in props(reply, "setDiscountPerItem")] == [0]


def test_a_daily_budget_starts_again_at_midnight_of_the_application(open_shop: Any) -> None:
    limits = [{"action": "setDiscount", "limit": 5, "entities": [], "period": "daily"}]
    api = open_shop(campaign(rule(off(5)), limits=limits), timezone="America/New_York")
    seen = []
    for number, hours in enumerate((0, 14, 3, 10)):  # 07:00, 21:00, 00:00, 10:00 of New York
        api.sandbox.clock.advance(hours=hours)
        reply = api.session(f"o{number}", cartItems=[item()], state="closed")
        seen.append(len(effects(reply)))
    assert seen == [1, 0, 1, 0]


def test_an_item_campaign_discounts_items_only(open_shop: Any) -> None:
    api = open_shop(
        campaign(
            rule(off(5, "Cart")), rule(off(2, "Item", "allItems"), title="Items"), type="cartItem"
        )
    )
    assert kinds(api.session(cartItems=[item()])) == ["setDiscountPerItem"]


def test_a_budget_check_looks_at_what_is_left(open_shop: Any) -> None:
    enough = {"type": "checkBudget", "operator": "enoughFor", "action": "setDiscount", "value": 5}
    some = {"type": "checkBudget", "operator": "available", "action": "setDiscount"}
    limits = [{"action": "setDiscount", "limit": 8, "entities": []}]
    api = open_shop(
        campaign(
            rule(enough, off(5, "Five"), title="Five"),
            rule(some, note("Hurry"), title="Hurry"),
            limits=limits,
        )
    )
    assert kinds(api.session("a", cartItems=[item()], state="closed")) == [
        "setDiscount",
        "showNotification",
    ]
    assert kinds(api.session("b", cartItems=[item()], state="closed")) == ["showNotification"]


def test_friends_bring_friends_with_codes_of_every_origin(open_shop: Any) -> None:
    create = {
        "type": "createReferral",
        "campaignId": "{{$Campaign.Id}}",
        "friendId": "",
        "storeInSession": False,
        "usageLimit": 1,
    }
    api = open_shop(
        campaign(
            rule(
                REFERRAL,
                off(5, "Friend"),
                points(10, recipient="Advocate"),
                points(3),
            ),
            rule(check("$Session.Total", "greaterThan", 50), create),
        ),
        account={"loyaltyPrograms": [PROGRAM]},
    )

    def balance(profile: str) -> Any:
        target = f"/v1/loyalty_programs/1/profile/{profile}/balances"
        return api.send("GET", target).json["balance"]["activePoints"]

    made = api.send(
        "POST",
        "/v1/referrals_for_multiple_advocates?silent=no",
        {
            "campaignId": 12,
            "advocateProfileIntegrationIds": ["ann", "bob"],
            "referralPattern": "REF-####",
            "usageLimit": 1,
        },
    )
    assert made.status == 201
    codes = {each["advocateProfileIntegrationId"]: each["code"] for each in made.json["data"]}
    given: dict[str, Any] = {"cartItems": [item(100)], "state": "closed"}
    reply = api.session("order-1", profileId="cat", referralCode=codes["ann"], **given)
    assert kinds(reply) == [
        "acceptReferral",
        "addLoyaltyPoints",
        "addLoyaltyPoints",
        "referralCreated",
        "setDiscount",
    ]
    assert (balance("ann"), balance("cat")) == (10, 3)
    code = only(reply.json["createdReferrals"])["code"]
    second = api.session("b", profileId="dan", referralCode=code, **given)
    assert "acceptReferral" in kinds(second)
    assert balance("cat") == 13
    third = api.session("c", profileId="eve", referralCode=code, **given)
    assert reason(third, "rejectReferral") == "ReferralLimitReached"
    assert kinds(api.session(state="cancelled")) == [
        "rollbackAddedLoyaltyPoints",
        "rollbackAddedLoyaltyPoints",
        "rollbackDiscount",
        "rollbackReferral",
    ]
    assert (balance("ann"), balance("cat")) == (0, 10)


def test_an_error_handler_takes_the_place_of_its_block(open_shop: Any) -> None:
    group = {
        "type": "group",
        "operator": "all",
        "blocks": [check("$Session.Attributes.None", "equals", 1)],
        "onError": {"missingValue": [{"id": "n", **note("Fallback")}]},
    }
    api = open_shop(campaign(rule(group, off(5))))
    reply = api.session(cartItems=[item()])
    assert kinds(reply) == ["setDiscount", "showNotification"]


def test_a_year_of_orders_adds_up(open_shop: Any) -> None:
    monthly = {"action": "redeemCoupon", "limit": 1, "entities": ["Profile"], "period": "monthly"}
    api = open_shop(
        campaign(rule(COUPON, off("{{$Session.Total * 0.1}}")), coupons=[CODE], limits=[monthly]),
        campaign(rule(points("{{$Session.Total}}", validityDuration="3M")), id=13),
        account={"loyaltyPrograms": [PROGRAM]},
    )
    accepted = 0
    for month in range(12):
        for order in range(2):
            reply = api.session(
                f"o{month}-{order}",
                profileId="ann",
                couponCodes=["CODE"],
                cartItems=[item(100)],
                state="closed",
            )
            accepted += "acceptCoupon" in kinds(reply)
        api.sandbox.clock.advance(days=30.5)
    assert accepted == 12
    profile = api.profile("ann")
    assert (profile["closedSessions"], profile["totalSales"]) == (24, 2400)
    assert api.coupon("CODE")["usageCounter"] == 12
    balance = api.send("GET", "/v1/loyalty_programs/1/profile/ann/balances").json["balance"]
    assert balance["activePoints"] + balance["expiredPoints"] == 2400
    assert 0 < balance["activePoints"] <= 600


def test_what_is_undone_after_time_passed_is_what_was_done(open_shop: Any) -> None:
    daily = {"action": "setDiscount", "limit": 5, "entities": [], "period": "daily"}
    api = open_shop(campaign(rule(off(5)), limits=[daily]))
    api.session(cartItems=[item()], state="closed")
    api.sandbox.clock.advance(days=1)
    assert len(effects(api.session("b", cartItems=[item()], state="closed"))) == 1
    assert kinds(api.session(state="cancelled")) == ["rollbackDiscount"]
    # The budget of yesterday is free again, that of today is not.
    assert effects(api.session("c", cartItems=[item()], state="closed")) == []


def test_a_rule_sees_profile_totals_of_orders_before_this_one(open_shop: Any) -> None:
    api = open_shop(
        campaign(
            rule(check("$Profile.ClosedSessions", "equals", 0), off(10, "Welcome")),
            rule(check("$Profile.TotalSales", "greaterThanOrEqual", 100), off(3, "Regular")),
            rule(check("$Session.FirstSession", "isTrue"), note("First")),
        )
    )
    names = []
    for number in range(3):
        reply = api.session(f"o{number}", profileId="ann", cartItems=[item(100)], state="closed")
        names.append([each["name"] for each in props(reply, "setDiscount")])
    assert names == [["Welcome"], ["Regular"], ["Regular"]]


def test_returns_reopened_sessions_and_gift_cards_keep_the_card_right(open_shop: Any) -> None:
    card = {**CODE, "discountLimit": 50}
    api = open_shop(
        campaign(
            rule(COUPON, off("{{$Item.Price}}", "Gift", "allItems", partial=True)), coupons=[card]
        )
    )
    api.session(couponCodes=["CODE"], cartItems=[item(20, 3)], state="closed")
    assert api.coupon("CODE")["discountRemainder"] == 0
    returned(api, {"position": 0, "quantity": 1})
    assert api.coupon("CODE")["discountRemainder"] == 20
    api.session(state="cancelled")
    coupon = api.coupon("CODE")
    assert (coupon["discountRemainder"], coupon["usageCounter"]) == (50, 0)
    api.session("order-1b", couponCodes=["CODE"], cartItems=[item(20, 3)], state="closed")
    target = "/v2/customer_sessions/order-1b/reopen"
    assert api.send("PUT", target).status == 200
    assert api.coupon("CODE")["discountRemainder"] == 50
    assert reopened(api).status == 400


def test_shared_discounts_add_up_to_the_cent(open_shop: Any) -> None:
    api = open_shop(campaign(rule(off(10, "Shared", {"type": "allItems", "prorated": True}))))
    reply = api.session(cartItems=[item(10, 1), item(10, 1), item(10, 1)])
    values = [each["value"] for each in props(reply, "setDiscountPerItem")]
    assert sorted(values) == [3.33, 3.33, 3.34]
    assert {each["totalDiscount"] for each in props(reply, "setDiscountPerItem")} == {10}


def test_groups_of_conditions_mean_what_they_say(open_shop: Any) -> None:
    def group(operator: str, *blocks: Any) -> Any:
        return {"type": "group", "operator": operator, "blocks": list(blocks)}

    big = check("$Session.Total", "greaterThan", 50)
    gift = check("$Session.Attributes.gift", "isTrue")
    api = open_shop(
        *(
            campaign(rule(group(operator, big, gift), note(operator)), id=number)
            for number, operator in enumerate(("all", "atLeastOne", "none"), 12)
        )
    )
    seen = {}
    for price, wrapped in ((60, True), (60, False), (10, True), (10, False)):
        reply = api.session(cartItems=[item(price)], attributes={"gift": wrapped})
        seen[price, wrapped] = [each["title"] for each in props(reply, "showNotification")]
    assert seen == {
        (60, True): ["all", "atLeastOne"],
        (60, False): ["atLeastOne"],
        (10, True): ["atLeastOne"],
        (10, False): ["none"],
    }
