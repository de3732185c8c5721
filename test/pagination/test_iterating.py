"""Iterating over lists that end, fail, change or never end, with both clients."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import talon_one
import talon_one.aio
from pagination.read_list import Apis, MakeIterator, ReadList, ReadResult
from support.calls import make_client
from support.every import for_every
from support.server import HANG_UP, RecordingServer, Response
from talon_one import (
    ApiTypeError,
    Configuration,
    ManagementApi,
    NoResponseError,
    NotFoundException,
    tables,
)
from talon_one.pagination import PagesError, Position, resume_position

GONE = Response(404, {"message": "gone"})


def page(*ids: int, more: bool | None = True, **further: Any) -> dict[str, Any]:
    """Return a page of coupons."""
    envelope = {} if more is None else {"hasMore": more}
    return {"data": [{"id": each} for each in ids], **envelope, **further}


def coupons(apis: Apis, **given: Any) -> Any:
    return apis.management.iterate(
        apis.management.get_coupons_without_total_count, 3, 12, **given
    ).configure(limiter=False)


def audiences(apis: Apis) -> Any:
    """A list whose responses may have a total, or say whether there is more, or neither."""
    return apis.management.iterate(apis.management.get_audiences).configure(limiter=False)


def logs(apis: Apis, **given: Any) -> Any:
    return apis.management.iterate(apis.management.get_message_logs, "application", **given)


def skips(server: RecordingServer) -> list[str | None]:
    return [dict(request.pairs).get("skip") for request in server.requests]


def cursors(server: RecordingServer) -> list[str | None]:
    return [dict(request.pairs).get("cursor") for request in server.requests]


# -- Requests ----------------------------------------------------------------------------------


def test_each_page_is_requested_only_when_it_is_needed(
    server: RecordingServer,
) -> None:
    server.script(page(1, 2), page(3, more=False))
    with make_client(server.url) as client:
        iterator = coupons(Apis(talon_one, client))
        assert len(server.requests) == 0
        assert [next(iterator).id, next(iterator).id] == [1, 2]
        assert len(server.requests) == 1
        assert next(iterator).id == 3
        assert next(iterator, None) is None
        assert next(iterator, None) is None
    assert len(server.requests) == 2


def test_arguments_and_settings_apply_to_every_page(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(page(1, 2), page(3, more=False))
    result = read_list(
        lambda apis: coupons(apis, page_size=2, skip=7, _headers={"X-Shop": "berlin"})
    )
    assert result.ids == [1, 2, 3]
    assert [dict(request.pairs) for request in server.requests] == [
        {"pageSize": "2", "skip": "7"},
        {"pageSize": "2", "skip": "9"},
    ]
    assert [request.headers["X-Shop"] for request in server.requests] == ["berlin"] * 2


def test_a_page_smaller_than_requested_is_not_the_last(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(page(1), page(2, 3), page(4, more=False))
    assert read_list(lambda apis: coupons(apis, page_size=100)).ids == [1, 2, 3, 4]
    assert skips(server) == [None, "1", "3"]


def test_a_list_without_total_and_has_more_ends_with_an_empty_page(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(page(1, 2, more=None), page(3, more=None), page(more=None))
    result = read_list(audiences)
    assert result.ids == [1, 2, 3]
    assert skips(server) == [None, "2", "3"]
    assert result.iterator.complete


@pytest.mark.parametrize("last", [{}, {"data": None}, {"data": []}])
def test_an_empty_page_ends_a_list_even_if_it_promises_more(
    server: RecordingServer, read_list: ReadList, last: Any
) -> None:
    server.script(page(1, 2), {**last, "hasMore": True})
    result = read_list(coupons)
    assert (result.ids, result.failure, len(server.requests)) == ([1, 2], None, 2)


def test_a_total_of_zero_on_a_page_with_items_is_ignored(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script({**page(1, 2, more=None), "totalResultSize": 0}, page(3, more=None))
    assert read_list(audiences).ids == [1, 2, 3]


def test_has_more_takes_precedence_over_a_total(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(page(1, totalResultSize=1), page(2, more=False, totalResultSize=50))
    assert read_list(audiences).ids == [1, 2]


def test_a_string_instead_of_a_flag_is_ignored(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script({**page(1), "hasMore": "false"}, {**page(2), "hasMore": "no"})
    assert read_list(coupons).ids == [1, 2]
    assert len(server.requests) == 3


def test_a_cursor_is_followed_past_empty_pages(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(
        {"data": [{"id": "a"}], "nextCursor": "one"},
        {"data": [], "nextCursor": "two"},
        {"nextCursor": "three"},
        {"data": [{"id": "b"}], "nextCursor": ""},
    )
    assert read_list(logs).ids == ["a", "b"]
    assert cursors(server) == [None, "one", "two", "three"]


def test_an_empty_page_with_an_unchanged_cursor_ends_the_list(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script({"data": [{"id": "a"}], "nextCursor": "one"}, {"data": [], "nextCursor": "one"})
    assert read_list(logs).ids == ["a"]
    assert len(server.requests) == 2


# -- Failures, and resuming --------------------------------------------------------------------


def resume(read_list: ReadList, make: MakeIterator, position: Any) -> ReadResult:
    return read_list(lambda apis: make(apis).configure(resume_from=position))


def test_a_failure_keeps_its_class_and_carries_the_position_to_resume_from(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(page(1, 2), page(3, 4), GONE, page(5, 6, more=False))
    result = read_list(coupons)
    assert result.ids == [1, 2, 3, 4]
    assert isinstance(result.failure, NotFoundException)
    assert result.failure.message == "gone"
    assert resume_position(result.failure) == result.iterator.position == Position(skip=4)
    assert not result.iterator.complete
    again = pickle.loads(pickle.dumps(result.failure))
    kept = json.loads(json.dumps(resume_position(again)))
    assert resume(read_list, coupons, kept).ids == [5, 6]
    assert skips(server) == [None, "2", "4", "4"]


def test_a_traceback_shows_where_to_resume(server: RecordingServer, read_list: ReadList) -> None:
    server.script(page(1, 2), GONE)
    failure = read_list(coupons).failure
    note = "pages read: 1; resume with resume_from=Position(skip=2, cursor=None, within=0)"
    # Exceptions have notes since Python 3.11.
    has_notes = sys.version_info >= (3, 11)
    assert getattr(failure, "__notes__", None) == ([note] if has_notes else None)


def test_an_iterator_continues_after_a_failure(server: RecordingServer) -> None:
    server.script(page(1, 2), HANG_UP, GONE, page(3, more=False))
    with make_client(server.url, retries=0) as client:
        iterator = coupons(Apis(talon_one, client))
        assert [next(iterator).id, next(iterator).id] == [1, 2]
        with pytest.raises(NoResponseError):
            next(iterator)
        with pytest.raises(NotFoundException):
            next(iterator)
        assert [each.id for each in iterator] == [3]


def test_a_failure_of_the_first_page_carries_the_start_position(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(GONE)
    result = read_list(lambda apis: coupons(apis, skip=40))
    assert result.failure is not None
    assert resume_position(result.failure) == Position(skip=40)


def test_wrong_arguments_carry_no_position(server: RecordingServer, read_list: ReadList) -> None:
    failure = read_list(lambda apis: coupons(apis, page_size="many")).failure
    assert failure is not None
    assert resume_position(failure) is None
    assert "resume_from" not in str(getattr(failure, "__notes__", ""))


@for_every("taken", range(6))
def test_a_resumed_iteration_begins_after_the_last_item_handed_out(
    server: RecordingServer, read_list: ReadList, taken: int
) -> None:
    ids = [1, 2, 3, 4, 5]

    def respond(request: Any) -> Response:
        skip = int(dict(request.pairs).get("skip", "0"))
        return Response(body=page(*ids[skip : skip + 2], more=skip + 2 < len(ids)))

    server.default = respond
    with make_client(server.url) as client:
        iterator = coupons(Apis(talon_one, client))
        first = [next(iterator).id for _ in range(taken)]
        position = iterator.position
    assert position == Position(skip=taken)
    assert [*first, *resume(read_list, coupons, position).ids] == ids
    assert [*first, *read_list(lambda apis: coupons(apis, skip=position.skip)).ids] == ids


@for_every("taken", range(6))
def test_a_list_with_cursors_is_resumed_in_the_middle_of_a_page(
    server: RecordingServer, read_list: ReadList, taken: int
) -> None:
    pages = {
        None: {"data": [{"id": "a"}, {"id": "b"}], "nextCursor": "one"},
        "one": {"data": [{"id": "c"}, {"id": "d"}], "nextCursor": "two"},
        "two": {"data": [{"id": "e"}]},
    }
    server.default = lambda request: Response(body=pages[dict(request.pairs).get("cursor")])
    with make_client(server.url) as client:
        iterator = logs(Apis(talon_one, client))
        first = [next(iterator).id for _ in range(taken)]
        position = iterator.position
    result = resume(read_list, logs, position)
    assert [*first, *result.ids] == list("abcde")
    assert result.iterator.repeated == 0


def test_a_cursor_may_be_given_as_the_start(server: RecordingServer, read_list: ReadList) -> None:
    server.script({"data": [{"id": "c"}]})
    assert read_list(lambda apis: logs(apis, cursor="b25l")).ids == ["c"]
    assert cursors(server) == ["b25l"]


# -- Lists that change while they are read------------------------------------------------------


def test_an_item_that_moves_to_the_next_page_is_handed_out_and_reported_once(
    server: RecordingServer, read_list: ReadList, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(page(1, 2, 3), page(3, 4, 5), page(6, more=False))
    with caplog.at_level(logging.WARNING, "talon_one"):
        result = read_list(coupons)
    assert result.ids == [1, 2, 3, 4, 5, 6]
    assert result.iterator.repeated == 1
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        "getCouponsWithoutTotalCount: items sent again: 1 (3), because the list changed while it"
        " was read; page requested at Position(skip=3, cursor=None, within=0)"
    )


def test_an_item_sent_a_third_time_is_not_reported_again(
    server: RecordingServer, read_list: ReadList, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(page(1, 2), page(2, 3), page(2, 3, 4), page(5, more=False))
    with caplog.at_level(logging.WARNING, "talon_one"):
        result = read_list(coupons)
    assert result.ids == [1, 2, 3, 4, 5]
    assert result.iterator.repeated == 3
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "getCouponsWithoutTotalCount: items sent again: 1 (2)",
        "getCouponsWithoutTotalCount: items sent again: 1 (3)",
    ]


def test_a_page_that_was_sent_before_is_skipped(
    server: RecordingServer, read_list: ReadList
) -> None:
    # After so many insertions in front, some pages contain nothing new.
    ids = [*range(20), *range(20), *range(20, 30)]
    chunks = [ids[begin : begin + 4] for begin in range(0, len(ids), 4)]
    server.script(*(page(*chunk) for chunk in chunks[:-1]), page(*chunks[-1], more=False))
    result = read_list(coupons)
    assert (result.ids, result.failure) == (list(range(30)), None)
    assert result.iterator.repeated == 20


def test_an_item_that_is_twice_on_one_page_is_handed_out_twice(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(page(1, 1, 2), page(3, 3, more=False))
    result = read_list(coupons)
    assert result.ids == [1, 1, 2, 3, 3]
    assert result.iterator.repeated == 0


def test_items_without_a_usable_id_are_all_handed_out(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(
        {"data": [{"value": "A"}, {"id": None}, {"id": [1]}], "hasMore": True},
        {"data": [{"value": "A"}, {"id": [1]}, "odd", 7, None], "hasMore": False},
    )
    assert len(read_list(coupons).got) == 8


def test_a_list_that_shrinks_reports_how_many_items_may_be_missing(
    server: RecordingServer, read_list: ReadList, caplog: pytest.LogCaptureFixture
) -> None:
    def of(total: int, *ids: int) -> dict[str, Any]:
        return {**page(*ids, more=None), "totalResultSize": total}

    server.script(of(6, 1, 2), of(5, 4, 5), of(5, 6))
    with caplog.at_level(logging.WARNING, "talon_one"):
        result = read_list(audiences)
    assert result.ids == [1, 2, 4, 5, 6]
    assert result.iterator.missing == 1
    (record,) = caplog.records
    assert "the list shrank by 1" in record.getMessage()


def test_a_list_that_ends_before_its_total_counts_missing_items(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script({**page(1, 2, more=None), "totalResultSize": 5}, {"totalResultSize": 5})
    result = read_list(audiences)
    assert (result.ids, result.iterator.missing) == ([1, 2], 3)


def test_a_list_that_grows_is_read_to_its_new_end(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(
        {**page(1, 2, more=None), "totalResultSize": 3},
        {**page(3, 4, more=None), "totalResultSize": 5},
        {**page(5, more=None), "totalResultSize": 5},
    )
    result = read_list(audiences)
    assert (result.ids, result.iterator.missing) == ([1, 2, 3, 4, 5], 0)


# -- Lists that never end ----------------------------------------------------------------------


def test_a_server_that_ignores_the_offset_is_not_called_forever(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.default = Response(body=page(1, 2))
    result = read_list(coupons)
    assert result.ids == [1, 2]
    assert isinstance(result.failure, PagesError)
    assert "brought nothing new" in str(result.failure)
    assert len(server.requests) == 4


def test_a_cursor_that_leads_to_itself_is_not_followed_forever(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.default = Response(body={"data": [{"id": "a"}], "nextCursor": "one"})
    result = read_list(logs)
    assert result.ids == ["a"]
    assert isinstance(result.failure, PagesError)
    assert resume_position(result.failure) == Position(cursor="one")


def test_cursors_that_form_a_circle_are_not_followed_forever(
    server: RecordingServer, read_list: ReadList
) -> None:
    pages = {
        "even": {"data": [{"id": "a"}], "nextCursor": "odd"},
        "odd": {"data": [{"id": "b"}], "nextCursor": "even"},
    }
    server.default = lambda request: Response(body=pages[dict(request.pairs).get("cursor", "even")])
    result = read_list(logs)
    assert result.ids == ["a", "b"]
    assert isinstance(result.failure, PagesError)


def test_the_same_page_twice_is_the_whole_list_if_nothing_promises_more(
    server: RecordingServer, read_list: ReadList, caplog: pytest.LogCaptureFixture
) -> None:
    server.default = Response(body={"data": [{"name": "without an ID"}, {"name": "as well"}]})
    with caplog.at_level(logging.WARNING, "talon_one"):
        result = read_list(audiences)
    assert (len(result.got), result.failure) == (2, None)
    assert result.iterator.complete
    assert len(server.requests) == 2
    assert "treating that page as the whole list" in caplog.text


def test_more_items_than_a_list_without_pages_can_return_are_reported(
    server: RecordingServer, read_list: ReadList, caplog: pytest.LogCaptureFixture
) -> None:
    server.script({"data": [{"audienceId": 1}], "hasMore": True})
    with caplog.at_level(logging.WARNING, "talon_one"):
        result = read_list(
            lambda apis: apis.management.iterate(
                apis.management.get_audiences_analytics, "1,2", _deadline=5
            )
        )
    assert len(result.got) == 1
    assert "no parameter can request it" in caplog.text


@pytest.mark.parametrize("body", ['[{"id": 3}]', '{"data": {"id": 3}}', '"text"'])
def test_a_response_without_a_list_is_an_error(
    server: RecordingServer, read_list: ReadList, body: str
) -> None:
    server.script(page(1), Response(body=body))
    result = read_list(coupons)
    assert result.ids == [1]
    assert isinstance(result.failure, PagesError)
    assert resume_position(result.failure) == Position(skip=1)


# -- Page by page ------------------------------------------------------------------------------


def test_pages_arrive_unchanged(server: RecordingServer, read_list: ReadList) -> None:
    server.script(page(1, 2, extra="kept"), page(2, 3), page(more=True))

    def make(apis: Apis) -> Any:
        return apis.management.pages(apis.management.get_coupons_without_total_count, 3, 12)

    result = read_list(make)
    assert [[each.id for each in one.data] for one in result.got] == [[1, 2], [2, 3]]
    assert result.got[0]["extra"] == "kept"
    assert result.iterator.repeated == 1
    assert result.iterator.complete


def test_pages_resume_after_the_last_page_handed_out(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(page(1, 2), GONE, page(3, more=False))

    def make(apis: Apis) -> Any:
        return apis.management.pages(apis.management.get_coupons_without_total_count, 3, 12)

    result = read_list(make)
    assert result.failure is not None
    assert resume_position(result.failure) == result.iterator.position == Position(skip=2)
    (last,) = resume(read_list, make, result.iterator.position).got
    assert [each.id for each in last.data] == [3]


def test_a_page_limit_ends_the_iteration_and_its_position_resumes_it(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(page(1, 2), page(3, 4), page(5, more=False))
    result = read_list(lambda apis: coupons(apis).configure(page_limit=2))
    assert result.ids == [1, 2, 3, 4]
    assert len(server.requests) == 2
    assert not result.iterator.complete
    assert result.iterator.position == Position(skip=4)
    assert resume(read_list, coupons, result.iterator.position).ids == [5]


# -- Wrong arguments ---------------------------------------------------------------------------


@pytest.fixture
def management(server: RecordingServer) -> Iterator[ManagementApi]:
    with make_client(server.url) as client:
        yield ManagementApi(client)


def refusal(call: Any) -> str:
    with pytest.raises(ApiTypeError) as caught:
        call()
    return str(caught.value)


def test_only_methods_that_list_something_can_be_iterated(management: Any) -> None:
    assert "does not list anything" in refusal(lambda: management.iterate(management.get_account))
    variant = management.get_applications_with_http_info
    assert "takes get_applications itself" in refusal(lambda: management.iterate(variant))
    assert "takes a method of an API" in refusal(lambda: management.pages(print))
    unbound = ManagementApi.get_applications
    assert "not of its class" in refusal(lambda: management.iterate(unbound))


@pytest.mark.parametrize("setting", ["async_req", "_preload_content", "_return_http_data_only"])
def test_settings_that_change_the_result_cannot_be_combined_with_an_iteration(
    management: Any, setting: str
) -> None:
    message = refusal(lambda: management.iterate(management.get_applications, **{setting: True}))
    assert setting in message


def test_methods_and_iterations_of_the_two_clients_do_not_mix(management: ManagementApi) -> None:
    awaited: Any = talon_one.aio.ManagementApi(talon_one.aio.ApiClient(Configuration()))
    blocking: Any = management
    assert "talon_one.aio" in refusal(lambda: blocking.iterate(awaited.get_applications))
    assert "talon_one.aio" in refusal(lambda: awaited.iterate(blocking.get_applications))


@for_every(
    "settings",
    [
        {"page_limit": 0},
        {"page_limit": True},
        {"page_limit": 1.5},
        {"limiter": 3},
        {"limiter": None},
        {"resume_from": 40},
        {"resume_from": "abc"},
        {"resume_from": [1]},
        {"resume_from": Position(cursor="of another list")},
        {"resume_from": Position(skip=1, cursor="both")},
        {"resume_from": ["40", None, 0]},
    ],
)
def test_settings_of_the_wrong_type_are_refused(management: Any, settings: Any) -> None:
    refusal(lambda: management.iterate(management.get_applications).configure(**settings))


def test_a_list_with_cursors_is_not_resumed_by_a_number(management: Any) -> None:
    iterator = management.iterate(management.get_message_logs, "application")
    assert "not a position in the list" in refusal(
        lambda: iterator.configure(resume_from=Position(skip=3))
    )


def test_an_iteration_is_not_configured_after_it_has_begun(
    server: RecordingServer, management: ManagementApi
) -> None:
    iterator = management.iterate(management.get_applications)
    next(iterator, None)
    assert "before it begins" in refusal(iterator.configure)


def test_a_start_that_is_not_a_number_is_refused(management: Any) -> None:
    message = refusal(lambda: management.iterate(management.get_applications, skip="some"))
    assert message == "skip must be a number of items, not 'some'"


def test_arguments_are_checked_as_in_a_call(server: RecordingServer, management: Any) -> None:
    with pytest.raises(ApiTypeError, match="page_size"):
        next(management.iterate(management.get_applications, page_sise=3))
    with pytest.raises(talon_one.ApiValueError, match="application_id"):
        next(management.iterate(management.get_coupons_without_total_count))
    assert not server.requests


def test_a_deprecated_list_warns_where_it_is_iterated(management: ManagementApi) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        management.iterate(management.get_coupons, 3, 12)
    (warning,) = caught
    assert warning.category is DeprecationWarning
    assert warning.filename == __file__


def test_the_repr_shows_operation_and_position(management: ManagementApi) -> None:
    iterator = management.iterate(management.get_applications, skip=3)
    assert repr(iterator) == (
        "<Items of getApplications at Position(skip=3, cursor=None, within=0)>"
    )


class Huge:
    """An object with a repr too long for a message."""

    def __repr__(self) -> str:
        return "x" * 300_000


def test_passing_a_result_instead_of_a_method_gets_a_short_explanation(
    server: RecordingServer,
) -> None:
    page = {"data": [{"id": number, "value": "A" * 1000} for number in range(300)]}
    server.default = Response(body=page)
    with make_client(server.url) as client:
        management: Any = talon_one.ManagementApi(client)
        for take in (
            management.iterate,
            management.pages,
            management.table,
            management.stream,
            lambda given: tables.upload(given),
        ):
            for given in (management.get_coupons_without_total_count(3, 12), [1] * 9999, Huge()):
                with pytest.raises(
                    ApiTypeError, match=r"write \(api.get_coupons, 3, 12\)"
                ) as caught:
                    take(given)
                assert len(str(caught.value)) < 300


def test_passing_a_coroutine_instead_of_a_method_gets_an_explanation() -> None:
    async def work() -> None:
        api = talon_one.aio.ManagementApi(host="https://a.test", api_key="k")
        for take in (api.iterate, api.pages, api.table):
            given: Any = api.get_coupons_without_total_count(3, 12)
            with pytest.raises(ApiTypeError, match="not what it returns"):
                take(given)
        await api.api_client.aclose()

    asyncio.run(work())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda items: items.configure(page_limit=[0] * 9999),
        lambda items: items.configure(limiter=Huge()),
        lambda items: items.configure(resume_from=[0] * 9999),
        lambda items: items.configure(resume_from=("x" * 9999, None, 0)),
    ],
)
def test_a_wrong_setting_is_quoted_in_short(wrong: Callable[[Any], Any]) -> None:
    management = talon_one.ManagementApi(host="https://a.test", api_key="k")
    with pytest.raises(ApiTypeError) as caught:
        wrong(management.iterate(management.get_coupons_without_total_count, 3, 12))
    assert len(str(caught.value)) < 200


def test_a_null_item_is_handed_out_and_the_iteration_continues(
    server: RecordingServer, read_list: ReadList
) -> None:
    server.script(
        Response(body={"hasMore": True, "data": [None, {"id": 1}, None, {"id": 2}]}),
        Response(body={"hasMore": True, "data": [None]}),
        Response(body={"hasMore": False, "data": [{"id": 3}, None]}),
    )
    result = read_list(coupons)
    ids = [item and item.id for item in result.got]
    assert ids == [None, 1, None, 2, None, 3, None]
    assert result.iterator.complete
    assert [request.query for request in server.requests[1:]] == ["skip=4", "skip=5"]
    assert result.iterator.position == Position(7)


@pytest.mark.parametrize("last", [{"data": []}, {"data": None}, {}, None], ids=str)
def test_an_empty_last_page_ends_the_list(
    server: RecordingServer, read_list: ReadList, last: Any
) -> None:
    """No matter what earlier pages said, and for items and pages alike."""
    for pages in (False, True):
        server.clear()
        server.script(
            Response(body=page(1, 2, more=None)),
            Response(body=last) if last else Response(204),
        )

        def make(apis: Apis, pages: bool = pages) -> Any:
            method = apis.management.get_coupons_without_total_count
            iterate = apis.management.pages if pages else apis.management.iterate
            return iterate(method, 3, 12).configure(limiter=False)

        result = read_list(make)
        assert result.failure is None
        assert len(result.got) == (1 if pages else 2)
        assert result.iterator.complete
        assert result.iterator.position == Position(2)
        assert result.iterator.missing == 0
        assert len(server.requests) == 2
