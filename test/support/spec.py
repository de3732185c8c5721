"""The API description as tests read it: raw YAML, without the help of the generator.

What the generator decides (names, types, order of arguments) is decided here once more, from
the rules that users rely on, so that the two can be compared.
"""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Node = dict[str, Any]


class SpecError(Exception):
    """The description lacks something that tests rely on; the message says what, and where."""


class _Section(dict[str, Node]):
    """Nodes by name, whose missing names are reported with the section of the description."""

    def __init__(self, title: str, nodes: Node) -> None:
        super().__init__(nodes)
        self.title = title

    def __missing__(self, name: str) -> Node:
        raise SpecError(f"there is no {name!r} in {self.title}")


@contextmanager
def _reading(place: object) -> Iterator[None]:
    """Report what goes wrong in the block with the place in the description."""
    try:
        yield
    except SpecError as cause:
        raise SpecError(f"{place}: {cause}") from cause
    except KeyError as cause:
        raise SpecError(f"{place}: there is no {cause}") from cause
    except Exception as cause:  # Whatever a description of the wrong shape causes.
        raise SpecError(f"{place}: {type(cause).__name__}: {cause}") from cause


_FOLDER = Path(__file__).resolve().parents[2] / "spec"
_METHODS = ("get", "put", "post", "delete", "patch")


def _read(path: Path) -> Node:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open(encoding="utf-8") as file:
        document: Node = yaml.load(file, loader)
    return document


ROOT = _read(_FOLDER / "openapi.yaml")
_DOMAINS = [_read(path) for path in sorted((_FOLDER / "domains").glob("*.yaml"))]
SCHEMAS: dict[str, Node] = _Section(
    "schemas",
    {
        name: schema
        for domain in _DOMAINS
        for name, schema in sorted((domain.get("schemas") or {}).items())
    },
)
_COMPONENTS = {kind: _Section(kind, nodes) for kind, nodes in ROOT["components"].items()}


def is_model(name: str) -> bool:
    """Say whether a schema is a class; the others are names of types."""
    return bool(SCHEMAS[name].get("properties"))


def is_union(name: str) -> bool:
    """Say whether a schema stands for several classes, one of which each object names."""
    return "discriminator" in SCHEMAS[name] and not is_model(name)


MODELS = [name for name in SCHEMAS if is_model(name)]
UNIONS = [name for name in SCHEMAS if is_union(name)]
TYPE_ALIASES = [name for name in SCHEMAS if not is_model(name) and not is_union(name)]


def schema_name(node: Node) -> str | None:
    """Return the name of the schema that a node refers to; ``None`` if it refers to none."""
    reference: str | None = node.get("$ref")
    return reference.rpartition("/")[2] if reference is not None else None


def resolved(node: Node) -> Node:
    """Return a node itself, or what it refers to by ``$ref`` or a single ``allOf``."""
    if "allOf" in node:
        (node,) = node["allOf"]
    if "$ref" not in node:
        return node
    kind, name = node["$ref"].split("/")[-2:]
    target: Node = SCHEMAS[name] if kind == "schemas" else _COMPONENTS[kind][name]
    return resolved(target)


def model_of(node: Node) -> str | None:
    """Return the name of the class that a node stands for; ``None`` if it stands for none."""
    if "allOf" in node:
        (node,) = node["allOf"]
    name = schema_name(node)
    if name is None or is_model(name) or is_union(name):
        return name
    return model_of(SCHEMAS[name])


def constants(name: str) -> dict[str, str]:
    """Return the values that the constructor of a class sets, by wire name.

    They are those by which the class is known among the several that a schema stands for.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for union in UNIONS:
        by, classes = choices(SCHEMAS[union]) or ("", {})
        found[by].update(value for value, each in classes.items() if each == name)
    return {by: values.pop() for by, values in found.items() if len(values) == 1}


def choices(node: Node) -> tuple[str, dict[str, str]] | None:
    """Return which property chooses among schemas, and these by its value; ``None`` if none does.

    That of an object with ``x-variants`` stands beside the object, any other inside.
    """
    if "discriminator" in node:
        mapping = node["discriminator"]["mapping"]
        found = {value: reference.rpartition("/")[2] for value, reference in mapping.items()}
        return node["discriminator"]["propertyName"], found
    if "x-variants" in node:
        rule = node["x-variants"]
        found = dict(rule.get("others", {}))
        for name in SCHEMAS if "schemas" in rule else ():
            match = re.fullmatch(rule["schemas"], name)
            if match and name not in rule.get("others", {}).values():
                found[match[1][0].lower() + match[1][1:]] = name
        return rule["property"], found
    return None


def properties(name: str) -> dict[str, Node]:
    """Return the properties of a schema by wire name."""
    schema = SCHEMAS[name]
    with _reading(name):
        found: dict[str, Node] = schema["properties"]
    return found


def required(name: str) -> list[str]:
    """Return the wire names of the properties that a schema requires."""
    return list(SCHEMAS[name].get("required", ()))


def is_nullable(node: Node) -> bool:
    """Say whether null is one of the values that a node allows."""
    target = resolved(node)
    # What has no type may be any JSON, and null is JSON.
    typed = {"type", "properties", "additionalProperties", "enum", "oneOf"}
    untyped = not typed & target.keys()
    return bool(node.get("nullable") or target.get("nullable") or untyped)


def python_name(wire: str, node: Node) -> str:
    """Return the Python name of a property or parameter."""
    return str(node.get("x-python-name") or underscored(wire))


def python_aliases(node: Node) -> list[str]:
    """Return the further Python names of anything."""
    return list(node.get("x-python-aliases", ()))


def underscored(name: str) -> str:
    """Return a name the way Python writes it: ``catalogItemID``, ``catalog_item_id``."""
    text = ""
    for index, letter in enumerate(name):
        before, after = name[index - 1 : index], name[index + 1 : index + 2]
        starts_word = before.islower() or before.isdigit()
        ends_capitals = before.isupper() and after.islower()
        text += "_" if letter.isupper() and (starts_word or ends_capitals) else ""
        text += "_" if letter in "- " else letter.lower()
    return f"{text}_" if keyword.iskeyword(text) else text


def type_string(node: Node) -> str:
    """Return the type string of the vendor's packages for a node, aliases written out."""
    name = model_of(node)
    if name is not None:
        return name
    node = resolved(node)
    kind = node.get("type")
    if kind == "array":
        with _reading(node):
            items = node["items"]
        return f"list[{type_string(items)}]"
    values = node.get("additionalProperties")
    if isinstance(values, dict):
        return f"dict(str, {type_string(values)})"
    if kind == "string":
        return {"date-time": "datetime", "date": "date"}.get(node.get("format", ""), "str")
    return {"integer": "int", "number": "float", "boolean": "bool"}.get(str(kind), "object")


