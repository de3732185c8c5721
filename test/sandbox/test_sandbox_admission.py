"""Three requests in flight for one session or profile; the fourth is a 409, and others go on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from sandbox.raw import Wire, put
from support.every import for_every
from talon_one.sandbox import Sandbox
from talon_one.sandbox.admission import Admission, Entity, entities
from talon_one.sandbox.errors import ApiError

# Seconds that keep requests in flight until all have arrived, also on a busy machine.
SLOW = 0.4
SESSION, PROFILE = Entity("session", "a"), Entity("profile", "p")


def together(sandbox: Sandbox, requests: list[bytes]) -> list[tuple[int, Any]]:
    """Send requests on as many connections before reading any response."""
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(sandbox)) for _ in requests]
        for wire, request in zip(wires, requests, strict=True):
            wire.send(request)
        return [wire.response() for wire in wires]


def refusal(kind: str) -> Any:
    message = f"Too many requests are updating this {kind} at the same time"
    return 409, {"message": message, "errors": None, "StatusCode": 409}


def test_the_fourth_request_in_flight_for_a_session_is_a_409() -> None:
    with Sandbox(latency=SLOW) as sandbox:
        responses = together(sandbox, [put("a")] * 4)
    assert sorted(status for status, _ in responses) == [200, 200, 200, 409]
    assert refusal("session") in responses


def test_the_fourth_request_in_flight_for_a_profile_is_a_409() -> None:
    body = b'{"customerSession":{"profileId":"p"}}'
    with Sandbox(latency=SLOW) as sandbox:
        responses = together(sandbox, [put(f"s{number}", body) for number in range(4)])
    assert sorted(status for status, _ in responses) == [200, 200, 200, 409]
    assert refusal("profile") in responses


def test_a_session_counts_for_the_profile_that_it_is_stored_with() -> None:
    body = b'{"customerSession":{"profileId":"p"}}'
    with Sandbox(latency=SLOW) as sandbox:
        for session in ("a", "b"):
            assert together(sandbox, [put(session, body)])[0][0] == 200
        responses = together(sandbox, [put("a"), put("b"), put("a"), put("b")])
    assert refusal("profile") in responses


def test_of_200_updates_of_a_session_none_is_lost_and_most_are_refused() -> None:
    wanted = b'{"customerSession":{},"responseContent":["customerSession"]}'
    with Sandbox() as sandbox:
        responses = together(sandbox, [put("a", wanted)] * 200)
        statuses = Counter(status for status, _ in responses)
        [(_, last)] = together(sandbox, [put("a", wanted)])
    assert set(statuses) == {200, 409}
    assert statuses[409] >= 100
    assert last["customerSession"]["updateCount"] == statuses[200] + 1
    assert {str(body) for status, body in responses if status == 409} == {
        str(refusal("session")[1])
    }


def test_others_do_not_wait_for_a_session_that_is_busy() -> None:
    with Sandbox(latency=SLOW) as sandbox, ExitStack() as stack:
        busy = [stack.enter_context(Wire(sandbox)).send(put("a")) for _ in range(3)]
        others = together(sandbox, [put(f"b{number}") for number in range(20)])
        assert {status for status, _ in others} == {200}
        # Each of the three takes its time after the one before, so the last is still in flight.
        assert not busy[2].has_received()
        assert [wire.response()[0] for wire in busy] == [200, 200, 200]


def test_a_wrong_key_takes_no_place() -> None:
    wrong = put("a").replace(b"sandbox-integration-key", b"something-else-is-wrong")
    with Sandbox(latency=SLOW) as sandbox:
        responses = together(sandbox, [wrong] * 9 + [put("a")] * 3)
    assert [status for status, _ in responses] == [401] * 9 + [200] * 3


def test_a_client_that_hangs_up_leaves_its_place_in_the_end() -> None:
    with Sandbox(latency=0.05) as sandbox:
        for _ in range(3):
            with Wire(sandbox) as wire:
                wire.send(put("a"))
        status = 409
        while status == 409:
            [(status, _)] = together(sandbox, [put("a")])
        assert status == 200


def test_three_senders_are_never_refused(api: Any) -> None:
    with ThreadPoolExecutor(3) as pool:
        replies = list(pool.map(lambda n: api.session(attributes={f"a{n}": n}), range(60)))
    assert {reply.status for reply in replies} == {200}


def test_200_parallel_closers_of_a_coupon_with_one_use_are_one_acceptance(
    sandbox: Sandbox, api: Any
) -> None:
    code = api.new_coupon(usageLimit=1)["value"]
    body = f'{{"customerSession":{{"couponCodes":["{code}"],"state":"closed"}}}}'.encode()
    responses = together(sandbox, [put(f"s{number}", body) for number in range(200)])
    effects = Counter(effect["effectType"] for _, body in responses for effect in body["effects"])
    assert {status for status, _ in responses} == {200}
    assert (effects["acceptCoupon"], effects["rejectCoupon"]) == (1, 199)
    assert api.coupon(code)["usageCounter"] == 1


@pytest.mark.parametrize("latency", [-1.0, float("inf"), float("nan")])
def test_an_impossible_latency_is_refused_immediately(latency: float) -> None:
    with pytest.raises(ValueError, match="must be a number of seconds"):
        Sandbox(latency=latency)


async def _order_of_turns(wanted: list[tuple[Entity, ...]]) -> list[int]:
    """Let as many requests queue, and return the order in which they run."""
    admission, order = Admission(), []

    async def run(number: int) -> None:
        async with admission.turn(wanted[number]):
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*map(run, range(len(wanted))))
    assert vars(admission) == {"_queues": {}}
    return order


def test_requests_run_in_the_order_of_their_arrival() -> None:
    both = (SESSION, PROFILE)
    assert asyncio.run(_order_of_turns([(SESSION,), both, (PROFILE,)])) == [0, 1, 2]
    # The second waits for the profile, and the third has nothing to wait for.
    other = (Entity("session", "b"),)
    assert asyncio.run(_order_of_turns([(PROFILE,), both, other])) == [0, 2, 1]


def test_a_request_that_is_cancelled_while_it_waits_gives_its_place_back() -> None:
    async def main() -> None:
        admission = Admission()
        async with admission.turn((SESSION, PROFILE)):

            async def wait() -> None:
                async with admission.turn((PROFILE,)):
                    pass

            waiting = [asyncio.ensure_future(wait()) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(ApiError, match="this profile"):
                await wait()
            waiting[0].cancel()
            await asyncio.sleep(0)
            waiting.append(asyncio.ensure_future(wait()))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting, return_exceptions=True)
        assert [task.cancelled() for task in waiting] == [True, False, False]

    asyncio.run(main())


STORED: dict[str, str] = {"s": "stored"}


@for_every(
    "operation, path_id, body, expected",
    [
        (
            "updateCustomerSessionV2",
            "s",
            {"customerSession": {"profileId": "p"}},
            "session profile",
        ),
        ("updateCustomerSessionV2", "s", {"customerSession": {}}, "session stored"),
        ("updateCustomerSessionV2", "new", {"customerSession": {}}, "session"),
        ("updateCustomerSessionV2", "s", {"customerSession": {"profileId": ""}}, "session"),
        ("updateCustomerSession", "s", {"profileId": "p"}, "session profile"),
        ("returnCartItems", "s", {"return": {}}, "session stored"),
        ("reopenCustomerSession", "s", None, "session stored"),
        ("updateCustomerProfileV2", "p", {}, "profile"),
        ("updateCustomerProfile", "p", {}, "profile"),
        ("trackEvent", "", {"sessionId": "s"}, "session stored"),
        ("trackEvent", "", {"sessionId": "s", "profileId": "p"}, "session profile"),
        ("trackEventV2", "", {"profileId": "p"}, "profile"),
        ("trackEventV3", "", {"profileId": "p", "connectedSessionId": "s"}, "session profile"),
        ("trackEventV3", "", {"profileId": "p"}, "profile"),
        ("updateCustomerProfilesV2", "", {"customerProfiles": []}, ""),
        ("getCustomerSession", "s", None, ""),
    ],
)
def test_an_operation_queues_for_its_session_and_its_profile(
    operation: str, path_id: str, body: Any, expected: str
) -> None:
    profile_of: Callable[[str], str | None] = STORED.get
    names = {"session": path_id or "s", "profile": "p", "stored": "stored"}
    found = entities(operation, path_id, body, profile_of, scope=7)
    wanted = [
        Entity("session", names[name], 7) if name == "session" else Entity("profile", names[name])
        for name in expected.split()
    ]
    assert found == tuple(wanted)
