"""``--write`` drafts what spec/ lacks, and leaves everything else as it is, byte for byte."""

from __future__ import annotations

import os
from difflib import ndiff
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.drift import fragments, plans
from codegen.drift.compare import TEXTS, compare
from codegen.drift.corrections import Correction
from codegen.drift.documents import Document, read
from codegen.drift.drafts import draft
from codegen.drift.normal_form import normal_form
from codegen.drift.plans import Plan, write
from codegen.drift.standing import Drift, assess
from codegen.loader import SpecError, load
from codegen.places import Place
from support.release_changes import CHANGES
from support.releases import RELEASE, Edit, Node, edited, form, operation, release, schemas

HEAD = """# The root.
openapi: 3.0.3
info: {title: Shop API, version: '1'}  # of the platform
security: [{api_key_v1: []}]
x-domains: [shop, office]
"""


def _files(style: str) -> dict[str, str]:
    """The files of our description of the first release, with comments to be kept."""
    if style == "flow":
        paths, _, rest = RELEASE.partition("components:\n")
        shop = paths.partition("paths:\n")[2]
        inside = "".join(line[2:] for line in rest.splitlines(keepends=True))
        text = f"# Paths.\npaths:\n{shop}# Schemas.\n{inside}# The end.\n"
    else:
        document = release()
        content = {"paths": document["paths"], "schemas": schemas(document)}
        text = yaml.safe_dump(content, sort_keys=False) + "# The end."
    return {"openapi.yaml": HEAD, "domains/shop.yaml": text, "domains/office.yaml": "paths: {}\n"}


def _spec(folder: Path, style: str = "block", newline: str = "\n") -> Path:
    spec = folder / "spec"
    (spec / "domains").mkdir(parents=True)
    for name, text in _files(style).items():
        (spec / name).write_bytes(text.replace("\n", newline).encode())
    return spec


def _drift(spec: Path, new: Edit) -> Drift:
    ours = normal_form(Document("spec", load(spec)))
    return assess(form(release()), form(edited(new)), ours)


def _draft(spec: Path, new: Edit, domain: str | None = "shop") -> Plan:
    plan = draft(_drift(spec, new), spec, [], domain)
    write(plan)
    return plan


def _contents(spec: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(spec.rglob("*")) if path.is_file()}


def _changed_lines(before: str, after: str) -> list[str]:
    lines = ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "+-"]


BY_HAND = {
    "operation moved",
    "operation secured",
    "parameter removed",
    "parameter renamed in the path",
    "body removed",
    "response removed",
    "response is another content type",
    "property is of a class",
}
# What is kept for those who use it is still a difference, and meant to be one.
KEPT = {"operation removed", "schema removed", "property removed"}


@pytest.mark.parametrize("style", ["block", "flow"])
@pytest.mark.parametrize("kind", CHANGES)
def test_after_the_drafts_nothing_is_lacking(kind: str, style: str, tmp_path: Path) -> None:
    edit, _ = CHANGES[kind]
    spec = _spec(tmp_path, style)
    before = _contents(spec)
    if not _drift(spec, edit).lacking:
        assert all(item.what in TEXTS for item in _drift(spec, edit).remaining)
        assert _draft(spec, edit).files == {}
        assert _contents(spec) == before
        return
    plan = _draft(spec, edit)
    if kind in BY_HAND:
        assert len(plan.by_hand) == 1
        assert _contents(spec) == before
        return
    drift = _drift(spec, edit)
    if kind == "schema removed":
        assert plan.by_hand == [
            "removed property Coupon.owner:"
            " a bare $ref; wrap it in allOf, with deprecated and x-legacy"
        ]
        assert [item.place for item in drift.lacking] == ["Coupon.owner"]
        return
    assert (plan.by_hand, drift.lacking) == ([], [])
    remaining = compare(drift.spec, drift.new)
    expected = {"removed", "changed"} if kind in KEPT else set()
    assert {item.change for item in remaining if item.what not in TEXTS} <= expected
    # Comments stay.
    for path, text in before.items():
        comments = [part for part in text.decode().split("\n") if part.startswith("#")]
        assert [part for part in comments if part not in Path(path).read_text()] == []


