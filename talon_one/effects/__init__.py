"""Effects: sort them, call a function for each, sum discounts, read codes, compare responses.

Every response lists all effects that apply at that moment, in no particular order. A shop either
starts from its cart without discounts each time, or calls `difference` to learn what changed.

All functions accept a response of a V2 or V3 operation, or a list of effects. They refuse V1
responses, whose effects are lists of arguments that are not fully documented. None does I/O.
"""

from talon_one.effects.amounts import Discounts, ItemCost, ItemUnit, discounts, rolled_back
from talon_one.effects.comparison import Difference, difference
from talon_one.effects.entries import (
    Bundle,
    Discount,
    Entry,
    Malformed,
    Points,
    PointsLedger,
    SelectedPrice,
)
from talon_one.effects.extraction import effects_of
from talon_one.effects.handling import (
    DispatchResult,
    EffectFailure,
    EffectHandler,
    EffectHandlingError,
    UnknownEffectTypeWarning,
)
from talon_one.effects.redemption import Codes, codes
from talon_one.effects.summaries import PLACES, RolledBack, Summary, summary

__all__ = [
    "PLACES",
    "Bundle",
    "Codes",
    "Difference",
    "Discount",
    "Discounts",
    "DispatchResult",
    "EffectFailure",
    "EffectHandler",
    "EffectHandlingError",
    "Entry",
    "ItemCost",
    "ItemUnit",
    "Malformed",
    "Points",
    "PointsLedger",
    "RolledBack",
    "SelectedPrice",
    "Summary",
    "UnknownEffectTypeWarning",
    "codes",
    "difference",
    "discounts",
    "effects_of",
    "rolled_back",
    "summary",
]
