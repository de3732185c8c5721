"""Bulk jobs: any number of rows, sent in chunks by concurrent requests, no row lost.

::

    summary = bulk.upsert_profiles(integration, rows, failures="failed.jsonl")

`talon_one.aio.bulk` has the same functions for asyncio. `partition` sends a part of a job that is
spread over processes or machines.
"""

from talon_one.bulk.audience_rows import AudienceRow, audience_rows
from talon_one.bulk.failures import Failure, failures_in, read_failures
from talon_one.bulk.functions import (
    change_audiences,
    create_coupons,
    create_coupons_for_recipients,
    sync_catalog,
    upsert_profiles,
)
from talon_one.bulk.options import Options, PoolSizeWarning
from talon_one.bulk.part_state import AttemptSuperseded, Part, parts_in
from talon_one.bulk.partition import partition
from talon_one.bulk.progress import with_rich, with_tqdm
from talon_one.bulk.reports import BulkStopped, ChunkResult, Progress, Summary
from talon_one.bulk.shared_limiter import SharedLimiter
from talon_one.bulk.unreadable import UnreadableRow

__all__ = [
    "AttemptSuperseded",
    "AudienceRow",
    "BulkStopped",
    "ChunkResult",
    "Failure",
    "Options",
    "Part",
    "PoolSizeWarning",
    "Progress",
    "SharedLimiter",
    "Summary",
    "UnreadableRow",
    "audience_rows",
    "change_audiences",
    "create_coupons",
    "create_coupons_for_recipients",
    "failures_in",
    "partition",
    "parts_in",
    "read_failures",
    "sync_catalog",
    "upsert_profiles",
    "with_rich",
    "with_tqdm",
]
