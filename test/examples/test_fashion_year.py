"""The year of the fashion shop: its diary has what the campaigns of the seed promise."""

from __future__ import annotations

import re
import sys

import pytest

from cli.program import run
from docs.pages import ROOT

_SCRIPT = ROOT / "examples" / "fashion_year" / "diary.py"


@pytest.fixture(scope="module")
def diary() -> list[str]:
    ended = run(sys.executable, _SCRIPT)
    assert (ended.code, ended.err) == (0, "")
    return ended.out.splitlines()


def entry(diary: list[str], beginning: str) -> tuple[str, list[str]]:
    """Return the points after an event of the diary, and the lines that explain it."""
    (start,) = [at for at, line in enumerate(diary) if line[12:].startswith(beginning)]
    explained = []
    for line in diary[start + 1 :]:
        if not line.startswith(" "):
            break
        explained.append(line.strip())
    return diary[start].partition(" | ")[2], explained


def later(diary: list[str], customer: str) -> list[str]:
    """Return how a customer stands each time that days have passed."""
    found = [line for line in diary if re.search(rf" {customer} \d+ days later \| ", line)]
    return [line.partition(" | ")[2] for line in found]


def test_each_event_has_a_line_with_its_day_and_the_points(diary: list[str]) -> None:
    events = [line for line in diary if not line.startswith(" ")]
    pattern = r"\d{4}-\d\d-\d\d  \w+ .+ \| \d+ points, \d+ pending, (Cotton|Linen|Silk)"
    assert [line for line in events if not re.fullmatch(pattern, line)] == []
    days = [line[:10] for line in events]
    assert days == sorted(days)
    assert (days[0], days[-1] > "2027-01-05") == ("2026-01-05", True)


def test_orders_are_priced_by_campaigns_that_stack(diary: list[str]) -> None:
    orders = dict(re.findall(r"([A-D]\d): .*, pays (\S+) \|", "\n".join(diary)))
    assert orders == {
        "C1": "75.60",
        "D1": "34.90",
        "B1": "74.00",
        "A1": "455.00",
        "A2": "32.90",
        "C2": "0.00",
        "C3": "19.80",
        "C4": "32.90",
        "C5": "34.90",
        "C6": "20.00",
        "D2": "160.00",
        "A3": "79.00",
    }
    _, explained = entry(diary, "carla C1:")
    assert explained == ["Sale -36.00", "Welcome -8.40", "Free shipping -4.90"]
    assert "From a friend -10.00" in entry(diary, "ben B1:")[1]


def test_the_last_coupon_of_a_code_goes_to_the_first_customer(diary: list[str]) -> None:
    assert entry(diary, "dora D1:")[1] == ["OPENING10 refused: CouponLimitReached"]
    assert sum("refused" in line for line in diary) == 1


def test_a_large_order_brings_the_third_pair_at_half_price_and_a_voucher(
    diary: list[str],
) -> None:
    _, explained = entry(diary, "anna A1: BOOTS-1")
    assert explained[0] == "Third pair -55.00"
    assert explained[-1] == "Cinema vouchers: CINEMA-0001"
    assert sum("Cinema vouchers" in line for line in diary) == 1


def test_a_gift_card_is_used_up_over_two_orders(diary: list[str]) -> None:
    first, second = entry(diary, "carla C2:")[1], entry(diary, "carla C3:")[1]
    assert (first, second) == (["Gift card -34.90"], ["Gift card -15.10"])


def test_five_orders_earn_a_coupon_and_free_shipping(diary: list[str]) -> None:
    assert sum("completes five orders" in line for line in diary) == 1
    assert entry(diary, "carla C6:")[1] == ["Free shipping -4.90", "Gift card -10.00"]


def test_a_return_refunds_what_was_paid_and_a_cancellation_takes_points_back(
    diary: list[str],
) -> None:
    assert "SANDALS-3 returned, refund 55.00" in "\n".join(diary)
    assert entry(diary, "dora D2: LOAFERS-2")[0] == "130 points, 160 pending, Cotton"
    assert entry(diary, "dora D2: cancelled")[0] == "130 points, 0 pending, Cotton"


def test_points_become_active_and_expire_and_tiers_follow(diary: list[str]) -> None:
    assert entry(diary, "carla C1:")[0] == "0 points, 176 pending, Cotton"
    assert later(diary, "carla") == [
        "176 points, 0 pending, Cotton",
        "98 points, 0 pending, Cotton",
    ]
    assert later(diary, "ben") == ["174 points, 0 pending, Cotton", "0 points, 0 pending, Cotton"]
    assert later(diary, "anna") == [
        "1000 points, 0 pending, Linen",
        "1555 points, 0 pending, Silk",
        "214 points, 0 pending, Cotton",
    ]
    assert entry(diary, "anna A3:")[0] == "1111 points, 158 pending, Linen"
