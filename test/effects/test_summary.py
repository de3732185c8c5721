"""A summary has each effect of a response in exactly one place, and its sums are exact."""

from __future__ import annotations

import pickle
import re
from collections import Counter
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import talon_one
from docs.pages import GUIDES
from effects.sample_effects import effect_json, response_with
from support.hostile import assert_ours
from talon_one import ApiTypeError, ApiValueError, Effect, IntegrationStateV2
from talon_one._schema.access import fields_by_wire_name, fields_of
from talon_one._schema.fields import VariantField
from talon_one.effects import (
    PLACES,
    Bundle,
    ItemCost,
    ItemUnit,
    Points,
    PointsLedger,
    RolledBack,
    SelectedPrice,
    Summary,
    discounts,
    rolled_back,
    summary,
)

_props = fields_of(Effect)["props"]
assert isinstance(_props, VariantField)
CLASSES = _props.classes
"""Every documented effect type, with the class of its props."""


def discount(value: Any = 1, **envelope: Any) -> dict[str, Any]:
    return effect_json("setDiscount", {"name": "n", "value": value}, **envelope)


def item(value: Any, position: Any, *sub_position: Any, **more: Any) -> dict[str, Any]:
    place = dict(zip(("position", "subPosition"), (position, *sub_position), strict=False))
    return effect_json("setDiscountPerItem", {"name": "n", "value": value, **place, **more})


def accept(code: str, **envelope: Any) -> dict[str, Any]:
    return effect_json("acceptCoupon", {"value": code}, **envelope)


def complete(kind: str) -> dict[str, Any]:
    """Return an effect with everything that its type may have."""
    samples = {"value": 2, "position": 1, "sku": "SKU", "programId": 7, "additionalCost": "wrap"}
    if kind.startswith(("accept", "redeem")):
        samples["value"] = "CODE"
    declared = fields_by_wire_name(getattr(talon_one, CLASSES[kind]))
    return effect_json(kind, {name: samples.get(name, 1) for name in declared})


# --- Every type has a place -------------------------------------------------------------------


def test_every_documented_type_has_a_place() -> None:
    assert PLACES.keys() == CLASSES.keys()
    missing = [
        kind for kind in CLASSES if len(summary([complete(kind)]).by_place()[PLACES[kind]]) != 1
    ]
    assert missing == []


def test_the_annotation_of_a_place_names_the_class_of_the_props() -> None:
    groups = {"": Summary, "rolled_back": RolledBack}
    annotations = {
        (prefix, each.name): str(each.type)
        for prefix, cls in groups.items()
        for each in fields(cls)
    }
    wrong = []
    for kind, name in CLASSES.items():
        prefix, _, attribute = PLACES[kind].rpartition(".")
        annotation = annotations[prefix, attribute]
        if attribute != "discounts" and not re.search(rf"\bmodels\.{name}\b", annotation):
            wrong.append(f"{kind}: {annotation}")
    assert wrong == []


def test_the_table_of_the_guide_lists_every_type_with_its_place() -> None:
    text = (GUIDES / "effects.md").read_text(encoding="utf-8")
    table = text.partition("| Effect type | Place |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| `([\w.]+)` \|", table, re.MULTILINE)
    assert dict(rows) == PLACES
    assert [kind for kind, _ in rows] == sorted(PLACES)


def test_an_unknown_type_is_listed() -> None:
    odd = [effect_json(kind, {"value": 1}) for kind in ("sendFlowers", None, 5, ["setDiscount"])]
    parcel = effect_json("setDiscountPerParcel", {"value": 1})
    found = summary([*odd, parcel, discount(2)])
    assert [each.effect_type for each in found.unknown_discounts] == ["setDiscountPerParcel"]
    assert len(found.unknown) == 5
    assert found.total == 2
    assert found.sums == discounts([*odd, parcel, discount(2)])


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (discount("3"), "value is '3', not a number"),
        (item(1, -1), "position is -1, not an index"),
        (effect_json("setDiscount", None), "props is None, not an object"),
        (effect_json("rollbackDiscount", {}), "value is None, not a number"),
        (effect_json("acceptCoupon", {"value": 5}), "value is 5, not a code"),
        (effect_json("rejectCoupon", "no"), "props is 'no', not an object"),
        (effect_json("addFreeItem", {"name": "n"}), "sku is None, not text"),
        (effect_json("addLoyaltyPoints", {"value": 1}), "programId is None, not a number"),
        (effect_json("showNotification", []), "props is [], not an object"),
    ],
)
def test_a_malformed_effect_is_listed_with_its_problem(wrong: Any, problem: str) -> None:
    found = summary([discount(1), wrong])
    (malformed,) = found.malformed
    assert malformed.problem.endswith(problem)
    assert found.total == 1
    of_discount = "iscount" in wrong["effectType"]
    assert found.malformed_discounts == ([malformed] if of_discount else [])
    with pytest.raises(ApiValueError, match=re.escape(problem)):
        found.raise_for_malformed()


