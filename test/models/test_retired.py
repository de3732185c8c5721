"""Properties that earlier releases had: code that names them goes on running."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import talon_one
from support.spec import SCHEMAS
from talon_one import ApiTypeError

RETIRED = {name: node["x-retired"] for name, node in SCHEMAS.items() if "x-retired" in node}

Application: Any = talon_one.Application


def test_the_classes_of_the_first_packages_are_there() -> None:
    assert RETIRED.keys() >= {"Application", "UpdateApplication", "EventType", "NewEventType"}
    assert RETIRED["Application"]["campaign_priority"] == "campaignPriority"


@pytest.mark.parametrize("name", RETIRED)
def test_a_retired_property_is_kept_as_an_additional_one(name: str) -> None:
    cls: Any = getattr(talon_one, name)
    for python, wire in RETIRED[name].items():
        for spelled in {python, wire}:
            model = cls(**{spelled: ["x"]})
            assert model.to_wire() == {wire: ["x"]}
            assert getattr(model, python) == model[wire] == ["x"]
            assert model.additional_properties == {wire: ["x"]}
            assert model.to_dict()[wire] == ["x"]
            assert cls.from_dict(model.to_dict()) == model == pickle.loads(pickle.dumps(model))
        assert cls(**{python: None}).to_wire() == {}
        assert cls(**{python: talon_one.NULL}).to_wire() == {wire: None}
        assert cls.from_dict({python: "x"}).to_wire() == {wire: "x"}
        model = cls()
        assert getattr(model, python) is None
        setattr(model, python, "y")
        assert model.to_wire() == {wire: "y"}
        delattr(model, python)
        assert model.to_wire() == {}
        assert python not in cls.attribute_map
        assert python not in cls.__match_args__
        if python != wire:
            with pytest.raises(ApiTypeError, match=f"got '{python}' twice"):
                cls(**{python: 1, wire: 2})


def test_a_name_that_was_never_a_property_is_refused() -> None:
    with pytest.raises(ApiTypeError, match="has no property 'campaign_priorty'"):
        Application(campaign_priorty="universal")
    with pytest.raises(ApiTypeError, match="has no property 'campaign_priority'"):
        talon_one.Campaign(campaign_priority="universal")  # type: ignore[call-arg]


def test_a_derived_class_knows_them_too() -> None:
    class Own(talon_one.UpdateApplication):
        __slots__ = ()

    own: Any = Own
    model = own(campaign_priority="stackable")
    assert (model.campaign_priority, model.to_wire()) == (
        "stackable",
        {"campaignPriority": "stackable"},
    )


def test_the_value_of_a_retired_property_may_be_anything() -> None:
    event_type: Any = talon_one.NewEventType
    made = event_type(title="Survey", name="survey", schema={"type": "object"}, handler="[]")
    made.validate()
    assert made.to_wire()["schema"] == {"type": "object"}
