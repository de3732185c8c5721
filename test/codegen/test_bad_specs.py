"""A spec that is wrong, or cannot be expressed, is refused in one line that names the culprit."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

import codegen.__main__ as command

Node = dict[str, Any]

DOCUMENT: Node = {
    "openapi": "3.0.3",
    "info": {"title": "Tiny API", "version": "1"},
    "tags": [{"name": "integration"}, {"name": "management"}, {"name": "Shop"}],
    "x-domains": ["shop", "office"],
    "components": {
        "securitySchemes": {
            "api_key_v1": {"type": "apiKey", "in": "header", "name": "Authorization"},
            "homemade": {"type": "apiKey", "in": "header", "name": "Authorization"},
        },
        "parameters": {"Loop": {"$ref": "#/components/parameters/Loop"}},
    },
}
SHOP: Node = {
    "paths": {
        "/v1/things/{thingId}": {
            "get": {
                "operationId": "getThing",
                "tags": ["integration", "Shop"],
                "summary": "Get a thing",
                "description": "Returns a thing.",
                "security": [{"api_key_v1": []}],
                "parameters": [
                    {
                        "name": "thingId",
                        "in": "path",
                        "required": True,
                        "description": "ID of the thing.",
                        "schema": {"type": "string"},
                    },
                    {
                        "name": "kind",
                        "in": "query",
                        "description": "Kind of thing.",
                        "schema": {"type": "string"},
                    },
                ],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                    }
                },
                "responses": {
                    "200": {
                        "description": "OK",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Things"}}
                        },
                    }
                },
            }
        }
    },
    "schemas": {
        "Thing": {
            "description": "A thing.",
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"description": "Its name.", "type": "string"},
                "size": {"description": "Its size.", "type": "integer"},
            },
        },
        "Things": {
            "description": "Things.",
            "type": "array",
            "items": {"$ref": "#/components/schemas/Thing"},
        },
    },
}
OFFICE: Node = {"paths": {}, "schemas": {}}


class _Dumper(yaml.SafeDumper):
    """Writes out what occurs several times."""

    def ignore_aliases(self, data: object) -> bool:
        return True


class Spec:
    """The three files of a spec, which is right until somebody edits it."""

    def __init__(self) -> None:
        self.document, self.shop, self.office = deepcopy((DOCUMENT, SHOP, OFFICE))
        self.item: Node = self.shop["paths"]["/v1/things/{thingId}"]
        self.operation: Node = self.item["get"]
        self.parameter: Node = self.operation["parameters"][1]
        self.content: Node = self.operation["requestBody"]["content"]["application/json"]
        self.schemas: Node = self.shop["schemas"]
        self.thing: Node = self.schemas["Thing"]
        self.name: Node = self.thing["properties"]["name"]

    def write(self, project: Path) -> None:
        (project / "spec" / "domains").mkdir(parents=True)
        for path, content in (
            ("openapi.yaml", self.document),
            ("domains/shop.yaml", self.shop),
            ("domains/office.yaml", self.office),
        ):
            text = yaml.dump(content, Dumper=_Dumper, sort_keys=False)
            (project / "spec" / path).write_text(text, encoding="utf-8")


def _run(project: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(command, "ROOT", project)
    return command.main(list(arguments))


GET = "GET /v1/things/{thingId}"
REFERENCE = {"$ref": "#/components/schemas/Thing"}
_LIST_OF_INTEGERS = {"type": "array", "items": {"type": "integer"}}
PLACES = re.compile(r"(( and )?(openapi|domains/\w+)\.yaml, line [1-9]\d*)+: ")
Edit = Callable[[Spec], object]


def _described(nodes: dict[str, Node]) -> dict[str, Node]:
    """Return nodes that say something of themselves, if they do not yet."""
    return {
        name: node if "$ref" in node else {"description": "Something.", **node}
        for name, node in nodes.items()
    }


def _property(**properties: Node) -> Edit:
    return lambda spec: spec.thing["properties"].update(_described(properties))


def _variant(keys: Node) -> Edit:
    variants = {"property": "kind", "schemas": "(Thing)", **keys}
    return _property(content={"type": "object", "x-variants": variants})


def _schema(**schemas: Node) -> Edit:
    return lambda spec: spec.schemas.update(_described(schemas))


def _union(mapping: Node | None = None, **keys: Any) -> Edit:
    classes = mapping or {"thing": "Thing"}
    references = {value: f"#/components/schemas/{name}" for value, name in classes.items()}
    discriminator = {"propertyName": "name", "mapping": references}
    return _schema(Other={"oneOf": [REFERENCE], "discriminator": discriminator, **keys})


def _parameter(**keys: Any) -> Edit:
    return lambda spec: spec.parameter.update(keys)


def _operation(**keys: Any) -> Edit:
    return lambda spec: spec.operation.update(keys)


def _second_operation(**keys: Any) -> Edit:
    def edit(spec: Spec) -> None:
        second = {**deepcopy(spec.operation), "operationId": "putThing", **keys}
        spec.item["put"] = second

    return edit


def _response(status: str, content_types: tuple[str, ...]) -> Edit:
    content = {each: {"schema": {"type": "string"}} for each in content_types}
    return _operation(responses={status: {"description": "OK", "content": content}})


def _csv(described: Node) -> Edit:
    responses = {
        "200": {"description": "OK", "content": {"text/csv": {"schema": {"type": "string"}}}}
    }
    return _operation(**{"responses": responses, "x-csv": described})


def _body(content_type: str, schema: Node) -> Edit:
    return _operation(requestBody={"content": {content_type: {"schema": schema}}})


def _pages(said: Any, **parameters: str) -> Edit:
    """Make the operation list things, and say of its pages what is given."""

    def edit(spec: Spec) -> None:
        properties: dict[str, Node] = {
            "data": {"type": "array", "items": REFERENCE},
            "names": {"type": "array", "items": {"type": "string"}},
            "hasMore": {"type": "boolean"},
            "next": {"type": "string"},
        }
        spec.schemas["Page"] = {
            "description": "A page of things.",
            "type": "object",
            "properties": _described(properties),
        }
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}
        spec.operation["responses"] = {"200": {"description": "OK", "content": content}}
        spec.operation["parameters"] += [
            {"name": name, "in": "query", "description": "Page.", "schema": {"type": kind}}
            for name, kind in parameters.items()
        ]
        if said is not None:
            spec.operation["x-pages"] = said

    return edit


BAD: dict[str, tuple[Edit, str]] = {
    # Defined twice, or not at all
    "a path in two domains": (
        lambda spec: spec.office["paths"].update(spec.shop["paths"]),
        "/v1/things/{thingId}: get is defined twice",
    ),
    "a schema in two domains": (
        lambda spec: spec.office["schemas"].update(Thing=spec.thing),
        "schemas: Thing is defined twice",
    ),
    "an operation ID twice": (
        _second_operation(operationId="getThing"),
        "two things would be the operation 'getThing'",
    ),
    "a domain that is missing": (
        lambda spec: spec.document["x-domains"].append("cellar"),
        "openapi.yaml, line 9: domains/cellar.yaml is missing",
    ),
    "a domain that is not listed": (
        lambda spec: spec.document["x-domains"].remove("office"),
        "openapi.yaml, line 9: the domain 'office' is not listed",
    ),
    "a misspelled section": (
        lambda spec: spec.office.update(schema={}),
        "domains/office.yaml, line 3: 'schema' is neither paths nor schemas",
    ),
    # References
    "a dangling reference of a property": (
        _property(other={"$ref": "#/components/schemas/Thingy"}),
        "Thing.other: #/components/schemas/Thingy leads nowhere",
    ),
    "a dangling reference of an operation": (
        _operation(parameters=[{"$ref": "#/components/parameters/Nope"}]),
        f"{GET}: #/components/parameters/Nope leads nowhere",
    ),
    "a reference to itself": (
        _operation(parameters=[{"$ref": "#/components/parameters/Loop"}]),
        f"{GET}: #/components/parameters/Loop leads back to itself",
    ),
    "a reference that is no text": (
        _property(other={"$ref": {"type": "string"}}),
        "Thing.other: $ref must be a text, not {'type': 'string'}",
    ),
    "a reference of several lines": (
        _property(other={"$ref": "#/components\nThing"}),
        "Thing.other: #/components Thing is no reference to one of the schemas",
    ),
    "a list that contains itself": (
        _schema(Tree={"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}),
        "Tree: Tree contains itself without an object in between",
    ),
    "a schema that is only another": (
        _schema(Stuff=REFERENCE),
        "Stuff: is another schema by another name; give that x-python-aliases",
    ),
    # What must be there
    "a document without a title": (
        lambda spec: spec.document["info"].pop("title"),
        "info: 'title' is missing",
    ),
    "an operation without ID": (
        lambda spec: spec.operation.pop("operationId"),
        f"{GET}: 'operationId' is missing",
    ),
    "an operation without responses": (
        lambda spec: spec.operation.pop("responses"),
        f"{GET}: 'responses' is missing",
    ),
    "a parameter without schema": (
        lambda spec: spec.parameter.pop("schema"),
        f"{GET}: kind: 'schema' is missing",
    ),
    "a required property that is not declared": (
        lambda spec: spec.thing["required"].append("weight"),
        "Thing: requires 'weight', which it does not declare",
    ),
    "a path parameter that is not declared": (
        lambda spec: spec.operation["parameters"].pop(0),
        f"{GET}: the path and the parameters in it differ",
    ),
    "a path parameter that is not in the path": (
        _parameter(**{"in": "path"}),
        f"{GET}: the path and the parameters in it differ",
    ),
    # Types
    "an unknown type": (
        _property(other={"type": "strng"}),
        "Thing.other: the type 'strng' is unknown; is 'string' meant?",
    ),
    "a format that is no text": (
        _property(other={"type": "number", "format": 1.5}),
        "Thing.other: format must be a text, not 1.5",
    ),
    "a type as long as a page": (
        _property(other={"type": "string" * 100}),
        f"Thing.other: the type '{'string' * 12}stri... is unknown",
    ),
    "a value twice in an enum": (
        _property(other={"type": "string", "enum": ["a", "b", "a"]}),
        "Thing.other: enum has 'a' twice",
    ),
    "several types": (
        _property(other={"type": ["string", "null"]}),
        "Thing.other: the type ['string', 'null'] is unknown",
    ),
    "oneOf": (
        _property(other={"oneOf": [REFERENCE]}),
        "Thing.other: oneOf needs a discriminator, unless it joins plain scalars",
    ),
    "anyOf": (
        _schema(Other={"anyOf": [REFERENCE]}),
        "Other: anyOf is not supported; use a free-form object",
    ),
    "allOf of several": (
        _property(other={"allOf": [REFERENCE, {"type": "object"}]}),
        "Thing.other: allOf of several schemas is not supported; merge them in the spec",
    ),
    "an enum without values": (
        _property(other={"type": "string", "enum": [None]}),
        "Thing.other: enum has no values",
    ),
    "a parameter that is a schema": (
        _operation(parameters=[REFERENCE]),
        f"{GET}: ?: #/components/schemas/Thing is no reference to one of the parameters",
    ),
    "allOf of nothing": (
        _property(other={"allOf": []}),
        "Thing.other: allOf is empty",
    ),
    "oneOf of nothing": (
        _property(other={"oneOf": []}),
        "Thing.other: oneOf is empty",
    ),
    "a body without content": (
        _operation(requestBody={"content": {}}),
        f"{GET}: content is empty",
    ),
    "a path without a slash": (
        lambda spec: spec.shop["paths"].update(v1=spec.shop["paths"].pop("/v1/things/{thingId}")),
        "the path 'v1' does not begin with a slash",
    ),
    "allOf beside properties": (
        lambda spec: spec.thing.update(allOf=[REFERENCE]),
        "Thing: allOf beside properties is not supported",
    ),
    "a pattern that does not compile": (
        _property(other={"type": "string", "pattern": "["}),
        "Thing.other: the pattern '[' is not valid in Python: unterminated character set",
    ),
    "a word of an enum that YAML reads as a boolean": (
        _property(other={"type": "string", "enum": [True]}),
        "Thing.other: the enum value True is no string, or cannot be a Literal",
    ),
    "oneOf nothing": (_property(other={"oneOf": []}), "Thing.other: oneOf is empty"),
    "an enum of numbers": (
        _parameter(schema={"type": "number", "enum": [0.5]}),
        f"{GET}: kind: the enum value 0.5 is no number, or cannot be a Literal",
    ),
    "variants by a property that is missing": (
        _variant({}),
        "Thing.content: depends on 'kind', not beside it",
    ),
    "variants that are misspelled": (
        _variant({"class": "Thing"}),
        "Thing.content: x-variants: 'class' is unknown in an x-variants",
    ),
    "variants without classes": (
        _property(content={"type": "object", "x-variants": {"property": "name"}}),
        "Thing.content: x-variants: names no class",
    ),
    "a union without a name": (
        _property(other={"oneOf": [REFERENCE], "discriminator": {"propertyName": "name"}}),
        "Thing.other: an object of several classes needs a name under schemas",
    ),
    "a union without a mapping": (
        _schema(Other={"oneOf": [REFERENCE], "discriminator": {"propertyName": "name"}}),
        "Other: the discriminator needs a mapping",
    ),
    "a union whose mapping lacks a class": (
        _union(oneOf=[REFERENCE, {"$ref": "#/components/schemas/Things"}]),
        "Other: the mapping and the oneOf disagree about 'Things'",
    ),
    "a union of something without a name": (
        _union(oneOf=[REFERENCE, {"type": "object"}]),
        "Other: a schema without a name cannot be one of several",
    ),
    "a union of something that is no object": (
        _union({"list": "Things"}, oneOf=[{"$ref": "#/components/schemas/Things"}]),
        "Other: Things is no object with properties",
    ),
    "a union by a value that the class does not have": (
        lambda spec: (_union()(spec), spec.name.update(enum=["another"])),
        "Other: Thing.name cannot be 'thing'",
    ),
    "a union as a body": (
        lambda spec: (
            _union()(spec),
            spec.operation["requestBody"]["content"]["application/json"]["schema"].update(
                {"$ref": "#/components/schemas/Other"}
            ),
        ),
        f"{GET}: a body of several classes is not supported",
    ),
    "variants by nothing": (
        _property(content={"type": "object", "x-variants": {"schemas": "(Thing)"}}),
        "Thing.content: x-variants: 'property' is missing",
    ),
    "variants by a pattern that does not compile": (
        _variant({"schemas": "("}),
        "Thing.content: x-variants: '(' is no regular expression: missing ), unterminated"
        " subpattern at position 0",
    ),
    "variants by a pattern without a group": (
        _variant({"schemas": "Thing"}),
        "Thing.content: x-variants: 'Thing' needs one group, for the name of the variant",
    ),
    "twins of variants": (
        _variant({"others": {"thing": "Crate"}}),
        "Thing.content: x-variants: Thing and Crate are both the variant 'thing'",
    ),
    "a variant that is no object": (
        _variant({"others": {"many": "Things"}}),
        "Thing.content: x-variants: Things is no object with properties",
    ),
    "a variant that is nothing": (
        _variant({"others": {"none": "Nothing"}}),
        "Thing.content: x-variants: Nothing is no object with properties",
    ),
    "variants of what is no object": (
        _property(content={"type": "string", "x-variants": {"property": "name"}}),
        "Thing.content: x-variants: only an object without properties has variants",
    ),
    # Python names
    "twins of properties": (
        _property(NAME={"type": "string"}),
        "Thing: two things would be the property 'name'",
    ),
    "an alias that is no list": (
        lambda spec: spec.name.update({"x-python-aliases": "title"}),
        "Thing.name: x-python-aliases must be a list of texts, not 'title'",
    ),
    "twins by an alias": (
        lambda spec: spec.name.update({"x-python-aliases": ["size"]}),
        "Thing: two things would be the property 'size'",
    ),
    "twins of parameters": (
        lambda spec: spec.parameter.update({"x-python-name": "thing_id"}),
        f"{GET}: two things would be the parameter 'thing_id'",
    ),
    "twins of a parameter and the body": (
        lambda spec: spec.parameter.update({"x-python-aliases": ["thing"]}),
        f"{GET}: two things would be the parameter 'thing'",
    ),
    "twins of methods": (
        _second_operation(**{"x-python-aliases": ["get_thing"]}),
        "two things would be the method of integration 'get_thing'",
    ),
    "twins of modules": (
        _schema(THing={"type": "string"}, T_Hing={"type": "string"}),
        "two things would be the module 't_hing'",
    ),
    "a name that is a keyword": (
        lambda spec: spec.name.update({"x-python-name": "class"}),
        "Thing: the Python name 'class' is reserved, or is no identifier",
    ),
    "a name that is a method of models": (
        lambda spec: spec.name.update({"x-python-aliases": ["validate"]}),
        "Thing: the Python name 'validate' is reserved, or is no identifier",
    ),
    "a name that every method has": (
        lambda spec: spec.parameter.update({"x-python-name": "_request_timeout"}),
        f"{GET}: the Python name '_request_timeout' is reserved, or is no identifier",
    ),
    "a name that every API has": (
        _operation(**{"x-python-aliases": ["close"]}),
        f"{GET}: the Python name 'close' is reserved, or is no identifier",
    ),
    "a property that hides a function of the lines below": (
        _property(field={"type": "string"}, weight={"type": "number"}),
        "Thing: 'field' needs an x-python-name, for it hides that name",
    ),
    "a property that hides a type of the lines below": (
        _property(
            date={"type": "string", "format": "date"}, end={"type": "string", "format": "date"}
        ),
        "Thing: 'date' needs an x-python-name, for it hides that name",
    ),
    "a class with a small letter": (
        _schema(thing={"type": "string"}),
        "thing: 'thing' does not begin with a capital, as names of classes do",
    ),
    "a class that is no identifier": (
        _schema(**{"Some-Thing": {"type": "string"}}),
        "Some-Thing: the Python name 'Some-Thing' is reserved, or is no identifier",
    ),
    "a class with the name of the base of all": (
        _schema(Model={"type": "string"}),
        "Model: the Python name 'Model' is reserved, or is no identifier",
    ),
    "a class with the name of something in the package": (
        _schema(Configuration={"type": "string", "x-kept": "announced"}),
        "the schema Configuration has the name of something in the package",
    ),
    # Operations
    "an unknown tag": (
        _operation(tags=["sales", "Shop"]),
        f"{GET}: the tags ['sales', 'Shop'] are not an API and a group that the root describes",
    ),
    "a tag without a group": (
        _operation(tags=["integration"]),
        f"{GET}: the tags ['integration'] are not an API and a group that the root describes",
    ),
    "a group that the root does not describe": (
        _operation(tags=["integration", "Shops"]),
        f"{GET}: the tags ['integration', 'Shops'] are not an API and a group that the root"
        " describes",
    ),
    "a group without operations": (
        lambda spec: spec.document["tags"].append({"name": "Empty"}),
        "no operation has the tag 'Empty'",
    ),
    "several tags": (
        _operation(tags=["integration", "management"]),
        f"{GET}: the tags ['integration', 'management'] are not an API and a group that the root"
        " describes",
    ),
    "what is no operation": (
        lambda spec: spec.item.update(parameters=[]),
        "/v1/things/{thingId}: 'parameters' is unknown in a path",
    ),
    "an unknown security scheme": (
        _operation(security=[{"api_key_v2": []}]),
        f"{GET}: the security scheme 'api_key_v2' is unknown",
    ),
    "a security scheme without headers": (
        _operation(security=[{"homemade": []}]),
        f"{GET}: the security scheme 'homemade' is unknown",
    ),
    "several security schemes at once": (
        _operation(security=[{"api_key_v1": [], "homemade": []}]),
        f"{GET}: each alternative of the security must name exactly one scheme",
    ),
    "a cookie": (
        _parameter(**{"in": "cookie"}),
        f"{GET}: kind: the style None of a parameter in the cookie is not supported",
    ),
    "a style": (
        _parameter(style="pipeDelimited"),
        f"{GET}: kind: the style pipeDelimited of a parameter in the query is not supported",
    ),
    "an object in the query": (
        _parameter(schema=REFERENCE),
        f"{GET}: kind: Thing is not supported in the query",
    ),
    "a list in a header": (
        _parameter(**{"in": "header", "schema": {"type": "array", "items": {"type": "string"}}}),
        f"{GET}: kind: list[str] is not supported in the header",
    ),
    "a body that is a list": (
        _body("application/json", {"$ref": "#/components/schemas/Things"}),
        f"{GET}: a body that is list[Thing], not an object, is not supported",
    ),
    "a body that is XML": (
        _body("application/xml", REFERENCE),
        f"{GET}: bodies of the content type application/xml are not supported",
    ),
    "a body of several content types": (
        _operation(
            requestBody={"content": {type: {"schema": REFERENCE} for type in ("text/a", "text/b")}}
        ),
        f"{GET}: bodies of several content types are not supported",
    ),
    "a form with several fields": (
        _body("multipart/form-data", REFERENCE),
        f"{GET}: an upload is a form with exactly one file",
    ),
    "a further body that is no schema": (
        lambda spec: spec.operation["requestBody"].update({"x-also-accepts": ["Old"]}),
        f"{GET}: x-also-accepts: 'Old' is unknown",
    ),
    "columns without a file": (
        _operation(**{"x-csv": {"columns": {}}}),
        f"{GET}: x-csv stands where no CSV is returned or accepted",
    ),
    "a file without columns": (
        _csv({}),
        f"{GET}: x-csv: 'columns' is missing",
    ),
    "an unknown key beside the columns": (
        _csv({"columns": {}, "oneOf": []}),
        f"{GET}: x-csv: 'oneOf' is unknown",
    ),
    "a required column that is not there": (
        _csv({"columns": {"code": {"type": "string"}}, "required": ["kode"]}),
        f"{GET}: x-csv: 'kode' is unknown; is 'code' meant?",
    ),
    "a column of objects that are described": (
        _csv({"columns": {"thing": REFERENCE}}),
        f"{GET}: x-csv: thing: a column cannot hold Thing",
    ),
    "words in the place of a number": (
        _csv({"columns": {"code": {"type": "integer", "words": ["many"]}}}),
        f"{GET}: x-csv: code: only timestamps have words",
    ),
    "a separator without a list": (
        _csv({"columns": {"code": {"type": "string", "separator": ";"}}}),
        f"{GET}: x-csv: code: only lists of texts have a separator",
    ),
    "a misspelled list of columns": (
        lambda spec: spec.operation.update({"x-cvs": {}}),
        f"{GET}: 'x-cvs' is unknown in an operation; is 'x-csv' meant?",
    ),
    "a default status beside unquoted ones": (
        lambda spec: spec.operation["responses"].update(
            {key: {"description": "OK"} for key in (201, "default")}
        ),
        f"{GET}: the status 'default' is not supported; name each one",
    ),
    "a range of statuses": (
        _response("2XX", ("application/json",)),
        f"{GET}: the status '2XX' is not supported; name each one",
    ),
    "a response that is XML": (
        _response("200", ("application/xml",)),
        f"{GET}: a response that is application/xml is not supported",
    ),
    "an answer of several content types": (
        _response("200", ("application/json", "text/csv")),
        f"{GET}: a response that is application/json or text/csv is not supported",
    ),
    # Pages
    "pages that nothing is said of": (
        _pages(None, pageSize="integer", skip="integer"),
        f"{GET}: x-pages: is missing, although the operation has the parameters of pages",
    ),
    "a cursor that nothing is said of": (
        _pages(None, cursor="string"),
        f"{GET}: x-pages: is missing, although the operation has the parameters of pages",
    ),
    "pages that are no mapping": (
        _pages("skip"),
        f"{GET}: x-pages must be a mapping, or false, not 'skip'",
    ),
    "a misspelled key of pages": (
        _pages({"items": "data", "totl": "total"}),
        f"{GET}: x-pages: 'totl' is unknown in an x-pages; is 'total' meant?",
    ),
    "pages with neither items nor anything else": (
        _pages({"more": "hasMore"}),
        f"{GET}: x-pages: 'items' is missing",
    ),
    "a cursor that is found nowhere": (
        _pages({"items": "data", "cursor": "cursor"}, cursor="string"),
        f"{GET}: x-pages: needs both cursor and next, or neither",
    ),
    "pages with two ways to go on": (
        _pages({"items": "data", "skip": "skip", "cursor": "kind", "next": "next"}, skip="integer"),
        f"{GET}: x-pages: needs either skip or cursor",
    ),
    "pages by a parameter that there is not": (
        _pages({"items": "data", "skip": "skip", "identity": ["name"]}),
        f"{GET}: x-pages: 'skip' is no parameter of the type int",
    ),
    "pages by a parameter of another type": (
        _pages({"items": "data", "skip": "skip", "identity": ["name"]}, skip="string"),
        f"{GET}: x-pages: 'skip' is no parameter of the type int",
    ),
    "pages without the list that is named": (
        _pages({"items": "hasMore"}),
        f"{GET}: x-pages: 'hasMore' is no array of the response",
    ),
    "pages without the total that is named": (
        _pages({"items": "data", "total": "totalResultSize"}),
        f"{GET}: x-pages: 'totalResultSize' is no integer of the response",
    ),
    "pages of items that cannot be told apart": (
        _pages({"items": "data", "skip": "skip"}, skip="integer"),
        f"{GET}: x-pages: needs identity, or false if nothing is unique",
    ),
    "an identity that no item has": (
        _pages({"items": "data", "skip": "skip", "identity": ["id"]}, skip="integer"),
        f"{GET}: x-pages: 'id' is no property of the items",
    ),
    "objects that are their own identity": (
        _pages({"items": "data", "skip": "skip", "identity": []}, skip="integer"),
        f"{GET}: x-pages: the items are objects; identity must name properties, or be false",
    ),
    "texts with an identity": (
        _pages({"items": "names", "skip": "skip", "identity": ["id"]}, skip="integer"),
        f"{GET}: x-pages: 'id' is no property of the items",
    ),
    "a misspelled extension for pages": (
        lambda spec: spec.operation.update({"x-page": False}),
        f"{GET}: 'x-page' is unknown in an operation; is 'x-pages' meant?",
    ),
}


def _retired(**names: Any) -> Edit:
    return lambda spec: spec.thing.update({"x-retired": names})


BAD_HISTORY: dict[str, tuple[Edit, str]] = {
    "a retired property that is there": (
        _retired(size="oldSize"),
        "Thing: x-retired: 'size' is a property",
    ),
    "a retired property with the wire name of one that is there": (
        _retired(old_size="size"),
        "Thing: x-retired: 'size' is a property",
    ),
    "two retired properties that are one": (
        _retired(old_size="oldSize", former_size="oldSize"),
        "Thing: x-retired: two things would be the retired property 'oldSize'",
    ),
    "a retired property that every model has": (
        _retired(to_json="toJson"),
        "Thing: x-retired: the Python name 'to_json' is reserved, or is no identifier",
    ),
    "a retired property without a wire name": (
        _retired(old_size=None),
        "Thing: x-retired must be a mapping of texts to texts, not {'old_size': None}",
    ),
    "a list of retired properties": (
        lambda spec: spec.thing.update({"x-retired": ["old_size"]}),
        "Thing: x-retired must be a mapping of texts to texts, not ['old_size']",
    ),
    "a misspelled table of retired properties": (
        lambda spec: spec.thing.update({"x-retird": {"old_size": "oldSize"}}),
        "Thing: 'x-retird' is unknown in a schema; is 'x-retired' meant?",
    ),
    "retired properties of what is no class": (
        lambda spec: spec.schemas["Things"].update({"x-retired": {"old_size": "oldSize"}}),
        "Things: x-retired stands where there are no properties",
    ),
    "a replacement for what is not deprecated": (
        _operation(**{"x-replaced-by": "getThing"}),
        f"{GET}: x-replaced-by: stands where nothing is deprecated",
    ),
    "a replacement that there is not": (
        _operation(**{"deprecated": True, "x-replaced-by": "getThng"}),
        f"{GET}: x-replaced-by: 'getThng' is unknown; is 'getThing' meant?",
    ),
    "a replacement that is deprecated itself": (
        _operation(**{"deprecated": True, "x-replaced-by": "getThing"}),
        f"{GET}: x-replaced-by: 'getThing' is deprecated itself",
    ),
}


NOTIFICATION = {
    "type": "object",
    "properties": _described(
        {
            "NotificationType": {"type": "string", "enum": ["ThingMade"]},
            "Data": {"type": "array", "items": REFERENCE},
        }
    ),
}


def _notification(*said: Any) -> Edit:
    """Return an edit that adds one notification for each thing that `x-notification` says."""
    return _schema(
        **{
            f"Note{number}": {**NOTIFICATION, "x-notification": each}
            for number, each in enumerate(said)
        }
    )


BAD_NOTIFICATIONS: dict[str, tuple[Edit, str]] = {
    "a notification that does not say what it is": (
        _schema(Note=NOTIFICATION),
        "Note: has a NotificationType, so x-notification must say whether it is one",
    ),
    "a notification without a type": (
        lambda spec: spec.thing.update({"x-notification": True}),
        "Thing: x-notification needs the property NotificationType with an enum",
    ),
    "a word": (
        _notification("yes"),
        "Note0: x-notification must be a mapping, or true or false, not 'yes'",
    ),
    "an unknown key": (
        _notification({"items": "Thing", "propetry": "name"}),
        "Note0: x-notification: 'propetry' is unknown in an x-notification; is 'property' meant?",
    ),
    "a value of no property": (
        _notification({"items": "Thing", "value": "a"}),
        "Note0: x-notification has a value without a property",
    ),
    "items that are no schema": (
        _notification({"items": "Nothing"}),
        "Note0: x-notification names 'Nothing', which is not a schema with properties",
    ),
    "items that are no class": (
        _notification({"items": "Things"}),
        "Note0: x-notification names 'Things', which is not a schema with properties",
    ),
    "two for everything": (
        _notification(True, {"items": "Thing"}),
        "ThingMade: two things would be the shape 'None: None'",
    ),
    "two that cannot be told apart": (
        _notification(
            True,
            {"items": "Thing", "property": "name", "value": "a"},
            {"items": "Thing", "property": "name", "value": "a"},
        ),
        "ThingMade: two things would be the shape 'name: a'",
    ),
    "none for the rest": (
        _notification(
            {"items": "Thing", "property": "name", "value": "a"},
            {"items": "Thing", "property": "name", "value": "b"},
        ),
        "ThingMade: needs a schema for items that fit none of its shapes",
    ),
}


def _example(value: Any, **schema: Any) -> Edit:
    return _property(other={"type": "string", **schema, "example": value})


BAD_EXAMPLES: dict[str, tuple[Edit, str]] = {
    "an example of another type": (
        _example(1),
        "Thing.other: example: must be text, not int",
    ),
    "an example that YAML reads as a day": (
        _example(date(2027, 1, 1)),
        "Thing.other: example: 2027-01-01 is read as a date; quote it",
    ),
    "an example that is null": (_example(None), "Thing.other: example: null is no example"),
    "an example outside of the enum": (
        _example("c", enum=["a", "b"]),
        "Thing.other: example: must be one of 'a', 'b', not 'c'",
    ),
    "an example that does not match": (
        _example("abc", pattern="^[A-Z]+$"),
        r"Thing.other: example: must match ^[A-Z]+\Z, which 'abc' does not",
    ),
    "an example that is too long": (
        _example("abc", maxLength=2),
        "Thing.other: example: must have at most 2 characters, not 3",
    ),
    "an example above the limit": (
        _example(3, type="integer", maximum=2),
        "Thing.other: example: must be at most 2, not 3",
    ),
    "an example that is no timestamp": (
        _example("tomorrow", format="date-time"),
        "Thing.other: example: must be an RFC 3339 timestamp such as",
    ),
    **{
        f"an example that is no {format}": (
            _example(text, format=format),
            f"Thing.other: example: must be text of the format {format}",
        )
        for format, text in {
            "byte": "no base64!",
            "email": "nobody",
            "uri": "//example.com",
            "uuid": "0c6e2f84",
        }.items()
    },
    "an example with a wrong item": (
        _example(["a@example.com", "b"], type="array", items={"type": "string", "format": "email"}),
        "Thing.other: example: [1] must be text of the format email",
    ),
    "an example with a wrong item of an item": (
        _example([[1], [2, 3]], type="array", items={**_LIST_OF_INTEGERS, "maxItems": 1}),
        "Thing.other: example: [1] must have at most 1 items, not 2",
    ),
    "an example with a wrong value": (
        _example({"a": "b"}, type="object", additionalProperties={"type": "integer"}),
        "Thing.other: example: ['a'] must be an integer, not str",
    ),
    "an example with a value that is too low": (
        _example({"a": 1}, type="object", additionalProperties={"type": "integer", "minimum": 2}),
        "Thing.other: example: ['a'] must be at least 2, not 1",
    ),
    "an example that lacks a property": (
        _example({"b": 1}, type="object", properties={"a": {"type": "integer"}}, required=["a"]),
        "Thing.other: example: ['a'] is required",
    ),
    "an example with a wrong property": (
        _example({"a": [1, "b"]}, type="object", properties={"a": _LIST_OF_INTEGERS}),
        "Thing.other: example: ['a'][1] must be an integer, not str",
    ),
    "an example with a key that is no text": (
        _example({True: "a"}, type="object"),
        "the key 'true' is no text; write it in quotes",
    ),
    "an example of a class": (
        _property(other={"allOf": [REFERENCE], "example": {"name": "a"}}),
        "Thing.other: example: the properties of a class have examples, objects of it have none",
    ),
    "an example of a parameter": (
        _parameter(example=1),
        f"{GET}: kind: example: must be text, not int",
    ),
    "an example of a body": (
        lambda spec: spec.content.update({"schema": {"type": "object"}, "example": []}),
        f"{GET}: example: must be an object, not list",
    ),
    "an example of an upload": (
        _operation(
            requestBody={
                "content": {"multipart/form-data": {"schema": REFERENCE, "example": {"name": "a"}}}
            }
        ),
        f"{GET}: an upload has no example",
    ),
    "an example of an item": (
        _property(other={"type": "array", "items": {"type": "string", "example": "a"}}),
        "Thing.other: 'example' is unknown in an inner schema",
    ),
    "a property whose limits need an example": (
        _property(other={"type": "string", "pattern": "^[A-Z]+$"}),
        "Thing.other: needs an example, because its limits allow no plain value",
    ),
    "a text that is longer than an example should be": (
        _property(other={"type": "string", "minLength": 10**12}),
        "Thing.other: needs an example, because its limits allow no plain value",
    ),
    "a parameter whose limits need an example": (
        _parameter(schema={"type": "string", "pattern": "^[A-Z]+$"}),
        f"{GET}: kind: needs an example, because its limits allow no plain value",
    ),
}
BAD.update(BAD_EXAMPLES)
BAD.update(BAD_NOTIFICATIONS)
BAD.update(BAD_HISTORY)


@pytest.mark.parametrize("what", BAD)
def test_refused(
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    edit, said = BAD[what]
    spec = Spec()
    edit(spec)
    spec.write(tmp_path)
    assert _run(tmp_path, monkeypatch) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert PLACES.match(printed.err)
    assert [path.name for path in tmp_path.iterdir()] == ["spec"]


TEXTS = {
    "a path twice in one file": (
        "paths:\n  /v1/a: {}\n  /v1/a: {}\n",
        "domains/shop.yaml, line 2 and domains/shop.yaml, line 3: /v1/a is defined twice",
    ),
    "a schema twice in one file": (
        "schemas:\n  Thing:\n    type: string\n  Thing:\n    type: string\n",
        "domains/shop.yaml, line 2 and domains/shop.yaml, line 4: Thing is defined twice",
    ),
    "what is no YAML": ("paths: [\n", "domains/shop.yaml, line 2: while parsing a flow node"),
    "what is no mapping": ("- paths\n", "domains/shop.yaml, line 1: is no YAML mapping"),
    "a key that YAML reads as a boolean": (
        "schemas:\n  on: {}\n",
        "domains/shop.yaml, line 2: the key 'on' is no text; write it in quotes",
    ),
    "a key that YAML reads as a date": (
        "schemas:\n  2026-09-01: {}\n",
        "domains/shop.yaml, line 2: the key '2026-09-01' is no text; write it in quotes",
    ),
    "a key that is null": (
        "schemas:\n  ~: {}\n",
        "domains/shop.yaml, line 2: the key '~' is no text; write it in quotes",
    ),
    "a number as the name of a schema": (
        "schemas:\n  5:\n    type: object\n    description: Five.\n",
        "domains/shop.yaml, line 2: 5: '5' does not begin with a capital, as names of classes do",
    ),
    "an empty file": ("", "domains/shop.yaml, line 1: is no YAML mapping"),
}


@pytest.mark.parametrize("what", TEXTS)
def test_refused_as_text(
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text, said = TEXTS[what]
    Spec().write(tmp_path)
    (tmp_path / "spec/domains/shop.yaml").write_text(text, encoding="utf-8")
    assert _run(tmp_path, monkeypatch, "--check") == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1


def test_what_is_surest_comes_first_among_the_shapes_of_a_notification(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = Spec()
    _notification(
        {"items": "Thing"},
        {"items": "Thing", "property": "size"},
        {"items": "Thing", "property": "name", "value": "b"},
        False,
        {"items": "Thing", "property": "name", "value": "a"},
    )(spec)
    spec.schemas["Note3"]["x-kept"] = "compatibility"
    spec.write(tmp_path)
    assert _run(tmp_path, monkeypatch) == 0
    names: dict[str, Any] = {}
    exec((tmp_path / "talon_one/webhooks/_shapes.py").read_text(), names)
    (shapes,) = names["SHAPES"].values()
    assert [shape.model for shape in shapes] == ["Note2", "Note4", "Note1", "Note0"]


def test_a_right_spec_is_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = Spec()
    spec.write(tmp_path)
    assert _run(tmp_path, monkeypatch) == 0
    assert (tmp_path / "talon_one/models/thing.py").is_file()
    assert _run(tmp_path, monkeypatch, "--check") == 0
    assert capsys.readouterr().err == ""
