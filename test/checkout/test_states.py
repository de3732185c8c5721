"""Sessions are closed, cancelled and reopened once, however often it is tried."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

import talon_one
from checkout.conftest import Shop
from checkout.lossy import LossyServer
from support.server import RecordingServer, Response
from talon_one import (
    ApiTypeError,
    ApiValueError,
    BadRequestException,
    IntegrationApi,
    NoResponseError,
    NotFoundException,
    ServiceException,
    checkout,
    effects,
    failures,
)
from talon_one.checkout import StateChange, UnexpectedStateError

CART = [{"sku": "kettle", "name": "Kettle", "quantity": 2, "price": 10.0}]
ONCE: Any = {"_retries": False}


def opened(api: IntegrationApi, shop: Shop, state: str = "open") -> str:
    """Create a session in a state, and return its ID."""
    session_id = shop.new_id()
    content: dict[str, Any] = {"cartItems": CART, "couponCodes": ["TEN-OFF"]}
    api.update_customer_session_v2(session_id, {"customerSession": content})
    if state in ("closed", "partially_returned"):
        checkout.close(api, session_id)
    if state == "partially_returned":
        items = [{"position": 0, "quantity": 1}]
        api.return_cart_items(session_id, {"return": {"returnedCartItems": items}})
    if state == "cancelled":
        checkout.cancel(api, session_id)
    return session_id


def types(change: StateChange) -> list[str]:
    return sorted(effect.effect_type for effect in change.effects)


def test_each_function_either_changes_the_state_or_finds_it_reached_or_raises_the_refusal(
    api: IntegrationApi, shop: Shop
) -> None:
    changes = {
        ("close", "open"),
        ("cancel", "open"),
        ("cancel", "closed"),
        ("cancel", "partially_returned"),
        ("reopen", "closed"),
    }
    reached = {
        ("close", "closed"),
        ("close", "partially_returned"),
        ("cancel", "cancelled"),
        ("reopen", "open"),
    }
    states = {"close": "closed", "cancel": "cancelled", "reopen": "open"}
    wrong = []
    for name, before in product(states, ("open", "closed", "partially_returned", "cancelled")):
        session_id = opened(api, shop, before)
        try:
            done = shop.do(name, session_id)
        except BadRequestException as refusal:
            kept = api.get_customer_session(session_id).customer_session
            fine = (name, before) not in changes | reached and failures.is_state_conflict(refusal)
            fine = fine and kept is not None and kept.state == before
        else:
            now = before if (name, before) in reached else states[name]
            fine = done.session.state == now and done.changed is ((name, before) in changes)
            fine = fine and (name, before) in changes | reached
            fine = fine and (done.response is not None) is done.changed
        wrong += [] if fine else [(name, before)]
    assert wrong == []


def test_closing_hands_on_its_effects_and_later_calls_the_stored_ones(
    api: IntegrationApi, shop: Shop
) -> None:
    session_id = opened(api, shop)
    first = shop.do("close", session_id, response_content=["coupons", "customerSession"])
    second = shop.do("close", session_id)
    assert (first.changed, second.changed) == (True, False)
    assert types(first) == types(second) == ["acceptCoupon", "setDiscount"]
    assert [coupon.value for coupon in first.response.coupons] == ["TEN-OFF"]
    assert second.session.cart_items[0].sku == "kettle"


def test_rolled_back_effects_are_handed_on(api: IntegrationApi, shop: Shop) -> None:
    session_id = opened(api, shop, "closed")
    reopened = shop.do("reopen", session_id)
    assert types(reopened) == ["rollbackCoupon", "rollbackDiscount"]
    assert (reopened.changed, reopened.session.state) == (True, "open")
    shop.do("close", session_id)
    cancelled = shop.do("cancel", session_id)
    assert types(cancelled) == ["rollbackCoupon", "rollbackDiscount"]


def test_the_final_content_is_sent_and_not_changed(api: IntegrationApi, shop: Shop) -> None:
    content = talon_one.NewCustomerSessionV2(coupon_codes=[])
    as_dict = {"coupon_codes": [], "state": "closed"}
    finals: tuple[Any, ...] = (content, as_dict, {"couponCodes": []})
    for final in finals:
        session_id = opened(api, shop)
        done = shop.do("close", session_id, final)
        assert (done.session.coupon_codes, types(done)) == ([], [])
        assert done.session.cart_items[0].sku == "kettle"
    assert content.state is None
    assert as_dict == {"coupon_codes": [], "state": "closed"}


def test_a_lost_response_of_a_closing_is_made_up_for_by_the_next_call(
    api: IntegrationApi, shop: Shop, lossy: LossyServer
) -> None:
    session_id = opened(api, shop)
    with pytest.raises(NoResponseError):
        shop.do("close", session_id, losses="l", **ONCE)
    # A new key, as after a crash: the platform refuses to close a closed session.
    done = shop.do("close", session_id, **ONCE)
    assert (done.changed, done.session.state) == (False, "closed")
    assert types(done) == ["acceptCoupon", "setDiscount"]
    assert [request.method for request in lossy.requests] == ["PUT", "GET"]


def test_a_retry_with_the_same_key_returns_the_lost_response(
    api: IntegrationApi, shop: Shop, lossy: LossyServer
) -> None:
    session_id = opened(api, shop)
    done = shop.do("close", session_id, losses="ll")
    assert (done.changed, types(done)) == (True, ["acceptCoupon", "setDiscount"])
    assert [request.method for request in lossy.requests] == ["PUT", "PUT", "PUT"]
    shop.do("reopen", session_id, idempotency_key=f"{session_id}-1")
    again = shop.do("reopen", session_id, idempotency_key=f"{session_id}-1")
    assert (again.changed, types(again)) == (True, ["rollbackCoupon", "rollbackDiscount"])


def test_lost_requests_and_responses_of_every_call_lose_nothing_that_calling_again_does_not_find(
    api: IntegrationApi, shop: Shop
) -> None:
    wrong: list[Any] = []
    for name, losses in product(("close", "cancel", "reopen"), ("l", "x", "f", "pl", "px", "pf")):
        session_id = opened(api, shop, "closed" if name == "reopen" else "open")
        changed: list[bool | None] = []
        plan = losses
        for _ in range(3):
            try:
                done = shop.do(name, session_id, losses=plan, **ONCE)
            except (NoResponseError, ServiceException):
                changed.append(None)
            else:
                changed.append(done.changed)
            plan = ""
        if changed[-1] is not False or changed.count(True) > 1:
            wrong.append((name, losses, changed))
        stored = api.get_customer_session(session_id).customer_session
        wanted = {"close": "closed", "cancel": "cancelled", "reopen": "open"}[name]
        if stored is None or stored.state != wanted:
            wrong.append((name, losses, stored and stored.state))
    assert wrong == []


def test_a_reopened_session_that_cannot_be_read_is_reported_with_its_effects(
    api: IntegrationApi, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    session_id = opened(api, shop, "closed")
    done = shop.do("reopen", session_id, losses="pf", **ONCE)
    assert (done.session, done.changed) == (None, True)
    assert types(done) == ["rollbackCoupon", "rollbackDiscount"]
    assert "could not be read" in caplog.text


def test_a_refusal_that_cannot_be_looked_into_is_the_failure_of_the_look(
    api: IntegrationApi, shop: Shop
) -> None:
    session_id = opened(api, shop, "closed")
    with pytest.raises(ServiceException) as caught:
        shop.do("close", session_id, losses="pf", **ONCE)
    assert isinstance(caught.value.__cause__, BadRequestException)
    assert caught.value.operation_id == "getCustomerSession"


def test_a_session_that_does_not_exist_is_closed_as_a_new_one_and_otherwise_not_found(
    shop: Shop,
) -> None:
    done = shop.do("close", shop.new_id(), {"cartItems": CART})
    assert (done.changed, done.session.state) == (True, "closed")
    for name in ("cancel", "reopen"):
        with pytest.raises(NotFoundException) as caught:
            shop.do(name, shop.new_id())
        assert failures.is_not_found(caught.value)


def test_content_that_is_refused_is_the_refusal_itself(api: IntegrationApi, shop: Shop) -> None:
    bad = {"cartItems": [{"sku": "without-price", "quantity": 1}]}
    for session_id in (shop.new_id(), opened(api, shop)):
        with pytest.raises(BadRequestException) as caught:
            shop.do("close", session_id, bad)
        assert failures.is_validation_error(caught.value)
        assert not failures.is_state_conflict(caught.value)
    closed = opened(api, shop, "closed")
    assert shop.do("close", closed, bad).changed is False


def test_one_deadline_spans_both_calls() -> None:
    now = [100.0]
    left: list[float] = []

    class Slow(talon_one.Transport):
        """The first request takes three seconds, and is refused."""

        def send(self, request: Any, timeout: Any) -> talon_one.RawResponse:
            left.append(timeout.deadline)
            now[0] += 3
            body = b'{"customerSession": {"state": "closed"}, "effects": []}'
            return talon_one.RawResponse(400 if len(left) == 1 else 200, None, {}, body)

    configuration = talon_one.Configuration(host="https://a.test", api_key={"api_key_v1": "k"})
    with talon_one.ApiClient(configuration, transport=Slow()) as client:
        client.clock = client.clock._replace(monotonic=lambda: now[0])
        api = IntegrationApi(client)
        assert checkout.close(api, "order-1", _deadline=5).changed is False
        assert left == [5.0, 2.0]
        left.clear()
        checkout.close(api, "order-1", _deadline=2)  # A transport of sockets raises then.
        assert left[0] == 2.0
        assert left[1] < 0.001


def test_settings_and_keys_reach_the_calls(
    api: IntegrationApi, shop: Shop, lossy: LossyServer
) -> None:
    session_id = opened(api, shop, "closed")
    headers = {"X-Shop": "7"}
    shop.do("close", session_id, idempotency_key="k-1", _headers=headers, _deadline=5.0)
    assert [request.headers["X-Shop"] for request in lossy.requests] == ["7", "7"]
    assert lossy.requests[0].headers["Idempotency-Key"] == "k-1"
    assert "Idempotency-Key" not in lossy.requests[1].headers


def test_a_stored_response_of_another_request_is_noticed() -> None:
    for name, state in (("close", "open"), ("cancel", "closed"), ("reopen", "closed")):
        session = {"integrationId": "order-1", "state": state}
        default = Response(body={"effects": [], "customerSession": session})
        with (
            RecordingServer(default=default) as server,
            IntegrationApi(host=server.url, api_key="secret") as api,
        ):
            with pytest.raises(UnexpectedStateError, match=f"the session is '{state}'") as caught:
                getattr(checkout, name)(api, "order-1", idempotency_key="k")
            copied = pickle.loads(pickle.dumps(caught.value))
            assert copied.change == caught.value.change
            assert copied.change.session.state == state
            assert str(copied) == str(caught.value)


def test_a_response_without_the_session_leads_to_reading_it() -> None:
    session = {"integrationId": "order-1", "state": "closed"}
    responses: tuple[Any, ...] = (
        {"effects": []},
        {"customerSession": None},
        {"customerSession": "junk"},
    )
    for first in responses:
        with (
            RecordingServer() as server,
            IntegrationApi(host=server.url, api_key="secret") as api,
        ):
            server.script(first, {"customerSession": session, "effects": None})
            done = checkout.close(api, "order-1")
            assert done.session is not None
            assert (done.session.state, done.changed, done.effects) == ("closed", True, [])


def test_whatever_is_read_after_a_refusal_only_the_state_counts() -> None:
    broken: tuple[Any, ...] = (
        *({}, [], {"customerSession": None}),
        *({"customerSession": {"state": 7}}, {"customerSession": {"state": ["closed"]}}),
    )
    for stored in broken:
        with (
            RecordingServer() as server,
            IntegrationApi(host=server.url, api_key="secret") as api,
        ):
            server.script(Response(422, {"message": "no"}), stored)
            with pytest.raises((talon_one.UnprocessableEntityException, ApiTypeError)):
                checkout.close(api, "order-1")


def test_a_conflict_of_parallel_closings_is_a_success_for_both() -> None:
    session = {"integrationId": "order-1", "state": "closed"}
    with RecordingServer() as server, IntegrationApi(host=server.url, api_key="secret") as api:
        body = {"message": "Too many requests are updating this session at the same time"}
        server.script(Response(409, body), {"customerSession": session, "effects": []})
        assert checkout.close(api, "order-1", _retries=False).changed is False


def test_wrong_arguments_are_explained_before_anything_is_sent(lossy: LossyServer) -> None:
    lossy.plan("")
    with IntegrationApi(host=lossy.url, api_key="secret") as api:
        management = talon_one.ManagementApi(api.api_client)
        request = talon_one.IntegrationRequest(customer_session=talon_one.NewCustomerSessionV2())
        wrong: dict[str, Any] = {
            "state of the session is 'open'": lambda: checkout.close(api, "a", {"state": "open"}),
            "not a whole request": lambda: checkout.close(api, "a", {"customerSession": {}}),
            "not IntegrationRequest": lambda: checkout.close(
                api,
                "a",
                request,  # type: ignore[arg-type]
            ),
            "not list": lambda: checkout.close(api, "a", []),  # type: ignore[arg-type]
            "list of names, not 'event'": lambda: checkout.cancel(
                api, "a", response_content="event"
            ),
            "takes an IntegrationApi": lambda: checkout.close(management, "a"),  # type: ignore[arg-type]
            "IntegrationApi, not None": lambda: checkout.reopen(None, "a"),  # type: ignore[arg-type]
            "async_req cannot": lambda: checkout.close(api, "a", async_req=True),  # type: ignore[call-arg]
            "responseContent\\[1\\]": lambda: checkout.close(api, "a", response_content=["x"]),
            "customer_session_id": lambda: checkout.close(api, ""),
        }
        for message, call in wrong.items():
            with pytest.raises((ApiTypeError, ApiValueError), match=message):
                call()
    assert lossy.requests == []


def test_an_api_of_the_other_kind_is_refused_by_name() -> None:
    blocking = IntegrationApi(host="https://a.test", api_key="k")
    awaited = talon_one.aio.IntegrationApi(host="https://a.test", api_key="k")
    with pytest.raises(ApiTypeError, match=r"use talon_one\.aio\.checkout"):
        checkout.close(awaited, "a")  # type: ignore[arg-type]
    with pytest.raises(ApiTypeError, match=r"use talon_one\.checkout"):
        talon_one.aio.checkout.close(blocking, "a").send(None)  # type: ignore[arg-type]


class Broken(dict[str, Any]):
    """A dict of the caller that fails."""

    def __contains__(self, key: object) -> bool:
        raise RuntimeError("no")


def test_what_an_object_of_the_caller_raises_becomes_an_exception_of_this_package() -> None:
    class Foreign:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("no")

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no")

        __hash__ = None  # type: ignore[assignment]

    foreign: Any = Foreign()
    with IntegrationApi(host="https://a.test", api_key="k") as api:
        calls: tuple[Callable[[], Any], ...] = (
            lambda: checkout.close(foreign, "a"),
            lambda: checkout.close(api, "a", Broken()),
            lambda: checkout.close(api, "a", {"state": foreign}),
            lambda: checkout.close(api, "a", response_content=[foreign]),
            lambda: checkout.close(api, foreign),
            lambda: checkout.close(api, "a", _deadline=10**400),
        )
        for call in calls:
            with pytest.raises(talon_one.OpenApiException):
                call()


def test_a_state_change_is_read_like_a_response(api: IntegrationApi, shop: Shop) -> None:
    session_id = shop.new_id()
    cart = checkout.CartMapper().cart(CART)
    session = cart.session(coupon_codes=["TEN-OFF", "NOPE"])
    for _ in ("changed", "found"):
        done = checkout.close(api, session_id, session)
        assert checkout.payable(cart, done, "EUR").payable == 1800
        assert [each.code for each in checkout.rejections_of(done)] == ["NOPE"]
        assert effects.codes(done).accepted_coupons == ["TEN-OFF"]
    reopened = checkout.reopen(api, session_id)
    assert checkout.apply(cart, reopened).summary.rolled_back.sums.total == 2
    assert effects.summary(StateChange(None, [], changed=False)).discounts == []


def test_a_summary_of_a_state_change_knows_the_coupons_of_its_response() -> None:
    effect = talon_one.Effect.from_dict(
        {
            "effectType": "setDiscount",
            "triggeredByCoupon": 7,
            "props": {"name": "Ten", "value": 1},
        }
    )
    response = talon_one.IntegrationStateV2.from_dict({"coupons": [{"id": 7, "value": "TEN"}]})
    change = StateChange(None, [effect], changed=True, response=response)
    assert [each.coupon_code for each in effects.summary(change).discounts] == ["TEN"]
    unknown = StateChange(None, [effect], changed=False)
    assert [each.coupon_code for each in effects.summary(unknown).discounts] == [None]
