"""The files of ``spec/`` as text: which node of which file a place is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from codegen.drift.normal_schemas import class_name
from codegen.drift.yaml_text import YamlText, child, entry
from codegen.loader import METHODS
from codegen.operations import SCHEMES_OF_TAGS

_SCHEMAS = "#/components/schemas/"


class SpecText:
    """All files of a description, to be edited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = {"": YamlText(folder / "openapi.yaml")}
        """By domain; the root has none."""
        for path in sorted((folder / "domains").glob("*.yaml")):
            self.files[path.stem] = YamlText(path)
        root: dict[str, Any] = yaml.safe_load(self.files[""].content)
        self.components: dict[str, Any] = root.get("components") or {}
        self.groups = {str(tag["name"]) for tag in root.get("tags") or ()} - SCHEMES_OF_TAGS.keys()
        """Names of the groups of operations."""
        self._schemas: dict[str, tuple[str, str]] = {}
        """By class: domain, and name in the file."""
        self._operations: dict[str, tuple[str, yaml.Node]] = {}
        for domain, text in self.files.items():
            self._read(domain, text)

    @property
    def domains(self) -> set[str]:
        """Names of the domains."""
        return self.files.keys() - {""}

    def _read(self, domain: str, text: YamlText) -> None:
        schemas = child(text.root, *(("schemas",) if domain else ("components", "schemas")))
        if isinstance(schemas, yaml.MappingNode):
            for key, _ in schemas.value:
                self._schemas[class_name(key.value)] = domain, key.value
        paths = child(text.root, "paths")
        for _, item in paths.value if isinstance(paths, yaml.MappingNode) else ():
            for method in METHODS:
                node = child(item, method)
                name = child(node, "operationId")
                if node is not None and name is not None:
                    self._operations[name.value] = domain, node

    def _owner(self, name: str) -> yaml.Node:
        """Return the mapping that a schema is a key of."""
        domain, _ = self._schemas[name]
        root = self.files[domain].root
        return entry(root if domain else entry(root, "components")[1], "schemas")[1]

    def file_of(self, place: str) -> YamlText:
        """Return the file in which a place is."""
        head = place.partition(":")[0].partition(".")[0]
        domain = self._schemas[head][0] if head in self._schemas else self._operations[head][0]
        return self.files[domain]

    def node(self, place: str) -> yaml.Node | None:
        """Return the schema at a place, or a whole schema or operation.

        With ``:itself``, a parameter or body is returned itself, not its schema.
        """
        place, _, itself = place.partition(":")
        head, dot, rest = place.partition(".")
        if head in self._schemas:
            node = child(self._owner(head), self._schemas[head][1])
            return child(node, "properties", rest) if dot else node
        if head not in self._operations:
            return None
        _, node = self._operations[head]
        if not dot:
            return node
        if rest == "body":
            found = child(node, "requestBody")
            return found if itself else _schema_of(found)
        parameter = self._parameter(node, rest)
        if parameter is not None:
            return parameter if itself else child(parameter, "schema")
        return _schema_of(child(node, "responses", rest))

    def is_shared(self, place: str) -> bool:
        """Return whether a parameter, body or response is a component."""
        place = place.partition(":")[0]
        head, dot, rest = place.partition(".")
        if head not in self._operations or not dot:
            return False
        _, node = self._operations[head]
        if rest == "body":
            return child(node, "requestBody", "$ref") is not None
        if child(node, "responses", rest, "$ref") is not None:
            return True
        parameter = self._parameter(node, rest)
        return parameter is not None and not _is_within(parameter, child(node, "parameters"))

    def _parameter(self, operation: yaml.Node, key: str) -> yaml.Node | None:
        parameters = child(operation, "parameters")
        for each in parameters.value if isinstance(parameters, yaml.SequenceNode) else ():
            found: yaml.Node | None = each
            reference = child(each, "$ref")
            if reference is not None:
                found = child(self.files[""].root, *reference.value.removeprefix("#/").split("/"))
            location, name = child(found, "in"), child(found, "name")
            if location and name and f"{location.value} {name.value}" == key:
                return found
        return None

    def rename_schema(self, old: str, new: str) -> None:
        """Rename a schema, and all references to it."""
        domain, name = self._schemas[old]
        self.files[domain].rename_key(self._owner(old), name, new)
        for each in self.files.values():
            for node in _scalars(each.root):
                if node.value == f"{_SCHEMAS}{name}":
                    each.replace(node, f"{_SCHEMAS}{new}")


def _schema_of(node: yaml.Node | None) -> yaml.Node | None:
    content = child(node, "content")
    if not isinstance(content, yaml.MappingNode) or not content.value:
        return None
    return child(content.value[0][1], "schema")


def _is_within(node: yaml.Node, owner: yaml.Node | None) -> bool:
    return owner is not None and any(each is node for each in owner.value)


def _scalars(root: yaml.Node | None) -> list[yaml.ScalarNode]:
    found = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode):
            found.append(node)
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            waiting.extend(value for _, value in node.value)
    return found
