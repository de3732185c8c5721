"""Find the code behind `triggeredByCoupon`, which is an internal ID, without guessing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from talon_one._schema.access import data_of

if TYPE_CHECKING:
    from talon_one.models import Effect

_OWN_CODE = ("acceptCoupon", "rejectCoupon")
"""Effect types whose `value` is the code of the coupon that triggered them."""


def codes_by_coupon_id(effects: Iterable[Effect], coupons: object = None) -> dict[int, str]:
    """Return the codes of coupons by internal ID, as far as a response says them.

    The sources are, in this order:

    1. The coupons of the response. They have both ID and code.
    2. Effects that accept or reject a code and name the coupon that triggered them.
    3. Servers may leave out that name. If the effects of a rule that succeeded name one coupon, and
       the rule accepts one code, they belong together.

    If a source has two codes for an ID, or the third one has two IDs for a code, the ID has no
    code.

    Args:
        effects: All effects of the response.
        coupons: The `coupons` of the response, if there are any.
    """
    found = _of_coupons(coupons)
    sources = [data_of(effect) for effect in effects]
    own = _of_own_codes(sources)
    for coupon_id, codes in own.items():
        if coupon_id not in found and len(codes) == 1:
            found[coupon_id] = next(iter(codes))
    inferred = _of_rules(sources)
    owners = Counter(code for codes in inferred.values() for code in codes)
    owners.update(found.values())
    for coupon_id, codes in inferred.items():
        code = next(iter(codes))
        if (
            coupon_id not in found
            and coupon_id not in own
            and len(codes) == 1
            and owners[code] == 1
        ):
            found[coupon_id] = code
    return found


def coupon_id_of(effect: dict[str, Any]) -> int | None:
    """Return the internal ID of the coupon that triggered an effect, given as a JSON object."""
    value = effect.get("triggeredByCoupon")
    # Some servers write 0 where there is no coupon.
    return value if type(value) is int and value > 0 else None


def _of_coupons(coupons: object) -> dict[int, str]:
    found = {}
    for coupon in map(data_of, coupons if isinstance(coupons, list) else ()):
        if isinstance(coupon, dict):
            coupon_id, code = coupon.get("id"), coupon.get("value")
            if type(coupon_id) is int and type(code) is str and code:
                found[coupon_id] = code
    return found


def _of_own_codes(effects: Iterable[dict[str, Any]]) -> dict[int, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for effect in effects:
        coupon_id, code = coupon_id_of(effect), _own_code(effect)
        if coupon_id is not None and code is not None:
            found[coupon_id].add(code)
    return found


def _of_rules(effects: Iterable[dict[str, Any]]) -> dict[int, set[str]]:
    """Return the codes that rules accept without naming a coupon, by the one coupon they name."""
    ids: defaultdict[tuple[Any, ...], set[int]] = defaultdict(set)
    codes: defaultdict[tuple[Any, ...], set[str]] = defaultdict(set)
    for effect in effects:
        rule = tuple(map(effect.get, ("campaignId", "rulesetId", "ruleIndex")))
        # Effects of a condition that failed come from a coupon that the rule does not accept.
        if not all(type(each) is int for each in rule) or "conditionIndex" in effect:
            continue
        coupon_id, code = coupon_id_of(effect), _own_code(effect)
        if coupon_id is not None:
            ids[rule].add(coupon_id)
        elif code is not None and effect["effectType"] == "acceptCoupon":
            codes[rule].add(code)
    found: defaultdict[int, set[str]] = defaultdict(set)
    for rule, accepted in codes.items():
        # Of two coupons, nothing says which one has the code; of two codes, which one is meant.
        if len(ids[rule]) == len(accepted) == 1:
            found[next(iter(ids[rule]))] |= accepted
    return found


def _own_code(effect: dict[str, Any]) -> str | None:
    kind = effect.get("effectType")
    if type(kind) is not str or kind not in _OWN_CODE:
        return None
    props = data_of(effect.get("props"))
    code = props.get("value") if isinstance(props, dict) else None
    return code if type(code) is str and code else None
