"""Models in pydantic and FastAPI: real schemas, errors with paths, unions that pick by fit."""

from __future__ import annotations

import json
from typing import Annotated, Any

import httpx
import pydantic
import pytest
from fastapi import Body, FastAPI
from pydantic import TypeAdapter

import talon_one
from support.spec import MODELS, SCHEMAS, properties
from talon_one import (
    AdditionalCost,
    CampaignSet,
    CartItem,
    CustomerProfileIntegrationRequestV2,
    IntegrationStateV2,
    LoginParams,
    Model,
    NewCustomerSessionV2,
    Product,
    UpdateStore,
)

GOOD = {"sku": "A", "quantity": 1}


def problems(adapter: TypeAdapter[Any], value: Any) -> dict[tuple[int | str, ...], str]:
    """Return what pydantic says of a value, by path."""
    with pytest.raises(pydantic.ValidationError) as caught:
        adapter.validate_python(value)
    return {each["loc"]: each["msg"] for each in caught.value.errors()}


def test_the_json_schema_of_every_model_is_that_of_the_description() -> None:
    wrong = {}
    for name in MODELS:
        schema = TypeAdapter(getattr(talon_one, name)).json_schema()
        if "$ref" in schema:
            schema = schema["$defs"][name]
        described = {wire: node.get("description") for wire, node in schema["properties"].items()}
        expected = properties(name)
        for wire, text in described.items():
            said = " ".join(expected[wire]["description"].split())
            if text is None or said not in text:
                wrong[f"{name}.{wire}"] = text
        if set(schema.get("required", ())) != set(SCHEMAS[name].get("required", ())):
            wrong[name] = schema.get("required")
        if described.keys() != expected.keys():
            wrong[name] = list(described)
        # Models keep properties that this release does not know.
        if schema["additionalProperties"] is not True or schema["title"] != name:
            wrong[name] = {key: schema[key] for key in ("additionalProperties", "title")}
        if json.loads(json.dumps(schema)) != schema:
            wrong[name] = "is no JSON"
    assert wrong == {}


def test_a_json_schema_has_types_limits_enumerations_and_definitions() -> None:
    schema = TypeAdapter(CartItem).json_schema()
    assert (schema["title"], schema["type"]) == ("CartItem", "object")
    assert schema["required"] == ["sku", "quantity"]
    found = {
        name: {key: value for key, value in node.items() if key != "description"}
        for name, node in schema["properties"].items()
    }
    assert found["sku"] == {"type": "string", "minLength": 1}
    assert found["quantity"] == {"type": "integer", "minimum": 1}
    assert found["price"] == {"type": "number"}
    assert found["product"] == {"$ref": "#/$defs/Product"}
    assert found["additionalCosts"] == {
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/AdditionalCost"},
    }
    assert found["attributes"] == {"type": "object", "additionalProperties": True}
    assert schema["$defs"]["Product"]["required"] == ["name"]
    lists = {
        (name, wire): node["items"]
        for name in ("NewCustomerSessionV2", "Campaign", "Application", "NewCoupons")
        for wire, node in TypeAdapter(getattr(talon_one, name)).json_schema()["properties"].items()
        if node.get("type") == "array"
    }
    assert lists["NewCustomerSessionV2", "couponCodes"]["type"] == "string"
    assert lists["Campaign", "tags"]["type"] == "string"
    assert lists["Campaign", "features"]["type"] == "string"
    assert {"type": "integer"} in lists.values()
    session = TypeAdapter(NewCustomerSessionV2).json_schema()["properties"]
    assert (
        session["state"]["enum"] == SCHEMAS["NewCustomerSessionV2"]["properties"]["state"]["enum"]
    )
    assert session["cartItems"]["items"] == {"$ref": "#/$defs/CartItem"}
    profile = TypeAdapter(talon_one.CustomerProfile).json_schema()["properties"]
    assert profile["created"]["format"] == "date-time"
    assert profile["loyaltyMemberships"]["deprecated"] is True
    secret = TypeAdapter(LoginParams).json_schema()["properties"]["password"]
    assert secret["format"] == "password"


