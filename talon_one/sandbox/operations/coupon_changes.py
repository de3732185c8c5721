"""Management operations that change and delete coupons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from talon_one.sandbox.attributes import check_attributes, merge_attributes
from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.operations.coupons import coupon_filter, matching
from talon_one.sandbox.operations.entities import Kind, of_campaign
from talon_one.sandbox.shapes import coupon_facts
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.values import hours_before

KEPT_HOURS: Final = 7 * 24
"""Hours for which exports list deleted coupons."""

_DATES: Final[Document] = {"startDate": None, "expiryDate": None}


def _prepare(call: Call, old: Document | None) -> Document:
    given = {**_DATES, "recipientIntegrationId": None, **call.body}
    _check_dates(given)
    return {**given, "reservation": given["recipientIntegrationId"] is None}


def _view(call: Call, coupon: Document) -> Document:
    return coupon_facts(call.state, coupon)


def _removed(call: Call, coupon: Document) -> None:
    call.state.reservations.delete(couponId=coupon["id"])
    call.state.deleted_coupons.add({**coupon_facts(call.state, coupon), "_deleted": call.now})


COUPONS: Final = Kind(
    table="coupons",
    label="Coupon",
    path_id="couponId",
    owner=of_campaign,
    view=_view,
    prepare=_prepare,
    removed=_removed,
    attributes="Coupon",
    logged=False,
)


def _check_dates(given: Document) -> None:
    start, expiry = given.get("startDate"), given.get("expiryDate")
    if start is not None and expiry is not None and expiry < start:
        details = "expiryDate must not be before startDate"
        raise invalid(Problem("Invalid", details, "/expiryDate"))


def update_batch(call: Call) -> Result:
    """Handle updateCouponBatch: all coupons of a batch, or of the campaign."""
    owner, sent = of_campaign(call), {**_DATES, **call.body}
    batch = sent.pop("batchID", None)
    _check_dates(sent)
    check_attributes(call, "Coupon", sent.get("attributes"))
    if batch:
        owner["batchId"] = batch
    for coupon in call.state.coupons.each(**owner):
        attributes = merge_attributes(coupon["attributes"], sent.get("attributes"))
        call.state.coupons.save({**coupon, **sent, "attributes": attributes})
    return NO_CONTENT


def delete_coupons(call: Call) -> Result:
    """Handle deleteCoupons: those that pass the filters, all of the campaign without filters."""
    _delete(call, list(matching(call, **of_campaign(call))))
    return NO_CONTENT


def create_deletion_job(call: Call) -> Result:
    """Handle createCouponsDeletionJob: the job is done when the response is sent."""
    owner, filters = of_campaign(call), call.body["filters"]
    passes = coupon_filter(filters, call.now)
    found = (coupon_facts(call.state, each) for each in call.state.coupons.each(**owner))
    _delete(call, [each for each in found if passes(each)])
    job = call.state.jobs.add({"created": call.now, **owner, "filters": filters})
    return Result(202, job)


def _delete(call: Call, coupons: Iterable[Document]) -> None:
    for coupon in coupons:
        COUPONS.remove(call, coupon)


def deleted_coupons(call: Call) -> list[Document]:
    """Return the coupons of the Application that were deleted in the last seven days."""
    since = hours_before(call.now, KEPT_HOURS)
    gone = call.state.deleted_coupons.each(_applicationId=call.application_id)
    return [each for each in gone if each["_deleted"] > since]


OPERATIONS: Final = {
    "updateCoupon": COUPONS.update,
    "updateCouponBatch": update_batch,
    "deleteCoupon": COUPONS.delete,
    "deleteCoupons": delete_coupons,
    "createCouponsDeletionJob": create_deletion_job,
}
