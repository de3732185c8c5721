"""Checks of a spec: names that are reserved, unknown, or given twice."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from codegen import ir
from codegen.loader import SpecError
from codegen.names import is_usable
from talon_one._schema.model import Model
from talon_one.endpoint import Api, CallSettings

# Names that a class must not have, because the generated modules use them.
RESERVED_CLASSES = frozenset(
    {"Any", "Api", "CallSettings", "FileInput", "Literal", "Model", "TypeAlias", "Unpack"}
)
# Methods of models that a property may replace, because this package does not call them.
YIELDING_METHODS = frozenset({"items", "values"})
# Names that a property must not have, because every model, or its constructor, has them.
RESERVED_PROPERTIES = frozenset({"self", *dir(Model)}) - YIELDING_METHODS
# Names that a method must not have, because every API has them or generated code uses them.
RESERVED_METHODS = frozenset(
    {"api_client", "endpoint", "operations", "with_http_info", "without_preload_content"}
    | {"column", "header", "path", "query"}
    | {"aiohttp", "deprecated", "models", "talon_one"}
    | {"bool", "date", "datetime", "dict", "float", "int", "list", "str"}
    | set(dir(Api))
)
# Names that a parameter must not have, because every method has them.
RESERVED_PARAMETERS = frozenset(
    {"self", "body", "settings", "async_req", "_preload_content", "_return_http_data_only"}
    | set(CallSettings.__annotations__)
)


@contextmanager
def located(place: str) -> Iterator[None]:
    """Put *place* in front of the message of an error in this block."""
    try:
        yield
    except SpecError as cause:
        raise SpecError(f"{place}: {cause}") from cause
    except KeyError as cause:
        raise SpecError(f"{place}: {cause} is missing") from cause


def refuse_twins(what: str, names: list[str]) -> None:
    """Refuse a list in which a name occurs twice."""
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SpecError(f"two things would be the {what} {min(twice)!r}")


def refuse_unknown(what: str, names: Iterable[str], known: Collection[str]) -> None:
    """Refuse names that are not among the known ones."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise SpecError(f"{what} knows no {unknown[0]!r}")


def refuse_unusable(names: Iterable[str], reserved: frozenset[str]) -> None:
    """Refuse names that are no identifiers, or reserved."""
    for name in names:
        if not is_usable(name, reserved):
            raise SpecError(f"the Python name {name!r} is reserved, or is no identifier")


def refuse_hiding(properties: Sequence[ir.Property]) -> None:
    """Refuse a property whose name hides a name that a property below it needs."""
    hidden: set[str] = set()
    for each in properties:
        annotation = each.type.annotation.partition("Literal")[0]
        needed = {each.function, *re.findall(r"\w+", annotation)} & hidden
        if needed:
            raise SpecError(f"{min(needed)!r} needs an x-python-name, for it hides that name")
        hidden.add(each.name)
