"""Rulesets of the Management API: V1 is written, both forms are read."""

from __future__ import annotations

from typing import Any

RULESETS = "/v1/applications/3/campaigns/12/rulesets"
V2 = "/v2/applications/3/campaigns/12/rulesets"
RULE: dict[str, Any] = {
    "id": "5f0a3c1e-0c1b-4d6e-9a55-3c2d0f6b1a77",
    "title": "Five off",
    "condition": ["and", [">", [".", "Session", "Total"], 10]],
    "effects": [["catch", ["noop"], ["setDiscount", "5 off", 5]]],
}
BODY = {"rules": [RULE], "bindings": [], "activate": True}
CART = [{"name": "Shoe", "sku": "S", "quantity": 1, "price": 20, "category": ""}]


def values(api: Any, session_id: str) -> list[Any]:
    effects = api.session(session_id, cartItems=CART).json["effects"]
    return [each["props"]["value"] for each in effects if each["effectType"] == "setDiscount"]


def test_a_ruleset_takes_effect_when_it_is_activated(api: Any) -> None:
    waiting = api.send("POST", RULESETS, {**BODY, "activate": False})
    assert waiting.status == 201
    assert 5 not in values(api, "one")
    active = api.send("PUT", f"{RULESETS}/{waiting.json['id']}", BODY)
    assert (active.status, active.json["activate"]) == (200, True)
    assert active.json["activatedAt"]
    assert values(api, "two") == [5]
    campaign = api.send("GET", "/v1/applications/3/campaigns/12").json
    assert campaign["activeRulesetId"] == waiting.json["id"]


def test_a_campaign_changes_to_another_of_its_rulesets(api: Any) -> None:
    made = api.send("POST", RULESETS, {**BODY, "activate": False}).json
    campaign = api.send("GET", "/v1/applications/3/campaigns/12").json
    change = {**campaign, "activeRulesetId": made["id"]}
    assert api.send("PUT", "/v1/applications/3/campaigns/12", change).status == 200
    assert values(api, "one") == [5]


def test_an_update_changes_the_rules_that_run(api: Any) -> None:
    made = api.send("POST", RULESETS, BODY).json
    assert values(api, "one") == [5]
    cheaper = {**RULE, "effects": [["setDiscount", "3 off", 3]]}
    assert api.send("PUT", f"{RULESETS}/{made['id']}", {**BODY, "rules": [cheaper]}).status == 200
    assert values(api, "two") == [3]


def test_a_mistake_is_refused_with_its_place_and_nothing_is_stored(api: Any) -> None:
    before = api.data(RULESETS)
    wrong = {**RULE, "condition": ["and", ["nonsense", 1]], "effects": [["setDiscount"]]}
    reply = api.send("POST", RULESETS, {**BODY, "rules": [RULE, wrong]})
    assert reply.status == 400
    places = [each["source"]["pointer"] for each in reply.json["errors"]]
    assert len(places) == 2
    assert places[0].startswith("/rules/1/condition")
    assert places[1].startswith("/rules/1/effects")
    assert api.data(RULESETS) == before
    assert api.send("POST", RULESETS, {"bindings": []}).status == 400


def test_all_rulesets_of_a_campaign_are_listed(api: Any) -> None:
    made = api.send("POST", RULESETS, BODY).json
    listed = api.send("GET", RULESETS).json
    assert listed["totalResultSize"] == 2
    assert [each["id"] for each in listed["data"]] == [40, made["id"]]
    assert api.send("GET", f"{RULESETS}/{made['id']}").json == made
    assert made["rules"][0]["condition"] == RULE["condition"]


def test_a_v2_ruleset_is_read_as_it_was_written(api: Any) -> None:
    read = api.send("GET", f"{V2}/40")
    assert read.status == 200
    assert [each["title"] for each in read.json["promotionRules"]] == [
        "Ten percent",
        "Friend discount",
        "Free shipping",
    ]
    written = {"promotionRules": read.json["promotionRules"]}
    again = api.send("PUT", "/_sandbox/campaigns/12/ruleset", written)
    copy = api.send("GET", f"{V2}/{again.json['id']}").json
    assert copy["promotionRules"] == read.json["promotionRules"]


def test_a_v2_ruleset_cannot_be_read_as_v1(api: Any) -> None:
    reply = api.send("GET", f"{RULESETS}/40")
    assert reply.status == 501
    assert "getRulesetV2" in reply.json["message"]


def test_a_v1_ruleset_is_read_in_v2_as_talang_that_runs_the_same(api: Any) -> None:
    made = api.send("POST", RULESETS, BODY).json
    read = api.send("GET", f"{V2}/{made['id']}").json
    (rule,) = read["promotionRules"]
    assert [block["type"] for block in rule["blocks"]] == ["passthrough", "passthrough"]
    assert [block["expression"] for block in rule["blocks"]] == [
        RULE["condition"],
        RULE["effects"][0],
    ]
    written = {"promotionRules": read["promotionRules"]}
    assert api.send("PUT", "/_sandbox/campaigns/12/ruleset", written).status == 200
    assert values(api, "one") == [5]


def test_bindings_are_not_translated_to_v2(api: Any) -> None:
    body = {**BODY, "bindings": [{"name": "Ten", "expression": ["+", 5, 5]}]}
    made = api.send("POST", RULESETS, body).json
    assert api.send("GET", f"{V2}/{made['id']}").status == 501
    assert api.send("GET", f"{RULESETS}/{made['id']}").status == 200


def test_a_v2_ruleset_becomes_a_v1_ruleset_when_it_is_written_in_v1(api: Any) -> None:
    assert api.send("PUT", f"{RULESETS}/40", BODY).status == 200
    assert api.send("GET", f"{RULESETS}/40").status == 200
    assert values(api, "one") == [5]


def test_any_ruleset_but_the_active_one_can_be_deleted(api: Any) -> None:
    assert api.send("DELETE", f"{RULESETS}/40").status == 400
    made = api.send("POST", RULESETS, BODY).json
    assert api.send("DELETE", f"{RULESETS}/40").status == 204
    assert api.send("GET", f"{V2}/40").status == 404
    assert [each["id"] for each in api.data(RULESETS)] == [made["id"]]
