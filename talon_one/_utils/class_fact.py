"""ClassFact: a value computed from a class, readable on the class and on its instances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class ClassFact(Generic[T]):
    """A read-only attribute whose value a function computes from the class, on each access.

    Args:
        compute: The function, which gets the class.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, instance: object, owner: Any) -> T:
        return self._compute(owner)