def test_a_model_that_contains_itself_has_a_schema() -> None:
    schema = TypeAdapter(CampaignSet).json_schema()
    assert {"CampaignSetBranchNode", "CampaignSetNode"} & schema["$defs"].keys()


def test_the_schema_for_reading_is_that_for_writing() -> None:
    adapter = TypeAdapter(CartItem)
    assert adapter.json_schema(mode="serialization") == adapter.json_schema()


def test_models_share_their_definitions_with_the_classes_around_them() -> None:
    class Order(pydantic.BaseModel):
        items: list[CartItem]
        gift: CartItem | None = None
        product: Product | None = None

    definitions = Order.model_json_schema()["$defs"]
    assert definitions.keys() == {"CartItem", "Product", "AdditionalCost", "PriceDetail"}


def test_every_violation_is_an_error_at_its_path() -> None:
    adapter = TypeAdapter(CartItem)
    assert problems(adapter, {"sku": "", "product": {"name": 3}}) == {
        ("quantity",): "is required",
        ("sku",): "must not be empty",
        ("product", "name"): "must be text, not int",
    }
    assert problems(TypeAdapter(list[CartItem]), [GOOD, {"sku": "B", "quantity": 0}]) == {
        (1, "quantity"): "must be at least 1, not 0"
    }
    costs = {**GOOD, "additionalCosts": {"shipping": {"price": "{free}"}}}
    assert problems(adapter, costs) == {
        ("additionalCosts", "shipping", "price"): "must be a number, not str"
    }
    with pytest.raises(pydantic.ValidationError):
        adapter.validate_json('{"sku": "A", "quantity": "2"}')


@pytest.mark.parametrize("value", [3, "sku", ["sku"], None, Product(name="A")])
def test_a_value_that_is_neither_a_dict_nor_the_model_is_refused(value: object) -> None:
    (message,) = problems(TypeAdapter(CartItem), value).values()
    assert "instance of CartItem" in message


def test_a_secret_is_not_in_the_error() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        TypeAdapter(LoginParams).validate_python({"email": "a@example.com", "password": 20260101})
    assert "20260101" not in str(caught.value)


def test_a_valid_value_is_kept_unchanged() -> None:
    sent = {**GOOD, "unheard": {"of": [1]}, "createdAt": "2026-01-01T00:00:00+02:00", "price": 1}
    for made in (
        TypeAdapter(CartItem).validate_python(sent),
        TypeAdapter(CartItem).validate_json(json.dumps(sent)),
    ):
        assert isinstance(made, CartItem)
        assert made.to_wire() == sent
    item = CartItem(sku="A")  # type: ignore[call-arg]  # as received, it may lack anything
    assert TypeAdapter(CartItem).validate_python(item) is item
    request = TypeAdapter(NewCustomerSessionV2).validate_python({"profile_id": "a"})
    assert request.to_wire() == {"profileId": "a"}


def test_a_union_takes_the_class_that_fits() -> None:
    adapter: TypeAdapter[Model] = TypeAdapter(UpdateStore | CartItem | Product | AdditionalCost)
    expected = {CartItem: GOOD, Product: {"name": "a"}, AdditionalCost: {"price": 1.5}}
    for cls, data in expected.items():
        assert type(adapter.validate_python(data)) is cls
        assert type(adapter.validate_json(json.dumps(data))) is cls
        assert type(adapter.validate_python(cls.from_dict(data))) is cls
    with pytest.raises(pydantic.ValidationError, match="CartItem"):
        adapter.validate_python({"nmae": "a"})


