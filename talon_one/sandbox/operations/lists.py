"""Lists of the Management API: filters by moment, sorting, and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, Final, NamedTuple

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.contract.shapes import properties_of, shape_of
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.state.documents import Document

PAGE_SIZE: Final = 1_000
_SORTABLE: Final = ("int", "float", "str", "bool", "datetime", "Literal")


class _Envelope(NamedTuple):
    """What the response of a list has beside the items.

    Attributes:
        total: Whether `totalResultSize` is among its properties, and whether always.
        more: Whether `hasMore` is among its properties, and whether always.
        sortable: Properties of the items by which the list can be sorted.
    """

    total: bool | None
    more: bool | None
    sortable: tuple[str, ...]


def within(call: Call, stem: str, moment: str | None) -> bool:
    """Return whether a moment passes the filters `<stem>Before` and `<stem>After`."""
    return between(moment, call.query.get(f"{stem}After"), call.query.get(f"{stem}Before"))


def between(moment: str | None, after: str | None, before: str | None) -> bool:
    """Return whether a moment lies between two others; None stands for no bound."""
    if before is None and after is None:
        return True
    if moment is None:
        return False
    return (before is None or moment < before) and (after is None or moment > after)


def contains(call: Call, name: str, text: str | None) -> bool:
    """Return whether a text holds the filter of this name, regardless of case."""
    wanted = call.query.get(name)
    return not wanted or wanted.casefold() in (text or "").casefold()


def numbers(text: str | None) -> set[int]:
    """Return the numbers in a comma-separated filter; anything else in it matches nothing."""
    parts = (part.strip() for part in (text or "").split(","))
    return {int(part) for part in parts if part.isascii() and part.isdigit()}


def has_attributes(document: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """Return whether an entity has all these values of attributes."""
    own = document.get("attributes") or {}
    return all(name in own and own[name] == value for name, value in (wanted or {}).items())


def sort(call: Call, items: list[Document], allowed: Sequence[str]) -> list[Document]:
    """Sort in place by the `sort` parameter, and return the items.

    Raises:
        ApiError: 400 for a property by which the list cannot be sorted.
    """
    wanted = call.query.get("sort")
    if not wanted:
        return items
    name = wanted.removeprefix("-")
    if name not in allowed:
        known = ", ".join(f'"{each}", "-{each}"' for each in allowed)
        details = f"sort must be one of the following: {known}"
        raise invalid(Problem("enum", details, parameter="sort"))
    # Items without the property sort as the smallest.
    items.sort(
        key=lambda item: (item.get(name) is not None, item.get(name)),
        reverse=wanted.startswith("-"),
    )
    return items


def page(call: Call, items: Sequence[Any], size: int = PAGE_SIZE) -> tuple[list[Any], bool]:
    """Return the requested page, and whether more items follow."""
    wanted, skip = call.query.get("pageSize", size), call.query.get("skip", 0)
    return list(items[skip : skip + wanted]), skip + wanted < len(items)


def with_total(call: Call, items: Sequence[Any], size: int = PAGE_SIZE) -> Result:
    """Return a page with the number of items on all pages."""
    data, _ = page(call, items, size)
    return Result(200, {"totalResultSize": len(items), "data": data})


def with_more(call: Call, items: Sequence[Any], size: int = PAGE_SIZE) -> Result:
    """Return a page with whether more items follow."""
    data, more = page(call, items, size)
    return Result(200, {"hasMore": more, "data": data})


def either(call: Call, items: Sequence[Any], size: int = PAGE_SIZE) -> Result:
    """Return a page with a total if `withTotalResultSize` asks for one."""
    listed = with_total if call.query.get("withTotalResultSize") else with_more
    return listed(call, items, size)


def respond(call: Call, items: Iterable[Any]) -> Result:
    """Return the page that a query asks for, sorted, in the envelope of the operation.

    The description of the response says whether a page comes with the total, with whether more
    follow, or with what `withTotalResultSize` asks for; the largest page is the default one.
    """
    envelope = _envelope(call.operation.results[200] or "")
    size = next(
        (
            each.constraints.get("maximum", PAGE_SIZE)
            for each in call.operation.parameters
            if each.wire == "pageSize"
        ),
        None,
    )
    if size is None:  # The list has no pages.
        found = list(items)
        size = len(found) or 1
    elif envelope.total is not None or call.query.get("sort"):
        found = sort(call, list(items), envelope.sortable)
    else:
        # One item more than the page says whether more follow.
        wanted = call.query.get("skip", 0) + call.query.get("pageSize", size) + 1
        found = list(islice(items, wanted))
    if envelope.total is not None and envelope.more is not None:
        return either(call, found, size)
    if envelope.total is not None:
        return with_total(call, found, size)
    return with_more(call, found, size)


@cache
def _envelope(written: str) -> _Envelope:
    properties = {each.wire: each for each in properties_of(shape_of(written).target())}
    item = properties["data"].shape.parts[0]
    sortable = properties_of(item.target()) if item.kind == "object" else ()
    total, more = properties.get("totalResultSize"), properties.get("hasMore")
    return _Envelope(
        total.required if total else None,
        more.required if more else None,
        tuple(each.wire for each in sortable if each.shape.kind in _SORTABLE),
    )


def filtered(
    items: Iterable[Document], passes: Callable[[Mapping[str, Any]], bool]
) -> list[Document]:
    """Return the items that pass."""
    return [item for item in items if passes(item)]
