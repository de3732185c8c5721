"""Starting and stopping: threads, ports, files, event loops, the foreground."""

from __future__ import annotations

import asyncio
import gc
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from talon_one.sandbox import DatabaseError, Sandbox

CART = [{"sku": "A", "quantity": 1, "price": 30}]

FOREGROUND = """
import signal, sys
# Ctrl-C would be ignored if the tests themselves run where it is, such as behind nohup.
signal.signal(signal.SIGINT, signal.default_int_handler)
from talon_one.sandbox import Sandbox
Sandbox(database=sys.argv[1]).run_forever(lambda sandbox: print(sandbox.port, flush=True))
print("stopped", flush=True)
"""


def foreground(database: Path) -> subprocess.Popen[str]:
    """Start a sandbox in a process of its own; its first line of output is its port."""
    command = [sys.executable, "-W", "error", "-c", FOREGROUND, str(database)]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_sandbox_is_there_from_start_to_stop() -> None:
    threads = threading.active_count()
    sandbox = Sandbox()
    assert not sandbox.running
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    assert sandbox.start() is sandbox
    assert sandbox.running
    assert sandbox.url == f"http://127.0.0.1:{sandbox.port}"
    port = sandbox.port
    assert not port_is_free(port)
    sandbox.stop()
    sandbox.stop()
    assert port_is_free(port)
    assert not sandbox.running
    assert threading.active_count() == threads


def test_stopping_what_never_started_does_no_harm() -> None:
    Sandbox().stop()


def test_a_sandbox_can_be_started_again(client_of: Any) -> None:
    sandbox = Sandbox()
    for _ in range(2):
        with sandbox:
            client = client_of(sandbox)
            # The state in memory is gone each time.
            assert client.send("GET", "/v2/customer_sessions/order-1").status == 404
            assert client.session().status == 200


def test_starting_twice_is_an_error() -> None:
    with Sandbox() as sandbox, pytest.raises(RuntimeError, match="already running"):
        sandbox.start()


def test_stopping_does_not_wait_for_idle_connections(client_of: Any) -> None:
    with Sandbox() as sandbox:
        client = client_of(sandbox)
        assert client.session().status == 200
        sandbox.stop()
        assert client.pool.pool is not None


def test_a_connection_made_at_the_last_moment_leaks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leaks: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda fault: leaks.append(fault.exc_value))
    for _ in range(10):
        sandbox = Sandbox().start()
        with socket.create_connection(("127.0.0.1", sandbox.port)):
            sandbox.stop()
        gc.collect()
    assert leaks == []


def test_two_sandboxes_share_nothing(client_of: Any) -> None:
    with Sandbox() as one, Sandbox() as other:
        assert one.port != other.port
        client_of(one).session()
        assert client_of(other).send("GET", "/v2/customer_sessions/order-1").status == 404


def test_a_busy_port_is_a_clear_error_and_leaves_nothing_behind() -> None:
    threads = threading.active_count()
    with Sandbox() as first:
        second = Sandbox(first.port)
        with pytest.raises(OSError, match=rf"cannot listen on 127\.0\.0\.1:{first.port}.*in use"):
            second.start()
        assert not second.running
    assert threading.active_count() == threads
    with second:
        assert second.running


def test_a_database_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(DatabaseError, match=f"there is no folder {re.escape(str(missing))}$"):
        Sandbox(database=missing / "file.db").start()
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"no database" * 100)
    with pytest.raises(DatabaseError, match=r"garbage\.db is not a database$"):
        Sandbox(database=garbage).start()


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DatabaseError, match="version 99"):
        Sandbox(database=path).start()


