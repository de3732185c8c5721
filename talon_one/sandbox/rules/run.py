"""What an evaluation has collected so far, and savepoints to return to."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from talon_one.sandbox.rules.outcome import Evaluation


@dataclass(slots=True)
class Run:
    """The state of an evaluation in progress.

    Attributes:
        evaluation: What has been collected.
        used: How much this evaluation has counted, by the key of the counter.
    """

    evaluation: Evaluation = field(default_factory=Evaluation)
    used: dict[str, Decimal] = field(default_factory=dict)
