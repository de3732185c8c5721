"""Api: base of both asyncio APIs, and the decorators that make methods of signatures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

# Annotations of methods name it; what they name is loaded only if they are evaluated.
import talon_one
from talon_one._core.operation import Operation
from talon_one._utils.special_forms import Self
from talon_one.endpoint import BaseApi, as_variant

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A", bound="talon_one.pagination.ListResponse[Any]")
F = TypeVar("F", bound=Callable[..., Any])


class Api(BaseApi):
    """Base of both asyncio APIs; see `BaseApi` for its arguments."""

    api_client: talon_one.aio.ApiClient

    if TYPE_CHECKING:

        def __init__(
            self,
            api_client: talon_one.aio.ApiClient | None = None,
            *,
            host: str | None = None,
            api_key: str | None = None,
        ) -> None: ...

    def _client_class(self) -> type[talon_one.aio.ApiClient]:
        from talon_one.aio.client import ApiClient

        return ApiClient

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections of the client."""
        await self.api_client.aclose()

    def iterate(
        self,
        method: Callable[P, Awaitable[talon_one.pagination.ListResponse[T]]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> talon_one.aio.pagination.AsyncItems[T]:
        """Return an iterator for ``async for`` over the items of a list.

        Pages are requested on demand. The iterator itself is not awaited.

        Args:
            method: Method that returns one page, such as ``management.get_applications``.
            args: Its positional arguments.
            kwargs: Its keyword arguments, ``page_size`` and ``skip`` included.

        Raises:
            ApiTypeError: The method returns no list.
        """
        from talon_one.aio.pagination import AsyncItems

        return AsyncItems(method, args, kwargs)

    def pages(
        self, method: Callable[P, Awaitable[A]], /, *args: P.args, **kwargs: P.kwargs
    ) -> talon_one.aio.pagination.AsyncPages[A]:
        """Return an iterator for ``async for`` over the responses of a list; see `iterate`."""
        from talon_one.aio.pagination import AsyncPages

        return AsyncPages(method, args, kwargs)

    def stream(
        self, method: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs
    ) -> talon_one.aio.download.Download:
        """Return the response of a method as a download, to be read in chunks.

        ::

            async with management.stream(management.export_coupons, 1) as download:
                await download.save("coupons.csv")

        Args:
            method: A method of this object.
            args: Its arguments.
            kwargs: Its keyword arguments and the settings of the call.
        """
        from talon_one.aio.download import Download

        return Download(self.api_client, self._operation_of(method), args, kwargs)

    def table(
        self, method: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs
    ) -> talon_one.aio.tables.Table:
        """Return the CSV file of an export as a table, whose rows are read as they arrive.

        ::

            async with management.table(management.export_coupons, 1) as table:
                async for row in table:
                    print(row["value"])

        Args:
            method: A method of this object that exports a CSV file.
            args: Its arguments.
            kwargs: Its keyword arguments and the settings of the call.

        Raises:
            ApiTypeError: *method* exports no table.
        """
        from talon_one.aio.tables import Table

        return Table(method, *args, **kwargs)


def endpoint(operation: Operation) -> Callable[[F], F]:
    """Turn a signature with a docstring into the coroutine method that calls *operation*.

    See `talon_one.endpoint.endpoint`.
    """

    def decorate(signature: F) -> F:
        @wraps(signature)
        async def method(self: Api, *args: Any, **kwargs: Any) -> Any:
            return await self.api_client.call(operation, args, kwargs)

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
        async def variant(self: Api, *args: Any, **kwargs: Any) -> Any:
            # Not a copy, see the blocking twin.
            for name, value in setting.items():
                kwargs.setdefault(name, value)
            return await self.api_client.call(operation, args, kwargs)

        return as_variant(variant, method, declaration)

    return decorate
