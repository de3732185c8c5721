"""A mistake in the API description is reported with the operation or schema that it is in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support import spec

OPERATION: dict[str, Any] = {
    "operationId": "getThing",
    "tags": ["integration"],
    "description": "Get a thing.",
    "security": [{"api_key_v1": []}],
    "responses": {"200": {"description": "OK"}},
}


def test_an_operation_is_read() -> None:
    read = spec.read_operation("get", "/v1/thing", OPERATION)
    assert (read.id, read.name, read.api) == ("getThing", "get_thing", "IntegrationApi")


@pytest.mark.parametrize("key", ["tags", "description", "security", "responses"])
def test_an_operation_that_lacks_something_is_named(key: str) -> None:
    node = {name: value for name, value in OPERATION.items() if name != key}
    with pytest.raises(spec.SpecError, match=f"^getThing, GET /v1/thing: there is no '{key}'$"):
        spec.read_operation("get", "/v1/thing", node)


def test_an_operation_without_an_id_is_named_by_its_method_and_path() -> None:
    node = {name: value for name, value in OPERATION.items() if name != "operationId"}
    with pytest.raises(spec.SpecError, match=r"^GET /v1/thing: there is no 'operationId'$"):
        spec.read_operation("get", "/v1/thing", node)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tags": []}, "IndexError: list index out of range"),
        ({"parameters": [{"in": "path", "schema": {}}]}, "there is no 'name'"),
        ({"parameters": [{"$ref": "#/components/parameters/No"}]}, "there is no 'No' in parameter"),
        ({"responses": {"ok": {}}}, "ValueError: invalid literal"),
        ({"responses": {"404": {"$ref": "#/components/responses/No"}}}, "there is no 'No' in resp"),
    ],
)
def test_a_wrong_part_of_an_operation_is_named_with_the_operation(
    changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(spec.SpecError, match=f"^getThing, GET /v1/thing: {message}"):
        spec.read_operation("get", "/v1/thing", {**OPERATION, **changed})


@pytest.mark.parametrize(
    "read",
    [
        spec.is_model,
        spec.properties,
        spec.required,
        lambda name: spec.resolved({"$ref": f"#/components/schemas/{name}"}),
        lambda name: spec.model_of({"$ref": f"#/components/schemas/{name}"}),
    ],
    ids=["is_model", "properties", "required", "resolved", "model_of"],
)
def test_a_schema_that_does_not_exist_is_named(read: Callable[[str], object]) -> None:
    with pytest.raises(spec.SpecError, match=r"^there is no 'NoSuchSchema' in schemas$"):
        read("NoSuchSchema")


def test_a_schema_without_properties_is_named() -> None:
    with pytest.raises(spec.SpecError, match=rf"^{spec.TYPE_ALIASES[0]}: there is no 'properties'"):
        spec.properties(spec.TYPE_ALIASES[0])


def test_an_array_without_items_is_shown() -> None:
    with pytest.raises(spec.SpecError, match=r"^\{'type': 'array'\}: there is no 'items'$"):
        spec.type_string({"type": "array"})
