"""Scripts written for the vendor's two packages run here as they are."""

from __future__ import annotations

import sys
from pathlib import Path

from cli.program import run
from talon_one.sandbox import Sandbox

_SCRIPTS = Path(__file__).parent / "vendor_scripts"


def lines_of(script: str) -> list[str]:
    """Run a script against a fresh sandbox; return what it printed."""
    with Sandbox() as sandbox:
        ended = run(sys.executable, _SCRIPTS / script, more=sandbox.environment())
    assert (ended.code, ended.err) == (0, "")
    return ended.out.splitlines()


def test_a_script_for_the_legacy_package_runs_unchanged() -> None:
    assert lines_of("legacy_checkout.py") == [
        "profile legacy-customer",
        "accepted TEN-OFF",
        "discount 10% off 10",
        "rejected NO-SUCH-CODE CouponNotFound",
        "total 100 None",
        "read 200 application/json open",
        "closed ['acceptCoupon', 'rejectCoupon', 'setDiscount']",
        "reserved True 1",
        "application 3 Sandbox shop",
        "missing 404 Not Found True",
    ]


def test_a_script_for_the_next_package_runs_unchanged() -> None:
    lines = lines_of("next_checkout.py")
    shown = [line for line in lines if line.startswith(("IntegrationStateV2(", " "))]
    assert "effect_type='setDiscount'" in "".join(shown)
    assert [line for line in lines if line not in shown] == [
        "items 2",
        'request {"customerSession":{"profileId":"next-customer","state":"open",'
        '"couponCodes":["TEN-OFF"],"cartItems":['
        '{"name":"Hat","sku":"hat-1","quantity":1,"price":60.0},'
        '{"name":"Scarf","sku":"scarf-1","quantity":2,"price":20.0}]},'
        '"responseContent":["customerSession"]}',
        "discount 10% off 10",
        "closed 200 application/json",
        "kinds ['acceptCoupon', 'setDiscount']",
        "same True",
        "raw 200 True",
        "application 1",
        "missing 404 NotFoundException Customer session not found",
    ]
