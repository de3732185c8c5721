"""Tables are checked before they are sent, and errors of the server are matched with rows."""

from __future__ import annotations

import csv
import gzip
import io
import os
import pickle
import threading
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from email import message_from_bytes
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy
import pandas
import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import talon_one.aio
from support.every import for_every
from support.server import RecordingServer, Response
from talon_one import (
    NULL,
    ApiException,
    ApiTypeError,
    ApiValueError,
    ManagementApi,
    OpenApiException,
    tables,
)
from talon_one._core.operation import column
from talon_one.api import management_operations as operations
from talon_one.sandbox import Sandbox
from talon_one.tables.cells import to_cell
from talon_one.tables.checks import TableCheck
from talon_one.tables.import_file import ImportFile

IMPORTED = {"id": 1, "amount": 2, "entity": "Coupon"}
ATTRIBUTES = 'put a cell with commas in quotes and double the quotes in it, as in "{""size""'


def part(server: RecordingServer) -> Any:
    """Return the only part of the form in the latest request."""
    received = server.last
    head = f"Content-Type: {received.headers['Content-Type']}\r\n\r\n".encode()
    parts: Any = message_from_bytes(head + received.body).get_payload()
    assert len(parts) == 1
    return parts[0]


def sent(server: RecordingServer) -> str:
    """Return the file in the latest request."""
    content: bytes = part(server).get_payload(decode=True)
    return content.decode()


def problems(text: str | bytes, operation: Any = operations.import_coupons) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    return [str(problem) for problem in tables.check(operation, data)]


# -- Files sent --------------------------------------------------------------------------------


def test_rows_are_written_as_the_platform_reads_them(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.script(IMPORTED)
    berlin = timezone(timedelta(hours=1))
    found = tables.upload(
        management.import_coupons,
        3,
        12,
        [
            {
                "value": 'A,"1"\n',
                "expirydate": datetime(2026, 12, 31, tzinfo=berlin),
                "limitval": 5.0,
                "discountlimit": Decimal("12.50"),
                "attributes": {"size": "L", "since": datetime(2026, 1, 1, tzinfo=berlin)},
            },
            {"value": "B-2", "expirydate": None, "limitval": NULL, "discountlimit": float("nan")},
            {"value": UUID(int=7), "attributes": '{"a": 1}', "limitval": "0"},
        ],
        skip_duplicates=True,
    )
    assert found.amount == 2
    assert server.last.query == "skipDuplicates=true"
    assert list(csv.reader(io.StringIO(sent(server), newline=""))) == [
        ["value", "expirydate", "limitval", "discountlimit", "attributes"],
        [
            'A,"1"\n',
            "2026-12-30T23:00:00Z",
            "5",
            "12.50",
            '{"size":"L","since":"2026-01-01T00:00:00+01:00"}',
        ],
        ["B-2", "", "", "", ""],
        [str(UUID(int=7)), "", "0", "", '{"a": 1}'],
    ]
    assert '""size"":""L""' in sent(server)
    assert part(server).get_filename() == "importCoupons.csv"


def test_lists_are_written_with_their_separator(
    server: RecordingServer, management: ManagementApi
) -> None:
    row = {"identifier": "card-1", "state": "active", "customerprofileids": ["anna", "bert"]}
    tables.upload(management.import_loyalty_cards, 7, [row])
    assert sent(server).splitlines()[1] == "card-1,active,anna;bert"


def test_columns_of_later_rows_are_written_for_all_rows(
    server: RecordingServer, management: ManagementApi
) -> None:
    rows = ({"value": "A-1\n2"}, {"limitval": 1, "value": "B-2"}, {"value": "C-3"})
    tables.upload(management.import_coupons, 3, 12, iter(rows))
    assert sent(server) == 'value,limitval\r\n"A-1\n2",\r\nB-2,1\r\nC-3,\r\n'


FILE = 'value,attributes\r\nÄ-1,"{""a"": 1}"\r\n'


def test_files_from_any_source_are_sent_unchanged(
    server: RecordingServer, management: ManagementApi, tmp_path: Path
) -> None:
    data = FILE.encode()
    path = tmp_path / "coupons.csv"
    path.write_bytes(data)

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with path.open("rb") as binary, path.open(encoding="utf-8", newline="") as text:
        sources: list[Any] = [path, str(path), binary, text, ("coupons.csv", data)]
        sources += [data, bytearray(data), io.BytesIO(data), io.StringIO(FILE, newline="")]
        sources += [Pipe(data), iter([data[:9], b"", data[9:]])]
        for source in sources:
            tables.upload(management.import_coupons, 3, 12, source)
            assert sent(server) == FILE
            named = sources.index(source) < 5
            assert part(server).get_filename() == ("coupons.csv" if named else "importCoupons.csv")
        assert not binary.closed


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_a_named_pipe_is_read_once(
    server: RecordingServer, management: ManagementApi, tmp_path: Path
) -> None:
    path = tmp_path / "coupons.csv"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(FILE, "utf-8"), kwargs={"newline": ""})
    writer.start()
    tables.upload(management.import_coupons, 3, 12, path)
    writer.join()
    assert (sent(server), part(server).get_filename()) == (FILE, "coupons.csv")


