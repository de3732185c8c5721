"""Exports and lists as data frames."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pytest
from pyspark.sql import DataFrame, SparkSession

import talon_one
from spark.conftest import KEY, keys_file, message_of
from support.server import Received, RecordingServer, Response
from talon_one._core.operation import Operation
from talon_one.exceptions import ApiValueError
from talon_one.sandbox import Sandbox
from talon_one.spark.lists import rows_of_list
from talon_one.spark.queries import read_query

MOMENT = arrow.timestamp("us", "UTC")
HEADER = "id,campaignid,value,limitval,expirydate,attributes\n"


def read(spark: SparkSession, keys: str, **options: Any) -> DataFrame:
    """Return a data frame over an export or a list."""
    reader = spark.read.format("talon_one").option("credentials", keys)
    for name, value in options.items():
        reader = reader.option(name, str(value))
    return reader.load()


def csv(*lines: str) -> Response:
    return Response(200, "".join([HEADER, *lines]), {"Content-Type": "application/csv"})


def by_campaign(request: Received) -> Response:
    """Respond with two coupons of the campaign that is asked for."""
    campaign = dict(request.pairs).get("campaignId", "9")
    return csv(
        f'{campaign}1,{campaign},C-{campaign}-1,1,2030-01-01T00:00:00Z,"{{""a"": 1}}"\n',
        f"{campaign}2,{campaign},C-{campaign}-2,,,\n",
    )


def test_an_export_has_the_types_of_its_description(
    spark: SparkSession, server: RecordingServer, keys: str
) -> None:
    server.default = by_campaign
    frame = read(spark, keys, export="coupons", applicationId=3, campaignId=12)
    types = dict(frame.dtypes)
    assert types["limitval"] == "bigint"
    assert types["expirydate"] == "timestamp"
    assert types["attributes"] == "string"
    first, second = frame.orderBy("id").collect()
    assert (first["id"], first["value"], first["limitval"]) == (121, "C-12-1", 1)
    assert first.expirydate.astimezone(timezone.utc) == datetime(2030, 1, 1, tzinfo=timezone.utc)
    assert first.attributes == '{"a": 1}'
    assert (second.limitval, second.expirydate, second.attributes) == (None, None, None)
    # A column of the description that the file lacks.
    assert first.batchid is None


def test_each_campaign_is_a_partition(
    spark: SparkSession, server: RecordingServer, keys: str
) -> None:
    server.default = by_campaign
    frame = read(spark, keys, export="coupons", applicationId=3, campaignId="12, 13,14,12")
    assert frame.rdd.getNumPartitions() == 3
    assert sorted(row["value"] for row in frame.collect()) == [
        f"C-{campaign}-{number}" for campaign in (12, 13, 14) for number in (1, 2)
    ]
    assert len(server.requests) == 3


def test_each_application_is_a_partition(
    spark: SparkSession, server: RecordingServer, keys: str
) -> None:
    server.default = by_campaign
    frame = read(spark, keys, export="coupons", applicationId="3,4")
    assert frame.rdd.getNumPartitions() == 2
    frame.collect()
    paths = sorted(request.path for request in server.requests)
    assert paths == [f"/v1/applications/{id}/export_coupons" for id in (3, 4)]


def test_a_response_that_breaks_off_is_read_again_from_the_start(
    spark: SparkSession, server: RecordingServer, keys: str
) -> None:
    whole = by_campaign
    made = []

    def break_off(request: Received) -> Response:
        made.append(request)
        if len(made) == 1:
            head = "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 999\r\n\r\n"
            return Response(raw=f"{head}{HEADER}1,12,HALF,,,\n".encode())
        return whole(request)

    server.default = break_off
    frame = read(spark, keys, export="coupons", applicationId=3, campaignId=12)
    assert sorted(row["value"] for row in frame.collect()) == ["C-12-1", "C-12-2"]
    assert len(made) == 2


def test_a_cell_that_does_not_fit_fails_the_read_unless_its_column_is_text(
    spark: SparkSession, server: RecordingServer, keys: str
) -> None:
    server.default = csv("1,12,A,many,,\n")
    options = {"export": "coupons", "applicationId": 3}
    message = message_of(lambda: read(spark, keys, **options).collect())
    assert "limitval" in message
    assert "many" in message
    assert '.option("text", "limitval")' in message
    [row] = read(spark, keys, text="limitval", **options).collect()
    assert row.limitval == "many"
    [row] = read(spark, keys, text="true", **options).collect()
    assert (row["id"], row.limitval) == ("1", "many")


def test_columns_may_be_chosen_by_a_schema(
    spark: SparkSession, server: RecordingServer, keys: str
) -> None:
    server.default = by_campaign
    reader = spark.read.format("talon_one").schema("value string, limitval bigint")
    frame = reader.options(export="coupons", applicationId="3", credentials=keys).load()
    assert frame.columns == ["value", "limitval"]
    assert frame.count() == 2


def test_what_is_no_export_fails_the_read(
    spark: SparkSession, server: RecordingServer, keys: str
) -> None:
    options = {"export": "coupons", "applicationId": 3}
    for body, expected in (
        ("<!DOCTYPE html>\n<p>a,b</p>\n", "names none of the columns"),
        ('{"message": "no"}', "names none of the columns"),
        ("please,log in\n", "the response is not the export"),
    ):
        server.default = Response(200, body, {"Content-Type": "text/csv"})
        assert expected in message_of(lambda: read(spark, keys, **options).collect())
    server.default = Response(200, "", {"Content-Type": "text/csv"})
    assert read(spark, keys, **options).count() == 0


def test_columns_that_do_not_exist_are_refused(
    spark: SparkSession, server: RecordingServer, keys: str
) -> None:
    server.default = by_campaign

    def reading(schema: str, **options: str) -> DataFrame:
        reader = spark.read.format("talon_one").schema(schema)
        return reader.options(credentials=keys, applicationId="3", **options).load()

    for schema, options, expected in (
        ("nope string", {"export": "coupons"}, "the export has no column 'nope'"),
        ("ID bigint", {"list": "campaigns"}, "the list has no column 'ID'. Did you mean 'id'?"),
        ("created timestamp_ntz", {"list": "campaigns"}, "is a timestamp[us, tz=UTC], or text"),
        ("value struct<a: string>", {"export": "coupons"}, "the column value is read as one of"),
        ("value string, value string", {"export": "coupons"}, "have the same name, 'value'"),
        ("id long, name string, id long", {"list": "campaigns"}, "have the same name, 'id'"),
        ("limitval long NOT NULL", {"export": "coupons"}, "limitval is NOT NULL in the schema"),
    ):
        assert expected in message_of(lambda: reading(schema, **options).collect())  # noqa: B023
    server.default = Response(200, "value,mine\nA,1\n", {"Content-Type": "text/csv"})
    assert reading("VALUE string, mine string", export="coupons").collect() == [("A", "1")]


def test_each_of_all_campaigns_is_read_once(
    spark: SparkSession, server: RecordingServer, keys: str
) -> None:
    ids: list[Any] = []

    def respond(request: Received) -> Response:
        if "export" in request.path:
            return by_campaign(request)
        return Response(200, {"data": [{"id": id} for id in ids], "hasMore": False})

    server.default = respond
    options = {"export": "coupons", "applicationId": 3, "campaignId": "all"}
    ids[:] = [12, 13, 12]
    found = sorted(row["value"] for row in read(spark, keys, **options).collect())
    assert found == ["C-12-1", "C-12-2", "C-13-1", "C-13-2"]
    for wrong in ("x", 1.5, True, None):
        ids[:] = [12, wrong]
        message = message_of(lambda: read(spark, keys, **options).collect())
        assert f"the ID of a campaign is a whole number, not {wrong!r}" in message


def test_items_that_no_column_can_hold_fail_the_read() -> None:
    schema = arrow.schema([("id", arrow.int64()), ("name", arrow.string()), ("at", MOMENT)])

    def rows(*items: Any, of_text: bool = False) -> list[Any]:
        kind = arrow.schema([("value", arrow.string())]) if of_text else schema
        batches = rows_of_list(items, kind, 2, of_text=of_text)
        return [row for batch in batches for row in batch.to_pylist()]

    late = "9999-12-31T23:59:59-01:00"
    for item, expected in (
        (None, "an item of the list is None, not an object"),
        ("x", "an item of the list is 'x', not an object"),
        ([], r"an item of the list is \[\], not an object"),
        ({"name": "\ud800"}, "name of the item None is '.ud800', which no column can hold"),
        ({"id": 7, "at": late}, "at of the item 7 is .*, not of the type timestamp"),
        ({"at": "0001-01-01T00:00:00+01:00"}, "not of the type timestamp"),
    ):
        with pytest.raises(ApiValueError, match=expected):
            rows({"id": 1}, item)
    assert rows({"at": "9999-12-31T22:59:59-01:00"})[0]["at"].year == 9999
    assert rows("x", None, of_text=True) == [{"value": "x"}, {"value": None}]


def test_tables_of_a_catalog_are_refused_and_views_are_read(
    spark: SparkSession, server: RecordingServer, keys: str
) -> None:
    server.default = by_campaign
    options = f"OPTIONS (export 'coupons', applicationId 3, credentials '{keys}')"
    spark.sql(f"CREATE TEMPORARY VIEW vouchers USING talon_one {options}")
    assert spark.sql("SELECT count(*) FROM vouchers").collect() == [(2,)]
    for columns in ("", "(value string)"):
        name = f"refused_{len(columns)}"

        def create(name: str = name, columns: str = columns) -> None:
            spark.sql(f"CREATE TABLE {name} {columns} USING talon_one {options}")
            spark.sql(f"SELECT * FROM {name}").collect()

        assert "does not hand on those of tables in a catalog" in message_of(create)
        insert = f"INSERT INTO {name} SELECT 'A' AS value"
        if columns:
            message = message_of(lambda: spark.sql(insert))  # noqa: B023
            assert "does not hand on those of tables in a catalog" in message
    sending = f"OPTIONS (operation 'upsert_profiles', credentials '{keys}')"
    message = message_of(lambda: spark.sql(f"CREATE TEMPORARY VIEW w USING talon_one {sending}"))
    assert "views of it take no INSERT" in message


def test_all_campaigns_may_be_none(spark: SparkSession, server: RecordingServer, keys: str) -> None:
    server.default = Response(200, {"data": [], "totalResultSize": 0, "hasMore": False})
    assert read(spark, keys, export="coupons", applicationId=3, campaignId="all").count() == 0


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    """A shop with campaigns and coupons."""
    with Sandbox(seed="fashion") as running:
        yield running


def test_a_shop_is_read_campaign_by_campaign_and_kept_as_parquet(
    spark: SparkSession, shop: Sandbox, tmp_path: Path
) -> None:
    variables = shop.environment()
    keys = tmp_path / "keys"
    keys.mkdir()
    for name, value in variables.items():
        (keys / name).write_text(value)
    with talon_one.ApiClient(talon_one.Configuration.from_env(variables)) as client:
        management = talon_one.ManagementApi(client)
        [application, *_] = management.iterate(management.get_applications)
        campaigns = list(management.iterate(management.get_campaigns, application.id))
        expected = management.table(management.export_coupons, application.id).rows()
    options = {"applicationId": application.id, "campaignId": "all"}
    frame = read(spark, f"file:{keys}", export="coupons", **options)
    assert frame.rdd.getNumPartitions() == len(campaigns) > 1
    frame.write.parquet(str(tmp_path / "coupons"))
    back = spark.read.parquet(str(tmp_path / "coupons"))
    assert sorted(row["value"] for row in back.collect()) == sorted(
        row["value"] for row in expected
    )
    listed = read(spark, f"file:{keys}", list="campaigns", applicationId=application.id)
    assert dict(listed.dtypes)["created"] == "timestamp"
    assert {row["id"]: row["name"] for row in listed.collect()} == {
        campaign.id: campaign.name for campaign in campaigns
    }
    assert all(isinstance(row.features, str) for row in listed.collect())


def test_lists_may_hold_text_or_odd_values(
    spark: SparkSession, server: RecordingServer, keys: str
) -> None:
    item = {"id": 1, "created": "yesterday", "name": "A", "applicationId": 3}
    server.default = Response(200, {"data": [item], "totalResultSize": 1, "hasMore": False})
    options = {"list": "campaigns", "applicationId": 3}
    message = message_of(lambda: read(spark, keys, **options).collect())
    assert "created of the item 1 is 'yesterday'" in message
    [row] = read(spark, keys, text="created", **options).collect()
    assert (row["id"], row.created, row.name) == (1, "yesterday", "A")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"text": "true"}, "needs one of the options export and list"),
        ({"export": "coupons", "list": "campaigns"}, "needs one of the options export and list"),
        ({"export": "coupon", "applicationId": 3}, "Did you mean 'coupons'?"),
        ({"list": "campaign", "applicationId": 3}, "Did you mean 'campaigns'?"),
        ({"export": "coupons"}, "needs the option applicationId"),
        ({"export": "coupons", "applicationId": "x"}, "applicationId is a whole number"),
        ({"export": "coupons", "applicationId": 3, "campaign": 1}, "has no option 'campaign'"),
        ({"export": "coupons", "applicationId": 3, "valuesOnly": "maybe"}, "is true or false"),
        ({"export": "coupons", "applicationId": 3, "text": "limit"}, "limit"),
        ({"export": "coupons", "applicationId": 3, "credentials": "me"}, "a key does not belong"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_requested(
    spark: SparkSession,
    server: RecordingServer,
    keys: str,
    options: dict[str, Any],
    expected: str,
) -> None:
    message = message_of(lambda: read(spark, options.pop("credentials", keys), **options))
    assert expected in message
    assert not server.requests


def test_keys_files_may_be_lines_or_json(
    spark: SparkSession, server: RecordingServer, tmp_path: Path
) -> None:
    server.default = by_campaign
    as_json = tmp_path / "keys.json"
    as_json.write_text(f'{{"TALON_ONE_HOST": "{server.url}", "TALON_ONE_MANAGEMENT_KEY": "{KEY}"}}')
    for keys in (keys_file(tmp_path, server.url), f"file:{as_json}"):
        assert read(spark, keys, export="coupons", applicationId=3).count() == 2
    assert {request.headers["Authorization"] for request in server.requests} == {
        f"ManagementKey-v1 {KEY}"
    }


def test_every_export_and_every_list_has_columns() -> None:
    wrong = []
    for api in (talon_one.ManagementApi, talon_one.IntegrationApi):
        for name, method in vars(api).items():
            operation = getattr(method, "operation", None)
            kind, _, noun = name.partition("_")
            if not isinstance(operation, Operation) or operation.body or operation.upload:
                continue
            exports = kind == "export" and operation.csv is not None
            if not exports and not (kind in ("get", "list") and operation.paging):
                continue
            required = {each.name: "1" for each in operation.parameters if each.required}
            query = read_query({"export" if exports else "list": noun, **required}, None)
            if not query.schema or query.method.partition("_")[2] != noun:
                wrong.append(name)
    assert not wrong
    assert read_query({"list": "changes", "managementKeyId": "7"}, None).arguments
