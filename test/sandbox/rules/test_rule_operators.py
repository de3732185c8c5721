"""The operators of `checkAttribute`: true, false, missing, of a wrong type, and refused."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.rules.facts_double import FactsDouble, make_scope
from talon_one.sandbox.rules.attribute_checks import OPERATORS, compile_attribute_check
from talon_one.sandbox.rules.compiled import EvaluationError, MissingValue, WrongType
from talon_one.sandbox.rules.context import Context

SESSION: dict[str, Any] = {
    "total": 100,
    "integrationId": "order-15",
    "created": "2026-11-27T00:00:00.000000Z",
    "couponCodes": ["A", "B", "B"],
    "cartItems": [],
    "attributes": {
        "Yes": True,
        "No": False,
        "Empty": "",
        "Digits": "100",
        "Sizes": [1, 2.5],
        "Noon": "2026-11-27T12:00:00+05:00",
        "Pattern": "^order",
        "Broken": "(",
    },
}
FACTS = FactsDouble(collections={7: frozenset({"order-15", "100"}), "vip": frozenset({"order-15"})})
MISSING = "missing"
TYPE = "wrong type"
FAILS = "fails"
REFUSED = "refused"

Case = tuple[str, Any, dict[str, Any], Any]


def outcome(operator: str, attribute: Any, operands: dict[str, Any]) -> Any:
    """Return true, false, what is raised, or that the block is refused."""
    context = Context()
    block = {"id": "a", "type": "checkAttribute", "operator": operator, "attribute": attribute}
    condition = compile_attribute_check({**block, **operands}, context)
    if context.mistakes:
        return REFUSED
    try:
        return condition(make_scope(SESSION, facts=FACTS))
    except MissingValue:
        return MISSING
    except WrongType:
        return TYPE
    except EvaluationError:
        return FAILS


def value(operand: Any) -> dict[str, Any]:
    return {"value": operand}


def period(start: str, end: str, **more: bool) -> dict[str, Any]:
    return {"start": start, "end": end, **more}


def of(count: Any, *values: Any) -> dict[str, Any]:
    return {"values": list(values), "count": count}


DAY = ("2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z")
NOON_IN_UTC = "2026-11-27T07:00:00Z"

CASES: list[Case] = [
    ("equals", "$Session.Total", value(100), True),
    ("equals", "$Session.Total", value(100.0), True),
    ("equals", "$Session.Total", value("100"), True),
    ("equals", "$Session.Digits", value(100), True),
    ("equals", "$Session.Total", value(99), False),
    ("equals", "$Session.Yes", value(True), True),
    ("equals", "$Session.Yes", value("true"), True),
    ("equals", "$Session.Yes", value(1), False),
    ("equals", "$Session.Noon", value(NOON_IN_UTC), True),
    ("equals", "$Session.IntegrationId", value("{{$Session.IntegrationId}}"), True),
    ("equals", "$Session.IntegrationId", value("order-{{10 + 5}}"), True),
    ("equals", "$Session.Total", value(["+", 99, 1]), True),
    ("equals", "{{$Session.Total / 2}}", value(50), True),
    ("equals", ["count", [".", "Session", "CouponCodes"]], value(3), True),
    ("equals", "$Session.Nothing", value(1), MISSING),
    ("equals", "$Session.Total", value("{{$Session.Nothing}}"), MISSING),
    ("equals", "$Session.CouponCodes", value("A"), TYPE),
    ("equals", "$Session.Total", {}, REFUSED),
    ("equals", "$Session.Total", value({"a": 1}), REFUSED),
    ("equals", "$Session.Total", value("{{1 +}}"), REFUSED),
    ("equals", "$Session.Total", value(["nothing"]), REFUSED),
    ("equals", "$Session.Total", value(float("nan")), REFUSED),
    ("equals", "Session.Total", value(1), REFUSED),
    ("equals", "{{1}} {{2}}", value(1), REFUSED),
    ("equals", "$lamps", value(1), REFUSED),
    ("equals", None, value(1), REFUSED),
    ("equals", 5, value(1), REFUSED),
    ("not(equals)", "$Session.Total", value(99), True),
    ("not(equals)", "$Session.Total", value(100), False),
    ("not(equals)", "$Session.Nothing", value(100), MISSING),
    ("not(equals)", "$Session.CouponCodes", value("A"), TYPE),
    ("not(equals)", "$Session.Total", {}, REFUSED),
    ("lessThan", "$Session.Total", value(100.5), True),
    ("lessThan", "$Session.Total", value(100), False),
    ("lessThan", "$Session.Total", value("{{$Session.Total + 1}}"), True),
    ("lessThanOrEqual", "$Session.Total", value(100), True),
    ("lessThanOrEqual", "$Session.Total", value(99.99), False),
    ("greaterThan", "$Session.Total", value(99.99), True),
    ("greaterThan", "$Session.Total", value(100), False),
    ("greaterThanOrEqual", "$Session.Total", value(100), True),
    ("greaterThanOrEqual", "$Session.Total", value(100.01), False),
    ("after", "$Session.Created", value("2026-11-26T23:59:59Z"), True),
    ("after", "$Session.Created", value("2026-11-27T00:00:00Z"), False),
    ("after", "$Session.Created", value("2026-11-27T01:00:00+02:00"), True),
    ("after", "$Session.Noon", value("{{$Session.Created}}"), True),
    ("before", "$Session.Created", value("2026-11-27T00:00:01Z"), True),
    ("before", "$Session.Created", value("2026-11-27T00:00:00Z"), False),
    ("contains", "$Session.IntegrationId", value("er-1"), True),
    ("contains", "$Session.IntegrationId", value(""), True),
    ("contains", "$Session.IntegrationId", value("x"), False),
    ("contains", "$Session.CouponCodes", value("B"), True),
    ("contains", "$Session.CouponCodes", value("C"), False),
    ("contains", "$Session.Sizes", value(2.5), True),
    ("contains", "$Session.Nothing", value("x"), MISSING),
    ("contains", "$Session.Total", value("1"), TYPE),
    ("contains", "$Session.Total", {}, REFUSED),
    ("not(contains)", "$Session.IntegrationId", value("x"), True),
    ("not(contains)", "$Session.IntegrationId", value("order"), False),
    ("not(contains)", "$Session.Nothing", value("x"), MISSING),
    ("not(contains)", "$Session.Total", value("1"), TYPE),
    ("startsWith", "$Session.IntegrationId", value("order"), True),
    ("startsWith", "$Session.IntegrationId", value(""), True),
    ("startsWith", "$Session.IntegrationId", value("rder"), False),
    ("startsWith", "$Session.Created", value("2026-11-27T"), True),
    ("endsWith", "$Session.IntegrationId", value("15"), True),
    ("endsWith", "$Session.IntegrationId", value("1"), False),
    ("matchesRegexp", "$Session.IntegrationId", value("r-[0-9]+"), True),
    ("matchesRegexp", "$Session.IntegrationId", value("^r-"), False),
    ("matchesRegexp", "$Session.IntegrationId", value("{{$Session.Pattern}}"), True),
    ("matchesRegexp", "$Session.IntegrationId", value("{{$Session.Broken}}"), FAILS),
    ("matchesRegexp", "$Session.IntegrationId", value("{{$Session.Total}}"), TYPE),
    ("matchesRegexp", "$Session.Total", value("1"), TYPE),
    ("matchesRegexp", "$Session.IntegrationId", value("(?=lookahead)"), REFUSED),
    ("oneOf", "$Session.Total", value([1, 100]), True),
    ("oneOf", "$Session.Total", value(["100"]), True),
    ("oneOf", "$Session.Total", value([]), False),
    ("oneOf", "$Session.Total", value([1, "{{$Session.Total}}"]), True),
    ("oneOf", "$Session.Digits", value("{{$Session.CouponCodes}}"), False),
    ("oneOf", "$Session.Nothing", value([1]), MISSING),
    ("oneOf", "$Session.CouponCodes", value(["A"]), TYPE),
    ("oneOf", "$Session.Total", value("{{$Session.Total}}"), TYPE),
    ("oneOf", "$Session.Total", value("A"), REFUSED),
    ("oneOf", "$Session.Total", value([{"a": 1}]), REFUSED),
    ("not(oneOf)", "$Session.Total", value([1, 2]), True),
    ("not(oneOf)", "$Session.Total", value([100]), False),
    ("not(oneOf)", "$Session.Nothing", value([1]), MISSING),
    ("not(oneOf)", "$Session.CouponCodes", value(["A"]), TYPE),
    ("inCollection", "$Session.IntegrationId", value(7), True),
    ("inCollection", "$Session.IntegrationId", value("vip"), True),
    ("inCollection", "$Session.IntegrationId", value({"id": 7, "name": "old name"}), True),
    ("inCollection", "$Session.IntegrationId", value({"name": "vip"}), True),
    ("inCollection", "$Session.Total", value(7), True),
    ("inCollection", "$Session.Total", value("vip"), False),
    ("inCollection", "$Session.Nothing", value(7), MISSING),
    ("inCollection", "$Session.Total", value(8), MISSING),
    ("inCollection", "$Session.CouponCodes", value(7), TYPE),
    ("inCollection", "$Session.Total", {}, REFUSED),
    ("inCollection", "$Session.Total", value({"id": "7"}), REFUSED),
    ("not(inCollection)", "$Session.Total", value("vip"), True),
    ("not(inCollection)", "$Session.Total", value(7), False),
    ("not(inCollection)", "$Session.Nothing", value(7), MISSING),
    ("not(inCollection)", "$Session.CouponCodes", value(7), TYPE),
    ("between", "$Session.Total", {"min": 99, "max": 101}, True),
    ("between", "$Session.Total", {"min": 100, "max": 101}, False),
    ("between", "$Session.Total", {"min": 99, "max": 100}, False),
    ("between", "$Session.Total", {"min": 9, "max": "{{$Session.Total * 2}}"}, True),
    ("between", "$Session.Noon", {"min": DAY[0], "max": DAY[1]}, True),
    ("between", "$Session.Nothing", {"min": 1, "max": 2}, MISSING),
    ("between", "$Session.IntegrationId", {"min": 1, "max": 2}, TYPE),
    ("between", "$Session.Total", {"min": 1, "max": DAY[0]}, TYPE),
    ("between", "$Session.Total", {"min": 1}, REFUSED),
    ("between", "$Session.Total", {"max": 1}, REFUSED),
    ("within", "$Session.Noon", period(*DAY), True),
    ("within", "$Session.Created", period(*DAY), True),
    ("within", "$Session.Created", period(*DAY, startInclusive=False), False),
    ("within", "$Session.Created", period("2026-11-26T00:00:00Z", DAY[0]), False),
    (
        "within",
        "$Session.Created",
        period("2026-11-26T00:00:00Z", DAY[0], endInclusive=True),
        True,
    ),
    ("within", "$Session.Created", period(DAY[1], DAY[0]), False),
    (
        "within",
        "$Session.Created",
        period(DAY[1], DAY[0], startInclusive=True, endInclusive=True),
        False,
    ),
    # Noon in an eastern zone is seven o'clock in UTC.
    ("within", "$Session.Noon", period("2026-11-27T11:00:00Z", DAY[1]), False),
    (
        "within",
        "$Session.Noon",
        period("2026-11-27T11:00:00Z", DAY[1], timezoneInsensitive=True),
        True,
    ),
    ("within", "$Session.Nothing", period(*DAY), MISSING),
    ("within", "$Session.Total", period(*DAY), TYPE),
    ("within", "$Session.Created", {"start": DAY[0]}, REFUSED),
    ("within", "$Session.Created", period("yesterday", DAY[0]), REFUSED),
    ("within", "$Session.Created", {**period(*DAY), "endInclusive": "no"}, REFUSED),
    ("not(within)", "$Session.Created", period(*DAY, startInclusive=False), True),
    ("not(within)", "$Session.Created", period(*DAY), False),
    ("not(within)", "$Session.Nothing", period(*DAY), MISSING),
    ("not(within)", "$Session.Total", period(*DAY), TYPE),
    ("containsOneOf", "$Session.CouponCodes", {"values": ["C", "A"]}, True),
    ("containsOneOf", "$Session.CouponCodes", {"values": ["C"]}, False),
    ("containsOneOf", "$Session.CouponCodes", {"values": []}, False),
    ("containsOneOf", "$Session.Sizes", {"values": [1]}, True),
    ("containsAllOf", "$Session.CouponCodes", {"values": ["B", "A"]}, True),
    ("containsAllOf", "$Session.CouponCodes", {"values": ["A", "A"]}, True),
    ("containsAllOf", "$Session.CouponCodes", {"values": ["A", "C"]}, False),
    ("containsAllOf", "$Session.CouponCodes", {"values": []}, True),
    ("containsNoneOf", "$Session.CouponCodes", {"values": ["C"]}, True),
    ("containsNoneOf", "$Session.CouponCodes", {"values": ["C", "A"]}, False),
    ("containsAtLeast", "$Session.CouponCodes", of(2, "A", "B", "C"), True),
    ("containsAtLeast", "$Session.CouponCodes", of(1, "A", "B"), True),
    ("containsAtLeast", "$Session.CouponCodes", of(2, "B", "B"), False),
    ("containsAtLeast", "$Session.CouponCodes", of("{{1 + 1}}", "A", "B"), True),
    ("containsExactly", "$Session.CouponCodes", of(1, "B", "C"), True),
    ("containsExactly", "$Session.CouponCodes", of(1, "A", "B"), False),
    ("containsAtLeast", "$Session.CouponCodes", of("{{$Session.Yes}}", "A"), TYPE),
    ("containsAtLeast", "$Session.CouponCodes", {"values": ["A"]}, REFUSED),
    ("containsExactly", "$Session.CouponCodes", {"count": 1}, REFUSED),
    ("containsExactly", "$Session.CouponCodes", of("two", "A"), REFUSED),
    ("exists", "$Session.Total", {}, True),
    ("exists", "$Session.Empty", {}, True),
    ("exists", "$Session.Nothing", {}, False),
    ("exists", "$Coupon.Value", {}, False),
    ("exists", "{{$Session.Yes * 2}}", {}, TYPE),
    ("not(exists)", "$Session.Nothing", {}, True),
    ("not(exists)", "$Session.Total", {}, False),
    ("empty", "$Session.CartItems", {}, True),
    ("empty", "$Session.Empty", {}, True),
    ("empty", "$Session.Nothing", {}, True),
    ("empty", "$Session.CouponCodes", {}, False),
    ("empty", "$Session.Total", {}, TYPE),
    ("not(empty)", "$Session.CouponCodes", {}, True),
    ("not(empty)", "$Session.Nothing", {}, False),
    ("not(empty)", "$Session.Total", {}, TYPE),
    ("isTrue", "$Session.Yes", {}, True),
    ("isTrue", "$Session.No", {}, False),
    ("isTrue", "$Session.Nothing", {}, MISSING),
    ("isTrue", "$Session.Digits", {}, TYPE),
    ("isFalse", "$Session.No", {}, True),
    ("isFalse", "$Session.Yes", {}, False),
    ("isFalse", "$Session.Nothing", {}, MISSING),
    ("isFalse", "$Session.Digits", {}, TYPE),
    ("in", "$Session.Total", {"values": []}, REFUSED),
    ("not(in)", "$Session.Total", {"values": []}, REFUSED),
    ("not(between)", "$Session.Total", {"min": 1, "max": 2}, REFUSED),
    ("Equals", "$Session.Total", value(1), REFUSED),
]

NUMERIC = ("lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")
for _operator in NUMERIC:
    CASES += [
        (_operator, "$Session.Nothing", value(1), MISSING),
        (_operator, "$Session.Digits", value(1), TYPE),
        (_operator, "$Session.Yes", value(1), TYPE),
        (_operator, "$Session.Total", value("{{$Session.Digits}}"), TYPE),
        (_operator, "$Session.Total", value("5"), REFUSED),
        (_operator, "$Session.Total", value(True), REFUSED),
        (_operator, "$Session.Total", value("{{1}} lamps"), REFUSED),
        (_operator, "$Session.Total", value(None), REFUSED),
    ]
for _operator in ("after", "before"):
    CASES += [
        (_operator, "$Session.Nothing", value(DAY[0]), MISSING),
        (_operator, "$Session.Total", value(DAY[0]), TYPE),
        (_operator, "$Session.Created", value("{{$Session.Total}}"), TYPE),
        (_operator, "$Session.Created", value("2026-11-27"), REFUSED),
        (_operator, "$Session.Created", value(1), REFUSED),
    ]
for _operator in ("startsWith", "endsWith", "matchesRegexp"):
    CASES += [
        (_operator, "$Session.Nothing", value("x"), MISSING),
        (_operator, "$Session.CouponCodes", value("x"), TYPE),
        (_operator, "$Session.IntegrationId", value(5), REFUSED),
        (_operator, "$Session.IntegrationId", {}, REFUSED),
    ]
for _operator in ("containsOneOf", "containsAllOf", "containsNoneOf"):
    CASES += [
        (_operator, "$Session.Nothing", {"values": ["A"]}, MISSING),
        (_operator, "$Session.Total", {"values": ["A"]}, TYPE),
        (_operator, "$Session.CouponCodes", {"values": "{{$Session.Total}}"}, TYPE),
        (_operator, "$Session.CouponCodes", {"values": "A"}, REFUSED),
        (_operator, "$Session.CouponCodes", {}, REFUSED),
    ]
for _operator in ("containsAtLeast", "containsExactly"):
    CASES += [
        (_operator, "$Session.Nothing", of(1, "A"), MISSING),
        (_operator, "$Session.Total", of(1, "A"), TYPE),
    ]


def test_every_operator_gives_its_documented_result() -> None:
    wrong = [
        (operator, attribute, operands, expected, found)
        for operator, attribute, operands, expected in CASES
        if (found := outcome(operator, attribute, operands)) != expected
    ]
    assert wrong == []


def test_the_cases_cover_all_operators_with_true_false_and_failure() -> None:
    seen: dict[str, set[Any]] = {operator: set() for operator in OPERATORS}
    for operator, _, _, expected in CASES:
        seen.get(operator, set()).add(expected)
    assert len(OPERATORS) == 31
    assert [operator for operator, found in seen.items() if not {True, False} <= found] == []
    total = {"exists", "not(exists)", "empty", "not(empty)"}
    assert [each for each in set(OPERATORS) - total if not {MISSING, TYPE} <= seen[each]] == []


def test_no_combination_of_operator_attribute_and_operand_fails_in_another_way() -> None:
    attributes = [f"$Session.{name}" for name in [*SESSION["attributes"], "Total", "Nothing"]]
    attributes += ["$Session", "$Session.CartItems", "$Session.CouponCodes", "$Item", "$Item.Price"]
    attributes += ["{{1 / 3}}", "$Session.Created", "$Application", "$Session.Attributes"]
    operands: list[Any] = [f"{{{{{each}}}}}" for each in attributes if each.startswith("$")]
    operands += [
        0,
        1.5,
        "",
        "a",
        True,
        DAY[0],
        [],
        [1, "a"],
        ["list", 1],
        {"id": 7},
        None,
        "a{{1}}",
    ]
    strange = []
    for operator in sorted(OPERATORS):
        for attribute in attributes:
            for operand in operands:
                names = ("value", "values", "count", "min", "max", "start", "end")
                found = outcome(operator, attribute, dict.fromkeys(names, operand))
                if not isinstance(found, bool) and found not in {MISSING, TYPE, FAILS, REFUSED}:
                    strange.append((operator, attribute, operand, found))
    assert strange == []


ANY_SCALAR = st.one_of(st.integers(-3, 3), st.booleans(), st.text("ab1", max_size=3))
OPERAND_OF = {
    "equals": ANY_SCALAR,
    "contains": ANY_SCALAR,
    "oneOf": st.lists(ANY_SCALAR, max_size=3),
}


@given(st.data())
def test_a_negated_operator_is_the_opposite_or_fails_alike(data: st.DataObject) -> None:
    operator = data.draw(st.sampled_from(sorted(OPERAND_OF)))
    operand = value(data.draw(OPERAND_OF[operator]))
    names = ["Total", "Digits", "Yes", "Nothing", "CouponCodes", "Empty", "IntegrationId"]
    attribute = f"$Session.{data.draw(st.sampled_from(names))}"
    positive = outcome(operator, attribute, operand)
    negative = outcome(f"not({operator})", attribute, operand)
    assert negative == (not positive if isinstance(positive, bool) else positive)