def test_a_file_is_read_from_its_current_position(
    server: RecordingServer, management: ManagementApi
) -> None:
    file = io.BytesIO(b"# made by hand\n" + FILE.encode())
    file.readline()
    assert tables.check(management.import_coupons, file) == []
    tables.upload(management.import_coupons, 3, 12, file)
    assert sent(server) == FILE


def test_the_table_may_be_a_keyword_argument(
    server: RecordingServer, management: ManagementApi
) -> None:
    tables.upload(
        management.import_coupons, application_id=3, campaign_id=12, up_file=[{"value": "A-1"}]
    )
    assert sent(server) == "value\r\nA-1\r\n"


def test_the_table_is_given_once(server: RecordingServer, management: ManagementApi) -> None:
    before = len(server.requests)
    for arguments, keywords in (
        ((3, 12, ROWS), {"up_file": ROWS}),
        ((3, 12), {}),
        ((3, 12), {"up_file": None}),
        ((3, 12, None), {}),
    ):
        with pytest.raises(ApiTypeError):
            tables.upload(management.import_coupons, *arguments, **keywords)
    assert len(server.requests) == before


def test_rows_of_an_export_can_be_imported(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.script(Response(body="value,id\nA-1,7\nB-2,8\n"))
    with management.table(management.export_coupons, 3) as table:
        rows = ({"value": row["value"]} for row in table)
        tables.upload(management.import_coupons, 4, 13, rows)
    assert sent(server) == "value\r\nA-1\r\nB-2\r\n"


@given(
    values=st.lists(
        st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=3),
        min_size=1,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_rows_survive_a_round_trip(
    server: RecordingServer, management: ManagementApi, values: list[str]
) -> None:
    rows = [{"value": value} for value in values]
    tables.upload(management.import_coupons, 3, 12, rows)
    server.script(Response(body=sent(server)))
    assert management.table(management.export_coupons, 3).rows() == rows


# -- Problems found -----------------------------------------------------------------------------


@for_every(
    "cells, message",
    [
        ("AB,,,", "value must have at least 3 characters, not 2"),
        (",,,", "value is empty, and required in every row"),
        ("ABC,2026-12-31,,", "expirydate must have a time as well: write 2026-12-31T00:00:00Z"),
        ("ABC,31.12.2026,,", "expirydate must be an RFC 3339 timestamp such as 2026-12-31T23:5"),
        ("ABC,2026-12-31T00:00:00,,", "expirydate must have a time zone at its end, such as Z"),
        ("ABC,2026-02-30T00:00:00Z,,", "expirydate is not an existing date"),
        ("ABC,,1.5,", "limitval must be a whole number such as 100, not '1.5'"),
        ("ABC,,-1,", "limitval must be at least 0, not -1"),
        ("ABC,,,{a: 1}", "attributes must be JSON, not '{a: 1}'"),
        (
            "ABC,,,{a: 1}",
            '; its quotes are missing; write it in a CSV file with doubled quotes: "{""',
        ),
        ('ABC,,,"{""a"": NaN}"', "attributes must be JSON, not '{\"a\": NaN}' (JSON has no NaN)"),
        ("ABC,,,[]", 'attributes must be a JSON object such as {"size": "L"}, not \'[]\''),
        ("ABC,,", "has 3 cells, and there are 4 columns; write a comma for each empty cell"),
        ('ABC,,,{"a": 1, "b": 2}', ATTRIBUTES),
        ("ABC;;;", "put commas between the cells rather than semicolons"),
        ("A;BC,,", "has 3 cells, and there are 4 columns; write a comma for each empty cell"),
        ('"ABC"D,,,', "text follows a closing quote; double the quotes inside a cell"),
        ('"ABC,,,', "a quote that opens a cell is never closed"),
    ],
)
def test_a_faulty_row_is_explained_with_its_line(cells: str, message: str) -> None:
    text = f'value,expirydate,limitval,attributes\n"A\nBC",,,\n{cells}'
    (found,) = problems(text)
    assert found.startswith("line 4 (row 2)")
    assert message in found


@for_every(
    "text, message",
    [
        ("", "line 1 is empty; the first line names the columns, such as value"),
        ("value\n", "line 1 has no rows below the names of the columns"),
        ("value;limitval\nABC;1\n", "line 1 has semicolons between the cells; save the file with"),
        ("value\tlimitval\nABC\t1\n", "line 1 has tabs between the cells; save the file with"),
        ("value|limitval\nABC|1\n", "line 1 has vertical bars between the cells; save the file"),
        ("limitval\tvalue\n1\tABC\n", "line 1 has tabs between the cells"),
        ("CODE-1\nCODE-2\n", "line 1 does not name the columns; the first line must contain some"),
        ("Value\nABC\n", "Did you mean 'value'?"),
        ("limitval\n1\n", "line 1, value is missing, and every row needs it"),
        ("value,value\nABC,ABC\n", "line 1, value is there twice; remove one of them"),
        ("value,expiry_date\nABC,\n", "line 1, expiry_date is not a column of importCoupons. D"),
        ("value,limitval\rABC,1\rDEF,2\r", "line 1 separates lines with carriage returns only"),
        ("value,färbe\nABC,\n", "line 1, färbe is not a column of importCoupons. Remove it."),
        ("value\nABC\n".encode("utf-16"), "line 1 is UTF-16, not UTF-8; save the file as CSV UTF"),
        ("value\nCAFÉ\n".encode("latin-1"), "line 2 (row 1), value is not UTF-8; save the file"),
    ],
)
def test_a_faulty_file_has_one_problem_with_an_explanation(text: str | bytes, message: str) -> None:
    (found,) = problems(text)
    assert found.startswith(message) or message in found
    assert "\udcff" not in found


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (operations.import_coupons, "\ufeffvalue,startdate\r\nABC,2026-01-01T00:00:00.5+01:00\r\n"),
        (operations.import_coupons, "value\n\nABC\n\n"),
        (operations.import_loyalty_points, "identifier,amount\ncard-1,4.50\n"),
        (
            operations.import_loyalty_points,
            "customerprofileid,amount,startdate,expirydate,validityDuration\n"
            "anna,1,immediate,unlimited,\nbert,2,on_action,,5D_U\ncleo,1e3,,,30s\n",
        ),
        (operations.import_loyalty_cards, "identifier,state,customerprofileids\nc,active,a;b\n"),
        (operations.import_collection, "item\nshoe\n"),
    ],
)
def test_a_valid_table_has_no_problems(operation: Any, text: str) -> None:
    assert problems(text, operation) == []


