"""Every kind of change is found, in documents of 3.0 and of 3.1, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from codegen.drift.compare import Item, compare
from support.every import for_every
from support.release_changes import CHANGES
from support.releases import Edit, Node, edited, form, in_31, operation, release, schemas

VERSIONS = [
    pytest.param(lambda document: document, id="3.0"),
    pytest.param(in_31, id="3.1"),
]


def _owner(document: Node) -> Node:
    found: Node = schemas(document)["Owner"]["properties"]
    return found


def _coupon(document: Node) -> Node:
    found: Node = schemas(document)["Coupon"]["properties"]
    return found


def _rename(node: Node, old: str, new: str) -> None:
    node[new] = node.pop(old)


def _response(document: Node, status: str) -> Node:
    found: Node = operation(document)["responses"][status]
    return found


@pytest.mark.parametrize("written", VERSIONS)
@for_every("kind", CHANGES)
def test_a_change_is_found_and_nothing_else(kind: str, written: Any) -> None:
    edit, expected = CHANGES[kind]
    found = compare(form(written(release())), form(written(edited(edit))))
    assert {item.key for item in found} == {item.key for item in expected}


@for_every("kind", CHANGES)
def test_a_document_in_31_has_the_same_changes_as_one_in_30(kind: str) -> None:
    edit, expected = CHANGES[kind]
    found = compare(form(release()), form(in_31(edited(edit))))
    assert {item.key for item in found} == {item.key for item in expected}


@for_every("kind", CHANGES)
def test_the_way_back_has_as_many_changes(kind: str) -> None:
    edit, expected = CHANGES[kind]
    found = compare(form(edited(edit)), form(release()))
    structural = [item for item in found if (item.change, item.what) != ("added", "required")]
    wanted = [item for item in expected if (item.change, item.what) != ("added", "required")]
    assert len(structural) == len(wanted)


def test_order_does_not_matter() -> None:
    def reverse(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: reverse(node[key]) for key in reversed(node)}
        return [reverse(each) for each in reversed(node)] if isinstance(node, list) else node

    assert compare(form(release()), form(reverse(release()))) == []


def test_a_schema_without_a_name_is_the_one_that_has_it_in_the_other_document() -> None:
    def write_out(document: Node) -> None:
        _coupon(document)["owner"] = schemas(document).pop("Owner")
        response = _response(document, "200")["content"]["application/json"]
        response["schema"] = schemas(document).pop("Coupon")

    def change(document: Node) -> None:
        write_out(document)
        coupon = _response(document, "200")["content"]["application/json"]["schema"]
        coupon["properties"]["owner"]["properties"]["level"]["maximum"] = 9

    texts = {"description"}
    unnamed = form(edited(write_out))
    assert [each for each in compare(form(release()), unnamed) if each.what not in texts] == []
    found = compare(form(release()), form(edited(change)))
    assert [each for each in found if each.what not in texts] == [
        Item("added", "constraint", "Owner.level", "maximum", None, 9)
    ]
    back = compare(form(edited(change)), form(release()))
    assert [each for each in back if each.what not in texts] == [
        Item("removed", "constraint", "Owner.level", "maximum", 9, None)
    ]


def test_schemas_named_as_generators_do_are_those_of_our_classes() -> None:
    def name(document: Node) -> None:
        schemas(document)["updateCoupon_200_response"] = schemas(document).pop("Coupon")
        content = _response(document, "200")["content"]["application/json"]
        content["schema"]["$ref"] = "#/components/schemas/updateCoupon_200_response"

    def ours(document: Node) -> None:
        name(document)
        _rename(schemas(document), "updateCoupon_200_response", "UpdateCoupon200Response")
        content = _response(document, "200")["content"]["application/json"]
        content["schema"]["$ref"] = "#/components/schemas/UpdateCoupon200Response"

    assert compare(form(edited(name)), form(edited(ours))) == []


def test_the_alternatives_of_a_union_are_compared_whatever_their_order() -> None:
    def unite(*names: str) -> Edit:
        refs = [{"$ref": f"#/components/schemas/{name}"} for name in names]
        return lambda document: schemas(document).update(Any={"oneOf": refs})

    old = form(edited(unite("Coupon", "Owner")))
    assert compare(old, form(edited(unite("Owner", "Coupon")))) == []
    assert compare(old, form(edited(unite("Owner", "Coupon", "NewCoupon")))) == [
        Item("added", "alternative", "Any", "", None, "NewCoupon")
    ]


def test_a_recursive_schema_is_compared_once() -> None:
    def recur(document: Node) -> None:
        _owner(document)["friends"] = {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Owner"},
        }
        schemas(document)["Tree"] = {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Tree"},
        }

    def inline(document: Node) -> None:
        recur(document)
        schemas(document)["Tree"]["items"] = {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Tree"},
        }

    recursive = form(edited(recur))
    assert compare(recursive, recursive) == []
    assert compare(recursive, form(edited(inline))) == []
