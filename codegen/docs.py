"""Intermediate form to the reference pages in ``docs/``, one for each API and each schema."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from jinja2 import Environment

from codegen import ir
from codegen.loader import SpecError
from codegen.render import Files
from codegen.samples import examples
from codegen.tools import templates
from talon_one._core.auth import SCHEMES
from talon_one._core.operation import ERROR_MODEL
from talon_one._schema.annotations import Shape, parse
from talon_one.exceptions import exception_class

FOLDER = "docs"

_CREDENTIALS = {
    "api_key_v1": "an Integration API key",
    "integration_auth": "the ID of an Application and its secret, which sign the body",
    "management_key": "a Management API key",
    "manager_auth": "the token of a user session",
}
_VARIABLES = {"api_key_v1": "TALON_ONE_API_KEY", "management_key": "TALON_ONE_MANAGEMENT_KEY"}


def render_docs(sdk: ir.Sdk) -> Files:
    """Return the reference pages.

    Raises:
        SpecError: Two pages would be one file where case does not count, as on macOS and Windows.
    """
    templates = _environment(sdk)
    links = _Links.of(sdk)
    pages: Files = {}
    taken: dict[str, str] = {}

    def write(name: str, template: str, **values: Any) -> None:
        page = f"{name}.md"
        if name.lower() in taken:
            other = taken[name.lower()]
            raise SpecError(f"{page} and {other} would be one file where case is ignored")
        taken[name.lower()] = page
        pages[f"{FOLDER}/{page}"] = templates.get_template(template).render(sdk=sdk, **values)

    programs = examples(sdk)
    for api in sdk.apis:
        write(api.name, "api_page.md.jinja", api=api, programs=programs)
    for model in sdk.models:
        write(model.name, "model_page.md.jinja", model=model, links=links)
    for alias in sdk.aliases:
        write(alias.name, "alias_page.md.jinja", alias=alias, links=links)
    return pages


@dataclass
class _Links:
    """Where each schema is used, as links, by the name of the schema."""

    taken_by: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    returned_by: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    part_of: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, sdk: ir.Sdk) -> _Links:
        links = cls()
        for api in sdk.apis:
            for each in api.operations:
                link = _method(api, each)
                if each.body:
                    for name in {*_mentioned(each.body.type), *each.body.also}:
                        links.taken_by[name].append(link)
                returned = [answer.type for answer in each.answers if answer.type]
                for name in {name for type in returned for name in _mentioned(type)}:
                    # The usual model of errors would list nearly every operation there is.
                    if name != ERROR_MODEL:
                        links.returned_by[name].append(link)
        for model in sdk.models:
            for name in {name for each in model.properties for name in _mentioned(each.type)}:
                links.part_of[name].append(f"[`{model.name}`]({model.name}.md)")
        for alias in sdk.aliases:
            for name in alias.type.models:
                links.part_of[name].append(f"[`{alias.name}`]({alias.name}.md)")
        return links


def _environment(sdk: ir.Sdk) -> Environment:
    methods = {each.id: _method(api, each) for api in sdk.apis for each in api.operations}
    # `prose` escapes what Markdown would take for its own.
    environment = templates()
    environment.filters.update(
        prose=partial(prose, methods=methods), cell=cell, code=code, type=_type
    )
    environment.globals.update(
        content_type=_content_type,
        error_model=ERROR_MODEL,
        error_data=_error_data,
        iterated=_iterated,
        exception=lambda status: exception_class(status).__name__,
        credentials=_credentials,
        body_notes=_body_notes,
        parameter_notes=_parameter_notes,
        property_notes=_property_notes,
        limits=_limits,
        returns=_returns,
        variables=_VARIABLES,
    )
    return environment


# -- Markdown ----------------------------------------------------------------------------------


def prose(text: str, methods: Mapping[str, str]) -> str:
    """Return text of the description as Markdown.

    Args:
        text: The text; what stands in backticks is code.
        methods: Operation IDs with links to their methods, which take the place of the IDs.
    """
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(
        methods.get(part[1:-1], part)
        if part.startswith("`")
        else part.replace("<", "&lt;").replace(">", "&gt;")
        for part in parts
    )


def cell(text: str) -> str:
    """Return Markdown as it may stand in a table."""
    return " ".join(text.split()).replace("|", r"\|")


def code(text: str) -> str:
    """Return text as a code span, whatever backticks are in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"{fence}{text}{fence}"


def _method(api: ir.Api, operation: ir.Operation) -> str:
    """Return a link to the section of a method."""
    return f"[`{operation.name}`]({api.name}.md#{operation.name})"


