"""What is refused is refused with the file and line that it stands in; twins with both."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest

from codegen.builder import build
from codegen.loader import Document, SpecError, load
from codegen.places import Node, Place, place_of
from codegen.render import render

SMALL_SPEC = Path(__file__).parent / "small_spec"

ROOT = """\
openapi: 3.0.3
info: {title: Tiny API, version: '1'}
x-domains: [shop, office]
components:
  parameters:
    Kind:
      name: kind
      in: query
      description: Kind of thing.
      schema: {type: string}
tags: [{name: Shop}]
"""
SHOP = """\
# A comment, which counts as a line.
paths:
  /v1/things:
    get:
      operationId: getThings
      tags: [integration, Shop]
      summary: Get things
      description: Returns things.
      security: []
      parameters:
      - $ref: '#/components/parameters/Kind'
      - name: size
        in: query
        description: Size of the thing.
        schema:
          type: integer
      responses:
        '200':
          description: OK
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Things'
schemas:
  Thing:
    description: A thing.
    type: object
    properties:
      name: {description: Its name., type: string}
      size:
        description: Its size.
        type: integer
  Things:
    description: Things.
    type: array
    items:
      $ref: '#/components/schemas/Thing'
"""
OFFICE = """\
paths: {}
schemas:
  Desk:
    description: A desk.
    type: object
    properties:
      thing:
        $ref: '#/components/schemas/Thing'
