"""Faults: what a test lets go wrong, over real sockets."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

import talon_one
from talon_one.sandbox import Sandbox

UPDATE = "update_customer_session_v2"


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def client(shop: Sandbox) -> Iterator[talon_one.IntegrationApi]:
    with talon_one.IntegrationApi(host=shop.url, api_key=shop.api_key) as api:
        yield api


@pytest.fixture(autouse=True)
def fresh(shop: Sandbox) -> None:
    shop.reset()


def update(api: talon_one.IntegrationApi, session: str = "order-1", **settings: Any) -> Any:
    settings = {"_retries": 0, "_request_timeout": 5.0, **settings}
    return api.update_customer_session_v2(session, {"customerSession": {}}, **settings)


def exists(api: talon_one.IntegrationApi, session: str = "order-1") -> bool:
    try:
        api.get_customer_session(session)
    except talon_one.NotFoundException:
        return False
    return True


def test_an_error_has_the_body_of_the_platform_and_changes_nothing(
    shop: Sandbox, client: talon_one.IntegrationApi
) -> None:
    shop.faults.respond(503, UPDATE)
    with pytest.raises(talon_one.ServiceException) as caught:
        update(client)
    assert (caught.value.status, caught.value.message) == (503, "Service Unavailable")
    assert shop.requests.last.response_body == {
        "message": "Service Unavailable",
        "errors": None,
        "StatusCode": 503,
    }
    assert (shop.requests.last.fault, shop.requests.last.operation) == ("respond", UPDATE)
    assert not exists(client)
    update(client)


def test_a_conflict_passes_with_a_retry(shop: Sandbox, client: talon_one.IntegrationApi) -> None:
    conflict = shop.faults.respond(409, UPDATE)
    update(client, _retries=2)
    assert conflict.used == 1
    assert [each.status for each in shop.requests] == [409, 200]


def test_an_error_can_ask_for_a_pause_and_have_a_body_of_its_own(
    shop: Sandbox, client: talon_one.IntegrationApi
) -> None:
    shop.faults.respond(429, retry_after=7)
    with pytest.raises(talon_one.TooManyRequestsException) as limited:
        update(client)
    assert limited.value.headers is not None
    assert limited.value.headers["Retry-After"] == "7"
    for body in ({"message": "closed"}, talon_one.models.ErrorResponse(message="closed")):
        shop.faults.respond(400, body=body)
        with pytest.raises(talon_one.BadRequestException) as refused:
            update(client)
        assert refused.value.message == "closed"
        assert shop.requests.last.response_body == {"message": "closed"}


def test_faults_are_used_up_in_the_order_in_which_they_were_added(
    shop: Sandbox, client: talon_one.IntegrationApi
) -> None:
    faults = [
        shop.faults.respond(500, UPDATE),
        shop.faults.respond(501, "getCustomerSession"),
        shop.faults.respond(502, times=2),
        shop.faults.respond(503, UPDATE, times=None),
    ]
    assert list(shop.faults) == faults
    for status in (500, 502, 502, 503, 503):
        with pytest.raises(talon_one.ServiceException) as caught:
            # A dry run is a request as well.
            update(client, dry=status == 502)
        assert caught.value.status == status
    assert [fault.used for fault in faults] == [1, 0, 2, 2]
    assert list(shop.faults) == [faults[1], faults[3]]
    assert repr(faults[3]) == f"<Fault respond: {UPDATE}, used 2 until cleared>"
    faults[3].clear()
    faults[3].clear()
    update(client)
    shop.faults.clear()
    assert (len(shop.faults), repr(shop.faults)) == (0, "<Faults []>")
    assert not exists(client, "none")


def test_a_fault_ends_with_its_block(shop: Sandbox, client: talon_one.IntegrationApi) -> None:
    with shop.faults.respond(500, times=None) as fault, pytest.raises(talon_one.ServiceException):
        update(client)
    assert fault.cleared
    update(client)


def test_a_fault_without_an_operation_meets_every_request_but_those_at_the_door(
    shop: Sandbox,
) -> None:
    shop.faults.respond(500, times=None)
    key = {"Authorization": f"ManagementKey-v1 {shop.management_key}"}
    with urllib3.PoolManager() as pool:
        for target, status in (("/nothing", 500), ("/_sandbox/clock", 200)):
            assert pool.request("GET", shop.url + target, headers=key).status == status
    assert [each.target for each in shop.requests] == ["/nothing"]


def test_a_page_of_a_proxy_has_any_status(shop: Sandbox, client: talon_one.IntegrationApi) -> None:
    shop.faults.html(UPDATE)
    with pytest.raises(talon_one.ServiceException) as gateway:
        update(client)
    assert gateway.value.status == 502
    shop.faults.html(status=200)
    with pytest.raises(talon_one.InvalidResponseError):
        update(client)
    assert "<h1>200 OK</h1>" in shop.requests.last.response_body
    assert shop.requests.last.response_headers["Content-Type"] == "text/html"
    assert not exists(client)


def test_a_delayed_request_is_carried_out_late_and_seen_early(
    shop: Sandbox, client: talon_one.IntegrationApi
) -> None:
    fault = shop.faults.delay(30, UPDATE)
    with pytest.raises(talon_one.ReadTimeoutError):
        update(client, _request_timeout=0.05)
    assert (shop.requests.last.status, shop.requests.last.fault) == (0, "delay")
    assert not exists(client)
    fault.clear()
    while shop.requests[0].status == 0:
        time.sleep(0)
    assert (len(shop.requests.to(UPDATE)), shop.requests[0].status) == (1, 200)
    assert exists(client)
    shop.faults.delay(0.02, UPDATE)
    update(client)
    assert shop.requests.last.seconds >= 0.02


def test_a_delay_adds_to_another_fault(shop: Sandbox, client: talon_one.IntegrationApi) -> None:
    shop.faults.delay(0.02)
    shop.faults.respond(500)
    with pytest.raises(talon_one.ServiceException):
        update(client)
    assert shop.requests.last.fault == "delay + respond"
    assert shop.requests.last.seconds >= 0.02


def test_a_delayed_request_is_in_flight_for_its_session(
    shop: Sandbox, client: talon_one.IntegrationApi
) -> None:
    fault = shop.faults.delay(30, UPDATE, times=3)
    threads = [threading.Thread(target=update, args=(client,)) for _ in range(3)]
    for each in threads:
        each.start()
    while fault.used < 3:
        time.sleep(0)
    with pytest.raises(talon_one.ConflictException):
        update(client)
    fault.clear()
    for each in threads:
        each.join()


def test_a_server_hangs_until_the_fault_is_cleared(
    shop: Sandbox, client: talon_one.IntegrationApi
) -> None:
    hang = shop.faults.hang(UPDATE)
    with pytest.raises(talon_one.ReadTimeoutError):
        update(client, _request_timeout=0.05)
    assert (shop.requests.last.status, shop.requests.last.fault) == (0, "hang")
    for clear in (hang.clear, shop.faults.clear, shop.reset):
        shop.faults.hang(UPDATE)
        ended: list[BaseException] = []

        def wait(ended: list[BaseException] = ended) -> None:
            try:
                update(client)
            except talon_one.NoResponseError as error:
                ended.append(error)

        waiting = threading.Thread(target=wait)
        before = len(shop.requests)
        waiting.start()
        while len(shop.requests) == before:
            time.sleep(0)
        if clear == hang.clear:
            # The first fault is over, and the second one is another.
            clear()
            assert waiting.is_alive()
            shop.faults.clear()
        clear()
        waiting.join(10)
        assert len(ended) == 1
    assert not exists(client)


def test_a_stopping_sandbox_does_not_wait_for_faults() -> None:
    for add in ("hang", "delay"):
        with (
            Sandbox() as shop,
            talon_one.IntegrationApi(host=shop.url, api_key=shop.api_key) as api,
        ):
            _ = shop.faults.hang() if add == "hang" else shop.faults.delay(30)
            with pytest.raises(talon_one.ReadTimeoutError):
                update(api, _request_timeout=0.05)
            started = time.monotonic()
        assert time.monotonic() - started < 0.9
        # What was sent can still be asserted.
        shop.requests.assert_sent(UPDATE, times=1)


def test_a_connection_is_reset_before_or_after_the_change(
    shop: Sandbox, client: talon_one.IntegrationApi
) -> None:
    for after_change in (False, True):
        shop.faults.disconnect(UPDATE, after_change=after_change)
        with pytest.raises(talon_one.NoResponseError, match=r"(?i)reset|aborted"):
            update(client, f"order-{after_change}")
        made = shop.requests.last
        assert (made.status, made.response_content, made.fault) == (0, b"", "disconnect")
        assert exists(client, f"order-{after_change}") is after_change


def test_a_response_breaks_off_in_the_middle(
    shop: Sandbox, client: talon_one.IntegrationApi
) -> None:
    shop.faults.truncate(UPDATE)
    with pytest.raises(talon_one.NoResponseError, match="broke off"):
        update(client)
    assert (shop.requests.last.status, shop.requests.last.fault) == (200, "truncate")
    assert isinstance(shop.requests.last.response_body, str)
    assert exists(client)
    client.update_customer_profile_v2("anna", {})
    shop.faults.truncate("delete_customer_data")
    with pytest.raises(talon_one.NoResponseError):
        client.delete_customer_data("anna", _retries=0)
    assert (shop.requests.last.status, shop.requests.last.response_content) == (0, b"")


def test_impossible_faults_are_one_sentence_each(shop: Sandbox) -> None:
    faults = shop.faults

    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("odd")

    wrong: list[tuple[Any, str]] = [
        (lambda: faults.hang("update_session"), "there is no operation 'update_session'."),
        (
            lambda: faults.hang("update_custmer_session_v2"),
            "no operation 'update_custmer_session_v2'. Did you mean 'update_customer_session_v2'?",
        ),
        (lambda: faults.hang("updateCustomerSession2"), "Did you mean 'updateCustomerSession"),
        (lambda: faults.hang("UPDATE_customer_session_v2"), "Did you mean 'update"),
        (lambda: faults.hang(3), "such as 'update_customer_session_v2', not 3"),  # type: ignore[arg-type]
        (lambda: faults.hang("\ud800"), "there is no operation '\\ud800'"),
        (lambda: faults.respond(200), "the status of an error is from 400 to 599, not 200"),
        (lambda: faults.respond(600), "from 400 to 599, not 600"),
        (lambda: faults.respond("503"), "from 400 to 599, not '503'"),  # type: ignore[arg-type]
        (lambda: faults.respond(True), "from 400 to 599, not True"),
        (lambda: faults.respond(429, retry_after=-1), "a whole number of seconds, not -1"),
        (lambda: faults.respond(429, retry_after=0.5), "a whole number of seconds, not 0.5"),  # type: ignore[arg-type]
        (lambda: faults.respond(500, body=float("nan")), "nan"),
        (lambda: faults.respond(500, body=Odd()), "Odd"),
        (lambda: faults.html(status=100), "the status of a page is from 200 to 599, not 100"),
        (lambda: faults.delay(-1), "a delay is a number of seconds from 0, not -1"),
        (lambda: faults.delay(float("nan")), "from 0, not nan"),
        (lambda: faults.delay(float("inf")), "from 0, not inf"),
        (lambda: faults.delay("1"), "from 0, not '1'"),  # type: ignore[arg-type]
        (lambda: faults.hang(times=0), "times is a whole number from 1, or None for no limit"),
        (lambda: faults.hang(times=-2), "not -2"),
        (lambda: faults.hang(times=1.5), "not 1.5"),  # type: ignore[arg-type]
        (lambda: faults.hang(times=Odd()), "limit, not <"),  # type: ignore[arg-type]
    ]
    for add, sentence in wrong:
        with pytest.raises((ValueError, TypeError)) as caught:
            add()
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)
    assert len(faults) == 0


def test_faults_that_are_over_are_forgotten(shop: Sandbox) -> None:
    for _ in range(50):
        shop.faults.hang().clear()
    gc.collect()
    assert len(shop.faults._not_cleared) == len(shop.faults._waiting) == 0
