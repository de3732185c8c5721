"""Bulk jobs that create coupons."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import talon_one.aio
from bulk.runs import (
    OK,
    RunBulk,
    profiles,
)
from support.server import HANG_UP, RecordingServer
from talon_one import (
    ApiTypeError,
    bulk,
)


@pytest.mark.parametrize("number", [50_000, Decimal("50000.00")])
def test_a_coupon_request_creates_at_most_20_000(
    run_bulk: RunBulk, server: RecordingServer, number: Any
) -> None:
    row = {"numberOfCoupons": number, "couponPattern": "A-######"}
    result = run_bulk("create_coupons", 3, 12, [row, {**row, "numberOfCoupons": 5}])
    amounts = sorted(each.json()["numberOfCoupons"] for each in server.requests)
    assert amounts == [5, 10_000, 20_000, 20_000]
    assert {each.json()["couponPattern"] for each in server.requests} == {"A-######"}
    assert server.last.path == "/v1/applications/3/campaigns/12/coupons"
    assert result.summary[:3] == (4, 0, 0)


def test_coupons_with_an_unknown_outcome_are_not_created_again(
    run_bulk: RunBulk, server: RecordingServer, tmp_path: Path
) -> None:
    server.script(OK, HANG_UP)
    file = tmp_path / "failed.jsonl"
    row = talon_one.NewCoupons(number_of_coupons=50_000, coupon_pattern="A-######")
    result = run_bulk("create_coupons", 3, 12, [row], failures=file, concurrency=1, _retries=3)
    assert result.summary[:3] == (2, 0, 1)
    assert list(bulk.read_failures(file)) == []
    assert list(bulk.read_failures(file, include_unknown=True)) == [
        {"numberOfCoupons": 20_000, "couponPattern": "A-######"}
    ]


@pytest.mark.parametrize("number", [None, "5", True, 1.5])
def test_coupon_rows_without_a_number_fail(
    run_bulk: RunBulk, server: RecordingServer, number: Any
) -> None:
    result = run_bulk("create_coupons", 3, 12, [{"numberOfCoupons": number}])
    assert result.summary[:3] == (0, 1, 0)
    assert server.requests == []


@pytest.mark.parametrize("number", [0, -5, 1, 20_000])
def test_a_number_that_needs_no_splitting_is_left_to_the_platform(
    run_bulk: RunBulk, server: RecordingServer, number: int
) -> None:
    run_bulk("create_coupons", 3, 12, [{"numberOfCoupons": number}])
    assert [each.json() for each in server.requests] == [{"numberOfCoupons": number}]


def test_each_recipient_gets_a_coupon(run_bulk: RunBulk, server: RecordingServer) -> None:
    ids: list[Any] = ["p1", "", None, "p2", "p1"]
    coupon = talon_one.NewCouponsForMultipleRecipients(
        usage_limit=1, coupon_pattern="A-####", recipients_integration_ids=[]
    )
    result = run_bulk("create_coupons_for_recipients", 3, 12, ids, coupon)
    assert server.last.json() == {
        "usageLimit": 1,
        "couponPattern": "A-####",
        "recipientsIntegrationIds": ["p1", "p2", "p1"],
    }
    assert result.summary[:3] == (3, 2, 0)


def test_a_coupon_that_cannot_be_sent_fails_no_row(run_bulk: RunBulk) -> None:
    for value in (object(), float("nan")):
        coupon = {"couponPattern": "A-####", "attributes": {"A": value}}
        with pytest.raises(ApiTypeError, match=r"coupon cannot be sent: .* at \$\.attributes\.A"):
            run_bulk("create_coupons_for_recipients", 3, 12, ["p1"], coupon)


def test_recipients_in_the_coupon_are_rejected(run_bulk: RunBulk) -> None:
    with pytest.raises(ApiTypeError, match="pass them as rows"):
        run_bulk("create_coupons_for_recipients", 3, 12, [], {"recipientsIntegrationIds": ["p"]})


def test_an_invalid_coupon_stops_the_job_and_fails_no_row(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    result = run_bulk("create_coupons_for_recipients", 3, 12, ["p1"], {"couponPattern": "A"})
    assert result.summary[:3] == (0, 0, 0)
    assert result.failure is not None
    assert "couponPattern" in str(result.failure)
    assert server.requests == []


def test_requests_keep_to_the_rate_limit_of_the_management_api(run_bulk: RunBulk) -> None:
    row = {"numberOfCoupons": 1, "couponPattern": "A-######"}
    result = run_bulk("create_coupons", 3, 12, [row] * 9)
    # Three start without a pause, three a second later, and three two seconds later: these clients
    # do not sleep, so all pauses count from the start.
    assert 3 < sum(result.pauses) <= 9
    assert run_bulk("create_coupons", 3, 12, [row] * 9, limiter=False).pauses == []
    assert run_bulk("upsert_profiles", profiles(9), chunk_size=1).pauses == []
