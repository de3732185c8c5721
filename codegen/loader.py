"""Reads ``spec/`` and merges it into one OpenAPI document."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
EXTENSIONS = (
    "x-also-accepts",
    "x-csv",
    "x-domains",
    "x-idempotent",
    "x-legacy",
    "x-limit",
    "x-notification",
    "x-pages",
    "x-python-aliases",
    "x-python-name",
    "x-read-timeout",
    "x-replaced-by",
    "x-retired",
    "x-serialised",
    "x-variants",
)


class SpecError(Exception):
    """The description of the API is wrong, or the generator cannot express it."""


DOMAIN = "x-domain"
"""Key that the merged document gives operations and schemas: the domain they come from."""


def load(folder: Path) -> Document:
    """Return the merged document: the root, with the paths and schemas of every domain in it.

    Raises:
        SpecError: A path, a schema or an operation is defined twice, a domain is missing or not
            listed, a file is not readable, or one of our extension keys is misspelled.
    """
    document = _read(folder / "openapi.yaml")
    paths: Document = document.setdefault("paths", {})
    schemas: Document = document.setdefault("components", {}).setdefault("schemas", {})
    domains = document.pop("x-domains", [])
    for domain in domains:
        part = _read(folder / "domains" / f"{domain}.yaml")
        unknown = part.keys() - {"paths", "schemas"}
        if unknown:
            raise SpecError(f"{domain}.yaml: {min(unknown)!r} is neither paths nor schemas")
        for path, item in (part.get("paths") or {}).items():
            known = paths.setdefault(path, {})
            twice = known.keys() & item.keys()
            if twice:
                raise SpecError(f"{domain}.yaml: {min(twice)} {path} is defined twice")
            known.update({method: _marked(node, domain) for method, node in item.items()})
        for name, schema in (part.get("schemas") or {}).items():
            if name in schemas:
                raise SpecError(f"{domain}.yaml: the schema {name} is defined twice")
            schemas[name] = _marked(schema, domain)
    unlisted = {path.stem for path in (folder / "domains").glob("*.yaml")} - set(domains)
    if unlisted:
        raise SpecError(f"openapi.yaml does not list the domain {min(unlisted)!r}")
    return document


def resolve(document: Document, node: Any) -> Any:
    """Return the target of a reference, or *node* itself if it is none.

    Raises:
        SpecError: The reference leads nowhere, or back to itself.
    """
    followed = []
    while isinstance(node, dict) and "$ref" in node:
        reference = node["$ref"]
        if reference in followed:
            raise SpecError(f"{reference} leads back to itself")
        followed.append(reference)
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            if not isinstance(target, dict) or step not in target:
                raise SpecError(f"{reference} leads nowhere")
            target = target[step]
        node = target
    return node


def _marked(node: Any, domain: str) -> Any:
    return {**node, DOMAIN: domain} if isinstance(node, dict) else node


def _read(path: Path) -> Document:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as cause:
        raise SpecError(f"{path} is missing") from cause
    # Both are safe; the one in C is faster.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        root = loader.get_single_node()
        _check_keys(path.name, root)
        document = loader.construct_document(root) if root else None
    except yaml.YAMLError as cause:
        raise SpecError(f"{path.name}: {' '.join(str(cause).split())}") from cause
    finally:
        loader.dispose()
    if not isinstance(document, dict):
        raise SpecError(f"{path} is no YAML mapping")
    return document


def _check_keys(file: str, node: yaml.Node | None) -> None:
    """Refuse duplicate keys, of which YAML would drop one, and misspelled extension keys."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(file, item)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = str(key.value)
            place = f"{file}, line {key.start_mark.line + 1}"
            if name in seen:
                raise SpecError(f"{place}: {name} is defined twice")
            seen.add(name)
            meant = (
                get_close_matches(name, EXTENSIONS, 1, cutoff=0.75) if name.startswith("x-") else []
            )
            if meant and name not in EXTENSIONS:
                raise SpecError(f"{place}: {name} is unknown; is {meant[0]} meant?")
            _check_keys(file, value)
