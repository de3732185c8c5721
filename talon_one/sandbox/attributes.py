"""Names that must be defined before they are used: attributes and additional costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from talon_one.sandbox.call import Call
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.values import parse_time

ACCEPT: Final = "accept"
"""Value of `_undefinedNames` of an Application that accepts names nobody defined."""


def check_session(call: Call, content: Mapping[str, Any], pointer: str) -> None:
    """Check the names in the content of a session.

    Raises:
        ApiError: 400 with every attribute and cost that is not defined or has another type.
    """
    problems = [
        *_attribute_problems(call, "CustomerSession", content.get("attributes"), pointer),
        *_cost_problems(call, content.get("additionalCosts"), pointer, ("session", "both")),
    ]
    for index, item in enumerate(content.get("cartItems") or ()):
        place = f"{pointer}/cartItems/{index}"
        problems += _attribute_problems(call, "CartItem", item.get("attributes"), place)
        problems += _cost_problems(call, item.get("additionalCosts"), place, ("item", "both"))
    if problems:
        raise invalid(*problems)


def check_attributes(
    call: Call, entity: str, attributes: Mapping[str, Any] | None, pointer: str = ""
) -> None:
    """Check the attributes of an entity.

    Args:
        call: The request.
        entity: Name of the entity as `Attribute.entity` has it, such as `CustomerProfile`.
        attributes: The attributes as sent.
        pointer: JSON pointer to the object that has them.

    Raises:
        ApiError: 400 with every attribute that is not defined or has another type.
    """
    problems = list(_attribute_problems(call, entity, attributes, pointer))
    if problems:
        raise invalid(*problems)


def merge_attributes(
    stored: Mapping[str, Any] | None, sent: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Merge attributes by name; `null` keeps the stored value."""
    given = {name: value for name, value in (sent or {}).items() if value is not None}
    return {**(stored or {}), **given}


def defined(call: Call, entity: str) -> Mapping[str, Document]:
    """Return the attributes of an entity that are connected to the Application, by name."""

    def find() -> dict[str, Document]:
        return {
            each["name"]: each
            for each in call.state.attributes.each(entity=entity)
            if _connected(each, call.application_id)
        }

    return call.state.cached(("attributes", entity, call.application_id), find)


def accepts_undefined(call: Call) -> bool:
    """Return whether the Application accepts names that nobody defined."""
    return bool(call.application.get("_undefinedNames") == ACCEPT)


def _connected(definition: Mapping[str, Any], application_id: int) -> bool:
    ids = definition.get("subscribedApplicationsIds")
    return not ids or application_id in ids


def _attribute_problems(
    call: Call, entity: str, attributes: Mapping[str, Any] | None, pointer: str
) -> Iterator[Problem]:
    if not attributes:
        return
    known = defined(call, entity)
    for name, value in attributes.items():
        place = f"{pointer}/attributes/{name}"
        definition = known.get(name)
        if definition is not None:
            if value is not None and not _fits(value, definition["type"]):
                kind = _TYPES.get(definition["type"], definition["type"])
                details = f'Value of "{name}" attribute ({_shown(value)}) is not {kind}'
                yield Problem("Invalid type", details, place)
            elif not _is_allowed(call, definition, value):
                details = f'Value of "{name}" attribute ({_shown(value)}) is not an allowed one'
                yield Problem("enum", details, place)
        elif not accepts_undefined(call):
            details = f'The attribute "{name}" is not defined on {entity} entities.'
            yield Problem("Unknown", details, place)


def _is_allowed(call: Call, definition: Mapping[str, Any], value: Any) -> bool:
    """Return whether an attribute that is restricted to some values may have this one."""
    if not definition.get("restrictedBySuggestions") or value is None:
        return True
    suggestions = definition.get("suggestions") or ()
    allowed = call.state.allowed_values
    return all(
        item in suggestions or allowed.count(attributeId=definition["id"], item=item)
        for item in (_shown(each) for each in (value if isinstance(value, list) else [value]))
    )


def _cost_problems(
    call: Call, costs: Mapping[str, Any] | None, pointer: str, types: tuple[str, ...]
) -> Iterator[Problem]:
    if not costs:
        return
    known = additional_costs(call)
    for name in costs:
        definition = known.get(name)
        if definition is None:
            if not accepts_undefined(call):
                details = f'The additional cost "{name}" is not defined.'
                yield Problem("Unknown", details, f"{pointer}/additionalCosts/{name}")
        elif definition.get("type", "session") not in types:
            details = f'The additional cost "{name}" is not for this kind of entity.'
            yield Problem("Unknown", details, f"{pointer}/additionalCosts/{name}")


def additional_costs(call: Call) -> Mapping[str, Document]:
    """Return the additional costs that are connected to the Application, by name."""

    def find() -> dict[str, Document]:
        return {
            each["name"]: each
            for each in call.state.additional_costs.each()
            if _connected(each, call.application_id)
        }

    return call.state.cached(("costs", call.application_id), find)


_TYPES: Final[Mapping[str, str]] = {
    "string": "a string",
    "number": "a number",
    "boolean": "a boolean",
    "time": "a time",
    "location": "a location",
}


def _fits(value: Any, kind: str) -> bool:
    if kind.startswith("(list "):
        inner = kind.removeprefix("(list ").removesuffix(")")
        return isinstance(value, list) and all(_fits(item, inner) for item in value)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "time":
        return isinstance(value, str) and (not value or _is_time(value))
    if kind == "location":
        return isinstance(value, dict | str)
    return isinstance(value, str) if kind == "string" else True


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)[:80]
