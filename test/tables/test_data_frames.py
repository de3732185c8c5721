"""Exports as data frames, and imports from data frames."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pandas
import polars
import pytest

import talon_one.aio
from support.server import RecordingServer, Response
from talon_one import ApiTypeError, ManagementApi, tables

UTC = timezone.utc
CSV = (
    "id,value,discount_limitval,reservation,created,attributes,importid,new\r\n"
    '9007199254740993,0042,1.5,t,2026-01-31T10:00:00+01:00,"{""size"": ""L""}",1,x\r\n'
    ",B-2,,,,,,\r\n"
)
CREATED = datetime(2026, 1, 31, 9, tzinfo=UTC)


def frame_of(
    to_frame: str, server: RecordingServer, management: ManagementApi, text: str = CSV
) -> Any:
    server.script(Response(body=text))
    return getattr(management.table(management.export_coupons, 3), to_frame)()


def test_a_frame_of_pandas_has_the_types_of_the_columns(
    server: RecordingServer, management: ManagementApi
) -> None:
    found = frame_of("to_pandas", server, management)
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        "id": "Int64",
        "value": "string",
        "discount_limitval": "float64",
        "reservation": "boolean",
        "created": "datetime64[us, UTC]",
        "attributes": "object",
        "importid": "Int64",
        "new": "string",
    }
    first, second = found.to_dict("records")
    # A float could not hold this ID.
    assert (first["id"], first["value"], first["reservation"]) == (9007199254740993, "0042", True)
    assert (first["created"], first["attributes"]) == (CREATED, {"size": "L"})
    assert second["value"] == "B-2"
    assert pandas.isna([second[name] for name in found.columns if name != "value"]).all()


def test_a_frame_of_polars_has_the_types_of_the_columns(
    server: RecordingServer, management: ManagementApi
) -> None:
    found = frame_of("to_polars", server, management)
    assert dict(found.schema) == {
        "id": polars.Int64,
        "value": polars.String,
        "discount_limitval": polars.Float64,
        "reservation": polars.Boolean,
        "created": polars.Datetime("us", "UTC"),
        "attributes": polars.String,
        "importid": polars.Int64,
        "new": polars.String,
    }
    first, second = found.iter_rows(named=True)
    assert (first["id"], first["created"]) == (9007199254740993, CREATED)
    assert first["attributes"] == '{"size": "L"}'
    assert [name for name, value in second.items() if value is not None] == ["value"]


METHODS = ("to_pandas", "to_polars")


@pytest.mark.parametrize("to_frame", METHODS)
def test_the_largest_integers_stay_integers(
    server: RecordingServer, management: ManagementApi, to_frame: str
) -> None:
    numbers = [2**63 - 1, -(2**63) + 1]
    found = frame_of(to_frame, server, management, "\n".join(["id", *map(str, numbers)]))
    assert list(found["id"]) == numbers


@pytest.mark.parametrize("to_frame", METHODS)
@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("campaignid", ["7", "total", "007"]),
        ("campaignid", ["9" * 30]),
        ("discount_counter", ["1.5", "much"]),
        ("discount_counter", ["1.5", "12345678901234567.89"]),
        ("created", ["2026-01-31T10:00:00Z", "2026-01-31 10:00:00"]),
        ("created", ["9999-12-31T23:59:59-12:00"]),
        ("id", ["1", str(2**63)]),
        ("id", ["1", str(2**63 + 1)]),
        ("id", ["1", str(-(2**63) - 1)]),
        ("reservation", ["true", "perhaps"]),
    ],
)
def test_a_column_with_a_value_of_another_type_stays_text(
    server: RecordingServer, management: ManagementApi, to_frame: str, column: str, cells: list[str]
) -> None:
    found = frame_of(to_frame, server, management, "\n".join([column, *cells]))
    assert list(found[column]) == cells


@pytest.mark.parametrize("to_frame", METHODS)
def test_timestamps_without_a_zone_stay_without_one(
    server: RecordingServer, management: ManagementApi, to_frame: str
) -> None:
    found = frame_of(to_frame, server, management, "created\n2026-01-31 10:00:00\n")
    assert list(found["created"]) == [datetime(2026, 1, 31, 10)]


@pytest.mark.parametrize("to_frame", METHODS)
def test_a_frame_without_rows_has_the_columns(
    server: RecordingServer, management: ManagementApi, to_frame: str
) -> None:
    found = frame_of(to_frame, server, management, "id,value\n")
    assert (list(found.columns), len(found)) == (["id", "value"], 0)
    assert str(found.dtypes["id"] if to_frame == "to_pandas" else found.schema["id"]) == "Int64"
    assert frame_of(to_frame, server, management, "").shape == (0, 0)


@pytest.mark.parametrize("to_frame", METHODS)
def test_rows_of_another_length_keep_all_cells(
    server: RecordingServer, management: ManagementApi, to_frame: str
) -> None:
    found = frame_of(to_frame, server, management, "value,id,new\nA-1\nB-2,7,x,y\nC-3,8\n")
    missing = [each is None or each is pandas.NA for each in found["column 4"]]
    assert (list(found["value"]), missing) == (["A-1", "B-2", "C-3"], [True, False, True])
    assert found["id"][1] == 7


@pytest.mark.asyncio
async def test_exports_become_frames_with_asyncio(
    server: RecordingServer, awaited: talon_one.aio.ManagementApi
) -> None:
    server.default = Response(body=CSV)
    table = await awaited.table(awaited.export_coupons, 3).to_pandas()
    assert list(table["value"]) == ["0042", "B-2"]
    assert table["attributes"][0] == {"size": "L"}
    other = await awaited.table(awaited.export_coupons, 3).to_polars()
    assert list(other["value"]) == ["0042", "B-2"]
    assert other["attributes"][0] == '{"size": "L"}'


COLUMNS: dict[str, list[Any]] = {
    "value": ["A-1", "B-2"],
    "limitval": [5, None],
    "expirydate": [CREATED, None],
    "recipientintegrationid": [None, "anna"],
    "discountlimit": [1.5, None],
}


@pytest.mark.parametrize("frame_class", [pandas.DataFrame, polars.DataFrame])
def test_a_frame_is_imported(
    server: RecordingServer, management: ManagementApi, frame_class: Callable[[Any], Any]
) -> None:
    tables.upload(management.import_coupons, 3, 12, frame_class(COLUMNS))
    assert server.last.body.decode().split("\r\n\r\n")[1].splitlines()[:3] == [
        "value,limitval,expirydate,recipientintegrationid,discountlimit",
        "A-1,5,2026-01-31T09:00:00Z,,1.5",
        "B-2,,,anna,",
    ]


@pytest.mark.parametrize("frame_class", [pandas.DataFrame, polars.DataFrame])
def test_codes_that_became_numbers_in_a_frame_are_refused(
    management: ManagementApi, frame_class: Callable[[Any], Any]
) -> None:
    (found,) = tables.check(management.import_coupons, frame_class({"value": [12345.5]}))
    assert found.message == "is text, and 12345.5 is a number; convert it to a string"


@pytest.mark.parametrize("frame_class", [pandas.DataFrame, polars.DataFrame])
def test_a_frame_without_rows_is_refused(
    management: ManagementApi, frame_class: Callable[[Any], Any]
) -> None:
    (found,) = tables.check(management.import_coupons, frame_class({"value": []}))
    assert found.message == "has no rows below the names of the columns"


def test_series_and_lazy_frames_are_refused(management: ManagementApi) -> None:
    others: list[Any] = [polars.LazyFrame({"value": ["A-1"]}), pandas.Series(["A-1"])]
    for other in others:
        with pytest.raises(ApiTypeError, match=f"not {type(other).__name__}"):
            tables.check(management.import_coupons, other)


def test_a_list_with_some_methods_of_a_frame_is_read_as_a_list(management: ManagementApi) -> None:
    class Sheet(list[dict[str, str]]):
        """A list of rows with some methods of a frame, like sheets of other libraries."""

        iloc = 0

        def iter_rows(self, **settings: object) -> list[str]:
            raise AssertionError("this is not a frame")

    assert tables.check(management.import_coupons, Sheet([{"value": "A-1"}])) == []
    (problem,) = tables.check(management.import_coupons, Sheet([{"value": ""}]))
    assert problem.column == "value"


def test_a_large_frame_of_pandas_is_read_in_slices(management: ManagementApi) -> None:
    large = pandas.DataFrame({"value": [f"CODE-{number}" for number in range(20_001)]})
    large.loc[20_000, "value"] = "A"
    (found,) = tables.check(management.import_coupons, large)
    assert found.row_index == 20_000


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_missing_package_is_reported_before_the_call(
    server: RecordingServer,
    management: ManagementApi,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ApiTypeError, match=f"{package} is not installed: pip install {package}"):
        frame_of(f"to_{package}", server, management)
    assert server.requests == []


def test_neither_package_is_imported_before_it_is_needed() -> None:
    program = (
        "import sys, talon_one.tables, talon_one.aio.tables\n"
        "from talon_one.api.management_operations import import_coupons\n"
        "talon_one.tables.check(import_coupons, b'value')\n"
        "print(sorted({'pandas', 'polars', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
