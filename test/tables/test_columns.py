"""The columns of exports and imports are described, and known to the operations."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.spec import OPERATIONS, Operation
from talon_one.api import management_operations

EXPORTS = [each for each in OPERATIONS if "csv" in (each.successes[0].content_type or "")]
IMPORTS = [each for each in OPERATIONS if each.upload]

# Whose texts name no columns, or leave these out.
SILENT = {
    "exportAccountCollectionItems",
    "exportCollectionItems",
    "exportLoyaltyBalance",
    "exportLoyaltyCardLedger",
}
ON_REQUEST = {"negativeBalance"}


def known(operation: Operation) -> Any:
    return getattr(management_operations, operation.name).csv


def names_in(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def test_every_export_and_import_has_columns_and_nothing_else_has() -> None:
    with_files = {each.id for each in EXPORTS + IMPORTS}
    assert {each.id for each in OPERATIONS if each.csv} == with_files
    assert (len(EXPORTS), len(IMPORTS)) == (22, 13)


@pytest.mark.parametrize("operation", EXPORTS + IMPORTS, ids=str)
def test_the_operation_knows_the_columns_of_the_description(operation: Operation) -> None:
    described: Any = operation.csv
    found = known(operation)
    assert [each.name for each in found.columns] == list(described["columns"])
    required = [each.name for each in found.columns if each.required]
    assert sorted(required) == sorted(described.get("required", ()))
    assert found.any_of == tuple(described.get("anyOf", ()))
    assert found.not_both == tuple(described.get("notBoth", ()))
    assert found.replaces is described.get("replaces", False)
    for each in found.columns:
        node = described["columns"][each.name]
        assert each.words == tuple(node.get("words", ()))
        assert each.separator == node.get("separator", "")


@pytest.mark.parametrize("operation", EXPORTS + IMPORTS, ids=str)
def test_the_columns_are_those_that_the_text_of_the_operation_names(operation: Operation) -> None:
    if operation.id not in SILENT:
        columns = {each.name for each in known(operation).columns} - ON_REQUEST
        assert columns <= names_in(operation.description)


def test_only_imports_ask_for_anything() -> None:
    for each in EXPORTS:
        assert (each.csv or {}).keys() == {"columns"}
    for each in IMPORTS:
        assert "required" in (each.csv or {})


def test_imports_say_whether_they_replace_what_was_there() -> None:
    replacing = {each.id for each in IMPORTS if known(each).replaces}
    assert replacing == {
        "importAccountCollection",
        "importAllowedList",
        "importAudiencesMemberships",
        "importCampaignStoreBudget",
        "importCampaignStores",
        "importCollection",
    }
