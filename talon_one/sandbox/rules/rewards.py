"""Compile effects that give something or show something: free items, giveaways, codes, notes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.budgets import ONE, claim, profile_id
from talon_one.sandbox.rules.compiled import Action, EffectFailed, Value
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.payloads import compile_params, json_of
from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.values import ZERO

Json: TypeAlias = Mapping[str, Any]

PROFILES: Final = ("Current", "Advocate")
NOTIFICATIONS: Final = ("Info", "Offer", "Error", "Misc")
MAXIMUM_ITEMS: Final = 1000
_MAXIMUM_ID: Final = Decimal(2) ** 63


def integration_id(scope: Scope, profile: str) -> str:
    """Return the integration ID of a profile.

    Raises:
        EffectFailed: If there is no such profile.
    """
    if profile == "Current":
        identity = profile_id(scope)
    else:
        identity = (scope.situation.facts.profile(profile) or {}).get("integrationId") or ""
    if not identity:
        raise EffectFailed(f"there is no {profile.lower()} profile")
    return identity


_NAMES: Final = {"giveawayPool": "giveaway pool", "loyaltyProgram": "loyalty program"}


def require(scope: Scope, kind: str, entity_id: int) -> None:
    """Check that there is what an effect refers to: it may have been deleted since.

    Raises:
        EffectFailed: If there is not.
    """
    if not scope.situation.facts.has(kind, entity_id):
        raise EffectFailed(f"there is no {_NAMES.get(kind, kind)} {entity_id}")


def compile_free_items(block: Json, context: Context) -> Action:
    """Compile an `awardItem` block."""
    sku = context.value(block, "sku", "text")
    name = context.value(block, "name", "text")
    quantity = context.value(block, "quantity", "quantity")
    partial = context.flag(block, "partial") if block.get("partial") is not None else None

    def award(run: Run, scope: Scope) -> None:
        cut = run.settings.partial if partial is None else partial
        award_items(run, scope, sku(scope), name(scope), quantity(scope), partial=cut)

    return award


def award_items(
    run: Run, scope: Scope, sku: str, name: str, quantity: Decimal, *, partial: bool
) -> None:
    """Give free items, one effect for each; fractions of an item are dropped.

    Raises:
        EffectFailed: If the budget is too small, or the quantity out of range.
    """
    wanted = quantity.to_integral_value(ROUND_FLOOR)
    if not ZERO <= wanted <= MAXIMUM_ITEMS:
        raise EffectFailed(f"{quantity} free items are not between 0 and {MAXIMUM_ITEMS}")
    if wanted == ZERO:
        return
    grant = claim(scope, "addFreeItemEffect", wanted, partial=partial)
    granted = int(grant.amount)
    if not granted:
        raise EffectFailed("the budget of addFreeItemEffect is used up")
    for _ in range(granted):
        props: dict[str, Any] = {"sku": sku, "name": name}
        if granted < wanted:
            props["desiredQuantity"] = int(wanted)
        effect = run.emit("addFreeItem", props)
        counters = dict.fromkeys(grant.counters, ONE)
        run.record("addFreeItemEffect", sku, ONE, effect, counters)


def compile_giveaway(block: Json, context: Context) -> Action:
    """Compile an `awardGiveaway` block."""
    pool_id = context.reference(block, "giveawayPool")
    pool_name = str(context.mapping(block, "giveawayPool").get("name") or "")
    profile = context.choice(block, "profile", PROFILES)

    def award(run: Run, scope: Scope) -> None:
        require(scope, "giveawayPool", pool_id)
        recipient = integration_id(scope, profile)
        key = f"giveaways of this run:{pool_id}"
        taken = run.used.get(key, ZERO)
        if scope.situation.facts.giveaways_left(pool_id) - taken < ONE:
            raise EffectFailed(f"the giveaway pool {pool_id} has no code left")
        grant = claim(scope, "awardGiveaway", ONE)
        props = {
            "poolId": pool_id,
            "poolName": pool_name,
            "recipientIntegrationId": recipient,
        }
        run.add(run.used, key, ONE)
        effect = run.emit("awardGiveaway" if run.closed else "willAwardGiveaway", props)
        details = {"poolId": pool_id, "recipientIntegrationId": recipient}
        run.record("awardGiveaway", str(pool_id), ONE, effect, grant.counters, details)

    return award


_CODE_OPTIONS: Final = {
    "usageLimit": "quantity",
    "discountLimit": "quantity",
    "startDate": "time",
    "expiryDate": "time",
    "validCharacters": "any",
    "pattern": "text",
}


def compile_create_coupon(block: Json, context: Context) -> Action:
    """Compile a `createCoupon` block."""
    return _compile_code(block, context, "recipientId", "createCoupon", "couponCreated")


def compile_create_referral(block: Json, context: Context) -> Action:
    """Compile a `createReferral` block."""
    return _compile_code(block, context, "friendId", "createReferral", "referralCreated")


def _compile_code(
    block: Json, context: Context, person: str, action: str, effect_type: str
) -> Action:
    campaign = context.value(block, "campaignId", "quantity")
    who = context.value({person: "", **block}, person, "text")
    store = context.flag(block, "storeInSession", False)
    options: dict[str, Value] = {}
    for name, kind in _CODE_OPTIONS.items():
        value = context.optional(block, name, kind)
        if value is not None:
            options[name] = value
    attributes = context.optional(block, "attributes")
    if attributes is not None:
        options["attributes"] = attributes

    def create(run: Run, scope: Scope) -> None:
        campaign_id = _campaign_id(campaign(scope))
        require(scope, "campaign", campaign_id)
        grant = claim(scope, action, ONE)
        details: dict[str, Any] = {
            "campaignId": campaign_id,
            person: who(scope),
            "storeInSession": store,
        }
        if action == "createReferral":
            details["advocateProfileIntegrationId"] = integration_id(scope, "Current")
        for name, value in options.items():
            details[name] = json_of(value(scope))
        if not run.closed:
            # The code is made when the session closes, and has no value before.
            return
        props = {"value": ""}
        if action == "createCoupon":
            props["profileId"] = details[person]
        effect = run.emit(effect_type, props)
        target = str(details["campaignId"])
        run.record(action, target, ONE, effect, grant.counters, details, reversible=False)

    return create


def _campaign_id(value: Decimal) -> int:
    if not ZERO < value < _MAXIMUM_ID or value != value.to_integral_value():
        raise EffectFailed(f"{value} is not the ID of a campaign")
    return int(value)


def compile_reserve_coupon(block: Json, context: Context) -> Action:
    """Compile a `reserveCoupon` block."""

    def reserve(run: Run, scope: Scope) -> None:
        coupon = scope.coupon
        if coupon is None:
            raise EffectFailed("no coupon is at hand")
        if coupon.get("recipientIntegrationId"):
            raise EffectFailed("a personal coupon cannot be reserved")
        recipient = integration_id(scope, "Current")
        held = scope.situation.facts.reservation(coupon["id"], "Current")
        key = f"reserved in this run:{coupon['id']}"
        is_new = not held and key not in run.used
        counters: Mapping[str, Decimal] = {}
        if is_new:
            counters = claim(scope, "reserveCoupon", ONE).counters
            run.add(run.used, key, ONE)
        props = {
            "couponValue": coupon["value"],
            "profileIntegrationId": recipient,
            "isNewReservation": is_new,
        }
        effect = run.emit("reserveCoupon", props)
        if is_new:
            run.record(
                "reserveCoupon",
                str(coupon["id"]),
                ONE,
                effect,
                counters,
                {"profileIntegrationId": recipient},
                early=True,
                reversible=False,
            )

    return reserve


def compile_notification(block: Json, context: Context) -> Action:
    """Compile a `showNotification` block."""
    kind = context.choice(block, "notificationType", NOTIFICATIONS)
    title = context.value(block, "title", "text")
    body = context.optional(block, "body", "text")

    def show(run: Run, scope: Scope) -> None:
        text = "" if body is None else body(scope)
        props = {"notificationType": kind, "title": title(scope), "body": text}
        run.emit("showNotification", props)

    return show


def compile_webhook(block: Json, context: Context) -> Action:
    """Compile a `triggerWebhook` block."""
    webhook_id = context.reference(block, "webhook")
    title = str(context.mapping(block, "webhook").get("title") or "")
    params = compile_params(block, context)

    def trigger(run: Run, scope: Scope) -> None:
        require(scope, "webhook", webhook_id)
        grant = claim(scope, "callApi", ONE)
        effect = run.emit("triggerWebhook", {"webhookId": webhook_id, "webhookName": title})
        details = {"params": params(scope)}
        run.record("callApi", str(webhook_id), ONE, effect, grant.counters, details)

    return trigger