@for_every(
    "operation, text, message",
    [
        (
            operations.import_loyalty_points,
            "amount\n1\n",
            "line 1 has neither of the columns customerprofileid and identifier; add one of them",
        ),
        (
            operations.import_loyalty_points,
            "amount,identifier\n1,\n",
            "line 2 (row 1) fills neither customerprofileid nor identifier; every row needs one",
        ),
        (
            operations.import_loyalty_points,
            "amount,identifier,expirydate,validityDuration\n1,c,unlimited,5D\n",
            "line 2 (row 1) fills both expirydate and validityDuration; leave one of them empty",
        ),
        (
            operations.import_loyalty_points,
            "amount,identifier,customerprofileid\n1,c,p\n",
            "line 2 (row 1) fills both customerprofileid and identifier; leave one of them empty",
        ),
        (
            operations.import_coupons,
            "value,startdate,expirydate\nABC,2026-01-01T02:00:00+01:00,2026-01-01T00:00:00Z\n",
            "line 2 (row 1), startdate is after the expirydate of the row",
        ),
        (
            operations.import_pool_giveaways,
            "code,enddate,startdate\nABC,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z\n",
            "line 2 (row 1), startdate is after the enddate of the row",
        ),
        (
            operations.import_loyalty_points,
            "amount,identifier,startdate\n1,c,unlimited\n",
            "line 2 (row 1), startdate must be an RFC 3339 timestamp such as 2026-12-31T23:59:59Z,"
            " or immediate, or on_action, not 'unlimited'",
        ),
        (
            operations.import_loyalty_points,
            'amount,identifier\n"4,50",c\n',
            "line 2 (row 1), amount must be a number with a point, such as 4.50, not '4,50'",
        ),
        (
            operations.import_loyalty_cards,
            "identifier,state\nc,open\n",
            "line 2 (row 1), state must be one of 'active', 'inactive', not 'open'",
        ),
        (
            operations.import_loyalty_cards,
            "identifier,state,customerprofileids\nc,active,a;;b\n",
            "line 2 (row 1), customerprofileids has an empty item in 'a;;b'",
        ),
        (
            operations.import_audiences_memberships,
            "profileintegrationid\n",
            "line 1 has no rows; importing it would remove everything that is stored (to do that",
        ),
    ],
)
def test_requirements_of_the_import_are_checked(operation: Any, text: str, message: str) -> None:
    (found,) = problems(text, operation)
    assert found.startswith(message)


