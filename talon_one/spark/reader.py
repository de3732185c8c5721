"""Reader of exports and lists: one partition for each Application, campaign, or other ID."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as arrow
from pyspark.sql.datasource import DataSourceReader, InputPartition
from pyspark.sql.types import StructType

import talon_one
from talon_one.exceptions import ApiTypeError
from talon_one.spark import credentials
from talon_one.spark.columns import arrow_schema_of
from talon_one.spark.lists import rows_of_list
from talon_one.spark.queries import ALL, CAMPAIGNS, Query

# Rows of a list in a batch: lists are for small things.
_BATCH = 1000


class Slice(InputPartition):
    """Arguments of the call whose rows are one partition."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        super().__init__(arguments)


class Reader(DataSourceReader):
    """Reads an export or a list.

    A task that fails loses its rows as a whole, and the next attempt reads all of them, so none is
    lost or doubled. A response that breaks off fails the task.

    Args:
        query: What the options say.
        schema: Columns to read.

    Raises:
        ApiTypeError: A column has a type that no column of a table has.
    """

    def __init__(self, query: Query, schema: StructType) -> None:
        self._query = query
        self._schema = arrow_schema_of(schema.jsonValue())

    def partitions(self) -> list[InputPartition]:
        """Return one partition for each combination of the IDs in the options.

        Lists the campaigns of the Applications if the options ask for all of them, with the
        operation getCampaigns.
        """
        return [Slice(arguments) for arguments in self._slices()]

    def read(self, partition: InputPartition) -> Iterator[arrow.RecordBatch]:
        """Yield the rows of a partition, in a task."""
        query = self._query
        arguments = partition.value or {}
        with self._client() as client:
            api = getattr(talon_one, query.api)(client)
            method = getattr(api, query.method)
            if query.is_list:
                items = api.iterate(method, **arguments)
                yield from rows_of_list(items, self._schema, _BATCH)
                return
            with api.table(method, **arguments) as table:
                yield from table.record_batches(schema=self._schema)

    def _slices(self) -> list[dict[str, Any]]:
        slices = self._query.slices()
        if not any(each.get(CAMPAIGNS) == ALL for each in slices):
            return slices
        with self._client() as client:
            management = talon_one.ManagementApi(client)
            return [
                {**each, CAMPAIGNS: campaign}
                for each in slices
                for campaign in _campaigns(management, each)
            ]

    def _client(self) -> talon_one.ApiClient:
        query = self._query
        return talon_one.ApiClient(
            credentials.configuration(query.credentials, query.own_credentials)
        )


def _campaigns(management: talon_one.ManagementApi, arguments: dict[str, Any]) -> list[int]:
    application = arguments.get("application_id")
    if application is None:
        raise ApiTypeError("campaignId=all needs the option applicationId")
    return [
        int(campaign.id)
        for campaign in management.iterate(management.get_campaigns, application)
        if campaign.id is not None
    ]
