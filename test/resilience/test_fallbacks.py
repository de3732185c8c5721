"""Budget, with_fallback and LastGood: the shop goes on, in time, with what it has."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from support.server import SILENCE, RecordingServer, Response
from support.timing import MockClock
from talon_one import (
    ApiException,
    ApiTypeError,
    ApiValueError,
    BadRequestException,
    Clock,
    ConnectTimeoutError,
    NotFoundException,
    ServiceException,
)
from talon_one.resilience import Budget, LastGood, with_fallback, with_fallback_async

Protect = Callable[..., Callable[..., Any]]


@pytest.fixture(params=["blocking", "asyncio"])
def protect(request: pytest.FixtureRequest) -> Protect:
    """Both twins, called with a function that blocks and made to block."""
    if request.param == "blocking":
        return with_fallback

    def protect(method: Any, *args: Any, **kwargs: Any) -> Any:
        if not callable(method):
            return with_fallback_async(method, *args, **kwargs)

        async def awaited(*given: Any, **settings: Any) -> Any:
            return method(*given, **settings)

        protected: Callable[..., Awaitable[Any]] = with_fallback_async(awaited, *args, **kwargs)

        async def call(*given: Any, **settings: Any) -> Any:
            return await protected(*given, **settings)

        return lambda *given, **settings: asyncio.run(call(*given, **settings))

    return protect


class Service:
    """A method whose outcome a test sets."""

    def __init__(self) -> None:
        self.outcome: Any = None
        self.calls = 0

    def __call__(self, profile_id: str, **settings: Any) -> Any:
        self.calls += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def by_profile(profile_id: str, **_: Any) -> str:
    return profile_id


def test_a_function_responds_to_an_outage(protect: Protect) -> None:
    service = Service()
    seen: list[Any] = []

    def full_price(failure: ApiException, *args: Any, **settings: Any) -> str:
        seen.extend([failure, args, settings])
        return "full price"

    call = protect(service, full_price)
    service.outcome = "discounts"
    assert call("anna") == "discounts"
    service.outcome = outage = ServiceException(503)
    assert call("anna", _deadline=0.3) == "full price"
    assert seen == [outage, ("anna",), {"_deadline": 0.3}]
    service.outcome = refusal = BadRequestException(400)
    with pytest.raises(BadRequestException) as caught:
        call("anna")
    assert caught.value is refusal
    service.outcome = KeyError()
    with pytest.raises(KeyError):
        call("anna")


def test_the_caller_may_say_which_failures_it_handles(protect: Protect) -> None:
    service = Service()
    service.outcome = NotFoundException(404)
    call = protect(service, lambda *_, **__: None, handles=lambda failure: failure.status == 404)
    assert call("anna") is None
    service.outcome = ServiceException(500)
    with pytest.raises(ServiceException):
        call("anna")


def test_the_last_good_response_is_found_by_its_key(protect: Protect, clock: MockClock) -> None:
    service = Service()
    store = LastGood(by_profile, max_age=60, limit=2, clock=Clock(monotonic=clock))
    call = protect(service, store)
    for name in ("anna", "ben"):
        service.outcome = {"name": [name]}
        assert call(name) is service.outcome
    service.outcome["name"].append("changed by the caller")
    service.outcome = outage = ServiceException(503)
    assert call("anna") == {"name": ["anna"]}
    call("ben")["name"].append("changed again")
    assert call("ben") == {"name": ["ben"]}
    with pytest.raises(ServiceException) as caught:
        call("cleo")
    assert caught.value is outage
    clock.now += 61
    with pytest.raises(ServiceException):
        call("anna")
    assert len(store) == 2


def test_the_oldest_responses_make_way_and_a_refusal_replaces_none(protect: Protect) -> None:
    service = Service()
    store = LastGood(by_profile, limit=2)
    call = protect(service, store)
    for name in ("anna", "ben", "anna", "cleo"):
        service.outcome = name
        call(name)
    service.outcome = NotFoundException(404)
    with pytest.raises(NotFoundException):
        call("anna")
    service.outcome = ServiceException(503)
    assert (call("anna"), call("cleo")) == ("anna", "cleo")
    with pytest.raises(ServiceException):
        call("ben")
    store.clear()
    with pytest.raises(ServiceException):
        call("anna")


def test_a_wrong_key_function_shows_before_the_first_call(protect: Protect) -> None:
    service = Service()
    empty: dict[str, str] = {}
    wrong: list[Any] = [lambda: 1, lambda _: [], lambda _: empty["no"]]
    for key in wrong:
        with pytest.raises(ApiValueError, match="the key of a response"):
            protect(service, LastGood(key))("anna")
    assert service.calls == 0


def test_a_response_that_cannot_be_kept_is_returned(
    protect: Protect, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service()
    service.outcome = lambda: None
    call = protect(service, LastGood(by_profile))
    assert call("anna") is service.outcome
    assert "a response of type function cannot be kept" in caplog.text


def test_a_fallback_is_logged_without_arguments(
    protect: Protect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "talon_one")
    service = Service()
    service.outcome = ServiceException(503, operation_id="getCustomerInventory")
    protect(service, lambda *_, **__: None)("private")
    assert "getCustomerInventory: fallback after ServiceException" in caplog.text
    assert "private" not in caplog.text


def test_arguments_that_are_no_functions_are_refused(protect: Protect) -> None:
    service = Service()
    for args, kwargs in (
        ((service, None), {}),
        ((service, "a"), {}),
        ((service, service), {"handles": 5}),
        ((None, service), {}),
    ):
        with pytest.raises(ApiTypeError, match="is a function"):
            protect(*args, **kwargs)
    make: Any = LastGood
    for settings in ({"key": 5}, {"key": by_profile, "limit": 0}, {}, {"key": len, "max_age": 0}):
        with pytest.raises(ApiTypeError):
            make(**settings)


def test_credentials_of_a_call_are_masked_in_its_frame(protect: Protect) -> None:
    service = Service()
    service.outcome = BadRequestException(400)
    with pytest.raises(BadRequestException) as caught:
        protect(service, lambda *_, **__: None)("anna", _headers={"X-Key": "secret-1"})
    step = caught.value.__traceback__
    frames = []
    while step is not None:
        if step.tb_frame.f_code.co_name == "protected":
            frames.append(repr(step.tb_frame.f_locals))
        step = step.tb_next
    assert frames
    assert "secret-1" not in "".join(frames)


def test_methods_of_the_other_kind_are_refused_or_called() -> None:
    async def awaited() -> None:
        raise AssertionError

    with pytest.raises(ApiTypeError, match="with_fallback_async"):
        with_fallback(awaited, lambda *_: None)
    plain: Any = int
    response: Any = with_fallback_async(plain, lambda *_: None)("5")
    assert asyncio.run(response) == 5


# -- Over sockets ------------------------------------------------------------------------------


def test_models_come_back_as_models(integration: Any, server: RecordingServer) -> None:
    protected = with_fallback(
        integration.get_customer_session, LastGood(lambda session_id, **_: session_id)
    )
    server.script({"customerSession": {"integrationId": "1", "unknown": [1]}})
    response = protected("1", _retries=0)
    original = copy.deepcopy(response)
    response.customer_session.integration_id = "changed"
    server.default = Response(503)
    found = protected("1", _retries=0)
    assert found == original
    assert type(found) is type(original)


def test_a_budget_bounds_all_calls_together(
    integration: Any, server: RecordingServer, clock: MockClock
) -> None:
    budget = Budget(0.3, clock=Clock(monotonic=clock))
    assert budget.left == pytest.approx(0.3)
    assert not budget.spent
    integration.get_customer_session("1", _deadline=budget.left)
    clock.now += 0.25
    server.script(SILENCE)
    with pytest.raises(TimeoutError):
        integration.get_customer_session("1", _deadline=budget.left)
    clock.now += 0.25
    assert budget.spent
    with pytest.raises(ConnectTimeoutError):
        integration.get_customer_session("1", _deadline=budget.left)
    assert len(server.requests) == 2
    assert repr(budget) == "<Budget 0.000 s left>"


@pytest.mark.one_shell("no call is made")
def test_a_budget_is_a_number_of_seconds() -> None:
    make: Any = Budget
    for wrong in (0, -1, None, "1", float("nan"), True, 10**400):
        with pytest.raises(ApiTypeError):
            make(wrong)
    with pytest.raises(ApiTypeError):
        make(1, clock=5)
