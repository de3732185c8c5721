"""The Management operations: read Applications and campaigns, read and create coupons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from talon_one.sandbox import views
from talon_one.sandbox.call import NO_CONTENT, Call, Query, Result
from talon_one.sandbox.codes import ALPHABET, fill_pattern, new_code
from talon_one.sandbox.errors import Problem, invalid, not_found
from talon_one.sandbox.records import Application, Campaign, Coupon

DEFAULT_PATTERN = "#" * 12
MAX_PAGE = 1_000
BATCH_PATTERN = "########"
LARGEST_ID = 2**63 - 1


def application_of(call: Call) -> Application:
    """Return the Application that the path names."""
    application = call.store.application()
    if call.ids[0] != str(application.id):
        raise not_found("Application")
    return application


def campaign_of(call: Call) -> Campaign:
    """Return the campaign that the path names."""
    application = application_of(call)
    for campaign in call.store.campaigns():
        if campaign.application_id == application.id and str(campaign.id) == call.ids[1]:
            return campaign
    raise not_found("Campaign")


def _sorted(query: Query, items: list[dict[str, Any]], allowed: Sequence[str]) -> None:
    """Sort in place by the `sort` parameter."""
    sort = query.one_of("sort", *allowed, *(f"-{name}" for name in allowed), default="id")
    name = sort.removeprefix("-")
    # Items without the property sort as the smallest.
    items.sort(key=lambda item: (name in item, item.get(name)), reverse=sort.startswith("-"))


def _page(query: Query, items: Sequence[Any]) -> tuple[Sequence[Any], bool]:
    """Return the requested page, and whether more items follow."""
    size = query.integer("pageSize", MAX_PAGE, 1, MAX_PAGE)
    skip = query.integer("skip", 0, 0, LARGEST_ID)
    return items[skip : skip + size], skip + size < len(items)


def _within(query: Query, stem: str, moment: str | None) -> bool:
    """Return whether a moment passes the filters `<stem>Before` and `<stem>After`."""
    before, after = query.time(f"{stem}Before"), query.time(f"{stem}After")
    if before is None and after is None:
        return True
    if moment is None:
        return False
    return (before is None or moment < before) and (after is None or moment > after)


def get_applications(call: Call) -> Result:
    """Handle getApplications."""
    items = [views.application(call.store.application())]
    _sorted(call.query, items, ("id", "created", "name"))
    page, _ = _page(call.query, items)
    return Result(200, {"totalResultSize": len(items), "data": page})


def get_application(call: Call) -> Result:
    """Handle getApplication."""
    return Result(200, views.application(application_of(call)))


def get_campaigns(call: Call) -> Result:
    """Handle getCampaigns with its filters."""
    application_of(call)
    found = [
        views.campaign(call.store, campaign)
        for campaign in call.store.campaigns()
        if _campaign_passes(call.query, campaign)
    ]
    _sorted(call.query, found, ("id", "created", "name"))
    page, _ = _page(call.query, found)
    return Result(200, {"totalResultSize": len(found), "data": page})


def _campaign_passes(query: Query, campaign: Campaign) -> bool:
    states = ("enabled", "disabled", "archived", "scheduled", "running", "expired", "staged")
    state = query.one_of("campaignState", *states)
    tags = (query.text("tags") or "").split(",")
    return (
        state in ("", campaign.state, "running" if campaign.running else "")
        and (query.text("name") or "").casefold() in campaign.name.casefold()
        and all(not tag or tag in campaign.tags for tag in tags)
        and _within(query, "created", campaign.created)
        # Campaigns of the sandbox have no schedule, group, template or store.
        and _within(query, "start", None)
        and _within(query, "end", None)
        and not any(query.text(one) for one in ("campaignGroupId", "templateId", "storeId"))
    )


def get_campaign(call: Call) -> Result:
    """Handle getCampaign."""
    return Result(200, views.campaign(call.store, campaign_of(call)))


def get_coupons(call: Call) -> Result:
    """Handle getCouponsWithoutTotalCount with its filters."""
    passes = coupon_filter(call.query, call.now)
    coupons = call.store.coupons_of_campaign(campaign_of(call).id)
    items = [views.coupon(one) for one in coupons if passes(one)]
    _sorted(call.query, items, ("id", "created", "value", "usageCounter", "expiryDate"))
    page, more = _page(call.query, items)
    if call.query.flag("valuesOnly"):
        page = [{"value": one["value"]} for one in page]
    return Result(200, {"hasMore": more, "data": page})


def _searchable(code: str) -> str:
    return "".join(filter(str.isalnum, code.casefold()))


def coupon_filter(query: Query, now: str) -> Callable[[Coupon], bool]:
    """Return the predicate for the filters of a query."""
    form: Callable[[str], str] = str.casefold if query.flag("exactMatch") else _searchable
    value = query.text("value")
    valid = query.one_of("valid", "expired", "validNow", "validFuture")
    usable = query.one_of("usable", "true", "false")
    redeemed = query.one_of("redeemed", "true", "false")
    recipient, batch = query.text("recipientIntegrationId"), query.text("batchId")
    referral = query.integer("referralId", 0, 0, LARGEST_ID)
    if usable and redeemed:
        details = "usable and redeemed exclude each other"
        raise invalid(Problem("Invalid", details, parameter="redeemed"))

    def passes(coupon: Coupon) -> bool:
        return (
            (value is None or form(value) == form(coupon.value))
            and (not valid or _validity(coupon, now) == valid)
            and usable in ("", "false" if coupon.used_up else "true")
            and redeemed in ("", "true" if coupon.usage_counter else "false")
            and (recipient is None or recipient == coupon.recipient)
            and (batch is None or batch == coupon.batch_id)
            # No rule of the sandbox creates coupons for referrals.
            and not referral
            and _within(query, "created", coupon.created)
            and _within(query, "starts", coupon.start_date)
            and _within(query, "expires", coupon.expiry_date)
        )

    return passes


def _validity(coupon: Coupon, now: str) -> str:
    if coupon.expiry_date is not None and coupon.expiry_date <= now:
        return "expired"
    started = coupon.start_date is None or coupon.start_date <= now
    return "validNow" if started else "validFuture"


def create_coupons(call: Call) -> Result:
    """Handle createCoupons: random codes, in one new batch."""
    silent = call.query.one_of("silent", "yes", "no", default="yes")
    campaign, sent, store = campaign_of(call), call.body, call.store
    batch_id = fill_pattern(BATCH_PATTERN, ALPHABET.lower())
    pattern = sent.get("couponPattern", DEFAULT_PATTERN)
    characters = sent.get("validCharacters") or ALPHABET
    made = [
        store.add_coupon(
            new_coupon(
                sent,
                campaign_id=campaign.id,
                value=new_code(pattern, characters, lambda one: store.coupon(one) is not None),
                created=call.now,
                batch_id=batch_id,
            )
        )
        for _ in range(sent["numberOfCoupons"])
    ]
    if silent == "yes":
        return NO_CONTENT
    return Result(200, {"totalResultSize": len(made), "data": [views.coupon(one) for one in made]})


def new_coupon(
    sent: Mapping[str, Any],
    *,
    campaign_id: int,
    value: str,
    created: str,
    batch_id: str,
    import_id: int | None = None,
) -> Coupon:
    """Return the coupon that the properties of `NewCoupons` describe."""
    return Coupon(
        id=0,
        campaign_id=campaign_id,
        value=value,
        created=created,
        usage_limit=sent.get("usageLimit", 1),
        usage_counter=0,
        reservation_limit=sent.get("reservationLimit", 0),
        reservation_counter=0,
        start_date=sent.get("startDate"),
        expiry_date=sent.get("expiryDate"),
        recipient=sent.get("recipientIntegrationId"),
        batch_id=batch_id,
        reservation_mandatory=sent.get("isReservationMandatory", False),
        implicitly_reserved=sent.get("implicitlyReserved", False),
        attributes=sent.get("attributes", {}),
        import_id=import_id,
    )
