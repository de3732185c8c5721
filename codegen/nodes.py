"""What nodes of the API description have in common: descriptions, aliases."""

from __future__ import annotations

from codegen.loader import Document, SpecError
from codegen.places import place_of


def python_aliases(node: Document) -> tuple[str, ...]:
    """Return the further Python names of a node."""
    names = node.get("x-python-aliases", [])
    if not isinstance(names, list):
        raise SpecError(
            f"x-python-aliases must be a list, not {names!r}", place_of(node, "x-python-aliases")
        )
    return tuple(names)


def prose(node: Document) -> str:
    """Return the description of a node in one line."""
    return " ".join(str(node.get("description", "")).split())


def sentence(text: str) -> str:
    """Return a text in one line that ends with a punctuation mark."""
    text = " ".join(text.split())
    return text if not text or text.endswith((".", "!", "?", ":")) else f"{text}."
