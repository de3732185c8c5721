"""Names of the API in prose become the names that Python code uses."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from codegen import ir
from talon_one._schema.annotations import Shape, parse

_SPAN = re.compile(r"`([^`]+)`")
# A name alone, or compared with something: `endDate`, `skipDuplicates=true`, `counter < limit`.
_TERM = re.compile(r'(?P<name>\w+)(?:(?P<operator> ?[<>=]+ ?)(?P<value>\w+|""))?')
_BOOLEANS = {"true": "True", "false": "False"}
# The values of this parameter are wire names.
_SORT = "sort"


def with_python_names(sdk: ir.Sdk) -> ir.Sdk:
    """Return the SDK with Python names in the texts of its operations.

    A code span with the wire name of a parameter of the operation, or of a property of its request
    or response, gets the Python name. Values of enumerations and columns of CSV files stay. So do
    the texts of models: JSON schemas use them as descriptions.
    """
    models = {each.name: each for each in sdk.models}
    return replace(
        sdk,
        apis=tuple(
            replace(api, operations=tuple(_operation(each, models) for each in api.operations))
            for api in sdk.apis
        ),
    )


def with_method_names(text: str, methods: Mapping[str, str], values: Collection[str] = ()) -> str:
    """Return prose with the names of methods in place of operation IDs.

    Args:
        text: The prose.
        methods: Operation ID to name of the method.
        values: Values of the property that the text describes, which stay even if an operation has
            such an ID.
    """

    def named(span: re.Match[str]) -> str:
        return span[0] if span[1] in values else f"`{methods.get(span[1], span[1])}`"

    return _SPAN.sub(named, text)


def enum_values(type: ir.TypeRef) -> set[str]:
    """Return the texts of an enumeration, which may be that of the items of a list."""
    return set(_values(parse(type.text)))


def _operation(operation: ir.Operation, models: Mapping[str, ir.Model]) -> ir.Operation:
    names = _names(operation, models)

    def parameter(each: ir.Parameter) -> ir.Parameter:
        if each.name == _SORT:
            return each
        words = {**names, **_BOOLEANS} if each.type.text == "bool" else names
        return replace(each, description=_translated(each.description, words))

    body, upload = operation.body, operation.upload
    return replace(
        operation,
        summary=_translated(operation.summary, names),
        description=_translated(operation.description, names),
        parameters=tuple(parameter(each) for each in operation.parameters),
        body=body and replace(body, description=_translated(body.description, names)),
        upload=upload and replace(upload, description=_translated(upload.description, names)),
    )


def _translated(text: str, names: Mapping[str, str]) -> str:
    def translated(span: re.Match[str]) -> str:
        term = _TERM.fullmatch(span[1])
        if term is None or term["name"] not in names:
            return span[0]
        name = names[term["name"]]
        if term["operator"] is None:
            return f"`{name}`"
        value = {**names, **_BOOLEANS}.get(term["value"], term["value"])
        return f"`{name}{term['operator']}{value}`"

    return _SPAN.sub(translated, text)


def _names(operation: ir.Operation, models: Mapping[str, ir.Model]) -> dict[str, str]:
    """Return wire name to Python name, without those that mean several things.

    Where a parameter and a property have the same wire name, the text is about the parameter.
    """
    body = operation.body
    sent = {*body.type.models, *body.also} if body else set()
    received = {name for each in operation.successes if each.type for name in each.type.models}
    # Headers are named as HTTP knows them.
    groups: list[list[ir.Parameter] | list[ir.Property]] = [
        [each for each in operation.parameters if each.location != "header"],
        *(list(_properties(roots, models)) for roots in (sent, received)),
    ]
    names: dict[str, str] = {}
    for group in groups:
        found: dict[str, set[str]] = defaultdict(set)
        for each in group:
            found[each.wire].add(each.name)
        for wire, spelled in found.items():
            if len(spelled) == 1:
                names.setdefault(wire, *spelled)
    texts = {each.type.text for group in groups for each in group}
    kept = {value for text in texts for value in _values(parse(text))}
    kept |= {each.name for each in operation.csv.columns} if operation.csv else set()
    return {wire: name for wire, name in names.items() if wire not in kept}


def _properties(roots: Iterable[str], models: Mapping[str, ir.Model]) -> Iterator[ir.Property]:
    """Yield the properties of models and of everything inside them."""
    waiting, seen = list(roots), set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in models:
            continue
        seen.add(name)
        for each in models[name].properties:
            yield each
            waiting += each.type.models


def _values(shape: Shape) -> Iterator[str]:
    """Yield the texts of an enumeration, which may be that of the items of a list."""
    yield from (value for value in shape.values if isinstance(value, str))
    if shape.inner is not None:
        yield from _values(shape.inner)
