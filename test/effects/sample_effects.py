"""Sample effects and responses, in the form that servers send."""

from __future__ import annotations

import json
from typing import Any

from talon_one import Effect, IntegrationStateV2


def effect_json(kind: Any, props: Any, **envelope: Any) -> dict[str, Any]:
    """Return the JSON object of an effect."""
    return {
        "campaignId": 12,
        "rulesetId": 40,
        "ruleIndex": 0,
        "ruleName": "Ten percent",
        "effectType": kind,
        "props": props,
        **envelope,
    }


def effect(kind: Any, props: Any, **envelope: Any) -> Effect:
    """Return an effect parsed from JSON."""
    return Effect.from_json(json.dumps(effect_json(kind, props, **envelope)))


def response_with(*effects: dict[str, Any]) -> IntegrationStateV2:
    """Return a response with these effects, parsed from JSON."""
    state = {"effects": effects, "createdCoupons": [], "createdReferrals": []}
    return IntegrationStateV2.from_json(json.dumps(state))
