"""Reads ``spec/`` and merges it into one OpenAPI document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


class SpecError(Exception):
    """The description of the API is wrong, or says something the generator cannot express."""


def load(folder: Path) -> Document:
    """Return the merged document: the root, with the paths and schemas of every domain in it.

    Raises:
        SpecError: A path, a schema or an operation is defined twice, or a domain is missing.
    """
    document = _read(folder / "openapi.yaml")
    paths: Document = document.setdefault("paths", {})
    schemas: Document = document.setdefault("components", {}).setdefault("schemas", {})
    for domain in document.pop("x-domains", []):
        part = _read(folder / "domains" / f"{domain}.yaml")
        for path, item in (part.get("paths") or {}).items():
            known = paths.setdefault(path, {})
            twice = known.keys() & item.keys()
            if twice:
                raise SpecError(f"{domain}: {min(twice)} {path} is defined twice")
            known.update(item)
        for name, schema in (part.get("schemas") or {}).items():
            if name in schemas:
                raise SpecError(f"{domain}: the schema {name} is defined twice")
            schemas[name] = schema
    return document


def resolve(document: Document, node: Any) -> Any:
    """Return what *node* refers to, or *node* itself if it is no reference.

    Raises:
        SpecError: The reference leads nowhere.
    """
    while isinstance(node, dict) and "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            if not isinstance(target, dict) or step not in target:
                raise SpecError(f"{node['$ref']} leads nowhere")
            target = target[step]
        node = target
    return node


def _read(path: Path) -> Document:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as cause:
        raise SpecError(f"{path} is missing") from cause
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load(text, loader)  # noqa: S506  the loader is a safe one, only faster
    if not isinstance(document, dict):
        raise SpecError(f"{path} is no YAML mapping")
    return document
