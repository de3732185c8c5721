"""Bodies of requests: JSON on the command line, in a file, or from standard input."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

import click

from talon_one._utils.quoting import quoted


def read_body(given: str) -> Any:
    """Return the JSON of the option `-d`.

    Args:
        given: JSON; ``@`` and the path of a file; or ``-`` for standard input.

    Raises:
        click.UsageError: The file cannot be read, or does not hold JSON.
    """
    if given == "-":
        return parsed(read_input(), "standard input")
    if given.startswith("@"):
        path = given[1:]
        return parsed(_file(path), path)
    return parsed(given, "-d")


def read_input() -> bytes:
    """Return all of standard input.

    Raises:
        click.UsageError: It is closed.
    """
    if sys.stdin is None:
        raise click.UsageError("there is no standard input")
    return sys.stdin.buffer.read()


def parsed(content: bytes | str, source: str) -> Any:
    """Return what JSON holds.

    Args:
        content: The JSON; bytes are UTF-8, with or without a byte order mark.
        source: Where it is from, for messages.

    Raises:
        click.UsageError: It is not JSON; the message has line and column.
    """
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    except UnicodeDecodeError as cause:
        raise click.UsageError(f"{source} is not UTF-8 text (byte {cause.start + 1})") from cause
    if not text.strip():
        raise click.UsageError(f"{source} is empty; the body is a JSON object, such as {{}}")
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as cause:
        place = f"line {cause.lineno}, column {cause.colno}"
        line = text.splitlines()[cause.lineno - 1] if cause.lineno <= text.count("\n") + 1 else ""
        near = line[max(0, cause.colno - 1) :].strip()
        found = f": {quoted(near, 30)}" if near else ""
        raise click.UsageError(f"{source} is not JSON, {place}: {cause.msg}{found}") from None
    except RecursionError:
        raise click.UsageError(f"{source} is nested too deeply") from None
    except ValueError as cause:
        raise click.UsageError(f"{source} is not JSON: {cause}") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


def _file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as cause:
        raise click.UsageError(f"cannot read {path!r}: {cause.strerror}") from cause
    except ValueError as cause:  # A zero byte in the path.
        raise click.UsageError(f"{path!r} is no path of a file") from cause
