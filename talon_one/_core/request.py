"""Build the Request of a call from an Operation and its arguments. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from talon_one._core.address import base_url
from talon_one._core.auth import SCHEMES, auth_header
from talon_one._core.headers import check_header, check_headers
from talon_one._core.operation import IDEMPOTENCY_KEY
from talon_one._core.options import OPTION_KEYWORDS, CallOptions
from talon_one._core.secret import plain_str
from talon_one._schema import json_codec
from talon_one._schema.access import data_of, wrap
from talon_one._schema.conversion import model_class
from talon_one._schema.misspelled import warn
from talon_one._schema.model import Model
from talon_one._schema.scalars import Unchecked
from talon_one._schema.validation import findings, value_check
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ApiTypeError, ApiValueError, ModelValidationError

if TYPE_CHECKING:
    from talon_one._core.operation import Body, Operation, Parameter
    from talon_one._core.upload import UploadBody
    from talon_one.configuration import Configuration

JSON_TYPE = "application/json"

_NUMBERS = {"int": re.compile(r"-?[0-9]+"), "float": re.compile(r"-?[0-9]+(\.[0-9]+)?")}
_KEY_HEADER = IDEMPOTENCY_KEY.lower()
_LENGTH = frozenset({"Content-Length"})
_NONE: frozenset[str] = frozenset()
_CREDENTIAL_HEADERS = frozenset(scheme.header.lower() for scheme in SCHEMES.values())


class Carryover:
    """State that an attempt passes to the next attempt of the same request.

    Attributes:
        fresh: Whether the next attempt needs a new connection, because a reused one failed.
    """

    __slots__ = ("fresh",)

    def __init__(self) -> None:
        self.fresh = False


class Request(NamedTuple):
    """Everything that is sent for a call, and the ID of its operation."""

    operation_id: str
    method: str
    base: str
    """Scheme, host and port."""
    target: str
    """Path and query."""
    headers: dict[str, str]
    body: bytes | UploadBody | None
    entities: tuple[tuple[str, str], ...] = ()
    """Its session and profile, if calls queue for them."""
    carryover: Carryover | None = None
    """For the transport; ``None`` if there is only one attempt."""

    def plain_headers(self) -> dict[str, str]:
        """Return the headers as plain `str`, as libraries that record requests expect them."""
        return {name: str(text) for name, text in self.headers.items()}

    @property
    def has_idempotency_key(self) -> bool:
        """Whether the server can recognize a retry by its ``Idempotency-Key``."""
        return has_idempotency_key(self.headers)

    @property
    def replayable(self) -> bool:
        """Whether it can be sent again from its start."""
        return self.body is None or isinstance(self.body, bytes) or self.body.replayable

    @property
    def url(self) -> str:
        """The complete URL."""
        return self.base + self.target

    @property
    def url_without_query(self) -> str:
        """The URL for logs and exceptions."""
        return self.base + self.target.partition("?")[0]

    def __repr__(self) -> str:
        # Without headers, which hold credentials, query and body.
        return f"<Request {self.operation_id}: {self.method} {self.url_without_query}>"


def build(
    operation: Operation,
    configuration: Configuration,
    default_headers: Mapping[str, str],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    options: CallOptions,
    warned: set[str] | None = None,
) -> Request:
    """Return the request for a call of *operation*.

    Args:
        operation: What is called.
        configuration: Host and credentials.
        default_headers: Headers that the client adds to every request.
        args: Positional arguments: required parameters, then the body.
        kwargs: Keyword arguments, by any of their accepted names.
        options: Settings of this call.
        warned: Unknown properties that the client has already warned about.

    Raises:
        ApiTypeError: An unknown keyword, or a value of the wrong kind.
        ApiValueError: A missing or unusable value; see its subclasses.
    """
    base = base_url(configuration.host)
    values = _bind(operation, args, kwargs)
    _supply_key(operation, configuration, values, options.headers)
    validate = configuration.client_side_validation
    path = operation.path
    pairs: list[str] = []
    headers = {"Accept": operation.accept, **default_headers}
    for parameter in operation.parameters:
        value = values.get(parameter.name)
        if value is None:
            continue
        if validate:
            check = operation.checks.get(parameter.name)
            if check is None:
                check = operation.checks[parameter.name] = _parameter_check(parameter)
            check(value)
        if parameter.location == "path":
            segment = path_segment(parameter.name, value, configuration.safe_chars_for_path_param)
            path = path.replace(f"{{{parameter.wire}}}", segment)
        elif parameter.location == "query":
            pairs += _query_pairs(parameter, value, configuration)
        else:
            headers[parameter.wire] = _text(value, configuration)
    if warned is None:
        warned = set()
    body: bytes | UploadBody | None = None
    if operation.body is not None or operation.upload is not None:
        body = _encoded_body(operation, values, warned if validate else None, headers)
    if options.content_type and body is not None:
        check_header("Content-Type", options.content_type)
        headers["Content-Type"] = plain_str(options.content_type)
    for name, text in options.headers.items():
        check_header(name, text)
        headers[plain_str(name)] = text
    _authenticate(operation, configuration, headers, body, options)
    check_headers(headers, _NONE if body is None or isinstance(body, bytes) else _LENGTH)
    target = f"{path}?{'&'.join(pairs)}" if pairs else path
    queues = configuration.calls_per_id is not None and operation.serialised
    entities = tuple(_entities(operation, values)) if queues else ()
    return Request(
        operation.id, operation.method, base, target, headers, body, entities, Carryover()
    )


def _entities(operation: Operation, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    wires = {each.wire: each.name for each in operation.parameters}
    for kind, place in operation.serialised.items():
        first, *steps = place.split(".")
        value: Any = values.get(wires[steps.pop(0)] if first == "path" else "body")
        for step in steps:
            value = data_of(value)
            value = value.get(step) if isinstance(value, Mapping) else None
        # A session without a profile ID is anonymous.
        if value not in (None, "", json_codec.NULL):
            yield kind, str(value)


def path_segment(name: str, value: Any, safe: str = "") -> str:
    """Return an ID percent-encoded as one segment of a path.

    Raises:
        ApiValueError: The ID is empty or consists of dots only, which would change the path.
    """
    text = _text(value)
    if not text:
        raise ApiValueError(f"{name} must not be empty: the path would lead elsewhere")
    if not text.strip("."):
        raise ApiValueError(f"{name} must not be {text!r}: the path would lead elsewhere")
    try:
        segment = quote(text, safe=safe)
    except UnicodeEncodeError as cause:
        raise ApiValueError(f"{name} {text!r} is no valid Unicode text") from cause
    if any(each and not each.strip(".") for each in segment.split("/")):
        raise ApiValueError(f"{name} must not hold {text!r}: the path would lead elsewhere")
    return segment


def _bind(operation: Operation, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments by Python name."""
    positional = operation.positional
    if len(args) > len(positional):
        raise ApiTypeError(
            f"{operation.id} takes {len(positional)} positional arguments"
            f" ({', '.join(positional)}), not {len(args)}; give the rest as keywords"
        )
    values = dict(zip(positional, args, strict=False))
    keywords = operation.keywords
    for keyword, value in kwargs.items():
        name = keywords.get(keyword)
        if name is None:
            hint = did_you_mean(keyword, [*keywords, *OPTION_KEYWORDS])
            raise ApiTypeError(f"{operation.id} has no parameter {keyword!r}.{hint}")
        if values.get(name) is not None:
            raise ApiTypeError(f"{operation.id} got {name!r} twice")
        values[name] = value
    for name in operation.required:
        if values.get(name) is None:
            raise ApiValueError(f"{operation.id} needs {name!r}")
    return values


