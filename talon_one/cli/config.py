"""`talon-one config`: hosts and keys by name, in the file of the profiles."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from talon_one._profiles import keyring
from talon_one._profiles.file import (
    DEFAULT,
    SECRETS,
    SETTINGS,
    Profiles,
    path_of_profiles,
    read_profiles,
)
from talon_one.cli.failures import report
from talon_one.cli.lazy import Suggesting
from talon_one.cli.naming import command_name
from talon_one.cli.parameters import Word

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "****"

_NAMES = {command_name(each): each for each in SETTINGS}

_profile_option = click.option(
    "--profile", metavar="NAME", help="Profile; by default the current one."
)


class SettingName(Word):
    """The name of a setting, with hyphens or underscores."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the name with underscores.

        Raises:
            click.BadParameter: There is no such setting.
        """
        return _NAMES[super().convert(command_name(str(value)), param, ctx)]


_setting: Callable[..., object] = click.argument("name", type=SettingName(list(_NAMES)))


@click.group(cls=Suggesting)
def config() -> None:
    """Keep hosts and keys in profiles.

    A profile holds a host, an Integration API key, a Management API key, and the ID and secret of
    an Application. What stands first wins: --profile and --host, then environment variables such as
    TALON_ONE_HOST, then the current profile. A profile that is named is used alone. The keys of a
    profile with a host are used for that host only.

    Keys go into the keyring of the system if the Python package keyring is installed, and otherwise
    into the file, which only its owner can read. No command shows them.
    """


@config.command("set")
@click.argument("name", type=SettingName(list(_NAMES)))
@click.argument("value", required=False)
@_profile_option
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the value from standard input.")
@click.option("--in-file", is_flag=True, help="Keep a key in the file even if there is a keyring.")
def set_(
    name: str, value: str | None, profile: str | None, from_stdin: bool, in_file: bool
) -> None:
    """Set a setting of a profile.

    The profile need not exist. NAME is host, api-key, management-key, application-id or
    application-secret. Keys are not given as VALUE, where histories and lists of processes would
    show them: the command asks for them, or reads them from standard input with --stdin.
    """
    profiles = read_profiles()
    target = profile or profiles.current or DEFAULT
    if not target.strip() or not target.isprintable():
        raise click.UsageError(f"{target!r} is no name of a profile")
    text = _checked(name, _value(name, value, from_stdin))
    own = profiles.settings.setdefault(target, {})
    stored = profiles.in_keyring.setdefault(target, set())
    if name in SECRETS and not in_file and keyring.usable():
        keyring.store(target, name, text)
        own.pop(name, None)
        stored.add(name)
        place = "the system keyring"
    else:
        own[name] = text
        place = str(profiles.path)
        if name in stored:
            stored.discard(name)
            keyring.forget(target, name)
    if profiles.current is None:
        profiles.current = target
    profiles.save()
    shown = command_name(name) if name in SECRETS else f"{command_name(name)} {text}"
    report(f"set {shown} of the profile {target} in {place}")


def _value(name: str, value: str | None, from_stdin: bool) -> str:
    label = command_name(name)
    if value is not None:
        if name in SECRETS:
            raise click.UsageError(
                f"{label} is not given on the command line, where others could read it:"
                f" run talon-one config set {label}, which asks for it, or add --stdin"
            )
        if from_stdin:
            raise click.UsageError("give either VALUE or --stdin")
        return value
    if from_stdin:
        if sys.stdin is None:
            raise click.UsageError("there is no standard input")
        return sys.stdin.readline().strip()
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError(f"there is no terminal to ask for {label}: add --stdin")
    asked: str = click.prompt(label, hide_input=name in SECRETS, err=True)
    return asked.strip()


def _checked(name: str, text: str) -> str:
    """Return a value as it is stored.

    Raises:
        click.UsageError: It cannot be right.
        ConfigurationError: It is no address of a deployment.
    """
    label = command_name(name)
    if not text:
        raise click.UsageError(f"{label} must not be empty; talon-one config unset {label}")
    if not text.isprintable() or not text.isascii():
        # It is not quoted, because it may be a key.
        raise click.UsageError(f"{label} holds characters that it cannot have")
    if name == "host":
        from talon_one._core.address import base_url

        return base_url(text)
    if name == "application_id" and not text.isdecimal():
        raise click.UsageError(f"application-id is a number, not {text!r}")
    if name == "application_secret":
        try:
            bytes.fromhex(text)
        except ValueError:
            raise click.UsageError("application-secret is hexadecimal") from None
    if " " in text:
        raise click.UsageError(f"{label} holds a blank; give the key alone, without its prefix")
    return text


@config.command()
@click.argument("name", type=SettingName(list(_NAMES)))
@_profile_option
def unset(name: str, profile: str | None) -> None:
    """Remove a setting from a profile."""
    profiles = read_profiles()
    target = _existing(profiles, profile)
    if name in profiles.in_keyring.get(target, ()):
        keyring.forget(target, name)
        profiles.in_keyring[target].discard(name)
    profiles.settings[target].pop(name, None)
    profiles.save()


@config.command()
@click.argument("profile")
def remove(profile: str) -> None:
    """Remove a profile with its keys."""
    profiles = read_profiles()
    profiles.checked(profile)
    for name in profiles.in_keyring.pop(profile, ()):
        keyring.forget(profile, name)
    del profiles.settings[profile]
    if profiles.current == profile:
        profiles.current = None
    profiles.save()


@config.command()
@click.argument("name", type=SettingName(list(_NAMES)))
@_profile_option
def get(name: str, profile: str | None) -> None:
    """Print a setting as calls use it.

    Of a key it prints only that there is one.
    """
    from talon_one._profiles.settings import resolve

    setting = resolve(profile).settings.get(name)
    if setting is None:
        raise click.UsageError(f"{command_name(name)} is not set")
    click.echo(MASK if name in SECRETS else setting.value)


@config.command("list")
def list_() -> None:
    """Print all profiles.

    Keys are masked. Settings from the environment are listed as well.
    """
    from talon_one._profiles.settings import READ_VARIABLES, resolve

    profiles = read_profiles()
    for profile, own in profiles.settings.items():
        marker = "*" if profile == profiles.current else " "
        click.echo(f"{marker} {profile}")
        in_keyring = profiles.in_keyring.get(profile, set())
        for name in SETTINGS:
            if name in in_keyring:
                click.echo(f"    {command_name(name)} = {MASK} (keyring)")
            elif name in own:
                shown = f"{MASK} (file)" if name in SECRETS else own[name]
                click.echo(f"    {command_name(name)} = {shown}")
    import os

    if any(os.environ.get(each) for each in READ_VARIABLES):
        click.echo("From the environment:")
        for name, setting in resolve().settings.items():
            if setting.source.startswith("TALON_ONE"):
                shown = MASK if name in SECRETS else setting.value
                click.echo(f"    {command_name(name)} = {shown} ({setting.source})")
    if profiles.readable_by_others:
        report(
            f"warning: other users can read the keys in {profiles.path};"
            f" run: chmod 600 {profiles.path}"
        )


@config.command()
@click.argument("profile")
def use(profile: str) -> None:
    """Make a profile the current one."""
    profiles = read_profiles()
    profiles.current = profiles.checked(profile)
    profiles.save()


@config.command()
def path() -> None:
    """Print the path of the file."""
    click.echo(str(path_of_profiles()))


def _existing(profiles: Profiles, profile: str | None) -> str:
    return profiles.checked(profile or profiles.current or DEFAULT)
