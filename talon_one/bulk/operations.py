"""Bulk operations: what a row is, which rows share a request, and which requests conflict."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from talon_one._core.operation import Operation
from talon_one._schema import json_codec
from talon_one._schema.access import data_of, fields_by_wire_name, wrap
from talon_one._schema.conversion import model_class
from talon_one._schema.fields import Field, NestedField
from talon_one._schema.model import Model
from talon_one._schema.scalars import whole
from talon_one._utils.quoting import quoted
from talon_one.bulk.failures import describe
from talon_one.bulk.unreadable import UnreadableRow
from talon_one.exceptions import (
    ApiTypeError,
    ApiValueError,
    ModelValidationError,
    OpenApiException,
    Violation,
    json_path,
)

# The content of a request is invalid or too large. The platform documents that it stores nothing
# then. Besides, the operations that are split set values, so a second request does no harm.
_REFUSAL_STATUSES = frozenset({400, 413, 422})

Row = Mapping[str, Any] | UnreadableRow
"""A row as a dict of wire names, or a line that could not be read as one."""

RowPlacement = tuple[Hashable, Hashable, bool]
"""Key of a row, its group, and whether it is exclusive.

A request holds rows of one group, and each key at most once. Rows with the same key are never in
flight at the same time, so that the later one wins; the key ``None`` conflicts with no other.
Nothing else is in flight together with an exclusive row. (A plain tuple, because each of ten
million rows makes one.)
"""

_ANYWHERE: RowPlacement = (None, None, False)


class BulkOperation:
    """How rows are sent with a method of an API.

    Args:
        method: Method that sends a request.
        args: Its positional arguments before the body.
        place: Returns the placement of a row, given its JSON object; raises if the row has none.
        rows: Property of the body that holds the rows; ``None`` if a row is a whole body.
        shared: The other properties of the body.
        keywords: Keyword arguments of the method.
        refusal_statuses: Response statuses by which the server says that it stored nothing because
            of some of the rows. The others may be sent again.
        split: Returns the rows that one row stands for.
    """

    def __init__(
        self,
        method: Callable[..., Any],
        *args: Any,
        place: Callable[[Any], RowPlacement],
        rows: str | None,
        shared: Mapping[str, Any] | None = None,
        keywords: Mapping[str, Any] | None = None,
        refusal_statuses: frozenset[int] = frozenset(),
        split: Callable[[Any], Iterable[Any]] | None = None,
    ) -> None:
        self.method = method
        self.args = args
        self.keywords = dict(keywords or {})
        self.refusal_statuses = refusal_statuses
        self.split = split
        endpoint: Operation = method.operation  # type: ignore[attr-defined]  # set by `endpoint`
        self.endpoint = endpoint
        self.idempotent = endpoint.idempotent
        # With the arguments: a token of one campaign, or catalog, must not resume another.
        self.name = f"{endpoint.id}{args}" if args else endpoint.id
        self.client: Any = method.__self__.api_client  # type: ignore[attr-defined]  # bound
        self._validate: bool = self.client.configuration.client_side_validation
        self._place = place
        self._rows = rows
        self.shared = dict(shared or {})
        """Properties of the body that all requests have in common."""
        body = endpoint.body
        cls = model_class(body.type, endpoint.models) if body is not None else None
        if cls is None:
            raise ApiTypeError(f"{endpoint.id} takes no object")
        self._body_class = cls
        self._row_class: type[Model] | None = cls
        self.max_rows = 1
        """How many rows a request may hold."""
        if rows is not None:
            declared: Field = fields_by_wire_name(cls)[rows]
            self.max_rows = declared.constraints["max_items"]
            self._row_class = declared.target if isinstance(declared, NestedField) else None

    def place(self, row: Any) -> RowPlacement:
        """Return the placement of a row.

        Raises:
            ApiTypeError, ApiValueError: The row has the wrong type or lacks its ID.
        """
        if type(row) is dict or self._row_class is None:
            return self._place(row)
        if isinstance(row, self._row_class):
            return self._place(data_of(row))
        if isinstance(row, UnreadableRow):
            raise ApiValueError(row.reason)
        if isinstance(row, Mapping) and not isinstance(row, Model):
            return self._place(row)
        raise ApiTypeError(
            f"a row is {self._row_class.__name__} or a dict of wire names, not {type(row).__name__}"
        )

    def body(self, rows: list[Any], text: bytes | None = None) -> Any:
        """Return the body of a request with these rows.

        Args:
            rows: The rows.
            text: The rows as JSON, separated by commas, if they have been encoded.
        """
        if self._rows is None:
            return rows[0] if text is None else json_codec.Encoded(data_of(rows[0]), text)
        body = {**self.shared, self._rows: rows}
        if text is None:
            return body
        shared = json_codec.encode(self.shared)[1:-1]
        name = json_codec.encode(self._rows)
        parts = (b"{", shared, b"," if shared else b"", name, b":[", text, b"]}")
        return json_codec.Encoded(body, b"".join(parts))

    def problem(self, row: Any) -> str | None:
        """Return why a row cannot be sent, or ``None`` if it can.

        Rows are validated against their schema if the client validates requests.
        """
        prefix = () if self._rows is None else (self._rows, 0)
        try:
            placement_problem = self._placement_problem(row)
            body = self.body([row])
            # Prefer the message of the schema for a property that is missing.
            if self._validate and (placement_problem is None or isinstance(row, Mapping)):
                wrapped = body if isinstance(body, Model) else wrap(self._body_class, dict(body))
                wrapped.validate()
            if placement_problem is not None:
                return placement_problem
            json_codec.encode(body)
        except ModelValidationError as error:
            return _row_violations(error.violations, prefix)
        except (ApiTypeError, ApiValueError) as error:
            path = tuple(error.path_to_item or ())[len(prefix) :]
            return f"{json_path(path)}: {error.message}" if path else describe(error)
        except Exception as error:  # An object of the caller may raise anything.
            return describe(error)
        return None

    def _placement_problem(self, row: Any) -> str | None:
        try:
            self.place(row)
        except (ApiTypeError, ApiValueError) as error:
            return describe(error)
        return None

    def blamed_rows(self, failure: OpenApiException, count: int) -> set[int]:
        """Return the positions, among *count* rows, of those that an error response blames."""
        if self._rows is None:
            return set()
        blamed = set()
        for error in getattr(failure, "errors", ()):
            source = error.get("source")
            pointer = source.get("pointer") if isinstance(source, Mapping) else None
            steps = pointer.split("/") if isinstance(pointer, str) else []
            position = steps[2] if len(steps) > 2 and steps[:2] == ["", self._rows] else ""
            if not (position.isascii() and position.isdigit() and int(position) < count):
                return set()  # The error is about something else as well, or unclear.
            blamed.add(int(position))
        return blamed


def _row_violations(violations: Iterable[Violation], prefix: tuple[Any, ...]) -> str | None:
    depth = len(prefix)
    own = [each for each in violations if tuple(each.path[:depth]) == prefix]
    return "; ".join(f"{json_path(each.path[depth:])} {each.message}" for each in own) or None


# -- Operations ------------------------------------------------------------------------------------


def profiles(api: Any, silent: str | None = None) -> BulkOperation:
    """Return the operation of `talon_one.bulk.upsert_profiles`."""
    return BulkOperation(
        _method(api, "update_customer_profiles_v2"),
        place=_place_profile,
        rows="customerProfiles",
        keywords={"silent": silent},
        refusal_statuses=_REFUSAL_STATUSES,
    )


def audiences(api: Any) -> BulkOperation:
    """Return the operation of `talon_one.bulk.change_audiences`."""
    return BulkOperation(
        _method(api, "update_customer_profile_audiences"),
        place=_place_membership,
        rows="data",
        # 404 means an unknown audience.
        refusal_statuses=_REFUSAL_STATUSES | {404},
    )


def catalog(api: Any, catalog_id: int) -> BulkOperation:
    """Return the operation of `talon_one.bulk.sync_catalog`."""
    return BulkOperation(
        _method(api, "sync_catalog"),
        catalog_id,
        place=_place_action,
        rows="actions",
        refusal_statuses=_REFUSAL_STATUSES,
    )


def coupons(
    api: Any, application_id: int, campaign_id: int, silent: str | None = None
) -> BulkOperation:
    """Return the operation of `talon_one.bulk.create_coupons`."""
    method = _method(api, "create_coupons")
    limit: int = method.operation.limit  # type: ignore[attr-defined]  # set by `endpoint`
    return BulkOperation(
        method,
        application_id,
        campaign_id,
        place=lambda row: _ANYWHERE,
        rows=None,
        keywords={"silent": silent},
        split=lambda row: _split_coupons(row, limit),
    )


def recipients(
    api: Any, application_id: int, campaign_id: int, coupon: Any, silent: str | None = None
) -> BulkOperation:
    """Return the operation of `talon_one.bulk.create_coupons_for_recipients`."""
    shared = coupon.to_wire() if isinstance(coupon, Model) else coupon
    if not isinstance(shared, Mapping):
        raise ApiTypeError(f"coupon is a model or a dict of wire names, not {quoted(coupon)}")
    if shared.get("recipientsIntegrationIds"):
        raise ApiTypeError("coupon must not contain recipients: pass them as rows")
    try:
        json_codec.encode(shared)
    except (ApiTypeError, ApiValueError) as cause:
        raise ApiTypeError(f"coupon cannot be sent: {cause}") from cause
    return BulkOperation(
        _method(api, "create_coupons_for_multiple_recipients"),
        application_id,
        campaign_id,
        place=_place_recipient,
        rows="recipientsIntegrationIds",
        shared=shared,
        keywords={"silent": silent},
    )


def _split_coupons(row: Any, limit: int) -> Iterator[Any]:
    """Yield a request for coupons, or several if it asks for more than *limit*."""
    name = "numberOfCoupons"
    data = data_of(row)
    count = whole(data.get(name)) if isinstance(data, Mapping) else None
    if count is None or count <= limit:
        yield row
        return
    while count > 0:
        yield {**data, name: min(count, limit)}
        count -= limit


def _method(api: Any, name: str) -> Callable[..., Any]:
    found: Callable[..., Any] | None = getattr(type(api), name, None)
    if found is None:
        raise ApiTypeError(f"{type(api).__name__} has no method {name}: pass the other API")
    bound: Callable[..., Any] = getattr(api, name)
    return bound


def _id(row: Any, name: str) -> Hashable:
    value = row.get(name)
    if type(value) is str and value:
        return value
    if value is None or value is json_codec.NULL:
        raise ApiValueError(f"{name} is missing")
    if value == "":
        raise ApiValueError(f"{name} is empty")
    return str(value.value if isinstance(value, Enum) else value)


def _place_profile(row: Any) -> RowPlacement:
    return _id(row, "integrationId"), None, False


def _place_membership(row: Any) -> RowPlacement:
    return (_id(row, "profileIntegrationId"), _id(row, "audienceId")), None, False


def _place_action(row: Any) -> RowPlacement:
    action = row.get("type")
    payload = row.get("payload")
    payload = data_of(payload)
    if not isinstance(payload, Mapping):
        raise ApiValueError("payload is missing")
    group = str(action.value if isinstance(action, Enum) else action)
    if group.endswith("_MANY"):
        return None, group, True
    return _id(payload, "sku"), group, False


def _place_recipient(row: Any) -> RowPlacement:
    if not isinstance(row, str):
        raise ApiTypeError(f"a row is the ID of a profile, not {type(row).__name__}")
    if not row:
        raise ApiValueError("the ID of the profile is empty")
    return _ANYWHERE
