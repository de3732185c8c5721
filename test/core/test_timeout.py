"""Timeout: what a setting stands for, and what is left of it as time goes by."""

from __future__ import annotations

from typing import Any

import pytest
import urllib3

from support.every import for_every
from talon_one import ApiTypeError, Configuration, Timeout
from talon_one._core.timeout import as_timeout
from talon_one.api.management_operations import export_effects

KNOWN = Timeout(connect=1, read=2, deadline=3)


def test_every_wait_has_a_timeout_by_default() -> None:
    assert Timeout() == (5, 30, None)
    assert Configuration().timeout_for() == Timeout()
    assert Configuration(timeout=None).timeout_for() == (None, None, None)


@for_every(
    "setting, timeout",
    [
        (None, (1, 2, 3)),
        (7, (7, 7, 3)),
        (0.5, (0.5, 0.5, 3)),
        ((7, 8), (7, 8, 3)),
        ([7, None], (7, None, 3)),
        ((None, None), (None, None, 3)),
        (Timeout(7, 8), (7, 8, 3)),
        (Timeout(7, 8, 9), (7, 8, 9)),
        (Timeout(None, None), (None, None, 3)),
        (urllib3.Timeout(connect=7, read=8), (7, 8, 3)),
        (urllib3.Timeout(connect=7), (7, 2, 3)),
        (urllib3.Timeout(read=None), (1, None, 3)),
        (urllib3.Timeout(total=9), (1, 2, 9)),
        (urllib3.Timeout(total=9, read=8), (1, 8, 9)),
        (urllib3.Timeout(), (1, 2, 3)),
    ],
)
def test_a_setting_stands_for_a_timeout(setting: Any, timeout: Any) -> None:
    assert as_timeout(setting, KNOWN) == timeout


@for_every(
    "nonsense",
    [
        *(
            0,
            -1,
            True,
            "5",
            float("nan"),
            float("inf"),
            1e9,
            (1, 2, 3),
            (1,),
            (1, "2"),
            {},
            object(),
        ),
        *(
            Timeout(0, 1),
            Timeout(1, 1, -1),
            Timeout(1, 1, float("inf")),
            urllib3.Timeout(total=1e9),
        ),
    ],
)
def test_an_invalid_time_is_refused(nonsense: Any) -> None:
    with pytest.raises(ApiTypeError, match="a timeout is a number of seconds"):
        as_timeout(nonsense, KNOWN)


def test_the_longest_time_is_what_sockets_can_wait() -> None:
    longest = (2**31 - 1) / 1000
    assert as_timeout(longest, KNOWN) == (longest, longest, 3)
    assert as_timeout(Timeout(deadline=longest), KNOWN).deadline == longest
    for longer in (longest + 0.001, Timeout(read=longest + 0.001), (1, longest + 0.001)):
        with pytest.raises(ApiTypeError, match="above 0 and up to 2147484,"):
            as_timeout(longer, KNOWN)


@pytest.mark.parametrize(
    ("timeout", "remaining", "left"),
    [
        (KNOWN, None, KNOWN),
        (KNOWN, 10, (1, 2, 10)),
        (KNOWN, 1.5, (1, 1.5, 1.5)),
        (KNOWN, 0.1, (0.1, 0.1, 0.1)),
        (Timeout(None, None), 4, (4, 4, 4)),
        (Timeout(None, None), None, (None, None, None)),
    ],
)
def test_an_attempt_may_not_take_longer_than_what_is_left_of_the_call(
    timeout: Timeout, remaining: float | None, left: Any
) -> None:
    assert timeout.within(remaining) == left


@for_every(
    "of_client, of_operation, of_call, timeout",
    [
        ({}, None, {}, (5, 30, None)),
        ({}, 600, {}, (5, 600, None)),
        ({"timeout": 7}, 600, {}, (7, 7, None)),
        ({"timeout": None}, 600, {}, (None, None, None)),
        ({"timeout": (7, 8)}, None, {"asked": 9}, (9, 9, None)),
        ({"timeout": Timeout(7, 8, 9)}, None, {}, (7, 8, 9)),
        ({"timeout": Timeout(7, 8, 9), "deadline": 10}, None, {}, (7, 8, 10)),
        ({"deadline": 10}, None, {}, (5, 30, 10)),
        ({"deadline": 10}, None, {"deadline": 4}, (5, 30, 4)),
        ({"deadline": 10}, None, {"asked": Timeout(1, 1)}, (1, 1, 10)),
        ({"deadline": 10}, None, {"asked": Timeout(1, 1, 2)}, (1, 1, 2)),
        ({"timeout": None}, None, {"deadline": 4}, (None, None, 4)),
    ],
)
def test_the_call_comes_before_the_client_and_that_before_the_operation(
    of_client: dict[str, Any], of_operation: float | None, of_call: dict[str, Any], timeout: Any
) -> None:
    assert Configuration(**of_client).timeout_for(of_operation, **of_call) == timeout


def test_an_export_may_take_its_time() -> None:
    assert export_effects.read_timeout is not None
    found = Configuration().timeout_for(export_effects.read_timeout)
    assert (found.connect, found.read) == (5, export_effects.read_timeout)
    assert export_effects.read_timeout >= 300


@pytest.mark.parametrize(("name", "value"), [("timeout", "soon"), ("deadline", 0)])
def test_nonsense_in_the_configuration_is_refused_when_it_is_used(name: str, value: Any) -> None:
    with pytest.raises(ApiTypeError, match="is a number of seconds"):
        Configuration(**{name: value}).timeout_for()
