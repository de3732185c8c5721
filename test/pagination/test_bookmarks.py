"""Bookmarks: every item is handed out once, whenever it appears and wherever reading stops."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import talon_one.aio.pagination
from docs.pages import GUIDES, Page
from pagination.growing_list import START, Entry, GrowingList, written
from pagination.read_list import ReadList
from support.server import RecordingServer, Response
from talon_one import ApiTypeError, ApiValueError, ManagementApi, pagination
from talon_one.pagination import Bookmark, NewItems, PagesError, new_items

LAW = settings(deadline=None, max_examples=120, database=None)
LOOK_BACK = 10

# Moments are often equal; delays reach to the limit of the look-back, but not beyond.
entries = st.lists(st.tuples(st.integers(0, 60), st.floats(0, LOOK_BACK - 0.001)), max_size=25).map(
    lambda pairs: [
        Entry(number, created, created + delay) for number, (created, delay) in enumerate(pairs)
    ]
)
orders = st.sampled_from(["created", "-created", None])
sizes = st.integers(1, 7)
ticks = st.sampled_from([0.0, 0.7, 4.0])
BEGIN = Bookmark(look_back=timedelta(seconds=LOOK_BACK))
END = 60 + LOOK_BACK


def reading(server: GrowingList, bookmark: Bookmark | None, sort: str | None) -> NewItems[Any]:
    api = server.api()
    events = api.iterate(api.get_application_events_without_total_count, 3, sort=sort)
    return new_items(events.configure(limiter=False), bookmark)


def ids(items: Any) -> list[int]:
    """IDs of the items until the end, or until pages of a list that changes too fast repeat."""
    got: list[int] = []
    with suppress(PagesError):
        got.extend(each.id for each in items)
    return got


@given(entries, orders, sizes, ticks, st.lists(st.integers(1, 30), min_size=1, max_size=5))
@LAW
def test_every_item_that_appears_within_the_look_back_is_handed_out_once(
    listed: list[Entry], sort: str | None, size: int, tick: float, pauses: list[int]
) -> None:
    server = GrowingList(listed, size, tick)
    bookmark, got = BEGIN, Counter[int]()
    for pause in [*pauses, END]:
        new = reading(server, bookmark, sort)
        got.update(ids(new))
        bookmark = Bookmark.from_json(new.bookmark.to_json())
        server.now += pause
    got.update(ids(reading(server, bookmark, sort)))
    assert got == Counter(each.id for each in listed)


@given(
    entries,
    orders,
    sizes,
    ticks,
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8),
)
@LAW
def test_a_reading_that_crashes_anywhere_repeats_only_what_came_after_its_last_bookmark(
    listed: list[Entry], sort: str | None, size: int, tick: float, stops: list[tuple[int, int]]
) -> None:
    server = GrowingList(listed, size, tick)
    saved, done = BEGIN, set[int]()
    unsaved = set[int]()
    for count, count_unsaved in stops:
        new = reading(server, saved, sort)
        first = {*ids(islice(new, count))}
        saved = new.bookmark
        later = {*ids(islice(new, count_unsaved))}  # Then it crashes.
        assert first & done <= unsaved
        assert later & done <= unsaved
        done |= first | later
        unsaved = (unsaved - first) | later
        server.now += count
    server.now += END
    rest = ids(reading(server, saved, sort))
    assert len(rest) == len({*rest})
    assert {*rest} & done <= unsaved
    assert {*rest} | done == {each.id for each in listed}


@given(entries, orders, sizes, st.lists(st.integers(0, 5), max_size=8))
@LAW
def test_a_reading_that_is_saved_where_it_stops_repeats_nothing(
    listed: list[Entry], sort: str | None, size: int, stops: list[int]
) -> None:
    server = GrowingList(listed, size, 0.7)
    bookmark, got = BEGIN, []
    for count in stops:
        new = reading(server, bookmark, sort)
        got += ids(islice(new, count))
        bookmark = pickle.loads(pickle.dumps(new.bookmark))
        server.now += 9
    server.now += END
    got += ids(reading(server, bookmark, sort))
    assert sorted(got) == [each.id for each in listed]


def test_the_oldest_first_the_bookmark_moves_while_a_list_is_read_and_stays_small() -> None:
    listed = [Entry(number, number, 0) for number in range(5000)]
    for sort, largest in (("created", 1010), ("-created", 5000), (None, 5000)):
        server = GrowingList(listed, 1000, 0)
        new = reading(server, BEGIN, sort)
        sizes_of_memory = [len(new.bookmark.seen) for _ in islice(new, 0, None, 250)]
        assert max(sizes_of_memory) <= largest
        assert (max(sizes_of_memory) > 1010) is (sort != "created")
        middle = reading(server, new.bookmark, sort)
        assert len(new.bookmark.seen) == LOOK_BACK + 1
        assert ids(middle) == []
        assert server.requests == 6


def test_the_time_that_a_reading_takes_widens_the_look_back() -> None:
    late = Entry(2, 95, 104.5)
    others = [Entry(0, 1, 1), Entry(1, 100, 100), Entry(3, 101, 100), Entry(4, 150, 150)]
    server = GrowingList([*others, late], 1, 4.0)
    server.now = 100.2
    first = reading(server, BEGIN, "created")
    assert ids(islice(first, 2)) == [0, 1]
    server.now = 150.0  # The consumer was slow; the late item has appeared behind the page.
    assert ids(first) == [3, 4]
    assert ids(reading(server, first.bookmark, "created")) == [2]


def test_a_list_in_another_order_than_asked_for_loses_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listed = [Entry(0, 50, 0), Entry(1, 55, 0), Entry(2, 1, 0), Entry(3, 60, 0), Entry(4, 2, 0)]
    for count in (3, 4, 5):
        caplog.clear()
        server = GrowingList(listed, 9, sorts=False)
        new = reading(server, BEGIN, "created")
        got = ids(islice(new, count))
        assert "is not in the order of 'created'" in caplog.text
        rest = ids(reading(server, new.bookmark, "created"))
        assert sorted({*got, *rest}) == [0, 1, 2, 3, 4]


def page(*items: tuple[int, float], **more: Any) -> dict[str, Any]:
    data = [{"id": number, "created": written(seconds)} for number, seconds in items]
    return {"data": data, **more}


def test_a_list_that_shrinks_is_read_again_from_the_same_place(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(
        page((1, 0), (2, 100), totalResultSize=5),
        page((4, 1000), (5, 1001), totalResultSize=4),
        page((1, 0), (2, 100), (3, 999), (4, 1000), (5, 1001), totalResultSize=5),
    )

    def again(bookmark: Bookmark | None) -> Any:
        def make(apis: Any) -> Any:
            listed = apis.management.iterate(
                apis.management.get_changes, sort="created", page_size=2
            )
            module = (
                pagination if isinstance(listed, pagination.Items) else talon_one.aio.pagination
            )
            return module.new_items(listed, bookmark)

        return make

    first = read_list(again(None))
    assert first.ids == [1, 2, 4, 5]
    second = read_list(again(first.iterator.bookmark))
    assert second.ids == [3]
    assert second.iterator.bookmark.moment is not None
    assert second.iterator.bookmark.moment > START + timedelta(seconds=990)


def test_both_clients_ask_for_what_is_new_and_keep_the_place_of_a_failure(
    server: RecordingServer, read_list: ReadList
) -> None:
    made: list[Any] = []

    def make(apis: Any) -> Any:
        listed = apis.management.iterate(
            apis.management.get_application_sessions, 3, created_after=START, page_size=2
        )
        module = pagination if isinstance(listed, pagination.Items) else talon_one.aio.pagination
        made.append(module.new_items(listed, made[-1].bookmark if made else None))
        return made[-1]

    server.script(page((1, 400), (2, 1000), hasMore=True), Response(503))
    broken = read_list(make, retries=False)
    assert (broken.ids, type(broken.failure)) == ([1, 2], talon_one.ServiceException)
    assert made[-1].bookmark.moment is None
    server.script(page((1, 400), (2, 1000), (3, 900), hasMore=False))
    assert read_list(make).ids == [3]
    server.script(page((3, 900), (4, 1200), hasMore=False))
    assert read_list(make).ids == [4]
    asked = [dict(request.pairs).get("createdAfter") for request in server.requests]
    moment = made[-2].bookmark.moment
    assert moment is not None
    assert asked[-1] is not None
    begin = moment - timedelta(minutes=5, seconds=1)
    assert datetime.fromisoformat(asked[-1].replace("Z", "+00:00")) == begin
    assert asked[0] == written(0)


def test_items_without_an_id_are_told_apart_by_their_content(server: RecordingServer) -> None:
    def amounts_of(*amounts: int) -> dict[str, Any]:
        data = [{"amount": each, "created": written(0), "transactionUUID": "u"} for each in amounts]
        return {"hasMore": False, "data": data}

    with ManagementApi(host=server.url, api_key="k") as api:

        def again(bookmark: Bookmark | None, **options: Any) -> NewItems[Any]:
            listed = api.iterate(api.get_loyalty_program_transactions, 5).configure(limiter=False)
            return new_items(listed, bookmark, **options)

        found = ((7, 7, 8), (8, 7, 7, 7), (7,), (7, 8))
        server.script(*(amounts_of(*each) for each in found))
        first = again(None)
        assert [each.amount for each in first] == [7, 7, 8]
        assert [each.amount for each in again(first.bookmark)] == [7]
        assert "startDate" in dict(server.last.pairs)
        by_key = again(None, key=lambda each: each.transaction_uuid)
        assert [each.amount for each in by_key] == [7]
        assert [each.amount for each in again(by_key.bookmark, key=lambda each: "u")] == []


def test_the_guide_lists_all_methods_that_can_be_read_with_a_bookmark() -> None:
    (table,) = Page(GUIDES / "incremental.md").tables
    listed = {method.strip("`"): argument.strip("`") for method, argument in table[1:]}
    api = ManagementApi(host="https://a.test", api_key="k")
    found, messages = {}, set()
    bookmark = Bookmark(moment=START)
    for name in filter(str.islower, vars(ManagementApi)):
        operation = getattr(getattr(ManagementApi, name), "operation", None)
        if operation is None or operation.paging is None or operation.deprecated:
            continue
        if name.endswith(("_with_http_info", "_without_preload_content")):
            continue
        items = api.iterate(getattr(api, name))
        try:
            new_items(items, bookmark)
        except ApiTypeError as refusal:
            messages.add(str(refusal).partition(" ")[2].partition(":")[0])
        else:
            (argument,) = items._kwargs
            assert items._kwargs[argument] < START
            found[name] = argument
    assert messages == {"cannot be read with a bookmark"}
    assert found == listed


def test_a_bookmark_is_stored_as_json_and_pickled() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    odd = {"7": moment, "ä\ud800": None, "": moment}
    for bookmark in (Bookmark(), Bookmark(timedelta(0), moment, odd, "getX(a=1) by created")):
        assert Bookmark.from_json(bookmark.to_json()) == bookmark
        assert Bookmark.from_json(bookmark.to_json().encode()) == bookmark
        assert pickle.loads(pickle.dumps(bookmark)) == bookmark
        assert isinstance(hash(bookmark), int)
    assert repr(bookmark) == (
        "<Bookmark of getX(a=1) by created at 2026-03-01T10:00:00.123456Z, 3 items seen>"
    )


def test_what_is_no_bookmark_is_refused() -> None:
    good = json.loads(Bookmark(moment=START, seen={"1": START}).to_json())
    broken: list[Any] = [None, 7, {}, [], "", "{", "null", "7", "[]", "{}", b"\xff", "[" * 99999]
    values_by_name: dict[str, tuple[Any, ...]] = {
        "version": (0, "1", None),
        "lookBack": (-1, "5", None, 1e999, float("nan"), True),
        "moment": ("2026", "2026-03-01T00:00:00", 7, {}),
        "seen": ({"1": 7}, {"1": "x"}, [], None, "x"),
        "source": (7, None, []),
    }
    for name, values in values_by_name.items():
        broken += [json.dumps({**good, name: value}) for value in values]
        broken.append(json.dumps({key: each for key, each in good.items() if key != name}))
    kept = []
    for text in broken:
        try:
            Bookmark.from_json(text)
            kept.append(text)
        except (ApiTypeError, ApiValueError):
            pass
    assert kept == []
    wrong: tuple[dict[str, Any], ...] = (
        {"look_back": 5},
        {"look_back": timedelta(seconds=-1)},
        {"look_back": timedelta.max},
        {"moment": "now"},
        {"moment": datetime(2026, 1, 1)},
        {"seen": [1]},
        {"seen": {"a": 1}},
        {"source": 7},
        {"lookback": timedelta(1)},
    )
    for arguments in wrong:
        with pytest.raises((ApiTypeError, ApiValueError)):
            Bookmark(**arguments)


def test_a_bookmark_of_another_list_is_refused_and_paging_is_no_difference() -> None:
    api = ManagementApi(host="https://a.test", api_key="k")

    def bookmark_of(*args: Any, **kwargs: Any) -> Bookmark:
        return new_items(api.iterate(api.get_application_sessions, *args, **kwargs)).bookmark

    first = bookmark_of(3, state="closed", page_size=5, sort="created")
    assert first.source == "getApplicationSessions(applicationId=3, state=closed) by created"
    same = api.iterate(api.get_application_sessions, application_id=3, state="closed", page_size=9)
    assert new_items(same, first).bookmark.source == first.source
    later = api.iterate(api.get_application_sessions, 3, state="closed", created_before=START)
    new_items(later, first)
    others: tuple[Any, ...] = (
        api.iterate(api.get_application_sessions, 4, state="closed"),
        api.iterate(api.get_application_sessions, 3),
        api.iterate(api.get_application_events_without_total_count, 3),
    )
    for listed in others:
        with pytest.raises(ApiValueError, match="the bookmark belongs to getApplicationSessions"):
            new_items(listed, first)


def test_what_is_no_fresh_iteration_is_refused(server: RecordingServer) -> None:
    with ManagementApi(host=server.url, api_key="k") as api:

        def sessions(**kwargs: Any) -> Any:
            return api.iterate(api.get_application_sessions, 3, **kwargs)

        begun = sessions().configure(limiter=False)
        list(begun)
        awaited = talon_one.aio.ManagementApi(host=server.url, api_key="k")
        wrong: list[Any] = [
            (None, None),
            ([], None),
            (begun, None),
            (sessions(skip=5), None),
            (sessions().configure(resume_from=(5, None, 0)), None),
            (api.pages(api.get_application_sessions, 3), None),
            (awaited.iterate(awaited.get_application_sessions, 3), None),
            (sessions(), "bookmark"),
            (sessions(), START),
            (api.iterate(api.get_applications), None),
            (
                api.iterate(api.get_customer_activity_reports_without_total_count, START, START, 3),
                None,
            ),
        ]
        for listed, bookmark in wrong:
            with pytest.raises(ApiTypeError):
                new_items(listed, bookmark)
        with pytest.raises(ApiTypeError, match="key is a function"):
            new_items(sessions(), key="id")  # type: ignore[arg-type]
        with pytest.raises(ApiTypeError, match=r"what iterate of talon_one\.aio returns"):
            talon_one.aio.pagination.new_items(sessions())


def test_a_key_that_fails_keeps_the_bookmark_before_the_item() -> None:
    server = GrowingList([Entry(number, number, 0) for number in range(3)], 9, 0)
    api = server.api()
    for key, error in ((lambda each: 1 / each.id, ApiValueError), (lambda each: [], ApiTypeError)):
        events = api.iterate(api.get_application_events_without_total_count, 3, sort="created")
        new = new_items(events.configure(limiter=False), BEGIN, key=key)  # type: ignore[arg-type]
        with pytest.raises(error):
            next(new)
        assert new.bookmark.moment is None


def test_items_without_a_moment_are_handed_out_and_reported(
    server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    odd: list[Any] = [
        {"id": 1},
        {"id": 2, "created": 7},
        {"id": 3, "created": "soon"},
        "junk",
        None,
    ]
    zero = {"id": 4, "created": "0001-01-01T00:00:00Z"}
    server.script({"totalResultSize": 6, "data": [*odd, zero]})
    with ManagementApi(host=server.url, api_key="k") as api:
        listed = api.iterate(api.get_application_sessions, 3).configure(limiter=False)
        new = new_items(listed)
        assert len(list(new)) == 6
    assert new.bookmark.moment is not None
    assert "has no moment in 'created'" in caplog.text


def test_an_item_from_the_future_does_not_move_the_bookmark_there(
    server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    future = {"id": 2, "created": "9999-12-31T23:59:59Z"}
    with ManagementApi(host=server.url, api_key="k") as api:
        for sort in ("created", None):
            server.script(
                {"totalResultSize": 2, "data": [{"id": 1, "created": written(0)}, future]},
                {"totalResultSize": 2, "data": [{"id": 3, "created": written(9)}, future]},
            )
            listed = api.iterate(api.get_changes, sort=sort).configure(limiter=False)
            first = new_items(listed)
            assert ids(first) == [1, 2]
            again = api.iterate(api.get_changes, sort=sort).configure(limiter=False)
            assert ids(new_items(again, first.bookmark)) == [3]
    assert "ahead of the clock of this machine" in caplog.text
