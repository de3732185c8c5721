"""What Spark adds to bulk work and exports: ``python -m benchmarks.spark_rows``.

All numbers are rows for each CPU second of the processes that do the work. *In the task* is the
Python process that sends or reads, which holds one core of an executor. *With Spark* adds the
virtual machine of Java, which reads the Parquet files and plans the job.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks import ROOT, bulk_rows, calls, server
from benchmarks.payloads import coupon_export

_ROW = "{:<58} {:>11} {:>11}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure in new processes, with and without orjson, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark_rows", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of each measurement")
    parser.add_argument("--measure", choices=list(_MEASURES), help=argparse.SUPPRESS)
    parser.add_argument("--without-orjson", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.measure is not None:
        if given.without_orjson:
            calls.disable_orjson()
        print(json.dumps(_MEASURES[given.measure](given.rows)))
        return
    print(_ROW.format("rows for each CPU second", "json", "orjson"))
    for name in ("writing", "reading"):
        standard = _in_new_process(name, given.rows, "--without-orjson")
        fast = _in_new_process(name, given.rows) if importlib.util.find_spec("orjson") else {}
        for measure, value in standard.items():
            digits = ",.2f" if value < 100 else ",.0f"
            with_it = format(fast[measure], digits) if measure in fast else ""
            print(_ROW.format(measure, format(value, digits), with_it), flush=True)


def _in_new_process(name: str, rows: int, *options: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.spark_rows", "--measure", name]
    done = subprocess.run(
        [*command, "--rows", str(rows), *options],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


# -- Writing ---------------------------------------------------------------------------------------


def _writing(rows: int) -> dict[str, float]:
    with server.running(empty=True) as host, tempfile.TemporaryDirectory() as folder:
        lake = Path(folder)
        bulk_rows.send(host, rows // 10)
        began = process_time()
        bulk_rows.send(host, rows)
        plain = rows / (process_time() - began)
        task = rows / _batches_sent(host, rows)
        with _session(lake) as spark:
            frame = _parquet(spark, lake, rows)
            _write(frame.limit(1000), host)
            task_before, all_before = _cpu_of_workers(), _cpu_of_descendants()
            _write(frame, host)
            workers = _cpu_of_workers() - task_before
            everything = _cpu_of_descendants() - all_before
    return {
        "profiles sent by talon_one.bulk": plain,
        "the same from Arrow batches, without Spark": task,
        "  as a ratio (goal 0.5)": task / plain,
        "the same by Spark, in the task": rows / workers,
        "  as a ratio (goal 0.5)  ": rows / workers / plain,
        "the same by Spark, with Java": rows / everything,
        "  as a ratio": rows / everything / plain,
    }


def _batches_sent(host: str, rows: int) -> float:
    """Send batches of Arrow; return the CPU seconds that this takes."""
    from talon_one import ApiClient, Configuration, IntegrationApi, bulk
    from talon_one.spark.columns import rows_of

    batches = list(_batches(rows))
    began = process_time()
    with ApiClient(Configuration(host, {"api_key_v1": calls.API_KEY})) as client:
        sent = bulk.upsert_profiles(
            IntegrationApi(client),
            (row for batch in batches for row in rows_of(batch, send_nulls=False)),
        )
    if sent.sent != rows:
        raise RuntimeError(sent)
    return process_time() - began


def _batches(rows: int) -> Iterator[Any]:
    import pyarrow

    found: list[dict[str, Any]] = []
    for row in bulk_rows.profiles(rows):
        found.append(row)
        if len(found) == 10_000:
            yield pyarrow.RecordBatch.from_pylist(found)
            found = []
    if found:
        yield pyarrow.RecordBatch.from_pylist(found)


def _parquet(spark: Any, lake: Path, rows: int) -> Any:
    """Return a data frame over a file with the profiles of the other measurements."""
    import pyarrow
    from pyarrow import parquet

    path = lake / "profiles.parquet"
    first = next(_batches(1))
    with parquet.ParquetWriter(path, first.schema) as file:
        for batch in _batches(rows):
            file.write_table(pyarrow.Table.from_batches([batch]))
    return spark.read.parquet(str(path))


def _write(frame: Any, host: str) -> None:
    import talon_one.spark

    keys = {"TALON_ONE_HOST": host, "TALON_ONE_API_KEY": calls.API_KEY}
    plain = _without_orjson()

    def credentials() -> dict[str, str]:
        if plain:
            calls.disable_orjson()
        return keys

    talon_one.spark.register(frame.sparkSession, credentials)
    writer = frame.write.format("talon_one").mode("append")
    writer.option("operation", "upsert_profiles").save()


# -- Reading ---------------------------------------------------------------------------------------


def _reading(rows: int) -> dict[str, float]:
    import talon_one

    rows //= 5
    with _exporting(rows) as host, tempfile.TemporaryDirectory() as folder:
        began = process_time()
        keys = {"management_key": calls.API_KEY}
        with talon_one.ApiClient(talon_one.Configuration(host, keys)) as client:
            management = talon_one.ManagementApi(client)
            read = sum(1 for _ in management.table(management.export_coupons, 1))
        plain = read / (process_time() - began)
        with _session(Path(folder)) as spark:
            _read(spark, host, 1)
            task_before, all_before = _cpu_of_workers(), _cpu_of_descendants()
            counted = _read(spark, host, 1)
            workers = _cpu_of_workers() - task_before
            everything = _cpu_of_descendants() - all_before
    if counted != read:
        raise RuntimeError(f"{counted} rows instead of {read}")
    return {
        "rows of an export read by talon_one.tables": plain,
        "the same by Spark, in the task": read / workers,
        "  as a ratio (goal 0.5)": read / workers / plain,
        "the same by Spark, with Java": read / everything,
        "  as a ratio": read / everything / plain,
    }


def _read(spark: Any, host: str, application: int) -> int:
    import talon_one.spark

    keys = {"TALON_ONE_HOST": host, "TALON_ONE_MANAGEMENT_KEY": calls.API_KEY}
    talon_one.spark.register(spark, lambda: keys)
    reader = spark.read.format("talon_one").option("export", "coupons")
    count: int = reader.option("applicationId", application).load().count()
    return count


class _exporting:
    """A server, in a process of its own, that responds with an export."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def __enter__(self) -> str:
        command = [sys.executable, "-m", "benchmarks.spark_rows", "--measure", "serve"]
        self._process = subprocess.Popen(
            [*command, "--rows", str(self._rows)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        return f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __exit__(self, *exc_info: object) -> None:
        self._process.communicate()


def _serve(rows: int) -> dict[str, float]:
    """Serve an export until standard input is closed."""
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    content = coupon_export(rows)

    class Export(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/csv")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            """Log nothing."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Export)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    print(running.server_port, flush=True)
    sys.stdin.read()
    return {}


# -- Spark -----------------------------------------------------------------------------------------


class _session:
    """A session with one task at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Any:
        os.environ["PYSPARK_PYTHON"] = sys.executable
        from pyspark.sql import SparkSession

        self._spark = (
            SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.warehouse.dir", str(self._folder / "warehouse"))
            .getOrCreate()
        )
        return self._spark

    def __exit__(self, *exc_info: object) -> None:
        self._spark.stop()


def _without_orjson() -> bool:
    return "--without-orjson" in sys.argv


def _cpu_of_workers() -> float:
    """Return the CPU seconds of the Python processes that Spark has started, and their children."""
    return sum(_cpu(process) for process in _descendants() if "python" in _name(process))


def _cpu_of_descendants() -> float:
    """Return the CPU seconds of all processes that this one has started, and of their children."""
    return sum(map(_cpu, _descendants()))


def _descendants() -> list[int]:
    """Return the IDs of the processes below this one; the server of the benchmark is left out."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [each for each in children.get(os.getpid(), []) if "java" in _name(each)]
    for process in found:
        found += children.get(process, [])
    return found


def _cpu(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # Those of children that have ended are in the third and fourth.
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""


_MEASURES = {"writing": _writing, "reading": _reading, "serve": _serve}


if __name__ == "__main__":
    main()
