"""Every operation is a command, which sends what the method of the operation sends."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import talon_one
from cli.conftest import Command
from operations.arguments import FILE, arguments, payload, written
from support.server import Received, RecordingServer
from support.spec import OPERATIONS, Operation

# Deprecated operations are tested elsewhere for what they warn of.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")


def command_line(operation: Operation, given: dict[str, Any], file: Path) -> list[str]:
    """Return the command with the arguments of a call, in the words of the guide."""
    api = operation.api.removesuffix("Api").lower()
    words = [api, operation.name.replace("_", "-")]
    for each in operation.parameters:
        if each.name not in given or each.location == "path":
            continue
        value = given[each.name]
        clashes = each.name in ("profile", "query")
        name = ("parameter-" if clashes else "") + each.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no-{name}")
        else:
            for item in value if isinstance(value, list) else [value]:
                words += [f"--{name}", written(item)]
    if "body" in given:
        words += ["-d", json.dumps(given["body"])]
    if operation.method == "DELETE" or "delete" in operation.name:
        words.append("--yes")
    words += [written(given[each.name]) for each in operation.parameters if each.location == "path"]
    return [*words, str(file)] if "up_file" in given else words


def sent(received: Received) -> tuple[Any, ...]:
    """Return a request without the boundary of its form, which is random."""
    boundary = received.headers.get("Content-Type", "").partition("boundary=")[2]
    headers = {
        name.lower(): text.replace(boundary, "BOUNDARY") if boundary else text
        for name, text in received.headers.items()
        if name.lower() != "host"
    }
    body = received.body.replace(boundary.encode(), b"BOUNDARY") if boundary else received.body
    return received.method, received.target, headers, body


@pytest.mark.parametrize("everything", [True, False], ids=["all", "required"])
def test_each_command_sends_what_the_method_sends(
    everything: bool, talk: Command, server: RecordingServer, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(FILE)
    configuration = talon_one.Configuration.from_env()
    configuration.generate_idempotency_keys = False
    different: dict[str, Any] = {}
    with talon_one.ApiClient(configuration) as client:
        for operation in OPERATIONS:
            given = {**arguments(operation, everything), **payload(operation, everything)}
            if "up_file" in given:
                given["up_file"] = str(file)
            api = getattr(talon_one, operation.api)(client)
            getattr(api, operation.name)(**given)
            ended = talk(*command_line(operation, given, file))
            requests = [sent(each) for each in server.requests]
            for request in requests if not everything else ():
                # The command makes one, so that it can retry.
                request[2].pop("idempotency-key", None)
            if ended.code != 0 or len(requests) != 2 or requests[0] != requests[1]:
                different[operation.name] = ended, requests
            server.clear()
    assert different == {}


def test_each_command_has_help_for_each_parameter(shell: Command) -> None:
    wanting: dict[str, Any] = {}
    for operation in OPERATIONS:
        api = operation.api.removesuffix("Api").lower()
        ended = shell(api, operation.name.replace("_", "-"), "--help")
        names = [each.name for each in operation.parameters if each.location == "path"]
        names = [name.upper() for name in names]
        names += [
            f"--{each.name.replace('_', '-')}"
            for each in operation.parameters
            if each.location != "path" and each.name not in ("profile", "query")
        ]
        missing = [name for name in names if f"  {name}" not in ended.out]
        if ended.code or ended.err or missing:
            wanting[operation.name] = ended.code, ended.err, missing
    assert wanting == {}


@pytest.mark.parametrize("api", ["IntegrationApi", "ManagementApi"])
def test_the_help_of_an_api_lists_its_operations_with_a_line_each(api: str, shell: Command) -> None:
    ended = shell(api.removesuffix("Api").lower(), "--help")
    listed = re.findall(r"^  ([a-z][a-z0-9-]+)  +\S|^  ([a-z][a-z0-9-]+)$", ended.out, re.M)
    found = sorted(short or long for short, long in listed)
    wanted = sorted(each.name.replace("_", "-") for each in OPERATIONS if each.api == api)
    assert found == wanted


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["management", "get-cupons"], "Did you mean 'get-coupons'?"),
        (["management", "get_campaign"], "Did you mean 'get-campaign'?"),
        (["management", "getCampaign"], "Did you mean 'get-campaign'?"),
        (
            ["management", "update-customer-session-v2"],
            "Did you mean 'talon-one integration update-customer-session-v2'?",
        ),
        (["managment"], "Did you mean 'management'?"),
    ],
)
def test_a_misspelled_command_gets_a_suggestion(
    words: list[str], said: str, shell: Command
) -> None:
    ended = shell(*words)
    assert (ended.code, ended.out) == (2, "")
    (line,) = ended.err.splitlines()
    assert said in line


@pytest.mark.parametrize("api", ["integration", "management"])
def test_texts_name_options_and_commands_that_there_are(api: str, shell: Command) -> None:
    texts = import_module(f"talon_one.cli.texts.{api}")
    commands = {each.name.replace("_", "-") for each in OPERATIONS}
    methods = {each.name for each in OPERATIONS if "_" in each.name}
    wrong = {}
    for name, description in texts.DESCRIPTIONS.items():
        help = shell(api, name, "--help").out
        spans = re.findall(r"`([^`]+)`", " ".join([description, *texts.ARGUMENTS[name].values()]))
        options = [each.split()[0] for each in spans if each.startswith("--")]
        bad = [each for each in options if f"{each} " not in help and f"{each}\n" not in help]
        bad += [each for each in spans if each in methods]
        bad += [
            each
            for each in spans
            if re.fullmatch("[a-z]+(-[a-z0-9]+)+", each) and each not in commands
        ]
        if bad:
            wrong[name] = bad
    assert wrong == {}
