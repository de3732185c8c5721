"""ApiResponse: the decoded response together with its status and headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class ApiResponse(Generic[T]):
    """Result of the ``..._with_http_info`` methods; unpacks as ``data, status, headers``.

    Attributes:
        data: Decoded response, the result of the plain method.
        status_code: HTTP status.
        headers: Headers of the response; their names are case-insensitive.
        raw_data: Bytes of the response.
    """

    __slots__ = ("data", "headers", "raw_data", "status_code")

    data: T
    headers: Mapping[str, str]
    raw_data: bytes
    status_code: int

    def __init__(
        self, status_code: int, headers: Mapping[str, str], data: T, raw_data: bytes
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        self.data = data
        self.raw_data = raw_data

    def __iter__(self) -> Iterator[Any]:
        return iter((self.data, self.status_code, self.headers))

    def __getitem__(self, index: int) -> Any:
        return (self.data, self.status_code, self.headers)[index]

    def __len__(self) -> int:
        return 3

    def __repr__(self) -> str:
        return f"<ApiResponse {self.status_code}: {type(self.data).__name__}>"
