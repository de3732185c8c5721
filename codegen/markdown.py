"""Texts, code, types and links as Markdown, for the templates of the reference pages."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace

from codegen import ir
from codegen.python_names import enum_values
from talon_one._schema.annotations import Shape, parse

_SCHEME = "docs:"


def link(text: str, page: str) -> str:
    """Return a link to a page.

    Args:
        text: What is shown.
        page: Path of the page below ``docs/``, with an anchor if need be. `relative` completes it.
    """
    return f"[{text}]({_SCHEME}{page})"


def relative(text: str, page: str) -> str:
    """Return the text of a page with its links relative to it.

    Args:
        text: The text, with the links of `link`.
        page: Path of the page below ``docs/``.
    """
    folder = posixpath.dirname(page)
    return re.sub(
        rf"\]\({_SCHEME}([^)#]+)",
        lambda found: f"]({posixpath.relpath(found[1], folder or '.')}",
        text,
    )


def prose(text: str, described: ir.Property | None = None, *, methods: Mapping[str, str]) -> str:
    """Return text of the description as Markdown.

    Args:
        text: The text; what stands in backticks is code.
        described: Property that the text describes. Its values are not operation IDs.
        methods: Operation IDs with links to their methods, which take the place of the IDs.
    """
    values = enum_values(described.type) if described else ()
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(
        (part if part[1:-1] in values else methods.get(part[1:-1], part))
        if part.startswith("`")
        else part.replace("<", "&lt;").replace(">", "&gt;")
        for part in parts
    )


def cell(text: str) -> str:
    """Return Markdown as it may stand in a table."""
    return " ".join(text.split()).replace("|", r"\|")


def code(text: str) -> str:
    """Return text as a code span, whatever backticks are in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"{fence}{text}{fence}"


def model_page(name: str) -> str:
    """Return the path of the page of a model or type alias."""
    return f"reference/models/{name}.md"


def model_link(name: str) -> str:
    """Return a link to the page of a model or type alias."""
    return link(code(name), model_page(name))


def type_link(type: ir.TypeRef) -> str:
    """Return a type as code, linked to the page of the schema in it."""
    if type.variants:
        alias = f"{model_link(type.alias)}, that is " if type.alias else ""
        return f"{alias}a model or {code('dict[str, Any]')}"
    if type.alias:
        return f"{model_link(type.alias)}, that is {type_link(replace(type, alias=''))}"
    written = code(_spelled(parse(type.text)))
    return link(written, model_page(type.models[0])) if type.models else written


def _spelled(shape: Shape) -> str:
    if shape.kind == "Literal":
        return type(shape.values[0]).__name__
    if shape.kind == "Union":
        return " | ".join(map(_spelled, shape.members))
    if shape.inner is None:
        return shape.kind
    inner = _spelled(shape.inner)
    return f"dict[str, {inner}]" if shape.kind == "dict" else f"list[{inner}]"
