"""Conditions that depend on what the evaluation has counted: codes and budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from talon_one.sandbox.rules.budgets import ACTIONS, room
from talon_one.sandbox.rules.compiled import Condition
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.values import ZERO

_BUDGET_ACTIONS: Final = ACTIONS - {"reserveCoupon"}


def compile_check(block: Mapping[str, Any], context: Context) -> Condition:
    """Compile a `checkBudget`, `checkCoupon` or `checkReferral` block."""
    kind = block["type"]
    if kind == "checkBudget":
        return _check_budget(block, context)
    context.flag(block, "redeem")
    return coupon_valid if kind == "checkCoupon" else referral_valid


def coupon_valid(scope: Scope) -> bool:
    """Return whether the coupon at hand passed its checks."""
    return scope.coupon_valid


def referral_valid(scope: Scope) -> bool:
    """Return whether the referral at hand passed its checks."""
    return scope.referral_valid


def _check_budget(block: Mapping[str, Any], context: Context) -> Condition:
    operator = context.choice(block, "operator", ("available", "enoughFor"))
    action = context.choice(block, "action", _BUDGET_ACTIONS)
    if operator != "enoughFor":

        def available(scope: Scope) -> bool:
            left = room(scope, action)
            return left is None or left > ZERO

        return available
    value = context.value(block, "value", "number")

    def enough(scope: Scope) -> bool:
        left = room(scope, action)
        return left is None or left >= value(scope)

    return enough
