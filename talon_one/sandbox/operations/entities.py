"""Operations that differ only in the kind of entity: list, read, create, update, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from talon_one.sandbox import defaults
from talon_one.sandbox.attributes import check_attributes, merge_attributes
from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.errors import ApiError, not_found
from talon_one.sandbox.operations.lists import respond
from talon_one.sandbox.profiles import USER_ID
from talon_one.sandbox.state.documents import Document, Documents

Handler: TypeAlias = Callable[[Call], Result]

_OWNERS: Final = ("applicationId", "campaignId")


def _same(call: Call, document: Document) -> Document:
    return document


def _every(call: Call, document: Mapping[str, Any]) -> bool:
    return True


def _sent(call: Call, old: Document | None) -> Document:
    sent: Document = call.body
    return sent


def _nothing(call: Call, document: Document) -> None:
    """Do nothing more."""


def anywhere(call: Call) -> dict[str, Any]:
    """Return no owner: the entities belong to the account."""
    return {}


def of_application(call: Call) -> dict[str, Any]:
    """Return the Application that the path names, by column."""
    return {"applicationId": call.application_id}


def of_campaign(call: Call) -> dict[str, Any]:
    """Return the campaign that the path names, by column.

    Raises:
        ApiError: 404 if the Application has none with this ID.
    """
    return {"campaignId": campaign_of(call)["id"]}


def campaign_of(call: Call) -> Document:
    """Return the campaign that the path names.

    Raises:
        ApiError: 404 if the Application has none with this ID.
    """
    campaign = call.state.campaigns.get(call.ids["campaignId"])
    if campaign is None or campaign["applicationId"] != call.application_id:
        raise not_found("Campaign")
    return campaign


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entity, and what its operations do beyond what all of them do.

    Attributes:
        table: Name of its table.
        label: What a 404 calls it.
        path_id: Name of its ID in paths.
        owner: Values of columns that the entities of a path have.
        passes: Whether an entity passes the filters of the query.
        view: An entity as responses show it.
        prepare: Properties to set, given the request and the present form of an entity.
        saved: Called after an entity was created or updated.
        removed: Called after an entity was deleted, to delete what belongs to it.
        unique: Properties in which no two entities of an owner agree.
        attributes: Name of the entity whose attributes it has.
        logged: Whether changes of it are in the audit log.
    """

    table: str
    label: str
    path_id: str
    owner: Callable[[Call], dict[str, Any]]
    passes: Callable[[Call, Document], bool] = _every
    view: Callable[[Call, Document], Document] = _same
    prepare: Callable[[Call, Document | None], Document] = _sent
    saved: Callable[[Call, Document], None] = _nothing
    removed: Callable[[Call, Document], None] = _nothing
    unique: tuple[str, ...] = ()
    attributes: str = ""
    logged: bool = True

    def documents(self, call: Call) -> Documents:
        """Return the table."""
        found: Documents = getattr(call.state, self.table)
        return found

    def known(self, call: Call) -> Document:
        """Return the entity that the path names.

        Raises:
            ApiError: 404 if its owner has none with this ID.
        """
        owner, number = self.owner(call), str(call.ids[self.path_id])
        # Some operations declare their ID as a text.
        known = number.isascii() and number.isdigit()
        found = self.documents(call).first(id=number, **owner) if known else None
        if found is None:
            raise not_found(self.label)
        return found

    def list(self, call: Call) -> Result:
        """Handle the operation that lists the entities."""
        each = self.documents(call).each(**self.owner(call))
        return respond(call, (self.view(call, one) for one in each if self.passes(call, one)))

    def read(self, call: Call) -> Result:
        """Handle the operation that returns one."""
        return Result(200, self.view(call, self.known(call)))

    def create(self, call: Call) -> Result:
        """Handle the operation that creates one."""
        self.owner(call)
        made = self.prepare(call, None)
        if self.attributes:
            check_attributes(call, self.attributes, made.get("attributes"))
        self._check_unique(call, made)
        places = {name: call.ids[name] for name in _OWNERS if name in call.ids}
        stamps = {"created": call.now, "modified": call.now, "updated": call.now}
        added = self.documents(call).add({**stamps, **defaults.of(self.table), **made, **places})
        self.saved(call, added)
        self._record(call, None, added)
        return Result(201, self.view(call, added))

    def update(self, call: Call) -> Result:
        """Handle the operation that changes one: attributes are merged, the rest is replaced."""
        old = self.known(call)
        given = dict(self.prepare(call, old))
        if self.attributes and "attributes" in given:
            check_attributes(call, self.attributes, given["attributes"])
            given["attributes"] = merge_attributes(old.get("attributes"), given["attributes"])
        new = {**old, **given, "modified": call.now, "updated": call.now, "modifiedBy": USER_ID}
        self._check_unique(call, new)
        self.documents(call).save(new)
        self.saved(call, new)
        self._record(call, old, new)
        return Result(200, self.view(call, new))

    def delete(self, call: Call) -> Result:
        """Handle the operation that deletes one."""
        self.remove(call, self.known(call))
        return NO_CONTENT

    def remove(self, call: Call, document: Document) -> None:
        """Delete an entity and what belongs to it."""
        self.documents(call).delete(id=document["id"])
        self.removed(call, document)
        self._record(call, document, None)

    def _record(self, call: Call, old: Document | None, new: Document | None) -> None:
        """Write a change to the audit log."""
        if not self.logged:
            return
        path = call.operation.path
        if old is None and new is not None:
            path = f"{path}/{new['id']}"
        for name, value in call.ids.items():
            path = path.replace(f"{{{name}}}", str(value))
        call.state.changes.add(
            {
                "created": call.now,
                "userId": USER_ID,
                "applicationId": call.ids.get("applicationId"),
                "entity": path,
                "old": _public(old),
                "new": _public(new),
            }
        )

    def _check_unique(self, call: Call, document: Document) -> None:
        if not self.unique:
            return
        for other in self.documents(call).each(**self.owner(call)):
            for name in self.unique:
                if other["id"] != document.get("id") and other.get(name) == document.get(name):
                    message = f"{self.label} with {name} {document.get(name)!r} exists already"
                    raise ApiError(409, message)


def _public(document: Document | None) -> Document | None:
    if document is None:
        return None
    return {name: value for name, value in document.items() if not name.startswith("_")}
