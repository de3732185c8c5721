"""What nodes of the API description have in common: descriptions, aliases."""

from __future__ import annotations

from codegen.loader import Document


def python_aliases(node: Document) -> tuple[str, ...]:
    """Return the further Python names of a node."""
    return tuple(node.get("x-python-aliases", ()))


def prose(node: Document) -> str:
    """Return the description of a node in one line."""
    return " ".join(str(node.get("description", "")).split())


def sentence(text: str) -> str:
    """Return a text in one line that ends with a punctuation mark."""
    text = " ".join(text.split())
    return text if not text or text.endswith((".", "!", "?", ":")) else f"{text}."
