"""Bring an OpenAPI document, 3.0 or 3.1, into its normal form.

============================================  ================================================
In the document                               In the normal form
============================================  ================================================
``type: [string, "null"]``                    nullable
``oneOf`` or ``anyOf`` with null              nullable, and the union of the rest, if it is one
``exclusiveMinimum: true`` beside a minimum   the minimum as exclusiveMinimum, as 3.1 writes it
``const``, a union of constants               enum
``allOf`` of one, with texts beside it        a reference, with texts beside it
``allOf`` of several                          one schema with all that they have
``contentEncoding``, ``contentMediaType``     format
an object that is described where it is used  a schema, named as openapi-generator does
a schema's name, ``foo_bar``                  the name of its class, ``FooBar``
============================================  ================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.drift.documents import Document
from codegen.drift.normal_schemas import SchemaNormalizer, class_name
from codegen.drift.shapes import Content, Facts, NormalForm, Operation, Parameter
from codegen.loader import METHODS, SpecError


def normal_form(document: Document) -> NormalForm:
    """Return the normal form of a document.

    Raises:
        SpecError: Something has another kind than OpenAPI gives it, schemas or operations have the
            same name in the normal form, or a schema is part of itself.
    """
    info = document.mapping(document.root.get("info") or {}, "info")
    version = str(info.get("version", ""))
    try:
        schemas = SchemaNormalizer(document)
        operations = _OperationReader(document, schemas).operations()
        return NormalForm(document.file, version, schemas.schemas(), operations)
    except RecursionError as cause:
        raise SpecError(f"{document.file}: schemas are nested too deeply") from cause


class _OperationReader:
    def __init__(self, document: Document, schemas: SchemaNormalizer) -> None:
        self._document = document
        self._schemas = schemas

    def operations(self) -> dict[str, Operation]:
        found: dict[str, Operation] = {}
        for path, item in self._document.mapping(
            self._document.root.get("paths") or {}, "paths"
        ).items():
            if path.startswith("x-"):
                continue
            resolved = self._document.resolved(item, path)
            shared = self._document.list_at(resolved, "parameters")
            for method in METHODS:
                if method not in resolved:
                    continue
                node = self._document.mapping(resolved[method], f"{method} {path}")
                name = str(node.get("operationId") or _operation_id(method, path))
                if name in found:
                    places = found[name].where, self._document.where(node)
                    raise SpecError(f"the operation {name} is defined twice", *places)
                found[name] = self._operation(name, method, path, node, shared)
        return found

    def _operation(
        self, name: str, method: str, path: str, node: dict[str, Any], shared: list[Any]
    ) -> Operation:
        operation = Operation(
            self._document.where(node),
            method.upper(),
            path,
            summary=" ".join(str(node.get("summary") or "").split()),
            description=" ".join(str(node.get("description") or "").split()),
            deprecated=node.get("deprecated") is True,
            security=tuple(sorted(self._security(node))),
            tags=tuple(str(each) for each in self._document.list_at(node, "tags")),
            ours={key: value for key, value in node.items() if key.startswith("x-")},
        )
        for each in [*shared, *self._document.list_at(node, "parameters")]:
            parameter = self._document.resolved(each, "a parameter")
            if not isinstance(parameter.get("name"), str) or "in" not in parameter:
                raise self._document.refuse(each, f"a parameter of {name} has no name or place")
            key = f"{parameter['in']} {parameter['name']}"
            operation.parameters[key] = self._parameter(name, parameter)
        if node.get("requestBody") is not None:
            body = self._document.resolved(node["requestBody"], "requestBody")
            operation.body = self._content(body, f"{name}Request")
        responses = self._document.mapping(node.get("responses") or {}, "responses")
        for status, response in responses.items():
            if status.startswith("x-"):
                continue
            resolved = self._document.resolved(response, f"the response {status}")
            operation.responses[status] = self._content(resolved, f"{name}{status}Response")
        return operation

    def _security(self, node: dict[str, Any]) -> Iterator[str]:
        owner = node if "security" in node else self._document.root
        for alternative in self._document.list_at(owner, "security"):
            yield "+".join(sorted(self._document.mapping(alternative, "security")))

    def _parameter(self, operation: str, node: dict[str, Any]) -> Parameter:
        schema = node.get("schema")
        if schema is None and isinstance(node.get("content"), dict) and node["content"]:
            first = next(iter(node["content"].values()))
            schema = self._document.mapping(first, "content").get("schema")
        hint = f"{operation}{class_name(node['name'])}Parameter"
        shape = self._schemas.use({} if schema is None else schema, hint)
        facts: Facts = {}
        if shape.facts.get("type") == "array" and node.get("explode") is False:
            facts["explode"] = False
        return Parameter(
            self._document.where(node),
            shape,
            required=node.get("required") is True or node["in"] == "path",
            description=" ".join(str(node.get("description") or "").split()),
            deprecated=node.get("deprecated") is True,
            facts=facts,
            ours={key: value for key, value in node.items() if key.startswith("x-")},
        )

    def _content(self, node: dict[str, Any], hint: str) -> Content:
        content = self._document.mapping(node.get("content") or {}, "content")
        # JSON, where there is a choice.
        content_type = next((each for each in content if "json" in each), next(iter(content), None))
        shape = None
        if content_type is not None:
            schema = self._document.mapping(content[content_type] or {}, content_type).get("schema")
            shape = self._schemas.use({} if schema is None else schema, class_name(hint))
        return Content(
            self._document.where(node),
            shape,
            content_type,
            required=node.get("required") is True,
            description=" ".join(str(node.get("description") or "").split()),
        )


def _operation_id(method: str, path: str) -> str:
    words = class_name(path)
    return f"{method}{words}"
