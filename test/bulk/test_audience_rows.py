"""The rows that turn the members of an audience into the wanted ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talon_one import ApiTypeError, ApiValueError, CustomerProfileAudienceRequestItem, bulk
from talon_one.bulk import audience_rows

LAW = settings(deadline=None, max_examples=150, database=None)
profiles = st.lists(st.text(min_size=1, max_size=2), max_size=12)


def applied(members: list[str], rows: Any) -> set[str]:
    """Members of the audience after the rows."""
    found = {*members}
    for row in rows:
        CustomerProfileAudienceRequestItem.from_dict(row).validate()
        profile_id, is_member = row["profileIntegrationId"], row["profileIntegrationId"] in found
        assert is_member is (row["action"] == "delete")
        (found.remove if is_member else found.add)(profile_id)
    return found


@given(profiles, profiles)
@LAW
def test_the_rows_change_exactly_what_differs_sorted_or_not(old: list[str], new: list[str]) -> None:
    assert applied(old, audience_rows(7, iter(old), iter(new))) == {*new}
    rows = audience_rows(7, sorted(old), iter(sorted(new)), presorted=True)
    assert applied(old, rows) == {*new}


def test_a_row_is_what_a_bulk_job_sends() -> None:
    assert list(audience_rows(7, ["anna", "bob"], {"bob": 1, "cleo": 2})) == [
        {"action": "add", "profileIntegrationId": "cleo", "audienceId": 7},
        {"action": "delete", "profileIntegrationId": "anna", "audienceId": 7},
    ]


def test_sorted_ids_are_read_only_as_far_as_they_are_needed() -> None:
    read: list[str] = []

    def ids(*names: str) -> Any:
        for each in names:
            read.append(each)
            yield each

    rows = audience_rows(7, ids("a", "c"), ids("b", "d"), presorted=True)
    assert read == []
    assert [next(rows)["profileIntegrationId"] for _ in range(2)] == ["a", "b"]
    assert read == ["a", "b", "c"]


def test_ids_that_are_not_sorted_are_noticed() -> None:
    for old, new in ((["b", "a"], []), ([], ["b", "a"]), (["a"], ["a", "C"])):
        with pytest.raises(ApiValueError, match="are not sorted"):
            list(audience_rows(7, old, new, presorted=True))


def test_too_many_deletions_are_refused_before_the_first() -> None:
    got: list[Any] = []
    with pytest.raises(ApiValueError, match="3 profiles would be deleted"):
        got.extend(audience_rows(7, ["x", "y", "z"], ["new"], delete_limit=2))
    assert [row["action"] for row in got] == ["add"]
    with pytest.raises(ApiValueError, match="more than delete_limit=1"):
        got.extend(audience_rows(7, ["a", "b"], [], presorted=True, delete_limit=1))
    assert len(list(audience_rows(7, ["a", "b"], [], presorted=True, delete_limit=2))) == 2
    assert list(audience_rows(7, ["a"], ["a"], delete_limit=0)) == []


def test_wrong_arguments_and_ids_are_refused() -> None:
    wrong: tuple[Any, ...] = (
        ("7", [], []),
        (True, [], []),
        (None, [], []),
        (7, None, []),
        (7, [], None),
        (7, "anna", []),
        (7, [], b"anna"),
        (7, 7, []),
    )
    for arguments in wrong:
        with pytest.raises(ApiTypeError):
            audience_rows(*arguments)
    for limit in (-1, "1", 1.5, True):
        with pytest.raises(ApiTypeError, match="delete_limit"):
            audience_rows(7, [], [], delete_limit=limit)  # type: ignore[arg-type]
    for each in (None, 7, b"a", ["a"]):
        for presorted in (False, True):
            with pytest.raises(ApiTypeError, match="not the ID of a profile"):
                list(audience_rows(7, ["a"], ["a", each], presorted=presorted))  # type: ignore[list-item]
    with pytest.raises(ApiValueError, match="an empty ID"):
        list(audience_rows(7, [""], []))


def test_what_an_iterable_of_the_caller_raises_passes_through() -> None:
    def broken() -> Any:
        yield "a"
        raise OSError("the database is gone")

    with pytest.raises(OSError, match="the database is gone"):
        list(audience_rows(7, [], broken()))


def test_it_is_exported_beside_the_job_that_sends_it() -> None:
    assert {"AudienceRow", "audience_rows", "change_audiences"} <= {*bulk.__all__}
