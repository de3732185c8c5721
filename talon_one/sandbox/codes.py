"""Codes of coupons and referrals: looking them up as the Application writes them, and new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from talon_one.sandbox.call import Call
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State
from talon_one.sandbox.world import ALPHABET, World

DEFAULT_PATTERN = "#" * 12
REFERRAL_PATTERN = "#" * 8
BATCH_PATTERN = "#" * 8
ATTEMPTS = 10_000

_FORMS: dict[str, Callable[[str], str]] = {
    "insensitive-uppercase": str.upper,
    "insensitive-lowercase": str.lower,
}


def written(application: Document, code: str) -> str:
    """Return a code in the case that the Application stores and compares."""
    form = _FORMS.get(application.get("caseSensitivity", "sensitive"))
    return form(code) if form else code


def distinct(application: Document, codes: Iterable[str | None]) -> list[str]:
    """Return the codes in their order, each once however it is written."""
    found: dict[str, str] = {}
    for code in codes:
        if code:
            found.setdefault(written(application, code), code)
    return list(found.values())


def find_coupon(call: Call, code: str) -> Document | None:
    """Return a coupon of the Application by its code."""
    return call.state.coupons.first(
        _applicationId=call.application_id, value=written(call.application, code)
    )


def find_referral(call: Call, code: str) -> Document | None:
    """Return a referral of the Application by its code."""
    return call.state.referrals.first(
        _applicationId=call.application_id, code=written(call.application, code)
    )


def batch_id(world: World) -> str:
    """Return the ID of a new batch of coupons or referrals."""
    return world.code(BATCH_PATTERN, ALPHABET.lower())


def new_code(
    world: World,
    pattern: str,
    characters: Sequence[str] | None,
    taken: Callable[[str], bool],
    pointer: str = "/couponPattern",
) -> str:
    """Return a code that is not taken.

    Raises:
        ApiError: 400 if many attempts with the pattern find no free code.
    """
    for _ in range(ATTEMPTS if "#" in pattern else 1):
        code = world.code(pattern, characters or ALPHABET)
        if not taken(code):
            return code
    raise invalid(Problem("Pattern", "the codes of the pattern are taken", pointer))


def new_coupon(
    state: State,
    world: World,
    campaign: Document,
    settings: dict[str, Any],
    *,
    now: str,
    code: str = "",
) -> Document:
    """Store a coupon of a campaign and return it.

    Args:
        state: The state.
        world: Source of the code.
        campaign: The campaign.
        settings: Properties of the coupon, by names of the API; `couponPattern` and
            `validCharacters` make the code.
        now: Moment of its creation.
        code: The code, if it is not to be made from a pattern.
    """
    application = state.application(campaign["applicationId"])
    owner = application["id"]

    def taken(one: str) -> bool:
        value = written(application, one)
        return state.coupons.first(_applicationId=owner, value=value) is not None

    defaults = campaign.get("couponSettings") or {}
    pattern = settings.pop("couponPattern", None) or defaults.get("couponPattern")
    characters = settings.pop("validCharacters", None) or defaults.get("validCharacters")
    value = code or new_code(world, pattern or DEFAULT_PATTERN, characters, taken)
    return state.coupons.add(
        {
            "created": now,
            "campaignId": campaign["id"],
            "_applicationId": owner,
            "value": written(application, value),
            "usageLimit": 1,
            "usageCounter": 0,
            "reservationLimit": 0,
            "reservationCounter": 0,
            "attributes": {},
            "reservation": settings.get("recipientIntegrationId") is None,
            "isReservationMandatory": False,
            "implicitlyReserved": False,
            **settings,
        }
    )


def new_referral(
    state: State,
    world: World,
    campaign: Document,
    settings: dict[str, Any],
    *,
    now: str,
    code: str = "",
) -> Document:
    """Store a referral of a campaign and return it; the arguments are those of `new_coupon`."""
    application = state.application(campaign["applicationId"])
    owner = application["id"]

    def taken(one: str) -> bool:
        value = written(application, one)
        return state.referrals.first(_applicationId=owner, code=value) is not None

    defaults = campaign.get("referralSettings") or {}
    pattern = settings.pop("referralPattern", None) or defaults.get("couponPattern")
    characters = settings.pop("validCharacters", None) or defaults.get("validCharacters")
    value = code or new_code(
        world, pattern or REFERRAL_PATTERN, characters, taken, "/referralPattern"
    )
    return state.referrals.add(
        {
            "created": now,
            "campaignId": campaign["id"],
            "_applicationId": owner,
            "code": written(application, value),
            "usageLimit": 0,
            "usageCounter": 0,
            "attributes": {},
            **settings,
        }
    )
