"""Seeds that are added later: from Python, from files, and at the door; all of it or nothing."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.seeds.planting import planted
from talon_one import NULL, models
from talon_one.sandbox import Sandbox, SeedError

DOOR = "/_sandbox/seeds"
SECOND = """\
campaigns:
  - name: Second
    applicationId: {name: Sandbox shop}
    ruleset:
      promotionRules:
        - title: Two off
          blocks:
            - {type: checkCoupon, redeem: true}
            - type: checkAudience
              operator: not(member)
              profile: Current
              audience: {name: VIP}
            - {type: awardDiscount, name: Two, value: 2, partial: false, target: {type: cart}}
coupons:
  - {value: TWO-OFF, campaignId: {name: Second}, usageLimit: 0}
  - {value: MORE-OFF, campaignId: {name: Welcome to the sandbox}, usageLimit: 0}
"""
CART = {"cartItems": [{"name": "Mug", "sku": "M", "quantity": 1, "price": 20}]}


def discounts(api: Any, *codes: str) -> list[Any]:
    reply = api.session("order-1", profileId="anna", couponCodes=list(codes), **CART)
    assert reply.status == 200, reply.json
    found = [each for each in reply.json["effects"] if each["effectType"] == "setDiscount"]
    return [each["props"]["value"] for each in found]


def test_a_seed_adds_to_what_is_there_by_name(sandbox: Sandbox, api: Any, tmp_path: Path) -> None:
    (tmp_path / "second.yaml").write_text(SECOND)
    sandbox.load(tmp_path / "second.yaml")
    assert discounts(api, "TWO-OFF", "MORE-OFF") == [2, 2]


def test_the_door_takes_the_same_as_yaml_and_as_json(api: Any) -> None:
    reply = api.send("POST", DOOR, SECOND.encode(), headers=api.management)
    assert (reply.status, reply.json) == (204, None)
    coupon = {"value": "3-OFF", "campaignId": {"name": "Second"}, "attributes": {"a": "😀"}}
    more = json.dumps({"coupons": [coupon]}, indent="\t").encode()
    assert api.send("POST", DOOR, more, headers=api.management).status == 204
    assert discounts(api, "3-OFF", "TWO-OFF") == [2, 2]


def test_the_door_names_all_mistakes_with_line_and_column(api: Any) -> None:
    text = b"coupons:\n  - {value: X}\naudiences: [{nam: VIP}, VIP]\n"
    reply = api.send("POST", DOOR, text, headers=api.management)
    assert reply.status == 400
    assert [each["details"] for each in reply.json["errors"]] == [
        "seed:2:5: campaignId is required for a coupon outside of its owner",
        "seed:2:13: must have at least 4 character(s)",
        "seed:3:13: an audience needs name",
        "seed:3:14: 'nam' is not a property of an audience. Did you mean 'name'?",
        "seed:3:25: an audience must be an object",
    ]
    assert reply.json["errors"][1]["source"] == {"pointer": "/coupons/0/value"}
    many = b"audiences: [" + b"{}, " * 500 + b"{}]"
    assert len(api.send("POST", DOOR, many, headers=api.management).json["errors"]) == 100
    assert api.send("POST", DOOR, b"\xff", headers=api.management).status == 400
    assert api.send("POST", DOOR, text, headers=api.integration).status == 401


def test_what_the_sandbox_has_cannot_be_added_again(sandbox: Sandbox, api: Any) -> None:
    with pytest.raises(SeedError) as caught:
        sandbox.load("quickstart")
    assert [line.partition(" ")[2] for line in caught.value.lines] == [
        "the ID 3 of an Application is taken",
        "there is another Application with the name 'Sandbox shop'",
        "the ID 12 of a campaign is taken",
        "the ID 40 of a ruleset is taken",
        "the ID 55 of a coupon is taken",
        "the ID 7 of an additional cost is taken",
        "there is another additional cost with the name 'shipping'",
        "the ID 1 of an audience is taken",
        "there is another audience with the name 'Newsletter'",
        "the ID 2 of an audience is taken",
        "there is another audience with the name 'VIP'",
    ]
    taken = {"value": "TEN-OFF", "campaignId": 12}
    with pytest.raises(SeedError, match="another coupon with the value 'TEN-OFF'"):
        sandbox.load({"coupons": [{"value": "NEW-ONE", "campaignId": 12}, taken]})
    assert discounts(api, "NEW-ONE") == []


def test_a_coupon_is_added_with_properties_by_python_names(sandbox: Sandbox, api: Any) -> None:
    moment = sandbox.clock.now() + timedelta(days=30)
    sandbox.add_coupon("THIRTY", expiry_date=moment, usageLimit=5)
    assert discounts(api, "THIRTY") == [2]
    assert api.coupon("THIRTY")["usageLimit"] == 5
    with pytest.raises(SeedError, match="another coupon with the value 'THIRTY'"):
        sandbox.add_coupon("THIRTY")
    with pytest.raises(SeedError, match="is not an integer"):
        sandbox.add_coupon("FORTY", usage_limit="many")
    with pytest.raises(TypeError, match="no property 'usage'"):
        sandbox.add_coupon("FORTY", usage=1)
    with pytest.raises(LookupError, match="no campaign 99"):
        sandbox.add_coupon("FORTY", campaign_id=99)


def test_a_profile_that_exists_is_updated(sandbox: Sandbox, api: Any) -> None:
    api.session("order-1", profileId="anna", **CART)
    number = api.profile("anna")["id"]
    sandbox.load({"profiles": [{"integrationId": "anna", "attributes": {"Size": 4}}]})
    sandbox.load({"profiles": [{"integrationId": "anna", "attributes": {"Shoe": 5}}]})
    anna = api.profile("anna")
    assert (anna["id"], anna["attributes"]) == (number, {"Size": 4, "Shoe": 5})


def test_models_of_the_sdk_stand_for_objects() -> None:
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    limit = models.LimitConfig(action="redeemCoupon", limit=3, entities=["Coupon"])
    rule = models.PromotionRuleV2(
        id="r",
        title="Ten",
        blocks=[
            models.CheckCouponBlock(id="a", type="checkCoupon", redeem=True),
            models.AwardDiscountBlock(
                id="b",
                type="awardDiscount",
                name="Ten",
                value=10,
                partial=False,
                target=models.AwardDiscountCartTarget(type="cart"),
            ),
        ],
    )
    campaign = {
        "name": "A",
        "startTime": moment,
        "endTime": NULL,
        "limits": [limit],
        "ruleset": {"promotionRules": [rule]},
        "coupons": ({"value": "TEN-OFF", "discountLimit": Decimal("12.50")},),
    }
    state = planted({"applications": [{"name": "Shop", "campaigns": [campaign]}]})
    (stored,) = state.campaigns.find()
    assert stored["startTime"] == "2026-01-01T00:00:00.000000Z"
    assert stored["limits"] == [limit.to_wire()]
    assert state.rulesets.find()[0]["promotionRules"] == [rule.to_wire()]
    assert state.coupons.find()[0]["discountLimit"] == 12.5


def test_a_sandbox_may_be_empty_or_have_no_campaign() -> None:
    for seed in ({}, {"applications": [{"name": "Shop"}]}):
        with Sandbox(seed=seed) as sandbox:
            assert (sandbox.campaign_id, sandbox.coupon_code) == (0, "")
            with pytest.raises(LookupError):
                sandbox.add_coupon("TEN-OFF")


def test_a_file_database_keeps_its_content_and_not_the_seed(tmp_path: Path) -> None:
    for _ in range(2):
        with Sandbox(database=tmp_path / "shop.db", seed="fashion") as sandbox:
            assert sandbox.coupon_code == "WELCOME10"


def test_a_reset_begins_anew_with_the_seed(sandbox: Sandbox, api: Any) -> None:
    sandbox.load({"audiences": [{"name": "Third"}]})
    assert api.send("POST", "/_sandbox/reset", headers=api.management).status == 204
    sandbox.load({"audiences": [{"name": "Third"}]})
    assert discounts(api, "TEN-OFF") == [2]


def test_a_ruleset_is_put_at_the_door(api: Any) -> None:
    award = {"type": "awardDiscount", "name": "X", "value": 7, "partial": False}
    rule = {"id": "r", "title": "R", "blocks": [{**award, "id": "b", "target": {"type": "cart"}}]}
    target = "/_sandbox/campaigns/12/ruleset"
    reply = api.send("PUT", target, {"promotionRules": [rule]}, headers=api.management)
    assert reply.status == 200
    assert reply.json["promotionRules"] == [rule]
    assert discounts(api) == [7]
    named = b"""\
    promotionRules:
      - title: For VIPs
        blocks:
          - type: checkAudience
            operator: member
            profile: Current
            audience: {name: VIP}
    """
    reply = api.send("PUT", target, named, headers=api.management)
    assert reply.json["promotionRules"][0]["blocks"][0]["audience"] == {"id": 2, "name": "VIP"}
    reply = api.send("PUT", target, named.replace(b"VIP}", b"VOP}"), headers=api.management)
    assert [each["details"] for each in reply.json["errors"]] == [
        "ruleset:7:23: there is no audience with the name 'VOP'. Did you mean 'VIP'?"
    ]
    api.send("PUT", target, {"promotionRules": [rule]}, headers=api.management)
    wrong = {"promotionRules": [{**rule, "blocks": [{"type": "nothing"}]}]}
    reply = api.send("PUT", target, wrong, headers=api.management)
    assert reply.status == 400
    assert reply.json["errors"][0]["source"]["pointer"].startswith("/promotionRules/0/blocks/0")
    missing = "/_sandbox/campaigns/99/ruleset"
    assert api.send("PUT", missing, {"promotionRules": []}, headers=api.management).status == 404
    assert discounts(api) == [7]