def _type(type: ir.TypeRef) -> str:
    """Return a type as code, linked to the page of the schema in it."""
    if type.variants:
        alias = f"[{code(type.alias)}]({type.alias}.md), that is " if type.alias else ""
        return f"{alias}a model or {code('dict[str, Any]')}"
    if type.alias:
        return f"[{code(type.alias)}]({type.alias}.md), that is {_type(replace(type, alias=''))}"
    written = code(_spelled(parse(type.text)))
    return f"[{written}]({type.models[0]}.md)" if type.models else written


def _spelled(shape: Shape) -> str:
    if shape.kind == "Literal":
        return type(shape.values[0]).__name__
    if shape.inner is None:
        return shape.kind
    inner = _spelled(shape.inner)
    return f"dict[str, {inner}]" if shape.kind == "dict" else f"list[{inner}]"


# -- Notes -------------------------------------------------------------------------------------


def _property_notes(each: ir.Property) -> str:
    notes = ["deprecated"] if each.deprecated else []
    if each.required:
        notes.append("required, may be null" if each.nullable else "required")
    elif each.nullable:
        notes.append("may be null")
    if each.wire != each.name:
        notes.append(f"wire name {code(each.wire)}")
    notes += _spellings(each.aliases)
    if each.read_only:
        notes.append("set by the server")
    if each.secret:
        notes.append("a secret, masked in `repr`")
    return _joined([*notes, *_limits(each.type), *_default(each)])


def _parameter_notes(each: ir.Parameter) -> str:
    notes = ["required" if each.required else "optional"]
    if each.location == "header":
        notes.append(f"header {code(each.wire)}")
    notes += _spellings(each.aliases)
    return _joined([*notes, *_limits(each.type), *_default(each)])


def _body_notes(body: ir.Body) -> str:
    notes = ["required" if body.required else "optional"]
    return _joined([*notes, *(_spellings((body.name,)) if body.name != "body" else ())])


def _spellings(names: tuple[str, ...]) -> list[str]:
    return [f"also {' or '.join(map(code, names))}"] if names else []


def _default(each: ir.Property | ir.Parameter) -> list[str]:
    # It is the server that assumes the default: what is not given is not sent.
    if each.default is None or "default" in each.description.lower():
        return []
    return [f"by default {_literal(each.default)}"]


def _limits(type: ir.TypeRef) -> list[str]:
    """Return what a value must keep to, in words."""
    return _limits_of(parse(type.text), type.constraints)


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
        notes.append("no item twice")
    if shape.inner is not None:
        inside = _limits_of(shape.inner, constraints.get("items", {}))
        notes += [f"each {' and '.join(inside)}"] if inside else []
    return notes


def _between(constraints: dict[str, Any], least: str, most: str, unit: str) -> list[str]:
    low, high = constraints.get(least), constraints.get(most)
    above = constraints.get(f"exclusive_{least}", False)
    below = constraints.get(f"exclusive_{most}", False)
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
    return code(f'"{value}"' if isinstance(value, str) else repr(value))


def _joined(notes: list[str]) -> str:
    return "; ".join(notes)


# -- Operations --------------------------------------------------------------------------------


def _returns(operation: ir.Operation) -> str:
    """Return what a method returns, in words."""
    types = list(dict.fromkeys(_type(each.type) for each in operation.successes if each.type))
    if not types:
        return "Nothing."
    if operation.is_csv:
        return f"{types[0]}, the text of the CSV file."
    empty = any(each.type is None for each in operation.successes)
    return " or ".join(types) + (", or `None` if the server sends nothing." if empty else ".")


def _iterated(api: ir.Api, operation: ir.Operation) -> str:
    """Return how the items of a list are got one by one."""
    arguments = [each.name for each in operation.required_parameters]
    arguments += ["body"] if operation.body and operation.body.required else []
    owner = api.module.removesuffix("_api")
    return f"{owner}.iterate({', '.join([f'{owner}.{operation.name}', *arguments])})"


def _credentials(operation: ir.Operation) -> str:
    """Return what authorizes a call, in words."""
    if not operation.security:
        return "None is needed."
    known = [
        f"{_CREDENTIALS.get(name, SCHEMES[name].setting)} ({code(name)})"
        for name in operation.security
    ]
    text = ", or ".join(known)
    return f"{text[0].upper()}{text[1:]}."


def _content_type(operation: ir.Operation) -> str:
    """Return the content type of the request, or nothing if it has no body."""
    if operation.upload:
        return "multipart/form-data"
    return "application/json" if operation.body else ""


def _error_data(answer: ir.RawResponse) -> str:
    """Return the link to the model of an error answer, or nothing if it is the usual one."""
    return _type(answer.type) if answer.type and answer.type.text != ERROR_MODEL else ""


def _mentioned(type: ir.TypeRef) -> set[str]:
    variants = type.variants.classes.values() if type.variants else ()
    return {*type.models, *variants, *([type.alias] if type.alias else [])}