@for_every(
    "column, value, message",
    [
        ("expirydate", datetime(2026, 1, 1), "expirydate holds 2026-01-01T00:00:00 without a time"),
        ("expirydate", numpy.datetime64("2026-01-01T00:00:00", "ns"), "without a time zone"),
        ("expirydate", date(2026, 1, 1), "expirydate holds 2026-01-01, a date without a time"),
        ("expirydate", ["x"], "expirydate holds a timestamp, not ['x']"),
        ("value", 1e20, "value is text, and 1e+20 is a number; convert it to a string"),
        (
            "value",
            "AA\ud800A",
            "value has half of a character, which is not valid UTF-8: 'AA\\ud800A'",
        ),
        ("value", "AA\0A", "value contains a NUL character"),
        ("value", numpy.array(["a"]), "value holds text, not ['a']"),
        ("attributes", polars.Series([1]), "attributes must be a JSON object such as"),
        ("value", 12345.5, "value is text, and 12345.5 is a number; convert it to a string"),
        ("value", 2.0**53, "value is text, and 9007199254740992.0 is a number"),
        ("value", object, "value holds <class 'object'>, which a cell cannot represent"),
        ("discountlimit", float("inf"), "discountlimit holds inf, which a cell cannot represent"),
        ("attributes", {"a": float("nan")}, "attributes cannot be written as JSON"),
        ("limitval", 1.5, "limitval must be a whole number such as 100, not '1.5'"),
        ("color", "red", "color is not a column of importCoupons"),
    ],
)
def test_a_value_that_a_cell_cannot_hold_is_explained_with_its_row(
    column: str, value: object, message: str
) -> None:
    rows = [{"value": "ABC"}, {"value": "DEF", column: value}]
    (found,) = tables.check(operations.import_coupons, rows)
    assert message in str(found)
    if found.row_index is not None:
        assert (found.line, found.column, found.row_index) == (3, column, 1)
        assert found.row is rows[1]


@pytest.mark.parametrize(
    ("operation", "row", "cells"),
    [
        (operations.import_coupons, {"limitval": numpy.int64(3)}, "3"),
        (operations.import_coupons, {"limitval": Decimal("sNaN")}, ""),
        (operations.import_coupons, {"discountlimit": 1e-07}, "0.0000001"),
        (operations.import_loyalty_cards, {"customerprofileids": numpy.array(["a", "b"])}, "a;b"),
        (operations.import_loyalty_cards, {"customerprofileids": polars.Series(["a"])}, "a"),
        (operations.import_loyalty_cards, {"customerprofileids": pandas.Series(["a"])}, "a"),
    ],
)
def test_values_of_numpy_and_frames_are_written_like_python_values(
    operation: Any, row: dict[str, Any], cells: str
) -> None:
    assert operation.csv is not None
    needed = {"value": "ABC", "identifier": "c", "state": "active"}
    names = [each.name for each in operation.csv.columns]
    whole = {name: needed[name] for name in needed if name in names} | row
    with ImportFile(operation, [whole], 100) as file:
        assert file.problems == []
        written = list(csv.reader(io.StringIO(file.file.read().decode())))[1][-1]
    assert written == cells


def test_booleans_of_numpy_are_written_like_python_booleans() -> None:
    assert to_cell(column("used", "bool"), numpy.bool_(True)) == "true"


def test_columns_of_a_frame_that_share_a_name_are_refused(
    server: RecordingServer, management: ManagementApi
) -> None:
    frame = pandas.DataFrame([["ABC", "DEF"]], columns=["value", "value"])
    (found,) = tables.check(management.import_coupons, frame)
    assert str(found) == "line 1, value is there twice; remove one of them"
    management.api_client.configuration.client_side_validation = False
    with pytest.raises(tables.TableError, match="value is there twice"):
        tables.upload(management.import_coupons, 3, 12, frame)
    assert server.requests == []


def test_none_as_a_row_is_refused_anywhere(management: ManagementApi) -> None:
    rows: list[Any] = [None, {"value": "ABC"}]
    for source in (rows, rows[::-1], iter(rows)):
        with pytest.raises(ApiTypeError, match="rows of a table are dicts, not NoneType"):
            tables.check(management.import_coupons, source)


def test_a_row_without_cells_is_refused(management: ManagementApi) -> None:
    found = tables.check(management.import_coupons, [{}, {"value": "ABC"}])
    assert [str(each) for each in found] == [
        "line 1, value is required in every row, and row 1 does not have it",
        "line 2 (row 1) has no cells; remove it",
    ]
    management.api_client.configuration.client_side_validation = False
    with pytest.raises(tables.TableError, match="has no cells"):
        tables.upload(management.import_coupons, 3, 12, [{"value": "ABC"}, {}])


def test_a_required_column_that_only_later_rows_have_is_missing_in_earlier_ones(
    management: ManagementApi,
) -> None:
    rows = [{"limitval": 1}, {"limitval": 2}, {"value": "ABC"}]
    (found,) = tables.check(management.import_coupons, rows)
    message = "line 1, value is required in every row, and rows 1 to 2 do not have it"
    assert str(found) == message


