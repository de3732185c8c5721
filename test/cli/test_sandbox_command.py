"""`talon-one sandbox` runs until it is stopped, and prints how to reach it."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import talon_one
from cli.program import TALON_ONE, run, variables
from support.platforms import needs_posix_signals
from talon_one.cli import main
from talon_one.sandbox import Sandbox

# Ctrl-C would be ignored if the tests themselves run where it is, such as behind nohup.
_PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from talon_one.cli import main
sys.exit(main())
"""


@contextmanager
def running_sandbox(*arguments: str) -> Iterator[tuple[dict[str, str], subprocess.Popen[str]]]:
    """Run the command; give the variables that it says to export, and the process."""
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, "sandbox", *arguments],
        env=variables({"COLUMNS": "20"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            assert process.stdout is not None
            exported = {}
            for line in process.stdout:
                match shlex.split(line):
                    case ["export", setting]:
                        name, _, value = setting.partition("=")
                        exported[name] = value
                if "TALON_ONE_APPLICATION_SECRET" in exported:
                    break
            yield exported, process
        finally:
            process.kill()


def end(process: subprocess.Popen[str], how: signal.Signals) -> tuple[int, str, str]:
    """End the command; return its exit code and what it still wrote."""
    process.send_signal(how)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@needs_posix_signals
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_it_serves_programs_that_export_its_lines_until_it_is_stopped(how: signal.Signals) -> None:
    with running_sandbox() as (exported, process):
        configuration = talon_one.Configuration.from_env(exported)
        with talon_one.ApiClient(configuration) as client:
            application_id = int(exported["TALON_ONE_APPLICATION_ID"])
            talon_one.ManagementApi(client).get_application(application_id)
            talon_one.IntegrationApi(client).create_coupon_reservation(
                "TEN-OFF", {"integrationIDs": ["anna"]}
            )
            # The secret is good, too: without a key the request is signed.
            del configuration.api_key["api_key_v1"]
            talon_one.IntegrationApi(client).delete_coupon_reservation(
                "TEN-OFF", {"integrationIDs": ["anna"]}
            )
        code, out, err = end(process, how)
        assert (code, " ".join(out.split()), err) == (0, "The sandbox has ended.", "")


@needs_posix_signals
def test_a_database_keeps_what_happened(tmp_path: Path) -> None:
    arguments = ("--database", str(tmp_path / "shop.db"))
    with running_sandbox(*arguments) as (exported, process):
        ended = run(TALON_ONE, "quickstart", more=exported)
        assert "Redemptions of TEN-OFF: 1, by this customer: 1" in ended.out
        assert end(process, signal.SIGINT)[0] == 0
    with running_sandbox(*arguments) as (exported, process):
        ended = run(TALON_ONE, "quickstart", more=exported)
        assert "Redemptions of TEN-OFF: 2, by this customer: 1" in ended.out
        assert end(process, signal.SIGINT)[0] == 0


@needs_posix_signals
def test_it_listens_on_the_given_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with running_sandbox("--port", str(port)) as (exported, process):
        assert exported["TALON_ONE_HOST"] == f"http://127.0.0.1:{port}"
        end(process, signal.SIGINT)


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = run(TALON_ONE, "sandbox", "--port", port)
    assert (ended.code, ended.out) == (1, "")
    wanted = f"talon-one: the sandbox cannot listen on 127.0.0.1:{port}: the port is in use\n"
    assert ended.err == wanted


@pytest.mark.parametrize(
    ("file", "said"),
    [("no/such/folder/shop.db", "unable to open database file"), ("notes.txt", "not a database")],
)
def test_a_database_that_cannot_be_used_is_one_line(
    file: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("Buy beans. " * 100)
    assert main(["sandbox", "--database", file]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"talon-one: cannot use the database {file}: ")
    assert said in line


@needs_posix_signals
def test_seed_clock_and_address_are_those_of_the_command_line() -> None:
    arguments = ("--seed", "fashion", "--clock", "2026-03-01T10:00:00+02:00", "--host", "0.0.0.0")
    with running_sandbox(*arguments) as (exported, process):
        configuration = talon_one.Configuration.from_env(exported)
        assert exported["TALON_ONE_HOST"].startswith("http://127.0.0.1:")
        with talon_one.ApiClient(configuration) as client:
            api = talon_one.IntegrationApi(client)
            cart = [talon_one.CartItem(sku="SHOE-1", quantity=1, price=80.0)]
            session = talon_one.NewCustomerSessionV2(
                profile_id="anna", cart_items=cart, coupon_codes=["WELCOME10"]
            )
            response = api.update_customer_session_v2(
                "o-1", {"customerSession": session, "responseContent": ["customerSession"]}
            ).to_wire()
        assert response["effects"][0]["props"] == {"value": "WELCOME10"}
        assert response["customerSession"]["created"] == "2026-03-01T08:00:00.000000Z"
        end(process, signal.SIGINT)


@needs_posix_signals
def test_the_log_has_a_line_for_each_request() -> None:
    with running_sandbox("--log") as (exported, process):
        configuration = talon_one.Configuration.from_env(exported)
        with talon_one.ApiClient(configuration) as client:
            api = talon_one.IntegrationApi(client)
            api.update_customer_session_v2("o 1", {"customerSession": {}}, dry=True)
            with pytest.raises(talon_one.NotFoundException):
                api.get_customer_session("o 1")
        _, out, _ = end(process, signal.SIGINT)
    lines = [line for line in out.splitlines() if line.endswith(" ms")]
    assert [line.rpartition(" ")[0].rpartition(" ")[0] for line in lines] == [
        "PUT /v2/customer_sessions/o%201?dry=true 200",
        "GET /v2/customer_sessions/o%201 404",
    ]


def test_each_mistake_of_a_seed_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("audience: []\naudiences:\n  - {nam: VIP}\n")
    ended = run(TALON_ONE, "sandbox", "--seed", "shop.yaml", folder=tmp_path)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines() == [
        "shop.yaml:1:1: a seed has no 'audience'. Did you mean 'audiences'?",
        "shop.yaml:3:5: an audience needs name",
        "shop.yaml:3:6: 'nam' is not a property of an audience. Did you mean 'name'?",
    ]
    missing = run(TALON_ONE, "sandbox", "--seed", "none.yaml", folder=tmp_path)
    assert (missing.code, missing.out) == (1, "")
    (line,) = missing.err.splitlines()
    assert "'none.yaml' cannot be read: No such file or directory" in line


def test_a_clock_that_is_no_moment_is_a_usage_error() -> None:
    ended = run(TALON_ONE, "sandbox", "--clock", "tomorrow")
    assert (ended.code, ended.out) == (2, "")
    assert "'tomorrow' is not an RFC 3339 timestamp" in ended.err


def test_a_shop_without_a_secret_exports_none() -> None:
    with Sandbox(seed={"applications": [{"name": "Shop", "campaigns": [{"name": "A"}]}]}) as shop:
        assert "TALON_ONE_APPLICATION_SECRET" not in shop.environment()