"""


def _write(folder: Path, edits: dict[str, tuple[str, str]]) -> Path:
    """Write the spec with an edit of each of the files named."""
    (folder / "domains").mkdir()
    for file, text in (
        ("openapi.yaml", ROOT),
        ("domains/shop.yaml", SHOP),
        ("domains/office.yaml", OFFICE),
    ):
        old, new = edits.get(file, ("", ""))
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def _refusal(folder: Path, **edits: tuple[str, str]) -> str:
    files = {"root": "openapi.yaml", "shop": "domains/shop.yaml", "office": "domains/office.yaml"}
    _write(folder, {files[name]: edit for name, edit in edits.items()})
    with pytest.raises(SpecError) as refused:
        render(build(load(folder), "tiny"), {"Taken": "somewhere"})
    return str(refused.value)


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        (
            {"shop": ("Its name., type: string", "Its name., type: strng")},
            "domains/shop.yaml, line 29: Thing.name: the type 'strng' is unknown; is 'string'"
            " meant?",
        ),
        (
            {"shop": ("type: integer\n  Things", "type: integre\n  Things")},
            "domains/shop.yaml, line 32: Thing.size: the type 'integre' is unknown; is 'integer'"
            " meant?",
        ),
        (
            {"shop": ("type: object\n", "type: object\n    required:\n    - weight\n")},
            "domains/shop.yaml, line 28: Thing: requires 'weight', which it does not declare",
        ),
        (
            {"shop": ("type: integer\n      responses", "type: integre\n      responses")},
            "domains/shop.yaml, line 16: GET /v1/things: size: the type 'integre' is unknown; is"
            " 'integer' meant?",
        ),
        # A parameter that is referred to stands where it is described, not where it is used.
        (
            {"root": ("{type: string}", "{type: strng}")},
            "openapi.yaml, line 10: Kind: kind: the type 'strng' is unknown; is 'string' meant?",
        ),
        (
            {"shop": ("$ref: '#/components/schemas/Things'", "$ref: '#/components/schemas/Thngs'")},
            "domains/shop.yaml, line 23: GET /v1/things: #/components/schemas/Thngs leads nowhere",
        ),
        (
            {"office": ("schemas/Thing'", "schemas/Thyng'")},
            "domains/office.yaml, line 8: Desk.thing: #/components/schemas/Thyng leads nowhere",
        ),
        (
            {"office": ("Desk:", "Taken:\n    x-kept: announced")},
            "domains/office.yaml, line 3: the schema Taken has the name of something in the"
            " package",
        ),
    ],
)
def test_a_mistake_has_the_line_it_is_in(
    edits: dict[str, tuple[str, str]], said: str, tmp_path: Path
) -> None:
    assert _refusal(tmp_path, **edits) == said


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        (
            {"office": ("Desk:", "Thing:")},
            "domains/shop.yaml, line 25 and domains/office.yaml, line 3: schemas: Thing is defined"
            " twice",
        ),
        (
            {"office": ("paths: {}", "paths: {/v1/things: {get: {}}}")},
            "domains/shop.yaml, line 4 and domains/office.yaml, line 1: /v1/things: get is defined"
            " twice",
        ),
        (
            {"office": ("paths: {}", SHOP.partition("schemas:")[0].replace("/v1/things", "/v1/t"))},
            "domains/shop.yaml, line 4 and domains/office.yaml, line 4: two things would be the"
            " operation 'getThings'",
        ),
        (
            {"shop": ("      size:\n", "      NAME:\n")},
            "domains/shop.yaml, line 29 and domains/shop.yaml, line 30: Thing: two things would be"
            " the property 'name'",
        ),
        (
            {"shop": ("- name: size\n", "- name: size\n        x-python-name: kind\n")},
            "domains/shop.yaml, line 11 and domains/shop.yaml, line 13: GET /v1/things: two things"
            " would be the parameter 'kind'",
        ),
        (
            {"office": ("Desk:", "THings:\n    description: T.\n    type: object\n  T_Hings:")},
            "domains/office.yaml, line 6 and domains/office.yaml, line 3: two things would be the"
            " module 't_hings'",
        ),
    ],
)
def test_twins_have_both_lines(
    edits: dict[str, tuple[str, str]], said: str, tmp_path: Path
) -> None:
    assert _refusal(tmp_path, **edits) == said


def test_a_key_twice_has_both_lines_whether_quoted_or_not(tmp_path: Path) -> None:
    edit = ("        '200':\n", "        200: {description: OK}\n        '200':\n")
    assert _refusal(tmp_path, shop=edit) == (
        "domains/shop.yaml, line 18 and domains/shop.yaml, line 19: 200 is defined twice"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("schemas: &a\n  Thing: *a\n", "domains/office.yaml, line 2: YAML anchors are not"),
        ("schemas:\n  A: &a [1]\n  B: *a\n", "domains/office.yaml, line 3: YAML anchors are not"),
        ("schemas:\n  ? [a, b]\n  : c\n", "domains/office.yaml, line 2: a key must be a text"),
        ("schemas:\n  A: 2026-02-31\n", "domains/office.yaml, line 2: '2026-02-31': day is out of"),
        ("schemas:\n  A: !!python/name:os.system\n", "domains/office.yaml, line 2: could not"),
        ("paths: {}\n\nschemas: [A]\n", "domains/office.yaml, line 3: schemas must be a mapping"),
        ("paths:\n  /v1/a: get\n", "domains/office.yaml, line 2: /v1/a must be a mapping"),
        ("schemas: {\n", "domains/office.yaml, line 2: while parsing a flow node"),
        ("a\x00b", "domains/office.yaml, line 1: "),
        ("--- {}\n--- {}\n", "domains/office.yaml, line 2: expected a single document"),
        ("schemas: " + "[" * 5000, "domains/office.yaml, line 1: "),
    ],
)
def test_a_file_that_is_no_description_is_refused_with_its_line(
    text: str, said: str, tmp_path: Path
) -> None:
    folder = _write(tmp_path, {})
    (folder / "domains/office.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=re.escape(said)) as refused:
        load(folder)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    folder = _write(tmp_path, {})
    (folder / "domains/office.yaml").write_bytes(b"schemas:\n  A: \xff\n")
    with pytest.raises(SpecError, match=re.escape("domains/office.yaml, line 1: is not text")):
        load(folder)


def test_the_merged_document_is_plain_data_that_knows_its_places() -> None:
    document = load(SMALL_SPEC)
    part = document["components"]["schemas"]["Part"]
    assert isinstance(part, dict)
    place = place_of(part)
    assert place is not None
    assert place.domain == "kinds"
    lines = (SMALL_SPEC / place.file).read_text(encoding="utf-8").split("\n")
    assert lines[place.line - 1] == "  Part:"
    required = place_of(part, "required")
    assert required is not None
    assert lines[required.line - 1].strip() == "required:"
    assert place_of(part, "no such key") == place
    assert place_of("text") is None
    assert Place("openapi.yaml", 3).domain == ""


def test_a_node_survives_a_copy() -> None:
    document: Document = load(SMALL_SPEC)
    copied = copy.deepcopy(document)
    assert copied == document
    assert isinstance(copied, Node)
    assert copied.place == Place("openapi.yaml", 1)
