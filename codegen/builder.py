"""Merged OpenAPI document to intermediate form: puts together what the readers read."""

from __future__ import annotations

from codegen import ir
from codegen.checks import located, refuse_twins
from codegen.grammar import check
from codegen.loader import Document, SpecError
from codegen.names import module_name
from codegen.nodes import sentence
from codegen.notifications import notifications
from codegen.operations import SCHEMES_OF_TAGS, OperationReader
from codegen.places import place_of
from codegen.python_names import with_python_names
from codegen.reach import refuse_orphans
from codegen.schemas import SchemaReader
from codegen.type_refs import TypeReader
from codegen.unions import is_union


def build(document: Document, package: str) -> ir.Sdk:
    """Return the intermediate form of a document, with Python names in its texts.

    Raises the errors of `read`.
    """
    return with_python_names(read(document, package))


def read(document: Document, package: str) -> ir.Sdk:
    """Return the intermediate form of a document, with the names of the API in its texts.

    Raises:
        SpecError: The document is wrong, two things would get the same Python name, or something
            cannot be expressed.
    """
    check(document)
    types = TypeReader(document)
    models, unions, aliases = _schemas(document, SchemaReader(document, types))
    operations = _operations(document, OperationReader(document, types))
    sdk = ir.Sdk(
        package=package,
        title=document["info"]["title"],
        version=document["info"]["version"],
        models=tuple(sorted(models, key=lambda each: each.name)),
        unions=tuple(sorted(unions, key=lambda each: each.name)),
        aliases=tuple(sorted(aliases, key=lambda each: each.name)),
        apis=tuple(_apis(document, operations)),
        notifications=notifications(document["components"]["schemas"]),
    )
    refuse_orphans(document)
    return sdk


def _schemas(
    document: Document, reader: SchemaReader
) -> tuple[list[ir.Model], list[ir.Union], list[ir.Alias]]:
    models: list[ir.Model] = []
    unions: list[ir.Union] = []
    aliases: list[ir.Alias] = []
    for name, schema in document["components"]["schemas"].items():
        with located(name, schema):
            if schema.get("properties"):
                models.append(reader.model(name, schema))
            elif is_union(schema):
                unions.append(reader.union(name, schema))
            else:
                aliases.append(reader.alias(name, schema))
    schemas: list[ir.Schema] = [*models, *unions, *aliases]
    names = [(name, each.place) for each in schemas for name in (each.name, *each.aliases)]
    refuse_twins("module", [(module_name(name), place) for name, place in names])
    return models, unions, aliases


def _operations(document: Document, reader: OperationReader) -> list[ir.Operation]:
    operations = []
    for path, item in document["paths"].items():
        if not path.startswith("/"):
            raise SpecError(f"the path {path!r} does not begin with a slash", place_of(item))
        for method, node in item.items():
            with located(f"{method.upper()} {path}", item, method):
                operations.append(reader.operation(path, method, node))
    refuse_twins("operation", [(each.id, each.place) for each in operations])
    return operations


def _apis(document: Document, operations: list[ir.Operation]) -> list[ir.Api]:
    tags = {tag["name"]: tag for tag in document.get("tags", ())}
    unused = tags.keys() - SCHEMES_OF_TAGS.keys() - {each.group for each in operations}
    if unused:
        raise SpecError(f"no operation has the tag {min(unused)!r}", place_of(tags[min(unused)]))
    descriptions = {name: sentence(tag.get("description", "")) for name, tag in tags.items()}
    found = []
    for tag, scheme in SCHEMES_OF_TAGS.items():
        own = [each for each in operations if each.tag == tag]
        names = [(name, each.place) for each in own for name in (each.name, *each.aliases)]
        refuse_twins(f"method of {tag}", names)
        if own:
            found.append(
                ir.Api(
                    name=f"{tag.capitalize()}Api",
                    module=f"{tag}_api",
                    scheme=scheme,
                    description=descriptions.get(tag, ""),
                    operations=tuple(sorted(own, key=lambda each: each.name)),
                    descriptions=descriptions,
                )
            )
    return found
