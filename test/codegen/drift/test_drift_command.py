"""``python -m codegen drift OLD NEW`` reports what a release changes, and what is left to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import codegen.__main__ as command
from codegen.drift.corrections import load_corrections
from codegen.loader import load
from support.releases import Node, edited, operation, release, schemas

ROOT = Path(__file__).parents[3]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """Our description of the first release, in one domain."""
    document = release()
    folder = tmp_path / "spec"
    (folder / "domains").mkdir(parents=True)
    shop = {"paths": document.pop("paths"), "schemas": document["components"].pop("schemas")}
    document["x-domains"] = ["shop"]
    _write(folder / "openapi.yaml", document)
    _write(folder / "domains" / "shop.yaml", shop)
    return folder


def _write(path: Path, document: object) -> Path:
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def _next(document: Node) -> None:
    document["info"]["version"] = "2"
    schemas(document)["Owner"]["properties"]["age"] = {"type": "integer"}
    schemas(document)["NewCoupon"]["properties"]["value"]["maxLength"] = 50
    schemas(document)["Coupon"]["description"] = "Other words."


@pytest.fixture
def releases(tmp_path: Path) -> tuple[str, str]:
    old = _write(tmp_path / "old.yaml", release())
    return str(old), str(_write(tmp_path / "new.yaml", edited(_next)))


def test_the_report_says_what_changed_in_which_domain_and_what_it_breaks(
    spec: Path, releases: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["drift", *releases, "--spec", str(spec)]) == 1
    assert capsys.readouterr().out == (
        "1 -> 2; spec/ says 1\n"
        "\n"
        "(none)\n"
        "  LACK  changed version  info.version  1 -> 2\n"
        "\n"
        "shop\n"
        "  LACK  changed constraint   NewCoupon.value (maxLength)"
        "  100 -> 50; BREAKS: the limit is tighter\n"
        "  LACK  added property       Owner.age                    integer\n"
        "  text  changed description  Coupon\n"
        "\n"
        "                           all     have     lack conflict     text   breaks\n"
        "added property               1        -        1        -        -        -\n"
        "changed constraint           1        -        1        -        -        1\n"
        "changed description          1        -        -        -        1        -\n"
        "changed version              1        -        1        -        -        -\n"
        "together                     4        -        3        -        1        1\n"
    )


def test_json_says_the_same(
    spec: Path, releases: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["drift", *releases, "--spec", str(spec), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["old"], report["new"], report["spec"]) == ("1", "2", "1")
    assert {(each["place"], each["state"], each["breaks"]) for each in report["findings"]} == {
        ("info.version", "lack", "no"),
        ("NewCoupon.value", "lack", "yes"),
        ("Owner.age", "lack", "no"),
        ("Coupon", "text", "no"),
    }


def test_the_changelog_says_what_is_new_and_what_breaks(
    spec: Path, releases: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["drift", *releases, "--spec", str(spec), "--changelog"]) == 1
    assert capsys.readouterr().out == (
        "- The API is that of release 2 of the platform.\n"
        "- New properties: `Owner.age`.\n"
        "- **Breaking:** `NewCoupon.value`: the limit is tighter.\n"
    )


def test_what_is_carried_out_and_acknowledged_is_done(
    spec: Path, releases: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = edited(_next)
    shop = {"paths": document.pop("paths"), "schemas": document["components"].pop("schemas")}
    document["x-domains"] = ["shop"]
    _write(spec / "openapi.yaml", document)
    _write(spec / "domains" / "shop.yaml", shop)
    arguments = ["drift", *releases, "--spec", str(spec)]
    assert command.main(arguments) == 1
    assert "have  changed constraint" in capsys.readouterr().out

    reasons = [{"place": "NewCoupon.value", "reason": "No code is that long."}]
    path = _write(tmp_path / "accepted.yaml", reasons)
    assert command.main([*arguments, "--acknowledge", str(path)]) == 0
    assert "acknowledged: No code is that long." in capsys.readouterr().out

    _write(path, [*reasons, {"place": "Owner.age", "reason": "It breaks nobody."}])
    assert command.main([*arguments, "--acknowledge", str(path)]) == 1
    out = capsys.readouterr().out
    assert "accepted.yaml, line 3: acknowledges nothing: Owner.age\n" in out


def test_two_equal_releases_leave_nothing_to_do(
    spec: Path, releases: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["drift", releases[0], releases[0], "--spec", str(spec)]) == 0
    assert capsys.readouterr().out == (
        "1 -> 1; spec/ says 1\nThe release changes nothing that is described.\n"
    )


def test_what_the_release_did_not_change_and_we_lack_is_counted(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(_write(tmp_path / "new.yaml", edited(_next)))
    assert command.main(["drift", path, path, "--spec", str(spec)]) == 0
    assert "spec/ differs from new.yaml in 3 more places" in capsys.readouterr().out


def test_an_operation_that_we_keep_breaks_nobody(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = _write(tmp_path / "old.yaml", release())
    new = _write(tmp_path / "new.yaml", edited(lambda each: each["paths"].clear()))
    arguments = ["drift", str(old), str(new), "--spec", str(spec)]
    assert command.main(arguments) == 1
    shop = yaml.safe_load((spec / "domains" / "shop.yaml").read_text())
    shop["paths"]["/v1/coupons/{couponId}"]["put"].update({"deprecated": True, "x-legacy": True})
    _write(spec / "domains" / "shop.yaml", shop)
    capsys.readouterr()
    assert command.main(arguments) == 0
    assert "kept in spec/" in capsys.readouterr().out


@pytest.mark.parametrize("which", ["old", "new", "acknowledgments", "spec"])
def test_unusable_input_is_one_line_and_status_2(which: str, spec: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    for path in (old, new):
        _write(path, release())
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: [\n")
    paths = {"old": old, "new": new, "spec": spec, "acknowledgments": tmp_path / "none.yaml"}
    paths["acknowledgments"].write_text("[]")
    paths[which] = tmp_path / "nothing" if which == "spec" else bad
    releases = [str(paths["old"]), str(paths["new"])]
    options = ["--spec", str(paths["spec"]), "--acknowledge", str(paths["acknowledgments"])]
    done = subprocess.run(
        [sys.executable, "-m", "codegen", "drift", *releases, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("drift: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: 1", "no list of places with reasons"),
        ("- a", "an entry has a place and a reason, and 'a' has not"),
        ("- {place: A, reason: ''}", "line 1: A needs a reason"),
        ("- {place: A, reason: b}\n- {place: A, reason: c}", "line 2: A is acknowledged twice"),
    ],
)
def test_bad_acknowledgments_are_refused(
    content: str,
    message: str,
    spec: Path,
    releases: tuple[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "accepted.yaml"
    path.write_text(content)
    arguments = ["drift", *releases, "--spec", str(spec), "--acknowledge", str(path)]
    assert command.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_our_own_description_is_compared_with_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps(load(ROOT / "spec"), default=str), encoding="utf-8")
    # As if the vendor agreed with all our corrections.
    assert command.main(["drift", str(path), str(path), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["findings"], report["elsewhere"]) == ([], [])
    assert len(report["obsolete_corrections"]) == len(load_corrections(ROOT / "spec"))


def test_a_change_of_a_response_code_is_reported(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = _write(tmp_path / "old.yaml", release())
    moved = edited(lambda each: operation(each)["responses"].update({"201": {"description": "a"}}))
    new = _write(tmp_path / "new.yaml", moved)
    assert command.main(["drift", str(old), str(new), "--spec", str(spec)]) == 1
    assert "added response  updateCoupon.201  no content" in capsys.readouterr().out
