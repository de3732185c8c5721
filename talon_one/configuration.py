"""Configuration: host, credentials, TLS, proxies, timeouts and retries of a client."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Union, cast

import talon_one
from talon_one._core.address import PLACEHOLDER_HOST, without_credentials
from talon_one._core.constructors import explained
from talon_one._core.retry import RetryPolicy
from talon_one._core.settings import checked
from talon_one._core.timeout import Timeout, as_deadline, as_timeout
from talon_one._utils.guard import guarded
from talon_one._utils.special_forms import Self
from talon_one._utils.suggest import did_you_mean
from talon_one._vendor.settings import VendorSettings
from talon_one.exceptions import ApiAttributeError, ApiTypeError

if TYPE_CHECKING:
    pass


class DefaultPoolSize(int):
    """A pool size that was not set, so that each kind of client may have its own."""


DEFAULT_POOL_SIZE = DefaultPoolSize(4 * (os.cpu_count() or 1))
"""Maximum number of connections to a host of a blocking client, unless set."""

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
    """Tells a setting that was not given from ``None``, which has a meaning."""

    UNSET = "not set"


_UNSET = _Unset.UNSET

_SECRETS = ("api_key", "access_token", "application_secret", "password")


class Configuration(VendorSettings):
    """Settings of an `ApiClient`.

    Args:
        host: Address of the deployment, such as ``https://mycompany.europe-west1.talon.one``.
        api_key: Credentials, by name of the security scheme (``api_key_v1``, ``management_key``,
            ``manager_auth``, ``integration_auth``) or by header (``Authorization``,
            ``Content-Signature``). Credentials of both APIs may be given at once: every operation
            takes its own.
        api_key_prefix: Prefixes of the credentials by the same keys; the scheme's own if not given.
        application_id: ID of the Application that signs requests with ``Content-Signature``.
        application_secret: Its secret key, a hexadecimal string.
        timeout: Seconds that a step of a call may take: a number, a pair of seconds to connect
            and to wait for each part of the response, or a `Timeout`. ``None`` waits without
            limit. If not given: 5 s to connect, and 30 s, or what the operation needs, to read.
        deadline: Seconds that a call may take in all, retries and pauses included.
        retries: Retries after a failure: a number, a `RetryPolicy`, or a `urllib3.Retry`; ``False``
            or 0 for none. Two if not given.
        hooks: Observers of every call and attempt; see `talon_one.Hooks`.
        calls_per_id: Maximum number of calls of a client about the same profile or session that
            are in flight at the same time; others wait in the client, in order. The platform
            allows three, and responds 409 to more. No limit if not given.
        username, password: Accepted for older code; the API does not use them.
        access_token: Token of a user session, sent as ``Bearer``.
        discard_unknown_keys: Accepted for older code; nothing is ever discarded.
        ssl_ca_cert, ca_cert_data: File, or text, of the certificates to trust.
        debug: Log the traffic of the HTTP layer.
    """

    _default: ClassVar[Configuration | None] = None
    _complete = False

    @explained("Configuration(host=..., api_key={'api_key_v1': ...})", _SECRETS)
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
        self.host = PLACEHOLDER_HOST if host is None else host
        # Copies, which `settings.checked` makes when they are set.
        self.api_key = cast("dict[str, str]", {} if api_key is None else api_key)
        self.api_key_prefix = cast(
            "dict[str, str]", {} if api_key_prefix is None else api_key_prefix
        )
        self.application_id = application_id
        self.application_secret = application_secret
        self.username = username
        self.password = password
        self.access_token = access_token
        self.refresh_api_key_hook: Callable[[Configuration], object] | None = None
        self.discard_unknown_keys = discard_unknown_keys
        self.server_index = server_index or 0
        self.server_variables = dict(server_variables or {})
        self.server_operation_index = dict(server_operation_index or {})
        self.server_operation_variables = dict(server_operation_variables or {})
        self.ignore_operation_servers = ignore_operation_servers

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
        """Return a configuration with the settings found in the environment now.

        Read are ``TALON_ONE_HOST``, ``TALON_ONE_API_KEY``, ``TALON_ONE_MANAGEMENT_KEY``,
        ``TALON_ONE_APPLICATION_ID`` and ``TALON_ONE_APPLICATION_SECRET``; empty ones count as
        not set.

        Args:
            environ: Variables to read instead of `os.environ`.
        """
        with guarded("the environment"):
            source = os.environ if environ is None else environ
            if not isinstance(source, Mapping):
                raise ApiTypeError(f"an environment is a dict, not {type(source).__name__}")
            found = {key: source[name] for name, key in _ENVIRONMENT.items() if source.get(name)}
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
        """Return the configuration that clients made without one share."""
        if Configuration._default is None:
            Configuration._default = cls()
        return Configuration._default

    @classmethod
    def get_default_copy(cls) -> Configuration:
        """Return a copy of the default configuration."""
        return copy.deepcopy(cls.get_default())

    @classmethod
    def set_default(cls, default: Configuration | None) -> None:
        """Make a copy of *default* the configuration of clients that are made without one.

        Raises:
            ApiTypeError: It is no configuration.
        """
        if default is not None and not isinstance(default, Configuration):
            raise ApiTypeError(f"the default is a Configuration, not {type(default).__name__}")
        Configuration._default = copy.deepcopy(default)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        duplicate = type(self).__new__(type(self))
        memo[id(self)] = duplicate
        # An open log file and the caller's own functions are shared, not copied.
        shared = {"_log_handler", "refresh_api_key_hook", "retries", "timeout"}
        for name, value in vars(self).items():
            vars(duplicate)[name] = value if name in shared else copy.deepcopy(value, memo)
        duplicate.hooks = list(self.hooks)
        return duplicate

    def __getstate__(self) -> dict[str, Any]:
        # A pickle is written to disk and sent to other processes; credentials do not belong there.
        state = dict(vars(self))
        state.update(api_key={}, _log_handler=None, refresh_api_key_hook=None, hooks=[])
        for name in ("access_token", "application_secret", "password", "proxy", "proxy_headers"):
            state[name] = None
        return state

    # -- Time ----------------------------------------------------------------------------------

    def timeout_for(
        self, read_timeout: float | None = None, asked: Any = None, deadline: float | None = None
    ) -> Timeout:
        """Return the time that a call may take.

        Args:
            read_timeout: Seconds that the operation is known to need, if more than most.
            asked: What the call itself asks for; ``None`` for the setting of the client.
            deadline: Seconds for the whole call; ``None`` for the setting of the client.

        Raises:
            ApiTypeError: One of them is no timeout.
        """
        with guarded("the timeout"):
            return self._timeout_for(read_timeout, asked, deadline)

    def _timeout_for(
        self, read_timeout: float | None, asked: Any, deadline: float | None
    ) -> Timeout:
        if isinstance(self.timeout, _Unset):
            found = Timeout() if read_timeout is None else Timeout(read=read_timeout)
        elif self.timeout is None:
            found = Timeout(None, None)
        else:
            found = as_timeout(self.timeout, Timeout())
        ends = self.deadline if deadline is None else deadline
        if ends is not None:
            name = "deadline" if deadline is None else "_deadline"
            found = found._replace(deadline=as_deadline(name, ends))
        return found if asked is None else as_timeout(asked, found)

    def __repr__(self) -> str:
        # A report of local variables shows it also if the constructor has failed.
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

    __hash__ = None  # type: ignore[assignment]  # settings change, so they must not be keys
