"""Exports as lazy frames of polars."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import polars
import pytest

import talon_one.aio
from support.server import RecordingServer, Response
from talon_one import (
    ApiTypeError,
    ApiValueError,
    ManagementApi,
    NotFoundException,
    tables,
)

TYPE = {"Content-Type": "application/csv"}
CSV = "value,limitval,created,attributes\n" + "".join(
    f'A-{number},{number},2026-01-31T10:00:00+01:00,"{{""size"": ""L""}}"\n'
    for number in range(100)
)
# Older releases of polars raise theirs, with the class and message of ours.
CellErrors = (tables.CellError, polars.exceptions.ComputeError)
NotFoundErrors = (NotFoundException, polars.exceptions.ComputeError)
CREATED = datetime(2026, 1, 31, 9, tzinfo=timezone.utc)


@pytest.fixture
def coupons(server: RecordingServer, management: ManagementApi) -> polars.LazyFrame:
    server.default = Response(body=CSV.encode(), headers=TYPE)
    return tables.scan(management.export_coupons, 3, campaign_id=12)


def test_the_columns_are_those_of_the_description_and_known_without_a_call(
    server: RecordingServer, management: ManagementApi, coupons: polars.LazyFrame
) -> None:
    schema = coupons.collect_schema()
    assert schema.names() == tables.arrow_schema(management.export_coupons).names
    some = {name: schema[name] for name in ("id", "discount_counter", "created", "attributes")}
    assert some == {
        "id": polars.Int64,
        "discount_counter": polars.Float64,
        "created": polars.Datetime("us", "UTC"),
        "attributes": polars.String,
    }
    excel = tables.scan(management.export_coupons, 3, date_format="excel").collect_schema()
    assert excel["created"] == polars.Datetime("us")
    kept = tables.scan(management.export_coupons, 3, text=["ID"]).collect_schema()
    assert (kept["id"], kept["limitval"]) == (polars.String, polars.Int64)
    everything = tables.scan(management.export_coupons, 3, text=True).collect_schema()
    assert set(everything.dtypes()) == {polars.String}
    assert server.requests == []


def test_each_query_makes_a_call(server: RecordingServer, coupons: polars.LazyFrame) -> None:
    for count in (1, 2):
        found = coupons.collect()
        assert found.schema == coupons.collect_schema()
        assert found.shape == (100, 24)
        assert found.row(7, named=True) == {
            **dict.fromkeys(found.columns),
            "value": "A-7",
            "limitval": 7,
            "created": CREATED,
            "attributes": '{"size": "L"}',
        }
        assert len(server.requests) == count
    assert server.last.target == "/v1/applications/3/export_coupons?campaignId=12"


QUERIES: dict[str, Callable[[Any], Any]] = {
    "projection": lambda frame: frame.select("limitval", "value"),
    "predicate": lambda frame: frame.filter(polars.col("limitval") > 90),
    "predicate on another column": lambda frame: frame.filter(limitval=7).select("value"),
    "head": lambda frame: frame.head(7),
    "head of no rows": lambda frame: frame.head(0),
    "more than all": lambda frame: frame.head(1000),
    "head, then predicate": lambda f: f.head(10).filter(polars.col("limitval") > 5).select("value"),
    "predicate, then head": lambda f: f.filter(polars.col("limitval") > 5).head(10).select("value"),
    "slice": lambda frame: frame.slice(5, 3),
    "tail": lambda frame: frame.tail(3),
    "number": lambda frame: frame.select(polars.len()),
    "aggregate": lambda frame: frame.group_by("created").agg(polars.col("limitval").sum()),
    "self join": lambda frame: frame.join(frame, on="value").select("value", "limitval"),
    "a column that the file lacks": lambda frame: frame.filter(polars.col("id").is_null()),
}


def test_queries_have_the_results_of_those_of_a_data_frame(coupons: polars.LazyFrame) -> None:
    frame = coupons.collect()
    for name, query in QUERIES.items():
        found, expected = query(coupons).collect(), query(frame)
        assert found.schema == expected.schema, name
        assert sorted(found.rows(), key=str) == sorted(expected.rows(), key=str), name


def test_a_query_for_the_first_rows_does_not_read_the_rest(
    server: RecordingServer, management: ManagementApi
) -> None:
    # The rest never comes.
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 1000000\r\n\r\n"
    server.default = Response(raw=head + CSV.encode(), silent=True)
    coupons = tables.scan(management.export_coupons, 3, _request_timeout=10)
    assert coupons.head(20).collect()["limitval"].to_list() == list(range(20))
    assert coupons.select("value").head(1).collect()["value"].to_list() == ["A-0"]


def test_only_the_columns_that_a_query_uses_are_converted(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.default = Response(body=b"value,limitval\nA-1,many\n", headers=TYPE)
    coupons = tables.scan(management.export_coupons, 3)
    assert coupons.select("value").collect().rows() == [("A-1",)]
    for query in (
        coupons,
        coupons.select("limitval"),
        coupons.filter(polars.col("limitval") > 1).select("value"),
    ):
        with pytest.raises(CellErrors, match="line 2 of exportCoupons, limitval must be"):
            query.collect()
    kept = tables.scan(management.export_coupons, 3, text=("limitval",))
    assert kept.select("limitval").collect().rows() == [("many",)]


def test_columns_that_the_description_lacks_are_left_out_with_a_warning(
    server: RecordingServer, management: ManagementApi, caplog: pytest.LogCaptureFixture
) -> None:
    server.default = Response(body=b"VALUE,new,id\nA-1,x,7\n", headers=TYPE)
    coupons = tables.scan(management.export_coupons, 3)
    assert coupons.select("value", "id").collect().rows() == [("A-1", 7)]
    (record,) = caplog.records
    assert record.getMessage().endswith("because the schema does not have them: 'new'")


def test_a_file_without_any_column_of_the_description_is_no_frame_of_nulls(
    server: RecordingServer, management: ManagementApi, coupons: polars.LazyFrame
) -> None:
    server.default = Response(body=b"please,log in\na,b\n", headers={"Content-Type": "text/csv"})
    for query in (coupons, coupons.select("value"), coupons.select(polars.len())):
        with pytest.raises((ApiValueError, polars.exceptions.ComputeError), match="no such table"):
            query.collect()
    schema = tables.arrow_schema(management.export_coupons)
    with pytest.raises(ApiValueError, match="has none of the columns but 'please, log in'"):
        management.table(management.export_coupons, 3).record_batches(schema=schema)


def test_an_export_without_rows_is_a_frame_without_rows(
    server: RecordingServer, management: ManagementApi
) -> None:
    for body in (b"value,id\n", b""):
        server.default = Response(body=body, headers=TYPE)
        coupons = tables.scan(management.export_coupons, 3)
        assert coupons.collect().shape == (0, 24)
        assert coupons.collect().schema == coupons.collect_schema()


def test_a_query_is_written_as_parquet(coupons: polars.LazyFrame, tmp_path: Path) -> None:
    path = tmp_path / "coupons.parquet"
    coupons.filter(polars.col("limitval") < 50).sink_parquet(path)
    found = polars.read_parquet(path)
    assert found["limitval"].to_list() == list(range(50))
    assert found.schema == coupons.collect_schema()


def test_a_failure_of_the_call_is_raised_by_the_query(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.default = Response(404, {"message": "Application not found"})
    with pytest.raises(NotFoundErrors, match="Application not found"):
        tables.scan(management.export_coupons, 3).collect()


def test_wrong_arguments_are_refused_before_a_query(
    server: RecordingServer, management: ManagementApi, awaited: talon_one.aio.ManagementApi
) -> None:
    with pytest.raises(ApiTypeError, match="importCoupons does not export a table"):
        tables.scan(management.import_coupons, 3)
    with pytest.raises(ApiTypeError, match=r"use talon_one\.aio\.tables"):
        tables.scan(awaited.export_coupons, 3)
    with pytest.raises(ApiTypeError, match="not of its class"):
        tables.scan(ManagementApi.export_coupons, 3)
    with pytest.raises(ApiTypeError, match="no parameter 'campaign'"):
        tables.scan(management.export_coupons, 3, campaign=12)
    with pytest.raises(ApiValueError, match="Did you mean 'value'"):
        tables.scan(management.export_coupons, 3, text="vaule")
    assert server.requests == []


def test_a_missing_package_is_reported_before_a_query(
    management: ManagementApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("polars", "polars.io.plugins"):
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, module, None)
            with pytest.raises(ApiTypeError, match="polars is not installed: pip install polars"):
                tables.scan(management.export_coupons, 3)
