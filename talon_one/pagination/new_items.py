"""NewItems: the items of a list that are new since a bookmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from talon_one._schema.access import data_of
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError
from talon_one.pagination.bookmarks import Bookmark
from talon_one.pagination.iteration import Iteration
from talon_one.pagination.iterators import Items
from talon_one.pagination.novelty import KeyFunction, Novelty
from talon_one.pagination.time_filter import TimeFilter

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")


def new_items(
    items: Items[T], bookmark: Bookmark | None = None, *, key: KeyFunction | None = None
) -> NewItems[T]:
    """Return an iterator over the items of a list that are new since a bookmark.

    ::

        sessions = management.iterate(management.get_application_sessions, 3, sort="created")
        new = new_items(sessions, bookmark)
        for session in new:
            ...
        store(new.bookmark.to_json())

    It sets the parameter of the operation that selects items from a moment on, such as
    ``created_after``. A value of yours counts only for a bookmark that has no moment yet. Requests
    are made as the items are needed.

    Args:
        items: Iteration of a list that has such a parameter. It must not have begun.
        bookmark: `NewItems.bookmark` of the last reading, or a new `Bookmark`.
        key: Returns what identifies an item, as text or a number. By default the ID of the item;
            for lists whose items have none, such as those of loyalty transactions, their content.

    Raises:
        ApiTypeError: *items* is not an iteration from ``iterate`` of the blocking API, has begun,
            or cannot be read with a bookmark.
        ApiValueError: *bookmark* belongs to another list.
    """
    return NewItems(items, bookmark, key)


class NewItems(Generic[T]):
    """Iterator over new items; see `new_items`. Its failures are those of `Items`.

    After a failure, the same iterator continues at the same place. Do not share it between threads.
    """

    def __init__(
        self, items: Items[T], bookmark: Bookmark | None = None, key: KeyFunction | None = None
    ) -> None:
        if not isinstance(items, Items):
            raise ApiTypeError(f"this takes what iterate returns, not {quoted(items)}")
        self._items = items
        self._novelty = novelty_of(items, bookmark, key)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        for item in self._items:
            if is_new(self._novelty, self._items, item):
                return item
        finish(self._novelty, self._items)
        raise StopIteration

    def __repr__(self) -> str:
        return f"<NewItems after {self.bookmark!r}>"

    @property
    def bookmark(self) -> Bookmark:
        """Bookmark after the items handed out so far; see `Bookmark`.

        Save it when you are done with an item, not before. A crash then repeats the items since the
        last save, and loses none.
        """
        return self._novelty.bookmark


def novelty_of(items: Iteration, bookmark: Bookmark | None, key: KeyFunction | None) -> Novelty:
    """Return what decides which items are new, and set the filter of the iteration."""
    call = items.arguments_to_filter()
    filter = TimeFilter.of_list(call.operation)
    key = _key_of(call) if key is None else key
    novelty = Novelty(bookmark, call, filter, key, items.monotonic)
    items.use_arguments(novelty.call)
    return novelty


def is_new(novelty: Novelty, items: Iteration, item: Any) -> bool:
    """Return whether an item is new, after a look at what the iteration may have skipped."""
    if items.missing:
        novelty.note_missing()
    return novelty.is_new(item)


def finish(novelty: Novelty, items: Iteration) -> None:
    """Note the end of an iteration, which may have been limited to some pages."""
    if items.missing:
        novelty.note_missing()
    if items.complete:
        novelty.finish()


def _key_of(call: Any) -> KeyFunction | None:
    """Return the function for the identity that the description of the list names."""
    identity = call.operation.paging.identity
    if not identity:
        return None

    def key(item: Any) -> str | None:
        data = data_of(item)
        values = [data.get(name) for name in identity] if isinstance(data, dict) else [None]
        return None if None in values else ":".join(map(str, values))

    return key
