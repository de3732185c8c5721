"""Sample bodies of notifications as JSON, from the examples of the description."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from codegen import ir
from codegen.checks import located
from codegen.loader import SpecError
from talon_one._schema.annotations import Shape, parse

_ITEMS = "Data"
# What is not given begins on one of these days, and ends on the other.
_START, _END = "2027-01-01T00:00:00Z", "2027-03-31T00:00:00Z"
_ENDS = re.compile(r"(end|until|expiry|expires|expiration)(At|Date|On|Time)?$", re.IGNORECASE)


def notification_samples(sdk: ir.Sdk) -> dict[str, Any]:
    """Return a body for each `NotificationType`: what is required, and the lists of objects.

    A type whose items tell several events apart has a sample for each, under its name and that of
    the event: ``CampaignNotification/campaign_created``.

    Raises:
        SpecError: A class requires itself.
    """
    sampler = _Sampler(sdk)
    found: dict[str, Any] = {}
    for type, shapes in sdk.notifications.items():
        for shape in shapes:
            model = sampler.models[shape.model]
            with located(f"the sample of {type}", model):
                body = {**sampler.body(model), **sampler.lists(model)}
                body.update(dict.fromkeys(_naming(model, type), type))
                if shape.items is not None:
                    item = sampler.body(sampler.models[shape.items])
                    if shape.key is not None and shape.value is not None:
                        item[shape.key] = shape.value
                    body[_ITEMS] = [item]
            name = f"{type}/{shape.value}" if len(shapes) > 1 and shape.value else type
            found.setdefault(name, body)
    return dict(sorted(found.items()))


def _naming(model: ir.Model, type: str) -> list[str]:
    """Return the properties of which one of the described values is the type."""
    return [each.wire for each in model.properties if type in parse(each.type.text).values]


class _Sampler:
    """Make JSON of classes; the same description gives the same values."""

    def __init__(self, sdk: ir.Sdk) -> None:
        self.models = {each.name: each for each in sdk.models}
        self._unions = {each.name: each for each in sdk.unions}

    def body(self, model: ir.Model, around: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return an object of a class; *around* names the classes around it."""
        if model.name in around:
            raise SpecError(
                f"{model.name} requires itself, so there is no such object", model.place
            )
        around = (*around, model.name)
        return {
            each.wire: self._property(model, each, around)
            for each in model.properties
            if each.required or each.constant is not None
        }

    def lists(self, model: ir.Model) -> dict[str, Any]:
        """Return the lists of objects that an object of a class may have."""
        return {
            each.wire: self._nested(parse(each.type.text), (model.name,))
            for each in model.properties
            if not each.required and each.type.models and each.type.text.startswith("list[")
        }

    def _property(self, model: ir.Model, each: ir.Property, around: tuple[str, ...]) -> Any:
        if each.constant is not None:
            return each.constant
        variants = each.type.variants
        if variants:
            by = next(other for other in model.properties if other.wire == variants.by)
            if by.example.value in variants.classes:
                return self.body(self.models[variants.classes[by.example.value]], around)
            return {}
        if each.type.models:
            return self._nested(parse(each.type.text), around)
        if each.type.kind == "datetime" and not each.example.is_given:
            return _END if _ENDS.search(each.wire) else _START
        return each.example.value

    def _nested(self, shape: Shape, around: tuple[str, ...]) -> Any:
        if shape.kind in self._unions:
            return self._one_of(self._unions[shape.kind], around)
        if shape.kind in self.models:
            return self.body(self.models[shape.kind], around)
        inside = []
        # A class inside itself: the tree ends here.
        with suppress(SpecError):
            inside = [self._nested(shape.inner, around)]
        if shape.kind == "list":
            return inside
        return {"1": inside[0]} if inside else {}

    def _one_of(self, union: ir.Union, around: tuple[str, ...]) -> Any:
        """Return the sample of the first class that can stand here."""
        for name in union.members:
            with suppress(SpecError):
                return self.body(self.models[name], around)
        raise SpecError(f"every {union.name} requires itself, so there is no such object")
