"""Rulesets in V2 blocks are typed to the last leaf: blocks, selectors, bundles, targets."""

from __future__ import annotations

import json
from typing import Any

import pytest

import talon_one
from support.samples import JsonObject
from talon_one import ApiTypeError, Model, ModelValidationError, RulesetV2
from talon_one._schema.access import fields_of
from talon_one._schema.fields import NestedField

RULESET: JsonObject = {
    "id": 1,
    "created": "2026-09-01T08:00:00Z",
    "userId": 2,
    "promotionRules": [
        {
            "id": "r1",
            "title": "Every third mug for members",
            "blocks": [
                {
                    "id": "b1",
                    "type": "checkCoupon",
                    "redeem": True,
                    "onFailure": [
                        {
                            "id": "b2",
                            "type": "showNotification",
                            "notificationType": "Error",
                            "title": "Unknown code",
                            "onError": {"limit": [{"id": "b3", "type": "startRocket", "to": 1}]},
                        }
                    ],
                },
                {
                    "id": "b4",
                    "type": "group",
                    "operator": "atLeastOne",
                    "blocks": [
                        {
                            "id": "b5",
                            "type": "checkAttribute",
                            "operator": "between",
                            "attribute": "$Session.Total",
                            "min": 50,
                            "max": "{{$Profile.Limit * 2}}",
                        },
                        {"id": "b6", "type": "passthrough", "expression": ["=", 1, 1]},
                    ],
                },
                {
                    "id": "b7",
                    "type": "awardDiscount",
                    "name": "A third off",
                    "value": "{{$Item.Price / 3}}",
                    "partial": False,
                    "target": {
                        "type": "additionalCost",
                        "additionalCost": {"id": 3, "name": "shipping", "title": "Shipping"},
                        "target": {"type": "selector", "name": "mugs"},
                    },
                },
            ],
        }
    ],
    "strikethroughRules": [],
    "selectors": [
        {
            "name": "mugs",
            "type": "selector",
            "source": "$Session.CartItems",
            "steps": [
                {
                    "type": "filter",
                    "predicate": {
                        "id": "s1",
                        "type": "checkAttribute",
                        "operator": "equals",
                        "attribute": "$Item.Category",
                        "value": "mugs",
                    },
                },
                {"type": "select", "operator": "many", "from": "start", "count": 1},
            ],
        }
    ],
    "bundles": [],
    "parameters": [],
}


def classes(value: Any) -> list[str]:
    """Return the names of the classes of all models inside a value, from the outside in."""
    if isinstance(value, Model):
        inside = [value[wire] for wire in value]
        return [type(value).__name__, *(name for each in inside for name in classes(each))]
    if isinstance(value, (list, dict)):
        items = value.values() if isinstance(value, dict) else value
        return [name for each in items for name in classes(each)]
    return []


def test_every_object_of_a_ruleset_has_its_class() -> None:
    ruleset = RulesetV2.from_json(json.dumps(RULESET))
    assert classes(ruleset) == [
        "RulesetV2",
        "PromotionRuleV2",
        "CheckCouponBlock",
        "ShowNotificationBlock",
        "Model",
        "PromotionGroupBlock",
        "PromotionCheckAttributeBlock",
        "PassthroughBlock",
        "AwardDiscountBlock",
        "AwardDiscountAdditionalCostTarget",
        "AdditionalCostReference",
        "AwardDiscountSelectorTarget",
        "Selector",
        "FilterSelectorStep",
        "CheckAttributeBlock",
        "SelectSelectorStep",
    ]
    assert ruleset.to_wire() == RULESET


def test_no_property_of_the_rule_blocks_is_left_untyped_where_the_platform_names_a_type() -> None:
    # Operands and expressions of any kind, which the platform does not describe.
    open_properties = {"attribute", "attributes", "expiryDate", "expression", "params", "startDate"}
    operands = {"count", "end", "max", "min", "start", "value", "values"}
    seen: set[str] = set()
    waiting = ["RulesetV2"]
    untyped = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        cls = getattr(talon_one, name)
        waiting += getattr(cls, "_classes", {}).values()
        for declared in fields_of(cls).values():
            if isinstance(declared, NestedField):
                waiting.append(declared.target.__name__)
            elif "Any" in declared.annotation:
                untyped.add(declared.wire)
    assert untyped <= open_properties | operands
    assert len(seen) > 60


def test_blocks_are_built_without_naming_their_type_and_validated_to_the_last() -> None:
    rule = talon_one.PromotionRuleV2(
        id="r1",
        title="Half price",
        blocks=[
            talon_one.PromotionGroupBlock(
                id="b1",
                operator="all",
                blocks=[
                    talon_one.PromotionCheckAttributeBlock(
                        id="b2", operator="equals", attribute="$Session.Total", value=3
                    )
                ],
            ),
            talon_one.AwardDiscountBlock(
                id="b3",
                name="Half price",
                value=10,
                partial=False,
                target=talon_one.AwardDiscountCartTarget(),
            ),
        ],
    )
    rule.validate()
    group, award = rule.to_wire()["blocks"]
    assert [group["type"], group["blocks"][0]["type"]] == ["group", "checkAttribute"]
    assert [award["type"], award["target"]] == ["awardDiscount", {"type": "cart"}]
    match rule.blocks[1]:
        case talon_one.AwardDiscountBlock(value=value, target=target):
            assert value == 10
            assert isinstance(target, talon_one.AwardDiscountCartTarget)
        case _:
            pytest.fail("the class is known")
    assert isinstance(rule.blocks[0], talon_one.PromotionGroupBlock)
    inner = rule.blocks[0].blocks[0]
    assert isinstance(inner, talon_one.PromotionCheckAttributeBlock)
    inner.value = None
    with pytest.raises(ModelValidationError) as caught:
        rule.validate()
    (wrong,) = caught.value.violations
    assert str(wrong) == "$.blocks[0].blocks[0].value is required"


def test_two_names_of_one_property_are_still_refused() -> None:
    block: Any = talon_one.CheckTierBlock
    with pytest.raises(ApiTypeError, match="'on_failure' twice"):
        block(on_failure=[], onFailure=[])
    with pytest.raises(ApiTypeError, match="'tags' twice"):
        block("b1", None, [], tags=[])


def test_payloads_of_catalog_actions_have_the_class_of_their_action() -> None:
    data = {"actions": [{"type": "ADD", "payload": {"sku": "MUG-1"}}]}
    request = talon_one.CatalogSyncRequest.from_dict(data)
    assert type(request.actions[0].payload) is talon_one.AddItemCatalogAction
    talon_one.CatalogAction(
        type="REMOVE", payload=talon_one.RemoveItemCatalogAction(sku="MUG-1")
    ).validate()
    with pytest.raises(ModelValidationError, match=r"\$\.payload\.sku is required"):
        talon_one.CatalogAction(type="ADD", payload={}).validate()
    with pytest.raises(ModelValidationError, match="must be AddItemCatalogAction or a dict"):
        talon_one.CatalogAction(
            type="ADD", payload=talon_one.RemoveItemCatalogAction(sku="MUG-1")
        ).validate()
    assert talon_one.CatalogActionAdd is talon_one.CatalogAction
