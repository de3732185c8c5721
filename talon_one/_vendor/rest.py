"""The REST client of the vendor's packages: calls of any URL over the transport."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3

from talon_one._core.address import split_url
from talon_one._core.headers import HARMLESS, check_headers
from talon_one._core.request import Request
from talon_one._core.response import is_success
from talon_one._core.secret import Secrets, hidden_url
from talon_one._core.timeout import Timeout, as_timeout
from talon_one._http.transport import Urllib3Transport
from talon_one._schema import json_codec
from talon_one._utils.guard import guarded
from talon_one._vendor.raw_call import checked_method
from talon_one.exceptions import ApiException


class RESTClientObject(Urllib3Transport):
    """The connections of one client, which also call any URL, as the vendor's packages do."""

    def request(
        self,
        method: str,
        url: str,
        query_params: Any = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        post_params: Any = None,
        _preload_content: bool = True,
        _request_timeout: Any = None,
    ) -> Any:
        """Call any URL, as the vendor's packages do; prefer `talon_one.ApiClient.call_api`.

        Raises:
            ApiException: The status of the response is not 2xx, or there was no response.
        """
        url = hidden_url(url)
        with guarded("an argument of request"):
            headers = Secrets({"Content-Type": "application/json", **(headers or {})}, HARMLESS)
            check_headers(headers)
            if post_params:
                body = urlencode(post_params).encode()
            elif body is not None and not isinstance(body, (bytes, str)):
                body = json_codec.encode(body)
            base, target = split_url(url)
            if query_params:
                target += f"{'&' if '?' in target else '?'}{urlencode(query_params)}"
            request = Request("", checked_method(method), base, target, headers, body)
        timeout = as_timeout(_request_timeout, Timeout())
        if not _preload_content:
            return self.open(request, timeout)
        response, exchange = self._open(request, timeout)
        converted = RESTResponse(response, self._read_body(response, request, exchange)[0])
        if not is_success(converted.status):
            raise ApiException.from_response(http_resp=converted)
        return converted


class RESTResponse:
    """A response in the form of the vendor's packages."""

    def __init__(self, resp: urllib3.BaseHTTPResponse, data: bytes | None = None) -> None:
        self.response = resp
        self.urllib3_response = resp
        self.status = resp.status
        self.reason = resp.reason
        self.data: bytes | str = resp.data if data is None else data

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the response."""
        return self.response.headers

    def read(self) -> bytes | str:
        """Return the body."""
        return self.data

    def getheaders(self) -> Mapping[str, str]:
        """Return the headers of the response."""
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """Return one header of the response."""
        return self.headers.get(name, default)
