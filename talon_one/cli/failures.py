"""What ends a command early: its exit code, and one line on standard error."""

from __future__ import annotations

import sys
from enum import IntEnum

import click

from talon_one._utils.quoting import message_of
from talon_one.cli.escapes import printable
from talon_one.exceptions import (
    ApiException,
    ApiTypeError,
    ApiValueError,
    InvalidResponseError,
    NotSentError,
    OpenApiException,
    TransportError,
)


class ExitCode(IntEnum):
    """Exit codes of `talon-one`; its help and the guide list them."""

    DONE = 0
    REFUSED = 1
    """The server refused the request; also any failure that has no code of its own."""
    USAGE = 2
    """The command line or the settings are wrong, and nothing was sent."""
    NOT_SENT = 3
    """The request did not reach the server."""
    UNKNOWN = 4
    """The request was sent, and its outcome is unknown or was not written."""
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    """The reader of the output went away, as with `| head`; nothing is reported."""


class CommandFailed(Exception):
    """A command cannot go on.

    Attributes:
        message: The reason, for one line on standard error.
        code: Exit code of the program.
    """

    def __init__(self, message: str, code: ExitCode = ExitCode.REFUSED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


# What is missing can be installed; any other missing module is our fault.
_OPTIONAL = frozenset(
    {"aiohttp", "jmespath", "keyring", "platformdirs", "tomli", "tomli_w", "yaml"}
)

_MAX_LENGTH = 2000


def failure_of(cause: BaseException) -> CommandFailed | None:
    """Return what to report for an exception; ``None`` if it is a bug of this package."""
    if isinstance(cause, CommandFailed):
        return cause
    if isinstance(cause, ApiException):
        where = f" ({cause.method} {cause.url})" if cause.method and cause.url else ""
        return CommandFailed(f"{message_of(cause, _MAX_LENGTH)}{where}", _code_of(cause))
    if isinstance(cause, (ApiTypeError, ApiValueError)):
        return CommandFailed(message_of(cause, _MAX_LENGTH), ExitCode.USAGE)
    if isinstance(cause, OpenApiException):
        return CommandFailed(message_of(cause, _MAX_LENGTH))
    if isinstance(cause, OSError):
        place = f"{cause.filename}: " if isinstance(cause.filename, str) else ""
        return CommandFailed(place + (cause.strerror or str(cause)))
    if isinstance(cause, ModuleNotFoundError) and cause.name in _OPTIONAL:
        return CommandFailed(str(cause))
    return None


def _code_of(cause: ApiException) -> ExitCode:
    if isinstance(cause, NotSentError):
        # An unsent last attempt does not rule out that an earlier one was executed.
        if all(isinstance(each, NotSentError) for each in cause.earlier):
            return ExitCode.NOT_SENT
        return ExitCode.UNKNOWN
    if isinstance(cause, (TransportError, InvalidResponseError)):
        return ExitCode.UNKNOWN
    return ExitCode.REFUSED


def usage_message(cause: click.ClickException) -> str:
    """Return the message of click for a wrong command line, with the command that it concerns."""
    message = cause.format_message()
    context = cause.ctx if isinstance(cause, click.UsageError) else None
    if context is None:
        return message
    # `talon-one config: ...` is what `report` makes of it.
    path = context.command_path.partition(" ")[2]
    help = f" (help: {context.command_path} --help)"
    return (f"{path}: " if path else "") + message + help


def report(reason: str) -> None:
    """Write one line to standard error; text of servers and files cannot control the terminal."""
    print(f"talon-one: {printable(' '.join(reason.split()))}", file=sys.stderr)
