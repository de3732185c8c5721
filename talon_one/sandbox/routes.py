"""The operations of the sandbox as a table, and the search for the one that a path names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from talon_one.sandbox import bodies, codes, coupon_files, legacy, management, profiles, sessions
from talon_one.sandbox.access import Access
from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import ApiError, Problem, invalid
from talon_one.sandbox.validation import Check

_KEY = Access.INTEGRATION
_KEY_OR_SIGNATURE = Access.INTEGRATION_OR_SIGNATURE
_MANAGEMENT = Access.MANAGEMENT


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    Attributes:
        method: HTTP method.
        path: Path template; a segment in braces is a parameter.
        operation: Function that handles it.
        access: Credentials it takes.
        body: Check of the JSON body, None if the operation has none.
        upload: Whether the body is multipart with a file.
        dry: Whether it takes the query parameter `dry`.
        idempotent: Whether it honors `Idempotency-Key`.
        status_in_errors: Whether its 400 responses have the status as `StatusCode`.
    """

    method: str
    path: str
    operation: Callable[[Call], Result]
    access: Access
    body: Check | None = None
    upload: bool = False
    dry: bool = False
    idempotent: bool = False
    status_in_errors: bool = True

    def match(self, segments: list[str]) -> tuple[str, ...] | None:
        """Return the path parameters if the path matches the template, else None."""
        template = self.path.split("/")
        if len(template) != len(segments):
            return None
        ids = []
        for expected, segment in zip(template, segments, strict=True):
            if expected.startswith("{") and segment:
                ids.append(segment)
            elif expected != segment:
                return None
        return tuple(ids)


_SESSION_V1 = "/v1/customer_sessions/{customerSessionId}"
_SESSION_V2 = "/v2/customer_sessions/{customerSessionId}"
_PROFILE_V1 = "/v1/customer_profiles/{integrationId}"
_PROFILE_V2 = "/v2/customer_profiles/{integrationId}"
_RESERVATION = "/v1/coupon_reservations/{couponValue}"
_RESERVED = "/v1/coupon_reservations/customerprofiles/{couponValue}"
_APPLICATION = "/v1/applications/{applicationId}"
_CAMPAIGN = "/v1/applications/{applicationId}/campaigns/{campaignId}"

ROUTES: Final = (
    Route(
        "PUT",
        _SESSION_V2,
        sessions.update_session,
        _KEY,
        bodies.SESSION_V2,
        dry=True,
        idempotent=True,
        status_in_errors=False,
    ),
    Route("GET", _SESSION_V2, sessions.get_session, _KEY),
    Route(
        "PUT",
        _SESSION_V1,
        legacy.update_session,
        _KEY_OR_SIGNATURE,
        bodies.SESSION_V1,
        dry=True,
        status_in_errors=False,
    ),
    Route(
        "PUT",
        _PROFILE_V2,
        profiles.update_profile,
        _KEY,
        bodies.PROFILE_V2,
        dry=True,
        idempotent=True,
    ),
    Route(
        "PUT",
        "/v2/customer_profiles",
        profiles.update_profiles,
        _KEY,
        bodies.PROFILES_V2,
        idempotent=True,
    ),
    Route(
        "PUT", _PROFILE_V1, legacy.update_profile, _KEY_OR_SIGNATURE, bodies.PROFILE_V1, dry=True
    ),
    Route("GET", f"{_PROFILE_V1}/inventory", profiles.get_inventory, _KEY_OR_SIGNATURE),
    Route(
        "DELETE",
        "/v1/customer_data/{integrationId}",
        profiles.delete_customer_data,
        _KEY_OR_SIGNATURE,
    ),
    Route(
        "POST",
        "/v2/customer_audiences",
        profiles.update_audiences,
        _KEY,
        bodies.PROFILE_AUDIENCES,
    ),
    Route("POST", "/v1/events", legacy.track_event, _KEY_OR_SIGNATURE, bodies.EVENT_V1, dry=True),
    Route("POST", "/v1/referrals", codes.create_referral, _KEY_OR_SIGNATURE, bodies.REFERRAL),
    Route(
        "POST",
        _RESERVATION,
        codes.create_reservation,
        _KEY_OR_SIGNATURE,
        bodies.COUPON_RESERVATIONS,
    ),
    Route(
        "DELETE",
        _RESERVATION,
        codes.delete_reservation,
        _KEY_OR_SIGNATURE,
        bodies.COUPON_RESERVATIONS,
    ),
    Route("GET", _RESERVED, codes.get_reserved_customers, _KEY_OR_SIGNATURE),
    Route("GET", "/v1/applications", management.get_applications, _MANAGEMENT),
    Route("GET", _APPLICATION, management.get_application, _MANAGEMENT),
    Route("GET", f"{_APPLICATION}/campaigns", management.get_campaigns, _MANAGEMENT),
    Route("GET", _CAMPAIGN, management.get_campaign, _MANAGEMENT),
    Route("GET", f"{_CAMPAIGN}/coupons/no_total", management.get_coupons, _MANAGEMENT),
    Route(
        "POST",
        f"{_CAMPAIGN}/coupons",
        management.create_coupons,
        _MANAGEMENT,
        bodies.new_coupons,
    ),
    Route(
        "POST",
        f"{_CAMPAIGN}/import_coupons",
        coupon_files.import_coupons,
        _MANAGEMENT,
        upload=True,
    ),
    Route("GET", f"{_APPLICATION}/export_coupons", coupon_files.export_coupons, _MANAGEMENT),
)


def find(method: str, raw_path: str) -> tuple[Route, tuple[str, ...]]:
    """Find the operation for a request.

    The path is split before it is decoded, and each segment is decoded once: an id may contain
    anything, slashes and dots included.

    Raises:
        ApiError: 404 for an unknown path, 405 for a known one with another method, 400 for a
            path that is not UTF-8.
    """
    segments = [_decoded(segment) for segment in raw_path.split("/")]
    found = [(route, ids) for route in ROUTES if (ids := route.match(segments)) is not None]
    for route, ids in found:
        if route.method == method:
            return route, ids
    if found:
        allowed = tuple(sorted(route.method for route, _ in found))
        raise ApiError(405, "Method not allowed", allow=allowed)
    path = "/".join(segments)
    raise ApiError(404, f"The sandbox does not support {method} {path}")


def _decoded(segment: str) -> str:
    try:
        return unquote_to_bytes(segment.encode("utf-8", "surrogateescape")).decode("utf-8")
    except UnicodeDecodeError as cause:
        details = "the path is not percent-encoded UTF-8"
        raise invalid(Problem("Invalid", details, parameter="path")) from cause
