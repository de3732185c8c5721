"""The settings of a call: profile, host, keys, time limits and retries; and its client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from talon_one.cli.failures import CommandFailed, ExitCode, report

if TYPE_CHECKING:
    from talon_one import ApiClient, Configuration
    from talon_one._profiles.settings import Resolved

F = TypeVar("F", bound=Callable[..., Any])

_KEYS = {
    "api_key_v1": ("api_key", "an Integration API key"),
    "management_key": ("management_key", "a Management API key"),
}
"""Setting of the key of each security scheme, and what the key is called."""


class Connection(NamedTuple):
    """What a command needs to make calls.

    Attributes:
        client: Client for the calls; closed at the end of the command.
        settings: Keywords for each call, such as `_deadline`.
        resolved: The settings with their sources.
    """

    client: ApiClient
    settings: dict[str, Any]
    resolved: Resolved


_OPTIONS: dict[str, dict[str, Any]] = {
    "--profile": {"metavar": "NAME", "help": "Profile to use; see talon-one config."},
    "--host": {"metavar": "URL", "help": "Address of the deployment."},
    "--timeout": {
        "type": click.FloatRange(min=0, min_open=True),
        "metavar": "SECONDS",
        "help": "Time for each request, retries included.",
    },
    "--retries": {
        "type": click.IntRange(min=0),
        "metavar": "N",
        "help": "Retries after a failure; 2 by default.",
    },
}


def connection_options() -> list[click.Option]:
    """Return the options with which a command that makes calls chooses its settings."""
    return [click.Option([name], **settings) for name, settings in _OPTIONS.items()]


def with_connection(command: F) -> F:
    """Decorate the function of a command that passes these options on to `connected`."""
    for name, settings in reversed(_OPTIONS.items()):
        command = click.option(name, **settings)(command)
    return command


@contextmanager
def connected(
    profile: str | None = None,
    host: str | None = None,
    timeout: float | None = None,
    retries: int | None = None,
    security: Sequence[str] = (),
    only_shown: bool = False,
) -> Iterator[Connection]:
    """Yield a client with the settings of the command line, the environment and the profile.

    Args:
        profile: Value of `--profile`.
        host: Value of `--host`.
        timeout: Value of `--timeout`.
        retries: Value of `--retries`.
        security: Schemes that the operation accepts; there must be a credential for one of them.
        only_shown: Whether the request is only shown, which takes no credential.

    Raises:
        CommandFailed: There is no host, or no credential for the operation.
        ConfigurationError: The settings cannot be read, or are wrong.
    """
    from talon_one import ApiClient
    from talon_one._profiles.settings import resolve

    resolved = resolve(profile, host)
    if resolved.profiles.readable_by_others:
        path = resolved.profiles.path
        report(f"warning: other users can read the keys in {path}; run: chmod 600 {path}")
    configuration = configuration_of(resolved)
    if resolved.value("host") is None:
        raise CommandFailed(
            "no host is set: talon-one config set host https://mycompany.talon.one,"
            " or TALON_ONE_HOST, or --host",
            ExitCode.USAGE,
        )
    if not has_credential(resolved, security):
        if not only_shown:
            raise CommandFailed(_missing_key(resolved, security), ExitCode.USAGE)
        configuration.api_key[security[0]] = "not-set"
    settings: dict[str, Any] = {}
    if timeout is not None:
        settings["_deadline"] = timeout
    if retries is not None:
        settings["_retries"] = retries
    with ApiClient(configuration) as client:
        yield Connection(client, settings, resolved)


def configuration_of(resolved: Resolved) -> Configuration:
    """Return the configuration of resolved settings."""
    from talon_one import Configuration

    return Configuration(
        host=resolved.value("host"),
        api_key={
            scheme: resolved.value(name)
            for scheme, (name, _) in _KEYS.items()
            if resolved.value(name)
        },
        application_id=resolved.value("application_id"),
        application_secret=resolved.value("application_secret"),
    )


def has_credential(resolved: Resolved, security: Sequence[str]) -> bool:
    """Return whether there is a credential that an operation accepts; some need none."""
    if not security or any(resolved.value(_KEYS[each][0]) for each in security if each in _KEYS):
        return True
    return "integration_auth" in security and bool(resolved.value("application_secret"))


def _missing_key(resolved: Resolved, security: Sequence[str]) -> str:
    from talon_one._core.address import without_credentials
    from talon_one._profiles.settings import VARIABLES

    name, called = _KEYS[security[0]]
    where = f" --profile {resolved.profile}" if resolved.profile else ""
    message = (
        f"this needs {called}: talon-one config set {name.replace('_', '-')}{where},"
        f" or {VARIABLES[name]}"
    )
    if name in resolved.kept_back:
        return (
            f"{message}; that of the profile {resolved.profile!r} is for another host than"
            f" {without_credentials(resolved.value('host'))}"
        )
    others = [text for other, text in _KEYS.values() if other != name and resolved.value(other)]
    return f"{message}; {others[0]} is set, which does not open this API" if others else message


def source_of_key(resolved: Resolved, security: Sequence[str]) -> str:
    """Return where the key of a call comes from, for the report of a key that is refused."""
    for scheme in security:
        setting = resolved.settings.get(_KEYS[scheme][0]) if scheme in _KEYS else None
        if setting is not None:
            return f"{_KEYS[scheme][1]} of {setting.source}"
    return ""
