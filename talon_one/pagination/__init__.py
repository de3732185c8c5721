"""Lists, page by page: iterators over every operation that lists something.

::

    for coupon in management.iterate(management.get_coupons_without_total_count, 3, 12):
        ...

How an operation pages is data: see `Paging`. A `PageCursor` decides which page to request next;
iterators make the requests. `talon_one.aio.pagination` has the iterators for asyncio.
`new_items` reads only what is new since a `Bookmark`.
"""

from talon_one.pagination.bookmarks import Bookmark
from talon_one.pagination.iteration import ListResponse
from talon_one.pagination.iterators import Items, Pages
from talon_one.pagination.new_items import NewItems, new_items
from talon_one.pagination.position import PagesError, Position, resume_position

__all__ = [
    "Bookmark",
    "Items",
    "ListResponse",
    "NewItems",
    "Pages",
    "PagesError",
    "Position",
    "new_items",
    "resume_position",
]
