"""Keys of profiles in the keyring of the system, if the package `keyring` is installed.

Backends are code of other people, which may raise anything.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from talon_one._utils.quoting import message_of
from talon_one.exceptions import ConfigurationError

_SERVICE = "talon_one"


def usable() -> bool:
    """Return whether there is a keyring that keeps keys."""
    try:
        # The backends that keep nothing have priority 0 and below.
        return bool(_package().get_keyring().priority > 0)
    except Exception:  # No package, or a backend that does not start.
        return False


def store(profile: str, name: str, secret: str) -> None:
    """Store a key.

    Raises:
        ConfigurationError: The keyring refuses it.
    """
    try:
        _package().set_password(_SERVICE, _entry(profile, name), secret)
    except Exception as cause:  # A backend may raise anything.
        raise _failed("store", profile, name, cause) from None


def fetch(profile: str, name: str) -> str:
    """Return a key.

    Raises:
        ConfigurationError: The keyring does not have it, or does not open.
    """
    try:
        found = _package().get_password(_SERVICE, _entry(profile, name))
    except Exception as cause:  # A backend may raise anything.
        raise _failed("fetch", profile, name, cause) from None
    if not isinstance(found, str):
        raise ConfigurationError(
            f"the system keyring no longer has {name} of the profile {profile}: set it again"
        )
    return found


def forget(profile: str, name: str) -> None:
    """Delete a key, if it is there."""
    with suppress(Exception):
        _package().delete_password(_SERVICE, _entry(profile, name))


def _entry(profile: str, name: str) -> str:
    return f"{profile}/{name}"


def _failed(verb: str, profile: str, name: str, cause: Exception) -> ConfigurationError:
    # The cause is not chained, because it may hold the key.
    if isinstance(cause, ModuleNotFoundError) and cause.name == "keyring":
        return ConfigurationError(
            f"{name} of the profile {profile} is in the system keyring: pip install keyring"
        )
    reason = type(cause).__name__ if verb == "store" else message_of(cause)
    return ConfigurationError(
        f"the system keyring cannot {verb} {name} of the profile {profile}: {reason}"
    )


def _package() -> Any:
    import keyring

    return keyring