def test_unknown_keys_of_rows_are_explained_without_lines(management: ManagementApi) -> None:
    (found,) = tables.check(management.import_coupons, [{"code": "ABC"}])
    assert "the keys of the rows must be some of value, expirydate" in str(found)
    assert "first line" not in str(found)


def test_a_closed_file_is_reported_as_closed(management: ManagementApi, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"value\nABC\n")
    with path.open("rb") as file:
        pass
    with pytest.raises(ApiValueError, match="cannot read the table to upload: the file is closed"):
        tables.check(management.import_coupons, file)


def test_invalid_utf8_in_a_text_file_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"value\nABC\nCAF\xc9\n")
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        (found,) = tables.check(operations.import_coupons, file)
    assert str(found).startswith("line 3 (row 2), value is not UTF-8")


def test_variants_of_a_method_are_refused(management: ManagementApi) -> None:
    variant: Any = management.import_coupons_with_http_info
    with pytest.raises(ApiTypeError, match="takes import_coupons itself, not import_coupons_with"):
        tables.upload(variant, 3, 12, [{"value": "ABC"}])
    with pytest.raises(
        ApiTypeError, match="does not export a table; methods such as export_coupons do"
    ):
        management.table(management.get_application, 3)


def test_an_error_says_if_the_rest_was_not_checked(management: ManagementApi) -> None:
    with pytest.raises(tables.TableError, match=r"has at least 100 problems.*; and at least 90"):
        tables.upload(management.import_coupons, 3, 12, [{"value": "A"}] * 500)


def test_nothing_is_sent_and_all_problems_are_reported(
    server: RecordingServer, management: ManagementApi
) -> None:
    rows = [{"value": "A"}, {"value": "GOOD-1"}, {"limitval": -1, "value": "BAD-1"}]
    with pytest.raises(tables.TableError) as caught:
        tables.upload(management.import_coupons, 3, 12, rows)
    assert server.requests == []
    assert [(each.line, each.column) for each in caught.value.problems] == [
        (2, "value"),
        (4, "limitval"),
    ]
    assert str(caught.value) == (
        "the table for importCoupons has 2 problems:"
        " line 2 (row 1), value must have at least 3 characters, not 1;"
        " line 4 (row 3), limitval must be at least 0, not -1"
    )
    assert isinstance(caught.value, (OpenApiException, ValueError))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), tables.problems_of(copy)) == (str(caught.value), caught.value.problems)


def test_problems_are_counted_up_to_a_limit() -> None:
    taken = 0

    def rows() -> Iterator[dict[str, str]]:
        nonlocal taken
        for _ in range(10_000):
            taken += 1
            yield {"value": "A"}

    assert len(tables.check(operations.import_coupons, rows())) == 100
    assert taken < 200
    text = b"value\n" + b"A\n" * 10_000
    assert len(tables.check(operations.import_coupons, text, limit=3)) == 3
    error = tables.TableError("the table", tables.check(operations.import_coupons, text))
    assert str(error).count("line ") == 10
    assert str(error).endswith("and 90 more")


@pytest.mark.parametrize(("count", "ending"), [(10, "not 1"), (11, "; and 1 more")])
def test_a_limited_number_of_problems_is_listed_and_the_rest_counted(
    count: int, ending: str
) -> None:
    text = b"value\n" + b"A\n" * count
    error = tables.TableError("the table", tables.check(operations.import_coupons, text))
    assert str(error).count("line ") == 10
    assert str(error).endswith(ending)


def test_checking_can_be_turned_off(server: RecordingServer, management: ManagementApi) -> None:
    management.api_client.configuration.client_side_validation = False
    tables.upload(management.import_coupons, 3, 12, b"new\nA\n")
    assert sent(server) == "new\nA\n"
    tables.upload(management.import_coupons, 3, 12, [{"value": "A", "new": 1}])
    assert sent(server) == "value,new\r\nA,1\r\n"
    tables.upload(management.import_audiences_memberships, 3, b"profileintegrationid\n")
    assert sent(server) == "profileintegrationid\n"
    with pytest.raises(tables.TableError, match="without a time zone"):
        tables.upload(
            management.import_coupons, 3, 12, [{"value": "A", "startdate": datetime(2026, 1, 1)}]
        )
    assert len(server.requests) == 3


