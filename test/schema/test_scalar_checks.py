"""Limits of texts and numbers, at the limit and on either side of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from support.every import for_every
from talon_one import unchecked
from talon_one._schema.scalar_checks import (
    check_bool,
    check_date,
    check_datetime,
    check_free_scalar,
    literal_check,
    number_check,
    text_check,
)

INFINITY = float("inf")
NAN = float("nan")
MOMENT = datetime(2026, 1, 2, tzinfo=timezone.utc)


def said(check: Callable[[Any], Any], value: Any) -> list[str]:
    return [each.message for each in check(value)]


@pytest.mark.parametrize(
    ("constraints", "allowed", "refused"),
    [
        ({}, ["", "x" * 1000], []),
        ({"min_length": 2}, ["ab", "abc"], ["a", ""]),
        ({"max_length": 2}, ["", "a", "ab"], ["abc"]),
        ({"min_length": 1, "max_length": 1}, ["a"], ["", "ab"]),
        ({"pattern": r"^\w$"}, ["a", "_"], ["ä", "", "ab"]),
        ({"pattern": r"b"}, ["abc"], ["acc"]),
    ],
)
def test_a_text_is_as_long_as_its_limits_and_matches_its_pattern(
    constraints: dict[str, Any], allowed: list[str], refused: list[str]
) -> None:
    check = text_check(constraints)
    assert [value for value in allowed if check(value)] == []
    assert [value for value in refused if not check(value)] == []


def test_a_text_breaks_several_limits_in_one_report() -> None:
    check = text_check({"min_length": 3, "pattern": "^a"})
    assert said(check, "b") == [
        "must have at least 3 characters, not 1",
        "must match ^a, which 'b' does not",
    ]
    assert said(check, "") == ["must not be empty", "must match ^a, which '' does not"]
    assert said(text_check({"max_length": 3}), "abcd") == ["must have at most 3 characters, not 4"]


def test_a_secret_that_breaks_a_pattern_is_not_quoted() -> None:
    check = text_check({"pattern": "^a", "secret": True})
    assert said(check, "hush") == ["must match ^a, which the secret does not"]


def test_a_uuid_is_a_text_and_a_number_is_not() -> None:
    check = text_check({"max_length": 3})
    assert said(check, UUID(int=5)) == []
    assert said(check, 5) == ["must be text, not int"]
    assert said(check, None) == ["must be text, not null"]


@pytest.mark.parametrize("kind", ["int", "float"])
@for_every(
    "constraints, allowed, refused",
    [
        ({}, [-(10**30), 0, 10**30], []),
        ({"minimum": 2}, [2, 3], [1, -5]),
        ({"maximum": 2}, [2, 1, -5], [3]),
        ({"minimum": 2, "exclusive_minimum": True}, [3], [2, 1]),
        ({"maximum": 2, "exclusive_maximum": True}, [1], [2, 3]),
        ({"minimum": 0, "maximum": 0}, [0], [-1, 1]),
    ],
)
def test_a_number_is_within_its_limits(
    kind: str, constraints: dict[str, Any], allowed: list[int], refused: list[int]
) -> None:
    check = number_check(kind, constraints)
    assert [value for value in allowed if check(value)] == []
    assert [value for value in refused if not check(value)] == []


def test_the_report_says_whether_a_limit_itself_is_allowed() -> None:
    assert said(number_check("int", {"minimum": 2}), 1) == ["must be at least 2, not 1"]
    assert said(number_check("int", {"maximum": 2}), 3) == ["must be at most 2, not 3"]
    above = number_check("float", {"minimum": 0, "exclusive_minimum": True})
    below = number_check("float", {"maximum": 0, "exclusive_maximum": True})
    assert said(above, 0) == ["must be above 0, not 0"]
    assert said(below, 0) == ["must be below 0, not 0"]


INTEGERS: list[Any] = [1, Decimal(2), Decimal("2E2"), Decimal("2.0")]
REALS: list[Any] = [0.5, 2.0, Decimal("0.5"), Fraction(1, 2)]
UNCOUNTABLE: list[Any] = [
    *(NAN, INFINITY, -INFINITY),
    *(Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity")),
]


def test_an_integer_has_no_fraction_whatever_its_type() -> None:
    check = number_check("int", {})
    assert [value for value in INTEGERS if check(value)] == []
    assert said(check, 0.5) == ["must be an integer, not float"]
    others: list[Any] = [*REALS, *UNCOUNTABLE, True, "1", None, []]
    assert [value for value in others if not check(value)] == []


def test_a_number_is_finite_and_no_boolean() -> None:
    check = number_check("float", {})
    assert [value for value in INTEGERS + REALS if check(value)] == []
    assert said(check, True) == ["must be a number, not bool"]
    for value in UNCOUNTABLE:
        assert said(check, value)[0].startswith("must be a finite number, not "), value
    others: list[Any] = ["1", None, [], 1j]
    assert [value for value in others if not check(value)] == []


def test_a_value_of_any_type_is_finite_and_has_a_time_zone() -> None:
    fine: list[Any] = ["", None, True, 5, 0.5, Decimal(5), MOMENT, date(2026, 1, 2), object()]
    assert [value for value in fine if check_free_scalar(value)] == []
    assert [value for value in UNCOUNTABLE if not check_free_scalar(value)] == []
    assert said(check_free_scalar, MOMENT.replace(tzinfo=None))[0].startswith(
        "must have a time zone, such as "
    )


def test_a_value_of_an_enum_is_one_of_the_list_or_unchecked() -> None:
    check = literal_check(("a", 1))
    allowed: list[Any] = ["a", 1, 1.0, unchecked("b")]
    assert [value for value in allowed if check(value)] == []
    assert said(check, "b") == [
        "must be one of 'a', 1, not 'b'; to send it anyway, use talon_one.unchecked('b')"
    ]
    assert said(check, 2) == ["must be one of 'a', 1, not 2"]
    others: list[Any] = [None, [], {}, Decimal(1), b"a"]
    assert [value for value in others if not check(value)] == []


def test_a_boolean_is_no_number_and_no_text() -> None:
    assert said(check_bool, True) == said(check_bool, False) == []
    assert said(check_bool, 1) == ["must be True or False, not int"]
    assert said(check_bool, None) == ["must be True or False, not null"]


def test_moments_and_days_are_told_apart() -> None:
    day = date(2026, 1, 2)
    assert said(check_datetime, MOMENT) == said(check_date, day) == []
    assert said(check_datetime, "2026-01-02T00:00:00Z") == said(check_date, "2026-01-02") == []
    assert said(check_datetime, day) == [
        "must be a datetime, not date; a day has no time,"
        " give datetime(2026, 1, 2, tzinfo=timezone.utc)"
    ]
    assert said(check_date, MOMENT) == ["must be a date, not datetime"]
    assert said(check_datetime, 5) == ["must be a datetime, not int"]
    assert said(check_date, 5) == ["must be a date, not int"]
    assert said(check_datetime, "soon")
    assert said(check_date, "soon")
