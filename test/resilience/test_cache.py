"""ReadCache: each read is requested once in its lifetime, and every caller gets its own objects."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import talon_one
from support import shells
from support.calls import KEYS, make_client
from support.server import Received, RecordingServer, Response
from support.timing import MockClock
from talon_one import (
    ApiException,
    ApiTypeError,
    ApiValueError,
    Clock,
    Configuration,
    ConnectTimeoutError,
    IntegrationApi,
    ManagementApi,
    NotFoundException,
    ServiceException,
)
from talon_one.resilience import ReadCache

CAMPAIGN = {"id": 2, "name": "Summer", "tags": ["a"]}


class Reader:
    """A cache and the Management API of the shell whose turn it is, both made to block."""

    def __init__(self, client: Any, clock: MockClock, **settings: Any) -> None:
        self.client = client
        lifetimes: dict[Any, float] = {
            ManagementApi.get_campaign: 60,
            ManagementApi.get_campaigns: 10,
        }
        self.cache = ReadCache(lifetimes, clock=Clock(monotonic=clock), **settings)
        self._awaited = client if hasattr(client, "run") else None
        inner = client.client if self._awaited else client
        self.api: Any = (talon_one.aio if self._awaited else talon_one).ManagementApi(inner)

    def __call__(self, method: str = "get_campaign", *args: Any, **kwargs: Any) -> Any:
        given = args or ((1, 2) if method == "get_campaign" else (1,))
        bound = getattr(self.api, method)
        if self._awaited:
            return self._awaited.run(self.cache.call_async(bound, *given, **kwargs))
        return self.cache.call(bound, *given, **kwargs)


@pytest.fixture
def read(client: Any, clock: MockClock, server: RecordingServer) -> Reader:
    server.default = Response(body=CAMPAIGN)
    return Reader(client, clock)


def test_a_read_is_requested_once_in_its_lifetime(
    read: Reader, server: RecordingServer, clock: MockClock
) -> None:
    first = read()
    clock.now += 59
    assert read() == first
    assert len(server.requests) == 1
    clock.now += 1
    server.default = Response(body={**CAMPAIGN, "name": "Winter"})
    assert read().name == "Winter"
    assert len(server.requests) == 2


def test_what_it_returns_may_be_changed(read: Reader, server: RecordingServer) -> None:
    for _ in range(3):
        campaign = read()
        assert campaign.tags == ["a"]
        campaign.tags.append("b")
        campaign.name = "changed"
    headers = read(_return_http_data_only=False).headers
    assert headers["content-type"] == "application/json"
    assert len(server.requests) == 1


def test_other_arguments_settings_and_credentials_are_other_reads(
    read: Reader, server: RecordingServer, clock: MockClock
) -> None:
    read()
    read("get_campaign", 1, 3)
    read(_headers={"X-Shop": "berlin"})
    read(_request_auth={"key": "Authorization", "value": "ManagementKey-v1 other"})
    read("get_campaigns", 1, page_size=5)
    read("get_campaigns", 1, page_size=6)
    with make_client(server.url, api_key={"management_key": "another"}) as other:
        reader = Reader(other, clock)
        reader.cache = read.cache
        reader()
        assert len(server.requests) == 7
        reader()
    read()
    assert len(server.requests) == 7


def test_clients_with_the_same_credential_share_what_was_read(
    read: Reader, server: RecordingServer, clock: MockClock
) -> None:
    read()
    with make_client(server.url) as other:
        reader = Reader(other, clock)
        reader.cache = read.cache
        assert reader() == read()
    assert len(server.requests) == 1


def test_failures_are_not_kept(read: Reader, server: RecordingServer) -> None:
    server.script(Response(404), Response(500))
    with pytest.raises(NotFoundException):
        read(_retries=0)
    with pytest.raises(ServiceException):
        read(_retries=0)
    assert read().name == "Summer"
    assert len(server.requests) == 3


def test_callers_that_miss_at_the_same_time_wait_for_one_request(
    read: Reader, server: RecordingServer
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slow(_: Received) -> Response:
        reached.set()
        go_on.wait(10)
        return Response(body=CAMPAIGN)

    server.script(slow)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(read)
        assert reached.wait(10)
        others = [pool.submit(read) for _ in range(8)]
        with pytest.raises(ConnectTimeoutError, match="another call made the same read"):
            read(_deadline=0.01)
        go_on.set()
        found = [each.result(10) for each in [first, *others]]
    assert len(server.requests) == 1
    assert all(each == found[0] for each in found)
    assert len({id(each) for each in found}) == 9


def test_they_share_its_failure_each_with_an_exception_of_its_own(
    read: Reader, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on, waiting = threading.Event(), threading.Event(), threading.Semaphore(0)

    def slow(_: Received) -> Response:
        reached.set()
        go_on.wait(10)
        return Response(500, {"message": "broken"})

    def remaining(_: object) -> None:  # Asked for right before a wait for another call.
        waiting.release()

    monkeypatch.setattr("talon_one.resilience.cache._Read.remaining", remaining)

    server.default = slow

    def failing() -> ApiException:
        with pytest.raises(ServiceException, match="broken") as caught:
            read(_retries=0)
        return caught.value

    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(failing)
        assert reached.wait(10)
        others = [pool.submit(failing) for _ in range(4)]
        for _ in range(5):
            assert waiting.acquire(timeout=10)
        go_on.set()
        found = [each.result(10) for each in [first, *others]]
    assert len({id(each) for each in found}) == 5
    assert len(server.requests) == 1


def test_a_caller_without_time_left_does_not_decide_for_the_others(
    read: Reader, server: RecordingServer
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slow(_: Received) -> Response:
        reached.set()
        go_on.wait(10)
        return Response(body=CAMPAIGN)

    server.script(slow)
    with ThreadPoolExecutor(2) as pool:
        hurried = pool.submit(read, _deadline=0.2, _retries=0)
        assert reached.wait(10)
        patient = pool.submit(read, _deadline=30)
        with pytest.raises(TimeoutError):
            hurried.result(10)
        assert patient.result(10).name == "Summer"
        go_on.set()
    assert len(server.requests) == 2


def test_invalidation_forgets_and_keeps_out_what_is_in_progress(
    read: Reader, server: RecordingServer
) -> None:
    read()
    read("get_campaigns")
    read.cache.invalidate(ManagementApi.get_campaigns)
    assert len(read.cache) == 1
    read.cache.invalidate()
    assert len(read.cache) == 0

    def overtaken(_: Received) -> Response:
        read.cache.invalidate(read.api.get_campaign)
        return Response(body={**CAMPAIGN, "name": "old"})

    server.script(overtaken)
    assert read().name == "old"
    assert len(read.cache) == 0
    assert read().name == "Summer"
    with pytest.raises(ApiValueError, match="getCouponsWithoutTotalCount has no lifetime"):
        read.cache.invalidate(ManagementApi.get_coupons_without_total_count)


def test_it_keeps_a_limited_number_of_responses(
    client: Any, server: RecordingServer, clock: MockClock
) -> None:
    server.default = Response(body=CAMPAIGN)
    read = Reader(client, clock, limit=3)
    for number in range(10):
        read("get_campaign", 1, number)
    assert len(read.cache) == 3
    read("get_campaign", 1, 9)
    assert len(server.requests) == 10
    read("get_campaign", 1, 6)
    assert len(server.requests) == 11


@pytest.mark.one_shell("no call is made")
def test_only_reads_with_a_lifetime_are_accepted(clock: MockClock) -> None:
    make: Any = ReadCache
    wrong: list[tuple[Any, type[Exception]]] = [
        ({ManagementApi.create_campaign: 60}, ApiValueError),
        ({ManagementApi.delete_campaign: 60}, ApiValueError),
        ({IntegrationApi.update_customer_session_v2: 60}, ApiValueError),
        ({ManagementApi.get_campaign_with_http_info: 60}, ApiTypeError),
        ({ManagementApi.get_campaign: 0}, ApiTypeError),
        ({ManagementApi.get_campaign: None}, ApiTypeError),
        ({"getCampaign": 60}, ApiTypeError),
        ([ManagementApi.get_campaign], ApiTypeError),
        (None, ApiTypeError),
    ]
    accepted = []
    for lifetimes, kind in wrong:
        try:
            make(lifetimes)
        except kind:
            continue
        accepted.append(lifetimes)
    assert accepted == []
    assert repr(ReadCache({})) == "<ReadCache 0 responses>"


def test_calls_that_it_cannot_make_are_refused_before_anything_is_sent(
    read: Reader, server: RecordingServer
) -> None:
    cache: Any = read.cache
    other = talon_one.aio if shells.current().name == "blocking" else talon_one
    configuration = Configuration(server.url, KEYS)
    stranger: Any = other.ManagementApi(other.ApiClient(configuration))
    wrong: list[tuple[str, dict[str, Any], type[Exception]]] = [
        ("get_coupons_without_total_count", {}, ApiValueError),
        ("get_campaign_with_http_info", {}, ApiTypeError),
        ("get_campaign", {"async_req": True}, ApiTypeError),
        ("get_campaign", {"_preload_content": False}, ApiTypeError),
        ("get_campaign", {"unknown": 1}, ApiTypeError),
    ]
    for method, settings, kind in wrong:
        with pytest.raises(kind):
            read(method, 1, 2, **settings)
    with pytest.raises(ApiTypeError, match="not of its class"):
        cache.call(ManagementApi.get_campaign, 1, 2)
    if shells.current().name == "blocking":
        with pytest.raises(ApiTypeError, match="call_async"):
            cache.call(stranger.get_campaign, 1, 2)
    assert server.requests == []


@pytest.mark.one_shell("no call is made")
def test_neither_the_cache_nor_its_keys_hold_a_credential(
    server: RecordingServer, clock: MockClock
) -> None:
    server.default = Response(body=CAMPAIGN)
    with make_client(server.url) as client:
        read = Reader(client, clock)
        read()
        assert KEYS["management_key"] not in repr(vars(read.cache))
        assert KEYS["management_key"] not in repr(vars(read.cache._responses))
        # Nor a digest by which a known credential could be recognized.
        other = Reader(client, clock)
        other()
        keys = [set(each.cache._responses._entries) for each in (read, other)]
        assert keys[0].isdisjoint(keys[1])


@pytest.mark.one_shell("it cancels tasks")
def test_a_canceled_reader_leaves_the_read_to_the_next_one(
    server: RecordingServer, clock: MockClock
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slow(_: Received) -> Response:
        reached.set()
        go_on.wait(10)
        return Response(body=CAMPAIGN)

    server.script(slow)
    server.default = Response(body=CAMPAIGN)
    cache = ReadCache({ManagementApi.get_campaign: 60}, clock=Clock(monotonic=clock))

    async def run() -> None:
        async with talon_one.aio.ApiClient(Configuration(server.url, KEYS)) as client:
            method = talon_one.aio.ManagementApi(client).get_campaign
            first = asyncio.ensure_future(cache.call_async(method, 1, 2))
            await asyncio.to_thread(reached.wait, 10)
            others = [asyncio.ensure_future(cache.call_async(method, 1, 2)) for _ in range(3)]
            await asyncio.sleep(0)
            others[0].cancel()
            first.cancel()
            done = await asyncio.gather(first, *others, return_exceptions=True)
            assert [type(each).__name__ for each in done] == [
                *("CancelledError", "CancelledError", "Campaign", "Campaign")
            ]

    try:
        asyncio.run(run())
    finally:
        go_on.set()
    assert len(server.requests) == 2