def test_a_response_without_effects_has_an_empty_summary() -> None:
    found = summary([])
    assert found == Summary()
    assert found.total == 0
    assert not found.points
    assert not found.free_item_counts
    assert not found.rolled_back
    found.raise_for_malformed()


# --- Discounts --------------------------------------------------------------------------------


def test_discounts_are_grouped_by_what_they_are_on() -> None:
    cost = {"name": "n", "value": 3, "additionalCost": "shipping"}
    found = summary(
        [
            discount(1),
            item(2, 0, 1),
            item(4, 0),
            effect_json("setDiscountPerAdditionalCost", cost),
            effect_json("setDiscountPerAdditionalCostPerItem", {**cost, "position": 2}),
        ]
    )
    session, unit, whole, of_session, of_item = found.discounts
    assert found.session == [session]
    assert found.items == {ItemUnit(0, 1): [unit], ItemUnit(0, 0): [whole]}
    assert found.lines == {0: [unit, whole]}
    assert found.costs == {"shipping": [of_session]}
    assert found.item_costs == {ItemCost(2, 0, "shipping"): [of_item]}
    assert [each.whole_item for each in found.discounts] == [False, False, True, False, True]


def test_a_discount_says_where_it_comes_from_and_what_it_belongs_to() -> None:
    props = {
        "scope": "price",
        "desiredValue": 9.5,
        "totalDiscount": 20,
        "bundleIndex": 1,
        "bundleName": "pair",
        "targetedItemPosition": 3,
        "targetedItemSubPosition": 2,
        "excludedFromPriceHistory": True,
    }
    envelope = {"selectedPriceType": "member", "selectedPrice": 4.9, "adjustmentReferenceId": "a"}
    found = summary([item(0.1, 0, 0, **props) | envelope])
    (each,) = found.discounts
    assert (each.campaign_id, each.rule_name, each.rule_index) == (12, "Ten percent", 0)
    assert (each.name, each.amount, each.scope) == ("n", Decimal("0.1"), "price")
    assert (each.desired_amount, each.pro_rata_total) == (Decimal("9.5"), Decimal(20))
    assert each.bundle == Bundle(12, "pair", 1)
    assert found.bundles == {Bundle(12, "pair", 1): [each]}
    assert each.bundle_basis == ItemUnit(3, 2)
    assert each.selected_price == SelectedPrice("member", Decimal("4.9"), "a")
    assert each.excluded_from_price_history


def test_unreadable_decoration_does_not_cost_a_discount() -> None:
    props = {"bundleIndex": "x", "desiredValue": "y", "scope": 5, "targetedItemPosition": -1}
    found = summary([item(1, 0, 0, **props) | {"selectedPrice": "cheap"}])
    (each,) = found.discounts
    assert (each.bundle, each.desired_amount, each.scope, each.bundle_basis) == (None,) * 4
    assert each.selected_price == SelectedPrice(None, None, None)
    assert found.total == 1


# --- Coupon codes -----------------------------------------------------------------------------


def codes(effects: list[dict[str, Any]], *coupons: Any) -> list[str | None]:
    """Return the codes of the discounts of a response."""
    response = response_with(*effects)
    if coupons:
        response = IntegrationStateV2.from_dict({**response.to_wire(), "coupons": list(coupons)})
    return [each.coupon_code for each in summary(response).discounts]


def by(coupon_id: Any, rule: int = 0, campaign: int = 12) -> dict[str, Any]:
    return {"triggeredByCoupon": coupon_id, "ruleIndex": rule, "campaignId": campaign}


def test_the_coupons_of_the_response_have_the_code() -> None:
    coupons = [{"id": 1, "value": "A"}, {"id": 2, "value": "B"}]
    discounted = [discount(**by(2)), discount(**by(1)), discount(**by(3)), discount()]
    assert codes(discounted, *coupons) == ["B", "A", None, None]
    # Whatever else the effects say.
    assert codes([accept("C", **by(1)), discount(**by(1))], *coupons) == ["A"]


