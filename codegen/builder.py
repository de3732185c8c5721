"""Merged OpenAPI document to intermediate form: every decision about names and types."""

from __future__ import annotations

import re
from typing import Any

from codegen import ir
from codegen.loader import METHODS, Document, SpecError, resolve
from codegen.names import identifier, module_name, underscored
from talon_one.model import Model as RuntimeModel

# Names that a property may not take, because every model has them.
_RESERVED_PROPERTIES = frozenset(name for name in dir(RuntimeModel) if not name.startswith("__"))
# Names that a parameter may not take.
_RESERVED_PARAMETERS = frozenset({"self", "body", "async_req"})

_CONSTRAINTS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
    "uniqueItems": "unique_items",
}
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_POSIX_CLASSES = {
    "[:cntrl:]": r"\x00-\x1f\x7f",
    "[:alnum:]": "A-Za-z0-9",
    "[:alpha:]": "A-Za-z",
    "[:digit:]": "0-9",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
    "[:space:]": r"\s",
    "[:punct:]": r"!-/:-@\[-`{-~",
    "[:print:]": r"\x20-\x7e",
}
_APIS = (
    ("integration", "api_key_v1"),
    ("management", "management_key"),
)


def build(document: Document, package: str) -> ir.Sdk:
    """Return the intermediate form of a document.

    Raises:
        SpecError: Two things would get the same Python name, or something cannot be expressed.
    """
    return _Builder(document, package).sdk()


def python_pattern(pattern: str) -> str:
    """Return a regular expression of the document in the dialect of Python.

    Raises:
        SpecError: Python cannot compile it.
    """
    translated = pattern
    for posix, python in _POSIX_CLASSES.items():
        translated = translated.replace(posix, python)
    translated = translated.replace("[^]", r"[\s\S]")
    # In Python, $ would let a line break through at the end.
    if translated.endswith("$") and not translated.endswith(r"\$"):
        translated = translated[:-1] + r"\Z"
    try:
        re.compile(translated)
    except re.error as cause:
        raise SpecError(f"the pattern {pattern!r} is none in Python: {cause}") from cause
    return translated


