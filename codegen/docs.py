"""Intermediate form to the reference pages in ``docs/``."""

from __future__ import annotations

from codegen import ir
from codegen.render import Files


def render_docs(sdk: ir.Sdk) -> Files:
    """Return the reference pages: one for each API and one for each model."""
    return {}
