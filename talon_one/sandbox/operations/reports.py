"""Management operations that sum up what customers did in an Application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.operations.customers import customers_of, known_customer
from talon_one.sandbox.operations.lists import contains, respond
from talon_one.sandbox.operations.session_reads import discounts_of
from talon_one.sandbox.sessions.totals import worth
from talon_one.sandbox.sessions.update import CLOSED, PARTIALLY_RETURNED
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.journal import Entry
from talon_one.sandbox.values import ZERO, json_number


def _orders(call: Call, profile: Document) -> list[Document]:
    """Return the sessions of a customer that are closed, oldest first."""
    return [
        each
        for each in call.state.sessions.each(
            applicationId=call.application_id, profileId=profile["integrationId"]
        )
        if each["state"] in (CLOSED, PARTIALLY_RETURNED)
    ]


def _entries(call: Call, profile: Document, kind: str) -> list[Entry]:
    """Return the consequences of a kind for a customer, by campaigns of the Application."""
    campaigns = {
        each["id"] for each in call.state.campaigns.each(applicationId=call.application_id)
    }
    found = call.state.journal.of_profile(profile["integrationId"], kind)
    return [each for each in found if each.campaign_id in campaigns]


def _sum(amounts: Iterable[Any]) -> int | float:
    return json_number(sum(amounts, ZERO))


def get_analytics(call: Call) -> Result:
    """Handle getCustomerAnalytics."""
    profile = known_customer(call)
    orders = _orders(call, profile)
    discounts = [sum(discounts_of(call, each).values(), ZERO) for each in orders]
    return Result(
        200,
        {
            "acceptedCoupons": len(_entries(call, profile, "redeemCoupon")),
            "createdCoupons": len(_entries(call, profile, "createCoupon")),
            "freeItems": len(_entries(call, profile, "addFreeItemEffect")),
            "totalOrders": len(orders),
            "totalDiscountedOrders": len([each for each in discounts if each]),
            "totalRevenue": _sum(worth(each) for each in orders),
            "totalDiscounts": _sum(discounts),
        },
    )


def _range(call: Call) -> tuple[str, str]:
    start, end = call.query["rangeStart"], call.query["rangeEnd"]
    if end < start:
        details = "rangeEnd must not be before rangeStart"
        raise invalid(Problem("Invalid", details, parameter="rangeEnd"))
    return start, end


def _report(call: Call, profile: Document) -> Document:
    start, end = _range(call)
    events = [
        each
        for each in call.state.events.each(profileId=profile["integrationId"])
        if each["applicationId"] == call.application_id and start <= each["created"] <= end
    ]
    closed = {each["sessionId"] for each in events if each["type"] == "talon_session_closed"}
    orders = [each for each in _orders(call, profile) if each["integrationId"] in closed]
    effects = [effect["effectType"] for each in events for effect in each.get("effects") or ()]
    redeemed = [
        each for each in _entries(call, profile, "redeemCoupon") if start <= each.created <= end
    ]
    accepted, rejected = effects.count("acceptCoupon"), effects.count("rejectCoupon")
    discounts = (sum(discounts_of(call, each).values(), ZERO) for each in orders)
    return {
        "integrationId": profile["integrationId"],
        "created": profile["created"],
        "name": _name(profile),
        "customerId": profile["id"],
        "lastActivity": profile["lastActivity"],
        "couponRedemptions": len(redeemed),
        "couponUseAttempts": accepted + rejected,
        "couponFailedAttempts": rejected,
        "accruedDiscounts": _sum(discounts),
        "accruedRevenue": _sum(worth(each) for each in orders),
        "totalOrders": len(orders),
        "totalOrdersNoCoupon": len([each for each in orders if not each.get("couponCodes")]),
        "campaignName": _campaign(call, redeemed),
    }


def _name(profile: Mapping[str, Any]) -> str:
    return str((profile.get("attributes") or {}).get("Name") or "")


def _campaign(call: Call, entries: list[Entry]) -> str:
    """Return the name of the campaign of the latest consequence."""
    found = call.state.campaigns.get(entries[-1].campaign_id) if entries else None
    return str(found["name"]) if found else ""


def get_report(call: Call) -> Result:
    """Handle getCustomerActivityReport."""
    return Result(200, _report(call, known_customer(call)))


def get_reports(call: Call) -> Result:
    """Handle getCustomerActivityReports and getCustomerActivityReportsWithoutTotalCount."""
    _range(call)
    named = call.query.get("integrationId")
    found = []
    for profile in customers_of(call):
        if named in (None, "", profile["integrationId"]) and contains(call, "name", _name(profile)):
            report = _report(call, profile)
            if contains(call, "campaignName", report["campaignName"]) and _advocate(call, profile):
                found.append(report)
    return respond(call, found)


def _advocate(call: Call, profile: Document) -> bool:
    """Return whether a customer was referred by whom `advocateName` names."""
    if not call.query.get("advocateName"):
        return True
    for entry in _entries(call, profile, "redeemReferral"):
        referral = call.state.referrals.get(int(entry.target)) or {}
        advocate = call.state.profiles.first(
            integrationId=referral.get("advocateProfileIntegrationId", "")
        )
        if advocate is not None and contains(call, "advocateName", _name(advocate)):
            return True
    return False


OPERATIONS: Final = {
    "getCustomerAnalytics": get_analytics,
    "getCustomerActivityReport": get_report,
    "getCustomerActivityReports": get_reports,
    "getCustomerActivityReportsWithoutTotalCount": get_reports,
}
