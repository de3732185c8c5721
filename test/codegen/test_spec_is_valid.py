"""The project's spec is valid OpenAPI 3.0.3, complete, and as large as its README says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, validate

from codegen.loader import METHODS, Document, load, resolve

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def document() -> Document:
    return load(ROOT / "spec")


def _operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method} {path}", item[method]


def _undescribed(nodes: Iterator[tuple[str, Document]]) -> list[str]:
    return [place for place, node in nodes if not str(node.get("description", "")).strip()]


# The validator compiles patterns as they are; in the models, POSIX classes are translated.
@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
@pytest.mark.parametrize("folder", [ROOT / "spec", Path(__file__).parent / "small_spec"])
def test_the_merged_document_is_valid(folder: Path) -> None:
    document = load(folder)
    assert document["openapi"] == "3.0.3"
    validate(document, cls=OpenAPIV30SpecValidator)


def test_there_are_254_operations(document: Document) -> None:
    tags = Counter(tag for _, operation in _operations(document) for tag in operation["tags"])
    assert tags == {"integration": 42, "management": 212}


def test_the_readme_counts_right(document: Document) -> None:
    schemas = document["components"]["schemas"]
    counted = {
        "operations": sum(1 for _ in _operations(document)),
        "schemas": len(schemas),
        "properties": sum(len(schema.get("properties", {})) for schema in schemas.values()),
    }
    said = (ROOT / "spec" / "README.md").read_text(encoding="utf-8")
    for what, number in counted.items():
        assert re.findall(rf"([\d,]+)\s+{what}\b", said)[0] == f"{number:,}"


def test_every_operation_is_described(document: Document) -> None:
    assert _undescribed(_operations(document)) == []
    assert [place for place, operation in _operations(document) if not operation["summary"]] == []


def test_every_parameter_is_described(document: Document) -> None:
    def parameters() -> Iterator[tuple[str, Document]]:
        for place, operation in _operations(document):
            for each in operation.get("parameters", ()):
                parameter = resolve(document, each)
                yield f"{place} {parameter['name']}", parameter

    assert _undescribed(parameters()) == []


def test_every_schema_and_every_property_is_described(document: Document) -> None:
    def schemas() -> Iterator[tuple[str, Document]]:
        for name, schema in document["components"]["schemas"].items():
            yield name, schema
            for wire, node in schema.get("properties", {}).items():
                yield f"{name}.{wire}", node

    assert _undescribed(schemas()) == []
