"""Shops in a few words: seeds of one Application with campaigns that a story needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.conftest import Client, Reply
from talon_one.effects import discounts, rolled_back
from talon_one.effects import summary as summarized
from talon_one.sandbox.contract.conformance import violations

Json = dict[str, Any]

NOON = "2026-03-02T12:00:00Z"
"""A Monday, at which the clock of a story stands at first."""

COUPON: Json = {"type": "checkCoupon", "redeem": True}
REFERRAL: Json = {"type": "checkReferral", "redeem": True}
MUGS: Json = {"name": "Mug", "sku": "MUG-1", "quantity": 2, "price": 12.5}
TEA: Json = {"name": "Tea", "sku": "TEA-9", "quantity": 1, "price": 5}


def item(price: float = 10, quantity: int = 1, sku: str = "SKU", **more: Any) -> Json:
    """Return a cart item."""
    return {"name": sku, "sku": sku, "price": price, "quantity": quantity, **more}


def off(value: Any = 10, name: str = "Off", target: Any = "cart", **more: Any) -> Json:
    """Return a discount; a target is a whole target, or its type."""
    target = target if isinstance(target, dict) else {"type": target}
    given = {"type": "awardDiscount", "name": name, "value": value, "target": target}
    return {"partial": False, **given, **more}


def note(title: str = "Hello", **more: Any) -> Json:
    """Return a notification."""
    return {"type": "showNotification", "notificationType": "Info", "title": title, **more}


def check(attribute: str, operator: str, value: Any = None, **more: Any) -> Json:
    """Return a condition on an attribute."""
    operand = {} if value is None else {"value": value}
    return {
        "type": "checkAttribute",
        "attribute": attribute,
        "operator": operator,
        **operand,
        **more,
    }


def points(value: Any, program: int = 1, **more: Any) -> Json:
    """Return a block that awards points."""
    reference = {"id": program, "name": "stars", "title": "Stars"}
    block = {"type": "awardLoyaltyPoints", "name": "Earned", "program": reference, "subledger": ""}
    return {**block, "value": value, **more}


def spend(value: Any, program: int = 1, **more: Any) -> Json:
    """Return a block that redeems points."""
    reference = {"id": program, "name": "stars", "title": "Stars"}
    block = {"type": "redeemLoyaltyPoints", "name": "Spent", "program": reference, "subledger": ""}
    return {**block, "value": value, **more}


def rule(*blocks: Json, title: str = "Rule") -> Json:
    """Return a rule whose blocks have IDs."""
    return {"id": title, "title": title, "blocks": [_numbered(each) for each in blocks]}


def _numbered(block: Json) -> Json:
    inner: Json = {
        name: [_numbered(each) for each in block[name]]
        for name in ("blocks", "onFailure")
        if name in block
    }
    return {"id": block.get("id", "b"), **block, **inner}


def campaign(*rules: Json, id: int = 12, **more: Any) -> Json:
    """Return a campaign; further lists of its ruleset go under their names."""
    ruleset = {"id": id * 10, "promotionRules": list(rules)}
    for name in ("selectors", "bundles", "parameters", "strikethroughRules"):
        ruleset[name] = more.pop(name, [])
    return {"id": id, "name": f"Campaign {id}", "ruleset": ruleset, **more}


def v1_campaign(*rules: Json, id: int = 12, **more: Any) -> Json:
    """Return a campaign with a V1 ruleset."""
    ruleset = {"id": id * 10, "rules": list(rules), "bindings": more.pop("bindings", [])}
    return {"id": id, "name": f"Campaign {id}", "ruleset": ruleset, **more}


def shop(*campaigns: Json, account: Json | None = None, **application: Any) -> Json:
    """Return the seed of an Application that accepts undefined names."""
    first = {"id": 3, "name": "Shop", "undefinedNames": "accept", "secret": "fefecafedeadbeef"}
    return {
        **(account or {}),
        "applications": [{**first, **application, "campaigns": list(campaigns)}],
    }


def effects(reply: Reply, effect_type: str | None = None) -> list[Any]:
    """Return the effects of a successful response, those of one type if it is given."""
    assert reply.status in (200, 201), reply.json
    found: list[Any] = reply.json["effects"]
    for each in found:
        faults = violations(_model_of(each["effectType"]), each["props"])
        assert faults == [], (each, faults)
    _check_summary(found)
    return [each for each in found if effect_type in (None, each["effectType"])]


def _check_summary(found: list[Any]) -> None:
    """Check that a summary of the effects has each of them once, with exact sums."""
    summary = summarized(found)
    assert (summary.unknown, summary.malformed) == ([], [])
    assert summary.sums == discounts(found)
    assert summary.rolled_back.sums == rolled_back(found)
    assert sum(map(len, summary.by_place().values())) == len(found)


def _model_of(effect_type: str) -> str:
    name = {"customEffect": "Custom"}.get(effect_type, effect_type[0].upper() + effect_type[1:])
    return f"{name}EffectProps"


def kinds(reply: Reply) -> list[str]:
    """Return the types of the effects, sorted."""
    return sorted(each["effectType"] for each in effects(reply))


def props(reply: Reply, effect_type: str) -> list[Any]:
    """Return the properties of the effects of a type."""
    return [each["props"] for each in effects(reply, effect_type)]


def only(found: Iterable[Any]) -> Any:
    """Return the one element."""
    [element] = found
    return element


def reason(reply: Reply, kind: str = "rejectCoupon") -> Any:
    """Return why the one rejected code was rejected."""
    return only(props(reply, kind))["rejectionReason"]


def problem(reply: Reply) -> Any:
    """Return the one problem of a refused request."""
    assert reply.status == 400, reply.json
    return only(reply.json["errors"])


def returned(api: Client, *lines: Json, query: str = "", wanted: Iterable[str] = ()) -> Reply:
    """Return cart items of the session `order-1`."""
    body = {"return": {"returnedCartItems": list(lines)}, "responseContent": list(wanted)}
    return api.send("POST", f"/v2/customer_sessions/order-1/returns{query}", body)


def reopened(api: Client) -> Reply:
    """Reopen the session `order-1`."""
    return api.send("PUT", "/v2/customer_sessions/order-1/reopen")
