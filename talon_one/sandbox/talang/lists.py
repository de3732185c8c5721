"""Functions of lists that need no block."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.talang.declarations import Declaration, Function, Overload, expect
from talon_one.sandbox.talang.errors import TalangError
from talon_one.sandbox.talang.run import Run
from talon_one.sandbox.talang.values import (
    ANY,
    ATOM,
    BOOLEAN,
    DECIMAL,
    LIST,
    NULL,
    STRING,
    admit,
    kind_of,
    text_of,
)


def _list(run: Run, *elements: Any) -> list[Any]:
    return list(elements)


def _push(run: Run, elements: list[Any], *further: Any) -> list[Any]:
    run.make_list(len(elements) + len(further))
    return [*elements, *further]


def _count(run: Run, elements: list[Any]) -> Decimal:
    return Decimal(len(elements))


def _head(run: Run, elements: list[Any]) -> Any:
    return admit(elements[0]) if elements else None


def _tail(run: Run, elements: list[Any]) -> list[Any]:
    run.spend(len(elements) >> 4)
    return elements[1:]


def _drop(run: Run, elements: list[Any]) -> list[Any]:
    run.spend(len(elements) >> 4)
    return elements[:-1]


def _reverse(run: Run, elements: list[Any]) -> list[Any]:
    run.spend(len(elements) >> 4)
    return elements[::-1]


def _item(run: Run, elements: list[Any], index: Decimal) -> Any:
    if not 0 <= index < len(elements) or index != index.to_integral_value():
        raise TalangError(f"the list of {len(elements)} has no item {index}")
    return admit(elements[int(index)])


def _is_empty(run: Run, elements: list[Any]) -> bool:
    return not elements


def _numbers(run: Run, elements: list[Any]) -> list[Decimal]:
    run.spend(len(elements))
    numbers = [admit(element) for element in elements if kind_of(element) == DECIMAL]
    if not numbers:
        raise TalangError("the list has no numbers")
    return numbers


def _minimum(run: Run, elements: list[Any]) -> Decimal:
    return min(_numbers(run, elements))


def _maximum(run: Run, elements: list[Any]) -> Decimal:
    return max(_numbers(run, elements))


def _sort(run: Run, elements: list[Any], descending: bool = False) -> list[Any]:
    run.spend(len(elements) * len(elements).bit_length())
    atoms = [expect(admit(element), ATOM | NULL) for element in elements]
    keys = [text_of(atom) for atom in atoms]
    run.read_text(*keys)
    order = sorted(range(len(atoms)), key=keys.__getitem__, reverse=descending)
    return [atoms[index] for index in order]


def _split(run: Run, text: str, separator: str) -> list[str]:
    run.read_text(text, separator)
    count = text.count(separator) + 1
    run.make_list(count)
    run.spend(count)
    return text.split(separator) if separator else list(text)


def _join(run: Run, elements: list[Any], separator: str) -> str:
    run.spend(len(elements))
    texts = [expect(admit(element), STRING) for element in elements]
    run.make_text(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


_PUSH: Final = Function(Overload((LIST, ANY), _push, LIST, rest=ANY))

FUNCTIONS: Final[dict[str, Declaration]] = {
    "list": Function(Overload((), _list, LIST, rest=ANY)),
    "push": _PUSH,
    "append": _PUSH,
    "count": Function(Overload((LIST,), _count, DECIMAL)),
    "head": Function(Overload((LIST,), _head)),
    "tail": Function(Overload((LIST,), _tail, LIST)),
    "drop": Function(Overload((LIST,), _drop, LIST)),
    "reverse": Function(Overload((LIST,), _reverse, LIST)),
    "item": Function(Overload((LIST, DECIMAL), _item)),
    "isempty": Function(Overload((LIST,), _is_empty, BOOLEAN)),
    "min": Function(Overload((LIST,), _minimum, DECIMAL)),
    "max": Function(Overload((LIST,), _maximum, DECIMAL)),
    "sort": Function(Overload((LIST, BOOLEAN), _sort, LIST, optional=1)),
    "split": Function(Overload((STRING, STRING), _split, LIST)),
    "join": Function(Overload((LIST, STRING), _join, STRING)),
}
