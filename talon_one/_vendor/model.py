"""What every model class of the vendor's packages offers: type strings, names, text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from talon_one._schema.annotations import Shape, parse
from talon_one._utils.class_fact import ClassFact
from talon_one._utils.guard import raised_by_signal

IGNORED_KEYWORDS = frozenset({"local_vars_configuration", "_configuration"})
"""Keywords that every constructor accepts and ignores."""

_TYPE_STRINGS = {"Any": "object", "Union": "object"}


class VendorModel:
    """The part of `Model` that only code written for the vendor's packages uses."""

    __slots__ = ()

    _fields: ClassVar[dict[str, Any]]
    discriminator: ClassVar[str | None] = None

    if TYPE_CHECKING:

        def _masked_dict(self) -> dict[str, Any]: ...

    @ClassFact
    def openapi_types(cls) -> dict[str, str]:
        """Python name to type string, such as ``list[CartItem]``."""
        return {name: type_string(declared.annotation) for name, declared in cls._fields.items()}

    @ClassFact
    def attribute_map(cls) -> dict[str, str]:
        """Python name to wire name."""
        return {name: declared.wire for name, declared in cls._fields.items()}

    def to_str(self) -> str:
        """Return the object as indented text, with secrets masked."""
        from pprint import pformat

        try:
            return pformat(self._masked_dict())
        except Exception as cause:  # Nested too deeply, or a value has no repr.
            if raised_by_signal(cause):
                raise
            return repr(self)


def type_string(annotation: str) -> str:
    """Return the type string of the vendor's packages for an annotation."""
    return _as_text(parse(annotation))


def _as_text(shape: Shape) -> str:
    if shape.kind == "dict":
        inner = _as_text(shape.inner)
        return "object" if inner == "object" else f"dict(str, {inner})"
    if shape.kind == "list":
        return f"list[{_as_text(shape.inner)}]"
    if shape.kind == "Literal":
        return type(shape.values[0]).__name__
    return _TYPE_STRINGS.get(shape.kind, shape.kind)
