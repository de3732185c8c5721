"""Pool managers of urllib3 for a configuration: direct, and behind an HTTP or SOCKS proxy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3 import exceptions as errors

from talon_one._http.pools import Pool, TlsPool
from talon_one._http.proxies import headers_for
from talon_one._http.tls import ssl_context
from talon_one.exceptions import ConfigurationError

if TYPE_CHECKING:
    from talon_one.configuration import Configuration


def pool_manager(
    configuration: Configuration, scheme: str, proxy: str | None
) -> urllib3.PoolManager:
    """Return the pools for all hosts with this scheme that are reached through this proxy.

    Raises:
        ConfigurationError: The address of the proxy is not valid, or PySocks is missing.
    """
    settings: dict[str, Any] = {
        "maxsize": max(1, configuration.connection_pool_maxsize),
        # Wait for a free connection instead of opening a surplus one.
        "block": True,
    }
    if configuration.socket_options is not None:
        settings["socket_options"] = configuration.socket_options
    if scheme == "https":
        if configuration.assert_hostname not in (None, True):
            settings["assert_hostname"] = configuration.assert_hostname
        if configuration.tls_server_name is not None:
            settings["server_hostname"] = configuration.tls_server_name
    if proxy is not None:
        return _proxy_manager(configuration, proxy, settings)
    return _with_pools(urllib3.PoolManager(**settings), configuration, Pool, TlsPool)


def _with_pools(
    manager: urllib3.PoolManager,
    configuration: Configuration,
    pool: type[Pool],
    tls_pool: type[TlsPool],
) -> urllib3.PoolManager:
    classes: Any = {"http": pool, "https": partial(tls_pool, configuration)}
    manager.pool_classes_by_scheme = classes
    return manager


def _proxy_manager(
    configuration: Configuration, proxy: str, settings: dict[str, Any]
) -> urllib3.PoolManager:
    try:
        if proxy.startswith("socks"):
            return _socks_manager(configuration, proxy, settings)
        headers = headers_for(configuration, proxy)
        if proxy.startswith("https:"):
            settings["proxy_ssl_context"] = ssl_context(configuration)
        manager = urllib3.ProxyManager(proxy, proxy_headers=headers, **settings)
    except (ImportError, errors.DependencyWarning) as cause:
        raise ConfigurationError("a SOCKS proxy needs PySocks: pip install PySocks") from cause
    except (errors.HTTPError, ValueError):
        # Neither the message nor its cause may quote the address, which may hold a password.
        raise ConfigurationError("the proxy cannot be used: its address is not valid") from None
    return _with_pools(manager, configuration, Pool, TlsPool)


def _socks_manager(
    configuration: Configuration, proxy: str, settings: dict[str, Any]
) -> urllib3.PoolManager:
    # Not at the top: without PySocks this import fails.
    from urllib3.contrib.socks import SOCKSProxyManager

    from talon_one._http.socks import SocksPool, SocksTlsPool

    return _with_pools(SOCKSProxyManager(proxy, **settings), configuration, SocksPool, SocksTlsPool)
