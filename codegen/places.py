"""Where the description of the API says something: the file and line of each node and key."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, NamedTuple


class Place(NamedTuple):
    """A line of the description.

    Attributes:
        file: Path of the file, relative to the folder of the description.
        line: Number of the line, from 1.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"

    @property
    def domain(self) -> str:
        """Name of the domain that the file describes; empty for the root document."""
        path = PurePosixPath(self.file)
        return path.stem if path.parent.name == "domains" else ""


class Node(dict[str, Any]):
    """A mapping of the description, which knows where it and each of its keys stand."""

    __slots__ = ("place", "places")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: dict[str, Place] = {}

    def put(self, key: str, value: Any, place: Place) -> None:
        """Set a key that stands at *place*."""
        self[key] = value
        self.places[key] = place


def place_of(thing: object, key: str = "") -> Place | None:
    """Return where something is described.

    Args:
        thing: A node, or what the generator has made of one.
        key: A key of the node. The place is that of the node if the node does not have the key.
    """
    place: Place | None = getattr(thing, "place", None)
    return thing.places.get(key, place) if isinstance(thing, Node) else place
