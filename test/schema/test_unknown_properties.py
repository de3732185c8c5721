"""Properties that no schema has, and that look misspelled: sent, with one warning for each."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import talon_one
from support.server import RecordingServer, Response
from support.shells import Shell
from talon_one import (
    CartItem,
    Configuration,
    CustomerSessionV2,
    IntegrationRequest,
    Model,
    NewCustomerSessionV2,
    UnknownPropertyWarning,
)
from talon_one._schema import json_codec

# Type checkers know that it takes models.
SESSIONS: Any = NewCustomerSessionV2


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def api(server: RecordingServer, shell: Shell) -> Iterator[Any]:
    configuration = Configuration(host=server.url, api_key={"api_key_v1": "i"})
    with shell.new_client(configuration) as client:
        yield shell.api("IntegrationApi", client)
    server.requests.clear()


def warned(api: Any, body: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        api.update_customer_session_v2("a", body)
    assert all(each.category is UnknownPropertyWarning for each in caught)
    return [str(each.message) for each in caught]


CASES: dict[str, tuple[Any, str]] = {
    "a slip at the top": (
        {"customerSession": {}, "responseContents": ["coupons"]},
        "$.responseContents is not a property of IntegrationRequest."
        " Did you mean 'responseContent'?",
    ),
    "another convention": (
        {"customerSession": {}, "response-content": 1, "ResponseContent": 1},
        "$.ResponseContent is not a property of IntegrationRequest."
        " Did you mean 'responseContent'?",
    ),
    "a name of version 1": (
        {"customerSession": {"coupon": "X"}},
        "$.customerSession.coupon is not a property of NewCustomerSessionV2, but of"
        " NewCustomerSession. Did you mean 'couponCodes'?",
    ),
    "another name of version 1": (
        {"customerSession": {"referral": "X"}},
        "$.customerSession.referral is not a property of NewCustomerSessionV2, but of"
        " NewCustomerSession. Did you mean 'referralCode'?",
    ),
    "a slip in a list": (
        {
            "customerSession": {
                "cartItems": [
                    {"sku": "A", "quantity": 1, "categories": "x"},
                    {"sku": "A", "quantity": 1, "attribute": {}},
                ]
            }
        },
        "$.customerSession.cartItems[1].attribute is not a property of CartItem."
        " Did you mean 'attributes'?",
    ),
    "a dict in a model": (
        IntegrationRequest(customer_session={"profileID": "p"}),  # type: ignore[arg-type]
        "$.customerSession.profileID is not a property of NewCustomerSessionV2."
        " Did you mean 'profileId'?",
    ),
    "from_dict": (
        IntegrationRequest.from_dict({"customerSession": {"profileID": "p"}}),
        "$.customerSession.profileID is not a property of NewCustomerSessionV2."
        " Did you mean 'profileId'?",
    ),
    "a model in a dict": (
        {"customerSession": SESSIONS(additional_costs={"a": {"price": 1, "prices": 1}})},
        "$.customerSession.additionalCosts.a.prices is not a property of AdditionalCost."
        " Did you mean 'price'?",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_near_miss_is_sent_with_a_warning(case: str, api: Any, server: RecordingServer) -> None:
    body, message = CASES[case]
    found = warned(api, body)
    assert f"updateCustomerSessionV2: {message} It is sent as it is." in found
    sent = body.to_wire() if isinstance(body, Model) else json_codec.plain(body)
    assert server.last.json() == sent


def test_a_key_is_warned_of_once_by_a_client_at_the_line_of_the_call(
    api: Any, shell: Shell
) -> None:
    body = {"customerSession": {"coupon": "X", "referral": "Y"}}
    with pytest.warns(UnknownPropertyWarning) as caught:
        api.update_customer_session_v2("a", body)
    assert len(caught) == 2
    assert {each.filename for each in caught} == {shell.caller if shell.awaits else __file__}
    assert warned(api, body) == []
    assert len(warned(api, {**body, "responseContents": []})) == 1


def test_properties_that_were_set_by_key_are_the_callers(api: Any) -> None:
    session = NewCustomerSessionV2(profile_id="p")
    session["coupon"] = "X"
    session["referral"] = "X"
    assert len(warned(api, IntegrationRequest(customer_session=session))) == 2
    session = NewCustomerSessionV2.from_dict({"profileId": "q", "couponCodess": ["X"]})
    session["profileID"] = "X"
    assert len(warned(api, IntegrationRequest(customer_session=session))) == 2
    received = CustomerSessionV2.from_json('{"profileID": 1}')
    session = NewCustomerSessionV2._wrap(received.to_wire())
    session["couponCode"] = "X"
    session["other"] = "X"
    for each in (session, session.copy()):
        found = warned(api, IntegrationRequest(customer_session=each))
        assert all("$.customerSession.couponCode is" in text for text in found)
        if each is session:
            assert len(found) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"customerSession": {}, "weather": 1, "new": {"coupon": 1}},
        {"customerSession": {"attributes": {"coupon": "X", "profileID": 2}}},
        {"customerSession": {"cartItems": [{"sku": "A", "quantity": 1, "colour": "red"}]}},
        # Close to others, and no slips: too long, and too different.
        {"customerSession": {"couponCodesUsed": [], "referralCoin": "X"}},
        IntegrationRequest(customer_session=NewCustomerSessionV2(profile_id="p")),
    ],
)
def test_a_property_that_may_be_new_is_sent_without_a_warning(body: Any, api: Any) -> None:
    assert warned(api, body) == []


def test_data_from_the_platform_goes_back_without_a_warning(
    api: Any, server: RecordingServer
) -> None:
    session = {"coupon": "X", "profileID": 1, "cartItems": [{"skus": 1, "sku": "A"}]}
    server.script(Response(body=json.dumps({"customerSession": session}).encode()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        received = api.update_customer_session_v2("b", {"customerSession": {}})
    items = received.customer_session.cart_items
    items[0].quantity = 1
    assert warned(api, IntegrationRequest.from_json(received.to_json())) == []
    again = IntegrationRequest(customer_session=NewCustomerSessionV2(cart_items=items))
    assert warned(api, again) == []
    assert server.last.json()["customerSession"]["cartItems"][0]["skus"] == 1


def test_a_mistake_that_is_refused_is_not_warned_of_as_well(api: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(talon_one.ModelValidationError, match="is a Python name"):
            api.update_customer_session_v2("a", {"customerSession": {"profile_id": 1, "coupon": 2}})
        CartItem.from_dict({"sku": "A", "quantity": 1, "quantitty": 2}).validate()


def test_warnings_may_be_errors(api: Any, server: RecordingServer) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnknownPropertyWarning)
        with pytest.raises(UnknownPropertyWarning):
            api.update_customer_session_v2("a", {"customerSession": {"coupon": "X"}})
    assert server.requests == []


def test_keys_that_are_no_text_do_no_harm(api: Any, server: RecordingServer) -> None:
    assert warned(api, {"customerSession": {}, 7: 1, None: 2, True: 3}) == []
    assert server.last.json() == {"customerSession": {}, "7": 1, "null": 2, "true": 3}
