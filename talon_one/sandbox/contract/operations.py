"""All operations of both APIs, and the search for the one that a method and a path name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any
from urllib.parse import unquote_to_bytes

from talon_one._core.operation import Operation
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.sandbox.errors import ApiError, Problem, invalid

_MAX_SHOWN = 200
"""Number of characters of an unknown path that the response quotes."""


@dataclass(slots=True)
class _Node:
    """What may follow a beginning of a path."""

    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    operations: dict[str, Operation] = field(default_factory=dict)
    """The operations whose path ends here, by method."""


@cache
def operations_by_id() -> Mapping[str, Operation]:
    """Return all operations by their ids; the tables are loaded by the first call."""
    from talon_one.api import integration_operations, management_operations

    everything = chain(vars(integration_operations).values(), vars(management_operations).values())
    return {each.id: each for each in everything if isinstance(each, Operation)}


@cache
def method_names() -> Mapping[str, str]:
    """Return the names of the SDK's methods by the ids of their operations."""
    from talon_one.api import integration_operations, management_operations

    everything = chain(vars(integration_operations).items(), vars(management_operations).items())
    return {each.id: name for name, each in everything if isinstance(each, Operation)}


@cache
def integration_methods() -> frozenset[str]:
    """Return the names of the SDK's methods for the Integration API."""
    from talon_one.api import integration_operations

    everything = vars(integration_operations).items()
    return frozenset(name for name, each in everything if isinstance(each, Operation))


@cache
def _root() -> _Node:
    root = _Node()
    for operation in operations_by_id().values():
        node = root
        for segment in operation.path.split("/"):
            if not segment.startswith("{"):
                node = node.literals.setdefault(segment, _Node())
            else:
                node.parameter = node.parameter or _Node()
                node = node.parameter
        node.operations[operation.method] = operation
    return root


@cache
def _longest() -> int:
    return max(each.path.count("/") + 1 for each in operations_by_id().values())


def find(method: str, raw_path: str) -> tuple[Operation, dict[str, str]]:
    """Find the operation for a request, and the ids that its path holds, by wire name.

    The path is split before it is decoded, and each segment is decoded once: an id may contain
    anything, slashes and dots included, but is never empty. Where a segment could be a word of a
    path as well as an id, the word wins, unless no operation of that path has the method.

    Raises:
        ApiError: 404 for an unknown path, 405 for a known one with another method, 400 for a
            path that is not UTF-8.
    """
    segments = [decoded(each) for each in raw_path.split("/")]
    allowed: set[str] = set()
    for ending in _endings(_root(), segments, 0) if len(segments) <= _longest() else ():
        operation = ending.operations.get(method)
        if operation is not None:
            return operation, {
                expected[1:-1]: segment
                for expected, segment in zip(operation.path.split("/"), segments, strict=True)
                if expected.startswith("{")
            }
        allowed.update(ending.operations)
    shown = _shown(segments)
    if allowed:
        message = f"The sandbox does not allow {method} for {shown}"
        raise ApiError(405, message, allow=tuple(sorted(allowed)))
    raise ApiError(404, f"The sandbox does not support {method} {shown}")


def operation_at(method: str, target: str) -> Operation | None:
    """Return the operation that a method and a request target name, None if there is none."""
    try:
        return find("GET" if method == "HEAD" else method, target.partition("?")[0])[0]
    except ApiError:
        return None


def named(name: Any) -> Operation:
    """Return the operation with a name: that of the SDK's method, or its id.

    Raises:
        ValueError: If there is none, with the nearest name.
    """
    __tracebackhide__ = True
    if not isinstance(name, str):
        example = "such as 'update_customer_session_v2'"
        raise ValueError(
            f"an operation is given by the name of its method, {example}, not {quoted(name)}"
        )
    by_id = operations_by_id()
    if name in by_id:
        return by_id[name]
    ids = {method: operation_id for operation_id, method in method_names().items()}
    if name in ids:
        return by_id[ids[name]]
    # The convention of the name says which of both it is meant to be.
    hint = did_you_mean(name, ids if name.islower() else by_id)
    raise ValueError(f"there is no operation {quoted(name)}.{hint}")


def method_name(operation: Operation) -> str:
    """Return the name of the SDK's method for an operation."""
    return method_names()[operation.id]


def methods(raw_path: str) -> set[str]:
    """Return the methods of a path.

    Raises:
        ApiError: 404 for an unknown path, 400 for one that is not UTF-8.
    """
    segments = [decoded(each) for each in raw_path.split("/")]
    found: set[str] = set()
    for ending in _endings(_root(), segments, 0) if len(segments) <= _longest() else ():
        found.update(ending.operations)
    if not found:
        raise ApiError(404, f"The sandbox does not support OPTIONS {_shown(segments)}")
    return found


def _shown(segments: list[str]) -> str:
    path = "/".join(segments)
    return path if len(path) <= _MAX_SHOWN else f"{path[:_MAX_SHOWN]}..."


def _endings(node: _Node, segments: list[str], index: int) -> Iterator[_Node]:
    """Yield the nodes at which the path may end, those with more literal segments first."""
    if index == len(segments):
        if node.operations:
            yield node
        return
    literal = node.literals.get(segments[index])
    if literal is not None:
        yield from _endings(literal, segments, index + 1)
    if node.parameter is not None and segments[index]:
        yield from _endings(node.parameter, segments, index + 1)


def decoded(segment: str) -> str:
    """Return what a segment of a path stands for: it is percent-encoded UTF-8.

    Raises:
        ApiError: 400 if it is something else.
    """
    if segment.isascii() and "%" not in segment:
        return segment
    try:
        return unquote_to_bytes(segment.encode("utf-8", "surrogateescape")).decode("utf-8")
    except UnicodeError as cause:
        details = "the path is not percent-encoded UTF-8"
        raise invalid(Problem("Invalid", details, parameter="path")) from cause
