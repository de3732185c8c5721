"""What effects say about a session: discounts of its lines, its codes, and everything else.

The functions read JSON as the API gives it, and take it as it comes: a part that has an unexpected
shape is shown as it is, or left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

from talon_one.sandbox.page.reasons import sentence_of
from talon_one.sandbox.values import ZERO, json_number

Json: TypeAlias = Mapping[str, Any]
Names: TypeAlias = Mapping[int, str]
"""Names of campaigns by ID."""

_DISCOUNTS: Final = frozenset(
    {
        "setDiscount",
        "setDiscountPerItem",
        "setDiscountPerAdditionalCost",
        "setDiscountPerAdditionalCostPerItem",
    }
)
_CODES: Final = ("acceptCoupon", "rejectCoupon", "acceptReferral", "rejectReferral")


def number(value: Any) -> Decimal:
    """Return a JSON number as a decimal, and 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ZERO
    try:
        found = Decimal(str(value))
    except InvalidOperation:  # pragma: no cover  the text of a number is one
        return ZERO
    return found if found.is_finite() else ZERO


def source_of(effect: Json, names: Names) -> dict[str, Any]:
    """Return which rule of which campaign has an effect."""
    campaign_id = effect.get("campaignId")
    found: dict[str, Any] = {"campaignId": campaign_id, "rule": effect.get("ruleName") or ""}
    name = names.get(campaign_id) if isinstance(campaign_id, int) else None
    if name is not None:
        found["campaign"] = name
    return found


def cart_of(session: Json, effects: Sequence[Json], names: Names) -> dict[str, Any]:
    """Return the cart of a session with the discounts of its lines.

    Returns:
        `items`, `costs` and the discounts on the `session` itself, each discount with its source
        and, on an item, the units that it is about as `units`: pairs of a first and a last one.
        `totals` adds them up.
    """
    coupons = _accepted_by_id(effects)
    lines: dict[Any, dict[Any, dict[str, Any]]] = {}
    whole: list[dict[str, Any]] = []
    by_cost: dict[Any, list[dict[str, Any]]] = {}
    for effect in effects:
        kind, props = effect.get("effectType"), effect.get("props")
        if _hashable(kind) not in _DISCOUNTS or not isinstance(props, Mapping):
            continue
        discount = {
            "name": props.get("name") or "",
            "value": props.get("value"),
            **source_of(effect, names),
        }
        for key, value in (
            ("scope", props.get("scope")),
            ("wanted", props.get("desiredValue")),
            ("coupon", coupons.get(_hashable(effect.get("triggeredByCoupon")))),
        ):
            if value is not None and not (key == "wanted" and value == props.get("value")):
                discount[key] = value
        if kind == "setDiscount":
            whole.append(discount)
        elif kind == "setDiscountPerAdditionalCost":
            by_cost.setdefault(_hashable(props.get("additionalCost")), []).append(discount)
        else:
            if kind == "setDiscountPerAdditionalCostPerItem":
                discount["cost"] = props.get("additionalCost")
            position = _hashable(props.get("position"))
            _add_unit(lines.setdefault(position, {}), discount, props.get("subPosition"))
    items = [
        _item(item, index, list(lines.get(index, {}).values()))
        for index, item in enumerate(_objects(session.get("cartItems")))
    ]
    costs = _costs(session.get("additionalCosts"), by_cost)
    totals = _totals(session, effects)
    return {"items": items, "costs": costs, "session": whole, "totals": totals}


def _hashable(value: Any) -> Any:
    return value if isinstance(value, (str, int)) else None


def _objects(value: Any) -> list[Json]:
    listed = value if isinstance(value, (list, tuple)) else ()
    return [each for each in listed if isinstance(each, Mapping)]


