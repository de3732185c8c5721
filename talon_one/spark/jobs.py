"""WriteJob: what the options of a write say, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import talon_one
from talon_one._core.operation import Operation, operation_of
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.spark import credentials
from talon_one.spark.columns import check_columns
from talon_one.spark.options import OptionReader, whole_number


class _Kind(NamedTuple):
    """An operation that Spark can send rows with."""

    api: str
    """Name of the class of its API."""
    method: str
    row: str
    """Name of the model of a row."""
    arguments: Mapping[str, str] = {}
    """Argument of the bulk function for each option that it needs."""


_KINDS: Mapping[str, _Kind] = {
    "upsert_profiles": _Kind(
        "IntegrationApi",
        "update_customer_profiles_v2",
        "MultipleCustomerProfileIntegrationRequestItem",
    ),
    "change_audiences": _Kind(
        "IntegrationApi",
        "update_customer_profile_audiences",
        "CustomerProfileAudienceRequestItem",
    ),
    "sync_catalog": _Kind(
        "IntegrationApi", "sync_catalog", "CatalogAction", {"catalogId": "catalog_id"}
    ),
    "create_coupons": _Kind(
        "ManagementApi",
        "create_coupons",
        "NewCoupons",
        {"applicationId": "application_id", "campaignId": "campaign_id"},
    ),
}


_SETTINGS = {"concurrency": "concurrency", "chunkSize": "chunk_size"}


class WriteJob(NamedTuple):
    """A write, as its options describe it. It holds no key, and can be pickled."""

    operation: str
    api: str
    arguments: dict[str, int]
    state: str | None
    partitions: int | None
    """How many partitions the data frame has, if an option says so."""
    failures: str | None
    requests_per_second: float | None
    executors: int | None
    """How many executors divide the limit, if an option says so."""
    settings: dict[str, int | None]
    """Options of the bulk function."""
    send_nulls: bool
    credentials: str
    own_credentials: credentials.Source | None
    max_failed_rows: int | None

    @property
    def facts(self) -> Operation:
        """The operation of the API that sends the rows."""
        kind = _KINDS[self.operation]
        return operation_of(getattr(getattr(talon_one, kind.api), kind.method))


def read_write_job(
    options: Mapping[str, str],
    schema: Mapping[str, Any],
    own_credentials: credentials.Source | None,
) -> WriteJob:
    """Return the job that options and a schema describe.

    Args:
        options: Options of the writer.
        schema: Schema of the data frame, as ``StructType.jsonValue`` returns it.
        own_credentials: What `talon_one.spark.register` was given.

    Raises:
        ApiTypeError: An option is wrong or missing, or a column does not fit.
        ApiValueError: The operation is not idempotent, and there is no state.
    """
    reader = OptionReader(options, "writing to talon_one")
    operation = reader.word("operation", _KINDS)
    kind = _KINDS[operation]
    arguments = {}
    for option, argument in kind.arguments.items():
        number = reader.number(option)
        if number is None:
            raise ApiTypeError(f"{operation} needs the option {option}")
        arguments[argument] = number
    source = reader.text("credentials", "env") or ""
    credentials.check(source)
    settings: dict[str, int | None] = {}
    for option, setting in _SETTINGS.items():
        number = reader.number(option)
        if number is not None:
            settings[setting] = number
    if (failed := reader.text("maxFailedChunks")) is not None:
        endless = failed.lower() == "none"
        settings["max_failed_chunks"] = (
            None if endless else whole_number("maxFailedChunks", failed, 1)
        )
    state, failures = reader.folder("state"), reader.folder("failures")
    limit = reader.number("maxFailedRows", minimum=0)
    if limit is None and failures is None:
        limit = 0  # Nobody looks for rows in a folder that nobody has named.
    if failures is None and state is not None:
        failures = f"{state.rstrip('/')}/failures"
    partitions = reader.number("partitions", minimum=0)
    if partitions == 0:
        partitions = 1  # Spark runs a task for a data frame without partitions.
    job = WriteJob(
        operation,
        kind.api,
        arguments,
        state,
        partitions,
        failures,
        reader.rate("requestsPerSecond"),
        reader.number("executors"),
        settings,
        reader.word("nulls", ("omit", "send"), "omit") == "send",
        source,
        own_credentials,
        limit,
    )
    reader.end([each for other in _KINDS.values() for each in other.arguments])
    check_columns(schema, getattr(talon_one.models, kind.row), operation)
    if not job.facts.idempotent:
        if job.state is None:
            raise ApiValueError(
                f"{operation} needs the option state, because it is not idempotent: Spark tries"
                " failed tasks again, and without a state that would send rows twice"
            )
        if job.partitions is None:
            raise ApiValueError(
                f"{operation} needs the option partitions, because it is not idempotent: with"
                ' .option("partitions", frame.rdd.getNumPartitions()), a later run that divides the'
                " rows in another way, such as on a larger cluster, is refused"
            )
    return job
