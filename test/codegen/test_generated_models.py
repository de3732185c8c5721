"""Generated models hold every kind of property, under names that Python can bear."""

from __future__ import annotations

import ast
import json
from datetime import date, datetime, timezone
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from codegen.loader import load
from codegen.render import Files
from support.every import for_every
from talon_one import NULL, Model, ModelValidationError

PART: dict[str, Any] = {"name": "p", "soldAt": "2026-01-31T10:00:00Z", "unknown": [1]}
INNER: dict[str, Any] = {
    "text": "i",
    "created": "2026-01-31T10:00:00Z",
    "decision": "yes",
    "parts": {},
}
THING: dict[str, Any] = {
    "text": "t",
    "count": 99,
    "ratio": 0.5,
    "active": False,
    "created": "2026-01-31T10:00:00.5+02:00",
    "birthday": "2000-02-29",
    "uuid": "a3e3a6d2-5b1c-4d7e-9f5d-0c1f6a6f2b11",
    "email": "a@example.com",
    "blob": "AAE=",
    "token": "not-for-the-log",
    "color": "green",
    "level": 3,
    "maybe": None,
    "choice": None,
    "decision": None,
    "freeForm": {"a": {"b": None}},
    "openForm": {"a": [1, None]},
    "labels": {"de": "Teil"},
    "deadlines": {"a": "2026-01-31T10:00:00Z"},
    "parts": {"a": PART, "b": {"name": "q"}},
    "partLists": {"a": [PART, PART]},
    "words": ["eins", "zwei"],
    "partList": [PART],
    "matrix": [[PART], [], [PART, PART]],
    "colors": ["red", "green"],
    "moments": ["2026-01-31T10:00:00Z"],
    "rules": ["and", ["=", 1, None], {"a": []}],
    "anything": [None, 1.5],
    "wrapped": PART,
    "point": {"x": 1},
    "points": [{"x": 1}, {"y": 2}],
    "parent": {**INNER, "matrix": [[PART]]},
    "children": [{**INNER, "parent": INNER}],
    "owner": {"things": [{**INNER, "owner": {}}], "favorite": INNER},
    "code": "ABC",
    "mood": "Bad Mood",
    "row": [PART],
    "catalog": {"a": [PART]},
    "since": "2026-01-31T10:00:00Z",
    "pin": "1234",
    "unheardOf": {"a": 1},
}


def test_the_sample_has_every_property(models: ModuleType) -> None:
    assert set(THING) - {"unheardOf"} == set(models.Everything.attribute_map.values())


def test_a_thing_of_every_kind_survives_decoding_reading_and_encoding(models: ModuleType) -> None:
    thing = models.Everything.from_json(json.dumps(THING))
    assert json.loads(thing.to_json()) == THING
    repr(thing)  # Reads, and so wraps, every property.
    assert json.loads(thing.to_json()) == THING
    assert thing.to_wire() == THING
    thing.validate()


@for_every(
    "name, expected",
    [
        ("text", "t"),
        ("count", 99),
        ("ratio", 0.5),
        ("active", False),
        ("birthday", date(2000, 2, 29)),
        ("color", "green"),
        ("level", 3),
        ("maybe", None),
        ("free_form", {"a": {"b": None}}),
        ("labels", {"de": "Teil"}),
        ("deadlines", {"a": "2026-01-31T10:00:00Z"}),
        ("moments", ["2026-01-31T10:00:00Z"]),
        ("rules", ["and", ["=", 1, None], {"a": []}]),
        ("anything", [None, 1.5]),
        ("point", {"x": 1}),
        ("points", [{"x": 1}, {"y": 2}]),
        ("code", "ABC"),
        ("mood", "Bad Mood"),
        ("since", datetime(2026, 1, 31, 10, tzinfo=timezone.utc)),
    ],
)
def test_plain_properties_are_read_as_their_types(
    models: ModuleType, name: str, expected: object
) -> None:
    assert getattr(models.Everything.from_dict(THING), name) == expected


