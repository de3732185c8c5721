"""Exports as Arrow record batches, with both clients."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from enum import Enum
from itertools import count
from typing import Any

import duckdb
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

import talon_one.aio
from support.hostile import assert_ours
from support.server import RecordingServer, Response
from talon_one import (
    ApiTypeError,
    ApiValueError,
    InvalidResponseError,
    ManagementApi,
    NoResponseError,
    NotFoundException,
    tables,
)
from talon_one._core.operation import Operation
from talon_one.api import management_operations as operations
from talon_one.pagination.time_filter import CallArguments
from talon_one.tables import batches as batches_module
from talon_one.tables.arrow import reader_of
from talon_one.tables.batches import BatchReader, TextChoice, file_fields
from talon_one.tables.rows import RowReader

UTC = timezone.utc
TYPE = {"Content-Type": "application/csv"}
CSV = (
    "id,value,discount_limitval,reservation,created,attributes,importid,new\r\n"
    '9007199254740993,0042,1.5,t,2026-01-31T10:00:00+01:00,"{""size"":\n""L""}",,x\r\n'
    ",B-2,,,,,,\r\n"
    "7,C-3,2,false,2026-01-31T09:00:00Z,,,\r\n"
)
CREATED = datetime(2026, 1, 31, 9, tzinfo=UTC)
MOMENT = pyarrow.timestamp("us", tz="UTC")
SCHEMA = pyarrow.schema(
    [
        ("id", pyarrow.int64()),
        ("value", pyarrow.string()),
        ("discount_limitval", pyarrow.float64()),
        ("reservation", pyarrow.bool_()),
        ("created", MOMENT),
        ("attributes", pyarrow.string()),
        ("importid", pyarrow.int64()),
        ("new", pyarrow.string()),
    ]
)
ROWS = [
    {
        "id": 9007199254740993,
        "value": "0042",
        "discount_limitval": 1.5,
        "reservation": True,
        "created": CREATED,
        "attributes": '{"size":\n"L"}',
        "importid": None,
        "new": "x",
    },
    {**dict.fromkeys(SCHEMA.names), "value": "B-2"},
    {
        **dict.fromkeys(SCHEMA.names),
        "id": 7,
        "value": "C-3",
        "discount_limitval": 2.0,
        "reservation": False,
        "created": CREATED,
    },
]


def respond(server: RecordingServer, text: str, **settings: Any) -> None:
    server.script(Response(body=text.encode(), headers=TYPE, **settings))


def test_batches_have_the_columns_of_the_file_and_the_types_of_the_description(
    server: RecordingServer, management: ManagementApi
) -> None:
    for size, lengths in ((10_000, [3]), (3, [3]), (2, [2, 1]), (1, [1, 1, 1])):
        respond(server, CSV)
        with management.table(management.export_coupons, 3) as table:
            reader = table.record_batches(size)
            assert isinstance(reader, pyarrow.RecordBatchReader)
            assert reader.schema == SCHEMA
            found = list(reader)
        assert [len(batch) for batch in found] == lengths
        # Also where all cells of a column are empty.
        assert {batch.schema for batch in found} == {SCHEMA}
        assert pyarrow.Table.from_batches(found).to_pylist() == ROWS


def test_columns_stay_text_if_you_ask_for_it(
    server: RecordingServer, management: ManagementApi
) -> None:
    text: Any
    for text in (("id",), "ID", ["Id", "value", "new"], {"id": 1}.keys(), iter(["id"])):
        respond(server, "id,limitval,new\n007,1,x\n")
        (row,) = management.table(management.export_coupons, 3).record_batches(text=text)
        assert row.to_pylist() == [{"id": "007", "limitval": 1, "new": "x"}]
    respond(server, "id,created\n007,2026-01-31\n,\n")
    everything = management.table(management.export_coupons, 3).record_batches(text=True)
    assert everything.read_all().to_pydict() == {
        "id": ["007", None],
        "created": ["2026-01-31", None],
    }
    respond(server, "id\n7\n")
    nothing = management.table(management.export_coupons, 3).record_batches(text=False)
    assert nothing.schema.field("id").type == pyarrow.int64()


def test_a_column_to_keep_as_text_must_exist(
    server: RecordingServer, management: ManagementApi
) -> None:
    management.api_client.configuration.connection_pool_maxsize = 1
    message = r"text names 'limitvall', which is not a column\. Did you mean 'limitval'\?"
    with pytest.raises(ApiValueError, match=message):
        tables.arrow_schema(management.export_coupons, text=["value", "limitvall"])
    for _ in range(2):
        server.script(Response(body=b"value\n" + b"A-1\n" * 100_000, headers=TYPE))
        table = management.table(management.export_coupons, 3, _deadline=10)
        with pytest.raises(ApiValueError, match=message):
            table.record_batches(text="limitvall")


def test_only_names_choose_columns_to_keep_as_text(management: ManagementApi) -> None:
    for text in (None, 7, b"value", {"value": 1}, ["value", 7], [None], count()):
        wrong: Any = text
        with pytest.raises(ApiTypeError, match="names of columns"):
            tables.arrow_schema(management.export_coupons, text=wrong)


class Dates(Enum):
    EXCEL = "excel"


@pytest.mark.parametrize("date_format", ["excel", Dates.EXCEL])
def test_timestamps_for_excel_have_no_zone(
    server: RecordingServer, management: ManagementApi, date_format: Any
) -> None:
    respond(server, "created,startdate\n2026-01-31 10:00:00,\n")
    table = management.table(management.export_coupons, 3, date_format=date_format)
    found = table.record_batches().read_all()
    assert found.schema.types == [pyarrow.timestamp("us")] * 2
    assert found.to_pylist() == [{"created": datetime(2026, 1, 31, 10), "startdate": None}]


MISFITS = [
    # Head of the file, line that does not fit, column, value, what it must be.
    ("id", "total", "id", "total", "a whole number of at most 64 bits"),
    ("id", "007", "id", "007", "a whole number of at most 64 bits"),
    ("id", str(2**63), "id", str(2**63), "a whole number of at most 64 bits"),
    ("id", "9" * 30, "id", "9" * 30, "a whole number of at most 64 bits"),
    (
        "discount_counter",
        "much",
        "discount_counter",
        "much",
        "a number that a float does not round",
    ),
    ("discount_counter", "12345678901234567.89", "discount_counter", "12345678901234567.89", ""),
    ("discount_counter", "NaN", "discount_counter", "NaN", ""),
    ("reservation", "perhaps", "reservation", "perhaps", "true or false"),
    ("created", "2026-01-31 10:00:00", "created", "2026-01-31 10:00:00", "with a time zone"),
    ("created", "31.01.2026", "created", "31.01.2026", "a timestamp with a time zone"),
    ("created", "9999-12-31T23:59:59-12:00", "created", "9999-12-31T23:59:59-12:00", ""),
    ("value,id", "A-1,x", "id", "x", ""),
    ("ID", "x", "ID", "x", ""),
]
FITS = {
    "id": "7",
    "discount_counter": "1.5",
    "reservation": "t",
    "created": "2026-01-31T10:00:00Z",
    "value,id": 'A-1,"7"',
    "ID": "7",
}


def test_a_cell_of_another_type_is_an_error_that_names_it(
    server: RecordingServer, management: ManagementApi
) -> None:
    for head, line, column, value, noun in MISFITS:
        # A blank line is not a row.
        fitting = [FITS[head], "", FITS[head]]
        respond(server, "\n".join([head, *fitting, line, FITS[head]]))
        with management.table(management.export_coupons, 3) as table:
            reader = table.record_batches(2)
            assert len(reader.read_next_batch()) == 2
            with pytest.raises(tables.CellError) as caught:
                reader.read_next_batch()
        error = caught.value
        assert isinstance(error, ApiValueError)
        assert (error.operation_id, error.line, error.column) == ("exportCoupons", 5, column)
        assert error.value == value
        message = str(error)
        assert message.startswith(f"line 5 of exportCoupons, {column} must be "), message
        assert noun in message
        assert f"not {value!r}" in message
        assert f"text=({column!r},)" in message
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), vars(again)) == (message, vars(error))
        # Doing what it says helps.
        respond(server, "\n".join([head, *fitting, line]))
        kept = management.table(management.export_coupons, 3).record_batches(text=(column,))
        assert kept.read_all().to_pylist()[-1][column] == value


def test_for_excel_a_timestamp_with_a_zone_is_an_error(
    server: RecordingServer, management: ManagementApi
) -> None:
    respond(server, "created\n2026-01-31T10:00:00Z\n")
    table = management.table(management.export_coupons, 3, date_format="excel")
    with pytest.raises(tables.CellError, match="must be a timestamp without a time zone"):
        table.record_batches().read_all()


def test_a_cell_beyond_the_last_column_is_an_error(
    server: RecordingServer, management: ManagementApi
) -> None:
    text = 'value,column 4\n"A-\n1",x\nB-2,y,,ex"tra\n'
    for choice in ((), True):
        respond(server, text)
        with pytest.raises(tables.CellError) as caught:
            management.table(management.export_coupons, 3).record_batches(text=choice).read_all()
        assert str(caught.value) == (
            "line 4 of exportCoupons has 4 cells, and there are 2 columns; iterate the rows, which"
            " keep 'ex\"tra' as \"column 4'\""
        )
        assert (caught.value.column, caught.value.value) == ("", 'ex"tra')
    respond(server, text)
    rows = management.table(management.export_coupons, 3).rows()
    assert rows[1]["column 4'"] == 'ex"tra'


def test_empty_cells_beyond_the_last_column_do_no_harm(
    server: RecordingServer, management: ManagementApi
) -> None:
    for line in ("A-1,7", "A-1,7,", "A-1,7,,,"):
        respond(server, f"value,id\n{line}\nB-2\n")
        reader = management.table(management.export_coupons, 3).record_batches()
        assert reader.read_all().to_pydict() == {"value": ["A-1", "B-2"], "id": [7, None]}, line


def test_an_export_without_rows_has_a_schema(
    server: RecordingServer, management: ManagementApi
) -> None:
    for text, names in (("id,value\n", ["id", "value"]), ("id", ["id"]), ("", [])):
        respond(server, text)
        reader = management.table(management.export_coupons, 3).record_batches()
        assert reader.schema.names == names
        assert list(reader) == []
        assert all(each == pyarrow.int64() for each in reader.schema.types[:1])


def test_batches_are_taken_once(server: RecordingServer, management: ManagementApi) -> None:
    server.default = Response(body=CSV.encode(), headers=TYPE)
    table = management.table(management.export_coupons, 3)
    assert table.columns == tuple(SCHEMA.names)
    assert len(table.record_batches().read_all()) == 3
    for again in (table.record_batches, table.rows, table.to_polars):
        with pytest.raises(ApiValueError, match="exportCoupons was used already; make a new one"):
            again()
    with management.table(management.export_coupons, 3) as table:
        next(iter(table))
        with pytest.raises(ApiValueError, match="was used already"):
            table.record_batches()
    assert len(server.requests) == 2


def test_closing_the_table_early_releases_the_connection(
    server: RecordingServer, management: ManagementApi
) -> None:
    management.api_client.configuration.connection_pool_maxsize = 1
    server.default = Response(body=b"value,id\n" + b"A-1,7\n" * 100_000, headers=TYPE)
    for batches_taken in (0, 1):
        with management.table(management.export_coupons, 3, _deadline=10) as table:
            reader = table.record_batches(10)
            for _ in range(batches_taken):
                assert len(reader.read_next_batch()) == 10
        with pytest.raises(ApiValueError, match="was closed before it was read to the end"):
            reader.read_next_batch()
    # Without a `with` block, the reader holds the response.
    for batches_taken in (0, 1):
        reader = management.table(management.export_coupons, 3, _deadline=10).record_batches(10)
        for _ in range(batches_taken):
            reader.read_next_batch()
        del reader
    assert len(server.requests) == 4


def test_batches_are_taken_while_the_response_arrives(
    server: RecordingServer, management: ManagementApi
) -> None:
    # The rest never comes.
    body = b"value,id\r\n" + b"A-1,7\r\n" * 25
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 1000000\r\n\r\n"
    server.default = Response(raw=head + body, silent=True)
    with management.table(management.export_coupons, 3, _request_timeout=10) as table:
        reader = table.record_batches(10)
        taken = [reader.read_next_batch() for _ in range(2)]
    assert [batch.to_pylist() for batch in taken] == [[{"value": "A-1", "id": 7}] * 10] * 2


def test_a_batch_of_large_cells_has_fewer_rows(
    server: RecordingServer, management: ManagementApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches_module, "_MAX_BYTES", 200_000)
    respond(server, "value,attributes\n" + "".join(f"A-{i},{'x' * 1000}\n" for i in range(2000)))
    found = list(management.table(management.export_coupons, 3).record_batches(5000))
    assert sum(len(batch) for batch in found) == 2000
    assert 5 <= len(found) <= 10
    values = pyarrow.Table.from_batches(found)["value"].to_pylist()
    assert values == [f"A-{i}" for i in range(2000)]


def test_failures_of_the_call_and_of_reading_keep_their_classes(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.script(Response(404, {"message": "Application not found"}))
    with pytest.raises(NotFoundException):
        management.table(management.export_coupons, 3).record_batches()
    server.script(Response(200, {"message": "internal error"}))
    with pytest.raises(InvalidResponseError):
        management.table(management.export_coupons, 3).record_batches()
    server.script(Response(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nvalue\nA-1\nB-2\n"))
    reader = management.table(management.export_coupons, 3).record_batches(1)
    with pytest.raises(NoResponseError):
        reader.read_all()


def test_wrong_arguments_are_refused_before_the_call(
    server: RecordingServer, management: ManagementApi
) -> None:
    table = management.table(management.export_coupons, 3)
    wrong: Any
    for wrong in (0, -1, -(10**400)):
        with pytest.raises(ApiValueError, match="batch_size must be at least 1"):
            table.record_batches(wrong)
    for wrong in (True, 1.0, None, "10", float("nan")):
        with pytest.raises(ApiTypeError, match="batch_size must be a whole number"):
            table.record_batches(wrong)
    for wrong in ("value", ["value"], {"value": pyarrow.string()}):
        with pytest.raises(ApiTypeError, match=r"schema is a pyarrow\.Schema"):
            table.record_batches(schema=wrong)
    for types in (
        [("id", pyarrow.int32())],
        [("created", pyarrow.timestamp("ns", tz="UTC"))],
        [("value", pyarrow.large_string())],
        [pyarrow.field("id", pyarrow.int64(), nullable=False)],
    ):
        with pytest.raises(ApiTypeError, match="columns of a table are nullable, and one of"):
            table.record_batches(schema=pyarrow.schema(types))
    with pytest.raises(ApiTypeError, match="the schema has no columns"):
        table.record_batches(schema=pyarrow.schema([]))
    with pytest.raises(ApiTypeError, match="give text to arrow_schema"):
        table.record_batches(schema=SCHEMA, text="value")
    assert server.requests == []
    assert_ours(
        {
            "batch_size": lambda v: tables.Table(management.export_coupons).record_batches(v),
            "schema": lambda v: tables.Table(management.export_coupons).record_batches(schema=v),
            "text": lambda v: tables.arrow_schema(management.export_coupons, text=v),
            "a name": lambda v: tables.arrow_schema(management.export_coupons, text=[v]),
            "method": lambda v: tables.arrow_schema(v),
            "date_format": lambda v: tables.arrow_schema(management.export_coupons, date_format=v),
        },
        count=100,
    )


def test_the_schema_of_the_description_needs_no_call(
    server: RecordingServer, management: ManagementApi, awaited: talon_one.aio.ManagementApi
) -> None:
    expected = tables.arrow_schema(management.export_coupons)
    assert expected.field("id").type == pyarrow.int64()
    assert expected.field("created").type == MOMENT
    assert expected.field("attributes").type == pyarrow.string()
    assert tables.arrow_schema(awaited.export_coupons) == expected
    assert talon_one.aio.tables.arrow_schema(ManagementApi.export_coupons, 3) == expected
    excel = tables.arrow_schema(management.export_coupons, 3, date_format="excel", _deadline=3)
    assert excel.field("created").type == pyarrow.timestamp("us")
    as_text = tables.arrow_schema(management.export_coupons, text=True)
    assert set(as_text.types) == {pyarrow.string()}
    assert as_text.names == expected.names
    with pytest.raises(ApiTypeError, match=r"no parameter 'date_fromat'\. Did you mean"):
        tables.arrow_schema(management.export_coupons, date_fromat="excel")
    with pytest.raises(ApiTypeError, match="does not export a table"):
        tables.arrow_schema(management.import_coupons)
    assert server.requests == []


def test_every_export_has_a_schema_of_its_columns() -> None:
    exports = [
        each for each in vars(operations).values() if isinstance(each, Operation) and each.csv
    ]
    for operation in exports:
        if operation.upload is None and operation.csv is not None:
            method = getattr(ManagementApi, _method_of(operation))
            names = tables.arrow_schema(method).names
            assert names == [each.name for each in operation.csv.columns]
    assert len(exports) > 20


def _method_of(operation: Operation) -> str:
    return next(name for name, each in vars(operations).items() if each is operation)


def test_batches_have_a_given_schema(
    server: RecordingServer,
    management: ManagementApi,
    caplog: pytest.LogCaptureFixture,
) -> None:
    schema = tables.arrow_schema(management.export_coupons)
    respond(server, "NEW,VALUE,id,limitval,other\nx,A-1,7,1,\ny,B-2,8,2,\n")
    found = list(management.table(management.export_coupons, 3).record_batches(1, schema=schema))
    assert [batch.schema for batch in found] == [schema] * 2
    filled = [{k: v for k, v in each.to_pylist()[0].items() if v is not None} for each in found]
    assert filled == [
        {"id": 7, "limitval": 1, "value": "A-1"},
        {"id": 8, "limitval": 2, "value": "B-2"},
    ]
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("talon_one.tables", "WARNING")
    assert record.getMessage() == (
        "exportCoupons has columns that are left out, because the schema does not have them:"
        " 'NEW', 'other'"
    )


def test_a_given_schema_chooses_and_types_columns(
    server: RecordingServer, management: ManagementApi, caplog: pytest.LogCaptureFixture
) -> None:
    schema = pyarrow.schema(
        [("new", pyarrow.int64()), ("id", pyarrow.string()), ("Id", pyarrow.int64())]
    )
    respond(server, "id,value,new,limitval\n007,A-1,7,many\n")
    reader = management.table(management.export_coupons, 3).record_batches(schema=schema)
    assert reader.read_all().to_pylist() == [{"new": 7, "id": "007", "Id": None}]
    # The description has the columns that were left out.
    assert caplog.records == []
    respond(server, "ID,id\n1,2\n")
    reader = management.table(management.export_coupons, 3).record_batches(schema=schema)
    assert reader.read_all().to_pylist() == [{"new": None, "id": "2", "Id": 1}]
    respond(server, "new,id\nx,1\n")
    reader = management.table(management.export_coupons, 3).record_batches(schema=schema)
    with pytest.raises(tables.CellError, match="new must be a whole number"):
        reader.read_all()


def test_duckdb_queries_the_reader(server: RecordingServer, management: ManagementApi) -> None:
    body = "value,limitval,created\n" + "".join(
        f"A-{number},{number % 10},2026-01-31T10:00:00Z\n" for number in range(5000)
    )
    respond(server, body)
    with management.table(management.export_coupons, 3) as table, duckdb.connect() as database:
        coupons = table.record_batches(1000)
        assert coupons.schema.names[0] == "value"
        query = "SELECT limitval, count(*) FROM coupons GROUP BY limitval ORDER BY limitval"
        assert database.execute(query).fetchall() == [(number, 500) for number in range(10)]
    respond(server, "value,limitval\nA-1,many\n")
    with management.table(management.export_coupons, 3) as table, duckdb.connect() as database:
        coupons = table.record_batches()
        # Across this border, only the text of an exception survives.
        with pytest.raises(duckdb.Error, match="line 2 of exportCoupons, limitval must be"):
            database.execute("SELECT count(value), sum(limitval) FROM coupons").fetchall()


def test_batches_become_parquet(server: RecordingServer, management: ManagementApi) -> None:
    respond(server, CSV)
    file = io.BytesIO()
    with management.table(management.export_coupons, 3) as table:
        reader = table.record_batches(2)
        with pyarrow.parquet.ParquetWriter(file, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
    found = pyarrow.parquet.read_table(io.BytesIO(file.getvalue()))
    assert found.to_pylist() == ROWS
    assert found.schema == SCHEMA


@pytest.mark.asyncio
async def test_batches_are_yielded_with_asyncio(
    server: RecordingServer, awaited: talon_one.aio.ManagementApi
) -> None:
    server.default = Response(body=CSV.encode(), headers=TYPE)
    async with awaited.table(awaited.export_coupons, 3) as table:
        found = [batch async for batch in table.record_batches(2)]
    assert [len(batch) for batch in found] == [2, 1]
    assert pyarrow.Table.from_batches(found).to_pylist() == ROWS
    with pytest.raises(ApiValueError, match="was used already"):
        [batch async for batch in table.record_batches()]
    schema = talon_one.aio.tables.arrow_schema(awaited.export_coupons)
    conformed = awaited.table(awaited.export_coupons, 3).record_batches(schema=schema)
    assert [batch.schema async for batch in conformed] == [schema]
    server.default = Response(body=b"id,value\nx,1\n", headers=TYPE)
    with pytest.raises(talon_one.aio.tables.CellError, match="line 2 of exportCoupons, id must be"):
        [batch async for batch in awaited.table(awaited.export_coupons, 3).record_batches()]
    kept = awaited.table(awaited.export_coupons, 3).record_batches(text="id")
    assert [batch.to_pylist() async for batch in kept] == [[{"id": "x", "value": "1"}]]
    # So that a file of it can be written.
    server.default = Response(body=b"id,value\n", headers=TYPE)
    (empty,) = [batch async for batch in awaited.table(awaited.export_coupons, 3).record_batches()]
    assert (empty.schema.names, len(empty)) == (["id", "value"], 0)


@pytest.mark.asyncio
async def test_closing_the_table_early_releases_the_connection_with_asyncio(
    server: RecordingServer, awaited: talon_one.aio.ManagementApi
) -> None:
    awaited.api_client.configuration.connection_pool_maxsize = 1
    server.default = Response(body=b"value,id\n" + b"A-1,7\n" * 100_000, headers=TYPE)
    for _ in range(2):
        async with awaited.table(awaited.export_coupons, 3, _deadline=10) as table:
            batches = table.record_batches(10)
            assert len(await batches.__anext__()) == 10
        with pytest.raises(ApiValueError, match="was closed before it was read to the end"):
            await batches.__anext__()
    assert len(server.requests) == 2


def test_a_missing_package_is_reported_before_the_call(
    server: RecordingServer, management: ManagementApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    uses: list[Callable[[], object]] = [
        management.table(management.export_coupons, 3).record_batches,
        lambda: tables.arrow_schema(management.export_coupons),
    ]
    for use in uses:
        with pytest.raises(ApiTypeError, match="pyarrow is not installed: pip install pyarrow"):
            use()
    assert server.requests == []


def test_no_package_is_imported_before_it_is_needed() -> None:
    program = (
        "import sys, talon_one.tables, talon_one.aio.tables\n"
        "print(sorted({'pyarrow', 'polars', 'duckdb', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


# -- What holds for all files --------------------------------------------------------------------

_NAMES = ["id", "value", "discount_counter", "created", "reservation", "attributes", "new", "ID"]
_CELLS = st.sampled_from(
    [
        *("", "1", "-7", "0", "-0", "007", "1.5", "1e3", "t", "FALSE", "x", " ", "é", "{}", "null"),
        *("2026-01-31T10:00:00Z", "2026-01-31T10:00:00+01:00", "2026-01-31 10:00:00", "\0"),
        *("0001-01-01T00:00:00+12:00", str(2**63), str(-(2**63)), "12345678901234567.89", "NaN"),
        *('say "hello"', "two\nlines", "a,b", "2026-02-30T00:00:00Z", "1_0", "\ufeff"),
    ]
) | st.text(max_size=3)


def _line(cells: Iterable[str]) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


@given(
    names=st.lists(st.sampled_from(_NAMES), min_size=1, max_size=4),
    records=st.lists(st.lists(_CELLS, min_size=1, max_size=5), max_size=6),
    batch_size=st.integers(1, 4),
    chunk_size=st.integers(1, 40),
    text=st.sets(st.sampled_from(_NAMES)),
    excel=st.booleans(),
    raw=st.none() | st.text(alphabet='a7,"\n\r;', max_size=20),
)
def test_batches_hold_the_values_of_the_rows_or_an_error_names_a_cell(
    names: list[str],
    records: list[list[str]],
    batch_size: int,
    chunk_size: int,
    text: set[str],
    excel: bool,
    raw: str | None,
) -> None:
    operation = operations.export_coupons
    assert operation.csv is not None
    lines = [_line(names), *map(_line, records)]
    file = ("\n".join(lines) + (raw or "")).encode("utf-8", "replace")
    rows_reader, texts_reader = RowReader(operation.csv.columns), RowReader(as_text=True)
    rows = [*rows_reader.feed(file), *rows_reader.close()]
    texts = [*texts_reader.feed(file), *texts_reader.close()]
    columns = rows_reader.columns
    call = CallArguments(operation, (), {"date_format": "excel"} if excel else {})
    fields = file_fields(call, TextChoice(text & set(columns)), columns)
    reader = BatchReader(fields, batch_size, "utf-8", operation.id)

    def batches() -> Any:
        for begin in range(0, len(file), chunk_size):
            yield from reader.feed(file[begin : begin + chunk_size])
        yield from reader.close()

    arrow = reader_of(fields, batches(), None)
    found, error = [], None
    try:
        found += list(arrow)
    except tables.CellError as raised:
        error = raised
    if error is not None:
        if not error.column:
            assert any(error.value in list(row.values())[len(columns) :] for row in texts)
            return
        kind = next(field.kind for field in fields if field.name == error.column)
        at_fault = [
            row.get(error.column)
            for row, cells in zip(rows, texts, strict=True)
            if cells.get(error.column) == error.value
        ]
        assert at_fault
        assert not any(_fits(value, kind) for value in at_fault)
        return
    assert all(1 <= len(batch) <= batch_size and batch.schema == arrow.schema for batch in found)
    assert sum(map(len, found)) == len(rows)
    converted = [row for batch in found for row in batch.to_pylist()]
    for batch_row, row, cells in zip(converted, rows, texts, strict=True):
        for field in fields:
            expected = (cells if field.kind == "str" else row).get(field.name)
            assert batch_row[field.name] == expected
            assert type(batch_row[field.name]) is type(expected)
        assert not any(list(cells.values())[len(columns) :])


def _fits(value: Any, kind: str) -> bool:
    if kind in ("datetime", "naive"):
        if not isinstance(value, datetime) or (value.tzinfo is None) != (kind == "naive"):
            return False
        try:
            value.astimezone(UTC)
        except OverflowError:
            return kind == "naive"
        return True
    if kind == "int":
        return type(value) is int and abs(value) < 2**63
    return type(value) is {"float": float, "bool": bool}[kind]
