"""A receiver hands a webhook to its function once, and answers what Talon.One understands."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

import talon_one
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

Make = Callable[..., "Driver"]


class Driver:
    """A receiver of either kind, called as a function."""

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
def make(request: pytest.FixtureRequest) -> Make:
    """Makes a receiver, blocking or asynchronous."""

    def receiver(**settings: Any) -> Driver:
        return Driver(request.param(**{"secret_header": "X-Secret", "secret": "s", **settings}))

    return receiver


class Notes:
    """A function that notes what it was called with, and may fail."""

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


def test_a_function_is_called_with_the_notification_and_its_delivery(make: Make) -> None:
    notes, receive = Notes(), make()
    assert receive.on(talon_one.CreateCouponData)(notes) is notes
    assert receive() == Reply(200, "handled")
    ((notification, delivery),) = notes.calls
    assert isinstance(notification, talon_one.CreateCouponData)
    assert notification.to_wire() == json.loads(COUPON)
    assert delivery == Delivery("uuid-1", "CouponCreated")


@pytest.mark.parametrize(("name", "type"), NOTIFICATIONS)
def test_every_notification_reaches_the_function_for_its_class(name: str, type: str) -> None:
    notes = Notes()
    receive = Receiver(secret_header=None, secret=None, handlers={getattr(talon_one, name): notes})
    assert receive({}, json.dumps(message(name, type))) == Reply(200, "handled")
    assert notes.classes == [name]


def test_class_comes_before_type_and_type_before_default(make: Make) -> None:
    by_class, by_type, default = Notes(), Notes(), Notes()
    receive = make(handlers={"CouponUpdated": by_type, "CouponCreated": by_type}, default=default)
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
        [delivery.notification_type for _, delivery in notes.calls]
        for notes in (by_class, by_type, default)
    ]
    assert found == [["CouponCreated"], ["CouponUpdated"], ["CouponDeleted"]]


def test_unknown_types_and_payloads_of_rules_reach_the_function_for_models(make: Make) -> None:
    notes, receive = Notes(), make()
    receive.on(talon_one.Model)(notes)
    assert receive('{"NotificationType": "BrandNew"}', "1").body == "handled"
    assert receive('{"mine": 1}', None).body == "handled"
    assert notes.classes == ["Model", "Model"]
    assert [delivery for _, delivery in notes.calls] == [
        Delivery("1", "BrandNew"),
        Delivery(None, None),
    ]


def test_what_nobody_wants_is_answered_well_and_logged(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "talon_one.webhooks")
    receive = make()
    assert receive() == Reply(200, "ignored")
    assert "no function is registered for" in caplog.text
    assert "CouponCreated" in caplog.text
    # Once there is a function, the same message is not taken for one that was handled.
    receive.on("CouponCreated")(Notes())
    assert receive() == Reply(200, "handled")


def test_a_mixed_batch_reaches_the_functions_of_all_of_its_kinds(make: Make) -> None:
    edited, rest = Notes(), Notes()
    receive = make(handlers={"CampaignNotification": rest})
    receive.on(talon_one.CampaignEditedNotification)(edited)
    events = ("campaign_edited", "campaign_created", "campaign_edited")
    body = json.dumps(batch(*map(campaign_event, events)))
    assert receive(body).body == "handled"
    assert edited.classes == ["CampaignEditedNotification"] * 2
    assert rest.classes == ["CampaignCreatedNotification"]


def test_each_part_of_a_mixed_batch_has_a_key_of_its_own_that_stays(make: Make) -> None:
    notes = Notes(None, OSError("second part"))
    receive = make(default=notes)
    events = ("campaign_edited", "campaign_created", "campaign_edited")
    body = json.dumps(batch(*map(campaign_event, events)))
    assert [receive(body).status for _ in range(2)] == [500, 200]
    keys = [delivery.key for _, delivery in notes.calls]
    assert keys == ["uuid-1/0", "uuid-1/1", "uuid-1/0", "uuid-1/1", "uuid-1/2"]
    # A function for some of the parts is told their numbers in the whole.
    created = Notes()
    make(handlers={talon_one.CampaignCreatedNotification: created})(body)
    assert [delivery.part for _, delivery in created.calls] == [1]


def test_without_a_uuid_there_is_no_key() -> None:
    assert Delivery(None, "CouponCreated").key is None
    assert Delivery("u", "CouponCreated").key == "u/0"


def test_a_kind_in_a_mixed_batch_that_nobody_wants_is_left_out(make: Make) -> None:
    notes = Notes()
    receive = make(handlers={talon_one.CampaignDeletedNotification: notes})
    body = json.dumps(batch(campaign_event("campaign_edited"), campaign_event("campaign_deleted")))
    assert receive(body).body == "handled"
    assert notes.classes == ["CampaignDeletedNotification"]


# What is sent twice


def test_a_message_that_was_handled_is_not_handled_again(make: Make) -> None:
    notes = Notes()
    receive = make(default=notes)
    assert [receive(uuid=uuid).body for uuid in ("a", "a", "b", "a")] == [
        *("handled", "duplicate", "handled", "duplicate")
    ]
    assert [delivery.uuid for _, delivery in notes.calls] == ["a", "b"]


def test_without_a_uuid_every_message_is_handled(make: Make) -> None:
    notes = Notes()
    receive = make(default=notes)
    assert [receive(uuid=None).body for _ in range(2)] == ["handled", "handled"]


def test_a_failure_asks_for_a_repetition_which_is_handled(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    notes = Notes(RuntimeError("no database"), StopIteration("odd"))
    receive = make(default=notes)
    assert [receive() for _ in range(4)] == [
        Reply(500, "failed"),
        Reply(500, "failed"),
        Reply(200, "handled"),
        Reply(200, "duplicate"),
    ]
    assert "no database" in caplog.text
    assert "uuid='uuid-1'" in caplog.text


def test_a_failure_in_a_part_of_a_batch_repeats_the_whole(make: Make) -> None:
    notes = Notes(None, ValueError("second part"))
    receive = make(default=notes)
    body = json.dumps(batch(campaign_event("campaign_edited"), campaign_event("campaign_deleted")))
    assert [receive(body).status for _ in range(3)] == [500, 200, 200]
    assert notes.classes == ["CampaignEditedNotification", "CampaignDeletedNotification"] * 2


@pytest.mark.parametrize("cause", [KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_what_ends_the_program_is_not_held_up_and_the_message_stays_new(
    cause: BaseException,
) -> None:
    seen = InMemoryDeliveryStore()
    receive = Receiver(secret_header=None, secret=None, default=Notes(cause), seen=seen)
    with pytest.raises(type(cause)):
        receive(HEADERS, COUPON)
    assert seen.claim("uuid-1") == "new"


def test_a_cancelled_request_leaves_its_message_new() -> None:
    async def scenario() -> None:
        began, seen = asyncio.Event(), InMemoryDeliveryStore()
        receive = AsyncReceiver(secret_header=None, secret=None, seen=seen)

        @receive.on(talon_one.CreateCouponData)
        async def slow(notification: talon_one.CreateCouponData, delivery: Delivery) -> None:
            began.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(receive(HEADERS, COUPON))
        await began.wait()
        assert seen.claim("uuid-1") == "busy"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert seen.claim("uuid-1") == "new"

    asyncio.run(scenario())


def test_while_one_thread_handles_a_message_another_is_told_to_come_back() -> None:
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
    # Had the second one been told that all is well, nobody would have handled the message.
    assert receive(HEADERS, COUPON) == Reply(200, "handled")


def test_of_many_threads_with_one_message_exactly_one_handles_it() -> None:
    notes = Notes()
    receive = Receiver(secret_header=None, secret=None, default=notes)
    start = threading.Barrier(16)

    def send(number: int) -> Reply:
        start.wait(30)
        return receive({"X-UUID": str(number % 2)}, COUPON)

    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(send, range(16)))
    assert len(notes.calls) == 2
    assert sorted(reply.body for reply in replies).count("handled") == 2
    assert {reply.body for reply in replies} <= {"handled", "duplicate", "being handled"}


def test_the_memory_forgets_the_oldest_of_too_many() -> None:
    seen = InMemoryDeliveryStore(size=2)
    for uuid in ("a", "b", "c"):
        assert seen.claim(uuid) == "new"
        seen.done(uuid)
    assert len(seen) == 2
    assert [seen.claim(uuid) for uuid in ("c", "b", "a")] == ["done", "done", "new"]


def test_the_memory_never_forgets_what_is_being_handled() -> None:
    seen = InMemoryDeliveryStore(size=1)
    assert [seen.claim(uuid) for uuid in ("a", "b", "c")] == ["new"] * 3
    assert [seen.claim(uuid) for uuid in ("a", "b", "c")] == ["busy"] * 3
    with pytest.raises(talon_one.ApiValueError, match="size must be at least 1"):
        InMemoryDeliveryStore(size=0)


class OwnMemory:
    """A memory of the application, which may break down at any of its methods."""

    def __init__(self, broken: str = "") -> None:
        self.notes: list[str] = []
        self._broken = broken
        self._within = InMemoryDeliveryStore()

    def _note(self, method: str, uuid: str) -> Any:
        self.notes.append(f"{method} {uuid}")
        if method == self._broken:
            raise ConnectionError("the memory does not answer")
        return getattr(self._within, method)(uuid)

    def claim(self, uuid: str) -> Claim:
        claim: Claim = self._note("claim", uuid)
        return claim

    def done(self, uuid: str) -> None:
        self._note("done", uuid)

    def release(self, uuid: str) -> None:
        self._note("release", uuid)


class OwnAsyncMemory:
    """The same, to be awaited."""

    def __init__(self, broken: str = "") -> None:
        self._within = OwnMemory(broken)
        self.notes = self._within.notes

    async def claim(self, uuid: str) -> Claim:
        await asyncio.sleep(0)
        return self._within.claim(uuid)

    async def done(self, uuid: str) -> None:
        await asyncio.sleep(0)
        self._within.done(uuid)

    async def release(self, uuid: str) -> None:
        await asyncio.sleep(0)
        self._within.release(uuid)


MEMORIES = [
    (Receiver, OwnMemory),
    (AsyncReceiver, OwnMemory),
    (AsyncReceiver, OwnAsyncMemory),
]


@pytest.mark.parametrize(("kind", "memory"), MEMORIES)
def test_a_memory_of_the_application_is_asked_in_order(kind: Any, memory: Any) -> None:
    seen = memory()
    receive = Driver(kind(secret_header=None, secret=None, seen=seen, default=Notes(OSError())))
    assert [receive().body for _ in range(3)] == ["failed", "handled", "duplicate"]
    assert [note.partition(" ")[0] for note in seen.notes] == [
        *("claim", "release"),
        *("claim", "done"),
        "claim",
    ]


@pytest.mark.parametrize(("kind", "memory"), MEMORIES)
@pytest.mark.parametrize(
    ("broken", "failure", "status", "calls"),
    [
        # Not known whether it is new: it must come back.
        ("claim", None, 500, 0),
        # It was handled: to repeat it would be worse than to have forgotten it.
        ("done", None, 200, 1),
        ("release", OSError(), 500, 1),
    ],
)
def test_a_memory_that_fails_loses_no_message(
    kind: Any, memory: Any, broken: str, failure: Any, status: int, calls: int
) -> None:
    notes = Notes(failure)
    receive = Driver(kind(secret_header=None, secret=None, seen=memory(broken), default=notes))
    assert receive().status == status
    assert len(notes.calls) == calls


# What is refused


def test_a_stranger_is_answered_401_and_reaches_no_function(make: Make) -> None:
    notes = Notes()
    receive = make(default=notes)
    assert receive.raw({}, COUPON) == Reply(401, "unauthorized")
    assert receive.raw({"X-Secret": "t"}, b"\xff") == Reply(401, "unauthorized")
    assert notes.calls == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", "null"])
def test_a_bad_body_is_answered_400_and_reaches_no_function(make: Make, body: bytes) -> None:
    notes = Notes()
    receive = make(default=notes)
    reply = receive(body)
    assert reply.status == 400
    assert "the body of the webhook is" in reply.body
    assert notes.calls == []
    # It does not count as handled.
    assert receive().body == "handled"


@pytest.mark.parametrize("body", [None, 5], ids=repr)
def test_what_is_no_body_at_all_is_answered_400(make: Make, body: Any) -> None:
    reply = make()(body)
    assert reply.status == 400
    assert reply.body.startswith("a body is bytes, text or a decoded JSON object, not")


def test_no_headers_at_all_are_headers_without_the_secret(make: Make) -> None:
    assert make().raw(None, b"{}") == Reply(401, "unauthorized")
    assert make(secret_header=None, secret=None).raw(None, b"{}") == Reply(200, "ignored")


def test_a_registration_that_would_never_fire_is_not_silent(make: Make) -> None:
    receive = make()
    with pytest.raises(talon_one.ApiTypeError, match="neither a class"):
        receive.on(Notes())  # As a decorator without parentheses does.

    for broken in ({"handlers": {"CouponCreated": 5}}, {"default": "print"}):
        with pytest.raises(talon_one.ApiTypeError, match="is no function"):
            make(**broken)
    with pytest.raises(talon_one.ApiTypeError, match="5 is no function"):
        receive.on("CouponCreated")(5)


def test_a_type_that_looks_misspelled_is_warned_of_and_a_new_one_is_not(make: Make) -> None:
    said = "knows no NotificationType 'CouponCreatd'. Did you mean 'CouponCreated'"
    receive = make()
    with pytest.warns(UnknownNotificationTypeWarning, match=said) as caught:
        receive.on("CouponCreatd")
    assert caught[0].filename == __file__
    with pytest.warns(UnknownNotificationTypeWarning, match=said):
        make(handlers={"CouponCreatd": Notes()})
    receive.on("MoonPhaseChanged")(Notes())


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        (talon_one.Coupon, talon_one.ApiValueError, "no notification is a Coupon"),
        (talon_one.CampaignNotification, talon_one.ApiValueError, "is given as text"),
        (dict, talon_one.ApiTypeError, "neither a class of models nor a NotificationType"),
        (None, talon_one.ApiTypeError, "neither a class"),
    ],
)
def test_a_function_for_what_never_comes_is_refused(
    make: Make, kind: Any, error: type[Exception], said: str
) -> None:
    receive = make()
    with pytest.raises(error, match=said):
        receive.on(kind)(Notes())
    with pytest.raises(error, match=said):
        make(handlers={kind: Notes()})


def test_a_second_function_for_the_same_is_refused(make: Make) -> None:
    receive = make(handlers={"CouponCreated": Notes()})
    receive.on(talon_one.CreateCouponData)(Notes())
    for kind in ("CouponCreated", talon_one.CreateCouponData):
        with pytest.raises(talon_one.ApiValueError, match="has a function already"):
            receive.on(kind)(Notes())


# Functions of both kinds


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


class _Odd:
    def __init__(self) -> None:
        self.called = 0

    async def __call__(self, notification: Any, delivery: Delivery) -> None:
        await asyncio.sleep(0)
        self.called += 1


def test_whatever_returns_something_to_await_is_awaited() -> None:
    odd = _Odd()
    handlers: Iterator[Any] = iter((odd, partial(odd), lambda *given: odd(*given)))
    for handler in handlers:
        receive = AsyncReceiver(secret_header=None, secret=None, default=handler)
        assert asyncio.run(receive(HEADERS, COUPON)).body == "handled"
    assert odd.called == 3


def test_a_coroutine_function_for_a_blocking_receiver_is_refused_at_once() -> None:
    async def handler(notification: Any, delivery: Delivery) -> None: ...

    receive = Receiver(secret_header=None, secret=None)
    with pytest.raises(talon_one.ApiTypeError, match="needs an AsyncReceiver"):
        receive.on("CouponCreated")(handler)
    with pytest.raises(talon_one.ApiTypeError, match="needs an AsyncReceiver"):
        Receiver(secret_header=None, secret=None, default=handler)


def test_what_a_blocking_receiver_cannot_await_does_not_count_as_handled() -> None:
    odd = _Odd()
    receive = Receiver(secret_header=None, secret=None, default=odd)
    assert receive(HEADERS, COUPON) == Reply(500, "failed")
    assert receive(HEADERS, COUPON) == Reply(500, "failed")
    assert odd.called == 0


def test_type_checkers_know_what_a_function_is_called_with() -> None:
    receive = Receiver(secret_header=None, secret=None)

    @receive.on(talon_one.TierUpgradeNotification)
    def upgraded(notification: talon_one.TierUpgradeNotification, delivery: Delivery) -> None:
        seen.append(notification.data[0].current_tier)

    seen: list[str] = []
    body: JsonObject = message("TierUpgradeNotification", "TierUpgrade")
    assert receive({}, body).body == "handled"
    assert seen == [body["Data"][0]["CurrentTier"]]
