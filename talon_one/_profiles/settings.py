"""Which host and credentials a program uses: command line, environment, profile.

What stands first wins:

1. What the command line or the code names: a host, or a profile. A profile that is named is taken
   alone, without the environment, so that `--profile staging` never reaches production.
2. Environment variables, such as ``TALON_ONE_HOST``.
3. The profile that ``TALON_ONE_PROFILE`` names, or else the current one.

The keys of a profile with a host are used for that host only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from talon_one._core.secret import hidden
from talon_one._profiles import keyring
from talon_one._profiles.file import DEFAULT, SECRETS, SETTINGS, Profiles, read_profiles
from talon_one.exceptions import ApiTypeError

PROFILE_VARIABLE = "TALON_ONE_PROFILE"

VARIABLES = {
    "host": "TALON_ONE_HOST",
    "api_key": "TALON_ONE_API_KEY",
    "management_key": "TALON_ONE_MANAGEMENT_KEY",
    "application_id": "TALON_ONE_APPLICATION_ID",
    "application_secret": "TALON_ONE_APPLICATION_SECRET",
}
"""Environment variable of each setting."""

READ_VARIABLES = (*VARIABLES.values(), PROFILE_VARIABLE)
"""Environment variables that `resolve` reads."""


class Setting(NamedTuple):
    """A setting, and where it comes from."""

    value: Any
    """Text; from an environment that a program made up, it may be anything."""
    source: str
    """Such as ``TALON_ONE_HOST`` or ``the profile 'shop'``."""


class Resolved(NamedTuple):
    """The settings of a program."""

    settings: dict[str, Setting]
    profile: str | None
    """Name of the profile that was consulted."""
    kept_back: frozenset[str]
    """Keys of the profile that are for another host."""
    profiles: Profiles

    def value(self, name: str) -> Any:
        """Return the value of a setting, or ``None``."""
        found = self.settings.get(name)
        return None if found is None else found.value


def resolve(
    profile: str | None = None,
    host: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Resolved:
    """Return the settings of a program.

    Args:
        profile: Profile that the program names.
        host: Host that the program names.
        environ: Variables to read instead of those of the process.

    Raises:
        ConfigurationError: There is no such profile, or its file or a key cannot be read.
        ModuleNotFoundError: A package that profiles need is not installed.
    """
    environ = os.environ if environ is None else environ
    profiles = read_profiles()
    found: dict[str, Setting] = {}
    if host is not None:
        found["host"] = Setting(host, "the command line")
    name = profile
    if profile is None:
        for each, variable in VARIABLES.items():
            if environ.get(variable):
                found.setdefault(each, Setting(_hidden(each, environ[variable]), variable))
        name = environ.get(PROFILE_VARIABLE) or profiles.current
        if name is None and DEFAULT in profiles.settings:
            name = DEFAULT
    if name is None:
        return Resolved(found, None, frozenset(), profiles)
    if not isinstance(name, str):
        raise ApiTypeError(f"{PROFILE_VARIABLE} must be text, not {type(name).__name__}")
    profiles.checked(name)
    kept_back = _add_profile(found, profiles, name)
    return Resolved(found, name, kept_back, profiles)


def _add_profile(found: dict[str, Setting], profiles: Profiles, name: str) -> frozenset[str]:
    """Add what a profile holds and nothing above it; return the keys that are kept back."""
    source = f"the profile {name!r}"
    own = profiles.settings[name]
    in_keyring = profiles.in_keyring.get(name, set())
    if "host" in own:
        found.setdefault("host", Setting(own["host"], source))
        if _address(found["host"].value) != _address(own["host"]):
            return SECRETS & (own.keys() | in_keyring)
    for each in SETTINGS:
        if each in found:
            continue
        if each in in_keyring:
            found[each] = Setting(_hidden(each, keyring.fetch(name, each)), f"{source} (keyring)")
        elif each in own:
            found[each] = Setting(_hidden(each, own[each]), source)
    return frozenset()


def _address(host: Any) -> str:
    return str(host).strip().rstrip("/").lower()


def _hidden(name: str, value: Any) -> Any:
    return hidden(value) if name in SECRETS else value
