"""Model by hand: construction, reading and writing, copies, and what it does for others."""

from __future__ import annotations

import copy
import inspect
from datetime import date, datetime, timezone
from typing import Any

import pydantic
import pytest

from talon_one import (
    NULL,
    AdditionalCost,
    ApiAttributeError,
    ApiKeyError,
    ApiTypeError,
    ApiValueError,
    CartItem,
    Coupon,
    IntegrationRequest,
    IntegrationStateV2,
    LoginParams,
    NewCustomerSessionV2,
    Risk,
    UpdateCoupon,
)
from talon_one._schema.validation import violations


def test_only_what_was_set_is_sent() -> None:
    assert NewCustomerSessionV2().to_json() == "{}"
    assert NewCustomerSessionV2(profile_id=None, state="open").to_json() == '{"state":"open"}'


def test_null_is_sent_and_none_is_not() -> None:
    update = UpdateCoupon(expiry_date=NULL, start_date=None, usage_limit=1)
    assert update.to_wire() == {"expiryDate": None, "usageLimit": 1}
    assert update.expiry_date is None
    assert "expiryDate" in update
    assert "startDate" not in update
    update.usage_limit = NULL
    assert update.to_wire() == {"expiryDate": None, "usageLimit": None}
    update.expiry_date = None
    del update.usage_limit
    assert update.to_wire() == {}


def test_none_is_null_inside_free_form_objects() -> None:
    session = NewCustomerSessionV2(attributes={"colour": None})
    assert session.to_json() == '{"attributes":{"colour":null}}'


def test_wire_names_and_aliases_are_keywords_too() -> None:
    vendors: Any = IntegrationRequest  # Type checkers know the Python names only.
    request = vendors(customerSession=NewCustomerSessionV2(), responseContent=["coupons"])
    assert request.response_content == ["coupons"]
    cls: Any = IntegrationStateV2
    assert cls(var_return={"id": 1}).return_.id == cls(_return={"id": 1})._return.id == 1


@pytest.mark.parametrize(
    "twice",
    [
        {"return_": 1, "var_return": 2},
        {"return": 1, "_return": 2},
        {"customer_session": 1, "customerSession": 2},
    ],
)
def test_a_property_given_by_two_of_its_names_is_refused(twice: dict[str, Any]) -> None:
    with pytest.raises(ApiTypeError, match="twice"):
        IntegrationStateV2(**twice)


def test_positional_values_are_taken_in_the_order_of_the_properties() -> None:
    vendors: Any = CartItem
    assert vendors("Mug", "MUG-1", 2) == CartItem(name="Mug", sku="MUG-1", quantity=2)
    with pytest.raises(ApiTypeError, match="'name' twice"):
        vendors("Mug", name="Tea")
    with pytest.raises(ApiTypeError, match="properties, not 99"):
        vendors(*range(99))


def test_names_that_do_not_exist_are_refused_with_the_nearest_that_does() -> None:
    item: Any = CartItem(sku="A", quantity=1)
    with pytest.raises(ApiTypeError, match=r"no property 'skuu'\. Did you mean 'sku'"):
        CartItem(skuu="A")  # type: ignore[call-arg]  # the mistake that is meant
    with pytest.raises(ApiAttributeError, match=r"no attribute 'quantitty'\. Did you mean"):
        item.quantitty = 2
    with pytest.raises(ApiAttributeError, match=r"no attribute 'quantitty'\. Did you mean"):
        print(item.quantitty)
    with pytest.raises(ApiTypeError, match="no property 'nothing'"):
        CartItem(sku="A", quantity=1, nothing=None)  # type: ignore[call-arg]  # likewise
    with pytest.raises(ApiKeyError, match=r"no 'skuu' in CartItem\. Did you mean 'sku'"):
        print(item["skuu"])
    assert not hasattr(item, "nothing")


def test_the_legacy_keyword_for_settings_is_ignored() -> None:
    vendors: Any = CartItem
    assert vendors(sku="A", local_vars_configuration=object()).to_wire() == {"sku": "A"}


def test_unknown_properties_are_kept_readable_and_sent_back() -> None:
    item = CartItem.from_dict({"sku": "A", "brandNew": {"deep": [1]}})
    assert item.additional_properties == {"brandNew": {"deep": [1]}}
    assert item["brandNew"] == {"deep": [1]}
    assert item.get("missing", 7) == 7
    item["brandNew"] = 2
    assert list(item) == ["sku", "brandNew"]
    assert len(item) == 2
    assert item.to_json() == '{"sku":"A","brandNew":2}'
    del item["brandNew"]
    assert item.to_wire() == {"sku": "A"}


