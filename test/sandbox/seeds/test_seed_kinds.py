"""Every kind of thing gets into the sandbox, and its operations show it."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.seeds.planting import NOW, planted
from talon_one.sandbox import defaults
from talon_one.sandbox.accounts import Account, Accounts
from talon_one.sandbox.contract.checks import check_body
from talon_one.sandbox.contract.responses import complete
from talon_one.sandbox.seeds.kinds import all_kinds
from talon_one.sandbox.state.state import State
from talon_one.sandbox.world import World

SHOP = """\
managementKeys: [secret-one, {key: secret-two, name: CI, expiryDate: "2027-01-01T00:00:00Z"}]
attributes: [{entity: CartItem, name: Color}]
additionalCosts: [{name: shipping}]
customEffects: [{name: wrap, payload: "{}"}]
webhooks: [{title: Warehouse, url: "http://127.0.0.1:1"}]
campaignGroups: [{name: Summer, campaignIds: [{name: All}]}]
audiences: [{name: VIP, members: [anna, ben]}]
loyaltyPrograms:
  - name: stars
    tiers: [{name: Gold, minPoints: 100}, {name: Silver, minPoints: 0}]
  - name: cards
    cardBased: true
    usersPerCardLimit: 2
    cards:
      - CARD-0001
      - identifier: CARD-0002
        profiles: [{integrationId: cleo, timestamp: "2026-01-01T00:00:00Z"}]
        points: [{points: 5.5, subledgerId: extra}]
giveawayPools: [{name: Cinema, codes: [ONE, {code: TWO, endDate: "2030-01-01T00:00:00Z"}]}]
catalogs: [{name: Summer, items: [{sku: A, price: 3}]}]
applications:
  - name: Shop
    secret: abcd
    undefinedNames: accept
    eventTypes: [opened]
    keys: [one, {key: two, title: Tests, type: staging, timeOffset: 1000}]
    stores: [{name: Berlin, integrationId: b}]
    itemFilters: [{name: lamps, source: $Session.CartItems, steps: []}]
    evaluationTree: {evaluationMode: listOrder, members: [{name: All}]}
    campaigns:
      - name: All
        couponSettings: {couponPattern: "C-####", validCharacters: [X]}
        collections: [{name: Sale, items: [A, B]}]
        achievements: [{name: rides, target: 3}]
        valueMaps: [{name: prices, values: {A: 1}}]
        coupons: [TEN-OFF, {usageLimit: 3}, {couponPattern: "D-##", validCharacters: [Y]}]
        referrals: [{advocateProfileIntegrationId: dora, code: FRIEND}]
        ruleset: {rules: [], bindings: []}
profiles:
  - {integrationId: anna, id: 50, attributes: {Size: 4}}
  - integrationId: emil
    audienceMemberships: [{name: VIP}]
    points: [{program: {name: stars}, points: 120, name: Before}]
