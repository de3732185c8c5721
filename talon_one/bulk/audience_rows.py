"""Rows for `change_audiences` from the members that an audience has and those that it should have.

The functions do no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypedDict

from talon_one._core.secret import plain_str
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError


class AudienceRow(TypedDict):
    """A membership that changes, as `change_audiences` sends it."""

    action: str
    profileIntegrationId: str
    audienceId: int


def audience_rows(
    audience_id: int,
    members: Iterable[str],
    wanted: Iterable[str],
    *,
    presorted: bool = False,
    delete_limit: int | None = None,
) -> Iterator[AudienceRow]:
    """Yield the changes that turn the members of an audience into the wanted ones.

    ::

        rows = audience_rows(7, yesterday, today, delete_limit=1000)
        bulk.change_audiences(integration, rows)

    The rows come as they are needed; what your iterables raise passes through. Without *presorted*,
    all IDs are in memory, and deletions come after all additions. With it, two IDs are.

    Args:
        audience_id: ID of the audience.
        members: Integration IDs of the profiles in it, now or when it was last changed. An ID may
            occur several times.
        wanted: Integration IDs of the profiles that should be in it.
        presorted: Both are in ascending order of their code points, as from ``sorted``, from
            ``LC_ALL=C sort``, or from SQL with a binary collation.
        delete_limit: Maximum number of deletions, for the day on which *wanted* is empty by
            mistake. Without *presorted*, nothing is deleted if there would be more.

    Raises:
        ApiTypeError: An argument or an ID has the wrong type.
        ApiValueError: An ID is empty, presorted IDs are not in order, or there are too many
            deletions.
    """
    if type(audience_id) is not int:
        raise ApiTypeError(f"audience_id is an integer, not {quoted(audience_id)}")
    if delete_limit is not None and (type(delete_limit) is not int or delete_limit < 0):
        raise ApiTypeError(f"delete_limit is a number of profiles, not {quoted(delete_limit)}")
    if type(presorted) is not bool:
        raise ApiTypeError(f"presorted is True or False, not {quoted(presorted)}")
    for name, ids in (("members", members), ("wanted", wanted)):
        if isinstance(ids, (str, bytes)) or not isinstance(ids, Iterable):
            raise ApiTypeError(f"{name} are IDs of profiles, not {quoted(ids)}")
    difference = _of_sorted if presorted else _of_any
    changes = difference(_checked(members, "members"), _checked(wanted, "wanted"), delete_limit)
    return (
        {"action": action, "profileIntegrationId": profile_id, "audienceId": audience_id}
        for action, profile_id in changes
    )


_ADD, _DELETE = "add", "delete"
_Change = tuple[str, str]


def _of_any(
    members: Iterator[str], wanted: Iterator[str], delete_limit: int | None
) -> Iterator[_Change]:
    # A dict keeps the order, so that two runs yield the same rows and a bulk job can be resumed.
    leaving = dict.fromkeys(members)
    staying: set[str] = set()
    for profile_id in wanted:
        if profile_id in staying:
            continue
        staying.add(profile_id)
        if profile_id in leaving:
            del leaving[profile_id]
        else:
            yield _ADD, profile_id
    if delete_limit is not None and len(leaving) > delete_limit:
        raise _too_many(len(leaving), delete_limit)
    for profile_id in leaving:
        yield _DELETE, profile_id


def _of_sorted(
    members: Iterator[str], wanted: Iterator[str], delete_limit: int | None
) -> Iterator[_Change]:
    old, new = _ascending(members, "members"), _ascending(wanted, "wanted")
    before, after = next(old, None), next(new, None)
    deleted = 0
    while before is not None or after is not None:
        if before is not None and before == after:
            before, after = next(old, None), next(new, None)
        elif after is None or (before is not None and before < after):
            assert before is not None  # noqa: S101  for type checkers
            deleted += 1
            if delete_limit is not None and deleted > delete_limit:
                raise _too_many(deleted, delete_limit)
            yield _DELETE, before
            before = next(old, None)
        else:
            yield _ADD, after
            after = next(new, None)


def _ascending(ids: Iterator[str], name: str) -> Iterator[str]:
    """Yield sorted IDs, each once.

    Raises:
        ApiValueError: They are not sorted.
    """
    last: str | None = None
    for each in ids:
        if last is not None and each < last:
            raise ApiValueError(
                f"{name} are not sorted: {quoted(each)} comes after {quoted(last)}; the order is"
                " that of code points, as of sorted()"
            )
        if each != last:
            yield each
        last = each


def _checked(ids: Iterable[str], name: str) -> Iterator[str]:
    for each in ids:
        if not isinstance(each, str):
            raise ApiTypeError(f"{name} contain {quoted(each)}, not the ID of a profile")
        plain = plain_str(each)  # A subclass may compare in any way.
        if not plain:
            raise ApiValueError(f"{name} contain an empty ID")
        yield plain


def _too_many(count: int, limit: int) -> ApiValueError:
    return ApiValueError(f"{count} profiles would be deleted, more than delete_limit={limit}")
