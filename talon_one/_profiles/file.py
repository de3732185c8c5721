"""The file of the profiles: where it is, how it is read, and how it is replaced."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ConfigurationError

PATH_VARIABLE = "TALON_ONE_CONFIG"
"""Environment variable that names another file."""

SETTINGS = ("host", "api_key", "management_key", "application_id", "application_secret")
"""What a profile may hold."""

SECRETS = frozenset({"api_key", "management_key", "application_secret"})
"""Settings that are never shown."""

DEFAULT = "default"
"""Name of the first profile if its user does not name it."""

_CURRENT = "current"
_PROFILES = "profiles"
_IN_KEYRING = "keyring"


class Profiles:
    """What the file holds.

    Attributes:
        path: Path of the file.
        current: Name of the profile that is used if none is named; ``None`` if there is none.
        settings: Settings by profile, as text. Those in the keyring are not among them.
        in_keyring: Names of the settings of each profile that are in the system keyring.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.current: str | None = None
        self.settings: dict[str, dict[str, str]] = {}
        self.in_keyring: dict[str, set[str]] = {}

    def checked(self, name: str) -> str:
        """Return the name of a profile that there is.

        Raises:
            ConfigurationError: There is no such profile.
        """
        if name in self.settings:
            return name
        hint = did_you_mean(name, self.settings)
        raise ConfigurationError(f"there is no profile {quoted(name)} in {self.path}.{hint}")

    @property
    def readable_by_others(self) -> bool:
        """Whether other users of this machine can read the secrets in the file."""
        if os.name != "posix" or not any(SECRETS & own.keys() for own in self.settings.values()):
            return False
        with suppress(OSError):
            return bool(self.path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
        return False

    def save(self) -> None:
        """Replace the file; only its owner can read it.

        Raises:
            OSError: The file cannot be written. Then the old one is still there.
        ConfigurationError: The path is that of a device or a pipe.
        """
        tables: dict[str, dict[str, Any]] = {}
        for name, own in self.settings.items():
            tables[name] = {each: _typed(each, own[each]) for each in SETTINGS if each in own}
            if self.in_keyring.get(name):
                tables[name][_IN_KEYRING] = sorted(self.in_keyring[name])
        content: dict[str, Any] = {_CURRENT: self.current} if self.current is not None else {}
        content[_PROFILES] = tables
        with _needing_the_extra():
            import tomli_w
        _replace(self.path, tomli_w.dumps(content).encode())


def path_of_profiles() -> Path:
    """Return the path of the file, which need not exist.

    Raises:
        ModuleNotFoundError: platformdirs is not installed.
    """
    given = os.environ.get(PATH_VARIABLE)
    if given:
        return Path(given)
    with _needing_the_extra():
        import platformdirs
    return platformdirs.user_config_path("talon_one", appauthor=False) / "config.toml"


def read_profiles() -> Profiles:
    """Read the file; without one there are no profiles.

    Raises:
        ConfigurationError: The file cannot be read, or is not what `Profiles.save` writes.
        ModuleNotFoundError: A package is not installed.
    """
    profiles = Profiles(path_of_profiles())
    if _is_special(profiles.path):
        return profiles  # /dev/null keeps the profiles of the user away.
    try:
        text = profiles.path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return profiles
    except OSError as cause:
        raise ConfigurationError(f"cannot read {profiles.path}: {cause.strerror}") from cause
    except UnicodeDecodeError as cause:
        raise ConfigurationError(f"{profiles.path} is not UTF-8 text") from cause
    with _needing_the_extra():
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
    try:
        content = tomllib.loads(text)
    except ValueError as cause:
        # The message has the position and no part of the text.
        raise ConfigurationError(f"{profiles.path} is not TOML: {cause}") from None
    _fill(profiles, content)
    return profiles


def _fill(profiles: Profiles, content: Mapping[str, Any]) -> None:
    place = profiles.path
    tables = content.get(_PROFILES, {})
    if not isinstance(tables, dict) or not all(isinstance(own, dict) for own in tables.values()):
        raise ConfigurationError(f"{place}: a profile is a table, such as [profiles.shop]")
    for name, own in tables.items():
        profiles.settings[name] = {}
        for key, value in own.items():
            if key == _IN_KEYRING:
                if not isinstance(value, list) or not SECRETS.issuperset(map(str, value)):
                    raise ConfigurationError(f"{place}: {key} lists names of keys")
                profiles.in_keyring[name] = set(value)
            elif key not in SETTINGS:
                hint = did_you_mean(key, SETTINGS)
                raise ConfigurationError(f"{place}: {quoted(key)} is not a setting.{hint}")
            elif isinstance(value, bool) or not isinstance(value, (str, int)):
                raise ConfigurationError(f"{place}: {key} of the profile {name} must be text")
            else:
                profiles.settings[name][key] = str(value)
    current = content.get(_CURRENT)
    if current is not None and not isinstance(current, str):
        raise ConfigurationError(f"{place}: {_CURRENT} is the name of a profile")
    profiles.current = current


def _typed(name: str, text: str) -> str | int:
    return int(text) if name == "application_id" and text.isdecimal() else text


def _is_special(path: Path) -> bool:
    """Return whether a path is that of a device or pipe, which must not be replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _replace(path: Path, content: bytes) -> None:
    if _is_special(path):
        raise ConfigurationError(f"{path} cannot keep profiles: it is not a file")
    # A link to a file elsewhere, as dotfiles have it, stays a link.
    target = Path(os.path.realpath(path))
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.urandom(8).hex()}.part")
    # Never, not even for a moment, can others read it.
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except BaseException:  # Ctrl-C, too, must leave no half of a file.
        with suppress(OSError):
            partial.unlink()
        raise


@contextmanager
def _needing_the_extra() -> Iterator[None]:
    """Say what to install where a package is missing."""
    try:
        yield
    except ModuleNotFoundError as cause:
        message = f'profiles need {cause.name}: pip install "talon_one[cli]"'
        raise ModuleNotFoundError(message, name=cause.name) from cause
