"""Columns of data frames as rows: types, nulls, and what is refused before anything is sent."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark.conftest import Job, message_of, profiles
from support.server import RecordingServer
from talon_one._schema import json_codec
from talon_one.spark.columns import rows_of


def with_attributes(spark: SparkSession, **columns: str) -> DataFrame:
    """Return one profile with attributes that are expressions of SQL."""
    attributes = ", ".join(f"'{name}', {text}" for name, text in columns.items())
    return spark.sql(f"SELECT 'p1' AS integrationId, named_struct({attributes}) AS attributes")


def sent_attributes(server: RecordingServer) -> Any:
    [row] = server.requests[-1].json()["customerProfiles"]
    return row["attributes"]


def sent_rows(server: RecordingServer) -> list[Any]:
    return [row for request in server.requests for row in request.json()["customerProfiles"]]


def test_each_type_has_its_form_in_json(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    frame = with_attributes(
        spark,
        Text="'Ähm'",
        Whole="12345678901",
        Small="cast(7 as tinyint)",
        Real="0.1D",
        Exact="cast(19.99 as decimal(10, 2))",
        Round="cast(20 as decimal(10, 2))",
        Flag="true",
        Moment="timestamp '2026-06-01 12:00:00'",
        Instant="timestamp '2026-01-01 12:00:00.5+00:00'",
        List="array(1, 2)",
        Moments="array(timestamp '2026-06-01 12:00:00Z', null)",
        Map="map('a', 1, 'b', 2)",
        Nested="named_struct('x', named_struct('y', array(named_struct('z', 1))))",
    )
    job.write(frame)
    assert sent_attributes(server) == {
        "Text": "Ähm",
        "Whole": 12345678901,
        "Small": 7,
        "Real": 0.1,
        "Exact": 19.99,
        "Round": 20,
        "Flag": True,
        # In the time zone of the session, which is that of Berlin in summer.
        "Moment": "2026-06-01T10:00:00Z",
        "Instant": "2026-01-01T12:00:00.500000Z",
        "List": [1, 2],
        "Moments": ["2026-06-01T12:00:00Z", None],
        "Map": {"a": 1, "b": 2},
        "Nested": {"x": {"y": [{"z": 1}]}},
    }


NULLS = {
    "Void": "null",
    "Text": "cast(null as string)",
    "List": "array(1, null)",
    "Map": "map('a', 1, 'b', null)",
    "Inner": "named_struct('x', 1, 'y', cast(null as timestamp))",
}


def test_nulls_are_left_out(spark: SparkSession, server: RecordingServer, job: Job) -> None:
    job.write(with_attributes(spark, **NULLS))
    assert sent_attributes(server) == {"List": [1, None], "Map": {"a": 1}, "Inner": {"x": 1}}


def test_nulls_are_sent_where_that_is_wanted(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    job.write(with_attributes(spark, **NULLS), nulls="send")
    assert sent_attributes(server) == {
        "Void": None,
        "Text": None,
        "List": [1, None],
        "Map": {"a": 1, "b": None},
        "Inner": {"x": 1, "y": None},
    }


def test_a_void_map_is_empty(spark: SparkSession, server: RecordingServer, job: Job) -> None:
    job.write(with_attributes(spark, Map="map()"))
    assert sent_attributes(server) == {"Map": {}}


def test_floats_are_sent_as_spark_prints_them(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    numbers = ("0.1", "19.99", "1e-45", "3.4028235e38", "-0.0", "16777216")
    frame = with_attributes(
        spark, List=f"array({', '.join(f'float({text!r})' for text in numbers)}, null)"
    )
    job.write(frame)
    assert sent_attributes(server) == {"List": [*map(float, numbers), None]}
    assert b"0.1," in server.requests[-1].body


def test_a_year_that_json_does_not_have_fails_its_row_and_no_other(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    moments = ["0001-01-01 00:00:00Z", "9999-12-31 23:59:59.999999Z", "0000-12-31 23:59:59Z"]
    texts = [f"timestamp '{moment}'" for moment in [*moments, "+10000-01-01 00:00:00Z"]]
    texts += ["timestamp_micros(9223372036854775807)", "cast(null as timestamp)"]
    rows = [f"('p{at}', struct(array({text}) AS At))" for at, text in enumerate(texts)]
    job.write(spark.sql(f"VALUES {', '.join(rows)} AS t(integrationId, attributes)").coalesce(1))
    sent = {row["integrationId"]: row["attributes"] for row in sent_rows(server)}
    assert sent == {
        "p0": {"At": ["0001-01-01T00:00:00Z"]},
        "p1": {"At": ["9999-12-31T23:59:59.999999Z"]},
        "p5": {"At": [None]},
    }
    reasons = job.summary()["reasons"]
    assert sum(reasons.values()) == 3
    for reason in reasons:
        assert reason.startswith("$.attributes.At[0]: a timestamp has a year from 1 to 9999")


def test_not_a_number_fails_its_row_and_no_other(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    flat = spark.sql("VALUES ('p1', 1.5D), ('p2', double('NaN')) AS t(integrationId, Spend)")
    attributes = F.struct("Spend").alias("attributes")
    job.write(flat.select("integrationId", attributes))
    summary = job.summary()
    assert (summary["sent"], summary["failed"]) == (1, 1)
    assert list(summary["reasons"]) == ["$.attributes.Spend must be a finite number, not nan"]
    job.state = job.state.with_name("again")
    job.write(flat.replace(float("nan"), None).select("integrationId", attributes))
    assert job.summary()["sent"] == 2


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"At": "timestamp_ntz '2026-06-01 12:00:00'"}, 'attributes.At has no time zone: .cast("t'),
        ({"On": "date '2026-06-01'"}, "attributes.On is a date without a time"),
        ({"Raw": "cast('a' as binary)"}, "attributes.Raw is binary"),
        ({"Map": "map(1, 'a')"}, "attributes.Map is a map with keys of the type integer"),
        ({"In": "array(named_struct('q', date '2026-06-01'))"}, "attributes.In[].q is a date"),
        ({"In": "map('a', date '2026-06-01')"}, "attributes.In.* is a date"),
        ({"For": "interval 1 day"}, "attributes.For has the type interval day"),
    ],
)
def test_types_that_json_does_not_have_are_refused_before_anything_is_sent(
    spark: SparkSession, server: RecordingServer, job: Job, columns: dict[str, str], expected: str
) -> None:
    message = message_of(lambda: job.write(with_attributes(spark, **columns)))
    assert expected in message
    assert not server.requests
    assert not job.state.exists()


def test_columns_are_checked_before_anything_is_sent(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    frame = profiles(spark, 10)
    numbered = frame.withColumn("integrationId", F.lit(1).cast("long"))
    textual = frame.withColumn("attributes", F.lit("x"))
    misnamed = frame.withColumnRenamed("integrationId", "integration_id")
    cases: tuple[tuple[DataFrame, str, dict[str, Any], str], ...] = (
        (misnamed, "upsert_profiles", {}, "Did you mean 'integrationId'?"),
        (frame.drop("integrationId"), "upsert_profiles", {}, "needs the column integrationId"),
        (
            frame.withColumn("tier", F.lit("gold")),
            "upsert_profiles",
            {},
            'F.struct("tier", "city")',
        ),
        (frame.drop("attributes"), "change_audiences", {"partitions": 2}, "profileIntegrationId"),
        (frame, "sync_catalog", {"partitions": 2}, "sync_catalog needs the option catalogId"),
        (frame, "sync_catalog", {"partitions": 2, "catalogId": 0}, "whole number from 1"),
        (frame, "upsert_profile", {}, "Did you mean 'upsert_profiles'?"),
        (frame, "upsert_profiles", {"catalogId": 1}, "takes no option 'catalogid'"),
        (frame, "upsert_profiles", {"chunk_size": 1, "chunkSize": 1}, "are the same option"),
        (frame, "upsert_profiles", {"chunkSize": "9" * 5000}, "whole number from 1"),
        (frame, "upsert_profiles", {"requestsPerSecond": "1e-300"}, "is a number above 0"),
        (frame, "upsert_profiles", {"maxFailedChunks": "some"}, "whole number from 1"),
        (frame, "upsert_profiles", {"state": "dbfs:/x"}, "neither a path nor a URL"),
        (frame, "upsert_profiles", {"state": "memory://x"}, "which tasks do not share"),
        (frame, "upsert_profiles", {"state": "nosuch://x"}, "nosuch"),
        (
            numbered,
            "upsert_profiles",
            {},
            "of upsert_profiles is a string, not a",
        ),
        (textual, "upsert_profiles", {}, "of upsert_profiles is a struct, not a string"),
        (frame, "upsert_profiles", {"requestsPerSecond": "many"}, "is a number above 0"),
        *(
            (frame, "upsert_profiles", {"requestsPerSecond": text}, "is a number above 0")
            for text in ("nan", "0", "-1", "inf", "1_0", "\u0663", "1e400", "0x1")
        ),
        (frame, "upsert_profiles", {"host": "https://a.test"}, "host is no option"),
        (frame, "upsert_profiles", {"state": "file://"}, "has no path"),
        (
            frame.select("integrationId", "attributes", "attributes"),
            "upsert_profiles",
            {},
            "two columns of the data frame have the same name, 'attributes'",
        ),
        (frame, "upsert_profiles", {"concurrency": "0"}, "whole number from 1"),
        (frame, "upsert_profiles", {"nulls": "keep"}, "the option nulls is one of omit, send"),
        (frame, "upsert_profiles", {"maxFailedRows": "-1"}, "whole number from 0"),
        (frame, "upsert_profiles", {"conccurrency": "2"}, "Did you mean 'concurrency'?"),
    )
    for wrong, operation, options, expected in cases:
        message = message_of(partial(job.write, wrong, operation, **options))
        assert expected in message, message
    assert not server.requests


def test_actions_on_a_catalog_and_coupons_are_sent(
    spark: SparkSession, server: RecordingServer, job: Job
) -> None:
    actions = spark.sql(
        "SELECT 'ADD' AS type, named_struct('sku', 'A', 'price', 1.5D, 'product', null) AS payload"
    )
    job.write(actions, "sync_catalog", catalogId=4, partitions=1)
    assert server.requests[-1].path == "/v1/catalogs/4/sync"
    assert server.requests[-1].json()["actions"] == [
        {"type": "ADD", "payload": {"sku": "A", "price": 1.5}}
    ]
    job.state = job.state.with_name("coupons")
    coupons = spark.sql("SELECT 1 AS usageLimit, 5 AS numberOfCoupons, 'A-###' AS couponPattern")
    job.write(coupons, "create_coupons", applicationId=3, campaignId=12, partitions=1)
    assert server.requests[-1].path == "/v1/applications/3/campaigns/12/coupons"
    assert server.requests[-1].json()["numberOfCoupons"] == 5


def test_streams_are_refused(spark: SparkSession, keys: str, tmp_path: Path) -> None:
    options = {"credentials": keys, "checkpointLocation": str(tmp_path)}
    rates = spark.readStream.format("rate").load()
    stream = rates.select(F.col("value").cast("string").alias("integrationId"))
    writer = stream.writeStream.format("talon_one").option("operation", "upsert_profiles")
    message = message_of(lambda: writer.options(**options).start().awaitTermination(30))
    assert "talon_one takes no streams: use foreachBatch" in message
    reader = spark.readStream.format("talon_one").options(credentials=keys, applicationId="3")
    frame = reader.option("export", "coupons").load()
    sink = frame.writeStream.format("console").option("checkpointLocation", str(tmp_path / "a"))
    message = message_of(lambda: sink.start().awaitTermination(30))
    assert "talon_one reads no streams: use spark.read" in message


@pytest.mark.parametrize("mode", [None, "overwrite", "ignore"])
def test_only_append_is_a_mode(
    spark: SparkSession, server: RecordingServer, keys: str, mode: str | None
) -> None:
    writer = profiles(spark, 1).write.format("talon_one").option("operation", "upsert_profiles")
    writer = writer.option("credentials", keys) if mode is None else writer.mode(mode)
    message = message_of(writer.save)
    expected = "cannot overwrite" if mode == "overwrite" else "Append"
    assert expected in message
    assert not server.requests


# -- Any batch -------------------------------------------------------------------------------------

_MOMENTS = st.datetimes(timezones=st.just(timezone.utc))
_LEAVES: dict[pyarrow.DataType, st.SearchStrategy[Any]] = {
    pyarrow.string(): st.text(max_size=5),
    pyarrow.int64(): st.integers(-(2**63), 2**63 - 1),
    pyarrow.float64(): st.floats(allow_nan=False, allow_infinity=False),
    pyarrow.bool_(): st.booleans(),
    pyarrow.timestamp("us", "Europe/Berlin"): _MOMENTS,
    pyarrow.decimal128(10, 2): st.integers(-(10**9), 10**9).map(lambda n: Decimal(n) / 100),
    pyarrow.null(): st.none(),
}
_NAMES = ["a", "b", "c"]


def _types() -> st.SearchStrategy[pyarrow.DataType]:
    return st.recursive(
        st.sampled_from(list(_LEAVES)),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(
                lambda types: pyarrow.struct(list(zip(_NAMES, types, strict=False)))
            ),
            inner.map(pyarrow.list_),
            inner.map(lambda each: pyarrow.map_(pyarrow.string(), each)),
        ),
        max_leaves=4,
    )


def _values(kind: pyarrow.DataType) -> st.SearchStrategy[Any]:
    """Return values of a type, as Python objects that pyarrow takes."""
    if pyarrow.types.is_struct(kind):
        fields = {kind.field(at).name: _values(kind.field(at).type) for at in range(len(kind))}
        found: st.SearchStrategy[Any] = st.fixed_dictionaries(fields)
    elif pyarrow.types.is_map(kind):
        found = st.dictionaries(st.sampled_from(_NAMES), _values(kind.item_type))
        found = found.map(lambda each: list(each.items()))
    elif pyarrow.types.is_list(kind):
        found = st.lists(_values(kind.value_type), max_size=3)
    else:
        found = _LEAVES[kind]
    return st.none() | found


def _expected(kind: pyarrow.DataType, value: Any, send_nulls: bool) -> Any:
    """Return a value as JSON data, one at a time."""
    if value is None:
        return None
    if pyarrow.types.is_list(kind):
        return [_expected(kind.value_type, each, send_nulls) for each in value]
    pairs = None
    if pyarrow.types.is_struct(kind):
        pairs = [(field.name, field.type, value[field.name]) for field in kind.fields]
    elif pyarrow.types.is_map(kind):
        pairs = [(key, kind.item_type, each) for key, each in value]
    if pairs is not None:
        return {
            name: _expected(inner, each, send_nulls)
            for name, inner, each in pairs
            if send_nulls or each is not None
        }
    if isinstance(value, datetime):
        text = value.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
        micros = f".{value.microsecond:06}" if value.microsecond else ""
        return f"{text}{micros}Z"
    return value


@settings(max_examples=300, deadline=timedelta(seconds=5))
@given(data=st.data(), send_nulls=st.booleans())
def test_a_batch_is_converted_as_each_value_would_be(data: Any, send_nulls: bool) -> None:
    kinds = data.draw(st.lists(_types(), min_size=1, max_size=3))
    kind = pyarrow.struct(list(zip(_NAMES, kinds, strict=False)))
    rows = data.draw(st.lists(_values(kind).filter(lambda row: row is not None), max_size=6))
    fields = [pyarrow.array([row[field.name] for row in rows], field.type) for field in kind.fields]
    batch = pyarrow.record_batch(fields, names=[field.name for field in kind.fields])
    expected = [_expected(kind, row, send_nulls) for row in rows]
    assert rows_of(batch, send_nulls=send_nulls) == expected
    # A slice has its values somewhere in the buffers of the whole.
    assert rows_of(batch.slice(1, 3), send_nulls=send_nulls) == expected[1:4]
    assert json.loads(json_codec.encode(expected)) is not None
