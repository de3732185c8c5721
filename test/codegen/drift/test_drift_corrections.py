"""A correction has to be true, and is given up when the vendor agrees with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import codegen.__main__ as command
from codegen.drift.corrections import (
    Correction,
    agrees,
    check_corrections,
    facts_at,
    load_corrections,
)
from codegen.drift.documents import Document
from codegen.drift.normal_form import normal_form
from codegen.drift.standing import Finding, assess
from codegen.loader import SpecError, load
from support.every import for_every
from support.releases import Edit, Node, edited, form, operation, release, schemas

SPEC = Path(__file__).parents[3] / "spec"


def _load(folder: Path, content: Any) -> list[Correction]:
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    (folder / "corrections.yaml").write_text(text, encoding="utf-8")
    return load_corrections(folder)


def _correction(**changes: Any) -> Node:
    found = {
        "place": "NewCoupon.value",
        "vendor": {"maxLength": None},
        "ours": {"maxLength": 100},
        "reason": "Said in words.",
        **changes,
    }
    return {key: value for key, value in found.items() if value is not None}


# Our own


def test_every_correction_of_ours_is_what_our_description_says() -> None:
    spec = normal_form(Document("spec", load(SPEC)))
    corrections = load_corrections(SPEC)
    assert len(corrections) > 100
    assert [each.place for each in corrections if each.is_stale(spec)] == []
    # Otherwise it would never be noticed when the vendor agrees.
    assert [each.place for each in corrections if each.is_known(spec)] == []


def test_the_generator_refuses_a_stale_correction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = Path(__file__).parents[1] / "small_spec"
    for path in small.rglob("*.yaml"):
        target = tmp_path / "spec" / path.relative_to(small)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    correction = _correction(place="Part.name", ours={"minLength": 2})
    _load(tmp_path / "spec", [correction])
    monkeypatch.setattr(command, "ROOT", tmp_path)
    for arguments in ([], ["--check"]):
        assert command.main(arguments) == 2
        assert capsys.readouterr().err == (
            "corrections.yaml, line 1: the correction of Part.name is stale:"
            " spec/ says {'minLength': 1}, not {'minLength': 2}\n"
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spec"]


# What the facts of a place are


@for_every(
    "place, said",
    [
        ("NewCoupon", {"type": "object"}),
        ("NewCoupon.value", {"type": "string", "maxLength": 100, "required": True}),
        ("NewCoupon.tags", {"type": "array", "items.enum": ["a", "b"], "required": False}),
        ("NewCoupon.limit", {"exclusiveMinimum": 0, "minimum": None}),
        ("Coupon.owner", {"schema": "Owner"}),
        ("updateCoupon", {"path": "/v1/coupons/{couponId}", "method": "PUT"}),
        ("updateCoupon.query silent", {"enum": ["no", "yes"], "required": False}),
        ("updateCoupon.body", {"schema": "NewCoupon", "content": "application/json"}),
        ("updateCoupon.200", {"schema": "Coupon"}),
        ("updateCoupon.404", {"content": None}),
        ("updateCoupon.500", {"absent": True}),
        ("Nothing", {"absent": True}),
        ("Coupon.id", {"absent": False}),
    ],
)
def test_a_place_has_facts(place: str, said: Node) -> None:
    assert agrees(facts_at(form(release()), place), said)
    wrong = {key: not value if key == "absent" else "other" for key, value in said.items()}
    assert not agrees(facts_at(form(release()), place), wrong)


# Files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: 1", "corrections.yaml: no list of corrections"),
        ("- a", "corrections.yaml: 'a' is no correction"),
        ([_correction(why="x")], "line 1: why is unknown in a correction"),
        ([_correction(place=None)], "line 1: a correction has a place, or a list of places"),
        ([_correction(places=["a"])], "line 1: a correction has a place, or a list of places"),
        ([_correction(place=None, places=["a", "a"])], "line 1: a is named twice"),
        ([_correction(reason=" ")], "line 1: a correction needs a reason"),
        ([_correction(vendor="less")], "line 1: vendor is a mapping of facts, or 'absent', or"),
        ([_correction(ours={"maxLength": None})], "line 1: vendor and ours are the same"),
        ("- {place: a, vendor: absent, ours: [1]}", "line 1: a correction needs a reason"),
        (
            [_correction(), _correction(reason="Again.")],
            "corrections.yaml, line 1 and corrections.yaml, line 7: NewCoupon.value is corrected",
        ),
        ("- {place: a,\n   place: b}", "line 2: place is defined twice"),
    ],
)
def test_a_bad_file_of_corrections_is_refused(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        _load(tmp_path, content)
    assert message in str(caught.value)


def test_a_spec_without_corrections_has_none(tmp_path: Path) -> None:
    assert load_corrections(tmp_path) == []


def test_a_correction_of_a_place_that_is_not_there_is_stale(tmp_path: Path) -> None:
    corrections = _load(tmp_path, [_correction(place="Coupon.nothing")])
    with pytest.raises(SpecError, match=r"Coupon\.nothing is stale: spec/ says absent, not"):
        check_corrections(corrections, form(release()))


# Releases


def _drift(folder: Path, correction: Node, old: Edit, new: Edit) -> tuple[list[Finding], list[str]]:
    corrections = _load(folder, [correction])
    spec = form(release())
    check_corrections(corrections, spec)
    drift = assess(form(edited(old)), form(edited(new)), spec, corrections)
    return drift.findings, [each.place for each in drift.obsolete]


def _limit(value: int | None) -> Edit:
    def edit(document: Node) -> None:
        node = schemas(document)["NewCoupon"]["properties"]["value"]
        node.pop("maxLength")
        node.update({} if value is None else {"maxLength": value})

    return edit


def test_a_correction_that_the_vendor_made_is_none_any_more(tmp_path: Path) -> None:
    findings, obsolete = _drift(tmp_path, _correction(), _limit(None), _limit(100))
    assert obsolete == ["NewCoupon.value"]
    assert [each.state for each in findings] == ["have"]


def test_a_change_under_a_correction_is_a_conflict(tmp_path: Path) -> None:
    findings, obsolete = _drift(tmp_path, _correction(), _limit(None), _limit(90))
    assert obsolete == []
    assert [each.state for each in findings] == ["conflict"]


def test_a_change_to_what_a_correction_is_known_to_correct_is_no_conflict(tmp_path: Path) -> None:
    findings, obsolete = _drift(tmp_path, _correction(), _limit(90), _limit(None))
    assert obsolete == []
    assert [each.state for each in findings] == ["have"]


def test_another_fact_of_a_corrected_place_is_an_ordinary_change(tmp_path: Path) -> None:
    def change(document: Node) -> None:
        _limit(None)(document)
        schemas(document)["NewCoupon"]["properties"]["value"]["minLength"] = 5

    findings, _ = _drift(tmp_path, _correction(), _limit(None), change)
    assert [(each.item.aspect, each.state) for each in findings] == [("minLength", "lack")]


def test_a_place_that_only_we_have_may_come_and_is_then_no_correction(tmp_path: Path) -> None:
    correction = _correction(place="updateCoupon.404", vendor="absent", ours="present")
    without: Edit = lambda each: operation(each)["responses"].pop("404")  # noqa: E731
    findings, obsolete = _drift(tmp_path, correction, without, without)
    assert (findings, obsolete) == ([], [])
    findings, obsolete = _drift(tmp_path, correction, without, lambda each: None)
    assert ([each.state for each in findings], obsolete) == (["have"], ["updateCoupon.404"])


def test_corrections_are_not_counted_as_lacking(tmp_path: Path) -> None:
    corrections = _load(tmp_path, [_correction()])
    vendor = form(edited(_limit(None)))
    assert assess(vendor, vendor, form(release()), corrections).elsewhere == []
    assert len(assess(vendor, vendor, form(release())).elsewhere) == 1
