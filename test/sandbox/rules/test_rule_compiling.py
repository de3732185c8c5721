"""Whole rulesets: what compiles, what is refused and where."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.rules.facts_double import FactsDouble, make_scope
from talon_one.sandbox.rules.compile import compile_ruleset
from talon_one.sandbox.rules.compiled import Block, EvaluationError, Ruleset, RulesetError
from talon_one.sandbox.rules.entities import read_name

LAMPS = {
    "type": "filter",
    "predicate": {
        "id": "s1",
        "type": "checkAttribute",
        "operator": "equals",
        "attribute": "$Item.Category",
        "value": "lamps",
    },
}
CONDITIONS: list[dict[str, Any]] = [
    {
        "id": "g1",
        "type": "group",
        "operator": "none",
        "blocks": [
            {
                "id": "g2",
                "type": "checkAttribute",
                "operator": "empty",
                "attribute": "$Session.CartItems",
            },
            {"id": "g3", "type": "checkLoyaltyCard", "operator": "linked"},
        ],
        "onFailure": [
            {"id": "g4", "type": "checkLoyaltyCard", "operator": "not(linked)", "tags": ["x"]}
        ],
        "onError": {"missingValue": [{"id": "g5", "type": "passthrough", "expression": [True]}]},
    },
    {
        "id": "a1",
        "type": "checkAttribute",
        "operator": "between",
        "attribute": "$Session.Total",
        "min": 50,
        "max": "{{$Profile.LoyaltyLimit * 2}}",
        "onFailure": [],
    },
    {
        "id": "a2",
        "type": "checkAttribute",
        "operator": "within",
        "attribute": "$Session.Created",
        "start": "2026-11-27T00:00:00Z",
        "end": "2026-11-30T00:00:00Z",
        "startInclusive": True,
        "endInclusive": False,
        "timezoneInsensitive": False,
    },
    {
        "id": "e1",
        "type": "checkEvent",
        "eventType": "sessionUpdated",
        "matchers": [
            {
                "id": "e2",
                "type": "checkAttribute",
                "operator": "equals",
                "attribute": "$Event.Channel",
                "value": "shop",
            }
        ],
    },
    {
        "id": "b6",
        "type": "checkAttribute",
        "operator": "greaterThanOrEqual",
        "attribute": "$lampCount",
        "value": "{{$minLamps}}",
    },
    {
        "id": "b7",
        "type": "checkAttribute",
        "operator": "greaterThan",
        "attribute": "$pairs.Count",
        "value": 0,
    },
    {
        "id": "x1",
        "type": "passthrough",
        "expression": [">", ["count", [".", "cheapLamps"]], [".", "minLamps"]],
    },
]
RULESET: dict[str, Any] = {
    "id": 918,
    "created": "2026-09-01T08:00:00Z",
    "userId": 12,
    "campaignId": 77,
    "activatedAt": "2026-09-01T09:30:00Z",
    "promotionRules": [
        {"id": "7d0b0b0e", "title": "Members", "description": "For them", "blocks": CONDITIONS},
        {"title": "Always", "blocks": []},
    ],
    "strikethroughRules": [{"title": "Prices", "blocks": [CONDITIONS[1]]}],
    "selectors": [
        {
            "name": "lampCount",
            "type": "selector",
            "source": "$cheapLamps",
            "steps": [{"type": "reduce", "operator": "count"}],
        },
        {
            "name": "cheapLamps",
            "type": "selector",
            "source": "$Session.CartItems",
            "steps": [
                LAMPS,
                {"type": "sort", "fields": [{"expression": "$Item.Price", "direction": "asc"}]},
                {
                    "type": "select",
                    "operator": "many",
                    "from": "start",
                    "count": 3,
                    "partial": True,
                },
            ],
        },
    ],
    "bundles": [
        {
            "id": "0f4c6a52",
            "name": "pairs",
            "type": "bundle",
            "sources": ["{{$cheapLamps}}"],
            "counts": [2],
            "matchers": ["Category"],
        }
    ],
    "parameters": [{"name": "minLamps", "value": 2, "valueType": "number", "description": ""}],
}
SESSION = {
    "total": 100,
    "created": "2026-11-28T10:00:00.000000Z",
    "cartItems": [{"sku": "L", "price": 5, "quantity": 4, "category": "lamps"}],
}


def with_blocks(*blocks: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "promotionRules": [{"title": "Rule", "blocks": list(blocks)}], **more}


def mistakes_of(ruleset: Any) -> list[tuple[str, str]]:
    with pytest.raises(RulesetError) as caught:
        compile_ruleset(ruleset)
    return [(each.pointer, each.message) for each in caught.value.mistakes]


def places_of(ruleset: Any) -> list[str]:
    return [pointer for pointer, _ in mistakes_of(ruleset)]


def results_of(ruleset: Ruleset) -> dict[str, bool]:
    facts = FactsDouble(
        profiles={"Current": {"integrationId": "anna", "attributes": {"LoyaltyLimit": 60}}}
    )
    event = {"type": "talon_session_updated", "attributes": {"Channel": "shop"}}
    scope = make_scope(SESSION, facts=facts, event=event, names=ruleset.names)
    return {
        block.id: block.condition(scope)
        for block in ruleset.rules[0].blocks
        if block.condition is not None
    }


def test_a_whole_ruleset_compiles_and_its_conditions_hold() -> None:
    ruleset = compile_ruleset(RULESET)
    assert (ruleset.id, len(ruleset.rules)) == (918, 2)
    assert [(rule.id, rule.index, rule.title) for rule in ruleset.rules] == [
        ("7d0b0b0e", 0, "Members"),
        ("", 1, "Always"),
    ]
    assert set(ruleset.names) == {"lampCount", "cheapLamps", "pairs", "minLamps"}
    assert ruleset.bundle_names == {"pairs"}
    assert results_of(ruleset) == {
        "a1": True,
        "a2": True,
        "e1": True,
        "b6": True,
        "b7": True,
        "x1": True,
    }


def effect(kind: str, **properties: Any) -> dict[str, Any]:
    return {"id": "f", "type": kind, **properties}


PROGRAM = {"id": 4, "name": "stars", "title": "Stars"}
ACHIEVEMENT = {"id": 6, "name": "tenRides", "title": "Ten rides", "target": 10}
SHIPPING = {"id": 9, "name": "shipping", "title": "Shipping"}
EFFECTS: list[dict[str, Any]] = [
    effect(
        "awardItem",
        sku="TOTE-1",
        name="Tote",
        quantity="{{$lampCount / 3}}",
        partial=True,
        onFailure=[],
        onError={},
    ),
    effect("awardItem", sku="TOTE-1", name="Tote", quantity="2"),
    effect("awardGiveaway", giveawayPool={"id": 2, "name": "Cinema"}, profile="Advocate"),
    effect(
        "redeemLoyaltyPoints",
        program=PROGRAM,
        subledger="",
        value="{{$Session.Total * 10}}",
        name="Paid with stars",
    ),
    effect(
        "createCoupon",
        campaignId=78,
        recipientId="{{$Profile.IntegrationId}}",
        storeInSession=True,
        usageLimit=1,
        discountLimit="{{$Session.Total / 10}}",
        expiryDate="2027-01-31T23:59:59Z",
        attributes={"Reason": "thanks"},
        validCharacters="ABCDEFGHJK",
        pattern="THX-####",
    ),
    effect("createReferral", campaignId="{{$Campaign.Id}}", friendId="", storeInSession=False),
    effect("reserveCoupon"),
    effect(
        "showNotification",
        notificationType="Offer",
        title="Almost there",
        body="Only {{100 - $Session.Total}} to free shipping.",
    ),
    effect(
        "triggerCustomEffect",
        customEffect={"id": 1, "name": "giftWrap", "title": "Gift wrap"},
        params={"paper_color": "red", "order_id": "{{$Session.IntegrationId}}"},
        target={"type": "bundle", "name": "pairs"},
    ),
    effect("triggerWebhook", webhook={"id": 3, "title": "Hook"}, params={"param_0": 12}),
    effect("updateAchievementProgress", operator="increaseBy", value="1", achievement=ACHIEVEMENT),
    effect(
        "updateAttributeValue",
        operator="toggle",
        attribute={
            "id": 31,
            "entity": "profile",
            "name": "Welcomed",
            "title": "Welcomed",
            "type": "boolean",
        },
        target={"type": "profile"},
    ),
    effect(
        "updateAudienceMembership",
        operator="add",
        profile="Current",
        audience={"id": 5, "name": "Lamp club"},
    ),
]
LOWEST = {"type": "byAttribute", "attribute": "{{$Item.Price}}", "direction": "lowest"}
TARGETS: list[dict[str, Any]] = [
    {"type": "cart"},
    {"type": "allItems", "prorated": True},
    {"type": "selector", "name": "cheapLamps"},
    {"type": "globalFilter", "name": "Outdoor goods", "prorated": False},
    {"type": "bundle", "name": "pairs"},
    {"type": "bundle", "name": "pairs", "item": LOWEST, "prorated": True},
    {"type": "bundle", "name": "pairs", "item": {"type": "byIndex", "value": 0}},
    {"type": "additionalCost", "additionalCost": SHIPPING, "target": {"type": "cart"}},
    {
        "type": "additionalCost",
        "additionalCost": SHIPPING,
        "target": {"type": "selector", "name": "cheapLamps"},
    },
]


def test_every_kind_of_effect_and_target_compiles_behind_the_names_of_a_ruleset() -> None:
    discounts = [
        effect("awardDiscount", name="Ten", value=value, partial=False, target=target)
        for target in TARGETS
        for value in (10, "{{$Session.Total * 0.1}}")
    ]
    budget = effect("checkBudget", operator="enoughFor", action="setDiscount", value=25)
    codes = [effect("checkCoupon", redeem=False), effect("checkReferral", redeem=True)]
    blocks = [budget, *codes, *EFFECTS, *discounts]
    names = {key: RULESET[key] for key in ("selectors", "bundles", "parameters")}
    rule = compile_ruleset(with_blocks(*blocks, **names)).rules[0]
    assert [block.type for block in rule.blocks] == [block["type"] for block in blocks]
    kinds = [(block.condition is None, block.action is None) for block in rule.blocks]
    assert kinds == [(False, True)] * 3 + [(True, False)] * (len(blocks) - 3)


def test_a_rule_runs_per_code_if_a_block_in_it_or_in_its_groups_checks_one() -> None:
    coupon, referral = effect("checkCoupon", redeem=True), effect("checkReferral", redeem=False)
    group = effect("group", operator="atLeastOne", blocks=[referral, effect("reserveCoupon")])
    hidden = {**CONDITIONS[2], "onFailure": [coupon]}
    found = []
    for blocks in ([coupon], [group], [coupon, group], [hidden], []):
        rule = compile_ruleset(with_blocks(*blocks)).rules[0]
        found.append((rule.coupon, rule.referral, rule.redeems_coupon, rule.redeems_referral))
    assert found == [
        (True, False, True, False),
        (False, True, False, False),
        (True, True, True, False),
        (False, False, False, False),
        (False, False, False, False),
    ]


def test_groups_and_handlers_become_blocks_with_their_places() -> None:
    group = compile_ruleset(RULESET).rules[0].blocks[0]

    def outline(block: Block) -> tuple[str, str, str]:
        return block.id, block.type, block.pointer

    start = "/promotionRules/0/blocks/0"
    assert outline(group) == ("g1", "group", start)
    assert group.operator == "none"
    assert (group.condition, group.action) == (None, None)
    assert [outline(each) for each in group.blocks] == [
        ("g2", "checkAttribute", f"{start}/blocks/0"),
        ("g3", "checkLoyaltyCard", f"{start}/blocks/1"),
    ]
    assert [outline(each) for each in group.on_failure or ()] == [
        ("g4", "checkLoyaltyCard", f"{start}/onFailure/0")
    ]
    assert [outline(each) for each in group.on_error["missingValue"]] == [
        ("g5", "passthrough", f"{start}/onError/missingValue/0")
    ]
    plain = compile_ruleset(RULESET).rules[0].blocks[1:3]
    assert [block.on_failure for block in plain] == [(), None]


def test_a_ruleset_survives_json() -> None:
    assert results_of(compile_ruleset(json.loads(json.dumps(RULESET)))) == results_of(
        compile_ruleset(RULESET)
    )


def test_names_are_evaluated_on_first_use_and_once() -> None:
    ruleset = compile_ruleset(RULESET)
    scope = make_scope(SESSION, names=ruleset.names)
    assert scope.values == {}
    assert read_name(scope, "lampCount") == 3
    assert set(scope.values) == {"lampCount", "cheapLamps"}
    assert read_name(scope, "cheapLamps") is scope.values["cheapLamps"]
    assert read_name(scope, "minLamps") == Decimal(2)


def test_everything_unknown_or_wrong_is_refused_with_its_place() -> None:
    check = {"id": "c", "type": "checkAttribute", "operator": "equals", "value": 1}
    total = {**check, "attribute": "$Session.Total"}
    block = "/promotionRules/0/blocks/0"
    places: list[tuple[Any, list[str]]] = [
        (None, [""]),
        ([], [""]),
        ({}, [""]),
        ({"promotionRules": 5}, ["/promotionRules"]),
        ({"promotionRules": [7]}, ["/promotionRules/0"]),
        ({"promotionRules": [{}]}, ["/promotionRules/0", "/promotionRules/0"]),
        ({"promotionRules": [], "id": "x"}, ["/id"]),
        ({"promotionRules": [], "selectors": {}}, ["/selectors"]),
        ({"promotionRules": [], "bundles": [1]}, ["/bundles/0"]),
        ({"promotionRules": [], "strikethroughRules": 1}, ["/strikethroughRules"]),
        (with_blocks(5), [block]),
        (with_blocks({"id": "b"}), [block]),
        (with_blocks({"type": "checkWeather"}), [f"{block}/type"]),
        (with_blocks({**check, "attribute": "$Weather.Sunny"}), [f"{block}/attribute"]),
        (with_blocks({**total, "operator": "resembles"}), [f"{block}/operator"]),
        (with_blocks({**total, "value": "{{$x}}"}), [f"{block}/value"]),
        (with_blocks({**total, "value": ["=", ["nope"], 1]}), [f"{block}/value/1"]),
        (with_blocks({**total, "value": ["=", [".", "Nope"], 1]}), [f"{block}/value/1"]),
        (with_blocks({**total, "operator": "oneOf", "value": [1, {}]}), [f"{block}/value/1"]),
        (with_blocks({**total, "id": 7}), [f"{block}/id"]),
        (with_blocks({**total, "onFailure": {}}), [f"{block}/onFailure"]),
        (with_blocks({**total, "onFailure": [1]}), [f"{block}/onFailure/0"]),
        (with_blocks({**total, "onError": []}), [f"{block}/onError"]),
        (with_blocks({**total, "onError": {"a/b": 1}}), [f"{block}/onError/a~1b"]),
        (with_blocks({**total, "onError": {"x": [1]}}), [f"{block}/onError/x/0"]),
        (with_blocks({"type": "group", "operator": "xor", "blocks": []}), [f"{block}/operator"]),
        (with_blocks({"type": "group", "operator": "all"}), [block]),
        (
            with_blocks({"type": "group", "operator": "all", "blocks": [total, 1]}),
            [f"{block}/blocks/1"],
        ),
        (
            with_blocks(strikethroughRules=[{"title": "", "blocks": [CONDITIONS[3]]}]),
            ["/strikethroughRules/0/blocks/0/type"],
        ),
    ]
    assert [(ruleset, places_of(ruleset)) for ruleset, _ in places] == places


def test_all_mistakes_are_listed_together() -> None:
    ruleset = with_blocks(
        {"id": "1", "type": "checkAttribute", "operator": "lessThan", "attribute": "$a.b"},
        {"id": "2", "type": "nothing"},
        selectors=[{"name": "s", "source": "$Session.CartItems", "steps": [{"type": "mix"}]}],
        bundles=[{"name": "b", "sources": ["x"], "counts": [1]}],
        parameters=[{"name": "p", "value": 1, "valueType": "string"}],
    )
    assert places_of(ruleset) == [
        "/selectors/0/steps/0/type",
        "/bundles/0/sources/0",
        "/parameters/0/value",
        "/promotionRules/0/blocks/0/attribute",
        "/promotionRules/0/blocks/0",
        "/promotionRules/0/blocks/1/type",
    ]
    with pytest.raises(RulesetError, match=r"/parameters/0/value: must be a text; /promotionRules"):
        compile_ruleset(ruleset)


def selector(name: str, source: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "selector", "source": source, "steps": [], **more}


def test_names_must_be_different_from_each_other_and_from_entities() -> None:
    items = "$Session.CartItems"
    ruleset = with_blocks(
        selectors=[selector("a", items), selector("a", items), selector("Item", items)],
        parameters=[{"name": "a", "value": 1, "valueType": "number"}],
    )
    assert places_of(ruleset) == ["/selectors/1/name", "/selectors/2/name", "/parameters/0/name"]


def test_names_are_written_without_the_sign_of_a_path() -> None:
    items = "$Session.CartItems"
    ruleset = with_blocks(selectors=[selector("$a", items), selector("", items), {}])
    assert places_of(ruleset) == [
        "/selectors/0/name",
        "/selectors/1/name",
        "/selectors/2",
        "/selectors/2",
        "/selectors/2",
    ]


def test_names_that_need_each_other_are_refused() -> None:
    program = ["filter", [".", "d"], [["x"], True]]
    filtered = {"type": "filter", "predicate": {"type": "passthrough", "expression": program}}
    ruleset = with_blocks(
        selectors=[
            selector("a", "$b"),
            selector("b", "$c"),
            selector("c", "$a"),
            selector("d", "$Session.CartItems", steps=[filtered]),
            selector("e", "$a"),
        ]
    )
    assert mistakes_of(ruleset) == [
        ("/selectors/0", "$a needs its own value"),
        ("/selectors/1", "$b needs its own value"),
        ("/selectors/2", "$c needs its own value"),
        ("/selectors/3", "$d needs its own value"),
    ]


def test_blocks_that_nest_too_deeply_are_refused() -> None:
    block: dict[str, Any] = {"type": "passthrough", "expression": [True]}
    for _ in range(400):
        block = {"type": "group", "operator": "all", "blocks": [block]}
    assert [message for _, message in mistakes_of(with_blocks(block))] == ["blocks nest too deeply"]
    predicate = {"type": "filter", "predicate": block}
    ruleset = with_blocks(selectors=[selector("s", "$Session.CartItems", steps=[predicate])])
    assert [message for _, message in mistakes_of(ruleset)] == ["blocks nest too deeply"]


KEYS = [
    *["id", "type", "blocks", "operator", "attribute", "value", "values", "min", "max", "count"],
    *["start", "end", "steps", "source", "name", "fields", "predicate", "expression", "audience"],
    *["promotionRules", "selectors", "bundles", "parameters", "title", "onFailure", "onError"],
    *["target", "item", "params", "sku", "quantity", "campaignId", "achievement", "action"],
    *["sources", "counts", "matchers", "valueType", "profile", "from", "to", "index", "program"],
]
WORDS = [
    *["group", "all", "none", "checkAttribute", "equals", "between", "checkEvent", "passthrough"],
    *["checkAudience", "filter", "sort", "select", "many", "reduce", "sum", "map", "lessThan"],
    *["awardDiscount", "awardItem", "createCoupon", "triggerCustomEffect", "updateAttributeValue"],
    *["cart", "bundle", "additionalCost", "byAttribute", "checkCoupon", "checkBudget", "setTo"],
    *["$Session.Total", "$Item.Price", "$s", "{{$s}}", "{{1 +", "(", "s", "member", "Current"],
]
LEAVES = st.one_of(st.sampled_from(WORDS), st.none(), st.booleans(), st.integers(-1, 3))
ANY_JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(KEYS), ANY_JSON), ANY_JSON)
def test_compiling_never_raises_anything_but_its_own_error(top: Any, rule: Any) -> None:
    with suppress(RulesetError):
        compile_ruleset(top)
    with suppress(RulesetError):
        evaluate_conditions(
            compile_ruleset({**top, "promotionRules": [{"title": "", "blocks": [rule]}]})
        )


@given(st.data())
def test_a_ruleset_with_one_part_replaced_is_refused_or_evaluated(data: st.DataObject) -> None:
    ruleset = json.loads(json.dumps(RULESET))
    discounts = [effect("awardDiscount", name="", value=1, target=each) for each in TARGETS]
    ruleset["promotionRules"][1]["blocks"] = json.loads(json.dumps(EFFECTS + discounts))
    place: Any = ruleset
    while True:
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key: Any = data.draw(st.sampled_from(list(keys)))
        inner = place[key]
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(ANY_JSON)
    with suppress(RulesetError):
        evaluate_conditions(compile_ruleset(ruleset))


def evaluate_conditions(ruleset: Ruleset) -> None:
    """Evaluate all conditions and names; they give a value or fail with their own error."""
    scope = make_scope(SESSION, names=ruleset.names)
    for name in ruleset.names:
        with suppress(EvaluationError):
            read_name(scope, name)
    waiting = [block for rule in ruleset.rules for block in rule.blocks]
    while waiting:
        block = waiting.pop()
        waiting += [*block.blocks, *(block.on_failure or ())]
        if block.condition is not None:
            with suppress(EvaluationError):
                assert isinstance(block.condition(scope), bool)
