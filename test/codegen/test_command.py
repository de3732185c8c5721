"""``python -m codegen`` keeps the generated files right; run on copies of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.keys import KEYS
from support.server import RecordingServer, Response

ROOT = Path(__file__).parents[2]
ADVICE = "run `python -m codegen` and commit what it writes\n"

Contents = dict[str, bytes]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the command needs of the project."""
    for name in ("spec", "codegen", "talon_one", "docs", ".openapi-generator"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture(scope="session")
def small_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the small spec, for which the command takes less time; not to be changed."""
    project = tmp_path_factory.mktemp("small")
    by_hand = shutil.ignore_patterns("__pycache__", "models", "api")
    shutil.copytree(ROOT / "codegen", project / "codegen", ignore=by_hand)
    shutil.copytree(ROOT / "talon_one", project / "talon_one", ignore=by_hand)
    # Where the package looks for public names, and so for its own modules, before it imports them.
    (project / "talon_one/models").mkdir()
    (project / "talon_one/models/__init__.py").touch()
    shutil.copytree(Path(__file__).parent / "small_spec", project / "spec")
    assert _codegen(project).returncode == 0
    return project


@pytest.fixture
def small_project(small_original: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(small_original, tmp_path / "project"))


def _codegen(
    project: Path, *arguments: str, cwd: Path | None = None, seed: str = "0"
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(project), "PYTHONHASHSEED": seed}
    # Bytecode lies beside the sources, so that copies of the project have it.
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "codegen", *arguments],
        cwd=cwd or project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _contents(project: Path) -> Contents:
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_check_is_silent_about_an_untouched_tree_wherever_it_runs(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # Where it usually runs, it is run below; that its output depends on no hash, test_golden says.
    done = _codegen(project, "--check", cwd=tmp_path_factory.mktemp("elsewhere"), seed="2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_names_exactly_what_differs_and_the_command_repairs_it(small_project: Path) -> None:
    before = _contents(small_project)
    package = small_project / "talon_one"
    with (package / "models/part.py").open("a", encoding="utf-8") as file:
        file.write("\n")
    (package / "api/integration_api.py").unlink()
    (package / "models/stray.py").write_text("", encoding="utf-8")
    (package / "api/stray.pyi").write_text("", encoding="utf-8")
    damaged = _contents(small_project)

    done = _codegen(small_project, "--check")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "talon_one/api/integration_api.py: missing\n"
        "talon_one/models/part.py: different\n"
        "talon_one/api/stray.pyi: stale\n"
        f"talon_one/models/stray.py: stale\n{ADVICE}"
    )
    assert _contents(small_project) == damaged

    done = _codegen(small_project)
    assert (done.returncode, done.stderr) == (0, "")
    assert _contents(small_project) == before


def test_the_command_says_what_it_has_done(small_project: Path) -> None:
    total = len((small_project / ".openapi-generator/FILES").read_text().splitlines())
    done = _codegen(small_project)
    assert done.stdout == f"0 written, 0 deleted, {total} unchanged\n"
    (small_project / "talon_one/models/part.py").write_text("")
    (small_project / "talon_one/models/pin.py").unlink()
    (small_project / "talon_one/models/stray.py").touch()
    done = _codegen(small_project)
    assert done.stdout == f"2 written, 1 deleted, {total - 2} unchanged\n"


TEXT = """# Small

1<!-- operations --> operations, {legacy}<!-- legacy operations --> of them old, and
1,000<!-- schemas --> schemas.

<!-- table of extension keys -->
nothing
<!-- end of table -->

The end.
"""


def test_texts_get_the_numbers_and_the_table_that_they_have_a_place_for(
    small_project: Path,
) -> None:
    readme = small_project / "spec/README.md"
    readme.write_text(TEXT.format(legacy=7), encoding="utf-8")
    (small_project / "NOTES.md").write_text("About 800 schemas.\n", encoding="utf-8")
    done = _codegen(small_project, "--check")
    assert (done.returncode, done.stderr) == (1, f"spec/README.md: different\n{ADVICE}")
    assert _codegen(small_project).stdout.startswith("1 written, 0 deleted, ")
    written = readme.read_text(encoding="utf-8")
    operations = sum(
        path.read_text(encoding="utf-8").count("operationId:")
        for path in (small_project / "spec/domains").glob("*.yaml")
    )
    assert f"{operations}<!-- operations --> operations, 1<!-- legacy" in written
    assert written.endswith("<!-- end of table -->\n\nThe end.\n")
    assert [line.split("`")[1] for line in written.splitlines() if line.startswith("| `")] == [
        *KEYS
    ]
    assert _codegen(small_project, "--check").returncode == 0
    # A text is no generated file: it stays when nothing is left to fill in.
    readme.write_text("Nothing.\n", encoding="utf-8")
    assert _codegen(small_project).returncode == 0
    assert readme.read_text(encoding="utf-8") == "Nothing.\n"


def test_a_number_of_something_unknown_is_refused_with_its_place(small_project: Path) -> None:
    text = "# Small\n\nIt has 3<!-- scemas --> schemas.\n"
    (small_project / "README.md").write_text(text, encoding="utf-8")
    done = _codegen(small_project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "README.md, line 3: 'scemas' is unknown; is 'schemas' meant?\n"


def test_no_text_of_the_project_counts_by_hand() -> None:
    """A number that is true of the description today has a comment that keeps it true."""
    readme = (ROOT / "spec/README.md").read_text(encoding="utf-8")
    counted = "|".join(re.findall(r"([\d,]+)<!-- [a-z ]+ -->", readme))
    assert counted
    by_hand = re.compile(
        rf"(?<![\d,.])(?:{counted})\s(?:\w+\s)?(?:operations|methods|schemas|models|properties)\b"
    )
    assert by_hand.search(re.sub("<!-- [a-z ]+ -->", "", readme))
    texts = [*ROOT.glob("*.md"), *(ROOT / "spec").glob("*.md")]
    texts += [each for each in (ROOT / "docs").rglob("*.md") if "reference" not in each.parts]
    found = {each.name: by_hand.findall(each.read_text(encoding="utf-8")) for each in texts}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


ENDPOINT = """paths:
  /v1/stores/{storeId}/kiosks:
    get:
      operationId: getKiosks
      tags: [integration, Shop]
      summary: List kiosks
      description: Returns the kiosks of a store, ordered by `openedAt`.
      security:
      - api_key_v1: []
      parameters:
      - name: storeId
        in: path
        required: true
        description: ID of the store.
        schema:
          type: string
      - name: pageSize
        in: query
        description: How many.
        schema:
          type: integer
      - name: skip
        in: query
        description: How many to skip.
        schema:
          type: integer
      responses:
        '200':
          description: OK
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Kiosks'
    post:
      operationId: createKiosk
      tags: [integration, Shop]
      summary: Create a kiosk
      description: Creates a kiosk in a store.
      security:
      - api_key_v1: []
      parameters:
      - name: storeId
        in: path
        required: true
        description: ID of the store.
        schema:
          type: string
      requestBody:
        required: true
        content:
          application/json:
            schema:
              $ref: '#/components/schemas/NewKiosk'
      responses:
        '201':
          description: Created
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Kiosk'
"""
PAGES = """      x-pages:
        items: data
        skip: skip
        more: hasMore
        identity: [id]
"""
SCHEMAS = """
schemas:
  NewKiosk:
    description: A kiosk to create.
    type: object
    required: [name]
    properties:
      name:
        description: Name of the kiosk.
        type: string
        minLength: 1
      openedAt:
        description: When it opened.
        type: string
        format: date-time
  Kiosk:
    description: A kiosk.
    type: object
    required: [id, name]
    properties:
      id:
        description: ID of the kiosk.
        type: integer
      name:
        description: Name of the kiosk.
        type: string
      openedAt:
        description: When it opened.
        type: string
        format: date-time
  Kiosks:
    description: Some of the kiosks.
    type: object
    required: [hasMore, data]
    properties:
      hasMore:
        description: Whether there are more.
        type: boolean
      data:
        description: The kiosks.
        type: array
        items:
          $ref: '#/components/schemas/Kiosk'
"""
CALLS = """
import sys
from datetime import datetime, timezone
import talon_one

configuration = talon_one.Configuration(host=sys.argv[1], api_key={"api_key_v1": "secret"})
with talon_one.ApiClient(configuration) as client:
    api = talon_one.IntegrationApi(client)
    opened = datetime(2026, 5, 1, tzinfo=timezone.utc)
    kiosk = api.create_kiosk("s 1", talon_one.NewKiosk(name="Corner", opened_at=opened))
    print(type(kiosk).__name__, kiosk.id, kiosk.opened_at == opened)
    page = api.get_kiosks("s 1", page_size=2)
    print(type(page).__name__, page.has_more, [each.name for each in page.data])
    print([each.id for each in api.iterate(api.get_kiosks, "s 1", page_size=2)])
    try:
        api.create_kiosk("s 1", talon_one.NewKiosk(name=""))
    except talon_one.ModelValidationError as refused:
        print(refused)
"""


def test_an_endpoint_is_added_the_way_that_contributing_describes(small_project: Path) -> None:
    """From YAML to calls over a socket: two operations and three schemas."""
    before = _contents(small_project)
    domain = small_project / "spec/domains/integration.yaml"
    _edit(domain, "paths:\n", ENDPOINT)
    _edit(domain, "\nschemas:\n", SCHEMAS)
    # What was forgotten is named with its place, and nothing is written before it is there.
    described = _contents(small_project)
    done = _codegen(small_project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "domains/integration.yaml, line 4: GET /v1/stores/{storeId}/kiosks: x-pages: is missing,"
        " although the operation has the parameters of pages\n"
    )
    assert _contents(small_project) == described
    _edit(domain, "      operationId: getKiosks\n", f"      operationId: getKiosks\n{PAGES}")
    done = _codegen(small_project)
    assert (done.returncode, done.stderr) == (0, "")

    added = {path for path in _contents(small_project) if path not in before}
    assert added == {
        f"{folder}/{name}"
        for folder, names in {
            "talon_one/models": ("kiosk.py", "kiosks.py", "new_kiosk.py"),
            "docs/reference/models": ("Kiosk.md", "Kiosks.md", "NewKiosk.md"),
        }.items()
        for name in names
    }
    page = (small_project / "docs/reference/integration/shop.md").read_text("utf-8")
    assert "create_kiosk" in page
    assert "ordered by `opened_at`" in page

    kiosks = [
        {"id": number, "name": f"Kiosk {number}", "openedAt": "2026-05-01T00:00:00Z"}
        for number in (1, 2, 3)
    ]
    first = {"hasMore": True, "data": kiosks[:2]}
    with RecordingServer() as server:
        last = {"hasMore": False, "data": kiosks[2:]}
        server.script(Response(201, kiosks[0]), first, first, last)
        called = subprocess.run(
            [sys.executable, "-c", CALLS, server.url],
            cwd=small_project,
            capture_output=True,
            text=True,
            check=True,
        )
        requests = server.requests
    assert called.stdout.splitlines() == [
        "Kiosk 1 True",
        "Kiosks True ['Kiosk 1', 'Kiosk 2']",
        "[1, 2, 3]",
        "NewKiosk has 1 violation: $.name must not be empty",
    ]
    assert [(each.method, each.target) for each in requests] == [
        ("POST", "/v1/stores/s%201/kiosks"),
        ("GET", "/v1/stores/s%201/kiosks?pageSize=2"),
        ("GET", "/v1/stores/s%201/kiosks?pageSize=2"),
        ("GET", "/v1/stores/s%201/kiosks?pageSize=2&skip=2"),
    ]
    assert requests[0].json() == {"name": "Corner", "openedAt": "2026-05-01T00:00:00Z"}
    assert {each.headers["Authorization"] for each in requests} == {"ApiKey-v1 secret"}


def test_what_is_removed_from_the_spec_is_removed_from_the_tree(small_project: Path) -> None:
    before = _contents(small_project)
    domain = small_project / "spec/domains/integration.yaml"
    original = domain.read_text(encoding="utf-8")
    _edit(domain, "paths:\n", ENDPOINT)
    _edit(domain, "      operationId: getKiosks\n", f"      operationId: getKiosks\n{PAGES}")
    _edit(domain, "\nschemas:\n", SCHEMAS)
    assert _codegen(small_project).returncode == 0
    added = _contents(small_project)
    domain.write_text(original, encoding="utf-8")

    done = _codegen(small_project, "--check")
    assert done.returncode == 1
    generated = added.keys() - {"spec/domains/integration.yaml"}
    different = sorted(path for path in generated & before.keys() if added[path] != before[path])
    stale = sorted(generated - before.keys())
    assert "talon_one/api/integration_api.py" in different
    assert "talon_one/models/new_kiosk.py" in stale
    lines = [f"{path}: different\n" for path in different] + [f"{path}: stale\n" for path in stale]
    assert done.stderr == "".join(lines) + ADVICE

    assert _codegen(small_project).returncode == 0
    assert _contents(small_project) == before


def test_a_wrong_spec_is_told_in_one_line_and_nothing_is_written(small_project: Path) -> None:
    _edit(small_project / "spec/domains/kinds.yaml", "format: uuid", "pattern: '['")
    before = _contents(small_project)
    for arguments in ((), ("--check",)):
        done = _codegen(small_project, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "domains/kinds.yaml, line 44: Everything.uuid: the pattern '[' is not valid in"
            " Python: unterminated character set at position 0\n"
        )
    assert _contents(small_project) == before
