"""Bulk jobs for asyncio: the functions of `talon_one.bulk`, awaited.

::

    summary = await bulk.upsert_profiles(integration, rows, failures="failed.jsonl")

Rows may also come from an asynchronous generator. Cancelling the task cancels the requests in
flight; rows of requests that are not idempotent are unknown then. The failures file is written in
the event loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from talon_one.aio.bulk_runner import TaskRunner
from talon_one.bulk import (
    BulkStopped,
    ChunkResult,
    Failure,
    Options,
    PoolSizeWarning,
    Progress,
    Summary,
    UnreadableRow,
    failures_in,
    operations,
    read_failures,
    with_rich,
    with_tqdm,
)
from talon_one.bulk.operations import Row

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from talon_one.aio.api import IntegrationApi, ManagementApi
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
    "UnreadableRow",
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


async def upsert_profiles(
    api: IntegrationApi,
    rows: Iterable[MultipleCustomerProfileIntegrationRequestItem | Row]
    | AsyncIterable[MultipleCustomerProfileIntegrationRequestItem | Row],
    *,
    silent: Literal["yes", "no"] | None = None,
    **options: Unpack[Options],
) -> Summary:
    """Create or update profiles; see `talon_one.bulk.upsert_profiles`."""
    return await TaskRunner(operations.profiles(api, silent), rows, options).execute()


async def change_audiences(
    api: IntegrationApi,
    rows: Iterable[CustomerProfileAudienceRequestItem | Row]
    | AsyncIterable[CustomerProfileAudienceRequestItem | Row],
    **options: Unpack[Options],
) -> Summary:
    """Add profiles to audiences, or remove them; see `talon_one.bulk.change_audiences`."""
    return await TaskRunner(operations.audiences(api), rows, options).execute()


async def sync_catalog(
    api: IntegrationApi,
    catalog_id: int,
    rows: Iterable[CatalogAction | Row] | AsyncIterable[CatalogAction | Row],
    **options: Unpack[Options],
) -> Summary:
    """Change the items of a catalog; see `talon_one.bulk.sync_catalog`."""
    return await TaskRunner(
        operations.catalog(api, catalog_id), rows, {"concurrency": 1, **options}
    ).execute()


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
    return await TaskRunner(
        operations.coupons(api, application_id, campaign_id, silent), rows, options
    ).execute()


async def create_coupons_for_recipients(
    api: ManagementApi,
    application_id: int,
    campaign_id: int,
    rows: Iterable[str] | AsyncIterable[str],
    coupon: NewCouponsForMultipleRecipients | Mapping[str, Any],
    *,
    silent: Literal["yes", "no"] | None = None,
    **options: Unpack[Options],
) -> Summary:
    """Create one coupon for each profile; see `talon_one.bulk.create_coupons_for_recipients`."""
    operation = operations.recipients(api, application_id, campaign_id, coupon, silent)
    return await TaskRunner(operation, rows, options).execute()
