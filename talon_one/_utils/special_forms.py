"""Typing features that Python 3.10 lacks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Self as Self
    from typing_extensions import Unpack as Unpack
    from typing_extensions import deprecated as deprecated
else:
    T = TypeVar("T")

    if sys.version_info >= (3, 11):
        from typing import Self, Unpack
    else:
        Self = TypeVar("Self")

        class Unpack(Generic[T]):
            """Stand-in that can be subscripted."""

    def deprecated(message: str) -> Callable[[T], T]:
        """Mark a function as PEP 702 does, without its warning: `ApiClient` warns of calls."""

        def mark(function: Any) -> Any:
            function.__deprecated__ = message
            return function

        return mark
