"""Predicates on exceptions say what a failure means, and never fail themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import talon_one
from support.server import RecordingServer, Response
from talon_one import ApiException, IntegrationApi, ManagementApi, failures
from talon_one._core.operation import Operation
from talon_one.api import integration_operations
from talon_one.sandbox import Sandbox

PREDICATES: dict[str, Callable[[object], bool]] = {
    name: getattr(failures, name) for name in failures.__all__
}


def which(error: object) -> set[str]:
    """Names of the predicates that hold, without their prefix."""
    return {name.removeprefix("is_") for name, holds in PREDICATES.items() if holds(error)}


def failure(status: int, body: Any = None, operation: str = "updateCustomerSessionV2") -> Any:
    """The exception for an error response, as a client raises it."""
    is_json = not isinstance(body, str) and body is not None
    text = json.dumps(body) if is_json else body
    return ApiException.from_response(
        status=status, data=body if is_json else None, body=text, operation_id=operation
    )


def entry(title: str, details: str = "", **source: str) -> dict[str, Any]:
    return {"message": "The submitted data was invalid", "errors": [_entry(title, details, source)]}


def _entry(title: str, details: str, source: dict[str, str]) -> dict[str, Any]:
    return {"title": title, "details": details, "source": source}


TOO_MANY = "Too many requests are updating this session at the same time"

# What the platform documents, and what it may well send.
EXAMPLES: tuple[tuple[Any, set[str]], ...] = (
    (failure(404, {"message": "Customer session not found"}), {"not_found"}),
    (failure(404), {"not_found"}),
    (failure(404, "<html>404 page not found</html>"), set()),
    (failure(409, {"message": TOO_MANY, "errors": None}), {"too_many_in_flight"}),
    (
        failure(409, {"message": TOO_MANY.replace("session", "profile")}, "trackEventV3"),
        {"too_many_in_flight"},
    ),
    (failure(409, {"message": "The budget was used up"}), set()),
    (failure(409, {"message": "event ID exists"}, "trackEventV3"), {"duplicate"}),
    (failure(409, {"message": "taken"}, "createStore"), {"duplicate"}),
    (failure(409, None, "createAudienceV2"), {"duplicate"}),
    (failure(400, {"message": "A coupon with this value already exists"}), {"duplicate"}),
    (failure(400, entry("Duplicate", "", pointer="/name")), {"duplicate"}),
    (failure(429, {"message": "slow down"}), {"rate_limited"}),
    (failure(429), {"rate_limited"}),
    (failure(401, {"message": "Invalid"}), {"credential_error"}),
    (failure(400, {"message": "HMAC signature mismatch."}), {"credential_error"}),
    (failure(403, {"message": "no"}), set()),
    (
        failure(
            400,
            entry(
                "Unknown",
                'The attribute "X" is not defined on CustomerSession entities.',
                pointer="/attributes/X",
            ),
        ),
        {"validation_error"},
    ),
    (
        failure(
            400,
            entry(
                "enum",
                'state must be one of the following: "open", "closed", "cancelled"',
                pointer="/state",
            ),
        ),
        {"validation_error"},
    ),
    (failure(422, entry("Invalid", "", parameter="now")), {"validation_error"}),
    (failure(400, entry("Invalid", "", line="7")), {"validation_error"}),
    (failure(400, {"message": "The submitted data was invalid"}), {"validation_error"}),
    (failure(400, {"message": "no idea"}), set()),
    (
        failure(
            400, entry("Invalid transition", "session is closed", pointer="/customerSession/state")
        ),
        {"state_conflict"},
    ),
    (failure(400, {"message": "illegal state"}), {"state_conflict"}),
    (failure(400, {"message": "The session was already closed."}), {"state_conflict"}),
    (failure(409, {"message": "Cannot update a cancelled session"}), {"state_conflict"}),
    (failure(409, {"message": "Session order-1 is cancelled"}), {"state_conflict"}),
    (failure(503, {"message": "session closed"}), set()),
    (failure(200), set()),
    (talon_one.ModelValidationError("A", []), {"validation_error"}),
    (talon_one.ApiValueError("x"), set()),
    (talon_one.NoResponseError(reason="reset"), set()),
    (ValueError("session is closed"), set()),
)


def test_documented_responses_are_recognized() -> None:
    wrong = [
        (str(error), which(error), wanted) for error, wanted in EXAMPLES if which(error) != wanted
    ]
    assert wrong == []


def test_what_the_sandbox_refuses_is_recognized(sandbox: Sandbox, api: IntegrationApi) -> None:
    with ManagementApi(host=sandbox.url, api_key=sandbox.management_key) as management:
        update = api.update_customer_session_v2
        update("over", {"customerSession": {"state": "closed"}})
        api.create_audience_v2({"name": "A", "integration": "mparticle", "integrationId": "1"})
        store = {"name": "S", "description": "", "integrationId": "s-1"}
        management.create_store(3, store)
        stranger = IntegrationApi(host=sandbox.url, api_key="wrong")
        no_price = {"cartItems": [{"sku": "a", "quantity": 1}]}
        calls: dict[str, Callable[[], Any]] = {
            "state_conflict": lambda: update("over", {"customerSession": {}}),
            "state_conflict ": lambda: api.return_cart_items(
                "open", {"return": {"returnedCartItems": [{"position": 0}]}}
            ),
            "not_found": lambda: api.get_customer_session("nobody"),
            "not_found ": lambda: management.get_campaign(3, 999),
            "validation_error": lambda: update("x", {"customerSession": no_price}),
            "validation_error ": lambda: management.get_coupons_without_total_count(
                3, 12, sort="nothing"
            ),
            "duplicate": lambda: api.create_audience_v2(
                {"name": "B", "integration": "mparticle", "integrationId": "1"}
            ),
            "duplicate ": lambda: management.create_store(3, store),
            "credential_error": lambda: stranger.get_customer_session("over"),
        }
        update("open", {"customerSession": {}})
        wrong = []
        for name, call in calls.items():
            with pytest.raises(ApiException) as caught:
                call()
            found = which(caught.value)
            wrong += [] if found == {name.strip()} else [(name, found, str(caught.value))]
        stranger.close()
    assert wrong == []


def test_three_requests_in_flight_are_one_too_many(sandbox: Sandbox) -> None:
    with RecordingServer() as server, IntegrationApi(host=server.url, api_key="k") as api:
        server.script(Response(409, {"message": TOO_MANY, "errors": None, "StatusCode": 409}))
        with pytest.raises(ApiException) as caught:
            api.update_customer_session_v2("a", {"customerSession": {}}, _retries=False)
    assert which(caught.value) == {"too_many_in_flight"}


def test_the_operations_whose_409_is_never_a_duplicate_are_those_of_the_description() -> None:
    serialised = {
        each.id
        for each in vars(integration_operations).values()
        if isinstance(each, Operation) and each.serialised
    }
    assert serialised - {"trackEventV3"} <= failures._SERIALISED
    assert "trackEventV3" not in failures._SERIALISED


class Hostile(ApiException):
    """What a predicate reads raises."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("no")


class Disguised:
    @property  # type: ignore[misc]  # objects of mock libraries do so
    def __class__(self) -> Any:
        raise RuntimeError("no")


def test_no_object_makes_a_predicate_raise() -> None:
    odd: list[object] = [None, 7, "404", object(), Disguised(), BaseException(), ApiException]
    deep: Any = {}
    for _ in range(5000):
        deep = {"errors": [deep], "message": deep}
    bodies: tuple[Any, ...] = (
        *([], "x", 7, {"errors": 7}, {"errors": [7, None, {"title": [], "source": 7}]}),
        deep,
    )
    statuses: tuple[Any, ...] = (400, 401, 404, 409, 422, 429, "400", None, [], 400.0)
    for status in statuses:
        odd += [Hostile(status=status, reason=""), ApiException(status=status)]
        odd += [ApiException(status=status, data=data) for data in bodies]
    for each in odd:
        assert all(type(holds(each)) is bool for holds in PREDICATES.values())