WRONG = [
    ({"port": -1}, "a port must be from 0 to 65535, not -1"),
    ({"port": 65536}, "a port must be from 0 to 65535, not 65536"),
    ({"port": "fashion"}, "a port must be from 0 to 65535, not 'fashion'. Did you mean seed='fa"),
    ({"port": "shop.yaml"}, "a port must be from 0 to 65535, not 'shop.yaml'"),
    ({"port": True}, "a port must be from 0 to 65535, not True"),
    ({"port": 1.5}, "a port must be from 0 to 65535, not 1.5"),
    ({"port": None}, "a port must be from 0 to 65535, not None"),
    ({"database": 5}, "the database must be the path of a file, not 5"),
    ({"random_seed": "x"}, "the random_seed must be a whole number, not 'x'"),
    ({"api_key": ""}, "the api_key must be text, not empty"),
    ({"api_key": 5}, "the api_key must be text, not int"),
    ({"management_key": None}, "the management_key must be text, not NoneType"),
    ({"application_secret": "xyz"}, "the application_secret must be hexadecimal text"),
    ({"application_secret": 3}, "the application_secret must be hexadecimal text"),
    ({"latency": -1}, "the latency must be a number of seconds, not -1"),
    ({"latency": float("nan")}, "the latency must be a number of seconds, not nan"),
    ({"latency": "x"}, "the latency must be a number of seconds, not 'x'"),
    ({"latency": True}, "the latency must be a number of seconds, not True"),
    ({"host": ""}, "the host must be an address to listen on, not ''"),
    ({"host": 5}, "the host must be an address to listen on, not 5"),
]


def test_unusable_arguments_are_refused_immediately() -> None:
    for arguments, message in WRONG:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            Sandbox(**arguments)  # type: ignore[arg-type]  # they are wrong


def test_own_credentials_replace_the_built_in_ones(tmp_path: Path, client_of: Any) -> None:
    path = tmp_path / "state.db"
    with Sandbox(database=path) as first:
        old = {"Authorization": f"ApiKey-v1 {first.api_key}"}
    with Sandbox(database=path, api_key="mine", management_key="my-own") as sandbox:
        client = client_of(sandbox)
        assert client.send("GET", "/v2/customer_sessions/a").status == 404
        assert client.send("GET", "/v1/applications").status == 200
        assert client.send("GET", "/v2/customer_sessions/a", headers=old).status == 401


def test_no_secret_shows() -> None:
    sandbox = Sandbox(api_key="hush-1", management_key="hush-2")
    assert "hush" not in repr(sandbox)
    with sandbox:
        assert sandbox.url in repr(sandbox)
        assert "hush" not in repr(sandbox)


def test_a_checkout_survives_a_restart(tmp_path: Path, client_of: Any) -> None:
    path = tmp_path / "state.db"
    with Sandbox(database=path) as sandbox:
        client = client_of(sandbox)
        client.session(profileId="p", couponCodes=["TEN-OFF"], cartItems=CART)
        closing = {"customerSession": {"profileId": "q", "state": "closed"}}
        target = "/v2/customer_sessions/other"
        first = client.send("PUT", target, closing, Idempotency_Key="k")
        before = client.send("GET", "/v2/customer_sessions/order-1").json
    with Sandbox(database=path) as sandbox:
        client = client_of(sandbox)
        assert client.send("GET", "/v2/customer_sessions/order-1").json == before
        again = client.send("PUT", target, closing, Idempotency_Key="k")
        assert (again.status, again.json) == (first.status, first.json)
        closed = client.session(state="closed")
        assert [one["effectType"] for one in closed.json["effects"]] == [
            "acceptCoupon",
            "setDiscount",
        ]
        assert client.coupon("TEN-OFF")["usageCounter"] == 1


