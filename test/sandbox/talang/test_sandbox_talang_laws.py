"""Laws that hold for all programs and values."""

from __future__ import annotations

import copy
import time
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.talang.cases import at, outcome
from support.examples import examples
from talon_one.sandbox.talang import TalangError, compile_program, evaluate, to_json
from talon_one.sandbox.talang.library import FUNCTIONS

NUMBERS = st.one_of(
    st.integers(-(10**15), 10**15),
    st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
    ),
)
TEXTS = st.text(max_size=6)
ATOMS = st.one_of(NUMBERS, TEXTS, st.booleans())
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))

JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
        st.sampled_from(["x", "Item", "days", "YYYY-MM", "(a+)+$", "f(Decimal)Any", 0, 1, 10**20]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=3), inner, max_size=2),
        st.tuples(st.sampled_from(sorted(FUNCTIONS)), inner, inner).map(list),
        st.tuples(st.sampled_from(sorted(FUNCTIONS)), inner).map(list),
        st.tuples(
            st.sampled_from(sorted(FUNCTIONS)), inner, st.just("x"),
            st.one_of(inner, st.just([".", "x"])),
        ).map(list),
        st.sampled_from([[".", "x"], [".", "List"], [".", "Time"], ["list", 1, "a", 2]]),
    ),
    max_leaves=15,
)  # fmt: skip
BINDINGS: dict[str, Any] = {
    "x": 3,
    "List": [{"a": 1.5}, 7, "text", None, [1]],
    "Time": datetime(2024, 1, 1),
}


@examples(250)
@given(JSON)
def test_any_json_gives_a_value_or_a_talang_error(program: Any) -> None:
    before = copy.deepcopy(BINDINGS)
    start = time.process_time()
    first, second = attempt(program), attempt(program)
    assert time.process_time() - start < 10
    assert first == second
    assert before == BINDINGS


def attempt(program: Any) -> tuple[str, str | None]:
    """Return the value of a program and its JSON, or its error and the place of that."""
    try:
        value = compile_program(program).evaluate(BINDINGS)
    except TalangError as error:
        return error.message, f"at {error.path}"
    try:
        return repr(value), repr(to_json(value))
    except TalangError as error:
        return error.message, "no JSON"


@given(NUMBERS, NUMBERS)
def test_addition_and_multiplication_commute(left: Any, right: Any) -> None:
    for name in ("+", "*"):
        assert evaluate([name, left, right]) == evaluate([name, right, left])


@given(NUMBERS, NUMBERS)
def test_results_are_the_exact_ones_rounded_to_16_digits(left: Any, right: Any) -> None:
    exact = {
        "+": Fraction(left) + Fraction(right),
        "-": Fraction(left) - Fraction(right),
        "*": Fraction(left) * Fraction(right),
    }
    if right:
        exact["/"] = Fraction(left) / Fraction(right)
    for name, wanted in exact.items():
        found = evaluate([name, left, right])
        assert isinstance(found, Decimal)
        assert len(found.as_tuple().digits) <= 16
        assert abs(Fraction(found) - wanted) <= abs(wanted) / 10**15 / 2


@given(NUMBERS, NUMBERS)
def test_order_is_total(left: Any, right: Any) -> None:
    assert evaluate(["<", left, right]) is not evaluate([">=", left, right])
    assert evaluate(["<=", left, right]) is evaluate([">=", right, left])


@given(NUMBERS)
def test_floor_and_ceil_enclose_a_number(number: Any) -> None:
    floor, ceil = evaluate(["floor", number]), evaluate(["ceil", number])
    assert floor <= number <= ceil
    assert ceil - floor in (0, 1)


@given(NUMBERS, NUMBERS)
def test_mod_has_the_sign_of_its_first_argument(left: Any, right: Any) -> None:
    found = outcome(["mod", left, right])
    if isinstance(found, Decimal):
        assert abs(found) < abs(right)
        assert not found or (found < 0) is (left < 0)
    else:
        # Zero, or a quotient of more than 16 digits.
        assert not right or abs(Fraction(left) / Fraction(right)) >= 10**15


@given(ATOMS, ATOMS)
def test_equality_is_symmetric_and_unequal_its_opposite(left: Any, right: Any) -> None:
    assert evaluate(["=", left, left]) is True
    assert evaluate(["=", left, right]) is evaluate(["=", right, left])
    assert evaluate(["!=", left, right]) is not evaluate(["=", left, right])
    texts = evaluate(["toString", left]), evaluate(["toString", right])
    assert evaluate(["=", left, right]) is (texts[0] == texts[1])


@given(st.lists(st.booleans(), max_size=5))
def test_and_or_not_obey_de_morgan(values: list[bool]) -> None:
    opposites = [["not", value] for value in values]
    assert evaluate(["not", ["and", *values]]) is evaluate(["or", *opposites])


@given(st.lists(ATOMS, max_size=6))
def test_lists_come_apart_and_together(values: list[Any]) -> None:
    built: Any = ["list", *values]
    assert evaluate(["reverse", ["reverse", built]]) == evaluate(built)
    assert evaluate(["count", built]) == len(values)
    assert evaluate(["isEmpty", built]) is (not values)
    if values:
        assert evaluate(["push", ["drop", built], values[-1]]) == evaluate(built)
        assert evaluate(["item", built, len(values) - 1]) == evaluate(["head", ["reverse", built]])
    ordered = evaluate(["sort", built])
    texts = [evaluate(["toString", value]) for value in ordered]
    assert texts == sorted(evaluate(["toString", value]) for value in values)


@given(st.lists(st.text("ab", max_size=3), min_size=1, max_size=5))
def test_split_undoes_join(values: list[str]) -> None:
    assert evaluate(["split", ["join", ["list", *values], ","], ","]) == values


@given(TEXTS, TEXTS)
def test_searches_agree_with_each_other(text: str, needle: str) -> None:
    found = evaluate(["contains", text, needle])
    assert evaluate(["notContains", text, needle]) is not found
    if evaluate(["startsWith", text, needle]) or evaluate(["endsWith", text, needle]):
        assert found
    joined = ["concat", text, needle]
    assert evaluate(["and", ["startsWith", joined, text], ["endsWith", joined, needle]]) is True


@given(TIMES, st.integers(-1000, 1000), st.sampled_from(["days", "hours", "minutes"]))
def test_durations_are_undone_and_counted(moment: datetime, count: int, unit: str) -> None:
    text = f"{moment.isoformat()}Z"
    there = ["addDuration", at(text), count, unit]
    assert evaluate(["subDuration", there, count, unit]) == evaluate(at(text))
    days = evaluate(["daysBetween", at(text), there])
    per_day = {"days": 1, "hours": 24, "minutes": 1440}[unit]
    assert abs(days * per_day - count) < Decimal("1e-9")
    assert evaluate(["after", there, at(text)]) is (count > 0)


@given(TIMES)
def test_times_are_read_as_they_are_written(moment: datetime) -> None:
    program = at(f"{moment.isoformat()}Z")
    assert evaluate(at(evaluate(["formatTime", program]))) == evaluate(program)
    layout = "YYYY-MM-DD[T]HH:mm:ss"
    again = ["parseTime", ["formatTime", program, layout], layout]
    assert evaluate(["matchTime", again, program, layout]) is True