def _everything(document: Node) -> None:
    document["info"]["version"] = "2"
    owner = schemas(document)["Owner"]
    owner["properties"]["age"] = {"type": "integer", "minimum": 0, "exclusiveMinimum": True}
    owner["properties"]["card"] = {"$ref": "#/components/schemas/Card"}
    owner["required"] = ["age"]
    schemas(document)["Card"] = {
        "type": "object",
        "properties": {"codes": {"type": "array", "items": {"type": "string"}}, "any": {}},
    }
    coupon = schemas(document)["NewCoupon"]["properties"]
    coupon["startsDate"] = coupon.pop("startDate")


def test_a_draft_is_written_as_the_rest_of_the_file_and_without_words(tmp_path: Path) -> None:
    spec = _spec(tmp_path)
    shop = spec / "domains" / "shop.yaml"
    before = shop.read_text()
    plan = _draft(spec, _everything)
    assert plan.by_hand == []
    assert _changed_lines(HEAD, (spec / "openapi.yaml").read_text()) == [
        "- info: {title: Shop API, version: '1'}  # of the platform",
        "+ info: {title: Shop API, version: '2'}  # of the platform",
    ]
    assert _changed_lines(before, shop.read_text()) == [
        "-       startDate:",
        "+       startsDate:",
        "+         x-python-aliases:",
        "+         - start_date",
        "+     required:",
        "+     - age",
        "+       age:",
        "+         description: ''",
        "+         type: integer",
        "+         minimum: 0",
        "+         exclusiveMinimum: true",
        "+       card:",
        "+         description: ''",
        "+         allOf:",
        "+         - $ref: '#/components/schemas/Card'",
        "+   Card:",
        "+     description: ''",
        "+     type: object",
        "+     properties:",
        "+       codes:",
        "+         description: ''",
        "+         type: array",
        "+         items:",
        "+           type: string",
        "+       any:",
        "+         description: ''",
        "+         x-any: true",
    ]


def test_a_new_operation_refers_to_what_operations_share(tmp_path: Path) -> None:
    spec = _spec(tmp_path)
    skip = {"name": "skip", "in": "query", "required": False, "schema": {"type": "integer"}}
    root = {
        **yaml.safe_load(HEAD),
        "tags": [{"name": "management"}, {"name": "Codes"}],
        "components": {
            "parameters": {"Skip": {**skip, "description": "How many to leave out."}},
            "responses": {"NotFound": {"description": "Not Found"}},
        },
    }
    (spec / "openapi.yaml").write_text(yaml.safe_dump(root, sort_keys=False))

    def add(document: Node) -> None:
        document["paths"]["/v1/coupons"] = {
            "get": {
                "operationId": "listCoupons",
                "tags": ["codes"],
                "parameters": [skip],
                "security": [{"management_key": []}],
                "responses": {
                    "200": {
                        "description": "Whatever.",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Coupon"}}
                        },
                    },
                    "404": {"description": "Whatever."},
                },
            }
        }

    plan = _draft(spec, add, None)
    # The domain is that of the operations beside it.
    assert plan.drafted == ["added operation listCoupons: in shop"]
    shop = yaml.safe_load((spec / "domains" / "shop.yaml").read_text())
    assert shop["paths"]["/v1/coupons"]["get"] == {
        "operationId": "listCoupons",
        "tags": ["management", "Codes"],
        "summary": "",
        "description": "",
        "parameters": [{"$ref": "#/components/parameters/Skip"}],
        "responses": {
            "200": {
                "description": "OK",
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/Coupon"}}
                },
            },
            "404": {"$ref": "#/components/responses/NotFound"},
        },
        "security": [{"management_key": []}],
    }


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_newlines_of_a_file_stay(newline: str, tmp_path: Path) -> None:
    spec = _spec(tmp_path, newline=newline)
    _draft(spec, _everything)
    content = (spec / "domains" / "shop.yaml").read_bytes().decode()
    assert content.count("\n") == content.count(newline)
    assert content.endswith("# The end.")


def test_what_nothing_mentions_goes_to_the_domain_that_is_named(tmp_path: Path) -> None:
    def add(document: Node) -> None:
        schemas(document)["Alone"] = {"type": "object"}

    spec = _spec(tmp_path)
    assert _draft(spec, add, None).by_hand == [
        "added schema Alone: nothing in spec/ mentions it; name a domain with --domain"
    ]
    assert _draft(spec, add, "office").drafted == ["added schema Alone: in office"]
    assert (spec / "domains" / "office.yaml").read_text() == (
        "paths: {}\nschemas:\n  Alone:\n    description: ''\n    x-kept: announced\n"
        "    type: object\n"
    )
    with pytest.raises(SpecError, match="there is no domain 'kitchen'"):
        _draft(spec, add, "kitchen")


