"""The server dies in the middle of a checkout, and every order is applied exactly once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import urllib3

from support.server import HANG_UP, Received, RecordingServer, Response
from support.shells import new_client
from support.shop_process import ShopProcess
from talon_one import (
    ApiClient,
    Configuration,
    IntegrationApi,
    ManagementApi,
    RetryPolicy,
    TransportError,
)
from talon_one.sandbox import Sandbox
from talon_one.sandbox.runner import API_KEY, MANAGEMENT_KEY

CART = [{"sku": "mug", "quantity": 1, "price": 12.5}]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopProcess]:
    made = ShopProcess(tmp_path / "shop.db")
    made.start()
    yield made
    made.pull_the_plug()


def client_of(port: int, policy: RetryPolicy | None = None) -> ApiClient:
    keys = {"api_key_v1": API_KEY, "management_key": MANAGEMENT_KEY}
    host = f"http://127.0.0.1:{port}"
    return new_client(Configuration(host=host, api_key=keys, retries=policy))


def check_out(api: IntegrationApi, order: str) -> None:
    """Sell a mug, with a coupon, in three updates of the session."""
    for step, session in {
        "cart": {"profileId": f"profile-of-{order}", "cartItems": CART},
        "coupon": {"couponCodes": [Sandbox.coupon_code]},
        "payment": {"state": "closed"},
    }.items():
        api.update_customer_session_v2(
            order, {"customerSession": session}, idempotency_key=f"{order}-{step}"
        )


def assert_applied_once(client: ApiClient, orders: list[str]) -> None:
    """Check that the deployment knows these orders, and of each of them once."""
    coupons = ManagementApi(client).get_coupons_without_total_count(
        Sandbox.application_id, Sandbox.campaign_id, value=Sandbox.coupon_code
    )
    assert [coupon.usage_counter for coupon in coupons.data] == [len(orders)]
    api = IntegrationApi(client)
    for order in orders:
        session = api.get_customer_session(order).customer_session
        assert session is not None
        # The server counts what it carries out.
        assert (session.state, session.update_count) == ("closed", 3)


@contextmanager
def outages(shop: ShopProcess, when: Callable[[], int], after: list[int]) -> Iterator[None]:
    """Pull the plug each time that so many orders are through, and put it back in."""

    over = threading.Event()

    def work() -> None:
        for orders in after:
            while when() < orders and not over.is_set():
                time.sleep(0.001)
            shop.pull_the_plug()
            shop.start()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_loop_that_tries_again_with_the_same_keys_ends_with_every_order_applied_once(
    shop: ShopProcess,
) -> None:
    orders = [f"order-{number}" for number in range(40)]
    done: list[str] = []
    interrupted = 0
    plug = outages(shop, lambda: len(done), [5, 14, 23, 32])
    with client_of(shop.port, RetryPolicy(retries=0)) as client, plug:
        api = IntegrationApi(client)
        for order in orders:
            while order not in done:
                try:
                    check_out(api, order)
                except TransportError:
                    interrupted += 1
                    time.sleep(0.02)
                else:
                    done.append(order)
    with client_of(shop.port) as client:
        assert_applied_once(client, orders)
    assert interrupted >= 4


def test_a_patient_policy_alone_gets_every_order_through_an_outage(shop: ShopProcess) -> None:
    orders = [f"order-{number}" for number in range(20)]
    done: list[str] = []
    patient = RetryPolicy(retries=20, backoff=0.5, backoff_max=1.0)
    with client_of(shop.port, patient) as client, outages(shop, lambda: len(done), [8]):
        api = IntegrationApi(client)
        for order in orders:
            check_out(api, order)
            done.append(order)
        assert_applied_once(client, orders)


@pytest.mark.one_shell("it is about what the server keeps")
def test_no_close_that_was_acknowledged_is_lost_in_twenty_outages(shop: ShopProcess) -> None:
    acknowledged: list[str] = []
    closing = {"customerSession": {"state": "closed", "couponCodes": [Sandbox.coupon_code]}}
    for outage in range(20):
        with client_of(shop.port, RetryPolicy(retries=0)) as client:
            api = IntegrationApi(client)
            plug = outages(shop, lambda: len(acknowledged), [len(acknowledged) + outage % 7])
            with plug:
                for number in count():
                    try:
                        api.update_customer_session_v2(f"order-{outage}-{number}", closing)
                    except TransportError:
                        break
                    acknowledged.append(f"order-{outage}-{number}")
    with client_of(shop.port) as client:
        api = IntegrationApi(client)
        states = [api.get_customer_session(order).customer_session for order in acknowledged]
        assert {state and state.state for state in states} == {"closed"}
        coupons = ManagementApi(client).get_coupons_without_total_count(
            Sandbox.application_id, Sandbox.campaign_id, value=Sandbox.coupon_code
        )
        # In each outage at most one close was committed whose response was lost.
        assert 0 <= coupons.data[0].usage_counter - len(acknowledged) <= 20


class Relay:
    """Passes requests on to a deployment, and loses the first response to each of them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.lost = 0
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", sandbox.port)
        self._seen: set[tuple[str, str | None]] = set()

    def __call__(self, request: Received) -> Response:
        headers = {name: request.headers[name] for name in request.headers if name != "Host"}
        response = self._pool.urlopen(request.method, request.target, request.body, headers)
        call = (request.target, request.headers.get("Idempotency-Key"))
        if request.method != "GET" and call not in self._seen:
            self._seen.add(call)
            self.lost += 1
            return HANG_UP
        return Response(response.status, response.data)

    def close(self) -> None:
        """Close the connections to the deployment."""
        self._pool.close()


def test_a_response_lost_after_the_server_has_acted_arrives_with_the_retry() -> None:
    with Sandbox() as sandbox:
        relay = Relay(sandbox)
        with RecordingServer(default=relay) as server, client_of(server.port) as client:
            client.clock = client.clock._replace(sleep=lambda _: None)
            orders = ["order-1", "order-2", "order-3"]
            for order in orders:
                check_out(IntegrationApi(client), order)
            assert_applied_once(client, orders)
        relay.close()
    assert relay.lost == 3 * len(orders)
