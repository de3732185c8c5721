"""Check each setting of a Configuration when it is assigned."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from talon_one._core.headers import check_header
from talon_one._core.retry import RetryPolicy, as_policy
from talon_one._core.secret import Secrets, hidden, hidden_url, plain_str
from talon_one._core.timeout import Timeout, as_deadline, as_timeout
from talon_one.exceptions import ApiTypeError, ApiValueError, ConfigurationError

MAX_CONNECTIONS = 65535
"""Maximum pool size: a machine has no more ports."""

_SAFE_IN_PATHS = frozenset("-._~!$&'()*+,;=:@/")
_DEFAULT_POLICY = RetryPolicy()

_SECRET_TEXTS = frozenset({"access_token", "application_secret", "password"})


def checked(name: str, value: Any) -> Any:
    """Return a checked value in the form in which a setting keeps it.

    Credentials become secrets, which no representation shows. Unknown settings, such as those of a
    subclass, are kept as they are.

    Raises:
        ApiTypeError, ApiValueError: The setting cannot have this value; the message says which
            values it can have, and quotes no secret.
    """
    check = _CHECKS.get(name)
    if check is not None:
        check(name, value)
        value = plain_str(value) if issubclass(type(value), str) else value
    if name in _SECRET_TEXTS:
        return hidden(value)
    if name in ("host", "proxy"):
        return hidden_url(value)
    if name in ("api_key", "proxy_headers") and value is not None:
        return value if isinstance(value, Secrets) else Secrets(value)
    return dict(value) if name == "api_key_prefix" else value


def checked_policy(name: str, retries: Any, default: RetryPolicy | None = None) -> RetryPolicy:
    """Return the retry policy that a setting stands for.

    Raises:
        ApiTypeError: It is not a policy, or one of its numbers is below 0 or not a number.
    """
    if retries is None and default is None:
        return _DEFAULT_POLICY
    try:
        policy = as_policy(retries, default)
    except TypeError:
        policy = None
    numbers = [] if policy is None else [*policy[1:4]]
    if (
        policy is None
        or (isinstance(retries, int) and retries < 0)
        or not _is_whole(policy.retries)
        or not all(isinstance(each, (int, float)) and each >= 0 for each in numbers)
        or not all(map(_is_whole, policy.statuses))
    ):
        raise ApiTypeError(
            f"{name} is a number of retries from 0 on, a talon_one.RetryPolicy of such numbers,"
            f" or False for none, not {_shown(retries)}"
        )
    return policy


def _shown(value: Any) -> str:
    if isinstance(value, (int, float, str, RetryPolicy)):
        return repr(value)[:80]
    return type(value).__name__


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: Any) -> bool:
    return value is None or issubclass(type(value), str)


def _is_path(value: Any) -> bool:
    return value is None or (isinstance(value, (str, os.PathLike)) and "\0" not in os.fspath(value))


def _kind(
    accepts: Callable[[Any], bool], words: str, example: str = ""
) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if not accepts(value):
            raise ApiTypeError(f"{name} is {words}{example}, not {type(value).__name__}")

    return check


def _check_keys(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ApiTypeError(
            f"{name} of a Configuration is a dict, such as {{'api_key_v1': '...'}} or"
            " {'management_key': '...'}; a text goes to IntegrationApi(host=..., api_key=...)"
        )
    if not all(issubclass(type(each), str) for each in value):
        raise ApiTypeError(f"the names in {name} are texts, such as 'api_key_v1'")


def _check_timeout(name: str, value: Any) -> None:
    if value is not None and not hasattr(value, "name"):  # The setting is not set.
        as_timeout(value, Timeout())


def _check_retries(name: str, value: Any) -> None:
    checked_policy(name, value)


def _check_deadline(name: str, value: Any) -> None:
    if value is not None:
        as_deadline(name, value)


def _check_proxy(name: str, value: Any) -> None:
    if not _is_text(value):
        raise ApiTypeError(f"{name} is the URL of a proxy, not {type(value).__name__}")
    if value is not None and any(c.isspace() or not c.isprintable() for c in value):
        # The message does not quote it, because it may hold a password.
        raise ConfigurationError("the proxy cannot be used: its address is not valid")


def _check_proxy_headers(name: str, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise ApiTypeError(f"{name} is a dict, such as {{'X-Gate': 'west'}}")
    for each, text in value.items():
        check_header(each, text)


def _check_pool_size(name: str, value: Any) -> None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        if value is not None and value > MAX_CONNECTIONS:
            raise ApiValueError(f"{name} is at most {MAX_CONNECTIONS}, not {value}")
    else:
        raise ApiTypeError(f"{name} is a number of connections, not {type(value).__name__}")


def _check_calls_per_id(name: str, value: Any) -> None:
    if value is not None and not (_is_whole(value) and value > 0):
        raise ConfigurationError(f"{name} is a number of calls, at least 1, not {_shown(value)}")


def _check_safe(name: str, value: Any) -> None:
    if not isinstance(value, str) or not set(value) <= _SAFE_IN_PATHS:
        raise ConfigurationError(
            f"{name} may hold {''.join(sorted(_SAFE_IN_PATHS))}, and nothing else"
        )


def _are_socket_options(value: Any) -> bool:
    return value is None or (
        isinstance(value, (list, tuple))
        and all(isinstance(each, tuple) and len(each) == 3 for each in value)
    )


def _are_hooks(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))


_YES_OR_NO = _kind(lambda value: isinstance(value, int) and value in (0, 1), "True or False")
_TEXT = _kind(_is_text, "text")
_PATH = _kind(_is_path, "the path of a file")

_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "host": _kind(
        lambda value: issubclass(type(value), str), "text", ", such as https://mycompany.talon.one"
    ),
    "api_key": _check_keys,
    "api_key_prefix": _check_keys,
    "application_id": _kind(
        lambda value: _is_text(value) or _is_whole(value), "the ID of an Application, a number"
    ),
    "refresh_api_key_hook": _kind(lambda value: value is None or callable(value), "a function"),
    "timeout": _check_timeout,
    "deadline": _check_deadline,
    "retries": _check_retries,
    "hooks": _kind(_are_hooks, "a list of hooks"),
    "safe_chars_for_path_param": _check_safe,
    "ca_cert_data": _kind(
        lambda value: value is None or isinstance(value, (str, bytes)), "text or bytes"
    ),
    "assert_hostname": _kind(
        lambda value: value is None or isinstance(value, (bool, str)), "a name, or False for none"
    ),
    "proxy": _check_proxy,
    "proxy_headers": _check_proxy_headers,
    "connection_pool_maxsize": _check_pool_size,
    "calls_per_id": _check_calls_per_id,
    "socket_options": _kind(_are_socket_options, "a list of triples: level, option, value"),
    **dict.fromkeys(
        (
            "generate_idempotency_keys",
            "log_bodies",
            "client_side_validation",
            "verify_ssl",
            "system_trust",
            "trust_env",
        ),
        _YES_OR_NO,
    ),
    **dict.fromkeys(
        (
            *("username", "password", "access_token", "application_secret"),
            *("datetime_format", "date_format", "tls_server_name"),
        ),
        _TEXT,
    ),
    **dict.fromkeys(
        ("ssl_ca_cert", "cert_file", "key_file", "temp_folder_path", "logger_file"), _PATH
    ),
}
