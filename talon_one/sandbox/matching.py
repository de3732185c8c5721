"""Compare a body with what a test expects of it, path by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from talon_one._schema import json_codec
from talon_one._schema.access import data_of
from talon_one._schema.model import Model
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean


def differences(expected: Any, sent: Any) -> list[str]:
    """Return what is not as expected, one line for each path; nothing if all is.

    Args:
        expected: What must be there: models, JSON, or objects that compare themselves by `==`.
            Objects may have more properties than expected.
        sent: The JSON value.
    """
    return [line for line, _ in _differences(expected, sent, "")]


def distance(expected: Any, sent: Any) -> int:
    """Return how many values are not as expected."""
    return sum(values for _, values in _differences(expected, sent, ""))


def _differences(expected: Any, sent: Any, path: str) -> Iterator[tuple[str, int]]:
    expected = _plain(expected)
    where = path or "the body"
    if isinstance(expected, Mapping) and isinstance(sent, dict):
        for name, value in expected.items():
            inner = f"{path}.{name}" if path else str(name)
            if name in sent:
                yield from _differences(value, sent[name], inner)
            else:
                hint = did_you_mean(str(name), sent, typos_only=True)
                line = f"{inner}: expected {quoted(_plain(value))}, not sent"
                yield f"{line}.{hint}" if hint else line, _values(value)
    elif isinstance(expected, (list, tuple)) and isinstance(sent, list):
        for index, value in enumerate(expected):
            inner = f"{path}[{index}]"
            if index < len(sent):
                yield from _differences(value, sent[index], inner)
            else:
                yield f"{inner}: expected {quoted(_plain(value))}, not sent", _values(value)
        for index in range(len(expected), len(sent)):
            yield f"{path}[{index}]: sent {quoted(sent[index])}, not expected", 1
    elif not _equal(expected, sent):
        yield f"{where}: expected {quoted(expected)}, sent {quoted(sent)}", _values(expected)


def _values(value: Any) -> int:
    """Return how many values there are in a value."""
    value = _plain(value)
    if isinstance(value, Mapping):
        return sum(map(_values, value.values())) or 1
    return (sum(map(_values, value)) or 1) if isinstance(value, (list, tuple)) else 1


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; what JSON does not have compares itself."""
    if isinstance(value, Model):
        return data_of(value)
    if value is None or isinstance(value, (str, int, float, Mapping, list, tuple)):
        return value
    try:
        return json_codec.plain(value)
    except (TypeError, ValueError):
        return value


def _equal(expected: Any, sent: Any) -> bool:
    if isinstance(expected, bool) != isinstance(sent, bool) and isinstance(expected, (int, float)):
        # In JSON, true is not 1.
        return False
    try:
        return bool(expected == sent)
    except Exception:  # Objects of the caller may raise anything.
        return False
