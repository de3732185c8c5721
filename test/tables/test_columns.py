"""Operations know the columns of exports and imports from the description."""

from __future__ import annotations

import re
from typing import Any

from support.every import for_every
from support.spec import OPERATIONS, Operation
from talon_one.api import management_operations

EXPORTS = [each for each in OPERATIONS if "csv" in (each.successes[0].content_type or "")]
IMPORTS = [each for each in OPERATIONS if each.upload]

# Operations with texts that name no columns, or not all of them.
UNDOCUMENTED = {
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


def test_exactly_the_exports_and_imports_have_columns() -> None:
    with_files = {each.id for each in EXPORTS + IMPORTS}
    assert {each.id for each in OPERATIONS if each.csv} == with_files
    assert (len(EXPORTS), len(IMPORTS)) == (22, 13)


@for_every("operation", EXPORTS + IMPORTS)
def test_the_operation_has_the_columns_of_the_description(operation: Operation) -> None:
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


@for_every("operation", EXPORTS + IMPORTS)
def test_the_text_of_the_operation_names_its_columns(operation: Operation) -> None:
    if operation.id not in UNDOCUMENTED:
        columns = {each.name for each in known(operation).columns} - ON_REQUEST
        assert columns <= names_in(operation.description)


def test_only_imports_have_requirements() -> None:
    for each in EXPORTS:
        assert (each.csv or {}).keys() == {"columns"}
    for each in IMPORTS:
        assert "required" in (each.csv or {})


def test_imports_know_whether_they_replace_stored_data() -> None:
    replacing = {each.id for each in IMPORTS if known(each).replaces}
    assert replacing == {
        "importAccountCollection",
        "importAllowedList",
        "importAudiencesMemberships",
        "importCampaignStoreBudget",
        "importCampaignStores",
        "importCollection",
    }
