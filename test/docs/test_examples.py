"""The example of every method runs as it stands, and makes the call it is the example of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from docs.pages import Page
from support.every import for_every
from support.samples import sample
from support.server import RecordingServer, Response
from support.spec import OPERATIONS, Operation, is_model, model_of, properties, resolved


@pytest.fixture(scope="module")
def _server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.fixture
def server(
    _server: RecordingServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> RecordingServer:
    """A server that the environment names, and a folder with the file that examples upload."""
    _server.clear()
    monkeypatch.setenv("TALON_ONE_HOST", _server.url)
    monkeypatch.setenv("TALON_ONE_API_KEY", "integration-key")
    monkeypatch.setenv("TALON_ONE_MANAGEMENT_KEY", "management-key")
    monkeypatch.chdir(tmp_path)
    Path("import.csv").write_text("value\nSUMMER10\n", encoding="utf-8")
    return _server


@for_every("operation", OPERATIONS)
def test_the_example_of_a_method_makes_its_call(
    operation: Operation, method_sections: dict[str, Page], server: RecordingServer
) -> None:
    section = method_sections[operation.id]
    (block,) = section.blocks
    server.script(_response(operation))
    warns = pytest.warns(DeprecationWarning, match=f"{operation.id} is deprecated")
    with warns if operation.deprecated else nullcontext():
        exec(compile(block.padded, str(block), "exec"), {"__name__": "__main__"})
    (request,) = server.requests
    assert request.method == operation.method
    template = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(operation.path))
    for name, documented in _documented_headers(section):
        assert request.headers[name].partition(";")[0] == documented
    given = {"path": _path_values(template, request.path), "query": parse_qs(request.query)}
    for parameter in operation.required:
        if parameter.example is not None:
            assert given[parameter.location][parameter.wire] == _texts(parameter.example)
    if operation.body and is_model(operation.body):
        _assert_has_examples(request.json(), operation.body)


def _path_values(template: str, path: str) -> dict[str, list[str]]:
    match = re.fullmatch(template, path)
    assert match, path
    return {name: [unquote(value)] for name, value in match.groupdict().items()}


def _texts(example: Any) -> list[str]:
    return [str(each) for each in (example if isinstance(example, list) else [example])]


def _assert_has_examples(data: dict[str, Any], schema: str) -> None:
    """Check that an object has the examples of the description, as far as it has them."""
    for wire, value in data.items():
        node = properties(schema)[wire]
        if "example" in node:
            assert value == node["example"], f"{schema}.{wire}"
        inside = value if isinstance(value, list) else [value]
        name = model_of(resolved(node).get("items", {}) if isinstance(value, list) else node)
        for each in inside if name and is_model(name) else ():
            _assert_has_examples(each, name or "")


def _response(operation: Operation) -> Response:
    """Return the first documented success, with nothing but what it requires."""
    success = operation.successes[0]
    if success.schema is None:
        return Response(success.status)
    if success.content_type == "application/csv":
        return Response(success.status, "value\nSUMMER10\n", {"Content-Type": "application/csv"})
    return Response(success.status, sample(success.schema, everything=False))


def _documented_headers(section: Page) -> list[tuple[str, str]]:
    (line,) = [line for line in section.prose if line.startswith("**HTTP headers**")]
    return re.findall(r"`([\w-]+): ([^`]+)`", line)