def _accepted_by_id(effects: Iterable[Json]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for effect in effects:
        coupon_id, props = _hashable(effect.get("triggeredByCoupon")), effect.get("props")
        if effect.get("effectType") == "acceptCoupon" and coupon_id and isinstance(props, Mapping):
            found[coupon_id] = props.get("value")
    return found


def _add_unit(discounts: dict[Any, dict[str, Any]], discount: dict[str, Any], unit: Any) -> None:
    """Add the discount of a unit to those of its line; like ones of neighbors become one."""
    if not isinstance(unit, int):
        discounts[len(discounts)] = discount
        return
    ranges = discounts.setdefault(repr(discount), {**discount, "units": []})["units"]
    if ranges and ranges[-1][1] == unit - 1:
        ranges[-1][1] = unit
    else:
        ranges.append([unit, unit])


def _times(discount: Json) -> int:
    units = discount.get("units")
    return sum(last - first + 1 for first, last in units) if units else 1


def _sum(discounts: Iterable[Json]) -> Decimal:
    return sum((number(each["value"]) * _times(each) for each in discounts), ZERO)


def _item(item: Json, index: int, discounts: list[dict[str, Any]]) -> dict[str, Any]:
    quantity = item.get("quantity") or 0
    price = number(item.get("price"))
    found: dict[str, Any] = {
        "position": index,
        "sku": item.get("sku") or "",
        "name": item.get("name") or "",
        "quantity": quantity,
        "price": item.get("price"),
        "total": json_number(price * number(quantity)),
        "discount": json_number(_sum(discounts)),
        "discounts": discounts,
    }
    if item.get("returnedQuantity"):
        found["returned"] = item["returnedQuantity"]
    costs = _costs(item.get("additionalCosts"), {})
    if costs:
        found["costs"] = costs
    return found


def _costs(costs: Any, discounts: Mapping[Any, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    if not isinstance(costs, Mapping):
        return []
    return [
        {
            "name": name,
            "price": (cost or {}).get("price") if isinstance(cost, Mapping) else None,
            "discount": json_number(_sum(discounts.get(name, ()))),
            "discounts": discounts.get(name, []),
        }
        for name, cost in costs.items()
    ]


def _totals(session: Json, effects: Iterable[Json]) -> dict[str, Any]:
    discount = discount_of(effects)
    return {
        "items": session.get("cartItemTotal"),
        "costs": session.get("additionalCostTotal"),
        "total": session.get("total"),
        "discount": json_number(discount),
        "payable": json_number(number(session.get("total")) - discount),
    }


def discount_of(effects: Iterable[Json]) -> Decimal:
    """Return the sum of all discounts."""
    found = (
        each.get("props") for each in effects if _hashable(each.get("effectType")) in _DISCOUNTS
    )
    return sum((number(props.get("value")) for props in found if isinstance(props, Mapping)), ZERO)


def codes_of(session: Json, effects: Sequence[Json], names: Names) -> list[dict[str, Any]]:
    """Return the codes of a session: accepted, or refused with the reason in words.

    A code that no effect is about was not evaluated: `accepted` is None.
    """
    found: list[dict[str, Any]] = []
    for effect in effects:
        kind, props = effect.get("effectType"), effect.get("props")
        if kind in _CODES and isinstance(props, Mapping):
            found.append(_code(str(kind), effect, props, names))
    known = {(each["kind"], str(each["code"]).lower()) for each in found}
    listed = session.get("couponCodes")
    sent = [("coupon", code) for code in (listed if isinstance(listed, list) else ())]
    if session.get("referralCode"):
        sent.append(("referral", session["referralCode"]))
    for kind, code in sent:
        if (kind, str(code).lower()) not in known:
            known.add((kind, str(code).lower()))
            found.append({"kind": kind, "code": code, "accepted": None})
    return found


def _code(kind: str, effect: Json, props: Json, names: Names) -> dict[str, Any]:
    accepted = kind.startswith("accept")
    found: dict[str, Any] = {
        "kind": kind.removeprefix("accept").removeprefix("reject").lower(),
        "code": props.get("value"),
        "accepted": accepted,
        **source_of(effect, names),
    }
    if not accepted:
        reason = str(props.get("rejectionReason") or "")
        exclusion = str(props.get("campaignExclusionReason") or "")
        found["reason"] = reason
        found["sentence"] = sentence_of(reason, exclusion)
        if exclusion:
            found["exclusion"] = exclusion
        if props.get("details"):
            found["details"] = props["details"]
    return found


def others_of(effects: Sequence[Json], names: Names) -> list[dict[str, Any]]:
    """Return the effects that are neither discounts nor about codes, with their sources."""
    return [
        {
            "type": effect.get("effectType"),
            "props": effect.get("props"),
            **source_of(effect, names),
        }
        for effect in effects
        if _hashable(effect.get("effectType")) not in (*_DISCOUNTS, *_CODES)
    ]
