"""Selectors and their steps, bundles and parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.rules.facts_double import FactsDouble, make_scope, units_of
from talon_one.sandbox.rules.bundles import compile_bundle, compile_parameter, form_bundles
from talon_one.sandbox.rules.compiled import EvaluationError, MissingValue, Value, WrongType
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.entities import read_name, unit_property
from talon_one.sandbox.rules.expressions import Names
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.rules.selectors import compile_selector, item_filter

CART = [
    {"sku": "L-1", "name": "Lamp", "price": 30, "quantity": 2, "category": "lamps"},
    {"sku": "B-1", "name": "Bulb", "price": 4, "quantity": 1, "category": "bulbs"},
    {"sku": "L-2", "name": "Arc lamp", "price": 90.5, "quantity": 1, "category": "lamps"},
    {"sku": "X-1", "name": "Voucher", "quantity": 1, "attributes": {"Rank": 2}},
]
SESSION = {"total": 154.5, "cartItems": CART, "attributes": {"Sizes": [3, 1, 2]}}
LAMPS = {
    "type": "filter",
    "predicate": {
        "id": "p",
        "type": "checkAttribute",
        "operator": "equals",
        "attribute": "$Item.Category",
        "value": "lamps",
    },
}
PRICES = {"type": "map", "expression": "$Item.Price"}


def ascending(expression: str) -> dict[str, Any]:
    return {"type": "sort", "fields": [{"expression": expression, "direction": "asc"}]}


def descending(expression: str) -> dict[str, Any]:
    return {"type": "sort", "fields": [{"expression": expression, "direction": "desc"}]}


def many(start: str, count: int, **more: Any) -> dict[str, Any]:
    return {"type": "select", "operator": "many", "from": start, "count": count, **more}


def between(start: int, end: int, **more: Any) -> dict[str, Any]:
    return {"type": "select", "operator": "between", "from": start, "to": end, **more}


def one(index: int) -> dict[str, Any]:
    return {"type": "select", "operator": "one", "index": index}


def reduce(operator: str) -> dict[str, Any]:
    return {"type": "reduce", "operator": operator}


def scope_with(facts: FactsDouble | None = None, **names: Value) -> Scope:
    return make_scope(SESSION, facts=facts, names=names)


def compile_steps(*steps: Any, source: Any = "$Session.CartItems") -> tuple[Value, Context]:
    context = Context(names=Names({"other"}))
    selector = {"name": "s", "type": "selector", "source": source, "steps": list(steps)}
    return compile_selector(selector, context), context


def select(*steps: Any, source: Any = "$Session.CartItems", scope: Scope | None = None) -> Any:
    value, context = compile_steps(*steps, source=source)
    assert context.mistakes == []
    return short(value(scope or scope_with()))


def short(value: Any) -> Any:
    """Return units as their places, such as `0.1`, and all else as it is."""
    if isinstance(value, Unit):
        return f"{value.position}.{value.sub_position}"
    if isinstance(value, list):
        return [short(each) for each in value]
    return value


def refused(*steps: Any, source: Any = "$Session.CartItems") -> list[str]:
    return [mistake.pointer for mistake in compile_steps(*steps, source=source)[1].mistakes]


def test_steps_give_what_their_names_say() -> None:
    cases: list[tuple[list[Any], Any]] = [
        ([], ["0.0", "0.1", "1.0", "2.0", "3.0"]),
        ([LAMPS], ["0.0", "0.1", "2.0"]),
        ([{"type": "reverse"}], ["3.0", "2.0", "1.0", "0.1", "0.0"]),
        ([LAMPS, many("start", 2)], ["0.0", "0.1"]),
        ([LAMPS, many("end", 2, partial=True)], ["0.1", "2.0"]),
        ([LAMPS, many("end", 9)], ["0.0", "0.1", "2.0"]),
        ([LAMPS, many("start", 0)], []),
        ([LAMPS, many("end", 0)], []),
        ([between(1, 3)], ["0.1", "1.0"]),
        ([between(3, 30)], ["2.0", "3.0"]),
        ([between(2, 2)], []),
        ([one(2)], "1.0"),
        ([LAMPS, PRICES], [30, 30, Decimal("90.5")]),
        ([LAMPS, PRICES, {"type": "reverse"}], [Decimal("90.5"), 30, 30]),
        ([LAMPS, PRICES, one(2)], Decimal("90.5")),
        ([LAMPS, PRICES, reduce("max")], Decimal("90.5")),
        ([LAMPS, PRICES, reduce("min")], 30),
        ([LAMPS, PRICES, reduce("sum")], Decimal("150.5")),
        ([LAMPS, reduce("count")], 3),
        ([LAMPS, reduce("empty")], False),
        ([LAMPS, many("start", 0), reduce("empty")], True),
        ([LAMPS, many("start", 0), PRICES, reduce("sum")], 0),
        ([LAMPS, many("start", 0), reduce("count")], 0),
    ]
    wrong = [
        (steps, expected, found)
        for steps, expected in cases
        if (found := select(*steps)) != expected
    ]
    assert wrong == []


def test_sorting_keeps_equal_items_in_order_and_puts_those_without_value_last() -> None:
    assert select(ascending("$Item.Price")) == ["3.0", "1.0", "0.0", "0.1", "2.0"]
    assert select(descending("$Item.Price")) == ["2.0", "0.0", "0.1", "1.0", "3.0"]
    assert select(ascending("$Item.Rank")) == ["3.0", "0.0", "0.1", "1.0", "2.0"]
    assert select(descending("$Item.Rank")) == ["3.0", "0.0", "0.1", "1.0", "2.0"]
    by_two = {
        "type": "sort",
        "fields": [
            {"expression": "$Item.Category", "direction": "asc"},
            {"expression": "$Item.Price", "direction": "desc"},
        ],
    }
    assert select(by_two) == ["1.0", "2.0", "0.0", "0.1", "3.0"]


def test_values_of_different_types_have_no_order() -> None:
    ranked = [{"sku": "a", "attributes": {"Rank": rank}} for rank in (1, "1")]
    with pytest.raises(WrongType, match="values of one type"):
        select(ascending("$Item.Rank"), scope=make_scope({"cartItems": ranked}))


def test_predicates_can_be_groups_and_programs() -> None:
    program = {"type": "passthrough", "expression": [">", [".", "Item", "Price"], 50]}
    for operator, expected in [
        ("all", ["2.0"]),
        ("atLeastOne", ["0.0", "0.1", "2.0"]),
        ("none", ["1.0"]),
    ]:
        blocks = [LAMPS["predicate"], program]
        group = {"type": "group", "operator": operator, "blocks": blocks}
        step = {"type": "filter", "predicate": group}
        assert select(between(0, 4), step) == expected
    for operator, expected in [("all", ["0.0"]), ("none", ["0.0"]), ("atLeastOne", [])]:
        group = {"type": "group", "operator": operator, "blocks": []}
        assert select(many("start", 1), {"type": "filter", "predicate": group}) == expected


def test_an_item_without_the_attribute_does_not_pass_a_check_in_a_filter() -> None:
    def check(operator: str, **operands: Any) -> dict[str, Any]:
        block = {"type": "checkAttribute", "operator": operator, "attribute": "$Item.Rank"}
        return {**block, **operands}

    def keep(predicate: dict[str, Any]) -> Any:
        return select({"type": "filter", "predicate": predicate}, reduce("count"))

    equal, different = check("equals", value=2), check("not(equals)", value=2)
    assert [keep(equal), keep(different), keep(check("not(exists)"))] == [1, 0, 4]
    for operator, expected in [("all", 0), ("atLeastOne", 1), ("none", 4)]:
        group = {"type": "group", "operator": operator, "blocks": [equal, different]}
        assert keep(group) == expected
    with pytest.raises(WrongType):
        keep(check("startsWith", value="2"))


def test_a_selector_can_start_from_values_and_from_other_names() -> None:
    assert select(one(0), source="$Session.Sizes") == 3
    assert select(reduce("sum"), source="$Session.Sizes") == 6
    scope = scope_with(other=lambda scope: [scope.units[2]])
    assert select(source="$other", scope=scope) == ["1.0"]
    program = ["filter", [".", "Session", "CartItems"], [["x"], ["=", [".", "x", "SKU"], "B-1"]]]
    assert select(source=program) == ["1.0"]


def test_value_maps_keep_items_whose_sku_they_have() -> None:
    scope = scope_with(FactsDouble(value_maps={12: {"L-1": 1.5, "X-1": 7}}))
    step = {"type": "filterAndMapValues", "valueMap": {"id": 12}}
    assert select(step, scope=scope) == [Decimal("1.5"), Decimal("1.5"), 7]
    assert select(step, reduce("sum"), scope=scope) == 10
    with pytest.raises(MissingValue, match="no value map 12"):
        select(step)


def test_what_a_list_does_not_have_is_out_of_range() -> None:
    empty = many("start", 0)
    failing: list[list[Any]] = [
        [one(5)],
        [empty, PRICES, reduce("max")],
        [empty, PRICES, reduce("min")],
        [many("start", 6, partial=False)],
        [between(0, 6, partial=False)],
    ]
    for steps in failing:
        with pytest.raises(MissingValue) as caught:
            select(*steps)
        assert caught.value.name == "outOfRange"


def test_steps_refuse_values_of_other_types() -> None:
    names = {"type": "map", "expression": "$Item.Name"}
    cases: list[tuple[str, list[Any]]] = [
        ("$Session.Total", []),
        ("$Session.Sizes", [LAMPS]),
        ("$Session.Sizes", [PRICES]),
        ("$Session.Sizes", [ascending("$Item.Price")]),
        ("$Session.CartItems", [names, reduce("sum")]),
        ("$Session.CartItems", [ascending("$Item.Attributes")]),
    ]
    for source, steps in cases:
        with pytest.raises(WrongType):
            select(*steps, source=source)
    with pytest.raises(MissingValue):
        select({"type": "map", "expression": "$Item.Rank"})


def test_mistakes_in_steps_are_refused_with_their_place() -> None:
    places: list[tuple[list[Any], list[str]]] = [
        ([{"type": "shuffle"}], ["/steps/0/type"]),
        ([5], ["/steps/0"]),
        ([{"type": "filter"}], ["/steps/0/predicate"]),
        ([{"type": "filter", "predicate": {"type": "checkEvent"}}], ["/steps/0/predicate/type"]),
        ([{"type": "sort"}], ["/steps/0"]),
        ([{"type": "sort", "fields": [1]}], ["/steps/0/fields/0"]),
        (
            [{"type": "sort", "fields": [{"expression": "Price", "direction": "up"}]}],
            ["/steps/0/fields/0/direction", "/steps/0/fields/0/expression"],
        ),
        ([many("middle", 1)], ["/steps/0/from"]),
        ([many("start", -1)], ["/steps/0/count"]),
        ([between(3, 2)], ["/steps/0/to"]),
        ([{"type": "select", "operator": "between", "from": "start", "to": 1}], ["/steps/0/from"]),
        ([one(-1)], ["/steps/0/index"]),
        ([{"type": "select", "operator": "two"}], ["/steps/0/operator"]),
        ([{"type": "map", "expression": "$Lamp.Price"}], ["/steps/0/expression"]),
        ([reduce("product")], ["/steps/0/operator"]),
        ([{"type": "filterAndMapValues", "valueMap": 12}], ["/steps/0/valueMap"]),
        ([PRICES, LAMPS], ["/steps/1"]),
        ([PRICES, PRICES], ["/steps/1"]),
        ([reduce("count"), {"type": "reverse"}], ["/steps/1"]),
        ([one(0), PRICES], ["/steps/1"]),
    ]
    assert [(steps, refused(*steps)) for steps, _ in places] == places
    assert refused(source="Session.CartItems") == ["/source"]
    assert refused(source="$nothing") == ["/source"]


def test_item_filters_of_the_application_are_evaluated_once() -> None:
    calls: list[str] = []

    class Facts(FactsDouble):
        def item_filter(self, name: str) -> Mapping[str, Any] | None:
            calls.append(name)
            return super().item_filter(name)

    found = {"name": "Lamps", "source": "$Session.CartItems", "steps": [LAMPS]}
    broken = {"name": "Broken", "source": "$Session.CartItems", "steps": [{"type": "?"}]}
    scope = scope_with(Facts(item_filters={"All lamps": found, "Broken": broken}))
    at_unit = scope.at(scope.units[0])
    for each in (scope, at_unit, scope):
        assert short(item_filter(each, "All lamps")) == ["0.0", "0.1", "2.0"]
    assert calls == ["All lamps"]
    with pytest.raises(MissingValue, match="no cart item filter 'None'"):
        item_filter(scope, "None")
    with pytest.raises(EvaluationError, match="/steps/0/type"):
        item_filter(scope, "Broken")


PRICED = st.lists(st.integers(0, 5), max_size=8).map(
    lambda prices: make_scope({"cartItems": [{"sku": "a", "price": price} for price in prices]})
)


@given(PRICED, st.integers(0, 6))
def test_steps_obey_their_laws(scope: Scope, count: int) -> None:
    def run(*steps: Any) -> Any:
        return select(*steps, scope=scope)

    cheap = {
        "type": "checkAttribute",
        "operator": "lessThan",
        "attribute": "$Item.Price",
        "value": 3,
    }
    keep = {"type": "filter", "predicate": cheap}
    inverse = {"type": "group", "operator": "none", "blocks": [cheap]}
    drop = {"type": "filter", "predicate": inverse}
    reverse = {"type": "reverse"}
    everything = run()
    assert run(reverse, reverse) == everything
    assert run(keep, reverse) == run(reverse, keep)
    assert sorted(run(keep) + run(drop)) == sorted(everything)
    assert run(keep, keep) == run(keep)
    assert run(ascending("$Item.Price"), PRICES) == sorted(run(PRICES))
    assert run(descending("$Item.Price"), PRICES) == run(ascending("$Item.Price"), PRICES, reverse)
    assert run(many("start", count)) == run(between(0, count))
    assert run(many("end", count)) == run(reverse, many("start", count), reverse)
    assert run(reduce("count")) == len(everything)
    assert run(reduce("empty")) == (not everything)
    assert run(PRICES, reduce("sum")) == sum(run(PRICES))


def bundle_of(sources: Any, counts: Any, **more: Any) -> tuple[Value, Context]:
    context = Context(names=Names({"lamps", "bulbs"}))
    bundle = {"id": "b", "name": "set", "type": "bundle", "sources": sources, "counts": counts}
    return compile_bundle({**bundle, **more}, context), context


SHELF = [
    {"sku": "L", "price": 10, "quantity": 2, "attributes": {"Brand": "Lux"}},
    {"sku": "L", "price": 12, "quantity": 1, "attributes": {"Brand": "Nova"}},
    {"sku": "B", "price": 1, "quantity": 5, "attributes": {"Brand": "Lux"}},
    {"sku": "B", "price": 2, "quantity": 1},
]


def bundles_of(sources: list[str], counts: list[int], **more: Any) -> list[list[str]]:
    value, context = bundle_of(sources, counts, **more)
    assert context.mistakes == []
    names: dict[str, Value] = {
        "lamps": lambda scope: [unit for unit in scope.units if unit.item["sku"] == "L"],
        "bulbs": lambda scope: [unit for unit in scope.units if unit.item["sku"] == "B"],
    }
    found = value(make_scope({"cartItems": SHELF}, names=names))
    return [[short(unit) for unit in bundle] for bundle in found]


def test_bundles_take_their_counts_from_each_source_until_one_runs_dry() -> None:
    both = ["{{$lamps}}", "{{$bulbs}}"]
    assert bundles_of(both, [1, 2]) == [
        ["0.0", "2.0", "2.1"],
        ["0.1", "2.2", "2.3"],
        ["1.0", "2.4", "3.0"],
    ]
    assert bundles_of(both, [1, 4]) == [["0.0", "2.0", "2.1", "2.2", "2.3"]]
    assert bundles_of(both, [4, 1]) == []
    assert bundles_of(["{{$lamps}}"], [2]) == [["0.0", "0.1"]]


def test_units_of_a_bundle_agree_in_all_matchers() -> None:
    both = ["{{$lamps}}", "{{$bulbs}}"]
    assert bundles_of(both, [1, 2], matchers=["Brand"]) == [
        ["0.0", "2.0", "2.1"],
        ["0.1", "2.2", "2.3"],
    ]
    assert bundles_of(both, [1, 1], matchers=["Brand", "Price"]) == []
    branded = bundles_of(["{{$bulbs}}"], [1], matchers=["Brand"])
    assert branded == [["2.0"], ["2.1"], ["2.2"], ["2.3"], ["2.4"]]


def test_a_unit_is_in_one_bundle_of_a_definition() -> None:
    twice = ["{{$lamps}}", "{{$lamps}}"]
    assert bundles_of(twice, [1, 1]) == [["0.0", "0.1"]]


def test_the_number_of_bundles_is_an_attribute_of_their_name() -> None:
    value, _ = bundle_of(["{{$lamps}}"], [1])
    names: dict[str, Value] = {"set": value, "lamps": lambda scope: scope.units}
    scope = make_scope({"cartItems": SHELF}, names=names)
    assert len(read_name(scope, "set")) == 9
    context = Context(names=Names({"set"}))
    count = context.attribute({"attribute": "$set.Count"}, "attribute")
    assert (count(scope), context.mistakes) == (9, [])


def test_mistakes_in_bundles_are_refused_with_their_place() -> None:
    lamps = ["{{$lamps}}"]
    places: list[tuple[Any, Any, dict[str, Any], list[str]]] = [
        (["lamps"], [1], {}, ["/sources/0"]),
        (["$lamps"], [1], {}, ["/sources/0"]),
        (["{{$chairs}}"], [1], {}, ["/sources/0"]),
        ([5], [1], {}, ["/sources/0"]),
        ([], [], {}, ["/sources"]),
        (lamps, [1, 2], {}, ["/counts"]),
        (lamps, [0], {}, ["/counts/0"]),
        (lamps, ["1"], {}, ["/counts/0"]),
        (lamps, [1], {"matchers": [1]}, ["/matchers/0"]),
        (lamps, [1], {"matchers": "Brand"}, ["/matchers"]),
    ]
    found = [
        (
            sources,
            counts,
            more,
            [each.pointer for each in bundle_of(sources, counts, **more)[1].mistakes],
        )
        for sources, counts, more, _ in places
    ]
    assert found == places


def test_sources_of_bundles_must_be_lists_of_cart_items() -> None:
    value, _ = bundle_of(["{{$lamps}}"], [1])
    names: dict[str, Value] = {"lamps": lambda scope: [Decimal(1)]}
    with pytest.raises(WrongType):
        value(make_scope({}, names=names))


@given(
    st.lists(st.tuples(st.sampled_from("LBX"), st.integers(1, 3)), max_size=6),
    st.lists(
        st.tuples(st.sampled_from(["LB", "B", "LX"]), st.integers(1, 2)), min_size=1, max_size=3
    ),
    st.booleans(),
)
def test_bundles_use_units_once_and_leave_too_few_for_another(
    items: list[tuple[str, int]], wanted: list[tuple[str, int]], matched: bool
) -> None:
    units = units_of([{"sku": sku, "quantity": quantity} for sku, quantity in items])
    lists = [[unit for unit in units if unit.item["sku"] in skus] for skus, _ in wanted]
    counts = [count for _, count in wanted]
    bundles = form_bundles(lists, counts, ["SKU"] if matched else [])
    used = Counter(short(unit) for bundle in bundles for unit in bundle)
    assert all(count == 1 for count in used.values())
    for bundle in bundles:
        places = iter(bundle)
        for list_, count in zip(lists, counts, strict=True):
            assert all(next(places) in list_ for _ in range(count))
        assert next(places, None) is None
        assert not matched or len({unit_property(unit, "SKU") for unit in bundle}) == 1
    if len(wanted) == 1 and not matched:
        assert len(bundles) == len(lists[0]) // counts[0]


def test_parameters_have_values_of_their_type() -> None:
    def read(value: Any, value_type: Any) -> Any:
        context = Context()
        parameter = {"name": "p", "value": value, "valueType": value_type, "description": ""}
        compiled = compile_parameter(parameter, context)
        return [each.pointer for each in context.mistakes] or compiled(scope_with())

    wrong = [
        (value, value_type, expected, found)
        for value, value_type, expected in [
            (40, "number", 40),
            (10, "percent", 10),
            ("Lux", "string", "Lux"),
            (True, "boolean", True),
            (["Lux", "Nova"], "(list string)", ["Lux", "Nova"]),
            ([1, 2.5], "(list number)", [1, Decimal("2.5")]),
            ("{{$Session.Total}}", "number", Decimal("154.5")),
            (["+", 1, 2], "number", 3),
            ("anything", "location", "anything"),
            ("40", "number", ["/value"]),
            (True, "percent", ["/value"]),
            (40, "string", ["/value"]),
            ("yes", "boolean", ["/value"]),
            ("tomorrow", "time", ["/value"]),
            ("Lux", "(list string)", ["/value"]),
            (None, "number", [""]),
            (1, None, [""]),
        ]
        if (found := read(value, value_type)) != expected
    ]
    assert wrong == []
