"""The tree of failures. Every error this package raises on purpose is an `OpenApiException`.

::

    OpenApiException
    ├── ApiTypeError (TypeError)            a value or keyword of the wrong kind
    ├── ApiValueError (ValueError)          a value that cannot be sent
    │   ├── ModelValidationError            `validate()` found violations; carries all of them
    │   └── ConfigurationError              host or credentials are missing or unusable
    ├── ApiKeyError (KeyError)              a property that the object does not have
    ├── ApiAttributeError (AttributeError)  a name that the class does not have
    └── ApiException                        the call was made, or was about to be
        ├── BadRequestException             400
        ├── UnauthorizedException           401
        ├── ForbiddenException              403
        ├── NotFoundException               404
        ├── ConflictException               409
        ├── UnprocessableEntityException    422
        ├── ServiceException                5xx
        ├── UndecodableAnswerError          2xx whose body is not what was promised
        └── TransportError                  no complete HTTP answer
            ├── NotSentError                the server never saw the request
            └── NoAnswerError               it may have; nothing usable came back

The first two branches are raised before anything is sent; below `ApiException`, only
`NotSentError` says that the server did not see the request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

PathToItem = Sequence[Any]
"""Keys and indexes that lead to a place in the data."""


class Violation(NamedTuple):
    """One reason why an object may not be sent."""

    path: PathToItem
    message: str

    def __str__(self) -> str:
        return f"{json_path(self.path)} {self.message}"


class OpenApiException(Exception):
    """Root of everything this package raises on purpose."""


class _PathError(OpenApiException):
    """An error at one place of the data: `path_to_item` leads there, keys and indexes in order."""

    def __init__(self, msg: str = "", path_to_item: PathToItem | None = None) -> None:
        self.path_to_item = path_to_item
        self.message = msg
        super().__init__(f"{msg} at {json_path(path_to_item)}" if path_to_item else msg)

    def __str__(self) -> str:
        # KeyError would print the repr of the message.
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.path_to_item)


class ApiTypeError(_PathError, TypeError):
    """A value, or a keyword, of the wrong kind."""

    def __init__(
        self,
        msg: str = "",
        path_to_item: PathToItem | None = None,
        valid_classes: tuple[type, ...] | None = None,
        key_type: bool | None = None,
    ) -> None:
        self.valid_classes = valid_classes
        self.key_type = key_type
        super().__init__(msg, path_to_item)


class ApiValueError(_PathError, ValueError):
    """A value that cannot be sent."""


class ApiKeyError(_PathError, KeyError):
    """A property that the JSON object does not have."""


class ApiAttributeError(_PathError, AttributeError):
    """A Python name that the class does not have."""


class ConfigurationError(ApiValueError):
    """The host or a credential is missing or unusable; nothing was sent."""


class ModelValidationError(ApiValueError):
    """An object that may not be sent as it is.

    Attributes:
        violations: Everything that is wrong with it, each with its JSON path.
    """

    def __init__(self, subject: str, violations: Sequence[Violation]) -> None:
        self.subject = subject
        self.violations = tuple(violations)
        found = "; ".join(str(violation) for violation in self.violations)
        count = len(self.violations)
        if count == 1 and not self.violations[0].path:  # A single value, such as a parameter.
            super().__init__(f"{subject} {self.violations[0].message}")
        else:
            super().__init__(f"{subject} has {count} violation{'s' * (count != 1)}: {found}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.subject, self.violations)


class ApiException(OpenApiException):
    """A call that failed.

    Attributes:
        status: HTTP status of the answer; ``None`` when there was none.
        reason: HTTP reason phrase, or what went wrong.
        body: Text of the answer, if any.
        headers: Headers of the answer, if any.
        data: Decoded error body (such as `ErrorResponseWithStatus`), if it could be decoded.
        raw_data: Bytes of the answer, if any.
        operation_id: Operation that was called, such as ``updateCustomerSessionV2``.
        method: HTTP method of the request.
        url: URL of the request without its query.
    """

    def __init__(
        self,
        status: int | None = None,
        reason: str | None = None,
        http_resp: Any = None,
        *,
        body: str | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        raw_data: bytes | None = None,
        operation_id: str | None = None,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        if http_resp is not None:
            status = http_resp.status if status is None else status
            reason = http_resp.reason if reason is None else reason
            headers = http_resp.headers if headers is None else headers
            raw_data = http_resp.data if raw_data is None else raw_data
        if body is None and raw_data is not None:
            body = _text(raw_data)
        self.status = status
        self.reason = reason
        self.body = body
        self.headers = headers
        self.data = data
        self.raw_data = raw_data
        self.operation_id = operation_id
        self.method = method
        self.url = url
        super().__init__(status, reason)

    @classmethod
    def from_response(
        cls,
        *,
        http_resp: Any = None,
        body: str | None = None,
        data: Any = None,
        **details: Any,
    ) -> ApiException:
        """Return the exception of the class that belongs to the status of an answer."""
        status = http_resp.status if http_resp is not None else details.get("status")
        return exception_class(status)(http_resp=http_resp, body=body, data=data, **details)

    @property
    def message(self) -> str | None:
        """What the server said: `message` of the error body."""
        found = self._error_body().get("message")
        return found if isinstance(found, str) else None

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Entries of the error body, each with `title`, `details` and `source`."""
        found = self._error_body().get("errors")
        return [entry for entry in found if isinstance(entry, dict)] if found else []

    def _error_body(self) -> dict[str, Any]:
        body = self.data.to_wire() if hasattr(self.data, "to_wire") else self.data
        return body if isinstance(body, dict) else {}

    def __str__(self) -> str:
        parts = [str(part) for part in (self.operation_id, self.status, self.reason) if part]
        line = " ".join(parts) or type(self).__name__
        said = [self.message] if self.message else []
        for entry in self.errors:
            title, details = entry.get("title"), entry.get("details")
            said.append(": ".join(str(part) for part in (title, details) if part))
        return f"{line}: {'; '.join(filter(None, said))}" if said else line

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class BadRequestException(ApiException):
    """400: the request is invalid, or not possible in the present state."""


