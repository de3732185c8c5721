"""Where the tasks get host and keys: never from an option, which Spark shows."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import talon_one
from talon_one._core.auth import ENVIRONMENT
from talon_one.exceptions import ApiTypeError, ConfigurationError

Source = Callable[[], "talon_one.Configuration | Mapping[str, str]"]
"""Returns a configuration, or variables as `Configuration.from_env` reads them."""

_NAMES = "env, file:PATH, profile:NAME or call:MODULE:FUNCTION"


def check(text: str) -> None:
    """Check the option ``credentials`` without reading any.

    Raises:
        ApiTypeError: It names no place that is known.
    """
    kind, _, rest = text.partition(":")
    if text == "env" or (kind in ("file", "profile") and rest):
        return
    if kind == "call" and all(rest.partition(":")[::2]):
        return
    # Not the text itself: it may be a key by mistake.
    raise ApiTypeError(f"the option credentials is {_NAMES}; a key does not belong there")


def configuration(text: str, own: Source | None = None) -> talon_one.Configuration:
    """Return the configuration of a task.

    Args:
        text: The option ``credentials``.
        own: Function that `talon_one.spark.register` was given; it replaces the option.

    Raises:
        ApiTypeError: The option, or what a function returns, is wrong.
        ConfigurationError: The place cannot be read.
    """
    if own is not None:
        return _of(_called(own, "the registered function"), "the registered function")
    check(text)
    kind, _, rest = text.partition(":")
    if kind == "env":
        return talon_one.Configuration.from_env()
    if kind == "profile":
        return talon_one.Configuration.from_profile(rest)
    if kind == "file":
        return _of_variables(_variables(Path(rest)), rest)
    return _of(_called(_function(rest), rest), rest)


def _called(function: Callable[[], Any], name: str) -> Any:
    try:
        return function()
    except Exception as cause:  # It is code of the caller.
        frames = traceback.extract_tb(cause.__traceback__)
        # Without its message, which may have a key in it.
        raise ConfigurationError(
            f"credentials: {name} raised {type(cause).__name__} in line {frames[-1].lineno} of"
            f" {frames[-1].filename}"
        ) from None


def _of(found: Any, name: str) -> talon_one.Configuration:
    if isinstance(found, talon_one.Configuration):
        secrets = (found.api_key, found.access_token, found.application_secret, found.password)
        if not any(secrets):
            raise ConfigurationError(
                f"credentials: the configuration that {name} returns has no keys. It loses them"
                " when it travels to a task: make it inside the function, or return variables"
            )
        return found
    if isinstance(found, Mapping):
        return _of_variables(found, name)
    raise ApiTypeError(
        f"{name} returns a Configuration or a dict of variables such as TALON_ONE_API_KEY, not"
        f" {type(found).__name__}"
    )


def _of_variables(found: Mapping[str, str], name: str) -> talon_one.Configuration:
    if not any(each in ENVIRONMENT for each in found):
        raise ConfigurationError(
            f"credentials: {name} has none of the variables {', '.join(ENVIRONMENT)}"
        )
    return talon_one.Configuration.from_env(found)


def _function(name: str) -> Callable[[], Any]:
    from importlib import import_module

    module, _, attribute = name.partition(":")
    try:
        found: Any = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as cause:
        raise ConfigurationError(
            f"credentials: {name} cannot be imported in this task: {cause}. Executors need the"
            " module as well, for example by spark.addArtifact or --py-files"
        ) from cause
    if not callable(found):
        raise ApiTypeError(f"credentials: {name} is not a function")
    function: Callable[[], Any] = found
    return function


def _variables(path: Path) -> dict[str, str]:
    """Read variables from a file, or from a folder with a file for each, as secrets are mounted."""
    try:
        if path.is_dir():
            names = [each for each in sorted(os.listdir(path)) if not each.startswith(".")]
            return {name: (path / name).read_text("utf-8-sig").strip() for name in names}
        return _parse(path.read_text("utf-8-sig"), path)
    except (OSError, UnicodeDecodeError) as cause:
        reason = getattr(cause, "strerror", None) or type(cause).__name__
        raise ConfigurationError(
            f"credentials: {path} cannot be read in this task: {reason}"
        ) from None


def _parse(content: str, path: Path) -> dict[str, str]:
    """Parse a JSON object, or lines of NAME=VALUE."""
    if content.lstrip().startswith("{"):
        try:
            found = json.loads(content)
        except ValueError:
            # Without the cause, which quotes the file.
            raise ConfigurationError(f"credentials: {path} is not valid JSON") from None
        if not all(isinstance(value, str) for value in found.values()):
            raise ConfigurationError(f"credentials: {path} has a value that is not text")
        return dict(found)
    variables = {}
    for number, line in enumerate(content.splitlines(), 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.partition("=")
        if not separator:
            raise ConfigurationError(f"credentials: {path}, line {number}: not NAME=VALUE")
        value = value.strip()
        quotes = value[:1] if value[:1] in ("'", '"') and value[:1] == value[-1:] else ""
        variables[name.strip()] = value[1:-1] if quotes and len(value) > 1 else value
    return variables


__all__ = ["Source", "check", "configuration"]