def has_idempotency_key(headers: Mapping[str, str]) -> bool:
    """Return whether headers hold an ``Idempotency-Key``."""
    return any(name.lower() == _KEY_HEADER and text.strip() for name, text in headers.items())


def _supply_key(
    operation: Operation,
    configuration: Configuration,
    values: dict[str, Any],
    headers: Mapping[str, str],
) -> None:
    """Generate the ``Idempotency-Key`` of a call, unless the caller has set one."""
    name = operation.key_parameter
    if name is None:
        return
    if values.get(name) is json_codec.NULL or any(each.lower() == _KEY_HEADER for each in headers):
        values.pop(name, None)
    elif values.get(name) is None and configuration.generate_idempotency_keys:
        from uuid import uuid4

        values[name] = str(uuid4())


def _parameter_check(parameter: Parameter) -> Callable[[Any], None]:
    """Return a function that raises if a value of a parameter cannot be sent."""
    violations_of = value_check(parameter.type, parameter.constraints)
    # Paths and queries are text, so a number may be given as text.
    number = _NUMBERS.get(parameter.type)
    # And a list of texts as its only item.
    holds_texts = parameter.type.startswith(("list[str]", "list[Literal['"))

    def check(value: Any) -> None:
        if isinstance(value, str):
            if number is not None and number.fullmatch(value):
                return
            if holds_texts:
                # Parts of a text that is to be sent as it is would be checked again.
                whole = not parameter.comma or type(value) is Unchecked
                value = [value] if whole else value.split(",")
        violations = violations_of(value)
        if violations:
            raise ModelValidationError(parameter.name, violations)

    return check


