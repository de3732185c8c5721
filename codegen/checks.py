"""What a spec may not say: names that are reserved, or that two things would have."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from codegen import ir
from codegen.loader import SpecError
from codegen.names import is_usable
from talon_one._schema.model import Model
from talon_one.endpoint import Api, CallSettings

# Names that a class may not take, because the generated modules use them.
RESERVED_CLASSES = frozenset(
    {"Any", "Api", "CallSettings", "FileInput", "Literal", "Model", "TypeAlias", "Unpack"}
)
# Methods of models that give way to a property of their name, since nothing of ours needs them.
YIELDING_METHODS = frozenset({"items", "values"})
# Names that a property may not take, because every model, or its constructor, has them.
RESERVED_PROPERTIES = frozenset({"self", *dir(Model)}) - YIELDING_METHODS
# Names that a method may not take, because every API has them or the lines below it need them.
RESERVED_METHODS = frozenset(
    {"api_client", "endpoint", "operations", "with_http_info", "without_preload_content"}
    | {"column", "header", "path", "query"}
    | {"aiohttp", "deprecated", "models", "talon_one"}
    | {"bool", "date", "datetime", "dict", "float", "int", "list", "str"}
    | set(dir(Api))
)
# Names that a parameter may not take, because every method has them.
RESERVED_PARAMETERS = frozenset(
    {"self", "body", "settings", "async_req", "_preload_content", "_return_http_data_only"}
    | set(CallSettings.__annotations__)
)


@contextmanager
def located(place: str) -> Iterator[None]:
    """Put *place* in front of what is wrong, or missing, there."""
    try:
        yield
    except SpecError as cause:
        raise SpecError(f"{place}: {cause}") from cause
    except KeyError as cause:
        raise SpecError(f"{place}: {cause} is missing") from cause


def refuse_twins(what: str, names: list[str]) -> None:
    """Refuse names of which one stands for two things."""
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SpecError(f"two things would be the {what} {min(twice)!r}")


def refuse_unknown(what: str, names: Iterable[str], known: Collection[str]) -> None:
    """Refuse names that are not among those that are known."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise SpecError(f"{what} knows no {unknown[0]!r}")


def refuse_unusable(names: Iterable[str], reserved: frozenset[str]) -> None:
    """Refuse names that cannot stand in Python, or are taken."""
    for name in names:
        if not is_usable(name, reserved):
            raise SpecError(f"the Python name {name!r} is reserved, or is no identifier")


def refuse_hiding(properties: Sequence[ir.Property]) -> None:
    """Refuse a property whose name hides, from those below it, what they are written with."""
    hidden: set[str] = set()
    for each in properties:
        annotation = each.type.annotation.partition("Literal")[0]
        needed = {each.function, *re.findall(r"\w+", annotation)} & hidden
        if needed:
            raise SpecError(f"{min(needed)!r} needs an x-python-name, for it hides that name")
        hidden.add(each.name)
