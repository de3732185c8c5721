"""A request as an operation sees it, and what the operation returns: no sockets, no headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from talon_one._core.operation import Operation
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import Key, State
from talon_one.sandbox.world import World

JSON: Final = "application/json"
CSV: Final = "application/csv"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is authenticated, validated and inside a transaction.

    Attributes:
        state: The state. Its changes are committed when the operation returns.
        world: Time and chance.
        operation: Description of the operation.
        now: Time of the request, in canonical form.
        ids: Path parameters by their names in the path: text, or integers for internal IDs.
        query: Query parameters, converted to their types; absent ones are missing.
        body: The validated body, the text of the uploaded file, or None for operations without
            either.
        key: The credential of the request.
        dry: Whether the changes are rolled back.
        application: The Application of the Integration key, or the one that the path names.
    """

    state: State
    world: World
    operation: Operation
    now: str
    ids: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any
    key: Key
    dry: bool = False
    application: Document = field(default_factory=dict)

    @property
    def application_id(self) -> int:
        """ID of the Application that the request is about."""
        return int(self.application["id"])


@dataclass(frozen=True, slots=True)
class Result:
    """What an operation returns.

    Attributes:
        status: The HTTP status.
        body: The body, except for 204: JSON, or other text.
        content_type: Content type of the body.
        whole: Whether a JSON body is completed with the required properties that it lacks.
    """

    status: int
    body: Any = None
    content_type: str = JSON
    whole: bool = True


NO_CONTENT = Result(204)
