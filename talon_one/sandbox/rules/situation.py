"""What an evaluation sees: entities as the API shows them, and facts that are looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeAlias

Json: TypeAlias = Mapping[str, Any]
"""An entity with the property names of the API."""


class Facts(Protocol):
    """State that rules ask for, read when a rule needs it.

    The sandbox reads its database, tests read a few dictionaries. `profile` is `Current`
    or `Advocate`; without such a profile the methods return what a new profile would have.
    """

    def has(self, kind: str, entity_id: int) -> bool:
        """Return whether there is an entity that effects refer to.

        Args:
            kind: `audience`, `campaign`, `giveawayPool`, `loyaltyProgram` or `webhook`.
            entity_id: Its ID.
        """

    def counter(self, key: str) -> Decimal:
        """Return how much has been counted under a key, see `outcome.Consequence.counters`."""

    def profile(self, profile: str) -> Json | None:
        """Return a profile."""

    def in_audience(self, profile: str, audience_id: int) -> bool:
        """Return whether a profile is a member of an audience."""

    def audience_changes(self, profile: str) -> Mapping[int, bool]:
        """Return the audiences that this request changed: True for joined, False for left."""

    def balance(self, program_id: int, subledger: str, balance: str) -> Decimal:
        """Return the points of the current profile, or of the card of the session.

        Args:
            program_id: ID of the loyalty program.
            subledger: Name of the ledger; empty for the main one.
            balance: `current`, `pending` or `negative`.
        """

    def loyalty_program(self, program_id: int) -> Json | None:
        """Return a loyalty program."""

    def tier(self, program_id: int, subledger: str) -> Json | None:
        """Return the tier of the current profile."""

    def program_of_tier(self, tier_id: int) -> int | None:
        """Return the ID of the loyalty program that has a tier."""

    def cards(self) -> Sequence[Json]:
        """Return the loyalty cards of the session that exist, in the order of the session."""

    def achievement(self, achievement_id: int) -> Json | None:
        """Return an achievement with the `currentProgress` of the current profile."""

    def giveaways_left(self, pool_id: int) -> int:
        """Return how many codes of a pool could be awarded now."""

    def collection(self, reference: Any) -> frozenset[str] | None:
        """Return the items of a collection, given its ID or name."""

    def value_map(self, map_id: int) -> Mapping[str, Any] | None:
        """Return the values of a value map by their keys."""

    def custom_effect(self, effect_id: int) -> Json | None:
        """Return the definition of a custom effect."""

    def item_filter(self, name: str) -> Json | None:
        """Return a cart item filter of the Application: a selector under its name."""

    def reservation(self, coupon_id: int, profile: str) -> bool:
        """Return whether a profile holds a reservation of a coupon."""


@dataclass(frozen=True, slots=True)
class CouponEntry:
    """A coupon code of the session, and the `Coupon` if the Application has one."""

    code: str
    coupon: Json | None = None


@dataclass(frozen=True, slots=True)
class ReferralEntry:
    """The referral code of the session, and the `Referral` if the Application has one."""

    code: str
    referral: Json | None = None
    already_referred: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rules of an evaluation see.

    Attributes:
        now: Moment of the evaluation in canonical form (see `values`), which compares as text.
        application: The `Application` with its settings.
        session: The `CustomerSessionV2`, merged, in its new state, with its totals; None for a
            request about a profile alone.
        event: The `Event` that is evaluated: built-in or custom, with `type` and `attributes`.
        coupons: One entry per distinct coupon code, in the order of the session.
        referral: The referral code, if the session has one.
        evaluable: IDs of the only campaigns to evaluate, disabled ones included; None for all
            that run.
        store: The `Store` of the session, if any.
        facts: Further state.
        ignore_groups: Whether all campaigns are evaluated as if the tree had no groups.
        eligibility: Whether the evaluation reports `campaignEligibility`.
        staging: Whether staged campaigns run as well.
        connected: Whether the session is a closed one that an event refers to: rules see it, and
            cannot change what it costs.
    """

    now: str
    application: Json
    session: Json | None
    event: Json
    facts: Facts
    coupons: Sequence[CouponEntry] = ()
    referral: ReferralEntry | None = None
    evaluable: frozenset[int] | None = None
    store: Json | None = None
    ignore_groups: bool = False
    eligibility: bool = False
    staging: bool = False
    connected: bool = False
