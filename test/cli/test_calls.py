"""Calls at the command line: bodies, dry runs, confirmations, mistakes, failures, exit codes."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Command
from support.server import HANG_UP, RecordingServer, Response

SESSION = ["integration", "update-customer-session-v2", "s 1"]
CAMPAIGN = ["management", "get-campaign", "3", "1"]
DELETE = ["management", "delete-campaign", "3", "1"]
BODY = '{"customerSession": {"profileId": "\u00e4"}}'


def only_line(ended: Any, code: int) -> str:
    """Return the one line on standard error of a command that failed."""
    assert (ended.code, ended.out) == (code, ""), ended
    (line,) = ended.err.splitlines()
    assert line.startswith("talon-one: ")
    return str(line)


def test_a_body_comes_from_the_command_line_a_file_or_standard_input(
    talk: Command, server: RecordingServer, tmp_path: Path
) -> None:
    file = tmp_path / "body.json"
    # With a byte order mark, as Windows writes it.
    file.write_bytes(b"\xef\xbb\xbf" + BODY.encode())
    for given, piped in [(BODY, ""), (f"@{file}", ""), ("-", BODY)]:
        assert talk(*SESSION, "-d", given, input=piped).code == 0
        assert server.last.json() == json.loads(BODY)


def test_an_upload_comes_from_a_file_or_standard_input(
    talk: Command, server: RecordingServer, tmp_path: Path
) -> None:
    file = tmp_path / "coupons.csv"
    file.write_bytes(b"value\nA1\n")
    for given, piped in [(str(file), b""), ("-", b"value\nA1\n")]:
        ended = talk("management", "import-coupons", "3", "1", given, input=piped)
        assert ended.code == 0
        assert b"value\nA1\n" in server.last.body


def test_a_dry_run_prints_the_request_without_its_key_and_sends_nothing(
    talk: Command, server: RecordingServer
) -> None:
    ended = talk(*SESSION, "-d", BODY, "--dry", "--idempotency-key", "k-1", "--dry-run")
    assert (ended.code, ended.err) == (0, "")
    head, _, body = ended.out.partition("\n\n")
    lines = head.splitlines()
    assert lines[0] == f"PUT {server.url}/v2/customer_sessions/s%201?dry=true"
    assert "Authorization: ApiKey-v1 ****" in lines
    assert "Idempotency-Key: k-1" in lines
    assert json.loads(body) == json.loads(BODY)
    assert "integration-key" not in ended.out
    assert server.requests == []


def test_a_dry_run_masks_secrets_in_the_body_and_needs_no_key(
    shell: Command, server: RecordingServer
) -> None:
    login = '{"email": "a@b.example", "password": "hush"}'
    ended = shell("management", "create-session", "-d", login, "--host", server.url, "--dry-run")
    assert ended.code == 0
    assert "hush" not in ended.out
    ended = shell(*CAMPAIGN, "--host", server.url, "--dry-run")
    assert "Authorization: ManagementKey-v1 ****" in ended.out


def test_a_dry_run_of_an_upload_names_the_file(talk: Command, tmp_path: Path) -> None:
    file = tmp_path / "coupons.csv"
    file.write_bytes(b"value\nA1\n")
    ended = talk("management", "import-coupons", "3", "1", str(file), "--dry-run")
    assert ended.code == 0
    assert "<multipart form with upFile, " in ended.out


def test_a_delete_without_a_terminal_needs_yes(talk: Command, server: RecordingServer) -> None:
    assert "confirm it with --yes" in only_line(talk(*DELETE), 2)
    assert server.requests == []
    assert talk(*DELETE, "--yes").code == 0
    assert server.last.method == "DELETE"


def test_settings_of_a_call_are_those_of_its_options(
    talk: Command, server: RecordingServer
) -> None:
    server.script(Response(503), Response(503))
    ended = talk(*CAMPAIGN, "--retries", "1", "--timeout", "30")
    assert "(after 2 attempts)" in only_line(ended, 1)


def test_options_with_the_name_of_another_have_a_prefix(
    talk: Command, server: RecordingServer
) -> None:
    talk("integration", "get-customer-inventory", "anna", "--parameter-profile")
    assert server.last.pairs == [("profile", "true")]


def test_a_misspelled_property_is_sent_with_a_warning(
    talk: Command, server: RecordingServer
) -> None:
    ended = talk(*SESSION, "-d", '{"customerSesion": {}, "customerSession": {}}')
    assert ended.code == 0
    assert "warning: " in ended.err
    assert "Did you mean 'customerSession'?" in ended.err


# -- Mistakes: one line, exit code 2, nothing sent -------------------------------------------------

MISTAKES: dict[str, tuple[list[str], str]] = {
    "no body": (SESSION, "a body is missing: -d"),
    "empty body": ([*SESSION, "-d", ""], "-d is empty"),
    "malformed": ([*SESSION, "-d", '{"a": 1,\n"b": }'], "line 2, column 6: Expecting value: '}'"),
    "cut off": ([*SESSION, "-d", '{"a": '], "line 1, column 7"),
    "not a number": ([*SESSION, "-d", '{"a": NaN}'], "NaN is not a number of JSON"),
    "nested": ([*SESSION, "-d", "[" * 100_000], "nested too deeply"),
    "a list": ([*SESSION, "-d", "[]"], "or a JSON object, not list"),
    "a text": ([*SESSION, "-d", '"x"'], "or a JSON object, not str"),
    "a wrong type": (
        [*SESSION, "-d", '{"customerSession": {"cartItems": [{"sku": 5}]}}'],
        "$.customerSession.cartItems[0].sku must be text, not int",
    ),
    "a huge number": (
        [*SESSION, "-d", '{"customerSession": {"attributes": {"a": 1e999}}}'],
        "$.customerSession.attributes",
    ),
    "no file": ([*SESSION, "-d", "@missing.json"], "cannot read 'missing.json': No such file"),
    "a folder": ([*SESSION, "-d", "@."], "cannot read '.': "),
    "a zero byte": ([*SESSION, "-d", "@a\0b"], "is no path of a file"),
    "no upload": (["management", "import-coupons", "3", "1", "no.csv"], "'no.csv' does not exist"),
    "no argument": (CAMPAIGN[:-1], "Missing argument 'CAMPAIGN_ID'"),
    "one too many": ([*CAMPAIGN, "5"], "unexpected extra argument"),
    "a text for a number": ([*CAMPAIGN[:-1], "x"], "'x' is not an integer"),
    "digits of another script": ([*CAMPAIGN[:-1], "\u0661"], "is not an integer"),
    "too many digits": ([*CAMPAIGN[:-1], "1" * 5000], "is not an integer"),
    "an empty ID": ([*SESSION[:-1], "", "-d", BODY], "must not be empty"),
    "dots": ([*SESSION[:-1], "..", "-d", BODY], "the path would lead elsewhere"),
    "no Unicode in a path": ([*SESSION[:-1], "\udcff", "-d", BODY], "no valid Unicode"),
    "no Unicode in a query": (
        ["management", "get-coupons-without-total-count", "3", "1", "--value", "\udcff"],
        "cannot",
    ),
    "a date for a timestamp": (
        ["management", "get-campaigns", "3", "--created-after", "2026-01-01"],
        "--created-after must have a time as well: write 2026-01-01T00:00:00Z",
    ),
    "an unknown word": (
        ["management", "get-campaigns", "3", "--campaign-state", "enabeld"],
        "Did you mean 'enabled'?",
    ),
    "a number out of range": (
        ["management", "get-campaigns", "3", "--page-size", "0"],
        "--page-size must be",
    ),
    "an unknown option": ([*CAMPAIGN, "--quary", "a"], "No such option"),
    "an unknown column": (
        ["management", "get-campaigns", "3", "--columns", "nmae"],
        "there is no column 'nmae'. Did you mean 'name'?",
    ),
    "an unknown column of what a change returns": (
        [*SESSION, "-d", BODY, "--columns", "efects"],
        "there is no column 'efects'. Did you mean 'effects'?",
    ),
    "an empty column": ([*CAMPAIGN, "--columns", "id,,name"], "--columns takes names"),
    "no expression": ([*CAMPAIGN, "--query", "a["], "is not JMESPath"),
    "no format": ([*CAMPAIGN, "-o", "xml"], "'xml' is not one of"),
    "no time": ([*CAMPAIGN, "--timeout", "0"], "--timeout"),
    "not a time": ([*CAMPAIGN, "--timeout", "nan"], "deadline"),
    "no folder": ([*CAMPAIGN, "--output-file", "no/such/file"], "there is no folder "),
    "a folder as a file": ([*CAMPAIGN, "--output-file", "."], "is a folder"),
    "an empty path": ([*CAMPAIGN, "--output-file", ""], "'' is no path of a file"),
    "no host": ([*CAMPAIGN, "--host", "shop.talon.one"], "needs a scheme"),
    "a secret in the host": (
        [*CAMPAIGN, "--host", "https://u:hush@shop.talon.one"],
        "neither credentials nor blanks",
    ),
}


def test_a_mistake_is_one_line_and_nothing_is_sent(
    talk: Command, server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong: dict[str, Any] = {}
    for name, (words, said) in MISTAKES.items():
        ended = talk(*words)
        lines = ended.err.splitlines()
        # A column may be one that only the rows have, so a list is read first.
        read = [each.method for each in server.requests if name != "an unknown column"]
        ok = (ended.code, ended.out, read) == (2, "", []) and len(lines) == 1
        if not ok or said not in ended.err or "hush" in ended.err:
            wrong[name] = ended, read
        server.clear()
    assert wrong == {}


def test_without_a_host_or_with_closed_streams_nothing_is_sent(
    shell: Command, talk: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TALON_ONE_HOST")
    assert "no host is set: talon-one config set host" in only_line(shell(*CAMPAIGN), 2)


def test_a_missing_package_is_named(
    talk: Command, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, words, package in [
        ("yaml", ["-o", "yaml"], "PyYAML"),
        ("jmespath", ["--query", "a"], "jmespath"),
    ]:
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            assert f"pip install {package}" in only_line(talk(*CAMPAIGN, *words), 1)
    assert server.requests == []


# -- Failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "code", "said"),
    [
        (
            Response(404, {"message": "no such campaign"}),
            1,
            "404 Not Found: no such campaign (GET ",
        ),
        (Response(500), 1, "500 Internal Server Error"),
        (Response(200, "<html>"), 4, "not JSON"),
        (HANG_UP, 4, "closed connection"),
    ],
)
def test_the_exit_code_says_what_became_of_the_request(
    response: Response, code: int, said: str, talk: Command, server: RecordingServer
) -> None:
    server.script(response)
    assert said in only_line(talk(*CAMPAIGN, "--retries", "0"), code)


def test_a_request_that_reached_no_server_has_a_code_of_its_own(talk: Command) -> None:
    # A port that is taken, but not listened at, refuses connections for as long as it is held.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert "refused" in only_line(talk(*CAMPAIGN, "--host", host, "--retries", "0"), 3)


def test_a_key_that_is_refused_is_named_by_its_source(
    talk: Command, server: RecordingServer
) -> None:
    server.script(Response(401, {"message": "no"}))
    line = only_line(talk(*CAMPAIGN), 1)
    assert line.endswith("the server refuses a Management API key of TALON_ONE_MANAGEMENT_KEY")
    assert "management-key" not in line


def test_an_expression_that_does_not_fit_the_response_is_reported_after_the_request(
    talk: Command, server: RecordingServer
) -> None:
    server.script({"id": 1})
    line = only_line(talk(*CAMPAIGN, "--query", "sum(id)"), 4)
    assert "--query does not fit the data" in line
    assert len(server.requests) == 1


def test_a_deprecated_operation_warns_in_words_of_the_shell(
    talk: Command, server: RecordingServer
) -> None:
    ended = talk("management", "get-coupons", "3", "1")
    assert ended.code == 0
    assert "use get-coupons-without-total-count" in ended.err
    assert len(ended.err.splitlines()) == 1
