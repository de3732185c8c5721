"""urllib3 behind one method: the only module that touches sockets, and that knows its errors."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import urllib3

from talon_one.exceptions import (
    ApiException,
    ApiTypeError,
    ConfigurationError,
    NoAnswerError,
    NotSentError,
)
from talon_one.response import Answer

if TYPE_CHECKING:
    from talon_one.configuration import Configuration, Timeout
    from talon_one.request import Request

__all__ = ["ApiException", "RESTClientObject", "RESTResponse"]

_NEVER_CONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.EmptyPoolError,
    urllib3.exceptions.LocationValueError,
)


class RESTClientObject:
    """The connections of one client."""

    def __init__(self, configuration: Configuration) -> None:
        self._timeout = as_timeout(configuration.timeout)
        # Redirects are not followed: credentials and bodies must not travel on unasked.
        self._retries = urllib3.Retry.from_int(configuration.retries or False, redirect=False)
        self._is_proxied = configuration.proxy is not None
        self.pool_manager = _pool_manager(configuration)
        self._pools: dict[str, urllib3.HTTPConnectionPool] = {}

    def close(self) -> None:
        """Close all idle connections."""
        self._pools.clear()
        self.pool_manager.clear()

    def send(self, request: Request, timeout: Timeout = None) -> Answer:
        """Send a request and return the complete answer, whatever its status.

        Args:
            request: What to send.
            timeout: Seconds in all, or to connect and to read; the client's own if ``None``.

        Raises:
            NotSentError: The server has not seen the request.
            NoAnswerError: It may have, but no complete answer came back.
        """
        response = self.open(request, timeout)
        try:
            data = response.data
        except (urllib3.exceptions.HTTPError, OSError) as cause:
            response.close()
            raise NoAnswerError(
                response.status,
                f"the answer broke off: {_sentence(cause)}",
                headers=response.headers,
                raw_data=_partial_data(cause),
                **_call(request),
            ) from cause
        return Answer(response.status, response.reason, response.headers, data)

    def open(self, request: Request, timeout: Timeout = None) -> urllib3.BaseHTTPResponse:
        """Send a request and return the answer with its body still to be read.

        The caller reads it to its end or closes it. Errors are those of `send`.
        """
        options: dict[str, Any] = {
            "body": request.body,
            "headers": request.headers,
            "timeout": self._timeout if timeout is None else as_timeout(timeout),
            "retries": self._retries,
            "redirect": False,
            "preload_content": False,
        }
        try:
            if self._is_proxied:
                return self.pool_manager.urlopen(request.method, request.url, **options)
            pool = self._pools.get(request.base)
            if pool is None:
                pool = self.pool_manager.connection_from_url(request.base)
                self._pools[request.base] = pool
            return pool.urlopen(request.method, request.target, **options)
        except (urllib3.exceptions.HTTPError, OSError, http.client.HTTPException) as cause:
            raise _translated(cause, request) from cause

    def request(
        self,
        method: str,
        url: str,
        query_params: Any = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        post_params: Any = None,
        _preload_content: bool = True,
        _request_timeout: Timeout = None,
    ) -> Any:
        """Call any URL, as the vendor's packages do; prefer `talon_one.ApiClient.call_api`.

        Raises:
            ApiException: The status of the answer is not 2xx, or there was no answer.
        """
        from talon_one import wire
        from talon_one.request import Request

        headers = {"Content-Type": "application/json", **(headers or {})}
        if query_params:
            from urllib.parse import urlencode

            url += f"?{urlencode(query_params)}"
        if post_params:
            from urllib.parse import urlencode

            body = urlencode(post_params).encode()
        elif body is not None and not isinstance(body, (bytes, str)):
            body = wire.encode(body)
        parts = urllib3.util.parse_url(url)
        base = f"{parts.scheme}://{parts.netloc}"
        response = self.open(
            Request("", method.upper(), base, parts.request_uri, dict(headers), body),
            _request_timeout,
        )
        if not _preload_content:
            return response
        answer = RESTResponse(response)
        if not 200 <= answer.status <= 299:
            raise ApiException.from_response(http_resp=answer)
        return answer


class RESTResponse:
    """An answer in the form of the vendor's packages."""

    def __init__(self, resp: urllib3.BaseHTTPResponse) -> None:
        self.response = resp
        self.urllib3_response = resp
        self.status = resp.status
        self.reason = resp.reason
        self.data: bytes | str = resp.data

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the answer."""
        return self.response.headers

    def read(self) -> bytes | str:
        """Return the body."""
        return self.data

    def getheaders(self) -> Mapping[str, str]:
        """Return the headers of the answer."""
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """Return one header of the answer."""
        return self.headers.get(name, default)


def as_timeout(timeout: Any) -> urllib3.Timeout:
    """Return a timeout as urllib3 wants it.

    Raises:
        ApiTypeError: *timeout* is neither a number nor a pair of numbers.
    """
    if isinstance(timeout, urllib3.Timeout):
        return timeout
    try:
        if isinstance(timeout, (tuple, list)):
            connect, read = timeout
            return urllib3.Timeout(connect=connect, read=read)
        return urllib3.Timeout(total=timeout)
    except (ValueError, TypeError) as cause:
        raise ApiTypeError(
            f"a timeout is a number of seconds or a pair of them, above 0, not {timeout!r}"
        ) from cause


def _pool_manager(configuration: Configuration) -> urllib3.PoolManager:
    settings: dict[str, Any] = {
        "num_pools": 4,
        "maxsize": configuration.connection_pool_maxsize,
    }
    if configuration.verify_ssl:
        settings["cert_reqs"] = "CERT_REQUIRED"
        if configuration.ca_cert_data:
            settings["ca_cert_data"] = configuration.ca_cert_data
        else:
            import certifi

            settings["ca_certs"] = configuration.ssl_ca_cert or certifi.where()
    else:
        settings["cert_reqs"] = "CERT_NONE"
    named = {
        "cert_file": configuration.cert_file,
        "key_file": configuration.key_file,
        "assert_hostname": configuration.assert_hostname,
        "server_hostname": configuration.tls_server_name,
        "socket_options": configuration.socket_options,
    }
    settings.update({name: value for name, value in named.items() if value is not None})
    if configuration.proxy is None:
        return urllib3.PoolManager(**settings)
    try:
        if configuration.proxy.startswith("socks"):
            from urllib3.contrib.socks import SOCKSProxyManager

            return SOCKSProxyManager(configuration.proxy, **settings)
        return urllib3.ProxyManager(
            configuration.proxy, proxy_headers=configuration.proxy_headers, **settings
        )
    except (urllib3.exceptions.HTTPError, ImportError) as cause:
        raise ConfigurationError(f"the proxy cannot be used: {cause}") from cause


def _translated(cause: Exception, request: Request) -> ApiException:
    reason = getattr(cause, "reason", None)
    root = reason if isinstance(reason, Exception) else cause
    sent = not isinstance(root, _NEVER_CONNECTED)
    if isinstance(root, urllib3.exceptions.SSLError):
        # Only a refused certificate is sure to have ended the connection before the request.
        sent = "CERTIFICATE_VERIFY_FAILED" not in str(root)
    kind = NoAnswerError if sent else NotSentError
    return kind(None, _sentence(root), **_call(request))


def _sentence(cause: BaseException) -> str:
    # urllib3 puts the connection in front of what happened.
    text = re.sub(r"^<?[\w.]*HTTPS?Connection(Pool)?\S*( object at \w+)?[^:]*: ", "", str(cause))
    return " ".join(text.split()) or type(cause).__name__


def _partial_data(cause: BaseException) -> bytes:
    """Return the bytes that were received before an answer broke off."""
    inner = cause.args[-1] if cause.args else None
    partial = getattr(inner, "partial", b"")
    return partial if isinstance(partial, bytes) else b""


def _call(request: Request) -> dict[str, Any]:
    return {
        "operation_id": request.operation_id,
        "method": request.method,
        "url": request.url_without_query,
    }
