"""A million customers from a lake to Talon.One with Spark, and coupons back into the lake.

A task dies in the middle, and every profile arrives once all the same. It needs Java, and
``pip install "talon_one[fast]" "pyspark>=4" pyarrow``. Run it, or paste the cells into a notebook::

    python examples/spark_lake.py [CUSTOMERS]
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pyspark import TaskContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import talon_one
import talon_one.spark

# %% Spark runs its tasks with this Python, so that they have the same packages.
os.environ["PYSPARK_PYTHON"] = sys.executable

# %% A server in place of Talon.One, which counts what arrives. Yours is the host of your account.
arrived: Counter[str] = Counter()
lock = threading.Lock()
CAMPAIGNS = (12, 13)


class Counting(BaseHTTPRequestHandler):
    """Counts profiles, and exports three coupons of a campaign."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """Count the profiles of a request."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with lock:
            arrived.update(profile["integrationId"] for profile in body["customerProfiles"])
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        """Export coupons."""
        campaign = self.path.partition("campaignId=")[2].partition("&")[0]
        rows = "".join(f"{campaign},SUMMER-{campaign}-{number},1\n" for number in range(3))
        content = f"campaignid,value,limitval\n{rows}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Log nothing."""


class DiesOnce(talon_one.Hooks):
    """Ends the process of a task in the middle of the first part, at its first attempt."""

    def __init__(self) -> None:
        self._requests = 0

    def on_request(self, event: talon_one.CallEvent) -> None:
        """End the process before its twentieth request."""
        context = TaskContext.get()
        if event.attempt and context and (context.partitionId(), context.attemptNumber()) == (0, 0):
            self._requests += 1
            if self._requests == 20:
                os._exit(1)


def run(customers: int, lake: Path, host: str) -> None:
    """Send the customers, show what became of them, and read the coupons."""
    # %% A session with two tasks at a time, each of which is tried up to four times.
    spark = (
        SparkSession.builder.master("local[2,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.warehouse.dir", str(lake / "warehouse"))
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")

    # %% Keys come from a secret store, in each task. The hook is what kills a task here.
    def credentials() -> talon_one.Configuration:
        keys = {"api_key_v1": "from your secret store", "management_key": "the same"}
        return talon_one.Configuration(host, keys, hooks=[DiesOnce()])

    talon_one.spark.register(spark, credentials=credentials)

    # %% The lake: customers in eight files. Three of them have no ID.
    (
        spark.range(0, customers, 1, 8)
        .select(
            F.when(F.col("id") % (customers // 3) != 7, F.concat(F.lit("customer-"), "id")).alias(
                "customer"
            ),
            F.when(F.col("id") % 4 == 0, "gold").alias("tier"),
            (F.col("id") % 100 / 10).cast("decimal(10, 1)").alias("spend"),
            F.timestamp_seconds(F.lit(1_700_000_000) + F.col("id")).alias("since"),
        )
        .write.parquet(str(lake / "customers"))
    )

    # %% Columns of the lake become properties of a profile.
    profiles = spark.read.parquet(str(lake / "customers")).select(
        F.col("customer").alias("integrationId"),
        F.struct(
            F.col("tier").alias("Tier"),
            F.col("spend").alias("Spend"),
            F.col("since").alias("CustomerSince"),
        ).alias("attributes"),
    )
    (
        profiles.write.format("talon_one")
        .mode("append")
        .option("operation", "upsert_profiles")
        .option("state", str(lake / "state"))
        .option("failures", str(lake / "failures"))
        .option("maxFailedRows", 10)
        # With more requests in flight, those of the moment when the task dies are sent again.
        .option("concurrency", 1)
        .save()
    )

    # %% The numbers of the summary are those of the server.
    summary = json.loads((lake / "state" / "_summary.json").read_text())
    print(f"{summary['sent']} sent, {summary['failed']} failed, {summary['unknown']} unknown")
    print(f"{len(arrived)} profiles arrived, {sum(arrived.values()) - len(arrived)} of them again")
    print("attempts:", max(part["attempt"] for part in summary["parts"]) + 1)

    # %% Rows that failed are a table.
    columns = "part int, index bigint, outcome string, reason string, status int, row string"
    failed = spark.read.schema(columns).json(summary["failures"])
    failed.groupBy("reason").count().show(truncate=False)

    # %% Coupons of two campaigns come back as Parquet.
    (
        spark.read.format("talon_one")
        .option("export", "coupons")
        .option("applicationId", 3)
        .option("campaignId", ",".join(map(str, CAMPAIGNS)))
        .load()
        .write.parquet(str(lake / "coupons"))
    )
    coupons = spark.read.parquet(str(lake / "coupons"))
    coupons.select("campaignid", "value", "limitval").orderBy("value").show()
    spark.stop()


def main(customers: int = 1_000_000) -> None:
    """Run the example in a folder that is removed afterwards."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        run(customers, Path(folder), f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
