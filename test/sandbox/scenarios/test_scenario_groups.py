"""Evaluation groups, schedules, stores, selectors, bundles and handlers through real requests."""

from __future__ import annotations

from typing import Any

import pytest

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
    props,
    rule,
)


def tree(mode: str, *members: Any, scope: str = "session", id: int = 7) -> Any:
    return {"id": id, "evaluationMode": mode, "evaluationScope": scope, "members": list(members)}


def three(open_shop: Any, *groups: Any, **more: Any) -> Any:
    """Open a shop with campaigns that give 5, 9 and 2."""
    return open_shop(
        *(
            campaign(
                rule(COUPON, off(value, f"D{value}")),
                id=number,
                coupons=[{"value": f"CODE-{number}", "usageLimit": 0}],
            )
            for number, value in ((12, 5), (13, 9), (14, 2))
        ),
        evaluationTree={"id": 0, "evaluationMode": "stackable", "members": list(groups)},
        **more,
    )


CODES = ["CODE-12", "CODE-13", "CODE-14"]


@pytest.mark.parametrize(
    ("mode", "winners", "reason"),
    [
        ("stackable", ["D2", "D5", "D9"], None),
        ("listOrder", ["D5"], "CampaignIsNotFirst"),
        ("highestDiscount", ["D9"], "CampaignGaveLowerDiscount"),
        ("lowestDiscount", ["D2"], "CampaignGaveLowerDiscount"),
    ],
)
def test_a_group_lets_its_winner_through_and_rejects_the_codes_of_the_others(
    open_shop: Any, mode: str, winners: list[str], reason: str | None
) -> None:
    api = three(open_shop, tree(mode, 12, 13, 14))
    reply = api.session(
        "order-1",
        "triggeredCampaigns",
        couponCodes=CODES,
        cartItems=[item(100)],
        state="closed",
    )
    assert sorted(each["name"] for each in props(reply, "setDiscount")) == winners
    assert len(reply.json["triggeredCampaigns"]) == len(winners)
    rejections = effects(reply, "rejectCoupon")
    assert len(rejections) == 3 - len(winners)
    for each in rejections:
        assert each["props"]["rejectionReason"] == "CouponPartOfNotTriggeredCampaign"
        assert each["props"]["campaignExclusionReason"] == reason
        assert (each["evaluationGroupID"], each["evaluationGroupMode"]) == (7, mode)
    used = dict.fromkeys(CODES, 0)
    for number in (12, 13, 14):
        target = f"/v1/applications/3/campaigns/{number}/coupons/no_total"
        coupon = only(api.send("GET", target).json["data"])
        used[coupon["value"]] = coupon["usageCounter"]
    assert sum(used.values()) == len(winners)


def test_a_campaign_whose_rules_fail_does_not_win_its_group(open_shop: Any) -> None:
    api = three(open_shop, tree("listOrder", 12, 13, 14))
    reply = api.session(couponCodes=["CODE-13", "CODE-14"], cartItems=[item(100)])
    assert [each["name"] for each in props(reply, "setDiscount")] == ["D9"]


def test_groups_nest_and_the_inner_winner_competes_outside(open_shop: Any) -> None:
    api = three(open_shop, tree("highestDiscount", 12, tree("lowestDiscount", 13, 14, id=8)))
    reply = api.session(couponCodes=CODES, cartItems=[item(100)])
    assert [each["name"] for each in props(reply, "setDiscount")] == ["D5"]
    assert len(effects(reply, "rejectCoupon")) == 2


def test_a_decision_per_item_gives_each_item_its_best_campaign(open_shop: Any) -> None:
    lamps = {"type": "selector", "name": "lamps"}
    selector = {
        "name": "lamps",
        "type": "selector",
        "source": "$Session.CartItems",
        "steps": [
            {"type": "filter", "predicate": {"id": "p", **check("$Item.SKU", "equals", "L")}}
        ],
    }
    api = open_shop(
        campaign(rule(off(3, "All", "allItems")), id=12),
        campaign(rule(off(5, "Lamps", lamps)), id=13, selectors=[selector]),
        evaluationTree={
            "id": 0,
            "members": [tree("highestDiscount", 12, 13, scope="cartItem")],
        },
    )
    reply = api.session(cartItems=[item(20, 1, "L"), item(20, 2, "B")])
    found = {
        (each["name"].split("#")[0], each["position"])
        for each in props(reply, "setDiscountPerItem")
    }
    assert found == {("Lamps", 0), ("All", 1)}


