"""Shape: a class that notifications of a certain type may have, and how to recognize it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Shape(NamedTuple):
    """A class that notifications of a certain type may have."""

    model: str
    """Name of the class."""
    items: str | None = None
    """Class of the items that identify it."""
    key: str | None = None
    """Property that such an item has; ``None`` if any item fits."""
    value: str | None = None
    """Value of that property; ``None`` if any value fits."""

    def fits(self, item: Any) -> bool:
        """Return whether an item identifies this shape."""
        if self.key is None:
            return True
        if not isinstance(item, dict) or self.key not in item:
            return False
        return self.value is None or item[self.key] == self.value
