"""The project's spec is valid OpenAPI 3.0.3."""

from __future__ import annotations

from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, validate

from codegen.loader import load

ROOT = Path(__file__).parents[2]


# The validator compiles patterns as they are; in the models, POSIX classes are translated.
@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
@pytest.mark.parametrize("folder", [ROOT / "spec", Path(__file__).parent / "small_spec"])
def test_the_merged_document_is_valid(folder: Path) -> None:
    document = load(folder)
    assert document["openapi"] == "3.0.3"
    validate(document, cls=OpenAPIV30SpecValidator)
