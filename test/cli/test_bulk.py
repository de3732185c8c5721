"""Bulk jobs from files: rows, bad lines, exit codes, and how to continue."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from cli.conftest import Command
from cli.program import TALON_ONE
from cli.terminal import Terminal
from support.platforms import needs_linux, needs_posix_signals
from support.server import HANG_UP, Received, RecordingServer, Response
from talon_one.bulk import failures_in
from talon_one.sandbox import Sandbox

OK = Response(body={})


def rows_of(server: RecordingServer, name: str = "customerProfiles") -> list[object]:
    return [row for request in server.requests for row in json.loads(request.body)[name]]


def test_csv_and_json_lines_are_the_same_rows(talk: Command, server: RecordingServer) -> None:
    server.default = OK
    table = (
        "\ufeffintegrationId,attributes.Age:number,attributes.City,attributes.VIP:boolean\r\n"
        'ann,30.50,"Berlin, Mitte",true\r\n'
        "\r\n"
        "bob,,,\r\n"
    )
    lines = (
        '{"integrationId": "ann",'
        ' "attributes": {"Age": 30.5, "City": "Berlin, Mitte", "VIP": true}}\n'
        "\n"
        '{"integrationId": "bob"}'
    )
    for text in (table, lines):
        server.clear()
        ended = talk("bulk", "profiles", "-", input=text)
        assert (ended.code, ended.out) == (0, "")
        assert ended.err == "talon-one: 2 sent, 0 failed, 0 unknown\n"
        assert rows_of(server) == [
            {
                "integrationId": "ann",
                "attributes": {"Age": 30.5, "City": "Berlin, Mitte", "VIP": True},
            },
            {"integrationId": "bob"},
        ]


def test_cells_have_the_types_of_their_properties(talk: Command, server: RecordingServer) -> None:
    server.default = OK
    for words, text, name, row in [
        (
            ["audiences", "-"],
            "action,profileIntegrationId,audienceId\nadd,01,7\n",
            "data",
            {"action": "add", "profileIntegrationId": "01", "audienceId": 7},
        ),
        (
            ["catalog", "4", "-"],
            "type,payload.sku,payload.price,payload.replaceIfExists,payload.attributes.Color\n"
            "ADD,7,9.90,TRUE,10\n",
            "actions",
            {
                "type": "ADD",
                "payload": {
                    "sku": "7",
                    "price": 9.9,
                    "replaceIfExists": True,
                    "attributes": {"Color": "10"},
                },
            },
        ),
    ]:
        server.clear()
        ended = talk("bulk", *words, input=text)
        assert ended.code == 0, ended
        assert rows_of(server, name) == [row]


def test_coupons_are_created_row_by_row(daily: Command) -> None:
    text = 'numberOfCoupons,usageLimit,couponPattern,limits\n2,1,BULK-####,\n1,0,"ONE-##",[]\n'
    ended = daily("bulk", "coupons", "1", "-", input=text)
    assert ended.code == 0, ended
    exported = daily("coupons", "export", "--campaign", "1", "--columns", "value").out
    assert exported.count("BULK-") == 2
    assert exported.count("ONE-") == 1


def test_bad_lines_are_failures_with_their_place(daily: Command, tmp_path: Path) -> None:
    lines = '{"integrationId": "a"}\n\n{"integrationId": }\n[1]\n{"attributes": {}}\n{"x": NaN}\n'
    ended = daily("bulk", "profiles", "-", input=lines.encode() + b'{"a": "\xff"}\n')
    assert ended.code == 1
    assert ended.err.splitlines() == [
        "talon-one: 1 sent, 5 failed, 0 unknown",
        "talon-one: standard input, line 3, column 19: Expecting value: '}'",
        "talon-one: standard input, line 4, column 1: must be a JSON object, not '[1]'",
        "talon-one: standard input, line 5: $.integrationId is required",
        "talon-one: standard input, line 6, column 1: NaN is not a number of JSON",
        "talon-one: standard input, line 7, column 8: is not UTF-8 text",
    ]
    Path("people.csv").write_bytes(
        b'integrationId,attributes.Age:number\na,1\nb,x\nc\nd,1,2\n\xff,1\ne,"1\n'
    )
    ended = daily("bulk", "profiles", "people.csv", "--failures", "bad.jsonl")
    assert ended.code == 1
    failed = list(failures_in("bad.jsonl"))
    assert [(each.reason, each.row_repr) for each in failed if each.row is None] == [
        ("line 3, column attributes.Age:number: must be a number, not 'x'", "b,x"),
        ("line 4: has 1 cell, and there are 2 columns", "c"),
        ("line 5: has 3 cells, and there are 2 columns", "d,1,2"),
        ("line 6, column integrationId: is not UTF-8 text", "\\udcff,1"),
        ("line 7: is not valid CSV: a quote that opens a cell is never closed", ""),
    ]
    # The shop defines no such attribute.
    assert [each.row for each in failed if each.row] == [
        {"integrationId": "a", "attributes": {"Age": 1}}
    ]
    assert ended.err.endswith("talon-one: the rows are in bad.jsonl\n")
    assert not Path("people.csv.token").exists()


def test_a_file_that_holds_no_rows_is_refused_before_anything_is_sent(
    talk: Command, server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = {
        b"": "standard input is empty",
        b" \n\n": "standard input is empty",
        b"[\n{}]": "is a list of JSON; write one object per line",
        b"PK\x03\x04": "is a spreadsheet workbook",
        b"integrationid\na\n": "no column 'integrationid'. Did you mean 'integrationId'?",
        b"integrationId;attributes.A\na;b\n": "line 1 has semicolons between the cells",
        b"integrationId,integrationId\na,b\n": "is there twice",
        b"attributes,attributes.A\n{},b\n": "are both about attributes",
        b"integrationId,attributes.\na,b\n": "no column 'attributes.'",
        b"integrationId.x\na\n": "no column 'integrationId.x'",
    }
    for content, message in wrong.items():
        ended = talk("bulk", "profiles", "-", input=content)
        assert ended.code == 2, content
        assert message in ended.err
        assert len(ended.err.splitlines()) == 1
    for words, message in [
        (["nowhere.csv"], "cannot read 'nowhere.csv': No such file or directory"),
        ([str(tmp_path)], "Is a directory"),
        (["a\0b"], "no path of a file"),
        (["-", "--resume", "nowhere"], "--resume: cannot read nowhere"),
        (["-", "--token", "no/folder"], "choose another file with --token"),
        (["-", "--token", "t", "--resume", "t"], "leave out --token"),
        (["-", "--token", "/dev/null"], "is no file that could hold a token"),
        (["-", "--failures", "no/folder"], "cannot write to no/folder"),
        (["-", "--concurrency", "0"], "--concurrency"),
    ]:
        ended = talk("bulk", "profiles", *words, input=b'{"integrationId": "a"}')
        assert ended.code == 2, ended
        assert message in ended.err
    assert server.requests == []
    assert list(tmp_path.iterdir()) == []


def test_the_exit_code_says_what_became_of_the_rows(
    talk: Command, server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    member = b'{"action": "add", "profileIntegrationId": "a", "audienceId": 7}'
    refused = Response(401, body={"message": "Invalid key"})
    for response, code, message in [
        (Response(400, body={"message": "no"}), 1, "0 sent, 1 failed"),
        (HANG_UP, 4, "0 sent, 0 failed, 1 unknown"),
        (refused, 1, "the server refuses an Integration API key of TALON_ONE_API_KEY"),
    ]:
        server.default = response
        ended = talk("bulk", "audiences", "-", "--retries", "0", input=member)
        assert ended.code == code, ended
        assert message in ended.err
    assert list(tmp_path.iterdir()) == []
    ended = talk(
        "bulk", "audiences", "-", "--retries", "0", "--host", "http://127.0.0.1:9", input=member
    )
    assert ended.code == 3
    monkeypatch.delenv("TALON_ONE_API_KEY")
    ended = talk("bulk", "audiences", "-", input=member)
    assert ended.code == 2
    assert "this needs an Integration API key" in ended.err


def test_a_job_that_stops_says_how_to_continue_and_continues(
    talk: Command, server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my people.csv").write_text("integrationId\n" + "".join(f"p{n}\n" for n in range(9)))
    words = ["bulk", "profiles", "my people.csv", "--chunk-size", "3", "--concurrency", "1"]
    server.script(OK, Response(401, body={"message": "Invalid key"}))
    ended = talk(*words, "--failures", "bad.jsonl")
    assert ended.code == 1
    *_, last = ended.err.splitlines()
    again = (
        "talon-one bulk profiles 'my people.csv' --failures bad.jsonl --concurrency 1"
        " --chunk-size 3 --resume 'my people.csv.token'"
    )
    assert last == f"talon-one: to continue, run: {again}"
    ended = talk(*words)
    assert ended.code == 2
    assert "has the state of a job that is not done" in ended.err
    server.clear()
    server.default = OK
    ended = talk(*words, "--failures", "bad.jsonl", "--resume", "my people.csv.token")
    assert ended.code == 0
    assert "9 sent, 0 failed, 0 unknown (3 of them earlier)" in ended.err
    assert [row["integrationId"] for row in rows_of(server)] == [  # type: ignore[index]
        f"p{n}" for n in range(3, 9)
    ]
    assert not Path("my people.csv.token").exists()
    Path("t").write_text("no token")
    ended = talk(*words, "--resume", "t")
    assert (ended.code, "not the token of a bulk job" in ended.err) == (2, True)


@needs_linux
def test_a_full_disk_stops_a_job(
    talk: Command, server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server.default = OK
    rows = '{"integrationId": "a"}\n{}\n'
    ended = talk("bulk", "profiles", "-", "--failures", "/dev/full", input=rows)
    assert ended.code == 1
    assert "cannot go on: No space left on device" in ended.err
    # Nothing is settled, so that there is nothing to go on with.
    assert "to continue" not in ended.err
    assert list(tmp_path.iterdir()) == []


@needs_posix_signals
def test_ctrl_c_in_a_terminal_leaves_a_job_that_is_resumed_by_the_printed_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived = threading.Event()
    stopped = threading.Event()

    def slow(request: Received) -> Response:
        # The second request waits until the job was interrupted.
        if len(server.requests) > 1 and not stopped.is_set():
            arrived.set()
            stopped.wait(30)
        return OK

    monkeypatch.chdir(tmp_path)
    Path("p.csv").write_text("integrationId\n" + "".join(f"p{n}\n" for n in range(6)))
    with RecordingServer(default=slow) as server:
        more = {
            "TALON_ONE_HOST": server.url,
            "TALON_ONE_API_KEY": "k",
            "TALON_ONE_CONFIG": str(tmp_path / "config.toml"),
        }
        words = ["bulk", "profiles", "p.csv", "--chunk-size", "2", "--concurrency", "1"]
        with Terminal(TALON_ONE, *words, columns=200, more=more) as terminal:
            assert arrived.wait(30)
            terminal.type("\x03")
            terminal.wait_for("^C")
            stopped.set()
            assert terminal.end() == 130
        assert "4 sent, 0 failed, 0 unknown; not complete" in terminal.shown
        command = terminal.shown.partition("to continue, run: talon-one ")[2].strip()
        with Terminal(TALON_ONE, *command.split(), columns=200, more=more) as terminal:
            assert terminal.end() == 0
        assert "6 sent, 0 failed, 0 unknown (4 of them earlier)" in terminal.shown
        assert "Rows" in terminal.shown
        sent = [row["integrationId"] for row in rows_of(server)]  # type: ignore[index]
        assert sent == [f"p{n}" for n in range(6)]


def test_progress_is_drawn_in_terminals_only(daily: Command, shop: Sandbox) -> None:
    ended = daily("bulk", "profiles", "-", "--progress", input='{"integrationId": "a"}')
    assert (ended.code, ended.err) == (0, "talon-one: 1 sent, 0 failed, 0 unknown\n")
