"""Kinds of bulk work: what a row is, how many go into a request, and what must not meet in one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from talon_one._core.operation import Operation
from talon_one._schema import json_codec
from talon_one._schema.conversion import model_class
from talon_one._schema.fields import Field, NestedField
from talon_one._schema.model import Model
from talon_one._utils.quoting import quoted
from talon_one.bulk.failures import described
from talon_one.exceptions import (
    ApiTypeError,
    ApiValueError,
    ModelValidationError,
    OpenApiException,
    Violation,
    json_path,
)

# Something is wrong with the content of a request, or there is too much of it. "Nothing is stored"
# is what the platform says of that; besides, what is sent in parts after such an answer sets
# values, so that once more would do no harm.
_REFUSED = frozenset({400, 413, 422})

Row = Mapping[str, Any]
"""A row as a dict of wire names."""

RowPlacement = tuple[Hashable, Hashable, bool]
"""Where a row may stand among others: its key, its group, and whether it concerns everything.

A request holds rows of one group, and each key at most once. Rows with the same key are never
under way at the same time, so that the later one prevails; where the key is ``None``, the order
does not matter. Nothing else is under way together with what concerns everything. (A plain tuple,
because there is one for each of ten million rows.)
"""

_ANYWHERE: RowPlacement = (None, None, False)


class BulkOperation:
    """What is done with rows, and how.

    Args:
        method: Method of an API that sends a request.
        args: Its positional arguments before the body.
        place: Returns where a row may stand, given its JSON object; raises if that cannot be told.
        rows: Property of the body that holds the rows; ``None`` if a row is a body of its own.
        shared: The other properties of the body.
        keywords: Keyword arguments of the method.
        refusals: Statuses of an answer that say that nothing was stored, because of some of the
            rows, so that the others may be sent again.
        portions: Returns the rows that a row is cut into.
    """

    def __init__(
        self,
        method: Callable[..., Any],
        *args: Any,
        place: Callable[[Any], RowPlacement],
        rows: str | None,
        shared: Mapping[str, Any] | None = None,
        keywords: Mapping[str, Any] | None = None,
        refusals: frozenset[int] = frozenset(),
        portions: Callable[[Any], Iterable[Any]] | None = None,
    ) -> None:
        self.method = method
        self.args = args
        self.keywords = dict(keywords or {})
        self.refusals = refusals
        self.portions = portions
        self.operation: Operation = method.operation  # type: ignore[attr-defined]  # endpoint's
        # A token of one campaign, or catalog, is none for another.
        self.name = f"{self.operation.id}{args}" if args else self.operation.id
        self.client: Any = method.__self__.api_client  # type: ignore[attr-defined]  # bound
        self._place = place
        self._rows = rows
        self.shared = dict(shared or {})
        """The properties of a body that all requests have in common."""
        body = self.operation.body
        cls = model_class(body.type, self.operation.models) if body is not None else None
        if cls is None:
            raise ApiTypeError(f"{self.operation.id} takes no object")
        self._body_class = cls
        self._row_class: type[Model] | None = cls
        self.most = 1
        """How many rows a request may hold."""
        if rows is not None:
            declared: Field = cls._by_wire[rows]
            self.most = declared.constraints["max_items"]
            self._row_class = declared.target if isinstance(declared, NestedField) else None

    def place(self, row: Any) -> RowPlacement:
        """Return where a row may stand.

        Raises:
            ApiTypeError, ApiValueError: It is no object of its kind, or lacks its ID.
        """
        if type(row) is dict or self._row_class is None:
            return self._place(row)
        if isinstance(row, self._row_class):
            return self._place(row.__wire__())
        if isinstance(row, Mapping) and not isinstance(row, Model):
            return self._place(row)
        raise ApiTypeError(
            f"a row is {self._row_class.__name__} or a dict of wire names, not {type(row).__name__}"
        )

    def body(self, rows: list[Any], text: bytes | None = None) -> Any:
        """Return the body of a request with these rows.

        Args:
            rows: The rows.
            text: What they are as JSON, parted by commas, if that is known.
        """
        if self._rows is None:
            return rows[0]
        body = {**self.shared, self._rows: rows}
        if text is None:
            return body
        others = json_codec.encode(self.shared)[1:-1]
        name = json_codec.encode(self._rows)
        parts = (b"{", others, b"," if others else b"", name, b":[", text, b"]}")
        return json_codec.Encoded(body, b"".join(parts))

    def problem(self, row: Any, validate: bool) -> str | None:
        """Return why a row cannot be sent, or ``None`` if nothing is wrong with it.

        Args:
            row: The row.
            validate: Also check it against its schema.
        """
        inside = () if self._rows is None else (self._rows, 0)
        try:
            misplaced = self._misplaced(row)
            body = self.body([row])
            # The schema has the better words for what an object lacks.
            if validate and (misplaced is None or isinstance(row, Mapping)):
                wrapped = body if isinstance(body, Model) else self._body_class._wrap(dict(body))
                wrapped.validate()
            if misplaced is not None:
                return misplaced
            json_codec.encode(body)
        except ModelValidationError as found:
            return _about_row(found.violations, inside)
        except (ApiTypeError, ApiValueError) as found:
            path = tuple(found.path_to_item or ())[len(inside) :]
            return f"{json_path(path)}: {found.message}" if path else described(found)
        except Exception as found:  # Whatever an object of the caller does, the others go on.
            return described(found)
        return None

    def _misplaced(self, row: Any) -> str | None:
        try:
            self.place(row)
        except (ApiTypeError, ApiValueError) as found:
            return described(found)
        return None

    def named(self, failure: OpenApiException, count: int) -> set[int]:
        """Return the places, among *count* rows, of those that an answer blames."""
        if self._rows is None:
            return set()
        found = set()
        for error in getattr(failure, "errors", ()):
            source = error.get("source")
            pointer = source.get("pointer") if isinstance(source, Mapping) else None
            steps = pointer.split("/") if isinstance(pointer, str) else []
            place = steps[2] if len(steps) > 2 and steps[:2] == ["", self._rows] else ""
            if not (place.isascii() and place.isdigit() and int(place) < count):
                return set()  # Something else is wrong as well, or we do not understand it.
            found.add(int(place))
        return found


def _about_row(violations: Iterable[Violation], inside: tuple[Any, ...]) -> str | None:
    depth = len(inside)
    own = [each for each in violations if tuple(each.path[:depth]) == inside]
    return "; ".join(f"{json_path(each.path[depth:])} {each.message}" for each in own) or None


# -- The kinds -------------------------------------------------------------------------------------


def profiles(api: Any, silent: str | None) -> BulkOperation:
    """Return the work of `talon_one.bulk.upsert_profiles`."""
    return BulkOperation(
        _method(api, "update_customer_profiles_v2"),
        place=_profile,
        rows="customerProfiles",
        keywords={"silent": silent},
        refusals=_REFUSED,
    )


def audiences(api: Any) -> BulkOperation:
    """Return the work of `talon_one.bulk.change_audiences`."""
    return BulkOperation(
        _method(api, "update_customer_profile_audiences"),
        place=_membership,
        rows="data",
        # Unknown audiences.
        refusals=_REFUSED | {404},
    )


def catalog(api: Any, catalog_id: int) -> BulkOperation:
    """Return the work of `talon_one.bulk.sync_catalog`."""
    return BulkOperation(
        _method(api, "sync_catalog"),
        catalog_id,
        place=_action,
        rows="actions",
        refusals=_REFUSED,
    )


def coupons(api: Any, application_id: int, campaign_id: int, silent: str | None) -> BulkOperation:
    """Return the work of `talon_one.bulk.create_coupons`."""
    method = _method(api, "create_coupons")
    most: int = method.operation.most  # type: ignore[attr-defined]  # what `endpoint` adds
    return BulkOperation(
        method,
        application_id,
        campaign_id,
        place=lambda row: _ANYWHERE,
        rows=None,
        keywords={"silent": silent},
        portions=lambda row: _portions(row, most),
    )


def recipients(
    api: Any, application_id: int, campaign_id: int, coupon: Any, silent: str | None
) -> BulkOperation:
    """Return the work of `talon_one.bulk.create_coupons_for_recipients`."""
    shared = coupon.to_wire() if isinstance(coupon, Model) else coupon
    if not isinstance(shared, Mapping):
        raise ApiTypeError(f"coupon is a model or a dict of wire names, not {quoted(coupon)}")
    if shared.get("recipientsIntegrationIds"):
        raise ApiTypeError("coupon names recipients: they are the rows")
    return BulkOperation(
        _method(api, "create_coupons_for_multiple_recipients"),
        application_id,
        campaign_id,
        place=_recipient,
        rows="recipientsIntegrationIds",
        shared=shared,
        keywords={"silent": silent},
    )


def _portions(row: Any, most: int) -> Iterator[Any]:
    """Yield a request for coupons, or several if it asks for more than one may make."""
    name = "numberOfCoupons"
    data = row.__wire__() if isinstance(row, Model) else row
    count = data.get(name) if isinstance(data, Mapping) else None
    if type(count) is not int or count <= most:
        yield row
        return
    while count > 0:
        yield {**data, name: min(count, most)}
        count -= most


def _method(api: Any, name: str) -> Callable[..., Any]:
    found: Callable[..., Any] | None = getattr(type(api), name, None)
    if found is None:
        raise ApiTypeError(f"{name} is no method of {type(api).__name__}: give the other API")
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


def _profile(row: Any) -> RowPlacement:
    return _id(row, "integrationId"), None, False


def _membership(row: Any) -> RowPlacement:
    return (_id(row, "profileIntegrationId"), _id(row, "audienceId")), None, False


def _action(row: Any) -> RowPlacement:
    kind = row.get("type")
    payload = row.get("payload")
    payload = payload.__wire__() if isinstance(payload, Model) else payload
    if not isinstance(payload, Mapping):
        raise ApiValueError("payload is missing")
    group = str(kind.value if isinstance(kind, Enum) else kind)
    if group.endswith("_MANY"):
        return None, group, True
    return _id(payload, "sku"), group, False


def _recipient(row: Any) -> RowPlacement:
    if not isinstance(row, str):
        raise ApiTypeError(f"a row is the ID of a profile, not {type(row).__name__}")
    if not row:
        raise ApiValueError("the ID of the profile is empty")
    return _ANYWHERE
