"""Regular expressions: the syntax and meaning of RE2, in bounded time."""

from __future__ import annotations

import re
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.talang.cases import ERROR, Case, failures, outcome
from talon_one.sandbox.talang import TalangError
from talon_one.sandbox.talang.regex import Pattern

SEARCHES: list[Case] = [
    (["~", "oo", "foobar"], True),
    (["~", "^oo", "foobar"], False),
    (["~", "bar$", "foobar", "bar"], True),
    (["~", "bar$", "foobar", "barn"], False),
    (["~", "bar$", "bar\n"], False),
    (["~", r"bar\z", "bar"], True),
    (["~", "(?m)^b.r$", "foo\nbar\nbaz"], True),
    (["~", "a.b", "a\nb"], False),
    (["~", "(?s)a.b", "a\nb"], True),
    (["~", "", ""], True),
    (["~", "a{2,3}b", "aab"], True),
    (["~", "^a{2,3}$", "aaaa"], False),
    (["~", "^a{,3}$", "a{,3}"], True),
    (["~", "^(a|b)*c+?$", "ababcc"], True),
    (["~", "^(?:a|b|)$", ""], True),
    (["~", r"^\d+$", "१२"], False),
    (["~", r"\w", "é"], False),
    (["~", r"\bhat\b", "a hat!"], True),
    (["~", r"\bhat\b", "éhaté"], True),
    (["~", r"\Bat", "hat"], True),
    (["~", "(?i)STRASSE", "strasse"], True),
    (["~", "(?i)straße", "STRASSE"], False),
    (["~", "(?i)éCLAIR", "Éclair"], True),
    (["~", "(?i)k", "\u212a"], True),
    (["~", "(?i)[^k]", "\u212a"], False),
    (["~", r"(?i)\W", "\u212a"], False),
    (["~", r"(?i)[\W]", "\u212a"], False),
    (["~", r"[^\W_]", "_"], False),
    (["~", r"(?i)\p{Lu}", "a"], True),
    (["~", "(?i)^[\u03a3]{3}$", "\u03c2\u03c3\u03a3"], True),
    (["~", "(?i)\u00df", "\u1e9e"], True),
    (["~", "(?i)i", "\u0131"], False),
    (["~", r"\p{Any}", "\n"], True),
    (["~", r"\p{^Any}", "a"], False),
    (["~", "(?i:a)b", "Ab"], True),
    (["~", "(?i:a)b", "AB"], False),
    (["~", r"^\pL+$", "Größe"], True),
    (["~", r"^\p{Lu}\P{Lu}$", "Öl"], True),
    (["~", r"[\p{Nd}_]", "१"], True),
    (["~", "^[[:alpha:]]+$", "abc"], True),
    (["~", "[[:^digit:]]", "12"], False),
    (["~", r"^[a\-z]+$", "a-z"], True),
    (["~", "^[]a]+$", "]a]"], True),
    (["~", r"\Qa.b\E", "a.b"], True),
    (["~", r"\Qa.b\E", "axb"], False),
    (["~", r"\x41\x{1F600}", "A\U0001f600"], True),
    (["~", r"^\101\012$", "A\n"], True),
    (["~", "(?P<year>[0-9]{4})", "in 2024"], True),
    (["~", "^.$", "\U0001f600"], True),
    (["~", [".", "Missing"], "a"], ERROR),
    (["~", "a"], ERROR),
    (["~", 1, "1"], ERROR),
    (["~", "1", 1], ERROR),
]

REFUSED = [
    "[a", "(", ")", "(?", "(?:", "*", "+a", "a**", "a+*", "a{2}{3}", "a{1001}", "a{3,2}",
    "(a{100}){100}", "((a{1,50}){1,50}){1,50}", "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)",
    "(?P=n)", "(?#x)", "(?x)a", "(?(1)a)", r"(a)\1", r"\8", r"\C", r"\Z", r"\y", r"\E", "\\",
    "[z-a]", r"[a-\d]", "[[:word]", "[[:nothing:]]", r"\p{Greek}", r"\pX", r"\p{L", r"\x{110000}",
    r"\xg1", r"\x4", "(?P<n", "(?P<1 >a)", "(?i-)a", "(" * 60 + ")" * 60, "a" * 1001,
]  # fmt: skip


def test_searches_follow_the_rules_of_re2() -> None:
    assert failures(SEARCHES) == []


def test_what_re2_does_not_know_is_refused() -> None:
    accepted = [pattern for pattern in REFUSED if outcome(["~", pattern, "a"]) is not ERROR]
    assert accepted == []
    computed = [
        pattern
        for pattern in REFUSED
        if outcome(["~", [".", "Pattern"], "a"], {"Pattern": pattern}) is not ERROR
    ]
    assert computed == []


def test_no_pattern_backtracks() -> None:
    patterns = [
        "(a+)+$", "(a|a)*$", "(a*)*b", "(.*)*x", "(a?){50}a{50}$", "(x+x+)+y",
        "((a{1,9}){1,9}){1,9}$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*a){20}",
    ]  # fmt: skip
    texts = ["a" * 5000 + "b", "x" * 5000, "ab" * 2500, "a" * 50]
    start = time.process_time()
    for pattern in patterns:
        for text in texts:
            outcome(["~", pattern, text])
    # A backtracking matcher needs longer than the universe exists.
    assert time.process_time() - start < 10


def test_catching_refused_patterns_in_a_loop_is_bounded() -> None:
    pattern = ["concat", [".", "p"], "(a{1000}){0,1}" * 20]
    program = ["map", [".", "List"], "p", ["catch", 0, ["~", pattern, "a"]]]
    start = time.process_time()
    assert outcome(program, {"List": [str(index) for index in range(5000)]}) is ERROR
    assert time.process_time() - start < 10


SIMPLE = st.recursive(
    st.sampled_from(["a", "b", "ab", ".", "[ab]", "[^a]", "\\w", "\\s", "\\d", "\\b", "^"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@given(SIMPLE, st.text("ab1_ \n", max_size=8))
def test_what_python_and_re2_share_means_the_same(pattern: str, text: str) -> None:
    ours = Pattern(pattern).search(text, lambda steps: None)
    assert ours is (re.search(pattern, text, re.ASCII) is not None)


@given(st.text("()[]{}|*+?^$.\\aAbBdDpPzQEx:=!<>-,0123\u00e9 ", max_size=20), st.text(max_size=5))
def test_any_pattern_searches_or_is_refused(pattern: str, text: str) -> None:
    try:
        found: Any = Pattern(pattern).search(text, lambda steps: None)
    except TalangError:
        return
    assert found in (True, False)
