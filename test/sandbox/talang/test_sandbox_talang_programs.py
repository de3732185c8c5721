"""Programs as a whole: places of errors, limits, bindings, and functions from outside."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal, getcontext
from typing import Any

import pytest

from sandbox.talang.cases import at
from talon_one.sandbox.talang import (
    Call,
    Compiler,
    Declaration,
    Expression,
    Function,
    Lazy,
    Macro,
    Overload,
    Read,
    Run,
    TalangError,
    TalangLimitError,
    compile_program,
    evaluate,
    expect,
    to_json,
)
from talon_one.sandbox.talang.values import DECIMAL, STRING

TOTAL = [".", "Session", "Total"]


def refusal(program: Any, **options: Any) -> str:
    with pytest.raises(TalangError) as caught:
        compile_program(program, **options)
    return str(caught.value)


def failure(program: Any, bindings: dict[str, Any] | None = None) -> str:
    compiled = compile_program(program)
    with pytest.raises(TalangError) as caught:
        compiled.evaluate(bindings)
    return str(caught.value)


def test_a_malformed_program_is_refused_with_its_place() -> None:
    cases = [
        (["unknown"], "no function is named 'unknown'"),
        (["+", 1, ["unknown", 2]], "no function is named 'unknown' (at /2)"),
        (["not", ["not", ["list"]]], "not takes boolean, not list (at /1/1)"),
        (["+", 1, "a"], "+ takes arguments of one kind, not decimal and then string (at /2)"),
        (["+", 1, 2, True], "+ takes decimal or string, not boolean (at /3)"),
        (["list", ["+", 1]], "+ takes at least 2 arguments, not 1 (at /1)"),
        (["list", ["head"]], "head takes 1 argument, not 0 (at /1)"),
        (["list", ["sort"]], "sort takes 1 to 2 arguments, not 0 (at /1)"),
        (["list", ["catch", 1]], "catch takes 2 arguments, not 1 (at /1)"),
        (["and", ["~", "(", "x"]],
         "the regular expression has a ( without a ) at character 1 (at /1/1)"),
        (["list", ["addDuration", TOTAL, 1, "weeks"]],
         "a duration counts days, hours, minutes, not 'weeks' (at /1/3)"),
        (["list", ["formatTime", TOTAL, "QQ"]], "a layout knows nothing of 'Q' (at /1/2)"),
        (["map", ["list"], [["x"], ["+", [".", "x"]]]],
         "+ takes at least 2 arguments, not 1 (at /2/1)"),
        (["filter", ["list"], "x", 1], "expected boolean, not decimal (at /3)"),
        (["kv", ["a", {}]], "dict is not an expression (at /1/1)"),
        ([["noop"], []], "an empty list calls nothing (at /1)"),
        (["list", ["!", "f"]], "no template is named 'f' (at /1)"),
    ]  # fmt: skip
    found = [(program, refusal(program)) for program, _ in cases]
    assert found == cases


def test_a_failing_evaluation_names_its_place() -> None:
    bindings: dict[str, Any] = {"Session": {"Total": "much", "List": [1]}, "Big": 10**500}
    cases = [
        (["list", [".", "Missing"]], "nothing is bound to Missing (at /1)"),
        (["list", [".", "Session", "Missing"]], "nothing is bound to Session.Missing (at /1)"),
        (["list", [".", "Session", ["concat", "x", "y"]]],
         "nothing is bound to Session.xy (at /1)"),
        (["list", [*TOTAL, "X"]], "string has no 'X' (at /1)"),
        (["and", [">", TOTAL, 1]], "> takes decimal, not string (at /1/1)"),
        (["and", [">", 1, TOTAL]], "> takes decimal, not string (at /1/2)"),
        (["and", [">", 1, 2, TOTAL]], "> takes decimal, not string (at /1/3)"),
        (["list", ["item", [".", "Session", "List"], 4]], "the list of 1 has no item 4 (at /1)"),
        (["list", ["/", 0, 0]], "the result is undefined (at /1)"),
        (["list", ["~", TOTAL, "x", ["toString", [".", "Missing"]]]],
         "nothing is bound to Missing (at /1/3/1)"),
        (["list", ["every", [".", "Session", "List"], "x", [".", "x"]]],
         "expected boolean, not decimal (at /1/3)"),
        (["list", ["sum", TOTAL, "x", 1]], "expected list, not string (at /1/1)"),
        (["list", [".", "Big"]],
         "a number has more than 400 digits (at /1)"),
        (["list", ["join", [".", "Session", "List"], "-"]],
         "expected string, not decimal (at /1)"),
    ]  # fmt: skip
    found = [(program, failure(program, bindings)) for program, _ in cases]
    assert found == cases


def test_an_error_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(TalangError("bad", "/1")))
    assert (str(error), error.path) == ("bad (at /1)", "/1")


def test_the_names_of_functions_ignore_case_and_paths_do_not() -> None:
    bindings = {"Total": 1, "total": 2}
    assert evaluate(["LIST", [".", "Total"], [".", "total"]], bindings) == [1, 2]
    assert failure([".", "TOTAL"], bindings) == "nothing is bound to TOTAL"


def test_what_catch_hides_is_refused_when_a_rule_is_saved() -> None:
    for program in (
        ["catch", ["noop"], ["unknown", "x"]],
        ["catch", 0, ["+", 1, "a"]],
        [".|", 0, ["unknown"]],
        ["catch", 0, ["!", "unknown"]],
    ):
        compile_program(program)
        assert refusal(program, strict=True)


def test_a_limit_is_not_caught() -> None:
    squares: Any = ["list"]
    for name in "abcdef":
        squares = ["map", [".", "Many"], name, squares]
    compiled = compile_program(["catch", 1, squares])
    with pytest.raises(TalangLimitError, match="steps"):
        compiled.evaluate({"Many": [0] * 100})


def test_deep_and_large_programs_are_refused() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = ["not", deep]
    endless: list[Any] = ["list"]
    endless.append(endless)
    wide: list[Any] = ["list", *range(20_000)]
    shared: Any = 1
    for _ in range(40):
        shared = ["+", shared, shared]
    for program in (deep, endless, wide, shared, "x" * 200_000, ["catch", 1, deep]):
        with pytest.raises(TalangLimitError):
            compile_program(program)


def test_the_deepest_program_runs_in_each_form() -> None:
    forms: list[Any] = [
        lambda part, name: ["+", part, 1],
        lambda part, name: ["map", ["list", 1], name, part],
        lambda part, name: ["sortByNumber", ["list", 1], [[name], ["do", part, name, 1]]],
        lambda part, name: ["catch", 0, part],
        lambda part, name: ["+", 1, 2, part],
        lambda part, name: [["noop"], part],
        lambda part, name: ["kv", ["a", part]],
        lambda part, name: ["!", "same", part],
    ]
    for form in forms:
        program: Any = 1
        for index in range(200):
            program = form(program, f"x{index}")
            try:
                compiled = compile_program(program, templates={"same(Any)": ["#", 0]})
            except TalangLimitError:
                break
            compiled.evaluate()
        else:
            pytest.fail("the depth has no limit")
        assert index > 20


def test_texts_and_lists_cannot_grow_without_end() -> None:
    double: Any = ["set", "x", ["+", [".", "x"], [".", "x"]]]
    with pytest.raises(TalangLimitError, match="characters"):
        evaluate([["set", "x", "ab"], *[double] * 60])
    pair: Any = ["set", "x", ["list", [".", "x"], [".", "x"]]]
    with pytest.raises(TalangLimitError, match="elements"):
        evaluate([["set", "x", 1], *[pair] * 60, [".", "x"]])
    nested: Any = ["set", "x", ["list", [".", "x"]]]
    with pytest.raises(TalangLimitError, match="deep") as caught:
        evaluate([["set", "x", 1], *[nested] * 1000, [".", "x"]])
    assert caught.value.path == ""
    with pytest.raises(TalangLimitError, match="elements"):
        evaluate(["split", "," * 50_000, ","])


def test_templates_that_call_each_other_end() -> None:
    templates = {"f(Decimal)": ["+", ["!", "g", ["#", 0]], 1], "g(Decimal)": ["!", "f", ["#", 0]]}
    with pytest.raises(TalangLimitError, match="deep"):
        evaluate(["catch", 0, ["!", "f", 1]], templates=templates)


def test_bindings_are_not_changed_and_can_be_of_many_types() -> None:
    class Money(float):
        pass

    class Items(tuple[Any, ...]):
        pass

    bindings = {
        "Session": {"Total": Money(1.5)},
        "Items": Items([{"Price": 2}, {"Price": Decimal("2.50")}]),
        "Created": datetime(2024, 1, 1),
        "Zoned": datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=2))),
    }
    before = repr(bindings)
    program = [
        ["set", "Session", "Total", 9],
        ["set", "Session", "New", 1],
        ["sort", ["list", 1]],
        [".", "Session", "Total"],
    ]
    assert evaluate(program, bindings) == 9
    assert repr(bindings) == before
    assert evaluate(TOTAL, bindings) == Decimal("1.5")
    assert evaluate(["sum", [".", "Items"], "i", [".", "i", "Price"]], bindings) == Decimal("4.5")
    assert evaluate([".", "Items"], bindings) == [{"Price": 2}, {"Price": Decimal("2.50")}]
    assert evaluate(["=", [".", "Created"], at("2024-01-01T00:00:00Z")], bindings) is True
    assert evaluate(["hour", [".", "Zoned"]], bindings) == "0"
    assert evaluate(["after", [".", "Created"], [".", "Zoned"]], bindings) is True


def test_results_become_json() -> None:
    program = ["list", 3, 3.0, 0.1, ["/", 1, 3], True, None, "x", at("2024-01-01T00:00:00Z"),
               ["kv", ["a", ["list"]]], ["*", 1e20, 10]]  # fmt: skip
    expected: list[Any] = [3, 3, 0.1, 0.3333333333333333, True, None, "x", "2024-01-01T00:00:00Z",
                {"a": []},
                10**21]  # fmt: skip
    assert json.dumps(to_json(evaluate(program))) == json.dumps(expected)
    with pytest.raises(TalangError, match="infinite"):
        to_json([Decimal("Infinity")])
    with pytest.raises(TalangError, match="object"):
        to_json({"a": object()})


def test_the_decimal_context_of_the_thread_does_not_matter() -> None:
    context = getcontext()
    precision = context.prec
    try:
        context.prec = 3
        assert evaluate(["+", 1234.5, 0.25]) == Decimal("1234.75")
        assert evaluate(["floor", 123456.7]) == Decimal("123456")
    finally:
        context.prec = precision


def test_a_program_lists_what_it_calls_and_reads() -> None:
    program = [
        "and",
        [">=", TOTAL, 1],
        ["exists", [".", "Session", "Items"], "Item", ["=", [".", "Item", "Sku"], "a"]],
        ["catch", True, ["isEmpty", [".", "Profile", "Tags", ["concat", "a", "b"]]]],
        [["set", "own", 1], ["=", [".", "own"], 1]],
    ]
    compiled = compile_program(program)
    assert compiled.reads == (
        Read(("Session", "Total"), "/1/1", False),
        Read(("Session", "Items"), "/2/1", False),
        Read(("Profile", "Tags"), "/3/2/1", True),
    )
    assert compiled.calls[:3] == (Call("and", ""), Call(">=", "/1"), Call(".", "/1/1"))


class Effects:
    def __init__(self) -> None:
        self.found: list[tuple[Any, ...]] = []


def set_discount(run: Run, arguments: tuple[Expression, ...]) -> None:
    label, amount = arguments
    name = expect(label.evaluate(run), STRING, label.path)
    value = expect(amount.evaluate(run), DECIMAL, amount.path)
    run.context.found.append(("setDiscount", name, value))


def check_discount(arguments: Sequence[Expression]) -> int:
    if arguments[0].literal and not arguments[0].source:
        raise TalangError("a discount has a name", arguments[0].path)
    return 0


def build_twice(compiler: Compiler, call: Sequence[Any], path: str) -> Expression:
    part = compiler.compile(call[1], f"{path}/1", DECIMAL)
    return Expression(lambda run: part.evaluate(run) * 2, DECIMAL, path, call, parts=(part,))


FUNCTIONS: dict[str, Declaration] = {
    "setDiscount": Lazy(set_discount, minimum=2, maximum=2, check=check_discount),
    "couponValid": Function(Overload((), lambda run: run.context is not None)),
    "twice": Macro(build_twice, minimum=1, maximum=1),
}


def test_functions_from_outside_are_called_with_the_context() -> None:
    effects = Effects()
    program = ["catch", ["noop"], ["setDiscount", "10% off", ["*", TOTAL, ["/", 10, 100]]]]
    compiled = compile_program(program, functions=FUNCTIONS)
    assert compiled.evaluate({"Session": {"Total": 80}}, effects) is None
    assert compiled.evaluate({"Session": {}}, effects) is None
    assert effects.found == [("setDiscount", "10% off", Decimal(8))]
    condition = compile_program(["and", ["couponValid"]], functions=FUNCTIONS)
    assert condition.evaluate({}, effects) is True
    assert evaluate(["TWICE", ["+", 1, 2]], functions=FUNCTIONS) == 6


def test_functions_from_outside_are_checked_when_a_program_is_compiled() -> None:
    cases = [
        (["setDiscount", "x"], "setDiscount takes 2 arguments, not 1"),
        (["list", ["setDiscount", "", 1]], "a discount has a name (at /1/1)"),
        (["list", ["couponValid", 1]], "couponValid takes 0 arguments, not 1 (at /1)"),
        (["twice", "a"], "expected decimal, not string (at /1)"),
    ]
    assert [(program, refusal(program, functions=FUNCTIONS)) for program, _ in cases] == cases


def test_objects_from_outside_pass_through() -> None:
    marker = object()
    functions = {"effect": Function(Overload((), lambda run: marker))}
    assert evaluate(["head", ["list", ["effect"]]], functions=functions) is marker
    assert evaluate([["effect"], ["list", ["effect"]]], functions=functions) == [marker]
    with pytest.raises(TalangError, match="foreign object"):
        evaluate(["and", ["effect"]], functions=functions)


def test_an_exception_from_outside_is_not_caught() -> None:
    def fail(run: Run) -> None:
        raise KeyError("ours")

    functions = {"fail": Function(Overload((), fail))}
    with pytest.raises(KeyError):
        evaluate(["catch", 1, ["fail"]], functions=functions)
    with pytest.raises(KeyError):
        evaluate([".", "x", ["fail"]], {"x": {}}, functions=functions)
