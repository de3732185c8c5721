"""From the bytes of a request to the bytes of its answer: everything but the socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from . import files, json_text
from .access import authenticate
from .call import JSON, Call, Query, Result
from .database import Database
from .errors import ApiError, Problem, invalid
from .routes import Route, find
from .validation import Problems
from .values import hours_before, utc_now

IDEMPOTENCY_HOURS = 24
IDEMPOTENCY_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in.

    Attributes:
        method: HTTP method.
        target: Path and query exactly as sent, nothing decoded or normalised.
        headers: Headers, looked up without regard to case.
        body: The exact bytes of the body.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """An answer ready to be sent; an empty body goes out without a content type."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON


class Dispatcher:
    """Answers requests, one at a time, each in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Answer from the given database."""
        self._database = database

    def answer(self, request: Request) -> Response:
        """Answer a request; whatever is wrong with it is an answer too."""
        route = None
        try:
            path, _, query = request.target.partition("?")
            route, ids = find(request.method, path)
            with self._database.transaction(dry=True) as store:
                authenticate(store, route.access, request.headers, request.body)
            return self._carry_out(route, ids, _query(query), request)
        except ApiError as error:
            body = error.body(with_status=route is None or route.status_in_errors)
            headers = {"Allow": ", ".join(error.allow)} if error.allow else {}
            return Response(error.status, json_text.write(body), headers)

    def _carry_out(
        self, route: Route, ids: tuple[str, ...], query: Query, request: Request
    ) -> Response:
        dry = route.dry and query.flag("dry")
        key = _idempotency_key(request) if route.idempotent else ""
        now = utc_now()
        # A key belongs to one operation on one thing, so that using it again elsewhere does not
        # bring back the wrong answer. That of a dry request is forgotten with its changes.
        about, since = f"{request.method} {request.target}", hours_before(now, IDEMPOTENCY_HOURS)
        with self._database.transaction(dry=dry) as store:
            if key and (stored := store.answer(about, key, since)):
                return Response(*stored)
            body = _body(route, request)
            answer: Result = route.operation(Call(store, now, ids, query, body, dry))
            response = Response(answer.status, _encoded(answer), content_type=answer.content_type)
            if key:
                store.save_answer(about, key, now, since, response.status, response.body)
        return response


def _encoded(answer: Result) -> bytes:
    if answer.body is None:
        return b""
    if answer.content_type == JSON:
        return json_text.write(answer.body)
    return str(answer.body).encode()


def _query(text: str) -> Query:
    try:
        # Of a parameter given twice the first one counts.
        return Query(dict(reversed(parse_qsl(text, keep_blank_values=True, errors="strict"))))
    except ValueError as error:
        details = "the query is not percent-encoded UTF-8"
        raise invalid(Problem("Invalid", details, parameter="query")) from error


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > IDEMPOTENCY_KEY_LENGTH:
        details = f"must have at most {IDEMPOTENCY_KEY_LENGTH} characters"
        raise invalid(Problem("maxLength", details, parameter="Idempotency-Key"))
    return key


def _body(route: Route, request: Request) -> Any:
    """Return the text of the file that an operation takes, or its JSON body, checked.

    Raises:
        ApiError: 400 with everything that is wrong with it.
    """
    if route.upload:
        return files.uploaded(request.headers.get("Content-Type", ""), request.body)
    if route.body is None:
        return None
    try:
        value = json_text.read(request.body.decode("utf-8"))
    except ValueError as error:
        raise invalid(Problem("Malformed", "the body is not valid JSON")) from error
    problems: Problems = []
    checked = route.body(value, "", problems)
    if problems:
        raise invalid(*problems)
    return checked
