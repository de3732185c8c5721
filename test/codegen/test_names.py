"""Names and patterns of the API become names and patterns of Python."""

from __future__ import annotations

import re

import pytest

from codegen.loader import SpecError
from codegen.names import identifier, module_name, underscored
from codegen.patterns import python_pattern
from support.every import for_every


@for_every(
    "name, expected",
    [
        ("name", "name"),
        ("catalogItemID", "catalog_item_id"),
        ("evaluationGroupID", "evaluation_group_id"),
        ("programID", "program_id"),
        ("integrationIDs", "integration_i_ds"),
        ("transactionUUIDs", "transaction_uui_ds"),
        ("HTTPServer", "http_server"),
        ("Coupon2Code", "coupon2_code"),
        ("GetLoyaltyCardPoints200Response", "get_loyalty_card_points200_response"),
        ("Accept-Language", "accept_language"),
        ("first  name", "first_name"),
        ("already_underscored", "already_underscored"),
    ],
)
def test_names_are_underscored_as_the_vendor_did(name: str, expected: str) -> None:
    assert underscored(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("return", "return_"),
        ("None", "none"),
        ("match", "match"),
        ("taken", "taken_"),
        ("2nd", "_2nd"),
        ("a.b", "a_b"),
        ("@type", "_type"),
        ("größe", "größe"),
        ("", "_"),
    ],
)
def test_identifiers_may_stand_in_python(name: str, expected: str) -> None:
    assert identifier(name, frozenset({"taken"})) == expected
    assert expected.isidentifier()


def test_modules_of_reserved_names_take_an_underscore() -> None:
    assert module_name("Return") == "return_"
    assert module_name("Import") == "import_"
    assert module_name("CartItem") == "cart_item"


@for_every(
    "pattern, matching, failing",
    [
        ("^a$", ["a"], ["a\n", "b"]),
        (r"^a\$", ["a$"], ["a"]),
        ("^[[:alpha:]]+$", ["Ab"], ["A1", "_"]),
        ("^[[:alnum:]]+$", ["Ab1"], ["_"]),
        ("^[[:digit:][:upper:]]+$", ["1A"], ["a"]),
        ("^[[:lower:]]+$", ["a"], ["A"]),
        ("^[^[:cntrl:]]+$", ["a b"], ["a\tb", "\x7f", "\n"]),
        ("^[^[:space:]]+$", ["ab"], ["a b"]),
        ("^[[:punct:]]+$", list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"), ["a", "1", " "]),
        ("^[[:print:]]+$", ["a ~"], ["\x1f", "\x7f"]),
        ("^[^]$", ["\n", "a"], [""]),
    ],
)
def test_patterns_mean_in_python_what_they_meant_before(
    pattern: str, matching: list[str], failing: list[str]
) -> None:
    found = re.compile(python_pattern(pattern), re.ASCII)
    assert [text for text in matching if not found.search(text)] == []
    assert [text for text in failing if found.search(text)] == []


@pytest.mark.parametrize("pattern", ["[", "(?<name>a)", r"\p{L}", "[[:word:]]", "a++b["])
def test_a_pattern_that_python_would_read_differently_is_refused(pattern: str) -> None:
    with pytest.raises(
        SpecError, match=re.escape(f"the pattern {pattern!r} is not valid in Python")
    ):
        python_pattern(pattern)
