"""Where the rules of tables begin and end: limits, empty parts, singular and plural."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from talon_one import tables
from talon_one._core.operation import column
from talon_one.api import management_operations as operations
from talon_one.tables.cells import checker_for, reader_for, to_cell
from talon_one.tables.checks import TableCheck
from talon_one.tables.encodings import declared_encoding
from talon_one.tables.import_file import ImportFile
from talon_one.tables.problems import Problem, problems_in_errors
from talon_one.tables.records import Record
from talon_one.tables.rows import RowReader, names_of

INTEGER, NUMBER = column("id", "int"), column("amount", "float")


def check_of(*chunks: bytes, limit: int = 9, operation: Any = operations.import_coupons) -> Any:
    check = TableCheck(operation, limit)
    for chunk in chunks:
        check.feed(chunk)
    return check


def messages(check: Any) -> list[str]:
    check.close()
    return [str(each) for each in check.problems]


# -- Checks ------------------------------------------------------------------------------------


def test_only_the_beginning_of_a_file_decides_its_format() -> None:
    for start in (b"PK\x03\x04", b"\x1f\x8b", b"\xff\xfe"):
        found = messages(check_of(b"value\n", start + b"CODE\n"))
        assert not any("workbook" in each or "compressed" in each for each in found)
        assert not any("UTF-16" in each for each in found)
    # A NUL in the first two bytes is half of a letter in UTF-16, and one later is a NUL.
    assert "UTF-16" in messages(check_of(b"\0v"))[0]
    assert "UTF-16" in messages(check_of(b"v\0"))[0]
    assert "UTF-16" not in messages(check_of(b"va\0"))[0]


def test_a_check_stops_at_its_limit_and_not_before() -> None:
    check = check_of(b"value\nA\n", limit=2)
    assert (check.limit_reached, check.should_stop) == (False, False)
    check.feed(b"B\n")
    assert (check.limit_reached, check.should_stop, check.rows) == (True, True, 2)
    check.feed(b"C\n")
    assert (len(check.problems), check.rows) == (2, 2)


def test_a_file_that_is_no_table_stops_the_check_without_reaching_the_limit() -> None:
    check = check_of(b"PK\x03\x04", b"value\nA\n")
    assert (check.limit_reached, check.should_stop, check.rows) == (False, True, 0)
    assert len(messages(check)) == 1


def test_a_header_alone_is_counted_as_no_row() -> None:
    check = check_of(b"value\n")
    assert check.rows == 0
    check.feed(b"CODE\n")
    assert (check.rows, messages(check)) == (1, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"value,limitval\nABC\n", "has 1 cell, and there are 2 columns"),
        (b"value\nABC,1\n", "has 2 cells, and there are 1 column;"),
    ],
)
def test_cells_and_columns_are_counted_in_the_right_number(text: bytes, message: str) -> None:
    (found,) = messages(check_of(text))
    assert message in found


def test_a_row_may_end_when_it_starts() -> None:
    start = "2026-01-01T00:00:00Z"

    def found(first: str, last: str) -> list[str]:
        return messages(check_of(f"value,startdate,expirydate\nABC,{first},{last}\n".encode()))

    assert found(start, start) == found(start, "2026-01-01T01:00:00+01:00") == []
    assert found(start, "") == found("", start) == []
    (problem,) = found(start, "2025-12-31T23:59:59.999Z")
    assert "startdate is after the expirydate" in problem


def test_words_in_the_place_of_timestamps_have_no_order() -> None:
    head = "amount,identifier,startdate,expirydate\n"
    for row in (
        "1,c,immediate,2026-01-01T00:00:00Z\n",
        "1,c,2026-01-01T00:00:00Z,unlimited\n",
        "1,c,on_action,unlimited\n",
    ):
        check = check_of((head + row).encode(), operation=operations.import_loyalty_points)
        assert messages(check) == []


@pytest.mark.parametrize(("before", "which"), [(1, "row 1 does"), (2, "rows 1 to 2 do")])
def test_a_required_column_of_later_rows_is_reported_with_the_rows_that_lack_it(
    before: int, which: str
) -> None:
    rows = [*[{"limitval": 1}] * before, {"value": "ABC"}]
    (found,) = tables.check(operations.import_coupons, rows)
    assert str(found) == f"line 1, value is required in every row, and {which} not have it"
    # Any other column may come later.
    rows = [{"value": "ABC"}, {"value": "DEF", "limitval": 1}]
    assert tables.check(operations.import_coupons, rows) == []


# -- Problems in error responses ---------------------------------------------------------------


def problems_in(*errors: dict[str, Any]) -> list[Problem]:
    rows = {2: (0, {"value": "A"}), 3: (1, {"value": "B"})}
    return problems_in_errors(errors, lambda lines: {n: rows[n] for n in lines if n in rows})


def test_a_line_is_a_number_of_ascii_digits() -> None:
    source: Any
    for line, expected in (("2", 2), (3, 3), (4, 4), ("²", None), ("-2", None), ("", None)):
        (found,) = problems_in({"title": "x", "source": {"line": line}})
        assert found.line == expected
        assert found.row_index == {2: 0, 3: 1}.get(found.line or 0)
    # Without any line, the errors concern the call.
    for source in (None, "line 2", ["line"], {}):
        assert problems_in({"title": "x", "source": source}) == []


def test_the_text_of_an_error_is_what_it_has() -> None:
    for title, details, expected in (
        ("Odd", "twice", "Odd: twice"),
        ("Odd", "", "Odd"),
        ("", "twice", "twice"),
        (5, "twice", "twice"),
        ("Odd", ["twice"], "Odd"),
        (None, None, ""),
    ):
        (found,) = problems_in({"title": title, "details": details, "source": {"line": 2}})
        assert found.message == expected


def test_a_line_belongs_to_the_row_that_spans_it() -> None:
    data = b'value,limitval\r\n"A\nB",1\r\nC,2\r\n'
    with ImportFile(operations.import_coupons, data, 0) as file:
        errors = [{"title": "x", "source": {"line": line}} for line in range(6)]
        found = [(each.line, each.row_index) for each in file.problems_in(errors)]
        assert found == [(0, None), (1, None), (2, 0), (3, 0), (4, 1), (5, None)]
        assert [each.row_index for each in file.problems_in(errors[4:])] == [1, None]
        assert [each.row_index for each in file.problems_in(errors[2:3])] == [0]
        assert (file.problems, file.complete, file.name) == ([], True, "importCoupons.csv")


def test_a_problem_names_its_place_as_far_as_it_is_known() -> None:
    assert str(Problem(None, "", "is odd")) == "unknown line is odd"
    assert str(Problem(3, "", "is odd")) == "line 3 is odd"
    assert str(Problem(3, "value", "is odd")) == "line 3, value is odd"
    assert str(Problem(3, "value", "is odd", 0)) == "line 3 (row 1), value is odd"


@pytest.mark.parametrize(("count", "noun"), [(1, "1 problem"), (2, "2 problems")])
def test_problems_are_counted_in_the_right_number(count: int, noun: str) -> None:
    problems = [Problem(2, "", "is odd")] * count
    assert f"the table has {noun}: " in str(tables.TableError("the table", problems))
    incomplete = tables.TableError("the table", problems * 11, complete=False)
    assert str(incomplete).startswith(f"the table has at least {11 * count} problems: ")
    assert str(incomplete).endswith(f"; and at least {11 * count - 10} more")
    assert (incomplete.complete, tables.TableError("the table", []).complete) == (False, True)


def test_only_failures_of_tables_have_problems() -> None:
    assert tables.problems_of(ValueError("x")) == ()


# -- Cells -------------------------------------------------------------------------------------


def test_numbers_are_read_exactly_and_as_floats_where_these_are_exact() -> None:
    expected: list[tuple[str, Any]] = [
        ("0.1", 0.1),
        ("-12.50", -12.5),
        # A float keeps fifteen digits, whatever they are.
        ("9.9999999999999", 9.9999999999999),
        ("0.12345678901234567", Decimal("0.12345678901234567")),
        ("9007199254740993", Decimal(9007199254740993)),
        ("9007199254740992", 9007199254740992.0),
        ("1E3", 1000.0),
        ("1e-05", 0.00001),
        ("2e400", "2e400"),
        ("-2e400", "-2e400"),
    ]
    for text, value in expected:
        found = reader_for(NUMBER)(text)
        assert (found, type(found)) == (value, type(value))


def test_floats_are_written_as_integers_only_where_they_are_exact() -> None:
    for value, text in (
        (3.0, "3"),
        (2.0**53 - 1, "9007199254740991"),
        (-(2.0**53) + 1, "-9007199254740991"),
        (1e22, "10000000000000000000000"),
        (1.5e-07, "0.00000015"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.10"), "0.10"),
        (Decimal("NaN"), ""),
        (True, "true"),
        (False, "false"),
    ):
        assert to_cell(NUMBER, value) == text
    for value in (float("inf"), float("-inf"), Decimal("Infinity")):
        with pytest.raises(ValueError, match="cannot represent"):
            to_cell(NUMBER, value)


@pytest.mark.parametrize("value", [-7, 7.0, -7.0, Decimal(7)])
def test_a_whole_number_may_be_a_code(value: Any) -> None:
    assert to_cell(column("value", "str"), value) == str(int(value))
    assert to_cell(None, value) == str(int(value))


@pytest.mark.parametrize("value", [2.0**53, -(2.0**53), 0.5, Decimal("0.5")])
def test_a_number_that_is_not_exact_is_no_code(value: Any) -> None:
    for text in (column("value", "str"), column("state", "Literal['a']"), None):
        with pytest.raises(ValueError, match="convert it to a string"):
            to_cell(text, value)
    assert to_cell(NUMBER, value)


def test_whole_numbers_have_at_most_eighteen_digits() -> None:
    fault = checker_for(INTEGER)
    for text in ("0", "+1", "-1", "9" * 18, "-" + "9" * 18):
        assert fault(text) == ""
    for text in ("9" * 19, "1.0", "+", "1 ", "\u0661"):
        assert fault(text).startswith("must be a whole number such as 100")


def test_the_first_of_several_faults_of_a_cell_is_named() -> None:
    fault = checker_for(column("value", "str", min_length=3, pattern="^a"))
    assert fault("b") == "must have at least 3 characters, not 1"
    assert fault("bcd").startswith("must match")
    assert fault("abc") == ""


def test_numbers_of_an_import_have_digits_around_their_point() -> None:
    fault = checker_for(NUMBER)
    for text in ("0", "+1.5", "-1e3", "1E-3", "007.50"):
        assert fault(text) == ""
    for text in (".5", "1.", "1,5", "0x1", "nan", "1e", "inf"):
        assert fault(text).startswith("must be a number with a point")


def test_json_of_the_wrong_kind_is_named_with_an_example() -> None:
    an_object, a_list = column("attributes", "dict[str, Any]"), column("flags", "list[str]")
    assert checker_for(an_object)("{}") == checker_for(a_list)("[]") == ""
    assert 'must be a JSON object such as {"size": "L"}' in checker_for(an_object)("[]")
    assert 'must be a JSON array such as ["a", "b"]' in checker_for(a_list)("{}")
    for constant in ("NaN", "Infinity", "-Infinity"):
        assert "JSON has no " in checker_for(an_object)(f'{{"a": {constant}}}')
        # In a text they are letters.
        assert checker_for(an_object)(f'{{"a": "{constant}"}}') == ""
    assert checker_for(column("any", "Any"))("[]") == checker_for(column("any", "Any"))("1") == ""


def test_items_of_a_list_are_separated_and_not_empty() -> None:
    names = column("customerprofileids", "list[str]", separator=";")
    assert to_cell(names, ["a", "b"]) == to_cell(names, ("a", "b")) == "a;b"
    with pytest.raises(ValueError, match="contains ';', the separator of items"):
        to_cell(names, ["a;b"])
    fault = checker_for(names)
    assert fault("a") == fault("a;b") == ""
    for text in (";", "a;", ";a", "a; ;b"):
        assert fault(text).startswith("has an empty item")


def test_half_a_character_is_found_between_whole_ones() -> None:
    text = column("value", "str")
    for half in ("\ud800", "\udbff", "\udc00", "\udfff"):
        with pytest.raises(ValueError, match="half of a character"):
            to_cell(text, f"a{half}b")
    for whole in ("\ud7ff", "\ue000", "é"):
        assert to_cell(text, whole) == whole
    fault = checker_for(text)
    assert fault("\udc80") == fault("\udcff") == "is not UTF-8; save the file as CSV UTF-8"
    assert fault("\udc7f") == fault("\udd00") == ""


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/csv; charset=latin-1", "latin-1"),
        ("text/csv; header=present; CHARSET='UTF-16'; x=y", "utf-16"),
        ('text/csv;charset="cp1252"', "cp1252"),
        ("text/csv; charset=unknown", "utf-8"),
        ("text/csv; charset=base64", "utf-8"),
        ("text/csv; charset=", "utf-8"),
        ("latin-1", "utf-8"),
        ("", "utf-8"),
    ],
)
def test_the_declared_encoding_is_used_if_python_knows_it(content_type: str, encoding: str) -> None:
    assert declared_encoding({"Content-Type": content_type}) == encoding
    assert declared_encoding({}) == "utf-8"


# -- Rows --------------------------------------------------------------------------------------


def test_columns_are_numbered_from_one_and_never_share_a_name() -> None:
    assert names_of(["", "a", ""]) == ("column 1", "a", "column 3")
    assert names_of(["a", "a", "column 2"]) == ("a", "column 2'", "column 2")
    assert names_of([]) == ()


def test_cells_beyond_the_columns_are_text_or_missing() -> None:
    reader = RowReader((INTEGER,))
    (row,) = reader.feed(b"id\n1,2,\n")
    assert row == {"id": 1, "column 2": "2", "column 3": None}
    (row,) = RowReader((INTEGER,), as_text=True).feed(b"id\n1\n")
    assert row == {"id": "1"}


def test_a_row_that_spans_a_thousand_lines_is_reported_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def logged(breaks: int) -> list[str]:
        caplog.clear()
        row = '"' + "\n" * breaks + '"\n'
        list(RowReader().feed(("a\n" + row * 2).encode()))
        return [each.getMessage().partition(":")[0] for each in caplog.records]

    assert logged(999) == []
    assert logged(1000) == ["one row spans lines 2 to 1002"]
    assert {each.name for each in caplog.records} == {"talon_one.tables"}


def test_a_record_without_a_fault_has_an_empty_one() -> None:
    assert Record(1, 1, []).fault == ""