"""


@pytest.fixture(scope="module")
def state() -> State:
    return planted(SHOP)


def test_every_kind_is_in_the_shop_of_this_test(state: State) -> None:
    missing = [kind.key for kind in all_kinds() if f"{kind.key}:" not in SHOP]
    assert missing == []


def test_every_entity_is_complete_as_its_class_of_the_sdk_wants_it(state: State) -> None:
    wrong = []
    for kind in all_kinds():
        if not kind.table or kind.key in ("itemFilters", "valueMaps"):
            continue
        for document in getattr(state, kind.table).each():
            _, problems = check_body(kind.model, complete(kind.model, document))
            wrong += [
                f"{kind.key}{each.pointer}: {each.details}"
                for each in problems
                if each.pointer.strip("/") not in _COMPUTED
            ]
    assert wrong == []


_COMPUTED = {"frontendState", "closedSessions", "totalSales", "applicationIds"}


def test_lists_inside_belong_to_what_they_stand_in(state: State) -> None:
    application = state.applications.find()[0]
    campaign = state.campaigns.find()[0]
    assert campaign["applicationId"] == application["id"]
    assert state.campaign_groups.find()[0]["campaignIds"] == [campaign["id"]]
    assert campaign["campaignGroups"] == [state.campaign_groups.find()[0]["id"]]
    for owned in (state.collections, state.achievements, state.value_maps):
        (document,) = owned.find()
        assert (document["campaignId"], document["applicationId"]) == (
            campaign["id"],
            application["id"],
        )
    assert [each["item"] for each in state.collection_items.find()] == ["A", "B"]
    assert state.value_maps.find()[0]["_values"] == {"A": 1}
    assert [each["code"] for each in state.giveaways.find()] == ["ONE", "TWO"]
    assert [each["sku"] for each in state.catalog_items.find()] == ["A"]
    assert application["_evaluationTree"] == {
        "evaluationMode": "listOrder",
        "members": [campaign["id"]],
        "id": 1,
    }
    (ruleset,) = state.rulesets.find()
    assert campaign["activeRulesetId"] == ruleset["id"]


def test_codes_are_made_from_the_patterns_of_the_seed(state: State) -> None:
    codes = [each["value"] for each in state.coupons.find()]
    assert codes == ["TEN-OFF", "C-XXXX", "D-YY"]
    assert [each["usageLimit"] for each in state.coupons.find()] == [1, 3, 1]
    assert [each["code"] for each in state.referrals.find()] == ["FRIEND"]


def test_profiles_that_are_named_exist(state: State) -> None:
    found = {each["integrationId"]: each["id"] for each in state.profiles.find()}
    assert set(found) == {"anna", "ben", "cleo", "dora", "emil"}
    assert found["anna"] == 50
    assert state.profiles.find(integrationId="anna")[0]["attributes"] == {"Size": 4}
    members = {each["profileId"] for each in state.memberships.find()}
    assert members == {"anna", "ben", "emil"}


def test_keys_have_their_settings(state: State) -> None:
    one, two = (state.key("integration", each) for each in ("one", "two"))
    assert one is not None
    assert two is not None
    assert one.application_id == two.application_id == state.applications.find()[0]["id"]
    assert two.document == {"title": "Tests", "type": "staging", "timeOffset": 1000}
    second = state.key("management", "secret-two")
    assert second is not None
    assert second.document["expiryDate"] == "2027-01-01T00:00:00.000000Z"
    assert state.key("management", "secret-one") is not None


def test_opening_balances_are_in_the_ledgers_and_decide_the_tier(state: State) -> None:
    stars, cards = state.loyalty_programs.find()
    accounts = Accounts(state, World(), NOW)
    emil = Account(stars, "emil")
    assert accounts.ledger(emil, "").balance().active == 120
    gold = next(each["id"] for each in stars["tiers"] if each["name"] == "Gold")
    assert accounts.standing(emil, "").tier_id == gold
    assert accounts.ledger(Account(cards, card="CARD-0002"), "extra").balance().active == 5.5
    assert [each["usersPerCardLimit"] for each in state.cards.find()] == [2, 2]


def test_a_name_is_the_title_of_what_has_none(state: State) -> None:
    for documents in (state.attributes, state.additional_costs, state.custom_effects):
        (document,) = documents.find()
        assert document["title"] == document["name"]


def test_what_the_api_computes_may_be_there_and_is_ignored() -> None:
    coupon = {"value": "TEN-OFF", "usageCounter": 4, "discountCounter": 8, "campaignId": 99}
    campaign = {
        "name": "A",
        "frontendState": "expired",
        "couponRedemptionCount": 5,
        "activeRulesetId": 77,
        "applicationId": 42,
        "coupons": [coupon],
    }
    state = planted({"applications": [{"name": "Shop", "campaigns": [campaign]}]})
    (stored,) = state.campaigns.find()
    assert stored["applicationId"] == state.applications.find()[0]["id"]
    assert stored.keys().isdisjoint({"frontendState", "couponRedemptionCount", "activeRulesetId"})
    (code,) = state.coupons.find()
    assert (code["usageCounter"], code["campaignId"]) == (0, stored["id"])


def test_defaults_are_not_shared(state: State) -> None:
    first: dict[str, Any] = defaults.of("campaigns")
    first["tags"].append("x")
    assert defaults.of("campaigns")["tags"] == []