def test_an_object_that_is_not_a_table_is_refused(
    management: ManagementApi, tmp_path: Path
) -> None:
    wrong: list[Any] = [
        7,
        {"value": "A-1"},
        {},
        talon_one.Coupon.from_dict({"value": "A-1"}),
        talon_one.Coupon.from_dict({}),
        talon_one.Model.from_dict({}),
        ("coupons.csv", talon_one.Coupon.from_dict({})),
        [["value"], ["A-1"]],
        ["A-1"],
        [{"value": "A-1"}, 7],
    ]
    for source in wrong:
        with pytest.raises(ApiTypeError, match=r"a table is a path|rows of a table are dicts"):
            tables.check(management.import_coupons, source)
    with pytest.raises(ApiTypeError, match=r"0 is not a string"):
        tables.check(management.import_coupons, [{0: "A-1"}])
    with pytest.raises(ApiTypeError, match=r"pass its content as text\.encode\(\)"):
        tables.check(management.import_coupons, "value\nA-1\n")
    with pytest.raises(ApiValueError, match=r"cannot read the table to upload: .*missing"):
        tables.check(management.import_coupons, tmp_path / "missing.csv")
    with pytest.raises(ApiTypeError, match="exportCoupons does not import a table"):
        tables.check(management.export_coupons, b"")
    with pytest.raises(ApiTypeError, match="exportCoupons does not import a table"):
        tables.upload(management.export_coupons, 3)
    with pytest.raises(ApiTypeError, match="lacks the table; give it after application_id, camp"):
        tables.upload(management.import_coupons, 3, 12)


