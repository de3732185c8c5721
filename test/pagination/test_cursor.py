"""Laws of the walk through pages, for all lists and all sizes of pages; no server is involved."""

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

# Whoever else uses the machine must not decide whether a law holds.
UNHURRIED = settings(deadline=None)

SIZES = st.integers(1, 7)
IDS = st.lists(st.integers(), unique=True, max_size=30)
ENDINGS = st.sampled_from(["more", "total", "neither", "cursor"])

ALIKE = Paging("data", skip="skip", more="hasMore", total="totalResultSize")

Get = Callable[[Position, int], dict[str, Any]]


def new_walk(paging: Paging, **kwargs: Any) -> PageCursor:
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
    """Return the page that a server sends which keeps the list in order."""
    begin = at.skip or int(at.cursor or 0)
    data = items[begin : begin + size]
    end = begin + len(data)
    if ending == "cursor":
        return {"data": data, "nextCursor": str(end) if end < len(items) else None}
    if ending == "total":
        return {"data": data, "totalResultSize": len(items)}
    return {"data": data, **({"hasMore": end < len(items)} if ending == "more" else {})}


def walked(
    walk: PageCursor, get: Callable[[Position], dict[str, Any]], limit: int | None = None
) -> Any:
    """Return the items that a walk brings, to its end or to a number of pages."""
    found: list[Any] = []
    pages = 0
    while not walk.over and pages != limit:
        found += [item for _, item in walk.take(Model.from_dict(get(walk.at)))]
        pages += 1
        assert pages < 300
    return found


def things(ids: list[int]) -> list[dict[str, Any]]:
    return [{"id": each} for each in ids]


@UNHURRIED
@given(IDS, SIZES, ENDINGS)
def test_all_items_come_once_and_in_order(ids: list[int], size: int, ending: str) -> None:
    items = things(ids)
    walk = new_walk(CURSOR if ending == "cursor" else SKIP)
    assert walked(walk, lambda at: served(items, ending, size, at)) == items
    assert (walk.repeated, walk.missing) == (0, 0)


@UNHURRIED
@given(st.lists(st.text(), unique=True, max_size=30), SIZES)
def test_items_that_are_texts_come_once_and_in_order(items: list[str], size: int) -> None:
    assert walked(new_walk(TEXTS), lambda at: served(items, "more", size, at)) == items


@UNHURRIED
@given(st.lists(st.integers(0, 5), max_size=30), st.lists(SIZES, min_size=60, max_size=60))
def test_items_without_identity_come_as_often_as_they_are_sent(
    numbers: list[int], sizes: list[int]
) -> None:
    # The size of the pages is up to the server. Each item is next to another one, so that no page
    # is like the one before it.
    items = [{"name": each, "place": place} for place, each in enumerate(numbers)]
    turn = iter(sizes)
    assert walked(new_walk(SKIP), lambda at: served(items, "more", next(turn), at)) == items


@UNHURRIED
@given(
    st.lists(st.sampled_from(["a", "b"]) | st.fixed_dictionaries({"id": st.integers(0, 1)})),
    st.integers(1, 50),
    st.sampled_from(["more", "total", "neither"]),
)
def test_of_items_that_may_be_alike_none_is_lost(items: list[Any], size: int, ending: str) -> None:
    walk = new_walk(ALIKE)
    assert walked(walk, lambda at: served(items, ending, size, at)) == items
    assert (walk.repeated, walk.missing) == (0, 0)


def test_an_item_with_a_part_of_its_identity_missing_is_new() -> None:
    walk = new_walk(Paging("data", ("id", "kind"), skip="skip", more="hasMore"))
    items = [{"id": 1}, {"id": 1, "kind": None}, {"kind": 1}] * 2
    assert walked(walk, lambda at: served(items, "more", 3, at)) == items


def test_a_page_of_items_that_may_be_alike_is_not_sent_for_ever() -> None:
    walk = new_walk(ALIKE)
    with pytest.raises(PagesError, match="100 pages in a row"):
        walked(walk, lambda at: {"data": ["a"], "hasMore": True})


def test_a_hundred_pages_in_a_row_that_bring_nothing_new_are_the_limit() -> None:
    """They take turns, so that none is the very page before it."""
    walk = new_walk(SKIP)
    pages = count()

    def get(at: Position) -> dict[str, Any]:
        return {"data": [{"id": next(pages) % 2}], "hasMore": True}

    assert walked(walk, get, limit=101) == [{"id": 0}, {"id": 1}]
    with pytest.raises(PagesError, match="100 pages in a row"):
        walk.take(Model.from_dict(get(walk.at)))


def test_a_total_that_is_less_than_what_came_says_of_nothing_missing() -> None:
    walk = new_walk(SKIP)
    pages = [
        {"data": [{"id": 1}, {"id": 2}], "hasMore": True, "totalResultSize": 1},
        {"data": [], "hasMore": False, "totalResultSize": 1},
    ]
    assert len(walked(walk, lambda at: pages.pop(0))) == 2
    assert walk.missing == 0


