"""The exception tree. Every error that this package raises on purpose is an `OpenApiException`.

::

    OpenApiException
    ├── ApiTypeError (TypeError)            a value or keyword of the wrong type
    ├── ApiValueError (ValueError)          a value that cannot be sent
    │   ├── ModelValidationError            `validate()` found violations; carries all of them
    │   ├── ConfigurationError              the host or a credential is missing or invalid
    │   ├── tables.TableError               a table cannot be imported; carries all problems
    │   ├── tables.CellError                a cell of an export does not fit into a record batch
    │   └── webhooks.MalformedBodyError     the body of a webhook is not a JSON object
    ├── effects.EffectHandlingError         functions for effects failed; carries all failures
    ├── webhooks.WrongSecretError           a webhook lacks the shared secret
    ├── checkout.UnexpectedStateError (RuntimeError)  a session is in another state than it should
    ├── ClientClosedError (RuntimeError)    the client was closed before the call
    ├── bulk.BulkStopped (RuntimeError)     a bulk job ended early; carries its summary
    ├── bulk.AttemptSuperseded              its cause: another attempt at the same part has begun
    ├── spark.RowsFailed                    more rows of a job failed than it allows
    ├── pagination.PagesError (RuntimeError)  the server repeats pages, or sends no list
    ├── ApiKeyError (KeyError)              the object has no such property
    ├── ApiAttributeError (AttributeError)  the class has no such attribute
    └── ApiException                        a call failed
        ├── BadRequestException             400
        ├── UnauthorizedException           401
        ├── ForbiddenException              403
        ├── NotFoundException               404
        ├── ConflictException               409
        ├── UnprocessableEntityException    422
        ├── TooManyRequestsException        429; `retry_after` says how long to wait
        ├── ServiceException                5xx
        ├── InvalidResponseError            2xx whose body cannot be decoded
        └── TransportError                  no complete HTTP response
            ├── NotSentError                the server did not receive the request
            │   ├── TlsError                the connection could not be secured
            │   ├── resilience.CircuitOpenError  a circuit breaker refused the attempt
            │   └── ConnectTimeoutError     no connection in time (also an ApiTimeoutError)
            ├── NoResponseError             the server may have executed the request
            │   └── ReadTimeoutError        no response in time (also an ApiTimeoutError)
            └── ApiTimeoutError             the timeouts of both kinds (TimeoutError)

Exceptions outside `ApiException`, except those with a module name, are raised before anything is
sent, or, if the file of an upload cannot be read to its end, before the request is complete. Then
the server cannot execute it. Below `ApiException`, only `NotSentError` means that the server did
not receive the request. After retries, the exception is that of the last attempt, and `earlier` has
the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

PathToItem = Sequence[Any]
"""Keys and indexes that lead to a value in the data."""


class Violation(NamedTuple):
    """One reason why an object is not valid."""

    path: PathToItem
    message: str

    def __str__(self) -> str:
        return f"{json_path(self.path)} {self.message}"


class OpenApiException(Exception):
    """Base class of all exceptions that this package raises on purpose."""


class _PathError(OpenApiException):
    """An error in one value of the data; `path_to_item` leads to it."""

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
    """A value or a keyword has the wrong type."""

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
    """A value cannot be sent: an argument is invalid, or a file to upload cannot be read."""


class ApiKeyError(_PathError, KeyError):
    """The JSON object has no such property."""


class ApiAttributeError(_PathError, AttributeError):
    """The class has no such attribute."""


_ENTRY = ("title", "details", "source")


class ErrorEntry(dict[str, Any]):
    """One entry of `ApiException.errors`; attributes that it lacks are ``None``.

    Attributes:
        title: Short description of the error.
        details: Further details.
        source: Location of the error, such as ``source.pointer``.
    """

    def __missing__(self, key: str) -> Any:
        if key in _ENTRY:
            return None
        raise ApiKeyError(f"no {key!r} in this entry")

    def __getattr__(self, name: str) -> Any:
        if name not in self and name not in _ENTRY:
            raise ApiAttributeError(f"this entry has no {name!r}")
        value = self[name]
        return ErrorEntry(value) if type(value) is dict else value


class ClientClosedError(OpenApiException, RuntimeError):
    """The client was closed; nothing was sent."""


class ConfigurationError(ApiValueError):
    """The host or a credential is missing or invalid; nothing was sent."""


class ModelValidationError(ApiValueError):
    """An object is not valid, so it is not sent.

    Attributes:
        violations: All violations, each with its JSON path.
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
    """A call failed.

    Attributes:
        status: HTTP status of the response; ``None`` when there was none.
        reason: HTTP reason phrase, or a description of the failure.
        body: Text of the response, if there was one.
        headers: Headers of the response, if there was one.
        data: Decoded error body (such as `ErrorResponseWithStatus`), if it could be decoded.
        raw_data: Bytes of the response, if there was one.
        operation_id: ID of the operation, such as ``updateCustomerSessionV2``.
        method: HTTP method of the request.
        url: URL of the request without its query.
        attempts: Number of attempts.
        earlier: Failures of the earlier attempts, oldest first.
        retry_budget_exhausted: Whether the call was not retried because other failed calls used up
            the retry budget of the client.
        notes: Details that a module such as `talon_one.tables` adds. The message shows them instead
            of `errors`.
    """

    attempts = 1
    retry_budget_exhausted = False
    on_stale_connection = False
    """Whether the connection had served requests before; set by the transports."""
    notes: tuple[str, ...] = ()
    earlier: tuple[ApiException, ...] = ()

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
        """Return an exception of the class for the status of a response."""
        status = http_resp.status if http_resp is not None else details.get("status")
        return exception_class(status)(http_resp=http_resp, body=body, data=data, **details)

    @property
    def message(self) -> str | None:
        """Message in the body, from the server or a gateway; for a redirect, its target."""
        from talon_one._utils.error_body import message

        return message(self.status, self.headers, self.data, self.body)

    @property
    def errors(self) -> list[ErrorEntry]:
        """Entries of the error body, each with `title`, `details` and `source`, maybe ``None``.

        Read them as attributes or by key.
        """
        from talon_one._utils.error_body import entries

        return [ErrorEntry(entry) for entry in entries(self.data)]

    @property
    def request_id(self) -> str | None:
        """ID of the request, from the server or a gateway, to quote in a support request."""
        for name in _REQUEST_ID_HEADERS:
            if self.headers is not None and self.headers.get(name):
                return self.headers[name]
        found = self._error_body().get("RequestUUID")
        return found if isinstance(found, str) else None

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asked to wait before a retry, if it did."""
        import time

        from talon_one._utils.retry_after import retry_after

        return retry_after(self.headers, time.time()) if self.headers is not None else None

    def _error_body(self) -> dict[str, Any]:
        # The JSON behind a model, as the values inside may be of any type and depth.
        body = self.data.__wire__() if hasattr(self.data, "__wire__") else self.data
        return body if isinstance(body, dict) else {}

    @property
    def _host(self) -> str:
        """The host for the message; empty if it has responded."""
        return ""

    def __str__(self) -> str:
        parts = [
            str(part) for part in (self.operation_id, self._host, self.status, self.reason) if part
        ]
        line = " ".join(parts) or type(self).__name__
        if self.attempts > 1:
            line += f" (after {self.attempts} attempts)"
        if self.retry_budget_exhausted:
            line += " (retry budget exhausted)"
        details = [self.message] if self.message else []
        details += self.notes
        for entry in self.errors if not self.notes else ():
            texts = [entry.title, entry.details]
            details.append(": ".join(text for text in texts if text and isinstance(text, str)))
        if details:
            line += f": {'; '.join(filter(None, details))}"
        return " ".join(line.split())

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class BadRequestException(ApiException):
    """400: the request is invalid, or not possible in the current state."""


class UnauthorizedException(ApiException):
    """401: the credential is missing, unknown, expired, or for another environment."""


class ForbiddenException(ApiException):
    """403: the credential does not allow this call."""


class NotFoundException(ApiException):
    """404: no such path or ID."""


class ConflictException(ApiException):
    """409: too many parallel updates of one session or profile, or a name that is in use."""


class UnprocessableEntityException(ApiException):
    """422: the request is well-formed, but its content is not accepted."""


class TooManyRequestsException(ApiException):
    """429: the rate limit is exceeded; `retry_after` says how long to wait."""


class ServiceException(ApiException):
    """5xx: the server failed."""


class InvalidResponseError(ApiException):
    """The body of a 2xx response cannot be decoded: it is empty, not JSON, or broken.

    The server has executed the request. `raw_data` has the bytes of the body.
    """


class TransportError(ApiException):
    """There was no complete HTTP response; the cause is chained."""

    @property
    def _host(self) -> str:
        # Often the host is misspelled or unreachable.
        return "/".join(self.url.split("/")[:3]) + ":" if self.url else ""


class NotSentError(TransportError):
    """The server did not receive the request: no address, no connection, or no TLS."""


class NoResponseError(TransportError):
    """The request was sent, but there was no complete response: it may have been executed."""


class ApiTimeoutError(TransportError, TimeoutError):
    """The timeout of a step, or the deadline of the call, has passed."""


class TlsError(NotSentError):
    """TLS failed: an unknown certificate authority, a wrong host name, no common protocol."""


class ConnectTimeoutError(ApiTimeoutError, NotSentError):
    """There was no connection in time; the server did not receive the request."""


class ReadTimeoutError(ApiTimeoutError, NoResponseError):
    """The request was sent, but there was no complete response in time."""


# Headers in which gateways put the ID of a request; the platform documents none.
_REQUEST_ID_HEADERS = ("X-Request-Id", "X-Correlation-Id", "Request-Id", "X-Amzn-Trace-Id")

_BY_STATUS: dict[int | None, type[ApiException]] = {
    400: BadRequestException,
    401: UnauthorizedException,
    403: ForbiddenException,
    404: NotFoundException,
    409: ConflictException,
    422: UnprocessableEntityException,
    429: TooManyRequestsException,
}


def exception_class(status: int | None) -> type[ApiException]:
    """Return the exception class for an HTTP status."""
    if status is not None and 500 <= status <= 599:
        return ServiceException
    return _BY_STATUS.get(status, ApiException)


def transport_error_class(
    *, sent: bool, timed_out: bool, tls: bool = False
) -> type[TransportError]:
    """Return the exception class for an attempt without a complete response.

    Args:
        sent: Whether any part of the request may have reached the server.
        timed_out: Whether a timeout or the deadline passed.
        tls: Whether the TLS handshake failed.
    """
    if sent:
        return ReadTimeoutError if timed_out else NoResponseError
    if timed_out:
        return ConnectTimeoutError
    return TlsError if tls else NotSentError


def json_path(path_to_item: PathToItem) -> str:
    """Return a path of keys and indexes as JSONPath: ``$.cartItems[0].sku``."""
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
