"""The tree of failures. Every error this package raises on purpose is an `OpenApiException`.

::

    OpenApiException
    ├── ApiTypeError (TypeError)            a value or keyword of the wrong kind
    ├── ApiValueError (ValueError)          a value that cannot be sent
    │   ├── ModelValidationError            `validate()` found violations; carries all of them
    │   ├── ConfigurationError              host or credentials are missing or unusable
    │   ├── tables.TableError               a table cannot be imported; has all problems
    │   └── webhooks.MalformedBodyError     the body of a webhook is not a JSON object
    ├── effects.EffectHandlingError         functions for effects failed; has all failures
    ├── webhooks.WrongSecretError           a webhook lacks the shared secret
    ├── ClientClosedError (RuntimeError)    the client was closed before the call
    ├── bulk.BulkStopped (RuntimeError)     bulk work ended before its end; has the summary
    ├── pagination.PagesError (RuntimeError)  the server repeats pages, or sends no list
    ├── ApiKeyError (KeyError)              a property that the object does not have
    ├── ApiAttributeError (AttributeError)  a name that the class does not have
    └── ApiException                        the call was made, or was about to be
        ├── BadRequestException             400
        ├── UnauthorizedException           401
        ├── ForbiddenException              403
        ├── NotFoundException               404
        ├── ConflictException               409
        ├── UnprocessableEntityException    422
        ├── TooManyRequestsException        429; `retry_after` says when to come back
        ├── ServiceException                5xx
        ├── InvalidResponseError          2xx whose body is not what was promised
        └── TransportError                  no complete HTTP response
            ├── NotSentError                the server never saw the request
            │   ├── TlsError                the connection could not be secured
            │   └── ConnectTimeoutError     no connection in time (also an ApiTimeoutError)
            ├── NoResponseError               it may have; nothing usable came back
            │   └── ReadTimeoutError        no response in time (also an ApiTimeoutError)
            └── ApiTimeoutError             either of the two that ran out of time (TimeoutError)

All but the last branch, and those that name their module, are raised before anything is sent, or,
where the file of an upload cannot be read completely, before the request is complete, so that the
server cannot act on it. Below `ApiException`, only `NotSentError` says that the server did not see
the request. After retries the exception is that of the last attempt, and `earlier` has the
others.
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
    """A value that cannot be sent: an argument, or a file to upload that cannot be read."""


class ApiKeyError(_PathError, KeyError):
    """A property that the JSON object does not have."""


class ApiAttributeError(_PathError, AttributeError):
    """A Python name that the class does not have."""


_ENTRY = ("title", "details", "source")


class ErrorEntry(dict[str, Any]):
    """One entry of `ApiException.errors`; what it lacks of these is ``None``.

    Attributes:
        title: What is wrong.
        details: More about it.
        source: Where, such as ``source.pointer``.
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
        status: HTTP status of the response; ``None`` when there was none.
        reason: HTTP reason phrase, or what went wrong.
        body: Text of the response, if any.
        headers: Headers of the response, if any.
        data: Decoded error body (such as `ErrorResponseWithStatus`), if it could be decoded.
        raw_data: Bytes of the response, if any.
        operation_id: Operation that was called, such as ``updateCustomerSessionV2``.
        method: HTTP method of the request.
        url: URL of the request without its query.
        attempts: How often the request was tried.
        earlier: Failures of the attempts before this one, oldest first.
        retry_budget_exhausted: Whether the call would have been retried, if the client had not
            spent its retry budget on other calls that failed.
        notes: Details that a convenience such as `talon_one.tables` adds to the failure. The
            message shows them instead of `errors`.
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
        """Return the exception of the class that belongs to the status of a response."""
        status = http_resp.status if http_resp is not None else details.get("status")
        return exception_class(status)(http_resp=http_resp, body=body, data=data, **details)

    @property
    def message(self) -> str | None:
        """What the server, or a gateway in front of it, said in its body; where a redirect led."""
        from talon_one._utils.error_body import message

        return message(self.status, self.headers, self.data, self.body)

    @property
    def errors(self) -> list[ErrorEntry]:
        """Entries of the error body, each with `title`, `details` and `source`, if only ``None``.

        They are read as attributes, or by key.
        """
        from talon_one._utils.error_body import entries

        return [ErrorEntry(entry) for entry in entries(self.data)]

    @property
    def request_id(self) -> str | None:
        """What the server calls the request, for a report to its operator; where it says so."""
        for name in _REQUEST_ID_HEADERS:
            if self.headers is not None and self.headers.get(name):
                return self.headers[name]
        found = self._error_body().get("RequestUUID")
        return found if isinstance(found, str) else None

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asked to wait before another try, if it did."""
        import time

        from talon_one._utils.retry_after import retry_after

        return retry_after(self.headers, time.time()) if self.headers is not None else None

    def _error_body(self) -> dict[str, Any]:
        # As it is stored, because what is inside may be of any kind and depth.
        body = self.data.__wire__() if hasattr(self.data, "__wire__") else self.data
        return body if isinstance(body, dict) else {}

    @property
    def _host(self) -> str:
        """What is said of the host; nothing where it has responded."""
        return ""

    def __str__(self) -> str:
        named = (self.operation_id, self._host, self.status, self.reason)
        parts = [str(part) for part in named if part]
        line = " ".join(parts) or type(self).__name__
        if self.attempts > 1:
            line += f" (after {self.attempts} attempts)"
        if self.retry_budget_exhausted:
            line += " (retry budget exhausted)"
        said = [self.message] if self.message else []
        said += self.notes
        for entry in self.errors if not self.notes else ():
            texts = [entry.title, entry.details]
            said.append(": ".join(text for text in texts if text and isinstance(text, str)))
        if said:
            line += f": {'; '.join(filter(None, said))}"
        return " ".join(line.split())

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


class TooManyRequestsException(ApiException):
    """429: the rate limit is exceeded; `retry_after` has the pause that the server asked for."""


class ServiceException(ApiException):
    """5xx: a fault of the server."""


class InvalidResponseError(ApiException):
    """A 2xx response whose body is not the JSON promised; `raw_data` has its bytes.

    The server has executed the request.
    """


class TransportError(ApiException):
    """No complete HTTP response was received; the cause is chained."""

    @property
    def _host(self) -> str:
        # Often it is the host that is mistyped, or out of reach.
        return "/".join(self.url.split("/")[:3]) + ":" if self.url else ""


class NotSentError(TransportError):
    """The request never reached the server: no address, no connection, no TLS."""


class NoResponseError(TransportError):
    """The request was sent, but no usable response came back: it may have been executed."""


class ApiTimeoutError(TransportError, TimeoutError):
    """Time ran out: that of one step, or that of the whole call."""


class TlsError(NotSentError):
    """The connection could not be secured: an unknown authority, a wrong name, no common terms."""


class ConnectTimeoutError(ApiTimeoutError, NotSentError):
    """There was no connection in time; the server has not seen the request."""


class ReadTimeoutError(ApiTimeoutError, NoResponseError):
    """The request was sent, and there was no complete response in time."""


# Where gateways put the number of a request; the platform documents none.
_REQUEST_ID_HEADERS = ("X-Request-Id", "X-Correlation-Id", "Request-Id", "X-Amzn-Trace-Id")

_BY_STATUS: dict[int, type[ApiException]] = {
    400: BadRequestException,
    401: UnauthorizedException,
    403: ForbiddenException,
    404: NotFoundException,
    409: ConflictException,
    422: UnprocessableEntityException,
    429: TooManyRequestsException,
}


def exception_class(status: int | None) -> type[ApiException]:
    """Return the class of exception for an HTTP status."""
    if status is not None and 500 <= status <= 599:
        return ServiceException
    return _BY_STATUS.get(status or 0, ApiException)


def transport_error_class(
    *, sent: bool, timed_out: bool, tls: bool = False
) -> type[TransportError]:
    """Return the class of exception for an attempt without a complete response.

    Args:
        sent: Whether any of the request may have reached the server.
        timed_out: Whether time was up.
        tls: Whether the two sides could not agree on a secure connection.
    """
    if sent:
        return ReadTimeoutError if timed_out else NoResponseError
    if timed_out:
        return ConnectTimeoutError
    return TlsError if tls else NotSentError


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