def test_models_are_wrapped_wherever_they_stand(models: ModuleType) -> None:
    thing = models.Everything.from_dict(THING)
    parts = [
        *thing.parts.values(),
        *thing.part_lists["a"],
        *thing.part_list,
        *thing.matrix[0],
        *thing.matrix[2],
        thing.wrapped,
        thing.parent.matrix[0][0],
        *thing.row,
        *thing.catalog["a"],
    ]
    assert [type(part) for part in parts] == [models.Part] * 12
    assert parts[0].sold_at == datetime(2026, 1, 31, 10, tzinfo=timezone.utc)
    assert parts[0].additional_properties == {"unknown": [1]}
    assert type(thing.parent) is type(thing.children[0].parent) is models.Everything
    assert type(thing.owner.things[0].owner) is models.Owner
    assert type(thing.owner.favorite) is models.Everything


@pytest.mark.parametrize(
    ("kind", "name"), [("pictureBook", "PictureBookContent"), ("else", "Remainder")]
)
def test_the_class_of_a_variant_is_told_by_the_property_beside_it(
    models: ModuleType, kind: str, name: str
) -> None:
    parcel = models.Parcel.from_dict({"kind": kind, "content": {"pageCount": 3}})
    assert type(parcel.content) is getattr(models, name)
    assert models.Content == Model | dict[str, Any]
    assert type(models.Parcel(content={"weight": 1}).content) is Model
    assert models.Parcel.openapi_types["content"] == "object"


def test_where_nothing_tells_the_class_variants_stay_as_they_are(models: ModuleType) -> None:
    parcel = models.Parcel.from_dict({"kind": "else", "samples": [{"weight": 1}]})
    assert parcel.samples == [{"weight": 1}]
    assert type(parcel.samples[0]) is dict


def test_a_method_that_gives_way_is_hidden_where_a_property_has_its_name(
    models: ModuleType,
) -> None:
    parcel = models.Parcel.from_dict({"items": [PART]})
    assert type(parcel.items[0]) is models.Part
    assert list(models.Part(name="p").items()) == [("name", "p")]


def test_what_is_changed_inside_nested_lists_is_sent(models: ModuleType) -> None:
    thing = models.Everything.from_dict(THING)
    thing.matrix[2][1].name = "changed"
    thing.part_lists["a"].append(models.Part(name="new"))
    thing.owner.things[0].created = datetime(2026, 1, 1, tzinfo=timezone.utc)
    sent = json.loads(thing.to_json())
    assert [part["name"] for part in sent["matrix"][2]] == ["p", "changed"]
    assert sent["partLists"]["a"][2] == {"name": "new"}
    assert sent["owner"]["things"][0]["created"] == "2026-01-01T00:00:00Z"


def test_only_what_was_given_is_sent(models: ModuleType) -> None:
    moment = datetime(2026, 1, 31, 10, tzinfo=timezone.utc)
    thing = models.Everything(
        text="t",
        created=moment,
        birthday=date(2000, 2, 29),
        decision=NULL,
        parts={"a": models.Part(name="p")},
        matrix=[[models.Part(name="q")]],
        maybe=None,
    )
    thing.validate()
    assert json.loads(thing.to_json()) == {
        "text": "t",
        "created": "2026-01-31T10:00:00Z",
        "birthday": "2000-02-29",
        "decision": None,
        "parts": {"a": {"name": "p"}},
        "matrix": [[{"name": "q"}]],
    }


