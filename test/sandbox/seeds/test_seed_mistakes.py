"""Every mistake of a seed is found, and named with its place in the file."""

from __future__ import annotations

import pickle
from datetime import datetime
from pathlib import Path

import pytest

from sandbox.seeds.planting import mistakes, planted, rules, shop
from talon_one.sandbox import Sandbox, SeedError


def test_all_mistakes_of_a_seed_are_listed_in_the_order_of_the_file() -> None:
    text = """\
    applications:
      - nam: Shop
        secret: xyz
        campaigns:
          - name: Welcome
            state: on
            startTime: tomorrow
            limits: [{action: redeemCupon, limit: -1}]
            coupons:
              - value: TEN
              - TEN-OFF
              - {value: TEN-OFF, usageLimit: many, discount: 5}
    audience: []
    audiences:
      - VIP
      - {name: 7}
    """
    assert mistakes(text) == [
        "2:5: 'nam' is not a property of an Application. Did you mean 'name'?",
        "2:5: an Application needs name",
        "3:13: a secret must be hexadecimal",
        '6:16: state must be one of the following: "enabled", "disabled", "archived"',
        '7:20: Value of "startTime" ("tomorrow") is not an RFC 3339 timestamp',
        "8:18: entities is required",
        "8:27: there is no limit on 'redeemCupon'. Did you mean 'redeemCoupon'?",
        "8:47: must be from 0 to 1000000000000000",
        "10:20: must have at least 4 character(s)",
        "12:21: there is another coupon with the value 'TEN-OFF'",
        '12:42: Value of "usageLimit" ("many") is not an integer',
        "12:48: 'discount' is not a property of a coupon. Did you mean 'discountLimit'?",
        "13:1: a seed has no 'audience'. Did you mean 'audiences'?",
        "15:5: an audience must be an object",
        '16:12: Value of "name" (7) is not a string',
    ]


def test_a_ruleset_that_does_not_compile_is_named_where_it_is_wrong() -> None:
    text = """\
    applications:
      - name: Shop
        campaigns:
          - name: Welcome
            ruleset:
              activatedAt: now
              promotionRules:
                - title: Ten percent
                  blocks:
                    - type: checkCoupon
                      redem: true
                    - type: awardDiscont
                    - type: awardDiscount
                      name: Ten
                      value: "{{$Session.Total *}}"
                      target: {type: selector, name: lamps}
          - name: Broken
            ruleset: []
          - name: First
            ruleset:
              rules:
                - {title: V1, condition: [and, true], effects: [[fly, 1]]}
        itemFilters:
          - {name: lamps, source: $Session.CartItems, steps: [{type: filtr}]}
    """
    found = mistakes(text)
    places = [":".join(line.split(":")[:2]) for line in found]
    assert places == [
        "6:24",
        "10:19",
        "11:19",
        "12:25",
        "15:26",
        "16:50",
        "18:18",
        "22:61",
        "24:66",
    ]
    assert found[2].endswith("'redem' is not a property. Did you mean 'redeem'?")


def test_what_a_beginner_writes_is_answered_with_what_to_write() -> None:
    text = """\
    loyaltyPrograms:
      - {name: points, timezone: Berlin, subscribedApplications: [Shop]}
    applications:
      - name: Shop
        campaigns:
          - name: Welcome
            limits: [{action: redeemCoupon, limit: 1, entities: [coupon]}]
            ruleset:
              promotionRules:
                - title: Points
                  blocks:
                    - {type: CheckCoupon, redeem: true}
                    - type: awardLoyaltyPoints
                      name: Points
                      program: points
                      value: $Session.CartItemTotal
                      target: {type: cartItems}
    """
    found = mistakes(text)
    assert found[:2] == [
        "2:30: there is no time zone 'Berlin': a name such as Europe/Berlin is needed",
        "2:63: a reference to an Application by its name is {name: Shop}",
    ]
    assert found[2].startswith('7:62: entities must be one of the following: "Coupon", ')
    assert found[3].startswith("12:26: 'CheckCoupon' is none of ")
    assert found[3].endswith("Did you mean 'checkCoupon'?")
    assert found[4:6] == [
        "15:28: must be an object with an id, or in a seed with a name",
        "16:26: must be a number, or an expression in {{ }}",
    ]
    assert found[6].endswith("Did you mean 'allItems'?")
    assert mistakes("a: {{{b}}: 1}")[0].endswith("quote a value that begins with {")


