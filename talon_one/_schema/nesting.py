"""Convert, copy, compare and pickle data of any depth, without recursion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from talon_one.exceptions import ApiValueError

if TYPE_CHECKING:
    from talon_one._schema.model import Model

MAX_DEPTH = 30_000
"""Depth from which data count as circular."""
_MAX_PICKLE_DEPTH = 100
"""Depth that the recursive `pickle` can handle from anywhere."""
_SHOWN_LEVELS = 8

# Most values have one of these types and need no copy.
_ATOMS = frozenset({str, int, float, bool, type(None)})


def is_model(value: Any) -> bool:
    """Return whether this is a `Model`, without importing its module."""
    return hasattr(type(value), "__wire__")


def converted(value: Any, one_level: Callable[[Any], Any]) -> Any:
    """Return *value* with each value inside it converted.

    Args:
        value: Data nested to any depth.
        one_level: Converts one value; for a container it returns a new dict or list, whose values
            are converted afterwards.

    Raises:
        ApiValueError: The data contain themselves.
    """
    result = one_level(value)
    pending = [(result, 0)] if type(result) in _CONTAINERS else []
    while pending:
        container, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise ApiValueError("the data are nested too deeply, or contain themselves")
        for key, item in container.items() if type(container) is dict else enumerate(container):
            if type(item) not in _ATOMS:
                # The keys stay the same, so the container may be changed during iteration.
                made = container[key] = one_level(item)
                if type(made) in _CONTAINERS:
                    pending.append((made, depth + 1))
    return result


def copied(data: dict[str, Any], memo: dict[int, Any]) -> dict[str, Any]:
    """Return a deep copy of a JSON object, with the *memo* of `copy.deepcopy`."""
    result: dict[str, Any] = {}
    memo[id(data)] = result
    pending: list[tuple[Any, Any]] = [(data, result)]
    while pending:
        source, target = pending.pop()
        entries: Iterable[tuple[Any, Any]]
        entries = source.items() if type(source) is dict else enumerate(source)
        for key, item in entries:
            if type(item) in _ATOMS:
                made = item
            elif id(item) in memo:
                made = memo[id(item)]
            elif is_model(item):
                inner: dict[str, Any] = {}
                made = memo[id(item)] = item._like(inner)
                pending.append((item.__wire__(), inner))
            elif type(item) in _CONTAINERS:
                made = memo[id(item)] = type(item)()
                pending.append((item, made))
            else:
                made = deepcopy(item, memo)
            if type(target) is dict:
                target[key] = made
            else:
                target.append(made)
    return result


def equal_json(one: Any, other: Any) -> bool:
    """Return whether two values mean the same JSON.

    Models are compared by the values of their properties: a timestamp may be text on one side and
    a datetime on the other, and an object may be wrapped on one side only.
    """
    pairs = [(one, other)]
    # Pairs that are being, or have been, compared: data may be circular.
    seen: set[tuple[int, int]] = set()
    while pairs:
        first, second = pairs.pop()
        if first is second or (id(first), id(second)) in seen:
            continue
        if _is_object(first) and _is_object(second):
            ours, theirs = _data_of(first), _data_of(second)
            if ours.keys() != theirs.keys():
                return False
            seen.add((id(first), id(second)))
            pairs += [
                (first[key], second[key])
                for key, value in ours.items()
                # Comparing identity is faster than reading a property.
                if type(value) not in _ATOMS or value != theirs[key]
            ]
        elif isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
            if len(first) != len(second):
                return False
            seen.add((id(first), id(second)))
            pairs += zip(first, second, strict=True)
        elif first != second:
            return False
    return True


def truncated(value: Any, levels: int = _SHOWN_LEVELS) -> Any:
    """Return *value* with dots in place of levels that are too deep to show."""
    if not _is_container(value):
        return value
    if not levels:
        return ...
    if type(value) is list:
        return [truncated(item, levels - 1) for item in value]
    data = value if type(value) is dict else value.__wire__()
    shown = {key: truncated(item, levels - 1) for key, item in data.items()}
    return shown if type(value) is dict else value._like(shown)


# -- Pickles -----------------------------------------------------------------------------------


class Place(int):
    """Index of a container in a flat list, in place of the container."""


Flat = list[tuple["type[Model] | None", Any]]
"""Containers with their model classes; inner containers are replaced with a `Place`."""


def is_deep(data: Any) -> bool:
    """Return whether data may be too deep for `pickle`.

    Data with a repeated container count as deep, because they may be circular.
    """
    level = [data]
    seen = {id(data)}
    for _ in range(_MAX_PICKLE_DEPTH):
        level = [
            _inside(item)
            for each in level
            for item in (each.values() if type(each) is dict else each)
            if _is_container(item)
        ]
        if not level:
            return False
        before = len(seen)
        seen.update(map(id, level))
        if len(seen) < before + len(level):
            return True
    return True


def flattened(data: dict[str, Any]) -> Flat:
    """Return all containers of *data* in a list, in which they refer to each other by index."""
    places = {id(data): 0}
    found: Flat = [(None, data)]
    for _, container in found:  # The list grows during iteration.
        for item in container.values() if type(container) is dict else container:
            if _is_container(item) and id(item) not in places:
                places[id(item)] = len(found)
                cls = None if type(item) in _CONTAINERS else type(item)
                found.append((cls, _inside(item)))

    def reference(item: Any) -> Any:
        return Place(places[id(item)]) if _is_container(item) else item

    return [
        (
            cls,
            {key: reference(item) for key, item in container.items()}
            if type(container) is dict
            else [reference(item) for item in container],
        )
        for cls, container in found
    ]


def restored(flat: Flat) -> dict[str, Any]:
    """Return the data that `flattened` has flattened."""
    whole = [container if cls is None else cls._wrap(container) for cls, container in flat]
    for _, container in flat:
        for key, item in container.items() if type(container) is dict else enumerate(container):
            if type(item) is Place:
                container[key] = whole[item]
    data: dict[str, Any] = flat[0][1]
    return data


def _is_container(value: Any) -> bool:
    return type(value) in _CONTAINERS or is_model(value)


def _inside(container: Any) -> Any:
    return container if type(container) in _CONTAINERS else container.__wire__()


def _data_of(value: Any) -> dict[str, Any]:
    data: dict[str, Any] = value if isinstance(value, dict) else value.__wire__()
    return data


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) or is_model(value)


_CONTAINERS = frozenset({dict, list})
