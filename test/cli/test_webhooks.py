"""Webhooks on this machine: received, triggered, replayed."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import urllib3

from cli.conftest import Command
from cli.program import TALON_ONE, variables
from cli.terminal import Terminal
from sandbox.test_sandbox_webhooks import CART, Receiver, seed
from support.platforms import needs_posix_signals
from support.server import HANG_UP, Received, RecordingServer, Response
from talon_one import IntegrationApi, webhooks
from talon_one.cli.listening import Desk, listening
from talon_one.cli.texts.notifications import SAMPLES
from talon_one.sandbox import Sandbox
from talon_one.webhooks._shapes import SHAPES

COUPON = json.dumps(SAMPLES["CouponCreated"]).encode()
SECRET = {"X-Secret": "hush"}


def post(
    url: str, headers: dict[str, str], body: bytes = COUPON, method: str = "POST"
) -> tuple[int, str]:
    with urllib3.PoolManager(retries=False) as pool:
        response = pool.request(method, url, body=body, headers=headers)
        return response.status, response.data.decode()


# -- Samples ---------------------------------------------------------------------------------------


def test_every_sample_is_read_as_its_class_and_is_valid() -> None:
    wrong = []
    for name, body in SAMPLES.items():
        kind = name.partition("/")[0]
        found = webhooks.parse(json.dumps(body))
        found.validate()
        if type(found).__name__ not in {shape.model for shape in SHAPES[kind]}:
            wrong.append(name)
    assert wrong == []
    assert {name.partition("/")[0] for name in SAMPLES} == set(SHAPES)


def test_a_sample_is_printed_or_sent(
    shell: Command, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.default = Response(200)
    ended = shell("webhooks", "trigger", "CouponCreated")
    assert (ended.code, json.loads(ended.out)) == (0, SAMPLES["CouponCreated"])
    assert shell("webhooks", "trigger", "--list").out.splitlines() == list(SAMPLES)
    monkeypatch.setenv("TALON_ONE_WEBHOOK_SECRET", "hush")
    ended = shell(
        "webhooks", "trigger", "CouponCreated", server.url, "--uuid", "u-1",
        "--secret-header", "X-Secret",
    )  # fmt: skip
    assert ended.code == 0, ended
    assert ended.out.startswith("CouponCreated u-1 200 in ")
    (request,) = server.requests
    assert json.loads(request.body) == SAMPLES["CouponCreated"]
    assert request.headers["X-UUID"] == "u-1"
    assert request.headers["X-Secret"] == "hush"
    assert request.headers["Content-Type"] == "application/json"
    ended = shell("webhooks", "trigger", "TierUpgrade", server.url, "-d", '{"a": 1}')
    assert json.loads(server.requests[-1].body) == {"a": 1}


def test_what_cannot_be_triggered_is_one_line(
    shell: Command, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script(Response(500, body={"message": "no"}), HANG_UP)
    for words, code, message in [
        ([], 2, "a TYPE is missing"),
        (["CouponCreatd"], 2, "Did you mean 'CouponCreated'?"),
        (["CouponCreated", "localhost"], 2, "is no URL"),
        (["CouponCreated", "http://[::1"], 2, "is no URL"),
        (["CouponCreated", "-d", "{"], 2, "is not JSON, line 1"),
        (["CouponCreated", server.url, "--secret-header", "X"], 2, "TALON_ONE_WEBHOOK_SECRET"),
        (["CouponCreated", server.url], 1, "500"),
        (["CouponCreated", server.url], 4, server.url),
        (["CouponCreated", "http://127.0.0.1:9"], 3, "Connection refused"),
    ]:
        ended = shell("webhooks", "trigger", *words)
        assert ended.code == code, ended
        assert message in ended.err
        assert len(ended.err.splitlines()) == 1
    monkeypatch.setenv("TALON_ONE_WEBHOOK_SECRET", "hush\nhush")
    ended = shell("webhooks", "trigger", "TierUpgrade", server.url, "--secret-header", "X")
    assert (ended.code, "hush" in ended.err) == (2, False)


# -- Receiving -------------------------------------------------------------------------------------


def test_what_arrives_is_checked_forwarded_once_and_shown(server: RecordingServer) -> None:
    server.default = Response(204)
    desk = Desk("X-Secret", "hush", f"{server.url}/hooks")
    requests: list[tuple[str, dict[str, str], bytes, str]] = [
        ("/a?b=1", {**SECRET, "X-UUID": "u-1", "X-Own": "1"}, COUPON, "POST"),
        ("", {**SECRET, "X-UUID": "u-1"}, COUPON, "POST"),
        ("", {"X-Secret": "wrong"}, COUPON, "POST"),
        ("", SECRET, b"no JSON", "POST"),
        ("", SECRET, b"", "GET"),
        ("", {}, b"", "GET"),
    ]
    shown = []
    with listening(desk, "127.0.0.1", 0) as (url, arrived):
        for path, headers, body, method in requests:
            status, text = post(f"{url}{path}", headers, body, method)
            shown.append(arrived.get(timeout=10))
            assert status == shown[-1].status
            assert text in ("", shown[-1].outcome)
        # What a sender does not finish is nothing.
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), 10) as plain:
            plain.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{}")
            plain.shutdown(socket.SHUT_WR)
            assert plain.recv(100) == b""
    first, second = server.requests
    assert (first.method, first.target, first.body) == ("POST", "/hooks", COUPON)
    assert first.headers["X-UUID"] == "u-1"
    assert first.headers["X-Own"] == "1"
    assert second.method == "GET"
    assert [each.status for each in shown] == [204, 200, 401, 400, 204, 401]
    assert [each.outcome for each in shown[1:3]] == ["duplicate", "unauthorized"]
    assert (shown[0].kind, shown[0].uuid, shown[0].path) == ("CouponCreated", "u-1", "/a?b=1")
    assert f"{server.url}/hooks 204 in" in shown[0].outcome


def test_a_webhook_that_was_not_taken_is_new_the_next_time(server: RecordingServer) -> None:
    server.default = Response(200)
    server.script(Response(503), HANG_UP)
    with listening(Desk(None, None, server.url), "127.0.0.1", 0) as (url, _):
        statuses = [post(url, {"X-UUID": "u-1"})[0] for _ in range(4)]
    assert statuses == [503, 502, 200, 200]
    assert len(server.requests) == 3


def test_a_batch_of_several_events_is_forwarded_once(server: RecordingServer) -> None:
    items = [
        *SAMPLES["CampaignNotification/campaign_created"]["Data"],
        *SAMPLES["CampaignNotification/campaign_deleted"]["Data"],
    ]
    body = {**SAMPLES["CampaignNotification"], "Data": items}
    server.default = Response(200)
    with listening(Desk(None, None, server.url), "127.0.0.1", 0) as (url, arrived):
        assert post(url, {}, json.dumps(body).encode())[0] == 200
        assert arrived.get(timeout=10).kind == "CampaignNotification"
    assert [json.loads(each.body) for each in server.requests] == [body]


def test_requests_without_a_usable_length_are_refused() -> None:
    with listening(Desk(None, None, None), "127.0.0.1", 0) as (url, _):
        host, _, port = url.removeprefix("http://").partition(":")
        for header, status in [
            ("Content-Length: x", "411"),
            ("Content-Length: 99999999999", "413"),
            ("Transfer-Encoding: chunked", "411"),
        ]:
            with socket.create_connection((host, int(port)), 10) as plain:
                plain.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
                assert plain.recv(100).split()[1].decode() == status


def test_the_command_listens_until_it_has_enough(shell: Command) -> None:
    command = [TALON_ONE, "webhooks", "listen", "--port", "0", "--limit", "2", "--json"]
    with subprocess.Popen(
        command,
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as running:
        assert running.stderr is not None
        assert running.stdout is not None
        line = running.stderr.readline()
        found = re.search(r"listening on (http://127\.0\.0\.1:\d+) until Ctrl-C", line)
        assert found is not None, line
        post(found[1], {"X-UUID": "u-1"})
        post(found[1], {}, b"\x1b[31m")
        lines = [json.loads(each) for each in running.stdout]
        assert running.wait(30) == 0
        # What the receiver logs is for programs.
        assert running.stderr.read() == ""
    assert [(each["status"], each["kind"]) for each in lines] == [(200, "CouponCreated"), (400, "")]
    assert lines[0]["body"] == COUPON.decode()


def test_a_port_that_is_taken_is_one_line(shell: Command, server: RecordingServer) -> None:
    port = server.url.rpartition(":")[2]
    ended = shell("webhooks", "listen", "--port", port)
    assert ended.code == 2
    assert "cannot listen on 127.0.0.1:" in ended.err
    ended = shell("webhooks", "listen", "--host", "nowhere.invalid")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)


# -- Logs ------------------------------------------------------------------------------------------


def test_messages_of_the_log_are_shown_and_sent_again(
    shell: Command,
    server: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    receiver = Receiver(400)
    with receiver.running() as url, Sandbox(seed=seed(url)) as shop:
        for name, value in shop.environment().items():
            monkeypatch.setenv(name, value)
        with IntegrationApi(host=shop.url, api_key=shop.api_key) as api:
            for number in range(3):
                session = {"customerSession": {"cartItems": CART, "state": "closed"}}
                api.update_customer_session_v2(f"order-{number}", session)
                receiver.received.get(timeout=10)
        words = ["logs", "tail", "webhooks", "--no-follow"]
        while "---" in (shown := shell(*words).out):
            pass
        lines = shown.splitlines()
        assert len(lines) == 3
        assert sorted(line.split()[1] for line in lines) == ["200", "200", "400"]
        assert all("Warehouse" in line and f"{url}/orders" in line for line in lines)
        assert len(shell(*words, "--failed").out.splitlines()) == 1
        (first, *_) = [json.loads(line) for line in shell(*words, "--json").out.splitlines()]

        server.default = Response(200)
        ended = shell("webhooks", "replay", server.url)
        assert ended.code == 0, ended
        assert [json.loads(each.body)["order"] for each in server.requests] == [
            f"order-{number}" for number in range(3)
        ]
        assert server.requests[0].headers["X-UUID"] == first["id"]
        assert ended.err == f"talon-one: 3 messages sent to {server.url}\n"
        server.clear()
        server.default = Response(410)
        for more, code, count in [
            (["--id", first["id"]], 1, 1),
            (["--failed"], 1, 1),
            (["--limit", "2"], 1, 2),
            (["--webhook", "4"], 0, 0),
            (["--entity", "application"], 0, 0),
        ]:
            server.clear()
            server.default = Response(410)
            ended = shell("webhooks", "replay", server.url, *more)
            assert (ended.code, len(server.requests)) == (code, count), ended

        ended = shell("webhooks", "replay", "http://127.0.0.1:9")
        assert (ended.code, len(ended.err.splitlines())) == (3, 2)
        assert "0 messages sent" in ended.err

        access = [
            json.loads(line)
            for line in shell("logs", "tail", "access", "--no-follow", "--json").out.splitlines()
        ]
        assert [each["requestUri"] for each in access] == [
            f"/v2/customer_sessions/order-{number}" for number in range(3)
        ]


def entry(number: int, **more: Any) -> dict[str, Any]:
    return {
        "uuid": str(number),
        "status": 200,
        "method": "PUT",
        "requestUri": f"/v2/{number}\x1b[2J",
        "time": f"2026-11-01T09:00:{number:02}Z",
        **more,
    }


def test_a_log_is_followed_and_each_entry_shown_once(
    talk: Command, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("talon_one.cli.logs.time.sleep", pauses.append)
    rounds: list[list[dict[str, Any]]] = [
        [entry(2), entry(1)],
        [entry(1), entry(2)],
        [entry(2), entry(3), entry(1, uuid="late")],
    ]
    responses = [Response(body={"hasMore": False, "data": each}) for each in rounds]
    server.script(responses[0], Response(503), HANG_UP, *responses[1:])
    words = ["--application", "1", "--since", "2026-11-01", "--retries", "0", "--interval", "2"]
    ended = talk("logs", "tail", "access", "--limit", "4", *words)
    assert ended.code == 0, ended
    assert [line.split()[3] for line in ended.out.splitlines()] == [
        "/v2/1\\x1b[2J", "/v2/2\\x1b[2J", "/v2/1\\x1b[2J", "/v2/3\\x1b[2J"
    ]  # fmt: skip
    (trouble,) = ended.err.splitlines()
    assert "503" in trouble
    assert trouble.endswith("; trying again")
    assert pauses.count(2.0) == 4
    assert "rangeStart=2026-11-01T00%3A00%3A00.000000Z" in server.requests[0].target
    # What is a minute older than the latest entry does not appear any more.
    assert "rangeStart=2026-11-01T08%3A59%3A02.000000Z" in server.requests[-1].target


def test_a_log_that_cannot_be_read_at_first_is_one_line(
    talk: Command, server: RecordingServer
) -> None:
    for response, code in [(Response(401), 1), (HANG_UP, 4), (Response(body=[1]), 1)]:
        server.default = response
        ended = talk("logs", "tail", "messages", "--retries", "0")
        assert ended.code == code, ended
        assert len(ended.err.splitlines()) == 1
    for words in (["nothing"], ["access", "--since", "yesterday"], ["access", "--interval", "0"]):
        assert talk("logs", "tail", *words).code == 2


@needs_posix_signals
def test_ctrl_c_is_how_listening_and_following_end(tmp_path: Path) -> None:
    page = Response(body={"hasMore": False, "data": [entry(1)]})
    with RecordingServer(default=page) as server:
        more = {"TALON_ONE_HOST": server.url, "TALON_ONE_MANAGEMENT_KEY": "k"}
        for words, shown, last in [
            (["webhooks", "listen", "--port", "0"], "until Ctrl-C", "0 webhooks received"),
            (["logs", "tail", "access", "--application", "1"], "/v2/1", "1 entry"),
        ]:
            with Terminal(TALON_ONE, *words, columns=200, more=more) as terminal:
                terminal.wait_for(shown)
                terminal.type("\x03")
                assert terminal.end() == 0
            assert f"talon-one: {last}\n" in terminal.shown
            # Control characters of entries do not reach the terminal.
            assert "\x1b[2J" not in terminal.raw


@needs_posix_signals
def test_a_reader_of_a_log_that_goes_away_ends_it_quietly() -> None:
    def grown(request: Received) -> Response:
        entries = [entry(n, uuid=f"{len(server.requests)}-{n}") for n in range(50)]
        return Response(body={"hasMore": False, "data": entries})

    with RecordingServer(default=grown) as server:
        more = {"TALON_ONE_HOST": server.url, "TALON_ONE_MANAGEMENT_KEY": "k"}
        with subprocess.Popen(
            [TALON_ONE, "logs", "tail", "access", "--application", "1", "--interval", "1"],
            env=variables(more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            assert running.stdout.readline().startswith(b"2026-11-01T09:00:00Z 200 PUT")
            running.stdout.close()
            assert running.stderr.read() == b""
        assert running.returncode == 141