def test_a_description_that_is_there_stays(tmp_path: Path) -> None:
    def describe(node: Any) -> None:
        if isinstance(node, dict):
            for each in node.values():
                describe(each)
            if isinstance(node.get("description"), str):
                node["description"] = "Words of the vendor."

    def change(document: Node) -> None:
        describe(document)
        schemas(document)["Owner"]["properties"]["name"]["maxLength"] = 9

    spec = _spec(tmp_path)
    shop = spec / "domains" / "shop.yaml"
    before = shop.read_text()
    _draft(spec, change)
    assert _changed_lines(before, shop.read_text()) == ["+         maxLength: 9"]


def test_a_corrected_fact_stays(tmp_path: Path) -> None:
    def tighten(document: Node) -> None:
        schemas(document)["NewCoupon"]["properties"]["value"].update(minLength=3, maxLength=50)

    spec = _spec(tmp_path)
    said = {"vendor": {"maxLength": 50}, "ours": {"maxLength": 100}, "reason": "So it is."}
    place = Place("corrections.yaml", 1)
    correction = Correction(place, "NewCoupon.value", **said)  # type: ignore[arg-type]
    drift = _drift(spec, tighten)
    plan = draft(drift, spec, [correction], None)
    write(plan)
    assert plan.by_hand == [
        "changed constraint NewCoupon.value (maxLength):"
        " corrections.yaml, line 1 corrects it; say there what the vendor says now"
    ]
    value = load(spec)["components"]["schemas"]["NewCoupon"]["properties"]["value"]
    assert (value["minLength"], value["maxLength"]) == (3, 100)


def test_what_several_operations_share_is_left_to_hand(tmp_path: Path) -> None:
    spec = _spec(tmp_path)
    shop = yaml.safe_load((spec / "domains" / "shop.yaml").read_text())
    parameters = operation(shop)["parameters"]
    root = {**yaml.safe_load(HEAD), "components": {"parameters": {"Silent": parameters[1]}}}
    parameters[1] = {"$ref": "#/components/parameters/Silent"}
    (spec / "domains" / "shop.yaml").write_text(yaml.safe_dump(shop, sort_keys=False))
    (spec / "openapi.yaml").write_text(yaml.safe_dump(root, sort_keys=False))
    before = _contents(spec)
    plan = _draft(spec, lambda each: operation(each)["parameters"][1].update(required=True))
    assert plan.by_hand == [
        "changed required updateCoupon.query silent:"
        " it is a component that several operations share"
    ]
    assert _contents(spec) == before


def test_a_schema_that_spec_describes_where_it_is_used_is_left_to_hand(tmp_path: Path) -> None:
    old = edited(
        lambda each: schemas(each)["Coupon"]["properties"].update(
            limits={"type": "object", "properties": {"count": {"type": "integer"}}}
        )
    )
    spec = _spec(tmp_path)
    shop = yaml.safe_load((spec / "domains" / "shop.yaml").read_text())
    shop["schemas"] = schemas(old)
    (spec / "domains" / "shop.yaml").write_text(yaml.safe_dump(shop, sort_keys=False))
    before = _contents(spec)
    new = edited(
        lambda each: schemas(each)["Coupon"]["properties"]["limits"].update(
            properties={"total": {"type": "string"}}
        ),
        old,
    )
    drift = assess(form(old), form(new), normal_form(Document("spec", load(spec))))
    plan = draft(drift, spec, [], "shop")
    assert plan.by_hand == [
        "removed property CouponLimits.count: it has no place of its own in spec/",
        "added property CouponLimits.total: it has no place of its own in spec/",
    ]
    assert plan.files == {}
    gone = edited(lambda each: schemas(each)["Coupon"]["properties"].pop("limits"), old)
    drift = assess(form(old), form(gone), normal_form(Document("spec", load(spec))))
    plan = draft(drift, spec, [], "shop")
    assert "removed schema CouponLimits: it has no place of its own in spec/" in plan.by_hand
    assert _contents(spec) == before


