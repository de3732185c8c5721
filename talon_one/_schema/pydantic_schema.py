"""Schemas by which pydantic and FastAPI check and describe models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pydantic_core import (
    CoreSchema,
    InitErrorDetails,
    PydanticCustomError,
    PydanticKnownError,
    ValidationError,
    core_schema,
)

from talon_one._schema.annotations import Shape, parse
from talon_one._schema.fields import Field, NestedField
from talon_one._schema.introspection import description
from talon_one._schema.model import Model
from talon_one._schema.one_of import OneOf
from talon_one._schema.validation import violations
from talon_one.exceptions import Violation

JsonSchema = dict[str, Any]

# A property of every schema: the object itself, as it passes through pydantic.
_MODEL = ""

# Constraints whose names in JSON Schema differ.
_LIMITS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
    "min_items": "minItems",
    "max_items": "maxItems",
    "unique_items": "uniqueItems",
}
_SCALARS: dict[str, JsonSchema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
}


def schema_of(cls: type[Model]) -> CoreSchema:
    """Return the schema of a class, with the definitions of all classes that it contains."""
    # Models may be recursive, so each is a definition to refer to.
    return core_schema.definitions_schema(
        _reference(cls), list(map(_definition, _with_nested(cls)))
    )


def _with_nested(cls: type[Model]) -> list[type[Model]]:
    """Return a class and all classes reachable through its properties."""
    found = [cls]
    for each in found:  # The list grows during iteration.
        inside = [
            declared.target
            for declared in each._fields.values()
            if isinstance(declared, NestedField)
        ]
        if issubclass(each, OneOf):
            inside = list(each._members().values())
        found += [target for target in dict.fromkeys(inside) if target not in found]
    return found


def _reference(cls: type[Model]) -> CoreSchema:
    return core_schema.definition_reference_schema(_name(cls))


def _name(cls: type[Model]) -> str:
    # The format of pydantic's own references, from which it derives names of definitions.
    return f"{cls.__module__}.{cls.__qualname__}:{id(cls)}"


def _definition(cls: type[Model]) -> CoreSchema:
    if issubclass(cls, OneOf):
        return _one_of(cls)

    def check(value: Any) -> dict[str, Any]:
        return _checked(cls, value)

    def take(found: tuple[dict[str, Any], Any, Any]) -> Any:
        return found[0][_MODEL]

    # Names of the members of a union in its errors.
    check.__name__ = take.__name__ = cls.__name__
    # If a dict fits several classes, a union picks the class that declares most of its keys.
    # pydantic counts them, so they pass through a schema of its own after our checks.
    counted = core_schema.model_fields_schema(
        {
            _MODEL: core_schema.model_field(core_schema.any_schema()),
            **{
                declared.wire: core_schema.model_field(
                    core_schema.with_default_schema(_property(declared), default_factory=_absent)
                )
                for declared in cls._fields.values()
            },
        }
    )
    return core_schema.no_info_after_validator_function(
        take,
        core_schema.no_info_before_validator_function(check, counted),
        ref=_name(cls),
        serialization=core_schema.plain_serializer_function_ser_schema(
            lambda value: value.to_wire()
        ),
        metadata={"pydantic_js_functions": [partial(_described, cls)]},
    )


def _one_of(cls: type[OneOf]) -> CoreSchema:
    """Return the schema of a class that stands for several; an unknown type is an error."""
    members = cls._members()
    known = ", ".join(map(repr, cls._classes))

    def name_of(value: Any) -> str | None:
        kind = value.get(cls._by) if isinstance(value, Mapping) else None
        return cls._classes.get(kind) if isinstance(kind, str) else None

    return core_schema.tagged_union_schema(
        {name: _reference(each) for name, each in members.items()},
        name_of,
        custom_error_type="talon_one",
        custom_error_message=f"must be an object whose {cls._by!r} is one of {known}",
        ref=_name(cls),
        metadata={"pydantic_js_functions": [partial(_described_one_of, cls)]},
    )


def _absent() -> None:
    return None


def _property(declared: Field) -> CoreSchema:
    """Return a schema that describes a property but accepts anything: the class checks it."""
    if isinstance(declared, NestedField):
        inside = _nested(parse(declared.annotation), declared.target)
        return core_schema.no_info_wrap_validator_function(lambda value, _: value, inside)
    return core_schema.any_schema()


def _nested(shape: Shape, target: type[Model]) -> CoreSchema:
    if shape.kind == "list":
        return core_schema.list_schema(_nested(shape.inner, target))
    if shape.kind == "dict":
        inner = _nested(shape.inner, target)
        return core_schema.dict_schema(core_schema.str_schema(), inner)
    return _reference(target)


# -- Checking ----------------------------------------------------------------------------------


def _checked(cls: type[Model], value: Any) -> dict[str, Any]:
    """Return *value* as a model, with the declared properties that it has."""
    model = value
    if not isinstance(value, cls):
        # A model of another class is not converted; a union would take it for its first member.
        if isinstance(value, Model) or not isinstance(value, Mapping):
            raise PydanticKnownError("model_type", {"class_name": cls.__name__})
        model = cls.from_dict(dict(value))
        found = violations(model)
        if found:
            errors = [_error(model, each) for each in found]
            raise ValidationError.from_exception_data(cls.__name__, errors)
    return {_MODEL: model, **{wire: None for wire in model if wire in cls._by_wire}}


def _error(model: Model, violation: Violation) -> InitErrorDetails:
    value: Any = model
    for step in violation.path:
        declared = value._by_wire.get(step) if isinstance(value, Model) else None
        try:
            value = "***" if declared is not None and declared.secret else value[step]
        except (KeyError, IndexError, TypeError):
            value = None
    kind = PydanticCustomError("talon_one", violation.message)
    return InitErrorDetails(type=kind, loc=tuple(violation.path), input=value)


# -- Describing --------------------------------------------------------------------------------


def _described(cls: type[Model], schema: CoreSchema, handler: Any) -> JsonSchema:
    written: JsonSchema = handler(schema)
    found: JsonSchema = handler.resolve_ref_schema(written)
    found["title"] = cls.__name__
    found["additionalProperties"] = True
    if cls.__doc__:
        found["description"] = " ".join(cls.__doc__.split())
    del found["properties"][_MODEL]
    found.pop("required", None)
    required = [each.wire for each in cls._fields.values() if each.required]
    if required:
        found["required"] = required
    for declared in cls._fields.values():
        found["properties"][declared.wire] = _described_property(
            declared, found["properties"][declared.wire]
        )
    return written


def _described_one_of(cls: type[OneOf], schema: CoreSchema, handler: Any) -> JsonSchema:
    written: JsonSchema = handler(schema)
    found: JsonSchema = handler.resolve_ref_schema(written)
    references = {
        name: each["$ref"] for name, each in zip(cls._members(), found["oneOf"], strict=True)
    }
    mapping = {value: references[name] for value, name in cls._classes.items()}
    found["discriminator"] = {"propertyName": cls._by, "mapping": mapping}
    found["title"] = cls.__name__
    if cls.__doc__:
        found["description"] = " ".join(cls.__doc__.split())
    return written


def _described_property(declared: Field, generated: JsonSchema) -> JsonSchema:
    if isinstance(declared, NestedField):
        described = {key: value for key, value in generated.items() if key != "title"}
        described.update(_limits(declared.constraints))
    else:
        described = _written(parse(declared.annotation), declared.constraints)
    if declared.secret:
        described["format"] = "password"
    if declared.required and declared.owner.__annotations__[declared.name].endswith("| None"):
        described = {"anyOf": [described, {"type": "null"}]}
    text = description(declared)
    if text:
        described["description"] = " ".join(text.split())
        if described["description"].endswith("Deprecated."):
            described["deprecated"] = True
    return described


def _written(shape: Shape, constraints: Mapping[str, Any]) -> JsonSchema:
    if shape.kind == "Union":
        return {"anyOf": [_written(each, {}) for each in shape.members]}
    if shape.kind == "Literal":
        return {**_SCALARS[type(shape.values[0]).__name__], "enum": list(shape.values)}
    if shape.kind == "list":
        items = _written(shape.inner, constraints.get("items", {}))
        return {"type": "array", "items": items, **_limits(constraints)}
    if shape.kind == "dict":
        inner = _written(shape.inner, {})
        return {"type": "object", "additionalProperties": inner or True}
    return {**_SCALARS.get(shape.kind, {}), **_limits(constraints)}


def _limits(constraints: Mapping[str, Any]) -> JsonSchema:
    found = {_LIMITS[name]: value for name, value in constraints.items() if name in _LIMITS}
    for bound in ("minimum", "maximum"):
        if constraints.get(f"exclusive_{bound}"):
            found[f"exclusive{bound.capitalize()}"] = found.pop(bound)
    return found
