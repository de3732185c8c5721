"""RecordReader reads chunks like the csv module reads a whole file."""

from __future__ import annotations

import csv
import io
import sys
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talon_one.tables.records import Record, RecordReader

# The csv module of Python 3.10 refuses NUL, and UTF-8 has no surrogates.
TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
CELL = TEXT | st.text(st.sampled_from('",;\r\n\u2028\x0b\x85 aé😀'))
TABLE = st.lists(st.lists(CELL, min_size=2, max_size=4), max_size=5)


def read(chunks: Iterable[bytes], **settings: object) -> list[Record]:
    reader = RecordReader(**settings)  # type: ignore[arg-type]  # the tests pass valid ones
    found = [record for chunk in chunks for record in reader.feed(chunk)]
    return found + list(reader.close())


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


def cells(records: Iterable[Record]) -> list[list[str]]:
    return [record.cells for record in records]


@given(table=TABLE, size=st.integers(1, 9))
def test_records_survive_a_round_trip_wherever_chunks_end(
    table: list[list[str]], size: int
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(table)
    assert cells(read(cut(text.getvalue().encode(), size))) == table


@given(text=st.text(st.sampled_from('",\r\nab\u2028')), size=st.integers(1, 9))
def test_malformed_csv_is_read_like_the_csv_module_reads_it(text: str, size: int) -> None:
    expected = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    assert cells(read(cut(text.encode(), size))) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_byte_order_mark_and_characters_across_chunks_are_read(size: int) -> None:
    data = "\ufeffvalue,reason\r\nÄ-1,😀\r\n".encode()
    assert cells(read(cut(data, size))) == [["value", "reason"], ["Ä-1", "😀"]]


@pytest.mark.parametrize("size", [1, 5, 100])
def test_every_record_knows_its_lines(size: int) -> None:
    data = b'a,b\r\n\r\n"1\r\n2","3\n4"\n5,6\r7,8'
    found = [(record.line, record.last) for record in read(cut(data, size))]
    assert found == [(1, 1), (3, 5), (6, 6), (7, 7)]


def test_a_cell_may_exceed_the_default_limit_of_the_csv_module() -> None:
    long = "x" * 1_000_000
    assert cells(read(cut(f'a,"{long}"\n'.encode(), 2**16))) == [["a", long]]


def test_a_faulty_record_is_reported_and_the_next_one_is_read() -> None:
    found = read([b'a,b\n"x"y,1\n2,3\n"never'], strict=True)
    assert [record.line for record in found if record.fault] == [2, 4]
    assert cells(record for record in found if not record.fault) == [["a", "b"], ["2", "3"]]


def test_invalid_utf8_is_kept() -> None:
    assert cells(read([b"caf\xe9,1\n"])) == [[r"caf\xe9", "1"]]
    assert cells(read([b"caf\xe9,1\n"], encoding="latin-1")) == [["café", "1"]]


def test_a_nul_loses_no_row() -> None:
    nul = "\0" if sys.version_info >= (3, 11) else "\ufffd"
    assert cells(read([b"a,b\n1\0,2\n"])) == [["a", "b"], [f"1{nul}", "2"]]


def test_a_long_record_is_not_parsed_again_with_each_chunk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed = 0
    original = csv.reader

    def counting(lines: Iterable[str], strict: bool) -> object:
        def counted() -> Iterable[str]:
            nonlocal parsed
            for line in lines:
                parsed += len(line)
                yield line

        return original(counted(), strict=strict)

    monkeypatch.setattr(csv, "reader", counting)
    data = b'"' + b"line\n" * 20_000 + b'"\n'
    (record,) = read(cut(data, 100))
    assert record.last == 20_001
    assert parsed < 5 * len(data)


def test_memory_holds_at_most_a_chunk_and_a_record() -> None:
    chunk = b"".join(b'%d,"a ""quoted"" text\n over lines"\r\n' % number for number in range(500))
    reader = RecordReader()

    def read_chunks(count: int) -> int:
        tracemalloc.reset_peak()
        assert sum(1 for _ in range(count) for _ in reader.feed(chunk)) == count * 500
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        few = read_chunks(5)
        many = read_chunks(100)
    finally:
        tracemalloc.stop()
    assert many < 1.1 * few


@pytest.mark.parametrize("size", [1, 2, 3])
def test_half_a_character_at_the_end_is_read_as_its_bytes(size: int) -> None:
    half = "😀".encode()[:size]
    shown = "".join(f"\\x{byte:02x}" for byte in half)
    for pieces in ([b"a\nB" + half], [b"a\nB", half], [b"a\n", b"B" + half[:1], half[1:]]):
        assert cells(read(pieces)) == [["a"], [f"B{shown}"]]
    assert cells(read([half])) == [[shown]]
    assert cells(read([b"a\n", half])) == [["a"], [shown]]
