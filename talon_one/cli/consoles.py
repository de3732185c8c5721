"""Shells: which one a command runs in, and how it sets a variable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

ASSIGNMENTS = {
    "sh": "export {name}={value}",
    "fish": "set -gx {name} {value}",
    "powershell": '$env:{name} = "{value}"',
    "cmd": "set {name}={value}",
}
"""How each shell sets an environment variable for programs that it starts.

The values are addresses, keys and numbers without blanks and quotes.
"""


def redraws(stream: TextIO | None, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a stream is a terminal in which a line can be drawn again.

    Args:
        stream: Such as standard error.
        environ: Environment variables.
    """
    return stream is not None and stream.isatty() and environ.get("TERM") != "dumb"


def shell_around(environ: Mapping[str, str] = os.environ, platform: str = os.name) -> str:
    """Return the shell that a program most likely runs in.

    Args:
        environ: Environment variables.
        platform: Name of the platform, as `os.name` has it.
    """
    if platform != "nt" or "MSYSTEM" in environ:  # Git Bash runs on Windows.
        return "sh"
    # PowerShell has no variable of its own that programs see; cmd exports the form of its prompt.
    return "cmd" if "PROMPT" in environ else "powershell"
