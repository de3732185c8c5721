"""Rows have typed values, and keep everything in the export."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.every import for_every
from talon_one._core.operation import Column, Operation, column
from talon_one.api import management_operations as operations
from talon_one.tables import Table
from talon_one.tables.cells import checker_for, reader_for, to_cell
from talon_one.tables.rows import Row, RowReader

UTC = timezone.utc


def rows(operation: Operation, text: str) -> list[Row]:
    assert operation.csv is not None
    reader = RowReader(operation.csv.columns)
    return [*reader.feed(text.encode()), *reader.close()]


def test_cells_become_values_of_the_type_of_their_column() -> None:
    text = (
        "id,value,created,attributes,limits,discount_limitval,reservation,batchid\r\n"
        '7,0042,2026-01-31T10:00:00Z,"{""size"": ""L""}",[],12.50,true,\r\n'
    )
    assert rows(operations.export_coupons, text) == [
        {
            "id": 7,
            "value": "0042",
            "created": datetime(2026, 1, 31, 10, tzinfo=UTC),
            "attributes": {"size": "L"},
            "limits": [],
            "discount_limitval": 12.5,
            "reservation": True,
            "batchid": None,
        }
    ]


def test_a_long_file_is_not_taken_for_an_unclosed_quote(caplog: pytest.LogCaptureFixture) -> None:
    text = "value\n" + "A-1\n" * 3_000
    assert len(rows(operations.export_coupons, text)) == 3_000
    assert caplog.records == []


INTEGER, NUMBER = column("id", "int"), column("amount", "float")
FLAG, MOMENT = column("used", "bool"), column("created", "datetime", words=("unlimited",))
OBJECT, ANY = column("attributes", "dict[str, Any]"), column("flags", "Any")
NAMES = column("customerprofileids", "list[str]", separator=";")


@pytest.mark.parametrize(
    ("cell", "is_wrong"), [("true", False), ("false", False), ("TRUE", True), ("t", True)]
)
def test_a_truth_in_an_import_is_written_as_in_json(cell: str, is_wrong: bool) -> None:
    fault = checker_for(FLAG)(cell)
    assert fault == (f"must be true or false, not {cell!r}" if is_wrong else "")


@for_every(
    "of, cell, value",
    [
        (INTEGER, "-12", -12),
        (INTEGER, "9" * 30, int("9" * 30)),
        (NUMBER, "1e3", 1000.0),
        (NUMBER, "0.10000000000000000000", 0.1),
        # A float would be 12345678901234568 and 0.0.
        (NUMBER, "12345678901234567.89", Decimal("12345678901234567.89")),
        (NUMBER, "1e-400", Decimal("1e-400")),
        (FLAG, "f", False),
        (FLAG, "t", True),
        (FLAG, "false", False),
        (FLAG, "TRUE", True),
        (MOMENT, "2026-01-31T10:00:00+01:00", datetime.fromisoformat("2026-01-31T10:00:00+01:00")),
        # With `dateFormat=excel`, timestamps have no zone.
        (MOMENT, "2026-01-31 10:00:00", datetime(2026, 1, 31, 10)),
        (OBJECT, "null", None),
        (ANY, '["a"]', ["a"]),
        (NAMES, "anna;bert", ["anna", "bert"]),
    ],
)
def test_a_cell_is_converted(of: Column, cell: str, value: Any) -> None:
    found = reader_for(of)(cell)
    assert (found, type(found)) == (value, type(value))


@for_every(
    "of, cell",
    [
        (INTEGER, "007"),
        (INTEGER, "1_0"),
        (INTEGER, "1.5"),
        (INTEGER, "total"),
        (INTEGER, "9" * 5000),
        (NUMBER, "4,5"),
        (NUMBER, "00.5"),
        (NUMBER, "nan"),
        (NUMBER, "1e999"),
        (FLAG, "perhaps"),
        (MOMENT, "unlimited"),
        (MOMENT, "31.01.2026"),
        (MOMENT, "2026-13-01T00:00:00Z"),
        (OBJECT, "{size: L}"),
    ],
)
def test_a_cell_that_cannot_be_converted_stays_text(of: Column, cell: str) -> None:
    assert reader_for(of)(cell) == cell


def test_unknown_columns_are_text() -> None:
    assert rows(operations.export_campaign_stores, "store_integration_id,new\nberlin,7\n") == [
        {"store_integration_id": "berlin", "new": "7"}
    ]


def test_names_of_columns_are_recognized_in_any_case() -> None:
    assert rows(operations.export_loyalty_join_dates, "LOYALTYPROGRAMID\n7\n") == [
        {"LOYALTYPROGRAMID": 7}
    ]


def test_rows_of_another_length_keep_all_cells() -> None:
    assert rows(operations.export_campaign_value_map, "identifier,value\na\nb,1,x,\n") == [
        {"identifier": "a"},
        {"identifier": "b", "value": 1.0, "column 3": "x", "column 4": None},
    ]


def test_a_generated_name_does_not_replace_a_real_column() -> None:
    known = operations.export_campaign_value_map
    assert rows(known, "value,column 3\n1,2,EXTRA\n") == [
        {"value": 1.0, "column 3": "2", "column 3'": "EXTRA"}
    ]
    assert rows(known, "column 2,,value\na,b,1\n") == [
        {"column 2": "a", "column 2'": "b", "value": 1.0}
    ]


def test_columns_without_a_name_or_with_a_duplicate_one_keep_their_cells() -> None:
    assert rows(operations.export_campaign_value_map, "identifier,,identifier\na,b,c\n") == [
        {"identifier": "a", "column 2": "b", "column 3": "c"}
    ]


# Imports refuse NUL.
@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_text_survives_a_round_trip(value: str) -> None:
    assert reader_for(column("value"))(to_cell(column("value"), value)) == value


@given(value=st.integers(-(10**17), 10**17))
def test_integers_survive_a_round_trip(value: int) -> None:
    assert reader_for(INTEGER)(to_cell(INTEGER, value)) == value


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive_a_round_trip(value: float) -> None:
    assert reader_for(NUMBER)(to_cell(NUMBER, value)) == value


@given(value=st.datetimes(timezones=st.timezones()))
def test_timestamps_survive_a_round_trip(value: datetime) -> None:
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        return
    assert reader_for(MOMENT)(to_cell(MOMENT, value)) == moment


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(value=st.dictionaries(st.text(), JSON, max_size=3))
def test_json_survives_a_round_trip(value: dict[str, Any]) -> None:
    text = to_cell(OBJECT, value)
    assert json.loads(text) == value
    assert reader_for(OBJECT)(text) == value


def test_a_table_is_a_public_name() -> None:
    import talon_one

    assert talon_one.tables.Table is Table


def test_booleans_are_the_letters_of_databases_and_the_words_of_json() -> None:
    for text, value in (("t", True), ("F", False), ("True", True), ("false", False)):
        (row,) = rows(operations.export_coupons, f"reservation\n{text}\n")
        assert row["reservation"] is value
    for text in ("yes", "no", "0", "1", "falsy", "ff"):
        (row,) = rows(operations.export_coupons, f"reservation\n{text}\n")
        assert row["reservation"] == text
