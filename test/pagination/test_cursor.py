"""Laws of PageCursor, for lists and pages of any size; no server is involved."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talon_one import ManagementApi, Model
from talon_one._core.operation import Operation, Paging, query
from talon_one.exceptions import ApiValueError
from talon_one.models.coupon import Coupon
from talon_one.pagination import PagesError, Position
from talon_one.pagination.cursor import PageCursor

SKIP = Paging("data", ("id",), skip="skip", more="hasMore", total="totalResultSize")
CURSOR = Paging("data", ("id",), cursor="cursor", next="nextCursor")
TEXTS = Paging("data", (), skip="skip", more="hasMore", total="totalResultSize")

# Load on the machine must not decide whether a law holds.
UNHURRIED = settings(deadline=None)

SIZES = st.integers(1, 7)
IDS = st.lists(st.integers(), unique=True, max_size=30)
ENDINGS = st.sampled_from(["more", "total", "neither", "cursor"])

INDISTINCT = Paging("data", skip="skip", more="hasMore", total="totalResultSize")

Get = Callable[[Position, int], dict[str, Any]]


def new_cursor(paging: Paging, **kwargs: Any) -> PageCursor:
    operation = Operation(
        "listThings",
        "GET",
        "/v1/things",
        query("skip", "skip", "int"),
        query("cursor", "cursor", "str"),
        results={200: "Any"},
        paging=paging,
    )
    return PageCursor(operation, paging, kwargs)


def served(items: list[Any], ending: str, size: int, at: Position) -> dict[str, Any]:
    """Return the page that a server sends if the list does not change."""
    begin = at.skip or int(at.cursor or 0)
    data = items[begin : begin + size]
    end = begin + len(data)
    if ending == "cursor":
        return {"data": data, "nextCursor": str(end) if end < len(items) else None}
    if ending == "total":
        return {"data": data, "totalResultSize": len(items)}
    return {"data": data, **({"hasMore": end < len(items)} if ending == "more" else {})}


def read_pages(
    cursor: PageCursor, get: Callable[[Position], dict[str, Any]], limit: int | None = None
) -> Any:
    """Return the items of all pages, or of the first *limit* pages."""
    found: list[Any] = []
    pages = 0
    while not cursor.finished and pages != limit:
        found += [item for _, item in cursor.accept_page(Model.from_dict(get(cursor.next_page)))]
        pages += 1
        assert pages < 300
    return found


def things(ids: list[int]) -> list[dict[str, Any]]:
    return [{"id": each} for each in ids]


@UNHURRIED
@given(IDS, SIZES, ENDINGS)
def test_all_items_arrive_once_and_in_order(ids: list[int], size: int, ending: str) -> None:
    items = things(ids)
    cursor = new_cursor(CURSOR if ending == "cursor" else SKIP)
    assert read_pages(cursor, lambda at: served(items, ending, size, at)) == items
    assert (cursor.repeated, cursor.missing) == (0, 0)


@UNHURRIED
@given(st.lists(st.text(), unique=True, max_size=30), SIZES)
def test_items_that_are_strings_arrive_once_and_in_order(items: list[str], size: int) -> None:
    assert read_pages(new_cursor(TEXTS), lambda at: served(items, "more", size, at)) == items


@UNHURRIED
@given(st.lists(st.integers(0, 5), max_size=30), st.lists(SIZES, min_size=60, max_size=60))
def test_items_without_an_identity_arrive_as_often_as_they_are_sent(
    numbers: list[int], sizes: list[int]
) -> None:
    # The server chooses the size of each page. Places make the items distinct, so that no page
    # equals the one before it.
    items = [{"name": each, "place": place} for place, each in enumerate(numbers)]
    next_size = iter(sizes)
    assert (
        read_pages(new_cursor(SKIP), lambda at: served(items, "more", next(next_size), at)) == items
    )


@UNHURRIED
@given(
    st.lists(st.sampled_from(["a", "b"]) | st.fixed_dictionaries({"id": st.integers(0, 1)})),
    st.integers(1, 50),
    st.sampled_from(["more", "total", "neither"]),
)
def test_no_item_is_lost_where_items_may_be_equal(items: list[Any], size: int, ending: str) -> None:
    cursor = new_cursor(INDISTINCT)
    assert read_pages(cursor, lambda at: served(items, ending, size, at)) == items
    assert (cursor.repeated, cursor.missing) == (0, 0)


def test_an_item_with_an_incomplete_identity_is_new() -> None:
    cursor = new_cursor(Paging("data", ("id", "kind"), skip="skip", more="hasMore"))
    items = [{"id": 1}, {"id": 1, "kind": None}, {"kind": 1}] * 2
    assert read_pages(cursor, lambda at: served(items, "more", 3, at)) == items


def test_a_page_of_indistinct_items_is_not_requested_forever() -> None:
    cursor = new_cursor(INDISTINCT)
    with pytest.raises(PagesError, match="100 pages in a row"):
        read_pages(cursor, lambda at: {"data": ["a"], "hasMore": True})


def test_a_hundred_pages_in_a_row_without_new_items_are_the_limit() -> None:
    """Two pages alternate, so that none equals the page before it."""
    cursor = new_cursor(SKIP)
    pages = count()

    def get(at: Position) -> dict[str, Any]:
        return {"data": [{"id": next(pages) % 2}], "hasMore": True}

    assert read_pages(cursor, get, limit=101) == [{"id": 0}, {"id": 1}]
    with pytest.raises(PagesError, match="100 pages in a row"):
        cursor.accept_page(Model.from_dict(get(cursor.next_page)))


def test_a_total_below_the_number_of_items_does_not_count_as_missing_items() -> None:
    cursor = new_cursor(SKIP)
    pages = [
        {"data": [{"id": 1}, {"id": 2}], "hasMore": True, "totalResultSize": 1},
        {"data": [], "hasMore": False, "totalResultSize": 1},
    ]
    assert len(read_pages(cursor, lambda at: pages.pop(0))) == 2
    assert cursor.missing == 0


@pytest.mark.parametrize("total", [{}, {"totalResultSize": 0}, {"totalResultSize": 5}], ids=str)
def test_an_empty_page_that_promises_more_is_reported_unless_a_total_explains_it(
    total: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    cursor = new_cursor(SKIP)
    assert read_pages(cursor, lambda at: {"data": [], "hasMore": True, **total}) == []
    assert ("sent a page without items" in caplog.text) == (not total)


def test_a_position_before_the_start_is_refused() -> None:
    with pytest.raises(ApiValueError, match="skip must be a number of items, not -1"):
        new_cursor(SKIP, skip=-1)
    for paging, place in ((SKIP, Position(-3)), (SKIP, Position(3, None, -1))):
        with pytest.raises(ApiValueError, match="before the start"):
            new_cursor(paging).resume(place)
    with pytest.raises(ApiValueError, match="before the start"):
        new_cursor(CURSOR).resume(Position(None, "one", -1))


@UNHURRIED
@given(IDS, SIZES, SIZES, ENDINGS, st.integers(0, 30))
def test_a_resumed_cursor_brings_the_rest(
    ids: list[int], size: int, other: int, ending: str, taken: int
) -> None:
    items = things(ids)
    paging = CURSOR if ending == "cursor" else SKIP
    cursor = new_cursor(paging)
    first: list[Any] = []
    position = cursor.next_page
    while not cursor.finished and len(first) < taken:
        page = cursor.next_page
        for index, item in cursor.accept_page(Model.from_dict(served(items, ending, size, page))):
            if len(first) < taken:
                first.append(item)
                position = cursor.position_after(page, index + 1)
    again = new_cursor(paging)
    again.resume(Position(*json.loads(json.dumps(position))))
    # The server fixes the pages behind a cursor. Pages by offset may have another size now.
    size = size if ending == "cursor" else other
    assert [*first, *read_pages(again, lambda at: served(items, ending, size, at))] == items


@UNHURRIED
@given(IDS, SIZES, st.data())
def test_items_inserted_in_front_neither_hide_nor_duplicate_others(
    ids: list[int], size: int, data: st.DataObject
) -> None:
    items = things(ids)
    new_ids = count(10**9)
    inserted = 0

    def get(at: Position) -> dict[str, Any]:
        nonlocal inserted
        more = data.draw(st.integers(0, 3)) if inserted < 20 else 0
        # Inserting a whole page would look like a server that ignores the offset.
        more = min(more, max(0, size - 1))
        inserted += more
        items[:0] = things([next(new_ids) for _ in range(more)])
        return served(items, "more", size, at)

    cursor = new_cursor(SKIP)
    found = [each["id"] for each in read_pages(cursor, get)]
    assert [each for each in found if each < 10**9 or each in ids] == ids
    assert len(found) == len(set(found))


@UNHURRIED
@given(IDS.filter(bool), SIZES, st.booleans())
def test_a_server_that_ignores_the_offset_gets_few_requests(
    ids: list[int], size: int, by_total: bool
) -> None:
    end = {"totalResultSize": 10**6} if by_total else {"hasMore": True}
    data = things(ids)[:size]
    requests = count(1)
    cursor = new_cursor(SKIP)

    def get(at: Position) -> dict[str, Any]:
        assert next(requests) <= 4
        return {"data": data, **end}

    with pytest.raises(PagesError):
        read_pages(cursor, get)
    assert cursor.next_page.skip == 3 * len(data)


def test_the_memory_for_items_is_bounded() -> None:
    cursor = new_cursor(SKIP)
    ids = count()
    read_pages(cursor, lambda at: {"data": things([next(ids) for _ in range(1000)])}, limit=30)
    assert len(cursor._seen) == 10_000
    cursor.accept_page(Model.from_dict({"data": things([29_999, 20_000, 19_999, 30_000])}))
    assert cursor.repeated == 2


def test_the_argument_for_the_next_page_has_its_python_name() -> None:
    operation = ManagementApi.get_message_logs.operation  # type: ignore[attr-defined]
    cursor = PageCursor(operation, operation.paging, {"cursor": "b25l", "period": "1h"})
    assert cursor.arguments == {"cursor": "b25l"}


def test_a_changed_item_is_still_recognized() -> None:
    cursor = new_cursor(SKIP)
    page = Model.from_dict({"data": things([1, 2]), "hasMore": True})
    for _, item in cursor.accept_page(page):
        item["name"] = "changed"
    assert cursor.accept_page(Model.from_dict({"data": things([2, 3]), "hasMore": False})) == [
        (1, {"id": 3})
    ]
    assert cursor.repeated == 1


def test_an_item_is_recognized_by_its_json_not_by_its_class() -> None:
    cursor = new_cursor(SKIP)
    coupon = Coupon.from_dict({"id": 3, "value": "A"})
    cursor.accept_page(Model.from_dict({"data": [coupon], "hasMore": True}))
    cursor.accept_page(Model.from_dict({"data": [{"id": 3}], "hasMore": False}))
    assert cursor.repeated == 1
