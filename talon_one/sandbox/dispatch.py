"""From the bytes of a request to the bytes of its response: everything but the socket."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from talon_one._core.operation import IDEMPOTENCY_KEY, Operation
from talon_one.sandbox import door, files, json_text
from talon_one.sandbox.access import authenticate
from talon_one.sandbox.admission import Entity, entities
from talon_one.sandbox.call import JSON, Call, Result
from talon_one.sandbox.contract.checks import check_body
from talon_one.sandbox.contract.operations import find, methods
from talon_one.sandbox.contract.queries import read_headers, read_ids, read_pairs, read_query
from talon_one.sandbox.contract.responses import complete
from talon_one.sandbox.database import Database
from talon_one.sandbox.errors import ApiError, Problem, invalid, not_found
from talon_one.sandbox.faults import Details
from talon_one.sandbox.idempotency import IdempotencyKey, fingerprint
from talon_one.sandbox.operations.table import HANDLERS, Handler
from talon_one.sandbox.page import routes as page_routes
from talon_one.sandbox.page.files import HEADERS
from talon_one.sandbox.page.routes import find_open
from talon_one.sandbox.permissions import check_permissions, is_staging, moment_of
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.opening import refusal_of
from talon_one.sandbox.state.state import Key, State
from talon_one.sandbox.world import World

# Operations whose 400 is an `ErrorResponse`; all others respond with `ErrorResponseWithStatus`.
_WITHOUT_STATUS: Final = frozenset(
    {
        "updateCustomerSession",
        "updateCustomerSessionV2",
        "returnCartItems",
        "reopenCustomerSession",
        "syncCatalog",
        "createStore",
        "updateStore",
    }
)


ROUTES: Final = (*door.ROUTES, *page_routes.ROUTES)
"""All routes of the door."""


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
    """A response to send; an empty body is sent without a content type.

    Attributes:
        status: HTTP status.
        body: The exact bytes of the body.
        headers: Headers beside those that follow from the body.
        content_type: Content type of the body.
        operation: The operation that was called; None if there is none.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    operation: Operation | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that may be carried out: it is authenticated and its body is valid.

    Attributes:
        operation: Its operation.
        handler: What carries it out.
        ids: Path parameters.
        query: Query parameters.
        body: The validated body.
        credential: The credential of the request.
        key: Idempotency key, None without one.
        dry: Whether its changes are rolled back.
        entities: Session and profile that it queues for.
    """

    operation: Operation
    handler: Handler
    ids: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any
    credential: Key
    key: IdempotencyKey | None
    dry: bool
    entities: tuple[Entity, ...]


class Dispatcher:
    """Handle requests one at a time, each in its own transaction.

    A request is prepared when it arrives and carried out when its turn has come. Neither raises:
    a refused request has a response.

    Args:
        database: Database that keeps the state.
        world: Time and chance.
    """

    def __init__(self, database: Database, world: World) -> None:
        self._database = database
        self._state = database.state
        self._world = world

    def respond(self, request: Request) -> Response:
        """Return the response to a request that does not have to wait for others."""
        prepared = self.prepare(request)
        return prepared if isinstance(prepared, Response) else self.carry_out(prepared)

    def reset(self) -> None:
        """Put everything back to where the sandbox started, inside an open transaction."""
        # Seeds can have moments that count from now.
        self._world.restart()
        self._database.reset()

    def prepare(self, request: Request) -> Prepared | Response:
        """Find the operation of a request, and check its credentials and its body."""
        operation = None
        try:
            path, _, parameters = request.target.partition("?")
            if request.method == "OPTIONS":
                return options(path)
            with _translated():
                if door.is_at(path):
                    return self._open_door(path, parameters, request)
                operation, ids = find(request.method, path)
                return self._prepare(operation, ids, parameters, request)
        except ApiError as refusal:
            return refused(refusal, operation)

    def _prepare(
        self, operation: Operation, ids: Mapping[str, str], parameters: str, request: Request
    ) -> Prepared:
        state, now = self._state, self._world.clock.text()
        credential = authenticate(state, operation.security, request.headers, request.body, now)
        handler = HANDLERS.get(operation.id)
        if handler is None:
            raise _unanswered(operation)
        values = read_query(operation, parameters)
        dry = bool(values.get("dry")) or is_staging(credential)
        sent = read_headers(operation, request.headers).get(IDEMPOTENCY_KEY)
        places = read_ids(operation, ids)
        check_permissions(credential, operation, places, values)
        body = _body(operation, request)
        key = None
        # A dry run neither stores a response nor gets a stored one.
        if sent is not None and not dry:
            target = json.dumps([request.method, operation.path, list(ids.values())])
            owner = f"{credential.kind}:{credential.digest}"
            key = IdempotencyKey(owner, target, sent, fingerprint(values, body))
        scope = credential.application_id or 0

        def profile_of(session_id: str) -> str | None:
            session = state.sessions.first(applicationId=scope, integrationId=session_id)
            return session["profileId"] if session else None

        first = str(next(iter(places.values()), ""))
        wanted = entities(operation.id, first, body, profile_of, scope)
        return Prepared(operation, handler, places, values, body, credential, key, dry, wanted)

    def carry_out(self, prepared: Prepared) -> Response:
        """Run the operation of a request, or return the response stored for its key."""
        try:
            with _translated():
                return self._run(prepared)
        except ApiError as refusal:
            return refused(refusal, prepared.operation)

    def _run(self, prepared: Prepared) -> Response:
        state, now, key = self._state, self._world.clock.text(), prepared.key
        with state.transaction() as transaction:
            transaction.dry = prepared.dry
            since = IdempotencyKey.since(now)
            if key and (stored := state.response(key.credential, key.request, key.key, since)):
                key.check(stored[0])
                return Response(*stored[1:], operation=prepared.operation)
            call = Call(
                state=state,
                world=self._world,
                operation=prepared.operation,
                now=moment_of(prepared.credential, now),
                ids=prepared.ids,
                query=prepared.query,
                body=prepared.body,
                key=prepared.credential,
                dry=prepared.dry,
                application=_application(state, prepared.credential, prepared.ids),
            )
            result = prepared.handler(call)
            content = _encoded(prepared.operation, result)
            response = Response(
                result.status,
                content,
                content_type=result.content_type,
                operation=prepared.operation,
            )
            if key:
                state.save_response(
                    key.credential,
                    key.request,
                    key.key,
                    key.fingerprint,
                    now,
                    since,
                    response.status,
                    response.body,
                )
        return response

    def _open_door(self, path: str, parameters: str, request: Request) -> Response:
        opened = find_open(path) if request.method == "GET" else None
        if opened is not None:
            return _at_door(opened)
        found = door.find(request.method, path, ROUTES)
        state, now = self._state, self._world.clock.text()
        with state.transaction():
            authenticate(state, door.SECURITY, request.headers, request.body, now)
            query = read_pairs(parameters)
            body, (opener, ids, texts) = request.body, found
            result = opener(door.Visit(state, self._world, body, ids, self.reset, texts, query))
        return _at_door(result)


def _at_door(result: Result) -> Response:
    body = result.body
    if body is None:
        return Response(result.status, headers=HEADERS)
    content = body.encode() if isinstance(body, str) else json_text.write(body)
    return Response(result.status, content, HEADERS, result.content_type)


def options(path: str) -> Response:
    """Return the response to OPTIONS: the methods of a path, or of the server for `*`.

    Raises:
        ApiError: 404 for an unknown path.
    """
    allowed = {"GET", "POST", "PUT", "DELETE"} if path == "*" else methods(path)
    if "GET" in allowed:
        allowed.add("HEAD")
    return Response(204, headers={"Allow": ", ".join(sorted(allowed | {"OPTIONS"}))})


def refused(refusal: ApiError, operation: Operation | None = None) -> Response:
    """Return the response for a refused request.

    Args:
        refusal: Why it is refused.
        operation: The operation that was called, if one was.
    """
    body = json_text.write(refusal.body(with_status=_has_status(operation)))
    return Response(refusal.status, body, refusal.headers, operation=operation)


def instead(details: Details, operation: Operation | None) -> Response:
    """Return the response that a fault gives in place of that of an operation."""
    headers = dict(details.headers)
    if details.content is None:
        error = ApiError(details.status, details.message, unlisted=True, headers=headers)
        return refused(error, operation)
    return Response(details.status, details.content, headers, details.content_type, operation)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn errors of the database into responses, except those that are mistakes of ours."""
    try:
        yield
    except sqlite3.Error as cause:
        refusal = refusal_of(cause)
        if refusal is None:
            raise
        raise refusal from cause


