"""Api: base of both blocking APIs, and the decorators that make methods of signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, ParamSpec, TypedDict, TypeVar, cast

# Annotations of methods name it; what they name is loaded only if they are evaluated.
import talon_one
from talon_one._core.address import without_credentials
from talon_one._core.constructors import checks_arguments
from talon_one._core.operation import Operation
from talon_one._utils.special_forms import Self
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ApiAttributeError, ApiTypeError

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A", bound="talon_one.pagination.ListResponse[Any]")
F = TypeVar("F", bound=Callable[..., Any])

_SECRETS = ("api_key",)


class CallSettings(TypedDict, total=False):
    """Keywords that every method accepts beside its parameters.

    The vendor's keywords that change what a method returns (``async_req``, ``_preload_content``,
    ``_return_http_data_only``) work as well. They are not named here, because a type checker could
    not follow them; typed code calls the variants of the method instead.
    """

    _request_timeout: talon_one.configuration.TimeoutSetting
    _deadline: float
    _retries: int | bool | talon_one.RetryPolicy
    _request_auth: Mapping[str, Any]
    _headers: Mapping[str, str]
    _content_type: str
    _host_index: int


class BaseApi:
    """Base of both APIs, blocking or asyncio.

    Args:
        api_client: Client that sends the calls. Without one, and without *host* and *api_key*,
            the client of `ApiClient.get_default` is used.
        host: Address of the deployment, in place of a client.
        api_key: Credential of this API, in place of a client.
    """

    _scheme = ""

    @checks_arguments("(host=..., api_key=...), or give it an ApiClient", _SECRETS)
    def __init__(
        self, api_client: Any = None, *, host: str | None = None, api_key: str | None = None
    ) -> None:
        from talon_one.configuration import Configuration

        client_class = self._client_class()
        if host is not None or api_key is not None:
            if api_client is not None:
                raise ApiTypeError("give either api_client, or host and api_key")
            configuration = Configuration.get_default_copy()
            if host is not None:
                configuration.host = host
            if api_key is not None:
                configuration.api_key[self._scheme] = api_key
            api_client = client_class(configuration)
        elif api_client is None:
            api_client = client_class.get_default()
        elif isinstance(api_client, Configuration):
            raise ApiTypeError(
                f"{type(self).__name__} takes an ApiClient: use ApiClient(configuration)"
            )
        elif not hasattr(api_client, "call"):
            raise ApiTypeError(
                f"{type(self).__name__} takes an ApiClient, or the keywords host and api_key,"
                f" not {type(api_client).__name__}"
            )
        elif self._is_of_other_kind(api_client, client_class):
            raise ApiTypeError(self._other_kind())
        self.api_client = api_client

    def _client_class(self) -> type[Any]:
        raise NotImplementedError

    def _is_of_other_kind(self, api_client: Any, client_class: type[Any]) -> bool:
        # A mock with the attributes of a client has another mock in place of this one.
        asynchronous = api_client.asynchronous if hasattr(api_client, "asynchronous") else None
        if type(asynchronous) is bool:
            return asynchronous is not client_class.asynchronous
        from talon_one._core.base_client import BaseClient

        return isinstance(api_client, BaseClient) and not isinstance(api_client, client_class)

    def _other_kind(self) -> str:
        """Return the message for a client of the wrong kind."""
        name = type(self).__name__
        if self._client_class().asynchronous:
            return (
                f"talon_one.aio.{name} is awaited and takes a talon_one.aio.ApiClient;"
                f" with a talon_one.ApiClient use talon_one.{name}"
            )
        return (
            f"talon_one.{name} blocks and takes a talon_one.ApiClient;"
            f" with a talon_one.aio.ApiClient use talon_one.aio.{name}, and await its methods"
        )

    def _operation_of(self, method: Any) -> Operation:
        """Return the operation of a method of this object."""
        from talon_one._core.operation import operation_of

        operation = operation_of(method)
        if getattr(method, "__self__", self) is not self:
            raise ApiTypeError(f"{method.__name__} is a method of another object than {self!r}")
        return operation

    def __repr__(self) -> str:
        # A mock in place of a client may have no settings, and there is no client if the
        # constructor has failed.
        client = vars(self).get("api_client")
        host = getattr(getattr(client, "configuration", None), "host", "")
        return f"<{type(self).__name__} {without_credentials(str(host))}>"

    if not TYPE_CHECKING:  # Hidden from type checkers, so that they report unknown names.

        def __getattr__(self, name: str) -> Any:
            hint = did_you_mean(name, dir(type(self)))
            raise ApiAttributeError(f"{type(self).__name__} has no attribute {name!r}.{hint}")


class Api(BaseApi):
    """Base of both blocking APIs; see `BaseApi` for its arguments."""

    api_client: talon_one.ApiClient

    if TYPE_CHECKING:

        def __init__(
            self,
            api_client: talon_one.ApiClient | None = None,
            *,
            host: str | None = None,
            api_key: str | None = None,
        ) -> None: ...

    def _client_class(self) -> type[talon_one.ApiClient]:
        from talon_one.api_client import ApiClient

        return ApiClient

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of the client."""
        self.api_client.close()

    def iterate(
        self,
        method: Callable[P, talon_one.pagination.ListResponse[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> talon_one.pagination.Items[T]:
        """Return an iterator over the items of a list, whose pages are requested on demand.

        Args:
            method: Method that returns one page, such as ``management.get_applications``.
            args: Its positional arguments.
            kwargs: Its keyword arguments, ``page_size`` and ``skip`` included.

        Raises:
            ApiTypeError: The method returns no list.
        """
        from talon_one.pagination import Items

        return Items(method, args, kwargs)

    def pages(
        self, method: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs
    ) -> talon_one.pagination.Pages[A]:
        """Return an iterator over the responses that make up a list; see `iterate`."""
        from talon_one.pagination import Pages

        return Pages(method, args, kwargs)

    def stream(
        self, method: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs
    ) -> talon_one.Download:
        """Return the response of a method as a download, to be read in chunks.

        ::

            with management.stream(management.export_coupons, 1) as download:
                download.save("coupons.csv")

        Args:
            method: A method of this object.
            args: Its arguments.
            kwargs: Its keyword arguments and the settings of the call.
        """
        from talon_one._http.download import Download

        return Download(self.api_client, self._operation_of(method), args, kwargs)

    def table(
        self, method: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs
    ) -> talon_one.tables.Table:
        """Return the CSV file of an export as a table, whose rows are read as they arrive.

        ::

            with management.table(management.export_coupons, 1) as table:
                for row in table:
                    print(row["value"])

        Args:
            method: A method of this object that exports a CSV file.
            args: Its arguments.
            kwargs: Its keyword arguments and the settings of the call.

        Raises:
            ApiTypeError: *method* exports no table.
        """
        from talon_one.tables import Table

        return Table(method, *args, **kwargs)


def endpoint(operation: Operation) -> Callable[[F], F]:
    """Turn a signature with a docstring into the method that calls *operation*.

    The signature is for readers and type checkers. The arguments are matched with the operation
    itself, which also knows their other spellings and explains what is wrong with them.
    """

    def decorate(signature: F) -> F:
        @wraps(signature)
        def method(self: Api, *args: Any, **kwargs: Any) -> Any:
            return self.api_client.call(operation, args, kwargs)

        method.operation = operation  # type: ignore[attr-defined]  # for the variants to call
        return cast("F", method)

    return decorate


def with_http_info(method: Callable[P, Any]) -> Callable[[Callable[..., T]], Callable[P, T]]:
    """Turn a declaration into the variant of *method* that returns status and headers as well."""
    variant: Callable[[Callable[..., T]], Callable[P, T]]
    variant = _variant(method, _return_http_data_only=False)
    return variant


def without_preload_content(
    method: Callable[P, Any],
) -> Callable[[Callable[..., T]], Callable[P, T]]:
    """Turn a declaration into the variant of *method* that returns the response unread."""
    variant: Callable[[Callable[..., T]], Callable[P, T]]
    variant = _variant(method, _preload_content=False)
    return variant


def _variant(method: Any, **setting: Any) -> Any:
    operation: Operation = method.operation

    def decorate(declaration: Any) -> Any:
        # It calls the client directly, because warnings count the frames up to the caller.
        def variant(self: Api, *args: Any, **kwargs: Any) -> Any:
            # Not a copy: settings of the call, credentials included, are removed from it.
            for name, value in setting.items():
                kwargs.setdefault(name, value)
            return self.api_client.call(operation, args, kwargs)

        return as_variant(variant, method, declaration)

    return decorate


def as_variant(variant: Any, method: Any, declaration: Any) -> Any:
    """Give a function the name and result of *declaration* and the parameters of *method*.

    Type checkers see the same: the declaration has name and result, its decorator the parameters.
    """
    variant.__name__ = declaration.__name__
    variant.__qualname__ = declaration.__qualname__
    variant.__module__ = declaration.__module__
    variant.__doc__ = f"Variant of `{method.__name__}`, see there."
    plain = method.__wrapped__
    # For inspect.signature: the signature of the method, with another result.
    wrapped = FunctionType(plain.__code__, plain.__globals__, plain.__name__)
    wrapped.__kwdefaults__ = plain.__kwdefaults__
    wrapped.__defaults__ = plain.__defaults__
    wrapped.__annotations__ = {
        **plain.__annotations__,
        "return": declaration.__annotations__["return"],
    }
    wrapped.operation = method.operation  # type: ignore[attr-defined]  # as methods have it
    variant.__wrapped__ = wrapped
    variant.__annotations__ = wrapped.__annotations__
    return variant
