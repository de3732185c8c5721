"""From the bytes of a request to the bytes of its response: everything but the socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from talon_one.sandbox import files, json_text
from talon_one.sandbox.access import authenticate
from talon_one.sandbox.call import JSON, Call, Query, Result
from talon_one.sandbox.database import Database
from talon_one.sandbox.errors import ApiError, Problem, invalid
from talon_one.sandbox.routes import Route, find
from talon_one.sandbox.validation import Problems
from talon_one.sandbox.values import hours_before, utc_now

IDEMPOTENCY_HOURS = 24
IDEMPOTENCY_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Request:
    """A request as received.

    Attributes:
        method: HTTP method.
        target: Path and query exactly as sent, neither decoded nor normalized.
        headers: Headers; names are case-insensitive.
        body: The exact bytes of the body.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """A response to send; an empty body is sent without a content type."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON


class Dispatcher:
    """Handle requests one at a time, each in its own transaction.

    Args:
        database: Database that keeps the state.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def respond(self, request: Request) -> Response:
        """Return the response to a request; a refused request is a response, not an exception."""
        route = None
        try:
            path, _, query = request.target.partition("?")
            route, ids = find(request.method, path)
            with self._database.transaction(dry=True) as store:
                authenticate(store, route.access, request.headers, request.body)
            return self._run(route, ids, _query(query), request)
        except ApiError as refusal:
            body = refusal.body(with_status=route is None or route.status_in_errors)
            headers = {"Allow": ", ".join(refusal.allow)} if refusal.allow else {}
            return Response(refusal.status, json_text.write(body), headers)

    def _run(self, route: Route, ids: tuple[str, ...], query: Query, request: Request) -> Response:
        dry = route.dry and query.flag("dry")
        key = _idempotency_key(request) if route.idempotent else ""
        now = utc_now()
        # A key belongs to one method and target: used again elsewhere, it must not return the
        # wrong response. A dry run rolls its stored response back with its other changes.
        target, since = f"{request.method} {request.target}", hours_before(now, IDEMPOTENCY_HOURS)
        with self._database.transaction(dry=dry) as store:
            if key and (stored := store.response(target, key, since)):
                return Response(*stored)
            body = _body(route, request)
            result: Result = route.operation(Call(store, now, ids, query, body, dry))
            response = Response(result.status, _encoded(result), content_type=result.content_type)
            if key:
                store.save_response(target, key, now, since, response.status, response.body)
        return response


def _encoded(result: Result) -> bytes:
    if result.body is None:
        return b""
    if result.content_type == JSON:
        return json_text.write(result.body)
    return str(result.body).encode()


def _query(text: str) -> Query:
    try:
        # The first value of a repeated parameter counts.
        return Query(dict(reversed(parse_qsl(text, keep_blank_values=True, errors="strict"))))
    except ValueError as cause:
        details = "the query is not percent-encoded UTF-8"
        raise invalid(Problem("Invalid", details, parameter="query")) from cause


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > IDEMPOTENCY_KEY_LENGTH:
        details = f"must have at most {IDEMPOTENCY_KEY_LENGTH} characters"
        raise invalid(Problem("maxLength", details, parameter="Idempotency-Key"))
    return key


def _body(route: Route, request: Request) -> Any:
    """Return the text of an uploaded file, or the validated JSON body.

    Raises:
        ApiError: 400 with every problem of the body.
    """
    if route.upload:
        return files.uploaded(request.headers.get("Content-Type", ""), request.body)
    if route.body is None:
        return None
    try:
        value = json_text.read(request.body.decode("utf-8"))
    except ValueError as cause:
        raise invalid(Problem("Malformed", "the body is not valid JSON")) from cause
    problems: Problems = []
    checked = route.body(value, "", problems)
    if problems:
        raise invalid(*problems)
    return checked
