"""The project's spec is valid OpenAPI 3.0.3, and as large as its README says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, validate

from codegen.loader import METHODS, Document, load

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def document() -> Document:
    return load(ROOT / "spec")


def _operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method} {path}", item[method]


# The validator compiles patterns as they are; in the models, POSIX classes are translated.
@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
@pytest.mark.parametrize("folder", [ROOT / "spec", Path(__file__).parent / "small_spec"])
def test_the_merged_document_is_valid(folder: Path) -> None:
    document = load(folder)
    assert document["openapi"] == "3.0.3"
    validate(document, cls=OpenAPIV30SpecValidator)


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
