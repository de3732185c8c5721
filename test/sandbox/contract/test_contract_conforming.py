"""The comparison that every test of the sandbox makes notices what does not conform."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.conforming import assert_conforms

_ERROR = {"message": "no", "errors": [], "StatusCode": 404}
_SESSION = "/v2/customer_sessions/a%2Fb?dry=true"
_RESERVATION = "/v1/coupon_reservations/A"
_NO_EFFECTS: dict[str, Any] = {"effects": [], "createdCoupons": [], "createdReferrals": []}
_COUPONS = "/v1/applications/3/campaigns/12/coupons/no_total"


@pytest.mark.parametrize(
    ("method", "target", "status", "body"),
    [
        ("PUT", _SESSION, 200, _NO_EFFECTS),
        ("PUT", _SESSION, 404, _ERROR),
        ("PUT", _SESSION, 409, _ERROR),
        ("DELETE", _RESERVATION, 204, None),
        ("GET", "/nowhere", 404, _ERROR),
        ("PATCH", _SESSION, 405, _ERROR),
        ("POST", "/_sandbox/clock", 200, {"anything": 1}),
        ("GET", f"{_COUPONS}?valuesOnly=true", 200, {"hasMore": False, "data": [{"value": "A"}]}),
    ],
)
def test_documented_responses_pass(method: str, target: str, status: int, body: Any) -> None:
    assert_conforms(method, target, status, body)


@pytest.mark.parametrize(
    ("method", "target", "status", "body"),
    [
        ("PUT", _SESSION, 200, {**_NO_EFFECTS, "surprise": 1}),
        ("PUT", _SESSION, 200, {"effects": [], "createdCoupons": []}),
        ("PUT", _SESSION, 200, {**_NO_EFFECTS, "effects": {}}),
        ("PUT", _SESSION, 200, {**_NO_EFFECTS, "customerSession": {"state": "banana"}}),
        ("PUT", _SESSION, 200, None),
        ("PUT", _SESSION, 201, _NO_EFFECTS),
        ("PUT", _SESSION, 404, {"message": 1}),
        ("PUT", _SESSION, 404, {**_ERROR, "errors": [{"title": "a"}]}),
        ("DELETE", _RESERVATION, 204, {}),
        ("GET", "/nowhere", 200, _ERROR),
        ("GET", "/nowhere", 404, {"error": "no"}),
        ("GET", _COUPONS, 200, {"hasMore": False, "data": [{"value": "A"}]}),
        ("GET", f"{_COUPONS}?valuesOnly=true", 200, {"data": [], "more": 1}),
    ],
)
def test_others_do_not(method: str, target: str, status: int, body: Any) -> None:
    with pytest.raises(AssertionError):
        assert_conforms(method, target, status, body)
