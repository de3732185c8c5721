"""The reference pages leave nothing out, and their tables hold together."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import pytest

import talon_one
from docs.pages import DOCS, MODEL_PAGES, REFERENCE, ROOT, Page, cells
from support.every import for_every
from support.spec import (
    MODELS,
    OPERATIONS,
    SCHEMAS,
    UNIONS,
    Operation,
    choices,
    constants,
    properties,
    python_name,
    required,
    resolved,
    schema_name,
)
from talon_one._schema.fields import VariantField
from talon_one.endpoint import CallSettings
from talon_one.exceptions import exception_class

_LINK = re.compile(r"\[`([^`]+)`\]\(([^)]+)\)")


def test_there_is_a_page_for_each_schema_and_no_other() -> None:
    expected = {*SCHEMAS, "index"}
    assert {path.stem for path in MODEL_PAGES.iterdir()} == expected


def test_the_index_of_models_leads_to_each_schema() -> None:
    rows = [row for rows in Page(MODEL_PAGES / "index.md").tables for row in rows[1:]]
    expected = {f"[`{each}`]({each}.md)" for each in SCHEMAS}
    assert {row[0] for row in rows} == expected
    assert len(rows) == len(expected)


def test_the_page_of_a_model_has_all_of_its_properties() -> None:
    for name in MODELS:
        (heading, *rows), *variants = Page(MODEL_PAGES / f"{name}.md").tables
        assert heading == ["Name", "Type", "Description", "Notes"]
        expected = [python_name(wire, node) for wire, node in properties(name).items()]
        assert [row[0] for row in rows] == [f"`{each}`" for each in expected], name
        for wire, row in zip(properties(name), rows, strict=True):
            notes = row[3].split("; ")
            assert any(note.startswith("required") for note in notes) == (wire in required(name))
            assert (f"wire name `{wire}`" in notes) == (f"`{wire}`" != row[0])
        assert len(variants) == sum(
            "x-variants" in resolved(node) for node in properties(name).values()
        ) + ("discriminator" in SCHEMAS[name])


def test_the_page_of_a_schema_that_stands_for_several_leads_to_each() -> None:
    for name in UNIONS:
        by, classes = choices(SCHEMAS[name]) or ("", {})
        (heading, *rows) = Page(MODEL_PAGES / f"{name}.md").tables[0]
        assert heading == [f"`{by}`", "Class"]
        assert rows == [
            [f'`"{value}"`', f"[`{each}`]({each}.md)"] for value, each in classes.items()
        ]


@pytest.mark.parametrize("name", ["Effect", "EffectProps"])
def test_the_page_of_an_effect_leads_from_each_type_to_its_class(name: str) -> None:
    heading, *rows = Page(MODEL_PAGES / f"{name}.md").tables[-1]
    assert heading == ["`effectType`", "Class"]
    field = talon_one.Effect._fields["props"]
    assert isinstance(field, VariantField)
    assert [tuple(row) for row in rows] == [
        (f'`"{kind}"`', f"[`{each}`]({each}.md)") for kind, each in field.classes.items()
    ]
    assert ['`"customEffect"`', "[`CustomEffectProps`](CustomEffectProps.md)"] in rows


def test_each_page_of_the_reference_leads_back_to_its_beginning(pages: list[Page]) -> None:
    index = REFERENCE / "index.md"
    for page in pages:
        if REFERENCE in page.path.parents and page.path != index:
            way = Path(os.path.relpath(index, page.path.parent)).as_posix()
            assert way in [target for _, target in page.links]


@pytest.mark.parametrize("api", ["IntegrationApi", "ManagementApi"])
def test_the_table_of_methods_stands_where_the_vendor_has_it_and_names_every_operation(
    api: str,
) -> None:
    page = Page(DOCS / f"{api}.md")
    (methods,) = page.tables
    expected = {each.name: f"`{each.method} {each.path}`" for each in OPERATIONS if each.api == api}
    assert {_LINK.findall(row[0])[0][0]: row[2] for row in methods[1:]} == expected
    # Links to the sections that the vendor's page has lead to the rows.
    assert expected.keys() <= page.anchors


@for_every("operation", OPERATIONS)
def test_the_tables_of_methods_lead_to_the_section_of_a_method(
    operation: Operation, method_sections: dict[str, Page]
) -> None:
    page = method_sections[operation.id].path
    for table in (DOCS / f"{operation.api}.md", page.parent / "index.md", page):
        start = page.relative_to(table.parent).as_posix() if page != table else ""
        assert f"[`{operation.name}`]({start}#{operation.name})" in _text(table)


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@for_every("operation", OPERATIONS)
def test_the_section_of_a_method_lists_its_arguments_and_responses(
    operation: Operation, method_sections: dict[str, Page]
) -> None:
    section = method_sections[operation.id]
    *parameters, responses = section.tables
    given = [*operation.positional, *(each.name for each in operation.optional)]
    assert [row[0] for rows in parameters for row in rows[1:]] == [f"`{each}`" for each in given]
    needed = ["required" in row[3].split("; ") for rows in parameters for row in rows[1:]]
    assert needed == [each in operation.positional for each in given]
    assert [row[0] for row in responses[1:]] == sorted(
        str(each.status) for each in operation.responses
    )
    for row in responses[1:]:
        if not row[0].startswith("2"):
            assert row[2].startswith(f"raises `{exception_class(int(row[0])).__name__}`")
    assert ("> **Deprecated.**" in section.text) == operation.deprecated
    assert ("**Pages** Iterate" in section.text) == bool(operation.pages)
    for name in operation.names[1:]:
        assert f"Other names: `{name}`" in section.text
    for setting in CallSettings.__annotations__:
        assert f"`{setting}`" in section.text


@for_every("operation", OPERATIONS)
def test_the_section_of_a_method_links_its_models(
    operation: Operation, method_sections: dict[str, Page]
) -> None:
    linked = dict(_LINK.findall(method_sections[operation.id].text))
    results = [schema_name(each.schema or {}) for each in operation.successes]
    for name in filter(None, (operation.body, *operation.also, *results)):
        assert f"../models/{name}.md" in linked.values()


def test_operations_that_descriptions_name_are_links_to_their_methods(pages: list[Page]) -> None:
    ids = {f"`{each.id}`" for each in OPERATIONS}
    # Which is the name of an operation, too.
    values = {f"`{value}`" for name in MODELS for value in constants(name).values()}
    generated = [page for page in pages if REFERENCE in page.path.parents]
    named = [
        f"{page.path.name}: {span}"
        for page in generated
        for line in page.prose
        for span in re.findall(r"`\w+`", line)
        if span in ids - values
    ]
    assert not named


def test_tables_have_as_many_cells_in_each_row_as_in_their_headings(pages: list[Page]) -> None:
    torn = [
        f"{page.path.relative_to(ROOT)}: {row[0]}"
        for page in pages
        for rows in page.tables
        for row in rows
        if len(row) != len(rows[0])
    ]
    assert not torn


def test_prose_that_is_written_by_hand_is_wrapped(pages: list[Page]) -> None:
    by_hand = [page for page in pages if "Generated by" not in page.text.partition("\n")[0]]
    long = [
        f"{page.path.relative_to(ROOT)}:{number}"
        for page in by_hand
        if DOCS in page.path.parents
        for number, line in enumerate(page.prose, 1)
        if len(line) > 100 and not line.startswith(("|", "!", "#"))
    ]
    assert not long


def test_a_pipe_behind_a_backslash_divides_no_cells() -> None:
    assert cells(r"| `a` | one \| two |") == ["`a`", "one | two"]
