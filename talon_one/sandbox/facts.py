"""The facts of an evaluation, read from the state when a rule asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox import holders
from talon_one.sandbox.accounts import Account
from talon_one.sandbox.call import Call
from talon_one.sandbox.consequences.creations import giveaways_of_session, in_time
from talon_one.sandbox.reservations import reservations_of
from talon_one.sandbox.shapes import profile_facts
from talon_one.sandbox.state.documents import Documents
from talon_one.sandbox.values import ZERO

_TABLES: Final = {
    "audience": "audiences",
    "campaign": "campaigns",
    "giveawayPool": "giveaway_pools",
    "loyaltyProgram": "loyalty_programs",
    "webhook": "webhooks",
}


class StateFacts:
    """`rules.situation.Facts` over the state.

    Args:
        call: The request.
        session: The session, or one that names a profile alone.
        advocate: Integration ID of the advocate of the referral at hand, empty for none.
        joined: Audiences that this request changed: True for joined, False for left.
        own: Amounts by the key of the counter that do not count, because this request replaces
            them.
    """

    def __init__(
        self,
        call: Call,
        session: Mapping[str, Any],
        advocate: str = "",
        joined: Mapping[int, bool] | None = None,
        own: Mapping[str, Decimal] | None = None,
    ) -> None:
        self._call = call
        self._state = call.state
        self._session = session
        self._ids = {"Current": session["profileId"], "Advocate": advocate}
        self._joined = joined or {}
        self._own = own or {}

    def has(self, kind: str, entity_id: int) -> bool:
        """Return whether there is an entity that effects refer to."""
        table: Documents = getattr(self._state, _TABLES[kind])
        return self._state.cached((kind, entity_id), lambda: table.get(entity_id)) is not None

    def counter(self, key: str) -> Decimal:
        """Return how much has been counted under a key."""
        coupon_id = reservations_of(key)
        if coupon_id is not None:
            # Reservations are made by operations as well, which the journal does not see.
            return Decimal(self._state.reservations.count(couponId=coupon_id))
        return self._state.journal.counter(key) - self._own.get(key, ZERO)

    def profile(self, profile: str) -> Mapping[str, Any] | None:
        """Return a profile with its sales."""
        integration_id = self._ids[profile]
        found = self._state.profiles.first(integrationId=integration_id) if integration_id else None
        return profile_facts(self._state, found) if found else None

    def in_audience(self, profile: str, audience_id: int) -> bool:
        """Return whether a profile is a member of an audience."""
        integration_id = self._ids[profile]
        return bool(integration_id) and bool(
            self._state.memberships.count(audienceId=audience_id, profileId=integration_id)
        )

    def audience_changes(self, profile: str) -> Mapping[int, bool]:
        """Return the audiences that this request changed."""
        return self._joined if profile == "Current" else {}

    def balance(self, program_id: int, subledger: str, balance: str) -> Decimal:
        """Return the points of the current profile, or of the card of the session."""
        account = self._account(program_id)
        if account is None:
            return ZERO
        found = holders.accounts_of(self._call).ledger(account, subledger).balance()
        kinds = {"current": found.active, "pending": found.pending, "negative": found.negative}
        return kinds[balance]

    def tier(self, program_id: int, subledger: str) -> Mapping[str, Any] | None:
        """Return the tier of the current profile."""
        account = self._account(program_id)
        if account is None:
            return None
        standing = holders.accounts_of(self._call).standing(account, subledger)
        tiers = account.program.get("tiers") or ()
        return next((tier for tier in tiers if tier["id"] == standing.tier_id), None)

    def program_of_tier(self, tier_id: int) -> int | None:
        """Return the ID of the loyalty program that has a tier."""
        for program in self._state.loyalty_programs.each():
            if any(tier["id"] == tier_id for tier in program.get("tiers") or ()):
                return int(program["id"])
        return None

    def cards(self) -> Sequence[Mapping[str, Any]]:
        """Return the loyalty cards of the session that can be used."""
        identifiers = self._session.get("loyaltyCards") or ()
        return [
            card
            for identifier in identifiers
            for card in self._state.cards.each(identifier=identifier)
            if card["status"] == "active"
        ]

    def loyalty_program(self, program_id: int) -> Mapping[str, Any] | None:
        """Return a loyalty program."""
        return self._state.cached(
            ("program", program_id), lambda: self._state.loyalty_programs.get(program_id)
        )

    def achievement(self, achievement_id: int) -> Mapping[str, Any] | None:
        """Return an achievement with the `currentProgress` of the current profile."""
        definition = self._state.achievements.get(achievement_id)
        if definition is None:
            return None
        progress = holders.progress_of(self._call, definition, self._ids["Current"])
        return {**definition, "currentProgress": progress}

    def giveaways_left(self, pool_id: int) -> int:
        """Return how many codes of a pool could be awarded now."""
        unused = self._state.giveaways.each(poolId=pool_id, used=False)
        left = sum(1 for each in unused if in_time(each, self._call.now))
        session_id = self._session.get("id")
        if not left and session_id:
            profiles = [each for each in self._ids.values() if each]
            return len(giveaways_of_session(self._state, session_id, pool_id, profiles))
        return left

    def collection(self, reference: Any) -> frozenset[str] | None:
        """Return the items of a collection, given its ID or name."""
        by_id = isinstance(reference, int)
        found = (
            self._state.collections.get(reference)
            if by_id
            else self._state.collections.first(name=reference)
        )
        if found is None:
            return None
        return frozenset(
            str(each["item"])
            for each in self._state.collection_items.each(collectionId=found["id"])
        )

    def value_map(self, map_id: int) -> Mapping[str, Any] | None:
        """Return the values of a value map by their keys."""
        found = self._state.cached(("map", map_id), lambda: self._state.value_maps.get(map_id))
        return found and dict(found.get("_values") or {})

    def custom_effect(self, effect_id: int) -> Mapping[str, Any] | None:
        """Return the definition of a custom effect."""
        return self._state.custom_effects.get(effect_id)

    def item_filter(self, name: str) -> Mapping[str, Any] | None:
        """Return a cart item filter of the Application."""
        return self._state.item_filters.first(applicationId=self._call.application_id, name=name)

    def reservation(self, coupon_id: int, profile: str) -> bool:
        """Return whether a profile holds a reservation of a coupon."""
        integration_id = self._ids[profile]
        return bool(integration_id) and bool(
            self._state.reservations.count(couponId=coupon_id, profileId=integration_id)
        )

    def _account(self, program_id: int) -> Account | None:
        program = self.loyalty_program(program_id)
        if program is None:
            return None
        return holders.account_of_session(self._call, dict(program), self._session)
