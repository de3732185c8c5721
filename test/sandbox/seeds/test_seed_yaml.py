"""YAML is read as JSON with the place of each value, and hostile files are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.seeds.planting import mistakes
from talon_one.sandbox import SeedError
from talon_one.sandbox.seeds.errors import SeedMistake
from talon_one.sandbox.seeds.yaml_reader import MAX_ALIASED, read_yaml

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner),
    max_leaves=10,
)


def content(text: str) -> object:
    return read_yaml(text, "shop.yaml").content


@given(
    st.dictionaries(st.text("xyz", min_size=1), VALUES),
    st.booleans(),
    st.sampled_from([None, 2, "\t"]),
)
def test_json_is_read_as_it_is(value: dict[str, object], ascii: bool, indent: Any) -> None:
    assert content(json.dumps(value, ensure_ascii=ascii, indent=indent)) == value


def test_plain_scalars_are_read_as_in_json() -> None:
    text = (
        "words: [true, false, null, ~, ]\n"
        "numbers: [1, -2.5, 1e3]\n"
        "texts: [NO, on, 0123, 12:30:45, 2026-01-01, 2026-01-01T00:00:00Z, 1_000, .5, =, 0x10]\n"
        "quoted: ['1', \"true\", !!str 7, ! 8]\n"
        "empty:\n"
        "1: one\n"
    )
    assert content(text) == {
        "words": [True, False, None, None],
        "numbers": [1, -2.5, 1000.0],
        "texts": [
            "NO",
            "on",
            "0123",
            "12:30:45",
            "2026-01-01",
            "2026-01-01T00:00:00Z",
            "1_000",
            ".5",
            "=",
            "0x10",
        ],
        "quoted": ["1", "true", "7", "8"],
        "empty": None,
        "1": "one",
    }


def test_aliases_and_merges_repeat_what_an_anchor_marks() -> None:
    text = """\
x-limits: &limits
  - {action: redeemCoupon, limit: 1}
x-base: &base {state: enabled, tags: [a]}
x-more: &more {state: disabled, features: [coupons]}
one: {<<: *base, limits: *limits, tags: [b]}
two: {<<: [*base, *more]}
"""
    found = content(text)
    assert isinstance(found, dict)
    assert found["one"] == {
        "limits": [{"action": "redeemCoupon", "limit": 1}],
        "tags": ["b"],
        "state": "enabled",
    }
    assert found["two"] == {"state": "enabled", "tags": ["a"], "features": ["coupons"]}


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ["1:1: the text is empty"]),
        ("# nothing\n", ["1:1: the text is empty"]),
        ("- a\n", ["1:1: the whole must be an object"]),
        ("just text", ["1:1: the whole must be an object"]),
        ("a: 1\na: 2\n", ["2:1: the key 'a' is there twice"]),
        ("a: 1\n---\nb: 2\n", ["2:1: a seed is one document"]),
        ("a: *b\n", ["1:4: there is no anchor &b before its alias"]),
        ("a: &b [*b]\n", ["1:8: the alias *b stands inside of its own anchor"]),
        ("? [a]\n: b\n", ["1:3: a key must be a text"]),
        ("a: !!python/name:os.system x\n", ["1:4: tags such as !!python/name:os.system are not"]),
        ("a: !!int 1\nb: !!set {}\n", ["1:4: tags such as", "2:4: tags such as"]),
        ("a: {<<: 3}\n", ["1:9: << takes an object, or a list of objects"]),
        ("a: 1e999\n", ["1:4: the number is too large"]),
        (f"a: 1{'0' * 5000}\n", ["1:4: the number is too large"]),
        ("a: [1\nb: 2\n", ["2:"]),
        ("a: b: c\n", ["1:5: this is not YAML: mapping values are not allowed"]),
        ("a: \x07\n", ["1:1: this is not YAML: "]),
        ("a: " + "[" * 101 + "]" * 101, ["1:103: values nest more than 100 levels deep"]),
        (BOMB, [f"5:38: all aliases together stand for more than {MAX_ALIASED} values"]),
    ],
    ids=lambda each: each[:30] if isinstance(each, str) else "",
)
def test_what_cannot_be_read_is_named_with_line_and_column(text: str, wanted: list[str]) -> None:
    found = mistakes(text)
    assert len(found) == len(wanted)
    for line, beginning in zip(found, wanted, strict=True):
        assert line.startswith(beginning)


def test_nesting_of_any_depth_is_refused_and_not_recursed_into() -> None:
    for text in ("[" * 200_000, "{a: " * 200_000, "- " * 200_000):
        with pytest.raises(SeedError, match="nest"):
            read_yaml(text, "shop.yaml")


def test_the_parser_in_python_does_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("yaml.CSafeLoader")
    test_plain_scalars_are_read_as_in_json()
    test_aliases_and_merges_repeat_what_an_anchor_marks()
    test_nesting_of_any_depth_is_refused_and_not_recursed_into()
    assert mistakes("a: 1\na: !x 2\nb: {<<: 3}\n") == [
        "2:1: the key 'a' is there twice",
        "2:4: tags such as !x are not supported",
        "3:9: << takes an object, or a list of objects",
    ]
    assert mistakes("a: b: c\n") == ["1:5: this is not YAML: mapping values are not allowed here"]


@given(st.text(st.sampled_from("ab:-[]{}&*!<>?#|'\"\n ,%@~")))
def test_any_text_is_read_or_refused(text: str) -> None:
    found: tuple[SeedMistake, ...] = ()
    try:
        read_yaml(text, "shop.yaml")
    except SeedError as cause:
        found = cause.mistakes
    assert all(each.line and each.column for each in found)


def test_a_mistake_inside_of_what_an_alias_repeats_is_where_it_was_written() -> None:
    text = """\
x-audience: &audience {nam: VIP}
audiences:
  - *audience
"""
    assert mistakes(text) == [
        "1:13: an audience needs name",
        "1:24: 'nam' is not a property of an audience. Did you mean 'name'?",
    ]
