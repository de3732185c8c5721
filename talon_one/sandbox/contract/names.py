"""Names of properties: those of Python beside those of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one import models
from talon_one._schema.access import fields_by_wire_name, fields_of
from talon_one._utils.suggest import did_you_mean


def wire_properties(model: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties by the names of the API, given by those of Python or of the API.

    Raises:
        TypeError: If the model has no such property, with the nearest name.
    """
    __tracebackhide__ = True
    cls = getattr(models, model)
    found = {}
    for name, value in properties.items():
        declared = fields_of(cls).get(name) or fields_by_wire_name(cls).get(name)
        if declared is None:
            hint = did_you_mean(name, fields_of(cls))
            raise TypeError(f"{model} has no property {name!r}{'.' + hint if hint else ''}")
        found[declared.wire] = value
    return found