def test_force_complete_evaluation_ignores_groups_in_a_dry_event(open_shop: Any) -> None:
    api = open_shop(
        *(campaign(rule(note(f"N{number}")), id=number) for number in (12, 13)),
        evaluationTree={"id": 0, "members": [tree("listOrder", 12, 13)]},
    )
    event = {"profileId": "ann", "type": "hello", "attributes": {}}
    reply = api.send("POST", "/v2/events?silent=no&dry=true", event)
    assert kinds(reply) == ["showNotification"]
    reply = api.send("POST", "/v2/events?silent=no&dry=true&forceCompleteEvaluation=true", event)
    assert kinds(reply) == ["showNotification"] * 2
    reply = api.send("POST", "/v2/events?silent=no&forceCompleteEvaluation=true", event)
    assert reply.status == 400


def test_the_schedule_of_a_campaign_moves_with_the_clock(open_shop: Any) -> None:
    api = open_shop(
        campaign(
            rule(off(5)), startTime="2026-03-03T00:00:00Z", endTime="2026-03-05T00:00:00+02:00"
        )
    )
    seen: list[int] = []
    for hours in (0, 12, 24, 21, 1, 12):
        api.sandbox.clock.advance(hours=hours)
        seen.append(len(effects(api.session(f"o{hours}-{len(seen)}", cartItems=[item()]))))
    assert seen == [0, 1, 1, 1, 0, 0]


def test_campaigns_of_stores_run_only_for_their_stores(open_shop: Any) -> None:
    api = open_shop(
        campaign(rule(off(5, "Linked")), linkedStoreIds=[1]),
        campaign(rule(off(1, "Everywhere")), id=13),
        stores=[
            {"id": 1, "name": "North", "integrationId": "north"},
            {"id": 2, "name": "South", "integrationId": "south"},
        ],
    )
    given: dict[str, Any] = {"cartItems": [item()]}
    names = [
        sorted(each["name"] for each in props(api.session(f"o{store}", **more), "setDiscount"))
        for store, more in enumerate(
            (
                {**given},
                {**given, "storeIntegrationId": "north"},
                {**given, "storeIntegrationId": "south"},
            )
        )
    ]
    assert names == [["Everywhere"], ["Everywhere", "Linked"], ["Everywhere"]]
    event = {"profileId": "ann", "type": "hello", "attributes": {}, "storeIntegrationId": "nowhere"}
    assert api.send("POST", "/v2/events", event).status in (204, 400, 404)


def test_every_step_of_a_selector_works_together(open_shop: Any) -> None:
    source = {"type": "selector", "source": "$Session.CartItems"}
    predicate = {"id": "p", **check("$Item.Price", "greaterThan", 1)}
    steps = [
        {"type": "filter", "predicate": predicate},
        {"type": "sort", "fields": [{"expression": "$Item.Price", "direction": "asc"}]},
        {"type": "reverse"},
    ]
    selectors = [
        {
            **source,
            "name": "dearest",
            "steps": [*steps, {"type": "select", "operator": "one", "index": 0}],
        },
        {
            **source,
            "name": "two",
            "steps": [
                *steps,
                {
                    "type": "select",
                    "operator": "many",
                    "from": "start",
                    "count": 2,
                    "partial": True,
                },
            ],
        },
        {
            **source,
            "name": "middle",
            "steps": [
                *steps,
                {"type": "select", "operator": "between", "from": 1, "to": 2, "partial": True},
            ],
        },
        {
            **source,
            "name": "total",
            "steps": [
                *steps,
                {"type": "map", "expression": "$Item.Price"},
                {"type": "reduce", "operator": "sum"},
            ],
        },
        {
            **source,
            "name": "mapped",
            "steps": [
                {"type": "filterAndMapValues", "valueMap": {"id": 4}},
                {"type": "reduce", "operator": "sum"},
            ],
        },
    ]
    api = open_shop(
        campaign(
            rule(off(1, "Two", {"type": "selector", "name": "two"})),
            rule(off(2, "Middle", {"type": "selector", "name": "middle"})),
            rule(note("{{$total}} {{$mapped}} {{$dearest.Price}}")),
            selectors=selectors,
            valueMaps=[{"id": 4, "values": {"A": 7, "C": 3}}],
        )
    )
    reply = api.session(
        cartItems=[item(10, 1, "A"), item(30, 1, "B"), item(20, 1, "C"), item(1, 1, "D")]
    )
    found = {(each["name"], each["position"]) for each in props(reply, "setDiscountPerItem")}
    assert found == {("Two#1", 1), ("Two#2", 2), ("Middle#2", 2)}
    assert only(props(reply, "showNotification"))["title"] == "60 10 30"


