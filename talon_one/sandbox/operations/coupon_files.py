"""Import and export of coupons as CSV files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from talon_one.sandbox.attributes import check_attributes
from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.codes import batch_id, find_coupon, new_coupon
from talon_one.sandbox.errors import ApiError, Problem
from talon_one.sandbox.operations.campaigns import in_state
from talon_one.sandbox.operations.coupon_changes import deleted_coupons
from talon_one.sandbox.operations.coupons import coupon_filter, matching
from talon_one.sandbox.operations.entities import campaign_of
from talon_one.sandbox.operations.lists import sort, within
from talon_one.sandbox.operations.transfers import export_rows, import_rows, moment
from talon_one.sandbox.profiles import ACCOUNT_ID
from talon_one.sandbox.state.documents import Document

# Columns, and the property of a coupon that each one sets.
COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "value": "value",
        "startdate": "startDate",
        "expirydate": "expiryDate",
        "recipientintegrationid": "recipientIntegrationId",
        "limitval": "usageLimit",
        "discountlimit": "discountLimit",
        "attributes": "attributes",
    }
)
_BOUNDS: Final = MappingProxyType({"value": {"max_length": 100}, "limitval": {"maximum": 999_999}})
_SORTABLE: Final = ("id", "created", "value", "usageCounter", "expiryDate", "startDate")


def attribute_problem(
    call: Call, entity: str, attributes: Mapping[str, Any] | None
) -> Problem | None:
    """Return what is wrong with the attributes in a row, None for nothing."""
    try:
        check_attributes(call, entity, attributes)
    except ApiError as cause:
        first = cause.problems[0]
        return Problem(first.title, f"attributes: {first.details}")
    return None


def import_coupons(call: Call) -> Result:
    """Handle importCoupons: all coupons of a file in one new batch, or none of them."""
    campaign, state = campaign_of(call), call.state
    batch = batch_id(call.world)

    def take(values: dict[str, Any], done: Document) -> bool | Problem:
        settings = {COLUMNS[column]: value for column, value in values.items()}
        code = settings.pop("value")
        if find_coupon(call, code) is not None:
            if call.query.get("skipDuplicates"):
                return False
            return Problem("Duplicate", f"value: the code {code!r} exists already")
        wrong = attribute_problem(call, "Coupon", settings.get("attributes"))
        if wrong:
            return wrong
        settings |= {"batchId": batch, "importId": done["id"]}
        new_coupon(state, call.world, campaign, settings, now=call.now, code=code)
        return True

    return import_rows(call, "Coupon", take, bounds=_BOUNDS)


def export_coupons(call: Call) -> Result:
    """Handle exportCoupons with its filters; deleted coupons are listed for seven days."""
    coupons = [each for each in _exported(call) if _campaign_fits(call, each)]
    rows = [_row(call, each) for each in sort(call, coupons, _SORTABLE)]
    columns = ("value",) if call.query.get("valuesOnly") else None
    return export_rows(call, rows, entity="Coupon", columns=columns)


def _exported(call: Call) -> Iterator[Document]:
    query = call.query
    only_deleted = "deletedBefore" in query or "deletedAfter" in query
    if not only_deleted:
        yield from matching(call, _applicationId=call.application_id)
    passes = coupon_filter(query, call.now)
    for each in deleted_coupons(call):
        campaign = call.state.campaigns.get(each["campaignId"])
        if passes(each) and within(call, "deleted", each["_deleted"]) and in_state(call, campaign):
            yield each


def _campaign_fits(call: Call, coupon: Document) -> bool:
    return call.query.get("campaignId") in (None, coupon["campaignId"])


def _row(call: Call, coupon: Document) -> dict[str, Any]:
    return {
        "accountid": ACCOUNT_ID,
        "applicationid": call.application_id,
        "attributes": coupon["attributes"],
        "batchid": coupon.get("batchId"),
        "campaignid": coupon["campaignId"],
        "counter": coupon["usageCounter"],
        "created": moment(coupon["created"]),
        "deleted": moment(coupon.get("_deleted")),
        "discount_counter": coupon.get("discountCounter", 0),
        "discount_limitval": coupon.get("discountLimit", 0),
        "expirydate": moment(coupon.get("expiryDate")),
        "id": coupon["id"],
        "importid": coupon.get("importId"),
        "is_reservation_mandatory": coupon["isReservationMandatory"],
        "limits": coupon.get("limits") or [],
        "limitval": coupon["usageLimit"],
        "recipientintegrationid": coupon.get("recipientIntegrationId"),
        "referralid": coupon.get("referralId"),
        "reservation": coupon["reservation"],
        "reservation_counter": coupon["reservationCounter"],
        "reservation_limitval": coupon["reservationLimit"],
        "startdate": moment(coupon.get("startDate")),
        "value": coupon["value"],
    }


OPERATIONS: Final = {"importCoupons": import_coupons, "exportCoupons": export_coupons}
