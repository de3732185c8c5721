"""Management operations on coupons: list, search and create."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from talon_one.sandbox.attributes import check_attributes
from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.codes import batch_id, new_coupon
from talon_one.sandbox.contract.rules import MAX_COUPONS_WITH_PREFIX
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.operations.campaigns import in_state
from talon_one.sandbox.operations.entities import campaign_of
from talon_one.sandbox.operations.lists import between, has_attributes, respond
from talon_one.sandbox.profiles import ensure_profile
from talon_one.sandbox.shapes import coupon_facts, used_up
from talon_one.sandbox.state.documents import Document

_NOT_STORED: Final = (
    "numberOfCoupons",
    "uniquePrefix",
    "supportRequestId",
    "supportRequestNote",
    "couponSettings",
    "recipientsIntegrationIds",
)


def _searchable(code: str) -> str:
    return "".join(filter(str.isalnum, code.casefold()))


def coupon_filter(
    filters: Mapping[str, Any], now: str, attributes: Mapping[str, Any] | None = None
) -> Callable[[Document], bool]:
    """Return the predicate for the filters of a query or of a deletion job.

    Args:
        filters: The filters by their names.
        now: Moment of the request.
        attributes: Attributes that a coupon must have.

    Raises:
        ApiError: 400 for filters that exclude each other.
    """
    form: Callable[[str], str] = str.casefold if filters.get("exactMatch") else _searchable
    value, valid = filters.get("value") or None, filters.get("valid")
    usable, redeemed = _truth(filters.get("usable")), _truth(filters.get("redeemed"))
    if usable is not None and redeemed is not None:
        details = "usable and redeemed exclude each other"
        raise invalid(Problem("Invalid", details, parameter="redeemed"))

    def passes(coupon: Document) -> bool:
        return (
            (value is None or form(value) == form(coupon["value"]))
            and (not valid or validity(coupon, now) == valid)
            and usable in (None, not used_up(coupon))
            and redeemed in (None, coupon["usageCounter"] > 0)
            and all(
                filters.get(name) in (None, coupon.get(name))
                for name in ("recipientIntegrationId", "batchId", "referralId")
            )
            and all(
                between(coupon.get(name), filters.get(f"{stem}After"), filters.get(f"{stem}Before"))
                for stem, name in _MOMENTS
            )
            and has_attributes(coupon, attributes)
        )

    return passes


_MOMENTS: Final = (("created", "created"), ("starts", "startDate"), ("expires", "expiryDate"))


def _truth(value: Any) -> bool | None:
    """Return what a filter asks for, which is a boolean, a text, or absent."""
    return None if value in (None, "") else value in (True, "true")


def validity(code: Document, now: str) -> str:
    """Return the value of the filter `valid` that a coupon or referral passes."""
    expiry, start = code.get("expiryDate"), code.get("startDate")
    if expiry is not None and expiry <= now:
        return "expired"
    return "validNow" if start is None or start <= now else "validFuture"


def matching(call: Call, **where: Any) -> Iterator[Document]:
    """Yield the coupons that pass the filters of the query and the attributes of the body."""
    # A body may be any JSON object.
    wanted = call.body.get("attributes") if isinstance(call.body, Mapping) else None
    if wanted is not None and not isinstance(wanted, Mapping):
        raise invalid(Problem("Invalid type", "attributes must be an object", "/attributes"))
    passes = coupon_filter(call.query, call.now, wanted)
    campaigns: dict[int, bool] = {}
    for each in call.state.coupons.each(**where):
        owner = each["campaignId"]
        if owner not in campaigns:
            campaigns[owner] = in_state(call, call.state.campaigns.get(owner))
        if campaigns[owner] and passes(coupon := coupon_facts(call.state, each)):
            yield coupon


def get_coupons(call: Call) -> Result:
    """Handle the lists and searches of the coupons of a campaign."""
    listed = respond(call, matching(call, campaignId=campaign_of(call)["id"]))
    if not call.query.get("valuesOnly"):
        return listed
    values = [{"value": each["value"]} for each in listed.body["data"]]
    return replace(listed, body={**listed.body, "data": values}, whole=False)


def search_application(call: Call) -> Result:
    """Handle the searches of the coupons of an Application."""
    return respond(call, matching(call, _applicationId=call.application_id))


def _make(call: Call, campaign: Document, sent: Document, wanted: int) -> list[Document]:
    check_attributes(call, "Coupon", sent.get("attributes"))
    batch = batch_id(call.world)
    settings = {name: value for name, value in sent.items() if name not in _NOT_STORED}
    return [
        coupon_facts(
            call.state,
            new_coupon(
                call.state, call.world, campaign, {"batchId": batch, **settings}, now=call.now
            ),
        )
        for _ in range(wanted)
    ]


def _created(call: Call, made: list[Document]) -> Result:
    if call.query.get("silent", "yes") == "yes":
        return NO_CONTENT
    return Result(200, {"totalResultSize": len(made), "data": made})


def create_coupons(call: Call) -> Result:
    """Handle createCoupons: random codes, in one new batch."""
    campaign, sent = campaign_of(call), dict(call.body)
    prefix = sent.get("uniquePrefix")
    if prefix and not sent.get("couponPattern"):
        sent["couponPattern"] = f"{prefix}{'#' * 12}"
    return _created(call, _make(call, campaign, sent, sent["numberOfCoupons"]))


def create_for_recipients(call: Call) -> Result:
    """Handle createCouponsForMultipleRecipients: a personal coupon for each of them."""
    campaign, sent = campaign_of(call), dict(call.body)
    recipients = sent["recipientsIntegrationIds"]
    _check_pattern(sent, len(recipients), "/couponPattern")
    batch = batch_id(call.world)
    made = []
    for recipient in recipients:
        ensure_profile(call.state, recipient, call.now)
        own = {**sent, "batchId": batch, "recipientIntegrationId": recipient}
        made += _make(call, campaign, own, 1)
    return _created(call, made)


def create_asynchronously(call: Call) -> Result:
    """Handle createCouponsAsynchronously: the coupons exist when the response is sent."""
    campaign, sent = campaign_of(call), dict(call.body)
    wanted = sent["numberOfCoupons"]
    if wanted > MAX_COUPONS_WITH_PREFIX:
        details = f"the sandbox creates at most {MAX_COUPONS_WITH_PREFIX} coupons by one request"
        raise invalid(Problem("range", details, "/numberOfCoupons"))
    sent |= sent.get("couponSettings") or {}
    _check_pattern(sent, wanted, "/couponSettings/couponPattern")
    made = _make(call, campaign, {"batchId": batch_id(call.world), **sent}, wanted)
    return Result(200, {"batchId": made[0]["batchId"]})


def _check_pattern(sent: Document, wanted: int, pointer: str) -> None:
    """Refuse a pattern that cannot produce the number of codes."""
    pattern = sent.get("couponPattern")
    characters = set(sent.get("validCharacters") or range(36))
    if pattern is not None and len(characters) ** pattern.count("#") < wanted:
        details = f"the pattern cannot produce {wanted} different codes"
        raise invalid(Problem("Pattern", details, pointer))


OPERATIONS: Final = {
    "getCoupons": get_coupons,
    "getCouponsWithoutTotalCount": get_coupons,
    "getCouponsByAttributes": get_coupons,
    "searchCouponsAdvanced": get_coupons,
    "searchCouponsAdvancedWithoutTotalCount": get_coupons,
    "getCouponsByAttributesApplicationWide": search_application,
    "searchCouponsAdvancedApplicationWide": search_application,
    "searchCouponsAdvancedApplicationWideWithoutTotalCount": search_application,
    "createCoupons": create_coupons,
    "createCouponsForMultipleRecipients": create_for_recipients,
    "createCouponsAsynchronously": create_asynchronously,
}
