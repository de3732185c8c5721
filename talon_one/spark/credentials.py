"""Where the tasks get host and keys: never from an option, which Spark shows."""

from __future__ import annotations

import inspect
import json
import os
import re
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import talon_one
from talon_one._core.auth import ENVIRONMENT
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ApiTypeError, ConfigurationError

Source = Callable[[], "talon_one.Configuration | Mapping[str, str]"]
"""Returns a configuration, or variables as `Configuration.from_env` reads them."""

_NAMES = "env, file:PATH, profile:NAME or call:MODULE:FUNCTION"
_VARIABLES = ("TALON_ONE_HOST", "TALON_ONE_APPLICATION_ID", *ENVIRONMENT)
_FUNCTION = re.compile(r"\w+(?:\.\w+)*:\w+")
_LINE = re.compile(
    r"""(?:export\s+)?(?P<name>[^\s=]+)\s*=\s*"""
    r"""(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<plain>(?:[^\s'"#].*?)?))(?:\s+\#.*)?""",
)


def check(text: str) -> None:
    """Check the option ``credentials`` without reading any.

    Raises:
        ApiTypeError: It names no place that is known.
    """
    kind, _, rest = text.partition(":")
    if text == "env" or (kind in ("file", "profile") and rest):
        return
    if kind == "call" and _FUNCTION.fullmatch(rest):
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
        return _of_variables(_variables(Path(os.path.expanduser(rest))), rest)
    return _of(_called(_function(rest), rest), rest)


def check_function(function: Any, name: str) -> None:
    """Check that a function can be called without arguments.

    Raises:
        ApiTypeError: It cannot. The message does not quote it, because it may be a key.
    """
    if not callable(function):
        raise ApiTypeError(f"{name} is not a function but {type(function).__name__}")
    try:
        inspect.signature(function).bind()
    except TypeError as cause:
        raise ApiTypeError(f"{name} is called without arguments: {cause}") from cause
    except ValueError:
        pass  # Some functions of C do not show their parameters.


def _called(function: Callable[[], Any], name: str) -> Any:
    try:
        return function()
    except (Exception, SystemExit) as cause:  # It is code of the caller.
        raise _raised(cause, name) from None


def _raised(cause: BaseException, name: str) -> ConfigurationError:
    # Without its message, and without the line of a file, which may have a key in them.
    frame = traceback.extract_tb(cause.__traceback__)[-1]
    return ConfigurationError(
        f"credentials: {name} raised {type(cause).__name__} in line {frame.lineno} of"
        f" {frame.filename}"
    )


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


def _of_variables(found: Mapping[Any, Any], name: str) -> talon_one.Configuration:
    variables = _called(lambda: dict(found), name)
    for each in variables:
        if not isinstance(each, str) or each in _VARIABLES:
            continue
        if hint := did_you_mean(each, _VARIABLES, typos_only=True):
            raise ConfigurationError(
                f"credentials: {name} has the variable {quoted(each)}, which nothing reads.{hint}"
            )
    if not any(variables.get(each) for each in ENVIRONMENT):
        raise ConfigurationError(
            f"credentials: {name} has none of the variables {', '.join(ENVIRONMENT)}"
        )
    for each in _VARIABLES:
        value = variables.get(each)
        if value is not None and not isinstance(value, str):
            raise ConfigurationError(
                f"credentials: {each} of {name} is text, not {type(value).__name__}"
            )
    return talon_one.Configuration.from_env(variables)


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
    except (Exception, SystemExit) as cause:  # As above: it is code of the caller.
        raise _raised(cause, f"the import of {module}") from None
    check_function(found, f"credentials: {name}")
    function: Callable[[], Any] = found
    return function


def _variables(path: Path) -> dict[str, str]:
    """Read variables from a file, or from a folder with a file for each, as secrets are mounted."""
    try:
        if path.is_dir():
            # Others may be of another program, and have any content.
            names = [each for each in sorted(os.listdir(path)) if each.lower().startswith("talon")]
            return {name: (path / name).read_text("utf-8-sig").strip() for name in names}
        content = path.read_text("utf-8-sig")
    except (OSError, ValueError) as cause:  # Not UTF-8, or a path that no file can have.
        reason = getattr(cause, "strerror", None) or type(cause).__name__
        raise ConfigurationError(
            f"credentials: {path} cannot be read in this task: {reason}"
        ) from None
    return _parse(content, path)


def _parse(content: str, path: Path) -> dict[str, str]:
    """Parse a JSON object, or lines of NAME=VALUE."""
    if content.lstrip().startswith("{"):
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            # Without the cause, which quotes the file.
            raise ConfigurationError(f"credentials: {path} is not valid JSON") from None
        return dict(found)
    variables = {}
    for number, line in enumerate(content.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        found = _LINE.fullmatch(text)
        if found is None:
            raise ConfigurationError(f"credentials: {path}, line {number}: not NAME=VALUE")
        name, *values = found.groups()
        variables[name] = next(value for value in values if value is not None)
    return variables


__all__ = ["Source", "check", "check_function", "configuration"]
