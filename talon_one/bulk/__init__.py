"""Bulk work: rows of any number, sent in chunks, several at once, and none of them lost.

::

    summary = bulk.upsert_profiles(integration, rows, failures="failed.jsonl")

`talon_one.aio.bulk` has the same for asyncio. What both do is decided in `talon_one.bulk.chunks`.
"""

from talon_one.bulk.failures import Failure, failures_in, read_failures
from talon_one.bulk.functions import (
    change_audiences,
    create_coupons,
    create_coupons_for_recipients,
    sync_catalog,
    upsert_profiles,
)
from talon_one.bulk.job import Options, PoolSizeWarning
from talon_one.bulk.progress import with_rich, with_tqdm
from talon_one.bulk.reports import BulkStopped, ChunkResult, Progress, Summary

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
