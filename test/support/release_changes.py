"""Every kind of change of a release, as an edit of a small document, and what is found of it."""

from __future__ import annotations

from typing import Any

from codegen.drift.compare import Item
from support.releases import Edit, Node, operation, schemas


def _owner(document: Node) -> Node:
    found: Node = schemas(document)["Owner"]["properties"]
    return found


def _coupon(document: Node) -> Node:
    found: Node = schemas(document)["Coupon"]["properties"]
    return found


def _new_coupon(document: Node) -> Node:
    found: Node = schemas(document)["NewCoupon"]["properties"]
    return found


def _rename(node: Node, old: str, new: str) -> None:
    node[new] = node.pop(old)


def _rename_owner(document: Node) -> None:
    _rename(schemas(document), "Owner", "CouponOwner")
    _coupon(document)["owner"]["$ref"] = "#/components/schemas/CouponOwner"


def _move(document: Node) -> None:
    paths = document["paths"]
    paths["/v2/coupons/{couponId}"] = paths.pop("/v1/coupons/{couponId}")


def _rename_in_path(document: Node) -> None:
    paths = document["paths"]
    paths["/v1/coupons/{id}"] = paths.pop("/v1/coupons/{couponId}")
    paths["/v1/coupons/{id}"]["put"]["parameters"][0]["name"] = "id"


def _parameter(name: str, **more: Any) -> Node:
    return {"name": name, "in": "query", "schema": {"type": "boolean"}, **more}


def _response(document: Node, status: str) -> Node:
    found: Node = operation(document)["responses"][status]
    return found


