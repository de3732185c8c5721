"""What an operation sends and receives: request bodies, uploads, CSV files, responses."""

from __future__ import annotations

from codegen import ir
from codegen.checks import RESERVED_PARAMETERS, located, refuse_unknown
from codegen.examples import ExampleReader
from codegen.loader import Document, SpecError, resolve
from codegen.names import identifier
from codegen.nodes import prose, sentence
from codegen.places import place_of
from codegen.type_refs import TypeReader
from codegen.unions import is_union


class BodyReader:
    """Reads what operations send and receive, of the types that *types* reads."""

    def __init__(self, document: Document, types: TypeReader) -> None:
        self._document = document
        self._schemas: Document = document["components"]["schemas"]
        self._types = types
        self._examples = ExampleReader(types)

    def request_body(self, node: Document | None) -> tuple[ir.Body | None, ir.Upload | None]:
        """Return the JSON body of an operation, or the file that it uploads, or neither."""
        if node is None:
            return None, None
        (content_type, content), *others = node["content"].items()
        if others:
            raise SpecError("bodies of several content types are not supported")
        required = node.get("required", False)
        schema = content["schema"]
        if content_type == "multipart/form-data":
            if "example" in content:
                raise SpecError("an upload has no example", place_of(content, "example"))
            return None, self._upload(schema, required)
        if content_type != "application/json":
            raise SpecError(f"bodies of the content type {content_type} are not supported")
        type = self._types.type_of(schema)
        if type.text not in (*type.models, "Any") and not type.text.startswith("dict["):
            raise SpecError(f"a body that is {type.text}, not an object, is not supported")
        if is_union(resolve(self._document, schema)):
            raise SpecError("a body of several classes is not supported")
        also = tuple(node.get("x-also-accepts", ()))
        with located("x-also-accepts", node, "x-also-accepts"):
            refuse_unknown(also, self._schemas)
        name = schema.get("$ref", "body").rpartition("/")[2]
        body = ir.Body(
            name=identifier(name, RESERVED_PARAMETERS - {"body"}),
            type=type,
            also=also,
            example=self._examples.read(content, schema, type),
            required=required,
            description=prose(resolve(self._document, schema)),
        )
        return body, None

    def _upload(self, schema: Document, required: bool) -> ir.Upload:
        properties = resolve(self._document, schema).get("properties", {})
        if len(properties) != 1:
            raise SpecError("an upload is a form with exactly one file")
        ((wire, node),) = properties.items()
        return ir.Upload(identifier(wire, RESERVED_PARAMETERS), wire, required, prose(node))

    def csv(self, node: Document | None) -> ir.Csv | None:
        """Return the CSV file that ``x-csv`` describes."""
        if node is None:
            return None
        with located("x-csv", node):
            columns = node["columns"]
            required, any_of, not_both = (
                tuple(node.get(key, ())) for key in ("required", "anyOf", "notBoth")
            )
            refuse_unknown([*required, *any_of, *not_both], columns)
            return ir.Csv(
                tuple(self._column(name, columns[name], name in required) for name in columns),
                any_of=any_of,
                not_both=not_both,
                replaces=node.get("replaces", False),
            )

    def _column(self, name: str, node: Document, required: bool) -> ir.Column:
        with located(name, node):
            type = self._types.type_of(node)
            words, separator = tuple(node.get("words", ())), node.get("separator", "")
            if type.models or type.kind == "date":
                raise SpecError(f"a column cannot hold {type.text}")
            if words and type.kind != "datetime":
                raise SpecError("only timestamps have words")
            if separator and type.text != "list[str]":
                raise SpecError("only lists of texts have a separator")
        return ir.Column(name, type, required, words, separator)

    def response(self, status: str | int, node: Document) -> ir.Response:
        """Return a documented response."""
        if not str(status).isdecimal():
            raise SpecError(f"the status {status!r} is not supported; name each one")
        content = node.get("content") or {}
        content_type = next(iter(content), None)
        schema = content[content_type].get("schema") if content_type else None
        found = ir.Response(
            status=int(status),
            description=sentence(node.get("description", "")),
            type=None if schema is None else self._types.type_of(schema),
            content_type=content_type,
        )
        is_json_or_csv = content_type is None or content_type.endswith(("/json", "/csv"))
        if found.is_success and (len(content) > 1 or not is_json_or_csv):
            raise SpecError(f"a response that is {' or '.join(content)} is not supported")
        return found