@pytest.mark.parametrize("total", [{}, {"totalResultSize": 0}, {"totalResultSize": 5}], ids=str)
def test_a_page_without_items_that_says_there_is_more_is_reported_if_no_total_explains_it(
    total: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    walk = new_walk(SKIP)
    assert walked(walk, lambda at: {"data": [], "hasMore": True, **total}) == []
    assert ("sent a page without items" in caplog.text) == (not total)


def test_no_walk_begins_before_the_start() -> None:
    with pytest.raises(ApiValueError, match="skip is a number of items, not -1"):
        new_walk(SKIP, skip=-1)
    for paging, place in ((SKIP, Position(-3)), (SKIP, Position(3, None, -1))):
        with pytest.raises(ApiValueError, match="before the start"):
            new_walk(paging).resume(place)
    with pytest.raises(ApiValueError, match="before the start"):
        new_walk(CURSOR).resume(Position(None, "one", -1))


@UNHURRIED
@given(IDS, SIZES, SIZES, ENDINGS, st.integers(0, 30))
def test_a_walk_that_is_resumed_anywhere_brings_the_rest(
    ids: list[int], size: int, other: int, ending: str, taken: int
) -> None:
    items = things(ids)
    paging = CURSOR if ending == "cursor" else SKIP
    walk = new_walk(paging)
    first: list[Any] = []
    position = walk.at
    while not walk.over and len(first) < taken:
        page = walk.at
        for index, item in walk.take(Model.from_dict(served(items, ending, size, page))):
            if len(first) < taken:
                first.append(item)
                position = walk.behind(page, index + 1)
    again = new_walk(paging)
    again.resume(Position(*json.loads(json.dumps(position))))
    # The pages of a cursor are what they are; those of an offset may have another size now.
    size = size if ending == "cursor" else other
    assert [*first, *walked(again, lambda at: served(items, ending, size, at))] == items


@UNHURRIED
@given(IDS, SIZES, st.data())
def test_items_that_are_inserted_in_front_cost_no_other_item_and_repeat_none(
    ids: list[int], size: int, data: st.DataObject
) -> None:
    items = things(ids)
    fresh = count(10**9)
    inserted = 0

    def get(at: Position) -> dict[str, Any]:
        nonlocal inserted
        more = data.draw(st.integers(0, 3)) if inserted < 20 else 0
        # A page that is inserted as a whole looks like a server that does not move.
        more = min(more, max(0, size - 1))
        inserted += more
        items[:0] = things([next(fresh) for _ in range(more)])
        return served(items, "more", size, at)

    walk = new_walk(SKIP)
    found = [each["id"] for each in walked(walk, get)]
    assert [each for each in found if each < 10**9 or each in ids] == ids
    assert len(found) == len(set(found))


@UNHURRIED
@given(IDS.filter(bool), SIZES, st.booleans())
def test_a_server_that_does_not_move_is_left_after_few_pages(
    ids: list[int], size: int, by_total: bool
) -> None:
    end = {"totalResultSize": 10**6} if by_total else {"hasMore": True}
    data = things(ids)[:size]
    asked = count(1)
    walk = new_walk(SKIP)

    def get(at: Position) -> dict[str, Any]:
        assert next(asked) <= 4
        return {"data": data, **end}

    with pytest.raises(PagesError):
        walked(walk, get)
    assert walk.at.skip == 3 * len(data)


def test_what_is_remembered_is_bounded() -> None:
    walk = new_walk(SKIP)
    ids = count()
    walked(walk, lambda at: {"data": things([next(ids) for _ in range(1000)])}, limit=30)
    assert len(walk._seen) == 10_000
    walk.take(Model.from_dict({"data": things([29_999, 20_000, 19_999, 30_000])}))
    assert walk.repeated == 2


def test_the_keyword_that_leads_on_is_the_python_name_of_the_parameter() -> None:
    operation = ManagementApi.get_message_logs.operation  # type: ignore[attr-defined]
    walk = PageCursor(operation, operation.paging, {"cursor": "b25l", "period": "1h"})
    assert walk.arguments == {"cursor": "b25l"}


def test_what_the_user_does_to_an_item_does_not_make_it_another_one() -> None:
    walk = new_walk(SKIP)
    page = Model.from_dict({"data": things([1, 2]), "hasMore": True})
    for _, item in walk.take(page):
        item["name"] = "changed"
    assert walk.take(Model.from_dict({"data": things([2, 3]), "hasMore": False})) == [
        (1, {"id": 3})
    ]
    assert walk.repeated == 1


def test_an_item_is_known_by_what_was_sent_not_by_its_class() -> None:
    walk = new_walk(SKIP)
    coupon = Coupon.from_dict({"id": 3, "value": "A"})
    walk.take(Model.from_dict({"data": [coupon], "hasMore": True}))
    walk.take(Model.from_dict({"data": [{"id": 3}], "hasMore": False}))
    assert walk.repeated == 1
