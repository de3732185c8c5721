"""Imports point downwards, and no two files import each other, outside the schema layer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "talon_one"

Graph = dict[str, set[str]]

# From the top floor to the lowest. What stands on one floor may import what stands on the same or a
# lower one. The longest prefix decides.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("testing",),
    ("__main__", "cli", "sandbox", "spark"),
    (
        "aio.bulk",
        "aio.bulk_runner",
        "aio.checkout",
        "aio.credentials",
        "aio.endpoint",
        "aio.pagination",
        "aio.tables",
        "aio.api",
        "aio",
    ),
    ("bulk", "checkout", "credentials"),
    ("api",),
    ("endpoint", "rest"),
    (
        "pagination",
        "tables",
        "effects",
        "webhooks",
        "limiter",
        "failures",
        "resilience",
        "aio.gathering",
    ),
    (
        "aio.client",
        "aio.aiohttp_transport",
        "aio.connections",
        "aio.download",
        "aio.failures",
        "aio.stream",
    ),
    ("api_client", "aio.transport"),
    ("_http", "_vendor"),
    ("_core", "_profiles", "configuration", "api_response", "_vendor.settings"),
    ("models",),
    ("_schema", "_vendor.model"),
    ("_utils",),
    ("exceptions",),
    ("_utils.error_body", "_utils.retry_after"),
    # The front door imports nothing before a name is asked for.
    ("", "_pyinstaller", "_vendor.installation", "_utils.suggest"),
)
FLOOR = {prefix: len(FLOORS) - height for height, floor in enumerate(FLOORS) for prefix in floor}


def modules() -> dict[str, Path]:
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


MODULES = modules()


def imports(path: Path) -> Iterator[str]:
    """Yield what a file imports of the package, at any time, and if only for its types."""
    package = path.relative_to(ROOT.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(filter(None, [base, node.module or ""]))
            if module.partition(".")[0] == "talon_one":
                inside = module.partition(".")[2]
                for alias in node.names:
                    name = ".".join(filter(None, [inside, alias.name]))
                    yield name if name in MODULES else inside
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "talon_one":
                    yield alias.name.partition(".")[2]


@pytest.fixture(scope="module")
def graph() -> Graph:
    """What each module imports of the package, models aside."""
    return {
        name: set(imports(path)) - {name}
        for name, path in MODULES.items()
        if not name.startswith("models.")
    }


def floor_of(name: str) -> int:
    while name not in FLOOR:
        name = name.rpartition(".")[0]
    return FLOOR[name]


def circles(graph: Graph) -> list[list[str]]:
    """Return a way from each file back to itself, if there is one."""
    found = []
    for start in sorted(graph):
        ways = [[start]]
        seen = set()
        while ways:
            way = ways.pop()
            for follower in graph.get(way[-1], ()):
                if follower == start:
                    found.append([*way, start])
                    ways = []
                    break
                if follower not in seen:
                    seen.add(follower)
                    ways.append([*way, follower])
    return found


def test_the_graph_is_read_from_the_sources(graph: Graph) -> None:
    assert "_core.request" in graph["_core.base_client"]
    assert "_core.hooks" in graph["_core.call"]  # Inside a function.
    assert "configuration" in graph["_core.call"]  # For types alone.
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) != []
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_imports_point_downwards(graph: Graph) -> None:
    upwards = {
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in others
        if floor_of(other) > floor_of(name) and other
    }
    assert upwards == set()


def test_no_files_import_each_other_outside_the_schema_layer(graph: Graph) -> None:
    outside = {
        name: {other for other in others if other}
        for name, others in graph.items()
        if not name.startswith("_schema.")
    }
    assert circles(outside) == []


def test_the_two_transports_do_not_know_each_other(graph: Graph) -> None:
    shared = {"_http.errors", "_http.tls", "_http.proxies", "_http.decompression", "_http.download"}
    asyncio_side = {name for name in graph if name.partition(".")[0] == "aio"}
    for name in asyncio_side:
        used = {other for other in graph[name] if other.startswith("_http.")}
        assert used <= shared, name
    for name in graph:
        if name.startswith(("_core", "_http", "_vendor", "_schema", "_utils")):
            assert not graph[name] & asyncio_side, name
