"""Management operations on referrals: list, change, delete, import and export."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.codes import find_referral, new_referral
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.operations.coupon_files import attribute_problem
from talon_one.sandbox.operations.coupons import validity
from talon_one.sandbox.operations.entities import Kind, campaign_of, of_campaign
from talon_one.sandbox.operations.lists import contains, within
from talon_one.sandbox.operations.transfers import export_rows, import_rows, moment
from talon_one.sandbox.shapes import referral_facts, used_up
from talon_one.sandbox.state.documents import Document

_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "code": "code",
        "advocateprofileintegrationid": "advocateProfileIntegrationId",
        "startdate": "startDate",
        "expirydate": "expiryDate",
        "limitval": "usageLimit",
        "attributes": "attributes",
    }
)
_BOUNDS: Final = MappingProxyType({"code": {"max_length": 100}, "limitval": {"maximum": 999_999}})


def _passes(call: Call, referral: Document) -> bool:
    query = call.query
    valid, usable = query.get("valid"), query.get("usable")
    facts = referral_facts(call.state, referral)
    return (
        contains(call, "code", referral["code"])
        and query.get("advocate") in (None, "", referral["advocateProfileIntegrationId"])
        and within(call, "created", referral["created"])
        and (not valid or validity(referral, call.now) == valid)
        and usable in (None, "", "false" if used_up(facts) else "true")
        and query.get("batchId") in (None, referral.get("batchId"))
        and query.get("campaignId") in (None, referral["campaignId"])
    )


def _view(call: Call, referral: Document) -> Document:
    return referral_facts(call.state, referral)


def _prepare(call: Call, old: Document | None) -> Document:
    given: Document = {**(old or {}), **call.body}
    start, expiry = given.get("startDate"), given.get("expiryDate")
    if start is not None and expiry is not None and expiry < start:
        details = "expiryDate must not be before startDate"
        raise invalid(Problem("Invalid", details, "/expiryDate"))
    sent: Document = call.body
    return sent


REFERRALS: Final = Kind(
    table="referrals",
    label="Referral",
    path_id="referralId",
    owner=of_campaign,
    passes=_passes,
    view=_view,
    prepare=_prepare,
    attributes="Referral",
    logged=False,
)


def import_referrals(call: Call) -> Result:
    """Handle importReferrals; advocates have to exist."""
    campaign, state = campaign_of(call), call.state

    def take(values: dict[str, Any], done: Document) -> bool | Problem:
        settings = {_COLUMNS[column]: value for column, value in values.items()}
        code, advocate = settings.pop("code"), settings["advocateProfileIntegrationId"]
        if find_referral(call, code) is not None:
            return Problem("Duplicate", f"code: the code {code!r} exists already")
        if state.profiles.first(integrationId=advocate) is None:
            details = f"advocateprofileintegrationid: there is no profile {advocate!r}"
            return Problem("Unknown", details)
        wrong = attribute_problem(call, "Referral", settings.get("attributes"))
        if wrong:
            return wrong
        settings = {"usageLimit": 1, "importId": done["id"], **settings}
        new_referral(state, call.world, campaign, settings, now=call.now, code=code)
        return True

    return import_rows(call, "Referral", take, bounds=_BOUNDS)


def export_referrals(call: Call) -> Result:
    """Handle exportReferrals with its filters."""
    owned = call.state.referrals.each(_applicationId=call.application_id)
    rows = [
        {
            **{column: each.get(name) for column, name in _COLUMNS.items()},
            "startdate": moment(each.get("startDate")),
            "expirydate": moment(each.get("expiryDate")),
        }
        for each in owned
        if _passes(call, each)
    ]
    return export_rows(call, rows, entity="Referral")


OPERATIONS: Final = {
    "getReferrals": REFERRALS.list,
    "getReferralsWithoutTotalCount": REFERRALS.list,
    "updateReferral": REFERRALS.update,
    "deleteReferral": REFERRALS.delete,
    "importReferrals": import_referrals,
    "exportReferrals": export_referrals,
}
