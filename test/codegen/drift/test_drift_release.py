"""A whole release, from two documents of the platform to generated code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.loader import load
from support.releases import Node, in_31

ROOT = Path(__file__).parents[3]
SMALL = Path(__file__).parents[1] / "small_spec"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What the command needs of the project, with the small spec."""
    by_hand = shutil.ignore_patterns("__pycache__", "models", "api")
    shutil.copytree(ROOT / "codegen", tmp_path / "codegen", ignore=by_hand)
    shutil.copytree(ROOT / "talon_one", tmp_path / "talon_one", ignore=by_hand)
    (tmp_path / "talon_one/models").mkdir()
    (tmp_path / "talon_one/models/__init__.py").touch()
    shutil.copytree(SMALL, tmp_path / "spec")
    return tmp_path


def _codegen(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codegen", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )


def _plain(node: Any) -> Any:
    """Return a document without what only we have, as the platform would publish it."""
    if isinstance(node, dict):
        kept = {key: value for key, value in node.items() if not str(key).startswith("x-")}
        return {key: _plain(value) for key, value in kept.items()}
    return [_plain(each) for each in node] if isinstance(node, list) else node


def _schema(document: Node, name: str) -> Node:
    found: Node = document["components"]["schemas"][name]["properties"]
    return found


def _change(document: Node) -> None:
    """Thirty differences, as many as a release has."""
    schemas: Node = document["components"]["schemas"]
    paths: Node = document["paths"]
    everything = _schema(document, "Everything")
    # 1 to 9: new properties, two of them required, and what they are.
    document["info"]["version"] = "1.3"
    everything["height"] = {"type": "number", "minimum": 0}
    everything["archivedAt"] = {"type": "string", "format": "date-time"}
    everything["box"] = {"$ref": "#/components/schemas/Box"}
    schemas["Everything"]["required"].append("height")
    _schema(document, "Part")["weight"] = {"type": "number"}
    _schema(document, "Owner")["level"] = {"type": "string", "enum": ["gold", "silver"]}
    schemas["Box"] = {
        "type": "object",
        "required": ["lid"],
        "properties": {"lid": {"type": "boolean"}, "side": {"type": "integer"}},
    }
    # 10 to 16: values and limits.
    everything["color"]["enum"].append("white")
    everything["color"]["enum"].remove("blue")
    everything["level"]["enum"].append(4)
    everything["text"]["maxLength"] = 40
    everything["text"]["minLength"] = 2
    everything["count"]["maximum"] = 200
    everything["words"]["maxItems"] = 5
    # 17 to 20: types, null and deprecation.
    everything["active"]["deprecated"] = True
    everything["uuid"]["nullable"] = True
    everything["birthday"]["format"] = "date-time"
    everything["ratio"]["default"] = 1.5
    # 21 to 24: names.
    schemas["Holder"] = schemas.pop("Owner")
    everything["owner"]["allOf"][0]["$ref"] = "#/components/schemas/Holder"
    names = _schema(document, "PageOfParts")
    names["totalResultCount"] = names.pop("totalResultSize")
    paths["/v1/search"]["post"]["operationId"] = "searchThings"
    _schema(document, "NotHere").pop("lookElsewhere")
    _schema(document, "NotHere")["hint"] = {"type": "integer"}
    # 25 to 29: operations.
    thing = paths["/v1/things/{thingId}"]
    thing["get"]["parameters"].append(
        {"name": "depth", "in": "query", "schema": {"type": "integer"}}
    )
    thing["get"]["parameters"][1]["required"] = True
    thing["put"]["responses"]["409"] = {"$ref": "#/components/responses/BadRequest"}
    paths["/v1/parts/{partName}"] = {
        "get": {
            "operationId": "getPart",
            "tags": ["management"],
            "security": [{"management_key": []}],
            "parameters": [
                {"name": "partName", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
            "responses": {
                "200": {
                    "description": "OK",
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Part"}}
                    },
                }
            },
        }
    }
    # 30 and 31: one more value, and an operation that is gone.
    _schema(document, "Alarm")["NotificationType"]["enum"].append("AlarmTest")
    del paths["/v1/old"]["delete"]


def _releases(folder: Path) -> tuple[Path, Path]:
    old, new = _plain(load(SMALL)), _plain(load(SMALL))
    _change(new)
    paths = folder / "1.2.yaml", folder / "1.3.yaml"
    for path, document in zip(paths, (old, in_31(new)), strict=True):
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return paths


def test_a_release_of_thirty_differences_is_followed_from_the_draft_to_the_code(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("platform")
    old, new = _releases(folder)
    began = time.monotonic()

    # What changed.
    done = _codegen(project, "drift", str(old), str(new))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("1.2 -> 1.3; spec/ says 1.2\n")
    counted = re.search(r"^together +(\d+) +- +(\d+) +- +-", done.stdout, re.MULTILINE)
    assert counted is not None
    assert int(counted[1]) >= 30
    assert counted[1] == counted[2]

    # Draft it.
    before = {path: path.read_text() for path in (project / "spec").rglob("*.yaml")}
    done = _codegen(project, "drift", str(old), str(new), "--write", "--domain", "kinds")
    assert (done.returncode, done.stderr) == (1, "")
    assert "by hand" not in done.stdout
    for path, text in before.items():
        kept = [line for line in text.splitlines() if "description:" in line]
        assert [line for line in kept if line not in path.read_text()] == []

    # Without words, it is not accepted.
    for arguments in ((), ("--check",)):
        done = _codegen(project, *arguments)
        assert done.returncode == 2
        assert "description" in done.stderr
        assert "''" in done.stderr
    for path in before:
        path.write_text(re.sub(r"(description|summary): ''", r"\1: Written.", path.read_text()))
    # What names a property that has another name by now is found, with its place.
    done = _codegen(project)
    assert done.returncode == 2
    assert "domains/management.yaml" in done.stderr
    assert "totalResultSize" in done.stderr
    management = project / "spec" / "domains" / "management.yaml"
    text = management.read_text()
    management.write_text(text.replace("total: totalResultSize", "total: totalResultCount"))
    done = _codegen(project)
    assert (done.stderr, done.returncode) == ("", 0)
    models = project / "talon_one" / "models"
    assert {"box.py", "holder.py"} <= {path.name for path in models.iterdir()}
    assert "archived_at" in (models / "everything.py").read_text()
    assert "total_result_size" in (models / "page_of_parts.py").read_text()

    # What breaks users.
    done = _codegen(project, "drift", str(old), str(new))
    assert done.returncode == 1
    breaking = re.findall(r"^  have  \w+ [\w ]+?  +(.+?)  .*BREAKS", done.stdout, re.MULTILINE)
    places = sorted({place.partition(" (")[0] for place in breaking})
    accepted = [{"place": place, "reason": "Announced by the platform."} for place in places]
    path = folder / "accepted.yaml"
    path.write_text(yaml.safe_dump(accepted))
    done = _codegen(project, "drift", str(old), str(new), "--acknowledge", str(path))
    assert (done.stderr, done.returncode) == ("", 0)

    # Record it.
    done = _codegen(project, "drift", str(old), str(new), "--changelog")
    assert "- New methods: `getPart`.\n" in done.stdout
    assert "**Breaking:** `Everything.height`: has to be given from now on" in done.stdout

    # Ten minutes are the goal for machine and hand. The machine takes seconds.
    assert time.monotonic() - began < 120
