"""The record of the last evaluation of a session, which explains its effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from talon_one.sandbox.rules.outcome import Evaluation

Record: TypeAlias = dict[str, Any]
"""An evaluation: `event` that caused it, its moment `created`, and the traces of `campaigns`."""


def record_of(event: Mapping[str, Any], evaluation: Evaluation) -> Record:
    """Return the record of an evaluation that an event caused."""
    return {
        "event": event["type"],
        "created": event["created"],
        "campaigns": evaluation.traces,
    }


def merged(before: Record | None, after: Record) -> Record:
    """Return a record with the campaigns of a partial evaluation in place of those before it.

    A return evaluates only some campaigns again.
    """
    again = {each["id"] for each in after["campaigns"]}
    kept = [each for each in (before or {}).get("campaigns", ()) if each["id"] not in again]
    return {**after, "campaigns": [*after["campaigns"], *kept]}
