"""What only the vendor's ``Configuration`` offers: ignored settings, hosts, logging, reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from talon_one._core.address import PLACEHOLDER_HOST
from talon_one._core.auth import SCHEMES, credential, refresh
from talon_one._core.secret import hidden
from talon_one._utils.guard import guarded
from talon_one.exceptions import ConfigurationError

if TYPE_CHECKING:
    import logging


class VendorSettings:
    """The part of `Configuration` that only code written for the vendor's packages uses."""

    host: str
    api_key: dict[str, str]
    api_key_prefix: dict[str, str]
    access_token: str | None
    application_id: int | str | None
    application_secret: str | None
    refresh_api_key_hook: Any
    logger_format: str = "%(asctime)s %(levelname)s %(message)s"
    _logger_file: str | None = None
    _log_handler: logging.Handler | None = None
    _debug = False

    def __init__(
        self,
        username: str | None,
        password: str | None,
        discard_unknown_keys: bool,
        server_index: int | None,
        server_variables: Mapping[str, str] | None,
        server_operation_index: Mapping[int, int] | None,
        server_operation_variables: Mapping[int, Mapping[str, str]] | None,
        ignore_operation_servers: bool,
    ) -> None:
        # They can be read back, and have no effect.
        self.username = username
        self.password = password
        self.discard_unknown_keys = discard_unknown_keys
        self.server_index = server_index or 0
        self.server_variables = dict(server_variables or {})
        self.server_operation_index = dict(server_operation_index or {})
        self.server_operation_variables = dict(server_operation_variables or {})
        self.ignore_operation_servers = ignore_operation_servers

    # -- Credentials ---------------------------------------------------------------------------

    def get_api_key_with_prefix(self, identifier: str, alias: str | None = None) -> str | None:
        """Return a credential with its prefix, by the name of its scheme or header."""
        with guarded("the name of a credential"):
            if identifier in SCHEMES:
                return credential(self, identifier)
            refresh(self)
            key = self.api_key.get(identifier) or (self.api_key.get(alias) if alias else None)
            prefix = self.api_key_prefix.get(identifier)
            return hidden(f"{prefix} {key}") if key and prefix else key

    def auth_settings(self) -> dict[str, dict[str, Any]]:
        """Return the configured credentials by scheme, in the form of the vendor's packages."""
        found = {name: credential(self, name) for name in SCHEMES}
        return {
            name: {"type": "api_key", "in": "header", "key": SCHEMES[name].header, "value": value}
            for name, value in found.items()
            if value is not None
        }

    # -- Hosts ---------------------------------------------------------------------------------

    def get_host_settings(self) -> list[dict[str, Any]]:
        """Return the servers of the API description."""
        return [
            {
                "url": PLACEHOLDER_HOST,
                "description": "Host name of the deployment, that of its Campaign Manager.",
            }
        ]

    def get_host_from_settings(
        self,
        index: int | None,
        variables: Mapping[str, str] | None = None,
        servers: list[dict[str, Any]] | None = None,
    ) -> str:
        """Return the address of a server of the API description."""
        known = self.get_host_settings() if servers is None else servers
        if index is None:
            return self.host
        with guarded("an argument of get_host_from_settings"):
            if not 0 <= index < len(known):
                raise ConfigurationError(
                    f"there are {len(known)} servers, none has the index {index}"
                )
            url: str = known[index]["url"]
            for name, value in (variables or {}).items():
                url = url.replace(f"{{{name}}}", value)
            return url

    # -- Logging -------------------------------------------------------------------------------

    @property
    def debug(self) -> bool:
        """Whether the HTTP layer logs its traffic."""
        return self._debug

    @debug.setter
    def debug(self, value: bool) -> None:
        import logging

        self._debug = bool(value)
        level = logging.DEBUG if value else logging.NOTSET
        for name in ("talon_one", "urllib3"):
            logging.getLogger(name).setLevel(level)

    @property
    def logger_file(self) -> str | None:
        """File to append log messages to; ``None`` leaves logging to the application."""
        return self._logger_file

    @logger_file.setter
    def logger_file(self, value: str | None) -> None:
        import logging

        logger = logging.getLogger("talon_one")
        if self._log_handler is not None:
            logger.removeHandler(self._log_handler)
            self._log_handler.close()
            self._log_handler = None
        self._logger_file = value
        if value:
            with guarded("logger_file"):
                self._log_handler = logging.FileHandler(value)
                self._log_handler.setFormatter(logging.Formatter(self.logger_format))
            logger.addHandler(self._log_handler)

    def to_debug_report(self) -> str:
        """Return the versions that a bug report needs, without any secret."""
        import platform

        from talon_one import __version__

        return (
            "Python SDK debug report:\n"
            f"OS: {platform.system()} {platform.release()}\n"
            f"Python version: {platform.python_version()}\n"
            # The first two numbers are those of the API, the third is that of our release.
            f"Version of the API: {__version__.rpartition('.')[0]}\n"
            f"SDK package version: {__version__}"
        )
