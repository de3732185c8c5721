"""Import and export of coupons as CSV files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final

from talon_one.sandbox import bodies, files, json_text, views
from talon_one.sandbox import campaign as builtin
from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.codes import ALPHABET, fill_pattern
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.management import (
    BATCH_PATTERN,
    LARGEST_ID,
    application_of,
    campaign_of,
    coupon_filter,
    new_coupon,
)
from talon_one.sandbox.validation import Problems

# Optional columns, and the property of a coupon that each one sets.
_OPTIONAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "startdate": "startDate",
        "expirydate": "expiryDate",
        "recipientintegrationid": "recipientIntegrationId",
        "limitval": "usageLimit",
        "discountlimit": "discountLimit",
        "attributes": "attributes",
    }
)
_EXPORTED: Final = tuple(views.coupon_row(builtin.COUPON, builtin.APPLICATION.id))
_FILTERS: Final = (
    "batchId",
    "campaignId",
    "createdAfter",
    "createdBefore",
    "exactMatch",
    "recipientIntegrationId",
    "referralId",
    "usable",
    "valid",
    "value",
    "valuesOnly",
)


def import_coupons(call: Call) -> Result:
    """Handle importCoupons: all coupons of a file in one new batch, or none of them."""
    campaign, store = campaign_of(call), call.store
    skip = call.query.flag("skipDuplicates")
    rows = files.read(call.body, required=("value",), optional=tuple(_OPTIONAL))
    batch_id = fill_pattern(BATCH_PATTERN, ALPHABET.lower())
    import_id = store.add_import(call.now)
    problems: Problems = []
    amount = 0
    for row in rows:
        sent, wrong = _checked(row)
        problems += wrong
        if wrong:
            continue
        if store.coupon(sent["value"]) is not None:
            if not skip:
                details = f"value: the code {sent['value']!r} exists already"
                problems.append(Problem("Duplicate", details, line=row.line))
            continue
        store.add_coupon(
            new_coupon(
                {_OPTIONAL.get(column, column): value for column, value in sent.items()},
                campaign_id=campaign.id,
                value=sent["value"],
                created=call.now,
                batch_id=batch_id,
                import_id=import_id,
            )
        )
        amount += 1
    # Raising rolls the transaction back, and with it the coupons of the valid rows.
    if problems:
        raise invalid(*problems)
    return Result(200, views.coupon_import(import_id, call.now, amount))


def _whole_number(cell: str) -> int:
    if not (cell.isascii() and cell.isdigit()):
        raise ValueError(f"{cell!r} is not a whole number")
    return int(cell)


_READERS: Final = (
    ("limitval", _whole_number),
    ("discountlimit", _whole_number),
    ("attributes", json_text.read),
)


def _checked(row: files.Row) -> tuple[dict[str, Any], Problems]:
    """Return the properties of the coupon of a row, and the problems of the row."""
    cells: dict[str, Any] = dict(row.cells)
    # An unreadable cell stays text, which the checks refuse with the right message.
    for column, read in _READERS:
        if column in cells:
            with suppress(ValueError):
                cells[column] = read(cells[column])
    found: Problems = []
    sent = bodies.COUPON_ROW(cells, "", found)
    problems = [
        Problem(one.title, f"{one.pointer.removeprefix('/')}: {one.details}", line=row.line)
        for one in found
    ]
    return sent, problems


def export_coupons(call: Call) -> Result:
    """Handle exportCoupons, with the filters that the sandbox knows."""
    application, query = application_of(call), call.query
    query.only(*_FILTERS)
    campaign_id = query.integer("campaignId", 0, 1, LARGEST_ID)
    passes = coupon_filter(query, call.now)
    items = [
        views.coupon_row(coupon, application.id)
        for campaign in call.store.campaigns()
        if campaign_id in (0, campaign.id)
        for coupon in call.store.coupons_of_campaign(campaign.id)
        if passes(coupon)
    ]
    columns = ("value",) if query.flag("valuesOnly") else _EXPORTED
    return Result(200, files.write(columns, items), files.CSV)