def _has_status(operation: Operation | None) -> bool:
    """Return whether a 400 has the status as `StatusCode`; that of some operations does not."""
    return operation is None or operation.id not in _WITHOUT_STATUS


def _unanswered(operation: Operation) -> ApiError:
    return ApiError(
        501,
        f"The sandbox does not implement {operation.id} ({operation.method} {operation.path}). "
        "Its guide lists the operations that it implements: docs/guides/sandbox.md",
    )


def _application(state: State, key: Key, ids: Mapping[str, Any]) -> Document:
    """Return the Application of an Integration key, or the one that the path names."""
    if key.application_id is not None:
        return state.application(key.application_id)
    named = ids.get("applicationId")
    found = {} if named is None else state.applications.get(named)
    if found is None:
        raise not_found("Application")
    return found


def _encoded(operation: Operation, result: Result) -> bytes:
    if result.body is None:
        return b""
    if result.content_type != JSON:
        return str(result.body).encode()
    written = operation.results.get(result.status)
    body = complete(written, result.body) if written and result.whole else result.body
    return json_text.write(body)


def _body(operation: Operation, request: Request) -> Any:
    """Return the text of an uploaded file, or the validated JSON body.

    Raises:
        ApiError: 400 with every problem of the body.
    """
    if operation.upload is not None:
        return files.uploaded(request.headers.get("Content-Type", ""), request.body)
    if operation.body is None:
        return None
    if not request.body and not operation.body.required:
        return {}
    try:
        text = request.body.decode("utf-8")
        value = json_text.read(text)
    except ValueError as cause:
        raise invalid(Problem("Malformed", "the body is not valid JSON")) from cause
    if problem := json_text.excess(value, text):
        raise invalid(problem)
    checked, problems = check_body(operation.body.type, value)
    if problems:
        raise invalid(*problems)
    return checked
