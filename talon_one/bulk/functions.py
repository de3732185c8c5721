"""Blocking functions of bulk jobs, one for each operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from talon_one.bulk import operations
from talon_one.bulk.operations import Row
from talon_one.bulk.options import Options
from talon_one.bulk.reports import Summary
from talon_one.bulk.thread_runner import ThreadRunner

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
    one waits for the earlier one. A request whose outcome is unknown is retried, because that does
    no harm. Calls the operation updateCustomerProfilesV2, which runs no rules.

    Args:
        api: Integration API.
        rows: Profiles, each with its ``integrationId``. They are read as they are needed.
        silent: ``"no"`` to get the profiles in the responses, see `Options.on_chunk`.
        options: See `Options`.

    Returns:
        The outcome of the rows.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong; nothing was sent.
        BulkStopped: The job ended before the end of the rows.
    """
    return ThreadRunner(operations.profiles(api, silent), rows, options).execute()


def change_audiences(
    api: IntegrationApi,
    rows: Iterable[CustomerProfileAudienceRequestItem | Row],
    **options: Unpack[Options],
) -> Summary:
    """Add profiles to audiences, or remove them, up to 1000 with each request.

    Rows of one profile and one audience take effect in their order. A request whose outcome is
    unknown is not retried. Calls the operation updateCustomerProfileAudiences.

    Args:
        api: Integration API.
        rows: Actions, each with ``action``, ``profileIntegrationId`` and ``audienceId``.
        options: See `Options`.

    Returns:
        The outcome of the rows.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong; nothing was sent.
        BulkStopped: The job ended before the end of the rows.
    """
    return ThreadRunner(operations.audiences(api), rows, options).execute()


def sync_catalog(
    api: IntegrationApi,
    catalog_id: int,
    rows: Iterable[CatalogAction | Row],
    **options: Unpack[Options],
) -> Summary:
    """Change the items of a catalog, up to 1000 actions with each request.

    A request holds actions of one type, and each SKU once. Rows are not reordered, so sort them by
    type. An action on many items (``PATCH_MANY``, ``REMOVE_MANY``) waits for all actions before it,
    and all actions after it wait for it. A request whose outcome is unknown is not retried. Calls
    the operation syncCatalog.

    Args:
        api: Integration API.
        catalog_id: ID of the catalog.
        rows: Actions, each with ``type`` and ``payload``.
        options: See `Options`. ``concurrency`` is 1 by default.

    Returns:
        The outcome of the rows.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong; nothing was sent.
        BulkStopped: The job ended before the end of the rows.
    """
    operation = operations.catalog(api, catalog_id)
    return ThreadRunner(operation, rows, {"concurrency": 1, **options}).execute()


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

    A row is what one request creates. A row with a larger ``numberOfCoupons`` is split into several
    rows, which are counted and numbered separately. A request whose outcome is unknown is not
    retried. Calls the operation createCoupons.

    Args:
        api: Management API.
        application_id: ID of the Application.
        campaign_id: ID of the campaign.
        rows: Requests for coupons, each with its ``numberOfCoupons``.
        silent: ``"no"`` to get the coupons in the responses, see `Options.on_chunk`.
        options: See `Options`.

    Returns:
        The outcome of the rows.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong; nothing was sent.
        BulkStopped: The job ended before the end of the rows.
    """
    operation = operations.coupons(api, application_id, campaign_id, silent)
    return ThreadRunner(operation, rows, options).execute()


def create_coupons_for_recipients(
    api: ManagementApi,
    application_id: int,
    campaign_id: int,
    rows: Iterable[str],
    coupon: NewCouponsForMultipleRecipients | Mapping[str, Any],
    *,
    silent: Literal["yes", "no"] | None = None,
    **options: Unpack[Options],
) -> Summary:
    """Create one coupon for each profile, up to 1000 with each request.

    A request whose outcome is unknown is not retried. Calls the operation
    createCouponsForMultipleRecipients.

    Args:
        api: Management API.
        application_id: ID of the Application.
        campaign_id: ID of the campaign.
        rows: Integration IDs of the profiles.
        coupon: Properties of all coupons, such as ``couponPattern``.
        silent: ``"no"`` to get the coupons in the responses, see `Options.on_chunk`.
        options: See `Options`.

    Returns:
        The outcome of the rows.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong; nothing was sent.
        BulkStopped: The job ended before the end of the rows.
    """
    operation = operations.recipients(api, application_id, campaign_id, coupon, silent)
    return ThreadRunner(operation, rows, options).execute()