def _query_pairs(parameter: Parameter, value: Any, configuration: Configuration) -> list[str]:
    name = quote(parameter.wire, safe="")
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [quote(_text(item, configuration), safe="") for item in value]
        if parameter.comma:
            return [f"{name}={','.join(items)}"] if items else []
        return [f"{name}={item}" for item in items]
    # A text may hold several items, as in the URL.
    return [f"{name}={quote(_text(value, configuration), safe=',' if parameter.comma else '')}"]


def _text(value: Any, configuration: Configuration | None = None) -> str:
    """Return the text of a value in paths and queries."""
    if isinstance(value, str):
        return plain_str(value.value if isinstance(value, Enum) else value)
    if isinstance(value, (dict, list, tuple, set, bytes, Model)):
        raise ApiTypeError(f"{type(value).__name__} cannot stand in a URL")
    if configuration is not None:
        if configuration.datetime_format and isinstance(value, datetime):
            return value.strftime(configuration.datetime_format)
        if configuration.date_format and type(value) is date:
            return value.strftime(configuration.date_format)
    if value is json_codec.NULL:
        raise ApiValueError("NULL cannot stand in a URL")
    written = json_codec.encode(value).decode()
    return written[1:-1] if written.startswith('"') else written


def _encoded_body(
    operation: Operation,
    values: Mapping[str, Any],
    warned: set[str] | None,
    headers: dict[str, str],
) -> bytes | UploadBody | None:
    if operation.upload is not None:
        file = values.get(operation.upload.name)
        if file is None:
            return None
        from talon_one._core.upload import UploadBody

        form = UploadBody(operation.upload.wire, file)
        headers["Content-Type"] = form.content_type
        if form.length is not None:  # Otherwise the transport uses chunked encoding.
            headers["Content-Length"] = str(form.length)
        return form
    body = values.get("body")
    if body is None or operation.body is None:
        return None
    _check_body(operation, operation.body, body, warned)
    headers["Content-Type"] = JSON_TYPE
    return json_codec.encode(body)


@cache
def _accepted(expected: Body, models: str) -> tuple[type[Model], ...]:
    """Return the model classes that are accepted as the body."""
    classes = [model_class(name, models) for name in (expected.type, *expected.also)]
    return tuple(cls for cls in classes if cls is not None)


def _check_body(operation: Operation, expected: Body, body: Any, warned: set[str] | None) -> None:
    """Check the class of a body and, unless *warned* is ``None``, its values."""
    if expected.type == "Any":
        return
    accepted = _accepted(expected, operation.models)
    given_as: type[Model] | None = None
    if isinstance(body, Model):
        if accepted and not isinstance(body, accepted):
            names = " or ".join(cls.__name__ for cls in accepted)
            raise ApiTypeError(f"{operation.id} takes {names}, not {type(body).__name__}")
    elif isinstance(body, Mapping):
        given_as = accepted[0] if accepted else Model
        body = wrap(given_as, body if isinstance(body, dict) else dict(body))
    else:
        raise ApiTypeError(
            f"the body of {operation.id} is {expected.type} or a dict of wire names,"
            f" not {type(body).__name__}"
        )
    if warned is None:
        return
    wrong, unknown = findings(body, given_as)
    if wrong:
        raise ModelValidationError(type(body).__name__, wrong)
    if unknown:
        warn(operation.id, unknown, warned)


def _authenticate(
    operation: Operation,
    configuration: Configuration,
    headers: dict[str, str],
    body: bytes | UploadBody | None,
    options: CallOptions,
) -> None:
    if options.auth:
        for entry in ("key", "value"):
            if entry not in options.auth:
                raise ApiTypeError(f"_request_auth lacks the entry {entry!r}")
        check_header(options.auth["key"], options.auth["value"])
        headers[str(options.auth["key"])] = options.auth["value"]
        return
    for name in headers:
        if name.lower() in _CREDENTIAL_HEADERS and any(
            SCHEMES[scheme].header.lower() == name.lower() for scheme in operation.security
        ):
            return
    # Last, because the signature covers the exact bytes.
    signed = b"" if body is None else body if isinstance(body, bytes) else None
    header = auth_header(configuration, operation.security, signed)
    if header is not None:
        headers[header[0]] = header[1]
