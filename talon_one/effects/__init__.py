"""What to do with effects: run a function for each, sum discounts, read codes, compare answers.

Every answer lists all effects that hold at that moment, in no particular order. So a shop either
starts from its cart without discounts each time, or asks `difference` what has changed.

Everything here takes an answer of the V2 and V3 operations, or a list of effects. The effects of
V1 answers are refused: they are lists of arguments whose meaning is nowhere described in full.
"""

from talon_one.effects.amounts import Discounts, ItemCost, ItemUnit, discounts, rolled_back
from talon_one.effects.comparison import Difference, difference, effects_of
from talon_one.effects.handling import (
    DispatchResult,
    EffectFailure,
    EffectHandler,
    EffectHandlingError,
    UnknownEffectTypeWarning,
)
from talon_one.effects.redemption import Codes, codes

__all__ = [
    "Codes",
    "Difference",
    "Discounts",
    "DispatchResult",
    "EffectFailure",
    "EffectHandler",
    "EffectHandlingError",
    "ItemCost",
    "ItemUnit",
    "UnknownEffectTypeWarning",
    "codes",
    "difference",
    "discounts",
    "effects_of",
    "rolled_back",
]
