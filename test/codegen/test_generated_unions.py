"""What the generator makes of schemas that stand for several: unions, constants, cases."""

from __future__ import annotations

import copy
import json
import pickle
from types import ModuleType
from typing import Any

import pytest

from talon_one import ApiTypeError, Model, ModelValidationError, unchecked

CIRCLE = {"type": "circle", "radius": 2}
STAR = {"type": "star", "points": 5}


def violations(model: Model) -> list[str]:
    """Return what the validation of a model reports."""
    with pytest.raises(ModelValidationError) as caught:
        model.validate()
    return [str(each) for each in caught.value.violations]


def test_the_object_itself_names_its_class(models: ModuleType) -> None:
    shape = models.Shape.from_dict(CIRCLE)
    assert type(shape) is models.Circle
    assert type(models.Shape.from_json(json.dumps(CIRCLE))) is models.Circle
    assert type(models.Shape(type="circle", radius=1)) is models.Circle


def test_lists_maps_and_properties_hold_objects_of_several_classes(models: ModuleType) -> None:
    data: dict[str, Any] = {
        "type": "drawing",
        "shapes": [CIRCLE, {"type": "drawing", "shapes": [CIRCLE]}],
        "layers": {"top": [CIRCLE]},
        "frame": CIRCLE,
    }
    drawing = models.Drawing.from_json(json.dumps(data))
    first, inner = drawing.shapes
    assert [type(first), type(inner)] == [models.Circle, models.Drawing]
    assert type(inner.shapes[0]) is type(drawing.layers["top"][0]) is models.Circle
    assert type(drawing.frame) is models.Circle
    assert drawing.to_wire() == data
    drawing.validate()
    for other in (copy.deepcopy(drawing), pickle.loads(pickle.dumps(drawing))):
        assert other == drawing
        assert type(other.shapes[1].shapes[0]) is models.Circle
    assert models.Drawing.from_dict(drawing.to_dict()) == drawing


@pytest.mark.parametrize("data", [STAR, {"points": 5}, {"type": ["circle"]}, {"type": None}, {}])
def test_an_unknown_class_is_a_model_that_loses_nothing(
    models: ModuleType, data: dict[str, Any]
) -> None:
    drawing = models.Drawing.from_json(json.dumps({"type": "drawing", "shapes": [data]}))
    (shape,) = drawing.shapes
    assert type(shape) is Model
    assert shape.to_wire() == data
    assert drawing.to_wire()["shapes"] == [data]
    assert type(models.Shape.from_dict(data)) is Model


def test_what_is_no_object_stays_as_it_came(models: ModuleType) -> None:
    drawing = models.Drawing.from_json('{"shapes": [1, null, "circle", [{}]], "frame": "none"}')
    assert drawing.shapes == [1, None, "circle", [{}]]
    assert drawing.frame == "none"


def test_match_finds_the_class(models: ModuleType) -> None:
    found = []
    for data in (CIRCLE, {"type": "drawing", "shapes": []}, STAR):
        match models.Shape.from_dict(data):
            case models.Circle(radius=radius):
                found.append(f"circle of {radius}")
            case models.Drawing(shapes=[]):
                found.append("empty drawing")
            case Model():
                found.append("something else")
    assert found == ["circle of 2", "empty drawing", "something else"]


def test_its_classes_are_instances_of_a_union(models: ModuleType) -> None:
    class Wheel(models.Circle):  # type: ignore[misc,name-defined]  # known at run time alone
        """A class of an application."""

        __slots__ = ()

    assert isinstance(models.Circle(radius=1), models.Shape)
    assert isinstance(Wheel(radius=1), models.Shape)
    assert not isinstance(models.Value(value=1), models.Shape)
    assert not isinstance(models.Shape.from_dict(STAR), models.Shape)
    assert not isinstance(CIRCLE, models.Shape)


def test_the_constructor_sets_what_a_class_is_known_by(models: ModuleType) -> None:
    circle = models.Circle(radius=1)
    assert circle.type == "circle"
    assert circle.to_wire() == {"type": "circle", "radius": 1}
    assert models.Circle(type="circle", radius=1) == circle
    assert models.Circle(type=None, radius=1) == circle
    # Nothing is added to what was received.
    assert models.Circle.from_dict({"radius": 1}).to_wire() == {"radius": 1}
    assert violations(models.Circle.from_dict({"radius": 1})) == ["$.type is required"]


def test_a_union_is_constructed_by_the_property_that_names_the_class(models: ModuleType) -> None:
    for arguments in ({}, {"type": "cirle"}, {"radius": 1}):
        with pytest.raises(ApiTypeError, match="Shape needs type=, which is one of 'circle'"):
            models.Shape(**arguments)
    with pytest.raises(ApiTypeError, match="Did you mean 'circle'"):
        models.Shape(type="cirle")


