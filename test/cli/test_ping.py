"""`talon-one ping`: what it shows, and that it fails in one line."""

from __future__ import annotations

import json
from email.utils import formatdate
from time import time

import pytest

from cli.conftest import Command
from support.server import HANG_UP, RecordingServer, Response


def test_it_shows_that_both_keys_are_taken(daily: Command) -> None:
    ended = daily("ping")
    assert (ended.code, ended.err) == (0, "")
    facts = json.loads(ended.out)
    assert facts["integrationKey"] == "of TALON_ONE_API_KEY"
    assert facts["integrationApi"] == facts["managementApi"] == "takes the key"
    assert facts["latencyMilliseconds"] > 0
    assert facts["tls"] == "none (http)"


def test_a_refused_key_and_a_missing_one_have_their_exit_codes(
    daily: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALON_ONE_API_KEY", "wrong")
    ended = daily("ping")
    assert ended.code == 1
    assert "401 Unauthorized" in ended.err
    facts = json.loads(ended.out)
    assert facts["integrationApi"] == "refuses the key"
    assert facts["managementApi"] == "takes the key"
    monkeypatch.delenv("TALON_ONE_API_KEY")
    monkeypatch.delenv("TALON_ONE_MANAGEMENT_KEY")
    ended = daily("ping")
    assert (ended.code, ended.err.count("\n")) == (2, 1)


def test_a_server_that_is_not_there_or_hangs_up_is_one_line(
    talk: Command, server: RecordingServer
) -> None:
    for host, code in (("http://127.0.0.1:9", 3), ("https://127.0.0.1:9", 3), ("x", 2)):
        ended = talk("ping", "--host", host)
        assert ended.code == code, ended
        assert len(ended.err.splitlines()) == 1
    server.default = HANG_UP
    ended = talk("ping")
    assert ended.code == 4
    assert all(line.startswith("talon-one: ") for line in ended.err.splitlines())


def test_the_difference_of_the_clocks_is_shown(talk: Command, server: RecordingServer) -> None:
    for date, shown in {
        formatdate(time() - 100, usegmt=True): "s ahead of the server",
        formatdate(time() + 100, usegmt=True): "s behind the server",
        "tomorrow": "the server does not say its time",
    }.items():
        server.default = Response(404, body={"message": "no"}, headers={"Date": date})
        assert shown in json.loads(talk("ping").out)["clock"]