def test_a_key_is_added_where_another_one_goes(tmp_path: Path) -> None:
    def edit(document: Node) -> None:
        limit = schemas(document)["NewCoupon"]["properties"]["limit"]
        del limit["minimum"], limit["exclusiveMinimum"]
        limit["nullable"] = True

    spec = _spec(tmp_path)
    assert _draft(spec, edit).by_hand == []
    limit = load(spec)["components"]["schemas"]["NewCoupon"]["properties"]["limit"]
    assert limit == {"type": "integer", "nullable": True}


def test_a_section_is_added_after_what_is_added_to_the_one_before(tmp_path: Path) -> None:
    def edit(document: Node) -> None:
        reference = {"$ref": "#/components/schemas/Till"}
        content = {"application/json": {"schema": reference}}
        responses = {"200": {"description": "OK", "content": content}}
        document["paths"]["/v1/till"] = {"get": {"operationId": "getTill", "responses": responses}}
        schemas(document)["Till"] = {"type": "object", "properties": {"id": {"type": "integer"}}}

    spec = _spec(tmp_path)
    office = spec / "domains" / "office.yaml"
    office.write_text("schemas:\n  Desk:\n    description: A desk.\n    type: string\n")
    assert _draft(spec, edit, "office").by_hand == []
    written = yaml.safe_load(office.read_text())
    assert list(written["schemas"]) == ["Desk", "Till"]
    assert list(written["paths"]) == ["/v1/till"]


def test_drafts_whose_references_lead_nowhere_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = _spec(tmp_path)
    before = _contents(spec)
    nothing = "#/components/schemas/Nothing"
    monkeypatch.setattr(fragments, "use", lambda *_, **__: {"$ref": nothing})
    with pytest.raises(SpecError, match=r"nothing is written: .*Nothing leads nowhere"):
        _draft(spec, _everything)
    assert _contents(spec) == before


def test_a_fact_that_spec_does_not_write_out_is_left_to_hand(tmp_path: Path) -> None:
    def edit(document: Node) -> None:
        state = schemas(document)["Coupon"]["properties"]["state"]
        del state["type"], state["enum"]

    spec = _spec(tmp_path)
    shop = spec / "domains" / "shop.yaml"
    document = yaml.safe_load(shop.read_text())
    # That of words is text.
    del document["schemas"]["Coupon"]["properties"]["state"]["type"]
    shop.write_text(yaml.safe_dump(document, sort_keys=False))
    (left,) = _draft(spec, edit).by_hand
    assert left.startswith("changed type Coupon.state")
    assert left.endswith(": it is described elsewhere in spec/")


def test_values_that_are_objects_are_drafted(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    values = {"enum": [{"a": [{"b": 1}]}], "default": {"a": []}}
    document = edited(lambda each: schemas(each)["Owner"]["properties"]["level"].update(values))
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    spec = _spec(tmp_path)
    ours = normal_form(Document("spec", load(spec)))
    plan = draft(assess(form(release()), normal_form(read(path)), ours), spec, [], "shop")
    write(plan)
    level = load(spec)["components"]["schemas"]["Owner"]["properties"]["level"]
    assert {key: level[key] for key in values} == values


# All or nothing


def test_when_one_file_cannot_be_replaced_none_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = _spec(tmp_path)
    before = _contents(spec)
    plan = draft(_drift(spec, _everything), spec, [], "shop")
    assert len(plan.files) == 2
    replace = os.replace

    def fail(source: Any, target: Any) -> None:
        if Path(target).name == "shop.yaml":
            raise PermissionError(13, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(PermissionError):
        write(plan)
    assert _contents(spec) == before


def test_drafts_that_make_no_usable_description_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = _spec(tmp_path)
    before = _contents(spec)

    def refuse(folder: Path) -> Node:
        raise SpecError("something is wrong")

    monkeypatch.setattr(plans, "load", refuse)
    with pytest.raises(SpecError, match="nothing is written: something is wrong"):
        _draft(spec, _everything)
    assert _contents(spec) == before


def test_drafts_are_made_once(tmp_path: Path) -> None:
    spec = _spec(tmp_path)
    _draft(spec, _everything)
    before = _contents(spec)
    plan = _draft(spec, _everything)
    assert (plan.drafted, plan.files) == ([], {})
    assert _contents(spec) == before
