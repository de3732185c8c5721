"""Merged OpenAPI document to intermediate form: every decision about names and types."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from codegen import ir
from codegen.checks import (
    RESERVED_CLASSES,
    RESERVED_METHODS,
    RESERVED_PARAMETERS,
    RESERVED_PROPERTIES,
    located,
    refuse_hiding,
    refuse_twins,
    refuse_unknown,
    refuse_unusable,
)
from codegen.history import replacement, retired
from codegen.loader import DOMAIN, METHODS, Document, SpecError, resolve
from codegen.names import identifier, module_name
from codegen.notifications import notifications
from codegen.paging import paging
from codegen.patterns import python_pattern
from codegen.python_names import with_python_names
from talon_one._core.auth import SCHEMES

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
_APIS = (
    ("integration", "api_key_v1"),
    ("management", "management_key"),
)
_STYLES = {"path": "simple", "query": "form", "header": "simple"}
_COMBINATIONS = ("allOf", "oneOf", "anyOf", "not")


def build(document: Document, package: str) -> ir.Sdk:
    """Return the intermediate form of a document.

    Raises:
        SpecError: Two things would get the same Python name, or something cannot be expressed.
    """
    return with_python_names(_Builder(document, package).sdk())


class _Builder:
    def __init__(self, document: Document, package: str) -> None:
        self._document = document
        self._package = package
        self._schemas: Document = document["components"]["schemas"]
        self._open_aliases: list[str] = []

    def sdk(self) -> ir.Sdk:
        models: list[ir.Model] = []
        aliases: list[ir.Alias] = []
        for name, schema in self._schemas.items():
            with located(name):
                if schema.get("properties"):
                    models.append(self._model(name, schema))
                else:
                    aliases.append(self._alias(name, schema))
        schemas: list[ir.Model | ir.Alias] = [*models, *aliases]
        names = [name for each in schemas for name in (each.name, *each.aliases)]
        refuse_twins("module", [module_name(name) for name in names])
        operations = []
        for path, item in self._document["paths"].items():
            for method, node in item.items():
                with located(f"{method.upper()} {path}"):
                    operations.append(self._operation(path, method, node))
        refuse_twins("operation", [each.id for each in operations])
        with located("info"):
            title, version = (self._document["info"][key] for key in ("title", "version"))
        return ir.Sdk(
            package=self._package,
            title=title,
            version=str(version),
            models=tuple(sorted(models, key=lambda each: each.name)),
            aliases=tuple(sorted(aliases, key=lambda each: each.name)),
            apis=tuple(self._apis(operations)),
            notifications=notifications(self._schemas),
        )

    # -- Schemas -------------------------------------------------------------------------------

    def _model(self, name: str, schema: Document) -> ir.Model:
        required = set(schema.get("required", ()))
        undeclared = required - schema["properties"].keys()
        if undeclared:
            raise SpecError(f"requires {min(undeclared)!r}, which it does not declare")
        combined = schema.keys() & set(_COMBINATIONS)
        if combined:
            raise SpecError(f"{min(combined)} beside properties is not supported")
        properties = []
        for wire, node in schema["properties"].items():
            with located(wire):
                properties.append(self._property(wire, node, wire in required))
        names = [spelled for each in properties for spelled in (each.name, *each.aliases)]
        refuse_twins("property", names)
        refuse_unusable(names, RESERVED_PROPERTIES)
        refuse_hiding(properties)
        for each in properties:
            if each.type.variants and each.type.variants.by not in schema["properties"]:
                raise SpecError(f"{each.wire} depends on {each.type.variants.by!r}, not beside it")
        return ir.Model(
            name=name,
            module=module_name(name),
            description=_prose(schema),
            properties=tuple(properties),
            aliases=self._class_aliases(name, schema),
            deprecated=schema.get("deprecated", False),
            retired=retired(schema, properties),
            max_properties=schema.get("maxProperties"),
            domain=schema.get(DOMAIN, ""),
        )

    def _alias(self, name: str, schema: Document) -> ir.Alias:
        if "$ref" in schema or len(schema.get("allOf", ())) == 1:
            raise SpecError("is another schema by another name; give that x-python-aliases")
        if "x-retired" in schema:
            raise SpecError("x-retired stands where there are no properties")
        return ir.Alias(
            name=name,
            module=module_name(name),
            description=_prose(schema),
            type=self._variant_or_type(schema),
            aliases=self._class_aliases(name, schema),
            domain=schema.get(DOMAIN, ""),
        )

    @staticmethod
    def _class_aliases(name: str, schema: Document) -> tuple[str, ...]:
        aliases = _aliases(schema)
        for each in (name, *aliases):
            if not each[0].isupper():
                raise SpecError(f"{each!r} does not begin with a capital, as names of classes do")
        refuse_unusable([name, *aliases], RESERVED_CLASSES)
        return aliases

    def _described(self, node: Document) -> Document:
        """Return the schema that a property refers to, or is.

        A description of its own is put beside a reference by means of allOf.
        """
        found: Document = resolve(self._document, node.get("allOf", [node])[0])
        return found

    def _property(self, wire: str, node: Document, required: bool) -> ir.Property:
        inner = self._described(node)
        return ir.Property(
            name=node.get("x-python-name") or identifier(wire, RESERVED_PROPERTIES),
            wire=wire,
            type=self._variant_or_type(node),
            required=required,
            nullable=bool(node.get("nullable") or inner.get("nullable")),
            description=_prose(node) or _prose(inner),
            aliases=_aliases(node),
            secret=inner.get("format") == "password",
            deprecated=node.get("deprecated", False),
            read_only=node.get("readOnly", False),
            default=node.get("default"),
        )

    def _variant_or_type(self, node: Document) -> ir.TypeRef:
        """Return the type of a schema that stands where x-variants can be obeyed.

        Elsewhere there is nothing beside it to choose the class by, and it is any object.
        """
        found = self._type(node)
        inner = self._described(node)
        if "x-variants" not in inner:
            return found
        with located("x-variants"):
            if found.text != "dict[str, Any]":
                raise SpecError("only an object without properties has variants")
            variants = self._variants(inner["x-variants"])
        return replace(found, kind="variant", variants=variants)

    def _variants(self, node: Document) -> ir.Variants:
        unknown = node.keys() - {"property", "schemas", "others"}
        if unknown:
            raise SpecError(f"{min(unknown)!r} is unknown")
        try:
            pattern = re.compile(node["schemas"])
        except re.error as cause:
            raise SpecError(f"{node['schemas']!r} is no regular expression: {cause}") from cause
        if pattern.groups != 1:
            raise SpecError(f"{node['schemas']!r} needs one group, for the name of the variant")
        classes = dict(node.get("others", {}))
        exceptions = set(classes.values())
        for name in self._schemas:
            match = pattern.fullmatch(name) if name not in exceptions else None
            if match:
                key = match[1][0].lower() + match[1][1:]
                if key in classes:
                    raise SpecError(f"{name} and {classes[key]} are both the one of {key!r}")
                classes[key] = name
        for name in classes.values():
            if not self._schemas.get(name, {}).get("properties"):
                raise SpecError(f"{name} is no object with properties")
        return ir.Variants(node["property"], dict(sorted(classes.items())))

    def _type(self, node: Document) -> ir.TypeRef:
        """Return the type of a schema, with aliases written out."""
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            target = resolve(self._document, node)
            if target.get("properties") and "components/schemas" in node["$ref"]:
                return ir.TypeRef(name, "nested", (name,))
            if name in self._open_aliases:
                raise SpecError(f"{name} contains itself without an object in between")
            self._open_aliases.append(name)
            found = self._type(target)
            self._open_aliases.pop()
            return replace(found, alias=name)
        if "allOf" in node:
            # Only ever a reference with a description of its own beside it.
            if len(node["allOf"]) != 1:
                raise SpecError("allOf of several schemas is not supported; merge them in the spec")
            return self._type(node["allOf"][0])
        for unsupported in _COMBINATIONS:
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
        text = _SCALARS.get(str(kind))
        if text is None:
            raise SpecError(f"the type {kind!r} is unknown")
        form = node.get("format")
        if kind == "string" and form == "date-time":
            return ir.TypeRef("datetime", "datetime")
        if kind == "string" and form == "date":
            return ir.TypeRef("date", "date")
        if "enum" not in node:
            return ir.TypeRef(text, constraints=_constraints(node))
        # A null among the values says "nullable", which the annotation says already.
        values = [value for value in node["enum"] if value is not None]
        for value in values:
            # YAML reads words such as `on` and `no` as booleans, and Literal admits no floats.
            if type(value).__name__ != text or text == "float":
                raise SpecError(f"the enum value {value!r} is no {kind}, or cannot be a Literal")
        return ir.TypeRef(f"Literal[{', '.join(map(repr, values))}]")

    # -- Operations ----------------------------------------------------------------------------

    def _apis(self, operations: list[ir.Operation]) -> list[ir.Api]:
        descriptions = {
            tag["name"]: tag.get("description", "") for tag in self._document.get("tags", ())
        }
        found = []
        for tag, scheme in _APIS:
            own = [each for each in operations if each.tag == tag]
            names = [name for each in own for name in (each.name, *each.aliases)]
            refuse_twins(f"method of {tag}", names)
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
        if method not in METHODS:
            raise SpecError(f"{method!r} is not supported beside the operations of a path")
        operation_id = node["operationId"]
        aliases = _aliases(node)
        refuse_unusable(aliases, RESERVED_METHODS)
        if node["tags"] not in [[tag] for tag, _ in _APIS]:
            raise SpecError(f"the tags {node['tags']} are not one that is known")
        parameters = []
        for each in node.get("parameters", ()):
            found = resolve(self._document, each)
            with located(found["name"]):
                parameters.append(self._parameter(found))
        body, upload = self._request_body(resolve(self._document, node.get("requestBody")))
        names = [name for each in parameters for name in (each.name, *each.aliases)]
        refuse_unusable(names, RESERVED_PARAMETERS)
        names += [body.name] if body else []
        names += [upload.name] if upload else []
        refuse_twins("parameter", names)
        in_path = {each.wire for each in parameters if each.location == "path"}
        if in_path != set(re.findall(r"{([^}]+)}", path)):
            raise SpecError("the path and the parameters in it differ")
        answers = tuple(
            self._answer(status, resolve(self._document, answer))
            for status, answer in sorted(node["responses"].items(), key=_status)
        )
        has_csv = any((each.content_type or "").endswith("/csv") for each in answers)
        if "x-csv" in node and not (has_csv or upload):
            raise SpecError("x-csv stands where no CSV is returned or taken")
        return ir.Operation(
            id=operation_id,
            name=identifier(operation_id, RESERVED_METHODS),
            aliases=_aliases(node),
            method=method.upper(),
            path=path,
            tag=node["tags"][0],
            summary=_sentence(node.get("summary", "")),
            description=_prose(node),
            parameters=tuple(parameters),
            body=body,
            upload=upload,
            csv=self._csv(node.get("x-csv")),
            answers=answers,
            security=self._security(node),
            deprecated=node.get("deprecated", False) or node.get("x-legacy", False),
            legacy=node.get("x-legacy", False),
            replaced_by=replacement(self._document, node),
            idempotent=node.get("x-idempotent"),
            serialised=self._serialised(node, in_path),
            read_timeout=node.get("x-read-timeout"),
            limit=node.get("x-limit"),
            paging=paging(node.get("x-pages"), parameters, self._promised(answers)),
            domain=node.get(DOMAIN, ""),
        )

    def _serialised(self, node: Document, in_path: set[str]) -> dict[str, str]:
        """Return where an operation names what the platform serialises by."""
        places: dict[str, str] = node.get("x-serialised", {})
        for kind, place in places.items():
            first, *steps = place.split(".")
            exists = steps[0] in in_path if first == "path" else self._is_in_body(node, steps)
            if not exists:
                raise SpecError(f"x-serialised: there is no {place}, which names the {kind}")
        return places

    def _is_in_body(self, node: Document, steps: list[str]) -> bool:
        content = resolve(self._document, node.get("requestBody", {})).get("content", {})
        inner: Document = content.get("application/json", {}).get("schema", {})
        for step in steps:
            properties = self._described(inner).get("properties", {})
            if step not in properties:
                return False
            inner = properties[step]
        return True

    def _parameter(self, node: Document) -> ir.Parameter:
        location, wire = node["in"], node["name"]
        usual = _STYLES.get(location)
        style = node.get("style", usual)
        if style is None or style != usual:
            raise SpecError(f"the style {style} of a parameter in the {location} is not supported")
        type = self._type(node["schema"])
        is_list = type.text.startswith("list[")
        is_object = type.text.startswith("dict[") or type.kind == "nested"
        if is_object or (is_list and location != "query"):
            raise SpecError(f"{type.text} is not supported in the {location}")
        return ir.Parameter(
            location=location,
            name=node.get("x-python-name") or identifier(wire, RESERVED_PARAMETERS),
            wire=wire,
            type=type,
            required=location == "path" or node.get("required", False),
            description=_prose(node),
            aliases=_aliases(node),
            comma=is_list and not node.get("explode", True),
            default=node["schema"].get("default"),
        )

    def _request_body(self, node: Document | None) -> tuple[ir.Body | None, ir.Upload | None]:
        if node is None:
            return None, None
        (content_type, content), *others = node["content"].items()
        if others:
            raise SpecError("bodies of several content types are not supported")
        required = node.get("required", False)
        schema = content["schema"]
        if content_type == "multipart/form-data":
            return None, self._upload(schema, required)
        if content_type != "application/json":
            raise SpecError(f"bodies of the content type {content_type} are not supported")
        type = self._type(schema)
        if type.text not in (*type.models, "Any") and not type.text.startswith("dict["):
            raise SpecError(f"a body that is {type.text}, not an object, is not supported")
        also = tuple(node.get("x-also-accepts", ()))
        for other in also:
            if other not in self._schemas:
                raise SpecError(f"x-also-accepts names {other!r}, which is no schema")
        name = schema.get("$ref", "body").rpartition("/")[2]
        body = ir.Body(
            name=identifier(name, RESERVED_PARAMETERS - {"body"}),
            type=type,
            also=also,
            required=required,
            description=_prose(resolve(self._document, schema)),
        )
        return body, None

    def _upload(self, schema: Document, required: bool) -> ir.Upload:
        properties = resolve(self._document, schema).get("properties", {})
        if len(properties) != 1:
            raise SpecError("an upload is a form with exactly one file")
        ((wire, node),) = properties.items()
        return ir.Upload(identifier(wire, RESERVED_PARAMETERS), wire, required, _prose(node))

    def _csv(self, node: Document | None) -> ir.Csv | None:
        if node is None:
            return None
        known = ("columns", "required", "anyOf", "notBoth", "replaces")
        refuse_unknown("x-csv", node.keys(), known)
        with located("x-csv"):
            columns = node["columns"]
            required, any_of, not_both = (tuple(node.get(key, ())) for key in known[1:4])
            refuse_unknown("a list of columns", {*required, *any_of, *not_both}, columns)
            return ir.Csv(
                tuple(self._column(name, columns[name], name in required) for name in columns),
                any_of=any_of,
                not_both=not_both,
                replaces=node.get("replaces", False),
            )

    def _column(self, name: str, node: Document, required: bool) -> ir.Column:
        with located(name):
            type = self._type(node)
            words, separator = tuple(node.get("words", ())), node.get("separator", "")
            if type.models or type.kind == "date":
                raise SpecError(f"a column cannot hold {type.text}")
            if words and type.kind != "datetime":
                raise SpecError("words stand in the place of timestamps only")
            if separator and type.text != "list[str]":
                raise SpecError("a separator parts the items of a list of texts only")
        return ir.Column(name, type, required, words, separator)

    def _answer(self, status: str | int, node: Document) -> ir.RawResponse:
        if not str(status).isdecimal():
            raise SpecError(f"the status {status!r} is not supported; name each one")
        content = node.get("content") or {}
        content_type = next(iter(content), None)
        schema = content[content_type].get("schema") if content_type else None
        found = ir.RawResponse(
            status=int(status),
            description=_sentence(node.get("description", "")),
            type=None if schema is None else self._type(schema),
            content_type=content_type,
        )
        is_json_or_csv = content_type is None or content_type.endswith(("/json", "/csv"))
        if found.is_success and (len(content) > 1 or not is_json_or_csv):
            raise SpecError(f"an answer that is {' or '.join(content)} is not supported")
        return found

    def _promised(self, answers: tuple[ir.RawResponse, ...]) -> dict[str, Document]:
        """Return the properties of a successful answer, with what they refer to."""
        named = [
            each.type.text
            for each in answers
            if each.is_success and each.type and each.type.kind == "nested"
        ]
        if not named or named[0] not in self._schemas:
            return {}
        found = self._schemas[named[0]]["properties"].items()
        return {wire: self._with_items(node) for wire, node in found}

    def _with_items(self, node: Document) -> Document:
        # Two levels are what paging looks at: the list in the answer, and the items in the list.
        found: Document = resolve(self._document, node)
        if "items" not in found:
            return found
        return {**found, "items": resolve(self._document, found["items"])}

    def _security(self, node: Document) -> tuple[str, ...]:
        required: list[Document] = node.get("security") or []
        if "security" not in node:
            required = self._document.get("security", [])
        declared = self._document["components"].get("securitySchemes", {})
        schemes = []
        for alternative in required:
            if len(alternative) != 1:
                raise SpecError("each alternative of the security must name exactly one scheme")
            schemes += list(alternative)
        unknown = set(schemes) - (declared.keys() & SCHEMES.keys())
        if unknown:
            raise SpecError(f"the security scheme {min(unknown)!r} is unknown")
        return tuple(schemes)


def _status(item: tuple[str | int, Document]) -> str:
    # YAML reads a status without quotes as a number.
    return str(item[0])


def _aliases(node: Document) -> tuple[str, ...]:
    aliases = node.get("x-python-aliases", [])
    if not isinstance(aliases, list):
        raise SpecError(f"x-python-aliases must be a list, not {aliases!r}")
    return tuple(aliases)


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
