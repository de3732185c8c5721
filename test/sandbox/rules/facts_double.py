"""Facts for the rule engine out of a few dictionaries, and a scope to evaluate in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from talon_one.sandbox.rules.compiled import Value
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.rules.situation import Json, Situation
from talon_one.sandbox.values import amount

NOW = "2026-11-28T12:00:00.000000Z"


@dataclass
class FactsDouble:
    """Facts that a test lists; whatever it does not list is as in a new sandbox.

    Attributes:
        profiles: Profiles by `Current` and `Advocate`.
        audiences: Audience IDs by `Current` and `Advocate`.
        changes: Audiences that the request changed, by `Current` and `Advocate`.
        balances: Points by program ID, subledger and balance.
        programs: Loyalty programs by their IDs; one that is missing is a plain one.
        tiers: The tier of the current profile, by program ID and subledger.
        programs_of_tiers: Program IDs by the ID of the tier.
        loyalty_cards: Cards of the session.
        achievements: Achievements by their IDs.
        pools: Codes left, by the ID of the giveaway pool.
        collections: Items of collections by ID or name.
        value_maps: Value maps by their IDs.
        custom_effects: Custom effects by their IDs.
        item_filters: Cart item filters by their names.
        reservations: Pairs of a coupon ID, and `Current` or `Advocate`.
        counters: Counted amounts by key.
    """

    profiles: dict[str, Json] = field(default_factory=dict)
    audiences: dict[str, set[int]] = field(default_factory=dict)
    changes: dict[str, dict[int, bool]] = field(default_factory=dict)
    balances: dict[tuple[int, str, str], Decimal] = field(default_factory=dict)
    programs: dict[int, Json | None] = field(default_factory=dict)
    tiers: dict[tuple[int, str], Json] = field(default_factory=dict)
    programs_of_tiers: dict[int, int] = field(default_factory=dict)
    loyalty_cards: list[Json] = field(default_factory=list)
    achievements: dict[int, Json] = field(default_factory=dict)
    pools: dict[int, int] = field(default_factory=dict)
    collections: dict[Any, frozenset[str]] = field(default_factory=dict)
    value_maps: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    custom_effects: dict[int, Json] = field(default_factory=dict)
    item_filters: dict[str, Json] = field(default_factory=dict)
    reservations: set[tuple[int, str]] = field(default_factory=set)
    counters: dict[str, Decimal] = field(default_factory=dict)
    missing: set[tuple[str, int]] = field(default_factory=set)

    def has(self, kind: str, entity_id: int) -> bool:
        return (kind, entity_id) not in self.missing

    def counter(self, key: str) -> Decimal:
        return self.counters.get(key, Decimal(0))

    def profile(self, profile: str) -> Json | None:
        return self.profiles.get(profile)

    def in_audience(self, profile: str, audience_id: int) -> bool:
        return audience_id in self.audiences.get(profile, ())

    def audience_changes(self, profile: str) -> Mapping[int, bool]:
        return self.changes.get(profile, {})

    def balance(self, program_id: int, subledger: str, balance: str) -> Decimal:
        return self.balances.get((program_id, subledger, balance), Decimal(0))

    def loyalty_program(self, program_id: int) -> Json | None:
        return self.programs.get(program_id, {"id": program_id})

    def tier(self, program_id: int, subledger: str) -> Json | None:
        return self.tiers.get((program_id, subledger))

    def program_of_tier(self, tier_id: int) -> int | None:
        return self.programs_of_tiers.get(tier_id)

    def cards(self) -> Sequence[Json]:
        return self.loyalty_cards

    def achievement(self, achievement_id: int) -> Json | None:
        return self.achievements.get(achievement_id)

    def giveaways_left(self, pool_id: int) -> int:
        return self.pools.get(pool_id, 0)

    def collection(self, reference: Any) -> frozenset[str] | None:
        return self.collections.get(reference)

    def value_map(self, map_id: int) -> Mapping[str, Any] | None:
        return self.value_maps.get(map_id)

    def custom_effect(self, effect_id: int) -> Json | None:
        return self.custom_effects.get(effect_id)

    def item_filter(self, name: str) -> Json | None:
        return self.item_filters.get(name)

    def reservation(self, coupon_id: int, profile: str) -> bool:
        return (coupon_id, profile) in self.reservations


def units_of(items: Sequence[Json]) -> tuple[Unit, ...]:
    """Flatten cart items: one unit for each that has not been returned."""
    return tuple(
        Unit(position, sub_position, item, amount(item.get("price", 0)))
        for position, item in enumerate(items)
        for sub_position in range(item.get("returnedQuantity", 0), item.get("quantity", 1))
    )


def make_scope(
    session: Json | None = None,
    *,
    facts: FactsDouble | None = None,
    event: Json | None = None,
    names: Mapping[str, Value] | None = None,
    store: Json | None = None,
    unit: Unit | None = None,
    **entities: Json,
) -> Scope:
    """Return a scope for an evaluation without campaigns.

    Args:
        session: The session; its `cartItems` become the units.
        facts: Further state.
        event: The event that is evaluated.
        names: Compiled names.
        store: The store of the session.
        unit: The unit at hand.
        entities: `coupon`, `referral`, `campaign` or `application` at hand.
    """
    situation = Situation(
        now=NOW,
        application=entities.get("application", {"id": 1, "name": "Shop"}),
        session=session,
        event=event or {"type": "talon_session_updated", "attributes": {}},
        facts=facts or FactsDouble(),
        store=store,
    )
    return Scope(
        situation=situation,
        units=units_of((session or {}).get("cartItems", ())),
        names=names or {},
        unit=unit,
        coupon=entities.get("coupon"),
        referral=entities.get("referral"),
        campaign=entities.get("campaign"),
    )