def test_validation_goes_into_the_class_that_the_object_names(models: ModuleType) -> None:
    def found(*shapes: Any) -> list[str]:
        return violations(models.Drawing(shapes=list(shapes)))

    models.Drawing(shapes=[CIRCLE, models.Circle(radius="{{$Radius}}")]).validate()
    assert found({"type": "circle"}) == ["$.shapes[0].radius is required"]
    assert found(models.Circle()) == ["$.shapes[0].radius is required"]
    assert found({"radius": 1}) == ["$.shapes[0].type is required"]
    assert found(models.Value(value=1)) == ["$.shapes[0].type is required"]
    assert found(CIRCLE, 7) == ["$.shapes[1] must be Shape or a dict, not int"]
    (wrong,) = found({"type": "drawing", "shapes": [{"type": "circle", "radius": [1]}]})
    assert wrong == "$.shapes[0].shapes[0].radius must be a number or text, not list"
    (wrong,) = found(STAR)
    assert wrong.startswith("$.shapes[0].type must be one of 'circle', 'drawing', not 'star'")
    # The class and the name have to agree.
    wrong, *_ = found(models.Circle(type="drawing", radius=1))
    assert wrong == "$.shapes[0] must be Drawing or a dict, not Circle"
    # A class that the platform has and the description lacks can be sent.
    models.Drawing(shapes=[{**STAR, "type": unchecked("star")}]).validate()


def test_a_received_object_of_an_unknown_class_says_how_to_send_it(models: ModuleType) -> None:
    drawing = models.Drawing.from_dict({"type": "drawing", "shapes": [STAR]})
    drawing.shapes[0]["type"] = "circle"
    assert violations(drawing) == ["$.shapes[0].radius is required"]


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        ({"operator": "equals", "value": 1}, []),
        ({"operator": "between", "min": 1, "max": 2}, []),
        ({"operator": "exists"}, []),
        ({"operator": "equals"}, ["$.value is required"]),
        ({"operator": "between", "min": 1}, ["$.max is required"]),
        ({"operator": "between", "min": "a", "max": 2}, ["$.min must be a number, not str"]),
        ({}, ["$.operator is required"]),
    ],
)
def test_a_property_says_which_others_are_required(
    models: ModuleType, data: dict[str, Any], wrong: list[str]
) -> None:
    comparison = models.Comparison(**data)
    assert (violations(comparison) if wrong else comparison.validate() or []) == wrong


def test_a_number_or_a_text_is_taken_as_it_is(models: ModuleType) -> None:
    for radius in (1, 2.5, "{{$Radius}}"):
        models.Circle(radius=radius).validate()
        assert models.Circle(radius=radius).radius == radius
    wrong: list[Any] = [True, [], {}, float("nan")]
    for radius in wrong:
        assert "$.radius must be" in violations(models.Circle(radius=radius))[0]
    assert models.Circle.openapi_types["radius"] == "object"
    assert models.Drawing.openapi_types["shapes"] == "list[Shape]"


class _HostileText(str):
    __slots__ = ()

    def __hash__(self) -> int:
        raise RuntimeError("no hash")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")


class _NoText:
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_texts_of_any_class_name_the_class_of_an_object(models: ModuleType) -> None:
    circle = _HostileText("circle")
    assert type(models.Shape(type=circle, radius=1)) is models.Circle
    drawing = models.Drawing(shapes=[{"type": circle}, {"type": _NoText()}])
    assert [type(each) for each in drawing.shapes] == [models.Circle, Model]
    with pytest.raises(ApiTypeError, match="Shape needs type="):
        models.Shape(type=_NoText())
    with pytest.raises(ApiTypeError, match="Did you mean 'circle'"):
        models.Shape(type=_HostileText("cirkle"))


def test_a_subclass_of_a_union_in_another_package_stands_for_the_same(models: ModuleType) -> None:
    shape: Any = type("MyShape", (models.Shape,), {"__module__": "__main__"})
    circle = shape(type="circle", radius=1)
    assert type(circle) is type(shape.from_dict(CIRCLE)) is models.Circle
    assert type(shape.from_json(json.dumps(STAR))) is Model
    assert isinstance(circle, shape)
    assert not isinstance(3, shape)


def test_a_subclass_in_another_package_obeys_the_rules_of_its_cases(models: ModuleType) -> None:
    comparison: Any = type("MyComparison", (models.Comparison,), {"__module__": "__main__"})
    assert violations(comparison(operator="between")) == violations(
        models.Comparison(operator="between")
    )