class UnauthorizedException(ApiException):
    """401: the credential is missing, unknown, expired or of another environment."""


class ForbiddenException(ApiException):
    """403: the credential is valid, but not for this call."""


class NotFoundException(ApiException):
    """404: no such path or ID."""


class ConflictException(ApiException):
    """409: parallel updates of one session or profile, or a name that is taken."""


class UnprocessableEntityException(ApiException):
    """422: the request is well-formed, but its content is refused."""


class ServiceException(ApiException):
    """5xx: a fault of the server."""


class UndecodableAnswerError(ApiException):
    """A 2xx answer whose body is not the JSON promised; `raw_data` has its bytes.

    The server has carried out the request.
    """


class TransportError(ApiException):
    """No complete HTTP answer was received; the cause is chained."""


class NotSentError(TransportError):
    """The request never reached the server: no address, no connection, no TLS."""


class NoAnswerError(TransportError):
    """The request was sent, but no usable answer came back: it may have been carried out."""


_BY_STATUS: dict[int, type[ApiException]] = {
    400: BadRequestException,
    401: UnauthorizedException,
    403: ForbiddenException,
    404: NotFoundException,
    409: ConflictException,
    422: UnprocessableEntityException,
}


def exception_class(status: int | None) -> type[ApiException]:
    """Return the class of exception for an HTTP status."""
    if status is not None and 500 <= status <= 599:
        return ServiceException
    return _BY_STATUS.get(status or 0, ApiException)


def json_path(path_to_item: PathToItem) -> str:
    """Return a path of keys and indexes the way JSONPath writes it: ``$.cartItems[0].sku``."""
    steps = []
    for step in path_to_item:
        if isinstance(step, int):
            steps.append(f"[{step}]")
        elif str(step).isidentifier():
            steps.append(f".{step}")
        else:
            steps.append(f"[{step!r}]")
    return "$" + "".join(steps)


def _text(raw: Any) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _rebuild(cls: type[ApiException], args: tuple[Any, ...], state: dict[str, Any]) -> ApiException:
    exception = cls(*args)
    exception.__dict__.update(state)
    return exception