def zip_archive(name: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr(name, "<xml/>" * 100)
    return whole.getvalue()


TEXT = "value,limitval\nABC,1\n"
NOT_CSV = {
    "xlsx": (zip_archive("xl/workbook.xml"), "is a spreadsheet workbook, not CSV"),
    "ods": (zip_archive("content.xml"), "is a spreadsheet workbook, not CSV"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is a spreadsheet workbook"),
    "xls, large": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff,,\r\n" * 50_000,
        "is a spreadsheet",
    ),
    "gzip": (gzip.compress(TEXT.encode()), "is compressed, not CSV"),
    "UTF-16": (TEXT.encode("utf-16"), "is UTF-16, not UTF-8"),
    "UTF-16, big": (b"\xfe\xff" + TEXT.encode("utf-16-be"), "is UTF-16, not UTF-8"),
    "UTF-16 without a mark": (TEXT.encode("utf-16-le"), "is UTF-16, not UTF-8"),
    "UTF-16 without a mark, big": (TEXT.encode("utf-16-be"), "is UTF-16, not UTF-8"),
}


@pytest.mark.parametrize(("data", "message"), NOT_CSV.values(), ids=NOT_CSV)
def test_a_file_in_another_format_is_recognized(
    server: RecordingServer, management: ManagementApi, tmp_path: Path, data: bytes, message: str
) -> None:
    path = tmp_path / "coupons.csv"
    path.write_bytes(data)
    with path.open("rb") as file:
        for source in (path, str(path), data, file, ("coupons.csv", data), iter([data])):
            with pytest.raises(tables.TableError, match=f"line 1 {message}") as caught:
                tables.upload(management.import_coupons, 3, 12, source)
            assert len(caught.value.problems) == 1
            assert len(str(caught.value)) < 200
    assert server.requests == []


def test_a_semicolon_in_one_of_several_cells_is_not_a_separator() -> None:
    (found,) = problems("value,limitval,attributes\nAB;CD,1\n")
    assert "semicolons" not in found
    assert found.endswith("has 2 cells, and there are 3 columns; write a comma for each empty cell")


@pytest.mark.parametrize("size", [1, 2, 3])
def test_half_a_character_at_the_end_of_a_file_is_reported(size: int) -> None:
    half = "😀".encode()[:size]
    (found,) = problems(b"value\nAAAA\nBBBB" + half)
    assert found == "line 3 (row 2), value is not UTF-8; save the file as CSV UTF-8"
    (found,) = problems(b"value\nAAAA" + half + b"\nBBBB")
    assert found == "line 2 (row 1), value is not UTF-8; save the file as CSV UTF-8"


def test_line_ends_are_recognized_wherever_chunks_end() -> None:
    # Longer than a chunk of the check, which sees no end of a line in the last one.
    long = '"{""a"": ""' + "x" * 2**17 + '""}"'
    for end in ("\r\n", "\n"):
        assert problems(f"value,attributes{end}ABC,{long}") == []
        assert problems(f"value,attributes{end}ABC,{long}{end}") == []
    (found,) = problems(f"value,attributes\rABC,{long}\rDEF,{long}")
    assert "carriage returns only" in found


def test_quotes_are_called_missing_only_where_an_object_has_none() -> None:
    for cell in ("a", "[1,", '"{""a: 1}"'):
        (found,) = problems(f"value,attributes\nABC,{cell}\n".replace("[1,", '"[1,"'))
        assert "must be JSON" in found
        assert "quotes are missing" not in found


def test_half_a_character_in_the_name_of_a_column_is_refused(management: ManagementApi) -> None:
    for half in map(chr, (0xD800, 0xDBFF, 0xDC00, 0xDFFF)):
        for name in (half, f"value{half}", f"{half}value"):
            with pytest.raises(ApiValueError, match="has half of a character, and cannot name"):
                tables.check(management.import_coupons, [{"value": "A-1", name: "x"}])
    for whole in ("\ud7ff", "\ue000"):
        (problem,) = tables.check(management.import_coupons, [{"value": "A-1", whole: "x"}])
        assert problem.column == whole


# -- Errors of the server ----------------------------------------------------------------------

REFUSAL = Response(
    400,
    {
        "message": "The submitted data was invalid",
        "errors": [
            {"title": "Duplicate", "details": "exists already", "source": {"line": "4"}},
            {"title": "Expired", "source": {"line": 2}},
            {"title": "Odd", "source": {"line": "N/A"}},
            {"title": "Nowhere", "source": {"parameter": "upFile"}},
            {"title": "Nothing"},
        ],
    },
)
ROWS = [{"value": "A-1", "limitval": 1}, {"value": "B\n2"}, {"value": "C-3"}]


def test_lines_in_errors_of_the_server_are_matched_with_rows(
    server: RecordingServer, management: ManagementApi, tmp_path: Path
) -> None:
    path = tmp_path / "coupons.csv"
    path.write_bytes(b'value,limitval\r\nA-1,1\r\n"B\n2",\r\nC-3,\r\n')
    as_text = {"value": "A-1", "limitval": "1"}, {"value": "B\n2", "limitval": ""}
    expected: list[tuple[Any, tuple[Any, Any]]] = [
        (ROWS, (ROWS[0], ROWS[1])),
        (iter(ROWS), as_text),
        (path, as_text),
        (path.read_bytes(), as_text),
    ]
    for source, (first, second) in expected:
        server.script(REFUSAL)
        with pytest.raises(ApiException) as caught:
            tables.upload(management.import_coupons, 3, 12, source)
        # Line 4 is the second line of the second row.
        assert tables.problems_of(caught.value) == (
            tables.Problem(4, "", "Duplicate: exists already", 1, second),
            tables.Problem(2, "", "Expired", 0, first),
            tables.Problem(None, "", "Odd"),
            tables.Problem(None, "", "Nowhere"),
            tables.Problem(None, "", "Nothing"),
        )
    assert str(caught.value) == (
        "importCoupons 400 Bad Request: The submitted data was invalid;"
        " line 4 (row 2) Duplicate: exists already; line 2 (row 1) Expired; unknown line Odd;"
        " unknown line Nowhere; unknown line Nothing"
    )
    copy = pickle.loads(pickle.dumps(caught.value))
    assert tables.problems_of(copy) == tables.problems_of(caught.value)


def test_the_rows_of_a_file_may_have_more_or_fewer_cells_than_its_header(
    server: RecordingServer, management: ManagementApi
) -> None:
    server.script(REFUSAL)
    data = b"value,limitval\r\nA-1\r\nB,1,extra\r\n"
    management.api_client.configuration.client_side_validation = False
    with pytest.raises(ApiException) as caught:
        tables.upload(management.import_coupons, 3, 12, data)
    rows = [problem.row for problem in tables.problems_of(caught.value) if problem.row]
    assert {"value": "A-1"} in rows
    assert all(len(row) <= 2 for row in rows)


def test_an_error_without_a_line_is_not_a_problem_of_the_table(
    server: RecordingServer, management: ManagementApi
) -> None:
    error = {"title": "enum", "details": "must be true", "source": {"parameter": "skipDuplicates"}}
    server.script(Response(400, {"message": "invalid", "errors": [error]}))
    with pytest.raises(ApiException, match="invalid; enum: must be true") as caught:
        tables.upload(management.import_coupons, 3, 12, ROWS)
    assert tables.problems_of(caught.value) == ()


def test_the_sandbox_imports_a_table_and_exports_it_again() -> None:
    expiry = datetime(2090, 1, 1, tzinfo=timezone.utc)
    rows = [
        {
            "value": f"CODE-{number}",
            "attributes": {"text": f'a "b",\n{number}'},
            "expirydate": expiry,
        }
        for number in range(200)
    ]
    with (
        Sandbox() as sandbox,
        ManagementApi(host=sandbox.url, api_key=sandbox.management_key) as management,
    ):
        assert tables.upload(management.import_coupons, 3, 12, rows).amount == 200
        with management.table(management.export_coupons, 3) as table:
            found = [{name: row[name] for name in rows[0]} for row in table]
        assert found[1:] == rows  # The first coupon is part of the sandbox.
        with pytest.raises(ApiException) as caught:
            tables.upload(management.import_coupons, 3, 12, [{"value": "NEW-1"}, *rows[:2]])
    assert [(each.row_index, each.row) for each in tables.problems_of(caught.value)] == [
        (1, rows[0]),
        (2, rows[1]),
    ]


# -- asyncio -----------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_tables_are_uploaded_with_asyncio(
    server: RecordingServer, awaited: talon_one.aio.ManagementApi
) -> None:
    from talon_one.aio import tables as aio_tables

    server.script(IMPORTED, REFUSAL)
    assert (await aio_tables.upload(awaited.import_coupons, 3, 12, ROWS)).amount == 2
    assert sent(server) == 'value,limitval\r\nA-1,1\r\n"B\n2",\r\nC-3,\r\n'
    with pytest.raises(ApiException) as caught:
        await aio_tables.upload(awaited.import_coupons, 3, 12, ROWS)
    assert tables.problems_of(caught.value)[0].row is ROWS[1]
    with pytest.raises(tables.TableError):
        await aio_tables.upload(awaited.import_coupons, 3, 12, [{"value": "A"}])
    method: Any = awaited.import_coupons
    with pytest.raises(ApiTypeError, match=r"use talon_one\.aio\.tables"):
        tables.upload(method, 3, 12, ROWS)
    assert len(server.requests) == 2