def test_what_only_one_may_have_is_found_twice_also_under_other_spellings() -> None:
    text = """\
    attributes:
      - {entity: CartItem, name: Color}
      - {entity: CustomerProfile, name: Color}
      - {entity: CartItem, name: Color}
    audiences:
      - {id: 4, name: VIP, members: [anna, ben, anna]}
      - {id: 4, name: VIP}
    managementKeys: [one, one]
    applications:
      - name: Shop
        caseSensitivity: insensitive-uppercase
        keys: [two]
        stores:
          - {name: A, integrationId: s}
          - {name: B, integrationId: s}
        campaigns:
          - {name: One, coupons: [TENOFF], ruleset: {id: 9, promotionRules: []}}
          - {name: Two, coupons: [tenoff], ruleset: {id: 9, promotionRules: []}}
          - {name: One, collections: [{name: c, items: [x, x]}, {name: c}]}
      - name: Other
        keys: [two]
        campaigns: [{name: One, coupons: [TENOFF], collections: [{name: c}]}]
    """
    assert mistakes(text) == [
        "4:30: there is another attribute with the name 'Color'",
        "6:45: 'anna' is there twice",
        "7:10: the ID 4 of an audience is taken",
        "7:19: there is another audience with the name 'VIP'",
        "8:23: another Management key is the same",
        "15:34: there is another store with the integrationId 's'",
        "18:31: there is another coupon with the value 'TENOFF'",
        "18:54: the ID 9 of a ruleset is taken",
        "19:16: there is another campaign with the name 'One'",
        "19:56: 'x' is there twice",
        "19:68: there is another collection with the name 'c'",
        "21:12: another key is the same",
    ]


def test_points_belong_to_profiles_or_to_cards_as_the_program_says() -> None:
    text = """\
    loyaltyPrograms:
      - {name: stars, cards: [CARD-0001], defaultPending: soon}
      - name: cards
        cardBased: true
        cards:
          - {identifier: CARD-0001, points: [{points: 5, program: {name: cards}}]}
    profiles:
      - integrationId: anna
        points:
          - {points: 10}
          - {points: 0, program: {name: stars}, validityDuration: 3x}
          - {points: 10, program: {name: cards}}
    """
    assert mistakes(text) == [
        "2:27: the loyalty program is not cardBased",
        "2:55: 'soon' is not a duration such as 30D or 1M_U",
        "6:63: the program is that of the card",
        "10:9: an opening balance of a profile needs program",
        "11:18: must be above 0 and at most 999999999999.99",
        "11:63: '3x' is not a duration such as 30D or 1M_U",
        "12:31: the points of the program are on cards",
    ]


def test_a_tree_of_groups_is_checked_like_everything_else() -> None:
    text = """\
    applications:
      - name: Shop
        campaigns: [{name: A}, {name: B}]
        evaluationTree:
          evaluationMod: stackable
          members:
            - {name: A}
            - {name: C}
            - {evaluationMode: best, members: [{name: A}, nothing]}
    """
    assert mistakes(text) == [
        "5:7: 'evaluationMod' is not a property of a group. Did you mean 'evaluationMode'?",
        "8:11: there is no campaign with the name 'C'.",
        '9:28: evaluationMode must be one of the following: "stackable", "listOrder", '
        '"lowestDiscount", "highestDiscount"',
        "9:44: the campaign 1 is in the tree twice",
        "9:55: a reference to a campaign by its name is {name: nothing}",
    ]


def test_what_stands_at_the_top_needs_its_owner() -> None:
    found = mistakes(
        """\
    campaigns: [{name: A}, {name: B, applicationId: 3}]
    coupons: [{value: ABCD, campaignId: {name: A}}]
    """
    )
    assert found == [
        "1:13: applicationId is required for a campaign outside of its owner",
        "1:49: there is no Application with the ID 3",
    ]


def test_a_seed_from_python_has_pointers_in_place_of_lines() -> None:
    seed = shop({"name": "A", "ruleset": rules({"type": "nothing"}), "coupons": ["AB"]})
    with pytest.raises(SeedError) as caught:
        Sandbox(seed=seed)
    first, second = caught.value.mistakes
    assert first.pointer == "/applications/0/campaigns/0/coupons/0/value"
    assert second.pointer.startswith(
        "/applications/0/campaigns/0/ruleset/promotionRules/0/blocks/0"
    )
    assert str(caught.value).splitlines()[0].startswith(f"{first.pointer}: must have")
    assert (first.line, second.line, caught.value.file) == (0, 0, "")


def test_values_without_a_form_in_json_are_refused() -> None:
    seed = {
        "audiences": [{"name": "VIP", "created": datetime(2026, 1, 1)}],
        "x-set": {1, 2},
        "x-nan": float("nan"),
        "x-text": "\ud800",
    }
    with pytest.raises(SeedError) as caught:
        Sandbox(seed=seed)
    assert [each.pointer for each in caught.value.mistakes] == [
        "/audiences/0/created",
        "/x-set",
        "/x-nan",
        "/x-text",
    ]
    circular: dict[str, object] = {}
    circular["x-self"] = circular
    with pytest.raises(SeedError, match="nest more than 100 levels deep"):
        Sandbox(seed=circular)


def test_an_error_can_be_pickled() -> None:
    with pytest.raises(SeedError) as caught:
        planted({"audience": []})
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (str(copied), copied.mistakes) == (str(caught.value), caught.value.mistakes)


def test_a_file_that_cannot_be_read_is_one_mistake(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"x-name: \xe4")
    with pytest.raises(SeedError, match="comes with quickstart and fashion"):
        Sandbox(seed=tmp_path / "nothing.yaml")
    with pytest.raises(SeedError, match="the file is not UTF-8"):
        Sandbox(seed=tmp_path / "latin.yaml")
    with pytest.raises(SeedError, match="cannot be read: Is a directory"):
        Sandbox(seed=tmp_path)
    with pytest.raises(SeedError, match="must be a name, a file or a mapping"):
        Sandbox(seed=[])  # type: ignore[arg-type]