def test_an_effect_with_a_code_names_its_coupon() -> None:
    rejected = effect_json("rejectCoupon", {"value": "B"}, **by(2))
    effects = [accept("A", **by(1)), rejected, discount(**by(1, 5, 99)), discount(**by(2))]
    assert codes(effects) == ["A", "B"]
    assert codes([*effects, accept("C", **by(1))]) == [None, "B"]


def test_the_one_code_of_a_rule_belongs_to_the_one_coupon_of_the_rule() -> None:
    assert codes([accept("A"), discount(**by(1))]) == ["A"]
    # The ID is known in other rules, too.
    assert codes([accept("A"), discount(**by(1)), discount(**by(1, 4, 13))]) == ["A", "A"]
    two = [accept("A"), accept("B", ruleIndex=1), discount(**by(1)), discount(**by(2, 1))]
    assert codes(two) == ["A", "B"]


@pytest.mark.parametrize(
    "effects",
    [
        [accept("A"), accept("B"), discount(**by(1))],
        [accept("A"), discount(**by(1)), discount(**by(2))],
        [accept("A", ruleIndex=1), discount(**by(1))],
        [accept("A", rulesetId=None), discount(**by(1), rulesetId=None)],
        # One code, but two coupons in two rules.
        [accept("A"), accept("A", ruleIndex=1), discount(**by(1)), discount(**by(2, 1))],
        # One coupon, but two codes in two rules.
        [accept("A"), accept("B", ruleIndex=1), discount(**by(1)), discount(**by(1, 1))],
        # The code belongs to another coupon already.
        [accept("A", **by(9)), accept("A", ruleIndex=1), discount(**by(1, 1))],
        # Effects contradict each other about the coupon.
        [
            accept("A", **by(1)),
            accept("B", **by(1)),
            accept("C", ruleIndex=1),
            discount(**by(1, 1)),
        ],
        # An effect of a failed condition is from a coupon that the rule does not accept.
        [accept("A"), discount(**by(1), conditionIndex=0)],
        # No IDs.
        [accept("A"), discount(**by(0))],
        [accept("A"), discount(**by("1"))],
        [accept("A"), discount(**by(True))],
        [accept(""), discount(**by(1))],
    ],
)
def test_no_code_is_guessed(effects: list[dict[str, Any]]) -> None:
    assert set(codes(effects)) == {None}


# --- Points, free items, rollbacks ------------------------------------------------------------


def points(kind: str, value: Any, program: int = 1, **more: Any) -> dict[str, Any]:
    return effect_json(kind, {"value": value, "programId": program, "subLedgerId": "", **more})


def test_points_are_added_and_deducted_by_ledger() -> None:
    effects = [
        points("addLoyaltyPoints", 0.1, recipientIntegrationId="anna"),
        points("addLoyaltyPoints", 0.2, recipientIntegrationId="anna"),
        points("addLoyaltyPoints", 5, recipientIntegrationId="advocate"),
        points("addLoyaltyPoints", 7, subLedgerId="trees", recipientIntegrationId="anna"),
        points("addLoyaltyPoints", 9, 2, recipientIntegrationId="anna", cardIdentifier="card-1"),
        points("deductLoyaltyPoints", 4),
        points("deductLoyaltyPoints", 3, 2, cardIdentifier="card-1"),
    ]
    anna, zero = PointsLedger(1, "", "anna", None), Decimal(0)
    rest = {
        PointsLedger(1, "", "advocate", None): Points(Decimal(5), zero),
        PointsLedger(1, "trees", "anna", None): Points(Decimal(7), zero),
        PointsLedger(2, "", None, "card-1"): Points(Decimal(9), Decimal(3)),
    }
    known = {**response_with(*effects).to_wire(), "customerSession": {"profileId": "anna"}}
    found = summary(IntegrationStateV2.from_dict(known))
    assert found.points == {anna: Points(Decimal("0.3"), Decimal(4)), **rest}
    assert found.points[anna].net == Decimal("-3.7")
    # Without the session, nothing says whose points were deducted.
    assert summary(effects).points == {
        anna: Points(Decimal("0.3"), zero),
        PointsLedger(1, "", None, None): Points(zero, Decimal(4)),
        **rest,
    }
    profile = {**response_with().to_wire(), "customerProfile": {"integrationId": "anna"}}
    assert summary(IntegrationStateV2.from_dict(profile)).profile_id == "anna"


def test_free_items_are_counted_by_sku() -> None:
    free = [effect_json("addFreeItem", {"sku": sku, "name": "n"}) for sku in "ABA"]
    assert summary(free).free_item_counts == {"A": 2, "B": 1}


