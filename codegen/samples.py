"""Sample values as Python source, for the examples of the reference pages."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, timezone

from codegen import ir
from codegen.checks import located
from codegen.loader import SpecError
from codegen.names import underscored
from codegen.tools import ruff
from talon_one._schema.annotations import Shape, parse

# What is not given begins on one of these days, and ends on the other.
_START, _END = date(2027, 1, 1), date(2027, 3, 31)
_ENDS = re.compile(r"(^|_)(end|ends|before|until|expiry|expires)(_(at|date|on|time))?$")

# Names of the module datetime, with the source that needs them.
_IMPORTED = {"date": "=date(", "datetime": "=datetime(", "timezone": "timezone."}

# Optional properties that make an example informative, by the end of their names.
_INFORMATIVE = frozenset(
    {
        "cart_item_price",
        "cart_items",
        "coupon_codes",
        "profile_id",
        "query_attributes",
        "request_attributes",
        "request_item_attributes",
        "request_v2_attributes",
        "usage_limit",
    }
)
# Number of properties shown of a model that has no required and no informative ones.
_SHOWN = 2

LINE_LENGTH = 88
_SEPARATOR = "# -- The next example --"


def examples(sdk: ir.Sdk) -> dict[str, str]:
    """Return a complete program for each operation, by its ID, formatted."""
    sampler = Sampler(sdk)
    programs = {}
    for api in sdk.apis:
        for each in api.operations:
            with located(f"the example of {each.id}", each):
                programs[each.id] = sampler.program(api, each)
    # One run of ruff formats all of them.
    source = "".join(f"{_SEPARATOR}\n{program}\n" for program in programs.values())
    formatted = ruff("format", "-", source=source, line_length=LINE_LENGTH).split(_SEPARATOR)[1:]
    return {id: f"{program.strip()}\n" for id, program in zip(programs, formatted, strict=True)}


class Sampler:
    """Writes sample values; the same description gives the same values."""

    def __init__(self, sdk: ir.Sdk) -> None:
        self._package = sdk.package
        self._models = {each.name: each for each in sdk.models}
        self._unions = {each.name: each for each in sdk.unions}

    def program(self, api: ir.Api, operation: ir.Operation) -> str:
        """Return a complete program that calls an operation, not yet formatted."""
        call = f"api.{operation.name}({', '.join(self._arguments(operation))})"
        used = [name for name, mark in _IMPORTED.items() if mark in call]
        lines = [f"from datetime import {', '.join(used)}", ""] if used else []
        lines += [
            f"import {self._package}",
            "",
            f"configuration = {self._package}.Configuration.from_env()",
            f"with {self._package}.ApiClient(configuration) as client:",
            f"    api = {self._package}.{api.name}(client)",
        ]
        if operation.return_type == "None":
            lines.append(f"    {call}")
        else:
            lines += [f"    result = {call}", "    print(result)"]
        return "\n".join(lines)

    def model(self, name: str) -> str:
        """Return an expression for an object of a class that passes validation.

        Raises:
            SpecError: The class requires itself.
        """
        return self._nested(parse(name), ())

    def _arguments(self, operation: ir.Operation) -> list[str]:
        given = [
            f"{each.name}={self._value(each.type, each.example, each.name, ())}"
            for each in operation.required_parameters
        ]
        if operation.body:
            body = operation.body
            given.append(f"body={self._value(body.type, body.example, body.name, ())}")
        if operation.upload:
            given.append(f"{operation.upload.name}='import.csv'")
        return given

    def _value(
        self, type: ir.TypeRef, example: ir.Example, name: str, around: tuple[str, ...]
    ) -> str:
        """Return an expression; *around* names the models around it."""
        if type.models:
            return self._nested(parse(type.text), around)
        if type.kind in ("datetime", "date"):
            return _moment(type.kind, example, name)
        return repr({} if type.variants else example.value)

    def _nested(self, shape: Shape, around: tuple[str, ...]) -> str:
        """Return an expression for a model, for one of several, or for a list or dict of them."""
        if shape.kind in self._unions:
            return self._one_of(self._unions[shape.kind], around)
        if shape.kind in self._models:
            return self._model(self._models[shape.kind], around)
        # A model inside itself: the tree ends here.
        inside = ""
        if shape.inner is not None and _innermost(shape.inner) not in around:
            inside = self._nested(shape.inner, around)
        if shape.kind == "list":
            return f"[{inside}]"
        return f"{{'1': {inside}}}" if inside else "{}"

    def _model(self, model: ir.Model, around: tuple[str, ...]) -> str:
        if model.name in around:
            raise SpecError(
                f"{model.name} requires itself, so there is no such object", model.place
            )
        around = (*around, model.name)
        given = []
        for each in [*_shown(model, around), *self._required_by_case(model)]:
            given.append(f"{each.name}={self._property(model, each, around)}")
        return f"{self._package}.{model.name}({', '.join(given)})"

    def _property(self, model: ir.Model, each: ir.Property, around: tuple[str, ...]) -> str:
        variants = each.type.variants
        if variants:
            # As the example of the property beside it says.
            value = _property_of(model, variants.by).example.value
            if value in variants.classes:
                return self._model(self._models[variants.classes[value]], around)
        return self._value(each.type, each.example, _full_name(model, each), around)

    def _required_by_case(self, model: ir.Model) -> list[ir.Property]:
        """Return the properties that the example of another one makes required."""
        if model.cases is None:
            return []
        value = _property_of(model, model.cases.by).example.value
        case = self._models[model.cases.classes[value]]
        required = {each.wire for each in case.properties if each.required}
        return [each for each in model.properties if each.wire in required and not each.required]

    def _one_of(self, union: ir.Union, around: tuple[str, ...]) -> str:
        """Return the sample of the first class that can stand here."""
        for name in union.members:
            with suppress(SpecError):
                return self._model(self._models[name], around)
        raise SpecError(f"every {union.name} requires itself, so there is no such object")


def _shown(model: ir.Model, around: tuple[str, ...]) -> list[ir.Property]:
    """Return the properties that the sample of a model sets."""
    optional = [
        each
        for each in model.properties
        if not (
            each.required
            or each.constant is not None
            or each.deprecated
            or each.read_only
            or set(each.type.models) & set(around)
        )
    ]
    informative = {
        each.name
        for each in optional
        if not _INFORMATIVE.isdisjoint(_endings(_full_name(model, each)))
    }
    shown = [
        each
        for each in model.properties
        if each.constant is None and (each.required or each.name in informative)
    ]
    # Some objects take one of several properties, but not two of them.
    return (shown or optional[:_SHOWN])[: model.max_properties]


def _full_name(model: ir.Model, each: ir.Property) -> str:
    return f"{underscored(model.name)}_{each.name}"


def _property_of(model: ir.Model, wire: str) -> ir.Property:
    return next(each for each in model.properties if each.wire == wire)


def _moment(kind: str, example: ir.Example, name: str) -> str:
    """Return an expression for a day or timestamp, whose name says whether a period ends there."""
    day = _END if _ENDS.search(name) else _START
    if kind == "date":
        day = date.fromisoformat(example.value) if example.is_given else day
        return f"date({day.year}, {day.month}, {day.day})"
    fields = [day.year, day.month, day.day]
    if example.is_given:
        moment = datetime.fromisoformat(example.value.replace("Z", "+00:00"))
        fields = list(moment.astimezone(timezone.utc).timetuple()[:6])
    return f"datetime({', '.join(map(str, fields))}, tzinfo=timezone.utc)"


def _endings(name: str) -> list[str]:
    """Return *name* and its last words, the longest ending first."""
    words = name.split("_")
    return ["_".join(words[start:]) for start in range(len(words))]


def _innermost(shape: Shape) -> str:
    while shape.inner is not None:
        shape = shape.inner
    return shape.kind