UNLISTED = "; to send it anyway, use talon_one.unchecked({!r})"
INVALID = [
    ("text", "", "$.text must not be empty"),
    ("text", "x" * 21, "$.text must have at most 20 characters, not 21"),
    ("count", -1, "$.count must be at least 0, not -1"),
    ("count", 100, "$.count must be below 100, not 100"),
    ("ratio", 0, "$.ratio must be above 0, not 0"),
    ("active", 1, "$.active must be True or False, not int"),
    (
        "created",
        "soon",
        "$.created must be an RFC 3339 timestamp such as 2026-12-31T23:59:59Z, not 'soon'",
    ),
    ("birthday", "2000-02-30", "$.birthday must be a date such as 2026-01-31, not '2000-02-30'"),
    (
        "color",
        "pink",
        "$.color must be one of 'red', 'green', 'blue', not 'pink'" + UNLISTED.format("pink"),
    ),
    ("level", 4, "$.level must be one of 1, 2, 3, not 4"),
    (
        "choice",
        "c",
        "$.choice must be one of 'a', 'b', not 'c'" + UNLISTED.format("c"),
    ),
    ("labels", {"de": 1}, "$.labels.de must be text, not int"),
    ("parts", {"a": 1}, "$.parts.a must be Part or a dict, not int"),
    ("part_lists", {"a": [{}]}, "$.partLists.a[0].name is required"),
    ("matrix", [[], [{"name": ""}]], "$.matrix[1][0].name must not be empty"),
    ("part_list", [PART, PART, PART], "$.partList must have at most 2 items, not 3"),
    ("words", [], "$.words must have at least 1 items, not 0"),
    ("words", ["a", "a"], "$.words must not name an item twice"),
    ("words", ["a1"], "$.words[0] must match ^[A-Za-z]+\\Z, which 'a1' does not"),
    ("words", ["a\n"], "$.words[0] must match ^[A-Za-z]+\\Z, which 'a\\n' does not"),
    (
        "colors",
        ["blue"],
        "$.colors[0] must be one of 'red', 'green', not 'blue'" + UNLISTED.format("blue"),
    ),
    ("code", "A", "$.code must have at least 2 characters, not 1"),
    (
        "mood",
        "great",
        "$.mood must be one of 'good', 'Bad Mood', 'Part', not 'great'" + UNLISTED.format("great"),
    ),
    ("row", [{}], "$.row[0].name is required"),
    ("children", [{"parts": {}}], "$.children[0].text is required"),
]


@for_every("name, value, said", INVALID)
def test_validation_knows_the_limits(
    models: ModuleType, name: str, value: object, said: str
) -> None:
    thing = models.Everything.from_dict(THING)
    setattr(thing, name, value)
    with pytest.raises(ModelValidationError) as caught:
        thing.validate()
    assert said in [str(violation) for violation in caught.value.violations]


def test_required_means_present_and_not_null_unless_null_will_do(models: ModuleType) -> None:
    with pytest.raises(ModelValidationError) as caught:
        models.Everything().validate()
    assert [str(each) for each in caught.value.violations] == [
        "$.text is required",
        "$.created is required",
        "$.decision is required",
        "$.parts is required",
    ]


def test_secrets_are_masked(models: ModuleType) -> None:
    thing = models.Everything(token="not-for-the-log", pin="1234")
    for shown in (repr(thing), thing.to_str()):
        assert "not-for-the-log" not in shown
        assert "1234" not in shown


def test_type_strings_say_what_the_vendor_said(models: ModuleType) -> None:
    types = models.Everything.openapi_types
    assert types["parts"] == "dict(str, Part)"
    assert types["part_lists"] == "dict(str, list[Part])"
    assert types["matrix"] == "list[list[Part]]"
    assert types["free_form"] == "object"
    assert types["created"] == "datetime"
    assert types["colors"] == "list[str]"


# -- Names -----------------------------------------------------------------------------------------


@for_every(
    "name, wire",
    [
        ("class_", "class"),
        ("from_", "from"),
        ("copy_", "copy"),
        ("validate_", "validate"),
        ("self_", "self"),
        ("_data_", "_data"),
        ("first_name", "first name"),
        ("a_b_c", "a.b-c"),
        ("_2nd", "2nd"),
        ("_type", "@type"),
        ("größe", "größe"),
        ("catalog_item_id", "catalogItemID"),
        ("integration_ids", "integrationIDs"),
        ("integration_i_ds", "integrationIDs"),
        ("return_", "return"),
        ("_return", "return"),
        ("var_return", "return"),
        ("list", "list"),
    ],
)
def test_a_name_works_as_keyword_and_attribute(models: ModuleType, name: str, wire: str) -> None:
    made = models.Names(**{name: "first"})
    assert made.to_wire() == {wire: "first"}
    setattr(made, name, "second")
    assert getattr(made, name) == made[wire] == "second"


