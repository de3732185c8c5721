"""``call_api`` of the vendor's packages: calls of what has no method, for both clients."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from talon_one._core.headers import HARMLESS
from talon_one._core.secret import hidden_url, hidden_values
from talon_one._utils.guard import guarded
from talon_one._vendor.raw_call import RawCall

if TYPE_CHECKING:
    from talon_one._core.call import Call
    from talon_one._core.operation import Operation
    from talon_one.configuration import Configuration


class RawCalls:
    """The method ``call_api`` of a client."""

    asynchronous: ClassVar[bool]
    configuration: Configuration

    if TYPE_CHECKING:

        def new_call(
            self,
            operation: Operation,
            args: tuple[Any, ...],
            kwargs: dict[str, Any],
            configuration: Configuration | None = None,
        ) -> Call: ...

        def _send(self, call: Call) -> Any: ...

    def call_api(
        self,
        resource_path: str,
        method: str,
        path_params: Mapping[str, Any] | None = None,
        query_params: Mapping[str, Any] | list[tuple[str, Any]] | None = None,
        header_params: Mapping[str, str] | None = None,
        body: Any = None,
        post_params: Any = None,
        files: Any = None,
        response_type: str | None = None,
        auth_settings: list[str] | None = None,
        async_req: bool | None = None,
        _return_http_data_only: bool | None = None,
        collection_formats: Mapping[str, str] | None = None,
        _preload_content: bool = True,
        _request_timeout: Any = None,
        _host: str | None = None,
        _request_auth: Any = None,
        response_types_map: Mapping[int, str | None] | None = None,
        **settings: Any,
    ) -> Any:
        """Call a path that has no method.

        Args:
            resource_path: Path with ``{name}`` in place of each path parameter.
            method: HTTP method.
            path_params: Values of the path parameters.
            query_params: Values of the query, by wire name.
            header_params: Further headers.
            body: JSON body: a model, a dict or a list.
            post_params: Not supported, must be empty.
            files: Not supported, must be empty.
            response_type: Type string of a successful response; plain data if not given.
            auth_settings: Names of the security schemes, any one of which will do.
            async_req: Run in a thread and return a handle with ``get()``.
            _return_http_data_only: Return the decoded response alone. Otherwise a blocking client
                returns the triple of data, status and headers, unless this is true; the asyncio
                client returns the data alone, unless this is ``False``.
            collection_formats: ``{name: "csv"}`` joins a list of the query with commas.
            response_types_map: As `response_type`, by status.
            settings: Further settings of the call, such as ``_deadline`` and ``_headers``.

        Raises:
            ApiTypeError: There are form fields or files, which only import operations accept.
        """
        with guarded("an argument of call_api"):
            # Masked here, because reports of local variables show them.
            header_params = hidden_values(header_params, HARMLESS)
            _request_auth = hidden_values(_request_auth, HARMLESS)
            _host = hidden_url(_host)
            if "_headers" in settings:
                settings["_headers"] = hidden_values(settings["_headers"], HARMLESS)
            call = RawCall(
                resource_path,
                method,
                path_params,
                query_params,
                header_params,
                body,
                post_params,
                files,
                response_type,
                auth_settings,
                collection_formats,
                response_types_map,
            )
            operation, arguments = call.operation(self.configuration.safe_chars_for_path_param)
        configuration = self.configuration
        if _host is not None:
            configuration = copy.deepcopy(configuration)
            configuration.host = _host
        if _return_http_data_only is None:
            _return_http_data_only = self.asynchronous
        arguments.update(
            settings,
            async_req=async_req,
            _return_http_data_only=bool(_return_http_data_only),
            _preload_content=_preload_content,
            _request_timeout=_request_timeout,
            _request_auth=_request_auth,
        )
        return self._send(self.new_call(operation, (), arguments, configuration))
