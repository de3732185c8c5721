"""Constructors explain which argument is missing, unknown, surplus or given twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from talon_one import ApiTypeError
from talon_one._core.constructors import checks_arguments


class Shop:
    @checks_arguments("('a', door='b')")
    def __init__(self, name: str, size: int = 1, *, door: str, window: str = "") -> None:
        self.given = (name, size, door, window)


class Stall:
    @checks_arguments("('a')")
    def __init__(self, name: str) -> None:
        self.given = (name,)


class Tent:
    @checks_arguments("(pole='a')")
    def __init__(self, *, pole: str) -> None:
        self.given = (pole,)


SHOP: Any = Shop
STALL: Any = Stall
TENT: Any = Tent


@pytest.mark.parametrize(
    ("make", "given"),
    [
        (lambda: SHOP("a", door="b"), ("a", 1, "b", "")),
        (lambda: SHOP("a", 2, door="b", window="c"), ("a", 2, "b", "c")),
        (lambda: SHOP(door="b", name="a", size=3), ("a", 3, "b", "")),
        (lambda: STALL("a"), ("a",)),
        (lambda: STALL(name="a"), ("a",)),
        (lambda: TENT(pole="a"), ("a",)),
    ],
)
def test_arguments_that_fit_are_passed_on(
    make: Callable[[], Any], given: tuple[object, ...]
) -> None:
    assert make().given == given


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: SHOP(door="b"), "Shop needs the argument 'name'."),
        (lambda: SHOP("a"), "Shop needs the argument 'door'."),
        (lambda: SHOP("a", 2, "b"), "Shop takes 2 arguments by position, not 3."),
        (lambda: SHOP("a", name="a", door="b"), "Shop got 'name' twice."),
        (lambda: SHOP("a", 2, size=2, door="b"), "Shop got 'size' twice."),
        (lambda: SHOP("a", dor="b"), "Shop has no argument 'dor'. Did you mean 'door'?"),
        (lambda: STALL(), "Stall needs the argument 'name'."),
        (lambda: STALL("a", "b"), "Stall takes 1 argument by position, not 2."),
        (lambda: TENT(), "Tent needs the argument 'pole'."),
        (lambda: TENT("a"), "Tent takes 0 arguments by position, not 1."),
    ],
)
def test_arguments_that_do_not_fit_are_explained(make: Callable[[], Any], problem: str) -> None:
    with pytest.raises(ApiTypeError) as caught:
        make()
    assert str(caught.value).startswith(problem)
    assert "Write " in str(caught.value)
