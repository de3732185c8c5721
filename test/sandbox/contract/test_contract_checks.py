"""Request bodies: what the description allows passes, and the rest is refused at its place."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.every import for_every
from support.samples import (
    HOSTILE,
    JSON,
    forbidden,
    hostile_objects,
    nested,
    sample_object,
    sample_of,
)
from support.spec import (
    MODELS,
    OPERATIONS,
    UNIONS,
    is_model,
    is_nullable,
    is_union,
    properties,
    required,
)
from talon_one.sandbox.contract.checks import check_body
from talon_one.sandbox.contract.conformance import violations
from talon_one.sandbox.contract.operations import operations_by_id
from talon_one.sandbox.contract.problems import inside, level
from talon_one.sandbox.contract.problems import pointer as place_pointer
from talon_one.sandbox.contract.rules import CONSTRAINTS
from talon_one.sandbox.values import parse_time

BODIES = sorted({each.body for each in OPERATIONS if each.body})
CLASSES = [name for name in BODIES if is_model(name) or is_union(name)]
TITLES = {
    "type": {"Invalid type"},
    "required": {"required"},
    "enum": {"enum"},
    "format": {"Invalid type"},
    "minLength": {"minLength"},
    "maxLength": {"maxLength"},
    "pattern": {"pattern", "minLength"},
    "minimum": {"range"},
    "exclusiveMinimum": {"range"},
    "maximum": {"range"},
    "exclusiveMaximum": {"range"},
    "minItems": {"minItems"},
    "maxItems": {"maxItems"},
    "uniqueItems": {"uniqueItems"},
}


def pointer(*path: object) -> str:
    return "".join(f"/{str(each).replace('~', '~0').replace('/', '~1')}" for each in path)


def titles(written: str, value: Any) -> set[tuple[str, str]]:
    return {(each.title, each.pointer) for each in check_body(written, value)[1]}


@pytest.mark.parametrize("everything", [True, False], ids=["all", "required"])
@for_every("operation", [each for each in OPERATIONS if each.body], label=lambda each: each.id)
def test_the_example_of_each_body_passes(operation: Any, everything: bool) -> None:
    body = _allowed_by_rules(operation.body, sample_of(operation.body, everything))
    before = deepcopy(body)
    declared = operations_by_id()[operation.id].body
    assert declared is not None
    found, problems = check_body(declared.type, body)
    assert problems == []
    assert body == before
    assert canonical(found) == canonical(body)
    assert check_body(declared.type, found) == (found, [])


def canonical(value: Any) -> Any:
    """Return JSON with all its timestamps in one form."""
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    try:
        return parse_time(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _allowed_by_rules(name: str, body: Any) -> Any:
    """Return a sample of the description that obeys the rules of the server as well."""
    for (owner, wire), rules in CONSTRAINTS.items():
        if owner == name and rules.get("required") and wire not in body:
            body = {**body, wire: []}
    if name == "CatalogSyncRequest":  # Samples repeat the items of lists.
        body = {**body, "actions": body["actions"][:1]}
    return body


@for_every("name", MODELS)
def test_a_forbidden_value_is_refused_with_a_pointer_to_it(name: str) -> None:
    valid = _allowed_by_rules(name, sample_object(name, everything=False))
    for wire, node in properties(name).items():
        for constraint, value, path in forbidden(node):
            expected = {(title, pointer(wire, *path)) for title in TITLES[constraint]}
            found = titles(name, {**valid, wire: value})
            assert found, f"{constraint}: {value!r} passes"
            assert found <= expected, f"{constraint}: {value!r}"


@for_every("name", [name for name in MODELS if required(name)])
def test_all_missing_properties_are_reported_together_and_null_is_missing(name: str) -> None:
    nodes = properties(name)
    nulls = dict.fromkeys(required(name))
    not_nullable = {("required", f"/{wire}") for wire in nulls if not is_nullable(nodes[wire])}
    more = {
        ("required", f"/{wire}")
        for (owner, wire), rules in CONSTRAINTS.items()
        if owner == name and rules.get("required")
    }
    assert titles(name, {}) == {("required", f"/{wire}") for wire in nulls} | more
    assert titles(name, nulls) == not_nullable | more


@for_every("name", UNIONS)
def test_an_object_of_several_classes_obeys_that_which_it_names(name: str) -> None:
    for constraint, value, path in forbidden({"$ref": f"#/components/schemas/{name}"}):
        assert titles(name, value) & {(title, pointer(*path)) for title in TITLES[constraint]}


def test_unknown_properties_and_nulls_are_dropped() -> None:
    body = {
        "customerSession": {
            "profileId": None,
            "surprise": {"a": 1},
            "attributes": {"a": None, "b": [None]},
            "cartItems": [{"sku": "a", "quantity": 1, "name": None, "more": 1}],
        },
        "_private": 1,
    }
    found, problems = check_body("IntegrationRequest", body)
    assert problems == []
    assert found == {
        "customerSession": {
            # What is in free-form objects is for the operation to judge.
            "attributes": {"a": None, "b": [None]},
            "cartItems": [{"sku": "a", "quantity": 1}],
        }
    }


def test_whole_floats_are_integers_and_timestamps_are_canonical() -> None:
    body = {"numberOfCoupons": 2.0, "startDate": "2026-01-02T03:04:05+02:00"}
    found, problems = check_body("NewCoupons", body)
    assert problems == []
    assert found == {"numberOfCoupons": 2, "startDate": "2026-01-02T01:04:05.000000Z"}
    assert type(found["numberOfCoupons"]) is int


def test_an_empty_text_is_a_text_unless_it_has_a_bound() -> None:
    session = {"profileId": "", "referralCode": "", "couponCodes": [""]}
    assert titles("NewCustomerSessionV2", session) == set()


def test_a_date_is_one_of_the_calendar() -> None:
    for text in ("2026-02-30", "2026-2-3", "2026-02-03T00:00:00Z", "\u0662026-02-03", ""):
        assert ("Invalid type", "/featureDate") in titles("Risk", {"featureDate": text})
    assert ("Invalid type", "/featureDate") not in titles("Risk", {"featureDate": "2026-02-28"})
    assert "/featureDate" in violations("Risk", {"featureDate": "2026-02-30"})


@pytest.mark.parametrize(
    ("change", "title", "details", "where"),
    [
        (
            {"state": "done"},
            "enum",
            'state must be one of the following: "open", "closed", "cancelled"',
            "/state",
        ),
        (
            {"state": "partially_returned"},
            "enum",
            'state must be one of the following: "open", "closed", "cancelled"',
            "/state",
        ),
        (
            {"profileId": False},
            "Invalid type",
            'Value of "profileId" (false) is not a string',
            "/profileId",
        ),
        ({"referralCode": "x" * 101}, "maxLength", "must have at most 100 characters", None),
        ({"storeIntegrationId": ""}, "minLength", "must have at least 1 character(s)", None),
        ({"identifiers": ["a"] * 6}, "maxItems", "must have at most 5 items, has 6", None),
        ({"cartItems": {}}, "Invalid type", 'Value of "cartItems" is not an array', None),
        (
            {"additionalCosts": {"a/b~c": {}}},
            "required",
            "price is required",
            "/additionalCosts/a~1b~0c/price",
        ),
        (
            {"additionalCosts": {"a": {"price": 10**15 + 1}}},
            "range",
            "must not exceed 1000000000000000",
            "/additionalCosts/a/price",
        ),
        (
            {"cartItems": [{"sku": "a", "quantity": 0}]},
            "range",
            "must be from 1 to 9223372036854775807",
            "/cartItems/0/quantity",
        ),
        (
            {"cartItems": [{"sku": "a", "quantity": 1}, {"sku": None, "quantity": 1}]},
            "required",
            "sku is required",
            "/cartItems/1/sku",
        ),
        (
            {"evaluableCampaignIds": [2**63]},
            "range",
            "must be from -9223372036854775808 to 9223372036854775807",
            "/evaluableCampaignIds/0",
        ),
    ],
)
def test_a_problem_says_what_is_wrong_in_the_words_of_the_platform(
    change: dict[str, Any], title: str, details: str, where: str | None
) -> None:
    _, (problem,) = check_body("IntegrationRequest", {"customerSession": change})
    assert (problem.title, problem.details) == (title, details)
    assert problem.pointer == f"/customerSession{where or '/' + next(iter(change))}"


def test_bounds_and_patterns_are_written_as_the_description_has_them() -> None:
    settings = {"validCharacters": ["A"], "couponPattern": "not allowed"}
    _, (problem,) = check_body("CodeGeneratorSettings", settings)
    assert problem.title == "pattern"
    assert problem.details == "must match ^[A-Za-z0-9._%+@#-]+$"
    _, (points,) = check_body("AddLoyaltyPoints", {"points": -1})
    assert points.title == "range"
    assert points.details == "must be above 0 and at most 999999999999.99"


def test_texts_with_a_pattern_have_a_length_beyond_which_they_are_not_matched() -> None:
    attribute = {"entity": "Event", "type": "string", "title": "t", "description": "d", "tags": []}
    body = {**attribute, "suggestions": [], "editable": True}
    assert titles("NewAttribute", {**body, "name": "a" * 10_000}) == set()
    assert titles("NewAttribute", {**body, "name": "a" * 10_001}) == {("maxLength", "/name")}


def test_a_wrong_value_is_quoted_up_to_eighty_characters() -> None:
    _, (problem,) = check_body("NewCustomerSessionV2", {"attributes": "x" * 1_000})
    assert problem.details == f'Value of "attributes" ("{"x" * 79}) is not an object'


def test_at_most_a_hundred_problems_are_listed() -> None:
    items = [{"sku": 1, "quantity": 0}] * 99
    _, problems = check_body("IntegrationRequest", {"customerSession": {"cartItems": items}})
    assert len(problems) == 100
    assert problems[-1].pointer == "/customerSession/cartItems/49/quantity"


def test_a_body_nested_too_deeply_is_refused_where_it_is() -> None:
    block: dict[str, Any] = {"id": "1", "type": "group", "operator": "all", "blocks": []}
    for _ in range(49):
        block = {**block, "blocks": [block]}
    assert titles("PromotionBlock", block) == set()
    for _ in range(1_000):
        block = {**block, "blocks": [block]}
    assert titles("PromotionBlock", block) == {("Nesting", "/blocks/0" * 50)}


def test_a_place_knows_how_deep_it_is_and_its_pointer() -> None:
    place = inside(inside(inside(None, "a/b"), 0), "~")
    assert (level(None), level(place)) == (0, 3)
    assert place_pointer(place) == "/a~1b/0/~0"


def test_free_form_values_may_be_nested_to_any_depth() -> None:
    attributes = {"deep": nested(5_000)}
    found, problems = check_body("NewCustomerProfile", {"attributes": attributes})
    assert problems == []
    assert found["attributes"] is attributes


@for_every("name", BODIES)
def test_no_hostile_body_raises(name: str) -> None:
    written = "dict[str, Any]" if name not in CLASSES else name
    for value in [*HOSTILE, 10**5_000, float("inf"), -float("inf"), float("nan")]:
        check_body(written, value)
        for wire in properties(name) if is_model(name) else ():
            check_body(written, {wire: value})
            check_body(written, {wire: [value]})


@given(
    st.sampled_from(CLASSES).flatmap(
        lambda name: st.tuples(st.just(name), hostile_objects(name) | JSON)
    )
)
def test_any_json_is_normalized_for_good_or_refused(case: tuple[str, Any]) -> None:
    name, value = case
    before = json.dumps(value)
    found, problems = check_body(name, value)
    assert json.dumps(value) == before
    assert len(problems) <= 100
    assert all(each.pointer.startswith("/") or each.pointer == "" for each in problems)
    if not problems:
        assert check_body(name, found) == (found, [])
