"""The scripts of examples/ run, against a sandbox of their own and against a host that is named."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from cli.program import run
from docs.pages import ROOT
from talon_one.sandbox import Sandbox

_FOLDER = ROOT / "examples"


@dataclass(frozen=True)
class Example:
    """A script, and the lines that it prints, in this order, among others."""

    name: str
    facts: tuple[str, ...]


EXAMPLES = (
    Example(
        "quickstart",
        (
            "Orders so far: 0",
            "Discount: 4.00",
            "State of the session: closed",
            "Redemptions of TEN-OFF: 1, by this customer: 1",
        ),
    ),
    Example(
        "checkout",
        (
            "cart and shipping: 74.90",
            "10% off: -7.49",
            "Free shipping: -4.90",
            "to pay: 62.51",
            "closed: the discounts hold",
            "cancelled: rollbackCoupon {'value': 'TEN-OFF'}",
            "cancelled: rollbackDiscount {'name': '10% off', 'value': 7.49}",
        ),
    ),
    Example(
        "referral",
        (
            "friend: setDiscount {'name': 'Friend discount', 'value': 5}",
            "redeemed: 1, by the friend alone: True",
        ),
    ),
    Example(
        "coupon_reservation",
        (
            "holder: accepted",
            "stranger: refused, CouponReservationRequired",
            "reserved by the holder alone: True",
            "in the wallet of the holder: active",
            "holder, after giving it back: refused, CouponReservationRequired",
        ),
    ),
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_it_starts_a_sandbox_where_no_host_is_set(example: Example) -> None:
    ended = run(sys.executable, _FOLDER / f"{example.name}.py")
    assert (ended.code, ended.err) == (0, "")
    assert facts_in(ended.out, example) == list(example.facts)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_it_talks_to_the_host_that_is_set(example: Example) -> None:
    script = _FOLDER / f"{example.name}.py"
    with Sandbox(api_key="shop-key", management_key="back-office-key") as sandbox:
        given = sandbox.environment()
        ended = run(sys.executable, script, more=given)
        # A sandbox of its own would not mind.
        wrong = {"TALON_ONE_API_KEY": "no", "TALON_ONE_MANAGEMENT_KEY": "no"}
        refused = run(sys.executable, script, more={**given, **wrong})
    assert (ended.code, ended.err) == (0, "")
    assert facts_in(ended.out, example) == list(example.facts)
    assert refused.code == 1
    assert "401 Unauthorized" in refused.err


def facts_in(output: str, example: Example) -> list[str]:
    """Return the lines of the output that are facts of the example."""
    return [line for line in output.splitlines() if line in example.facts]


def test_a_coupon_that_is_refused_costs_the_customer_the_discount() -> None:
    ended = run(sys.executable, _FOLDER / "checkout.py", "NOPE")
    assert (ended.code, ended.err) == (0, "")
    assert "coupon NOPE refused: CouponNotFound" in ended.out
    assert "to pay: 70.00" in ended.out


@pytest.mark.parametrize("name", ["referral", "coupon_reservation"])
def test_it_asks_for_the_application_where_that_is_missing(name: str) -> None:
    given = {"TALON_ONE_HOST": "http://127.0.0.1:9", "TALON_ONE_API_KEY": "k"}
    ended = run(sys.executable, _FOLDER / f"{name}.py", more=given)
    assert ended.code == 1
    assert ended.err.startswith("set TALON_ONE_APPLICATION_ID")


def test_every_script_is_tested() -> None:
    scripts = {script.stem for script in _FOLDER.glob("*.py")}
    # One needs a sandbox of its own, and has tests of its own; the tests of Spark run the other.
    assert scripts - {"fashion_checkout", "spark_lake"} == {each.name for each in EXAMPLES}
