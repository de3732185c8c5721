"""Where the rules of a cursor begin and end: empty pages, totals, positions, messages."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from pagination.test_cursor import CURSOR, INDISTINCT, SKIP, TEXTS, new_cursor, things
from support.every import for_every
from talon_one import ApiTypeError, ApiValueError, Model
from talon_one._core.operation import Paging
from talon_one.pagination import PagesError, Position, resume_position
from talon_one.pagination.cursor import PageCursor

WHOLE = Paging("data", ("id",), more="hasMore", total="totalResultSize")


def accept(cursor: PageCursor, data: Any, **further: Any) -> list[Any]:
    """Accept a page, and return the indexes of its new items."""
    page = Model.from_dict({"data": data, **further})
    return [index for index, _ in cursor.accept_page(page)]


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    caplog.clear()
    return found


# -- The start, and positions ------------------------------------------------------------------


def test_the_start_is_taken_out_of_the_arguments() -> None:
    given: dict[str, Any] = {"skip": 3, "page_size": 5}
    operation = new_cursor(SKIP)._operation
    cursor = PageCursor(operation, SKIP, given)
    assert (given, cursor.next_page, cursor.arguments) == (
        {"page_size": 5},
        Position(3),
        {"skip": 3},
    )
    for start in ("7", 7.0, None, 0, ""):
        cursor = new_cursor(SKIP, skip=start)
        assert cursor.next_page == Position(int(start or 0))
        assert cursor.arguments == ({"skip": 7} if start else {})
    assert new_cursor(CURSOR, cursor="x").arguments == {"cursor": "x"}
    assert new_cursor(CURSOR).arguments == {}
    assert new_cursor(WHOLE).arguments == {}
    with pytest.raises(ApiTypeError, match=r"skip must be a number of items, not \[1\]"):
        new_cursor(SKIP, skip=[1])


def test_a_cursor_begins_with_nothing() -> None:
    cursor = new_cursor(SKIP)
    assert (cursor.finished, cursor.latest_items) == (False, [])
    assert (cursor.repeated, cursor.missing) == (0, 0)


@pytest.mark.parametrize(
    ("paging", "position", "next_page"),
    [
        (SKIP, Position(3), Position(3)),
        (SKIP, Position(3, None, 2), Position(5)),
        (SKIP, Position(0), Position(0)),
        (CURSOR, Position(None, "x", 2), Position(None, "x", 2)),
        (CURSOR, Position(), Position()),
        (WHOLE, Position(None, None, 2), Position(None, None, 2)),
    ],
)
def test_a_position_that_fits_is_resumed(
    paging: Paging, position: Position, next_page: Position
) -> None:
    cursor = new_cursor(paging)
    cursor.resume(position)
    assert cursor.next_page == next_page


@pytest.mark.parametrize(
    ("paging", "position"),
    [
        (SKIP, (None, None, 0)),
        (SKIP, (3, "x", 0)),
        (SKIP, ("3", None, 0)),
        (SKIP, (3, None, "0")),
        (CURSOR, (3, None, 0)),
        (CURSOR, (None, 5, 0)),
        (CURSOR, (None, "x", None)),
        (WHOLE, (3, None, 0)),
        (WHOLE, (None, "x", 0)),
    ],
)
def test_a_position_of_another_list_is_refused(paging: Paging, position: Any) -> None:
    with pytest.raises(ApiTypeError, match="is not a position in the list of listThings"):
        new_cursor(paging).resume(Position(*position))


def test_a_position_may_not_be_before_the_start_of_a_page_with_a_cursor() -> None:
    with pytest.raises(ApiValueError, match="before the start"):
        new_cursor(CURSOR).resume(Position(None, "x", -1))


def test_items_that_were_handed_out_earlier_are_neither_new_nor_repeated() -> None:
    cursor = new_cursor(CURSOR)
    cursor.resume(Position(None, None, 2))
    assert accept(cursor, things([1, 2, 3, 4]), nextCursor="b") == [2, 3]
    assert cursor.position_after(Position(None, "a"), 3) == Position(None, "a", 3)
    assert cursor.next_page == Position(None, "b")
    assert accept(cursor, things([4, 5]), nextCursor=None) == [1]
    assert (cursor.repeated, cursor.finished) == (1, True)


# -- The end -----------------------------------------------------------------------------------


@for_every(
    "further, finished",
    [
        ({"hasMore": True}, False),
        ({"hasMore": False}, True),
        ({"totalResultSize": 3}, False),
        ({"totalResultSize": 2}, True),
        ({"totalResultSize": 1}, True),
        ({"totalResultSize": 0}, False),
        ({"totalResultSize": True}, False),
        ({"hasMore": 0}, False),
        ({"hasMore": True, "totalResultSize": 2}, False),
        ({"hasMore": False, "totalResultSize": 3}, True),
        ({}, False),
    ],
)
def test_the_server_says_whether_a_page_is_the_last(
    further: dict[str, Any], finished: bool
) -> None:
    cursor = new_cursor(SKIP)
    assert accept(cursor, things([1, 2]), **further) == [0, 1]
    assert (cursor.finished, cursor.next_page) == (finished, Position(2))


@pytest.mark.parametrize("paging", [SKIP, WHOLE])
def test_a_page_without_items_is_the_last(paging: Paging) -> None:
    cursor = new_cursor(paging)
    assert accept(cursor, [], hasMore=True) == []
    assert cursor.finished
    for nothing in (None, Model.from_dict({}), Model.from_dict({"data": None})):
        cursor = new_cursor(paging)
        assert cursor.accept_page(nothing) == []
        assert cursor.finished


def test_a_cursor_is_followed_until_there_is_none() -> None:
    for last in (None, ""):
        cursor = new_cursor(CURSOR)
        accept(cursor, [], nextCursor="a")
        assert (cursor.finished, cursor.next_page) == (False, Position(None, "a"))
        accept(cursor, things([1]), nextCursor=last)
        assert (cursor.finished, cursor.next_page) == (True, Position(None, "a", 1))
    cursor = new_cursor(CURSOR)
    accept(cursor, things([1]), nextCursor=7)
    assert cursor.next_page == Position(None, "7")
    # The same cursor again ends the list only if the page brought nothing.
    accept(cursor, things([2]), nextCursor="7")
    assert not cursor.finished
    accept(cursor, [], nextCursor="7")
    assert cursor.finished
    assert new_cursor(CURSOR).accept_page(None) == []


def test_what_a_list_without_pages_leaves_out_is_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for further, is_reported in (
        ({"hasMore": True}, True),
        ({"hasMore": False}, False),
        ({"totalResultSize": 3}, True),
        ({"totalResultSize": 2}, False),
        ({"totalResultSize": 0}, False),
        ({}, False),
    ):
        cursor = new_cursor(WHOLE)
        assert accept(cursor, things([1, 2]), **further) == [0, 1]
        assert cursor.finished
        assert any("no parameter can request it" in each for each in logged(caplog)) == is_reported


# -- Totals ------------------------------------------------------------------------------------


def test_a_total_that_falls_is_counted_and_one_that_rises_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cursor = new_cursor(SKIP)
    accept(cursor, things([1, 2]), totalResultSize=9)
    accept(cursor, things([3, 4]), totalResultSize=10)
    assert (cursor.missing, logged(caplog)) == (0, [])
    accept(cursor, things([5, 6]), totalResultSize=7)
    assert cursor.missing == 3
    assert "listThings: the list shrank by 3; as many items may" in logged(caplog)[0]
    # Another three are missing at the end: one by the total, and two that never came.
    accept(cursor, [], totalResultSize=8)
    assert (cursor.missing, cursor.finished) == (5, True)
    assert "the list shrank by 2" in logged(caplog)[0]


def test_a_page_without_a_total_changes_nothing() -> None:
    cursor = new_cursor(SKIP)
    accept(cursor, things([1, 2]), totalResultSize=5)
    accept(cursor, things([3, 4]), hasMore=True)
    assert cursor.missing == 0
    accept(cursor, things([5]), totalResultSize=4)
    assert cursor.missing == 1


def test_an_empty_first_page_misses_nothing() -> None:
    cursor = new_cursor(SKIP)
    accept(cursor, [], totalResultSize=5)
    assert (cursor.missing, cursor.finished) == (0, True)


# -- Items that come again ---------------------------------------------------------------------


def test_a_page_that_comes_again_is_the_whole_list_unless_there_is_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cursor = new_cursor(SKIP)
    accept(cursor, things([1, 2]))
    assert accept(cursor, things([1, 2])) == []
    assert (cursor.finished, cursor.repeated, cursor.next_page) == (True, 0, Position(2))
    assert "sent the same page twice" in logged(caplog)[0]
    cursor = new_cursor(SKIP)
    accept(cursor, things([1, 2]), hasMore=True)
    assert accept(cursor, things([1, 2]), hasMore=True) == []
    assert (cursor.finished, cursor.repeated, cursor.next_page) == (False, 2, Position(4))
    # Items without an identity may be equal, so the page is read.
    cursor = new_cursor(INDISTINCT)
    accept(cursor, ["a"])
    assert accept(cursor, ["a"]) == [0]
    assert not cursor.finished


def test_three_identical_pages_in_a_row_are_too_many_and_others_begin_anew() -> None:
    cursor = new_cursor(SKIP)
    for page in ([1], [1], [1], [2], [2], [2]):
        accept(cursor, things(page), hasMore=True)
    with pytest.raises(PagesError, match="listThings: 3 pages in a row brought nothing new"):
        accept(cursor, things([2]), hasMore=True)


def test_items_sent_again_are_reported_once_and_by_their_numbers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cursor = new_cursor(SKIP)
    accept(cursor, things(list(range(20))), hasMore=True)
    assert accept(cursor, things([*range(11), 30]), hasMore=True) == [11]
    (text,) = logged(caplog)
    assert "items sent again: 11 (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), because" in text
    assert cursor.repeated == 11
    assert accept(cursor, things([0, 11, 31]), hasMore=True) == [2]
    (text,) = logged(caplog)
    assert "items sent again: 1 (11), because" in text
    assert cursor.repeated == 13
    accept(cursor, things([0, 11, 32]), hasMore=True)
    assert (cursor.repeated, logged(caplog)) == (15, [])


def test_texts_that_come_again_are_counted_and_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cursor = new_cursor(TEXTS)
    accept(cursor, ["Anna", 5, 1.5, None, ["x"]], hasMore=True)
    assert accept(cursor, ["Anna", 5, 1.5, None, ["x"], "new"], hasMore=True) == [3, 4, 5]
    (text,) = logged(caplog)
    assert "items sent again: 3, because" in text
    assert cursor.repeated == 3


@pytest.mark.parametrize(
    "item", [{}, {"id": None}, {"id": []}, {"id": {}}, "text", 5, None, ["id"]], ids=str
)
def test_an_item_without_a_usable_identity_is_always_new(item: Any) -> None:
    cursor = new_cursor(SKIP)
    for other in (1, 2):
        assert accept(cursor, [item, {"id": other}], hasMore=True) == [0, 1]
    assert cursor.repeated == 0


@pytest.mark.parametrize("data", ["text", 5, {"id": 1}, ()])
def test_a_response_without_a_list_is_refused(data: Any) -> None:
    with pytest.raises(PagesError, match="the response is not an object with a list 'data'"):
        new_cursor(SKIP).accept_page(Model._wrap({"data": data}))
    with pytest.raises(PagesError, match="not an object with a list"):
        new_cursor(SKIP).accept_page([1] if data else "x")


def test_only_an_exception_of_an_iteration_has_a_position() -> None:
    assert resume_position(ValueError("x")) is None
