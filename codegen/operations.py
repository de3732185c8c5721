"""Operations: parameters, bodies, credentials, and what the extension keys say of them."""

from __future__ import annotations

import re

from codegen import ir
from codegen.bodies import BodyReader
from codegen.checks import (
    RESERVED_METHODS,
    RESERVED_PARAMETERS,
    located,
    refuse_twins,
    refuse_unusable,
    spelled,
)
from codegen.examples import ExampleReader
from codegen.history import replacement
from codegen.loader import Document, SpecError, resolve
from codegen.names import identifier
from codegen.nodes import prose, python_aliases, sentence
from codegen.paging import paging
from codegen.places import Place, place_of
from codegen.type_refs import TypeReader
from talon_one._core.auth import SCHEMES

SCHEMES_OF_TAGS = {"integration": "api_key_v1", "management": "management_key"}
"""The tags that an operation may have, each with the usual security scheme of its API."""

_STYLES = {"path": "simple", "query": "form", "header": "simple"}


class OperationReader:
    """Reads operations, whose parameters and bodies have the types that *types* reads."""

    def __init__(self, document: Document, types: TypeReader) -> None:
        self._document = document
        self._schemas: Document = document["components"]["schemas"]
        self._types = types
        self._examples = ExampleReader(types)
        self._bodies = BodyReader(document, types)

    def operation(self, path: str, method: str, node: Document) -> ir.Operation:
        """Return an operation, checked for what the generator cannot express."""
        operation_id = node["operationId"]
        aliases = python_aliases(node)
        place = place_of(node, "x-python-aliases")
        refuse_unusable([(alias, place) for alias in aliases], RESERVED_METHODS)
        tag, group = self._tags(node)
        parameters = []
        names: list[tuple[str, Place | None]] = []
        for each in node.get("parameters", ()):
            found = resolve(self._document, each)
            with located(found["name"], found):
                parameters.append(self._parameter(found))
            names += spelled(parameters[-1], each)
        body, upload = self._bodies.request_body(resolve(self._document, node.get("requestBody")))
        refuse_unusable(names, RESERVED_PARAMETERS)
        sent = body or upload
        names += [(sent.name, place_of(node, "requestBody"))] if sent else []
        refuse_twins("parameter", names)
        in_path = {each.wire for each in parameters if each.location == "path"}
        if in_path != set(re.findall(r"{([^}]+)}", path)):
            raise SpecError("the path and the parameters in it differ")
        responses = tuple(
            self._bodies.response(status, resolve(self._document, response))
            for status, response in sorted(node["responses"].items(), key=_status)
        )
        with located("x-pages", node, "x-pages"):
            found = self._response_properties(responses)
            pages = paging(node.get("x-pages"), parameters, found)
        has_csv = any((each.content_type or "").endswith("/csv") for each in responses)
        if "x-csv" in node and not (has_csv or upload):
            raise SpecError(
                "x-csv stands where no CSV is returned or accepted", place_of(node, "x-csv")
            )
        return ir.Operation(
            id=operation_id,
            name=identifier(operation_id, RESERVED_METHODS),
            aliases=aliases,
            method=method.upper(),
            path=path,
            tag=tag,
            group=group,
            summary=sentence(node.get("summary", "")),
            description=prose(node),
            parameters=tuple(parameters),
            body=body,
            upload=upload,
            csv=self._bodies.csv(node.get("x-csv")),
            responses=responses,
            security=self._security(node),
            deprecated=node.get("deprecated", False) or node.get("x-legacy", False),
            legacy=node.get("x-legacy", False),
            replaced_by=replacement(self._document, node),
            idempotent=node.get("x-idempotent"),
            serialised=self._serialised(node, in_path),
            read_timeout=node.get("x-read-timeout"),
            limit=node.get("x-limit"),
            paging=pages,
            place=place_of(node),
        )

    def _tags(self, node: Document) -> tuple[str, str]:
        """Return the API of an operation, and its group there."""
        tags = node["tags"]
        groups = {each["name"] for each in self._document.get("tags", ())} - SCHEMES_OF_TAGS.keys()
        if len(tags) != 2 or tags[0] not in SCHEMES_OF_TAGS or tags[1] not in groups:
            raise SpecError(
                f"the tags {tags} are not an API and a group that the root describes",
                place_of(node, "tags"),
            )
        return tags[0], tags[1]

    def _serialised(self, node: Document, in_path: set[str]) -> dict[str, str]:
        """Return where a request names the session or profile that the platform serialises by."""
        places: dict[str, str] = node.get("x-serialised", {})
        for kind, place in places.items():
            first, *steps = place.split(".")
            exists = steps[0] in in_path if first == "path" else self._is_in_body(node, steps)
            if not exists:
                raise SpecError(
                    f"x-serialised: there is no {place}, which names the {kind}",
                    place_of(places, kind),
                )
        return places

    def _is_in_body(self, node: Document, steps: list[str]) -> bool:
        content = resolve(self._document, node.get("requestBody", {})).get("content", {})
        inner: Document = content.get("application/json", {}).get("schema", {})
        for step in steps:
            properties = self._types.described(inner).get("properties", {})
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
        type = self._types.type_of(node["schema"])
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
            description=prose(node),
            aliases=python_aliases(node),
            comma=is_list and not node.get("explode", True),
            default=node["schema"].get("default"),
            example=self._examples.read(node, node["schema"], type),
        )

    def _response_properties(self, responses: tuple[ir.Response, ...]) -> dict[str, Document]:
        """Return the properties of the successful response, with references resolved."""
        named = [
            each.type.text
            for each in responses
            if each.is_success and each.type and each.type.kind == "nested"
        ]
        if not named or named[0] not in self._schemas:
            return {}
        found = self._schemas[named[0]]["properties"].items()
        return {wire: self._with_items(node) for wire, node in found}

    def _with_items(self, node: Document) -> Document:
        # Paging looks at two levels: the list in the response, and the items in the list.
        found: Document = resolve(self._document, node)
        if "items" not in found:
            return found
        return {**found, "items": resolve(self._document, found["items"])}

    def _security(self, node: Document) -> tuple[str, ...]:
        declared = self._document["components"].get("securitySchemes", {})
        schemes = []
        for alternative in node["security"]:
            if len(alternative) != 1:
                raise SpecError(
                    "each alternative of the security must name exactly one scheme",
                    place_of(alternative) or place_of(node, "security"),
                )
            schemes += list(alternative)
        unknown = set(schemes) - (declared.keys() & SCHEMES.keys())
        if unknown:
            raise SpecError(
                f"the security scheme {min(unknown)!r} is unknown", place_of(node, "security")
            )
        return tuple(schemes)


def _status(item: tuple[str | int, Document]) -> str:
    # YAML reads a status without quotes as a number.
    return str(item[0])
