"""Sample values as Python source, for the examples of the reference pages."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar

from codegen import ir
from codegen.checks import located
from codegen.loader import SpecError
from codegen.names import underscored
from codegen.tools import ruff
from talon_one._schema.annotations import ANY, Shape, parse
from talon_one._schema.validation import value_violations

V = TypeVar("V")

# Values by the last words of a name, in the singular; the name of a property has that of its model
# in front. The longest ending decides, and of its values the first that keeps within the limits.
_TEXTS = {
    "account": ("viewer",),
    "achievement_description": ("Buy five pairs of shoes.",),
    "achievement_name": ("FivePurchases",),
    "achievement_title": ("Five purchases",),
    "achievement_v2_description": ("Buy five pairs of shoes.",),
    "achievement_v2_name": ("FivePurchases",),
    "achievement_v2_title": ("Five purchases",),
    "action": ("setDiscount",),
    "additional_cost_description": ("Cost of the delivery.",),
    "additional_cost_name": ("Shipping",),
    "additional_cost_title": ("Shipping",),
    "application": ("editor",),
    "attribute_description": ("Size of the item.",),
    "attribute_name": ("Size",),
    "attribute_suggestion": ("XL",),
    "attribute_title": ("Size",),
    "audience_name": ("Newsletter readers",),
    "binding_name": ("discount",),
    "campaign": ("editor",),
    "card_identifier": ("card-1001", "1001"),
    "collection_description": ("Shoes on sale.",),
    "collection_name": ("Summer shoes",),
    "coupon": ("SUMMER10",),
    "coupon_code": ("SUMMER10",),
    "coupon_value": ("SUMMER10",),
    "currency": ("EUR",),
    "customer_profile_id": ("customer-1001",),
    "description": ("Ten percent off.",),
    "display": ("Ada Lovelace",),
    "draft_campaign": ("editor",),
    "email": ("ada@example.com",),
    "event_v3_request_integration_id": ("event-1001",),
    "friend_profile_integration_id": ("customer-1002",),
    "group_display_name": ("Marketing",),
    "id": ("1",),
    "integration_id": ("customer-1001",),
    "loyalty_card_id": ("card-1001",),
    "member_value": ("1",),
    "name": ("Summer sale", "SummerSale"),
    "new_card_identifier": ("card-1002", "1002"),
    "op": ("replace",),
    "password": ("correct horse battery staple",),
    "profile_id": ("customer-1001",),
    "reason": ("Goodwill of the support team",),
    "referral": ("FRIEND10",),
    "referral_code": ("FRIEND10",),
    "reset_token": ("token-from-the-email",),
    "role_v2_base_description": ("Runs the campaigns.",),
    "role_v2_base_name": ("Marketing",),
    "session_id": ("order-1001",),
    "session_integration_id": ("order-1001",),
    "sku": ("SHOES-1",),
    "status": ("active",),
    "store_description": ("In the centre of the city.",),
    "store_integration_id": ("store-berlin",),
    "store_name": ("Berlin",),
    "subledger_id": ("miles",),
    "tag": ("summer",),
    "timeframe": ("30",),
    "timezone": ("Europe/Berlin",),
    "title": ("Summer sale",),
    "token": ("token-from-the-email",),
    "tool": ("viewer",),
    "transaction_uuid": ("6f9619ff-8b86-4d01-b42d-00cf4fc964ff",),
    "type": ("page_viewed",),
    "url": ("https://example.com/hooks",),
    "user_name": ("Ada Lovelace",),
    "user_user_name": ("ada@example.com",),
}
_ANY_TEXT = ("example", "0123456789abcdef", "option:1")
_NUMBERS = {
    "limit": (100,),
    "number_of_card": (50,),
    "number_of_coupon": (50,),
    "point": (100,),
    "price": (49.9,),
    "quantity": (2,),
    "returned_cart_item_quantity": (1,),
    "target": (5,),
    "total": (99.8,),
    "usage_limit": (1,),
}
_ANY_NUMBER = (1, 0, 10, 100, 1000, 1_000_000)
# Free-form values, as source.
_LISTS = {
    "condition": "['and', ['couponValid']]",
    "effect": "[['setDiscount', 'Summer sale', 10]]",
    "expression": "['*', 2, 5]",
}
_MAPS = {
    "attribute": "{'Language': 'en'}",
    "payload": "{'sku': 'SHOES-1', 'price': 49.9}",
    "query": "{'City': 'Berlin'}",
}
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

    def expression(self, type: ir.TypeRef, name: str) -> str:
        """Return an expression of this type that passes validation.

        Args:
            type: Type of the value.
            name: Name of the value, which suggests a sample.

        Raises:
            SpecError: No sample satisfies the constraints, or a model requires itself.
        """
        return self._shaped(parse(type.text), type.constraints, name, ())

    def _arguments(self, operation: ir.Operation) -> list[str]:
        given = [
            f"{each.name}={self.expression(each.type, each.name)}"
            for each in operation.required_parameters
        ]
        if operation.body:
            given.append(f"body={self.expression(operation.body.type, operation.body.name)}")
        if operation.upload:
            given.append(f"{operation.upload.name}='import.csv'")
        return given

    def _shaped(
        self, shape: Shape, constraints: Mapping[str, Any], name: str, around: tuple[str, ...]
    ) -> str:
        """Return an expression; *around* names the models around it."""
        if shape.kind == "list":
            return self._list(shape, constraints, name, around)
        if shape.kind == "dict":
            return self._dict(shape, name, around)
        if shape.kind in self._unions:
            return self._one_of(self._unions[shape.kind], around)
        if shape.kind in self._models:
            return self._model(self._models[shape.kind], around)
        if shape.kind == "Union":
            return self._shaped(shape.members[0], constraints, name, around)
        if shape.kind == "Literal":
            return repr(shape.values[0])
        if shape.kind == "bool":
            return "False"
        if shape.kind in ("datetime", "date"):
            day = "2026, 12, 31" if _ENDS.search(name) else "2026, 1, 1"
            return (
                f"date({day})" if shape.kind == "date" else f"datetime({day}, tzinfo=timezone.utc)"
            )
        if shape.kind == "str":
            return _fitting(shape, constraints, name, (*_known(_TEXTS, name, ()), *_ANY_TEXT))
        if shape.kind in ("int", "float"):
            limits = [constraints[key] for key in ("minimum", "maximum") if key in constraints]
            candidates = (*_known(_NUMBERS, name, ()), *_ANY_NUMBER, *limits)
            return _fitting(shape, constraints, name, candidates)
        return "{}"

    def _list(
        self, shape: Shape, constraints: Mapping[str, Any], name: str, around: tuple[str, ...]
    ) -> str:
        inner = shape.inner or ANY
        if inner == ANY:
            return _known(_LISTS, name, "[]")
        # A model inside itself: the tree ends here.
        if _innermost(inner) in around:
            return "[]"
        return f"[{self._shaped(inner, constraints.get('items', {}), name, around)}]"

    def _dict(self, shape: Shape, name: str, around: tuple[str, ...]) -> str:
        inner = shape.inner or ANY
        if inner == ANY:
            return _known(_MAPS, name, "{}")
        if _innermost(inner) in around:
            return "{}"
        return f"{{'1': {self._shaped(inner, {}, name, around)}}}"

    def _model(self, model: ir.Model, around: tuple[str, ...]) -> str:
        if model.name in around:
            raise SpecError(
                f"{model.name} requires itself, so there is no such object", model.place
            )
        around = (*around, model.name)
        given = []
        for each in [*_shown(model, around), *self._required_by_case(model, around)]:
            given.append(f"{each.name}={self._property(model, each, around)}")
        return f"{self._package}.{model.name}({', '.join(given)})"

    def _property(self, model: ir.Model, each: ir.Property, around: tuple[str, ...]) -> str:
        shape, name = parse(each.type.text), _full_name(model, each)
        if each.type.variants:
            # As the sample of the property beside it says.
            by = next(one for one in model.properties if one.wire == each.type.variants.by)
            value = literal_eval(self._property(model, by, around))
            if value in each.type.variants.classes:
                return self._model(self._models[each.type.variants.classes[value]], around)
        return self._shaped(shape, each.type.constraints, name, around)

    def _required_by_case(self, model: ir.Model, around: tuple[str, ...]) -> list[ir.Property]:
        """Return the properties that the sample of another one makes required."""
        if model.cases is None:
            return []
        (by,) = [each for each in model.properties if each.wire == model.cases.by]
        case = self._models[model.cases.classes[literal_eval(self._property(model, by, around))]]
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


def _known(known: Mapping[str, V], name: str, otherwise: V) -> V:
    """Return the entry for the longest ending of *name* in the singular."""
    singular = re.sub(r"(?<!s)(?<!tu)s$", "", name)
    return next((known[ending] for ending in _endings(singular) if ending in known), otherwise)


def _endings(name: str) -> list[str]:
    """Return *name* and its last words, the longest ending first."""
    words = name.split("_")
    return ["_".join(words[start:]) for start in range(len(words))]


def _fitting(
    shape: Shape, constraints: Mapping[str, Any], name: str, candidates: tuple[Any, ...]
) -> str:
    """Return the first candidate that satisfies the constraints."""
    for value in candidates:
        if not value_violations(shape.kind, constraints, value):
            return repr(value)
    raise SpecError(f"no sample of {name!r} fits {dict(constraints)}: codegen/samples.py needs one")


def _innermost(shape: Shape) -> str:
    while shape.inner is not None:
        shape = shape.inner
    return shape.kind