def test_the_methods_of_models_are_not_hidden(models: ModuleType) -> None:
    names = models.Names.from_dict({"class": "a", "copy": True, "validate": False, "self": "s"})
    names.validate()
    assert names.copy() == names
    assert names.copy_ is True


@pytest.mark.parametrize(
    ("cls", "module"),
    [
        ("Return", "return_"),
        ("ModelReturn", "model_return"),
        ("Import", "import_"),
        ("ModelImport", "model_import"),
        ("HTTPServer2URL", "http_server2_url"),
    ],
)
def test_a_class_is_found_in_the_package_and_in_its_module(
    models: ModuleType, cls: str, module: str
) -> None:
    assert cls in models.__all__
    assert getattr(getattr(models, module), cls) is getattr(models, cls)


def test_other_names_mean_the_same_class(models: ModuleType) -> None:
    assert models.ModelReturn is models.Return
    assert models.ModelImport is models.Import
    nested = models.Return.from_dict({"import": [{"import": []}]})
    assert type(nested.import_[0]) is models.Return


def test_a_name_that_does_not_exist_is_no_attribute(models: ModuleType) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Retrun'"):
        models.Retrun  # noqa: B018  reading it is the test


# -- Texts -----------------------------------------------------------------------------------------


def test_the_description_of_a_class_is_its_docstring(models: ModuleType) -> None:
    said = " ".join(models.Texts.__doc__.split())
    assert said == (
        'Quotes \'single\' and "double", """triple""" and """"four"""", a \\backslash,'
        ' a \\N{name}, a line that is indented, and one that ends with a "quote" Deprecated.'
    )


def test_the_description_of_a_property_stands_below_it_as_it_is(small_files: Files) -> None:
    document = load(Path(__file__).parent / "small_spec")
    properties = document["components"]["schemas"]["Texts"]["properties"]
    (texts,) = (
        node
        for node in ast.parse(small_files["small/models/texts.py"]).body
        if isinstance(node, ast.ClassDef)
    )
    said = [
        node.value.value
        for node in texts.body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    expected = [each["description"] for each in properties.values()]
    expected[list(properties).index("ended")] += " Deprecated."
    # Lines may be broken anywhere, even inside a word that is too long for one.
    assert ["".join(str(each).split()) for each in said[1:]] == [
        "".join(each.split()) for each in expected
    ]


@pytest.mark.parametrize(
    "value",
    [
        "it's",
        'say "hi"',
        "both ' and \"",
        "back\\slash",
        "a, b] | None",
        "",
        "two\nlines",
        "a value so long that it leaves no room for anything else beside it in a line of"
        " Python code",
    ],
)
def test_enum_values_may_hold_any_character(models: ModuleType, value: str) -> None:
    models.Texts(quoted=value).validate()
    with pytest.raises(ModelValidationError):
        models.Texts(quoted=f"{value}!").validate()


@pytest.mark.parametrize("value", ["", "abc-\"'", "a b\t_Z"])
def test_posix_classes_match_as_in_posix(models: ModuleType, value: str) -> None:
    models.Texts(posix=f"{value}x").validate()
    with pytest.raises(ModelValidationError):
        models.Texts(posix=f"{value}!").validate()


def test_a_long_pattern_is_whole(models: ModuleType) -> None:
    models.Texts(pattern="2026-01-31T10:00:00.5+02:00/cccccccccc$A").validate()
    models.Texts(pattern="2026-01-31/aaaaaaaaaa$Z").validate()
    for wrong in ("2026-01-31/aaaaaaaaaa$z", "2026-01-31/dddddddddd$Z", "x2026-01-31/aaaaaaaaaa$Z"):
        with pytest.raises(ModelValidationError):
            models.Texts(pattern=wrong).validate()
