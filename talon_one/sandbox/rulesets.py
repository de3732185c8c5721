"""Rulesets of campaigns: compiled before they are stored, so that mistakes never get in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one.sandbox import defaults
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.rules.compile import compile_ruleset
from talon_one.sandbox.rules.compiled import RulesetError
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State


def add_ruleset(
    state: State, campaign: Document, described: Mapping[str, Any], now: str
) -> Document:
    """Store a ruleset as the active one of a campaign, and return it.

    Args:
        state: The state.
        campaign: The campaign; its `activeRulesetId` is changed and saved.
        described: The ruleset in the form of `getRulesetV2` or `getRuleset`.
        now: Moment of its activation.

    Raises:
        RulesetError: If a part of it cannot be evaluated.
    """
    compile_ruleset({"id": 0, **described})
    times = {"created": now, "activatedAt": now}
    ruleset = state.rulesets.add(
        {**times, **defaults.of("rulesets"), **described, "campaignId": campaign["id"]}
    )
    campaign["activeRulesetId"] = ruleset["id"]
    state.campaigns.save(campaign)
    return ruleset


def activate_ruleset(
    state: State, campaign: Document, described: Mapping[str, Any], now: str
) -> Document:
    """Store a ruleset that a request describes; its ID is a new one.

    Raises:
        ApiError: 400 with every part that the sandbox cannot evaluate, and its place.
    """
    given = {name: value for name, value in described.items() if name != "id"}
    check_ruleset(given)
    return add_ruleset(state, campaign, given, now)


def check_ruleset(described: Mapping[str, Any]) -> None:
    """Check a ruleset that a request describes.

    Raises:
        ApiError: 400 with every part that the sandbox cannot evaluate, and its place.
    """
    try:
        compile_ruleset({**described, "id": 0})
    except RulesetError as cause:
        raise invalid(
            *(Problem("Rule", each.message, each.pointer) for each in cause.mistakes)
        ) from cause