def test_nested_objects_are_wrapped_once_and_changes_to_them_are_sent() -> None:
    request = IntegrationRequest.from_dict({"customerSession": {"cartItems": [{"sku": "A"}]}})
    items = request.customer_session.cart_items
    assert items is not None
    assert items is request.customer_session.cart_items
    items[0].quantity = 3
    items.append(CartItem(sku="B", quantity=1))
    assert request.to_wire() == {
        "customerSession": {"cartItems": [{"sku": "A", "quantity": 3}, {"sku": "B", "quantity": 1}]}
    }


def test_maps_of_objects_are_wrapped() -> None:
    session = NewCustomerSessionV2.from_dict({"additionalCosts": {"shipping": {"price": 4}}})
    assert session.additional_costs == {"shipping": AdditionalCost(price=4)}


def test_the_two_forms_of_a_dict_are_those_of_the_two_vendor_packages() -> None:
    item = CartItem(sku="A", quantity=1, additional_costs={"wrap": AdditionalCost(price=2)})
    legacy = item.to_dict()
    assert legacy["additional_costs"] == {"wrap": {"price": 2}}
    assert legacy["returned_quantity"] is None
    assert legacy.keys() == CartItem.attribute_map.keys()
    assert item.to_dict(by_alias=True, exclude_none=True) == {
        "sku": "A",
        "quantity": 1,
        "additionalCosts": {"wrap": {"price": 2}},
    }
    assert CartItem.from_dict(legacy) == item
    assert CartItem.from_dict(item.to_dict(by_alias=True, exclude_none=True)) == item


def test_a_dict_of_wire_names_keeps_its_nulls() -> None:
    coupon = Coupon.from_dict({"startDate": None, "id": 1})
    assert coupon.to_wire() == {"startDate": None, "id": 1}


def test_json_that_is_no_object_is_refused() -> None:
    with pytest.raises(ApiTypeError, match="CartItem is a JSON object, not list"):
        CartItem.from_json("[]")
    with pytest.raises(ApiValueError, match="not JSON"):
        CartItem.from_json("{")


def test_copies_are_independent_as_far_as_they_promise() -> None:
    item = CartItem(sku="A", quantity=1, attributes={"size": 1})
    deep, shallow = item.copy(), copy.copy(item)
    assert deep == shallow == item
    assert item.attributes is not None
    item.attributes["size"] = 2
    item.sku = "B"
    assert (deep.sku, deep.attributes) == ("A", {"size": 1})
    assert (shallow.sku, shallow.attributes) == ("A", {"size": 2})


def test_equality_looks_at_meaning_and_at_the_class() -> None:
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    text = UpdateCoupon.from_dict({"startDate": "2026-01-01T00:00:00.000Z"})
    assert text == UpdateCoupon(start_date=moment)
    assert UpdateCoupon(usage_limit=1) != UpdateCoupon(usage_limit=NULL)
    assert AdditionalCost(price=1) != {"price": 1}
    assert AdditionalCost.from_dict({}) != CartItem.from_dict({})
    with pytest.raises(TypeError, match="unhashable"):
        hash(text)


def test_an_object_without_properties_is_still_an_object() -> None:
    assert NewCustomerSessionV2()


def test_a_datetime_in_the_place_of_a_day_is_a_violation() -> None:
    risk = Risk.from_dict({})
    risk.feature_date = datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert "$.featureDate must be a date, not datetime" in map(str, violations(risk))
    risk.feature_date = date(2026, 1, 1)
    assert not any("featureDate" in str(each) for each in violations(risk))


def test_secrets_are_masked_where_people_look_and_only_there() -> None:
    login = LoginParams(email="a@example.com", password="sesame")
    assert "sesame" not in repr(login)
    assert "sesame" not in str(login)
    assert "sesame" not in login.to_str()
    assert "a@example.com" in repr(login)
    assert login.to_wire()["password"] == login.to_dict()["password"] == "sesame"


def test_the_signature_of_a_class_names_its_properties() -> None:
    parameters = inspect.signature(AdditionalCost).parameters
    assert list(parameters) == ["price"]
    assert parameters["price"].annotation is float
    assert "sku" in inspect.signature(CartItem).parameters


def test_the_representation_is_that_of_the_constructor() -> None:
    item = CartItem(sku="A", quantity=1)
    assert repr(item) == "CartItem(sku='A', quantity=1)"
    item["odd"] = 1
    assert repr(item) == "CartItem(sku='A', quantity=1, 'odd': 1)"


def test_objects_can_be_matched() -> None:
    match CartItem(sku="A", quantity=2):
        case CartItem(sku="A", quantity=count):
            assert count == 2
        case _:
            pytest.fail("the pattern does not match")


def test_pydantic_models_can_hold_objects() -> None:
    class Order(pydantic.BaseModel):
        item: CartItem

    sent = {"item": {"sku": "A", "quantity": 1, "unheard": 1}}
    order = Order.model_validate(sent)
    assert isinstance(order.item, CartItem)
    assert order.model_dump() == sent
    assert Order(item=order.item).item is order.item
    with pytest.raises(pydantic.ValidationError):
        Order.model_validate({"item": 3})
