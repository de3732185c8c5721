"""An object with a name and no ID stands for what has that name, wherever it is defined."""

from __future__ import annotations

import pytest

from sandbox.seeds.planting import mistakes, planted, rules, shop
from talon_one.sandbox import SeedError
from talon_one.sandbox.contract.responses import complete


def test_references_by_name_get_their_ids_before_and_after_the_definition() -> None:
    state = planted(
        """\
        applications:
          - name: Shop
            defaultCartItemFilterId: {name: lamps}
            itemFilters:
              - {id: 8, name: lamps, source: $Session.CartItems, steps: []}
            stores: [{id: 6, name: Berlin, integrationId: b}]
            campaigns:
              - name: All
                linkedStoreIds: [{name: Berlin}]
                campaignGroups: [{name: Summer}]
                collections: [{id: 13, name: Sale}]
                achievements: [{id: 14, name: rides}]
                valueMaps: [{id: 15, name: prices, values: {A: 1}}]
                ruleset:
                  promotionRules:
                    - title: Everything
                      blocks:
                        - type: group
                          operator: all
                          blocks:
                            - type: checkAudience
                              operator: member
                              profile: Current
                              audience: {name: VIP}
                        - {type: checkTier, operator: member, subledger: "", tier: {name: Gold}}
                        - type: checkLoyaltyBalance
                          operator: equals
                          program: {name: stars}
                          subledger: ""
                          balance: current
                          value: 1
                        - {type: checkAchievement, operator: started, achievement: {name: rides}}
                        - type: checkAttribute
                          operator: inCollection
                          attribute: $Session.IntegrationId
                          value: {name: Sale}
                        - {type: awardGiveaway, giveawayPool: {name: Cinema}, profile: Current}
                        - {type: triggerWebhook, webhook: {title: Warehouse}}
                        - type: triggerCustomEffect
                          customEffect: {name: wrap}
                          target: {type: cart}
                        - type: createCoupon
                          campaignId: {name: All}
                          recipientId: ""
                          storeInSession: false
                        - type: updateAttributeValue
                          operator: setTo
                          value: 1
                          attribute: {name: Color, entity: profile}
                          target: {type: profile}
                        - type: awardDiscount
                          name: Shipping
                          value: 1
                          partial: false
                          target:
                            type: additionalCost
                            additionalCost: {name: shipping}
                            target: {type: cart}
                  selectors:
                    - name: mapped
                      type: selector
                      source: $Session.CartItems
                      steps: [{type: filterAndMapValues, valueMap: {name: prices}}]
        audiences: [{id: 21, name: VIP}]
        loyaltyPrograms: [{id: 22, name: stars, tiers: [{id: 23, name: Gold, minPoints: 0}]}]
        giveawayPools: [{id: 24, name: Cinema, subscribedApplicationsIds: [{name: Shop}]}]
        webhooks: [{id: 25, title: Warehouse, url: "http://127.0.0.1", applicationIds: [1]}]
        customEffects: [{id: 26, name: wrap}]
        attributes:
          - {id: 27, entity: CartItem, name: Color}
          - {id: 28, entity: CustomerProfile, name: Color}
        additionalCosts: [{id: 29, name: shipping}]
        campaignGroups: [{id: 30, name: Summer}]
        profiles: [{integrationId: anna, audienceMemberships: [{name: VIP}]}]
        """
    )
    campaign = state.campaigns.find()[0]
    (ruleset,) = state.rulesets.find()
    group, *blocks = ruleset["promotionRules"][0]["blocks"]
    assert group["blocks"][0]["audience"] == {"id": 21, "name": "VIP"}
    names = ("tier", "program", "achievement", "value", "giveawayPool", "webhook", "customEffect")
    ids = [block[name]["id"] for block, name in zip(blocks, names, strict=False)]
    assert ids == [23, 22, 14, 13, 24, 25, 26]
    assert blocks[7]["campaignId"] == campaign["id"]
    assert blocks[8]["attribute"]["id"] == 28
    assert blocks[9]["target"]["additionalCost"]["id"] == 29
    assert ruleset["selectors"][0]["steps"][0]["valueMap"]["id"] == 15
    assert campaign["linkedStoreIds"] == [6]
    assert campaign["campaignGroups"] == [30]
    assert state.campaign_groups.find()[0]["campaignIds"] == [campaign["id"]]
    assert state.applications.find()[0]["defaultCartItemFilterId"] == 8
    assert state.giveaway_pools.find()[0]["subscribedApplicationsIds"] == [1]
    assert [each["audienceId"] for each in state.memberships.find()] == [21]


