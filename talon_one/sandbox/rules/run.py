"""What an evaluation has collected so far, and savepoints to return to."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from talon_one.sandbox.rules.outcome import Consequence, Effect
from talon_one.sandbox.rules.situation import Json, Situation
from talon_one.sandbox.values import ZERO

_ABSENT: Final = object()


class Settings(NamedTuple):
    """Settings of the Application that change what effects give.

    Attributes:
        cascading: Whether a discount is computed on what earlier discounts have left.
        partial: Whether a discount may be cut to its budget, unless a block says it.
        session_scope: What discounts of the session reduce: `sessionTotal`, `cartItems` or
            `additionalCosts`.
        item_scope: What discounts of an item reduce: `price`, `itemTotal` or `additionalCosts`.
        flattened: Whether an item of quantity three counts as three units.
    """

    cascading: bool
    partial: bool
    session_scope: str
    item_scope: str
    flattened: bool


def settings_of(application: Json) -> Settings:
    """Read the settings of an Application; what it does not say has the default of the API."""
    get = application.get
    return Settings(
        cascading=bool(get("enableCascadingDiscounts")),
        partial=bool(get("enablePartialDiscounts")),
        session_scope=get("defaultDiscountScope") or "sessionTotal",
        item_scope=get("defaultDiscountAdditionalCostPerItemScope") or "price",
        flattened=get("enableFlattenedCartItems") is not False,
    )


class Mark(NamedTuple):
    """A savepoint: how much had been collected."""

    effects: int
    consequences: int
    changes: int


class _Change(NamedTuple):
    table: dict[Any, Any]
    key: Hashable
    old: Any
    new: Any


class Taken(NamedTuple):
    """What was collected after a savepoint, taken out of the run."""

    effects: list[Effect]
    consequences: list[Consequence]
    changes: list[_Change]


class Run:
    """The state of an evaluation in progress.

    Everything that changes does so through methods of this class, so that `rewind` undoes it.

    Args:
        situation: The input of the evaluation.

    Attributes:
        effects: Effects collected.
        consequences: Consequences collected.
        used: How much this evaluation has counted, by the key of the counter.
        left: What discounts have left of their bases, see `bases`.
        tentative: Points that this evaluation has added less those it has spent, by
            `<program>:<subledger>`.
        progress: Progress that this evaluation has made, by the ID of the achievement.
        attributes: New values of attributes, by entity and name.
        accepted: IDs of codes that have been accepted, by `coupon` or `referral` and the ID.
        settings: Settings of the Application.
        closed: Whether the consequences of the session hold: it is closed, or there is none.
        envelope: Properties that effects have from the rule that runs.
        rule_title: Title of the rule that runs.
        campaign_id: ID of the campaign that runs.
        positions: The only cart items that effects on items may touch; None for all.
    """

    __slots__ = (
        "_changes",
        "accepted",
        "attributes",
        "campaign_id",
        "closed",
        "consequences",
        "effects",
        "envelope",
        "left",
        "positions",
        "progress",
        "rule_title",
        "settings",
        "tentative",
        "used",
    )

    def __init__(self, situation: Situation) -> None:
        self.effects: list[Effect] = []
        self.consequences: list[Consequence] = []
        self.used: dict[str, Decimal] = {}
        self.left: dict[Hashable, Decimal] = {}
        self.tentative: dict[str, Decimal] = {}
        self.progress: dict[int, Decimal] = {}
        self.attributes: dict[Hashable, Any] = {}
        self.accepted: dict[tuple[str, int], bool] = {}
        self.settings: Settings = settings_of(situation.application)
        session = situation.session
        self.closed = session is None or session.get("state") == "closed"
        self.envelope: Mapping[str, Any] = {}
        self.rule_title: str = ""
        self.campaign_id: int = 0
        self.positions: frozenset[int] | None = None
        self._changes: list[_Change] = []

    def mark(self) -> Mark:
        """Return a savepoint."""
        return Mark(len(self.effects), len(self.consequences), len(self._changes))

    def rewind(self, mark: Mark) -> None:
        """Discard everything that was collected after a savepoint."""
        del self.effects[mark.effects :]
        del self.consequences[mark.consequences :]
        changes = self._changes
        while len(changes) > mark.changes:
            change = changes.pop()
            if change.old is _ABSENT:
                del change.table[change.key]
            else:
                change.table[change.key] = change.old

    def take(self, mark: Mark) -> Taken:
        """Discard what was collected after a savepoint, and return it."""
        taken = Taken(
            self.effects[mark.effects :],
            self.consequences[mark.consequences :],
            self._changes[mark.changes :],
        )
        self.rewind(mark)
        return taken

    def put(self, taken: Taken) -> None:
        """Collect again what was taken. Its changes hold only at the savepoint of `take`."""
        self.effects += taken.effects
        self.consequences += taken.consequences
        for change in taken.changes:
            self.set(change.table, change.key, change.new)

    def set(self, table: dict[Any, Any], key: Hashable, value: Any) -> None:
        """Change a value in one of the tables of the run."""
        self._changes.append(_Change(table, key, table.get(key, _ABSENT), value))
        table[key] = value

    def add(self, table: dict[Any, Decimal], key: Hashable, amount: Decimal) -> None:
        """Add to a value in one of the tables of the run."""
        self.set(table, key, table.get(key, ZERO) + amount)

    def allows(self, position: int) -> bool:
        """Return whether effects may touch a cart item."""
        return self.positions is None or position in self.positions

    def emit(self, effect_type: str, props: dict[str, Any]) -> Effect:
        """Collect an effect of the rule that runs."""
        effect: Effect = {**self.envelope, "effectType": effect_type, "props": props}
        self.effects.append(effect)
        return effect

    def record(
        self,
        kind: str,
        target: str,
        amount: Decimal,
        effect: Effect,
        counters: Mapping[str, Decimal],
        details: Mapping[str, Any] | None = None,
        *,
        position: int | None = None,
        sub_position: int | None = None,
        early: bool = False,
        reversible: bool = True,
    ) -> None:
        """Collect a consequence of the rule that runs, and count what it uses."""
        for key, count in counters.items():
            self.add(self.used, key, count)
        self.consequences.append(
            Consequence(
                kind,
                target,
                amount,
                self.campaign_id,
                counters,
                effect,
                details or {},
                position,
                sub_position,
                early,
                reversible,
            )
        )
