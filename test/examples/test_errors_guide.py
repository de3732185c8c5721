"""The guide to errors lists every exception."""

from __future__ import annotations

import re

import pytest

import talon_one
from docs.pages import DOCS, Page


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(DOCS / "guides" / "errors.md")


def test_its_table_of_exceptions_is_the_tree(page: Page) -> None:
    table = page.tables[0]
    listed = set()
    for first, *_ in table[1:]:
        for name, base in re.findall(r"`(\w+)`(?: \(`(\w+)`\))?", first):
            listed.add(name)
            if base:
                assert base in {cls.__name__ for cls in getattr(talon_one, name).__mro__[1:]}
    exported = {name for name in talon_one.HOME if isinstance(getattr(talon_one, name), type)}
    raised = (name for name in exported if issubclass(getattr(talon_one, name), Exception))
    errors = {name for name in raised if not issubclass(getattr(talon_one, name), Warning)}
    # The root and the branch of both transport errors have no line of their own.
    assert listed == errors - {"OpenApiException", "TransportError"}


def test_its_table_of_exceptions_has_those_of_the_modules_around_calls(page: Page) -> None:
    table = page.tables[0]
    listed = {match for row in table[1:] for match in re.findall(r"`(\w+\.\w+)`", row[0])}
    found = set()
    for module in sorted(talon_one.SUBMODULES - {"exceptions"}):
        public = getattr(getattr(talon_one, module), "__all__", ())
        for name in public:
            each = getattr(getattr(talon_one, module), name, None)
            is_error = isinstance(each, type) and issubclass(each, talon_one.OpenApiException)
            if is_error and name not in talon_one.HOME:
                found.add(f"{module}.{name}")
    assert listed == found
    # The front door says where they are.
    for module, name in (each.split(".") for each in found):
        with pytest.raises(AttributeError, match=rf"It is in talon_one\.{module}\."):
            getattr(talon_one, name)


def test_its_table_of_predicates_has_all_of_them(page: Page) -> None:
    table = next(each for each in page.tables if each[0][0] == "Predicate")
    assert {row[0].strip("`") for row in table[1:]} == {*talon_one.failures.__all__}
