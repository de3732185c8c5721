"""Small OpenAPI documents of two releases, for the tests of ``python -m codegen drift``."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import yaml

from codegen.drift.documents import Document
from codegen.drift.normal_form import normal_form
from codegen.drift.shapes import NormalForm

Node = dict[str, Any]
Edit = Callable[[Node], object]

RELEASE = """
openapi: 3.0.3
info: {title: Shop API, version: '1'}
security: [{api_key_v1: []}]
paths:
  /v1/coupons/{couponId}:
    put:
      operationId: updateCoupon
      tags: [management]
      summary: Update a coupon
      description: Changes a coupon.
      parameters:
      - {name: couponId, in: path, required: true, schema: {type: integer}}
      - name: silent
        in: query
        description: Whether to return nothing.
        schema: {type: string, enum: ['yes', 'no']}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewCoupon'}
      responses:
        '200':
          description: OK
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Coupon'}
        '404':
          description: Not Found
components:
  schemas:
    NewCoupon:
      description: What makes a coupon.
      type: object
      required: [value]
      properties:
        value: {type: string, minLength: 2, maxLength: 100}
        limit: {type: integer, minimum: 0, exclusiveMinimum: true}
        startDate: {type: string, format: date-time}
        tags: {type: array, items: {type: string, enum: [a, b]}}
    Coupon:
      description: A coupon.
      type: object
      required: [id, value]
      properties:
        id: {description: ID of the coupon., type: integer, example: 7}
        value: {description: The code., type: string, nullable: true}
        state: {description: What becomes of it., type: string, enum: [used, free]}
        owner: {$ref: '#/components/schemas/Owner'}
        attributes: {description: Free form., type: object}
    Owner:
      description: Who has it.
      type: object
      properties:
        name: {description: The name., type: string}
        email: {description: The address., type: string}
        since: {description: When it began., type: string, format: date}
        level: {description: How much it is., type: integer}
"""


def release() -> Node:
    """Return the document of a release, to be edited."""
    return deepcopy(_read())


@cache
def _read() -> Node:
    document: Node = yaml.safe_load(RELEASE)
    return document


def edited(edit: Edit, document: Node | None = None) -> Node:
    """Return a document after an edit."""
    copied = deepcopy(document) if document is not None else release()
    edit(copied)
    return copied


def schemas(document: Node) -> Node:
    """Return the schemas of a document."""
    found: Node = document["components"]["schemas"]
    return found


def operation(document: Node) -> Node:
    """Return the only operation of the document of a release."""
    found: Node = document["paths"]["/v1/coupons/{couponId}"]["put"]
    return found


def form(document: Node) -> NormalForm:
    """Return the normal form of a document."""
    return normal_form(Document("release.yaml", document))


def in_31(node: Any) -> Any:
    """Return what a document of 3.0 is when it is written in 3.1."""
    if isinstance(node, list):
        return [in_31(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {key: in_31(value) for key, value in node.items()}
    if found.get("openapi") == "3.0.3":
        found["openapi"] = "3.1.0"
    nullable = found.get("nullable")
    if isinstance(nullable, bool):
        del found["nullable"]
        if nullable and isinstance(found.get("type"), str):
            found["type"] = [found["type"], "null"]
        elif nullable and "allOf" in found:
            found["anyOf"] = [*found.pop("allOf"), {"type": "null"}]
        elif nullable:
            found["anyOf"] = [{}, {"type": "null"}]
    for bound, exclusive in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):
        if isinstance(found.get(exclusive), bool):
            strict = found.pop(exclusive)
            if strict and bound in found:
                found[exclusive] = found.pop(bound)
    if isinstance(found.get("enum"), list) and len(found["enum"]) == 1:
        (found["const"],) = found.pop("enum")
    if "example" in found and not isinstance(found["example"], dict):
        found["examples"] = [found.pop("example")]
    return found
