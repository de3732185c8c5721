"""A receiver passes each webhook to its function once, and returns the right response."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

import talon_one
from support.every import for_every
from talon_one.webhooks import (
    AsyncReceiver,
    Claim,
    Delivery,
    InMemoryDeliveryStore,
    Receiver,
    Reply,
    UnknownNotificationTypeWarning,
)
from webhooks.messages import NOTIFICATIONS, JsonObject, batch, campaign_event, message

HEADERS = {"X-Secret": "s", "X-UUID": "uuid-1"}
COUPON = json.dumps(message("CreateCouponData", "CouponCreated"))

MakeReceiver = Callable[..., "Driver"]


class Driver:
    """Calls a receiver of either kind from blocking code."""

    def __init__(self, receiver: Receiver | AsyncReceiver) -> None:
        self.on: Any = receiver.on
        self._receiver = receiver

    def __call__(self, body: object = COUPON, uuid: str | None = "uuid-1") -> Reply:
        headers = {"X-Secret": "s"} | ({"X-UUID": uuid} if uuid else {})
        return self.raw(headers, body)

    def raw(self, headers: Any, body: Any) -> Reply:
        if isinstance(self._receiver, Receiver):
            return self._receiver(headers, body)
        return asyncio.run(self._receiver(headers, body))


@pytest.fixture(params=[Receiver, AsyncReceiver])
def make_receiver(request: pytest.FixtureRequest) -> MakeReceiver:
    """A function that makes a receiver, blocking or asyncio."""

    def receiver(**settings: Any) -> Driver:
        return Driver(request.param(**{"secret_header": "X-Secret", "secret": "s", **settings}))

    return receiver


class Recorder:
    """A function that records its calls, and may fail."""

    def __init__(self, *failures: BaseException | None) -> None:
        self.calls: list[tuple[Any, Delivery]] = []
        self._failures = list(failures)

    def __call__(self, notification: Any, delivery: Delivery) -> str:
        self.calls.append((notification, delivery))
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure
        return "the result does not matter"

    @property
    def classes(self) -> list[str]:
        return [type(notification).__name__ for notification, _ in self.calls]


def test_a_function_is_called_with_the_notification_and_its_delivery(
    make_receiver: MakeReceiver,
) -> None:
    recorder, receive = Recorder(), make_receiver()
    assert receive.on(talon_one.CreateCouponData)(recorder) is recorder
    assert receive() == Reply(200, "handled")
    ((notification, delivery),) = recorder.calls
    assert isinstance(notification, talon_one.CreateCouponData)
    assert notification.to_wire() == json.loads(COUPON)
    assert delivery == Delivery("uuid-1", "CouponCreated")


@for_every("name, type", NOTIFICATIONS)
def test_every_notification_reaches_the_function_for_its_class(name: str, type: str) -> None:
    recorder = Recorder()
    receive = Receiver(
        secret_header=None, secret=None, handlers={getattr(talon_one, name): recorder}
    )
    assert receive({}, json.dumps(message(name, type))) == Reply(200, "handled")
    assert recorder.classes == [name]


def test_class_comes_before_type_and_type_before_default(make_receiver: MakeReceiver) -> None:
    by_class, by_type, default = Recorder(), Recorder(), Recorder()
    receive = make_receiver(
        handlers={"CouponUpdated": by_type, "CouponCreated": by_type}, default=default
    )
    receive.on(talon_one.CreateCouponData)(by_class)
    for uuid, (name, type) in enumerate(
        [
            ("CreateCouponData", "CouponCreated"),
            ("CouponsNotificationData", "CouponUpdated"),
            ("CouponsNotificationData", "CouponDeleted"),
        ]
    ):
        assert receive(json.dumps(message(name, type)), str(uuid)).body == "handled"
    found = [
        [delivery.notification_type for _, delivery in recorder.calls]
        for recorder in (by_class, by_type, default)
    ]
    assert found == [["CouponCreated"], ["CouponUpdated"], ["CouponDeleted"]]


def test_unknown_types_and_payloads_of_rules_reach_the_function_for_models(
    make_receiver: MakeReceiver,
) -> None:
    recorder, receive = Recorder(), make_receiver()
    receive.on(talon_one.Model)(recorder)
    assert receive('{"NotificationType": "BrandNew"}', "1").body == "handled"
    assert receive('{"mine": 1}', None).body == "handled"
    assert recorder.classes == ["Model", "Model"]
    assert [delivery for _, delivery in recorder.calls] == [
        Delivery("1", "BrandNew"),
        Delivery(None, None),
    ]


def test_a_webhook_without_a_function_gets_200_and_is_logged(
    make_receiver: MakeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "talon_one.webhooks")
    receive = make_receiver()
    assert receive() == Reply(200, "ignored")
    assert "no function is registered for" in caplog.text
    assert "CouponCreated" in caplog.text
    # The message does not count as handled once there is a function for it.
    receive.on("CouponCreated")(Recorder())
    assert receive() == Reply(200, "handled")


def test_a_mixed_batch_reaches_the_functions_for_all_of_its_kinds(
    make_receiver: MakeReceiver,
) -> None:
    edited, rest = Recorder(), Recorder()
    receive = make_receiver(handlers={"CampaignNotification": rest})
    receive.on(talon_one.CampaignEditedNotification)(edited)
    events = ("campaign_edited", "campaign_created", "campaign_edited")
    body = json.dumps(batch(*map(campaign_event, events)))
    assert receive(body).body == "handled"
    assert edited.classes == ["CampaignEditedNotification"] * 2
    assert rest.classes == ["CampaignCreatedNotification"]


def test_each_part_of_a_mixed_batch_keeps_its_own_key(make_receiver: MakeReceiver) -> None:
    recorder = Recorder(None, OSError("second part"))
    receive = make_receiver(default=recorder)
    events = ("campaign_edited", "campaign_created", "campaign_edited")
    body = json.dumps(batch(*map(campaign_event, events)))
    assert [receive(body).status for _ in range(2)] == [500, 200]
    keys = [delivery.key for _, delivery in recorder.calls]
    assert keys == ["uuid-1/0", "uuid-1/1", "uuid-1/0", "uuid-1/1", "uuid-1/2"]
    # A function for some of the parts gets their indexes in the whole batch.
    created = Recorder()
    make_receiver(handlers={talon_one.CampaignCreatedNotification: created})(body)
    assert [delivery.part for _, delivery in created.calls] == [1]


def test_without_a_uuid_there_is_no_key() -> None:
    assert Delivery(None, "CouponCreated").key is None
    assert Delivery("u", "CouponCreated").key == "u/0"


def test_parts_of_a_mixed_batch_without_a_function_are_skipped(make_receiver: MakeReceiver) -> None:
    recorder = Recorder()
    receive = make_receiver(handlers={talon_one.CampaignDeletedNotification: recorder})
    body = json.dumps(batch(campaign_event("campaign_edited"), campaign_event("campaign_deleted")))
    assert receive(body).body == "handled"
    assert recorder.classes == ["CampaignDeletedNotification"]


# Messages delivered more than once


def test_a_message_that_was_handled_is_not_handled_again(make_receiver: MakeReceiver) -> None:
    recorder = Recorder()
    receive = make_receiver(default=recorder)
    assert [receive(uuid=uuid).body for uuid in ("a", "a", "b", "a")] == [
        *("handled", "duplicate", "handled", "duplicate")
    ]
    assert [delivery.uuid for _, delivery in recorder.calls] == ["a", "b"]


def test_without_a_uuid_every_message_is_handled(make_receiver: MakeReceiver) -> None:
    recorder = Recorder()
    receive = make_receiver(default=recorder)
    assert [receive(uuid=None).body for _ in range(2)] == ["handled", "handled"]


def test_a_failure_asks_for_a_retry_which_is_handled(
    make_receiver: MakeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(RuntimeError("no database"), StopIteration("odd"))
    receive = make_receiver(default=recorder)
    assert [receive() for _ in range(4)] == [
        Reply(500, "failed"),
        Reply(500, "failed"),
        Reply(200, "handled"),
        Reply(200, "duplicate"),
    ]
    assert "no database" in caplog.text
    assert "uuid='uuid-1'" in caplog.text


def test_a_failure_in_one_part_retries_the_whole_batch(make_receiver: MakeReceiver) -> None:
    recorder = Recorder(None, ValueError("second part"))
    receive = make_receiver(default=recorder)
    body = json.dumps(batch(campaign_event("campaign_edited"), campaign_event("campaign_deleted")))
    assert [receive(body).status for _ in range(3)] == [500, 200, 200]
    assert recorder.classes == ["CampaignEditedNotification", "CampaignDeletedNotification"] * 2


@pytest.mark.parametrize("cause", [KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_an_exception_that_ends_the_program_passes_and_the_message_stays_new(
    cause: BaseException,
) -> None:
    store = InMemoryDeliveryStore()
    receive = Receiver(secret_header=None, secret=None, default=Recorder(cause), store=store)
    with pytest.raises(type(cause)):
        receive(HEADERS, COUPON)
    assert store.claim("uuid-1") == "new"


def test_a_message_stays_new_if_its_request_is_cancelled() -> None:
    async def scenario() -> None:
        began, store = asyncio.Event(), InMemoryDeliveryStore()
        receive = AsyncReceiver(secret_header=None, secret=None, store=store)

        @receive.on(talon_one.CreateCouponData)
        async def slow(notification: talon_one.CreateCouponData, delivery: Delivery) -> None:
            began.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(receive(HEADERS, COUPON))
        await began.wait()
        assert store.claim("uuid-1") == "busy"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert store.claim("uuid-1") == "new"

    asyncio.run(scenario())


def test_a_second_delivery_gets_503_while_the_first_is_being_handled() -> None:
    began, may_end = threading.Event(), threading.Event()
    failing = iter([True, False])

    def slow(notification: Any, delivery: Delivery) -> None:
        began.set()
        assert may_end.wait(30)
        if next(failing):
            raise RuntimeError("the first one fails after all")

    receive = Receiver(secret_header=None, secret=None, default=slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(receive, HEADERS, COUPON)
        assert began.wait(30)
        assert receive(HEADERS, COUPON) == Reply(503, "being handled")
        may_end.set()
        assert first.result(30).status == 500
    # With a 2xx for the second delivery, nothing would have handled the message.
    assert receive(HEADERS, COUPON) == Reply(200, "handled")


def test_exactly_one_of_many_threads_handles_a_message() -> None:
    recorder = Recorder()
    receive = Receiver(secret_header=None, secret=None, default=recorder)
    start = threading.Barrier(16)

    def send(number: int) -> Reply:
        start.wait(30)
        return receive({"X-UUID": str(number % 2)}, COUPON)

    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(send, range(16)))
    assert len(recorder.calls) == 2
    assert sorted(reply.body for reply in replies).count("handled") == 2
    assert {reply.body for reply in replies} <= {"handled", "duplicate", "being handled"}


def test_a_full_store_forgets_the_oldest_message() -> None:
    store = InMemoryDeliveryStore(size=2)
    for uuid in ("a", "b", "c"):
        assert store.claim(uuid) == "new"
        store.mark_done(uuid)
    assert len(store) == 2
    assert [store.claim(uuid) for uuid in ("c", "b", "a")] == ["done", "done", "new"]


def test_a_store_holds_twenty_thousand_messages_by_default() -> None:
    store = InMemoryDeliveryStore()
    for number in range(20_001):
        store.claim(str(number))
        store.mark_done(str(number))
        assert len(store) == min(number + 1, 20_000)
    assert store.claim("1") == "done"
    assert store.claim("0") == "new"


def test_the_store_never_forgets_claims() -> None:
    store = InMemoryDeliveryStore(size=1)
    assert [store.claim(uuid) for uuid in ("a", "b", "c")] == ["new"] * 3
    assert [store.claim(uuid) for uuid in ("a", "b", "c")] == ["busy"] * 3
    with pytest.raises(talon_one.ApiValueError, match="size must be at least 1"):
        InMemoryDeliveryStore(size=0)


class CustomStore:
    """A store of the application. Any of its methods may fail."""

    def __init__(self, broken: str = "") -> None:
        self.notes: list[str] = []
        self._broken = broken
        self._inner = InMemoryDeliveryStore()

    def _note(self, method: str, uuid: str) -> Any:
        self.notes.append(f"{method} {uuid}")
        if method == self._broken:
            raise ConnectionError("the store is down")
        return getattr(self._inner, method)(uuid)

    def claim(self, uuid: str) -> Claim:
        claim: Claim = self._note("claim", uuid)
        return claim

    def mark_done(self, uuid: str) -> None:
        self._note("mark_done", uuid)

    def release(self, uuid: str) -> None:
        self._note("release", uuid)


class CustomAsyncStore:
    """The same store with coroutine functions."""

    def __init__(self, broken: str = "") -> None:
        self._inner = CustomStore(broken)
        self.notes = self._inner.notes

    async def claim(self, uuid: str) -> Claim:
        await asyncio.sleep(0)
        return self._inner.claim(uuid)

    async def mark_done(self, uuid: str) -> None:
        await asyncio.sleep(0)
        self._inner.mark_done(uuid)

    async def release(self, uuid: str) -> None:
        await asyncio.sleep(0)
        self._inner.release(uuid)


STORES = [
    (Receiver, CustomStore),
    (AsyncReceiver, CustomStore),
    (AsyncReceiver, CustomAsyncStore),
]


@pytest.mark.parametrize(("kind", "store_class"), STORES)
def test_a_custom_store_is_called_in_order(kind: Any, store_class: Any) -> None:
    store = store_class()
    receive = Driver(
        kind(secret_header=None, secret=None, store=store, default=Recorder(OSError()))
    )
    assert [receive().body for _ in range(3)] == ["failed", "handled", "duplicate"]
    assert [note.partition(" ")[0] for note in store.notes] == [
        *("claim", "release"),
        *("claim", "mark_done"),
        "claim",
    ]


@pytest.mark.parametrize(("kind", "store_class"), STORES)
@pytest.mark.parametrize(
    ("broken", "failure", "status", "calls"),
    [
        # The receiver cannot know whether it is new, so it must ask for a retry.
        ("claim", None, 500, 0),
        # The function has run: handling the message twice would be worse than forgetting it.
        ("mark_done", None, 200, 1),
        ("release", OSError(), 500, 1),
    ],
)
def test_a_failing_store_loses_no_message(
    kind: Any, store_class: Any, broken: str, failure: Any, status: int, calls: int
) -> None:
    recorder = Recorder(failure)
    receive = Driver(
        kind(secret_header=None, secret=None, store=store_class(broken), default=recorder)
    )
    assert receive().status == status
    assert len(recorder.calls) == calls


# Refused webhooks and registrations


def test_a_wrong_secret_gets_401_and_reaches_no_function(make_receiver: MakeReceiver) -> None:
    recorder = Recorder()
    receive = make_receiver(default=recorder)
    assert receive.raw({}, COUPON) == Reply(401, "unauthorized")
    assert receive.raw({"X-Secret": "t"}, b"\xff") == Reply(401, "unauthorized")
    assert recorder.calls == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", "null"])
def test_a_malformed_body_gets_400_and_reaches_no_function(
    make_receiver: MakeReceiver, body: bytes
) -> None:
    recorder = Recorder()
    receive = make_receiver(default=recorder)
    reply = receive(body)
    assert reply.status == 400
    assert "the body of the webhook is" in reply.body
    assert recorder.calls == []
    # The message does not count as handled.
    assert receive().body == "handled"


@pytest.mark.parametrize("body", [None, 5], ids=repr)
def test_an_object_that_is_not_a_body_gets_400(make_receiver: MakeReceiver, body: Any) -> None:
    reply = make_receiver()(body)
    assert reply.status == 400
    assert reply.body.startswith("a body is bytes, text or a decoded JSON object, not")


def test_none_as_headers_means_no_headers(make_receiver: MakeReceiver) -> None:
    assert make_receiver().raw(None, b"{}") == Reply(401, "unauthorized")
    assert make_receiver(secret_header=None, secret=None).raw(None, b"{}") == Reply(200, "ignored")


def test_a_registration_that_would_never_be_called_is_refused(make_receiver: MakeReceiver) -> None:
    receive = make_receiver()
    with pytest.raises(talon_one.ApiTypeError, match="neither a class"):
        receive.on(Recorder())  # Like a decorator without its argument.

    for broken in ({"handlers": {"CouponCreated": 5}}, {"default": "print"}):
        with pytest.raises(talon_one.ApiTypeError, match="is not a function"):
            make_receiver(**broken)
    with pytest.raises(talon_one.ApiTypeError, match="5 is not a function"):
        receive.on("CouponCreated")(5)


def test_a_misspelled_type_causes_a_warning_and_a_new_one_does_not(
    make_receiver: MakeReceiver,
) -> None:
    message_text = "knows no NotificationType 'CouponCreatd'. Did you mean 'CouponCreated'"
    receive = make_receiver()
    with pytest.warns(UnknownNotificationTypeWarning, match=message_text) as caught:
        receive.on("CouponCreatd")
    assert caught[0].filename == __file__
    with pytest.warns(UnknownNotificationTypeWarning, match=message_text):
        make_receiver(handlers={"CouponCreatd": Recorder()})
    receive.on("MoonPhaseChanged")(Recorder())


@pytest.mark.parametrize(
    ("kind", "error", "message_text"),
    [
        (talon_one.Coupon, talon_one.ApiValueError, "no notification is a Coupon"),
        (talon_one.CampaignNotification, talon_one.ApiValueError, "NotificationType as a string"),
        (dict, talon_one.ApiTypeError, "neither a class of models nor a NotificationType"),
        (None, talon_one.ApiTypeError, "neither a class"),
    ],
)
def test_a_class_that_no_notification_has_is_refused(
    make_receiver: MakeReceiver, kind: Any, error: type[Exception], message_text: str
) -> None:
    receive = make_receiver()
    with pytest.raises(error, match=message_text):
        receive.on(kind)(Recorder())
    with pytest.raises(error, match=message_text):
        make_receiver(handlers={kind: Recorder()})


def test_a_second_function_for_the_same_kind_is_refused(make_receiver: MakeReceiver) -> None:
    receive = make_receiver(handlers={"CouponCreated": Recorder()})
    receive.on(talon_one.CreateCouponData)(Recorder())
    for kind in ("CouponCreated", talon_one.CreateCouponData):
        with pytest.raises(talon_one.ApiValueError, match="has a function already"):
            receive.on(kind)(Recorder())


# Coroutine functions and plain functions


def test_a_coroutine_function_is_awaited_and_a_plain_one_runs_in_a_thread() -> None:
    where: list[tuple[str, bool]] = []

    async def coroutine(notification: Any, delivery: Delivery) -> None:
        await asyncio.sleep(0)
        where.append(("coroutine", threading.current_thread() is threading.main_thread()))

    def plain(notification: Any, delivery: Delivery) -> None:
        where.append(("plain", threading.current_thread() is threading.main_thread()))

    for handler in (coroutine, plain):
        receive = AsyncReceiver(secret_header=None, secret=None, default=handler)
        assert asyncio.run(receive(HEADERS, COUPON)).body == "handled"
    assert where == [("coroutine", True), ("plain", False)]


class _AsyncCallable:
    def __init__(self) -> None:
        self.called = 0

    async def __call__(self, notification: Any, delivery: Delivery) -> None:
        await asyncio.sleep(0)
        self.called += 1


def test_anything_that_returns_an_awaitable_is_awaited() -> None:
    callable_object = _AsyncCallable()
    handlers: Iterator[Any] = iter(
        (callable_object, partial(callable_object), lambda *args: callable_object(*args))
    )
    for handler in handlers:
        receive = AsyncReceiver(secret_header=None, secret=None, default=handler)
        assert asyncio.run(receive(HEADERS, COUPON)).body == "handled"
    assert callable_object.called == 3


def test_a_blocking_receiver_refuses_a_coroutine_function() -> None:
    async def handler(notification: Any, delivery: Delivery) -> None: ...

    receive = Receiver(secret_header=None, secret=None)
    with pytest.raises(talon_one.ApiTypeError, match="needs an AsyncReceiver"):
        receive.on("CouponCreated")(handler)
    with pytest.raises(talon_one.ApiTypeError, match="needs an AsyncReceiver"):
        Receiver(secret_header=None, secret=None, default=handler)


def test_an_awaitable_in_a_blocking_receiver_does_not_count_as_handled() -> None:
    callable_object = _AsyncCallable()
    receive = Receiver(secret_header=None, secret=None, default=callable_object)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert receive(HEADERS, COUPON) == Reply(500, "failed")
        assert receive(HEADERS, COUPON) == Reply(500, "failed")
        gc.collect()
    assert callable_object.called == 0
    # Not that a coroutine was never awaited.
    assert warned == []


def test_type_checkers_know_the_arguments_of_a_function() -> None:
    receive = Receiver(secret_header=None, secret=None)

    @receive.on(talon_one.TierUpgradeNotification)
    def upgraded(notification: talon_one.TierUpgradeNotification, delivery: Delivery) -> None:
        tiers.append(notification.data[0].current_tier)

    tiers: list[str] = []
    body: JsonObject = message("TierUpgradeNotification", "TierUpgrade")
    assert receive({}, body).body == "handled"
    assert tiers == [body["Data"][0]["CurrentTier"]]
