"""Shape, one class that a notification of a certain type may have, and what it is known by."""

from __future__ import annotations

from typing import Any, NamedTuple


class Shape(NamedTuple):
    """One class that a notification of a certain type may have."""

    model: str
    """Name of the class."""
    items: str | None = None
    """Class of the items that it is known by."""
    key: str | None = None
    """Property that such an item has; ``None`` where any item will do."""
    value: str | None = None
    """Value of that property; ``None`` where having it is enough."""

    def fits(self, item: Any) -> bool:
        """Say whether an item is one of those that this shape is known by."""
        if self.key is None:
            return True
        if not isinstance(item, dict) or self.key not in item:
            return False
        return self.value is None or item[self.key] == self.value
