"""Bulk work for asyncio: the same as `talon_one.bulk`, awaited.

::

    summary = await bulk.upsert_profiles(integration, rows, failures="failed.jsonl")

Rows may come from an asynchronous generator, too. A task that is cancelled cancels the requests
that are under way: of those that may not be repeated, the rows are unknown then. The failures file
is written by the event loop itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from talon_one.bulk import (
    BulkStopped,
    ChunkResult,
    Failure,
    Options,
    PoolSizeWarning,
    Progress,
    Summary,
    failures_in,
    read_failures,
    with_rich,
    with_tqdm,
)
from talon_one.bulk import operations as kinds
from talon_one.bulk.chunks import NotBegun, not_begun
from talon_one.bulk.job import Job
from talon_one.bulk.operations import Row

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from talon_one.aio.api import IntegrationApi, ManagementApi
    from talon_one.bulk.pieces import Piece
    from talon_one.models import (
        CatalogAction,
        CustomerProfileAudienceRequestItem,
        MultipleCustomerProfileIntegrationRequestItem,
        NewCoupons,
        NewCouponsForMultipleRecipients,
    )

__all__ = [
    "BulkStopped",
    "ChunkResult",
    "Failure",
    "Options",
    "PoolSizeWarning",
    "Progress",
    "Summary",
    "change_audiences",
    "create_coupons",
    "create_coupons_for_recipients",
    "failures_in",
    "read_failures",
    "sync_catalog",
    "upsert_profiles",
    "with_rich",
    "with_tqdm",
]


# Rows that are read before other tasks have their turn, where nothing comes of them.
_ROWS_IN_A_ROW = 1000


async def upsert_profiles(
    api: IntegrationApi,
    rows: Iterable[MultipleCustomerProfileIntegrationRequestItem | Row]
    | AsyncIterable[MultipleCustomerProfileIntegrationRequestItem | Row],
    *,
    silent: Literal["yes", "no"] | None = None,
    **options: Unpack[Options],
) -> Summary:
    """Create or update profiles; see `talon_one.bulk.upsert_profiles`."""
    return await _carry_out(kinds.profiles(api, silent), rows, options)


async def change_audiences(
    api: IntegrationApi,
    rows: Iterable[CustomerProfileAudienceRequestItem | Row]
    | AsyncIterable[CustomerProfileAudienceRequestItem | Row],
    **options: Unpack[Options],
) -> Summary:
    """Add profiles to audiences, or take them out; see `talon_one.bulk.change_audiences`."""
    return await _carry_out(kinds.audiences(api), rows, options)


async def sync_catalog(
    api: IntegrationApi,
    catalog_id: int,
    rows: Iterable[CatalogAction | Row] | AsyncIterable[CatalogAction | Row],
    **options: Unpack[Options],
) -> Summary:
    """Change the items of a catalog; see `talon_one.bulk.sync_catalog`."""
    return await _carry_out(kinds.catalog(api, catalog_id), rows, {"at_once": 1, **options})


async def create_coupons(
    api: ManagementApi,
    application_id: int,
    campaign_id: int,
    rows: Iterable[NewCoupons | Row] | AsyncIterable[NewCoupons | Row],
    *,
    silent: Literal["yes", "no"] | None = None,
    **options: Unpack[Options],
) -> Summary:
    """Create coupons from patterns; see `talon_one.bulk.create_coupons`."""
    return await _carry_out(kinds.coupons(api, application_id, campaign_id, silent), rows, options)


async def create_coupons_for_recipients(
    api: ManagementApi,
    application_id: int,
    campaign_id: int,
    rows: Iterable[str] | AsyncIterable[str],
    coupon: NewCouponsForMultipleRecipients | Row,
    *,
    silent: Literal["yes", "no"] | None = None,
    **options: Unpack[Options],
) -> Summary:
    """Create one coupon for each profile; see `talon_one.bulk.create_coupons_for_recipients`."""
    work = kinds.recipients(api, application_id, campaign_id, coupon, silent)
    return await _carry_out(work, rows, options)


async def _carry_out(work: kinds.BulkOperation, rows: Any, options: Mapping[str, Any]) -> Summary:
    """Do bulk work in tasks. Rows, file and functions are the business of this task alone."""
    job = Job(work, rows, options, asynchronous=True)
    run = job.run
    under_way: dict[asyncio.Task[Any], Piece] = {}
    begun: set[Piece] = set()

    async def send(piece: Piece) -> Any:
        with not_begun():
            pause = job.pause()
            if pause:
                await work.client.clock.sleep(pause)
        if pause and run.stopped is not None:
            raise NotBegun("the work was stopped")
        begun.add(piece)
        return await job.request(piece)

    async def work_off() -> None:
        run.tell()
        iterator = aiter(rows) if isinstance(rows, AsyncIterable) else iter(rows)
        while run.stopped is None:
            await _fill(run, iterator)
            if run.under_way < job.at_once and (piece := run.next()) is not None:
                under_way[asyncio.create_task(send(piece))] = piece
                continue
            # With every request under way, the rows of the next one have been read.
            if not run.under_way:
                return
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            settle()

    def settle() -> None:
        for task in [task for task in under_way if task.done()]:
            piece = under_way.pop(task)
            if task.cancelled():
                # By whomever: `Run.close` decides what becomes of rows that may have been sent.
                run.stop(asyncio.CancelledError())
                if piece not in begun:
                    run.ended(piece, None, NotBegun("the work was cancelled"))
                continue
            begun.discard(piece)
            failure = task.exception()
            run.ended(piece, None if failure else task.result(), failure)

    def interrupt(cause: BaseException) -> None:
        run.stop(cause)
        for task in under_way:
            task.cancel()

    async def drain() -> None:
        if under_way:
            await asyncio.wait(under_way)

    try:
        await work_off()
    except Exception as cause:  # Of the caller's code: what is under way comes to its end first.
        run.stop(cause)
    except BaseException as cause:
        interrupt(cause)
    try:
        await drain()
    except BaseException as cause:
        interrupt(cause)
        # Cancelled once more, the tasks are left to themselves.
        with suppress(asyncio.CancelledError):
            await drain()
    while any(task.done() for task in under_way):
        try:
            settle()
        except Exception as cause:  # Of a function of the caller.
            run.stop(cause)
    return job.end()


async def _fill(run: Any, iterator: Iterator[Any] | AsyncIterator[Any]) -> None:
    """Read rows until there is something to send."""
    if not run.hungry:
        return
    if isinstance(iterator, AsyncIterator):
        async for row in iterator:
            run.add(row)
            if not run.hungry:
                return
    else:
        for number, row in enumerate(iterator, 1):
            run.add(row)
            if not run.hungry:
                return
            if number % _ROWS_IN_A_ROW == 0:
                await asyncio.sleep(0)
    run.exhaust()