def test_an_unknown_name_or_id_is_a_mistake_with_a_hint() -> None:
    text = """\
    audiences: [{name: Newsletter, id: 5}]
    applications:
      - name: Shop
        campaigns:
          - name: A
            linkedStoreIds: [7]
            ruleset:
              promotionRules:
                - title: R
                  blocks:
                    - type: checkAudience
                      operator: member
                      profile: Current
                      audience: {name: Newslettr}
                    - type: checkAudience
                      operator: member
                      profile: Current
                      audience: {id: 8, name: Newsletter}
                    - type: checkAttribute
                      operator: inCollection
                      attribute: $Session.IntegrationId
                      value: Sale
                    - type: checkAudience
                      operator: member
                      profile: Current
                      audience: {nam: Newsletter}
    """
    assert mistakes(text) == [
        "6:26: there is no store with the ID 7",
        "14:29: there is no audience with the name 'Newslettr'. Did you mean 'Newsletter'?",
        "18:29: there is no audience with the ID 8: the one with the name 'Newsletter' has the "
        "ID 5",
        "22:26: there is no collection with the name 'Sale'.",
        "26:29: id is missing: it must be an integer",
        "26:30: 'nam' is not a property. Did you mean 'name'?",
    ]


def test_of_several_things_with_a_name_the_nearest_is_meant() -> None:
    check = {"type": "checkAchievement", "operator": "started", "achievement": {"name": "rides"}}
    seed = shop(
        {"id": 1, "name": "A", "achievements": [{"id": 5, "name": "rides"}]},
        {"id": 2, "name": "B", "achievements": [{"id": 6, "name": "rides"}]},
        {"id": 3, "name": "C"},
    )
    campaigns = seed["applications"][0]["campaigns"]
    campaigns[1]["ruleset"] = rules(check)
    (ruleset,) = planted(seed).rulesets.find()
    assert ruleset["promotionRules"][0]["blocks"][0]["achievement"]["id"] == 6
    campaigns[2]["ruleset"] = rules(check)
    with pytest.raises(SeedError, match=r"several achievements have the name 'rides': .* 5, 6"):
        planted(seed)


def test_what_is_free_form_is_no_reference() -> None:
    attributes = {"campaignId": {"name": "nothing"}, "audience": {"name": "nobody"}}
    state = planted(shop({"name": "A", "attributes": attributes}))
    assert state.campaigns.find()[0]["attributes"] == attributes


def test_ids_that_nobody_chose_are_the_next_free_ones() -> None:
    names = [{"name": "a"}, {"name": "b", "id": 7}, {"name": "c"}, {"name": "d", "id": 2}]
    found = planted({"audiences": names}).audiences.find()
    assert {each["name"]: each["id"] for each in found} == {"a": 8, "b": 7, "c": 9, "d": 2}


def test_what_get_ruleset_v2_returns_can_be_pasted() -> None:
    original = planted("fashion")
    for campaign in original.campaigns.find():
        # As the response of the operation has it.
        ruleset = complete("RulesetV2", original.rulesets.get(campaign["activeRulesetId"]))
        state = planted(
            {
                **_definitions(),
                "applications": [
                    {
                        "name": "Other",
                        "campaigns": [*_campaigns(), {"name": "X", "ruleset": ruleset}],
                    }
                ],
            }
        )
        (found,) = state.rulesets.find()
        assert found["promotionRules"] == ruleset["promotionRules"]
        assert found.get("selectors") == ruleset.get("selectors")
        assert found["activatedAt"] == ruleset["activatedAt"]
        assert found["campaignId"] == state.campaigns.find()[-1]["id"]


def _definitions() -> dict[str, object]:
    return {
        "audiences": [{"name": "Newsletter"}, {"name": "Regulars"}],
        "additionalCosts": [{"name": "shipping"}],
        "giveawayPools": [{"name": "Cinema vouchers"}],
        "loyaltyPrograms": [
            {"name": "wardrobe", "tiers": [{"name": str(n), "minPoints": n} for n in range(3)]}
        ],
    }


def _campaigns() -> list[dict[str, object]]:
    more = {"collections": [{"name": "Sale"}], "achievements": [{"name": "fiveOrders"}]}
    return [{"name": f"C{n}", **(more if n == 0 else {})} for n in range(9)]
