"""Tomorrow's server: unknown properties, effects and values, by the classes of the SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import talon_one
from talon_one import effects
from talon_one.sandbox import Sandbox
from talon_one.sandbox.contract.operations import operations_by_id
from talon_one.sandbox.dispatch import Response
from talon_one.sandbox.tomorrow import EFFECT, PROPERTY, VALUE, of_tomorrow


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    with Sandbox(seed="fashion") as running:
        yield running


def changed(operation: str, document: Any, sent: bytes = b"", status: int = 200) -> Any:
    described = operations_by_id()[operation]
    content = json.dumps(document).encode()
    response = Response(status, content, operation=described)
    return json.loads(of_tomorrow(response, sent).body)


def test_responses_have_what_no_class_knows(shop: Sandbox) -> None:
    shop.faults.tomorrow()
    with talon_one.IntegrationApi(host=shop.url, api_key=shop.api_key) as api:
        cart = [talon_one.CartItem(sku="COAT-7", quantity=1, price=120.0)]
        new = talon_one.NewCustomerSessionV2(profile_id="anna", cart_items=cart)
        request = talon_one.IntegrationRequest(
            customer_session=new, response_content=["customerSession", "triggeredCampaigns"]
        )
        response = api.update_customer_session_v2("order-1", request)
    assert response.effects[-1].effect_type == EFFECT
    assert response.effects[0].props[PROPERTY] == {"text": "from tomorrow", "list": [1, None]}
    assert response.customer_session is not None
    session = response.customer_session
    assert session.cart_items is not None
    for found in (response, session, session.cart_items[0]):
        assert PROPERTY in found
    assert session["state"] == VALUE
    assert response.triggered_campaigns is not None
    assert set(response.triggered_campaigns[0].features) == {VALUE}
    assert effects.discounts(response).total > 0


def test_an_effect_is_added_to_an_empty_list_as_well() -> None:
    state = changed("updateCustomerSessionV2", {"effects": []})
    assert [each["effectType"] for each in state["effects"]] == [EFFECT]
    assert state["effects"][0]["campaignId"] == 0


def test_what_the_request_has_sent_comes_back_unchanged() -> None:
    sent = b'{"customerSession": {"state": "closed"}}'
    document = {"customerSession": {"state": "closed", "attributes": {"state": "open"}}}
    session = changed("updateCustomerSessionV2", document, sent)["customerSession"]
    assert session["state"] == "closed"
    # Attributes are the shop's own.
    assert session["attributes"] == {"state": "open"}


def test_every_json_response_of_the_api_can_be_of_tomorrow() -> None:
    wrong = []
    documents: list[Any] = [{}, [], [{}], None, {"effects": [None, {}, 1]}, {"data": [{}]}]
    for name, operation in operations_by_id().items():
        for status, written in operation.results.items():
            for document in documents:
                try:
                    changed(name, document, b"{", status)
                except Exception as error:
                    wrong.append((name, written, document, error))
    assert wrong == []


def test_errors_and_tables_stay_as_they_are(shop: Sandbox) -> None:
    described = operations_by_id()["exportCoupons"]
    for response in (
        Response(200, b"a,b", content_type="application/csv", operation=described),
        Response(404, b'{"message": "a"}', operation=described),
        Response(204, operation=described),
        Response(200, b"{}"),
    ):
        assert of_tomorrow(response, b"") is response
