"""Lists, maps and free-form data: their limits, and the places of what is wrong in them."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from support.every import for_every
from talon_one import NULL, ApiTypeError, ApiValueError, CartItem, Coupon, Model
from talon_one._schema import fields, json_codec, nesting, validation
from talon_one._schema.annotations import Shape, parse
from talon_one._schema.conversion import convert, model_class
from talon_one._schema.scalars import LongNumber, is_missing, native, whole
from talon_one._schema.validation import value_violations

MAX_DEPTH = 50


def faults(type_string: str, value: Any, **constraints: Any) -> list[tuple[tuple[Any, ...], str]]:
    found = value_violations(type_string, constraints, value)
    return [(tuple(each.path), each.message) for each in found]


# -- Validation --------------------------------------------------------------------------------


def test_a_list_has_as_many_items_as_its_limits_allow() -> None:
    for size, message in (
        (1, "must have at least 2 items, not 1"),
        (2, None),
        (3, None),
        (4, "must have at most 3 items, not 4"),
    ):
        expected = [] if message is None else [((), message)]
        assert faults("list[int]", list(range(size)), min_items=2, max_items=3) == expected
    assert faults("list[int]", []) == faults("list[int]", [1] * 5000) == []
    assert faults("list[int]", [], max_items=0) == []


def test_an_item_is_named_once_only_where_that_is_asked_for() -> None:
    assert faults("list[str]", ["a", "a"]) == faults("list[str]", ["a", "a"], unique_items=False)
    assert faults("list[str]", ["a", "a"]) == []
    assert faults("list[str]", ["a", "b"], unique_items=True) == []
    twice = [((), "must not name an item twice")]
    assert faults("list[str]", ["a", "b", "a"], unique_items=True) == twice
    assert faults("list[str]", ("a", "a"), unique_items=True) == twice


def test_each_violation_in_a_container_has_its_place() -> None:
    assert [path for path, _ in faults("list[list[int]]", [[1], ["x", 2, "y"]])] == [
        (1, 0),
        (1, 2),
    ]
    assert [path for path, _ in faults("dict[str, list[int]]", {"a": [1, "x"]})] == [("a", 1)]
    found = faults("dict[str, Any]", {"a": [{"b": float("nan")}], "c": [0, float("inf")]})
    assert [path for path, _ in found] == [("a", 0, "b"), ("c", 1)]
    in_model = Model.from_dict({"d": [float("nan")]})
    assert [path for path, _ in faults("dict[str, Any]", {"a": [1, in_model]})] == [
        ("a", 1, "d", 0)
    ]


def test_floats_in_a_container_are_finite() -> None:
    for number in (float("nan"), float("inf"), float("-inf")):
        for inner in ("float", "Any"):
            message = f"must be a finite number, not {number}"
            assert faults(f"list[{inner}]", [1.5, number, 2]) == [((1,), message)]
            entries = {"a": 1.5, "b": number, "c": None}
            assert faults(f"dict[str, {inner}]", entries) == [(("b",), message)]


@pytest.mark.parametrize("value", [[1], (1,), {1}, frozenset({1})])
def test_collections_are_lists_and_texts_are_none(value: Any) -> None:
    assert faults("list[int]", value) == []
    for other in ("1", b"1", {"a": 1}, 1, iter([1])):
        ((path, message),) = faults("list[int]", other)
        assert path == ()
        assert message.startswith("must be a list, not ")


def test_maps_are_dicts_mappings_or_models() -> None:
    for value in ({"a": 1}, Model.from_dict({"a": 1}), {"a": None}, MappingProxyType({"a": 1})):
        assert faults("dict[str, int]", value) == []
    for other in ([("a", 1)], "a", 1):
        ((_, message),) = faults("dict[str, int]", other)
        assert message.startswith("must be an object, not ")


def test_a_union_takes_what_any_of_its_members_takes() -> None:
    for value in ("a", 1, 1.5):
        assert faults("str | float", value) == []
    ((path, message),) = faults("str | float", [])
    assert (path, message) == ((), "must be text or a number, not list")


def nested(depth: int) -> Any:
    made: Any = 1.5
    for _ in range(depth):
        made = [made]
    return made


@pytest.fixture
def few_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (nesting, validation):
        monkeypatch.setattr(module, "MAX_DEPTH", MAX_DEPTH)


@pytest.mark.usefixtures("few_levels")
def test_free_form_data_have_a_greatest_depth() -> None:
    assert faults("Any", nested(MAX_DEPTH + 1)) == []
    too_deep = [((), "is nested too deeply, or contains itself")]
    assert faults("Any", nested(MAX_DEPTH + 2)) == too_deep
    circle: list[Any] = []
    circle.append(circle)
    assert faults("Any", circle) == faults("Any", {"a": circle}) == too_deep
    # Broad data are not deep.
    assert faults("Any", [[1.5]] * (MAX_DEPTH + 2)) == []


@pytest.mark.usefixtures("few_levels")
def test_converted_data_have_a_greatest_depth() -> None:
    def one_level(value: Any) -> Any:
        return list(value) if isinstance(value, list) else value

    assert nesting.converted(nested(MAX_DEPTH + 1), one_level)
    with pytest.raises(ApiValueError, match="nested too deeply, or contain themselves"):
        nesting.converted(nested(MAX_DEPTH + 2), one_level)
    assert nesting.converted([[1.5]] * (MAX_DEPTH + 2), one_level)


# -- Equality ----------------------------------------------------------------------------------


def test_containers_are_equal_if_all_their_parts_are() -> None:
    def equal(one: Any, other: Any) -> bool:
        return nesting.equal_json(one, other)

    assert equal([1, {"a": [2]}], (1, Model.from_dict({"a": (2,)})))
    assert equal({}, Model.from_dict({}))
    for one, other in (
        ([1], [1, 2]),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 1, "b": None}),
        ({"a": [1, [2]]}, {"a": [1, [3]]}),
        ([1], {"a": 1}),
        ([], {}),
        ("ab", ["a", "b"]),
    ):
        assert not equal(one, other)
        assert not equal(other, one)


def test_circular_data_are_compared_to_their_end() -> None:
    one: list[Any] = [1]
    other: list[Any] = [1]
    one.append(one)
    other.append(other)
    assert nesting.equal_json(one, other)
    other.append(2)
    assert not nesting.equal_json(one, other)


# -- Conversion --------------------------------------------------------------------------------


@for_every(
    "target",
    [
        *("Coupon", "list[Coupon]", "dict(str, Coupon)", "datetime", "date", "Nothing"),
        *(Coupon, list[Coupon], dict[str, Coupon], datetime, date, int),
    ],
)
def test_data_of_another_shape_are_returned_unchanged(target: Any) -> None:
    data: Any
    for data in (5, 1.5, True, None, LongNumber("1e400")):
        assert convert(data, target) is data
    if "list" not in str(target):
        for data in ([], [1]):
            assert convert(data, target) is data
    else:
        assert convert({"a": 1}, target) == {"a": 1}


def test_items_and_values_are_converted_where_they_have_the_shape() -> None:
    target: Any
    for target in ("list[Coupon]", list[Coupon]):
        first, second = convert([{"id": 1}, 2], target)
        assert (type(first), first.id, second) == (Coupon, 1, 2)
    for target in ("dict(str, Coupon)", dict[str, Coupon]):
        found = convert({"a": {"id": 1}, "b": 2}, target)
        assert (type(found["a"]), found["b"]) == (Coupon, 2)
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    for target in ("datetime", datetime, "list[datetime]"):
        data: Any = "2026-01-01T00:00:00Z" if target != "list[datetime]" else None
        assert convert(data, target) == (moment if data else None)
    for target in ("date", date):
        assert convert("2026-01-01", target) == date(2026, 1, 1)


def test_only_models_are_found_by_name() -> None:
    assert model_class("Coupon") is Coupon
    for name in ("str", "Any", "file", "Cupon", "__name__"):
        assert model_class(name) is None


def test_a_type_that_is_not_known_is_the_name_of_a_model() -> None:
    assert parse("models.Coupon | None") == Shape("Coupon")
    assert parse("str | int") == Shape("Union", members=(Shape("str"), Shape("int")))
    assert parse("list[str | int]").inner == parse("str | int")
    assert parse(" Literal['a',] ") == Shape("Literal", values=("a",))


# -- Scalars of other libraries ----------------------------------------------------------------


def test_a_long_number_keeps_its_text() -> None:
    number = LongNumber("1e400")
    assert number == LongNumber("1e400") == float("inf")
    assert number != LongNumber("1e401")
    assert (number != LongNumber("1e400")) is False
    assert hash(number) == hash(float("inf"))
    assert (repr(number), float("inf") == number) == ("1e400", True)


def test_whole_numbers_are_those_without_a_fraction() -> None:
    for value, expected in (
        (5, 5),
        (Decimal("5.00"), 5),
        (Decimal("5E+308"), 5 * 10**308),
        (True, None),
        (5.0, None),
        (Decimal("5.01"), None),
        (Decimal("1E+309"), None),
        (Decimal("Infinity"), None),
        (Decimal("NaN"), None),
        ("5", None),
        (None, None),
    ):
        found = whole(value)
        assert (found, type(found)) == (expected, type(expected))


def test_scalars_of_numpy_and_enumerations_become_those_of_python() -> None:
    import numpy

    class Amount(Enum):
        NAN = float("nan")
        ONE = 1

    value: Any
    array, shape = numpy.array([1, 2]), SimpleNamespace(shape=())
    for value in (array, shape, "a", 1, None, Model.from_dict({})):
        assert native(value) is value
    far = numpy.datetime64("12026-01-01T00:00:00")
    assert native(far) is far
    moment = datetime(2026, 1, 2, 3, 4, 5)
    for unit in ("s", "us", "ns"):
        assert native(numpy.datetime64("2026-01-02T03:04:05", unit)) == moment
    scalars: list[tuple[Any, Any]] = [(numpy.int64(1), 1), (numpy.bool_(True), True)]
    for scalar, expected in [*scalars, (Amount.ONE, 1)]:
        found = native(scalar)
        assert (found, type(found)) == (expected, type(expected))
    not_finite = "must be a finite number, not "
    wrong: list[Any] = [Amount.NAN, numpy.float32("inf"), Decimal("sNaN"), Decimal("-Infinity")]
    for number in wrong:
        for kind in ("Any", "float"):
            ((_, message),) = faults(kind, number)
            assert message.startswith(not_finite)


def test_missing_values_of_frames_are_recognized() -> None:
    import numpy
    import pandas

    for value in (pandas.NaT, pandas.NA, numpy.datetime64("NaT", "ns")):
        assert is_missing(value)
    for other in (None, numpy.datetime64("2026-01-01"), float("nan"), "NaT"):
        assert not is_missing(other)


# -- Positions and duplicates ------------------------------------------------------------------


def test_properties_are_given_by_position_up_to_their_number() -> None:
    make: Any = CartItem
    names = list(CartItem._fields)
    item = make("n", "s")
    assert (getattr(item, names[0]), getattr(item, names[1])) == ("n", "s")
    assert make(*[None] * len(names)).to_wire() == {}
    with pytest.raises(ApiTypeError, match=f"has {len(names)} properties, not {len(names) + 1}"):
        make(*[None] * (len(names) + 1))
    with pytest.raises(ApiTypeError, match=f"got '{names[0]}' twice"):
        make("n", **{names[0]: "n"})


def test_a_property_is_given_under_one_of_its_names() -> None:
    made: Any = Coupon
    with pytest.raises(ApiTypeError, match="got 'usage_limit' twice"):
        made(id=1, usage_limit=1, usageLimit=1)
    assert made(id=1, usage_limit=1, usageLimit=None).to_wire() == {"id": 1, "usageLimit": 1}
    assert made(usage_limit=NULL).to_wire() == {"usageLimit": None}


# -- Circular data -----------------------------------------------------------------------------


def test_data_that_contain_themselves_are_refused_at_their_place() -> None:
    listed: list[Any] = []
    listed.append(listed)
    named: dict[str, Any] = {}
    named["self"] = [named]
    for data, path in (({"a": [1, listed]}, ("a", 1, 0)), ({"b": named}, ("b", "self", 0))):
        with pytest.raises(ApiValueError, match="data that contain themselves") as caught:
            json_codec.encode(data)
        assert caught.value.path_to_item == path
    # What is there twice does not contain itself.
    twice: list[Any] = [1]
    assert json_codec.encode([twice, {"a": twice}, twice]) == b'[[1],{"a":[1]},[1]]'
    assert json_codec.encode([(twice, twice), 10**30]) == b"[[[1],[1]],%d]" % 10**30


class Deep(Model):
    """A model with models at several depths; its module decides where classes are found."""

    __module__ = "talon_one.models.deep"

    one: list[Coupon] | None = fields.nested(default=None)
    two: dict[str, list[Coupon]] | None = fields.nested(default=None)
    three: list[dict[str, list[Coupon]]] | None = fields.nested(default=None)


def test_models_are_wrapped_at_any_depth_and_nowhere_else() -> None:
    data = {"one": [{"id": 1}], "two": {"a": [{"id": 1}]}, "three": [{"a": [{"id": 1}], "b": 5}]}
    made: Any = Deep.from_json(json_codec.encode(data))
    assert [Deep._fields[name].depth for name in data] == [1, 2, 3]  # type: ignore[attr-defined]
    assert type(made.one[0]) is type(made.two["a"][0]) is type(made.three[0]["a"][0]) is Coupon
    assert type(made.two) is type(made.three[0]) is dict
    assert made.to_wire() == data
    odd: Any = Deep.from_json('{"one": [5, null, [{}]], "two": {"a": {"b": 1}}, "three": [{}, 7]}')
    assert (odd.one, odd.three) == ([5, None, [{}]], [{}, 7])
    assert odd.two["a"] == {"b": 1}
