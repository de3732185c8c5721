"""The task of Celery closes an order once, whatever gets lost on the way."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

import talon_one
from docs.pages import ROOT
from talon_one import checkout
from talon_one.sandbox import Sandbox

_SCRIPT = ROOT / "examples" / "celery_closing" / "tasks.py"
UPDATE = "update_customer_session_v2"


class Shop(NamedTuple):
    """The task, the API that it uses, and the sandbox behind it."""

    task: Any
    pause: Any
    api: talon_one.IntegrationApi
    sandbox: Sandbox

    def cart(self, *codes: str) -> str:
        """Send a cart and return the ID of its session."""
        number = f"order-{uuid4()}"
        item = {"sku": "kettle", "quantity": 1, "price": 44.0}
        session = {"cartItems": [item], "couponCodes": list(codes)}
        self.api.update_customer_session_v2(number, {"customerSession": session})
        return number

    def state(self, number: str) -> str | None:
        session = self.api.get_customer_session(number).customer_session
        return session.state if session else None

    def redemptions(self) -> int:
        with talon_one.ManagementApi(
            host=self.sandbox.url, api_key=self.sandbox.management_key
        ) as management:
            found = management.get_coupons_without_total_count(
                self.sandbox.application_id,
                self.sandbox.campaign_id,
                value=self.sandbox.coupon_code,
            )
        return found.data[0].usage_counter or 0


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        names = runpy.run_path(str(_SCRIPT))
        api = names["promotions"]()
        api.api_client.clock = api.api_client.clock._replace(sleep=lambda seconds: None)
        yield Shop(names["close_order"], names["pause"], api, sandbox)
        api.api_client.close()


@pytest.fixture(autouse=True)
def _nothing_goes_wrong_afterwards(shop: Shop) -> Iterator[None]:
    yield
    shop.sandbox.faults.clear()


def test_an_order_is_closed_once_and_refused_codes_are_returned(shop: Shop) -> None:
    number, before = shop.cart("TEN-OFF", "NOPE"), shop.redemptions()
    for _ in ("first", "delivered twice"):
        done = shop.task.apply([number])
        assert (done.state, done.result) == ("SUCCESS", ["NOPE"])
    assert (shop.state(number), shop.redemptions()) == ("closed", before + 1)


@pytest.mark.parametrize("after_change", [False, True])
def test_a_lost_response_leads_to_another_run_with_the_same_key(
    shop: Shop, after_change: bool
) -> None:
    number, before = shop.cart("TEN-OFF"), shop.redemptions()
    # The client makes three attempts for each run of the task.
    fault = shop.sandbox.faults.disconnect(UPDATE, after_change=after_change, times=3)
    done = shop.task.apply([number])
    assert (done.state, done.result, fault.used) == ("SUCCESS", [], 3)
    assert (shop.state(number), shop.redemptions()) == ("closed", before + 1)
    sent = [each for each in shop.sandbox.requests if each.target.endswith(number)]
    sent = [each for each in sent if "close" in each.headers.get("Idempotency-Key", "")]
    assert {each.headers["Idempotency-Key"] for each in sent} == {f"{number}-close-1"}
    assert len(sent) == 4


def test_what_was_not_sent_may_be_tried_soon_and_what_is_unknown_later(shop: Shop) -> None:
    not_sent, unknown = talon_one.NotSentError(), talon_one.NoResponseError()
    assert [shop.pause(not_sent, retries) for retries in (0, 1, 9)] == [2, 4, 600]
    assert [shop.pause(unknown, retries) for retries in (0, 1, 9)] == [30, 60, 600]
    busy = talon_one.TooManyRequestsException(429, headers={"Retry-After": "90"})
    assert shop.pause(busy, 0) == 90


def test_a_refusal_is_not_retried(shop: Shop) -> None:
    number = shop.cart()
    checkout.cancel(shop.api, number)
    before = len(shop.sandbox.requests)
    done = shop.task.apply([number])
    assert done.state == "FAILURE"
    assert isinstance(done.result, talon_one.BadRequestException)
    assert len(shop.sandbox.requests) == before + 2  # The update, and the look after it.


def test_a_reopened_order_is_closed_again_under_the_next_key(shop: Shop) -> None:
    number = shop.cart()
    shop.task.apply([number])
    checkout.reopen(shop.api, number)
    assert shop.task.apply([number, 2]).state == "SUCCESS"
    assert shop.state(number) == "closed"


def test_it_gives_up_with_the_failure_of_the_call(shop: Shop) -> None:
    number = shop.cart()
    with shop.sandbox.faults.respond(503, UPDATE, times=None):
        done = shop.task.apply([number])
    assert done.state == "FAILURE"
    assert isinstance(done.result, talon_one.ServiceException)


def test_a_message_of_the_queue_holds_what_the_task_needs(shop: Shop) -> None:
    app = shop.task.app
    app.conf.update(broker_url="memory://", task_ignore_result=True)
    with app.connection_or_acquire() as connection:
        shop.task.apply_async(["order-1"], {"closing": 2}, connection=connection)
        with connection.SimpleQueue(app.conf.task_default_queue) as queue:
            args, settings, _ = queue.get(timeout=5).payload
    assert (args, settings) == (["order-1"], {"closing": 2})