FREE = {"description": "Free form.", "type": "object"}
NEW_OPERATION = {
    "operationId": "getShop",
    "responses": {"200": {"description": "OK"}},
}
CHANGES: dict[str, tuple[Edit, list[Item]]] = {
    "version": (
        lambda each: each["info"].update(version="2"),
        [Item("changed", "version", "info.version", "", "1", "2")],
    ),
    "operation added": (
        lambda each: each["paths"].update({"/v1/shop": {"get": NEW_OPERATION}}),
        [Item("added", "operation", "getShop", "", None, "GET /v1/shop")],
    ),
    "operation removed": (
        lambda each: each["paths"].clear(),
        [Item("removed", "operation", "updateCoupon", "", "PUT /v1/coupons/{couponId}", None)],
    ),
    "operation renamed": (
        lambda each: operation(each).update(operationId="changeCoupon"),
        [Item("renamed", "operation", "updateCoupon", "", "updateCoupon", "changeCoupon")],
    ),
    "operation moved": (
        _move,
        [
            Item(
                "changed",
                "route",
                "updateCoupon",
                "",
                "PUT /v1/coupons/{couponId}",
                "PUT /v2/coupons/{couponId}",
            )
        ],
    ),
    "operation deprecated": (
        lambda each: operation(each).update(deprecated=True),
        [Item("changed", "deprecated", "updateCoupon", "", False, True)],
    ),
    "operation described": (
        lambda each: operation(each).update(description="Other."),
        [Item("changed", "description", "updateCoupon", "", "Changes a coupon.", "Other.")],
    ),
    "operation secured": (
        lambda each: operation(each).update(security=[{"management_key": []}]),
        [Item("changed", "security", "updateCoupon", "", ["api_key_v1"], ["management_key"])],
    ),
    "parameter added": (
        lambda each: operation(each)["parameters"].append(_parameter("dry", required=True)),
        [
            Item("added", "parameter", "updateCoupon.query dry", "", None, "boolean"),
            Item("added", "required", "updateCoupon.query dry", "", None, True),
        ],
    ),
    "parameter removed": (
        lambda each: operation(each)["parameters"].pop(),
        [Item("removed", "parameter", "updateCoupon.query silent", "", "string", None)],
    ),
    "parameter renamed in the path": (
        _rename_in_path,
        [
            Item(
                "renamed",
                "parameter",
                "updateCoupon.path couponId",
                "",
                "path couponId",
                "path id",
            )
        ],
    ),
    "parameter required": (
        lambda each: operation(each)["parameters"][1].update(required=True),
        [Item("changed", "required", "updateCoupon.query silent", "", False, True)],
    ),
    "parameter has another type": (
        lambda each: operation(each)["parameters"][0].update(schema={"type": "string"}),
        [Item("changed", "type", "updateCoupon.path couponId", "", "integer", "string")],
    ),
    "value of a parameter added": (
        lambda each: operation(each)["parameters"][1]["schema"]["enum"].append("maybe"),
        [Item("added", "enum value", "updateCoupon.query silent", "enum", None, "maybe")],
    ),
    "body removed": (
        lambda each: operation(each).pop("requestBody"),
        [Item("removed", "body", "updateCoupon.body", "", "NewCoupon", None)],
    ),
    "body is of another class": (
        lambda each: operation(each)["requestBody"]["content"]["application/json"].update(
            schema={"$ref": "#/components/schemas/Coupon"}
        ),
        [Item("changed", "type", "updateCoupon.body", "", "NewCoupon", "Coupon")],
    ),
    "body optional": (
        lambda each: operation(each)["requestBody"].update(required=False),
        [Item("changed", "required", "updateCoupon.body", "", True, False)],
    ),
    "response added": (
        lambda each: operation(each)["responses"].update({"204": {"description": "None"}}),
        [Item("added", "response", "updateCoupon.204", "", None, "no content")],
    ),
    "response removed": (
        lambda each: operation(each)["responses"].pop("404"),
        [Item("removed", "response", "updateCoupon.404", "", "no content", None)],
    ),
    "response is another content type": (
        lambda each: _rename(_response(each, "200")["content"], "application/json", "text/csv"),
        [Item("changed", "content type", "updateCoupon.200", "", "application/json", "text/csv")],
    ),
    "schema added": (
        lambda each: schemas(each).update(Shop={"type": "object", "properties": {"a": FREE}}),
        [Item("added", "schema", "Shop", "", None, "object")],
    ),
    "schema removed": (
        lambda each: (schemas(each).pop("Owner"), _coupon(each).pop("owner")),
        [
            Item("removed", "schema", "Owner", "", "object", None),
            Item("removed", "property", "Coupon.owner", "", "Owner", None),
        ],
    ),
    "schema renamed": (
        _rename_owner,
        [Item("renamed", "schema", "Owner", "", "Owner", "CouponOwner")],
    ),
    "property added": (
        lambda each: _owner(each).update(age={"type": "integer"}),
        [Item("added", "property", "Owner.age", "", None, "integer")],
    ),
    "property removed": (
        lambda each: _owner(each).pop("level"),
        [Item("removed", "property", "Owner.level", "", "integer", None)],
    ),
    "property renamed": (
        lambda each: _rename(_new_coupon(each), "startDate", "startsDate"),
        [Item("renamed", "property", "NewCoupon.startDate", "", "startDate", "startsDate")],
    ),
    "property required": (
        lambda each: schemas(each)["NewCoupon"]["required"].append("limit"),
        [Item("changed", "required", "NewCoupon.limit", "", False, True)],
    ),
    "property has another type": (
        lambda each: _owner(each)["level"].update(type="number"),
        [Item("changed", "type", "Owner.level", "", "integer", "number")],
    ),
    "property is of a class": (
        lambda each: _coupon(each).update(
            attributes={
                "description": "Free form.",
                "allOf": [{"$ref": "#/components/schemas/Owner"}],
            }
        ),
        [Item("changed", "type", "Coupon.attributes", "", "object", "Owner")],
    ),
    "property has another format": (
        lambda each: _owner(each)["since"].update(format="date-time"),
        [Item("changed", "format", "Owner.since", "format", "date", "date-time")],
    ),
    "property nullable": (
        lambda each: _owner(each)["name"].update(nullable=True),
        [Item("added", "nullable", "Owner.name", "nullable", None, True)],
    ),
    "property no longer nullable": (
        lambda each: _coupon(each)["value"].pop("nullable"),
        [Item("removed", "nullable", "Coupon.value", "nullable", True, None)],
    ),
    "property deprecated": (
        lambda each: _owner(each)["name"].update(deprecated=True),
        [Item("changed", "deprecated", "Owner.name", "", False, True)],
    ),
    "property described": (
        lambda each: _owner(each)["name"].update(description="Other."),
        [Item("changed", "description", "Owner.name", "", "The name.", "Other.")],
    ),
    "example changed": (
        lambda each: _coupon(each)["id"].update(example=8),
        [Item("changed", "example", "Coupon.id", "", 7, 8)],
    ),
    "default added": (
        lambda each: _owner(each)["level"].update(default=0),
        [Item("added", "default", "Owner.level", "default", None, 0)],
    ),
    "limit changed": (
        lambda each: _new_coupon(each)["value"].update(maxLength=50),
        [Item("changed", "constraint", "NewCoupon.value", "maxLength", 100, 50)],
    ),
    "limit removed": (
        lambda each: _new_coupon(each)["value"].pop("minLength"),
        [Item("removed", "constraint", "NewCoupon.value", "minLength", 2, None)],
    ),
    "limit no longer exclusive": (
        lambda each: _new_coupon(each)["limit"].pop("exclusiveMinimum"),
        [
            Item("removed", "constraint", "NewCoupon.limit", "exclusiveMinimum", 0, None),
            Item("added", "constraint", "NewCoupon.limit", "minimum", None, 0),
        ],
    ),
    "value of a list removed": (
        lambda each: _new_coupon(each)["tags"]["items"]["enum"].remove("b"),
        [Item("removed", "enum value", "NewCoupon.tags", "items.enum", "b", None)],
    ),
    "list of something else": (
        lambda each: _new_coupon(each)["tags"].update(items={"type": "integer"}),
        [Item("changed", "type", "NewCoupon.tags", "items", "string", "integer")],
    ),
}