def test_a_killed_server_has_kept_everything_it_confirmed(tmp_path: Path, client_of: Any) -> None:
    path = tmp_path / "state.db"
    with foreground(path) as process:
        assert process.stdout is not None
        sandbox = Sandbox(int(process.stdout.readline()))
        client = client_of(sandbox)
        for count in range(20):
            assert client.session(profileId="p", attributes={"n": count}).status == 200
        assert client.session(couponCodes=["TEN-OFF"], state="closed").status == 200
        process.kill()
    with Sandbox(database=path) as restarted:
        client = client_of(restarted)
        session = client.send("GET", "/v2/customer_sessions/order-1").json["customerSession"]
        assert (session["updateCount"], session["state"]) == (21, "closed")
        assert session["attributes"] == {"n": 19}
        assert client.coupon("TEN-OFF")["usageCounter"] == 1
        assert client.session(state="cancelled").status == 200
        assert client.coupon("TEN-OFF")["usageCounter"] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to handle")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_the_foreground_server_ends_orderly_on_a_signal(tmp_path: Path, name: str) -> None:
    with foreground(tmp_path / "state.db") as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        process.send_signal(getattr(signal, name))
        assert process.stdout.readline() == "stopped\n"
        assert process.wait(10) == 0
    assert port_is_free(port)


def test_a_program_that_forgets_to_stop_it_ends_all_the_same() -> None:
    program = "from talon_one.sandbox import Sandbox; print(Sandbox().start().url)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout.startswith("http://127.0.0.1:")
    assert done.stderr == ""


def test_it_runs_in_a_given_event_loop(client_of: Any) -> None:
    async def main() -> None:
        threads = threading.active_count()
        async with Sandbox() as sandbox:
            assert threading.active_count() == threads
            reply = await asyncio.to_thread(client_of(sandbox).session)
            assert reply.status == 200
        assert not sandbox.running

    asyncio.run(main())


def test_serving_announces_itself_and_ends_with_its_task() -> None:
    async def main() -> None:
        announced = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(Sandbox().serve(announced.set_result))
        sandbox = await announced
        port = sandbox.port
        assert not port_is_free(port)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not sandbox.running
        assert port_is_free(port)

    asyncio.run(main())


def test_without_aiohttp_the_error_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['aiohttp'] = None; import talon_one.sandbox\n"
        "try: talon_one.sandbox.Sandbox\n"
        "except ImportError as error: print(error, error.__suppress_context__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    expected = 'The sandbox needs aiohttp: pip install "talon_one[sandbox]"'
    # The traceback of the import that failed inside would add nothing for the reader.
    assert done.stdout.strip() == f"{expected} True"


def test_importing_the_package_loads_neither_aiohttp_nor_sqlite() -> None:
    program = (
        "import sys, talon_one.sandbox\n"
        "print([name for name in ('aiohttp', 'sqlite3') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_the_clock_moves_by_days_and_says_what_it_cannot_do() -> None:
    with Sandbox(clock="2026-03-01T00:00:00Z") as sandbox:
        clock = sandbox.clock
        assert clock.advance(timedelta(hours=1), days=1, weeks=1).isoformat() == (
            "2026-03-09T01:00:00+00:00"
        )
        with pytest.raises(TypeError, match="years"):
            clock.advance(years=1)  # type: ignore[call-arg]
        with pytest.raises(ValueError, match="backwards"):
            clock.advance(days=-1)
        for days in (10**7, 10**12):
            with pytest.raises(ValueError, match="that far"):
                clock.advance(days=days)
        for wrong in (30, "30 days", float("nan")):
            with pytest.raises(ValueError, match=r"a timedelta, or keywords such as days=30, not "):
                clock.advance(wrong)  # type: ignore[arg-type]
        assert clock.text() == "2026-03-09T01:00:00.000000Z"


def test_a_misspelled_property_of_a_coupon_is_named_with_the_nearest_one() -> None:
    with Sandbox() as sandbox:
        for wrong in ("usagelimit", "usage_limits", "usageLimt"):
            with pytest.raises(TypeError, match=r"^Coupon has no property .+ Did you mean 'usage"):
                sandbox.add_coupon("SPRING", **{wrong: 3})
        with pytest.raises(TypeError, match=r"^Coupon has no property 'zzz'$"):
            sandbox.add_coupon("SPRING", zzz=3)
