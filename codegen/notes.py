"""What the tables of the reference pages say of properties, parameters and operations, in words."""

from __future__ import annotations

import json
from typing import Any

from codegen import ir
from codegen.markdown import code, type_link
from talon_one._core.auth import SCHEMES
from talon_one._core.operation import ERROR_MODEL, IDEMPOTENCY_KEY, IDEMPOTENT_METHODS
from talon_one._schema.annotations import Shape, parse
from talon_one.endpoint import CallSettings

_CREDENTIALS = {
    "api_key_v1": "an Integration API key",
    "integration_auth": "the ID of an Application and its secret, which sign the body",
    "management_key": "a Management API key",
    "manager_auth": "the token of a user session",
}

SETTINGS = {
    "_request_timeout": (
        "`float`, a pair of them, or `talon_one.Timeout`",
        "Seconds to connect, and seconds to wait for each piece of the response. Above 0.",
    ),
    "_deadline": (
        "`float`",
        "Seconds for the whole call: all attempts, the pauses between them, and reading the"
        " response. Above 0; no deadline by default.",
    ),
    "_retries": (
        "`int`, `bool`, or `talon_one.RetryPolicy`",
        "How many retries this call may make after its first attempt. `0` or `False` allows none.",
    ),
    "_request_auth": (
        "`dict`",
        "Credential for this call alone: `{'key': 'Authorization', 'value': 'ApiKey-v1 ...'}`.",
    ),
    "_headers": ("`dict[str, str]`", "Headers for this call, in addition to those of the client."),
    "_content_type": ("`str`", "`Content-Type` of the request, in place of the usual one."),
    "_host_index": ("`int`", "Accepted for the vendor's packages, without effect."),
}
"""Keywords that every method takes: their types, and what they mean."""

if SETTINGS.keys() != CallSettings.__annotations__.keys():
    raise RuntimeError("SETTINGS describes other keywords than CallSettings declares")


# -- Properties and parameters -----------------------------------------------------------------


def property_notes(each: ir.Property) -> str:
    """Return what holds for a property of a model."""
    notes = ["deprecated"] if each.deprecated else []
    if each.required:
        notes.append("required, may be null" if each.nullable else "required")
    elif each.nullable:
        notes.append("may be null")
    if each.constant is not None:
        notes.append("set by the constructor")
    if each.wire != each.name:
        notes.append(f"wire name {code(each.wire)}")
    notes += _spellings(each.aliases)
    if each.read_only:
        notes.append("set by the server")
    if each.secret:
        notes.append("a secret, masked in `repr`")
    return _joined([*notes, *limits(each.type), *_default(each), *_example(each)])


def parameter_notes(each: ir.Parameter) -> str:
    """Return what holds for a parameter of an operation."""
    notes = ["required" if each.required else "optional"]
    if each.location == "header":
        notes.append(f"header {code(each.wire)}")
    notes += _spellings(each.aliases)
    return _joined([*notes, *limits(each.type), *_default(each), *_example(each)])


def body_notes(body: ir.Body) -> str:
    """Return what holds for the body of a request."""
    notes = ["required" if body.required else "optional"]
    return _joined([*notes, *(_spellings((body.name,)) if body.name != "body" else ())])


def limits(type: ir.TypeRef) -> list[str]:
    """Return what a value must keep to."""
    return _limits_of(parse(type.text), type.constraints)


def _spellings(names: tuple[str, ...]) -> list[str]:
    return [f"also {' or '.join(map(code, names))}"] if names else []


def _default(each: ir.Property | ir.Parameter) -> list[str]:
    # It is the server that assumes the default: what is not given is not sent.
    if each.default is None or "default" in each.description.lower():
        return []
    return [f"by default {_literal(each.default)}"]


def _example(each: ir.Property | ir.Parameter) -> list[str]:
    return [f"for example {_literal(each.example.value)}"] if each.example.is_given else []


def _limits_of(shape: Shape, constraints: dict[str, Any]) -> list[str]:
    notes = []
    if shape.values:
        notes.append("one of " + ", ".join(map(_literal, shape.values)))
    notes += _between(constraints, "minimum", "maximum", "")
    notes += _between(constraints, "min_length", "max_length", "character")
    if "pattern" in constraints:
        notes.append(f"matches {code(constraints['pattern'])}")
    notes += _between(constraints, "min_items", "max_items", "item")
    if constraints.get("unique_items"):
        notes.append("unique items")
    if shape.inner is not None:
        inside = _limits_of(shape.inner, constraints.get("items", {}))
        notes += [f"each {' and '.join(inside)}"] if inside else []
    return notes


