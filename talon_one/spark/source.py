"""TalonOneSource: the data source ``talon_one`` of Spark."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, ClassVar
from warnings import warn

from pyspark.sql.datasource import (
    DataSource,
    DataSourceReader,
    DataSourceStreamReader,
    DataSourceStreamWriter,
    DataSourceWriter,
)
from pyspark.sql.types import StructType

from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.spark.credentials import Source, check_function
from talon_one.spark.jobs import read_write_job
from talon_one.spark.queries import Query, read_query
from talon_one.spark.reader import Reader
from talon_one.spark.writer import SparkWarning, Writer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class TalonOneSource(DataSource):
    """Data source of Spark that sends bulk jobs, and reads exports and lists.

    Register it with `register`. The options are in the guide to Spark.
    """

    own_credentials: ClassVar[Source | None] = None
    """Function that returns host and keys in each task, in place of the option ``credentials``."""

    @classmethod
    def name(cls) -> str:
        """Return the name of the format."""
        return "talon_one"

    def schema(self) -> str:
        """Return the columns of an export or a list, in the language of Spark."""
        return self._query().schema

    def reader(self, schema: StructType) -> DataSourceReader:
        """Return the reader of an export or a list."""
        return Reader(self._query(), schema)

    def writer(self, schema: StructType, overwrite: bool) -> DataSourceWriter:
        """Return the writer of a data frame.

        Raises:
            ApiTypeError, ApiValueError: An option is wrong, or a column does not fit.
        """
        if overwrite:
            raise ApiValueError(
                'talon_one adds and changes, and cannot overwrite: use .mode("append")'
            )
        own = type(self).own_credentials
        writer = Writer(read_write_job(dict(self.options), schema.jsonValue(), own))
        writer.begin()
        return writer

    def streamWriter(self, schema: StructType, overwrite: bool) -> DataSourceStreamWriter:
        """Refuse a stream.

        Raises:
            ApiValueError: Always.
        """
        raise ApiValueError(
            "talon_one takes no streams: use foreachBatch, and write each batch with a state that"
            " is named after the number of the batch"
        )

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:
        """Refuse to read a stream.

        Raises:
            ApiValueError: Always.
        """
        raise ApiValueError("talon_one reads no streams: use spark.read rather than readStream")

    def _query(self) -> Query:
        return read_query(dict(self.options), type(self).own_credentials)


def register(spark: SparkSession, credentials: Source | None = None) -> None:
    """Make the format ``talon_one`` known to a session.

    ::

        talon_one.spark.register(spark)
        talon_one.spark.register(spark, credentials=from_our_vault)

    Args:
        spark: Session.
        credentials: Function that returns a `Configuration`, or a dict of variables as
            `Configuration.from_env` reads them. It is called in each task, so that keys are
            neither in a plan nor in a setting. Without it, the option ``credentials`` says where
            they are. What it refers to is pickled: a key in it travels to the executors with the
            code of the tasks.

    Raises:
        ApiTypeError: An argument is wrong.
    """
    if not hasattr(spark, "dataSource"):
        raise ApiTypeError(f"register takes a session of Spark 4, not {quoted(spark)}")
    if credentials is not None:
        check_function(credentials, "credentials")
    _check_python(spark)
    spark.dataSource.register(
        TalonOneSource if credentials is None else _with_credentials(credentials)
    )


def _with_credentials(credentials: Source) -> type[TalonOneSource]:
    # Spark sends a class of a module by its name, and one of a function as it is.
    class TalonOneSourceWithCredentials(TalonOneSource):
        own_credentials = staticmethod(credentials)

    return TalonOneSourceWithCredentials


def _check_python(spark: Any) -> None:
    """Warn if a local session runs its tasks with another Python than this one."""
    try:
        master = spark.sparkContext.master
        python = spark.sparkContext.pythonExec
    except Exception:  # A session over Spark Connect has no context, and may say so in any way.
        return
    if not isinstance(master, str) or not master.startswith("local"):
        return
    found = shutil.which(python)
    if found is None or os.path.abspath(found) != os.path.abspath(sys.executable):
        warn(
            f"Spark runs its tasks with {found or python}, and this program with {sys.executable}:"
            " packages of one may be missing in the other. Set PYSPARK_PYTHON to sys.executable"
            " before the session is made",
            SparkWarning,
            stacklevel=3,
        )
