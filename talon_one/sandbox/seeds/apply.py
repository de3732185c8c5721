"""Put a prepared seed into the state: every kind of entity with its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one.sandbox import defaults
from talon_one.sandbox.accounts import Account, Accounts, Terms
from talon_one.sandbox.audiences import join
from talon_one.sandbox.codes import new_coupon, new_referral
from talon_one.sandbox.errors import ApiError
from talon_one.sandbox.profiles import ensure_profile
from talon_one.sandbox.rulesets import add_ruleset
from talon_one.sandbox.seeds.errors import SeedError, SeedMistake
from talon_one.sandbox.seeds.kinds import APPLICATIONS, CAMPAIGNS, COLLECTIONS
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State
from talon_one.sandbox.values import amount
from talon_one.sandbox.world import World

# Lists at the top of a seed that hold entities without children.
_PLAIN = {
    "attributes": "attributes",
    "additionalCosts": "additional_costs",
    "customEffects": "custom_effects",
    "webhooks": "webhooks",
    "campaignGroups": "campaign_groups",
}


def plant(state: State, world: World, seed: Mapping[str, Any]) -> None:
    """Add everything in a seed to the state, inside an open transaction.

    Args:
        state: The state.
        world: Time and chance.
        seed: The seed, as `prepare` returns it for this state.

    Raises:
        SeedError: If no free code can be made for a coupon or a referral.
    """
    try:
        _Planting(state, world).everything(seed)
    except ApiError as cause:
        mistakes = [SeedMistake("", each.details) for each in cause.problems]
        raise SeedError(mistakes or [SeedMistake("", cause.message)]) from cause


class _Planting:
    def __init__(self, state: State, world: World) -> None:
        self.state = state
        self.world = world
        self.now = world.clock.text()

    def everything(self, seed: Mapping[str, Any]) -> None:
        for key in seed.get("managementKeys") or ():
            self._key("management", key)
        for described in seed.get("profiles") or ():
            self._profile(described)
        for name, table in _PLAIN.items():
            for described in seed.get(name) or ():
                self._add(table, described)
        for described in seed.get("audiences") or ():
            audience = self._add("audiences", described, apart=("members",))
            for profile_id in described.get("members") or ():
                self._join(audience["id"], profile_id)
        for described in seed.get("profiles") or ():
            for membership in described.get("audienceMemberships") or ():
                self._join(membership["id"], described["integrationId"])
        for described in seed.get("loyaltyPrograms") or ():
            self._program(described)
        for described in seed.get("profiles") or ():
            for points in described.get("points") or ():
                program = self.state.loyalty_programs.get(points["program"]["id"])
                if program is not None:
                    self._points(Account(program, described["integrationId"]), points)
        for described in seed.get("giveawayPools") or ():
            pool = self._add("giveaway_pools", described, apart=("codes",))
            for code in described.get("codes") or ():
                self._add("giveaways", code, poolId=pool["id"])
        for described in seed.get("catalogs") or ():
            catalog = self._add("catalogs", described, apart=("items",))
            for item in described.get("items") or ():
                self._add("catalog_items", item, catalogid=catalog["id"])
        for described in seed.get("applications") or ():
            self._application(described)
        self._of_application(seed, None)
        self._of_campaign(seed, None)
        # The profiles of a seed are customers of all Applications.
        known = [each["id"] for each in self.state.applications.each()]
        for described in seed.get("profiles") or ():
            profile = ensure_profile(self.state, described["integrationId"], self.now)
            self.state.profiles.save({**profile, "_applications": known})

    def _add(
        self, table: str, described: Mapping[str, Any], apart: tuple[str, ...] = (), **more: Any
    ) -> Document:
        given = {name: value for name, value in described.items() if name not in apart}
        created = given.get("created", self.now)
        made = {"created": created, **defaults.of(table), **given, **more}
        for name in defaults.CHANGED & made.keys():
            if made[name] is None:
                made[name] = created
        added: Document = getattr(self.state, table).add(made)
        return added

    def _key(self, kind: str, described: Mapping[str, Any], application_id: Any = None) -> None:
        settings = {name: value for name, value in described.items() if name != "key"}
        self.state.add_key(kind, described["key"], application_id, settings)

    def _join(self, audience_id: int, profile_id: str) -> None:
        ensure_profile(self.state, profile_id, self.now)
        join(self.state, audience_id, profile_id)

    def _profile(self, described: Mapping[str, Any]) -> None:
        apart = ("audienceMemberships", "points")
        own = {name: each for name, each in described.items() if name not in apart}
        stored = self.state.profiles.first(integrationId=own["integrationId"])
        if stored is None:
            self._add("profiles", own, lastActivity=own.get("lastActivity", self.now))
            return
        attributes = {**stored["attributes"], **(own.get("attributes") or {})}
        self.state.profiles.save({**stored, **own, "attributes": attributes, "id": stored["id"]})

    def _program(self, described: Mapping[str, Any]) -> None:
        program = self._add("loyalty_programs", described, apart=("cards",))
        program["tiers"] = [
            {"created": program["created"], "programID": program["id"], **tier}
            for tier in described.get("tiers") or ()
        ]
        self.state.loyalty_programs.save(program)
        for card in described.get("cards") or ():
            profiles = card.get("profiles") or []
            for each in profiles:
                ensure_profile(self.state, each["integrationId"], self.now)
            limit = card.get("usersPerCardLimit", program["usersPerCardLimit"])
            self._add("cards", card, ("points",), programID=program["id"], usersPerCardLimit=limit)
            for points in card.get("points") or ():
                self._points(Account(program, card=card["identifier"]), points)

    def _points(self, account: Account, described: Mapping[str, Any]) -> None:
        accounts = Accounts(self.state, self.world, self.now)
        subledger = described.get("subledgerId") or ""
        terms = Terms(
            pending=described.get("pendingDuration"),
            start=described.get("pendingUntil"),
            validity=described.get("validityDuration"),
            expiry=described.get("validUntil"),
        )
        name = described.get("name") or ""
        accounts.add(account, amount(described["points"]), subledger, terms, name=name)
        accounts.refresh_tier(account, subledger)

    def _application(self, described: Mapping[str, Any]) -> None:
        apart = (*APPLICATIONS.own, *(child.key for child in APPLICATIONS.children))
        application = self._add(
            "applications",
            described,
            apart=apart,
            _secret=described.get("secret"),
            _undefinedNames=described.get("undefinedNames", "refuse"),
            _eventTypes=described.get("eventTypes") or [],
            _evaluationTree=described.get("evaluationTree"),
        )
        for key in described.get("keys") or ():
            self._key("integration", key, application["id"])
        self._of_application(described, application)

    def _of_application(self, described: Mapping[str, Any], owner: Document | None) -> None:
        """Add what belongs to an Application, or, without one, to those that it names itself."""
        owned = {} if owner is None else {"applicationId": owner["id"]}
        for store in described.get("stores") or ():
            self._add("stores", store, **owned)
        for item_filter in described.get("itemFilters") or ():
            self._add("item_filters", item_filter, **owned)
        for campaign in described.get("campaigns") or ():
            self._campaign({**campaign, **owned})

    def _campaign(self, described: Mapping[str, Any]) -> None:
        apart = (*CAMPAIGNS.own, *(child.key for child in CAMPAIGNS.children))
        campaign = self._add("campaigns", described, apart=apart)
        self._of_campaign(described, campaign)
        if described.get("ruleset") is not None:
            add_ruleset(self.state, campaign, described["ruleset"], campaign["created"])

    def _of_campaign(self, described: Mapping[str, Any], owner: Document | None) -> None:
        """Add what belongs to a campaign, or, without one, to those that it names itself."""
        for collection in described.get("collections") or ():
            made = self._owned("collections", collection, owner, COLLECTIONS.own)
            for item in collection.get("items") or ():
                self.state.collection_items.add({"collectionId": made["id"], "item": item})
        for achievement in described.get("achievements") or ():
            self._owned("achievements", achievement, owner)
        for value_map in described.get("valueMaps") or ():
            values = {**value_map, "_values": value_map.get("values") or {}}
            self._owned("value_maps", values, owner, {"values": ""})
        for coupon in described.get("coupons") or ():
            campaign, given = self._owner(coupon, owner), dict(coupon)
            code = given.pop("value", "")
            new_coupon(self.state, self.world, campaign, given, now=self.now, code=code)
        for referral in described.get("referrals") or ():
            campaign, given = self._owner(referral, owner), dict(referral)
            code = given.pop("code", "")
            ensure_profile(self.state, given["advocateProfileIntegrationId"], self.now)
            new_referral(self.state, self.world, campaign, given, now=self.now, code=code)

    def _owner(self, described: Mapping[str, Any], owner: Document | None) -> Document:
        found = owner or self.state.campaigns.get(described["campaignId"])
        if found is None:
            raise LookupError(f"there is no campaign {described['campaignId']}")
        return found

    def _owned(
        self,
        table: str,
        described: Mapping[str, Any],
        owner: Document | None,
        apart: Mapping[str, str] | None = None,
    ) -> Document:
        campaign = self._owner(described, owner)
        ids = {"applicationId": campaign["applicationId"], "campaignId": campaign["id"]}
        return self._add(table, described, tuple(apart or ()), **ids)
