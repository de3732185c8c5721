"""The entities of the sandbox: one immutable record for each kind.

The store reads them, the rules evaluate them, and the views write them. Timestamps are text in the
canonical form of `values`; dictionaries are JSON with the property names of the platform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from talon_one.sandbox.values import ZERO, amount

OPEN = "open"
CLOSED = "closed"
CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Application:
    """The shop that the Integration key belongs to."""

    id: int
    name: str
    secret: str
    created: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: if all conditions hold, it has all its effects. See `fixed_rules` for their types."""

    name: str
    conditions: Sequence[Mapping[str, Any]]
    effects: Sequence[Mapping[str, Any]]

    def needs(self, condition: str) -> bool:
        """Return whether the rule has a condition of this type."""
        return any(entry["type"] == condition for entry in self.conditions)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign with its rules."""

    id: int
    application_id: int
    ruleset_id: int
    name: str
    description: str
    state: str
    created: str
    features: Sequence[str]
    tags: Sequence[str]
    rules: Sequence[Rule]

    @property
    def running(self) -> bool:
        """Whether the campaign takes part in ordinary evaluations."""
        return self.state == "enabled"


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon code with its limits and counters."""

    id: int
    campaign_id: int
    value: str
    created: str
    usage_limit: int
    usage_counter: int
    reservation_limit: int
    reservation_counter: int
    start_date: str | None
    expiry_date: str | None
    recipient: str | None
    batch_id: str
    reservation_mandatory: bool
    implicitly_reserved: bool
    attributes: Mapping[str, Any]
    import_id: int | None = None

    @property
    def used_up(self) -> bool:
        """Whether the usage limit is reached; 0 stands for no limit."""
        return 0 < self.usage_limit <= self.usage_counter


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral code of an advocate, optionally for one friend only."""

    id: int
    campaign_id: int
    code: str
    created: str
    advocate: str
    friend: str | None
    usage_limit: int
    usage_counter: int
    start_date: str | None
    expiry_date: str | None
    attributes: Mapping[str, Any]

    @property
    def used_up(self) -> bool:
        """Whether the usage limit is reached; 0 stands for no limit."""
        return 0 < self.usage_limit <= self.usage_counter


@dataclass(frozen=True, slots=True)
class Profile:
    """A customer."""

    id: int
    integration_id: str
    created: str
    last_activity: str
    closed_sessions: int
    total_sales: Decimal
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Audience:
    """A named group of profiles."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a session or a profile."""

    id: int
    application_id: int
    created: str
    type: str
    profile_id: str
    session_id: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Totals:
    """The amounts of a session before discounts."""

    cart_items: Decimal = ZERO
    item_costs: Decimal = ZERO
    session_costs: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """The sum of the cart items and all additional costs."""
        return self.cart_items + self.item_costs + self.session_costs


@dataclass(frozen=True, slots=True)
class Session:
    """A customer session.

    Attributes:
        id: Internal id, 0 for a session that is not stored.
        profile_id: Integration id of the customer, empty for an anonymous session.
        content: What the caller sent, merged over all updates, under its V2 names. `total` is
            there if the latest update came through V1, whose callers compute it themselves.
        effects: The effects that hold for the session now.
    """

    id: int
    application_id: int
    integration_id: str
    profile_id: str
    state: str
    created: str
    updated: str
    update_count: int
    first_session: bool
    content: Mapping[str, Any] = field(default_factory=dict)
    effects: Sequence[Mapping[str, Any]] = ()

    @property
    def coupon_codes(self) -> list[str]:
        """The coupon codes as sent."""
        return list(self.content.get("couponCodes", ()))

    @property
    def referral_code(self) -> str:
        """The referral code as sent, or an empty string."""
        return str(self.content.get("referralCode", ""))

    def totals(self) -> Totals:
        """Add up the cart and the additional costs."""
        items = self.content.get("cartItems", ())
        return Totals(
            cart_items=sum((amount(item["price"]) * item["quantity"] for item in items), ZERO),
            item_costs=sum((_costs(item.get("additionalCosts")) for item in items), ZERO),
            session_costs=_costs(self.content.get("additionalCosts")),
        )

    def worth(self) -> Decimal:
        """Return the session total: the one of the caller for V1, else the sum of everything."""
        given = self.content.get("total")
        return self.totals().total if given is None else amount(given)


def _costs(costs: Mapping[str, Any] | None) -> Decimal:
    return sum((amount(cost["price"]) for cost in (costs or {}).values()), ZERO)
