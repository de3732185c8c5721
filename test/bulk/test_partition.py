"""Parts of bulk jobs: attempts that die and are made again, and what they refuse."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import talon_one.aio.bulk
from bulk.attempts import MemoryFolder
from bulk.parts import (
    ARGUMENTS,
    OK,
    Crash,
    MortalFolder,
    Platform,
    api_of,
    in_folder,
    rows_of,
    send,
    settled_rows,
)
from bulk.runs import Breakdown, then_break
from talon_one import ApiTypeError, ApiValueError, OpenApiException, RawResponse, bulk
from talon_one._core.address import PLACEHOLDER_HOST
from talon_one.bulk.part_state import AttemptSuperseded
from talon_one.exceptions import ConfigurationError
from talon_one.limiter import Limiter

COUNT = 9
# A row without an ID: it fails, and is written to the failures.
INVALID = 4

FUNCTIONS = ("upsert_profiles", "change_audiences", "create_coupons")
SAFE, UNSAFE = FUNCTIONS[0], FUNCTIONS[1:]


def rows(function: str, count: int = COUNT) -> list[Any]:
    found = rows_of(function, range(count))
    if function != "create_coupons":
        found[INVALID] = {}
    return found


@pytest.fixture
def platform() -> Platform:
    return Platform()


# -- Attempts that die -----------------------------------------------------------------------------

death = st.tuples(st.integers(0, 40), st.sampled_from([0.0, 0.5, 1.0]))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(FUNCTIONS), st.lists(death, max_size=4))
@example("change_audiences", [(9, 1.0), (16, 0.5)])
def test_a_part_that_dies_anywhere_is_finished_by_another_attempt(
    function: str, deaths: list[tuple[int, float]]
) -> None:
    platform, files = Platform(), dict[str, bytes]()
    for attempt, (dies_at, written) in enumerate([*deaths, (None, 0.0)]):
        before, settled = len(platform.sent), settled_rows(files)
        folder = MortalFolder(files, dies_at, written)
        with in_folder(folder):
            try:
                summary = send(
                    platform, function, rows(function), state="s", failures="f", attempt=attempt
                )
            except Crash:
                continue
        assert summary.complete
        # Nothing that was settled is sent again.
        assert not settled & set(platform.sent[before:])
    invalid = set() if function == "create_coupons" else {INVALID}
    assert set(platform.sent) >= set(range(COUNT)) - invalid or summary.unknown
    assert summary.failed == len(invalid)
    if function == SAFE:
        assert summary.sent == COUNT - 1
    else:
        assert max(Counter(platform.sent).values()) == 1
        # In doubt are the rows of the requests in flight when a process died.
        assert summary.unknown <= 4 * len(deaths)
        assert summary.sent + summary.unknown == COUNT - len(invalid)
    # The lines of failures come before their rows are settled, so none is lost.
    with in_folder(MortalFolder(files, None, 0)):
        (part,) = bulk.parts_in("s")
    assert (part.sent, part.failed, part.unknown) == summary[:3]
    lines = [
        json.loads(line)
        for name in part.failures
        for line in files[name.removeprefix("memory://job/")].splitlines(keepends=True)
        if line.endswith(b"\n")
    ]
    reasons = Counter(line["outcome"] for line in lines)
    assert (reasons["failed"], reasons["unknown"]) >= (summary.failed, summary.unknown)
    assert {line["index"] for line in lines if line["outcome"] == "failed"} == invalid
    assert sum(summary.reasons.values()) == summary.failed + summary.unknown


def test_a_part_goes_on_after_an_exception_in_its_rows(platform: Platform, tmp_path: Path) -> None:
    state = tmp_path / "state"
    for function in FUNCTIONS:
        platform.rows.clear()
        with pytest.raises(bulk.BulkStopped) as caught:
            send(
                platform,
                function,
                then_break(rows_of(function, range(9)), 5),
                state=state / function,
            )
        assert isinstance(caught.value.__cause__, Breakdown)
        summary = send(
            platform, function, rows_of(function, range(9)), state=state / function, attempt=1
        )
        assert sorted(platform.sent) == list(range(9))
        assert summary[:3] == (9, 0, 0)
        assert summary.skipped == (5 if function == "create_coupons" else 4)


def test_the_whole_job_again_makes_no_request(platform: Platform, tmp_path: Path) -> None:
    for function in FUNCTIONS:
        state = tmp_path / function
        first = [
            send(platform, function, rows(function), part=part, state=state) for part in (0, 1)
        ]
        platform.rows.clear()
        again = [
            send(platform, function, rows(function), part=part, state=state) for part in (0, 1)
        ]
        assert platform.rows == []
        assert [each[:3] for each in again] == [each[:3] for each in first]
        assert [each.reasons for each in again] == [each.reasons for each in first]
        assert all(each.complete for each in again)
        assert [part.complete for part in bulk.parts_in(state)] == [True, True]


def test_more_rows_than_before_are_sent_and_fewer_are_refused(
    platform: Platform, tmp_path: Path
) -> None:
    for function in FUNCTIONS:
        state = tmp_path / function
        platform.rows.clear()
        send(platform, function, rows_of(function, range(4)), state=state)
        # This one dies after two more rows, and must not make the next one go back to four.
        with pytest.raises(bulk.BulkStopped):
            send(platform, function, then_break(rows_of(function, range(9)), 7), state=state)
        assert not next(bulk.parts_in(state)).complete
        summary = send(platform, function, rows_of(function, range(9)), state=state)
        assert sorted(platform.sent) == list(range(9))
        assert summary[:3] == (9, 0, 0)
        with pytest.raises(
            bulk.BulkStopped, match="there are 3 rows, and the token knows 9; nothing"
        ):
            send(platform, function, rows_of(function, range(3)), state=state)
        # The state is as good as before.
        assert next(bulk.parts_in(state)).complete
        assert len(platform.sent) == 9


def test_other_rows_and_another_order_are_refused_before_anything_is_sent(
    platform: Platform, tmp_path: Path
) -> None:
    for function in FUNCTIONS:
        state = tmp_path / function
        send(platform, function, rows_of(function, range(4)), state=state)
        platform.rows.clear()
        for others in ([3, 2, 1, 0], [0, 1, 2, 9], [5, 6, 7, 8, 9]):
            with pytest.raises(bulk.BulkStopped, match="a part: with another state") as caught:
                send(platform, function, rows_of(function, others), state=state)
            assert isinstance(caught.value.__cause__, ApiValueError)
        assert platform.rows == []


def test_a_state_belongs_to_one_operation_with_its_arguments_and_one_host(
    platform: Platform, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    coupons = rows_of("create_coupons", range(4))
    send(platform, "create_coupons", coupons, state=state)
    files = sorted(state.rglob("*"))
    api = api_of(platform, "create_coupons")
    other = api_of(platform, "create_coupons")
    other.api_client.configuration.host = "https://user:sesame@b.test"
    with pytest.raises(ApiValueError, match=r"belongs to the operation 'createCoupons\(3, 12\)'"):
        bulk.partition(
            "create_coupons", api, coupons, state=state, application_id=3, campaign_id=13
        )
    with pytest.raises(ApiValueError, match="belongs to the operation 'createCoupons"):
        send(platform, "upsert_profiles", rows_of("upsert_profiles", range(4)), state=state)
    with pytest.raises(ApiValueError, match=r"host 'https://a\.test', not to 'https://\*\*\*@b\.t"):
        bulk.partition("create_coupons", other, coupons, state=state, **ARGUMENTS["create_coupons"])
    # Nothing was written that a right attempt would find.
    assert sorted(state.rglob("*")) == files
    platform.rows.clear()
    assert send(platform, "create_coupons", coupons, state=state).sent == 4
    assert platform.rows == []


def test_a_state_that_is_damaged_sends_no_row_again(platform: Platform, tmp_path: Path) -> None:
    for function in FUNCTIONS:
        state = tmp_path / function
        rows = rows_of(function, range(4))
        send(platform, function, rows, state=state)
        platform.rows.clear()
        for file in state.glob("part-*/*"):
            file.write_bytes(file.read_bytes()[:-9])
        with pytest.raises(ApiValueError, match=r"two files of attempt-0000.* none of them can"):
            send(platform, function, rows, state=state)
        assert platform.rows == []


def test_a_wrong_host_leaves_no_state(platform: Platform, tmp_path: Path) -> None:
    state = tmp_path / "state"
    rows = rows_of("upsert_profiles", range(4))
    for host in (PLACEHOLDER_HOST, "https://user:sesame@b.test", "b.test", ""):
        wrong = api_of(platform, "upsert_profiles")
        wrong.api_client.configuration.host = host
        with pytest.raises(ConfigurationError, match="host"):
            bulk.partition("upsert_profiles", wrong, rows, state=state)
    assert not state.exists()
    assert send(platform, "upsert_profiles", rows, state=state).sent == 4


def test_a_part_that_stops_counts_its_own_rows_and_those_of_earlier_attempts(
    platform: Platform, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    send(platform, "upsert_profiles", rows_of("upsert_profiles", range(4)), state=state)
    with pytest.raises(bulk.BulkStopped, match=r" \(0 rows sent, 4 by earlier runs\)$") as caught:
        send(platform, "upsert_profiles", rows_of("upsert_profiles", [9]), state=state)
    assert caught.value.summary.sent == 4


def test_another_number_of_parts_is_refused(platform: Platform, tmp_path: Path) -> None:
    options: dict[str, Any] = {"state": tmp_path / "state"}
    rows = rows_of("create_coupons", range(4))
    send(platform, "create_coupons", rows, part=0, **options)
    send(platform, "create_coupons", rows, part=1, parts=3, **options)
    platform.rows.clear()
    for wrong in ({"parts": 2}, {"parts": 4}, {"part": 3}):
        with pytest.raises(ApiValueError, match="belongs to a job of 3 parts"):
            send(platform, "create_coupons", rows, **{**options, **wrong})
    with pytest.raises(ApiValueError, match="there is no part 3 of 3"):
        send(platform, "create_coupons", rows, part=3, parts=3, **options)
    assert platform.rows == []


def test_an_attempt_is_superseded_by_a_later_one_if_rows_must_not_be_sent_twice(
    platform: Platform, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    for function in FUNCTIONS:
        platform.rows.clear()
        later: list[bulk.Summary] = []

        def meanwhile(function: str = function, later: list[bulk.Summary] = later) -> Iterator[Any]:
            yield from rows_of(function, range(5))
            found = send(platform, function, rows_of(function, range(9)), state=state / function)
            later.append(found)
            yield from rows_of(function, range(5, 9))

        options: dict[str, Any] = {"concurrency": 1, "state": state / function}
        if function == SAFE:
            assert send(platform, function, meanwhile(), **options).sent == 9
            assert later[0].sent == 9
            continue
        with pytest.raises(bulk.BulkStopped, match="another attempt at part 0 has begun") as caught:
            send(platform, function, meanwhile(), **options)
        assert isinstance(caught.value.__cause__, AttemptSuperseded)
        assert sorted(platform.sent) == list(range(9))
        assert sum(later[0][:3]) == 9
        (part,) = bulk.parts_in(state / function)
        assert (part.complete, part.sent, part.unknown) == (True, *later[0][:3:2])


def test_attempts_without_a_state_begin_with_the_first_row_where_that_does_no_harm(
    platform: Platform,
) -> None:
    for attempt in (0, 1):
        assert send(platform, SAFE, rows_of(SAFE, range(3)), attempt=attempt).sent == 3
    for function in UNSAFE:
        assert send(platform, function, rows_of(function, range(3))).sent == 3
        with pytest.raises(ApiValueError, match="attempt 1 of part 5 needs the state"):
            send(platform, function, rows_of(function, range(3)), part=5, attempt=1)


# -- Failures --------------------------------------------------------------------------------------


def test_each_attempt_writes_its_failures_to_a_file_of_its_own(
    platform: Platform, tmp_path: Path
) -> None:
    state, failures = tmp_path / "state", tmp_path / "failures"
    with pytest.raises(bulk.BulkStopped):
        send(platform, SAFE, then_break(rows(SAFE), 7), part=3, state=state, failures=failures)
    platform.respond = lambda numbers: RawResponse(400, None, {}, b"{}")
    summary = send(platform, SAFE, rows(SAFE), part=3, attempt=2, state=state, failures=failures)
    (part,) = bulk.parts_in(state)
    names = [Path(name).name for name in part.failures]
    assert [name.split(".")[:2] for name in names] == [
        ["part-00003", "attempt-0000"],
        ["part-00003", "attempt-0002"],
    ]
    assert sorted(names) == sorted(each.name for each in failures.iterdir())
    found = [failure for name in part.failures for failure in bulk.failures_in(name)]
    assert {failure.part for failure in found} == {3}
    assert Counter(failure.outcome for failure in found)["failed"] == summary.failed == part.failed
    assert summary.reasons == part.reasons
    assert sum(part.reasons.values()) == len(found)


def test_a_part_without_failures_leaves_no_file(platform: Platform, tmp_path: Path) -> None:
    send(platform, SAFE, rows_of(SAFE, range(3)), state=tmp_path / "s", failures=tmp_path / "f")
    assert not (tmp_path / "f").exists()
    assert next(bulk.parts_in(tmp_path / "s")).failures == []


def test_failures_may_go_to_a_function_and_progress_is_reported(platform: Platform) -> None:
    found: list[bulk.Failure] = []
    reports: list[bulk.Progress] = []
    summary = send(
        platform, SAFE, rows(SAFE), part=2, failures=found.append, progress=reports.append
    )
    assert [(failure.index, failure.part) for failure in found] == [(INVALID, 2)]
    assert reports[-1].finished
    assert reports[-1].token == summary.token


@pytest.mark.parametrize("failing", ["state", "failures"])
def test_a_disk_that_is_full_stops_the_part_and_loses_no_row(
    platform: Platform, failing: str
) -> None:
    class FullFolder(MortalFolder):
        full = False

        def write(self, name: str, content: bytes, *, durable: bool = False) -> None:
            if self.full and name.endswith("jsonl") == (failing == "failures"):
                raise OSError(28, "No space left on device")
            super().write(name, content)

    for function in FUNCTIONS[:2]:
        platform.rows.clear()
        files: dict[str, bytes] = {}
        folder = FullFolder(files, None, 0)

        def fill(numbers: list[int], folder: FullFolder = folder) -> RawResponse:
            folder.full = True
            return OK

        platform.respond = fill
        with in_folder(folder), pytest.raises(bulk.BulkStopped, match="No space left") as caught:
            send(platform, function, rows(function), state="s", failures="f", concurrency=1)
        assert not caught.value.summary.complete
        platform.respond = lambda numbers: OK
        with in_folder(MortalFolder(files, None, 0)):
            summary = send(platform, function, rows(function), state="s", failures="f")
        assert (summary.complete, summary.failed) == (True, 1)
        assert set(platform.sent) == set(range(COUNT)) - {INVALID}
        if function != SAFE:
            assert len(platform.sent) == COUNT - 1


# -- Limits ----------------------------------------------------------------------------------------


def test_a_part_sends_rows_again_that_came_too_early_with_or_without_a_limiter(
    platform: Platform, tmp_path: Path
) -> None:
    for number, limiter in enumerate((True, False, Limiter(1000))):
        platform.rows.clear()
        early = iter([RawResponse(429, None, {"Retry-After": "7"}, b"{}")])
        platform.respond = lambda numbers, early=early: next(early, OK)  # type: ignore[misc]
        pauses: list[float] = []
        function = UNSAFE[0]
        summary = send(
            platform,
            function,
            rows_of(function, range(4)),
            pauses,
            state=tmp_path / str(number),
            limiter=limiter,
            concurrency=1,
        )
        assert summary[:3] == (4, 0, 0)
        assert platform.rows == [[0, 1], [0, 1], [2, 3]]
        assert 6 < sum(pauses) < 15


# -- What is refused -------------------------------------------------------------------------------


def test_wrong_arguments_are_explained_and_leave_no_trace(
    platform: Platform, tmp_path: Path
) -> None:
    async def coroutine(report: Any) -> None:
        raise AssertionError("not called")

    class Hostile:
        __name__ = ["no name"]  # noqa: RUF012  that is the point

        def __eq__(self, other: object) -> bool:
            raise RuntimeError

        __hash__ = None  # type: ignore[assignment]  # that is the point

    state = tmp_path / "state"
    api = api_of(platform, SAFE)
    management = api_of(platform, "create_coupons")
    right: dict[str, Any] = {"operation": SAFE, "api": api, "rows": [], "state": state}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"operation": print}, "operation is one of upsert_profiles, .* not <built-in function"),
        ({"operation": "upsert_profile"}, "not 'upsert_profile'. Did you mean 'upsert_profiles'"),
        ({"operation": None}, "operation is one of .*, not None"),
        ({"operation": Hostile()}, "operation is one of"),
        ({"operation": talon_one.aio.bulk.upsert_profiles}, "operation is one of"),
        ({"api": management}, "ManagementApi has no method"),
        ({"rows": "abc"}, "rows is a list or a generator of rows, not str"),
        ({"rows": None}, "rows is a list or a generator of rows, not NoneType"),
        ({"chunksize": 3}, "have no option 'chunksize'. Did you mean 'chunk_size'"),
        ({"chunk_size": 0}, "chunk_size is a whole number above 0"),
        ({"resume": "x"}, "a part resumes from its state: leave out resume"),
        ({"limiter": 3}, "limiter is a Limiter, True or False, not 3"),
        ({"limiter": None}, "limiter is a Limiter, True or False, not None"),
        ({"progress": 3}, "progress is a function, not 3"),
        ({"progress": coroutine}, "progress must be a plain function"),
        ({"failures": coroutine}, "failures must be a plain function"),
        ({"failures": 3}, "a folder is a path or a URL, not 3"),
        ({"state": b"state"}, "a folder is a path or a URL, not b'state'"),
        ({"state": ""}, "a folder is a path or a URL, not ''"),
        ({"state": True}, "a folder is a path or a URL, not True"),
        ({"catalog_id": 3}, "have no option 'catalog_id'"),
        ({"_retries": "many"}, "_retries is a number of retries"),
        *(({"part": each}, "part is a whole number from 0") for each in (-1, True, 1.0, "1", None)),
        *(({"parts": each}, "parts is a whole number") for each in (-1, True, "2", 10**5000)),
        *(({"attempt": each}, "attempt is a whole number from 0") for each in (-1, 10**5000)),
        ({"operation": "create_coupons", "api": management}, "needs application_id, campaign_id"),
        ({"state": "a\0b"}, "no folder can be named"),
        ({"state": "a\ud800"}, "no folder can be named"),
    ]
    for wrong, message in cases:
        kind: type[Exception] = ApiValueError if "can be named" in message else ApiTypeError
        with pytest.raises(kind, match=message):
            bulk.partition(**{**right, **wrong})
    assert not state.exists()
    assert platform.rows == []


def test_a_function_and_its_name_mean_the_same(platform: Platform) -> None:
    for operation in (bulk.upsert_profiles, "upsert_profiles"):
        api = api_of(platform, SAFE)
        assert bulk.partition(operation, api, rows_of(SAFE, range(2))).sent == 2


# -- Summaries -------------------------------------------------------------------------------------


def test_summaries_of_parts_can_be_added_and_pickled(platform: Platform) -> None:
    parts = [send(platform, SAFE, rows(SAFE), part=part) for part in range(3)]
    total = sum(pickle.loads(pickle.dumps(parts)))
    assert isinstance(total, bulk.Summary)
    assert total[:3] == (24, 3, 0)
    assert total == parts[0] + parts[1] + parts[2]
    assert (total.requests, total.complete, total.token) == (12, True, "")
    assert total.reasons == {"$.integrationId is required": 3}
    assert not (total + parts[0]._replace(complete=False)).complete
    many = parts[0]._replace(reasons={str(number): 1 for number in range(15)})
    more = parts[0]._replace(reasons={str(number): 1 for number in range(10, 40)})
    assert len((many + more).reasons) == 21
    assert sum((many + more).reasons.values()) == 45
    for other in (1, None, "x", 0.0):
        with pytest.raises(TypeError):
            many + other


some_reasons = st.dictionaries(st.integers(0, 60).map("reason {}".format), st.integers(1, 9))


@settings(deadline=None, max_examples=50)
@given(st.lists(some_reasons, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_summaries_have_one_sum_in_whatever_order_they_are_added(
    parts: list[dict[str, int]], random: Random
) -> None:
    # A run lists 20 reasons, and counts the others together.
    reasons = [
        dict([*each.items()][:20], **({"other reasons": 3} if len(each) > 20 else {}))
        for each in parts
    ]
    summaries = [bulk.Summary(1, 2, 0, 0, 1, True, each, "t") for each in reasons]
    total = sum(summaries)
    while len(summaries) > 1:
        random.shuffle(summaries)
        summaries.append(summaries.pop() + summaries.pop())
    assert isinstance(total, bulk.Summary)
    assert summaries[0][:7] == total[:7]
    assert str(summaries[0]) == str(total)
    assert sum(total.reasons.values()) == sum(sum(each.values()) for each in reasons)
    assert len(total.reasons) <= 21


def test_a_part_that_stops_can_be_pickled_with_its_summary(platform: Platform) -> None:
    with pytest.raises(bulk.BulkStopped) as caught:
        send(platform, SAFE, then_break(rows(SAFE), 7), part=1)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert copy.summary == caught.value.summary
    assert copy.summary.failed == sum(copy.summary.reasons.values())
    superseded = pickle.loads(pickle.dumps(AttemptSuperseded("another")))
    assert isinstance(superseded, OpenApiException)


def test_ctrl_c_carries_the_summary_of_the_part(platform: Platform, tmp_path: Path) -> None:
    def interrupted() -> Iterator[Any]:
        yield from rows(SAFE)[:7]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        send(platform, SAFE, interrupted(), state=tmp_path)
    assert caught.value.summary.reasons == {  # type: ignore[attr-defined]  # put there by us
        "$.integrationId is required": 1
    }
    assert send(platform, SAFE, rows(SAFE), state=tmp_path).sent == 8


def test_ctrl_c_while_the_end_is_written_carries_the_summary_too(platform: Platform) -> None:
    class Interrupted(MemoryFolder):
        def write(self, name: str, content: bytes, *, durable: bool = False) -> None:
            if b'"complete": true' in content:
                raise KeyboardInterrupt
            super().write(name, content)

    with in_folder(Interrupted()), pytest.raises(KeyboardInterrupt) as caught:
        send(platform, SAFE, rows(SAFE), state="s")
    assert caught.value.summary[:3] == (8, 1, 0)  # type: ignore[attr-defined]  # put there by us


def test_a_client_says_why_it_cannot_be_pickled(platform: Platform) -> None:
    api = api_of(platform, SAFE)
    for found in (api, api.api_client):
        with pytest.raises(ApiTypeError, match="Make a client in the process that uses it"):
            pickle.dumps(found)