def test_what_is_taken_back_is_apart() -> None:
    back = effect_json("rollbackDiscount", {"name": "n", "value": 2, "cartItemPosition": 1})
    found = summary([back, effect_json("rollbackCoupon", {"value": "A"}), discount(5)])
    assert found.rolled_back
    assert found.rolled_back.sums == rolled_back([back])
    assert found.rolled_back.discounts[0].unit == ItemUnit(1, 0)
    assert [each.props.value for each in found.rolled_back.coupons] == ["A"]
    assert found.total == 5


def test_a_summary_can_be_pickled() -> None:
    found = summary([complete(kind) for kind in CLASSES] + [discount("x"), discount(1)])
    assert len(found.malformed) == 1
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_response_of_version_1_is_refused() -> None:
    with pytest.raises(ApiTypeError, match="effects of V1 responses are lists"):
        summary(talon_one.IntegrationState.from_dict({}))  # type: ignore[arg-type]


# --- Laws -------------------------------------------------------------------------------------

junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 6),
    st.floats(allow_nan=True),
    st.sampled_from(["", "a", "1", "price", "A"]),
    st.lists(st.integers(), max_size=1),
    st.just({"a": 1}),
)
good = st.one_of(st.integers(0, 3), st.decimals(0, 50, places=2).map(float))


@st.composite
def effects_of_any_kind(draw: Any) -> dict[str, Any]:
    kind = draw(st.sampled_from([*CLASSES, *CLASSES, "setDiscountPerParcel", "odd", None, 4]))
    declared = fields_by_wire_name(getattr(talon_one, CLASSES.get(kind, "SetDiscountEffectProps")))
    values = draw(st.sampled_from([good, good, junk]))
    props = {name: draw(values) for name in declared}
    if draw(st.integers(0, 9)) == 0:
        props = draw(junk)
    elif str(kind).startswith(("accept", "reject")):
        props["value"] = draw(st.sampled_from("ABC"))
    elif "dditionalCost" in str(kind):
        props["additionalCost"] = draw(st.sampled_from(["wrap", "shipping"]))
    return effect_json(kind, props, triggeredByCoupon=draw(junk), ruleIndex=draw(junk))


@settings(max_examples=60)
@given(st.lists(effects_of_any_kind(), max_size=12), st.randoms(use_true_random=False))
def test_nothing_is_lost_and_parts_add_up_in_any_order(listed: Any, chance: Any) -> None:
    effects = [Effect.from_dict(data) for data in listed]
    found = summary(effects)
    places = found.by_place()
    assert Counter(id(each) for part in places.values() for each in part) == Counter(
        map(id, effects)
    )
    groups = (found.session, *found.items.values(), *found.costs.values())
    grouped = [each for part in (*groups, *found.item_costs.values()) for each in part]
    assert Counter(map(id, grouped)) == Counter(map(id, found.discounts))
    assert found.total == found.sums.total == sum(each.amount for each in found.discounts)
    assert {key: sum(d.amount for d in part) for key, part in found.lines.items()} == (
        found.sums.lines
    )
    net = sum((each.net for each in found.points.values()), Decimal(0))
    added = sum(Decimal(str(each.props.value)) for each in found.added_points)
    assert net == added - sum(Decimal(str(each.props.value)) for each in found.deducted_points)
    if not found.malformed_discounts:
        assert found.sums == discounts(effects)
        assert found.rolled_back.sums == rolled_back(effects)
    shuffled = chance.sample(effects, len(effects))
    again = summary(shuffled)
    assert {name: Counter(map(id, part)) for name, part in again.by_place().items()} == {
        name: Counter(map(id, part)) for name, part in places.items()
    }
    assert again.points == found.points
    assert {id(each.effect): each.coupon_code for each in again.discounts} == {
        id(each.effect): each.coupon_code for each in found.discounts
    }


def test_whatever_is_summarized_only_our_own_exceptions_come_of_it() -> None:
    def with_value(value: Any) -> None:
        found = summary([effect_json("setDiscount", {"value": value, "bundleIndex": value})])
        repr([(each.bundle, each.desired_amount) for each in found.discounts])

    assert_ours(
        {
            "summary": summary,
            "an amount": with_value,
            "a type": lambda v: summary([effect_json(v, {"value": 1})]).by_place(),
            "a coupon": lambda v: summary([accept("A"), discount(triggeredByCoupon=v)]),
            "a rule": lambda v: summary([accept("A", ruleIndex=v), discount(**by(1, v))]),
        },
        count=120,
    )
