"""Intermediate form to the reference pages in ``docs/``: methods by domain, and models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from jinja2 import Environment

from codegen import commands, ir, markdown, notes
from codegen.loader import SpecError
from codegen.places import Place
from codegen.render import Files
from codegen.samples import examples
from codegen.shell import api_command
from codegen.tools import templates
from talon_one._core.operation import ERROR_MODEL
from talon_one.exceptions import exception_class

FOLDER = "docs"

_VARIABLES = {"api_key_v1": "TALON_ONE_API_KEY", "management_key": "TALON_ONE_MANAGEMENT_KEY"}


def render_docs(sdk: ir.Sdk) -> Files:
    """Return the reference pages.

    Raises:
        SpecError: Two pages would be one file where case does not count, as on macOS and Windows.
    """
    templates = _environment(sdk)
    pages: Files = {}
    taken: dict[str, tuple[str, Place | None]] = {}

    def write(page: str, template: str, place: Place | None = None, **values: Any) -> None:
        name = page.rpartition("/")[2]
        if other := taken.get(page.lower()):
            raise SpecError(
                f"{name} and {other[0]} would be one file where case is ignored", other[1], place
            )
        taken[page.lower()] = name, place
        text = templates.get_template(template).render(sdk=sdk, page=page, **values)
        pages[f"{FOLDER}/{page}"] = markdown.relative(text, page)

    programs = examples(sdk)
    write("reference/index.md", "reference_index.md.jinja")
    write("reference/command-line.md", "command_page.md.jinja")
    for api in sdk.apis:
        write(f"{api.name}.md", "method_table.md.jinja", api=api)
        write(f"{_folder(api)}/index.md", "api_index.md.jinja", api=api)
        for group in api.groups:
            page = f"{_folder(api)}/{group.slug}.md"
            write(page, "group_page.md.jinja", api=api, group=group, programs=programs)
    links = _Links.of(sdk)
    write("reference/models/index.md", "model_index.md.jinja", groups=by_domain(sdk.schemas))
    for model in sdk.models:
        page = markdown.model_page(model.name)
        write(page, "model_page.md.jinja", model.place, model=model, links=links)
    for union in sdk.unions:
        page = markdown.model_page(union.name)
        write(page, "union_page.md.jinja", union.place, union=union, links=links)
    for alias in sdk.aliases:
        page = markdown.model_page(alias.name)
        write(page, "alias_page.md.jinja", alias.place, alias=alias, links=links)
    return pages


def by_domain(
    schemas: Iterable[ir.Schema],
) -> dict[str, list[ir.Schema]]:
    """Return schemas by the domain that describes them, both in order of names."""
    found: dict[str, list[ir.Schema]] = defaultdict(list)
    for each in sorted(schemas, key=lambda each: each.name):
        found[each.domain or "other"].append(each)
    return dict(sorted(found.items()))


def domain_title(domain: str) -> str:
    """Return the name of a domain as a heading."""
    return domain.replace("_", " ").capitalize()


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
                returned = [response.type for response in each.responses if response.type]
                for name in {name for type in returned for name in _mentioned(type)}:
                    # The usual model of errors would list nearly every operation there is.
                    if name != ERROR_MODEL:
                        links.returned_by[name].append(link)
        for model in sdk.models:
            for name in {name for each in model.properties for name in _mentioned(each.type)}:
                links.part_of[name].append(markdown.model_link(model.name))
        for union in sdk.unions:
            for name in union.members:
                links.part_of[name].append(markdown.model_link(union.name))
        for alias in sdk.aliases:
            for name in alias.type.models:
                links.part_of[name].append(markdown.model_link(alias.name))
        return links

    def uses(self, name: str) -> list[tuple[str, Sequence[str]]]:
        """Return the kinds of use of a schema, each with its links; an unused one has none."""
        kinds = {
            "Taken by": self.taken_by,
            "Returned by": self.returned_by,
            "Part of": self.part_of,
        }
        return [(label, found[name]) for label, found in kinds.items() if name in found]


def _environment(sdk: ir.Sdk) -> Environment:
    methods = {each.id: _method(api, each) for api in sdk.apis for each in api.operations}
    # `prose` escapes what Markdown would take for its own.
    environment = templates()
    environment.filters.update(
        prose=partial(markdown.prose, methods=methods),
        cell=markdown.cell,
        code=markdown.code,
        type=markdown.type_link,
        model_link=markdown.model_link,
        domain_title=domain_title,
        api_command=api_command,
        api_title=_title,
        folder=_folder,
    )
    environment.globals.update(
        method_link=_method,
        error_model=ERROR_MODEL,
        exception=lambda status: exception_class(status).__name__,
        variables=_VARIABLES,
        settings=notes.SETTINGS,
        **{
            function.__name__: function
            for function in (
                commands.commands,
                commands.common_options,
                commands.exit_codes,
                commands.usage,
                notes.body_notes,
                notes.content_type,
                notes.credentials,
                notes.error_data,
                notes.iterated,
                notes.limits,
                notes.parameter_notes,
                notes.property_notes,
                notes.retried,
                notes.returns,
                notes.signature,
            )
        },
    )
    return environment


def _folder(api: ir.Api) -> str:
    """Return the folder of the pages of an API."""
    return f"reference/{api.module.removesuffix('_api')}"


def _title(api: ir.Api) -> str:
    """Return the name of an API as the platform writes it."""
    return f"{api.name.removesuffix('Api')} API"


def _method(api: ir.Api, operation: ir.Operation) -> str:
    """Return a link to the section of a method."""
    (group,) = [each for each in api.groups if each.name == operation.group]
    page = f"{_folder(api)}/{group.slug}.md"
    return markdown.link(markdown.code(operation.name), f"{page}#{operation.name}")


def _mentioned(type: ir.TypeRef) -> set[str]:
    variants = type.variants.classes.values() if type.variants else ()
    return {*type.models, *variants, *([type.alias] if type.alias else [])}
