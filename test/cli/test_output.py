"""Data on standard output or in a file: formats, columns, expressions, whole lists."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.conftest import Command
from support.server import HANG_UP, RecordingServer, Response

CAMPAIGNS = ["management", "get-campaigns", "3"]
ROWS: list[dict[str, Any]] = [
    {"id": 1, "name": "Spring", "attributes": {"shop": "Bern"}, "tags": ["a", "b"]},
    {"id": 2, "name": "Fall", "attributes": {}, "description": None},
]


def page(*rows: dict[str, Any], total: int = 2) -> dict[str, Any]:
    """Return a response with some campaigns of a list."""
    return {"totalResultSize": total, "data": list(rows)}


def test_without_a_terminal_the_response_is_json_as_it_came(
    talk: Command, server: RecordingServer
) -> None:
    response = {**page(*ROWS), "new": {"\u00e4": 1e400}}
    server.script(json.dumps(response).replace("Infinity", "1e400"))
    ended = talk(*CAMPAIGNS)
    assert (ended.code, ended.err) == (0, "")
    assert r'"\u00e4":1e400' in ended.out
    server.script(page(*ROWS))
    ended = talk(*CAMPAIGNS)
    assert json.loads(ended.out) == page(*ROWS)
    assert ended.out.startswith('{\n  "totalResultSize": 2,\n')


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "yaml", "table"])
def test_each_format_shows_the_chosen_columns_of_the_items(
    form: str, talk: Command, server: RecordingServer
) -> None:
    server.script(page(*ROWS))
    ended = talk(*CAMPAIGNS, "-o", form, "--columns", "name,attributes.shop,tags")
    assert (ended.code, ended.err) == (0, "")
    wanted = [
        {"name": "Spring", "attributes.shop": "Bern", "tags": ["a", "b"]},
        {"name": "Fall", "attributes.shop": None, "tags": None},
    ]
    if form == "json":
        assert json.loads(ended.out) == wanted
    elif form == "jsonl":
        assert [json.loads(line) for line in ended.out.splitlines()] == wanted
    elif form == "yaml":
        assert yaml.safe_load(ended.out) == wanted
    elif form == "csv":
        assert list(csv.reader(io.StringIO(ended.out))) == [
            ["name", "attributes.shop", "tags"],
            ["Spring", "Bern", '["a", "b"]'],
            ["Fall", "", ""],
        ]
    else:
        assert [line.split() for line in ended.out.splitlines() if "\u2500" not in line] == [
            ["name", "attributes.shop", "tags"],
            ["Spring", "Bern", '["a",', '"b"]'],
            ["Fall"],
        ]


def test_csv_has_all_columns_that_any_row_has(talk: Command, server: RecordingServer) -> None:
    server.script(page(*ROWS))
    (header, *_) = csv.reader(io.StringIO(talk(*CAMPAIGNS, "-o", "csv").out))
    assert header == ["id", "name", "attributes", "tags", "description"]


def test_a_table_of_one_object_has_a_line_for_each_property(
    talk: Command, server: RecordingServer
) -> None:
    server.script(ROWS[0])
    ended = talk("management", "get-campaign", "3", "1", "-o", "table")
    assert ["name", "Spring"] in [line.split() for line in ended.out.splitlines()]


def test_an_expression_picks_a_part(talk: Command, server: RecordingServer) -> None:
    server.script(page(*ROWS), page(*ROWS), page(*ROWS))
    assert json.loads(talk(*CAMPAIGNS, "--query", "data[].name").out) == ["Spring", "Fall"]
    assert talk(*CAMPAIGNS, "--query", "data[0].name", "-o", "table").out == "Spring\n"
    assert json.loads(talk(*CAMPAIGNS, "--query", "nothing").out) is None


@pytest.mark.parametrize(
    ("words", "skips", "count"),
    [
        (["--all"], [None, "2"], 3),
        (["--limit", "2"], [None], 2),
        (["--limit", "3"], [None, "2"], 3),
    ],
)
def test_a_whole_list_or_its_beginning_is_read_page_by_page(
    words: list[str], skips: list[Any], count: int, talk: Command, server: RecordingServer
) -> None:
    server.script(page(*ROWS, total=3), page({"id": 3}, total=3))
    ended = talk(*CAMPAIGNS, *words, "--page-size", "2")
    assert (ended.code, ended.err) == (0, "")
    assert [each["id"] for each in json.loads(ended.out)] == [1, 2, 3][:count]
    assert [dict(each.pairs).get("skip") for each in server.requests] == skips


def test_for_a_few_items_a_small_page_is_requested(talk: Command, server: RecordingServer) -> None:
    server.script(page(*ROWS, total=30), page(*ROWS))
    talk(*CAMPAIGNS, "--limit", "2")
    talk(*CAMPAIGNS, "--limit", "5000")
    assert [each.query for each in server.requests] == ["pageSize=2", ""]


def test_an_empty_list_is_one_in_every_format(talk: Command, server: RecordingServer) -> None:
    server.default = Response(body=page(total=0))
    try:
        outputs = {form: talk(*CAMPAIGNS, "--all", "-o", form).out for form in ("json", "jsonl")}
        table = talk(*CAMPAIGNS, "-o", "table").out
    finally:
        server.default = Response(body={})
    assert outputs == {"json": "[]\n", "jsonl": ""}
    assert table == "Nothing found.\n"


def test_a_page_that_is_not_all_says_so_on_standard_error(
    talk: Command, server: RecordingServer
) -> None:
    server.script(page(*ROWS, total=30))
    ended = talk(*CAMPAIGNS, "-o", "csv", "--columns", "id")
    assert ended.out == "id\n1\n2\n"
    assert ended.err == "talon-one: 2 of 30 items; --all gets the rest\n"


def test_an_export_is_written_as_it_came_or_row_by_row(
    talk: Command, server: RecordingServer, tmp_path: Path
) -> None:
    text = b'value,usagelimit\r\n"A,1",5\r\n\xe4,0\r\n'
    server.script(Response(body=text, headers={"Content-Type": "application/csv"}))
    export = ["management", "export-coupons", "3"]
    ended = talk(*export, "--output-file", str(tmp_path / "coupons.csv"))
    assert ended.code == 0
    assert (tmp_path / "coupons.csv").read_bytes() == text
    rows = Response(body=b"value,limitval\r\nA1,5\r\n", headers={"Content-Type": "application/csv"})
    server.script(rows, rows)
    assert talk(*export).out == "value,limitval\r\nA1,5\r\n"
    assert json.loads(talk(*export, "-o", "json").out) == [{"value": "A1", "limitval": 5}]


def test_a_file_appears_when_it_is_complete(
    talk: Command, server: RecordingServer, tmp_path: Path
) -> None:
    target = tmp_path / "coupons.csv"
    target.write_text("old")
    half = Response(
        raw=b"HTTP/1.1 200 OK\r\nContent-Type: application/csv\r\n"
        b"Content-Length: 100\r\n\r\nvalue\r\nA1"
    )
    server.script(half)
    words = ["management", "export-coupons", "3", "--output-file", str(target)]
    ended = talk(*words)
    assert (ended.code, ended.out) == (4, "")
    assert target.read_text() == "old"
    server.script(Response(body=b"value\r\nA1\r\n", headers={"Content-Type": "application/csv"}))
    assert talk(*words).code == 0
    assert target.read_bytes() == b"value\r\nA1\r\n"
    assert [each.name for each in tmp_path.iterdir()] == ["coupons.csv"]


def test_a_list_that_breaks_off_leaves_no_file(
    talk: Command, server: RecordingServer, tmp_path: Path
) -> None:
    server.script(page(*ROWS, total=3), HANG_UP)
    words = ["--all", "--retries", "0", "-o", "jsonl", "--output-file", str(tmp_path / "all.jsonl")]
    ended = talk(*CAMPAIGNS, *words)
    assert ended.code == 4
    assert list(tmp_path.iterdir()) == []


def test_texts_of_a_server_do_not_control_the_terminal(
    talk: Command, server: RecordingServer
) -> None:
    name = "\x1b[31mred\x9b1m\u202e\udc80"
    for form in ("json", "jsonl", "table"):
        server.script(page({"id": 1, "name": name}))
        out = talk(*CAMPAIGNS, "-o", form, "--columns", "name").out
        assert not set(out) & {"\x1b", "\x9b", "\u202e"}, form
    server.script(Response(404, {"message": f"no {name}"}))
    assert not set(talk(*CAMPAIGNS).err) & {"\x1b", "\x9b", "\u202e"}


def test_data_that_is_too_large_for_a_format_is_one_line(
    talk: Command, server: RecordingServer
) -> None:
    for body in ('{"a":' * 900 + "1" + "}" * 900, '{"a": ' + "9" * 5000 + "}"):
        server.script(Response(body=body), Response(body=body))
        ended = talk("management", "get-campaign", "3", "1", "-o", "yaml")
        assert (ended.code, ended.out, len(ended.err.splitlines())) == (4, "", 1)
        assert "use -o json" in ended.err
        assert talk("management", "get-campaign", "3", "1", "-o", "json").code == 0


def test_a_response_without_a_body_leaves_standard_output_empty(
    talk: Command, server: RecordingServer
) -> None:
    server.script(Response(204))
    ended = talk("management", "delete-campaign", "3", "1", "--yes")
    assert (ended.code, ended.out) == (0, "")
