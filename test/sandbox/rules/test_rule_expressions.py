"""Placeholders of rules: arithmetic, texts, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.rules.facts_double import make_scope
from talon_one.sandbox.rules.compiled import EvaluationError, WrongType
from talon_one.sandbox.rules.expressions import ExpressionError, Names, read_text

SESSION = {
    "total": 120.5,
    "integrationId": "order-1",
    "created": "2026-11-01T10:00:00.000000Z",
    "cartItems": [],
    "attributes": {"Gift": True, "None": None, "Third": 0.1},
}


def evaluate(text: str) -> Any:
    return read_text(text, Names()).value(make_scope(SESSION))


def test_expressions_follow_the_usual_precedence() -> None:
    results = {
        "{{1 + 2 * 3}}": 7,
        "{{(1 + 2) * 3}}": 9,
        "{{10 - 4 - 3}}": 3,
        "{{24 / 4 / 3}}": 2,
        "{{2 * -3}}": -6,
        "{{--3}}": 3,
        "{{-(1 + 1)}}": -2,
        "{{ 1+1 }}": 2,
        "{{1-1}}": 0,
        "{{$Session.Total / 2}}": Decimal("60.25"),
        "{{$Session.Total*0.1}}": Decimal("12.05"),
        "{{0.1 + 0.2}}": Decimal("0.3"),
        "{{$Session.Third * 3}}": Decimal("0.3"),
        "{{1 / 3}}": Decimal("0.3333333333333333"),
        "{{12345678901234567890 + 1}}": Decimal("1.234567890123457E+19"),
    }
    wrong = {text: evaluate(text) for text, value in results.items() if evaluate(text) != value}
    assert wrong == {}


def test_one_placeholder_keeps_its_type_and_any_other_text_interpolates() -> None:
    results = {
        "": "",
        "plain }} text": "plain }} text",
        "{{$Session.Gift}}": True,
        "{{$Session.IntegrationId}}": "order-1",
        " {{$Session.Gift}}": " true",
        "Only {{200 - $Session.Total}} to go.": "Only 79.5 to go.",
        "{{1}}{{2}}": "12",
        "{{1000000 * 10}} at {{$Session.Created}}": "10000000 at 2026-11-01T10:00:00.000000Z",
        '{{"a }} \\"b\\" \\\\"}}': 'a }} "b" \\',
        '{{"a" + "b"}}': "ab",
        "{{2.50}}!": "2.5!",
        "{{100}}!": "100!",
    }
    wrong = {text: evaluate(text) for text, value in results.items() if evaluate(text) != value}
    assert wrong == {}


def test_numbers_beyond_those_of_talang_have_no_sum_product_or_quotient() -> None:
    large = "1" + "0" * 300
    for text in (f"{large} * {large}", f"9{large} / (1 / {large})"):
        with pytest.raises(EvaluationError, match="too large"):
            evaluate("{{" + text + "}}")


def test_expressions_without_a_value_raise() -> None:
    with pytest.raises(EvaluationError, match="division by zero") as caught:
        evaluate("{{1 / (2 - 2)}}")
    assert caught.value.name == "divisionByZero"
    texts = ['{{1 + "a"}}', '{{"a" * 2}}', "{{-$Session.Gift}}", "{{$Session.Gift + 1}}"]
    for text in [*texts, "{{$Session.CartItems / 2}}", "in {{$Session.CartItems}}"]:
        with pytest.raises(WrongType):
            evaluate(text)


def test_anything_else_inside_braces_is_refused_with_its_place() -> None:
    places = {
        "{{": 2,
        "{{ ": 3,
        "{{}}": 2,
        "{{1": 3,
        "a {{1 + }}": 8,
        "{{1 2}}": 4,
        "{{(1}}": 4,
        "{{1)}}": 3,
        "{{1 ^ 2}}": 4,
        "{{round(1)}}": 2,
        '{{"open}}': 2,
        "{{1.}}": 3,
        "{{.5}}": 2,
        "{{$}}": 2,
        "{{1 + $Unknown.Total}}": 6,
        "{{1}} {{$x}}": 8,
        '{{"\\n"}}': 2,
    }
    found = {}
    for text in places:
        try:
            read_text(text, Names())
            found[text] = -1
        except ExpressionError as error:
            found[text] = error.place
    assert found == places


def test_deep_parentheses_are_refused_and_long_expressions_are_not() -> None:
    with pytest.raises(ExpressionError, match="nest deeper"):
        read_text("{{" + "(" * 5000 + "1" + ")" * 5000 + "}}", Names())
    assert evaluate("{{" + "-" * 5000 + "1}}") == 1


@given(st.text(alphabet='{}()+-*/"\\ $.a1Session', max_size=60))
def test_reading_never_raises_anything_but_its_own_error(text: str) -> None:
    try:
        computed, place = read_text(text, Names()).computed, 0
    except ExpressionError as error:
        computed, place = True, error.place
    assert computed == ("{{" in text)
    assert 0 <= place <= len(text)


@given(
    st.recursive(
        st.integers(0, 99).map(str),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from("+-*"), inner).map(
                lambda t: f"({t[0]} {t[1]} {t[2]})"
            ),
            inner.map(lambda text: f"-{text}"),
        ),
        max_leaves=8,
    )
)
def test_integer_arithmetic_agrees_with_python(text: str) -> None:
    # Eight factors below a hundred stay within the sixteen digits.
    assert evaluate("{{" + text + "}}") == eval(text)
