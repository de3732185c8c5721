"""The log of a sandbox: what it records of each request, and its limits."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.conftest import Client
from sandbox.raw import KEY, Wire
from talon_one.sandbox import Sandbox
from talon_one.sandbox.exchanges import Exchange, Exchanges


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    with Sandbox(clock="2026-11-01T09:00:00Z") as running:
        yield running


@pytest.fixture(scope="module")
def client(shop: Sandbox) -> Iterator[Client]:
    made = Client(shop)
    yield made
    made.close()


def log_of(shop: Sandbox) -> Exchanges:
    return shop._world.exchanges


def last(shop: Sandbox) -> Exchange:
    return list(log_of(shop))[-1]


def exchange(number: int, size: int = 0) -> Exchange:
    return Exchange(number, "", "GET", "/", None, {}, b"x" * size, 200, {}, b"", 0.0)


def test_a_request_is_recorded_with_its_response(shop: Sandbox, client: Client) -> None:
    before = len(log_of(shop))
    client.session("order-1", profileId="anna")
    [made] = log_of(shop).since(before)
    assert (made.number, made.moment) == (before + 1, "2026-11-01T09:00:00.000000Z")
    assert (made.method, made.target) == ("PUT", "/v2/customer_sessions/order-1")
    assert (made.operation, made.status) == ("update_customer_session_v2", 200)
    assert made.body == {"customerSession": {"profileId": "anna"}, "responseContent": []}
    assert made.response_body["effects"] == []
    assert made.response_headers["content-type"] == "application/json"
    assert 0 < made.seconds < 5
    assert made.fault is None
    shown = f"<Exchange {made.number}: PUT /v2/customer_sessions/order-1 200>"
    assert repr(made) == shown


def test_credentials_are_masked(shop: Sandbox, client: Client) -> None:
    client.session("order-1", Content_Signature="signer=3; signature=ff")
    key = shop.api_key
    for given, shown in (
        (f"ApiKey-v1 {key}", "ApiKey-v1 ***"),
        (f"Bearer {key}", "Bearer ***"),
        (key, "***"),
        (f"{key} {key}", "***"),
    ):
        headers = {"Authorization": given, "Content-Signature": key, "Cookie": f"session={key}"}
        client.send("GET", "/v2/customer_sessions/order-1", headers={**headers, "X-Shop": "7"})
        made = last(shop)
        assert made.headers["authorization"] == shown
        assert (made.headers["content-signature"], made.headers["cookie"]) == ("***", "***")
        assert made.headers["x-shop"] == "7"
        assert key not in repr(made) + str(dict(made.headers))


def test_what_is_refused_is_recorded_as_well(shop: Sandbox, client: Client) -> None:
    sent: list[tuple[tuple[Any, ...], dict[str, Any], int, str | None]] = [
        (("GET", "/v9/nothing?a=b"), {}, 404, None),
        (("PUT", "/v2/customer_sessions/a"), {"headers": {}}, 401, "update_customer_session_v2"),
        (("PUT", "/v2/customer_sessions/a", b"{"), {}, 400, "update_customer_session_v2"),
        (
            ("PUT", "/v2/customer_sessions/a", b"{}"),
            {"Content_Encoding": "brand-new"},
            415,
            "update_customer_session_v2",
        ),
    ]
    for arguments, more, status, operation in sent:
        client.send(*arguments, **more)
        made = last(shop)
        assert (made.target, made.status) == (arguments[1], status)
        assert made.operation == operation, arguments
        assert made.response_body["message"]


def test_a_head_request_belongs_to_the_operation_of_the_get(shop: Sandbox) -> None:
    with Wire(shop) as wire:
        wire.send(b"HEAD /v2/customer_sessions/none HTTP/1.1\r\n" + KEY + b"\r\n").head()
    assert (last(shop).method, last(shop).operation) == ("HEAD", "get_customer_session")


def test_a_body_is_json_or_text_or_nothing(shop: Sandbox, client: Client) -> None:
    packed = gzip.compress(b'{"customerSession":{}}')
    client.send("PUT", "/v2/customer_sessions/a", packed, Content_Encoding="gzip")
    assert last(shop).body == {"customerSession": {}}
    for content, value in ((b"{", "{"), (b"\xff", "\ufffd"), (b"[" * 10**6, "[" * 10**6)):
        client.send("PUT", "/v2/customer_sessions/a", content)
        assert (last(shop).content, last(shop).body) == (content, value)
    client.send("GET", "/v2/customer_sessions/a")
    assert (last(shop).content, last(shop).body) == (b"", None)
    assert client.rows("/v1/applications/3/export_coupons")
    assert last(shop).response_body.startswith("accountid,")


def test_the_door_is_not_recorded_but_observed(shop: Sandbox, client: Client) -> None:
    seen: list[Exchange] = []
    shop.observe(seen.append)
    before = len(log_of(shop))
    client.send("GET", "/_sandbox/clock", headers=client.management)
    client.send("GET", "/_sandbox/about?page=1", headers=client.management)
    client.send("PUT", "/_sandbox?page=1", headers=client.management)
    assert [(each.number, each.status) for each in seen] == [(0, 200), (0, 200), (0, 404)]
    client.session("order-1")
    assert log_of(shop).since(before) == [seen[-1]]
    assert log_of(shop).since(before)[0].target == "/v2/customer_sessions/order-1"


def test_a_log_keeps_the_latest_up_to_its_limit() -> None:
    log = Exchanges(limit=3)
    made = [log.add(exchange) for _ in range(5)]
    assert (list(log), len(log), log.dropped) == (made[2:], 3, 2)
    assert log.since(4) == made[4:]
    assert log.since(1) == made[2:]
    assert log.since(5) == log.since(99) == []


def test_a_log_keeps_the_latest_up_to_a_number_of_bytes() -> None:
    log = Exchanges(max_bytes=100)
    for _ in range(3):
        log.add(lambda number: exchange(number, 40))
    assert ([each.number for each in log], log.dropped) == ([2, 3], 1)
    huge = log.add(lambda number: exchange(number, 1000))
    assert list(log) == [huge]
    log.add(lambda number: exchange(number, 100))
    assert [each.number for each in log] == [5]


def test_a_cleared_log_begins_with_1_again() -> None:
    log = Exchanges(limit=1)
    for _ in range(3):
        log.add(exchange)
    log.clear()
    assert (list(log), log.dropped, log.cleared) == ([], 0, 1)
    assert log.add(exchange).number == 1


def test_an_exchange_is_completed_in_its_place() -> None:
    log = Exchanges(limit=2)
    first, second = log.add(exchange), log.add(exchange)
    done = exchange(1, 50)
    log.complete(first, done)
    assert list(log) == [done, second]
    third = log.add(exchange)
    # The first was dropped, and the second is then one of another life of the log.
    log.complete(done, exchange(1))
    assert list(log) == [second, third]
    log.clear()
    again = [log.add(exchange), log.add(exchange)]
    log.complete(second, exchange(2))
    assert list(log) == again


def test_a_log_is_read_while_it_is_written() -> None:
    log = Exchanges(limit=50)
    wrong: list[Any] = []

    def read() -> None:
        while not done.is_set():
            numbers = [each.number for each in log]
            if numbers and numbers != list(range(numbers[0], numbers[-1] + 1)):
                wrong.append(numbers)

    done = threading.Event()
    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    for _ in range(3000):
        log.add(exchange)
    done.set()
    for each in readers:
        each.join()
    assert wrong == []
