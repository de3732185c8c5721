"""How messages quote values, and which names they suggest."""

from __future__ import annotations

from typing import Any

import pytest

from talon_one._utils.quoting import message_of, quoted
from talon_one._utils.suggest import did_you_mean


class Shy:
    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __repr__


class Long:
    def __init__(self, length: int) -> None:
        self._length = length

    def __repr__(self) -> str:
        return "x" * self._length


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        ("a" * 58, f"'{'a' * 58}'"),
        ("a" * 59, f"'{'a' * 56}..."),
        ("a" * 60, f"'{'a' * 56}..."),
        ("a" * 61, f"'{'a' * 56}..."),
        (b"a" * 61, f"b'{'a' * 55}..."),
        (Long(60), "x" * 60),
        (Long(61), "x" * 57 + "..."),
        (5, "5"),
    ],
)
def test_a_quoted_value_has_at_most_sixty_characters(value: Any, text: str) -> None:
    assert quoted(value) == text


def test_another_limit_may_be_asked_for() -> None:
    assert quoted(Long(10), 10) == "x" * 10
    assert quoted(Long(11), 10) == "x" * 7 + "..."
    assert quoted("a" * 11, 10) == "'aaaaaa..."


def test_a_value_without_a_representation_is_named_by_its_class() -> None:
    assert quoted(Shy(), 200).startswith("<core.test_quoting.Shy object at ")


def test_a_message_is_one_line_of_limited_length() -> None:
    assert message_of(ValueError("a\n  b\tc")) == "a b c"
    assert message_of(ValueError("\ud800")) == "\\ud800"
    assert message_of(ValueError("x" * 1000)) == "x" * 1000
    assert message_of(ValueError("x" * 1001)) == "x" * 997 + "..."
    assert message_of(ValueError(Shy())) == ""


@pytest.mark.parametrize(
    ("name", "valid", "nearest"),
    [
        ("updateCoupon", ["delete_coupon", "update_coupon"], "update_coupon"),
        ("COUPONS", ["coupons"], "coupons"),
        ("cuopon", ["coupon", "campaign"], "coupon"),
        ("timeout", ["_retries", "_request_timeout"], "_request_timeout"),
        # Parts of four letters are in too many names.
        ("time", ["_request_timeout"], None),
        ("quantity", ["sku", "price"], None),
        ("a", [], None),
    ],
)
def test_the_nearest_valid_name_is_suggested(
    name: str, valid: list[str], nearest: str | None
) -> None:
    assert did_you_mean(name, valid) == (f" Did you mean {nearest!r}?" if nearest else "")


@pytest.mark.parametrize(
    ("name", "valid", "nearest"),
    [
        ("integrationID", "integrationId", True),
        ("integration_id", "integrationId", True),
        ("integratonId", "integrationId", True),
        # As similar, but of another length, or not as similar.
        ("abcdefghijklmnopqrst", "abcdefghijklmnopqrstuv", True),
        ("abcdefghijklmnopqrst", "abcdefghijklmnopqrstuvw", False),
        ("timeout", "_request_timeout", False),
        ("cuopon", "coupon", False),
    ],
)
def test_a_name_that_may_be_new_is_not_taken_for_a_typo(
    name: str, valid: str, nearest: bool
) -> None:
    expected = f" Did you mean {valid!r}?" if nearest else ""
    assert did_you_mean(name, [valid], typos_only=True) == expected
