"""Configuration: host, credentials, TLS, proxies, timeouts and retries of a client."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Union, cast

import talon_one
from talon_one._core.address import PLACEHOLDER_HOST, without_credentials
from talon_one._core.constructors import checks_arguments
from talon_one._core.retry import RetryPolicy
from talon_one._core.settings import checked
from talon_one._core.timeout import DEFAULT_TIMEOUT, NO_TIMEOUT, Timeout, as_deadline, as_timeout
from talon_one._utils.guard import guarded
from talon_one._utils.special_forms import Self
from talon_one._utils.suggest import did_you_mean
from talon_one._vendor.settings import VendorSettings
from talon_one.exceptions import ApiAttributeError, ApiTypeError


class DefaultPoolSize(int):
    """The pool size if none is set; blocking and asyncio clients have different ones."""


DEFAULT_POOL_SIZE = DefaultPoolSize(4 * (os.cpu_count() or 1))
"""Default maximum number of connections to a host, for blocking clients."""

RetrySetting = Union[int, bool, RetryPolicy, "talon_one.rest.Retry", None]
"""A number of retries, a `RetryPolicy`, a `urllib3.Retry`, or ``False`` for none."""

TimeoutSetting = float | tuple[float | None, float | None] | Timeout | None
"""A `Timeout`, seconds for each step, or a pair of seconds to connect and to read."""

_ENVIRONMENT = {
    "TALON_ONE_HOST": "host",
    "TALON_ONE_API_KEY": "api_key_v1",
    "TALON_ONE_MANAGEMENT_KEY": "management_key",
    "TALON_ONE_APPLICATION_ID": "application_id",
    "TALON_ONE_APPLICATION_SECRET": "application_secret",
}


class _Unset(Enum):
    """Default of settings for which ``None`` has a meaning."""

    UNSET = "not set"


_UNSET = _Unset.UNSET

_SECRETS = ("api_key", "access_token", "application_secret", "password")


class Configuration(VendorSettings):
    """Settings of an `ApiClient`.

    Args:
        host: Address of the deployment, such as ``https://mycompany.europe-west1.talon.one``.
        api_key: Credentials, by name of the security scheme (``api_key_v1``, ``management_key``,
            ``manager_auth``, ``integration_auth``) or by header (``Authorization``,
            ``Content-Signature``). They may include credentials of both APIs: each operation uses
            its own.
        api_key_prefix: Prefixes of the credentials, by the same keys. Default: that of the scheme.
        application_id: ID of the Application that signs requests with ``Content-Signature``.
        application_secret: Its secret key, a hexadecimal string.
        timeout: Seconds for each step of a call: a number, a pair of seconds to connect and to wait
            for each part of the response, or a `Timeout`. ``None`` waits without limit. Default: 5
            seconds to connect, and 30 to read, or more for slow operations.
        deadline: Seconds for a whole call, retries and pauses included. No limit if not given.
        retries: Retries after a failure: a number, a `RetryPolicy`, or a `urllib3.Retry`; ``False``
            or 0 for none. Default: 2.
        hooks: Objects that observe every call and attempt; see `talon_one.Hooks`.
        calls_per_id: Maximum number of parallel calls for the same profile or session. Further
            calls wait in a queue of the client. The platform allows three, and responds with 409
            to more. No limit if not given.
        username, password: Accepted for older code; the API does not use them.
        access_token: Token of a user session, sent as ``Bearer``.
        discard_unknown_keys: Accepted for older code; unknown properties are always kept.
        ssl_ca_cert, ca_cert_data: Certificates to trust, as a file or as text.
        debug: Whether to log the traffic of the HTTP layer.
    """

    _default: ClassVar[Configuration | None] = None
    _complete = False

    @checks_arguments("(host=..., api_key={'api_key_v1': ...})", _SECRETS)
    def __init__(
        self,
        host: str | None = None,
        api_key: Mapping[str, str] | None = None,
        api_key_prefix: Mapping[str, str] | None = None,
        username: str | None = None,
        password: str | None = None,
        access_token: str | None = None,
        *,
        application_id: int | str | None = None,
        application_secret: str | None = None,
        timeout: TimeoutSetting | _Unset = _UNSET,
        deadline: float | None = None,
        discard_unknown_keys: bool = False,
        server_index: int | None = None,
        server_variables: Mapping[str, str] | None = None,
        server_operation_index: Mapping[int, int] | None = None,
        server_operation_variables: Mapping[int, Mapping[str, str]] | None = None,
        ignore_operation_servers: bool = False,
        ssl_ca_cert: str | None = None,
        ca_cert_data: str | bytes | None = None,
        cert_file: str | None = None,
        key_file: str | None = None,
        verify_ssl: bool = True,
        retries: RetrySetting = None,
        hooks: Iterable[talon_one.Hooks] = (),
        calls_per_id: int | None = None,
        debug: bool | None = None,
    ) -> None:
        super().__init__(
            username,
            password,
            discard_unknown_keys,
            server_index,
            server_variables,
            server_operation_index,
            server_operation_variables,
            ignore_operation_servers,
        )
        self.host = PLACEHOLDER_HOST if host is None else host
        # Assigning a dict copies it, see `settings.checked`.
        self.api_key = cast("dict[str, str]", {} if api_key is None else api_key)
        self.api_key_prefix = cast(
            "dict[str, str]", {} if api_key_prefix is None else api_key_prefix
        )
        self.application_id = application_id
        self.application_secret = application_secret
        self.access_token = access_token
        self.refresh_api_key_hook: Callable[[Configuration], object] | None = None

        self.timeout = timeout
        self.deadline = deadline
        self.retries = retries
        self.generate_idempotency_keys = True
        self.hooks: list[talon_one.Hooks] = list(hooks)
        self.log_bodies = False
        self.client_side_validation = True
        self.safe_chars_for_path_param = ""
        self.datetime_format: str | None = None
        self.date_format: str | None = None
        self.temp_folder_path: str | None = None

        self.verify_ssl = verify_ssl
        self.ssl_ca_cert = ssl_ca_cert
        self.ca_cert_data = ca_cert_data
        self.cert_file = cert_file
        self.key_file = key_file
        self.assert_hostname: bool | str | None = None
        self.tls_server_name: str | None = None
        self.system_trust = False
        self.proxy: str | None = None
        self.trust_env = True
        self.proxy_headers: dict[str, str] | None = None
        self.connection_pool_maxsize: int = DEFAULT_POOL_SIZE
        self.calls_per_id = calls_per_id
        self.socket_options: list[tuple[int, int, int | bytes]] | None = None

        if debug:
            self.debug = debug
        self._complete = True

    if not TYPE_CHECKING:  # Hidden from type checkers, so that they report unknown names.

        def __setattr__(self, name: str, value: Any) -> None:
            # Subclasses may have settings of their own.
            if self._complete and type(self) is Configuration and not hasattr(self, name):
                hint = did_you_mean(name, [each for each in dir(self) if not each.startswith("_")])
                raise ApiAttributeError(f"Configuration has no setting {name!r}.{hint}")
            if name == "connection_pool_maxsize" and value is None:
                value = DEFAULT_POOL_SIZE
            with guarded("the setting ", name):
                value = checked(name, value)
            super().__setattr__(name, value)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return a configuration with settings from environment variables.

        It reads ``TALON_ONE_HOST``, ``TALON_ONE_API_KEY``, ``TALON_ONE_MANAGEMENT_KEY``,
        ``TALON_ONE_APPLICATION_ID`` and ``TALON_ONE_APPLICATION_SECRET``. Empty variables count as
        not set.

        Args:
            environ: Variables to read instead of those of the process.
        """
        with guarded("the environment"):
            source = os.environ if environ is None else environ
            if not isinstance(source, Mapping):
                raise ApiTypeError(f"an environment is a dict, not {type(source).__name__}")
            found = {key: source[name] for name, key in _ENVIRONMENT.items() if source.get(name)}
        return cls._of_settings(found)

    @classmethod
    def from_profile(
        cls, name: str | None = None, environ: Mapping[str, str] | None = None
    ) -> Self:
        """Return a configuration with settings from a profile of ``talon-one config``.

        A profile that you name is used alone. Without a name, environment variables come first, as
        `from_env` reads them, and the profile that ``TALON_ONE_PROFILE`` names, or else the current
        one, supplies what they leave out. The keys of a profile with a host are used for that host
        only.

        Args:
            name: Name of the profile.
            environ: Variables to read instead of those of the process.

        Raises:
            ConfigurationError: There is no such profile, or its file or a key cannot be read.
            ModuleNotFoundError: The extra ``cli`` is not installed.
        """
        with guarded("the profile"):
            if name is not None and not isinstance(name, str):
                raise ApiTypeError(f"the name of a profile is text, not {type(name).__name__}")
            if environ is not None and not isinstance(environ, Mapping):
                raise ApiTypeError(f"an environment is a dict, not {type(environ).__name__}")
            from talon_one._profiles.settings import READ_VARIABLES, resolve

            source = os.environ if environ is None else environ
            variables = {each: source[each] for each in READ_VARIABLES if source.get(each)}
        settings = resolve(name, environ=variables).settings
        found: dict[str, Any] = {each: setting.value for each, setting in settings.items()}
        if "api_key" in found:
            found["api_key_v1"] = found.pop("api_key")
        return cls._of_settings(found)

    @classmethod
    def _of_settings(cls, found: Mapping[str, str]) -> Self:
        schemes = ("api_key_v1", "management_key")
        return cls(
            host=found.get("host"),
            api_key={scheme: found[scheme] for scheme in schemes if scheme in found},
            application_id=found.get("application_id"),
            application_secret=found.get("application_secret"),
        )

    # -- The shared default --------------------------------------------------------------------

    @classmethod
    def get_default(cls) -> Configuration:
        """Return the configuration that clients without one of their own copy."""
        if Configuration._default is None:
            Configuration._default = cls()
        return Configuration._default

    @classmethod
    def get_default_copy(cls) -> Configuration:
        """Return a copy of the default configuration."""
        return copy.deepcopy(cls.get_default())

    @classmethod
    def set_default(cls, default: Configuration | None) -> None:
        """Make a copy of *default* the configuration of clients without one of their own.

        Raises:
            ApiTypeError: It is not a `Configuration`.
        """
        if default is not None and not isinstance(default, Configuration):
            raise ApiTypeError(f"the default is a Configuration, not {type(default).__name__}")
        Configuration._default = copy.deepcopy(default)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        duplicate = type(self).__new__(type(self))
        memo[id(self)] = duplicate
        # Open log files, and hooks and functions of the caller, are shared, not copied.
        shared = {"_log_handler", "hooks", "refresh_api_key_hook", "retries", "timeout"}
        for name, value in vars(self).items():
            vars(duplicate)[name] = value if name in shared else copy.deepcopy(value, memo)
        duplicate.hooks = list(self.hooks)
        return duplicate

    def __getstate__(self) -> dict[str, Any]:
        # Pickles are written to disk and sent to other processes, so they hold no credentials.
        state = dict(vars(self))
        state.update(api_key={}, _log_handler=None, refresh_api_key_hook=None, hooks=[])
        for name in ("access_token", "application_secret", "password", "proxy", "proxy_headers"):
            state[name] = None
        return state

    # -- Time ----------------------------------------------------------------------------------

    def timeout_for(
        self, read_timeout: float | None = None, asked: Any = None, deadline: float | None = None
    ) -> Timeout:
        """Return the timeout of a call.

        Args:
            read_timeout: Default read timeout of the operation, in seconds, if it has its own.
            asked: Timeout of this call; ``None`` for the setting of the client.
            deadline: Seconds for this whole call; ``None`` for the setting of the client.

        Raises:
            ApiTypeError: One of them is not a timeout.
        """
        with guarded("the timeout"):
            return self._timeout_for(read_timeout, asked, deadline)

    def _timeout_for(
        self, read_timeout: float | None, asked: Any, deadline: float | None
    ) -> Timeout:
        if isinstance(self.timeout, _Unset):
            found = DEFAULT_TIMEOUT
            if read_timeout is not None:
                found = found._replace(read=read_timeout)
        elif self.timeout is None:
            found = NO_TIMEOUT
        else:
            found = as_timeout(self.timeout, DEFAULT_TIMEOUT)
        ends = self.deadline if deadline is None else deadline
        if ends is not None:
            name = "deadline" if deadline is None else "_deadline"
            found = found._replace(deadline=as_deadline(name, ends))
        return found if asked is None else as_timeout(asked, found)

    def __repr__(self) -> str:
        # Reports of local variables show it even if the constructor has failed.
        state = vars(self)
        names = sorted(map(str, state.get("api_key", ())))
        names += [name for name in ("access_token", "application_secret") if state.get(name)]
        given = ", ".join(names) or "none"
        host = without_credentials(state.get("host", ""))
        return f"<Configuration host={host!r} credentials={given}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Configuration):
            return NotImplemented
        return vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # mutable objects must not be keys