def _between(constraints: dict[str, Any], minimum: str, limit: str, unit: str) -> list[str]:
    low, high = constraints.get(minimum), constraints.get(limit)
    above = constraints.get(f"exclusive_{minimum}", False)
    below = constraints.get(f"exclusive_{limit}", False)
    bounds = []
    if low is not None:
        bounds.append(f"{'above' if above else 'at least'} {low:,}")
    if high is not None:
        bounds.append(f"{'below' if below else 'at most'} {high:,}")
    if not bounds:
        return []
    text = " and ".join(bounds)
    if len(bounds) == 2 and not above and not below:
        text = f"exactly {low:,}" if low == high else f"{low:,} to {high:,}"
    return [f"{text} {unit}{'s' * (not text.endswith(' 1'))}" if unit else text]


def _literal(value: Any) -> str:
    # Texts look alike in all languages, and JSON quotes them as Python may.
    return code(json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value))


def _joined(notes: list[str]) -> str:
    return "; ".join(notes)


# -- Operations --------------------------------------------------------------------------------


def signature(operation: ir.Operation) -> str:
    """Return the signature of a method, with a line for each parameter if one cannot hold all."""
    given = [f"{each.name}: {each.annotation}" for each in operation.required_parameters]
    if operation.body:
        optional = "" if operation.body.required else " | None = None"
        given.append(f"body: {operation.body.annotation}{optional}")
    if operation.upload:
        optional = "" if operation.upload.required else " | None = None"
        given.append(f"{operation.upload.name}: FileInput{optional}")
    if operation.optional_parameters:
        given.append("*")
    given += [
        f"{each.name}: {each.annotation} | None = None" for each in operation.optional_parameters
    ]
    given = [each.replace("models.", "") for each in [*given, "**settings: Unpack[CallSettings]"]]
    returned = operation.return_type.replace("models.", "")
    line = f"{operation.name}({', '.join(given)}) -> {returned}"
    if len(line) <= 80:
        return line
    lines = "".join(f"    {each},\n" for each in given)
    return f"{operation.name}(\n{lines}) -> {returned}"


def returns(operation: ir.Operation) -> str:
    """Return what a method returns."""
    types = list(dict.fromkeys(type_link(each.type) for each in operation.successes if each.type))
    if not types:
        return "Nothing."
    if operation.is_csv:
        return f"{types[0]}, the text of the CSV file."
    empty = any(each.type is None for each in operation.successes)
    return " or ".join(types) + (", or `None` if the server sends nothing." if empty else ".")


def iterated(api: ir.Api, operation: ir.Operation) -> str:
    """Return how the items of a list are read one by one."""
    arguments = [each.name for each in operation.required_parameters]
    arguments += ["body"] if operation.body and operation.body.required else []
    owner = api.module.removesuffix("_api")
    return f"{owner}.iterate({', '.join([f'{owner}.{operation.name}', *arguments])})"


def retried(operation: ir.Operation) -> str:
    """Return what becomes of a call whose request was sent and whose response is missing."""
    if any(each.wire == IDEMPOTENCY_KEY for each in operation.parameters):
        return "A lost response is retried: the `Idempotency-Key` keeps it from counting twice."
    idempotent = operation.idempotent
    if idempotent is None:
        idempotent = operation.method in IDEMPOTENT_METHODS
    if idempotent:
        return "A lost response is retried: doing it twice does no more than once."
    return "A lost response is not retried, because the call might count twice."


def credentials(operation: ir.Operation) -> str:
    """Return what authorizes a call."""
    if not operation.security:
        return "None is needed."
    known = [
        f"{_CREDENTIALS.get(name, SCHEMES[name].setting)} ({code(name)})"
        for name in operation.security
    ]
    text = ", or ".join(known)
    return f"{text[0].upper()}{text[1:]}."


def content_type(operation: ir.Operation) -> str:
    """Return the content type of the request, or nothing if it has no body."""
    if operation.upload:
        return "multipart/form-data"
    return "application/json" if operation.body else ""


def error_data(response: ir.Response) -> str:
    """Return the link to the model of an error response, or nothing if it is the usual one."""
    if response.type and response.type.text != ERROR_MODEL:
        return type_link(response.type)
    return ""