@dataclass(frozen=True)
class Parameter:
    """One parameter of an operation."""

    name: str
    aliases: tuple[str, ...]
    wire: str
    location: str
    required: bool
    explode: bool
    schema: Node
    example: Any
    description: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class ResponseSpec:
    """One documented response of an operation."""

    status: int
    content_type: str | None
    schema: Node | None


@dataclass(frozen=True)
class Operation:
    """One operation as the document describes it."""

    id: str
    api: str
    """Name of the class that has the method."""
    names: tuple[str, ...]
    """Names of the method."""
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: str | None
    """Schema of the JSON body."""
    also: tuple[str, ...]
    """Schemas that are accepted as its body too."""
    upload: str | None
    """Wire name of the file to upload."""
    csv: Node | None
    """What the CSV file that it returns or takes looks like."""
    responses: tuple[ResponseSpec, ...]
    security: tuple[str, ...]
    deprecated: bool
    replaced_by: str | None
    """ID of the operation to call instead."""
    pages: Node | bool | None
    """What ``x-pages`` says."""

    description: str

    @property
    def name(self) -> str:
        """Name of the method."""
        return self.names[0]

    @property
    def required(self) -> list[Parameter]:
        """Parameters that must be given, in document order."""
        return [each for each in self.parameters if each.required]

    @property
    def optional(self) -> list[Parameter]:
        """The other ones."""
        return [each for each in self.parameters if not each.required]

    @property
    def positional(self) -> list[str]:
        """Names of the arguments that may be given by position."""
        names = [each.name for each in self.required]
        names += ["body"] if self.body else []
        names += [underscored(self.upload)] if self.upload else []
        return names

    @property
    def successes(self) -> list[ResponseSpec]:
        """The documented 2xx responses."""
        return [each for each in self.responses if 200 <= each.status <= 299]

    @property
    def errors(self) -> list[ResponseSpec]:
        """The other ones."""
        return [each for each in self.responses if not 200 <= each.status <= 299]

    def __str__(self) -> str:
        return self.id


def _parameter(node: Node) -> Parameter:
    node = resolved(node)
    return Parameter(
        name=python_name(node["name"], node),
        aliases=tuple(python_aliases(node)),
        wire=node["name"],
        location=node["in"],
        required=node.get("required", False),
        explode=node.get("explode", True),
        schema=node["schema"],
        example=node.get("example"),
        description=node.get("description", ""),
    )


def _response(status: str, node: Node) -> ResponseSpec:
    content_type, schema = _content(resolved(node))
    return ResponseSpec(int(status), content_type, schema)


def _content(node: Node) -> tuple[str | None, Node | None]:
    """Return the content type of a request or response and the schema of its body."""
    for content_type, described in (node.get("content") or {}).items():
        return content_type, described["schema"]
    return None, None


def read_operation(method: str, path: str, node: Node) -> Operation:
    """Return the operation that a node of the description stands for.

    Raises:
        SpecError: The node has not the shape of an operation; the message names it.
    """
    name = node.get("operationId")
    where = f"{method.upper()} {path}"
    with _reading(f"{name}, {where}" if name else where):
        return _operation(method, path, node)


def _operation(method: str, path: str, node: Node) -> Operation:
    asked = node.get("requestBody", {})
    content_type, schema = _content(asked)
    is_form = content_type == "multipart/form-data"
    return Operation(
        id=node["operationId"],
        api=f"{node['tags'][0].capitalize()}Api",
        names=(underscored(node["operationId"]), *python_aliases(node)),
        method=method.upper(),
        path=path,
        parameters=tuple(_parameter(each) for each in node.get("parameters", ())),
        body=schema_name(schema or {}) if not is_form else None,
        also=tuple(asked.get("x-also-accepts", ())),
        upload=next(iter(resolved(schema or {})["properties"])) if is_form else None,
        csv=node.get("x-csv"),
        responses=tuple(_response(status, each) for status, each in node["responses"].items()),
        security=tuple(name for alternative in node["security"] for name in alternative),
        deprecated=node.get("deprecated", False),
        replaced_by=node.get("x-replaced-by"),
        pages=node.get("x-pages"),
        description=node["description"],
    )


OPERATIONS = [
    read_operation(method, path, item[method])
    for domain in _DOMAINS
    for path, item in (domain.get("paths") or {}).items()
    for method in _METHODS
    if method in item
]
