"""Lists, page by page: iterators over every operation that lists something.

::

    for coupon in management.iterate(management.get_coupons_without_total_count, 3, 12):
        ...

How an operation pages is data: see `Paging`. A `PageCursor` decides which page to request next;
iterators make the requests. `talon_one.aio.pagination` has the iterators for asyncio.
"""

from talon_one.pagination.iteration import ListResponse
from talon_one.pagination.iterators import Items, Pages
from talon_one.pagination.position import PagesError, Position, resume_position

__all__ = ["Items", "ListResponse", "Pages", "PagesError", "Position", "resume_position"]
