"""Responses: completed to the declared shape, and compared with it."""

from __future__ import annotations

import json
import time
from typing import Any

from support.every import for_every
from support.samples import forbidden, sample_object, sample_of
from support.spec import (
    MODELS,
    OPERATIONS,
    SCHEMAS,
    UNIONS,
    Node,
    is_union,
    model_of,
    properties,
    resolved,
)
from talon_one.sandbox.contract.conformance import violations
from talon_one.sandbox.contract.operations import operations_by_id
from talon_one.sandbox.contract.responses import complete

_JSON = [
    (operation.id, response.status)
    for operation in OPERATIONS
    for response in operation.successes
    if response.schema is not None and response.content_type == "application/json"
]
_SCHEMA = {
    (operation.id, response.status): response.schema
    for operation in OPERATIONS
    for response in operation.successes
}


def sample_response(schema: Node, everything: bool) -> Any:
    name = model_of(schema)
    if name is not None:
        return sample_of(name, everything)
    items = resolved(schema)["items"]
    return [sample_of(model_of(items) or "", everything)] * 2


def with_private_facts(node: Node, value: Any) -> Any:
    """Return JSON with a private fact in each object that a class describes."""
    name = model_of(node)
    if isinstance(value, dict) and name is not None and not is_union(name):
        nodes = properties(name)
        kept = {
            key: with_private_facts(nodes[key], item) if key in nodes else item
            for key, item in value.items()
        }
        return {"_fact": {"a": 1}, **kept}
    items = resolved(node).get("items")
    if isinstance(value, list) and items is not None:
        return [with_private_facts(items, each) for each in value]
    return value


@for_every("operation_id, status", _JSON)
def test_a_complete_response_stays_as_it_is(operation_id: str, status: int) -> None:
    written = operations_by_id()[operation_id].results[status]
    schema = _SCHEMA[operation_id, status]
    assert written is not None
    assert schema is not None
    for everything in (True, False):
        document = sample_response(schema, everything)
        assert complete(written, document) == document
        assert violations(written, document) == []


@for_every("name", MODELS)
def test_private_facts_stay_inside(name: str) -> None:
    document = sample_object(name)
    dressed = with_private_facts({"$ref": f"#/components/schemas/{name}"}, document)
    assert "_fact" in dressed
    before = json.dumps(dressed)
    assert json.dumps(complete(name, dressed)) == json.dumps(complete(name, document))
    assert json.dumps(dressed) == before
    assert violations(name, complete(name, dressed)) == []


@for_every("name", UNIONS)
def test_an_object_of_several_classes_is_completed_as_that_which_it_names(name: str) -> None:
    document = sample_object(name)
    assert complete(name, {"_fact": 1, **document}) == document
    assert violations(name, document) == []


@for_every("name", MODELS)
def test_missing_required_properties_become_null_in_the_declared_order(name: str) -> None:
    needed = SCHEMAS[name].get("required", ())
    assert complete(name, {}) == dict.fromkeys(needed)
    assert list(complete(name, {})) == [each for each in properties(name) if each in needed]
    backwards = dict(reversed(sample_object(name).items()))
    assert [each for each in complete(name, backwards) if each in properties(name)] == list(
        properties(name)
    )


def test_optional_properties_that_are_null_and_free_form_json_are_kept() -> None:
    document = {"integrationId": None, "attributes": {"_a": None}, "more": 1}
    found = complete("CustomerProfile", document)
    assert found["attributes"] == {"_a": None}
    assert "more" not in found
    assert complete("Coupon", {"expiryDate": None})["expiryDate"] is None
    assert "startDate" not in complete("Coupon", {})


def test_values_of_another_type_and_unknown_classes_are_returned_unchanged() -> None:
    for value in (None, 1, "a", [1], True):
        assert complete("Coupon", value) == value
        assert complete("GetCouponsWithoutTotalCount200Response", {"data": value})["data"] == value
    unknown = {"effectType": "later", "props": {"anything": [1]}}
    assert complete("Effect", unknown)["props"] == {"anything": [1]}
    assert complete("PromotionBlock", {"type": "later", "a": 1}) == {"type": "later", "a": 1}
    assert complete("dict[str, Any]", {"a": 1}) == {"a": 1}
    assert complete("str", "a,b") == "a,b"


def test_maps_and_variants_are_completed_inside() -> None:
    session = {"additionalCosts": {"_wrap": {"price": 1, "_id": 7}}}
    assert complete("CustomerSessionV2", session)["additionalCosts"] == {"_wrap": {"price": 1}}
    effect = {"effectType": "acceptCoupon", "props": {"value": "A", "_id": 1}}
    assert complete("Effect", effect)["props"] == {"value": "A"}
    lists = {"_key": [{"_id": 1}]}
    assert complete("dict[str, list[Coupon]]", lists)["_key"][0]["id"] is None


def test_a_session_of_twenty_lines_takes_well_under_a_millisecond() -> None:
    state = sample_object("IntegrationStateV2")
    (line, *_) = state["customerSession"]["cartItems"]
    state["customerSession"]["cartItems"] = [line] * 20
    complete("IntegrationStateV2", state)
    fastest = 1.0
    for _ in range(50):
        begin = time.perf_counter()
        complete("IntegrationStateV2", state)
        fastest = min(fastest, time.perf_counter() - begin)
    assert fastest < 0.001


@for_every("name", MODELS)
def test_a_value_of_the_wrong_type_or_enum_is_a_violation_at_its_place(name: str) -> None:
    document = sample_object(name, everything=False)
    for wire, node in properties(name).items():
        for constraint, value, path in forbidden(node):
            tokens = (str(each).replace("~", "~0").replace("/", "~1") for each in (wire, *path))
            where = "".join(f"/{each}" for each in tokens)
            found = violations(name, {**document, wire: value})
            if constraint in ("type", "enum", "format"):
                assert where in found, f"{constraint}: {value!r}"
            elif constraint == "required":
                # Null stands for what is not there; only its absence is a violation.
                assert found in ([where], []), f"{value!r}"
            else:
                assert where not in found


@for_every("name", MODELS)
def test_missing_and_undeclared_properties_are_violations(name: str) -> None:
    missing = {f"/{each}" for each in SCHEMAS[name].get("required", ())}
    assert set(violations(name, {})) == missing
    document = {**sample_object(name, everything=False), "sur/prise": 1}
    assert violations(name, document) == ["/sur~1prise"]
    assert violations(name, 1) == violations(name, []) == violations(name, None) == [""]


def test_null_is_not_an_item() -> None:
    assert violations("list[Coupon]", [None]) == ["/0"]
    assert violations("dict[str, int]", {"a": None, "b": 1, "c": True}) == ["/a", "/c"]
