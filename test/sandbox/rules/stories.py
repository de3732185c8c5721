"""Situations for the rule engine in a few words: blocks, campaigns, sessions, codes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sandbox.rules.facts_double import NOW, FactsDouble
from talon_one.sandbox.rules.compile import compile_ruleset
from talon_one.sandbox.rules.evaluate import evaluate
from talon_one.sandbox.rules.outcome import Evaluation
from talon_one.sandbox.rules.shop import CampaignEntry, Group, ShopSituation
from talon_one.sandbox.rules.situation import CouponEntry, Json, ReferralEntry

Block = dict[str, Any]

ALWAYS: Block = {"type": "checkAttribute", "operator": "exists", "attribute": "$Application.Id"}
NEVER: Block = {"type": "checkAttribute", "operator": "not(exists)", "attribute": "$Application.Id"}
BROKEN: Block = {
    "type": "checkAttribute",
    "operator": "isTrue",
    "attribute": "$Session.Attributes.Unknown",
}
COUPON: Block = {"type": "checkCoupon", "redeem": True}
REFERRAL: Block = {"type": "checkReferral", "redeem": True}


def off(value: Any = 10, name: str = "Off", target: Any = "cart", **more: Any) -> Block:
    """Return a discount; a target is a whole target, or its type."""
    target = target if isinstance(target, dict) else {"type": target}
    block = {"type": "awardDiscount", "name": name, "value": value, "target": target}
    return {"partial": False, **block, **more}


def note(title: str = "Hello", **more: Any) -> Block:
    """Return a notification."""
    return {"type": "showNotification", "notificationType": "Info", "title": title, **more}


def group(operator: str, *blocks: Block, **more: Any) -> Block:
    """Return a group of blocks."""
    return {"type": "group", "operator": operator, "blocks": list(blocks), **more}


def rule(*blocks: Block, title: str = "Rule") -> Json:
    """Return a rule."""
    return {"id": title, "title": title, "blocks": list(blocks)}


def campaign(
    campaign_id: int,
    *rules: Json,
    selectors: Sequence[Json] = (),
    bundles: Sequence[Json] = (),
    **properties: Any,
) -> CampaignEntry:
    """Return a campaign that runs, with all features."""
    ruleset = compile_ruleset(
        {
            "id": campaign_id * 10,
            "promotionRules": list(rules),
            "strikethroughRules": [],
            "selectors": list(selectors),
            "bundles": list(bundles),
            "parameters": [],
        }
    )
    entity = {"id": campaign_id, "name": f"Campaign {campaign_id}", "state": "enabled"}
    return CampaignEntry({**entity, **properties}, ruleset)


def item(price: float = 10, quantity: int = 1, **more: Any) -> Json:
    """Return a cart item."""
    return {"sku": "SKU", "name": "Thing", "price": price, "quantity": quantity, **more}


def session(*items: Json, costs: dict[str, float] | None = None, **more: Any) -> Json:
    """Return an open session of the profile `ann`, with its totals."""
    goods = sum(each["price"] * each["quantity"] for each in items)
    on_items = sum(
        cost["price"] for each in items for cost in each.get("additionalCosts", {}).values()
    )
    extra = sum((costs or {}).values())
    return {
        "integrationId": "order-1",
        "profileId": "ann",
        "state": "open",
        "cartItems": list(items),
        "additionalCosts": {name: {"price": price} for name, price in (costs or {}).items()},
        "attributes": {},
        "identifiers": [],
        "cartItemTotal": goods,
        "cartItemAdditionalCostTotal": on_items,
        "additionalCostTotal": extra,
        "total": goods + on_items + extra,
        **more,
    }


def coupon(campaign_id: int = 1, coupon_id: int = 5, **more: Any) -> Json:
    """Return a coupon without limits."""
    code = f"CODE-{coupon_id}"
    return {"id": coupon_id, "value": code, "campaignId": campaign_id, "usageLimit": 0, **more}


def referral(campaign_id: int = 1, **more: Any) -> Json:
    """Return a referral of the profile `bob`."""
    return {
        "id": 7,
        "code": "FRIEND",
        "campaignId": campaign_id,
        "advocateProfileIntegrationId": "bob",
        "usageLimit": 0,
        **more,
    }


def facts(**more: Any) -> FactsDouble:
    """Return facts with the profiles `ann` and `bob`."""
    profiles = {
        "Current": {"id": 1, "integrationId": "ann", "attributes": {}},
        "Advocate": {"id": 2, "integrationId": "bob", "attributes": {}},
    }
    return FactsDouble(**{"profiles": profiles, **more})


def situation(
    *campaigns: CampaignEntry,
    cart: Json | None = None,
    coupons: Sequence[Json | str] = (),
    friend: ReferralEntry | None = None,
    application: dict[str, Any] | None = None,
    tree: Group | None = None,
    known: FactsDouble | None = None,
    **more: Any,
) -> ShopSituation:
    """Return a situation; a text among the coupons is a code that nobody knows."""
    return ShopSituation(
        now=more.pop("now", NOW),
        application={"id": 1, "name": "Shop", "timezone": "UTC", **(application or {})},
        session=more.pop("session", session(item(100)) if cart is None else cart),
        event={"type": "talon_session_updated", "attributes": {}},
        campaigns={each.campaign["id"]: each for each in campaigns},
        facts=known or facts(),
        tree=tree or Group(members=tuple(each.campaign["id"] for each in campaigns)),
        coupons=[
            CouponEntry(each) if isinstance(each, str) else CouponEntry(each["value"], each)
            for each in coupons
        ],
        referral=friend,
        **more,
    )


def run(*campaigns: CampaignEntry, **more: Any) -> Evaluation:
    """Evaluate a situation."""
    return evaluate(situation(*campaigns, **more))


def types(evaluation: Evaluation) -> list[str]:
    """Return the types of the effects."""
    return [effect["effectType"] for effect in evaluation.effects]


def props(evaluation: Evaluation, effect_type: str) -> list[dict[str, Any]]:
    """Return the properties of the effects of a type."""
    return [effect["props"] for effect in evaluation.effects if effect["effectType"] == effect_type]


def values(evaluation: Evaluation, effect_type: str = "setDiscount") -> list[Any]:
    """Return the values of the effects of a type."""
    return [each["value"] for each in props(evaluation, effect_type)]


def counters(evaluation: Evaluation) -> dict[str, Decimal]:
    """Return what the consequences count, by key."""
    total: dict[str, Decimal] = {}
    for consequence in evaluation.consequences:
        for key, count in consequence.counters.items():
            total[key] = total.get(key, Decimal(0)) + count
    return total
