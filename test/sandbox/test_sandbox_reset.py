"""Resetting a sandbox: everything is as it was after the start, from any thread."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

import talon_one
from sandbox.conftest import Client
from sandbox.raw import Wire, put
from sandbox.test_sandbox_webhooks import CART, Receiver, seed
from talon_one.sandbox import Sandbox

START = "2026-11-01T09:00:00Z"


def test_a_reset_sandbox_is_like_a_new_one(client_of: Any) -> None:
    with Sandbox(seed="fashion", clock=START, random_seed=7) as shop:
        client: Client = client_of(shop)
        state = shop._running().database.state

        def dump() -> list[str]:
            found: list[str] = []
            shop._running().call(lambda: found.extend(state.dump()))
            return found

        def use() -> tuple[Any, ...]:
            shop.load({"managementKeys": [{"key": "another"}]})
            shop.clock.advance(days=400)
            shop.faults.respond(503, "create_referral")
            client.session("order-1", profileId="anna", couponCodes=["WELCOME10"])
            target = f"/v1/applications/3/campaigns/{shop.campaign_id}/coupons?silent=no"
            made = client.send("POST", target, {"numberOfCoupons": 3, "usageLimit": 1}).json
            return made, [(each.number, each.moment) for each in shop.requests]

        fresh, address = dump(), shop.url
        first = use()
        assert dump() != fresh
        shop.reset()
        assert dump() == fresh
        assert (shop.clock.text(), shop.url) == ("2026-11-01T09:00:00.000000Z", address)
        assert (len(shop.requests), len(shop.faults)) == (0, 0)
        wrong = {"Authorization": "ManagementKey-v1 another"}
        assert client.send("GET", "/v1/applications", headers=wrong).status == 401
        shop.reset()
        assert use() == first


def test_the_door_resets_all_of_it(client_of: Any) -> None:
    with Sandbox(clock=START) as shop:
        client: Client = client_of(shop)
        client.session("order-1")
        shop.clock.advance(days=1)
        shop.faults.hang("create_referral")
        assert client.send("POST", "/_sandbox/reset", headers=client.management).status == 204
        assert shop.clock.text() == "2026-11-01T09:00:00.000000Z"
        assert (len(shop.requests), len(shop.faults)) == (0, 0)
        assert client.send("GET", "/v2/customer_sessions/order-1").status == 404


def test_any_thread_may_reset() -> None:
    async def main() -> list[int]:
        counts = []
        async with Sandbox() as shop:
            client = Client(shop)
            for elsewhere in (False, True):
                await asyncio.to_thread(client.session, "order-1")
                counts.append(len(shop.requests))
                if elsewhere:
                    await asyncio.to_thread(shop.reset)
                else:
                    shop.reset()
                counts.append(len(shop.requests))
            client.close()
        return counts

    assert asyncio.run(main()) == [1, 0, 1, 0]
    with Sandbox() as shop:
        threads = [threading.Thread(target=shop.reset) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()


def test_a_sandbox_that_does_not_run_cannot_be_reset() -> None:
    shop = Sandbox()
    with pytest.raises(RuntimeError, match="not running"):
        shop.reset()
    with shop:
        server = shop._running()
    with pytest.raises(RuntimeError, match="not running"):
        shop.reset()
    with pytest.raises(RuntimeError, match="not running"):
        server.call(lambda: None)


def test_requests_in_progress_never_touch_the_new_world() -> None:
    # Long enough for all of them to arrive, also on a busy machine.
    with Sandbox(latency=0.5) as shop:
        api = talon_one.IntegrationApi(host=shop.url, api_key=shop.api_key)
        failed: list[BaseException] = []

        def update() -> None:
            try:
                api.update_customer_session_v2("order-1", {"customerSession": {}}, _retries=0)
            except talon_one.NoResponseError as error:
                failed.append(error)

        # With a fault, a request is in the list from its arrival.
        shop.faults.delay(0.0, times=None)
        threads = [threading.Thread(target=update) for _ in range(3)]
        with api:
            for each in threads:
                each.start()
            while len(shop.requests) < 3:
                time.sleep(0)
            shop.reset()
            for each in threads:
                each.join()
            assert len(failed) == 3
            assert len(shop.requests) == 0
            with pytest.raises(talon_one.NotFoundException):
                api.get_customer_session("order-1")


def test_a_request_that_arrives_during_a_reset_belongs_to_the_old_world() -> None:
    with Sandbox() as shop, Wire(shop) as wire:
        request = put("order-1")
        wire.send(request[:-5])
        # The second request is complete, so the first one has arrived as well.
        with Wire(shop) as other:
            assert other.send(put("order-2")).response()[0] == 200
        shop.reset()
        fault = shop.faults.respond(503)
        wire.send(request[-5:])
        with pytest.raises(ConnectionResetError):
            wire.response()
        assert (fault.used, len(shop.requests)) == (0, 0)


def test_webhooks_are_called_after_a_reset_as_well(client_of: Any) -> None:
    receiver = Receiver()
    with receiver.running() as url, Sandbox(seed=seed(url)) as shop:
        client: Client = client_of(shop)
        for order in ("order-1", "order-2"):
            client.session(order, cartItems=CART, state="closed")
            *_, body = receiver.received.get(timeout=10)
            assert body["order"] == order
            shop.reset()


def test_retries_of_webhooks_end_with_the_world_that_they_are_about(client_of: Any) -> None:
    receiver = Receiver(500, 500)
    with receiver.running() as url, Sandbox(seed=seed(url)) as shop:
        client: Client = client_of(shop)
        client.session("order-1", cartItems=CART, state="closed")
        received = [receiver.received.get(timeout=10)]
        shop.reset()
        client.session("order-2", cartItems=CART, state="closed")
        # Both would be retried after the same pause, the first one before the second.
        received += [receiver.received.get(timeout=10) for _ in range(2)]
    assert [body["order"] for *_, body in received] == ["order-1", "order-2", "order-2"]


def test_what_a_reset_raises_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox() as shop:
        database = shop._running().database

        def fail() -> None:
            raise OSError("full")

        monkeypatch.setattr(database, "reset", fail)
        with pytest.raises(OSError, match="full"):
            shop.reset()