def test_rows_and_files_are_checked_in_constant_memory(tmp_path: Path) -> None:
    def rows(count: int) -> Iterator[dict[str, Any]]:
        for number in range(count):
            yield {"value": f"CODE-{number}", "limitval": 1, "attributes": {"number": number}}

    def peak(source: Any) -> int:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        assert tables.check(operations.import_coupons, source) == []
        return tracemalloc.get_traced_memory()[1] - before

    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_bytes(b"value,limitval\n" + b"CODE-4711,1\n" * 8_000)
    large.write_bytes(b"value,limitval\n" + b"CODE-4711,1\n" * 24_000)
    tables.check(operations.import_coupons, small)
    tracemalloc.start()
    try:
        assert peak(rows(8_000)) < 1.5 * peak(rows(2_000))
        assert peak(large) < 1.5 * peak(small)
    finally:
        tracemalloc.stop()


# -- Foreign code -------------------------------------------------------------------------------


class Hostile:
    """A value or a row with methods that all raise."""

    def fail(self, *args: Any) -> Any:
        raise ConnectionResetError("of the database")

    __iter__ = __str__ = __repr__ = __len__ = tolist = keys = fail


class HostileZone(tzinfo):
    def utcoffset(self, moment: datetime | None) -> timedelta:
        raise TimeoutError("of the zone")

    def dst(self, moment: datetime | None) -> None:
        return None

    def tzname(self, moment: datetime | None) -> str:
        return "?"


def failing(raised: Exception) -> Iterator[Any]:
    yield ROWS[0]
    raise raised


@pytest.mark.parametrize(
    "raised",
    [
        talon_one.NoResponseError(reason="of another call"),
        talon_one.ServiceException(503),
        TimeoutError("of the database"),
        KeyError("column"),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_an_exception_of_the_rows_is_not_a_failure_of_the_call(
    server: RecordingServer, management: ManagementApi, raised: Exception
) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"value\n"
        raise raised

    for source in (failing(raised), pieces()):
        with pytest.raises(ApiValueError, match="cannot read the table to upload") as caught:
            tables.upload(management.import_coupons, 3, 12, source)
        assert caught.value.__cause__ is raised
        with pytest.raises(ApiValueError):
            tables.check(operations.import_coupons, failing(raised))
    assert server.requests == []


@pytest.mark.parametrize("column", ["value", "expirydate", "attributes", "limitval"])
@for_every(
    "value", [Hostile(), [Hostile()], {"a": Hostile()}, datetime(2090, 1, 1, tzinfo=HostileZone())]
)
def test_a_hostile_value_is_a_problem_of_its_cell(
    server: RecordingServer, management: ManagementApi, column: str, value: Any
) -> None:
    row = {"value": "AAAA", column: value}
    with pytest.raises(tables.TableError) as caught:
        tables.upload(management.import_coupons, 3, 12, [{"value": "BBBB"}, row])
    found = [each for each in caught.value.problems if each.column == column]
    assert [each.row_index for each in found][:1] == [1]
    assert server.requests == []


def test_a_code_that_became_a_float_is_written_as_long_as_it_is_exact() -> None:
    for code in (777.0, 2.0**53 - 1):
        assert tables.check(operations.import_coupons, [{"value": code}]) == []


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_only_a_file_without_any_line_feed_ends_its_lines_with_carriage_returns(size: int) -> None:
    found = {}
    for ends in ("\r", "\r\n", "\n"):
        data = f"value{ends}A{ends}B{ends}".encode() + b'"C\r"\n' * (ends == "\n")
        checks = TableCheck(operations.import_coupons, 10)
        for begin in range(0, len(data), size):
            checks.feed(data[begin : begin + size])
        checks.close()
        found[ends] = [str(each) for each in checks.problems if "carriage return" in str(each)]
    assert [bool(each) for each in found.values()] == [True, False, False]