def test_bundles_discount_every_complete_set_and_name_it(open_shop: Any) -> None:
    def of(sku: str) -> Any:
        predicate = {"id": "p", **check("$Item.SKU", "equals", sku)}
        return {
            "name": sku.lower(),
            "type": "selector",
            "source": "$Session.CartItems",
            "steps": [{"type": "filter", "predicate": predicate}],
        }

    bundle = {
        "id": "1",
        "name": "set",
        "type": "bundle",
        "sources": ["{{$lamp}}", "{{$bulb}}"],
        "counts": [1, 2],
        "matchers": [],
    }
    target = {"type": "bundle", "name": "set", "prorated": True}
    api = open_shop(
        campaign(rule(off(9, "Set", target)), selectors=[of("LAMP"), of("BULB")], bundles=[bundle])
    )
    reply = api.session(cartItems=[item(40, 3, "LAMP"), item(10, 5, "BULB")], state="closed")
    found = props(reply, "setDiscountPerItem")
    assert len(found) == 6
    assert {each["bundleIndex"] for each in found} == {0, 1}
    assert {each["bundleName"] for each in found} == {"set"}
    assert sum(each["value"] for each in found) == 18
    assert {each["totalDiscount"] for each in found} == {9}


def test_failure_effects_are_returned_when_the_rule_fails(open_shop: Any) -> None:
    api = open_shop(
        campaign(
            rule(
                off(3),
                check(
                    "$Session.Total",
                    "greaterThan",
                    50,
                    onFailure=[note("Add {{50 - $Session.Total}}")],
                ),
                off(5),
            )
        )
    )
    reply = api.session(cartItems=[item(20)])
    assert only(effects(reply))["props"]["title"] == "Add 30"
    assert only(effects(reply))["conditionIndex"] == 0
    assert kinds(api.session(cartItems=[item(60)])) == ["setDiscount", "setDiscount"]


def test_an_error_in_a_rule_is_an_effect_and_other_rules_go_on(open_shop: Any) -> None:
    api = open_shop(
        campaign(
            rule(check("$Session.Attributes.Missing", "equals", 1), off(3), title="Broken"),
            rule(off(5), title="Fine"),
        )
    )
    reply = api.session("order-1", "ruleFailureReasons", cartItems=[item(20)])
    assert kinds(reply) == ["error", "setDiscount"]
    assert only(reply.json["ruleFailureReasons"])["ruleName"] == "Broken"


def test_cascading_discounts_are_computed_on_what_is_left(open_shop: Any) -> None:
    rules = [rule(off("{{$Session.Total * 0.1}}", name)) for name in ("A", "B")]
    values = {}
    for cascading in (True, False):
        api = open_shop(campaign(*rules), enableCascadingDiscounts=cascading)
        reply = api.session(cartItems=[item(100)])
        values[cascading] = [each["value"] for each in props(reply, "setDiscount")]
        scopes = {each.get("scope") for each in props(reply, "setDiscount")}
        assert scopes == ({"sessionTotal"} if cascading else {None})
    assert values == {True: [10, 9], False: [10, 10]}


def test_discounts_never_exceed_what_they_apply_to(open_shop: Any) -> None:
    api = open_shop(
        campaign(
            rule(off(500, "Cart")),
            rule(off(500, "Items", "allItems")),
        )
    )
    first = api.session(cartItems=[item(10, 2)])
    assert only(props(first, "setDiscount"))["value"] == 20
    api = open_shop(campaign(rule(off(500, "Items", "allItems"))))
    reply = api.session(cartItems=[item(10, 2)])
    assert [each["value"] for each in props(reply, "setDiscountPerItem")] == [10, 10]


@pytest.mark.parametrize("archived", [False, True])
def test_a_dry_run_evaluates_exactly_the_chosen_campaigns_even_disabled_ones(
    open_shop: Any, archived: bool
) -> None:
    api = open_shop(
        campaign(rule(off(5, "Running"))),
        campaign(rule(off(3, "Off")), id=13, state="archived" if archived else "disabled"),
    )
    given: dict[str, Any] = {"cartItems": [item(100)], "evaluableCampaignIds": [13]}
    reply = api.session("order-1", "campaignEligibility", query="?dry=true", **given)
    names = [each["name"] for each in props(reply, "setDiscount")]
    assert names == ([] if archived else ["Off"])
    body = {"profileId": "ann", "type": "hello", "attributes": {}, "evaluableCampaignIds": [13]}
    assert api.send("POST", "/v2/events?silent=no&dry=true", body).status == 200
    body = {"evaluableCampaignIds": [13]}
    assert (
        api.send("PUT", "/v2/customer_profiles/ann?dry=true&runRuleEngine=true", body).status == 200
    )


def test_customers_see_the_campaigns_that_run(open_shop: Any) -> None:
    api = open_shop(
        campaign(rule(off(5), title="Five off")),
        campaign(rule(off(5)), id=13, state="disabled"),
        campaign(rule(off(5)), id=14, startTime="2026-04-01T00:00:00Z"),
    )
    reply = api.send("GET", "/v1/integration/campaigns")
    assert reply.json["hasMore"] is False
    found = only(reply.json["data"])
    assert (found["id"], only(found["rules"])["title"]) == (12, "Five off")
    api.sandbox.clock.advance(days=31)
    reply = api.send("GET", "/v1/integration/campaigns")
    assert [each["id"] for each in reply.json["data"]] == [12, 14]
