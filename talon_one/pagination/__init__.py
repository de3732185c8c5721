"""Lists, page by page: every operation that lists something can be iterated.

::

    for coupon in management.iterate(management.get_coupons_without_total_count, 3, 12):
        ...

How an operation pages is data: see `Paging`. A `PageCursor` decides what to request next, without
I/O; the iterators around it differ only in the ``await``.
"""

from talon_one.pagination.iterators import (
    AsyncItems,
    AsyncPages,
    Items,
    ListResponse,
    Pages,
)
from talon_one.pagination.position import PagesError, Position, resume_position

__all__ = [
    "AsyncItems",
    "AsyncPages",
    "Items",
    "ListResponse",
    "Pages",
    "PagesError",
    "Position",
    "resume_position",
]
