"""A program as users write it, for type checkers: it is never run.

What stands here without a comment must be accepted, with the very types that `assert_type` names.
Each ``type: ignore`` marks a mistake that must be reported: mypy in strict mode complains of
one that hides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import urllib3
from typing_extensions import assert_type

import talon_one
from talon_one import (
    ApiClient,
    ApiException,
    ApiResponse,
    Configuration,
    Effect,
    IntegrationApi,
    IntegrationRequest,
    IntegrationStateV2,
    ManagementApi,
    Model,
    NewCustomerSessionV2,
    RejectCouponEffectProps,
    SetDiscountEffectProps,
    aio,
)
from talon_one.aio.pagination import AsyncItems
from talon_one.effects import EffectFailure, EffectHandler, ItemUnit, discounts
from talon_one.exceptions import ErrorEntry, NotFoundException
from talon_one.limiter import Limiter
from talon_one.models.cart_item import CartItem
from talon_one.models.coupon import Coupon
from talon_one.models.customer_profile import CustomerProfile
from talon_one.models.customer_session_v2 import CustomerSessionV2
from talon_one.models.get_applications200_response import GetApplications200Response
from talon_one.models.limit_config import LimitConfig
from talon_one.models.message_log_entry import MessageLogEntry
from talon_one.models.multiple_customer_profile_integration_request_item import (
    MultipleCustomerProfileIntegrationRequestItem,
)
from talon_one.pagination import Items, Position

integration = IntegrationApi(host="https://example.talon.one", api_key="secret")
management = ManagementApi(ApiClient(Configuration(api_key={"management_key": "secret"})))
request = IntegrationRequest(customer_session=NewCustomerSessionV2(profile_id="zoe"))

# Methods: what they take
integration.update_customer_session_v2("session", request)
integration.update_customer_session_v2("session", {"customerSession": {}}, dry=True)
integration.update_customer_session_v2("session", request, _request_timeout=(1, 5))
integration.update_customer_session_v2("session", request, _headers={"X-Trace": "1"})
integration.update_customer_session_v2("session")  # type: ignore[call-arg]  # no body
integration.update_customer_session_v2("s", request, dri=True)  # type: ignore[call-arg]  # typo
integration.update_customer_session_v2("session", Coupon)  # type: ignore[arg-type]  # wrong model
integration.update_customer_session_v2("s", request, dry="yes")  # type: ignore[arg-type]  # text
integration.update_customer_sesion("session", request)  # type: ignore[attr-defined]  # typo
integration.get_coupons(1, 2)  # type: ignore[attr-defined]  # a method of the other API

# Methods: what they return
state = integration.update_customer_session_v2("session", request)
assert_type(state, IntegrationStateV2)
full = integration.update_customer_session_v2_with_http_info("session", request)
assert_type(full, ApiResponse[IntegrationStateV2])
assert_type(full.data, IntegrationStateV2)
assert_type(full.status_code, int)
raw = integration.update_customer_session_v2_without_preload_content("session", request)
assert_type(raw, urllib3.BaseHTTPResponse)
assert_type(integration.delete_coupon_reservation("code", {"integrationIDs": []}), None)
assert_type(management.export_coupons(1), str)
assert_type(management.get_applications().data[0].name, str)

# Iterations: what they take, and what comes out of them
coupons = management.iterate(management.get_coupons_without_total_count, 3, 12, page_size=50)
assert_type(coupons, Items[Coupon])
assert_type(next(coupons), Coupon)
assert_type([coupon.value for coupon in coupons], list[str | None])
coupons.configure(page_limit=2, limiter=False, resume_from=coupons.position)
coupons.configure(limiter=Limiter(10), resume_from=Position(skip=100))
coupons.configure(pagelimit=2)  # type: ignore[call-arg]  # typo
for name in management.iterate(management.get_application_event_types, 3):
    assert_type(name, str)
for customer in management.iterate(management.get_customers_by_attributes, {"attributes": {}}):
    assert_type(customer, CustomerProfile)

# Bulk work: rows are dicts or the right models, options are known
rows = ({"integrationId": str(number)} for number in range(3))
done = talon_one.bulk.upsert_profiles(integration, rows, concurrency=2, _request_timeout=3)
assert_type(done, talon_one.bulk.Summary)
assert_type(done.sent, int)
talon_one.bulk.upsert_profiles(integration, [MultipleCustomerProfileIntegrationRequestItem()])  # type: ignore[call-arg]  # an ID is missing
talon_one.bulk.upsert_profiles(integration, [CartItem(sku="a", quantity=1)])  # type: ignore[list-item]  # another model
talon_one.bulk.upsert_profiles(integration, rows, concurency=2)  # type: ignore[call-arg]  # typo
talon_one.bulk.upsert_profiles(management, rows)  # type: ignore[arg-type]  # the other API
talon_one.bulk.create_coupons(management, 3, 12, [{"numberOfCoupons": 3}], failures="failed.jsonl")
for entry in management.iterate(management.get_message_logs, "application", _deadline=5):
    assert_type(entry, MessageLogEntry)
for page in management.pages(management.get_applications, sort="name"):
    assert_type(page, GetApplications200Response)
management.iterate(management.get_coupons_without_total_count, 3)  # type: ignore[call-arg]  # campaign
management.iterate(management.get_applications, page_sise=5)  # type: ignore[call-arg]  # typo
management.iterate(management.get_account, 3)  # type: ignore[arg-type]  # no list
management.pages(management.get_account, 3)  # type: ignore[type-var]  # no list


async def read_coupons(awaited: aio.ManagementApi) -> None:
    coupons = awaited.iterate(awaited.get_coupons_without_total_count, 3, 12)
    assert_type(coupons.configure(page_limit=3), AsyncItems[Coupon])
    async for coupon in coupons:
        assert_type(coupon, Coupon)
    async for page in awaited.pages(awaited.get_applications):
        assert_type(page, GetApplications200Response)
    awaited.iterate(awaited.get_applications, page_sise=5)  # type: ignore[call-arg]  # typo
    awaited.iterate(management.get_applications)  # type: ignore[arg-type]  # of the other client


async def send_profiles(awaited: aio.IntegrationApi) -> None:
    assert_type(await aio.bulk.upsert_profiles(awaited, rows), talon_one.bulk.Summary)
    await aio.bulk.upsert_profiles(integration, rows)  # type: ignore[arg-type]  # it blocks


# The variants take what the method takes.
integration.update_customer_session_v2_with_http_info("s")  # type: ignore[call-arg]  # no body
integration.update_customer_session_v2_with_http_info(1, request)  # type: ignore[arg-type]  # int

# Models: what their constructors take
CartItem(sku="shoe", quantity=1, attributes={"size": 42})
CartItem(sku="shoe", quantity=1, price=None)
CartItem(sku="shoe", quantity=1, catalogue_item_id=3)  # type: ignore[call-arg]  # typo
CartItem(sku="shoe")  # type: ignore[call-arg]  # quantity is required
CartItem(sku="shoe", quantity="one")  # type: ignore[arg-type]  # text for a number
NewCustomerSessionV2(state="closed", cart_items=[CartItem(sku="shoe", quantity=1)])
NewCustomerSessionV2(state="close")  # type: ignore[arg-type]  # no such state
NewCustomerSessionV2(cart_items=[{"sku": "shoe"}])  # type: ignore[list-item]  # a dict
CartItem(sku="shoe", quantity=1, category=talon_one.NULL)

# Models: what their attributes are
coupon = Coupon.from_dict({"value": "SPRING"})
assert_type(coupon, Coupon)
assert_type(coupon.copy(), Coupon)
assert_type(coupon.value, str | None)
assert_type(coupon.created, datetime)
assert_type(coupon.limits, list[LimitConfig] | None)
assert_type(coupon.attributes, dict[str, Any] | None)
assert_type(state.effects, list[Effect])
assert_type(state.customer_session, CustomerSessionV2 | None)
assert_type(
    NewCustomerSessionV2().state,
    Literal["open", "closed", "partially_returned", "cancelled"] | None,
)
coupon.usage_limit = 3
coupon.start_date = talon_one.NULL
coupon.usage_limit = "three"  # type: ignore[assignment]  # text for a number
coupon.usage_limits = 3  # type: ignore[attr-defined]  # typo
coupon.vlaue  # type: ignore[attr-defined]  # noqa: B018  # typo


def rejected(effect: Effect) -> bool:
    match effect:
        case Effect(effect_type="rejectCoupon" | "rejectReferral"):
            return True
    return False


# Effects: the class of their props decides what is in them and what their function gets.
def amount(effect: Effect) -> float:
    props = effect.props
    assert_type(props, Model | dict[str, Any])
    match effect.props:
        case SetDiscountEffectProps(name=name, value=value):
            assert_type(name, str)
            assert_type(value, float)
            return value
        case RejectCouponEffectProps() as refused:
            assert_type(refused.rejection_reason, str)
            refused.reason  # type: ignore[attr-defined]  # noqa: B018  typo
    assert_type(props["value"], Any)
    props["value"] = 1
    if "value" in props and props.get("scope") is None:
        return float(sum(value for key, value in props.items() if key == "value"))
    assert_type(dict(props), dict[str, Any])
    discount = SetDiscountEffectProps.from_dict(props)
    assert_type(
        ApiClient().deserialize_model(props, SetDiscountEffectProps), SetDiscountEffectProps
    )
    return discount.value + len(list(props)) + len(props.keys()) + len(props.values())


def effects_of_any_kind() -> list[Effect]:
    typed = SetDiscountEffectProps(name="10% off", value=3.4)
    rule = Effect(
        campaign_id=1, ruleset_id=1, rule_index=0, rule_name="", effect_type="", props=typed
    )
    rule.props = {"value": 3}
    rule.props = typed
    rule.props = 3  # type: ignore[assignment]  # a number
    free = {"name": "free"}
    return [
        rule,
        Effect(campaign_id=1, ruleset_id=1, rule_index=0, rule_name="", effect_type="", props=free),
    ]


handler = EffectHandler()


@handler.on(SetDiscountEffectProps)
def grant(effect: Effect, props: SetDiscountEffectProps, cart: list[float]) -> None:
    cart.append(props.value)


@handler.on("rejectCoupon", "rejectReferral")
async def refuse(effect: Effect, props: Model) -> None:
    assert_type(effect.effect_type, str)


@handler.on(RejectCouponEffectProps)  # type: ignore[arg-type]  # props of another class
def wrong(effect: Effect, props: SetDiscountEffectProps) -> None: ...


@handler.default
def other(effect: Effect, props: Model) -> None: ...


assert_type(handler.dispatch(state, [1.0]).failures, list[EffectFailure])
handler.dispatch(state.effects)
handler.dispatch(effects_of_any_kind())
handler.dispatch([{"effectType": "setDiscount", "props": {}}])
handler.dispatch(integration.track_event_v2({}))  # type: ignore[arg-type]  # perhaps no response
handler.dispatch(coupon)  # type: ignore[arg-type]  # has no effects
assert_type(discounts(state).items, dict[ItemUnit, Decimal])
assert_type(talon_one.effects.difference([], state).apply, list[Effect])
assert_type(talon_one.effects.codes(state).rejected_coupons[0].rejection_reason, str)


# Every way to a name leads to the same class.
classes: list[type[Coupon]] = [talon_one.Coupon, talon_one.models.Coupon, Coupon]
talon_one.Cupon  # type: ignore[attr-defined]  # noqa: B018  # typo

# What the vendor's packages offer on every class
assert_type(Coupon.attribute_map, dict[str, str])
assert_type(Coupon.openapi_types, dict[str, str])

# Failures
try:
    integration.update_customer_session_v2("session", request)
except NotFoundException as missing:
    assert_type(missing.status, int | None)
except ApiException as failure:
    assert_type(failure.errors, list[ErrorEntry])

decode: Callable[[str], Coupon] = Coupon.from_json

# Objects that name their own class.
ruleset = management.get_ruleset_v2(17, 4, 9)
for rule in ruleset.promotion_rules:
    for block in rule.blocks:
        match block:
            case talon_one.AwardDiscountBlock(value=worth):
                assert_type(worth, float | str)
                assert_type(block.name, str)
            case talon_one.PromotionGroupBlock(operator=operator):
                assert_type(operator, Literal["all", "atLeastOne", "none"])
            case _:
                print(block.to_wire())
for step in ruleset.selectors[0].steps if ruleset.selectors else []:
    if isinstance(step, talon_one.ReverseSelectorStep):
        assert_type(step.type, Literal["reverse"])
blocks: list[talon_one.PromotionBlock] = [
    talon_one.CheckLoyaltyCardBlock(id="b1", operator="linked"),
    talon_one.PassthroughBlock(id="b2", expression=["=", 1, 1]),
]
talon_one.PromotionRuleV2(id="r1", title="Members", blocks=blocks)
talon_one.CheckLoyaltyCardBlock(id="b1", operator="tied")  # type: ignore[arg-type]  # no such value
management.get_campaigns(17, tags="summer")
management.get_campaigns(17, tags=["summer", "winter"])
management.get_campaigns(17, tags=[1])  # type: ignore[list-item]  # tags are texts
