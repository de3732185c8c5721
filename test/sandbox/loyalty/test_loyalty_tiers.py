"""Tiers: upgrades, expiry under each policy, downgrades, and the moments at which they happen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from talon_one.sandbox.loyalty.tiers import Standing, next_tier, standing_now, tier_for, tiers_of

TIERS = [
    {"id": 3, "name": "Gold", "minPoints": 1000},
    {"id": 1, "name": "Bronze", "minPoints": 10},
    {"id": 2, "name": "Silver", "minPoints": 100.5},
]

NOBODY = Standing()


def day(text: str) -> str:
    """Complete a date."""
    return f"{text}T00:00:00.000000Z"


def standing(
    steps: dict[str, Any],
    now: str,
    *,
    before: Standing = NOBODY,
    joined: str | None = None,
    **more: Any,
) -> tuple[int | None, str, str]:
    """Return tier, start and expiry after active points changed on these days."""
    program: dict[str, Any] = {"tiers": TIERS, **more}
    points = [(day(date), Decimal(str(value))) for date, value in steps.items()]
    found = standing_now(program, before, points, day(now), joined=joined and day(joined))
    return found.tier_id, (found.start or "")[:10], (found.expiry or "")[:10]


def test_the_highest_tier_that_the_points_reach_is_given() -> None:
    tiers = tiers_of({"tiers": TIERS})
    names = {}
    for points in ("0", "9.99", "10", "100.49", "100.5", "999.99", "1000", "999999999999"):
        found, after = tier_for(tiers, Decimal(points)), next_tier(tiers, Decimal(points))
        names[points] = (found and found["name"], after and after["name"])
    assert names == {
        "0": (None, "Bronze"),
        "9.99": (None, "Bronze"),
        "10": ("Bronze", "Silver"),
        "100.49": ("Bronze", "Silver"),
        "100.5": ("Silver", "Gold"),
        "999.99": ("Silver", "Gold"),
        "1000": ("Gold", None),
        "999999999999": ("Gold", None),
    }


def test_without_expiration_the_tier_follows_the_points_and_begins_when_they_changed() -> None:
    steps = {"2024-01-01": 0, "2024-01-05": 1000, "2024-02-01": 50, "2024-03-01": 60}
    assert standing({"2024-01-01": 0}, "2024-01-02") == (None, "", "")
    assert standing(dict(list(steps.items())[:2]), "2024-01-09") == (3, "2024-01-05", "")
    assert standing(steps, "2024-03-02") == (1, "2024-02-01", "")


LASTING: dict[str, Any] = {"tiersExpirationPolicy": "tier_start_date", "tiersExpireIn": "1M"}

EXPIRIES: list[tuple[dict[str, Any], str]] = [
    # The month counts from the start of the tier.
    ({"tiersExpirationPolicy": "tier_start_date", "tiersExpireIn": "1M"}, "2024-03-20"),
    ({"tiersExpirationPolicy": "tier_start_date", "tiersExpireIn": "1M_U"}, "2024-04-01"),
    # The attribute is not described by the API: as if from the start of the tier.
    ({"tiersExpirationPolicy": "customer_attribute", "tiersExpireIn": "1M"}, "2024-03-20"),
    # The month counts from the day of joining, over and over.
    ({"tiersExpirationPolicy": "program_join_date", "tiersExpireIn": "1M"}, "2024-02-29"),
    (
        {
            "tiersExpirationPolicy": "absolute_expiration",
            "tiersExpireIn": "1Y",
            "tierCycleStartDate": day("2019-07-01"),
        },
        "2024-07-01",
    ),
    (
        {
            "tiersExpirationPolicy": "absolute_expiration",
            "tiersExpireIn": "1Y",
            "tierCycleStartDate": day("2024-02-25"),
        },
        "2024-02-25",
    ),
    ({"tiersExpirationPolicy": "tier_start_date"}, ""),
]


def test_each_policy_says_when_a_tier_expires() -> None:
    wrong = []
    for policy, expiry in EXPIRIES:
        found = standing({"2024-02-20": 1000}, "2024-02-20", joined="2023-12-31", **policy)
        if found != (3, "2024-02-20", expiry):
            wrong.append((policy, found))
    assert not wrong


def test_a_tier_lasts_until_it_expires_though_the_points_are_gone() -> None:
    steps = {"2024-01-01": 1000, "2024-01-05": 0}
    assert standing(steps, "2024-01-31", **LASTING) == (3, "2024-01-01", "2024-02-01")


@pytest.mark.parametrize(
    ("policy", "points", "expected"),
    [
        ("one_down", 0, (2, "2024-02-01", "2024-03-01")),
        ("balance_based", 0, (None, "", "")),
        ("balance_based", 50, (1, "2024-02-01", "2024-03-01")),
        ("one_down", 5000, (3, "2024-02-01", "2024-03-01")),
        ("balance_based", 5000, (3, "2024-02-01", "2024-03-01")),
        ("one_down", 100.5, (2, "2024-02-01", "2024-03-01")),
    ],
)
def test_an_expired_tier_is_kept_or_goes_down_as_the_policy_says(
    policy: str, points: float, expected: tuple[Any, ...]
) -> None:
    steps = {"2024-01-01": 1000, "2024-01-05": points}
    found = standing(steps, "2024-02-01", **LASTING, tiersDowngradePolicy=policy)
    assert found == expected


def test_tiers_go_down_one_by_one_as_time_passes_and_nobody_looks() -> None:
    steps = {"2024-01-01": 1000, "2024-01-05": 0}
    program: dict[str, Any] = {**LASTING, "tiersDowngradePolicy": "one_down"}
    days = ("2024-02-01", "2024-03-01", "2024-04-01", "2024-09-01")
    assert [standing(steps, date, **program)[0] for date in days] == [2, 1, None, None]


def test_the_points_at_the_moment_of_expiry_decide() -> None:
    program: dict[str, Any] = {**LASTING, "tiersDowngradePolicy": "balance_based"}
    lost_later = {"2024-01-01": 1000, "2024-02-02": 0}
    assert standing(lost_later, "2024-02-20", **program) == (3, "2024-02-01", "2024-03-01")
    lost_then = {"2024-01-01": 1000, "2024-02-01": 50}
    assert standing(lost_then, "2024-02-20", **program) == (1, "2024-02-01", "2024-03-01")


def test_a_higher_tier_begins_when_the_points_become_active() -> None:
    steps = {"2024-01-01": 10, "2024-01-20": 1000}
    assert standing(steps, "2024-02-10", **LASTING) == (3, "2024-01-20", "2024-02-20")


def test_a_tier_that_the_program_no_longer_has_is_forgotten() -> None:
    before = Standing(99, day("2024-01-01"), day("2025-01-01"))
    assert standing({"2024-01-01": 20}, "2024-02-10", before=before, **LASTING)[0] == 1
    assert standing({"2024-01-01": 0}, "2024-02-10", before=before, **LASTING) == (None, "", "")


def test_years_of_tiers_that_last_a_second_are_settled() -> None:
    program: dict[str, Any] = {"tiersExpirationPolicy": "tier_start_date", "tiersExpireIn": "1s"}
    found = standing({"2024-01-01": 1000}, "2029-01-01", **program)
    assert found[0] == 3
    assert found[2] == "2029-01-01"


def test_tiers_that_last_for_no_time_or_beyond_the_calendar_do_not_expire() -> None:
    cycle = {"tierCycleStartDate": day("2020-01-01")}
    for lasts in ("0D", "9999Y"):
        for policy in ("tier_start_date", "absolute_expiration"):
            program: dict[str, Any] = {
                "tiersExpirationPolicy": policy,
                "tiersExpireIn": lasts,
                **cycle,
            }
            found = standing({"2024-01-01": 1000}, "2024-02-01", **program)
            assert found[0] == 3
