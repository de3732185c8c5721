"""Management operations on rulesets: V1 is written and read, V2 is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.errors import ApiError, Problem, invalid
from talon_one.sandbox.operations.entities import Kind, campaign_of, of_campaign
from talon_one.sandbox.rulesets import check_ruleset
from talon_one.sandbox.state.documents import Document

_V2: Final = "promotionRules"
_OF_V2: Final = (_V2, "selectors", "bundles", "parameters")


def _prepare(call: Call, old: Document | None) -> Document:
    check_ruleset(call.body)
    sent: Document = call.body
    return sent


def _settle(call: Call, ruleset: Document) -> None:
    # A ruleset that was written in V2 becomes one in V1.
    for name in _OF_V2:
        ruleset.pop(name, None)
    call.state.rulesets.save(ruleset)
    if ruleset.get("activate"):
        _activate(call, ruleset)


def _activate(call: Call, ruleset: Document) -> None:
    campaign = campaign_of(call)
    if campaign.get("activeRulesetId") != ruleset["id"]:
        ruleset["activatedAt"] = call.now
        call.state.rulesets.save(ruleset)
        campaign |= {"activeRulesetId": ruleset["id"], "updated": call.now}
        call.state.campaigns.save(campaign)


RULESETS: Final = Kind(
    table="rulesets",
    label="Ruleset",
    path_id="rulesetId",
    owner=of_campaign,
    prepare=_prepare,
    saved=_settle,
)


def get_ruleset(call: Call) -> Result:
    """Handle getRuleset, but for rulesets that were written in V2."""
    ruleset = RULESETS.known(call)
    if ruleset.get(_V2) is not None:
        raise ApiError(
            501,
            "The sandbox does not translate rulesets from V2 to V1: read this one with "
            "getRulesetV2",
        )
    return Result(200, ruleset)


def get_ruleset_v2(call: Call) -> Result:
    """Handle getRulesetV2: what was written, or V1 as `passthrough` blocks.

    Raises:
        ApiError: 501 for a V1 ruleset with bindings, which V2 cannot express.
    """
    ruleset = RULESETS.known(call)
    if ruleset.get(_V2) is not None:
        return Result(200, ruleset)
    rules = [*(ruleset.get("rules") or ()), *(ruleset.get("strikethroughRules") or ())]
    if ruleset.get("bindings") or any(rule.get("bindings") for rule in rules):
        raise ApiError(
            501,
            "The sandbox does not translate bindings from V1 to V2: read this ruleset with "
            "getRuleset",
        )
    shown = {
        **ruleset,
        _V2: [_in_blocks(rule) for rule in ruleset.get("rules") or ()],
        "strikethroughRules": [
            _in_blocks(rule) for rule in ruleset.get("strikethroughRules") or ()
        ],
    }
    return Result(200, shown)


def _in_blocks(rule: Mapping[str, Any]) -> Document:
    effects = rule.get("effects") or []
    # The effects are one call, or a list of calls.
    calls = [effects] if effects and isinstance(effects[0], str) else list(effects)
    condition = rule.get("condition")
    expressions = [*([condition] if condition else []), *calls]
    blocks = [
        {"id": str(number), "type": "passthrough", "expression": expression}
        for number, expression in enumerate(expressions, 1)
    ]
    return {**rule, "blocks": blocks}


def delete_ruleset(call: Call) -> Result:
    """Handle deleteRuleset.

    Raises:
        ApiError: 400 for the active one.
    """
    ruleset = RULESETS.known(call)
    if campaign_of(call).get("activeRulesetId") == ruleset["id"]:
        details = "the ruleset is the active one of its campaign"
        raise invalid(Problem("Invalid", details, parameter="rulesetId"))
    RULESETS.remove(call, ruleset)
    return NO_CONTENT


OPERATIONS: Final = {
    "getRulesets": RULESETS.list,
    "getRuleset": get_ruleset,
    "getRulesetV2": get_ruleset_v2,
    "createRuleset": RULESETS.create,
    "updateRuleset": RULESETS.update,
    "deleteRuleset": delete_ruleset,
}