@pytest.mark.parametrize("first_is_session", [True, False])
def test_of_two_classes_that_fit_a_union_takes_the_one_that_declares_more(
    first_is_session: bool,
) -> None:
    adapter: TypeAdapter[Model] = TypeAdapter(
        NewCustomerSessionV2 | CustomerProfileIntegrationRequestV2
        if first_is_session
        else CustomerProfileIntegrationRequestV2 | NewCustomerSessionV2
    )
    session = adapter.validate_python({"profileId": "a", "attributes": {}, "unheard": 1})
    assert type(session) is NewCustomerSessionV2
    changes = {"adds": [1], "deletes": [2]}
    profile = adapter.validate_python({"audiencesChanges": changes, "attributes": {}, "unheard": 1})
    assert type(profile) is CustomerProfileIntegrationRequestV2


class Gift(CartItem):
    """A class that an application derives, without properties of its own."""

    __slots__ = ()


def test_a_derived_class_is_checked_and_described_like_its_base() -> None:
    adapter = TypeAdapter(Gift)
    assert type(adapter.validate_python(GOOD)) is Gift
    assert problems(adapter, {"sku": "A"}) == {("quantity",): "is required"}
    schema = adapter.json_schema()
    assert schema["properties"] == TypeAdapter(CartItem).json_schema()["properties"]


@pytest.mark.asyncio
async def test_fastapi_shows_checks_and_returns_models() -> None:
    app = FastAPI()

    @app.post("/item", response_model=CartItem)
    def put_item(item: Annotated[CartItem, Body()]) -> Any:
        assert isinstance(item, CartItem)
        return item

    @app.post("/items")
    def put_items(items: list[CartItem]) -> list[CartItem]:
        return items

    @app.get("/state")
    def get_state() -> IntegrationStateV2:
        # As received: it lacks what the description requires.
        return IntegrationStateV2.from_dict({"effects": [{"effectType": "new"}], "more": 1})

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        page = (await client.get("/openapi.json")).json()
        schemas = page["components"]["schemas"]
        assert schemas["CartItem"]["properties"]["sku"]["minLength"] == 1
        assert "Effect" in schemas
        operation = page["paths"]["/item"]["post"]
        reference = {"$ref": "#/components/schemas/CartItem"}
        assert operation["requestBody"]["content"]["application/json"]["schema"] == reference
        response = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert response == reference
        sent = {**GOOD, "unheard": [1], "product": {"name": "a"}}
        assert (await client.post("/item", json=sent)).json() == sent
        assert (await client.post("/items", json=[sent])).json() == [sent]
        refused = await client.post("/items", json=[{**sent, "quantity": 0}])
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["loc"] == ["body", 0, "quantity"]
        received = {"effects": [{"effectType": "new"}], "more": 1}
        assert (await client.get("/state")).json() == received


def test_pydantic_chooses_the_class_that_the_object_names() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(talon_one.PromotionBlock)
    block = adapter.validate_python({"id": "b1", "type": "passthrough", "expression": [1]})
    assert type(block) is talon_one.PassthroughBlock
    assert adapter.validate_python(block) is block
    assert adapter.dump_python(block) == block.to_wire()
    assert problems(adapter, {"type": "passthrough", "id": "b1"}) == {
        ("PassthroughBlock", "expression"): "is required"
    }
    for unknown in ({"type": "launchRocket"}, {"type": ["group"]}, {}, 7):
        ((path, message),) = problems(adapter, unknown).items()
        assert path == ()
        assert message.startswith("must be an object whose 'type' is one of 'awardDiscount', ")
    schema = adapter.json_schema()
    union = schema["$defs"]["PromotionBlock"]
    assert union["discriminator"]["propertyName"] == "type"
    assert union["discriminator"]["mapping"]["group"] == "#/$defs/PromotionGroupBlock"
    assert {"$ref": "#/$defs/PassthroughBlock"} in union["oneOf"]
    assert union["title"] == "PromotionBlock"
    value = schema["$defs"]["AwardDiscountBlock"]["properties"]["value"]
    assert value["anyOf"] == [{"type": "number"}, {"type": "string"}]
