"""`sandbox.requests`: what was sent, and assertions with messages that say what was there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from unittest.mock import ANY

import pytest

import talon_one
from talon_one.sandbox import Sandbox
from talon_one.sandbox.exchanges import Exchange, Exchanges
from talon_one.sandbox.matching import differences
from talon_one.sandbox.requests import Requests

UPDATE = "update_customer_session_v2"


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def sent(shop: Sandbox) -> Requests:
    """Three requests: two updates of a session around one of a profile."""
    with talon_one.IntegrationApi(host=shop.url, api_key=shop.api_key) as api:
        cart = [talon_one.CartItem(sku="kettle", quantity=1, price=44.0)]
        session = talon_one.NewCustomerSessionV2(cart_items=cart, coupon_codes=["TEN-OFF"])
        api.update_customer_session_v2("order-1", {"customerSession": session})
        api.update_customer_profile_v2("anna", {"attributes": {}}, dry=True)
        api.update_customer_session_v2("order-1", {"customerSession": {"state": "closed"}})
    return shop.requests


def failure(function: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        function(*arguments, **more)
    return str(caught.value)


def test_requests_are_a_sequence(sent: Requests) -> None:
    assert len(sent) == 3
    assert [each.number for each in sent] == [1, 2, 3]
    assert sent[0].body["customerSession"]["couponCodes"] == ["TEN-OFF"]
    assert (sent[-1], sent[1:]) == (sent.last, list(sent)[1:])
    assert sent.last in sent
    assert repr(sent[2]) in repr(sent)
    with pytest.raises(IndexError):
        sent[3]
    assert [each.number for each in sent.to(UPDATE)] == [1, 3]
    assert [each.number for each in sent.to("updateCustomerSessionV2")] == [1, 3]
    assert len(sent.to("create_referral")) == 0
    assert not sent.to("create_referral")


def test_what_was_sent_passes(sent: Requests) -> None:
    assert sent.assert_sent(UPDATE).number == 3
    sent.assert_sent("updateCustomerSessionV2", times=2)
    sent.assert_not_sent("create_referral")
    sent.assert_sequence([UPDATE, "update_customer_profile_v2", "updateCustomerSessionV2"])
    sent.to(UPDATE).assert_sequence([UPDATE, UPDATE])
    request = talon_one.IntegrationRequest(
        customer_session=talon_one.NewCustomerSessionV2(coupon_codes=["TEN-OFF"])
    )
    assert sent.assert_sent(UPDATE, body=request, times=1).number == 1
    for item in ({"sku": "kettle"}, {"price": pytest.approx(44.001, abs=0.1)}, {"sku": ANY}):
        sent.assert_sent(UPDATE, body={"customerSession": {"cartItems": [item]}})
    sent.assert_not_sent(UPDATE, body={"customerSession": {"state": "cancelled"}})


def test_a_body_that_was_not_sent_is_compared_with_the_nearest(sent: Requests) -> None:
    wanted = {
        "customerSession": {
            "couponCodes": ["NINE-OFF", "TEN-OFF"],
            "cartItems": [{"sku": "kettle", "quantity": 2}],
            "profileId": "anna",
        }
    }
    assert failure(sent.assert_sent, UPDATE, body=wanted).splitlines() == [
        f"{UPDATE} was not sent with this body; request 1, the nearest of 2, differs:",
        "  customerSession.couponCodes[0]: expected 'NINE-OFF', sent 'TEN-OFF'",
        "  customerSession.couponCodes[1]: expected 'TEN-OFF', not sent",
        "  customerSession.cartItems[0].quantity: expected 2, sent 1",
        "  customerSession.profileId: expected 'anna', not sent",
    ]
    message = failure(sent.assert_sent, "update_customer_profile_v2", body={"Attributes": 1})
    assert message.splitlines() == [
        "update_customer_profile_v2 was not sent with this body; request 2 differs:",
        "  Attributes: expected 1, not sent. Did you mean 'attributes'?",
    ]
    long = failure(sent.assert_sent, UPDATE, body={str(number): 1 for number in range(99)})
    assert len(long.splitlines()) == 21
    assert long.endswith("... and 80 more")


def test_a_request_that_was_never_made_is_reported_with_what_was_sent(sent: Requests) -> None:
    lines = [
        f"  1. {UPDATE}: PUT /v2/customer_sessions/order-1 -> 200",
        "  2. update_customer_profile_v2: PUT /v2/customer_profiles/anna?dry=true -> 200",
        f"  3. {UPDATE}: PUT /v2/customer_sessions/order-1 -> 200",
    ]
    title = "no request was made for create_referral; what was sent:"
    assert failure(sent.assert_sent, "createReferral").splitlines() == [title, *lines]
    with pytest.raises(LookupError) as caught:
        _ = sent.to("create_referral").last
    assert str(caught.value).splitlines() == [title, *lines]
    message = failure(sent.assert_sent, UPDATE, times=3)
    assert message.splitlines() == [f"{UPDATE} was sent twice, not 3 times:", lines[0], lines[2]]
    message = failure(sent.assert_sent, UPDATE, times=2, body={"customerSession": {"state": ANY}})
    assert message.startswith(f"{UPDATE} was sent once with this body, not twice:")
    message = failure(sent.assert_not_sent, UPDATE)
    assert message.splitlines() == [f"{UPDATE} was sent twice:", lines[0], lines[2]]


def test_another_sequence_is_shown_side_by_side(sent: Requests) -> None:
    message = failure(sent.assert_sequence, ["create_referral", UPDATE, UPDATE])
    assert message.splitlines() == [
        "the requests are not these:",
        "  - create_referral (expected)",
        f"    {UPDATE}",
        "  + update_customer_profile_v2 (sent)",
        f"    {UPDATE}",
    ]


def test_no_request_at_all_is_said() -> None:
    nothing = Requests(Exchanges())
    assert failure(nothing.assert_sent, UPDATE) == (
        f"no request was made for {UPDATE}, and no other either"
    )
    with pytest.raises(LookupError, match=r"^no request was made$"):
        _ = nothing.last
    assert failure(nothing.assert_sequence, [UPDATE]).endswith(f"  - {UPDATE} (expected)")


def test_what_the_log_has_dropped_cannot_be_asserted() -> None:
    log = Exchanges(limit=1)
    for _ in range(3):
        log.add(lambda number: Exchange(number, "", "PUT", "/", UPDATE, {}, b"", 200, {}, b"", 0))
    few = Requests(log)
    few.assert_sent(UPDATE)
    for check in (
        lambda: few.assert_sent(UPDATE, times=1),
        lambda: few.assert_not_sent("create_referral"),
        lambda: few.assert_sequence([UPDATE]),
    ):
        assert failure(check).startswith("the first 2 requests are not kept any more")


def test_impossible_assertions_are_one_sentence_each(sent: Requests) -> None:
    wrong: list[tuple[Any, str]] = [
        (lambda: sent.to("updateCustomersSession"), "Did you mean 'updateCustomerSession"),
        (lambda: sent.assert_sent("sessions"), "there is no operation 'sessions'"),
        (lambda: sent.assert_not_sent(None), "an operation is given by the name"),  # type: ignore[arg-type]
        (lambda: sent.assert_sent(UPDATE, times=0), "times is a whole number from 1, not 0"),
        (lambda: sent.assert_sent(UPDATE, times=True), "not True"),
        (lambda: sent.assert_sequence(UPDATE), "a sequence is a list of operations"),
        (lambda: sent.assert_sequence(["nothing"]), "there is no operation 'nothing'"),
        (lambda: sent.assert_sequence(3), "a sequence is a list of operations"),  # type: ignore[arg-type]
    ]
    for check, sentence in wrong:
        with pytest.raises(ValueError, match=r"\A[^\n]+\Z") as caught:
            check()
        assert sentence in str(caught.value)


def test_values_are_compared_as_json() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("odd")

        __hash__ = None  # type: ignore[assignment]

    moment = datetime(2026, 11, 1, 9, tzinfo=timezone.utc)
    same: list[tuple[Any, Any]] = [
        (1, 1.0),
        (None, None),
        ((1, 2), [1, 2]),
        ({}, {"a": 1}),
        (moment, "2026-11-01T09:00:00Z"),
        (talon_one.models.ErrorResponse(message="a"), {"message": "a", "errors": []}),
        (pytest.approx(4.4), 4.4000000001),
    ]
    for expected, sent in same:
        assert differences(expected, sent) == [], (expected, sent)
    other: list[tuple[Any, Any]] = [
        (1, True),
        (True, 1),
        (0, None),
        ({}, None),
        ({}, []),
        ([], {}),
        ([1], [1, 2]),
        ([1, 2], [1]),
        ({"a": None}, {}),
        ("1", 1),
        (float("nan"), 1),
        (Odd(), 1),
        ({1: 2}, {"1": 2}),
        ("\ud800", "\ufffd"),
        (moment, "2026-11-01T09:00:01Z"),
    ]
    for expected, sent in other:
        assert len(differences(expected, sent)) == 1, (expected, sent)
