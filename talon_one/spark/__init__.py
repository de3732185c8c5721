"""Apache Spark: bulk work on data frames, and exports as data frames.

::

    talon_one.spark.register(spark)
    (
        profiles.write.format("talon_one")
        .mode("append")
        .option("operation", "upsert_profiles")
        .option("state", "s3://bucket/monday")
        .save()
    )
    coupons = spark.read.format("talon_one").option("export", "coupons").option("applicationId", 3)

It needs Spark 4 and pyarrow, on the driver and on the executors, where this package has to be
installed as well.
"""

try:
    import pyarrow  # noqa: F401  because Spark would name no package to install
    from pyspark.sql.datasource import DataSource  # noqa: F401  the same
except ImportError as cause:
    raise ImportError(
        f'talon_one.spark needs Spark 4 and pyarrow ({cause}): pip install "pyspark>=4" pyarrow'
    ) from cause

from talon_one.spark.source import TalonOneSource, register
from talon_one.spark.writer import RowsFailed, SparkWarning

__all__ = ["RowsFailed", "SparkWarning", "TalonOneSource", "register"]
