"""The blocking functions of bulk work, and the threads that make their requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Semaphore
from typing import TYPE_CHECKING, Any, Literal

from talon_one.bulk import operations as kinds
from talon_one.bulk.chunks import NotBegun, Run, not_begun
from talon_one.bulk.job import Job, Options
from talon_one.bulk.operations import Row
from talon_one.bulk.pieces import Piece
from talon_one.bulk.reports import Summary

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from talon_one.api import IntegrationApi, ManagementApi
    from talon_one.models import (
        CatalogAction,
        CustomerProfileAudienceRequestItem,
        MultipleCustomerProfileIntegrationRequestItem,
        NewCoupons,
        NewCouponsForMultipleRecipients,
    )


def upsert_profiles(
    api: IntegrationApi,
    rows: Iterable[MultipleCustomerProfileIntegrationRequestItem | Row],
    *,
    silent: Literal["yes", "no"] | None = None,
    **options: Unpack[Options],
) -> Summary:
    """Create or update profiles, up to 1000 with each request.

    Rows of one profile take effect in their order: no request holds two of them, and the later
    one waits for the earlier one. A request whose outcome is unknown is repeated, because that does
    no harm. Stands for the operation updateCustomerProfilesV2; no rules run.

    Args:
        api: Integration API.
        rows: Profiles, each with its ``integrationId``. They are read little by little.
        silent: ``"no"`` to have the profiles in the answers, see `Options.on_chunk`.
        options: See `Options`.

    Returns:
        What became of the rows.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong; nothing was sent.
        BulkStopped: The work ended before the end of the rows.
    """
    return _carry_out(kinds.profiles(api, silent), rows, options)


def change_audiences(
    api: IntegrationApi,
    rows: Iterable[CustomerProfileAudienceRequestItem | Row],
    **options: Unpack[Options],
) -> Summary:
    """Add profiles to audiences, or take them out, up to 1000 with each request.

    Rows of one profile and one audience take effect in their order. A request whose outcome is
    unknown is not repeated. Stands for the operation updateCustomerProfileAudiences.

    Args:
        api: Integration API.
        rows: Actions, each with ``action``, ``profileIntegrationId`` and ``audienceId``.
        options: See `Options`.

    Returns:
        What became of the rows.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong; nothing was sent.
        BulkStopped: The work ended before the end of the rows.
    """
    return _carry_out(kinds.audiences(api), rows, options)


def sync_catalog(
    api: IntegrationApi,
    catalog_id: int,
    rows: Iterable[CatalogAction | Row],
    **options: Unpack[Options],
) -> Summary:
    """Change the items of a catalog, up to 1000 actions with each request.

    A request holds actions of one type, and each SKU once; rows are not reordered for that, so
    sort them by type. What concerns many items (``PATCH_MANY``, ``REMOVE_MANY``) waits for what is
    before it, and the rest waits for it. A request whose outcome is unknown is not repeated. Stands
    for the operation syncCatalog.

    Args:
        api: Integration API.
        catalog_id: ID of the catalog.
        rows: Actions, each with ``type`` and ``payload``.
        options: See `Options`. One request is under way at a time unless ``at_once`` says more.

    Returns:
        What became of the rows.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong; nothing was sent.
        BulkStopped: The work ended before the end of the rows.
    """
    return _carry_out(kinds.catalog(api, catalog_id), rows, {"at_once": 1, **options})


def create_coupons(
    api: ManagementApi,
    application_id: int,
    campaign_id: int,
    rows: Iterable[NewCoupons | Row],
    *,
    silent: Literal["yes", "no"] | None = None,
    **options: Unpack[Options],
) -> Summary:
    """Create coupons from patterns, up to 20,000 with each request.

    A row is what one request creates. A row with a larger ``numberOfCoupons`` is cut into several,
    which are counted and numbered as rows of their own. A request whose outcome is unknown is not
    repeated. Stands for the operation createCoupons.

    Args:
        api: Management API.
        application_id: ID of the Application.
        campaign_id: ID of the campaign.
        rows: What to create, each with its ``numberOfCoupons``.
        silent: ``"no"`` to have the coupons in the answers, see `Options.on_chunk`.
        options: See `Options`.

    Returns:
        What became of the rows.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong; nothing was sent.
        BulkStopped: The work ended before the end of the rows.
    """
    work = kinds.coupons(api, application_id, campaign_id, silent)
    return _carry_out(work, rows, options)


def create_coupons_for_recipients(
    api: ManagementApi,
    application_id: int,
    campaign_id: int,
    rows: Iterable[str],
    coupon: NewCouponsForMultipleRecipients | Row,
    *,
    silent: Literal["yes", "no"] | None = None,
    **options: Unpack[Options],
) -> Summary:
    """Create one coupon for each profile, up to 1000 with each request.

    A request whose outcome is unknown is not repeated. Stands for the operation
    createCouponsForMultipleRecipients.

    Args:
        api: Management API.
        application_id: ID of the Application.
        campaign_id: ID of the campaign.
        rows: Integration IDs of the profiles.
        coupon: What the coupons have in common, such as ``couponPattern``.
        silent: ``"no"`` to have the coupons in the answers, see `Options.on_chunk`.
        options: See `Options`.

    Returns:
        What became of the rows.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong; nothing was sent.
        BulkStopped: The work ended before the end of the rows.
    """
    work = kinds.recipients(api, application_id, campaign_id, coupon, silent)
    return _carry_out(work, rows, options)


def _carry_out(
    work: kinds.BulkOperation, rows: Iterable[Any], options: Mapping[str, Any]
) -> Summary:
    """Do bulk work in threads. Rows, file and functions are the business of this thread alone."""
    job = Job(work, rows, options, asynchronous=False)
    run = job.run
    executor = ThreadPoolExecutor(job.at_once, "talon-one-bulk")
    ended: SimpleQueue[tuple[Piece, Any, BaseException | None]] = SimpleQueue()
    # What has ended is taken out of the queue only where Ctrl-C cannot come between.
    arrived = Semaphore(0)

    def send(piece: Piece) -> None:
        try:
            with not_begun():
                pause = job.pause()
                if pause:
                    work.client.clock.sleep(pause)
            if pause and run.stopped is not None:
                raise NotBegun("the work was stopped")
            ended.put((piece, job.request(piece), None))
        except BaseException as failure:  # Whatever it is, this thread is not the one to judge it.
            ended.put((piece, None, failure))
        arrived.release()

    def begin() -> bool:
        """Make the next request, if there is one to make."""
        with job.interrupts.held:
            piece = run.next() if run.under_way < job.at_once else None
            if piece is not None:
                executor.submit(send, piece)
        return piece is not None

    def settle() -> None:
        with job.interrupts.held:
            run.ended(*ended.get_nowait())

    def settle_what_has_ended() -> None:
        while not ended.empty() and arrived.acquire(blocking=False):
            settle()

    def work_off() -> None:
        run.tell()
        iterator = iter(rows)
        while run.stopped is None:
            _fill(run, iterator, settle_what_has_ended)
            if begin():
                continue
            # With every request under way, the rows of the next one have been read.
            if not run.under_way:
                return
            arrived.acquire()
            settle()

    with job.interrupts:
        try:
            work_off()
        except BaseException as cause:  # Also Ctrl-C: what is under way comes to its end first.
            run.stop(cause)
        try:
            executor.shutdown()
        except BaseException as cause:  # Another Ctrl-C: what is under way is left to itself.
            run.stop(cause)
        with job.interrupts.held:
            while not ended.empty():
                try:
                    settle()
                except Exception as cause:  # Of a function of the caller.
                    run.stop(cause)
            return job.end()


def _fill(run: Run, iterator: Iterator[Any], settle: Callable[[], object]) -> None:
    """Read rows until there is something to send; rows that take their time keep no answer."""
    if not run.hungry:
        return
    for row in iterator:
        settle()
        run.add(row)
        if not run.hungry:
            return
    run.exhaust()