class _Builder:
    def __init__(self, document: Document, package: str) -> None:
        self._document = document
        self._package = package
        self._schemas: Document = document["components"]["schemas"]

    def sdk(self) -> ir.Sdk:
        models: list[ir.Model] = []
        aliases: list[ir.Alias] = []
        for name, schema in self._schemas.items():
            if schema.get("properties"):
                models.append(self._model(name, schema))
            else:
                aliases.append(self._alias(name, schema))
        schemas: list[ir.Model | ir.Alias] = [*models, *aliases]
        names = [name for each in schemas for name in (each.name, *each.aliases)]
        self._refuse_twins("module", [module_name(name) for name in names])
        operations = [
            self._operation(path, method, item[method])
            for path, item in self._document["paths"].items()
            for method in METHODS
            if method in item
        ]
        info = self._document["info"]
        return ir.Sdk(
            package=self._package,
            title=info["title"],
            version=str(info["version"]),
            models=tuple(sorted(models, key=lambda each: each.name)),
            aliases=tuple(sorted(aliases, key=lambda each: each.name)),
            apis=tuple(self._apis(operations)),
        )

    # -- Schemas -------------------------------------------------------------------------------

    def _model(self, name: str, schema: Document) -> ir.Model:
        required = set(schema.get("required", ()))
        undeclared = required - schema["properties"].keys()
        if undeclared:
            raise SpecError(f"{name} requires {min(undeclared)!r}, which it does not declare")
        properties = [
            self._property(wire, node, wire in required)
            for wire, node in schema["properties"].items()
        ]
        names = [spelled for each in properties for spelled in (each.name, *each.aliases)]
        self._refuse_twins(f"property of {name}", names)
        return ir.Model(
            name=name,
            module=module_name(name),
            description=_prose(schema),
            properties=tuple(properties),
            aliases=tuple(schema.get("x-python-aliases", ())),
            deprecated=schema.get("deprecated", False),
        )

    def _alias(self, name: str, schema: Document) -> ir.Alias:
        return ir.Alias(
            name=name,
            module=module_name(name),
            description=_prose(schema),
            type=self._type(schema),
            aliases=tuple(schema.get("x-python-aliases", ())),
        )

    def _property(self, wire: str, node: Document, required: bool) -> ir.Property:
        inner = resolve(self._document, node)
        return ir.Property(
            name=node.get("x-python-name") or identifier(wire, _RESERVED_PROPERTIES),
            wire=wire,
            type=self._type(node),
            required=required,
            nullable=bool(node.get("nullable") or inner.get("nullable")),
            description=_prose(node),
            aliases=tuple(node.get("x-python-aliases", ())),
            secret=node.get("format") == "password",
            deprecated=node.get("deprecated", False),
        )

    def _type(self, node: Document) -> ir.TypeRef:
        """Return the type of a schema, with aliases written out."""
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            target = resolve(self._document, node)
            if target.get("properties") and "components/schemas" in node["$ref"]:
                return ir.TypeRef(name, "nested", (name,))
            return self._type(target)
        if "allOf" in node:
            # Only ever a reference with a description of its own beside it.
            if len(node["allOf"]) != 1:
                raise SpecError("allOf of several schemas is not supported; merge them in the spec")
            return self._type(node["allOf"][0])
        for unsupported in ("oneOf", "anyOf", "not"):
            if unsupported in node:
                raise SpecError(f"{unsupported} is not supported; use a free-form object")
        kind = node.get("type")
        if kind == "array":
            return self._array(node)
        if kind == "object" or "additionalProperties" in node:
            return self._map(node)
        if kind is None:
            return ir.TypeRef("Any")
        return self._scalar(node, kind)

    def _array(self, node: Document) -> ir.TypeRef:
        item = self._type(node.get("items") or {})
        constraints = _constraints(node)
        # Dates inside lists stay text, as they came: a list is not rebuilt each time it is read.
        text = "str" if item.kind in ("datetime", "date") else item.text
        if item.kind != "nested" and item.constraints:
            constraints["items"] = item.constraints
        kind = "nested" if item.kind == "nested" else "scalar"
        return ir.TypeRef(f"list[{text}]", kind, item.models, constraints)

    def _map(self, node: Document) -> ir.TypeRef:
        values = node.get("additionalProperties")
        if not isinstance(values, dict) or not values:
            return ir.TypeRef("dict[str, Any]")
        value = self._type(values)
        text = "str" if value.kind in ("datetime", "date") else value.text
        kind = "nested" if value.kind == "nested" else "scalar"
        return ir.TypeRef(f"dict[str, {text}]", kind, value.models)

    def _scalar(self, node: Document, kind: str) -> ir.TypeRef:
        form = node.get("format")
        if kind == "string" and form == "date-time":
            return ir.TypeRef("datetime", "datetime")
        if kind == "string" and form == "date":
            return ir.TypeRef("date", "date")
        if "enum" in node:
            # A null among the values says "nullable", which the annotation says already.
            values = ", ".join(repr(value) for value in node["enum"] if value is not None)
            return ir.TypeRef(f"Literal[{values}]")
        if kind not in _SCALARS:
            raise SpecError(f"the type {kind!r} is unknown")
        return ir.TypeRef(_SCALARS[kind], constraints=_constraints(node))

    # -- Operations ----------------------------------------------------------------------------

    def _apis(self, operations: list[ir.Operation]) -> list[ir.Api]:
        descriptions = {tag["name"]: tag.get("description", "") for tag in self._document["tags"]}
        known = {tag for tag, _ in _APIS}
        for operation in operations:
            if operation.tag not in known:
                raise SpecError(f"{operation.id} has the unknown tag {operation.tag!r}")
        found = []
        for tag, scheme in _APIS:
            own = [each for each in operations if each.tag == tag]
            names = [name for each in own for name in (each.name, *each.aliases)]
            self._refuse_twins(f"method of {tag}", names)
            if own:
                found.append(
                    ir.Api(
                        name=f"{tag.capitalize()}Api",
                        module=f"{tag}_api",
                        scheme=scheme,
                        description=_sentence(descriptions.get(tag, "")),
                        operations=tuple(sorted(own, key=lambda each: each.name)),
                    )
                )
        return found

    def _operation(self, path: str, method: str, node: Document) -> ir.Operation:
        operation_id = node["operationId"]
        parameters = [
            self._parameter(resolve(self._document, each)) for each in node.get("parameters", ())
        ]
        body, upload = self._request_body(operation_id, node.get("requestBody"))
        names = [name for each in parameters for name in (each.name, *each.aliases)]
        names += [body.name] if body else []
        names += [upload.name] if upload else []
        self._refuse_twins(f"parameter of {operation_id}", names)
        in_path = {each.wire for each in parameters if each.location == "path"}
        if in_path != set(re.findall(r"{([^}]+)}", path)):
            raise SpecError(f"{operation_id}: the path {path} and its parameters differ")
        return ir.Operation(
            id=operation_id,
            name=identifier(operation_id),
            aliases=tuple(node.get("x-python-aliases", ())),
            method=method.upper(),
            path=path,
            tag=node["tags"][0],
            summary=_sentence(node.get("summary", "")),
            description=_prose(node),
            parameters=tuple(parameters),
            body=body,
            upload=upload,
            answers=tuple(
                self._answer(int(status), resolve(self._document, answer))
                for status, answer in sorted(node["responses"].items())
            ),
            security=self._security(operation_id, node),
            deprecated=node.get("deprecated", False),
            legacy=node.get("x-legacy", False),
        )

    def _parameter(self, node: Document) -> ir.Parameter:
        location = node["in"]
        if location not in ("path", "query", "header"):
            raise SpecError(f"parameters in {location!r} are not supported")
        schema = node["schema"]
        return ir.Parameter(
            location=location,
            name=node.get("x-python-name") or identifier(node["name"], _RESERVED_PARAMETERS),
            wire=node["name"],
            type=self._type(schema),
            required=node.get("required", False),
            description=_prose(node),
            aliases=tuple(node.get("x-python-aliases", ())),
            comma=schema.get("type") == "array" and not node.get("explode", True),
            default=schema.get("default"),
        )

    def _request_body(
        self, operation_id: str, node: Document | None
    ) -> tuple[ir.Body | None, ir.Upload | None]:
        if node is None:
            return None, None
        (content_type, content), *others = node["content"].items()
        if others:
            raise SpecError(f"{operation_id} takes bodies of several content types")
        required = node.get("required", False)
        schema = content["schema"]
        if content_type == "multipart/form-data":
            return None, self._upload(operation_id, schema, required)
        if content_type != "application/json":
            raise SpecError(f"{operation_id} takes {content_type}, which is not supported")
        described = resolve(self._document, schema)
        name = schema["$ref"].rpartition("/")[2] if "$ref" in schema else "body"
        body = ir.Body(
            name=identifier(name),
            type=self._type(schema),
            also=tuple(node.get("x-also-accepts", ())),
            required=required,
            description=_prose(described),
        )
        return body, None

    def _upload(self, operation_id: str, schema: Document, required: bool) -> ir.Upload:
        properties = resolve(self._document, schema).get("properties", {})
        if len(properties) != 1:
            raise SpecError(f"{operation_id}: an upload is a form with exactly one file")
        ((wire, node),) = properties.items()
        return ir.Upload(underscored(wire), wire, required, _prose(node))

    def _answer(self, status: int, node: Document) -> ir.Answer:
        content = node.get("content") or {}
        content_type = next(iter(content), None)
        schema = content[content_type].get("schema") if content_type else None
        return ir.Answer(
            status=status,
            description=_sentence(node.get("description", "")),
            type=self._type(schema) if schema else None,
            content_type=content_type,
        )

    def _security(self, operation_id: str, node: Document) -> tuple[str, ...]:
        required: list[Document] = node.get("security") or []
        if "security" not in node:
            required = self._document.get("security", [])
        schemes = []
        for alternative in required:
            if len(alternative) != 1:
                raise SpecError(f"{operation_id} needs several schemes at once")
            schemes += list(alternative)
        unknown = set(schemes) - self._document["components"].get("securitySchemes", {}).keys()
        if unknown:
            raise SpecError(f"{operation_id}: the security scheme {min(unknown)!r} is unknown")
        return tuple(schemes)

    @staticmethod
    def _refuse_twins(what: str, names: list[str]) -> None:
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise SpecError(f"two things would be the {what} {min(twice)!r}")


def _constraints(node: Document) -> dict[str, Any]:
    found = {
        python: node[openapi]
        for openapi, python in _CONSTRAINTS.items()
        # Zero and false are what holds anyway, except for bounds of numbers.
        if node.get(openapi) or (openapi in ("minimum", "maximum") and openapi in node)
    }
    if "pattern" in node:
        found["pattern"] = python_pattern(node["pattern"])
    return found


def _prose(node: Document) -> str:
    return " ".join(str(node.get("description", "")).split())


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if not text or text.endswith((".", "!", "?", ":")) else f"{text}."
