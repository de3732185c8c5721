"""Type checkers understand generated code: proper use passes, and each misuse is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.every import for_every
from support.type_checker import mypy

HEAD = """
from datetime import datetime
from typing import Any

from small.api import IntegrationApi, ManagementApi
from small.models import Everything, Import, ModelReturn, Mood, Names, Part, Return

api = IntegrationApi()
back_office = ManagementApi()
"""

USE = """
thing: Everything = api.get_thing(1, verbose=True, accept_language="de")
created: datetime = thing.created
row: list[list[Part]] | None = thing.matrix
answer: Part | None = api.patch_thing(1)
either: Everything | Part = api.create_thing({"name": "a"})
parts: list[Part] = api.list_things(created, color="it's")
by_name: dict[str, Part] = back_office.get_something_with_a_rather_long_name("ab", "c")
imported: list[Return] = back_office.import_(b"a,b")
csv: str = back_office.export_things()
anything: Any = back_office.put_anything([])
mood: Mood = "Bad Mood"
returns: Import = [ModelReturn(import_=[])]
status: int = api.ping_with_http_info().status_code
nothing: None = back_office.import_if_any()
"""

MISUSE = {
    'Part(name="a", nmae="b")': "call-arg",
    "Part()": "call-arg",
    "Names(class_=1)": "arg-type",
    'thing.color = "pink"': "assignment",
    "thing.matrix = [Part(name='a')]": "list-item",
    "thing.txet": "attr-defined",
    "count: int = thing.count": "assignment",
    "text: str = thing.decision": "assignment",
    "api.get_thing()": "call-arg",
    'api.get_thing(1, verbose="yes")': "arg-type",
    "api.get_thign(1)": "attr-defined",
    "back_office.import_()": "call-arg",
    "wrong: Mood = 'Mood'": "assignment",
}


@pytest.fixture(scope="module")
def findings(
    small_folder: Path, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> list[str]:
    """What mypy finds in the small package, in its proper use and in each misuse."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "use.py").write_text(HEAD + USE, encoding="utf-8")
    misuse = [*HEAD.splitlines(), "thing = api.get_thing(1)", *MISUSE]
    (folder / "misuse.py").write_text("\n".join(misuse), encoding="utf-8")
    # The methods are signatures; `endpoint` supplies what they do.
    settings = "[mypy-small.*]\ndisable_error_code = empty-body\n"
    modules = ["-p", "small", "-m", "use", "-m", "misuse"]
    return mypy(pytestconfig, folder, *modules, settings=settings, path=(small_folder,))


def test_the_generated_package_and_its_proper_use_pass_mypy(findings: list[str]) -> None:
    assert [each for each in findings if not each.startswith("misuse.py:")] == []


@for_every("statement", MISUSE)
def test_mypy_refuses(statement: str, findings: list[str]) -> None:
    line = len(HEAD.splitlines()) + 2 + list(MISUSE).index(statement)
    found = [each for each in findings if each.startswith(f"misuse.py:{line}: error:")]
    assert len(found) == 1
    assert found[0].endswith(f"[{MISUSE[statement]}]")
