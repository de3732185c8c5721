"""The guide to the configuration lists every setting, with the default that it has."""

from __future__ import annotations

import re

import pytest

from docs.pages import DOCS, Page
from talon_one.configuration import _ENVIRONMENT, Configuration

# Their defaults are described, because no literal says them.
_DESCRIBED = {
    "host",
    "api_key_prefix",
    "timeout",
    "connection_pool_maxsize",
    "hooks",
}


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(DOCS / "guides" / "configuration.md")


@pytest.fixture(scope="module")
def rows(page: Page) -> dict[str, list[str]]:
    """The rows of the tables by setting; a row may be about several."""
    found = {}
    for table in page.tables:
        assert table[0][0] == "Setting"
        for row in table[1:]:
            for name in re.findall(r"`(\w+)`", row[0]):
                assert name not in found
                found[name] = row
    return found


def test_every_setting_is_listed(rows: dict[str, list[str]]) -> None:
    attributes = {name for name in vars(Configuration()) if not name.startswith("_")}
    properties = {
        name
        for cls in Configuration.__mro__
        for name, each in vars(cls).items()
        if isinstance(each, (property, str)) and not name.startswith("_")
    }
    assert set(rows) == attributes | properties


def test_every_setting_has_a_meaning_and_the_default_of_the_code(
    rows: dict[str, list[str]],
) -> None:
    configuration = Configuration()
    for name, (_, meaning, default, _) in rows.items():
        assert meaning
        if name in _DESCRIBED:
            continue
        value = getattr(configuration, name)
        spellings = {repr(value), str(value), f'"{value}"'}
        assert spellings & set(re.findall(r"`([^`]+)`", default)), name


def test_every_variable_of_the_environment_is_listed(rows: dict[str, list[str]]) -> None:
    listed = {name for row in rows.values() for name in re.findall(r"`(TALON_\w+)`", row[3])}
    assert listed == set(_ENVIRONMENT)
