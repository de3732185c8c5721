"""Reader of exports and lists: one partition for each Application, campaign, or other ID."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as arrow
from pyspark.sql.datasource import DataSourceReader, InputPartition
from pyspark.sql.types import StructType

import talon_one
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.spark import credentials
from talon_one.spark.columns import arrow_schema_of, check_nulls
from talon_one.spark.lists import VALUE, check_list_schema, rows_of_list
from talon_one.spark.queries import ALL, CAMPAIGNS, Query
from talon_one.tables import CellError

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
        self._given = schema.jsonValue()
        self._schema = arrow_schema_of(self._given)
        self._described = {name.lower() for name in query.columns.names}
        if query.is_list:
            check_list_schema(self._schema, query.columns)

    def partitions(self) -> list[InputPartition]:
        """Return one partition for each combination of the IDs in the options.

        Lists the campaigns of the Applications if the options ask for all of them, with the
        operation getCampaigns.
        """
        return [Slice(arguments) for arguments in self._slices()]

    def read(self, partition: InputPartition | None) -> Iterator[arrow.RecordBatch]:
        """Yield the rows of a partition, in a task.

        Raises:
            ApiValueError: The response has none of the columns, or a cell does not fit its type.
        """
        # Spark reads an export of no campaigns all the same: with no partition, or an empty one.
        if partition is None or partition.value is None:
            return
        for batch in self._batches(partition.value):
            check_nulls(batch, self._given)
            yield batch

    def _batches(self, arguments: dict[str, Any]) -> Iterator[arrow.RecordBatch]:
        query = self._query
        with self._client() as client:
            api = getattr(talon_one, query.api)(client)
            method = getattr(api, query.method)
            if query.is_list:
                items = api.iterate(method, **arguments)
                of_text = self._described == {VALUE}
                yield from rows_of_list(items, self._schema, _BATCH, of_text=of_text)
                return
            with api.table(method, **arguments) as table:
                self._check_columns(table.columns)
                try:
                    yield from table.record_batches(schema=self._schema)
                except CellError as failure:
                    hint = (
                        f'; here by .option("text", "{failure.column}"), or as a string in a schema'
                        " of your own"
                    )
                    raise ApiValueError(f"{failure}{hint}") from failure

    def _check_columns(self, names: tuple[str, ...]) -> None:
        """Check that a response is the export, and has the columns that only the schema has."""
        found = {name.lower() for name in names}
        if found and not found & self._described:
            raise ApiValueError(
                f"the response is not the export: it has none of its columns but {', '.join(names)}"
            )
        for name in self._schema.names:
            if name.lower() not in self._described | found:
                raise ApiValueError(f"the export has no column {quoted(name)}")

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
    found: list[Any] = [
        getattr(campaign, "id", None)
        for campaign in management.iterate(management.get_campaigns, application)
    ]
    for id in found:
        if type(id) is not int:
            raise ApiValueError(f"the ID of a campaign is a whole number, not {quoted(id)}")
    # The pages of a list overlap while campaigns are deleted, and each one is read once.
    return list(dict.fromkeys(found))
