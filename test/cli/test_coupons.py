"""Coupons, campaigns, sessions and tables in daily work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Command
from support.platforms import needs_linux
from support.server import HANG_UP, RecordingServer, Response

BAD = 'value,limitval,expirydate\nGOOD-1,1,\nAB,1,\nGOOD-2,1,\n"GOOD-3",x,\nGOOD-4,1,2090-03-01\n'


def test_a_coupon_is_shown_by_its_code(daily: Command) -> None:
    ended = daily("coupons", "show", "WELCOME10", "--columns", "value,campaignId")
    assert ended.code == 0
    assert json.loads(ended.out) == {"value": "WELCOME10", "campaignId": 1}
    ended = daily("coupons", "show", "WELCOME")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "talon-one: there is no coupon 'WELCOME' in the Application 1\n"
    ended = daily("coupons", "show", "WELCOME10", "--columns", "vlaue")
    assert ended.code == 2
    assert "Did you mean 'value'?" in ended.err


def test_created_coupons_are_printed(daily: Command) -> None:
    ended = daily(
        "coupons", "create", "1", "--count", "3", "--pattern", "NEW-####", "--characters", "AB",
        "--expiry", "2090-01-01T00:00:00Z", "-o", "jsonl", "--columns", "value,usageLimit",
    )  # fmt: skip
    assert ended.code == 0, ended
    created = [json.loads(line) for line in ended.out.splitlines()]
    assert len(created) == 3
    assert all(each["usageLimit"] == 1 for each in created)
    assert all(set(each["value"].removeprefix("NEW-")) <= {"A", "B"} for each in created)
    for words, message in [
        (["--attributes", "{"], "--attributes is not JSON, line 1, column 2"),
        (["--count", "20001"], "--count"),
        (["--pattern", "x" * 101], "at most 100 characters"),
        (["--expiry", "tomorrow"], "tomorrow"),
        (["--columns", "nope"], "no column 'nope'"),
        (["--application", "x"], "'x' is not an integer"),
    ]:
        ended = daily("coupons", "create", "1", *words)
        assert (ended.code, ended.out) == (2, ""), ended
        assert message in ended.err


def test_an_export_is_a_file_for_a_spreadsheet(daily: Command) -> None:
    ended = daily("coupons", "export", "--campaign", "1", "--output-file", "c.csv")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert "WELCOME10" in Path("c.csv").read_text()
    ended = daily("coupons", "export", "--campaign", "1", "--values-only")
    assert "WELCOME10" in ended.out.splitlines()
    ended = daily("coupons", "export", "--columns", "value,nope")
    assert ended.code == 2


def test_an_import_with_bad_lines_imports_nothing_unless_there_is_a_file_for_them(
    daily: Command,
) -> None:
    Path("c.csv").write_text(BAD)
    ended = daily("coupons", "import", "1", "c.csv")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "talon-one: c.csv, line 3: value must have at least 3 characters, not 2",
        "talon-one: c.csv, line 5: limitval must be a whole number such as 100, not 'x'",
        "talon-one: c.csv, line 6: expirydate must have a time as well: write"
        " 2090-03-01T00:00:00Z rather than '2090-03-01'",
        "talon-one: nothing was imported; --failures FILE imports the other lines",
    ]
    assert daily("coupons", "show", "GOOD-1").code == 1
    ended = daily("coupons", "import", "1", "c.csv", "--failures", "bad.csv", "--columns", "amount")
    assert ended.code == 1
    assert json.loads(ended.out) == {"amount": 2}
    assert ended.err.splitlines()[-2:] == [
        "talon-one: 2 coupons imported",
        "talon-one: the other lines are in bad.csv",
    ]
    header, *_ = BAD.splitlines()
    assert Path("bad.csv").read_text().splitlines() == [
        header,
        "AB,1,",
        '"GOOD-3",x,',
        "GOOD-4,1,2090-03-01",
    ]
    assert daily("coupons", "show", "GOOD-2").code == 0
    # The file may be the only copy of its lines.
    ended = daily("coupons", "import", "1", "c.csv", "--failures", "bad.csv")
    assert ended.code == 2
    assert "bad.csv is not empty: move it away" in ended.err


def test_lines_that_the_server_refuses_are_those_of_the_input(daily: Command) -> None:
    lines = 'value,attributes\nAB,\nFINE-1,"{}\n"\nWELCOME10,\n'
    ended = daily("coupons", "import", "1", "-", "--failures", "bad.csv", input=lines)
    assert ended.code == 1
    assert "standard input, line 5: Duplicate" in ended.err
    assert not Path("bad.csv").exists()
    ended = daily(
        "coupons", "import", "1", "-", "--failures", "bad.csv", "--skip-duplicates", input=lines
    )
    assert "1 coupon imported" in ended.err
    assert Path("bad.csv").read_text() == "value,attributes\nAB,\n"


def test_an_import_without_a_response_says_how_to_import_the_rest(
    talk: Command, server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.csv").write_text(BAD)

    words = ["coupons", "import", "1", "c.csv", "--application", "3", "--failures", "bad.csv"]
    server.default = HANG_UP
    ended = talk(*words)
    assert ended.code == 4
    again = "talon-one coupons import 1 c.csv --failures bad.csv --application 3 --skip-duplicates"
    assert f"run this to import the rest, without those that exist: {again}" in ended.err
    assert not Path("bad.csv").exists()
    monkeypatch.delenv("TALON_ONE_MANAGEMENT_KEY")
    assert talk(*words).code == 2
    assert not Path("bad.csv").exists()
    monkeypatch.setenv("TALON_ONE_MANAGEMENT_KEY", "k")
    server.default = Response(body={"amount": 2})
    ended = talk(*again.split()[1:])
    assert ended.code == 1
    assert server.requests[-1].query == "skipDuplicates=true"


@needs_linux
def test_a_full_disk_imports_nothing(daily: Command) -> None:
    Path("c.csv").write_text(BAD)
    ended = daily("coupons", "import", "1", "c.csv", "--failures", "/dev/full")
    assert ended.code == 2
    assert "nothing was imported: cannot write to /dev/full: No space left on device" in ended.err


def test_campaigns_are_listed_shown_and_copied(daily: Command) -> None:
    ended = daily("campaigns", "list", "--limit", "2", "-o", "table")
    assert ended.code == 0
    titles, _, first, *_ = ended.out.splitlines()
    assert titles.split() == ["id", "name", "frontendState", "startTime", "endTime"]
    assert first.split() == ["1", "Welcome", "running"]
    everything = json.loads(daily("campaigns", "list").out)
    assert len(everything) == 10
    assert "features" in everything[0]
    ended = daily("campaigns", "copy", "1", "--name", "Copied", "--columns", "name,state")
    assert json.loads(ended.out) == [{"name": "Copied", "state": "disabled"}]
    ended = daily("campaigns", "show", "11", "--columns", "name")
    assert json.loads(ended.out) == {"name": "Copied"}
    ended = daily("campaigns", "show", "99")
    assert (ended.code, ended.out) == (1, "")


def test_without_an_application_a_command_says_where_to_set_it(
    daily: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALON_ONE_APPLICATION_ID", "one")
    ended = daily("campaigns", "list")
    assert (ended.code, "is no ID: 'one'" in ended.err) == (2, True)
    monkeypatch.delenv("TALON_ONE_APPLICATION_ID")
    ended = daily("campaigns", "list")
    assert ended.code == 2
    assert "no Application is set: talon-one config set application-id ID" in ended.err


def test_tables_are_checked_for_the_import_that_their_columns_name(daily: Command) -> None:
    Path("c.csv").write_text(BAD)
    ended = daily("tables", "check", "c.csv")
    assert ended.code == 1
    assert ended.out.splitlines()[0] == "c.csv:3: value must have at least 3 characters, not 2"
    assert ended.err == (
        "talon-one: c.csv has 3 problems; checked as import-coupons, --as for another\n"
    )
    ended = daily("tables", "check", "c.csv", "--limit", "1", "-o", "json")
    assert json.loads(ended.out) == [
        {"line": 3, "column": "value", "message": "must have at least 3 characters, not 2"}
    ]
    assert "1 problem; stopped after 1: --limit" in ended.err
    for header, guessed in {
        "item": "import-collection",
        "code,startdate": "import-pool-giveaways",
        "code,advocateprofileintegrationid": "import-referrals",
        "identifier,state": "import-loyalty-cards",
        "identifier,amount": "import-loyalty-points",
        "profileintegrationid": "import-audiences-memberships",
        "store_integration_id": "import-campaign-stores",
        "store_integration_id,limit": "import-campaign-store-budget",
    }.items():
        ended = daily("tables", "check", "-", input=f"{header}\n")
        assert f"checked as {guessed}," in ended.err, ended
    ended = daily("tables", "check", "-", input="a,b\n1,2\n")
    assert ended.code == 2
    assert "do not say which import it is for: choose with --as import-coupons" in ended.err
    ended = daily("tables", "check", "-", "--as", "import-coupon", input="value\nABC\n")
    assert "Did you mean 'import-coupons'?" in ended.err
    ended = daily("tables", "check", "-", "--as", "import-coupons", input="value\nABC\n")
    assert (ended.code, ended.out) == (0, "")


def test_a_session_is_shown_as_tables(daily: Command) -> None:
    body = {
        "customerSession": {
            "profileId": "ann",
            "couponCodes": ["WELCOME10"],
            "cartItems": [{"sku": "COAT-7", "quantity": 1, "price": 120}],
        }
    }
    assert (
        daily("integration", "update-customer-session-v2", "o-1", "-d", json.dumps(body)).code == 0
    )
    ended = daily("session", "show", "o-1", "-o", "table")
    assert ended.code == 0
    for text in ("State", "open", "COAT-7", "acceptCoupon", "value: WELCOME10"):
        assert text in ended.out
    ended = daily("session", "show", "o-1", "--query", "customerSession.state")
    assert json.loads(ended.out) == "open"
    ended = daily("session", "show", "o-2")
    assert (ended.code, ended.out) == (1, "")


def test_a_session_of_another_shape_is_shown_without_a_traceback(
    talk: Command, server: RecordingServer
) -> None:
    for body in ({}, {"customerSession": 1, "effects": [1]}, {"effects": [{"props": [1]}]}):
        server.default = Response(body=body)
        assert talk("session", "show", "o", "-o", "table").code == 0


def test_responses_of_another_shape_are_one_line(talk: Command, server: RecordingServer) -> None:
    wrong = []
    for body in ([1], {}, {"data": 1}, {"data": [1]}, {"id": "x"}, None):
        for words in [
            ["coupons", "show", "X"],
            ["coupons", "create", "1"],
            ["campaigns", "copy", "1"],
            ["campaigns", "report", "1"],
            ["campaigns", "report"],
            ["logs", "tail", "webhooks", "--no-follow"],
            ["logs", "tail", "access", "--no-follow"],
            ["webhooks", "replay", "http://127.0.0.1:9"],
            ["ping"],
        ]:
            server.default = Response(body=body)
            given = ["--application", "1"] if words[0] in ("coupons", "campaigns", "logs") else []
            ended = talk(*words, *given, "--retries", "0")
            # A ping reports each key.
            most = 2 if words == ["ping"] else 1
            if ended.code and not 1 <= len(ended.err.splitlines()) <= most:
                wrong.append((words, body, ended))
    assert wrong == []
