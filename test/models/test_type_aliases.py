"""Schemas that are no objects with properties: lists, texts and free-form data, under a name."""

from __future__ import annotations

import typing
from datetime import date, datetime, timezone
from typing import Any

import pytest

import talon_one
from support.every import for_every
from support.samples import HOSTILE, sample_of, written
from support.spec import SCHEMAS, TYPE_ALIASES, model_of
from talon_one import ApiClient, BestPriorPrice, LoyaltyTier, Model

_LISTS = [name for name in TYPE_ALIASES if SCHEMAS[name].get("type") == "array"]
_TIERS = '[{"id": 1, "name": "Gold", "novelty": null}, {"id": 2}]'


@for_every("name", TYPE_ALIASES)
def test_it_is_the_type_that_its_schema_describes(name: str) -> None:
    alias = getattr(talon_one, name)
    node = SCHEMAS[name]
    values = node.get("additionalProperties", {})
    inside = model_of(node.get("items") or values or {})
    model = getattr(talon_one, inside) if inside else None
    if node.get("type") == "array":
        assert typing.get_origin(alias) is list
        assert typing.get_args(alias) == (model,)
    elif "enum" in node:
        assert list(typing.get_args(alias)) == node["enum"]
    elif node.get("type") == "string":
        assert alias is str
    elif "x-variants" in node:
        assert alias == Model | dict[str, Any]
    elif "oneOf" in node:
        types = {"integer": int, "number": float, "string": str}
        assert set(typing.get_args(alias)) == {types[each["type"]] for each in node["oneOf"]}
    elif node.get("type") == "object":
        free = str if values.get("type") == "string" else Any
        assert typing.get_origin(alias) is dict
        assert typing.get_args(alias) == (str, model or free)
    else:
        assert alias is Any


@pytest.mark.parametrize("name", _LISTS)
def test_the_items_of_a_list_become_models_by_name_and_by_type(
    client: ApiClient, name: str
) -> None:
    item = getattr(talon_one, model_of(SCHEMAS[name]["items"]) or "")
    text = written(sample_of(name))
    for spelled in (name, f"{name} | None", f"Optional[{name}]", getattr(talon_one, name)):
        found = client.deserialize(text, spelled)
        assert [type(each) for each in found] == [item] * len(found)
        assert written(client.sanitize_for_serialization(found)) == text
    assert len(sample_of(name)) > 0


@for_every("name", TYPE_ALIASES)
def test_data_of_another_shape_are_handed_over_unchanged(client: ApiClient, name: str) -> None:
    for data in HOSTILE:
        for spelled in (name, getattr(talon_one, name)):
            found = client.deserialize(written(data), spelled)
            assert written(client.sanitize_for_serialization(found)) == written(data)


@pytest.mark.parametrize(
    "spelled",
    [
        "LoyaltyTiers",
        "list[LoyaltyTier]",
        "List[LoyaltyTier]",
        "list[LoyaltyTier] | None",
        talon_one.LoyaltyTiers,
        list[LoyaltyTier],
        typing.List[LoyaltyTier],  # noqa: UP006  code for older Python writes it so
    ],
    ids=str,
)
def test_all_spellings_of_a_list_mean_the_same(client: ApiClient, spelled: Any) -> None:
    tiers = client.deserialize(_TIERS, spelled)
    assert tiers == [LoyaltyTier.from_json('{"id": 1, "name": "Gold", "novelty": null}'), tiers[1]]
    assert tiers[1] == LoyaltyTier.from_json('{"id": 2}')


def test_they_may_stand_in_one_another(client: ApiClient) -> None:
    for spelled in ("dict(str, LoyaltyTiers)", "Dict[str, LoyaltyTiers]", "dict(str, list[Any])"):
        found = client.deserialize(f'{{"a": {_TIERS}, "b": null}}', spelled)
        assert list(found) == ["a", "b"]
        assert isinstance(found["a"][0], LoyaltyTier if "Tiers" in spelled else dict)
    nested = client.deserialize(f"[[{_TIERS}]]", "list[list[LoyaltyTiers]]")
    assert nested[0][0][1] == LoyaltyTier.from_dict({"id": 2})
    assert client.deserialize(f"[{_TIERS}]", list[talon_one.LoyaltyTiers])[0][1].id == 2


@for_every(
    "spelled, text, value",
    [
        ("datetime", '"2026-01-02T03:04:05Z"', datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
        (datetime, '"2026-01-02T03:04:05Z"', datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
        ("list[date]", '["2026-01-02", "soon"]', [date(2026, 1, 2), "soon"]),
        (date, '"2026-01-02"', date(2026, 1, 2)),
        (str, '"text"', "text"),
        (int, "7", 7),
        (float, "7", 7),
        (bool, "true", True),
        (object, "{}", {}),
        (dict, "{}", {}),
        (list, "[{}]", [{}]),
        ("no such type", "[{}]", [{}]),
    ],
)
def test_plain_types_are_understood_as_text_and_as_class(
    client: ApiClient, spelled: Any, text: str, value: Any
) -> None:
    assert client.deserialize(text, spelled) == value


def test_a_class_of_ones_own_is_used_as_it_is(client: ApiClient) -> None:
    class LoyaltyTierOfOurs(LoyaltyTier):
        """A model of an application."""

    tier = client.deserialize('{"id": 1}', LoyaltyTierOfOurs)
    assert type(tier) is LoyaltyTierOfOurs
    assert tier.id == 1
    assert tier != LoyaltyTier.from_dict({"id": 1})


def test_an_response_that_is_an_alias_arrives_as_typed_items(client: ApiClient) -> None:
    prices = client.deserialize(written(sample_of("BestPriorPriceResponse")), "list[Any]")
    assert all(type(each) is dict for each in prices)
    prices = client.deserialize(written(prices), "BestPriorPriceResponse")
    assert all(isinstance(each, BestPriorPrice) and isinstance(each, Model) for each in prices)
